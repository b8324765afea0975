/* test_measurements.c - files of measurements against a naive reader, and every kind of bad line,
 * wherever chunks end and however many threads read.
 */
#include "programs/1brc/measurements.h"

#include "seeded.h"
#include "suite.h"
#include <math.h>
#include <string.h>

enum { TEXT_MOST = 1 << 20 };

typedef struct {
    char *bytes; /* TEXT_MOST */
    size_t length;
} Text;

static bool small_scale(void) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small");
}

static Text new_text(void) {
    Text t = {malloc(TEXT_MOST), 0};
    ck_assert_ptr_nonnull(t.bytes);
    return t;
}

static void add(Text *t, const char *bytes, size_t length) {
    ck_assert_uint_le(t->length + length, TEXT_MOST);
    memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
}

static void add_line(Text *t, const char *line) {
    add(t, line, strlen(line));
    add(t, "\n", 1);
}

static void write_text(const char *path, const Text *t) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(t->bytes, 1, t->length, file), t->length);
    ck_assert_int_eq(fclose(file), 0);
}

static TspMeasurements *open_by(const char *path, int32_t threads, int64_t chunk_bytes,
                                TspError *err) {
    return tsp_measurements_open(path, &(TspMeasurementsOptions){threads, chunk_bytes}, err);
}

/* -- a naive reader -- */

typedef struct {
    int64_t rows;
    int32_t stations;
    char **name;  /* of stations, sorted */
    char **named; /* of rows */
    int16_t *tenths;
} Naive;

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static Naive read_naively(const Text *t) {
    Naive n = {0};
    char *copy = strndup(t->bytes, t->length), *rest = copy;
    n.name = calloc(t->length, sizeof *n.name);
    n.named = calloc(t->length, sizeof *n.named);
    n.tenths = calloc(t->length, sizeof *n.tenths);
    for (char *line; (line = strsep(&rest, "\n")) && *line; n.rows++) {
        char *number = strchr(line, ';');
        n.named[n.rows] = n.name[n.rows] = strndup(line, (size_t)(number - line));
        n.tenths[n.rows] = (int16_t)lround(10 * strtod(number + 1, NULL));
    }
    qsort(n.name, (size_t)n.rows, sizeof *n.name, by_bytes);
    for (int64_t i = 0; i < n.rows; i++)
        if (i == 0 || strcmp(n.name[i], n.name[n.stations - 1]) != 0)
            n.name[n.stations++] = n.name[i];
    free(copy);
    return n;
}

static void free_naive(Naive *n) {
    for (int64_t i = 0; i < n->rows; i++) free(n->named[i]);
    free(n->name);
    free(n->named);
    free(n->tenths);
}

/* Reads the file in blocks of up to `most` rows and compares everything. */
static void expect_same(const char *path, const Naive *n, int32_t threads, int64_t chunk_bytes,
                        int32_t most) {
    uint16_t *station = malloc((size_t)most * sizeof *station);
    int16_t *tenths = malloc((size_t)most * sizeof *tenths);
    TspError err = {0};
    TspMeasurements *m = open_by(path, threads, chunk_bytes, &err);
    int64_t row = 0, got;
    ck_assert_msg(m != NULL, "%s", err.text);
    ck_assert_int_eq(tsp_measurements_rows(m), n->rows);
    ck_assert_int_eq(tsp_measurements_stations(m), n->stations);
    for (int32_t i = 0; i < n->stations; i++)
        ck_assert_str_eq(tsp_measurements_names(m)[i], n->name[i]);
    while ((got = tsp_measurements_next(m, one_in(4) ? pick(1, most) : most, station, tenths,
                                        &err)) > 0)
        for (int64_t i = 0; i < got; i++, row++) {
            ck_assert_int_lt(row, n->rows);
            ck_assert_int_lt(station[i], n->stations);
            ck_assert_str_eq(n->name[station[i]], n->named[row]);
            ck_assert_int_eq(tenths[i], n->tenths[row]);
        }
    ck_assert_msg(got == 0, "%s", err.text);
    ck_assert_int_eq(row, n->rows);
    ck_assert_int_eq(tsp_measurements_next(m, most, station, tenths, &err), 0);
    ck_assert(tsp_measurements_open_seconds(m) > 0 && tsp_measurements_next_seconds(m) > 0);
    tsp_measurements_close(m);
    free(station);
    free(tenths);
}

/* -- good files -- */

/* A name of `length` bytes, many of which begin and end alike. */
static void add_name(Text *t, int32_t length, int32_t kind) {
    static const char *const letters[] = {"a", "b", " ", "é", "京", "𠮷"};
    const size_t end = t->length + (size_t)length;
    while (t->length + 24 < end) add(t, "nnnnnnnn", 8);
    while (t->length < end) {
        const char *letter = letters[kind % 6];
        kind = kind / 6 + length;
        if (strlen(letter) > end - t->length) letter = "z";
        add(t, letter, strlen(letter));
    }
}

