/* test_play.c - time that passes, breakpoints, and the next time that something happens: against a
 * plain list of what happens in every cycle of random programs, and by hand.
 */
#include "viz/play.h"

#include "panel.h"
#include "random_program.h"

/* -- events -- */

/* Whether it happens in the cycle that the run looks at, found without the searches. */
static bool happens(const VizRun *run, VizEvent event) {
    const int32_t queues = tsp_queue_count(run->m);
    const int64_t rows = tsp_mem_slice_rows(run->m);
    if (event.kind == VIZ_EVENT_CYCLE) return event.id == run->cycle;
    if (event.kind == VIZ_EVENT_REGISTER)
        return viz_run_drive(run, (int32_t)(event.id / TSP_MAX_COLUMNS),
                             (int32_t)(event.id % TSP_MAX_COLUMNS), 0) != NULL;
    for (int32_t q = 0; q < queues; q++) {
        VizIssue issue;
        TspInsn insn;
        bool begins, row;
        if (!viz_issue_at(&run->timeline, q, run->cycle, &issue)) continue;
        insn = viz_issue_insn(&run->timeline, &issue);
        begins = issue.cycle == issue.burst->start;
        row = ((insn.op == TSP_OP_READ || insn.op == TSP_OP_READ_WRITE) &&
               q * rows + insn.addr == event.id) ||
              ((insn.op == TSP_OP_WRITE || insn.op == TSP_OP_READ_WRITE) &&
               q * rows + insn.waddr == event.id);
        if ((event.kind == VIZ_EVENT_ANY) || (event.kind == VIZ_EVENT_ISSUE && q == event.id) ||
            (event.kind == VIZ_EVENT_OPCODE && q == event.id && insn.op == event.opcode) ||
            (event.kind == VIZ_EVENT_ROW && row) ||
            (event.kind == VIZ_EVENT_OP && begins &&
             (issue.burst->op[0] == event.id || issue.burst->op[1] == event.id)) ||
            (event.kind == VIZ_EVENT_TENSOR && begins &&
             (issue.burst->tensor[1] == event.id ||
              run->burst_tensor[issue.burst - run->timeline.bursts] == event.id)))
            return true;
    }
    return false;
}

/* Searches from every cycle, both ways, find what happens. */
static void check_event(VizRun *run, VizEvent event) {
    const int64_t end = run->timeline.cycles;
    bool *list = malloc((size_t)end + 1);
    int64_t before = -1, next = -1, at;
    TspError err = {0};
    for (int64_t c = 0; c <= end; c++) {
        ck_assert_msg(viz_run_look(run, c, &err), "%s", err.text);
        list[c] = happens(run, event);
    }
    for (int64_t c = 0; c <= end; c++) {
        if (next <= c)
            for (next = c + 1; next <= end && !list[next];) next++;
        ck_assert(viz_event_next(run, event, c, INT64_MAX, &at) == (next <= end));
        if (next <= end) {
            ck_assert_int_eq(at, next);
            ck_assert(viz_event_next(run, event, c, next, &at));
            ck_assert(!viz_event_next(run, event, c, next - 1, &at));
        }
        ck_assert(viz_event_previous(run, event, c, &at) == (before >= 0));
        if (before >= 0) ck_assert_int_eq(at, before);
        if (list[c]) before = c;
    }
    free(list);
}

/* Of each kind some, of things that the program has to do with. */
static void check_events(VizRun *run) {
    const VizTimeline *t = &run->timeline;
    VizThing thing;
    for (int32_t i = 0; i < 4 && t->burst_count > 0; i++) {
        const VizBurst *b = &t->bursts[pick(0, t->burst_count - 1)];
        const TspInsn insn = viz_burst_insn(t, b, NULL);
        VizStreams out[VIZ_OPERANDS];
        thing = (VizThing){VIZ_BURST, b - t->bursts};
        check_event(run, viz_event_of(run, thing));
        check_event(run, viz_break_on(run, thing, 0));
        if (b->tensor[0] >= 0 || b->opcode == TSP_OP_READ || b->opcode == TSP_OP_WRITE)
            check_event(
                run, viz_event_of(run, (VizThing){VIZ_ROW, b->queue * tsp_mem_slice_rows(run->m) +
                                                               insn.addr + insn.waddr}));
        if (viz_insn_outputs(run->m, &insn, out) > 0)
            check_event(
                run, viz_event_of(run, (VizThing){VIZ_REGISTER,
                                                  viz_register(out[0].base,
                                                               pick(0, tsp_columns(run->m) - 1))}));
    }
    check_event(run, viz_event_of(run, (VizThing){VIZ_NOTHING, 0}));
    check_event(run, viz_break_on(run, (VizThing){VIZ_NOTHING, 0}, t->cycles / 2));
    if (run->program->op_count > 0)
        check_event(run,
                    viz_event_of(run, (VizThing){VIZ_OP, pick(0, run->program->op_count - 1)}));
    if (run->program->tensor_count > 0)
        check_event(run, viz_event_of(
                             run, (VizThing){VIZ_TENSOR, pick(0, run->program->tensor_count - 1)}));
}

