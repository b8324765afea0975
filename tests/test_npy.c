/* test_npy.c - .npy files: what numpy.save writes is read, everything else is refused by name.
 */
#include "compiler/npy.h"

#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 4096 };

typedef struct {
    uint8_t bytes[FILE_MAX];
    size_t length;
} File;

/* A file of the given version with this header text, padded to 64, and these elements. */
static File file_of(int version, const char *header, const void *elements, size_t element_bytes) {
    File f = {{0}, 0};
    size_t prefix = version == 1 ? 10 : 12, text = strlen(header), padded;
    memcpy(f.bytes, "\x93NUMPY", 6);
    f.bytes[6] = (uint8_t)version;
    padded = (prefix + text + 1 + 63) / 64 * 64 - prefix;
    f.bytes[8] = (uint8_t)(padded & 255);
    f.bytes[9] = (uint8_t)(padded >> 8);
    memset(f.bytes + prefix, ' ', padded);
    memcpy(f.bytes + prefix, header, text);
    f.bytes[prefix + padded - 1] = '\n';
    memcpy(f.bytes + prefix + padded, elements, element_bytes);
    f.length = prefix + padded + element_bytes;
    return f;
}

static bool parse(const File *f, TspDtype *dtype, int32_t *rank, int64_t *shape, uint8_t **data,
                  TspError *err) {
    /* an exact-size copy lets the sanitizer see any read past the end */
    uint8_t *copy = malloc(f->length ? f->length : 1);
    bool ok;
    memcpy(copy, f->bytes, f->length);
    ok = tsp_npy_parse(copy, f->length, "x.npy", dtype, rank, shape, data, err);
    free(copy);
    return ok;
}

static void expect_refused(const File *f, const char *text) {
    TspDtype dtype;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    uint8_t *data = NULL;
    TspError err = {0};
    ck_assert_msg(!parse(f, &dtype, &rank, shape, &data, &err), "accepted; wanted: %s", text);
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_str_eq(err.text, text);
}

/* Byte for byte what numpy 1.24 writes for np.array([[1, 2, 3], [4, 5, 6]], np.int16). */
static const uint8_t from_numpy[] =
    "\x93NUMPY\x01\x00\x76\x00{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }"
    "                                                          \n"
    "\1\0\2\0\3\0\4\0\5\0\6";

START_TEST(reads_what_numpy_writes) {
    TspDtype dtype;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    uint8_t *data;
    TspError err = {0};
    ck_assert_uint_eq(sizeof from_numpy, 128 + 12);
    ck_assert_msg(
        tsp_npy_parse(from_numpy, sizeof from_numpy, "x.npy", &dtype, &rank, shape, &data, &err),
        "%s", err.text);
    ck_assert_int_eq(dtype, TSP_I16);
    ck_assert_int_eq(rank, 2);
    ck_assert_int_eq(shape[0], 2);
    ck_assert_int_eq(shape[1], 3);
    ck_assert_mem_eq(data, "\1\0\2\0\3\0\4\0\5\0\6\0", 12);
    free(data);
}
END_TEST

START_TEST(writes_what_numpy_writes) {
    static const int16_t elements[] = {1, 2, 3, 4, 5, 6};
    static const int64_t shape[] = {2, 3};
    char path[SCRATCH_PATH], temporary[SCRATCH_PATH + 8];
    uint8_t got[256];
    FILE *file;
    TspError err = {0};
    scratch_file(path);
    ck_assert_msg(tsp_npy_save(path, TSP_I16, 2, shape, (const uint8_t *)elements, &err), "%s",
                  err.text);
    file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(got, 1, sizeof got, file), sizeof from_numpy);
    fclose(file);
    ck_assert_mem_eq(got, from_numpy, sizeof from_numpy);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    ck_assert_int_ne(access(temporary, F_OK), 0); /* renamed, not left behind */
    remove(path);
}
END_TEST

