/* test_program_file.c - program files, sound and damaged. */
#include "tests/sample_program.h"
#include "tests/seeded.h"

#include "suite.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint8_t *bytes_of(const TspProgram *p, size_t *length) {
    uint8_t *bytes = tsp_program_bytes(p, length);
    ck_assert_ptr_nonnull(bytes);
    return bytes;
}

/* The checksum as docs/program-format.md words it. */
static void mend_checksum(uint8_t *bytes, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t at = 32; at < length; at += 8) {
        uint64_t word = 0;
        for (size_t i = 8; i-- > 0;) word = word << 8 | (at + i < length ? bytes[at + i] : 0);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 32;
    }
    for (int i = 0; i < 8; i++) bytes[24 + i] = (uint8_t)(hash >> (8 * i));
}

START_TEST(a_program_survives_its_file) {
    TspProgram p = sample(), q;
    TspError err;
    size_t length, again;
    char path[SCRATCH_PATH], temporary[SCRATCH_PATH + 8];
    scratch_file(path);
    ck_assert_msg(tsp_program_save(&p, path, &err), "%s", err.text);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    ck_assert_int_ne(access(temporary, F_OK), 0);
    ck_assert_msg(tsp_program_load(&q, path, &err), "%s", err.text);
    unlink(path);
    ck_assert_int_eq(memcmp(&p.machine, &q.machine, sizeof p.machine), 0);
    ck_assert_str_eq(q.name, "sample");
    ck_assert_str_eq(q.source, "programs/sample.json");
    ck_assert_int_eq(q.predicted_cycles, 411);
    ck_assert_int_eq(q.bound_cycles, 300);
    ck_assert_str_eq(q.bound_by, "MXM");
    ck_assert_int_eq(q.macs, INT64_C(1) << 50);
    ck_assert_int_eq(q.op_count, OPS);
    ck_assert_str_eq(q.ops[0].type, "MatMulInteger");
    ck_assert_int_eq(q.ops[0].line, 12);
    ck_assert_int_eq(q.ops[0].end, 400);
    ck_assert_str_eq(q.ops[1].name, "second \xc3\xa9");
    ck_assert_ptr_null(q.ops[1].type);
    ck_assert_int_eq(q.ops[1].start, -1);
    ck_assert_int_eq(q.run_count, RUNS);
    ck_assert_mem_eq(q.runs, p.runs, sizeof *p.runs * RUNS);
    ck_assert_int_eq(q.link_count, LINKS);
    ck_assert_mem_eq(q.links, p.links, sizeof *p.links * LINKS);
    ck_assert_int_eq(q.tensor_count, TENSORS);
    for (int32_t i = 0; i < TENSORS; i++) {
        const TspTensor *s = &p.tensors[i], *t = &q.tensors[i];
        ck_assert_str_eq(t->name, s->name);
        ck_assert_int_eq(t->dtype, s->dtype);
        ck_assert_int_eq(t->role, s->role);
        ck_assert_int_eq(t->rank, s->rank);
        ck_assert_mem_eq(t->shape, s->shape, sizeof s->shape);
        ck_assert_int_eq(t->transposed, s->transposed);
        ck_assert_int_eq(t->flat, s->flat);
        ck_assert_int_eq(t->finite, s->finite);
        ck_assert_int_eq(t->bounded, s->bounded);
        ck_assert_int_eq(t->low, s->low);
        ck_assert_int_eq(t->high, s->high);
        ck_assert_int_eq(t->pad, s->pad);
        ck_assert_int_eq(t->piece_count, s->piece_count);
        for (int32_t k = 0; k < s->piece_count; k++)
            ck_assert_mem_eq(&t->pieces[k], &s->pieces[k], sizeof s->pieces[k]);
        ck_assert_int_eq(t->data != NULL, s->data != NULL);
        if (s->data) ck_assert_mem_eq(t->data, s->data, (size_t)tsp_tensor_bytes(s));
    }
    for (int32_t id = 0; id < TSP_MAX_QUEUES; id++) {
        const TspQueue *s = &p.queues[id], *t = &q.queues[id];
        ck_assert_int_eq(t->count, s->count);
        ck_assert_int_eq(t->debug != NULL, s->debug != NULL);
        for (int32_t i = 0; i < s->count; i++) {
            ck_assert_mem_eq(&t->words[i], &s->words[i], sizeof s->words[i]);
            if (s->debug) ck_assert_mem_eq(&t->debug[i], &s->debug[i], sizeof s->debug[i]);
        }
    }
    uint8_t *bytes = bytes_of(&p, &length), *bytes2 = bytes_of(&q, &again);
    ck_assert_uint_eq(length, again);
    ck_assert_mem_eq(bytes, bytes2, length);
    free(bytes);
    free(bytes2);
    tsp_program_free(&p);
    tsp_program_free(&q);
}
END_TEST

