/* asm_insn.c - reads one instruction: finds its mnemonic, its operands by kind, checks it. */
#include "asm_parts.h"
#include "half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Asm *a;
    AsmCursor *c;
    const TspInsnInfo *info;
    TspInsn insn;
    uint64_t written; /* bit i: field i is there */
    bool has_imm;     /* an immediate is there, as a source or by name */
} Reader;

static void set(TspInsn *insn, const TspField *field, int32_t value) {
    *(int32_t *)(void *)((char *)insn + field->offset) = value;
}

/* "addr, stream" or "n, d[, a][, n2]": what the mnemonic takes. */
static const char *usage(const TspInsnInfo *info, char text[160]) {
    size_t used = 0;
    text[0] = 0;
    for (int32_t i = 0; i < info->field_count; i++) {
        const TspField *f = &info->fields[i];
        if (f->kind == TSP_KIND_RESERVED || f->kind == TSP_KIND_IMM || used >= 150) continue;
        used += (size_t)snprintf(text + used, 160 - used, f->needed ? "%s%s" : "[%s%s]",
                                 used ? ", " : "", f->name);
    }
    if (!used) snprintf(text, 160, "no operands");
    return text;
}

/* Decimal digits after a letter or letters: "s12" or "alu3"; -1 if anything else. Moves past. */
static int32_t number_after(const char **text, const char *prefix) {
    size_t length = strlen(prefix);
    const char *at = *text + length;
    int32_t value = 0;
    if (strncmp(*text, prefix, length) || *at < '0' || *at > '9') return -1;
    for (; *at >= '0' && *at <= '9' && value < 1000; at++) value = value * 10 + (*at - '0');
    *text = at;
    return value;
}

/* A word such as s4.e; -1 if it is none, -2 if the machine lacks the stream. */
static int32_t stream_of(const TspMachine *m, const char *word) {
    int32_t number = number_after(&word, "s");
    if (number < 0 || word[0] != '.' || (word[1] != 'e' && word[1] != 'w') || word[2]) return -1;
    if (number >= m->streams) return -2;
    return TSP_STREAM(word[1] == 'w' ? TSP_WESTWARD : TSP_EASTWARD, number);
}

static bool read_stream(Reader *r, int32_t *value) {
    const TspMachine *m = &r->a->p->machine;
    char word[ASM_WORD_SIZE];
    asm_space(r->c);
    const char *where = r->c->at;
    *value = asm_word(r->c, true, word) ? stream_of(m, word) : -1;
    if (*value >= 0) return true;
    if (*value == -2)
        return asm_fail(r->c, where, "%s is out of range; %s has s0 to s%d each way", word, m->name,
                        (int)m->streams - 1);
    return asm_fail(r->c, where, "a stream is expected here; write s4.e or s4.w");
}

static bool read_dst(Reader *r, int32_t *value) {
    if (asm_take_text(r->c, "none")) {
        *value = TSP_DST_NONE;
        return true;
    }
    return read_stream(r, value);
}

static bool take_immediate(Reader *r, const char *where, uint32_t bits) {
    if (r->has_imm && (uint32_t)r->insn.imm != bits)
        return asm_fail(r->c, where,
                        "a second immediate; one instruction holds one, put the other "
                        "into a constant tensor or another ALU");
    r->has_imm = true;
    r->insn.imm = (int32_t)bits;
    return true;
}

/* #1.5f and #1.5h; the suffix is what tells them from integers. */
static const char *float_end(const char *start) {
    const char *at = start + (*start == '-');
    if (*at < '0' || *at > '9' || (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))) return NULL;
    while ((*at >= '0' && *at <= '9') || *at == '.' || *at == 'e' || *at == 'E' ||
           ((*at == '+' || *at == '-') && (at[-1] == 'e' || at[-1] == 'E')))
        at++;
    return *at == 'f' || *at == 'h' ? at : NULL;
}

