/* test_host_link.c - the host link's timeline: computed by hand, and by the recurrence as it stands
 * in the header.
 */
#include "sim/host_link.h"

#include "seeded.h"
#include "suite.h"

static TspHostLink link_of(int64_t clock_hz, int64_t latency_ns, int64_t bytes_per_s) {
    TspMachine m;
    TspHostLink link;
    ck_assert(tsp_machine_builtin(&m, "tsp1"));
    m.clock_hz = clock_hz;
    m.pcie_latency_ns = latency_ns;
    m.pcie_bytes_per_s = bytes_per_s;
    tsp_host_init(&link, &m);
    return link;
}

/* tsp1: 9,000 cycles of latency, 80 bytes in 3 cycles. */
static TspHostLink link_of_tsp1(void) {
    return link_of(900000000, 10000, 24000000000);
}

typedef bool (*Event)(TspHostLink *link, int64_t size, TspHostSpan *span, TspError *err);

static void expect(TspHostLink *link, Event event, int64_t size, int64_t start, int64_t end) {
    TspHostSpan span;
    TspError err;
    ck_assert_msg(event(link, size, &span, &err), "%s", err.text);
    ck_assert_int_eq(span.start, start);
    ck_assert_int_eq(span.end, end);
}

static void refuse(TspHostLink *link, Event event, int64_t size, TspErrorKind kind,
                   const char *text) {
    TspHostLink before = *link;
    TspHostSpan span;
    TspError err;
    ck_assert(!event(link, size, &span, &err));
    ck_assert_int_eq(err.kind, kind);
    ck_assert_str_eq(err.text, text);
    ck_assert_mem_eq(link, &before, sizeof before);
}

