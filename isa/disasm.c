/* disasm.c - a program as the one canonical text from which assembling gives the same again. */
#include "asm.h"
#include "asm_parts.h"
#include "half.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one instruction ---- */

static void put_stream(FILE *out, int32_t stream) {
    fprintf(out, "s%d.%c", (int)TSP_STREAM_NUMBER(stream),
            TSP_STREAM_DIRECTION(stream) == TSP_WESTWARD ? 'w' : 'e');
}

/* The shortest decimal that reads back as the same float; with a point or exponent. False for
 * what has none. */
static bool float_text(float value, char text[32]) {
    if (!isfinite(value)) return false;
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, 32, "%.*g", digits, (double)value);
        if (tsp_f32_bits(strtof(text, NULL)) != tsp_f32_bits(value)) continue;
        if (!strpbrk(text, ".e")) memcpy(text + strlen(text), ".0", 3);
        return true;
    }
    return false;
}

static bool half_text(uint16_t bits, char text[32]) {
    float value = tsp_half_to_float(bits);
    if (!isfinite(value)) return false;
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, 32, "%.*g", digits, (double)value);
        if (tsp_half_from_float(strtof(text, NULL)) != bits) continue;
        if (!strpbrk(text, ".e")) memcpy(text + strlen(text), ".0", 3);
        return true;
    }
    return false;
}

static void put_immediate(FILE *out, const TspInsn *insn) {
    enum { MOST_DECIMAL = 65536 };
    uint32_t bits = (uint32_t)insn->imm;
    char text[32];
    if (insn->type == TSP_F32 && float_text(tsp_f32_from_bits(bits), text))
        fprintf(out, "#%sf", text);
    else if (insn->type == TSP_F16 && bits <= UINT16_MAX && half_text((uint16_t)bits, text))
        fprintf(out, "#%sh", text);
    else if (insn->type < TSP_F16 && insn->imm >= -MOST_DECIMAL && insn->imm <= MOST_DECIMAL)
        fprintf(out, "#%d", (int)insn->imm);
    else
        fprintf(out, "#0x%08x", (unsigned)bits);
}

static void put_source(FILE *out, const TspInsn *insn, int32_t source) {
    int32_t number = TSP_SRC_NUMBER(source);
    switch (TSP_SRC_KIND(source)) {
    case TSP_SRC_STREAM:
        put_stream(out, number);
        break;
    case TSP_SRC_IMM:
        put_immediate(out, insn);
        break;
    case TSP_SRC_ALU:
        fprintf(out, "alu%d", (int)number);
        break;
    default:
        fprintf(out, "latch%d", (int)number);
        break;
    }
}

static void put_operand(FILE *out, const TspInsn *insn, const TspField *field) {
    int32_t value = tsp_field_get(insn, field);
    if (tsp_kind_is_stream(field->kind)) {
        put_stream(out, value);
        return;
    }
    switch (field->kind) {
    case TSP_KIND_ADDR:
        fprintf(out, "0x%04x", (unsigned)value);
        break;
    case TSP_KIND_TYPE:
        fputs(tsp_dtype_short((TspDtype)value), out);
        break;
    case TSP_KIND_SRC:
        put_source(out, insn, value);
        break;
    case TSP_KIND_DST:
        if (value == TSP_DST_NONE)
            fputs("none", out);
        else
            put_stream(out, value);
        break;
    case TSP_KIND_IMM:
        fprintf(out, "0x%08x", (unsigned)value);
        break;
    default:
        fprintf(out, "%d", (int)value);
        break;
    }
}

/* An immediate that a source stands for needs no operand of its own. */
static bool imm_is_source(const TspInsnInfo *info, const TspInsn *insn) {
    for (int32_t i = 0; i < info->field_count; i++)
        if (info->fields[i].kind == TSP_KIND_SRC &&
            TSP_SRC_KIND(tsp_field_get(insn, &info->fields[i])) == TSP_SRC_IMM)
            return true;
    return false;
}

static void put_insn(FILE *out, const TspInsn *insn) {
    const TspInsnInfo *info = tsp_insn_info(insn->op);
    const char *separator = " ";
    bool named = false; /* an operand was left out: those after it need their names */
    fputs(info->mnemonic, out);
    for (int32_t i = 0; i < info->field_count; i++) {
        const TspField *f = &info->fields[i];
        bool is_imm = f->kind == TSP_KIND_IMM;
        if (f->kind == TSP_KIND_RESERVED || (is_imm && imm_is_source(info, insn))) continue;
        if (!f->needed && tsp_field_get(insn, f) == f->dflt) {
            named = true;
            continue;
        }
        fputs(separator, out);
        separator = ", ";
        if (named || is_imm) fprintf(out, "%s=", f->name);
        put_operand(out, insn, f);
    }
}

