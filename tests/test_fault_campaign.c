/* test_fault_campaign.c - some hundreds of single and double flips in programs of all units, on
 * both engines; `make faults` plants ten thousand of each.
 */
#include "fault_campaign.h"
#include "suite.h"

static int32_t trials(void) {
    const char *scale = getenv("TSP_TEST_SCALE");
    return scale && !strcmp(scale, "small") ? 160 : 800;
}

START_TEST(single_flips_change_nothing) {
    char what[WHAT_SIZE] = "";
    Totals t;
    random_start();
    bool fine = fault_campaign(1, trials(), ENGINES, &t, what);
    print_totals("single", &t);
    ck_assert_msg(fine, "%s", what);
    ck_assert_int_eq(t.silent, 0);
    ck_assert_int_eq(t.disagreements, 0);
    ck_assert_int_eq(t.detected + t.detected_by_host, 0);
    ck_assert_int_gt(t.consumed, t.trials / 3); /* so the flips do hit what is used */
    ck_assert_int_ge(t.corrected, t.consumed);
    ck_assert_int_gt(t.corrected_by_host, 0);
}
END_TEST

START_TEST(double_flips_are_noticed) {
    char what[WHAT_SIZE] = "";
    Totals t;
    random_start();
    bool fine = fault_campaign(2, trials(), ENGINES, &t, what);
    print_totals("double", &t);
    ck_assert_msg(fine, "%s", what);
    ck_assert_int_eq(t.silent, 0);
    ck_assert_int_eq(t.disagreements, 0);
    ck_assert_int_gt(t.detected, t.trials / 4);
    ck_assert_int_gt(t.detected_by_host, 0);
}
END_TEST

/* One in ten cycles: too few for three in a word, which may go unnoticed. */
START_TEST(random_flips_are_alike) {
    char what[WHAT_SIZE] = "";
    Totals t;
    random_start();
    bool fine = rate_campaign(0.1, trials(), &t, what);
    print_totals("random", &t);
    ck_assert_msg(fine, "%s", what);
    ck_assert_int_eq(t.silent, 0);
    ck_assert_int_gt(t.flipped, t.trials);
    ck_assert_int_gt(t.corrected, t.trials / 5);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("fault_campaign");
    TCase *tests = tcase_create("fault_campaign");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, single_flips_change_nothing);
    tcase_add_test(tests, double_flips_are_noticed);
    tcase_add_test(tests, random_flips_are_alike);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
