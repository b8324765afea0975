/* test_faults.c - files that list flips, and flips at random.
 */
#include "isa/isa.h"
#include "sim/faults.h"

#include "seeded.h"
#include "suite.h"

#include <math.h>
#include <string.h>

/* ---- files ---- */

static TspMachine machine(const char *name) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, name));
    return m;
}

/* Parses what must be good. */
static TspFlip *parse(const char *text, const TspMachine *m, int32_t *count) {
    TspFlip *flips;
    TspError err;
    ck_assert_msg(tsp_faults_parse(text, strlen(text), "t", m, &flips, count, &err), "%s",
                  err.text);
    ck_assert_ptr_nonnull(flips);
    return flips;
}

static void check_flip(const TspFlip *f, const TspFlip *want) {
    ck_assert_int_eq(f->cycle, want->cycle);
    ck_assert_int_eq(f->slice, want->slice);
    ck_assert_int_eq(f->row, want->row);
    ck_assert_int_eq(f->stream, want->stream);
    ck_assert_int_eq(f->column, want->column);
    ck_assert_int_eq(f->superlane, want->superlane);
    ck_assert_int_eq(f->bit, want->bit);
}

START_TEST(good_files_are_read) {
    static const char text[] =
        "\xef\xbb\xbf{\"flips\": [\n"
        "  {\"cycle\": 12, \"slice\": \"mem.w3\", \"row\": 5, \"superlane\": 2, \"bit\": 17},\n"
        "  {\"bit\": 130, \"superlane\": 0, \"column\": 7, \"stream\": \"s4.e\", \"cycle\": 30},\n"
        "  {\"cycle\": 0, \"stream\": \"s31.w\", \"column\": 26, \"superlane\": 19, \"bit\": "
        "136},\n"
        "  {\"cycle\": 9007199254740991, \"slice\": \"mem.e43\", \"row\": 8191, \"superlane\": "
        "19,\n"
        "   \"bit\": 127}, {\"cycle\": 12.0, \"slice\": \"mem.e0\", \"row\": 0, \"superlane\": 0, "
        "\"bit\": 128}]} \n\n";
    static const TspFlip want[] = {
        {0, -1, -1, 63, 26, 19, 136},
        {12, 3, 5, -1, -1, 2, 17},
        {12, 44, 0, -1, -1, 0, 128},
        {30, -1, -1, 4, 7, 0, 130},
        {INT64_C(9007199254740991), 87, 8191, -1, -1, 19, 127},
    };
    TspMachine m = machine("tsp1");
    int32_t count;
    TspFlip *flips = parse(text, &m, &count);
    ck_assert_int_eq(count, 5);
    for (int32_t i = 0; i < 5; i++) check_flip(&flips[i], &want[i]);
    free(flips);
    free(parse("{\"flips\": []}", &m, &count));
    ck_assert_int_eq(count, 0);
}
END_TEST

/* Sorted by cycle; those of one cycle as they stand in the file: `row` tells which was which. */
START_TEST(flips_are_sorted_stably) {
    enum { FLIPS = 2000, CYCLES = 7 };
    TspMachine m = machine("tsp1");
    char *text = malloc(FLIPS * 100), *at = text;
    int32_t count;
    TspFlip *flips;
    random_start();
    at += sprintf(at, "{\"flips\": [");
    for (int32_t i = 0; i < FLIPS; i++)
        at += sprintf(at,
                      "%s{\"cycle\": %d, \"slice\": \"mem.w0\", \"row\": %d, \"superlane\": 0, "
                      "\"bit\": 0}",
                      i ? ", " : "", random_below(CYCLES), i);
    sprintf(at, "]}");
    flips = parse(text, &m, &count);
    ck_assert_int_eq(count, FLIPS);
    for (int32_t i = 1; i < FLIPS; i++)
        ck_assert(flips[i - 1].cycle < flips[i].cycle ||
                  (flips[i - 1].cycle == flips[i].cycle && flips[i - 1].row < flips[i].row));
    free(flips);
    free(text);
}
END_TEST