void tsp_insn_text(const TspMachine *m, const TspInsn *insn, char *text, size_t size) {
    (void)m; /* the text is the same on every machine */
    if (!size) return;
    text[0] = 0;
    FILE *out = fmemopen(text, size, "w");
    if (!out) return;
    setvbuf(out, NULL, _IONBF, 0); /* what does not fit is cut */
    put_insn(out, insn);
    fclose(out);
    text[size - 1] = 0;
}

/* ---- the parts of a program ---- */

/* A word as it is, everything else in quotes. */
static void put_name(FILE *out, const char *name) {
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    if (*name && !(*name >= '0' && *name <= '9') && !name[strspn(name, word)] &&
        strlen(name) < ASM_WORD_SIZE) {
        fputs(name, out);
        return;
    }
    fputc('"', out);
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c == 127)
            fprintf(out, "\\x%02x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static int32_t differences(TspMachine *a, TspMachine *b) {
    int32_t count = 0;
    for (int32_t i = 0; asm_machine_field(i); i++)
        count += *asm_machine_value(a, i) != *asm_machine_value(b, i);
    return count;
}

/* A built-in machine by name, any other as what it changes of the nearer one. */
static void put_machine(FILE *out, TspMachine m) {
    TspMachine tsp1 = {0}, tiny = {0};
    tsp_machine_builtin(&tsp1, "tsp1");
    tsp_machine_builtin(&tiny, "tiny");
    TspMachine *base = differences(&m, &tiny) < differences(&m, &tsp1) ? &tiny : &tsp1;
    fprintf(out, ".machine %s", base->name);
    if (strcmp(m.name, base->name)) {
        fputs(", ", out);
        put_name(out, m.name);
    }
    fputc('\n', out);
    for (int32_t i = 0; asm_machine_field(i); i++) {
        int64_t value = *asm_machine_value(&m, i);
        if (value != *asm_machine_value(base, i))
            fprintf(out, ".set %s = %lld\n", asm_machine_field(i), (long long)value);
    }
}

static void put_piece(FILE *out, const TspMachine *m, const TspTensor *t, const TspPiece *piece) {
    char name[32];
    const struct {
        const char *name;
        int32_t value, dflt;
    } keys[] = {
        {"row0", piece->row0, 0},
        {"row_step", piece->row_step, 1},
        {"rows", piece->rows, asm_piece_rows(t, piece)},
        {"col0", piece->col0, 0},
        {"col_step", piece->col_step, 0},
        {"cols", piece->cols, asm_piece_cols(m, t, piece)},
        {"byte", piece->byte, 0},
        {"broadcast", piece->broadcast, 0},
        {"fill", piece->fill, 0},
        {"lane_skip", piece->lane_skip, 0},
        {"addr_step", piece->addr_step, 1},
    };
    tsp_queue_name(m, piece->slice, name);
    fprintf(out, ".piece slice=%s, addr=0x%04x", name, (unsigned)piece->addr);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].value != keys[i].dflt)
            fprintf(out, ", %s=%d", keys[i].name, (int)keys[i].value);
    fputc('\n', out);
}

static void put_element(FILE *out, TspDtype type, const uint8_t *bytes) {
    uint32_t bits = 0;
    char text[32];
    for (int32_t i = 0; i < tsp_dtype_bytes(type); i++) bits |= (uint32_t)bytes[i] << 8 * i;
    switch (type) {
    case TSP_I8:
        fprintf(out, "%d", (int)(int8_t)bits);
        break;
    case TSP_I16:
        fprintf(out, "%d", (int)(int16_t)bits);
        break;
    case TSP_I32:
        fprintf(out, "%d", (int)(int32_t)bits);
        break;
    case TSP_F16:
        if (half_text((uint16_t)bits, text))
            fputs(text, out);
        else
            fprintf(out, "0x%04x", (unsigned)bits);
        break;
    case TSP_F32:
        if (float_text(tsp_f32_from_bits(bits), text))
            fputs(text, out);
        else
            fprintf(out, "0x%08x", (unsigned)bits);
        break;
    default:
        fprintf(out, "%u", (unsigned)bits);
        break;
    }
}

static void put_data(FILE *out, const TspTensor *t) {
    int64_t elements = tsp_tensor_elements(t), row = t->rank ? t->shape[t->rank - 1] : 1;
    for (int64_t i = 0; i < elements; i++) {
        fputs(i % row ? ", " : ".data ", out);
        put_element(out, t->dtype, t->data + i * tsp_dtype_bytes(t->dtype));
        if (i % row == row - 1) fputc('\n', out);
    }
}

