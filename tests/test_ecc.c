/* test_ecc.c - the SECDED code of superlane words: every single flip, every double one.
 */
#include "sim/faults.h"

#include "seeded.h"
#include "suite.h"

#include <string.h>

enum { WORD_BYTES = TSP_ECC_DATA_BITS / 8 };

/* A word with its check bits; bits numbered as in TspFlip. */
typedef struct {
    uint8_t data[WORD_BYTES];
    int32_t bytes;
    uint16_t check;
} Word;

static void word_random(Word *w, int32_t bytes) {
    *w = (Word){.bytes = bytes};
    for (int32_t i = 0; i < bytes; i++) w->data[i] = (uint8_t)(random_bits() >> 32);
    w->check = tsp_ecc_encode(w->data, bytes);
}

static void word_flip(Word *w, int32_t bit) {
    if (bit < TSP_ECC_DATA_BITS)
        w->data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    else
        w->check ^= (uint16_t)(1 << (bit - TSP_ECC_DATA_BITS));
}

static bool word_equal(const Word *a, const Word *b) {
    return memcmp(a->data, b->data, WORD_BYTES) == 0 && a->check == b->check;
}

/* The bits that a word of so many bytes has. */
static int32_t bits_of(int32_t bytes, int32_t bits[TSP_ECC_BITS]) {
    int32_t count = 0;
    for (int32_t bit = 0; bit < TSP_ECC_BITS; bit++)
        if (bit < 8 * bytes || bit >= TSP_ECC_DATA_BITS) bits[count++] = bit;
    return count;
}

/* The column of a bit in the parity-check matrix, seen from outside. */
static uint16_t column_of(int32_t bit) {
    Word w = {.bytes = WORD_BYTES};
    word_flip(&w, bit);
    return (uint16_t)(tsp_ecc_encode(w.data, WORD_BYTES) ^ w.check);
}

START_TEST(single_flips_are_corrected) {
    int32_t bits[TSP_ECC_BITS];
    random_start();
    for (int32_t round = 0; round < 64; round++)
        for (int32_t bytes = 1; bytes <= WORD_BYTES; bytes++) {
            const int32_t count = bits_of(bytes, bits);
            Word good, w;
            ck_assert_int_eq(count, 8 * bytes + 9);
            word_random(&good, bytes);
            w = good;
            ck_assert_int_eq(tsp_ecc_check(w.data, bytes, &w.check), TSP_ECC_CLEAN);
            ck_assert(word_equal(&w, &good));
            for (int32_t i = 0; i < count; i++) {
                word_flip(&w, bits[i]);
                ck_assert_int_eq(tsp_ecc_check(w.data, bytes, &w.check), TSP_ECC_CORRECTED);
                ck_assert(word_equal(&w, &good));
            }
        }
}
END_TEST

START_TEST(double_flips_are_detected) {
    int32_t bits[TSP_ECC_BITS], pairs = 0;
    random_start();
    for (int32_t bytes = 1; bytes <= WORD_BYTES; bytes++) {
        const int32_t count = bits_of(bytes, bits);
        Word good, bad;
        word_random(&good, bytes);
        for (int32_t i = 0; i < count; i++)
            for (int32_t k = 0; k < i; k++) {
                Word w = good;
                word_flip(&w, bits[i]);
                word_flip(&w, bits[k]);
                bad = w;
                ck_assert_int_eq(tsp_ecc_check(w.data, bytes, &w.check), TSP_ECC_UNCORRECTABLE);
                ck_assert(word_equal(&w, &bad)); /* and nothing was touched */
                pairs += bytes == WORD_BYTES;
            }
    }
    ck_assert_int_eq(pairs, 137 * 136 / 2);
}
END_TEST

START_TEST(columns_are_distinct_and_odd) {
    int32_t share[TSP_ECC_CHECK_BITS] = {0};
    bool seen[1 << TSP_ECC_CHECK_BITS] = {false};
    int32_t fives = 0;
    for (int32_t bit = 0; bit < TSP_ECC_BITS; bit++) {
        const uint16_t column = column_of(bit);
        const int32_t ones = __builtin_popcount(column);
        ck_assert_uint_lt(column, 1 << TSP_ECC_CHECK_BITS);
        ck_assert(!seen[column]);
        seen[column] = true;
        if (bit >= TSP_ECC_DATA_BITS) {
            ck_assert_int_eq(column, 1 << (bit - TSP_ECC_DATA_BITS));
            continue;
        }
        ck_assert(ones == 3 || ones == 5);
        fives += ones == 5;
        for (int32_t i = 0; i < TSP_ECC_CHECK_BITS; i++) share[i] += column >> i & 1;
    }
    ck_assert_int_eq(fives, 44);
    for (int32_t i = 0; i < TSP_ECC_CHECK_BITS; i++) ck_assert(share[i] == 52 || share[i] == 53);
}
END_TEST