static void add_random_line(Text *t, int32_t lengths, int32_t kinds) {
    char number[16];
    const char *sign = one_in(3) ? "-" : "";
    add_name(t, one_in(8) ? pick(13, 19) : pick(1, lengths), pick(0, kinds));
    if (one_in(2))
        snprintf(number, sizeof number, ";%s%d.%d\n", sign, pick(0, 9), pick(0, 9));
    else
        snprintf(number, sizeof number, ";%s%d%d.%d\n", sign, pick(0, 9), pick(0, 9), pick(0, 9));
    add(t, number, strlen(number));
}

START_TEST(random_files) {
    const int trials = small_scale() ? 60 : 600;
    char path[SCRATCH_PATH];
    Text t = new_text();
    random_start();
    scratch_file(path);
    for (int trial = 0; trial < trials; trial++) {
        const int32_t lines = pick(1, 400), lengths = one_in(2) ? 8 : 100, kinds = pick(1, 2000);
        Naive n;
        t.length = 0;
        for (int32_t i = 0; i < lines; i++) add_random_line(&t, lengths, kinds);
        if (one_in(2)) t.length--; /* the last newline */
        write_text(path, &t);
        n = read_naively(&t);
        expect_same(path, &n, pick(1, 4), pick(1, one_in(2) ? 64 : 5000), pick(1, 500));
        expect_same(path, &n, 0, 0, 1000);
        free_naive(&n);
    }
    free(t.bytes);
    remove(path);
}
END_TEST

/* Every size of chunk, so every place for an edge. */
START_TEST(edges_of_chunks) {
    static const char text[] = "Ulm;1.2\na;-0.0\nSão Paulo;-99.9\n"
                               "a name that takes its time until it ends;99.9\nUl;05.0\nUlm;-3.4";
    char path[SCRATCH_PATH];
    Text t = new_text();
    Naive n;
    random_start();
    scratch_file(path);
    add(&t, text, sizeof text - 1);
    for (int newline = 0; newline < 2; newline++) {
        write_text(path, &t);
        n = read_naively(&t);
        ck_assert_int_eq(n.rows, 6);
        for (int64_t chunk = 1; chunk < (int64_t)sizeof text + 2; chunk++)
            for (int32_t threads = 1; threads <= 3; threads++)
                for (int32_t rows = 1; rows <= 7; rows += 3)
                    expect_same(path, &n, threads, chunk, rows);
        free_naive(&n);
        add(&t, "\n", 1);
    }
    free(t.bytes);
    remove(path);
}
END_TEST

/* -- bad files -- */

#define REPEAT_10(text) text text text text text text text text text text

