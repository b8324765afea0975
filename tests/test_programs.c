/* test_programs.c - the programs written by hand: assembled, run, every result and cycle checked.
 */
#include "isa/asm.h"
#include "sim/sim.h"

#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static TspProgram assemble_file(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t length;
    static char text[1 << 16];
    TspMachine m;
    TspProgram p;
    TspError err;
    if (!file) ck_abort_msg("cannot read %s", path);
    length = fread(text, 1, sizeof text, file);
    fclose(file);
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    if (!tsp_assemble(&p, &m, text, length, path, &err)) ck_abort_msg("%s", err.text);
    return p;
}

static int32_t tensor(const TspProgram *p, const char *name) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (!strcmp(p->tensors[i].name, name)) return i;
    ck_abort_msg("no tensor %s", name);
}

/* Bytes from a generator with a fixed seed. */
static void fill(int8_t *data, size_t count, uint32_t seed) {
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (int8_t)(seed >> 24);
    }
}

static TspSim *start(const TspProgram *p) {
    TspError err;
    TspSim *sim = tsp_sim_new(p, NULL, &err);
    if (!sim) ck_abort_msg("%s", err.text);
    return sim;
}

static void place(TspSim *sim, int32_t index, const void *data) {
    TspError err;
    if (!tsp_sim_write_tensor(sim, index, data, &err)) ck_abort_msg("%s", err.text);
}

static void run(TspSim *sim) {
    TspError err;
    if (!tsp_sim_run(sim, &err)) ck_abort_msg("%s", err.text);
}

static void collect(const TspSim *sim, int32_t index, void *data) {
    TspError err;
    if (!tsp_sim_read_tensor(sim, index, data, &err)) ck_abort_msg("%s", err.text);
}

START_TEST(vecadd) {
    enum { COUNT = 8 * 320 };
    static int8_t x[COUNT], y[COUNT], z[COUNT];
    TspProgram p = assemble_file("programs/vecadd.s");
    TspSim *sim = start(&p);
    fill(x, COUNT, 1);
    fill(y, COUNT, 2);
    place(sim, tensor(&p, "X"), x);
    place(sim, tensor(&p, "Y"), y);
    run(sim);
    collect(sim, tensor(&p, "Z"), z);
    for (int32_t i = 0; i < COUNT; i++) {
        int32_t sum = x[i] + y[i];
        ck_assert_int_eq(z[i], sum > 127 ? 127 : sum < -128 ? -128 : sum);
    }
    ck_assert_int_eq(p.predicted_cycles, 21);
    ck_assert_int_eq(tsp_sim_stats(sim).cycles, 21);
    TspInterval op = tsp_sim_op_interval(sim, 0);
    ck_assert_int_eq(op.start, p.ops[0].start);
    ck_assert_int_eq(op.end, p.ops[0].end);
    tsp_sim_free(sim);
    tsp_program_free(&p);
}
END_TEST

START_TEST(barrier) {
    enum { COUNT = 4 * 320 };
    static int8_t x[COUNT], y[COUNT];
    TspProgram p = assemble_file("programs/barrier.s");
    TspSim *sim = start(&p);
    fill(x, COUNT, 1);
    place(sim, tensor(&p, "X"), x);
    run(sim);
    collect(sim, tensor(&p, "Y"), y);
    ck_assert_mem_eq(x, y, COUNT);
    ck_assert_int_eq(tsp_sim_word_start(sim, tsp_queue_find(&p.machine, "mem.e0"), 4), 55);
    ck_assert_int_eq(tsp_sim_word_start(sim, tsp_queue_find(&p.machine, "mem.w1"), 2), 58);
    ck_assert_int_eq(tsp_sim_stats(sim).cycles, 64);
    tsp_sim_free(sim);
    tsp_program_free(&p);
}
END_TEST

/* First and last issue of an opcode in the whole program. */
static void issues(const TspProgram *p, TspOpcode op, int64_t *first, int64_t *last) {
    *first = INT64_MAX;
    *last = -1;
    for (int32_t q = 0; q < tsp_queue_count(&p->machine); q++) {
        int64_t next = 0, issue = 0;
        TspInsn previous = {0};
        for (int32_t i = 0; i < p->queues[q].count; i++) {
            TspInsn insn;
            TspError err;
            ck_assert(tsp_decode(p->queues[q].words[i], &insn, &err));
            if (insn.op == TSP_OP_REPEAT) {
                issue += (int64_t)insn.n * insn.d + (int64_t)insn.n2 * insn.d2;
                insn = previous;
            } else {
                issue = next;
            }
            next = issue + (insn.op == TSP_OP_NOP ? insn.n : 1);
            if (insn.op == op && issue < *first) *first = issue;
            if (insn.op == op && issue > *last) *last = issue;
            previous = insn;
        }
    }
}