static bool read_immediate(Reader *r, uint32_t *bits) {
    asm_space(r->c);
    const char *where = r->c->at, *end = float_end(where);
    int64_t value;
    float number;
    if (end) {
        if (!asm_float(r->c, where, end, &number)) return false;
        uint16_t half = tsp_half_from_float(number);
        if (*end == 'h' && (half & 0x7fffu) == 0x7c00u)
            return asm_fail(r->c, where, "the number is too large for f16 (at most 65504)");
        *bits = *end == 'h' ? half : tsp_f32_bits(number);
        r->c->at = end + 1;
        return true;
    }
    AsmScope scope = asm_constants(r->a);
    if (!asm_expression(r->c, &scope, &value)) return false;
    if (value < INT32_MIN || value > (int64_t)UINT32_MAX)
        return asm_fail(r->c, where, "%lld does not fit the 32 bits of an immediate",
                        (long long)value);
    if (*r->c->at == '.')
        return asm_fail(r->c, where,
                        "a fraction needs its type; write #1.5f for f32 bits or #1.5h "
                        "for f16 bits");
    *bits = (uint32_t)value;
    return true;
}

static bool read_src(Reader *r, int32_t *value) {
    char word[ASM_WORD_SIZE];
    uint32_t bits;
    asm_space(r->c);
    const char *where = r->c->at, *text = word;
    if (asm_take(r->c, '#')) {
        *value = TSP_SRC(TSP_SRC_IMM, 0);
        return read_immediate(r, &bits) && take_immediate(r, where, bits);
    }
    if (asm_word(r->c, true, word)) {
        static const struct {
            const char *prefix;
            TspSrcKind kind;
        } kinds[] = {{"alu", TSP_SRC_ALU}, {"latch", TSP_SRC_LATCH}};
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            int32_t alu = number_after(&text, kinds[i].prefix);
            if (alu < 0 || *text) continue;
            if (alu >= r->a->p->machine.vxm_alus)
                return asm_fail(r->c, where, "%s is out of range; %s has ALUs 0 to %d", word,
                                r->a->p->machine.name, (int)r->a->p->machine.vxm_alus - 1);
            *value = TSP_SRC(kinds[i].kind, alu);
            return true;
        }
        if (stream_of(&r->a->p->machine, word) != -1) {
            r->c->at = where;
            return read_stream(r, value);
        }
    }
    return asm_fail(r->c, where,
                    "a source is expected here; write a stream (s4.e), alu3, latch3 or "
                    "an immediate (#5, #0x10, #1.5f, #1.5h)");
}

static bool read_type(Reader *r, int32_t *value) {
    char word[ASM_WORD_SIZE];
    asm_space(r->c);
    const char *where = r->c->at;
    *value = asm_word(r->c, false, word) ? tsp_dtype_find(word) : -1;
    if (*value >= 0 && *value != TSP_BOOL) return true;
    return asm_fail(r->c, where, "a type is expected here; there are i8 u8 i16 i32 f16 f32");
}

static bool read_number(Reader *r, const TspField *f, int32_t *value) {
    AsmScope scope = f->kind == TSP_KIND_ADDR ? asm_addresses(r->a) : asm_constants(r->a);
    int bits = f->hi - f->lo + 1;
    int64_t min = f->kind == TSP_KIND_SINT ? -(INT64_C(1) << (bits - 1)) : 0, number;
    int64_t max = (INT64_C(1) << (f->kind == TSP_KIND_SINT ? bits - 1 : bits)) - 1;
    asm_space(r->c);
    const char *where = r->c->at;
    if (!asm_expression(r->c, &scope, &number)) return false;
    if (f->kind == TSP_KIND_ADDR) max = tsp_mem_slice_rows(&r->a->p->machine) - 1;
    if (number < min || number > max)
        return asm_fail(r->c, where, "%s of %s is %lld; it must be %lld to %lld", f->name,
                        r->info->mnemonic, (long long)number, (long long)min, (long long)max);
    *value = (int32_t)number;
    return true;
}

static bool read_operand(Reader *r, int32_t index) {
    const TspField *f = &r->info->fields[index];
    const char *where = r->c->at;
    int32_t value = 0;
    uint32_t bits;
    bool ok;
    if (r->written >> index & 1)
        return asm_fail(r->c, where, "%s of %s is given twice; leave one out", f->name,
                        r->info->mnemonic);
    r->written |= UINT64_C(1) << index;
    switch (f->kind) {
    case TSP_KIND_TYPE:
        ok = read_type(r, &value);
        break;
    case TSP_KIND_SRC:
        ok = read_src(r, &value);
        break;
    case TSP_KIND_DST:
        ok = read_dst(r, &value);
        break;
    case TSP_KIND_IMM:
        asm_take(r->c, '#');
        return read_immediate(r, &bits) && take_immediate(r, where, bits);
    default:
        ok = tsp_kind_is_stream(f->kind) ? read_stream(r, &value) : read_number(r, f, &value);
        break;
    }
    if (ok) set(&r->insn, f, value);
    return ok;
}

