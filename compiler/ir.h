/* ir.h - what the passes hand to each other: tensors as the machine sees them, and stages.
 *
 * Private to compiler/. A tensor is a matrix of rows x cols, a row being ceil(cols / lanes) vectors
 * ("column tiles"), each of `bytes` byte planes. Invariant of every tensor: lanes beyond its
 * columns are zero, so that tails of K never need masking.
 *
 * A stage carries rows from memory through units back to memory: optionally a matrix product, then
 * a tree of VXM steps, then writes.
 */
#ifndef TSP_IR_H
#define TSP_IR_H
#include "graph.h"
#include "compiler/group/group.h"

typedef struct {
    int32_t slice, addr;
} Place;

/* Rows row0 .. row0+count-1 of one column tile become readable at ready, ready+interval, ... */
typedef struct {
    int32_t row0, count;
    int64_t ready;
    int32_t interval;
} Ready;
typedef struct {
    Ready *items;
    int32_t count, capacity;
} ReadyList;

/* What is sure of numbers: they are finite, and 2^low <= |x| < 2^high unless x is zero. */
typedef struct {
    bool sure, zero; /* zero: some may be */
    int32_t low, high;
} Range;

typedef struct {
    char *name;
    TspDtype dtype;
    TspTensorRole role;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    bool transposed; /* the matrix has the last two dimensions of shape swapped */
    const TspValue
        *given;    /* of the file's graph, if it has another shape there: the host's; NULL */
    uint8_t *data; /* constants, row-major by shape; owned */
    bool finite;   /* see TspTensor */
    bool bounded;
    int32_t low, high, pad; /* see TspTensor */
    bool flat;     /* rows are consecutive runs of elements, a vector each, whatever the shape */
    bool lanewise; /* of flat tensors: lanes are the runs instead, element i in row i % rows of lane
                    * i / rows; what lies behind the last element may be anything */
    int32_t rows, cols;
    int32_t bcast_cols; /* > 0: one column, copied to this many lanes' worth of columns */
    /* wanted by the stages */
    bool contiguous;      /* rows one after the other in a slice: to stream, to write results */
    bool striped;         /* row r in slice r mod G: to load as weights, G rows a cycle */
    int32_t striped_rows; /* > 0: only the first so many lie in stripes */
    bool turned;          /* made a byte plane at a time: blocks let planes write at once */
    bool streamed;        /* activations of a product: copies let planes read at once */
    int32_t wanted;       /* > 0: copies, half of them in each hemisphere */
    bool beside;          /* all copies in one hemisphere */
    int32_t together; /* column tiles that stages read at once: that many neighbours lie apart */
    bool unaligned;   /* loaded from any row on, not just from that of a matrix or column tile */
    bool selects;     /* a matrix of zeros and ones that moves lanes */
    bool apart;       /* no two blocks in one slice: their rows are read at once */
    bool spread;      /* the same as far as there are slices */
    bool even;        /* all blocks begin at the same row of their slices */
    bool near;        /* of few rows: as near to the VXM as can be, since somebody waits for them */
    bool one_side;    /* all blocks in the hemisphere that its level names */
    bool sided;       /* every block in the hemisphere that its level names, or copy in its own */
    int32_t level;    /* of flat tensors: stages from an input to here; even and odd ones lie in
                       * opposite hemispheres */
    int32_t repeated; /* > 0: how often each row is read, for a whole stage */
    int32_t turns;    /* > 0: block i lies in the slices of block i - turns */
    int32_t run;      /* rows of a block, if there is room; 0: for the layout to say */
    bool spliced;     /* all blocks of a column tile lie in one hemisphere: a flow may cross them */
    int32_t strip;    /* not 0: tensor whose rows are the last columns of this one's first rows, for
                       * the host to read there */
    Range range;      /* of its elements */
    int32_t exponent; /* rows hold the elements times 2^exponent */
    TspPiece *pieces; /* placed by the lowering: layout leaves it alone; owned */
    int32_t piece_count, piece_capacity;
    /* layout */
    int32_t bytes, ctiles, blocks, block_rows, copies;
    Place *places; /* [copy][block][ctile][byte] */
    int32_t stripe_blocks, stripe_rows;
    Place *stripes;     /* [block][ctile][byte][G]; G: vectors that an LW takes */
    bool read;          /* by a stage */
    int32_t born, dies; /* stages: the first that writes it, -1 from the start; the last that needs
                         * it, the number of stages to the end (lifetime.h) */
    /* schedule */
    ReadyList *ready; /* [ctile]; NULL: there from cycle 0 */
} Tensor;