/* The order that ecc.c documents, made from its rule. */
START_TEST(columns_follow_their_rule) {
    int32_t bit = 0;
    for (int32_t ones = 3; ones <= 5; ones += 2)
        for (uint32_t least = 0; least < 512; least++) {
            uint32_t turned = least, turns = 0;
            bool is_least = __builtin_popcount(least) == ones;
            do {
                turned = (turned << 1 | turned >> 8) & 511;
                turns++;
                is_least = is_least && turned >= least;
            } while (turned != least);
            for (uint32_t i = 0; is_least && i < turns && bit < TSP_ECC_DATA_BITS; i++) {
                ck_assert_uint_eq(column_of(bit++), turned);
                turned = (turned << 1 | turned >> 8) & 511;
            }
        }
    ck_assert_int_eq(bit, TSP_ECC_DATA_BITS);
    ck_assert_uint_eq(column_of(0), 0x007);
    ck_assert_uint_eq(column_of(127), 0x08f);
}
END_TEST

/* No three columns or fewer add up to zero, some four do: words differ in four bits at least. */
START_TEST(distance_is_four) {
    bool is_column[1 << TSP_ECC_CHECK_BITS] = {false};
    int32_t fours = 0;
    for (int32_t bit = 0; bit < TSP_ECC_BITS; bit++) is_column[column_of(bit)] = true;
    ck_assert(!is_column[0]);
    for (int32_t i = 0; i < TSP_ECC_BITS; i++)
        for (int32_t k = 0; k < i; k++) {
            const int32_t sum = column_of(i) ^ column_of(k);
            ck_assert_int_ne(sum, 0);
            ck_assert(!is_column[sum]);
            for (int32_t l = 0; l < k; l++) fours += is_column[sum ^ column_of(l)];
        }
    ck_assert_int_gt(fours, 0);
}
END_TEST

START_TEST(code_is_linear) {
    random_start();
    for (int32_t round = 0; round < 1000; round++) {
        const int32_t bytes = 1 + random_below(WORD_BYTES);
        Word a, b, sum;
        word_random(&a, bytes);
        word_random(&b, bytes);
        for (int32_t i = 0; i < WORD_BYTES; i++) sum.data[i] = a.data[i] ^ b.data[i];
        ck_assert_uint_eq(tsp_ecc_encode(sum.data, bytes), a.check ^ b.check);
        ck_assert_uint_eq(tsp_ecc_encode(a.data, WORD_BYTES), a.check); /* the rest is zero */
    }
    ck_assert_uint_eq(tsp_ecc_encode((uint8_t[WORD_BYTES]){0}, WORD_BYTES), 0);
}
END_TEST

/* What three flips make look like a wrong bit of a byte that is not there is not corrected. */
START_TEST(missing_bytes_are_not_corrected) {
    for (int32_t bit = 0; bit < TSP_ECC_DATA_BITS; bit++)
        for (int32_t bytes = 1; bytes <= WORD_BYTES; bytes++) {
            Word w = {.bytes = bytes, .check = column_of(bit)};
            const bool there = bit < 8 * bytes;
            ck_assert_int_eq(tsp_ecc_check(w.data, bytes, &w.check),
                             there ? TSP_ECC_CORRECTED : TSP_ECC_UNCORRECTABLE);
            ck_assert_int_eq(w.data[bit / 8], there ? 1 << bit % 8 : 0);
            ck_assert_uint_eq(w.check, column_of(bit));
        }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("ecc");
    TCase *tests = tcase_create("ecc");
    tcase_add_test(tests, single_flips_are_corrected);
    tcase_add_test(tests, double_flips_are_detected);
    tcase_add_test(tests, columns_are_distinct_and_odd);
    tcase_add_test(tests, columns_follow_their_rule);
    tcase_add_test(tests, distance_is_four);
    tcase_add_test(tests, code_is_linear);
    tcase_add_test(tests, missing_bytes_are_not_corrected);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
