/* test_canvas.c - draw lists and fonts: what is recorded, how wide texts are, what a point hits.
 */
#include "viz/canvas_parts.h"

#include "suite.h"
#include <math.h>
#include <string.h>

static VizFont *font;
static VizCanvas *canvas;

static void open_canvas(void) {
    TspError err = {0};
    font = viz_font_open(&err);
    ck_assert_msg(font != NULL, "%s", err.text);
    canvas = viz_canvas_new(font);
    ck_assert_ptr_nonnull(canvas);
}

static void close_canvas(void) {
    viz_canvas_free(canvas);
    viz_font_close(font);
}

static void expect_dump(const char *want) {
    char *got = viz_canvas_dump(canvas);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, want);
    free(got);
}

START_TEST(every_command_in_the_dump) {
    const VizPoint triangle[] = {{0, 0}, {10, 0}, {5, 7.25f}};
    const VizTextStyle style = {.face = VIZ_MONO, .size_px = 12, .colour = 0x010203ff};
    viz_canvas_rect(canvas, (VizRect){1, 2, 3.04f, 4.05f}, viz_plain(0xff8000ff));
    viz_canvas_rect(canvas, (VizRect){-0.04f, -1.26f, 3, 4},
                    (VizFill){0x000000ff, VIZ_HATCH_BACK_DIAGONAL, 0xffffff80});
    viz_canvas_outline(canvas, (VizRect){1, 2, 3, 4}, 1.5f, 0x11223344);
    viz_canvas_line(canvas, (VizPoint){0, 1}, (VizPoint){2, 3}, 1, 0xff);
    viz_canvas_polygon(canvas, triangle, 3, viz_plain(0xff));
    viz_canvas_circle(canvas, (VizPoint){10, 11}, 4, (VizFill){0xff, VIZ_HATCH_DOTS, 0xff00ff});
    viz_canvas_ring(canvas, (VizPoint){10, 11}, 4, 0.5f, 0xff);
    /* no face has a line feed: a replacement, from the regular one */
    ck_assert_float_eq(viz_canvas_text(canvas, (VizPoint){5, 20}, style, "a \"b\\\n"), 5 * 7 + 12);
    viz_canvas_clip_push(canvas, (VizRect){0.4f, 0.5f, 10, 10});
    viz_canvas_region(canvas, (VizRect){5, 5, 100, 1}, 7, INT64_MIN);
    viz_canvas_clip_pop(canvas);
    expect_dump("rect 1.0 2.0 3.0 4.1 #ff8000ff\n"
                "rect 0.0 -1.3 3.0 4.0 #000000ff back-diagonal #ffffff80\n"
                "outline 1.0 2.0 3.0 4.0 1.5 #11223344\n"
                "line 0.0 1.0 2.0 3.0 1.0 #000000ff\n"
                "polygon 0.0 0.0 10.0 0.0 5.0 7.3 #000000ff\n"
                "circle 10.0 11.0 4.0 #000000ff dots #00ff00ff\n"
                "ring 10.0 11.0 4.0 0.5 #000000ff\n"
                "text 5.0 20.0 47.0 mono 12 #010203ff \"a \\\"b\\\\\\n\"\n"
                "clip 0.0 1.0 10.0 10.0\n"
                "region 5.0 5.0 5.0 1.0 7 -9223372036854775808\n"
                "unclip\n");
}
END_TEST

