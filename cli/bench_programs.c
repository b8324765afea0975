/* bench_programs.c - the programs that tsp bench runs, made on the spot, and their inputs. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/compile.h"
#include "isa/asm.h"

bool bench_matmul(TspProgram *p, const char *dtype, int32_t m, int32_t k, int32_t n,
                  TspError *err) {
    char text[600];
    TspGraph g;
    TspMachine machine;
    bool done;
    int length = snprintf(
        text, sizeof text,
        "{\"name\": \"bench\", \"inputs\": [{\"name\": \"A\", \"dtype\": \"%s\", \"shape\": [%d, "
        "%d]}, {\"name\": \"B\", \"dtype\": \"%s\", \"shape\": [%d, %d]}], \"nodes\": [{\"name\": "
        "\"multiply\", \"op\": \"%s\", \"inputs\": [\"A\", \"B\"], \"outputs\": [\"C\"]}], "
        "\"outputs\": [\"C\"]}",
        dtype, (int)m, (int)k, dtype, (int)k, (int)n, dtype[0] == 'f' ? "MatMul" : "MatMulInteger");
    if (!tsp_machine_load(&machine, "tsp1", err) ||
        !tsp_graph_parse(&g, text, (size_t)length, "bench", err))
        return false;
    done = tsp_compile(&g, &machine, &(TspCompileOptions){0}, p, err);
    tsp_graph_free(&g);
    return done;
}

bool bench_assemble(TspProgram *p, const char *text, TspError *err) {
    TspMachine machine;
    return tsp_machine_load(&machine, "tsp1", err) &&
           tsp_assemble(p, &machine, text, strlen(text), "bench", err);
}

/* -- text -- */

static int32_t column(const TspMachine *m, const char *name) {
    return tsp_queue_info(m, tsp_queue_find(m, name)).column;
}

/* `rows` accesses of a slice, one a cycle; the stream meets the VXM's column in cycle `at_vxm`. */
static void flow(FILE *out, const TspMachine *m, const char *slice, const char *access,
                 const char *stream, int64_t at_vxm, int32_t rows) {
    const int32_t away = abs(column(m, slice) - column(m, "vxm.0"));
    const bool reads = access[0] == 'r';
    const int64_t cycle = reads ? at_vxm - away - m->mem_read_cycles : at_vxm + away;
    fprintf(out, "@%s\n at %lld %s 0, %s\n repeat %d, 1, 1\n", slice, (long long)cycle, access,
            stream, (int)rows - 1);
}

/* One flow of the stream program: x from the west, y from the east, z back to the east. */
static void stream_flow(FILE *out, const TspMachine *m, int32_t i, bool fp32, int32_t rows) {
    const int32_t bytes = fp32 ? 4 : 1, flows = 4, start = 40;
    const int64_t chained = start + m->vxm_op_cycles,
                  result = chained + m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
    char slice[32], stream[32];
    fprintf(out, ".tensor x%d, %s, [%d, 320], input @ mem.w%d:0\n", i, fp32 ? "float32" : "int8",
            rows, bytes * i);
    fprintf(out, ".tensor y%d, %s, [%d, 320], input @ mem.e%d:0\n", i, fp32 ? "float32" : "int8",
            rows, bytes * i);
    fprintf(out, ".tensor z%d, %s, [%d, 320], output @ mem.e%d:0\n", i, fp32 ? "float32" : "int8",
            rows, bytes * (flows + i));
    for (int32_t byte = 0; byte < bytes; byte++) {
        const int32_t k = bytes * i + byte, z = bytes * flows + k;
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
            (int)chained, fp32 ? " f32" : ".sat i8", bytes * (flows + i), 2 * i, bytes * i,
            rows - 1);
}

/* Assembles what has been written to a memory stream. */
static bool assemble_stream(TspProgram *p, FILE *out, char **text, TspError *err) {
    bool done = fclose(out) == 0 && bench_assemble(p, *text, err);
    free(*text);
    return done;
}

bool bench_stream(TspProgram *p, bool fp32, TspError *err) {
    const int32_t flows = 4, vectors = 31250;
    TspMachine m;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (!tsp_machine_load(&m, "tsp1", err)) return false;
    for (int32_t i = 0; i < flows; i++)
        stream_flow(out, &m, i, fp32, vectors / flows + (i < vectors % flows));
    return assemble_stream(p, out, &text, err);
}

/* The queue of a table slice: gathers two cycles apart, scatters between them. */
static void table_queue(FILE *out, const TspMachine *m, int32_t slice, int64_t gather,
                        int64_t scatter, int32_t steps) {
    int32_t done[2] = {0, 0};
    fprintf(out, "@mem.w%d\n", slice);
    while (done[1] < steps) {
        const int64_t g = gather + 2 * done[0], s = scatter + 2 * done[1];
        if (done[0] < steps && g < s)
            fprintf(out, " at %lld gather s%d.e, s8.e\n", (long long)g, slice), done[0]++;
        else
            fprintf(out, " at %lld scatter s%d.w, s8.w\n", (long long)s, slice), done[1]++;
    }
    (void)m;
}