START_TEST(searches_find_what_happens) {
    static Random drawn;
    const char *scale = getenv("TSP_TEST_SCALE");
    const int32_t programs = scale && !strcmp(scale, "small") ? 10 : 60;
    int32_t checked = 0;
    random_start();
    for (uint64_t seed = random_state; checked < programs; seed++) {
        TspProgram p;
        VizRun run;
        TspError err = {0};
        random_from(seed);
        random_program(&drawn, "tiny", pick(1, 14), true);
        ck_assert(random_build(&drawn, &p));
        ck_assert_msg(viz_run_open(&run, &p, NULL, drawn.modelled, &err), "%s", err.text);
        if (!run.failed && run.timeline.cycles < 2000) {
            check_events(&run);
            checked++;
        }
        viz_run_close(&run);
        random_release(&p);
        random_free(&drawn);
    }
}
END_TEST

static void open_vecadd(TspProgram *p, VizRun *run) {
    TspError err = {0};
    panel_program(p, "programs/vecadd.s", "tsp1");
    ck_assert_msg(viz_run_open(run, p, NULL, false, &err), "%s", err.text);
}

static VizThing named(const VizRun *run, const char *name) {
    VizThing thing;
    TspError err = {0};
    ck_assert_msg(viz_thing_find(run, name, &thing, &err), "%s", err.text);
    return thing;
}

/* First and last cycle in which it happens, and what it is called. */
static const struct {
    const char *thing;
    int64_t first, last;
    const char *event, *stop;
} vecadd[] = {
    {"mem.w0", 0, 7, "mem.w0 issues", "mem.w0 issues"},
    {"vxm.0", 2, 9, "vxm.0 issues", "vxm.0 issues"},
    {"burst:2", 11, 18, "mem.e4 issues", "mem.e4 issues write"},
    {"row:mem.w0:3", 3, 3, "row:mem.w0:3 is read or written", "row:mem.w0:3 is read or written"},
    {"row:mem.e4:7", 18, 18, "row:mem.e4:7 is read or written", "row:mem.e4:7 is read or written"},
    {"register:s0.e:13", 2, 9, "register:s0.e:13 gets a vector", "register:s0.e:13 gets a vector"},
    {"register:s1.e:15", 11, 18, "register:s1.e:15 gets a vector",
     "register:s1.e:15 gets a vector"},
    {"tensor:Y", 0, 0, "an instruction of tensor:Y begins", "an instruction of tensor:Y begins"},
    {"op:Z", 0, 11, "an instruction of op:Z begins", "an instruction of op:Z begins"},
    {"cycle:5", 0, 18, "anything issues", "cycle 5"},
};

START_TEST(events_of_vecadd) {
    TspProgram p;
    VizRun run;
    char name[VIZ_NAME_MAX];
    int64_t at;
    open_vecadd(&p, &run);
    for (size_t i = 0; i < sizeof vecadd / sizeof vecadd[0]; i++) {
        const VizThing thing = named(&run, vecadd[i].thing);
        const VizEvent event = viz_event_of(&run, thing);
        viz_thing_name(&run, thing, name);
        ck_assert_str_eq(name, vecadd[i].thing);
        ck_assert(viz_event_next(&run, event, -1, INT64_MAX, &at));
        ck_assert_msg(at == vecadd[i].first, "%s: %lld", name, (long long)at);
        ck_assert(viz_event_previous(&run, event, 1000, &at));
        ck_assert_msg(at == vecadd[i].last, "%s: %lld", name, (long long)at);
        ck_assert(!viz_event_next(&run, event, vecadd[i].last, INT64_MAX, &at));
        ck_assert(!viz_event_previous(&run, event, vecadd[i].first, &at));
        ck_assert(viz_event_exists(&run, event));
        viz_event_name(&run, event, name);
        ck_assert_str_eq(name, vecadd[i].event);
        viz_event_name(&run, viz_break_on(&run, thing, 3), name);
        ck_assert_str_eq(name, vecadd[i].stop);
    }
    ck_assert(!viz_event_next(&run, viz_event_of(&run, named(&run, "register:s0.e:11")), -1,
                              INT64_MAX, &at));
    ck_assert(!viz_event_exists(&run, (VizEvent){.kind = VIZ_EVENT_OP, .id = 7}));
    viz_run_close(&run);
    tsp_program_free(&p);
}
END_TEST