/* Every dtype and rank survives the way out and back. */
START_TEST(round_trip) {
    static const int64_t shape[TSP_MAX_RANK] = {2, 1, 3, 1, 2, 1, 1, 2};
    char path[SCRATCH_PATH];
    scratch_file(path);
    for (int t = 0; t < TSP_DTYPE_COUNT; t++)
        for (int32_t rank = 0; rank <= TSP_MAX_RANK; rank++) {
            uint8_t elements[24 * 4], *data;
            size_t bytes = (size_t)tsp_dtype_bytes((TspDtype)t);
            TspDtype dtype;
            int32_t got_rank;
            int64_t got_shape[TSP_MAX_RANK];
            TspError err = {0};
            for (int32_t i = 0; i < rank; i++) bytes *= (size_t)shape[i];
            for (size_t i = 0; i < sizeof elements; i++)
                elements[i] = t == TSP_BOOL ? i % 3 == 0 : (uint8_t)(i * 37);
            ck_assert_msg(tsp_npy_save(path, (TspDtype)t, rank, shape, elements, &err), "%s",
                          err.text);
            ck_assert_msg(tsp_npy_load(path, &dtype, &got_rank, got_shape, &data, &err), "%s",
                          err.text);
            ck_assert_int_eq(dtype, t);
            ck_assert_int_eq(got_rank, rank);
            for (int32_t i = 0; i < rank; i++) ck_assert_int_eq(got_shape[i], shape[i]);
            ck_assert_mem_eq(data, elements, bytes);
            free(data);
        }
    remove(path);
}
END_TEST

static const float two[] = {1, -2};

START_TEST(reads_other_spellings) {
    static const struct {
        int version;
        const char *header;
        int32_t rank;
    } cases[] = {
        {2, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 1},
        {1, "{\"shape\":(1,2),\"descr\":\"<f4\",\"fortran_order\":False}", 2},
        {1, "{ 'fortran_order' : False , 'shape' : ( 2 , 1 , ) , 'descr' : '<f4' , }", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        File f = file_of(cases[i].version, cases[i].header, two, sizeof two);
        TspDtype dtype;
        int32_t rank;
        int64_t shape[TSP_MAX_RANK];
        uint8_t *data;
        TspError err = {0};
        ck_assert_msg(parse(&f, &dtype, &rank, shape, &data, &err), "%s", err.text);
        ck_assert_int_eq(dtype, TSP_F32);
        ck_assert_int_eq(rank, cases[i].rank);
        ck_assert_mem_eq(data, two, sizeof two);
        free(data);
    }
}
END_TEST

START_TEST(refuses_by_name) {
    static const struct {
        const char *header, *text;
    } cases[] = {
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }",
         "x.npy: element type '>f4' is not read; save int8, uint8, int16, int32, float16, float32 "
         "or bool, little-endian"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }",
         "x.npy: element type '<f8' is not read; save int8, uint8, int16, int32, float16, float32 "
         "or bool, little-endian"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
         "x.npy: \"descr\" is not a simple type (structured arrays are not read); write it again "
         "with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }",
         "x.npy: elements are in Fortran order; save numpy.ascontiguousarray of it"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }",
         "x.npy: \"fortran_order\" is neither True nor False; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2), }",
         "x.npy: \"shape\" is not a tuple; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }",
         "x.npy: \"shape\" is not a tuple of whole numbers; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }",
         "x.npy: the array has no elements; every dimension must be 1 or more"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 2), }",
         "x.npy: more than 8 dimensions; reshape the array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2147483648,), }",
         "x.npy: a dimension is greater than 2147483647; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2), }",
         "x.npy: more than 2147483647 elements; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
         "x.npy: 8 bytes of elements where the header says 12; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
         "x.npy: 8 bytes of elements where the header says 4; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, }",
         "x.npy: the header lacks \"descr\", \"fortran_order\" or \"shape\"; write it again with "
         "numpy.save"},
        {"{'descr': '<f4', 'order': False, 'shape': (2,), }",
         "x.npy: unknown key in the header; write it again with numpy.save"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x",
         "x.npy: something follows the header's dictionary; write it again with numpy.save"},
        {"('descr', '<f4')",
         "x.npy: the header is not a dictionary; write it again with numpy.save"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        File f = file_of(1, cases[i].header, two, sizeof two);
        expect_refused(&f, cases[i].text);
    }
}
END_TEST

