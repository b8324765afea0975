/* bench_chip.c - programs made on the spot, in a simulator, with their inputs. */
#include "bench.h"

#include "compiler/compile.h"
#include "isa/asm.h"

#include <stdlib.h>
#include <string.h>

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

bool bench_assemble(TspProgram *p,
                    void (*write)(FILE *out, const TspMachine *m, const void *context),
                    const void *context, TspError *err) {
    TspMachine m;
    char *text = NULL;
    size_t length;
    FILE *out;
    bool done;
    if (!tsp_machine_load(&m, "tsp1", err)) return false;
    out = open_memstream(&text, &length);
    if (!out) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    write(out, &m, context);
    done = !ferror(out);
    if (fclose(out) || !done)
        done = tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    else
        done = tsp_assemble(p, &m, text, length, "bench", err);
    free(text);
    return done;
}

int32_t bench_column(const TspMachine *m, const char *queue) {
    return tsp_queue_info(m, tsp_queue_find(m, queue)).column;
}

static uint8_t *allocate(const TspTensor *t, TspError *err) {
    uint8_t *data = calloc((size_t)tsp_tensor_bytes(t) + 1, 1);
    if (!data) tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    return data;
}

static uint8_t *make_input(const BenchChip *chip, const TspTensor *t, TspError *err) {
    const bool floats = t->dtype == TSP_F16 || t->dtype == TSP_F32;
    uint8_t *data = allocate(t, err);
    if (!data) return NULL;
    if (chip->fill)
        chip->fill(t, data);
    else
        tsp_random_fill(data, t->dtype, tsp_tensor_elements(t), (uint64_t)t->name[0],
                        floats ? -1 : -128, floats ? 1 : 127);
    return data;
}

/* The inputs go one by one, so that no more than one of them is held twice. */
bool bench_load(BenchChip *chip, const TspSimOptions *options, TspError *err) {
    double start = bench_now();
    chip->sim = tsp_sim_new(&chip->program, options, err);
    chip->load_s = bench_now() - start;
    if (!chip->sim) return false;
    for (int32_t i = 0; i < chip->program.tensor_count; i++) {
        const TspTensor *t = &chip->program.tensors[i];
        uint8_t *data;
        bool done;
        if (t->role != TSP_ROLE_INPUT) continue;
        data = make_input(chip, t, err);
        start = bench_now();
        done = data && tsp_sim_write_tensor(chip->sim, i, data, err);
        chip->load_s += bench_now() - start;
        free(data);
        if (!done) return false;
    }
    return true;
}

void bench_unload(BenchChip *chip) {
    tsp_sim_free(chip->sim);
    chip->sim = NULL;
}

void bench_free(BenchChip *chip) {
    bench_unload(chip);
    tsp_program_free(&chip->program);
}

bool bench_run(void *context, double *seconds, TspError *err) {
    BenchChip *chip = context;
    const bool fresh = tsp_sim_now(chip->sim) == 0;
    double start = bench_now(), reset;
    if (!tsp_sim_seek(chip->sim, 0, err)) return false;
    reset = bench_now();
    if (!fresh && chip->resets <= BENCH_ROUNDS_MAX) chip->reset_s[chip->resets++] = reset - start;
    if (!tsp_sim_run(chip->sim, err)) return false;
    *seconds = bench_now() - reset;
    return true;
}

void bench_note(BenchChip *chip, const BenchTurn *run, BenchResult *r) {
    r->seconds = run->seconds;
    r->load_s = chip->load_s;
    r->reset_s = bench_median(chip->reset_s, chip->resets);
    r->stats = tsp_sim_stats(chip->sim);
    r->lanes = tsp_lanes(&chip->program.machine);
    for (int32_t i = 0; i < chip->program.tensor_count; i++)
        r->tensor_bytes += tsp_tensor_bytes(&chip->program.tensors[i]);
}

static int32_t find(const TspProgram *p, const char *name, TspTensorRole role, TspError *err) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, name)) return i;
    tsp_fail(err, TSP_ERR_BUG, "the program has no tensor %s", name);
    return -1;
}

uint8_t *bench_input(const BenchChip *chip, const char *name, TspError *err) {
    const int32_t i = find(&chip->program, name, TSP_ROLE_INPUT, err);
    return i < 0 ? NULL : make_input(chip, &chip->program.tensors[i], err);
}

uint8_t *bench_output(const BenchChip *chip, const char *name, TspError *err) {
    const int32_t i = find(&chip->program, name, TSP_ROLE_OUTPUT, err);
    uint8_t *data = i < 0 ? NULL : allocate(&chip->program.tensors[i], err);
    if (data && tsp_sim_read_tensor(chip->sim, i, data, err)) return data;
    free(data);
    return NULL;
}