/* -- names -- */

START_TEST(names_that_are_none) {
    static const char *const names[] = {
        "",
        "mem",
        "mem.w99",
        "op:",
        "op:Q",
        "op:#1",
        "op:#-1",
        "tensor:#9",
        "row:mem.w0",
        "row:mem.w0:99999",
        "row:vxm.0:0",
        "row:mem.w0:-1",
        "register:s0.e",
        "register:s32.e:0",
        "register:s0.x:0",
        "burst:4",
        "burst:x",
        "cycle:22",
        "register:s0.e:99",
        "burst: 1",
    };
    TspProgram p;
    VizRun run;
    VizThing thing;
    TspError err = {0};
    open_vecadd(&p, &run);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_msg(!viz_thing_find(&run, names[i], &thing, &err), "%s", names[i]);
        ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    }
    ck_assert(viz_thing_find(&run, "tensor:#1", &thing, &err));
    ck_assert_int_eq(thing.id, 1);
    free(p.tensors[1].name); /* the second of a name goes by its number */
    p.tensors[1].name = strdup("X");
    {
        char name[VIZ_NAME_MAX];
        viz_thing_name(&run, (VizThing){VIZ_TENSOR, 0}, name);
        ck_assert_str_eq(name, "tensor:X");
        viz_thing_name(&run, (VizThing){VIZ_TENSOR, 1}, name);
        ck_assert_str_eq(name, "tensor:#1");
    }
    viz_run_close(&run);
    tsp_program_free(&p);
}
END_TEST

START_TEST(search_goes_round) {
    static const char *const found[] = {"mem.w0", "mem.e0", "mem.e4", "mem.w0"};
    TspProgram p;
    VizRun run;
    VizThing at = {VIZ_NOTHING, 0};
    char name[VIZ_NAME_MAX];
    open_vecadd(&p, &run);
    for (int32_t i = 0; i < 4; i++) {
        ck_assert(viz_search(&run, "MEM", at, true, &at));
        viz_thing_name(&run, at, name);
        ck_assert_str_eq(name, found[i]);
    }
    ck_assert(viz_search(&run, "mem", at, false, &at));
    viz_thing_name(&run, at, name);
    ck_assert_str_eq(name, "mem.e4");
    at = (VizThing){VIZ_NOTHING, 0};
    ck_assert(viz_search(&run, "z", at, true, &at)); /* op before tensor */
    viz_thing_name(&run, at, name);
    ck_assert_str_eq(name, "op:Z");
    ck_assert(viz_search(&run, "z", at, true, &at));
    viz_thing_name(&run, at, name);
    ck_assert_str_eq(name, "tensor:Z");
    ck_assert(!viz_search(&run, "sxm", at, true, &at)); /* they do nothing here */
    ck_assert(!viz_search(&run, "", at, true, &at));
    viz_run_close(&run);
    tsp_program_free(&p);
}
END_TEST

/* -- time -- */

