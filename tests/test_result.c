/* test_result.c - the text of the answer: rounding, signs, what is left out.
 */
#include "programs/1brc/result.h"

#include "seeded.h"
#include "suite.h"
#include <string.h>

static void expect_text(const char *const *names, const TspStationTotals *totals, int32_t stations,
                        const char *want) {
    TspError err;
    char *text = tsp_result_text(names, totals, stations, &err);
    ck_assert_msg(text != NULL, "%s", err.text);
    ck_assert_str_eq(text, want);
    free(text);
}

START_TEST(as_the_challenge_prints_it) {
    static const char *const names[] = {"Abha", "Abidjan", "Zürich"};
    static const TspStationTotals totals[] = {
        {3, 540, -230, 592}, {2, 521, -162, 683}, {1, -7, -7, -7}};
    expect_text(names, totals, 3,
                "{Abha=-23.0/18.0/59.2, Abidjan=-16.2/26.1/68.3, Zürich=-0.7/-0.7/-0.7}\n");
}
END_TEST

START_TEST(stations_without_measurements_are_left_out) {
    static const char *const names[] = {"a", "b", "c", "d"};
    static const TspStationTotals totals[] = {
        {0, 0, 0, 0}, {1, 999, 999, 999}, {0, 5, 9, -9}, {1, -999, -999, -999}};
    expect_text(names, totals, 4, "{b=99.9/99.9/99.9, d=-99.9/-99.9/-99.9}\n");
    expect_text(names, totals, 1, "{}\n");
    expect_text(names, totals, 0, "{}\n");
}
END_TEST

/* Means as tenths of tenths by hand: 0.5 goes up, -0.5 goes up to 0, which has no sign. */
START_TEST(halves_go_up) {
    static const struct {
        int64_t count, sum;
        const char *mean;
    } cases[] = {
        {2, 1, "0.1"},
        {2, -1, "0.0"},
        {2, 3, "0.2"},
        {2, -3, "-0.1"},
        {10, 4, "0.0"},
        {10, -4, "0.0"},
        {10, 5, "0.1"},
        {10, -5, "0.0"},
        {10, -6, "-0.1"},
        {10, -15, "-0.1"},
        {10, 15, "0.2"},
        {4, -99, "-2.5"},
        {4, -98, "-2.4"},
        {4, 98, "2.5"},
        {4, 97, "2.4"},
        {3, 0, "0.0"},
        {3, 1, "0.0"},
        {3, 2, "0.1"},
        {3, -1, "0.0"},
        {3, -2, "-0.1"},
        {INT64_C(1) << 52, -(INT64_C(1) << 51), "0.0"},
        {INT64_C(1) << 52, -(INT64_C(1) << 51) - 1, "-0.1"},
        {INT64_C(1) << 52, INT64_C(1) << 51, "0.1"},
        {INT64_C(1) << 52, (INT64_C(1) << 51) - 1, "0.0"},
    };
    static const char *const names[] = {"x"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        TspStationTotals totals = {cases[i].count, cases[i].sum, -999, 999};
        char want[64];
        snprintf(want, sizeof want, "{x=-99.9/%s/99.9}\n", cases[i].mean);
        expect_text(names, &totals, 1, want);
    }
}
END_TEST

/* The mean is the one multiple of a tenth m with m - 1/2 <= sum / count < m + 1/2. */
START_TEST(means_by_their_definition) {
    static const char *const names[] = {"x"};
    random_start();
    for (int trial = 0; trial < 20000; trial++) {
        int64_t count = pick(1, one_in(2) ? 20 : 1000000000), m;
        int64_t sum = (int64_t)(random_bits() >> 1) % (1998 * count + 1) - 999 * count;
        TspStationTotals totals = {count, sum, -999, 999};
        TspError err;
        char *text = tsp_result_text(names, &totals, 1, &err), sign = '+';
        int whole, tenth;
        ck_assert_msg(text != NULL, "%s", err.text);
        ck_assert_int_ge(sscanf(text + 9, "%d.%d", &whole, &tenth), 2);
        sign = text[9];
        m = sign == '-' ? (int64_t)whole * 10 - tenth : (int64_t)whole * 10 + tenth;
        ck_assert(sign != '-' || m < 0);
        ck_assert_msg(2 * m * count - count <= 2 * sum && 2 * sum < 2 * m * count + count,
                      "%lld / %lld is not %s", (long long)sum, (long long)count, text);
        free(text);
    }
}
END_TEST

START_TEST(numbers_that_do_not_fit_are_refused) {
    static const TspStationTotals bad[] = {{-1, 0, 0, 0},
                                           {1, 0, 5, -5},
                                           {1, 6, 5, 5},
                                           {1, 4, 5, 5},
                                           {2, 2, -1000, 1},
                                           {2, 2, 1, 1000},
                                           {(INT64_C(1) << 52) + 1, 0, 0, 0}};
    static const char *const names[] = {"Ulm"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        TspError err;
        ck_assert_ptr_null(tsp_result_text(names, &bad[i], 1, &err));
        ck_assert_int_eq(err.kind, TSP_ERR_BUG);
        ck_assert_str_eq(err.text, "the totals of station Ulm do not fit each other");
    }
}
END_TEST

/* The widest numbers and names: the sanitizers see a buffer that is too short. */
START_TEST(the_longest_text) {
    static char name[101];
    const char *names[50];
    TspStationTotals totals[50];
    TspError err;
    char *text;
    memset(name, 'n', 100);
    for (int i = 0; i < 50; i++)
        names[i] = name, totals[i] = (TspStationTotals){1, -999, -999, -999};
    text = tsp_result_text(names, totals, 50, &err);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_eq(strlen(text), 50 * (100 + sizeof "=-99.9/-99.9/-99.9, " - 1) - 2 + 3);
    free(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("result");
    TCase *tests = tcase_create("result");
    tcase_add_test(tests, as_the_challenge_prints_it);
    tcase_add_test(tests, stations_without_measurements_are_left_out);
    tcase_add_test(tests, halves_go_up);
    tcase_add_test(tests, means_by_their_definition);
    tcase_add_test(tests, numbers_that_do_not_fit_are_refused);
    tcase_add_test(tests, the_longest_text);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