/* Bad lines and what is said of them. */
static const struct {
    const char *line;
    size_t length; /* 0: to the NUL */
    const char *text;
} bad[] = {
    {"", 0, "an empty line; take it out"},
    {"Ulm", 0, "no ';'; expected NAME;TEMPERATURE"},
    {"Ulm 1.0", 0, "no ';'; expected NAME;TEMPERATURE"},
    {"a line of some length with nothing in it", 0, "no ';'; expected NAME;TEMPERATURE"},
    {";1.0", 0, "no name before the ';'; it has 1 to 100 bytes"},
    {";", 0, "no name before the ';'; it has 1 to 100 bytes"},
    {REPEAT_10("0123456789") "x;1.0", 0, "no ';' within 101 bytes; a name has at most 100"},
    {REPEAT_10("0123456789") "x", 0, "no ';' within 101 bytes; a name has at most 100"},
    {REPEAT_10("0123456789"), 0, "no ';'; expected NAME;TEMPERATURE"},
    {REPEAT_10(REPEAT_10("0123456789")) ";1.0", 0,
     "no ';' within 101 bytes; a name has at most 100"},
    {"U\0m;1.0", 7, "byte 2 of the name, 0x00, is a control character; take it out"},
    {"Ulm\0;1.0", 8, "byte 4 of the name, 0x00, is a control character; take it out"},
    {"a\0;1.0", 6, "byte 2 of the name, 0x00, is a control character; take it out"},
    {"\0;1.0", 5, "byte 1 of the name, 0x00, is a control character; take it out"},
    {"U\tm;1.0", 0, "byte 2 of the name, 0x09, is a control character; take it out"},
    {"U\x7fm;1.0", 0, "byte 2 of the name, 0x7f, is a control character; take it out"},
    {"Z\xfcrich;1.0", 0, "byte 2 of the name, 0xfc, is not UTF-8; convert the file to UTF-8"},
    {"ab\xc0\xaf;1.0", 0, "byte 3 of the name, 0xc0, is not UTF-8; convert the file to UTF-8"},
    {"\xed\xa0\x80;1.0", 0, "byte 1 of the name, 0xed, is not UTF-8; convert the file to UTF-8"},
    {"\xf4\x90\x80\x80;1.0", 0,
     "byte 1 of the name, 0xf4, is not UTF-8; convert the file to UTF-8"},
    {"a\xe4\xba;1.0", 0, "byte 2 of the name, 0xe4, is not UTF-8; convert the file to UTF-8"},
    {"a\x80;1.0", 0, "byte 2 of the name, 0x80, is not UTF-8; convert the file to UTF-8"},
    {"a rather long name and \xff;1.0", 0,
     "byte 24 of the name, 0xff, is not UTF-8; convert the file to UTF-8"},
    {"a;1.0\r", 0, "the line ends with a carriage return; end lines with a newline alone"},
#define NUMBER(text) "'" text "' is no temperature; expected -99.9 to 99.9 with one decimal"
    {"a;", 0, NUMBER("")},
    {"a;1", 0, NUMBER("1")},
    {"a;12", 0, NUMBER("12")},
    {"a;1.", 0, NUMBER("1.")},
    {"a;.5", 0, NUMBER(".5")},
    {"a;-.5", 0, NUMBER("-.5")},
    {"a;1.25", 0, NUMBER("1.25")},
    {"a;100.0", 0, NUMBER("100.0")},
    {"a;-100.0", 0, NUMBER("-100.0")},
    {"a;+1.0", 0, NUMBER("+1.0")},
    {"a;--1.0", 0, NUMBER("--1.0")},
    {"a;1,0", 0, NUMBER("1,0")},
    {"a; 1.0", 0, NUMBER(" 1.0")},
    {"a;1.0 ", 0, NUMBER("1.0 ")},
    {"a;nan", 0, NUMBER("nan")},
    {"a;1e3", 0, NUMBER("1e3")},
    {"a;1.0;2.0", 0, NUMBER("1.0;2.0")},
    {"a;1\0.0", 6, NUMBER("1?.0")},
    {"a;\xc2\xbd", 0, NUMBER("??")},
    {"a;123456789012345678901234567890", 0, NUMBER("12345678901234567890123")},
#undef NUMBER
};
enum { BAD = sizeof bad / sizeof bad[0] };

static void expect_refused(const char *path, int64_t line, const char *text) {
    char want[512];
    snprintf(want, sizeof want, "%s:%lld: %s", path, (long long)line, text);
    for (int32_t threads = 1; threads <= 3; threads++)
        for (int32_t i = 0; i < 3; i++) {
            const int64_t chunk_bytes = (int64_t[]){pick(1, 20), pick(21, 300), 0}[i];
            TspError err = {0};
            ck_assert_msg(!open_by(path, threads, chunk_bytes, &err), "accepted; wanted %s", want);
            ck_assert_str_eq(err.text, want);
            ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
        }
}

START_TEST(bad_lines_are_named) {
    char path[SCRATCH_PATH];
    Text t = new_text();
    random_start();
    scratch_file(path);
    for (size_t i = 0; i < BAD; i++)
        for (int place = 0; place < 4; place++) {
            const int32_t before = (int32_t[]){0, 1, 5, 40}[place];
            const int32_t after = place == 2 ? 0 : pick(1, 20);
            t.length = 0;
            for (int32_t k = 0; k < before; k++) add_random_line(&t, 30, 1000);
            add(&t, bad[i].line, bad[i].length ? bad[i].length : strlen(bad[i].line));
            if (after > 0 || bad[i].line[0] == '\0' || one_in(2)) add(&t, "\n", 1);
            for (int32_t k = 0; k < after; k++) /* more of the kind: the first is named */
                if (one_in(3))
                    add_line(&t, bad[pick(0, BAD - 1)].line);
                else
                    add_random_line(&t, 30, 1000);
            write_text(path, &t);
            expect_refused(path, before + 1, bad[i].text);
        }
    free(t.bytes);
    remove(path);
}
END_TEST

/* `stations` lines of as many stations, in an order of their own, with repetitions between. */
static int64_t add_stations(Text *t, int32_t stations) {
    int64_t lines = 0;
    char line[64];
    for (int32_t i = 0; i < stations; i++, lines++) {
        snprintf(line, sizeof line, "station %d of many;1.0", i * 7919 % 10007);
        add_line(t, line);
        if (i % 10 != 0) continue;
        snprintf(line, sizeof line, "station %d of many;2.0", i / 2 * 7919 % 10007);
        add_line(t, line);
        lines++;
    }
    return lines;
}

