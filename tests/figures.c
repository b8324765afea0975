/* figures.c - published figures of the chip beside what the programs of programs/figures measure.
 *
 * Prints the table of docs/figures.md and fails if a figure that should agree does not, if any
 * simulated value is another than is written here, if the two engines measure differently, if a
 * program is not proved legal, or if the document shows another table.
 */
#include "figures_measure.h"

#include <math.h>

typedef enum {
    EQUAL,
    BELOW,    /* what is published is a limit */
    ROUNDED,  /* what is published is a rounded number: within half a percent */
    ABOUT,    /* what is published says "about": within five percent */
    DIFFERS,  /* and is known to */
    NO_FIGURE /* nothing is published */
} Agreement;

typedef struct Row Row;
/* The figure, -1 on failure. The row says what to look at, the lab is that of its program. */
typedef double Measure(const Row *row, Lab *lab);

struct Row {
    const char *figure, *program; /* program NULL: of the machine description */
    Measure *measure;
    const char *from, *to; /* ops; of words the queue */
    TspRule rule;          /* that one cycle less breaks */
    int64_t window;        /* cycles over which a rate is sustained */
    double clock, published, simulated;
    const char *unit;
    Agreement agreement;
    const char *source, *mark;
};

/* ---- what is measured ---- */

static double mebibytes(const Row *row, Lab *lab) {
    const TspMachine *m = &lab->program.machine;
    (void)row;
    return 2.0 * (double)m->mem_slices * tsp_mem_slice_rows(m) * tsp_lanes(m) / (1 << 20);
}

static double alus(const Row *row, Lab *lab) {
    (void)row;
    return (double)lab->program.machine.vxm_alus * tsp_lanes(&lab->program.machine);
}

static double queues(const Row *row, Lab *lab) {
    (void)row;
    return (double)(tsp_queue_count(&lab->program.machine) - lab->program.machine.c2c_links);
}

static double span(const Row *row, Lab *lab) {
    return (double)lab_span(lab, row->from);
}

static double apart(const Row *row, Lab *lab) {
    return (double)lab_apart(lab, row->from, row->to, row->rule);
}

/* The superlanes follow one a cycle. */
static double insn_time(const Row *row, Lab *lab) {
    double cycles = apart(row, lab);
    TspMachine m;
    return cycles < 0 || !tsp_machine_builtin(&m, "tsp1") ? -1 : cycles + (double)m.superlanes;
}

static double macs(const Row *row, Lab *lab) {
    return (double)lab_rate(lab, lab_macs, NULL, row->window);
}

static double teraops(const Row *row, Lab *lab) { /* a MAC is two operations */
    double rate = macs(row, lab);
    return rate < 0 ? -1 : 2e-12 * row->clock * rate;
}

static double stream_bytes(const Row *row, Lab *lab) {
    return (double)lab_rate(lab, lab_stream_bytes, NULL, row->window);
}

static double sram_bytes(const Row *row, Lab *lab) {
    return (double)lab_rate(lab, lab_sram_bytes, NULL, row->window);
}

static double word_bytes(const Row *row, Lab *lab) {
    return (double)lab_rate(lab, lab_word_bytes, row->from, row->window);
}

static double ifetch_bytes(const Row *row, Lab *lab) {
    return (double)lab_fetched(lab, row->to);
}

/* ---- the rows ---- */

#define RATE(m, cycles)      .measure = (m), .window = (cycles)
#define OPS(m, a, b)         .measure = (m), .from = (a), .to = (b)
#define LEAST(a, b)          OPS(apart, a, b), .rule = TSP_RULE_STREAM_UNDEFINED
#define TIME(a, b)           OPS(insn_time, a, b), .rule = TSP_RULE_STREAM_UNDEFINED
#define VALUES(p, s)         .published = (p), .simulated = (s)
#define ORIGIN(text, letter) .source = (text), .mark = (letter)

static const double gigahertz = 1e9, nominal = 900e6;

