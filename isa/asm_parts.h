/* asm_parts.h - what the files of the assembler share: its state, and who does what.
 *
 * asm_text.c takes the text apart and runs its loops, asm.c reads a statement, asm_machine.c,
 * asm_tensor.c, asm_fetch.c and asm_insn.c what it is about. Instructions, `at`s and labels are
 * kept as items of their queue; when all are read, asm_place.c gives every item its cycle and
 * writes the queues, and asm_fetch.c the text that is to lie in memory.
 */
#ifndef TSP_ASM_PARTS_H
#define TSP_ASM_PARTS_H
#include "asm.h"
#include "asm_lex.h"

enum { ASM_MAX_LOOPS = 8 };

typedef struct {
    char *name;
    int64_t value;
} AsmConstant;

typedef struct {
    char *name;
    int32_t queue, line;
    bool resolved;
    int64_t cycle;
} AsmLabel;

typedef enum { ASM_INSN, ASM_AT, ASM_LABEL } AsmItemKind;

typedef struct {
    AsmItemKind kind;
    int32_t line, column; /* of the statement */
    int32_t index;        /* INSN: op or -1; LABEL: label */
    TspWord word;         /* INSN */
    char *text;           /* AT: the line; the expression starts at `column`. Owned */
} AsmItem;

typedef struct {
    AsmItem *items;
    int32_t count;
    int32_t next;       /* item that asm_place.c places next */
    bool busy;          /* it is evaluating an `at` of this queue */
    int64_t cycle;      /* in which the next instruction issues */
    int32_t sync_line;  /* of the first sync placed: cycles after it are unknown; 0 none */
    TspInsn last;       /* what a repeat would repeat */
    int64_t last_cycle; /* and when it issued */
    int32_t last_op;    /* its op, -1 none */
    int32_t last_run;   /* and its run, -1 none */
    bool repeatable;    /* there is such an instruction and nothing stands between */
} AsmQueue;

typedef enum {
    ASM_NAME_NONE,
    ASM_NAME_LABEL,
    ASM_NAME_CONSTANT,
    ASM_NAME_TENSOR,
    ASM_NAME_OP
} AsmNameKind;

typedef struct {
    AsmNameKind kind;
    int32_t index; /* in the array of its kind */
} AsmName;

typedef struct {
    AsmName *slots; /* open addressing, at most half full */
    int32_t slot_count, count;
} AsmNames;

typedef struct {
    int32_t queue, tensor;
    int32_t slice, addr; /* where its rows begin */
    int32_t line;
} AsmText; /* of a `.text` directive */

typedef struct {
    TspProgram *p;
    const char *path;
    TspError *err;
    bool machine_settled; /* something depends on the machine: .machine and .set come too late */
    int32_t queue;        /* selected, -1 none */
    int32_t op;           /* selected by .op, -1 none */
    AsmQueue queues[TSP_MAX_QUEUES];
    AsmConstant *constants;
    int32_t constant_count;
    AsmLabel *labels;
    int32_t label_count;
    AsmNames names;
    AsmConstant loops[ASM_MAX_LOOPS];
    int32_t loop_count;
    int64_t data_count; /* elements of .data read for the last tensor */
    AsmText *texts;
    int32_t text_count;
    int32_t pad_count; /* NOPs that `at`s took beyond one each */
} Asm;

/* Makes room for one more in an array that grows by doubling; NULL when out of memory. */
void *asm_grow(void *array, int32_t count, size_t element_bytes);
bool asm_no_memory(const Asm *a);
/* Appends to the selected queue. */
bool asm_append(Asm *a, AsmItem item);

/* Scopes of expressions: constants; and tensors too (addresses in the selected queue's slice). */
AsmScope asm_constants(Asm *a);
AsmScope asm_addresses(Asm *a);
/* asm_names.c: the member `index` of its array, its name known, can be found from now on. */
bool asm_add_name(Asm *a, AsmNameKind kind, int32_t index);
/* Its index, -1 if there is none. Only ops have a type; "" for all others. */
int32_t asm_find_name(const Asm *a, AsmNameKind kind, const char *name, const char *type);
int32_t asm_find_tensor(const Asm *a, const char *name); /* -1: none */
int32_t asm_find_label(const Asm *a, const char *name);
const AsmConstant *asm_find_constant(const Asm *a, const char *name);
/* Fails if a label, constant or tensor of that name exists. */
bool asm_name_is_new(Asm *a, const AsmCursor *c, const char *where, const char *name);
/* An expression of constants that must lie in min .. max; `what` names it in the error. */
bool asm_constant_in(Asm *a, AsmCursor *c, const char *what, int64_t min, int64_t max,
                     int64_t *value);
/* asm_text.c: the whole text, line by line, to asm_statement. */
bool asm_text(Asm *a, const char *source, size_t length, int32_t *line_count);
/* asm.c: one line after loops and substitution. */
bool asm_statement(Asm *a, AsmCursor *c);

/* asm_machine.c: the directives, and the end of them: from now on something depends on it. */
bool asm_machine(Asm *a, AsmCursor *c);
bool asm_machine_set(Asm *a, AsmCursor *c);
bool asm_settle_machine(Asm *a, AsmCursor *c);
/* Name of field i of a machine description, NULL at the end; where its value is. */
const char *asm_machine_field(int32_t i);
int64_t *asm_machine_value(TspMachine *m, int32_t i);

/* asm_insn.c: an instruction, its mnemonic already read, into the selected queue. */
bool asm_instruction(Asm *a, AsmCursor *c, const char *where, const char *mnemonic);

/* asm_tensor.c: the directives after their names, and the check when a tensor is complete. */
bool asm_tensor(Asm *a, AsmCursor *c);
bool asm_piece(Asm *a, AsmCursor *c);
bool asm_stripe(Asm *a, AsmCursor *c);
bool asm_data(Asm *a, AsmCursor *c);
bool asm_tensor_complete(Asm *a, const AsmCursor *c);
/* Room for the next tensor, not yet read; NULL on failure. */
TspTensor *asm_new_tensor(Asm *a, AsmCursor *c);
/* `mem.w0:0x10`. */
bool asm_slice_address(Asm *a, AsmCursor *c, int32_t *slice, int32_t *addr);
/* The columns that a piece has when cols= is not written, and the rows when rows= is not: all that
 * are left. row0, row_step, col0, byte, lane_skip and broadcast must be set, for the rows cols too.
 * Less than 1 if none are left. */
int32_t asm_piece_cols(const TspMachine *m, const TspTensor *t, const TspPiece *piece);
int32_t asm_piece_rows(const TspTensor *t, const TspPiece *piece);

/* asm_fetch.c: the directive; whether it made this tensor; and, when all queues are written, what
 * the tensors hold. */
bool asm_fetch_text(Asm *a, AsmCursor *c);
bool asm_fetch_is_text(const Asm *a, int32_t tensor);
bool asm_fetch_fill(Asm *a);

/* asm_place.c: gives cycles to all items and writes queues, debug records, runs, predictions. */
bool asm_place(Asm *a);

#endif