/* Where a step takes an operand from. */
typedef enum {
    FROM_NONE,
    FROM_PRODUCT, /* of products that meet, that of term `index` */
    FROM_OPERAND,
    FROM_STEP,
    FROM_IMM,
    FROM_SELF /* the step's own result of the row one VXM operation ago: a running combination */
} FromKind;
typedef struct {
    FromKind kind;
    int32_t index;
} From;
static inline From from_none(void) {
    return (From){FROM_NONE, 0};
}
static inline From from_imm(void) {
    return (From){FROM_IMM, 0};
}
static inline From from_product(void) {
    return (From){FROM_PRODUCT, 0};
}

/* Takes results of steps before it. */
typedef struct {
    TspOpcode op;
    TspDtype type, type2; /* type2: result of conversions */
    From a, b;
    uint32_t imm;
    int32_t node; /* of the graph, that it works for */
} Step;

/* Row i of the stage meets row row0 + i*row_step of the tensor; column tile c of the stage meets
 * column tile ctile0 + c (for a broadcast column: the variant of that width). */
typedef struct {
    int32_t tensor, row0, row_step, ctile0;
    int32_t copy; /* of the tensor; chains take turns at the copies of a row that they all read */
    int32_t exponent; /* elements are taken times 2^exponent; 0 once there is a tensor of these */
    /* all column tiles of the stage meet tile ctile0, and take turns at its copies */
    bool one_tile;
    int32_t byte; /* of joined operands: place of the lowest byte in the stream group */
} Operand;

/* Result `from` (bytes src_byte..) is written to byte planes byte0.. of the tensor. It is a step if
 * the stage has steps, else the product. */
typedef struct {
    From from;
    int32_t tensor, row0, ctile0, byte0, src_byte, bytes;
} Output;

/* One K tile: rows a_row0.. of column tile a_ctile of A against rows w_row0.. (one an output
 * column) of column tile w_ctile of W. byte: the byte plane taken, -1 for the whole element. */
typedef struct {
    int32_t a, a_row0, a_ctile, a_byte;
    int32_t w, w_row0, w_ctile, w_byte;
    int32_t a_skip; /* rows of A left out from one to the next; -1: the same row again */
    /* w_count > 0: of output columns w_first .. w_first+w_count-1 only, all of one column tile and
     * w_first at an LW's first: these are rows w_row0.. of W, elsewhere the weights are zero */
    int32_t w_first, w_count;
} Term;

enum { MAX_OPERANDS = 17, MAX_STEPS = 24, MAX_OUTPUTS = 4, TSP_MEETING = 2 };
enum { ELEMENTWISE_INPUTS = 8 }; /* of a node that come from memory */