START_TEST(the_header_is_the_documented_one) {
    TspProgram p = sample();
    size_t length;
    uint8_t *bytes = bytes_of(&p, &length), checksum[8];
    ck_assert_mem_eq(bytes, "TSPPROG\n\5\0\0\0\0\0\0\0", 16);
    ck_assert_uint_eq(bytes[16] | (size_t)bytes[17] << 8 | (size_t)bytes[18] << 16, length);
    memcpy(checksum, bytes + 24, 8);
    mend_checksum(bytes, length);
    ck_assert_mem_eq(bytes + 24, checksum, 8);
    ck_assert_mem_eq(bytes + 32, "MACH", 4);
    free(bytes);
    tsp_program_free(&p);
}
END_TEST

START_TEST(a_file_cut_short_is_refused) {
    TspProgram p = sample(), q;
    size_t length;
    uint8_t *bytes = bytes_of(&p, &length);
    for (size_t cut = 0; cut < length; cut++) {
        TspError err;
        uint8_t *exact = malloc(cut + 1); /* so that a read past the end is seen */
        memcpy(exact, bytes, cut);
        ck_assert(!tsp_program_parse(&q, exact, cut, "t", &err));
        ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
        ck_assert_ptr_nonnull(strstr(err.text, "t: byte "));
        /* The same with a header that agrees: every length inside is checked too. */
        if (cut >= 32) {
            for (int i = 0; i < 8; i++) exact[16 + i] = (uint8_t)(cut >> (8 * i));
            mend_checksum(exact, cut);
            ck_assert(!tsp_program_parse(&q, exact, cut, "t", &err));
            ck_assert_ptr_nonnull(strstr(err.text, "t: byte "));
        }
        free(exact);
    }
    free(bytes);
    tsp_program_free(&p);
}
END_TEST

START_TEST(any_changed_byte_is_refused) {
    TspProgram p = sample(), q;
    TspError err;
    size_t length;
    uint8_t *bytes = bytes_of(&p, &length);
    for (size_t at = 0; at < length; at++) {
        for (int bit = 0; bit <= 8; bit++) {
            uint8_t was = bytes[at];
            bytes[at] ^= (uint8_t)(bit == 8 ? 0xff : 1 << bit);
            ck_assert_msg(!tsp_program_parse(&q, bytes, length, "t", &err), "byte %zu", at);
            ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
            bytes[at] = was;
        }
    }
    ck_assert(tsp_program_parse(&q, bytes, length, "t", &err));
    tsp_program_free(&q);
    free(bytes);
    tsp_program_free(&p);
}
END_TEST