START_TEST(refuses_broken_files) {
    static const uint8_t truths[] = {0, 1, 2};
    const char *header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    File good = file_of(1, header, two, sizeof two), f = good;
    f.bytes[0] = 'N';
    expect_refused(&f, "x.npy: not an .npy file (its first bytes are not \\x93NUMPY); write it "
                       "again with numpy.save");
    f = good;
    f.bytes[6] = 3;
    expect_refused(&f,
                   "x.npy: .npy format 3.0 is not read; write format 1.0 or 2.0 with numpy.save");
    f = good;
    f.length = 60;
    expect_refused(&f, "x.npy: the file ends inside its header; write it again with numpy.save");
    f = good;
    f.length--;
    expect_refused(&f, "x.npy: 7 bytes of elements where the header says 8; write it again with "
                       "numpy.save");
    f = good;
    f.length++;
    expect_refused(&f, "x.npy: 9 bytes of elements where the header says 8; write it again with "
                       "numpy.save");
    f = file_of(2, header, two, sizeof two);
    f.bytes[11] = 1;
    expect_refused(&f,
                   "x.npy: the header is longer than 65536 bytes; write it again with numpy.save");
    f = file_of(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", truths, 3);
    expect_refused(&f, "x.npy: a bool is neither 0 nor 1; write it again with numpy.save");
    f.length = 0;
    expect_refused(&f, "x.npy: not an .npy file (its first bytes are not \\x93NUMPY); write it "
                       "again with numpy.save");
}
END_TEST

START_TEST(refuses_what_is_no_file) {
    TspDtype dtype;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    uint8_t *data, element = 0;
    TspError err = {0};
    ck_assert(!tsp_npy_load("tests/none.npy", &dtype, &rank, shape, &data, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_str_eq(err.text, "tests/none.npy: cannot open it (No such file or directory); check "
                               "the name");
    ck_assert(!tsp_npy_load("tests", &dtype, &rank, shape, &data, &err));
    ck_assert_str_eq(err.text, "tests: not a regular file; give an .npy file");
    ck_assert(!tsp_npy_save("tests/none/x.npy", TSP_I8, 0, NULL, &element, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_SYSTEM);
}
END_TEST

/* Any byte changed or cut off: accepted or refused with one line, never anything else. */
START_TEST(survives_mutation) {
    uint64_t seed = 20240607;
    int refused = 0;
    printf("test_npy: seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < 20000; i++) {
        File f = file_of(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", two,
                         sizeof two);
        uint8_t random[8];
        TspDtype dtype;
        int32_t rank;
        int64_t shape[TSP_MAX_RANK];
        uint8_t *data = NULL;
        TspError err = {0};
        memcpy(random, &seed, sizeof seed);
        for (int j = 0; j < 8; j++) { /* xorshift */
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            random[j] = (uint8_t)(seed >> 32);
        }
        f.bytes[random[0] % 72] = random[1];
        if (random[2] < 128) f.bytes[random[3] % 72] = random[4];
        if (random[5] < 32) f.length = random[6] % f.length;
        if (parse(&f, &dtype, &rank, shape, &data, &err)) {
            free(data);
        } else {
            ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
            ck_assert_ptr_nonnull(strchr(err.text, ';'));
            refused++;
        }
    }
    ck_assert_int_gt(refused, 10000);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("npy");
    TCase *tests = tcase_create("npy");
    tcase_add_test(tests, reads_what_numpy_writes);
    tcase_add_test(tests, writes_what_numpy_writes);
    tcase_add_test(tests, round_trip);
    tcase_add_test(tests, reads_other_spellings);
    tcase_add_test(tests, refuses_by_name);
    tcase_add_test(tests, refuses_broken_files);
    tcase_add_test(tests, refuses_what_is_no_file);
    tcase_add_test(tests, survives_mutation);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