START_TEST(weights_in_fewer_than_40_cycles) {
    TspProgram p = assemble_file("programs/weights.s");
    int64_t first, last, first_load, last_load, first_install, last_install;
    issues(&p, TSP_OP_READ, &first, &last);
    issues(&p, TSP_OP_LW, &first_load, &last_load);
    issues(&p, TSP_OP_IW, &first_install, &last_install);
    ck_assert_int_eq(first, 0);
    ck_assert_int_eq(first_load, 10);
    ck_assert_int_eq(last_load, 29);
    ck_assert_int_eq(first_install, 35);
    ck_assert_int_eq(last_install, 35);
    int64_t installed = last_install + p.machine.mxm_install_cycles;
    ck_assert_int_eq(installed, 38);
    ck_assert_int_lt(installed - first, 40);
    tsp_program_free(&p);
}
END_TEST

START_TEST(weights_arrive) {
    enum { N = 320, PLANES = 4 };
    static int8_t w[PLANES * N][N], x[N];
    static int32_t y[PLANES * N];
    TspProgram p = assemble_file("programs/weights.s");
    TspSim *sim = start(&p);
    fill(&w[0][0], sizeof w, 3);
    fill(x, N, 4);
    place(sim, tensor(&p, "W"), w);
    place(sim, tensor(&p, "X"), x);
    run(sim);
    collect(sim, tensor(&p, "Y"), y);
    for (int32_t n = 0; n < PLANES * N; n++) {
        int32_t sum = 0;
        for (int32_t k = 0; k < N; k++) sum += w[n][k] * x[k];
        ck_assert_int_eq(y[n], sum);
    }
    ck_assert_int_eq(p.predicted_cycles, 114);
    TspSimStats stats = tsp_sim_stats(sim);
    ck_assert_int_eq(stats.cycles, 114);
    ck_assert_int_eq(stats.macs, PLANES * N * N);
    /* 64 slices bring 20 vectors each: every weight once; and the two copies of X. */
    ck_assert_int_eq(stats.mem_reads, 64 * 20 + 2);
    ck_assert_int_eq(stats.mem_writes, 16);
    for (int32_t i = 0; i < p.op_count; i++) {
        TspInterval op = tsp_sim_op_interval(sim, i);
        ck_assert_int_eq(op.start, p.ops[i].start);
        ck_assert_int_eq(op.end, p.ops[i].end);
    }
    ck_assert_int_eq(p.ops[0].start, 0);
    ck_assert_int_eq(p.ops[0].end, 38);
    tsp_sim_free(sim);
    tsp_program_free(&p);
}
END_TEST

/* One cycle earlier the program is illegal: the schedule has no slack. */
START_TEST(installing_a_cycle_earlier_is_refused) {
    TspProgram p = assemble_file("programs/weights.s");
    int32_t queue = tsp_queue_find(&p.machine, "mxm.e.1.weights");
    TspQueue *q = &p.queues[queue];
    static int8_t w[1280 * 320], x[320];
    TspInsn nop;
    TspError err;
    ck_assert(tsp_decode(q->words[q->count - 2], &nop, &err));
    ck_assert_int_eq(nop.op, TSP_OP_NOP);
    nop.n--;
    ck_assert(tsp_encode(&nop, &q->words[q->count - 2], &err));
    TspSim *sim = start(&p);
    place(sim, tensor(&p, "W"), w);
    place(sim, tensor(&p, "X"), x);
    ck_assert(!tsp_sim_run(sim, &err));
    ck_assert_int_eq(err.rule, TSP_RULE_WEIGHT_EMPTY);
    ck_assert_int_eq(err.cycle, 34);
    ck_assert_int_eq(err.queue, queue);
    tsp_sim_free(sim);
    tsp_program_free(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("programs");
    TCase *tests = tcase_create("programs");
    tcase_add_test(tests, vecadd);
    tcase_add_test(tests, barrier);
    tcase_add_test(tests, weights_in_fewer_than_40_cycles);
    tcase_add_test(tests, weights_arrive);
    tcase_add_test(tests, installing_a_cycle_earlier_is_refused);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
