/* test_graph.c - the graph reader: values, order, shapes, contents, and where errors are found.
 * The texts of errors are golden files in tests/bad.
 */
#include "compiler/graph.h"
#include "isa/json_where.h"
#include "isa/half.h"

#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_graph(TspGraph *g, const char *text) {
    TspError err = {0};
    ck_assert_msg(tsp_graph_parse(g, text, strlen(text), "g.json", &err), "%s", err.text);
}

static void expect_refused(const char *text, const char *want) {
    TspGraph g;
    TspError err = {0};
    ck_assert_msg(!tsp_graph_parse(&g, text, strlen(text), "g.json", &err), "accepted: %s", text);
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_msg(strncmp(err.text, want, strlen(want)) == 0, "got  %s\nwant %s", err.text, want);
    ck_assert_ptr_nonnull(strchr(err.text, ';')); /* says what to do */
    tsp_graph_free(&g);
}

static const TspValue *value(const TspGraph *g, const char *name) {
    for (int32_t i = 0; i < g->value_count; i++)
        if (strcmp(g->values[i].name, name) == 0) return &g->values[i];
    ck_abort_msg("no value %s", name);
    return NULL;
}

/* Shape and dtype of the output C of one node over inputs A and B (B may be ""). */
static void expect_shape(const char *op, const char *attributes, const char *dtype, const char *a,
                         const char *b, const char *want_dtype, const char *want) {
    char text[1024], got[128] = "[";
    TspGraph g;
    const TspValue *c;
    int used = snprintf(text, sizeof text,
                        "{\"inputs\":[{\"name\":\"A\",\"dtype\":\"%s\",\"shape\":%s}", dtype, a);
    if (b[0])
        used += snprintf(text + used, sizeof text - (size_t)used,
                         ",{\"name\":\"B\",\"dtype\":\"%s\",\"shape\":%s}", dtype, b);
    snprintf(text + used, sizeof text - (size_t)used,
             "],\"nodes\":[{\"op\":\"%s\",\"inputs\":[\"A\"%s],\"outputs\":[\"C\"],"
             "\"attributes\":{%s}}],\"outputs\":[\"C\"]}",
             op, b[0] ? ",\"B\"" : "", attributes);
    read_graph(&g, text);
    c = value(&g, "C");
    for (int32_t i = 0; i < c->rank; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), i ? ",%lld" : "%lld",
                 (long long)c->shape[i]);
    strcat(got, "]");
    ck_assert_str_eq(got, want);
    ck_assert_str_eq(tsp_dtype_name(c->dtype), want_dtype);
    tsp_graph_free(&g);
}

START_TEST(shapes) {
    expect_shape("MatMulInteger", "", "int8", "[4,3]", "[3,5]", "int32", "[4,5]");
    expect_shape("MatMulInteger", "", "uint8", "[2,4,3]", "[3,5]", "int32", "[2,4,5]");
    expect_shape("MatMul", "", "float16", "[3]", "[3]", "float16", "[]");
    expect_shape("MatMul", "", "float32", "[3]", "[3,5]", "float32", "[5]");
    expect_shape("MatMul", "", "float32", "[4,3]", "[3]", "float32", "[4]");
    expect_shape("MatMul", "", "float16", "[3]", "[7,3,5]", "float16", "[7,5]");
    expect_shape("MatMul", "", "float16", "[7,1,4,3]", "[6,3,5]", "float16", "[7,6,4,5]");
    expect_shape("Gemm", "", "float16", "[4,3]", "[3,5]", "float16", "[4,5]");
    expect_shape("Gemm", "\"transA\":1", "float16", "[3,4]", "[3,5]", "float16", "[4,5]");
    expect_shape("Gemm", "\"transA\":1,\"transB\":true", "float32", "[3,4]", "[5,3]", "float32",
                 "[4,5]");
    expect_shape("Add", "", "int16", "[4,1,3]", "[5,1]", "int16", "[4,5,3]");
    expect_shape("Mul", "", "uint8", "[]", "[2]", "uint8", "[2]");
    expect_shape("Sub", "", "int32", "[1]", "[]", "int32", "[1]");
    expect_shape("Relu", "", "float32", "[2,3,4]", "", "float32", "[2,3,4]");
    expect_shape("Cast", "\"to\":\"bool\"", "float32", "[2]", "", "bool", "[2]");
    expect_shape("Cast", "\"to\":10", "int8", "[]", "", "float16", "[]");
}
END_TEST