/* `name=` in front of an operand: the field of that name; -1 if there is no `name=`, -2 failed. */
static int32_t named_field(Reader *r) {
    const char *start;
    char word[ASM_WORD_SIZE], text[160];
    asm_space(r->c);
    start = r->c->at;
    if (!asm_word(r->c, false, word) || !asm_take(r->c, '=')) {
        r->c->at = start;
        return -1;
    }
    for (int32_t i = 0; i < r->info->field_count; i++)
        if (r->info->fields[i].name && !strcmp(r->info->fields[i].name, word)) return i;
    asm_fail(r->c, start, "%s has no operand '%s'; it takes %s", r->info->mnemonic, word,
             usage(r->info, text));
    return -2;
}

static bool read_operands(Reader *r) {
    int32_t next = 0; /* field that the next operand without a name is */
    bool named = false;
    char text[160];
    if (asm_at_end(r->c)) return true;
    do {
        int32_t field = named_field(r);
        if (field == -2) return false;
        if (field == -1) {
            while (next < r->info->field_count &&
                   (r->info->fields[next].kind == TSP_KIND_RESERVED ||
                    r->info->fields[next].kind == TSP_KIND_IMM))
                next++;
            if (named)
                return asm_fail(r->c, r->c->at,
                                "an operand without a name after one with; write "
                                "name=value");
            if (next >= r->info->field_count)
                return asm_fail(r->c, r->c->at, "too many operands; %s takes %s", r->info->mnemonic,
                                usage(r->info, text));
            field = next++;
        } else {
            named = true;
        }
        if (!read_operand(r, field)) return false;
    } while (asm_take(r->c, ','));
    if (asm_at_end(r->c)) return true;
    return asm_fail(r->c, r->c->at,
                    "'%.20s' is not expected here; operands are separated by commas, "
                    "comments start with ;",
                    r->c->at);
}

static bool all_there(Reader *r, const char *where) {
    char text[160];
    for (int32_t i = 0; i < r->info->field_count; i++) {
        const TspField *f = &r->info->fields[i];
        if (f->kind == TSP_KIND_RESERVED || r->written >> i & 1) continue;
        if (f->needed)
            return asm_fail(r->c, where, "%s lacks its operand '%s' (%s); it takes %s",
                            r->info->mnemonic, f->name, f->what, usage(r->info, text));
        if (f->kind != TSP_KIND_IMM) set(&r->insn, f, f->dflt);
    }
    return true;
}

static const char *mnemonic_of(int32_t i) {
    return i < TSP_OP_COUNT ? tsp_insn_info((TspOpcode)i)->mnemonic : NULL;
}

bool asm_instruction(Asm *a, AsmCursor *c, const char *where, const char *mnemonic) {
    int op = tsp_insn_find(mnemonic);
    char name[32];
    TspWord word;
    if (op < 0) {
        const char *nearest = asm_nearest(mnemonic, mnemonic_of);
        return asm_fail(c, where, "there is no instruction '%s'%s%s%s", mnemonic,
                        nearest ? "; did you mean '" : "; docs/isa.md lists all",
                        nearest ? nearest : "", nearest ? "'?" : "");
    }
    if (a->queue < 0)
        return asm_fail(c, where, "no queue is selected; write @mem.w0 or another queue before it");
    Reader r = {
        .a = a, .c = c, .info = tsp_insn_info((TspOpcode)op), .insn = {.op = (TspOpcode)op}};
    tsp_queue_name(&a->p->machine, a->queue, name);
    if (!tsp_insn_fits_queue(&a->p->machine, r.insn.op, a->queue))
        return asm_fail(c, where, "%s does not belong in %s; select its own queue with @ before it",
                        mnemonic, name);
    if (!read_operands(&r) || !all_there(&r, where)) return false;
    if (!tsp_encode(&r.insn, &word, a->err) ||
        !tsp_insn_validate(&a->p->machine, &r.insn, a->queue, a->err)) {
        char text[sizeof a->err->text];
        memcpy(text, a->err->text, sizeof text);
        return asm_fail(c, where, "%s", text);
    }
    return asm_append(a, (AsmItem){.kind = ASM_INSN,
                                   .line = c->line,
                                   .column = (int32_t)(where - c->text),
                                   .index = a->op,
                                   .word = word});
}