START_TEST(a_transfer_alone) {
    static const struct {
        int64_t bytes, cycles;
    } cases[] = {{0, 9000},  {1, 9001},  {26, 9001},        {27, 9002},
                 {80, 9003}, {81, 9004}, {8000000, 309000}, {16000000000, 600009000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TspHostLink link = link_of_tsp1();
        expect(&link, tsp_host_arrive, cases[i].bytes, 0, cases[i].cycles);
        ck_assert_int_eq(tsp_host_total(&link), cases[i].cycles);
    }
}
END_TEST

/* Nothing waits but the chip: each block is asked for before the one before it is in, so the
 * latency is paid once. */
START_TEST(the_link_binds) {
    TspHostLink link = link_of_tsp1();
    expect(&link, tsp_host_arrive, 8000000, 0, 309000);
    expect(&link, tsp_host_arrive, 8000000, 0, 609000);
    expect(&link, tsp_host_run, 100000, 309000, 409000);
    expect(&link, tsp_host_arrive, 8000000, 409000, 909000);
    expect(&link, tsp_host_run, 100000, 609000, 709000);
    expect(&link, tsp_host_arrive, 4000000, 709000, 1059000);
    expect(&link, tsp_host_run, 100000, 909000, 1009000);
    expect(&link, tsp_host_run, 50000, 1059000, 1109000);
    expect(&link, tsp_host_return, 800, 1109000, 1118030);
    ck_assert_int_eq(tsp_host_total(&link), 1118030);
}
END_TEST

/* The chip is the slower one: a block comes in under the run before it. */
START_TEST(the_chip_binds) {
    TspHostLink link = link_of_tsp1();
    expect(&link, tsp_host_arrive, 80, 0, 9003);
    expect(&link, tsp_host_arrive, 80, 0, 9006);
    expect(&link, tsp_host_run, 100000, 9003, 109003);
    expect(&link, tsp_host_arrive, 80, 109003, 118006);
    expect(&link, tsp_host_run, 100000, 109003, 209003);
    expect(&link, tsp_host_run, 100000, 209003, 309003);
    ck_assert_int_eq(tsp_host_total(&link), 309003);
}
END_TEST

/* Runs too short to cover the latency: every block after the first two waits for it. */
START_TEST(the_latency_binds) {
    TspHostLink link = link_of_tsp1();
    expect(&link, tsp_host_arrive, 80, 0, 9003);
    expect(&link, tsp_host_arrive, 80, 0, 9006);
    expect(&link, tsp_host_run, 10, 9003, 9013);
    expect(&link, tsp_host_arrive, 80, 9013, 18016);
    expect(&link, tsp_host_run, 10, 9013, 9023);
    expect(&link, tsp_host_arrive, 80, 9023, 18026);
    expect(&link, tsp_host_run, 10, 18016, 18026);
    expect(&link, tsp_host_run, 0, 18026, 18026);
    ck_assert_int_eq(tsp_host_total(&link), 18026);
}
END_TEST

/* 1 byte is 3/80 of a cycle: the ends are rounded, the queue is not. */
START_TEST(rounding_does_not_add_up) {
    TspHostLink link = link_of_tsp1();
    expect(&link, tsp_host_return, 1, 0, 9001);
    for (int i = 2; i < 1000; i++) expect(&link, tsp_host_return, 1, 0, 9000 + (i * 3 + 79) / 80);
}
END_TEST

START_TEST(directions_do_not_disturb_each_other) {
    TspHostLink link = link_of_tsp1();
    expect(&link, tsp_host_arrive, 80, 0, 9003);
    expect(&link, tsp_host_arrive, 8000000, 0, 309003);
    expect(&link, tsp_host_run, 1, 9003, 9004);
    expect(&link, tsp_host_return, 80, 9004, 18007);
    expect(&link, tsp_host_return, 80, 9004, 18010);
    ck_assert_int_eq(tsp_host_total(&link), 309003);
}
END_TEST

START_TEST(turns_and_sizes_are_checked) {
    const char *too_long = "transfers and runs take more than 2^63 cycles; give the machine a "
                           "greater pcie_bytes_per_s";
    TspHostLink link = link_of_tsp1();
    refuse(&link, tsp_host_run, 1, TSP_ERR_BUG, "run 0 has no block");
    refuse(&link, tsp_host_arrive, -1, TSP_ERR_BUG, "a transfer of -1 bytes");
    expect(&link, tsp_host_arrive, 80, 0, 9003);
    expect(&link, tsp_host_arrive, 80, 0, 9006);
    refuse(&link, tsp_host_arrive, 80, TSP_ERR_BUG,
           "block 2 has no buffer: run 0 has not been told");
    refuse(&link, tsp_host_run, -1, TSP_ERR_BUG, "a run of -1 cycles");
    refuse(&link, tsp_host_run, INT64_MAX - 9002, TSP_ERR_INPUT, too_long);
    expect(&link, tsp_host_run, INT64_MAX - 9003, 9003, INT64_MAX);
    refuse(&link, tsp_host_arrive, 0, TSP_ERR_INPUT, too_long);

    link = link_of(900000000, 10000, 1);
    refuse(&link, tsp_host_arrive, 16000000000, TSP_ERR_INPUT, too_long);
    refuse(&link, tsp_host_return, INT64_MAX, TSP_ERR_INPUT, too_long);
    expect(&link, tsp_host_arrive, 10000000000, 0, INT64_C(9000000000000009000));
    refuse(&link, tsp_host_arrive, INT64_MAX, TSP_ERR_INPUT, too_long);
}
END_TEST

/* The recurrence of the header, in units of 1/rate cycles, so that nothing is rounded but what the
 * chip waits for. */
typedef struct {
    int64_t latency, rate; /* cycles; bytes a cycle, times ten */
    int64_t end;           /* of the queue, in units */
} Recurrence;

static int64_t recur(Recurrence *r, int64_t now, int64_t bytes) {
    int64_t begin = (now + r->latency) * r->rate;
    r->end = (begin > r->end ? begin : r->end) + bytes * 10;
    return (r->end + r->rate - 1) / r->rate;
}

START_TEST(random_timelines) {
    random_start();
    for (int trial = 0; trial < 2000; trial++) {
        Recurrence in = {.latency = pick(0, 3) * pick(0, 200), .rate = pick(1, 99)}, out = in;
        TspHostLink link = link_of(1000000000, in.latency, in.rate * 100000000);
        const int64_t most = pick(1, 1000), longest = pick(1, 1000);
        int64_t ended[64] = {0}, arrived[64] = {0}, total = 0;
        for (int i = 0; i < 60; i++) {
            int64_t now = i < 2 ? 0 : ended[i - 2], bytes = random_below((int32_t)most + 1);
            arrived[i] = recur(&in, now, bytes);
            expect(&link, tsp_host_arrive, bytes, now, arrived[i]);
            if (arrived[i] > total) total = arrived[i];
            if (i > 0) { /* run i - 1 */
                int64_t before = i < 2 ? 0 : ended[i - 2], cycles = random_below((int32_t)longest);
                int64_t start = arrived[i - 1] > before ? arrived[i - 1] : before;
                ended[i - 1] = start + cycles;
                expect(&link, tsp_host_run, cycles, start, ended[i - 1]);
                if (ended[i - 1] > total) total = ended[i - 1];
            }
            if (i > 0 && one_in(4)) {
                int64_t back = random_below((int32_t)most), end = recur(&out, ended[i - 1], back);
                expect(&link, tsp_host_return, back, ended[i - 1], end);
                if (end > total) total = end;
            }
            ck_assert_int_eq(tsp_host_total(&link), total);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("host_link");
    TCase *tests = tcase_create("host_link");
    tcase_add_test(tests, a_transfer_alone);
    tcase_add_test(tests, the_link_binds);
    tcase_add_test(tests, the_chip_binds);
    tcase_add_test(tests, the_latency_binds);
    tcase_add_test(tests, rounding_does_not_add_up);
    tcase_add_test(tests, directions_do_not_disturb_each_other);
    tcase_add_test(tests, turns_and_sizes_are_checked);
    tcase_add_test(tests, random_timelines);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