/* C = third(second(first)), written backwards. */
static const char backwards[] =
    "{ \"name\": \"chain\",\n"
    "  \"inputs\": [ {\"name\": \"A\", \"dtype\": \"int32\", \"shape\": [2, 3]} ],\n"
    "  \"nodes\": [\n"
    "    {\"op\": \"Relu\", \"inputs\": [\"y\"], \"outputs\": [\"C\"], \"name\": \"third\"},\n"
    "    {\"op\": \"Cast\", \"inputs\": [\"x\"], \"outputs\": [\"y\"],\n"
    "     \"attributes\": {\"to\": \"float16\"}},\n"
    "    {\"op\": \"Add\", \"inputs\": [\"A\", \"A\"], \"outputs\": [\"x\"]}\n"
    "  ],\n"
    "  \"outputs\": [\"C\", \"x\"] }\n";

START_TEST(nodes_are_sorted) {
    TspGraph g;
    read_graph(&g, backwards);
    ck_assert_str_eq(g.name, "chain");
    ck_assert_str_eq(g.path, "g.json");
    ck_assert_int_eq(g.node_count, 3);
    ck_assert_str_eq(g.nodes[0].name, "Add_2");
    ck_assert_str_eq(g.nodes[1].name, "Cast_1");
    ck_assert_str_eq(g.nodes[2].name, "third");
    ck_assert_int_eq(g.nodes[0].line, 7);
    ck_assert_int_eq(g.nodes[1].line, 5);
    ck_assert_int_eq(g.nodes[2].line, 4);
    ck_assert_int_eq(g.nodes[0].input_count, 2);
    ck_assert_int_eq(g.nodes[0].inputs[2], -1);
    for (int32_t i = 0; i < 3; i++) ck_assert_int_eq(g.values[g.nodes[i].output].producer, i);
    ck_assert(value(&g, "A")->is_input);
    ck_assert_int_eq(value(&g, "A")->line, 2);
    ck_assert_int_eq(value(&g, "A")->producer, -1);
    ck_assert(value(&g, "x")->is_output);
    ck_assert(!value(&g, "y")->is_output);
    ck_assert_int_eq(value(&g, "y")->line, 5);
    ck_assert_int_eq(value(&g, "C")->dtype, TSP_F16);
    ck_assert_int_eq(tsp_value_elements(value(&g, "C")), 6);
    ck_assert_int_eq(tsp_value_bytes(value(&g, "C")), 12);
    tsp_graph_free(&g);
}
END_TEST

START_TEST(file_order_is_kept) {
    char text[8192];
    int used =
        snprintf(text, sizeof text,
                 "{\"inputs\":[{\"name\":\"v0\",\"dtype\":\"int8\",\"shape\":[1]}],\"nodes\":[");
    TspGraph g;
    for (int i = 0; i < 50; i++) /* node i needs v of i/2, already there */
        used += snprintf(
            text + used, sizeof text - (size_t)used,
            "%s{\"name\":\"n%d\",\"op\":\"Relu\",\"inputs\":[\"v%d\"],\"outputs\":[\"v%d\"]}",
            i ? "," : "", i, i / 2, i + 1);
    snprintf(text + used, sizeof text - (size_t)used, "],\"outputs\":[\"v50\"]}");
    read_graph(&g, text);
    ck_assert_str_eq(g.name, "g"); /* none given: the file's */
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        ck_assert_str_eq(g.nodes[i].name, name);
    }
    tsp_graph_free(&g);
}
END_TEST