START_TEST(forged_bytes_do_no_harm) {
    TspProgram p = sample(), q;
    size_t length;
    uint8_t *bytes = bytes_of(&p, &length), *forged = malloc(length);
    size_t body = 32;
    int accepted = 0, refused = 0;
    while (memcmp(bytes + body, "HEAD", 4) != 0) body++; /* most of it is the machine's text */
    random_start();
    for (int round = 0; round < 60000; round++) {
        TspError err;
        size_t from = round % 8 == 0 ? 32 : body;
        memcpy(forged, bytes, length);
        for (int32_t n = 1 + random_below(3); n > 0; n--) {
            size_t at = from + (size_t)random_below((int32_t)(length - from));
            forged[at] =
                (uint8_t)(random_below(2) ? random_below(256) : forged[at] ^ 1 << random_below(8));
        }
        mend_checksum(forged, length);
        if (tsp_program_parse(&q, forged, length, "t", &err)) {
            size_t again;
            free(bytes_of(&q, &again));
            for (int32_t i = 0; i < q.tensor_count; i++) { /* pieces can be trusted */
                const TspTensor *t = &q.tensors[i];
                uint8_t vector[TSP_MAX_LANES];
                for (int32_t k = 0; t->data != NULL && k < t->piece_count; k++) {
                    tsp_piece_pack(&q.machine, t, &t->pieces[k], 0, t->data, vector);
                    tsp_piece_pack(&q.machine, t, &t->pieces[k], t->pieces[k].rows - 1, t->data,
                                   vector);
                }
            }
            tsp_program_free(&q);
            accepted++;
        } else {
            ck_assert_ptr_nonnull(strstr(err.text, "t: byte "));
            refused++;
        }
    }
    ck_assert_int_gt(accepted, 1000);
    ck_assert_int_gt(refused, 1000);
    free(forged);
    free(bytes);
    tsp_program_free(&p);
}
END_TEST

/* What a file must not say: each changes one thing of a sound program. */
static void op_of_run(TspProgram *p) {
    p->runs[2].op = OPS;
}
static void queue_of_run(TspProgram *p) {
    p->runs[0].queue = tsp_queue_count(&p->machine);
}
static void length_of_run(TspProgram *p) {
    p->runs[0].count = -1;
}
static void consumer(TspProgram *p) {
    p->links[1].consumer = RUNS;
}
static void producer(TspProgram *p) {
    p->links[0].producer = -1;
}
static void operand(TspProgram *p) {
    p->links[0].operand = 64;
}
static void type(TspProgram *p) {
    p->tensors[2].dtype = TSP_DTYPE_COUNT;
}
static void no_tensor_name(TspProgram *p) {
    free(p->tensors[0].name);
    p->tensors[0].name = NULL;
}
static void negative_shape(TspProgram *p) {
    p->tensors[3].shape[2] = -1;
}
static void huge_shape(TspProgram *p) {
    p->tensors[3].shape[0] = p->tensors[3].shape[3] = 1 << 30;
}
static void flat_and_transposed(TspProgram *p) {
    p->tensors[2].transposed = true;
}
static void no_longer_flat(TspProgram *p) {
    p->tensors[2].flat = false;
}
static void whole_transposed(TspProgram *p) {
    p->tensors[4].transposed = true;
}
static void data(TspProgram *p) {
    p->tensors[1].role = TSP_ROLE_INPUT;
}
static void no_data(TspProgram *p) {
    p->tensors[0].role = TSP_ROLE_CONSTANT;
}
static void run_of_insn(TspProgram *p) {
    p->queues[0].debug[1].run[1] = RUNS;
}
static void no_queue(TspProgram *p) {
    p->machine.sxm_rotators = 0;
}
static void no_machine(TspProgram *p) {
    p->machine.streams = 99;
}
static void no_machine_name(TspProgram *p) {
    strcpy(p->machine.name, "a\"b");
}

static const struct {
    void (*spoil)(TspProgram *);
    const char *error;
} spoilt[] = {
    {op_of_run, "run of an op that is not there"},
    {queue_of_run, "run in a queue that the machine lacks"},
    {length_of_run, "bad length of a run"},
    {consumer, "link to a run that is not there"},
    {producer, "link from a run that is not there"},
    {operand, "bad operand of a link"},
    {type, "bad type of a tensor"},
    {no_tensor_name, "tensor without a name"},
    {negative_shape, "bad shape of a tensor"},
    {huge_shape, "bad shape of a tensor"},
    {flat_and_transposed, "a tensor both flat and transposed"},
    {no_longer_flat, "piece outside its tensor"},
    {whole_transposed, "piece outside its tensor"},
    {data, "data on a tensor that is no constant, or a constant without"},
    {no_data, "data on a tensor that is no constant, or a constant without"},
    {run_of_insn, "instruction of a run that is not there"},
    {no_queue, "queue out of order"},
    {no_machine, "bad machine description"},
    {no_machine_name, "bad machine description"},
};