START_TEST(stations_are_counted) {
    const char *text = "one station more than 10000; the challenge has no more";
    char path[SCRATCH_PATH];
    Text t = new_text();
    int64_t lines;
    Naive n;
    random_start();
    scratch_file(path);
    lines = add_stations(&t, TSP_STATIONS_MAX);
    write_text(path, &t);
    n = read_naively(&t);
    ck_assert_int_eq(n.stations, TSP_STATIONS_MAX);
    expect_same(path, &n, 3, 1000, 5000);
    free_naive(&n);
    for (int bads = 0; bads < 3; bads++) {
        Text more = new_text();
        add(&more, t.bytes, t.length);
        if (bads == 1) add_line(&more, "Ulm");
        add_line(&more, "Ulm;1.0");
        add_line(&more, "station 0 of many;1.0");
        add_line(&more, bads == 2 ? "Neu-Ulm" : "Neu-Ulm;1.0");
        write_text(path, &more);
        for (int32_t threads = 1; threads <= 4; threads++)
            for (int64_t chunk = 100; chunk < 1000000; chunk *= 10) {
                char want[512];
                TspError err = {0};
                snprintf(want, sizeof want, "%s:%lld: %s", path, (long long)lines + 1,
                         bads == 1 ? bad[1].text : text);
                ck_assert_ptr_null(open_by(path, threads, chunk, &err));
                ck_assert_str_eq(err.text, want);
            }
        free(more.bytes);
    }
    free(t.bytes);
    remove(path);
}
END_TEST

START_TEST(no_files) {
    char path[SCRATCH_PATH], want[512];
    TspError err = {0};
    ck_assert_ptr_null(open_by("tests/none.txt", 1, 0, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_str_eq(err.text, "tests/none.txt: cannot open it (No such file or directory); check "
                               "the name");
    ck_assert_ptr_null(open_by("tests", 1, 0, &err));
    ck_assert_str_eq(err.text, "tests: not a regular file; it is read twice, so give a file");
    scratch_file(path);
    snprintf(want, sizeof want, "%s:1: the file is empty; expected NAME;TEMPERATURE", path);
    ck_assert_ptr_null(open_by(path, 2, 0, &err));
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    remove(path);
}
END_TEST

/* What was checked is not believed when it is read again. */
START_TEST(a_file_that_changes) {
    static const char *const after[] = {
        "Ulm;1.0\nBonn;2.0\nUlm;3.0\nBonn",         /* cut off */
        "",                                         /* emptied */
        "Ulm;1.0\nBohn;2.0\nUlm;3.0\nBonn;4.0\n",   /* a new name */
        "Ulm;1.0\nBonn;2,0\nUlm;3.0\nBonn;4.0\n",   /* no temperature */
        "Ulm;1.0\nBonn;2.0\nUlm;33.0\nBonn;4.0\n",  /* shifted */
        "Ulm;1.0\nBonn;2.0\nUlm;3.0\nUlm;4.0\n\n\n" /* shorter lines */
    };
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
        for (int32_t threads = 1; threads <= 2; threads++)
            for (int64_t chunk = 4; chunk <= 64; chunk += 12) {
                char path[SCRATCH_PATH], want[512];
                Text t = new_text();
                uint16_t station[4];
                int16_t tenths[4];
                TspError err = {0};
                TspMeasurements *m;
                int64_t got;
                scratch_file(path);
                add_line(&t, "Ulm;1.0\nBonn;2.0\nUlm;3.0\nBonn;4.0");
                write_text(path, &t);
                m = open_by(path, threads, chunk, &err);
                ck_assert_msg(m != NULL, "%s", err.text);
                t.length = 0;
                add(&t, after[i], strlen(after[i]));
                write_text(path, &t);
                while ((got = tsp_measurements_next(m, 3, station, tenths, &err)) > 0) continue;
                ck_assert_int_eq(got, -1);
                ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
                snprintf(want, sizeof want, "%s: the file changed while it was read; start again",
                         path);
                ck_assert_str_eq(err.text, want);
                ck_assert_int_eq(tsp_measurements_next(m, 3, station, tenths, &err), -1);
                tsp_measurements_close(m);
                free(t.bytes);
                remove(path);
            }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("measurements");
    TCase *tests = tcase_create("measurements");
    tcase_add_test(tests, random_files);
    tcase_add_test(tests, edges_of_chunks);
    tcase_add_test(tests, bad_lines_are_named);
    tcase_add_test(tests, stations_are_counted);
    tcase_add_test(tests, no_files);
    tcase_add_test(tests, a_file_that_changes);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