bool bench_histogram(TspProgram *p, int32_t steps, TspError *err) {
    TspMachine m;
    char *text = NULL;
    size_t length;
    int64_t at_vxm, issue, result, start = 20;
    FILE *out = open_memstream(&text, &length);
    if (!out) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (!tsp_machine_load(&m, "tsp1", err)) return false;
    /* The map passes the table slices eastward, the counts keep their distance to it. */
    at_vxm = start + column(&m, "vxm.0");
    issue = at_vxm + m.mem_read_cycles + m.mem_indirect_cycles;
    result = issue + m.vxm_entry_cycles + m.vxm_op_cycles + m.vxm_exit_cycles;
    /* Gathers and scatters of a slice take turns: an odd distance, if need be by one more ALU. */
    const bool longer = (result + column(&m, "vxm.0") - start) % 2 == 0;
    if (longer) result += m.vxm_op_cycles;
    fprintf(out,
            ".tensor map, int8, [%d, 320], input\n.piece slice=mem.w40, addr=0\n"
            ".piece slice=mem.e40, addr=0\n",
            (int)steps);
    fprintf(out, ".tensor counts, int32, [8192, 320], input @ mem.w0:0\n"
                 ".tensor result, int32, [8192, 320], output @ mem.w0:0\n");
    for (int32_t i = 0; i < 4; i++) {
        const int64_t c = column(&m, "mem.w0");
        table_queue(out, &m, i, start + c, result + column(&m, "vxm.0") - c, steps);
    }
    fprintf(out, "@mem.w40\n at %lld read 0, s8.e\n repeat %d, 2, 1\n",
            (long long)(start + column(&m, "mem.w40") - m.mem_read_cycles), (int)steps - 1);
    fprintf(out, "@mem.e40\n at %lld read 0, s8.w\n repeat %d, 2, 1\n",
            (long long)(result - column(&m, "mem.e40") + column(&m, "vxm.0") - m.mem_read_cycles),
            (int)steps - 1);
    fprintf(out, "@vxm.0\n at %lld add i32, %s, s0.e, #1\n repeat %d, 2\n", (long long)issue,
            longer ? "none" : "s0.w", (int)steps - 1);
    if (longer)
        fprintf(out, "@vxm.1\n at %lld add i32, s0.w, alu0, #0\n repeat %d, 2\n",
                (long long)(issue + m.vxm_op_cycles), (int)steps - 1);
    return assemble_stream(p, out, &text, err);
}

/* -- inputs and runs -- */

/* Maps name rows of the table: a key's row in one of 32 copies, which take turns so that a count
 * has come back before it is asked for again. */
static void fill_map(uint8_t *data, int64_t rows, uint64_t state) {
    for (int64_t r = 0; r < rows; r++)
        for (int32_t k = 0; k < 20; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            data[r * 320 + k * 16] = (uint8_t)(state >> 56);
            data[r * 320 + k * 16 + 1] = (uint8_t)(r % 32);
        }
}

uint8_t *bench_input(const TspTensor *t, int32_t i) {
    const int64_t bytes = tsp_tensor_bytes(t);
    uint8_t *data = calloc((size_t)bytes + 8, 1);
    uint64_t state = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1);
    if (!data || !strcmp(t->name, "counts")) return data;
    if (!strcmp(t->name, "map")) {
        fill_map(data, bytes / 320, state);
        return data;
    }
    for (int64_t at = 0; at < bytes; at += 8) {
        uint64_t bits;
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        bits = state;
        if (t->dtype == TSP_F16) /* 2^-7 .. 2: 0x2000 to 0x3fff, of both signs */
            bits = (bits & 0x9fff9fff9fff9fffu) | 0x2000200020002000u;
        if (t->dtype == TSP_F32) bits = (bits & 0x87ffffff87ffffffu) | 0x3800000038000000u;
        memcpy(data + at, &bits, 8);
    }
    return data;
}

bool bench_load(BenchRun *run, const TspSimOptions *options, TspError *err) {
    run->sim = tsp_sim_new(&run->program, options, err);
    if (!run->sim) return false;
    for (int32_t i = 0; i < run->program.tensor_count; i++) {
        const TspTensor *t = &run->program.tensors[i];
        uint8_t *data;
        bool done;
        if (t->role != TSP_ROLE_INPUT) continue;
        data = bench_input(t, i);
        done = data && tsp_sim_write_tensor(run->sim, i, data, err);
        free(data);
        if (!done) return data || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    }
    return true;
}

void bench_unload(BenchRun *run) {
    tsp_sim_free(run->sim);
    run->sim = NULL;
}

bool bench_run(BenchRun *run, double *seconds, double *reset_s, TspError *err) {
    double start = bench_now(), reset;
    if (!tsp_sim_seek(run->sim, 0, err)) return false;
    reset = bench_now();
    if (reset_s) *reset_s = reset - start;
    if (!tsp_sim_run(run->sim, err)) return false;
    *seconds = bench_now() - reset;
    return true;
}

int64_t bench_tensor_bytes(const TspProgram *p) {
    int64_t bytes = 0;
    for (int32_t i = 0; i < p->tensor_count; i++) bytes += tsp_tensor_bytes(&p->tensors[i]);
    return bytes;
}
