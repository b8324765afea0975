/* bench_histogram.c - counting keys with Gather and Scatter, against the plain loop.
 *
 * Row `key` of a table of int32 counts, which lies in the four slices of one column, is gathered,
 * one more comes back from the VXM, and it is scattered again; a superlane counts keys of its own.
 * A count is on its way for some twenty cycles, in which the row must not be asked for: so there
 * are COPIES tables that take turns, and the host adds them up.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 8192, KEYS = 256, COPIES = 32, SUPERLANES = 20, LANES = 320, TILE = 16 };

/* A step's address in lanes 0 and 1 of a superlane: the key, and the copy whose turn it is. The
 * counts start at zero. */
static void fill(const TspTensor *t, uint8_t *data) {
    uint8_t keys[STEPS * SUPERLANES];
    if (strcmp(t->name, "map")) return;
    tsp_random_fill(keys, TSP_U8, sizeof keys, 1, 0, KEYS - 1);
    for (int32_t i = 0; i < STEPS * SUPERLANES; i++) {
        uint8_t *address = data + i / SUPERLANES * LANES + i % SUPERLANES * TILE;
        address[0] = keys[i];
        address[1] = (uint8_t)(i / SUPERLANES % COPIES);
    }
}

/* -- the program -- */

/* The queue of a table slice: gathers two cycles apart, scatters between them. */
static void write_table_queue(FILE *out, int32_t slice, int64_t gather, int64_t scatter) {
    int64_t gathers = 0, scatters = 0;
    fprintf(out, "@mem.w%d\n", (int)slice);
    while (scatters < STEPS)
        if (gathers < STEPS && gather + 2 * gathers < scatter + 2 * scatters)
            fprintf(out, " at %lld gather s%d.e, s8.e\n", (long long)(gather + 2 * gathers++),
                    (int)slice);
        else
            fprintf(out, " at %lld scatter s%d.w, s8.w\n", (long long)(scatter + 2 * scatters++),
                    (int)slice);
}

/* One map passes the tables eastward for the gathers, the other westward for the scatters. */
static void write_map_queue(FILE *out, const char *slice, const char *stream, int64_t cycle) {
    fprintf(out, "@%s\n at %lld read 0, %s\n repeat %d, 2, 1\n", slice, (long long)cycle, stream,
            STEPS - 1);
}

static void write_program(FILE *out, const TspMachine *m, const void *unused) {
    const int64_t vxm = bench_column(m, "vxm.0"), table = bench_column(m, "mem.w0"), gather = 40;
    const int64_t add = gather + m->mem_read_cycles + m->mem_indirect_cycles + vxm - table;
    int64_t back = add + m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
    /* Gathers and scatters of a slice take turns: an odd distance, if need be by one more ALU. */
    const bool longer = (back + vxm - table - gather) % 2 == 0;
    (void)unused;
    if (longer) back += m->vxm_op_cycles;
    fprintf(out,
            ".tensor map, int8, [%d, %d], input\n"
            ".piece slice=mem.w40, addr=0\n.piece slice=mem.e40, addr=0\n"
            ".tensor counts, int32, [%d, %d], input @ mem.w0:0\n"
            ".tensor result, int32, [%d, %d], output @ mem.w0:0\n",
            STEPS, LANES, COPIES * KEYS, LANES, COPIES * KEYS, LANES);
    for (int32_t slice = 0; slice < 4; slice++)
        write_table_queue(out, slice, gather, back + vxm - table);
    write_map_queue(out, "mem.w40", "s8.e",
                    gather - (table - bench_column(m, "mem.w40")) - m->mem_read_cycles);
    write_map_queue(out, "mem.e40", "s8.w",
                    back - (bench_column(m, "mem.e40") - vxm) - m->mem_read_cycles);
    fprintf(out, "@vxm.0\n at %lld add i32, %s, s0.e, #1\n repeat %d, 2\n", (long long)add,
            longer ? "none" : "s0.w", STEPS - 1);
    if (longer)
        fprintf(out, "@vxm.1\n at %lld add i32, s0.w, alu0, #0\n repeat %d, 2\n",
                (long long)(add + m->vxm_op_cycles), STEPS - 1);
}

static bool load(BenchChip *chip, int32_t threads, TspError *err) {
    chip->fill = fill;
    return bench_assemble(&chip->program, write_program, NULL, err) &&
           bench_load(chip, &(TspSimOptions){.threads = threads}, err);
}

/* -- the floor -- */

typedef struct {
    uint8_t keys[STEPS * SUPERLANES]; /* of superlane k: k, k + SUPERLANES, ... */
    int32_t counts[SUPERLANES][KEYS];
} Plain;

static bool count_plainly(void *context, double *seconds, TspError *err) {
    Plain *plain = context;
    const double start = bench_now();
    (void)err;
    memset(plain->counts, 0, sizeof plain->counts);
    for (int32_t i = 0; i < STEPS * SUPERLANES; i += SUPERLANES)
        for (int32_t k = 0; k < SUPERLANES; k++) plain->counts[k][plain->keys[i + k]]++;
    *seconds = bench_now() - start;
    return true;
}

static bool same_counts(const BenchChip *chip, const Plain *plain, TspError *err) {
    uint8_t *table = bench_output(chip, "result", err);
    bool same = table != NULL;
    for (int32_t i = 0; same && i < SUPERLANES * KEYS; i++) {
        int32_t sum = 0, one;
        for (int32_t copy = 0; copy < COPIES; copy++) {
            const size_t row = (size_t)(copy * KEYS + i % KEYS);
            memcpy(&one, table + 4 * (row * LANES + (size_t)(i / KEYS) * TILE), sizeof one);
            sum += one;
        }
        if (sum != plain->counts[i / KEYS][i % KEYS]) same = bench_wrong(err, "the plain loop");
    }
    free(table);
    return same;
}

bool bench_histogram(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    Plain *plain = calloc(1, sizeof *plain);
    BenchTurn turns[] = {{bench_run, &chip, NULL, 0}, {count_plainly, plain, NULL, 0}};
    bool done = plain || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (done) tsp_random_fill(plain->keys, TSP_U8, sizeof plain->keys, 1, 0, KEYS - 1);
    done = done && load(&chip, b->threads, err) && bench_turns(turns, 2, b->rounds, err) &&
           same_counts(&chip, plain, err);
    if (done) {
        bench_note(&chip, &turns[0], r);
        bench_ratio(r, "to the plain loop", "plain loop", &turns[1], 0);
    }
    free(plain);
    bench_free(&chip);
    return done;
}