/* The file of a program with one thing changed is refused, and for this reason. */
static void check_refused(const TspProgram *changed, const char *reason) {
    TspProgram q;
    TspError err;
    size_t length;
    uint8_t *bytes = bytes_of(changed, &length);
    ck_assert_msg(!tsp_program_parse(&q, bytes, length, "t", &err), "not refused: %s", reason);
    ck_assert_msg(strstr(err.text, reason) != NULL, "%s instead of %s", err.text, reason);
    free(bytes);
}

START_TEST(a_false_index_is_refused) {
    TspProgram p = sample();
    spoilt[_i].spoil(&p);
    check_refused(&p, spoilt[_i].error);
    tsp_program_free(&p);
}
END_TEST

/* The same, for one field of a piece. Each value is the first one too many, where there is one. */
#define FIELD(name) offsetof(TspPiece, name)
static const struct {
    int32_t tensor, piece;
    size_t field;
    int32_t value;
    const char *error;
} spoilt_pieces[] = {
    {0, 0, FIELD(slice), 16, "piece in no MEM slice"},
    {0, 0, FIELD(addr), 1021, "piece outside its MEM slice"},
    {1, 0, FIELD(addr_step), -5, "piece outside its MEM slice"},
    {0, 0, FIELD(row0), 1, "piece outside its tensor"},
    {1, 0, FIELD(row0), 1, "piece outside its tensor"},
    {0, 0, FIELD(rows), 0, "bad number of rows of a piece"},
    {1, 0, FIELD(col0), 1, "piece outside its tensor"},
    {0, 0, FIELD(byte), 1, "bad byte of a piece"},
    {0, 0, FIELD(broadcast), 2, "piece outside its tensor"},
    {1, 1, FIELD(broadcast), 17, "bad broadcast of a piece"},
    {0, 0, FIELD(fill), 4, "piece outside its tensor"},
    {2, 0, FIELD(col_step), 2, "piece outside its tensor"},
    {2, 0, FIELD(rows), 4, "piece outside its tensor"},
    {2, 0, FIELD(row_step), 1, "piece outside its tensor"},
    {2, 0, FIELD(lane_skip), 2, "piece outside its tensor"},
    {2, 0, FIELD(lane_skip), -1, "bad lane skip of a piece"},
    {5, 0, FIELD(col_step), -4, "piece outside its tensor"},
    {5, 0, FIELD(col0), 7, "piece outside its tensor"},
    {4, 0, FIELD(byte), -2, "bad byte of a piece"},
    {4, 0, FIELD(fill), 17, "bad fill of a piece"},
    {4, 0, FIELD(fill), -1, "bad fill of a piece"},
    {4, 0, FIELD(fill), 15, "piece outside its tensor"},
    {4, 0, FIELD(broadcast), 8, "piece outside its tensor"},
    {4, 0, FIELD(col_step), 1, "piece outside its tensor"},
    {4, 0, FIELD(lane_skip), 1, "piece outside its tensor"},
    {4, 0, FIELD(col0), 27, "piece outside its tensor"},
    {4, 0, FIELD(cols), 9, "piece outside its tensor"},
    {4, 0, FIELD(row0), 10, "piece outside its tensor"},
    {4, 0, FIELD(row_step), -4, "piece outside its tensor"},
};

START_TEST(a_false_piece_is_refused) {
    TspProgram p = sample();
    TspPiece *piece = &p.tensors[spoilt_pieces[_i].tensor].pieces[spoilt_pieces[_i].piece];
    memcpy((char *)piece + spoilt_pieces[_i].field, &spoilt_pieces[_i].value, sizeof(int32_t));
    check_refused(&p, spoilt_pieces[_i].error);
    tsp_program_free(&p);
}
END_TEST