#define MEMORY(what) "{\"flips\": [{\"cycle\": 1, \"slice\": \"mem.w0\", \"row\": 0, " what "}]}"
#define FLIGHT(what) "{\"flips\": [{\"cycle\": 1, \"stream\": \"s0.e\", \"column\": 0, " what "}]}"
#define WHERE(key, value)                                                                          \
    "{\"flips\": [\n{\"" key "\":\n " value ", \"cycle\": 1, \"superlane\": 0, \"bit\": 0}]}"
#define SLICE_ERROR                                                                                \
    "t:3:2: $.flips[0].slice: machine tiny has no such slice; write mem.w0 to mem.w7 or mem.e0 "   \
    "to mem.e7"
#define STREAM_ERROR                                                                               \
    "t:3:2: $.flips[0].stream: machine tiny has no such stream; write s0.e to s15.e or s0.w to "   \
    "s15.w"
#define BIT_ERROR(bit)                                                                             \
    "t:1:80: $.flips[0].bit: a word of machine tiny has no bit " bit                               \
    "; write 0 to 31 for data, 128 to 136 for check bits"
#define SYNTAX(what)                                                                               \
    "$: malformed JSON at " what "; look for a missing or surplus comma, quote or bracket"

typedef struct {
    const char *text, *error;
} Bad;

static void check_bad(const Bad *bad, size_t count) {
    TspMachine m = machine("tiny");
    for (size_t i = 0; i < count; i++) {
        TspFlip *flips = (TspFlip *)1;
        int32_t number = 7;
        TspError err = {0};
        ck_assert_msg(
            !tsp_faults_parse(bad[i].text, strlen(bad[i].text), "t", &m, &flips, &number, &err),
            "accepted %s", bad[i].text);
        ck_assert_str_eq(err.text, bad[i].error);
        ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
        ck_assert_ptr_null(flips);
        ck_assert_int_eq(number, 0);
    }
}

START_TEST(bad_structure_is_refused) {
    static const Bad bad[] = {
        {"", "t:1:1: " SYNTAX("the end")},
        {"{\"flips\": [}", "t:1:12: " SYNTAX("'}'")},
        {"{\"flips\": []}\n x", "t:2:2: " SYNTAX("'x'")},
        {"[]", "t:1:1: $: a list of faults is not an object; write {\"flips\": [...]}"},
        {"{}", "t:1:1: $: a list of faults lacks \"flips\"; add it"},
        {"{\"flips\": 3}", "t:1:11: $.flips: \"flips\" is not an array; make it one"},
        {"{\"flips\": [],\n\"flips\": []}", "t:2:1: $.flips: \"flips\" is given twice; remove one"},
        {"{\"flips\": [], \"flop\\n\": 1}",
         "t:1:15: $[\"flop?\"]: a list of faults has no \"flop?\"; remove it, the key is flips"},
        {"{\"flips\": [\n 5]}",
         "t:2:2: $.flips[0]: a flip is not an object; write {\"cycle\": ..., ...}"},
        {MEMORY("\"bite\": 1"), "t:1:54: $.flips[0].bite: a flip has no \"bite\"; remove it, the "
                                "keys are cycle, slice, row, stream, column, superlane, bit"},
        {MEMORY("\"row\": 1"), "t:1:54: $.flips[0].row: \"row\" is given twice; remove one"},
    };
    check_bad(bad, sizeof bad / sizeof bad[0]);
}
END_TEST

