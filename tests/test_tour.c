/* test_tour.c - the text of a tour: what is read, and what is said of what is not one. */
#include "viz/tour.h"

#include "suite.h"
#include <string.h>

START_TEST(reads) {
    static const char text[] = "# comment\n"
                               "program a.s\n"
                               "at 0\n"
                               "    First\n"
                               "\n"
                               "    and second.  \n"
                               "at 12 zoom 2@3,4 select mem.w0 panel chip\n"
                               "\tThird.\n"
                               "program /b/c.json\n"
                               "at 7\n"
                               "  Last";
    VizTour tour;
    TspError err;
    ck_assert_msg(viz_tour_parse(&tour, text, "some/where/x.tour", &err), "%s", err.text);
    ck_assert_int_eq(tour.chapter_count, 2);
    ck_assert_str_eq(tour.chapters[0].program, "some/where/a.s");
    ck_assert_str_eq(tour.chapters[1].program, "/b/c.json");
    ck_assert_int_eq(tour.chapters[0].stop_count, 2);
    ck_assert_str_eq(tour.chapters[0].stops[0].caption, "First and second.");
    ck_assert_ptr_null(tour.chapters[0].stops[0].select);
    ck_assert_int_eq(tour.chapters[0].stops[1].cycle, 12);
    ck_assert_int_eq(tour.chapters[0].stops[1].line, 7);
    ck_assert_str_eq(tour.chapters[0].stops[1].zoom, "2@3,4");
    ck_assert_str_eq(tour.chapters[0].stops[1].select, "mem.w0");
    ck_assert_str_eq(tour.chapters[0].stops[1].panel, "chip");
    ck_assert_str_eq(tour.chapters[1].stops[0].caption, "Last");
    viz_tour_free(&tour);
}
END_TEST

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "t:0: no stop here"},
    {"at 3\n x", "t:1: a line 'program FILE' has to come before"},
    {"program\n", "t:1: expected one file"},
    {"program a b\n", "t:1: expected one file"},
    {"program a\nprogram b\n", "t:2: the program before has no stop"},
    {"program a\nat -1\n", "t:2: expected a cycle"},
    {"program a\nat x\n", "t:2: expected a cycle"},
    {"program a\nat 99999999999999999999\n", "t:2: expected a cycle"},
    {"program a\nat 1\nat 2\n", "t:3: the stop before says nothing"},
    {"program a\nat 1\n", "t:2: the last stop says nothing"},
    {"program a\n text\n", "t:2: text belongs below"},
    {"program a\nat 1 select\n x", "t:2: select, zoom and panel take one value"},
    {"program a\nat 1 zoom 1 zoom 2\n x", "t:2: select, zoom and panel take one value"},
    {"program a\nat 1 colour red\n x", "t:2: expected select, zoom or panel"},
    {"go on\n", "t:1: expected 'program FILE'"},
};

START_TEST(refuses) {
    VizTour tour;
    TspError err;
    ck_assert(!viz_tour_parse(&tour, bad[_i].text, "t", &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_msg(strstr(err.text, bad[_i].says) == err.text, "%s", err.text);
    ck_assert_ptr_null(tour.chapters);
}
END_TEST

START_TEST(reads_files) {
    VizTour tour;
    TspError err;
    ck_assert_msg(viz_tour_read(&tour, "programs/tour.txt", &err), "%s", err.text);
    ck_assert_int_eq(tour.chapter_count, 3);
    viz_tour_free(&tour);
    ck_assert(!viz_tour_read(&tour, "programs/none.txt", &err));
    ck_assert_str_eq(err.text, "cannot open programs/none.txt: No such file or directory");
}
END_TEST

int main(void) {
    Suite *s = suite_create("tour");
    TCase *c = tcase_create("tour");
    tcase_add_test(c, reads);
    tcase_add_loop_test(c, refuses, 0, (int)(sizeof bad / sizeof bad[0]));
    tcase_add_test(c, reads_files);
    suite_add_tcase(s, c);
    return run_suite(s);
}
