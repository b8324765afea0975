/* test_program.c - what a program owns, and tensors as vectors in memory. */
#include "isa/program.h"
#include "tests/seeded.h"

#include "suite.h"
#include <stdlib.h>
#include <string.h>

static TspMachine tiny(void) {
    TspMachine m;
    ck_assert(tsp_machine_builtin(&m, "tiny"));
    return m;
}

/* ---- queues ---- */

START_TEST(a_fresh_program_is_empty) {
    TspMachine m = tiny();
    TspProgram p;
    tsp_program_init(&p, &m);
    ck_assert_str_eq(p.machine.name, "tiny");
    ck_assert_int_eq(p.predicted_cycles, -1);
    ck_assert_int_eq(p.queues[TSP_MAX_QUEUES - 1].count, 0);
    tsp_program_free(&p);
    tsp_program_free(&p); /* harmless */
}
END_TEST

START_TEST(debug_records_keep_step_with_words) {
    TspQueue q = {0};
    const TspInsnDebug debug = {.run = {5, -1}, .first = {9, 0}, .line = 3};
    for (uint64_t i = 0; i < 1000; i++) {
        if (i == 100) ck_assert_ptr_null(q.debug);
        ck_assert(tsp_queue_push(&q, (TspWord){i, ~i}, i == 100 ? &debug : NULL));
    }
    ck_assert_int_eq(q.count, 1000);
    ck_assert_ptr_nonnull(q.debug);
    for (int32_t i = 0; i < 1000; i++) {
        ck_assert_uint_eq(q.words[i].lo, (uint64_t)i);
        ck_assert_uint_eq(q.words[i].hi, ~(uint64_t)i);
        ck_assert_int_eq(q.debug[i].run[0], i == 100 ? 5 : -1);
        ck_assert_int_eq(q.debug[i].run[1], -1);
        ck_assert_int_eq(q.debug[i].line, i == 100 ? 3 : 0);
    }
    free(q.words);
    free(q.debug);
}
END_TEST

/* ---- tensors ---- */

START_TEST(tensors_as_matrices) {
    static const struct {
        int32_t rank;
        int64_t shape[4];
        bool transposed;
        int64_t rows, cols;
    } known[] = {
        {0, {0}, false, 1, 1},           {0, {0}, true, 1, 1},
        {1, {7}, false, 1, 7},           {1, {7}, true, 7, 1},
        {2, {5, 7}, false, 5, 7},        {2, {5, 7}, true, 7, 5},
        {4, {2, 3, 5, 7}, false, 30, 7}, {4, {2, 3, 5, 7}, true, 42, 5},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        TspTensor t = {.dtype = TSP_I32, .rank = known[i].rank, .transposed = known[i].transposed};
        int64_t rows, cols;
        memcpy(t.shape, known[i].shape, sizeof known[i].shape);
        tsp_tensor_matrix(&t, &rows, &cols);
        ck_assert_int_eq(rows, known[i].rows);
        ck_assert_int_eq(cols, known[i].cols);
        ck_assert_int_eq(tsp_tensor_elements(&t), rows * cols);
        ck_assert_int_eq(tsp_tensor_bytes(&t), 4 * rows * cols);
    }
}
END_TEST

START_TEST(a_piece_packs_the_bytes_it_names) {
    /* int16 [2, 3]: element (r, c) is 0xrc00 + 10 r + c. */
    static const uint8_t data[] = {0, 0x00, 1, 0x01, 2, 0x02, 10, 0x10, 11, 0x11, 12, 0x12};
    TspTensor t = {.dtype = TSP_I16, .rank = 2, .shape = {2, 3}};
    TspMachine m = tiny();
    uint8_t vector[16];
    TspPiece low = {.rows = 2, .row_step = 1, .col0 = 1, .cols = 2};
    tsp_piece_pack(&m, &t, &low, 1, data, vector);
    ck_assert_mem_eq(vector, ((uint8_t[16]){11, 12}), 16);
    TspPiece high = {.row0 = 1, .rows = 2, .row_step = -1, .cols = 3, .byte = 1};
    tsp_piece_pack(&m, &t, &high, 1, data, vector);
    ck_assert_mem_eq(vector, ((uint8_t[16]){0, 1, 2}), 16);
    t.transposed = true;
    TspPiece column = {.row0 = 2, .rows = 1, .cols = 2};
    tsp_piece_pack(&m, &t, &column, 0, data, vector);
    ck_assert_mem_eq(vector, ((uint8_t[16]){2, 12}), 16);
    TspPiece spread = {.row0 = 1, .rows = 1, .col0 = 1, .cols = 1, .byte = 1, .broadcast = 5};
    tsp_piece_pack(&m, &t, &spread, 0, data, vector);
    ck_assert_mem_eq(vector, ((uint8_t[16]){0x11, 0x11, 0x11, 0x11, 0x11}), 16);
    t.transposed = false;
    t.flat = true;
    TspPiece run = {.rows = 2, .col0 = 1, .col_step = 3, .cols = 2};
    tsp_piece_pack(&m, &t, &run, 0, data, vector);
    ck_assert_mem_eq(vector, ((uint8_t[16]){1, 2}), 16);
    tsp_piece_pack(&m, &t, &run, 1, data, vector);
    ck_assert_mem_eq(vector, ((uint8_t[16]){11, 12}), 16);
    TspPiece thin = {.rows = 2, .col0 = 0, .col_step = 1, .cols = 3, .lane_skip = 1};
    tsp_piece_pack(&m, &t, &thin, 1, data, vector);
    ck_assert_mem_eq(vector, ((uint8_t[16]){1, 10, 12}), 16);
    ck_assert(tsp_piece_fits(&m, &t, &thin));
    thin.rows = 3;
    ck_assert(!tsp_piece_fits(&m, &t, &thin));
}
END_TEST

