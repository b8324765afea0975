/* test_machine.c - built-in machines, their queues and columns, and machine files. */
#include "isa/machine.h"

#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static TspMachine machine(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

START_TEST(builtin_machines_are_valid) {
    TspError err;
    TspMachine m = machine("tsp1");
    ck_assert_str_eq(m.name, "tsp1");
    ck_assert_int_eq(m.superlanes, 20);
    ck_assert_int_eq(m.pcie_bytes_per_s, 24000000000);
    ck_assert(tsp_machine_validate(&m, &err));
    m = machine("tiny");
    ck_assert_str_eq(m.name, "tiny");
    ck_assert_int_eq(m.superlanes, 4);
    ck_assert(tsp_machine_validate(&m, &err));
    ck_assert(!tsp_machine_builtin(&m, "tsp2"));
}
END_TEST

START_TEST(tsp1_is_the_published_chip) {
    TspMachine m = machine("tsp1");
    int units[6] = {0};
    ck_assert_int_eq(tsp_lanes(&m), 320);
    ck_assert_int_eq(tsp_columns(&m), 27);
    ck_assert_int_eq(tsp_vxm_column(&m), 13);
    ck_assert_int_eq(tsp_mxm_column(&m, TSP_WEST), 0);
    ck_assert_int_eq(tsp_mxm_column(&m, TSP_EAST), 26);
    ck_assert_int_eq(tsp_sxm_column(&m, TSP_WEST), 1);
    ck_assert_int_eq(tsp_sxm_column(&m, TSP_EAST), 25);
    ck_assert_int_eq(tsp_mem_column(&m, TSP_WEST, 0), 12);
    ck_assert_int_eq(tsp_mem_column(&m, TSP_WEST, 43), 2);
    ck_assert_int_eq(tsp_mem_column(&m, TSP_EAST, 4), 15);
    ck_assert_int_eq(tsp_mem_slice_rows(&m), 8192);
    ck_assert_int_eq(tsp_queue_count(&m), 144 + 16);
    for (int32_t q = 0; q < tsp_queue_count(&m); q++) units[tsp_queue_info(&m, q).unit]++;
    ck_assert_int_eq(units[TSP_UNIT_MEM], 88);
    ck_assert_int_eq(units[TSP_UNIT_VXM], 16);
    ck_assert_int_eq(units[TSP_UNIT_MXM], 12);
    ck_assert_int_eq(units[TSP_UNIT_SXM], 28);
    ck_assert_int_eq(units[TSP_UNIT_C2C], 16);
}
END_TEST

START_TEST(queues_have_the_documented_order) {
    static const struct {
        int32_t queue;
        const char *name;
        TspQueueInfo info;
    } known[] = {
        {0, "mem.w0", {TSP_UNIT_MEM, TSP_ROLE_NONE, TSP_WEST, 0, 12}},
        {43, "mem.w43", {TSP_UNIT_MEM, TSP_ROLE_NONE, TSP_WEST, 43, 2}},
        {44, "mem.e0", {TSP_UNIT_MEM, TSP_ROLE_NONE, TSP_EAST, 0, 14}},
        {88, "vxm.0", {TSP_UNIT_VXM, TSP_ROLE_NONE, TSP_WEST, 0, 13}},
        {104, "mxm.w.0.weights", {TSP_UNIT_MXM, TSP_ROLE_WEIGHTS, TSP_WEST, 0, 0}},
        {105, "mxm.w.0.activations", {TSP_UNIT_MXM, TSP_ROLE_ACTIVATIONS, TSP_WEST, 0, 0}},
        {109, "mxm.w.1.results", {TSP_UNIT_MXM, TSP_ROLE_RESULTS, TSP_WEST, 1, 0}},
        {110, "mxm.e.0.weights", {TSP_UNIT_MXM, TSP_ROLE_WEIGHTS, TSP_EAST, 0, 26}},
        {116, "sxm.w.transpose.0", {TSP_UNIT_SXM, TSP_ROLE_TRANSPOSE, TSP_WEST, 0, 1}},
        {117, "sxm.w.transpose.1", {TSP_UNIT_SXM, TSP_ROLE_TRANSPOSE, TSP_WEST, 1, 1}},
        {121, "sxm.w.distribute.3", {TSP_UNIT_SXM, TSP_ROLE_DISTRIBUTE, TSP_WEST, 3, 1}},
        {122, "sxm.w.permute.0", {TSP_UNIT_SXM, TSP_ROLE_PERMUTE, TSP_WEST, 0, 1}},
        {126, "sxm.w.shift.3", {TSP_UNIT_SXM, TSP_ROLE_SHIFT, TSP_WEST, 3, 1}},
        {128, "sxm.w.select.1", {TSP_UNIT_SXM, TSP_ROLE_SELECT, TSP_WEST, 1, 1}},
        {129, "sxm.w.rotate.0", {TSP_UNIT_SXM, TSP_ROLE_ROTATE, TSP_WEST, 0, 1}},
        {130, "sxm.e.transpose.0", {TSP_UNIT_SXM, TSP_ROLE_TRANSPOSE, TSP_EAST, 0, 25}},
        {144, "c2c.0", {TSP_UNIT_C2C, TSP_ROLE_NONE, TSP_WEST, 0, 1}},
        {159, "c2c.15", {TSP_UNIT_C2C, TSP_ROLE_NONE, TSP_EAST, 15, 25}},
    };
    TspMachine m = machine("tsp1");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char name[32];
        TspQueueInfo info = tsp_queue_info(&m, known[i].queue), want = known[i].info;
        tsp_queue_name(&m, known[i].queue, name);
        ck_assert_str_eq(name, known[i].name);
        ck_assert_int_eq(info.unit, want.unit);
        ck_assert_int_eq(info.role, want.role);
        ck_assert_int_eq(info.index, want.index);
        ck_assert_int_eq(info.column, want.column);
        if (info.unit != TSP_UNIT_VXM) ck_assert_int_eq(info.hemisphere, want.hemisphere);
    }
    ck_assert_int_eq(tsp_queue_vxm(&m, 15), 103);
    ck_assert_int_eq(tsp_queue_mxm(&m, TSP_EAST, 1, TSP_ROLE_RESULTS), 115);
    ck_assert_int_eq(tsp_queue_sxm(&m, TSP_EAST, TSP_ROLE_PERMUTE, 0), 136);
    ck_assert_int_eq(tsp_queue_info(&m, 160).index, -1);
    ck_assert_int_eq(tsp_queue_info(&m, -1).index, -1);
}
END_TEST