START_TEST(bad_places_are_refused) {
    static const Bad bad[] = {
        {MEMORY("\"superlane\": 0"), "t:1:12: $.flips[0]: a flip lacks \"bit\"; add it"},
        {MEMORY("\"bit\": 0"), "t:1:12: $.flips[0]: a flip lacks \"superlane\"; add it"},
        {WHERE("slice", "\"mem.w0\""), "t:2:1: $.flips[0]: a flip lacks \"row\"; add it"},
        {WHERE("stream", "\"s0.e\""), "t:2:1: $.flips[0]: a flip lacks \"column\"; add it"},
        {"{\"flips\": [{\"slice\": \"mem.w0\", \"row\": 0, \"superlane\": 0, \"bit\": 0}]}",
         "t:1:12: $.flips[0]: a flip lacks \"cycle\"; add it"},
        {"{\"flips\": [{\"cycle\": 1, \"superlane\": 0, \"bit\": 0}]}",
         "t:1:12: $.flips[0]: a flip lacks \"slice\" or \"stream\"; add one"},
        {MEMORY("\"stream\": \"s0.e\""), "t:1:54: $.flips[0].stream: a flip hits a slice or a "
                                         "stream, not both; make two of it"},
        {MEMORY("\"column\": 0"), "t:1:54: $.flips[0].column: \"column\" does not go with "
                                  "\"slice\"; remove it"},
        {FLIGHT("\"row\": 0"),
         "t:1:56: $.flips[0].row: \"row\" does not go with \"stream\"; remove it"},
        {WHERE("slice", "\"mem.w8\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "\"mem.e08\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "\"mem.n0\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "\"mem.w\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "\"mem.w1x\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "\"mem.w99999999999\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "\"vxm.0\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "\"\", \"row\": 0"), SLICE_ERROR},
        {WHERE("slice", "3, \"row\": 0"), SLICE_ERROR},
        {WHERE("stream", "\"s16.e\", \"column\": 0"), STREAM_ERROR},
        {WHERE("stream", "\"s1.n\", \"column\": 0"), STREAM_ERROR},
        {WHERE("stream", "\"s1\", \"column\": 0"), STREAM_ERROR},
        {WHERE("stream", "\"s.e\", \"column\": 0"), STREAM_ERROR},
        {WHERE("stream", "\"s01.e\", \"column\": 0"), STREAM_ERROR},
        {WHERE("stream", "\"\", \"column\": 0"), STREAM_ERROR},
        {WHERE("stream", "null, \"column\": 0"), STREAM_ERROR},
    };
    check_bad(bad, sizeof bad / sizeof bad[0]);
}
END_TEST

START_TEST(bad_numbers_are_refused) {
    static const Bad bad[] = {
        {MEMORY("\"superlane\": 4, \"bit\": 0"), "t:1:67: $.flips[0].superlane: superlane 4 is out "
                                                 "of range; write one from 0 to 3"},
        {MEMORY("\"superlane\": -1, \"bit\": 0"), "t:1:67: $.flips[0].superlane: superlane -1 is "
                                                  "out of range; write one from 0 to 3"},
        {MEMORY("\"superlane\": 0.5, \"bit\": 0"), "t:1:67: $.flips[0].superlane: superlane is not "
                                                   "a whole number; write one from 0 to 3"},
        {MEMORY("\"superlane\": \"0\", \"bit\": 0"), "t:1:67: $.flips[0].superlane: superlane is "
                                                     "not a whole number; write one from 0 to 3"},
        {WHERE("row", "1024, \"slice\": \"mem.e7\""),
         "t:3:2: $.flips[0].row: row 1024 is out of range; write one from 0 to 1023"},
        {WHERE("column", "9, \"stream\": \"s0.e\""),
         "t:3:2: $.flips[0].column: column 9 is out of range; write one from 0 to 8"},
        {MEMORY("\"superlane\": 0, \"bit\": 137"),
         "t:1:77: $.flips[0].bit: bit 137 is out of range; write one from 0 to 136"},
        {MEMORY("\"superlane\":  3  ,\"bit\":  32"), BIT_ERROR("32")},
        {MEMORY("\"superlane\":  3  ,\"bit\":  127"), BIT_ERROR("127")},
        {"{\"flips\": [{\"slice\": \"mem.w0\", \"row\": 0, \"superlane\": 0, \"bit\": 0, "
         "\"cycle\": 9007199254740993}]}",
         "t:1:77: $.flips[0].cycle: cycle 9007199254740992 is out of range; write one from 0 to "
         "9007199254740991"},
        {"{\"flips\": [{\"slice\": \"mem.w0\", \"row\": 0, \"superlane\": 0, \"bit\": 0, "
         "\"cycle\": 1e999}]}",
         "t:1:77: $.flips[0].cycle: cycle inf is out of range; write one from 0 to "
         "9007199254740991"},
        {"{\"flips\": [{\"slice\": \"mem.w0\", \"row\": 0, \"superlane\": 0, \"bit\": 0, "
         "\"cycle\": true}]}",
         "t:1:77: $.flips[0].cycle: cycle is not a whole number; write one from 0 to "
         "9007199254740991"},
    };
    check_bad(bad, sizeof bad / sizeof bad[0]);
}
END_TEST