START_TEST(fifty_thousand_instructions_stay_small) {
    enum { WORDS = 50000, PER_QUEUE = 400 };
    TspMachine m;
    TspProgram p, q;
    TspError err;
    size_t length;
    tsp_machine_builtin(&m, "tsp1");
    tsp_program_init(&p, &m);
    p.runs = calloc(WORDS, sizeof *p.runs), p.run_count = WORDS;
    p.links = calloc(2 * WORDS, sizeof *p.links), p.link_count = 2 * WORDS;
    random_start();
    for (int32_t i = 0; i < WORDS; i++) {
        TspInsnDebug debug = {.run = {i, -1}, .first = {random_below(1000), 0}};
        p.runs[i] = (TspRun){-1, i / PER_QUEUE, 640, -1};
        p.links[2 * i] = (TspLink){i, 0, random_below(WORDS), -random_below(640)};
        p.links[2 * i + 1] = (TspLink){i, 1, random_below(WORDS), random_below(640)};
        ck_assert(tsp_queue_push(&p.queues[i / PER_QUEUE], (TspWord){random_bits(), random_bits()},
                                 &debug));
    }
    uint8_t *bytes = bytes_of(&p, &length);
    ck_assert_uint_lt(length, 5 << 19); /* 2.5 MiB; the words alone are 0.8 */
    ck_assert_msg(tsp_program_parse(&q, bytes, length, "t", &err), "%s", err.text);
    ck_assert_mem_eq(q.links, p.links, sizeof *p.links * 2 * WORDS);
    ck_assert_mem_eq(q.queues[124].words, p.queues[124].words, sizeof(TspWord) * PER_QUEUE);
    free(bytes);
    tsp_program_free(&p);
    tsp_program_free(&q);
}
END_TEST

START_TEST(files_that_are_no_programs) {
    TspProgram p = sample(), q;
    TspError err;
    char path[SCRATCH_PATH], text[2 * SCRATCH_PATH];
    ck_assert(!tsp_program_load(&q, "/nowhere/at/all", &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_str_eq(err.text, "/nowhere/at/all: No such file or directory");
    ck_assert(!tsp_program_save(&p, "/nowhere/at/all", &err));
    ck_assert_int_eq(err.kind, TSP_ERR_SYSTEM);
    ck_assert_str_eq(err.text, "/nowhere/at/all: cannot write: No such file or directory");
    scratch_file(path); /* an empty file */
    ck_assert(!tsp_program_load(&q, path, &err));
    snprintf(text, sizeof text,
             "%s: byte 0: not a program file; make one with tsp compile or tsp asm", path);
    ck_assert_str_eq(err.text, text);
    unlink(path);
    ck_assert(!tsp_program_load(&q, ".", &err));
    ck_assert(!tsp_program_parse(&q, (const uint8_t *)"TSPPROG\n\6\0\0\0................12345678",
                                 40, "t", &err));
    ck_assert_str_eq(err.text, "t: byte 8: format version 6, this tsp reads 5; make it again");
    tsp_program_free(&p);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("program file");
    TCase *tests = tcase_create("program file");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_program_survives_its_file);
    tcase_add_test(tests, the_header_is_the_documented_one);
    tcase_add_test(tests, a_file_cut_short_is_refused);
    tcase_add_test(tests, any_changed_byte_is_refused);
    tcase_add_test(tests, forged_bytes_do_no_harm);
    tcase_add_loop_test(tests, a_false_index_is_refused, 0, sizeof spoilt / sizeof spoilt[0]);
    tcase_add_loop_test(tests, a_false_piece_is_refused, 0,
                        sizeof spoilt_pieces / sizeof spoilt_pieces[0]);
    tcase_add_test(tests, fifty_thousand_instructions_stay_small);
    tcase_add_test(tests, files_that_are_no_programs);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