START_TEST(optional_inputs_and_attributes) {
    TspGraph g;
    read_graph(&g,
               "{\"inputs\":[{\"name\":\"A\",\"dtype\":\"int8\",\"shape\":[2,3]},"
               "{\"name\":\"B\",\"dtype\":\"uint8\",\"shape\":[3,4]}],"
               "\"initializers\":[{\"name\":\"z\",\"dtype\":\"uint8\",\"shape\":[4],\"data\":[1,2,"
               "3,255]}],"
               "\"nodes\":[{\"op\":\"MatMulInteger\",\"inputs\":[\"A\",\"B\",\"\",\"z\"],"
               "\"outputs\":[\"C\"]},"
               "{\"op\":\"MatMulInteger\",\"inputs\":[\"A\",\"B\",\"\",\"\"],\"outputs\":[\"D\"]}],"
               "\"outputs\":[\"C\",\"D\"]}");
    ck_assert_int_eq(g.nodes[0].input_count, 4);
    ck_assert_int_eq(g.nodes[0].inputs[2], -1);
    ck_assert_int_eq(g.nodes[0].inputs[3], 2);
    ck_assert_int_eq(g.nodes[1].input_count, 2);
    ck_assert_int_eq(tsp_node_macs(&g, &g.nodes[0]), 24);
    ck_assert_mem_eq(value(&g, "z")->data, "\1\2\3\xff", 4);
    tsp_graph_free(&g);
    read_graph(&g,
               "{\"inputs\":[{\"name\":\"A\",\"dtype\":\"float32\",\"shape\":[5,3]},"
               "{\"name\":\"B\",\"dtype\":\"float32\",\"shape\":[5,4]}],"
               "\"nodes\":[{\"op\":\"Gemm\",\"inputs\":[\"A\",\"B\"],\"outputs\":[\"C\"],"
               "\"attributes\":{\"alpha\":0.5,\"transA\":1}},"
               "{\"op\":\"Relu\",\"inputs\":[\"C\"],\"outputs\":[\"D\"]}],\"outputs\":[\"D\"]}");
    ck_assert_double_eq(g.nodes[0].alpha, 0.5);
    ck_assert_double_eq(g.nodes[0].beta, 1);
    ck_assert(g.nodes[0].trans_a);
    ck_assert(!g.nodes[0].trans_b);
    ck_assert_int_eq(tsp_node_macs(&g, &g.nodes[0]), 60);
    ck_assert_int_eq(tsp_node_macs(&g, &g.nodes[1]), 0);
    tsp_graph_free(&g);
}
END_TEST

/* Reads `contents` as an initializer of this dtype and shape; the caller frees the graph. */
static const TspValue *contents(TspGraph *g, const char *dtype, const char *shape,
                                const char *text) {
    char graph[1024];
    snprintf(graph, sizeof graph,
             "{\"initializers\":[{\"name\":\"A\",\"dtype\":\"%s\",\"shape\":%s,%s}],"
             "\"nodes\":[{\"op\":\"Cast\",\"inputs\":[\"A\"],\"outputs\":[\"C\"],"
             "\"attributes\":{\"to\":\"int32\"}}],\"outputs\":[\"C\"]}",
             dtype, shape, text);
    read_graph(g, graph);
    return value(g, "A");
}