START_TEST(what_shows_nothing_is_left_out) {
    const VizPoint flat[] = {{0, 0}, {10, 0}, {20, 0}}, many[VIZ_POLYGON_MAX + 1] = {{0, 0}};
    const VizFill fill = viz_plain(0xff);
    viz_canvas_rect(canvas, (VizRect){0, 0, 0, 5}, fill);
    viz_canvas_rect(canvas, (VizRect){0, 0, 5, -1}, fill);
    viz_canvas_rect(canvas, (VizRect){NAN, 0, 5, 5}, fill);
    viz_canvas_rect(canvas, (VizRect){0, 0, 5, NAN}, fill);
    viz_canvas_outline(canvas, (VizRect){0, 0, 5, 5}, 0, 0xff);
    viz_canvas_line(canvas, (VizPoint){1, 1}, (VizPoint){1, 1}, 1, 0xff);
    viz_canvas_line(canvas, (VizPoint){1, 1}, (VizPoint){2, 1}, -1, 0xff);
    viz_canvas_polygon(canvas, flat, 3, fill);
    viz_canvas_polygon(canvas, many, 2, fill);
    viz_canvas_polygon(canvas, many, VIZ_POLYGON_MAX + 1, fill);
    viz_canvas_circle(canvas, (VizPoint){1, 1}, 0, fill);
    viz_canvas_ring(canvas, (VizPoint){1, 1}, -1, 1, 0xff);
    ck_assert_float_eq(viz_canvas_text(canvas, (VizPoint){0, 0}, (VizTextStyle){0}, ""), 0);
    viz_canvas_region(canvas, (VizRect){0, 0, 0, 0}, 1, 1);
    expect_dump("");
    viz_canvas_clip_push(canvas, (VizRect){100, 100, 10, 10});
    viz_canvas_rect(canvas, (VizRect){90, 100, 10, 10}, fill);
    viz_canvas_circle(canvas, (VizPoint){99, 90}, 5, fill);
    viz_canvas_text(canvas, (VizPoint){10, 10}, (VizTextStyle){.size_px = 12}, "far away");
    viz_canvas_clip_push(canvas, (VizRect){0, 0, 10, 10}); /* nothing in common with the outer */
    viz_canvas_rect(canvas, (VizRect){0, 0, 1000, 1000}, fill);
    viz_canvas_clip_pop(canvas);
    viz_canvas_rect(canvas, (VizRect){0, 0, 1000, 1000}, fill);
    viz_canvas_clip_pop(canvas);
    expect_dump("clip 100.0 100.0 10.0 10.0\n"
                "clip 100.0 100.0 0.0 0.0\n"
                "unclip 100.0 100.0 10.0 10.0\n"
                "rect 0.0 0.0 1000.0 1000.0 #000000ff\n"
                "unclip\n");
}
END_TEST

START_TEST(pick_finds_the_topmost_region_within_its_clip) {
    int32_t kind = -1;
    int64_t id = -1;
    viz_canvas_region(canvas, (VizRect){0, 0, 100, 100}, 1, 10);
    viz_canvas_clip_push(canvas, (VizRect){0, 0, 50, 50});
    viz_canvas_region(canvas, (VizRect){40, 40, 20, 20}, 2, 20);
    viz_canvas_clip_pop(canvas);
    viz_canvas_rect(canvas, (VizRect){0, 0, 100, 100}, viz_plain(0xff));
    ck_assert(viz_canvas_pick(canvas, 45, 45, &kind, &id));
    ck_assert_int_eq(kind, 2);
    ck_assert_int_eq(id, 20);
    ck_assert(viz_canvas_pick(canvas, 55, 45, &kind, &id)); /* clipped away */
    ck_assert_int_eq(kind, 1);
    ck_assert_int_eq(id, 10);
    ck_assert(viz_canvas_pick(canvas, 0, 99.5f, &kind, &id));
    kind = -1;
    ck_assert(!viz_canvas_pick(canvas, 100, 50, &kind, &id)); /* the far edge is outside */
    ck_assert(!viz_canvas_pick(canvas, -0.5f, 50, &kind, &id));
    ck_assert_int_eq(kind, -1);
    viz_canvas_reset(canvas);
    ck_assert(!viz_canvas_pick(canvas, 45, 45, &kind, &id));
}
END_TEST