START_TEST(queue_names_are_their_own_inverse) {
    static const char *const names[] = {"tsp1", "tiny"};
    TspMachine m;
    for (int i = 0; i < 3; i++) {
        m = machine(names[i % 2]);
        if (i == 2) m.sxm_permuters = m.sxm_rotators = m.c2c_links = 0; /* roles without queues */
        for (int32_t q = 0; q < tsp_queue_count(&m); q++) {
            char name[32];
            TspQueueInfo info = tsp_queue_info(&m, q);
            tsp_queue_name(&m, q, name);
            ck_assert_int_eq(tsp_queue_find(&m, name), q);
            if (info.unit == TSP_UNIT_VXM) ck_assert_int_eq(tsp_queue_vxm(&m, info.index), q);
            if (info.unit == TSP_UNIT_MEM)
                ck_assert_int_eq(tsp_slice_id(&m, info.hemisphere, info.index), q);
            if (info.unit == TSP_UNIT_MXM)
                ck_assert_int_eq(tsp_queue_mxm(&m, info.hemisphere, info.index, info.role), q);
            if (info.unit == TSP_UNIT_SXM)
                ck_assert_int_eq(tsp_queue_sxm(&m, info.hemisphere, info.role, info.index), q);
        }
    }
    ck_assert_int_eq(tsp_queue_find(&m, "mem.w44"), -1);
    ck_assert_int_eq(tsp_queue_find(&m, "mem.w00"), -1);
    ck_assert_int_eq(tsp_queue_find(&m, ""), -1);
}
END_TEST

START_TEST(json_gives_the_same_machine_back) {
    static const char *const names[] = {"tsp1", "tiny"};
    for (int i = 0; i < 2; i++) {
        TspMachine m = machine(names[i]), back;
        TspError err;
        char *text = tsp_machine_json(&m, false);
        memset(&back, 0xa5, sizeof back);
        ck_assert_msg(tsp_machine_parse(&back, text, strlen(text), "text", &err), "%s", err.text);
        ck_assert_str_eq(back.name, m.name);
#define FIELD(name, tsp1, tiny, min, max, mark, note) ck_assert_int_eq(back.name, m.name);
#include "isa/machine.def"
#undef FIELD
        free(text);
    }
}
END_TEST