START_TEST(random_pieces_pack_and_unpack) {
    TspMachine m = tiny();
    random_start();
    for (int round = 0; round < 3000; round++) {
        TspTensor t = {.dtype = (TspDtype)random_below(TSP_DTYPE_COUNT), .rank = random_below(5)};
        int64_t rows, cols, R = 1, C = 1;
        t.transposed = random_below(2) == 1;
        t.flat = !t.transposed && random_below(2) == 1;
        for (int32_t d = 0; d < t.rank; d++) t.shape[d] = 1 + random_below(9);
        if (t.rank >= 1) C = t.shape[t.rank - 1];
        if (t.rank >= 2) R = t.shape[t.rank - 2];
        tsp_tensor_matrix(&t, &rows, &cols);
        int32_t width = tsp_dtype_bytes(t.dtype);
        TspPiece piece = {.row0 = random_below((int32_t)rows),
                          .col0 = random_below((int32_t)cols),
                          .rows = 1,
                          .byte = random_below(width)};
        piece.cols = 1 + random_below(cols - piece.col0 < 16 ? (int32_t)cols - piece.col0 : 16);
        piece.lane_skip =
            piece.cols < 2 ? 0 : random_below((int32_t)(cols - piece.col0 - 1) / (piece.cols - 1));
        piece.broadcast = random_below(4) == 0 ? 1 + random_below(16) : 0;
        if (piece.broadcast) piece.cols = 1, piece.lane_skip = 0;
        size_t size = (size_t)tsp_tensor_bytes(&t);
        uint8_t *data = malloc(size), *back = malloc(size), want[16] = {0}, vector[16];
        for (size_t i = 0; i < size; i++) data[i] = (uint8_t)random_bits();
        for (size_t i = 0; i < size; i++) back[i] = (uint8_t)~data[i];
        /* Row r of the matrix, column c: swap back the last two dimensions, one by one. */
        size_t first = 0;
        for (int32_t lane = 0; lane < (piece.broadcast ? piece.broadcast : piece.cols); lane++) {
            int64_t r = piece.row0,
                    c = piece.col0 + (piece.broadcast ? 0 : lane * (1 + piece.lane_skip)), index;
            index = t.flat ? c : t.transposed ? r / C * R * C + c * C + r % C : r * C + c;
            size_t at = (size_t)(index * width + piece.byte);
            if (lane == 0) first = at;
            want[lane] = data[at];
        }
        tsp_piece_pack(&m, &t, &piece, 0, data, vector);
        ck_assert_mem_eq(vector, want, 16);
        tsp_piece_unpack(&m, &t, &piece, 0, vector, back);
        size_t same = 0;
        for (size_t i = 0; i < size; i++) same += back[i] == data[i];
        ck_assert_uint_eq(same, (size_t)piece.cols);
        ck_assert_uint_eq(back[first], data[first]);
        free(data);
        free(back);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("program");
    TCase *tests = tcase_create("program");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_fresh_program_is_empty);
    tcase_add_test(tests, debug_records_keep_step_with_words);
    tcase_add_test(tests, tensors_as_matrices);
    tcase_add_test(tests, a_piece_packs_the_bytes_it_names);
    tcase_add_test(tests, random_pieces_pack_and_unpack);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
