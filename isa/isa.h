/* isa.h - instructions: decoded form, 16-byte encoding, latencies. Everything expands from isa.def.
 */
#ifndef TSP_ISA_H
#define TSP_ISA_H
#include "machine.h"

/* Element types. The first six are types of the machine; bool is stored as u8 0/1. */
typedef enum {
    TSP_I8,
    TSP_U8,
    TSP_I16,
    TSP_I32,
    TSP_F16,
    TSP_F32,
    TSP_BOOL,
    TSP_DTYPE_COUNT
} TspDtype;
/* Bytes of an element = streams of a group that carries it. */
int32_t tsp_dtype_bytes(TspDtype type);
/* "i8" (assembler) and "int8" (graph files, ONNX, NumPy). Finders return -1 for no match. */
const char *tsp_dtype_short(TspDtype type);
const char *tsp_dtype_name(TspDtype type);
int tsp_dtype_find(const char *short_or_long_name);

typedef enum {
#define INSN(op, unit, role, text, code, skew, func, modelled, what, source) TSP_OP_##op,
#define F(op, operand, hi, lo, kind, dflt, what)
#define Z(op, hi, lo)
#include "isa.def"
#undef INSN
#undef F
#undef Z
    TSP_OP_COUNT
} TspOpcode; /* a dense index, not the encoded opcode byte */

/* A decoded instruction: every operand name of isa.def, those the opcode lacks are 0. */
typedef struct {
    TspOpcode op;
    int32_t n, d, a, n2, d2, a2, w, w2, mask;    /* any queue */
    int32_t addr, stream, waddr, wstream, map;   /* MEM and others */
    int32_t type, type2, dst, src_a, src_b, imm; /* VXM */
    int32_t group, count, add, emit, row;        /* MXM */
    int32_t src, north, south, cross;            /* SXM, C2C */
} TspInsn;

/* Streams: number + 32 if westward. */
#define TSP_STREAM(direction, number) ((int32_t)(number) + 32 * (int32_t)(direction))
#define TSP_STREAM_DIRECTION(stream)  ((stream) >= 32 ? TSP_WESTWARD : TSP_EASTWARD)
#define TSP_STREAM_NUMBER(stream)     ((stream)&31)
#define TSP_DST_NONE                  64
/* VXM sources: kind * 64 + stream or ALU number. */
typedef enum { TSP_SRC_STREAM = 0, TSP_SRC_IMM = 1, TSP_SRC_ALU = 2, TSP_SRC_LATCH = 3 } TspSrcKind;
#define TSP_SRC(kind, number) ((int32_t)(kind)*64 + (int32_t)(number))
#define TSP_SRC_KIND(src)     ((src) / 64)
#define TSP_SRC_NUMBER(src)   ((src) % 64)

typedef struct {
    uint64_t lo, hi;
} TspWord; /* 16 bytes; lo holds bits 63..0 */

typedef enum {
    TSP_KIND_UINT,
    TSP_KIND_SINT,
    TSP_KIND_FLAG,
    TSP_KIND_ADDR,
    TSP_KIND_TYPE,
    TSP_KIND_STREAM,
    TSP_KIND_STREAM_TYPE,
    TSP_KIND_SG2,
    TSP_KIND_SG4,
    TSP_KIND_SG_LOAD,
    TSP_KIND_SG_LANES,
    TSP_KIND_SG_ROWS,
    TSP_KIND_SG_ROTATIONS,
    TSP_KIND_SRC,
    TSP_KIND_DST,
    TSP_KIND_IMM,
    TSP_KIND_RESERVED
} TspKind;

typedef struct {
    const char *name; /* operand name, NULL for reserved bits */
    const char *what;
    uint16_t offset; /* of the int32_t in TspInsn */
    uint8_t hi, lo;
    TspKind kind;
    bool needed;
    int32_t dflt;
} TspField;

typedef struct {
    const char *name;     /* "READ_WRITE" */
    const char *mnemonic; /* "read.write" */
    uint8_t code;
    TspUnit unit;
    TspRole role;
    bool modelled;
    const char *skew_text, *func_text; /* the expressions of isa.def */
    const char *semantics, *source;
    const TspField *fields; /* in assembler order, reserved ones included */
    int32_t field_count;
} TspInsnInfo;

const TspInsnInfo *tsp_insn_info(TspOpcode op);
/* Finds by mnemonic; -1 if there is none. */
int tsp_insn_find(const char *mnemonic);
/* d_skew and d_func of an instruction on machine m, in cycles. */
int32_t tsp_insn_skew(const TspMachine *m, const TspInsn *insn);
int32_t tsp_insn_func(const TspMachine *m, const TspInsn *insn);
/* The same of an opcode whose latency does not depend on its operands: all but Shift. */
static inline int32_t tsp_op_func(const TspMachine *m, TspOpcode op) {
    return tsp_insn_func(m, &(TspInsn){.op = op});
}
/* Whether an operand of this kind is a stream, or the first of a group. */
bool tsp_kind_is_stream(TspKind kind);
/* Whether the stream operand is driven; otherwise it is read. */
bool tsp_field_drives(const TspField *field, TspOpcode op);
/* Whether the instruction has a second VXM operand, src_b. */
bool tsp_insn_binary(TspOpcode op);
/* Whether a queue takes the instruction (NOP, Repeat, Sync, ... : every queue). */
bool tsp_insn_fits_queue(const TspMachine *m, TspOpcode op, int32_t queue);
/* Streams that an operand of this kind spans, given the decoded instruction (types matter): the
 * whole aligned group, of which LW takes `count`, and which ACC drives only with `emit`. 0 for
 * sources that are no stream, destination none and operands of other kinds. */
int32_t tsp_field_streams(const TspMachine *m, const TspField *field, const TspInsn *insn);

static inline int32_t tsp_field_get(const TspInsn *insn, const TspField *field) {
    return *(const int32_t *)(const void *)((const char *)insn + field->offset);
}

/* Encodes; fails (TSP_ERR_INPUT, naming the operand) if a value does not fit its bits. */
bool tsp_encode(const TspInsn *insn, TspWord *word, TspError *err);
/* Decodes; fails (TSP_ERR_ILLEGAL, ENCODING; the text is the detail alone) on an unknown opcode,
 * reserved bits set, or a type, source or destination code that means nothing. */
bool tsp_decode(TspWord word, TspInsn *insn, TspError *err);
/* Checks decoded operands against a machine: stream and address ranges, alignment, ALU numbers,
 * group counts, and that the queue takes it. Fails with the rule (STREAM_RANGE, STREAM_ALIGN,
 * ADDRESS_RANGE, QUEUE_UNIT, OPERAND, ...) and, as text, the detail alone: a caller that knows
 * cycle and index passes both to tsp_fail_rule(). */
bool tsp_insn_validate(const TspMachine *m, const TspInsn *insn, int32_t queue, TspError *err);

/* Instruction reference (docs/isa.md) in Markdown; the caller frees. */
char *tsp_isa_markdown(void);

#endif