static const Row rows[] = {
    {"memory capacity", NULL, mebibytes, VALUES(220, 220), .unit = "MiB", ORIGIN("I20", "S")},
    {"vector ALUs", NULL, alus, VALUES(5120, 5120), .unit = "", ORIGIN("I20", "S")},
    {"instruction queues", NULL, queues, VALUES(144, 144), .unit = "", ORIGIN("I20", "S")},
    {"int8 products", "peak-int8", RATE(macs, 64), VALUES(409600, 409600), .unit = "MAC/cycle",
     ORIGIN("I20", "S")},
    {"int8 peak at 1 GHz", "peak-int8", RATE(teraops, 64), .clock = gigahertz, VALUES(820, 819.2),
     .unit = "TOPS", .agreement = ROUNDED, ORIGIN("I20", "S")},
    {"int8 peak at 900 MHz", "peak-int8", RATE(teraops, 64), .clock = nominal, VALUES(0, 737.28),
     .unit = "TOPS", .agreement = NO_FIGURE, ORIGIN("", "D")},
    {"fp16 products", "peak-fp16", RATE(macs, 64), VALUES(102400, 102400), .unit = "MAC/cycle",
     ORIGIN("I22", "S")},
    {"fp16 peak at 1 GHz", "peak-fp16", RATE(teraops, 64), .clock = gigahertz, VALUES(205, 204.8),
     .unit = "TFLOPS", .agreement = ROUNDED, ORIGIN("I20", "S")},
    {"fp16 peak at 900 MHz", "peak-fp16", RATE(teraops, 64), .clock = nominal, VALUES(0, 184.32),
     .unit = "TFLOPS", .agreement = NO_FIGURE, ORIGIN("", "D")},
    {"a pair takes an fp16 vector every", "peak-fp16", OPS(apart, "first", "second"),
     .rule = TSP_RULE_ARRAY_BUSY, VALUES(2, 2), .unit = "cycles", ORIGIN("I22", "S")},
    {"streams, one column", "stream-bandwidth", RATE(stream_bytes, 30), VALUES(20480, 20480),
     .unit = "B/cycle", ORIGIN("I20", "S")},
    {"SRAM", "sram-bandwidth", RATE(sram_bytes, 31), VALUES(56320, 56320), .unit = "B/cycle",
     ORIGIN("I20", "S")},
    {"instruction fetch", "instruction-bandwidth", RATE(word_bytes, 20), VALUES(2304, 2304),
     .unit = "B/cycle", ORIGIN("I20", "S")},
    {"text of one Ifetch, 40 words", "ifetch", OPS(ifetch_bytes, NULL, "fetch1"), VALUES(640, 640),
     .unit = "B", ORIGIN("I20", "S")},
    {"a queue that fetches for itself", "ifetch", OPS(word_bytes, "vxm.0", NULL), .window = 240,
     VALUES(16, 16), .unit = "B/cycle", ORIGIN("I20", "D")},
    {"all weights into all planes", "../weights", OPS(span, "weights", NULL), VALUES(40, 38),
     .unit = "cycles", .agreement = BELOW, ORIGIN("I20", "S")},
    {"Notify to Sync retired", "barrier", OPS(apart, "notify", "released"), VALUES(35, 35),
     .unit = "cycles", ORIGIN("I20", "R")},
    {"T: w0 to VXM, 20 + 1 + 1", "distances", TIME("w0", "vxm_from_w0"), VALUES(22, 22),
     .unit = "cycles", ORIGIN("formula", "S")},
    {"T: w43 to VXM, 20 + 1 + 11", "distances", TIME("w43", "vxm_from_w43"), VALUES(32, 32),
     .unit = "cycles", ORIGIN("formula", "S")},
    {"T: VXM to e43, 20 + 7 + 11", "distances", TIME("vxm", "e43_from_vxm"), VALUES(38, 38),
     .unit = "cycles", ORIGIN("formula", "S")},
    {"T: e43 to MXM east, 20 + 1 + 2", "distances", TIME("e43", "mxm_from_e43"), VALUES(23, 23),
     .unit = "cycles", ORIGIN("formula", "S")},
    {"T: w20 to SXM west, 20 + 1 + 6", "distances", TIME("w20", "sxm_from_w20"), VALUES(27, 27),
     .unit = "cycles", ORIGIN("formula", "S")},
    {"T: w42 to e42, 20 + 1 + 22", "distances", TIME("w42", "e42_from_w42"), VALUES(43, 43),
     .unit = "cycles", ORIGIN("formula", "S")},
    {"ALU operation, 4 + 3", "vxm", LEAST("add", "add_done"), VALUES(7, 7), .unit = "cycles",
     ORIGIN("parameters", "3P")},
    {"two ALUs in a chain, 4 + 3 + 3", "vxm", LEAST("chain", "chain_done"), VALUES(10, 10),
     .unit = "cycles", ORIGIN("parameters", "3P")},
    {"Transpose", "sxm", LEAST("transpose", "transpose_done"), VALUES(4, 4), .unit = "cycles",
     ORIGIN("parameters", "3P")},
    {"Distribute", "sxm", LEAST("distribute", "distribute_done"), VALUES(2, 2), .unit = "cycles",
     ORIGIN("parameters", "3P")},
    {"Rotate", "sxm", LEAST("rotate", "rotate_done"), VALUES(4, 4), .unit = "cycles",
     ORIGIN("parameters", "3P")},
    {"Permute, 8 + 48 + 4", "sxm", LEAST("permute", "permute_done"), VALUES(60, 60),
     .unit = "cycles", ORIGIN("parameters", "3P")},
    {"Shift in a superlane", "sxm", LEAST("shift", "shift_done"), VALUES(1, 1), .unit = "cycles",
     ORIGIN("parameters", "3P")},
    {"Shift into the next superlane", "sxm", LEAST("cross", "cross_done"), VALUES(19, 19),
     .unit = "cycles", ORIGIN("parameters", "3P")},
    {"Shift by ten superlanes", "sxm", LEAST("cross_ten", "cross_ten_done"), VALUES(36, 37),
     .unit = "cycles", .agreement = ABOUT, ORIGIN("19 + 9 x 2", "3P")},
    {"Select", "sxm", LEAST("select", "select_done"), VALUES(0, 1), .unit = "cycles",
     .agreement = NO_FIGURE, ORIGIN("", "A")},
    {"weights installed", "vector-matrix", OPS(apart, "install", "activation"),
     .rule = TSP_RULE_WEIGHT_MISSING, VALUES(3, 3), .unit = "cycles", ORIGIN("parameters", "3P")},
    {"activation to product, 9 + 13", "vector-matrix", OPS(apart, "activation", "sum"),
     .rule = TSP_RULE_PRODUCT_MISSING, VALUES(22, 22), .unit = "cycles",
     ORIGIN("parameters", "3P")},
    {"product to SXM, 34 + 6 + 1 hop", "vector-matrix", LEAST("sum", "result"), VALUES(41, 41),
     .unit = "cycles", ORIGIN("parameters", "3P")},
    {"transposer to result at the SXM", "vector-matrix", LEAST("transpose", "result"),
     VALUES(76, 68), .unit = "cycles", .agreement = DIFFERS, ORIGIN("whole route", "3P")},
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

/* ---- one row ---- */

static void path_of(const Row *row, char path[64]) {
    snprintf(path, 64, "programs/figures/%s.s", row->program);
}

/* Whether the program is about text: then text comes by Ifetch. */
static bool fetches(const Row *row) {
    return !strcmp(row->program, "ifetch");
}

/* The figure as one engine has it; -1 on failure, with the reason in err. */
static double measure(const Row *row, TspEngineKind engine, TspError *err) {
    char path[64] = "";
    Lab lab = {.path = path, .engine = engine};
    double value;
    if (row->program) {
        path_of(row, path);
        lab.ifetch_modelled = fetches(row);
    } else {
        tsp_machine_builtin(&lab.program.machine, "tsp1");
    }
    value = row->measure(row, &lab);
    *err = lab.err;
    return value;
}

static bool same(double a, double b) {
    return fabs(a - b) < 1e-6;
}

static bool agrees(const Row *row, double value) {
    double away = fabs(value - row->published) / row->published;
    switch (row->agreement) {
    case EQUAL:
        return same(value, row->published);
    case BELOW:
        return value < row->published;
    case ROUNDED:
        return away < 0.005;
    case ABOUT:
        return away < 0.05;
    case DIFFERS:
        return !same(value, row->published);
    default:
        return true;
    }
}

/* Measures on both engines and says what is wrong. */
static bool judge(const Row *row, double *value) {
    TspError err = {0};
    double other;
    *value = measure(row, TSP_ENGINE_FAST, &err);
    if (*value < 0) fprintf(stderr, "%s: fast engine: %s\n", row->figure, err.text);
    other = measure(row, TSP_ENGINE_REFERENCE, &err);
    if (other < 0) fprintf(stderr, "%s: reference engine: %s\n", row->figure, err.text);
    if (*value < 0 || other < 0) return false;
    if (!same(*value, other))
        fprintf(stderr, "%s: the reference engine has %g, the fast one %g\n", row->figure, other,
                *value);
    else if (!same(*value, row->simulated))
        fprintf(stderr, "%s: %g, not %g as it was\n", row->figure, *value, row->simulated);
    else if (!agrees(row, *value))
        fprintf(stderr, "%s: %g does not agree with %g\n", row->figure, *value, row->published);
    else
        return true;
    return false;
}

/* ---- the table ---- */

/* With commas in thousands; with decimals only where there are some. */
static void number_text(double value, char text[32]) {
    char digits[32];
    if (!same(value, floor(value))) {
        snprintf(text, 32, "%.1f", value);
        return;
    }
    int length = snprintf(digits, sizeof digits, "%.0f", value);
    for (const char *d = digits; *d; d++) {
        *text++ = *d;
        if (--length && length % 3 == 0) *text++ = ',';
    }
    *text = 0;
}

static void put_row(FILE *out, const Row *row, double value, bool good) {
    static const char *const verdicts[] = {
        [EQUAL] = "yes",        [BELOW] = "yes, less", [ROUNDED] = "yes, rounded",
        [ABOUT] = "yes, about", [DIFFERS] = "differs", [NO_FIGURE] = "-"};
    char published[32] = "-", limit[40], simulated[32];
    if (row->agreement != NO_FIGURE) number_text(row->published, published);
    snprintf(limit, sizeof limit, "%s%s", row->agreement == BELOW ? "< " : "", published);
    number_text(value, simulated);
    fprintf(out, "%-34s %9s %9s  %-9s  %-12s  %-4s  %-10s  %s\n", row->figure, limit, simulated,
            row->unit, good ? verdicts[row->agreement] : "NO", row->mark,
            *row->source ? row->source : "-", row->program ? row->program : "-");
}

/* ---- the other checks ---- */

static bool is_legal(const Row *row) {
    char path[64];
    Lab lab = {.path = path};
    const TspVerifyOptions options = {.ifetch_modelled = fetches(row)};
    TspProof proof;
    bool legal;
    path_of(row, path);
    legal = lab_assemble(&lab) && tsp_verify(&lab.program, NULL, &proof, &lab.err) &&
            tsp_verify(&lab.program, &options, &proof, &lab.err);
    if (!legal) fprintf(stderr, "%s: %s\n", path, lab.err.text);
    tsp_program_free(&lab.program);
    return legal;
}

static bool documented(const char *table) {
    static char text[1 << 16];
    FILE *file = fopen("docs/figures.md", "rb");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[length] = 0;
    if (strstr(text, table)) return true;
    fprintf(stderr, "docs/figures.md shows another table than this one\n");
    return false;
}

int main(void) {
    int passed = 0, failed = 0;
    char *table = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&table, &size);
    if (!out) return 1;
    fprintf(out, "%-34s %9s %9s  %-9s  %-12s  %-4s  %-10s  %s\n", "figure", "published",
            "simulated", "unit", "agrees", "mark", "source", "program");
    for (int i = 0; i < ROW_COUNT; i++) {
        double value;
        bool good = judge(&rows[i], &value);
        put_row(out, &rows[i], value, good);
        *(good ? &passed : &failed) += 1;
        if (!rows[i].program ||
            (i && rows[i - 1].program && !strcmp(rows[i].program, rows[i - 1].program)))
            continue;
        *(is_legal(&rows[i]) ? &passed : &failed) += 1;
    }
    fclose(out);
    fputs(table, stdout);
    *(documented(table) ? &passed : &failed) += 1;
    free(table);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
