/* isa.c - the tables of isa.def: fields, encoding, decoding, latencies, legality of operands. */
#include "isa.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- element types ---- */

static const struct {
    const char *short_name, *name;
    int32_t bytes;
} dtypes[TSP_DTYPE_COUNT] = {
    [TSP_I8] = {"i8", "int8", 1},      [TSP_U8] = {"u8", "uint8", 1},
    [TSP_I16] = {"i16", "int16", 2},   [TSP_I32] = {"i32", "int32", 4},
    [TSP_F16] = {"f16", "float16", 2}, [TSP_F32] = {"f32", "float32", 4},
    [TSP_BOOL] = {"bool", "bool", 1},
};
enum { MACHINE_TYPES = TSP_BOOL }; /* the types before bool are the machine's own */

int32_t tsp_dtype_bytes(TspDtype type) {
    return dtypes[type].bytes;
}
const char *tsp_dtype_short(TspDtype type) {
    return dtypes[type].short_name;
}
const char *tsp_dtype_name(TspDtype type) {
    return dtypes[type].name;
}

int tsp_dtype_find(const char *name) {
    for (int i = 0; i < TSP_DTYPE_COUNT; i++)
        if (strcmp(name, dtypes[i].short_name) == 0 || strcmp(name, dtypes[i].name) == 0) return i;
    return -1;
}

/* ---- the tables ---- */

/* One flat field table; FIRST_op is where an instruction's fields begin in it ... */
enum {
#define INSN(op, unit, role, text, code, skew, func, modelled, what, source)                       \
    FIRST_##op, BEFORE_##op = FIRST_##op - 1,
#define F(op, operand, hi, lo, kind, dflt, what) FIELD_##op##_##operand,
#define Z(op, hi, lo)                            RESERVED_##op##_##hi,
#include "isa.def"
#undef INSN
#undef F
#undef Z
};

/* ... and the size of fields_of_op is how many there are, plus one for the opcode. */
struct fields_before_the_first {
    char unused;
#define INSN(op, unit, role, text, code, skew, func, modelled, what, source)                       \
    }                                                                                              \
    ;                                                                                              \
    struct fields_of_##op {                                                                        \
        char opcode;
#define F(op, operand, hi, lo, kind, dflt, what) char operand;
#define Z(op, hi, lo)                            char reserved_##hi;
#include "isa.def"
#undef INSN
#undef F
#undef Z
};

#define NEED INT32_MIN /* no default: the operand must be written */

