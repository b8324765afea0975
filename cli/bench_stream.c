/* bench_stream.c - z = a x + y over ten million elements, against a copy of as many bytes. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum { VECTORS = 31250, LANES = 320, FLOWS = 4, FACTOR = 3 };

/* `rows` accesses of a slice, one a cycle; the stream meets the VXM's column in cycle `at_vxm`. */
static void flow(FILE *out, const TspMachine *m, const char *slice, const char *access,
                 const char *stream, int64_t at_vxm, int32_t rows) {
    const int32_t away = abs(bench_column(m, slice) - bench_column(m, "vxm.0"));
    const bool reads = access[0] == 'r';
    const int64_t cycle = reads ? at_vxm - away - m->mem_read_cycles : at_vxm + away;
    fprintf(out, "@%s\n at %lld %s 0, %s\n repeat %d, 1, 1\n", slice, (long long)cycle, access,
            stream, (int)rows - 1);
}

/* One flow of the stream program: x from the west, y from the east, z back to the east. */
static void stream_flow(FILE *out, const TspMachine *m, int32_t i, bool fp32, int32_t rows) {
    const int32_t bytes = fp32 ? 4 : 1, start = 40;
    const int64_t chained = start + m->vxm_op_cycles,
                  result = chained + m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
    char slice[32], stream[32];
    fprintf(out, ".tensor x%d, %s, [%d, 320], input @ mem.w%d:0\n", i, fp32 ? "float32" : "int8",
            rows, bytes * i);
    fprintf(out, ".tensor y%d, %s, [%d, 320], input @ mem.e%d:0\n", i, fp32 ? "float32" : "int8",
            rows, bytes * i);
    fprintf(out, ".tensor z%d, %s, [%d, 320], output @ mem.e%d:0\n", i, fp32 ? "float32" : "int8",
            rows, bytes * (FLOWS + i));
    for (int32_t byte = 0; byte < bytes; byte++) {
        const int32_t k = bytes * i + byte, z = bytes * FLOWS + k;
        snprintf(slice, sizeof slice, "mem.w%d", k);
        snprintf(stream, sizeof stream, "s%d.e", k);
        flow(out, m, slice, "read", stream, start, rows);
        snprintf(slice, sizeof slice, "mem.e%d", k);
        snprintf(stream, sizeof stream, "s%d.w", k);
        flow(out, m, slice, "read", stream, chained, rows);
        snprintf(slice, sizeof slice, "mem.e%d", z);
        snprintf(stream, sizeof stream, "s%d.e", z);
        flow(out, m, slice, "write", stream, result, rows);
    }
    fprintf(out, "@vxm.%d\n at %d mul%s, none, s%d.e, %s\n repeat %d, 1\n", 2 * i, start,
            fp32 ? " f32" : ".sat i8", bytes * i, fp32 ? "#1.5f" : "#3", rows - 1);
    fprintf(out, "@vxm.%d\n at %d add%s, s%d.e, alu%d, s%d.w\n repeat %d, 1\n", 2 * i + 1,
            (int)chained, fp32 ? " f32" : ".sat i8", bytes * (FLOWS + i), 2 * i, bytes * i,
            rows - 1);
}

static void write_program(FILE *out, const TspMachine *m, const void *fp32) {
    for (int32_t i = 0; i < FLOWS; i++)
        stream_flow(out, m, i, *(const bool *)fp32, VECTORS / FLOWS + (i < VECTORS % FLOWS));
}

static bool load(BenchChip *chip, bool fp32, int32_t threads, TspError *err) {
    return bench_assemble(&chip->program, write_program, &fp32, err) &&
           bench_load(chip, &(TspSimOptions){.threads = threads}, err);
}

static int32_t saturate(int32_t value) {
    return value < -128 ? -128 : value > 127 ? 127 : value;
}

static bool right(const uint8_t *x, const uint8_t *y, const uint8_t *z, size_t i, bool fp32) {
    float a, b, c;
    if (!fp32) return (int8_t)z[i] == saturate(saturate((int8_t)x[i] * FACTOR) + (int8_t)y[i]);
    memcpy(&a, x + 4 * i, 4);
    memcpy(&b, y + 4 * i, 4);
    memcpy(&c, z + 4 * i, 4);
    return a * 1.5f + b == c;
}

static bool check_flow(const BenchChip *chip, int32_t flow_number, bool fp32, TspError *err) {
    const size_t count =
        (size_t)(VECTORS / FLOWS + (flow_number < VECTORS % FLOWS)) * (size_t)LANES;
    char names[3][16];
    uint8_t *x, *y, *z;
    bool good;
    for (int32_t i = 0; i < 3; i++)
        snprintf(names[i], sizeof names[i], "%c%d", "xyz"[i], (int)flow_number);
    x = bench_input(chip, names[0], err);
    y = bench_input(chip, names[1], err);
    z = bench_output(chip, names[2], err);
    good = x && y && z;
    for (size_t i = 0; good && i < count; i++)
        if (!right(x, y, z, i, fp32)) good = bench_wrong(err, "the host");
    free(x), free(y), free(z);
    return good;
}

static bool measure(const Bench *b, BenchResult *r, bool fp32, TspError *err) {
    const size_t bytes = (size_t)3 * VECTORS * LANES * (fp32 ? 4 : 1);
    BenchChip chip = {0};
    BenchCopy copy = {0};
    BenchTurn turns[] = {{bench_run, &chip, NULL, 0}, {bench_copy_step, &copy, NULL, 0}};
    bool done = bench_copy_init(&copy, bytes, err) && load(&chip, fp32, b->threads, err) &&
                bench_turns(turns, 2, b->rounds, err);
    for (int32_t i = 0; done && i < FLOWS; i++) done = check_flow(&chip, i, fp32, err);
    if (done) {
        bench_note(&chip, &turns[0], r);
        bench_ratio(r, "to memcpy", "memcpy", &turns[1], 5);
    }
    bench_copy_free(&copy);
    bench_free(&chip);
    return done;
}

static bool once(const Bench *b, bool fp32, TspError *err) {
    BenchChip chip = {0};
    return load(&chip, fp32, b->threads, err) && tsp_sim_run(chip.sim, err);
}

bool bench_stream_int8(const Bench *b, BenchResult *r, TspError *err) {
    return measure(b, r, false, err);
}

bool bench_stream_int8_once(const Bench *b, TspError *err) {
    return once(b, false, err);
}

bool bench_stream_fp32(const Bench *b, BenchResult *r, TspError *err) {
    return measure(b, r, true, err);
}

bool bench_stream_fp32_once(const Bench *b, TspError *err) {
    return once(b, true, err);
}
