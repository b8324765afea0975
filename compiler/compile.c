/* compile.c - runs the passes.
 */
#include "compile.h"
#include "dump.h"

#include <stdlib.h>
#include <string.h>

const char *const tsp_compile_passes[] = {"graph",    "lower", "fuse",   "layout", "flow",
                                          "schedule", "emit",  "verify", NULL};

static bool run_passes(Module *module, const TspCompileOptions *options, TspProgram *program,
                       TspError *err) {
    const char *dump = options ? options->dump_pass : NULL;
    char **text = options ? options->dump_text : NULL;
    if (dump && !strcmp(dump, "graph")) *text = tsp_dump_graph(module->graph);
    if (!tsp_pass_lower(module, err)) return false;
    if (dump && !strcmp(dump, "lower")) *text = tsp_dump_lower(module);
    if (!tsp_pass_fuse(module, err)) return false;
    if (dump && !strcmp(dump, "fuse")) *text = tsp_dump_lower(module);
    tsp_pass_trial(module);
    if (!tsp_pass_layout(module, err)) return false;
    if (dump && !strcmp(dump, "layout")) *text = tsp_dump_layout(module);
    if (!tsp_pass_schedule(module, err)) return false;
    if (dump && !strcmp(dump, "flow")) *text = tsp_dump_flow(module);
    if (dump && !strcmp(dump, "schedule")) *text = tsp_dump_schedule(module);
    if (!tsp_pass_bound(module, err) || !tsp_pass_emit(module, program, err)) return false;
    if (dump && !strcmp(dump, "emit")) *text = tsp_dump_emit(program, err);
    if (dump && !strcmp(dump, "verify")) {
        TspProof proof;
        if (!tsp_verify(program, NULL, &proof, err)) return false;
        *text = tsp_dump_proof(&proof);
    }
    if (dump && !*text) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    return true;
}

typedef struct {
    TspProgram program;
    TspError err;
    char *text; /* dumped */
    bool ok;
    int ways;     /* that change what is made of the graph */
    int64_t runs; /* placed: what it cost the host, about */
} Attempt;

/* Ways to compile, as bits. WHOLE: no product is divided into regions; UNFUSED: every node's result
 * passes memory; IN_ORDER: no stages take turns, so that tensors live less long; SPARING: no node
 * takes more memory to be quicker; WAITING: no operand is read again instead of waiting in ALUs;
 * UNSCALED: no factor moves. */
enum { WHOLE = 1, UNFUSED = 2, IN_ORDER = 4, SPARING = 8, WAITING = 16, UNSCALED = 32 };

/* What may be quicker, in the order in which it is tried. */
static const int choices[] = {WHOLE, WAITING | UNSCALED, WAITING, UNSCALED};

/* What is tried in turn where a graph does not fit. */
static const int fallbacks[] = {SPARING, WHOLE | IN_ORDER | SPARING, UNFUSED | IN_ORDER | SPARING,
                                WHOLE | UNFUSED | IN_ORDER | SPARING};

static Attempt attempt(const TspGraph *g, const TspMachine *machine,
                       const TspCompileOptions *options, int ways) {
    Attempt a = {.text = NULL};
    TspCompileOptions own = options ? *options : (TspCompileOptions){0};
    Module module = {.graph = g,
                     .machine = *machine,
                     .group_tables = own.group_tables,
                     .whole_products = ways & WHOLE,
                     .unfused = ways & UNFUSED || own.unfused,
                     .in_order = ways & IN_ORDER,
                     .sparing = ways & SPARING,
                     .waiting = ways & WAITING,
                     .unscaled = ways & UNSCALED};
    own.dump_text = &a.text;
    tsp_program_init(&a.program, machine);
    a.ok = run_passes(&module, &own, &a.program, &a.err);
    a.ways = (module.divided ? WHOLE : 0) | (module.fused ? UNFUSED : 0) |
             (module.takes_turns ? IN_ORDER : 0) | (module.lavish ? SPARING : 0) |
             (module.rereads ? WAITING : 0) | (module.rescales ? UNSCALED : 0);
    a.runs = module.run_count;
    tsp_module_free(&module);
    return a;
}

static void drop(Attempt *a) {
    tsp_program_free(&a->program);
    free(a->text);
}

/* Takes the place of the best so far if that failed or is slower. */
static void offer(Attempt *best, Attempt other) {
    bool better =
        !best->ok || (other.ok && other.program.predicted_cycles < best->program.predicted_cycles);
    drop(better ? best : &other);
    if (better) *best = other;
}

/* Tries what may be quicker for as long as that costs the host little. A count, so that all hosts
 * choose alike. */
static void improve(Attempt *best, const TspGraph *g, const TspMachine *machine,
                    const TspCompileOptions *options, uint64_t *tried) {
    enum { MOST_RUNS = 300000 };
    const int apply = best->ways;
    int64_t runs = best->runs;
    for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
        const int ways = choices[i] & apply;
        Attempt other;
        if (*tried >> ways & 1) continue;
        if (ways != WHOLE && (!best->ok || runs + best->runs > MOST_RUNS)) continue;
        *tried |= 1ull << ways;
        other = attempt(g, machine, options, ways);
        runs += other.runs;
        offer(best, other);
    }
}

/* Divided products take more memory, and not always less time; nor does what asks for fewer ALUs:
 * the best is kept. Fused stages ask for more slices, streams and wires at once than some machines
 * have, and what takes turns, keys of ArgMax, sums of halfs and what is read again for more memory.
 */
bool tsp_compile(const TspGraph *g, const TspMachine *machine, const TspCompileOptions *options,
                 TspProgram *program, TspError *err) {
    Attempt best = attempt(g, machine, options, 0);
    const int apply = best.ways;
    uint64_t tried = 1; /* a bit for each set of ways */
    if (options && options->dump_pass) *options->dump_text = NULL;
    improve(&best, g, machine, options, &tried);
    for (size_t i = 0; i < sizeof(fallbacks) / sizeof(*fallbacks) && !best.ok; i++) {
        const int ways = fallbacks[i] & apply;
        if (!(tried >> ways & 1)) offer(&best, attempt(g, machine, options, ways));
        tried |= 1ull << ways;
    }
    if (!best.ok) {
        if (err) *err = best.err;
        return drop(&best), false;
    }
    *program = best.program;
    if (options && options->dump_pass) *options->dump_text = best.text;
    return true;
}