START_TEST(data_in_the_file) {
    static const int16_t i16[] = {-32768, 32767, 0, 1, 2, 3};
    static const int32_t i32[] = {INT32_MIN, INT32_MAX};
    static const float f32[] = {0.1f, -0.0f, 3.40282347e38f, 1e-45f};
    TspGraph g;
    ck_assert_mem_eq(contents(&g, "int16", "[2,3]", "\"data\":[[-32768,32767,0],[1,2,3]]")->data,
                     i16, 12);
    tsp_graph_free(&g);
    ck_assert_mem_eq(contents(&g, "int16", "[2,3]", "\"data\":[-32768,32767,0,1,2,3]")->data, i16,
                     12);
    tsp_graph_free(&g);
    ck_assert_mem_eq(contents(&g, "int32", "[2]", "\"data\":[-2147483648,2.147483647e9]")->data,
                     i32, 8);
    tsp_graph_free(&g);
    ck_assert_mem_eq(
        contents(&g, "float32", "[4]", "\"data\":[0.1,-0.0,3.40282347e38,1e-45]")->data, f32, 16);
    tsp_graph_free(&g);
    ck_assert_mem_eq(contents(&g, "bool", "[3]", "\"data\":[true,0,1]")->data, "\1\0\1", 3);
    tsp_graph_free(&g);
    ck_assert_mem_eq(contents(&g, "int8", "[]", "\"data\":-3")->data, "\xfd", 1);
    tsp_graph_free(&g);
    ck_assert_mem_eq(contents(&g, "uint8", "[1,1,2]", "\"data\":[[[254,255]]]")->data, "\xfe\xff",
                     2);
    tsp_graph_free(&g);
}
END_TEST

/* Rounded once: 1 + 2^-11 is a tie between halfs, and a hair above it must round up, though both
 * are the same float; the same at the brink of the subnormals and of infinity. */
START_TEST(halfs_are_rounded_once) {
    static const uint16_t want[] = {0x3c00, 0x3c01, 0x3c01, 0x3c02, 0xbc01, 0x0000,
                                    0x0001, 0x0001, 0x7bff, 0x8000, 0x0400, 0x2e66};
    TspGraph g;
    const TspValue *v = contents(
        &g, "float16", "[12]",
        "\"data\":[1.00048828125,1.000488281250001,1.0004882812500002,1.00146484375,"
        "-1.000488281250001,2.98023223876953125e-8,2.9802322387695316e-8,5.9604644775390625e-8,"
        "65519.99999999999,-0.0,6.103515625e-5,0.1]");
    ck_assert_mem_eq(v->data, want, sizeof want);
    tsp_graph_free(&g);
}
END_TEST

/* The generator of docs/graph-format.md; the numbers come from a program in another language. */
START_TEST(random_is_fixed_for_ever) {
    static const int8_t i8[] = {-2, 8, -8, 5, -5, 5, 2, -4};
    static const int32_t i32[] = {951370391, 642975229, 212061110, 447685080};
    static const uint32_t f32[] = {0x3e9c1b75, 0x3ece0a8c, 0xbe672b75, 0x3ea02aea};
    static const uint16_t f16[] = {0x2cc2, 0x2b41, 0x2d08, 0x343f};
    static const uint8_t truth[] = {1, 1, 1, 1, 1, 1, 1, 1};
    uint8_t got[64];
    tsp_random_fill(got, TSP_I8, 8, 1, -8, 8);
    ck_assert_mem_eq(got, i8, sizeof i8);
    tsp_random_fill(got, TSP_I32, 4, 7, -2147483648.0, 2147483647.0);
    ck_assert_mem_eq(got, i32, sizeof i32);
    tsp_random_fill(got, TSP_F32, 4, 0, -1, 1);
    ck_assert_mem_eq(got, f32, sizeof f32);
    tsp_random_fill(got, TSP_F16, 4, 9007199254740992u, 0, 0.3);
    ck_assert_mem_eq(got, f16, sizeof f16);
    tsp_random_fill(got, TSP_BOOL, 8, 3, 0, 1);
    ck_assert_mem_eq(got, truth, sizeof truth);
}
END_TEST

START_TEST(random_covers_its_range) {
    static uint8_t got[100000];
    int64_t count[256] = {0};
    tsp_random_fill(got, TSP_I8, sizeof got, 12345, -3, 6);
    for (size_t i = 0; i < sizeof got; i++) count[got[i]]++;
    for (int v = -128; v < 128; v++) {
        int64_t n = count[(uint8_t)v];
        if (v < -3 || v > 6)
            ck_assert_int_eq(n, 0);
        else
            ck_assert_msg(n > 9500 && n < 10500, "%d occurs %lld times", v, (long long)n);
    }
    tsp_random_fill(got, TSP_U8, 100, 1, -50, 300); /* bounds beyond the type: the type's */
    tsp_random_fill(got + 100, TSP_U8, 100, 1, 0, 255);
    ck_assert_mem_eq(got, got + 100, 100);
}
END_TEST