START_TEST(json_holds_every_least_and_greatest_value) {
    TspMachine base = machine("tsp1"), back;
    char text[200];
#define FIELD(name, tsp1, tiny, min, max, mark, note)                                              \
    for (int top = 0; top < 2; top++) {                                                            \
        TspError err;                                                                              \
        TspMachine m = base;                                                                       \
        m.name = top ? (max) : (min);                                                              \
        snprintf(text, sizeof text, "{\"" #name "\": %lld}", (long long)m.name);                   \
        bool valid = tsp_machine_validate(&m, &err);                                               \
        ck_assert_int_eq(tsp_machine_parse(&back, text, strlen(text), "t", &err), valid);          \
        if (valid) ck_assert_int_eq(back.name, m.name);                                            \
        m.name = top ? (max) + 1 : (min)-1;                                                        \
        ck_assert(!tsp_machine_validate(&m, &err));                                                \
        snprintf(text, sizeof text, "{\"" #name "\": %lld}", (long long)m.name);                   \
        ck_assert(!tsp_machine_parse(&back, text, strlen(text), "t", &err));                       \
        ck_assert_ptr_nonnull(strstr(err.text, #name));                                            \
    }
#include "isa/machine.def"
#undef FIELD
}
END_TEST

START_TEST(notes_carry_marks) {
    TspMachine m = machine("tsp1");
    char *text = tsp_machine_json(&m, true);
    ck_assert_ptr_nonnull(
        strstr(text, "  \"vxm_op_cycles\": {\"value\": 3, \"mark\": \"3P\", \"note\": \"ALU"));
    free(text);
}
END_TEST

START_TEST(a_file_changes_what_it_names) {
    static const char text[] = "{ \"superlanes\": 2, \"base\": \"tiny\" }\n";
    TspMachine m, tiny = machine("tiny");
    TspError err;
    ck_assert_msg(tsp_machine_parse(&m, text, strlen(text), "t", &err), "%s", err.text);
    ck_assert_str_eq(m.name, "custom");
    ck_assert_int_eq(m.superlanes, 2);
    ck_assert_int_eq(m.mem_rows, tiny.mem_rows);
    ck_assert(tsp_machine_parse(&m, "{\"name\":\"mine\"}", 15, "t", &err));
    ck_assert_str_eq(m.name, "mine");
    ck_assert_int_eq(m.superlanes, 20);
}
END_TEST

START_TEST(bad_files_are_refused_by_place) {
    static const struct {
        const char *text, *error;
    } bad[] = {
        {"{\n  \"superlanes\": 20,\n  \"superlane\": 3\n}",
         "t:3:3: no machine field is called \"superlane\"; `tsp info` lists them"},
        {"{\"streams\": 8,\n \"streams\": 8}", "t:2:2: \"streams\" is given twice; keep one"},
        {"{\n\"streams\":\n  33}", "t:3:3: streams must be 4 to 32"},
        {"{\"streams\": 8.5}", "t:1:13: streams must be a whole number"},
        {"{\"streams\": \"8\"}", "t:1:13: streams must be a whole number"},
        {"{\"streams\": 1e999}", "t:1:13: streams must be 4 to 32"},
        {"{\"streams\": [{\"a,}\": 1}, 2], \"x\": 1}", "t:1:13: streams must be a whole number"},
        {"{\"name\": \"a\\\"{,:\", \"clock_hz\": 0}",
         "t:1:10: name must be 1 to 31 letters, digits or any of _.+-; rename it"},
        {"{\"name\": \"\"}",
         "t:1:10: name must be 1 to 31 letters, digits or any of _.+-; rename it"},
        {"{\"base\": \"tsp9\"}", "t:1:10: base must be one of: tsp1, tiny"},
        {"{\"streams\": 8,}", "t:1:15: not valid JSON here"},
        {"{\"streams\" 8}", "t:1:12: not valid JSON here"},
        {"", "t:1:1: not valid JSON here"},
        {"{}\n x", "t:2:2: text after the end of the machine; remove it"},
        {"[]", "t:1:1: a machine must be a JSON object"},
        {"{\"sxm_shifters\": 0}", "t:1:1: machine custom: each selector needs a pair of shifters; "
                                  "raise sxm_shifters or lower sxm_selectors"},
        {"{\"streams\": 8}", "t:1:1: machine custom: a transpose takes lanes_per_superlane "
                             "streams; lower it or raise streams"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        TspMachine m;
        TspError err;
        ck_assert(!tsp_machine_parse(&m, bad[i].text, strlen(bad[i].text), "t", &err));
        ck_assert_str_eq(err.text, bad[i].error);
        ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    }
}
END_TEST

START_TEST(load_takes_names_and_files) {
    TspMachine m;
    TspError err;
    char path[SCRATCH_PATH];
    FILE *file;
    scratch_file(path);
    ck_assert_ptr_nonnull(file = fopen(path, "w"));
    ck_assert_int_ge(fputs("{\"streams\": 16}", file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_msg(tsp_machine_load(&m, path, &err), "%s", err.text);
    ck_assert_int_eq(m.streams, 16);
    unlink(path);
    ck_assert(tsp_machine_load(&m, "tiny", &err));
    ck_assert_int_eq(m.lanes_per_superlane, 4);
    ck_assert(!tsp_machine_load(&m, "tsp7", &err));
    ck_assert_str_eq(err.text, "tsp7: no such machine, and as a file: No such file or directory; "
                               "built-in machines are: tsp1, tiny");
    ck_assert(!tsp_machine_load(&m, ".", &err));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("machine");
    TCase *tests = tcase_create("machine");
    tcase_add_test(tests, builtin_machines_are_valid);
    tcase_add_test(tests, tsp1_is_the_published_chip);
    tcase_add_test(tests, queues_have_the_documented_order);
    tcase_add_test(tests, queue_names_are_their_own_inverse);
    tcase_add_test(tests, json_gives_the_same_machine_back);
    tcase_add_test(tests, json_holds_every_least_and_greatest_value);
    tcase_add_test(tests, notes_carry_marks);
    tcase_add_test(tests, a_file_changes_what_it_names);
    tcase_add_test(tests, bad_files_are_refused_by_place);
    tcase_add_test(tests, load_takes_names_and_files);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