START_TEST(clips_must_balance) {
    TspError err = {0};
    ck_assert(viz_canvas_ok(canvas, &err));
    viz_canvas_clip_push(canvas, (VizRect){0, 0, 1, 1});
    ck_assert(!viz_canvas_ok(canvas, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_BUG);
    viz_canvas_clip_pop(canvas);
    ck_assert(viz_canvas_ok(canvas, &err));
    viz_canvas_clip_pop(canvas);
    ck_assert(!viz_canvas_ok(canvas, &err));
    viz_canvas_reset(canvas);
    ck_assert(viz_canvas_ok(canvas, &err));
}
END_TEST

static void record_a_frame(void) {
    const VizPoint triangle[] = {{0, 0}, {10, 0}, {5, 7}};
    for (int32_t i = 0; i < 1000; i++) {
        viz_canvas_clip_push(canvas, (VizRect){0, 0, 50, 50});
        viz_canvas_polygon(canvas, triangle, 3, viz_plain(0xff));
        viz_canvas_text(canvas, (VizPoint){0, 9}, (VizTextStyle){.size_px = 9}, "some words");
        viz_canvas_clip_pop(canvas);
    }
}

START_TEST(a_warm_canvas_keeps_its_memory) {
    struct VizCanvas warm;
    record_a_frame();
    warm = *canvas;
    viz_canvas_reset(canvas);
    record_a_frame();
    ck_assert_mem_eq(canvas, &warm, sizeof warm);
}
END_TEST

/* -- text -- */

START_TEST(utf8_is_decoded_strictly) {
    static const struct {
        const char *text;
        uint32_t code;
        int32_t bytes;
    } cases[] = {
        {"", 0, 0},
        {"A", 'A', 1},
        {"\xc2\xb5s", 0xb5, 2},
        {"\xe2\x80\xa6", 0x2026, 3},
        {"\xf0\x9f\x99\x82", 0x1f642, 4},
        {"\xf4\x8f\xbf\xbf", 0x10ffff, 4},
        {"\x80", 0xfffd, 1},             /* the middle of a character */
        {"\xe2\x80", 0xfffd, 1},         /* its end is missing */
        {"\xc0\x80", 0xfffd, 1},         /* longer than need be */
        {"\xed\xa0\x80", 0xfffd, 1},     /* half of a surrogate pair */
        {"\xf4\x90\x80\x80", 0xfffd, 1}, /* beyond the last codepoint */
        {"\xff", 0xfffd, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *at = cases[i].text;
        ck_assert_uint_eq(viz_utf8_next(&at), cases[i].code);
        ck_assert_int_eq(at - cases[i].text, cases[i].bytes);
    }
}
END_TEST

START_TEST(advances_are_the_rounded_ones_of_the_face) {
    /* DejaVu's own: Sans 'A' is 1401, 'i' 569, mono 1233 units of an em of 2048 */
    for (int32_t size = 4; size <= 64; size++) {
        ck_assert_int_eq(viz_font_glyph(font, VIZ_REGULAR, size, 'A')->advance,
                         (1401 * size + 1024) / 2048);
        ck_assert_int_eq(viz_font_glyph(font, VIZ_REGULAR, size, 'i')->advance,
                         (569 * size + 1024) / 2048);
        ck_assert_int_eq(viz_font_glyph(font, VIZ_MONO, size, 'W')->advance,
                         (1233 * size + 1024) / 2048);
        ck_assert_int_eq(viz_font_cap_height(font, VIZ_REGULAR, size), (1493 * size + 1024) / 2048);
    }
    ck_assert_int_eq(viz_font_width(font, VIZ_REGULAR, 20, "AAi", 2), 2 * 14);
    ck_assert_int_eq(viz_font_width(font, VIZ_REGULAR, 20, "AAi", 3), 2 * 14 + 6);
    ck_assert_ptr_eq(viz_font_glyph(font, VIZ_BOLD, 1, 'A'),
                     viz_font_glyph(font, VIZ_BOLD, 4, 'A'));
    ck_assert_ptr_eq(viz_font_glyph(font, VIZ_BOLD, 999, 'A'),
                     viz_font_glyph(font, VIZ_BOLD, 256, 'A'));
}
END_TEST

START_TEST(glyphs_stand_on_the_baseline) {
    const VizGlyph *h = viz_font_glyph(font, VIZ_REGULAR, 100, 'H');
    const VizGlyph *g = viz_font_glyph(font, VIZ_REGULAR, 100, 'g');
    const VizGlyph *j = viz_font_glyph(font, VIZ_REGULAR, 100, 'j');
    ck_assert_int_eq(h->top, 73); /* 72.9: a row covered in part */
    ck_assert_int_eq(h->height, 73);
    ck_assert_int_eq(h->coverage[(h->height - 1) * h->width + 5], 255); /* full down to it */
    ck_assert_int_gt(g->height, g->top);
    ck_assert_int_lt(j->left, 0); /* the hook reaches under its neighbour */
    ck_assert_int_eq(viz_font_glyph(font, VIZ_REGULAR, 100, ' ')->width, 0);
    ck_assert_int_le(h->top, viz_font_ascent(font, VIZ_REGULAR, 100));
    ck_assert_int_le(g->height - g->top, viz_font_descent(font, VIZ_REGULAR, 100));
}
END_TEST

START_TEST(what_a_face_lacks_comes_from_the_regular_one) {
    /* DejaVu Sans Mono has no U+1F600; nobody has U+10FFFD. */
    const VizGlyph *face = viz_font_glyph(font, VIZ_MONO, 20, 0x1f600);
    const VizGlyph *regular = viz_font_glyph(font, VIZ_REGULAR, 20, 0x1f600);
    const VizGlyph *nothing = viz_font_glyph(font, VIZ_BOLD, 20, 0x10fffd);
    const VizGlyph *replacement = viz_font_glyph(font, VIZ_REGULAR, 20, 0xfffd);
    ck_assert_int_eq(face->advance, regular->advance);
    ck_assert_int_eq(face->width, regular->width);
    ck_assert_mem_eq(face->coverage, regular->coverage, (size_t)(face->width * face->height));
    ck_assert_int_eq(nothing->width, replacement->width);
    ck_assert_int_gt(nothing->width, 0);
}
END_TEST

START_TEST(many_glyphs_stay_where_they_are) {
    const VizGlyph *first = viz_font_glyph(font, VIZ_REGULAR, 10, 'A');
    const VizGlyph copy = *first;
    for (int32_t size = 4; size < 40; size++)
        for (uint32_t code = 33; code < 127; code++) viz_font_glyph(font, VIZ_MONO, size, code);
    ck_assert_ptr_eq(viz_font_glyph(font, VIZ_REGULAR, 10, 'A'), first);
    ck_assert_mem_eq(first, &copy, sizeof copy);
}
END_TEST

START_TEST(texts_are_anchored) {
    VizTextStyle style = {.face = VIZ_MONO, .size_px = 20, .colour = 0xff}; /* 12 pixels each */
    viz_canvas_text(canvas, (VizPoint){100, 50}, style, "abc");
    style.anchor = VIZ_CENTRE;
    viz_canvas_text(canvas, (VizPoint){100, 50}, style, "abc");
    style.anchor = VIZ_RIGHT;
    style.vertical = VIZ_MIDDLE; /* capitals are 15 high */
    viz_canvas_text(canvas, (VizPoint){100, 50}, style, "abc");
    expect_dump("text 100.0 50.0 36.0 mono 20 #000000ff \"abc\"\n"
                "text 82.0 50.0 36.0 mono 20 #000000ff \"abc\"\n"
                "text 64.0 57.5 36.0 mono 20 #000000ff \"abc\"\n");
}
END_TEST

START_TEST(long_texts_end_in_an_ellipsis) {
    VizTextStyle style = {.face = VIZ_MONO, .size_px = 20, .max_width = 60, .anchor = VIZ_RIGHT};
    ck_assert_float_eq(viz_canvas_text(canvas, (VizPoint){60, 0}, style, "abcde"), 60);
    ck_assert_float_eq(viz_canvas_text(canvas, (VizPoint){60, 0}, style, "abcdef"), 60);
    style.max_width = 59;
    ck_assert_float_eq(
        viz_canvas_text(canvas, (VizPoint){60, 0}, style, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f*"), 48);
    style.max_width = 23; /* an ellipsis alone says nothing */
    ck_assert_float_eq(viz_canvas_text(canvas, (VizPoint){60, 0}, style, "abcdef"), 0);
    expect_dump("text 0.0 0.0 60.0 mono 20 #00000000 \"abcde\"\n"
                "text 0.0 0.0 60.0 mono 20 #00000000 \"abcd\xe2\x80\xa6\"\n"
                "text 12.0 0.0 48.0 mono 20 #00000000 \"\xc3\xa4\xc3\xb6\xc3\xbc\xe2\x80\xa6\"\n");
    ck_assert_uint_eq(viz_font_fit(font, VIZ_MONO, 20, "\xc3\xa4\xc3\xb6", 23), 2);
    ck_assert_uint_eq(viz_font_fit(font, VIZ_MONO, 20, "ab", 24), 2);
    ck_assert_uint_eq(viz_font_fit(font, VIZ_MONO, 20, "ab", -5), 0);
}
END_TEST

START_TEST(a_font_folder_of_ones_own_comes_first) {
    TspError err = {0};
    VizFont *other;
    setenv("TSP_FONT_DIR", "/nowhere", 1);
    other = viz_font_open(&err); /* not there: the usual folders */
    ck_assert_msg(other != NULL, "%s", err.text);
    viz_font_close(other);
    unsetenv("TSP_FONT_DIR");
    ck_assert_int_gt(viz_font_glyph(font, VIZ_BOLD, 33, 'Q')->width, 0); /* ours goes on */
}
END_TEST

int main(void) {
    Suite *suite = suite_create("canvas");
    TCase *list = tcase_create("list"), *text = tcase_create("text");
    tcase_add_checked_fixture(list, open_canvas, close_canvas);
    tcase_add_checked_fixture(text, open_canvas, close_canvas);
    tcase_add_test(list, every_command_in_the_dump);
    tcase_add_test(list, what_shows_nothing_is_left_out);
    tcase_add_test(list, pick_finds_the_topmost_region_within_its_clip);
    tcase_add_test(list, clips_must_balance);
    tcase_add_test(list, a_warm_canvas_keeps_its_memory);
    tcase_add_test(text, utf8_is_decoded_strictly);
    tcase_add_test(text, advances_are_the_rounded_ones_of_the_face);
    tcase_add_test(text, glyphs_stand_on_the_baseline);
    tcase_add_test(text, what_a_face_lacks_comes_from_the_regular_one);
    tcase_add_test(text, many_glyphs_stay_where_they_are);
    tcase_add_test(text, texts_are_anchored);
    tcase_add_test(text, long_texts_end_in_an_ellipsis);
    tcase_add_test(text, a_font_folder_of_ones_own_comes_first);
    suite_add_tcase(suite, list);
    suite_add_tcase(suite, text);
    return run_suite(suite);
}