START_TEST(broadcasting) {
    static const int64_t a[] = {7, 1, 5}, b[] = {6, 1}, c[] = {2};
    int64_t shape[TSP_MAX_RANK];
    int32_t rank;
    ck_assert(tsp_broadcast_shape(3, a, 2, b, &rank, shape));
    ck_assert_int_eq(rank, 3);
    ck_assert_int_eq(shape[0], 7);
    ck_assert_int_eq(shape[1], 6);
    ck_assert_int_eq(shape[2], 5);
    ck_assert(!tsp_broadcast_shape(3, a, 1, c, &rank, shape));
    ck_assert(tsp_broadcast_shape(0, NULL, 1, c, &rank, shape));
    ck_assert_int_eq(shape[0], 2);
    ck_assert(tsp_broadcast_shape(0, NULL, 0, NULL, &rank, shape));
    ck_assert_int_eq(rank, 0);
}
END_TEST

/* Places: multi-byte characters count once, keys that are no words are quoted, and lines with
 * control characters in names stay one line. */
START_TEST(places) {
    expect_refused("{\"\xc3\xa4\": 1, \"nodes\": []}",
                   "g.json:1:2: $[\"\xc3\xa4\"]: a graph has no ");
    expect_refused(
        "{\"nodes\": [], \"outputs\": [],\n  \"name\": \"\xc3\xa4\xc3\xb6\", \"a\\nb\": 1}",
        "g.json:2:17: $[\"a?b\"]: a graph has no \"a?b\"");
    expect_refused("\xef\xbb\xbf{\"nodes\": 3}", "g.json:1:11: $.nodes: \"nodes\" is not an array");
    expect_refused("{\"outputs\":[],\"nodes\":[{}]}",
                   "g.json:1:24: $.nodes[0]: a node lacks \"op\"");
    expect_refused("{\"a]\\\"[\": [[\"]\"], {\"}\": \"\\\\\"}], \"nodes\": [1]}",
                   "g.json:1:2: $[\"a]\"[\"]: a graph has no");
    expect_refused("", "g.json:1:1: $: malformed JSON at the end");
    expect_refused("{\"nodes\": [1,]}", "g.json:1:14: $: malformed JSON at ']'");
    expect_refused("{\"nodes\": [], }", "g.json:1:15: $: malformed JSON at '}'");
    expect_refused("{nodes: []}", "g.json:1:2: $: malformed JSON at 'n'");
    expect_refused("{\"nodes\" []}", "g.json:1:10: $: malformed JSON at '['");
}
END_TEST

START_TEST(lines_of_array_elements) {
    static const char text[] = "{\"x\": [1,\n2, {\"a\": [\n]},\n\n\"s,]\", []]}";
    cJSON *root = cJSON_Parse(text);
    int32_t lines[5] = {0};
    TspJsonPlace place;
    cJSON *x = cJSON_GetObjectItem(root, "x");
    ck_assert_ptr_nonnull(root);
    tsp_json_lines(text, strlen(text), root, x, lines);
    ck_assert_int_eq(lines[0], 1);
    ck_assert_int_eq(lines[1], 2);
    ck_assert_int_eq(lines[2], 2);
    ck_assert_int_eq(lines[3], 5);
    ck_assert_int_eq(lines[4], 5);
    ck_assert(
        tsp_json_where(text, strlen(text), root, cJSON_GetArrayItem(x, 2)->child, true, &place));
    ck_assert_str_eq(place.path, "$.x[2].a");
    ck_assert_int_eq(place.line, 2);
    ck_assert_int_eq(place.column, 5);
    ck_assert(tsp_json_where(text, strlen(text), root, cJSON_GetArrayItem(x, 4), false, &place));
    ck_assert_int_eq(place.line, 5);
    ck_assert_int_eq(place.column, 8);
    cJSON_Delete(root);
}
END_TEST