START_TEST(time_passes) {
    const VizBreaks none = {.count = 0};
    TspProgram p;
    VizRun run;
    VizTime time = {0, 0};
    int32_t which;
    open_vecadd(&p, &run);
    ck_assert_int_eq(viz_play(&run, &none, &time, 0.25, 10, &which), VIZ_GOES_ON);
    ck_assert_int_eq(time.cycle, 2);
    ck_assert_double_eq(time.phase, 0.5);
    viz_play(&run, &none, &time, 0, 10, &which);  /* no time */
    viz_play(&run, &none, &time, -5, 10, &which); /* never back */
    ck_assert_int_eq(time.cycle, 2);
    for (int32_t i = 0; i < 60; i++) viz_play(&run, &none, &time, 1.0 / 64, 10, &which);
    ck_assert_int_eq(time.cycle, 11); /* 2.5 + 600 / 64 = 11.875 */
    ck_assert_double_eq(time.phase, 0.875);
    ck_assert_int_eq(viz_play(&run, &none, &time, 1, 100000, &which), VIZ_ENDED);
    ck_assert_int_eq(time.cycle, 21);
    ck_assert_double_eq(time.phase, 0);
    ck_assert_int_eq(viz_play(&run, &none, &time, 1, 10, &which), VIZ_ENDED);
    viz_run_close(&run);
    tsp_program_free(&p);
}
END_TEST

START_TEST(breakpoints_stop_once) {
    VizBreaks breaks = {.count = 0};
    TspProgram p;
    VizRun run;
    VizTime time = {0, 0.9};
    int32_t which = -1;
    bool set;
    open_vecadd(&p, &run);
    ck_assert(viz_breaks_toggle(&breaks, viz_break_on(&run, named(&run, "row:mem.e4:2"), 0), &set));
    ck_assert(set);
    ck_assert(viz_breaks_toggle(&breaks, viz_break_on(&run, named(&run, "cycle:5"), 0), &set));
    ck_assert(viz_breaks_toggle(&breaks, viz_break_on(&run, named(&run, "cycle:5"), 0), &set));
    ck_assert(!set);
    ck_assert(viz_breaks_toggle(&breaks, viz_break_on(&run, named(&run, "cycle:6"), 0), &set));
    ck_assert_int_eq(breaks.count, 2);
    /* A leap stops at the first of them, the next goes on from there. */
    ck_assert_int_eq(viz_play(&run, &breaks, &time, 1, 1000, &which), VIZ_STOPPED);
    ck_assert_int_eq(time.cycle, 6);
    ck_assert_double_eq(time.phase, 0);
    ck_assert_int_eq(which, 1);
    ck_assert_int_eq(viz_play(&run, &breaks, &time, 0.0001, 1000, &which), VIZ_GOES_ON);
    ck_assert_int_eq(viz_play(&run, &breaks, &time, 1, 1000, &which), VIZ_STOPPED);
    ck_assert_int_eq(time.cycle, 13);
    ck_assert_int_eq(which, 0);
    ck_assert_int_eq(viz_play(&run, &breaks, &time, 1, 1000, &which), VIZ_ENDED);
    /* One at the very end is told as such. */
    viz_breaks_toggle(&breaks, viz_break_on(&run, named(&run, "cycle:21"), 0), &set);
    time = (VizTime){20, 0};
    ck_assert_int_eq(viz_play(&run, &breaks, &time, 1, 1000, &which), VIZ_STOPPED);
    ck_assert_int_eq(time.cycle, 21);
    for (int64_t i = 0; breaks.count < VIZ_BREAKS_MAX; i++)
        ck_assert(viz_breaks_toggle(&breaks, (VizEvent){.id = 100 + i}, &set));
    ck_assert(!viz_breaks_toggle(&breaks, (VizEvent){.id = 1000}, &set));
    viz_run_close(&run);
    tsp_program_free(&p);
}
END_TEST

START_TEST(speeds) {
    double speed = 1;
    const double want[] = {1,   2,    5,    10,   20,    50,    100,   200,
                           500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};
    for (int32_t i = 0; i < 16; i++, speed = viz_speed_step(speed, 1))
        ck_assert_double_eq(speed, want[i]);
    ck_assert_double_eq(speed, 100000);
    for (int32_t i = 15; i >= 0; i--, speed = viz_speed_step(speed, -1))
        ck_assert_double_eq(speed, want[i]);
    ck_assert_double_eq(speed, 1);
    ck_assert_double_eq(viz_speed_step(7, 0), 10); /* from in between */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("play");
    TCase *tcase = tcase_create("play");
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, searches_find_what_happens);
    tcase_add_test(tcase, events_of_vecadd);
    tcase_add_test(tcase, names_that_are_none);
    tcase_add_test(tcase, search_goes_round);
    tcase_add_test(tcase, time_passes);
    tcase_add_test(tcase, breakpoints_stop_once);
    tcase_add_test(tcase, speeds);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