static void put_tensor(FILE *out, const TspMachine *m, const TspTensor *t) {
    static const char *const roles[] = {[TSP_ROLE_INPUT] = "input",
                                        [TSP_ROLE_CONSTANT] = "constant",
                                        [TSP_ROLE_OUTPUT] = "output",
                                        [TSP_ROLE_INTERNAL] = "internal"};
    fputs("\n.tensor ", out);
    put_name(out, t->name);
    fprintf(out, ", %s, [", tsp_dtype_name(t->dtype));
    for (int32_t i = 0; i < t->rank; i++)
        fprintf(out, "%s%lld", i ? ", " : "", (long long)t->shape[i]);
    fprintf(out, "], %s%s\n", roles[t->role],
            t->transposed ? ", transposed"
            : t->flat     ? ", flat"
                          : "");
    for (int32_t i = 0; i < t->piece_count; i++) put_piece(out, m, t, &t->pieces[i]);
    if (t->data) put_data(out, t);
}

/* ---- queues ---- */

/* The cycle that the next instruction of a queue issues in, -1 once a sync has made it unknown. */
typedef struct {
    int64_t next, last;
} Clock;

static int64_t tick(Clock *clock, const TspInsn *insn) {
    int64_t issue = clock->next;
    if (issue < 0 || insn->op == TSP_OP_SYNC) {
        clock->next = -1;
    } else if (insn->op == TSP_OP_REPEAT) {
        clock->next = clock->last + (int64_t)insn->n * insn->d + (int64_t)insn->n2 * insn->d2 + 1;
    } else {
        clock->last = issue;
        clock->next += insn->op == TSP_OP_NOP ? insn->n : 1;
    }
    return issue;
}

static int32_t op_of(const TspProgram *p, const TspQueue *q, int32_t i) {
    if (!q->debug) return -1;
    for (int32_t half = 0; half < 2; half++) {
        int32_t run = q->debug[i].run[half];
        if (run >= 0 && p->runs[run].op >= 0) return p->runs[run].op;
    }
    return -1;
}

/* Names and types make an op in the text: two that share both are one there. */
static bool same_op(const TspProgram *p, int32_t a, int32_t b) {
    if (a < 0 || b < 0) return a == b;
    const TspOpInfo *x = &p->ops[a], *y = &p->ops[b];
    return !strcmp(x->name ? x->name : "", y->name ? y->name : "") &&
           !strcmp(x->type ? x->type : "", y->type ? y->type : "");
}

static void put_op(FILE *out, const TspProgram *p, int32_t op) {
    fputs(".op", out);
    if (op >= 0) {
        const TspOpInfo *info = &p->ops[op];
        fputc(' ', out);
        put_name(out, info->name ? info->name : "");
        if (info->type && *info->type) {
            fputs(", ", out);
            put_name(out, info->type);
        }
    }
    fputc('\n', out);
}

static bool put_queue(FILE *out, const TspProgram *p, int32_t queue, int32_t *op, TspError *err) {
    enum { COMMENT_COLUMN = 44 };
    const TspQueue *q = &p->queues[queue];
    char name[32];
    Clock clock = {0};
    tsp_queue_name(&p->machine, queue, name);
    if (q->count) fprintf(out, "\n@%s\n", name);
    for (int32_t i = 0; i < q->count; i++) {
        TspInsn insn;
        bool own_op;
        int64_t issue;
        long start, width;
        if (!tsp_decode(q->words[i], &insn, err) ||
            !tsp_insn_validate(&p->machine, &insn, queue, err)) {
            char cause[400];
            snprintf(cause, sizeof cause, "%.390s", err->text);
            return tsp_fail_rule(err, err->rule, -1, queue, name, i, "%s", cause);
        }
        own_op = insn.op != TSP_OP_NOP && insn.op != TSP_OP_REPEAT;
        if (own_op && !same_op(p, *op, op_of(p, q, i))) {
            *op = op_of(p, q, i);
            put_op(out, p, *op);
        }
        fputs("    ", out);
        start = ftell(out);
        put_insn(out, &insn);
        issue = tick(&clock, &insn);
        width = start + COMMENT_COLUMN - ftell(out);
        if (issue >= 0 && insn.op != TSP_OP_REPEAT)
            fprintf(out, "%*s; %lld", (int)(width < 1 ? 1 : width), "", (long long)issue);
        fputc('\n', out);
    }
    return true;
}

char *tsp_disassemble(const TspProgram *p, TspError *err) {
    char *text = NULL;
    size_t size = 0;
    int32_t op = -1;
    FILE *out = open_memstream(&text, &size);
    bool ok = out != NULL;
    if (!out) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
        return NULL;
    }
    put_machine(out, p->machine);
    if (p->name) {
        fputs(".name ", out);
        put_name(out, p->name);
        fputc('\n', out);
    }
    for (int32_t i = 0; i < p->tensor_count; i++) put_tensor(out, &p->machine, &p->tensors[i]);
    for (int32_t i = 0; i < tsp_queue_count(&p->machine) && ok; i++)
        ok = put_queue(out, p, i, &op, err);
    if (ok && ferror(out)) ok = tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (fclose(out) && ok) ok = tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (ok) return text;
    free(text);
    return NULL;
}