static const TspField fields[] = {
#define INSN(op, unit, role, text, code, skew, func, modelled, what, source)
#define F(op, operand, hi, lo, kind, dflt, what)                                                   \
    {#operand,        what,           offsetof(TspInsn, operand), hi, lo,                          \
     TSP_KIND_##kind, (dflt) == NEED, (dflt) == NEED ? 0 : (dflt)},
#define Z(op, hi, lo) {NULL, "reserved, zero", 0, hi, lo, TSP_KIND_RESERVED, false, 0},
#include "isa.def"
#undef INSN
#undef F
#undef Z
};

static const TspInsnInfo insns[TSP_OP_COUNT] = {
#define INSN(op, the_unit, the_role, text, the_code, skew, func, is_modelled, what, the_source)    \
    [TSP_OP_##op] = {.name = #op,                                                                  \
                     .mnemonic = text,                                                             \
                     .code = the_code,                                                             \
                     .unit = the_unit,                                                             \
                     .role = the_role,                                                             \
                     .modelled = is_modelled,                                                      \
                     .skew_text = #skew,                                                           \
                     .func_text = #func,                                                           \
                     .semantics = what,                                                            \
                     .source = the_source,                                                         \
                     .fields = fields + FIRST_##op,                                                \
                     .field_count = (int32_t)sizeof(struct fields_of_##op) - 1},
#define F(op, operand, hi, lo, kind, dflt, what)
#define Z(op, hi, lo)
#include "isa.def"
#undef INSN
#undef F
#undef Z
};

const TspInsnInfo *tsp_insn_info(TspOpcode op) {
    return &insns[op];
}

int tsp_insn_find(const char *mnemonic) {
    for (int i = 0; i < TSP_OP_COUNT; i++)
        if (strcmp(mnemonic, insns[i].mnemonic) == 0) return i;
    return -1;
}

int32_t tsp_insn_skew(const TspMachine *m, const TspInsn *i) {
    (void)m; /* every d_skew of the table may be a constant */
    switch (i->op) {
#define INSN(op, unit, role, text, code, skew, func, modelled, what, source)                       \
    case TSP_OP_##op:                                                                              \
        return (int32_t)(skew);
#define F(op, operand, hi, lo, kind, dflt, what)
#define Z(op, hi, lo)
#include "isa.def"
#undef INSN
#undef F
#undef Z
    case TSP_OP_COUNT:
        break;
    }
    return 0;
}

int32_t tsp_insn_func(const TspMachine *m, const TspInsn *i) {
    switch (i->op) {
#define INSN(op, unit, role, text, code, skew, func, modelled, what, source)                       \
    case TSP_OP_##op:                                                                              \
        return (int32_t)(func);
#define F(op, operand, hi, lo, kind, dflt, what)
#define Z(op, hi, lo)
#include "isa.def"
#undef INSN
#undef F
#undef Z
    case TSP_OP_COUNT:
        break;
    }
    return 0;
}

bool tsp_kind_is_stream(TspKind kind) {
    return kind >= TSP_KIND_STREAM && kind <= TSP_KIND_SG_ROTATIONS;
}

bool tsp_field_drives(const TspField *field, TspOpcode op) {
    if (field->kind == TSP_KIND_DST) return true;
    return tsp_kind_is_stream(field->kind) && field->offset == offsetof(TspInsn, stream) &&
           op != TSP_OP_LW && op != TSP_OP_ABC && op != TSP_OP_IFETCH;
}

bool tsp_insn_binary(TspOpcode op) {
    for (int32_t i = 0; i < insns[op].field_count; i++)
        if (insns[op].fields[i].name && insns[op].fields[i].offset == offsetof(TspInsn, src_b))
            return true;
    return false;
}

bool tsp_insn_fits_queue(const TspMachine *m, TspOpcode op, int32_t queue) {
    TspQueueInfo q = tsp_queue_info(m, queue);
    if (q.index < 0) return false;
    return insns[op].unit == TSP_UNIT_ANY ||
           (insns[op].unit == q.unit &&
            (insns[op].role == TSP_ROLE_NONE || insns[op].role == q.role));
}

int32_t tsp_field_streams(const TspMachine *m, const TspField *field, const TspInsn *insn) {
    /* Conversions drive what type2 says, everything else what `type` says. */
    bool converts = insn->op == TSP_OP_CVT || insn->op == TSP_OP_CVT_SAT;
    int32_t type = dtypes[insn->type].bytes, type2 = dtypes[insn->type2].bytes;
    int32_t value = tsp_field_get(insn, field);
    switch (field->kind) {
    case TSP_KIND_STREAM:
        return 1;
    case TSP_KIND_STREAM_TYPE:
        return type;
    case TSP_KIND_SG2:
        return 2;
    case TSP_KIND_SG4:
        return 4;
    case TSP_KIND_SG_ROWS:
        return insn->n;
    case TSP_KIND_SG_ROTATIONS:
        return insn->n * insn->n;
    case TSP_KIND_SG_LOAD:
        return (int32_t)m->mxm_load_streams;
    case TSP_KIND_SG_LANES:
        return (int32_t)m->lanes_per_superlane;
    case TSP_KIND_SRC:
        return TSP_SRC_KIND(value) == TSP_SRC_STREAM ? type : 0;
    case TSP_KIND_DST:
        return value == TSP_DST_NONE ? 0 : converts ? type2 : type;
    default:
        return 0;
    }
}

/* ---- encoding ---- */

enum { OPCODE_HI = 7, OPCODE_LO = 0 };

/* Whether decode would accept the value; what is wrong otherwise. */
static bool value_fits(const TspField *f, int64_t value, int64_t *min, int64_t *max) {
    int bits = f->hi - f->lo + 1;
    *min = 0;
    *max = (INT64_C(1) << bits) - 1;
    if (f->kind == TSP_KIND_SINT) {
        *min = -(INT64_C(1) << (bits - 1));
        *max = (INT64_C(1) << (bits - 1)) - 1;
    } else if (f->kind == TSP_KIND_IMM) {
        *min = INT32_MIN; /* raw bits, any of them */
        *max = INT32_MAX;
    } else if (f->kind == TSP_KIND_TYPE) {
        *max = MACHINE_TYPES - 1;
    } else if (f->kind == TSP_KIND_DST) {
        *max = TSP_DST_NONE;
    } else if (f->kind == TSP_KIND_SRC) {
        *max = TSP_SRC(TSP_SRC_LATCH, 63);
    }
    return value >= *min && value <= *max;
}

static uint64_t low_bits(int count) {
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static void put_bits(TspWord *word, int hi, int lo, uint64_t value) { /* at most 64 bits */
    value &= low_bits(hi - lo + 1);
    if (lo >= 64) {
        word->hi |= value << (lo - 64);
    } else {
        word->lo |= value << lo;
        if (hi >= 64) word->hi |= value >> (64 - lo);
    }
}

static uint64_t get_bits(TspWord word, int hi, int lo) { /* at most 64 bits */
    uint64_t value;
    if (lo >= 64) {
        value = word.hi >> (lo - 64);
    } else {
        value = word.lo >> lo;
        if (hi >= 64 && lo > 0) value |= word.hi << (64 - lo);
    }
    return value & low_bits(hi - lo + 1);
}

static bool any_bits(TspWord word, int hi, int lo) {
    int top = hi < 64 ? hi : 63, bottom = lo > 64 ? lo : 64;
    return (lo < 64 && get_bits(word, top, lo) != 0) ||
           (hi >= 64 && get_bits(word, hi, bottom) != 0);
}

bool tsp_encode(const TspInsn *insn, TspWord *word, TspError *err) {
    if ((int)insn->op < 0 || insn->op >= TSP_OP_COUNT)
        return tsp_fail(err, TSP_ERR_INPUT, "there is no instruction number %d", (int)insn->op);
    const TspInsnInfo *info = &insns[insn->op];
    *word = (TspWord){0};
    put_bits(word, OPCODE_HI, OPCODE_LO, info->code);
    for (int32_t i = 0; i < info->field_count; i++) {
        const TspField *f = &info->fields[i];
        int64_t min, max;
        if (f->kind == TSP_KIND_RESERVED) continue;
        int32_t value = tsp_field_get(insn, f);
        if (!value_fits(f, value, &min, &max))
            return tsp_fail(err, TSP_ERR_INPUT,
                            "%s: %s is %" PRId32 "; the encoding holds %" PRId64 " to %" PRId64,
                            info->mnemonic, f->name, value, min, max);
        put_bits(word, f->hi, f->lo, (uint64_t)(int64_t)value);
    }
    return true;
}

/* An offence without a place: text is the detail alone, the caller knows cycle and index. */
#define OFFENCE(err, the_rule, ...)                                                                \
    (tsp_fail(err, TSP_ERR_ILLEGAL, __VA_ARGS__), (err)->rule = TSP_RULE_##the_rule, false)

static int find_code(uint64_t code) {
    for (int i = 0; i < TSP_OP_COUNT; i++)
        if (insns[i].code == code) return i;
    return -1;
}

bool tsp_decode(TspWord word, TspInsn *insn, TspError *err) {
    uint64_t code = get_bits(word, OPCODE_HI, OPCODE_LO);
    int op = find_code(code);
    *insn = (TspInsn){0};
    if (op < 0) return OFFENCE(err, ENCODING, "0x%02" PRIx64 " is no opcode", code);
    const TspInsnInfo *info = &insns[op];
    insn->op = (TspOpcode)op;
    for (int32_t i = 0; i < info->field_count; i++) {
        const TspField *f = &info->fields[i];
        if (f->kind == TSP_KIND_RESERVED) {
            if (any_bits(word, f->hi, f->lo))
                return OFFENCE(err, ENCODING, "%s: reserved bits %d..%d are set", info->mnemonic,
                               f->hi, f->lo);
            continue;
        }
        int bits = f->hi - f->lo + 1;
        int64_t value = (int64_t)get_bits(word, f->hi, f->lo), min, max;
        bool is_signed = f->kind == TSP_KIND_SINT || f->kind == TSP_KIND_IMM;
        if (is_signed && (value >> (bits - 1)) != 0) value -= INT64_C(1) << bits;
        if (!value_fits(f, value, &min, &max))
            return OFFENCE(err, ENCODING, "%s: %s holds code %" PRId64 ", which means nothing",
                           info->mnemonic, f->name, value);
        *(int32_t *)(void *)((char *)insn + f->offset) = (int32_t)value;
    }
    return true;
}

/* ---- operands against a machine ---- */

typedef struct {
    const TspMachine *m;
    const TspInsn *insn;
    const TspInsnInfo *info;
    TspQueueInfo queue;
    TspError *err;
} Check;

static bool check_stream(const Check *c, const TspField *f, int32_t stream) {
    int32_t span = tsp_field_streams(c->m, f, c->insn), number = TSP_STREAM_NUMBER(stream);
    int32_t group = 1;
    if (stream < 0 || stream > 63 || number + span > c->m->streams)
        return OFFENCE(c->err, STREAM_RANGE,
                       "%s: %s needs %" PRId32 " from s%" PRId32 ", %s has %" PRId64 " each way",
                       c->info->mnemonic, f->name, span, number, c->m->name, c->m->streams);
    while (group < span) group *= 2;
    if (f->kind == TSP_KIND_SG_LOAD || f->kind == TSP_KIND_SG_LANES) group = span;
    if (number % group != 0)
        return OFFENCE(c->err, STREAM_ALIGN,
                       "%s: %s is a group of %" PRId32 " at s%" PRId32
                       "; start at a multiple of %" PRId32,
                       c->info->mnemonic, f->name, span, number, group);
    return true;
}

/* ALUs see themselves and, if the machine says so, only the four next to them: a relation that
 * is the same both ways, so the east half mirrors the west. */
static bool alu_reaches(const TspMachine *m, int32_t reader, int32_t source) {
    int32_t width = (int32_t)m->vxm_mesh_width;
    int32_t dx = reader % width - source % width, dy = reader / width - source / width;
    return m->vxm_neighbour_only == 0 || dx * dx + dy * dy <= 1;
}

static bool check_source(const Check *c, const TspField *f, int32_t source) {
    int32_t number = TSP_SRC_NUMBER(source);
    switch (TSP_SRC_KIND(source)) {
    case TSP_SRC_STREAM:
        return check_stream(c, f, number);
    case TSP_SRC_IMM:
        if (number != 0)
            return OFFENCE(c->err, OPERAND, "%s: %s is an immediate with number %" PRId32 "; use 0",
                           c->info->mnemonic, f->name, number);
        return true;
    default:
        if (number >= c->m->vxm_alus)
            return OFFENCE(c->err, OPERAND, "%s: %s names ALU %" PRId32 ", %s has 0 to %" PRId64,
                           c->info->mnemonic, f->name, number, c->m->name, c->m->vxm_alus - 1);
        if (!alu_reaches(c->m, c->queue.index, number))
            return OFFENCE(c->err, ALU_WIRING,
                           "%s: %s is ALU %" PRId32 ", ALU %" PRId32
                           " reads only itself and its four neighbours",
                           c->info->mnemonic, f->name, number, c->queue.index);
        return true;
    }
}

static bool check_field(const Check *c, const TspField *f) {
    int32_t value = tsp_field_get(c->insn, f);
    int64_t min, max;
    if (tsp_kind_is_stream(f->kind)) return check_stream(c, f, value);
    switch (f->kind) {
    case TSP_KIND_ADDR:
        if (value >= 0 && value < tsp_mem_slice_rows(c->m)) return true;
        return OFFENCE(c->err, ADDRESS_RANGE,
                       "%s: %s is row %" PRId32 ", a slice of %s has 0 to %" PRId32,
                       c->info->mnemonic, f->name, value, c->m->name, tsp_mem_slice_rows(c->m) - 1);
    case TSP_KIND_DST:
        return value == TSP_DST_NONE || check_stream(c, f, value);
    default:
        break;
    }
    if (!value_fits(f, value, &min, &max))
        return OFFENCE(c->err, OPERAND, "%s: %s is %" PRId32 "; it must be %" PRId64 " to %" PRId64,
                       c->info->mnemonic, f->name, value, min, max);
    return f->kind != TSP_KIND_SRC || check_source(c, f, value);
}

static bool check_nop(const Check *c) {
    if (c->insn->n >= 1) return true;
    return OFFENCE(c->err, OPERAND, "nop: n is 0; leave it out");
}

static bool check_repeat(const Check *c) {
    const TspInsn *r = c->insn;
    int64_t inner = (int64_t)r->n * r->d;
    if (r->n == 0 && r->n2 == 0)
        return OFFENCE(c->err, OPERAND, "repeat: n and n2 are 0; leave it out");
    if (r->n > 0 && r->d < 1)
        return OFFENCE(c->err, OPERAND, "repeat: d is 0; issues must be a cycle apart or more");
    if (r->n2 > 0 && r->d2 <= inner)
        return OFFENCE(c->err, OPERAND,
                       "repeat: d2 is %" PRId32 ", the inner repetitions take n*d = %" PRId64
                       " cycles; d2 must be greater",
                       r->d2, inner);
    return true;
}

static bool check_read_write(const Check *c) {
    int32_t bank = tsp_mem_bank(c->m, c->insn->addr);
    if (bank != tsp_mem_bank(c->m, c->insn->waddr)) return true;
    return OFFENCE(c->err, BANK_CONFLICT,
                   "read.write: rows %" PRId32 " and %" PRId32 " both lie in bank %" PRId32
                   "; use two slots or two banks",
                   c->insn->addr, c->insn->waddr, bank);
}

static bool check_integer_type(const Check *c) {
    if (c->insn->type < TSP_F16) return true;
    return OFFENCE(c->err, OPERAND, "%s: type is %s; it takes integers only", c->info->mnemonic,
                   dtypes[c->insn->type].short_name);
}

static bool check_float_type(const Check *c) {
    if (c->insn->type >= TSP_F16) return true;
    return OFFENCE(c->err, OPERAND, "%s: type is %s; it takes f16 and f32 only", c->info->mnemonic,
                   dtypes[c->insn->type].short_name);
}

static bool check_lw(const Check *c) {
    int64_t size = c->m->mxm_load_streams, lanes = tsp_lanes(c->m);
    int64_t first = c->insn->group * size, count = c->insn->count;
    if (count < 1 || count > size)
        return OFFENCE(c->err, OPERAND, "lw: count is %" PRId64 "; it must be 1 to %" PRId64, count,
                       size);
    if (first + count > lanes)
        return OFFENCE(c->err, OPERAND,
                       "lw: group %" PRId32 " ends at column %" PRId64
                       ", a plane has 0 to %" PRId64,
                       c->insn->group, first + count - 1, lanes - 1);
    return true;
}

static bool check_array_type(const Check *c) {
    int32_t type = c->insn->type;
    if (type == TSP_I8 || type == TSP_U8 || type == TSP_F16) return true;
    return OFFENCE(c->err, OPERAND, "%s: type is %s; the array takes i8, u8 and f16",
                   c->info->mnemonic, dtypes[type].short_name);
}

static bool check_abc(const Check *c) {
    if (!check_array_type(c)) return false;
    if (c->insn->type != TSP_F16 || c->queue.index % 2 == 0) return true;
    return OFFENCE(c->err, OPERAND,
                   "abc: f16 on plane %" PRId32 "; the even plane drives the pair, issue it there",
                   c->queue.index);
}

static bool check_acc(const Check *c) {
    const TspInsn *acc = c->insn;
    bool uses_row = acc->add || !acc->emit;
    if (uses_row && acc->row >= c->m->mxm_accumulator_rows)
        return OFFENCE(c->err, ACCUMULATOR_RANGE,
                       "acc: row is %" PRId32 ", a plane of %s has %" PRId64, acc->row, c->m->name,
                       c->m->mxm_accumulator_rows);
    if (!uses_row && acc->row != 0)
        return OFFENCE(c->err, OPERAND,
                       "acc: row is %" PRId32 " but nothing is added or kept; write 0", acc->row);
    if (!acc->emit && acc->stream != 0)
        return OFFENCE(c->err, OPERAND, "acc: names a stream but emits nothing; leave it out");
    return true;
}

static bool check_config(const Check *c) {
    uint32_t all = (uint32_t)((UINT64_C(1) << c->m->superlanes) - 1),
             mask = (uint32_t)c->insn->mask;
    if (mask != 0 && (mask & ~all) == 0) return true;
    return OFFENCE(c->err, OPERAND,
                   "config: mask is 0x%" PRIx32 "; at least one of the superlanes 0x%" PRIx32
                   " and no other",
                   mask, all);
}

static bool check_shift(const Check *c) {
    int64_t most = c->insn->cross ? tsp_lanes(c->m) : c->m->lanes_per_superlane;
    if (c->insn->n < most) return true;
    return OFFENCE(c->err, OPERAND, "shift: n is %" PRId32 "; it must be 0 to %" PRId64 "%s",
                   c->insn->n, most - 1, c->insn->cross ? "" : ", or more with cross");
}

/* Before all operands: the streams of a Rotate depend on n. */
static bool check_rotate(const Check *c) {
    int32_t n = c->insn->n;
    if ((n == 3 || n == 4) && n <= c->m->lanes_per_superlane) return true;
    return OFFENCE(c->err, OPERAND,
                   "rotate: n is %" PRId32 "; it must be 3 or 4, and at most the %" PRId64
                   " lanes of a superlane",
                   n, c->m->lanes_per_superlane);
}

/* What goes beyond the kind of a single operand. */
static bool (*const checks[TSP_OP_COUNT])(const Check *) = {
    [TSP_OP_NOP] = check_nop,
    [TSP_OP_REPEAT] = check_repeat,
    [TSP_OP_READ_WRITE] = check_read_write,
    [TSP_OP_SHL] = check_integer_type,
    [TSP_OP_SHR] = check_integer_type,
    [TSP_OP_NOT] = check_integer_type,
    [TSP_OP_TANH] = check_float_type,
    [TSP_OP_EXP] = check_float_type,
    [TSP_OP_RSQRT] = check_float_type,
    [TSP_OP_LW] = check_lw,
    [TSP_OP_IW] = check_array_type,
    [TSP_OP_ABC] = check_abc,
    [TSP_OP_ACC] = check_acc,
    [TSP_OP_CONFIG] = check_config,
    [TSP_OP_SHIFT] = check_shift,
};

static bool check_all(const Check *c) {
    if (c->insn->op == TSP_OP_ROTATE && !check_rotate(c)) return false;
    for (int32_t i = 0; i < c->info->field_count; i++)
        if (c->info->fields[i].kind != TSP_KIND_RESERVED && !check_field(c, &c->info->fields[i]))
            return false;
    return checks[c->insn->op] == NULL || checks[c->insn->op](c);
}

bool tsp_insn_validate(const TspMachine *m, const TspInsn *insn, int32_t queue, TspError *err) {
    Check c = {m, insn, &insns[insn->op], tsp_queue_info(m, queue), err};
    bool ok;
    if (!tsp_insn_fits_queue(m, insn->op, queue)) {
        char name[32];
        tsp_queue_name(m, queue, name);
        ok = OFFENCE(err, QUEUE_UNIT, "%s does not belong in %s", c.info->mnemonic, name);
    } else {
        ok = check_all(&c);
    }
    if (!ok) err->queue = queue;
    return ok;
}