/* Every node on a circle of n is named once, and long circles are cut short. */
START_TEST(long_cycle) {
    char text[8192];
    int used = snprintf(text, sizeof text, "{\"nodes\":[");
    for (int i = 0; i < 40; i++)
        used += snprintf(
            text + used, sizeof text - (size_t)used,
            "%s{\"name\":\"n%d\",\"op\":\"Relu\",\"inputs\":[\"v%d\"],\"outputs\":[\"v%d\"]}",
            i ? "," : "", i, (i + 1) % 40, i);
    snprintf(text + used, sizeof text - (size_t)used, "],\"outputs\":[\"v0\"]}");
    expect_refused(text, "g.json:1:11: $.nodes[0]: the nodes need each other's results in a circle "
                         "(n0 -> n1 -> n2 -> n3 -> n4 -> n5 -> ... -> n0,");
}
END_TEST

/* A graph with bytes changed is read or refused with one line and a place; nothing else. */
START_TEST(survives_mutation) {
    uint64_t state = 424242;
    int refused = 0;
    printf("test_graph: seed %llu\n", (unsigned long long)state);
    for (int i = 0; i < 20000; i++) {
        size_t length = sizeof backwards - 1;
        char *text = malloc(length);
        TspGraph g;
        TspError err = {0};
        memcpy(text, backwards, length);
        for (int j = 0; j < 1 + i % 4; j++) {
            static const char alphabet[] = "{}[]\",:0123456789-e.\\ \nAxCy\x80\0";
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            text[(state >> 20) % length] = alphabet[(state >> 8) % (sizeof alphabet)];
        }
        if (i % 16 == 0) length = state % length;
        text = realloc(text, length ? length : 1); /* the sanitizer sees reads past the end */
        if (tsp_graph_parse(&g, text, length, "g.json", &err)) {
            tsp_graph_free(&g);
        } else {
            ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
            ck_assert_int_eq(strncmp(err.text, "g.json:", 7), 0);
            ck_assert_ptr_null(strchr(err.text, '\n'));
            ck_assert_ptr_nonnull(strchr(err.text, ';'));
            refused++;
        }
        free(text);
    }
    ck_assert_int_gt(refused, 10000);
}
END_TEST

START_TEST(programs_are_read) {
    static const struct {
        const char *path;
        int32_t nodes;
        int64_t macs;
    } cases[] = {{"programs/matmul-int8.json", 1, 262144000},
                 {"programs/matmul-fp16.json", 1, 262144000},
                 {"programs/mlp.json", 6, 25690112 + 8388608 + 163840}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TspGraph g;
        TspError err = {0};
        int64_t macs = 0;
        ck_assert_msg(tsp_graph_load(&g, cases[i].path, &err), "%s", err.text);
        ck_assert_int_eq(g.node_count, cases[i].nodes);
        for (int32_t n = 0; n < g.node_count; n++) macs += tsp_node_macs(&g, &g.nodes[n]);
        ck_assert_int_eq(macs, cases[i].macs);
        tsp_graph_free(&g);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("graph");
    TCase *tests = tcase_create("graph");
    tcase_add_test(tests, shapes);
    tcase_add_test(tests, nodes_are_sorted);
    tcase_add_test(tests, file_order_is_kept);
    tcase_add_test(tests, optional_inputs_and_attributes);
    tcase_add_test(tests, data_in_the_file);
    tcase_add_test(tests, halfs_are_rounded_once);
    tcase_add_test(tests, random_is_fixed_for_ever);
    tcase_add_test(tests, random_covers_its_range);
    tcase_add_test(tests, broadcasting);
    tcase_add_test(tests, places);
    tcase_add_test(tests, lines_of_array_elements);
    tcase_add_test(tests, long_cycle);
    tcase_add_test(tests, survives_mutation);
    tcase_add_test(tests, programs_are_read);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