typedef struct {
    int32_t op;          /* node of the graph: what no step works for */
    const char *what;    /* for dumps */
    int32_t rows, cols;  /* of the result */
    bool product, group; /* group: what module->group says, and none of what follows */
    bool whole;          /* a plane takes all rows, while others take the stages beside it */
    bool meets;          /* each of two fp16 terms is a product of its own, made in a hemisphere of
                          * its own: both come to the VXM in the same cycle */
    Term *terms;
    int32_t term_count;
    int32_t batch; /* stages that are products alike, one after the other, this one among them */
    Operand operands[MAX_OPERANDS];
    int32_t operand_count;
    Step steps[MAX_STEPS];
    int32_t step_count;
    Output outputs[MAX_OUTPUTS];
    int32_t output_count;
    /* > 0: rows are combined by steps that take FROM_SELF, in chains of this many rows side by
     * side. A chain leaves its last vxm_op_cycles rows (or all, if it has fewer) in the output, in
     * a block of vxm_op_cycles rows each. */
    int32_t chain_rows;
    int32_t last; /* of chains: tensor that stands for the last row of operand 0, which is the
                   * first of a stage that walks it with row_step -1; -1: none */
    /* Of chains, > 0: operands are bytes of one stream group of so many, from `byte` of each on:
     * elements of a wider type that no ALU has joined, which steps take as operand 0. All have
     * row_step 1, and all but the tensor `last`, which has a copy in each hemisphere, lie in the
     * hemisphere of operand 1. */
    int32_t joined_bytes;
    int32_t beside; /* of chains, > 0: so many share a flow, and the streams of what all read */
    /* Of chains that walk a block each (tsp_walk), > 0: so often, in rows of each part, and at the
     * end a chain leaves what it has combined so far, a row for each part, in a block of its own.
     */
    int32_t mark_rows;
    /* Of chains: chain i takes chain_rows rows of block i of operand 0 that the rows of operand 2,
     * for the last block the last operand, point to: by superlane, as Gather takes them. */
    bool gathers;
    int32_t addresses; /* tensor, even, whose first row of memory all steps that add a number add
                        * besides; -1: none */
    /* > 0: a step that takes FROM_SELF combines each row with those before it, in chains of this
     * many rows; a chain takes a row every vxm_op_cycles. Operands with row_step 0 that no step
     * takes are what chains begin with: the row of the last one, and if there are two, all but the
     * first also with row i - 1 of the other, chain i; with `scan_begins` chain i with row i of the
     * last one. All rows are results, or with `scan_ends` the last of each chain, chain i's as row
     * i; then a second output may have all rows of another step. */
    int32_t scan_rows;
    bool scan_ends, scan_begins;
    /* > 0: rows fall into sets of this many, each of which a chain passes: row k of set i is row
     * (i / set_step * set_rows + k) * set_step + i % set_step of outputs and of operands with
     * row_step 1, row k of operands with row_step 2; operands with row_step 0 have row i for the
     * whole set. The stage takes rows part_first .. part_first+part_rows-1 of each set, and begins
     * with the first of every set_turn sets, since these lie in different blocks. */
    int32_t set_rows, set_step, part_first, part_rows, set_turn;
    /* > 0: steps that take FROM_SELF combine the rows of a set. The last step's results for its
     * last `partials` rows, vxm_op_cycles of them or all, go to row i of tensors partial ... */
    int32_t partial, partials;
    bool copies; /* rows of operand 0 are rows of the output: from slice to slice, past no unit */
    /* Not 0: row i of the output is row row0 of operand 0, its lanes moved (i + 1) * shift south,
     * or north if it is less than 0; with `unmoved` i * shift. */
    int32_t shift;
    bool unmoved;
    /* Row i of the output is row row0 of operand 0, its lanes moved inside superlanes as row i of
     * operand 1 says; both operands have copies in both hemispheres. */
    bool distributes;
} Stage;

/* Products that a row of the stage takes from the MXM. */
static inline int32_t tsp_stage_products(const Stage *s) {
    return s->meets ? TSP_MEETING : s->product;
}

/* How a chain walks a block of rows in `turns` parts: it takes a row of each in turn. They are as
 * long and as far apart, and overlap where else they would not be. */
typedef struct {
    int32_t length, apart;
} Walk;

/* A run of issues, placed. The address that Repeat steps is, in issue i, that of the instruction
 * plus i*step; with `wrap`, (i % wrap)*step + (i / wrap)*step2. */
typedef struct {
    int32_t queue, op;
    int32_t tensor; /* whose rows a Read or Write reads or writes; -1: none, or not known */
    TspInsn insn;
    int32_t step, wrap, step2;
    int64_t start;
    int32_t count, interval;
} Run;

