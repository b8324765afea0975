/* test_theme.c - text can be read in every theme; identities are unique, by colour and hatch.
 */
#include "viz/theme.h"

#include "suite.h"
#include <stdbool.h>
#include <string.h>

enum { LEAST_IDENTITIES = 48 };
static const double readable = 4.5; /* WCAG 2.1, level AA */

static void expect_readable(const VizTheme *theme, VizRole text, VizRole ground) {
    double contrast = viz_contrast(theme->colours[text], theme->colours[ground]);
    ck_assert_msg(contrast >= readable, "%s: %s on %s has a contrast of %.2f", theme->name,
                  viz_role_name(text), viz_role_name(ground), contrast);
}

START_TEST(contrast_is_that_of_wcag) {
    ck_assert_double_eq_tol(viz_contrast(0xffffffff, 0x000000ff), 21, 1e-9);
    ck_assert_double_eq_tol(viz_contrast(0x000000ff, 0xffffffff), 21, 1e-9);
    ck_assert_double_eq_tol(viz_contrast(0x777777ff, 0xffffffff), 4.478, 1e-3);
    ck_assert_double_eq_tol(viz_contrast(0xff0000ff, 0xffffffff), 3.998, 1e-3);
    ck_assert_double_eq_tol(viz_contrast(0x123456ff, 0x123456ff), 1, 1e-9);
}
END_TEST

START_TEST(texts_are_readable_on_what_they_stand_on) {
    static const VizRole texts[] = {VIZ_TEXT, VIZ_TEXT_DIM, VIZ_ACCENT,  VIZ_CURSOR,
                                    VIZ_MARK, VIZ_GOOD,     VIZ_WARNING, VIZ_ERROR};
    static const VizRole grounds[] = {VIZ_BACKGROUND, VIZ_PANEL, VIZ_RAISED};
    static const VizRole marked[] = {VIZ_SELECTION, VIZ_HOVER, VIZ_IDLE, VIZ_BUSY};
    const VizTheme *theme = viz_theme(_i);
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
        for (size_t g = 0; g < sizeof grounds / sizeof grounds[0]; g++)
            expect_readable(theme, texts[t], grounds[g]);
    for (size_t g = 0; g < sizeof marked / sizeof marked[0]; g++)
        expect_readable(theme, VIZ_TEXT, marked[g]);
}
END_TEST

START_TEST(themes_are_complete) {
    const VizTheme *theme = viz_theme(_i);
    for (VizRole role = 0; role < VIZ_ROLES; role++) {
        ck_assert_ptr_nonnull(viz_role_name(role));
        ck_assert_msg((theme->colours[role] & 0xff) == 0xff, "%s: %s is not opaque", theme->name,
                      viz_role_name(role));
    }
    ck_assert_ptr_eq(viz_theme_find(theme->name), theme);
    ck_assert_float_gt(theme->line_px, 0);
    ck_assert_int_eq(theme->dark, viz_contrast(theme->colours[VIZ_PANEL], 0x000000ff) < 10);
}
END_TEST

START_TEST(themes_and_palettes_go_round) {
    ck_assert_str_eq(viz_theme(0)->name, "dark");
    ck_assert_str_eq(viz_theme(VIZ_THEMES + 1)->name, "light");
    ck_assert_str_eq(viz_theme(-1)->name, "print");
    ck_assert_ptr_null(viz_theme_find("Dark"));
    ck_assert_uint_eq(viz_theme_find("print")->colours[VIZ_PANEL], 0xffffffff);
    ck_assert_str_eq(viz_palette_name(viz_palette(0)), "okabe-ito");
    ck_assert_ptr_eq(viz_palette(-1), viz_palette_find("grey"));
    ck_assert_ptr_eq(viz_palette(1), viz_palette_find("tol-bright"));
    ck_assert_ptr_null(viz_palette_find(""));
}
END_TEST

START_TEST(identities_are_unique) {
    const VizPalette *palette = viz_palette(_i);
    const int32_t size = viz_palette_size(palette);
    ck_assert_int_ge(size, LEAST_IDENTITIES);
    for (int32_t n = 0; n < size; n++) {
        const VizFill fill = viz_identity(palette, n);
        const VizFill again = viz_identity(palette, n + INT64_C(1000000007) * size);
        ck_assert(fill.colour == again.colour && fill.hatch == again.hatch);
        ck_assert_int_ge(fill.hatch, VIZ_HATCH_NONE);
        ck_assert_int_lt(fill.hatch, VIZ_HATCHES);
        ck_assert_uint_eq(fill.colour & 0xff, 0xff);
        /* the hatch is seen on its colour */
        if (fill.hatch) ck_assert_double_ge(viz_contrast(fill.colour, fill.ink), readable);
        for (int32_t m = 0; m < n; m++) {
            const VizFill other = viz_identity(palette, m);
            ck_assert_msg(other.colour != fill.colour || other.hatch != fill.hatch,
                          "%s: %d and %d look alike", viz_palette_name(palette), m, n);
        }
    }
    ck_assert_uint_eq(viz_identity(palette, -1).colour, viz_identity(palette, size - 1).colour);
}
END_TEST

START_TEST(the_first_identities_differ_by_colour_alone) {
    for (int32_t n = 0; n < 7; n++) {
        ck_assert_int_eq(viz_identity(viz_palette_find("okabe-ito"), n).hatch, VIZ_HATCH_NONE);
        ck_assert_int_eq(viz_identity(viz_palette_find("tol-bright"), n).hatch, VIZ_HATCH_NONE);
    }
    ck_assert_uint_eq(viz_identity(viz_palette(0), 0).colour, 0xe69f00ff);
    ck_assert_uint_eq(viz_identity(viz_palette(0), 8).colour, 0xe69f00ff);
}
END_TEST

START_TEST(grey_neighbours_differ_in_grey_and_hatch) {
    const VizPalette *grey = viz_palette_find("grey");
    for (int32_t n = 0; n < viz_palette_size(grey); n++) {
        const VizFill a = viz_identity(grey, n), b = viz_identity(grey, n + 1);
        ck_assert(a.colour != b.colour && a.hatch != b.hatch);
        ck_assert_uint_eq(a.colour >> 24, a.colour >> 8 & 0xff);
    }
}
END_TEST

START_TEST(labels_can_be_read_on_every_identity) {
    for (int32_t n = 0; n < viz_palette_size(viz_palette(_i)); n++) {
        const VizColour ground = viz_identity(viz_palette(_i), n).colour;
        ck_assert_double_ge(viz_contrast(viz_readable_on(ground), ground), readable);
    }
    ck_assert_uint_eq(viz_with_alpha(0x12345678, 0x9a), 0x1234569a);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("theme");
    TCase *all = tcase_create("all");
    tcase_add_test(all, contrast_is_that_of_wcag);
    tcase_add_loop_test(all, texts_are_readable_on_what_they_stand_on, 0, VIZ_THEMES);
    tcase_add_loop_test(all, themes_are_complete, 0, VIZ_THEMES);
    tcase_add_test(all, themes_and_palettes_go_round);
    tcase_add_loop_test(all, identities_are_unique, 0, VIZ_PALETTES);
    tcase_add_test(all, the_first_identities_differ_by_colour_alone);
    tcase_add_test(all, grey_neighbours_differ_in_grey_and_hatch);
    tcase_add_loop_test(all, labels_can_be_read_on_every_identity, 0, VIZ_PALETTES);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