/* The second bad flip is not reached, the first bad one is named by its number. */
START_TEST(errors_count_flips) {
    static const Bad bad[] = {
        {"{\"flips\": [\n"
         "{\"cycle\": 5, \"slice\": \"mem.w0\", \"row\": 0, \"superlane\": 0, \"bit\": 0},\n"
         "{\"cycle\": 4, \"slice\": \"mem.w0\", \"row\": 0, \"superlane\": 0, \"bit\": 0},\n"
         "{\"cycle\": 3, \"slice\": \"mem.w0\", \"row\": 0, \"superlane\": 0, \"bit\": 99},\n"
         "{\"cycle\": 2}]}",
         "t:4:66: $.flips[2].bit: a word of machine tiny has no bit 99; write 0 to 31 for data, "
         "128 "
         "to 136 for check bits"},
    };
    check_bad(bad, 1);
}
END_TEST

static void write_file(const char *path, const char *text, long length) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    if (length > 0) ck_assert_int_eq(fflush(file) | ftruncate(fileno(file), length), 0);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(load_reads_files) {
    enum { LIMIT = 64 << 20 };
    TspMachine m = machine("tiny");
    char path[SCRATCH_PATH], want[SCRATCH_PATH + 100];
    TspFlip *flips;
    TspError err;
    int32_t count;
    scratch_file(path);
    write_file(path, FLIGHT("\"superlane\": 3, \"bit\": 31"), 0);
    ck_assert_msg(tsp_faults_load(path, &m, &flips, &count, &err), "%s", err.text);
    ck_assert_int_eq(count, 1);
    check_flip(&flips[0], &(TspFlip){1, -1, -1, 0, 0, 3, 31});
    free(flips);
    write_file(path, "{\"flips\": 3}", 0);
    ck_assert(!tsp_faults_load(path, &m, &flips, &count, &err));
    snprintf(want, sizeof want, "%s:1:11: $.flips: \"flips\" is not an array; make it one", path);
    ck_assert_str_eq(err.text, want);
    write_file(path, "{\"flips\": []}", LIMIT); /* as long as may be: zeros are white space */
    ck_assert_msg(tsp_faults_load(path, &m, &flips, &count, &err), "%s", err.text);
    free(flips);
    write_file(path, "{\"flips\": []}", LIMIT + 1);
    ck_assert(!tsp_faults_load(path, &m, &flips, &count, &err));
    snprintf(want, sizeof want, "%s: longer than 64 MiB; make it shorter, or use --fault-rate",
             path);
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    unlink(path);
    ck_assert(!tsp_faults_load(path, &m, &flips, &count, &err));
    snprintf(want, sizeof want, "%s: cannot open it (No such file or directory); check the name",
             path);
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert(!tsp_faults_load(".", &m, &flips, &count, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_ptr_null(flips);
}
END_TEST

/* ---- at random ---- */

/* Two tensors: 3 rows from 10 on in steps of 2 (slice 1) and a row in slice 5; 4 in slice 2. */
static TspPiece pieces[] = {
    {.row_step = 1, .rows = 3, .slice = 1, .addr = 10, .addr_step = 2},
    {.row_step = 1, .rows = 1, .slice = 5, .addr = 7, .addr_step = 1},
    {.row_step = 1, .rows = 4, .slice = 2, .addr = 3, .addr_step = -1},
};
static TspTensor tensors[] = {
    {.role = TSP_ROLE_INPUT, .pieces = pieces, .piece_count = 2},
    {.role = TSP_ROLE_INTERNAL, .pieces = NULL, .piece_count = 0},
    {.role = TSP_ROLE_OUTPUT, .pieces = pieces + 2, .piece_count = 1},
};
enum { ROWS = 8 };

static TspProgram *program(const char *name, int32_t tensor_count) {
    static TspProgram p;
    p.machine = machine(name);
    p.tensors = tensors;
    p.tensor_count = tensor_count;
    return &p;
}

/* Which of the rows a flip hits, -1 if none. */
static int32_t row_number(const TspFlip *f) {
    static const int32_t rows[ROWS][2] = {{1, 10}, {1, 12}, {1, 14}, {5, 7},
                                          {2, 3},  {2, 2},  {2, 1},  {2, 0}};
    for (int32_t i = 0; i < ROWS; i++)
        if (f->slice == rows[i][0] && f->row == rows[i][1]) return i;
    return -1;
}

/* Within five standard deviations of `share` of `trials`. */
static void check_share(int64_t hits, int64_t trials, double share) {
    const double mean = share * (double)trials, spread = 5 * sqrt(mean * (1 - share));
    ck_assert_msg(fabs((double)hits - mean) <= spread, "%lld of %lld, expected %.0f +- %.0f",
                  (long long)hits, (long long)trials, mean, spread);
}

START_TEST(rates_are_kept) {
    static const struct {
        double rate;
        int64_t cycles;
    } known[] = {{0.25, 100000}, {0.5, 100000}, {0.001, 1000000}, {0.999, 100000}};
    TspProgram *p = program("tiny", 3);
    TspFlip flip;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            const TspFaults f = {.rate = known[i].rate, .seed = seed};
            int64_t hits = 0;
            for (int64_t c = 0; c < known[i].cycles; c++)
                hits += tsp_faults_random(&f, p, c, &flip);
            check_share(hits, known[i].cycles, known[i].rate);
        }
    for (int64_t c = 0; c < 10000; c++) {
        ck_assert(!tsp_faults_random(&(TspFaults){.rate = 0, .seed = 1}, p, c, &flip));
        ck_assert(!tsp_faults_random(&(TspFaults){.rate = NAN, .seed = 1}, p, c, &flip));
        ck_assert(tsp_faults_random(&(TspFaults){.rate = 1, .seed = 1}, p, c, &flip));
        ck_assert(!tsp_faults_random(&(TspFaults){.rate = 1e-300, .seed = 1}, p, c, &flip));
    }
    ck_assert(!tsp_faults_on(&(TspFaults){.rate = 0}));
    ck_assert(tsp_faults_on(&(TspFaults){.rate = 1e-300}));
}
END_TEST

/* A greater rate adds flips and changes none. */
START_TEST(flips_depend_on_seed_and_cycle_alone) {
    TspProgram *p = program("tsp1", 3);
    int32_t differing = 0;
    for (int64_t c = 0; c < 10000; c++) {
        TspFlip often, seldom, again, other;
        const TspFaults f = {.rate = 0.3, .seed = 42};
        const bool hit = tsp_faults_random(&f, p, c, &seldom);
        ck_assert(tsp_faults_random(&(TspFaults){.rate = 1, .seed = 42}, p, c, &often));
        ck_assert(tsp_faults_random(&(TspFaults){.rate = 1, .seed = 43}, p, c, &other));
        ck_assert_int_eq(tsp_faults_random(&f, p, c, &again), hit);
        ck_assert_int_eq(often.cycle, c);
        if (hit) check_flip(&seldom, &often);
        if (hit) check_flip(&again, &often);
        differing += memcmp(&often, &other, sizeof often) != 0;
    }
    ck_assert_int_ge(differing, 9900);
}
END_TEST

/* Seed, cycle and what follows from them, for good: runs can be repeated years later. */
START_TEST(flips_stay_what_they_are) {
    TspProgram *p = program("tiny", 3);
    TspFlip flip;
    ck_assert(tsp_faults_random(&(TspFaults){.rate = 1, .seed = 0}, p, 0, &flip));
    check_flip(&flip, &(TspFlip){0, -1, -1, 15, 7, 3, 19});
    ck_assert(tsp_faults_random(&(TspFaults){.rate = 1, .seed = 7}, p, 1000, &flip));
    check_flip(&flip, &(TspFlip){1000, 2, 0, -1, -1, 0, 30});
}
END_TEST

START_TEST(targets_are_there_and_even) {
    static const char *const names[] = {"tiny", "tsp1"};
    enum { CYCLES = 20000 };
    for (int32_t which = 0; which < 4; which++) {
        TspProgram *p = program(names[which % 2], which < 2 ? 3 : 0);
        const TspMachine *m = &p->machine;
        const int64_t data_bits = 8 * m->lanes_per_superlane, bit_count = data_bits + 9;
        int64_t rows[ROWS] = {0}, streams[64] = {0}, columns[TSP_MAX_COLUMNS] = {0}, flying = 0;
        int64_t superlanes[32] = {0}, bits[TSP_ECC_BITS] = {0};
        for (int64_t c = 0; c < CYCLES; c++) {
            TspFlip f;
            tsp_faults_random(&(TspFaults){.rate = 1, .seed = 9}, p, c, &f);
            ck_assert(f.superlane >= 0 && f.superlane < m->superlanes && f.bit >= 0 &&
                      f.bit < TSP_ECC_BITS);
            superlanes[f.superlane]++;
            bits[f.bit]++;
            if (f.slice >= 0) {
                ck_assert_int_ge(row_number(&f), 0);
                rows[row_number(&f)]++;
                continue;
            }
            flying++;
            ck_assert(f.stream >= 0 && f.stream < 64 && TSP_STREAM_NUMBER(f.stream) < m->streams &&
                      f.column >= 0 && f.column < tsp_columns(m));
            streams[f.stream]++;
            columns[f.column]++;
        }
        if (which < 2) check_share(flying, CYCLES, 0.5);
        if (which >= 2) ck_assert_int_eq(flying, CYCLES);
        for (int32_t i = 0; i < ROWS && which < 2; i++) check_share(rows[i], CYCLES, 0.5 / ROWS);
        for (int32_t i = 0; i < 64; i++)
            if (i % 32 < m->streams) check_share(streams[i], flying, 0.5 / (double)m->streams);
        for (int32_t i = 0; i < tsp_columns(m); i++)
            check_share(columns[i], flying, 1.0 / tsp_columns(m));
        for (int32_t i = 0; i < m->superlanes; i++)
            check_share(superlanes[i], CYCLES, 1.0 / (double)m->superlanes);
        for (int32_t i = 0; i < TSP_ECC_BITS; i++) {
            const bool there = i < data_bits || i >= TSP_ECC_DATA_BITS;
            check_share(bits[i], CYCLES, there ? 1.0 / (double)bit_count : 0);
        }
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("faults");
    TCase *file = tcase_create("file"), *random = tcase_create("random");
    tcase_add_test(file, good_files_are_read);
    tcase_add_test(file, flips_are_sorted_stably);
    tcase_add_test(file, bad_structure_is_refused);
    tcase_add_test(file, bad_places_are_refused);
    tcase_add_test(file, bad_numbers_are_refused);
    tcase_add_test(file, errors_count_flips);
    tcase_add_test(file, load_reads_files);
    tcase_add_test(random, rates_are_kept);
    tcase_add_test(random, flips_depend_on_seed_and_cycle_alone);
    tcase_add_test(random, flips_stay_what_they_are);
    tcase_add_test(random, targets_are_there_and_even);
    suite_add_tcase(suite, file);
    suite_add_tcase(suite, random);
    return run_suite(suite);
}