typedef struct {
    const TspGraph *graph;
    TspMachine machine;
    Tensor *tensors;
    int32_t tensor_count, tensor_capacity;
    Stage *stages;
    int32_t stage_count, stage_capacity;
    Run *runs;
    int32_t run_count, run_capacity;
    TspLink *links;
    int32_t link_count, link_capacity;
    bool group_tables;       /* see TspCompileOptions */
    bool whole_products;     /* to be left undivided */
    bool in_order;           /* stages are not to take turns */
    bool takes_turns;        /* some do */
    bool divided;            /* some product is */
    bool unfused;            /* every node's result to pass through memory */
    bool fused;              /* some node's result does not */
    bool waiting;            /* no operand to be read again instead of waiting */
    bool rereads;            /* some is */
    bool unscaled;           /* factors to stay where they are */
    bool rescales;           /* some do not */
    bool sparing;            /* no node to take more memory so as to be quicker */
    bool lavish;             /* some does */
    int32_t group_result;    /* tensor that gets a copy of the merged tables; -1 none */
    bool shares_rows;        /* tensors that never live at once may have the same rows */
    bool trial;              /* memory is endless and never busy */
    struct Traffic *traffic; /* when memory is busy, about; NULL unknown; owned */
    GroupPlan *group;        /* of the one node that groups; NULL none; owned */
    int64_t bound_cycles;
    const char *bound_by;
    int64_t *op_bound; /* one a node */
    int64_t macs;
} Module;

/* Growth of the arrays above (grow.c); running out of memory aborts the compile with a system
 * error.
 */
bool tsp_grow(void **items, int32_t *capacity, int32_t needed, size_t item_size, TspError *err);

/* The passes, in order; each fills its part of the module. */
bool tsp_pass_lower(Module *module, TspError *err);
bool tsp_pass_fuse(Module *module, TspError *err);
/* Layout and schedule of a trial, of which only module->traffic stays, if there was no error: what
 * goes wrong here will again. */
void tsp_pass_trial(Module *module);
bool tsp_pass_layout(Module *module, TspError *err);
bool tsp_pass_schedule(Module *module, TspError *err);
bool tsp_pass_bound(Module *module, TspError *err);
bool tsp_pass_emit(Module *module, TspProgram *program, TspError *err);
void tsp_module_free(Module *module);

/* What is added to the address of a run's instruction in issue i. */
static inline int32_t tsp_run_step(const Run *r, int32_t i) {
    return r->wrap ? i % r->wrap * r->step + i / r->wrap * r->step2 : i * r->step;
}

/* Memory place of row `row`, column tile, byte, copy. */
static inline Place tsp_place(const Tensor *t, int32_t copy, int32_t row, int32_t ctile,
                              int32_t byte) {
    int32_t block = row / t->block_rows;
    Place p = t->places[((copy * t->blocks + block) * t->ctiles + ctile) * t->bytes + byte];
    p.addr += row - block * t->block_rows;
    return p;
}
/* The same for a striped layout: within a block, row r lies in slice r mod G. */
static inline Place tsp_stripe(const Tensor *t, int32_t group, int32_t row, int32_t ctile,
                               int32_t byte) {
    int32_t block = row / t->stripe_rows, local = row - block * t->stripe_rows;
    Place p = t->stripes[((block * t->ctiles + ctile) * t->bytes + byte) * group + local % group];
    p.addr += local / group;
    return p;
}
static inline int32_t tsp_striped_rows(const Tensor *t) {
    return t->striped_rows ? t->striped_rows : t->rows;
}
/* Rows of a block of a flat tensor of `rows` rows: a block for each ALU, so that all can work on
 * it side by side, if the blocks are long enough to be worth a flow. */
int32_t tsp_flat_run(const TspMachine *m, int32_t rows);

/* Column tiles of a stage that one flow takes side by side: more than one where they share an
 * operand, as far as ALUs, streams and slices go. */
int32_t tsp_tiles_beside(const Module *module, const Stage *stage);

static inline int32_t tsp_ceil_div(int64_t a, int64_t b) {
    return (int32_t)((a + b - 1) / b);
}
/* `rows` is at least `turns`. */
static inline Walk tsp_walk(int32_t rows, int32_t turns) {
    Walk w = {tsp_ceil_div(rows, turns), 0};
    if (turns == 1) return w;
    while ((rows - w.length) % (turns - 1)) w.length++;
    w.apart = (rows - w.length) / (turns - 1);
    return w;
}
/* Blocks of rows so that all planes can write single byte planes of a tensor at once. */
static inline int32_t tsp_turned_blocks(const TspMachine *m, int32_t bytes) {
    return tsp_ceil_div(2 * m->mxm_planes, bytes);
}
static inline int32_t tsp_min32(int32_t a, int32_t b) {
    return a < b ? a : b;
}
static inline int64_t tsp_max64(int64_t a, int64_t b) {
    return a > b ? a : b;
}

#endif
