/* test_raster.c - pixels of a draw list: exact coverage, clips, hatches, the same on every host.
 */
#include "viz/raster.h"

#include "suite.h"
#include <math.h>
#include <string.h>
#include <time.h>

enum { SIDE = 40 };

static VizFont *font;
static VizCanvas *canvas;
static VizImage image;

static void open_all(void) {
    TspError err = {0};
    font = viz_font_open(&err);
    ck_assert_msg(font != NULL, "%s", err.text);
    canvas = viz_canvas_new(font);
    ck_assert_ptr_nonnull(canvas);
    ck_assert(viz_image_new(&image, SIDE, SIDE, &err));
    viz_raster_clear(&image, 0x000000ff);
}

static void close_all(void) {
    viz_image_free(&image);
    viz_canvas_free(canvas);
    viz_font_close(font);
}

static const VizFill white = {0xffffffff, VIZ_HATCH_NONE, 0};

static uint32_t at(int32_t x, int32_t y) {
    return image.pixels[y * image.stride + x];
}
/* How white a pixel is, where white was drawn on black. */
static uint32_t level(int32_t x, int32_t y) {
    const uint32_t pixel = at(x, y), v = pixel & 0xff;
    ck_assert_uint_eq(pixel, 0xff000000u | v << 16 | v << 8 | v);
    return v;
}
static void draw(void) {
    TspError err = {0};
    ck_assert_msg(viz_canvas_ok(canvas, &err), "%s", err.text);
    viz_raster_draw(canvas, &image);
    viz_canvas_reset(canvas);
}
/* The area that is white, in pixels. */
static double white_area(void) {
    double sum = 0;
    for (int32_t y = 0; y < SIDE; y++)
        for (int32_t x = 0; x < SIDE; x++) sum += level(x, y);
    return sum / 255;
}

/* Expects the picture's corner to look like these rows: a character a pixel, ' ' black, '.' a
 * quarter, '+' half, '*' three quarters, '#' white. */
static void expect_rows(const char *const *rows, int32_t count) {
    static const char keys[] = " .+*#";
    static const uint32_t levels[] = {0, 64, 128, 191, 255};
    for (int32_t y = 0; y < count; y++)
        for (int32_t x = 0; rows[y][x]; x++) {
            const uint32_t want = levels[strchr(keys, rows[y][x]) - keys];
            ck_assert_msg(level(x, y) == want, "pixel %d, %d is %u, not %u", x, y, level(x, y),
                          want);
        }
}
#define EXPECT(...)                                                                                \
    do {                                                                                           \
        static const char *const rows[] = {__VA_ARGS__};                                           \
        expect_rows(rows, (int32_t)(sizeof rows / sizeof rows[0]));                                \
    } while (0)

/* -- rectangles -- */

START_TEST(whole_pixels_are_filled_plainly) {
    viz_canvas_rect(canvas, (VizRect){1, 1, 3, 2}, viz_plain(0x12345678 | 0xff));
    viz_canvas_rect(canvas, (VizRect){2, 1, 1, 1}, viz_plain(0xabcdefff));
    draw();
    ck_assert_uint_eq(at(1, 1), 0xff123456);
    ck_assert_uint_eq(at(2, 1), 0xffabcdef);
    ck_assert_uint_eq(at(3, 2), 0xff123456);
    ck_assert_uint_eq(at(0, 1), 0xff000000);
    ck_assert_uint_eq(at(4, 1), 0xff000000);
    ck_assert_uint_eq(at(1, 0), 0xff000000);
    ck_assert_uint_eq(at(1, 3), 0xff000000);
}
END_TEST

START_TEST(edges_between_pixels_are_covered_in_part) {
    viz_canvas_rect(canvas, (VizRect){0.5f, 0.5f, 3, 2}, white);
    viz_canvas_rect(canvas, (VizRect){6.25f, 0, 0.5f, 1.5f}, white); /* within a column */
    viz_canvas_rect(canvas, (VizRect){8.5f, 0.25f, 1, 0.5f}, white);
    draw();
    EXPECT(".++.  + ..", //
           "+##+  .   ", //
           ".++.      ", //
           "          ");
}
END_TEST

START_TEST(slow_motion_keeps_the_area) {
    for (int32_t step = 0; step < 64; step++) {
        viz_raster_clear(&image, 0xff);
        viz_canvas_rect(canvas, (VizRect){5 + (float)step / 64, 7 + (float)step / 32, 6.5f, 3},
                        white);
        draw();
        ck_assert_double_eq_tol(white_area(), 6.5 * 3, 0.06);
    }
}
END_TEST

START_TEST(colours_mix_by_alpha_and_coverage) {
    viz_raster_clear(&image, 0x102030ff);
    viz_canvas_rect(canvas, (VizRect){0, 0, 1, 1}, viz_plain(0xf0804080));
    viz_canvas_rect(canvas, (VizRect){1, 0, 0.5f, 1}, viz_plain(0xf08040ff));
    viz_canvas_rect(canvas, (VizRect){2, 0, 0.5f, 1}, viz_plain(0xf0804080));
    viz_canvas_rect(canvas, (VizRect){3, 0, 1, 1}, viz_plain(0xf0804000));
    draw();
    /* (240 * 128 + 16 * 127) / 255 = 128.4 and so on */
    ck_assert_uint_eq(at(0, 0), 0xff805038);
    ck_assert_uint_eq(at(1, 0), 0xff805038);
    ck_assert_uint_eq(at(2, 0), 0xff483834); /* alpha 64 */
    ck_assert_uint_eq(at(3, 0), 0xff102030);
}
END_TEST

START_TEST(outlines_lie_inside) {
    viz_canvas_outline(canvas, (VizRect){0, 0, 5, 4}, 1, 0xffffffff);
    viz_canvas_outline(canvas, (VizRect){7, 0, 4, 4}, 3, 0xffffffff); /* nothing is left inside */
    viz_canvas_outline(canvas, (VizRect){12.5f, 0.5f, 4, 3}, 0.5f, 0xffffffff);
    draw();
    EXPECT("#####  #### .+++. ", //
           "#   #  #### +   + ", //
           "#   #  #### +   + ", //
           "#####  #### .+++. ", //
           "                  ");
}
END_TEST

START_TEST(thin_translucent_outlines_are_even) {
    /* no corner is drawn twice */
    viz_canvas_outline(canvas, (VizRect){2, 2, 10, 8}, 2, 0xffffff80);
    draw();
    ck_assert_uint_eq(level(2, 2), 128);
    ck_assert_uint_eq(level(11, 9), 128);
    ck_assert_uint_eq(level(3, 5), 128);
    ck_assert_uint_eq(level(4, 4), 0);
    ck_assert_double_eq_tol(white_area(), (10 * 8 - 6 * 4) * 128.0 / 255, 1e-6);
}
END_TEST

/* -- shapes -- */

START_TEST(upright_lines_are_sharp_at_half_pixels) {
    viz_canvas_line(canvas, (VizPoint){1, 0.5f}, (VizPoint){4, 0.5f}, 1, 0xffffffff);
    viz_canvas_line(canvas, (VizPoint){6.5f, 3}, (VizPoint){6.5f, 1}, 1, 0xffffffff);
    viz_canvas_line(canvas, (VizPoint){1, 2}, (VizPoint){4, 2}, 1, 0xffffffff);
    draw();
    EXPECT(" ###    ", //
           " +++  # ", //
           " +++  # ", //
           "        ");
}
END_TEST

START_TEST(slanted_lines_have_their_area) {
    for (int32_t step = 1; step < 30; step++) {
        const float dx = (float)step, dy = 30 - (float)step;
        const double length = sqrt((double)(dx * dx + dy * dy));
        viz_raster_clear(&image, 0xff);
        viz_canvas_line(canvas, (VizPoint){4.3f + dx, 4.6f}, (VizPoint){4.3f, 4.6f + dy}, 1.5f,
                        0xffffffff);
        draw();
        ck_assert_double_eq_tol(white_area(), 1.5 * length, 0.02 * 1.5 * length);
    }
}
END_TEST

START_TEST(triangles_cover_half_of_their_diagonal) {
    const VizPoint triangle[] = {{0, 0}, {4, 0}, {0, 4}};
    const VizPoint backwards[] = {{10, 4}, {14, 0}, {10, 0}};
    viz_canvas_polygon(canvas, triangle, 3, white);
    viz_canvas_polygon(canvas, backwards, 3, white);
    draw();
    EXPECT("###+      ###+", //
           "##+       ##+ ", //
           "#+        #+  ", //
           "+         +   ", //
           "              ");
}
END_TEST

START_TEST(a_polygon_of_right_angles_is_a_rectangle) {
    const VizPoint corners[] = {{0.5f, 0.5f}, {3.5f, 0.5f}, {3.5f, 2.5f}, {0.5f, 2.5f}};
    viz_canvas_polygon(canvas, corners, 4, white);
    draw();
    EXPECT(".++. ", //
           "+##+ ", //
           ".++. ", //
           "     ");
}
END_TEST

START_TEST(circles_and_rings_have_their_area) {
    const double pi = 3.14159265358979;
    for (int32_t step = 0; step < 16; step++) {
        const float x = 19 + (float)step / 16, r = 3 + (float)step;
        viz_raster_clear(&image, 0xff);
        viz_canvas_circle(canvas, (VizPoint){x, 20.3f}, r, white);
        draw();
        ck_assert_double_eq_tol(white_area(), pi * (double)(r * r), 0.01 * pi * (double)(r * r));
        ck_assert_uint_eq(level(19, 20), 255);
        viz_raster_clear(&image, 0xff);
        viz_canvas_ring(canvas, (VizPoint){x, 20.3f}, r, 1.5f, 0xffffffff);
        draw();
        ck_assert_double_eq_tol(white_area(), pi * (double)(r * r - (r - 1.5f) * (r - 1.5f)), 0.6);
        ck_assert_uint_eq(level(19, 20), 0);
    }
    viz_raster_clear(&image, 0xff);
    viz_canvas_ring(canvas, (VizPoint){20, 20}, 3, 5, 0xffffffff); /* no hole */
    draw();
    ck_assert_uint_eq(level(20, 20), 255);
}
END_TEST

START_TEST(shapes_are_symmetric) {
    viz_canvas_circle(canvas, (VizPoint){20, 20}, 12.7f, white);
    viz_canvas_ring(canvas, (VizPoint){20, 20}, 18, 1.2f, 0xffffffff);
    draw();
    for (int32_t y = 0; y < SIDE; y++)
        for (int32_t x = 0; x < SIDE; x++) {
            ck_assert_uint_eq(level(x, y), level(SIDE - 1 - x, y));
            ck_assert_uint_eq(level(x, y), level(x, SIDE - 1 - y));
        }
}
END_TEST

/* -- hatches -- */

START_TEST(hatches_are_their_patterns) {
    for (int32_t hatch = 1; hatch < VIZ_HATCHES; hatch++)
        viz_canvas_rect(canvas, (VizRect){4 * (float)(hatch - 1), 0, 4, 4},
                        (VizFill){0x000000ff, (VizHatch)hatch, 0xffffffff});
    draw();
    EXPECT("#   #   #   #   #####   ", //
           "   # #   # #        #   ", //
           "  #   #   #   #     #   ", //
           " #     # # #        #   ");
}
END_TEST

START_TEST(hatches_join_and_scale) {
    const VizFill fill = {0x000000ff, VIZ_HATCH_DIAGONAL, 0xffffffff};
    viz_canvas_set_hatch_scale(canvas, 2);
    viz_canvas_rect(canvas, (VizRect){0, 0, 3, 4}, fill);
    viz_canvas_rect(canvas, (VizRect){3, 0, 7, 4}, fill); /* goes on where the other ended */
    draw();
    EXPECT("##      ## ", //
           "##      ## ", //
           "      ##   ", //
           "      ##   ", //
           "           ");
}
END_TEST

START_TEST(hatched_edges_are_covered_in_part) {
    viz_canvas_rect(canvas, (VizRect){0, 0.5f, 8, 4},
                    (VizFill){0x000000ff, VIZ_HATCH_VERTICAL, 0xffffffff});
    viz_canvas_circle(canvas, (VizPoint){24, 8}, 8,
                      (VizFill){0x00000000, VIZ_HATCH_HORIZONTAL, 0xffffff80});
    draw();
    EXPECT("+   +   ", //
           "#   #   ", //
           "#   #   ", //
           "#   #   ", //
           "+   +   ");
    ck_assert_uint_eq(level(24, 4), 128); /* ink on nothing keeps its alpha */
    ck_assert_uint_eq(level(24, 5), 0);
}
END_TEST

/* -- clips, bounds -- */

/* Draws something of everything, from a generator of its own. */
static void scene(uint32_t seed, bool texts) {
    for (int32_t i = 0; i < 60; i++) {
        float v[8];
        for (int32_t k = 0; k < 8; k++) {
            seed = seed * 1664525u + 1013904223u;
            v[k] = (float)(seed >> 8) / (float)(1 << 24) * 1.4f * SIDE - 0.2f * SIDE;
        }
        const VizColour colour = seed * 2654435761u;
        const VizFill fill = {colour, (VizHatch)(i % VIZ_HATCHES), ~colour};
        const VizPoint points[] = {{v[0], v[1]}, {v[2], v[3]}, {v[4], v[5]}};
        viz_canvas_rect(canvas, (VizRect){v[0], v[1], v[2] / 4, v[3] / 4}, fill);
        viz_canvas_outline(canvas, (VizRect){v[4], v[5], v[6] / 2, v[7] / 2}, v[1] / 16, colour);
        viz_canvas_line(canvas, points[0], points[1], v[6] / 20, colour);
        viz_canvas_circle(canvas, points[2], v[7] / 8, fill);
        viz_canvas_ring(canvas, points[1], v[7] / 4, v[0] / 16, colour);
        if (i % 4 == 0) viz_canvas_polygon(canvas, points, 3, fill);
        if (texts && i % 4 == 1)
            viz_canvas_text(canvas, points[0], (VizTextStyle){.size_px = 11, .colour = colour},
                            "text");
    }
}

START_TEST(a_clip_shows_the_same_pixels) {
    const int32_t x0 = 7 + _i, y0 = 5, w = 20, h = 21 + _i;
    VizImage whole;
    TspError err = {0};
    ck_assert(viz_image_new(&whole, SIDE, SIDE, &err));
    scene((uint32_t)_i, true);
    viz_raster_clear(&whole, 0x808080ff);
    viz_raster_draw(canvas, &whole);
    viz_canvas_reset(canvas);
    viz_raster_clear(&image, 0x102030ff);
    viz_canvas_clip_push(canvas, (VizRect){-100, (float)y0 - 0.2f, 500, (float)h + 0.3f});
    viz_canvas_clip_push(canvas, (VizRect){(float)x0, -100, (float)w, 500});
    viz_canvas_rect(canvas, (VizRect){-100, -100, 1000, 1000}, viz_plain(0x808080ff));
    scene((uint32_t)_i, true);
    viz_canvas_clip_pop(canvas);
    viz_canvas_clip_pop(canvas);
    draw();
    for (int32_t y = 0; y < SIDE; y++)
        for (int32_t x = 0; x < SIDE; x++) {
            const bool inside = x >= x0 && x < x0 + w && y >= y0 && y < y0 + h;
            ck_assert_uint_eq(at(x, y), inside ? whole.pixels[y * SIDE + x] : 0xff102030u);
        }
    viz_image_free(&whole);
}
END_TEST

START_TEST(pop_restores_the_outer_clip) {
    viz_canvas_clip_push(canvas, (VizRect){0, 0, 3, 1});
    viz_canvas_clip_push(canvas, (VizRect){1, 0, 1, 9});
    viz_canvas_clip_pop(canvas);
    viz_canvas_rect(canvas, (VizRect){0, 0, 9, 9}, white);
    viz_canvas_clip_pop(canvas);
    viz_canvas_rect(canvas, (VizRect){5, 0, 1, 2}, white);
    draw();
    EXPECT("###  # ", //
           "     # ", //
           "       ");
}
END_TEST

START_TEST(nothing_is_drawn_beyond_the_image) {
    enum { W = 20, H = 11, STRIDE = 27 };
    uint32_t pixels[(H + 2) * STRIDE];
    VizImage part = {pixels + STRIDE, W, H, STRIDE};
    memset(pixels, 0x5a, sizeof pixels);
    viz_raster_clear(&part, 0xff);
    for (uint32_t seed = 0; seed < 20; seed++) scene(seed, true);
    viz_raster_draw(canvas, &part);
    for (int32_t i = 0; i < (H + 2) * STRIDE; i++) {
        const bool inside = i >= STRIDE && i < (H + 1) * STRIDE && i % STRIDE < W;
        ck_assert_uint_eq(pixels[i] >> 24, inside ? 0xff : 0x5a);
    }
}
END_TEST

START_TEST(coordinates_may_be_anything) {
    static const float odd[] = {0,     -0.0f,  1e-30f,   1.5f,      1e6f, -1e6f,
                                1e20f, -1e20f, INFINITY, -INFINITY, NAN};
    enum { ODD = sizeof odd / sizeof odd[0] };
    for (int32_t i = 0; i < ODD * ODD * ODD; i++) {
        const float a = odd[i % ODD], b = odd[i / ODD % ODD], c = odd[i / ODD / ODD];
        const VizPoint points[] = {{a, b}, {b, c}, {c, a}, {1, 2}};
        viz_canvas_rect(canvas, (VizRect){a, b, c, 5}, white);
        viz_canvas_outline(canvas, (VizRect){a, 1, b, 5}, c, 0xffffffff);
        viz_canvas_line(canvas, points[0], points[1], c, 0xffffffff);
        viz_canvas_polygon(canvas, points, 4, white);
        viz_canvas_circle(canvas, points[0], c, white);
        viz_canvas_ring(canvas, points[0], c, b, 0xffffffff);
        viz_canvas_text(canvas, points[0], (VizTextStyle){.size_px = i, .max_width = c}, "a");
    }
    draw();
    viz_canvas_rect(canvas, (VizRect){-INFINITY, -1e30f, INFINITY, INFINITY}, white);
    viz_canvas_rect(canvas, (VizRect){-1e7f, -1e7f, 2e7f, 2e7f}, viz_plain(0x123456ff));
    draw();
    ck_assert_uint_eq(at(SIDE - 1, SIDE - 1), 0xff123456);
}
END_TEST

/* -- text -- */

START_TEST(glyphs_are_drawn_where_they_are_measured) {
    const VizTextStyle style = {.face = VIZ_REGULAR, .size_px = 20, .colour = 0xffffffff};
    const VizGlyph *h = viz_font_glyph(font, VIZ_REGULAR, 20, 'H');
    const VizGlyph *g = viz_font_glyph(font, VIZ_REGULAR, 20, 'g');
    viz_canvas_text(canvas, (VizPoint){3.4f, 24.6f}, style, "Hg"); /* from pixel 3, 25 */
    draw();
    for (int32_t y = 0; y < h->height; y++)
        for (int32_t x = 0; x < h->width; x++)
            ck_assert_uint_eq(level(3 + h->left + x, 25 - h->top + y),
                              h->coverage[y * h->width + x]);
    for (int32_t y = 0; y < g->height; y++)
        for (int32_t x = 0; x < g->width; x++)
            ck_assert_uint_eq(level(3 + h->advance + g->left + x, 25 - g->top + y),
                              g->coverage[y * g->width + x]);
}
END_TEST

/* -- the same everywhere -- */

static uint64_t hash_of(const VizImage *of) {
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (int32_t i = 0; i < of->width * of->height; i++)
        hash = (hash ^ of->pixels[i]) * 0x100000001b3u;
    return hash;
}

START_TEST(the_same_list_makes_the_same_pixels) {
    /* Shapes only: glyphs are FreeType's. This number must hold for every compiler and host. */
    uint64_t first;
    for (uint32_t seed = 0; seed < 20; seed++) scene(seed, false);
    viz_raster_draw(canvas, &image);
    first = hash_of(&image);
    ck_assert_msg(first == UINT64_C(0x2987205d4779c849), "hash %#llx", (unsigned long long)first);
    viz_raster_clear(&image, 0xff);
    draw();
    ck_assert_uint_eq(hash_of(&image), first);
}
END_TEST

/* A frame as the chip view has it; prints what it takes, asserts nothing about a busy machine. */
static void time_frame(const char *name, float offset, VizHatch hatch) {
    enum { COLUMNS = 250, ROWS = 140, ROUNDS = 15, WIDTH = 1280, HEIGHT = 800 };
    VizImage frame;
    TspError err = {0};
    double record = 1e9, raster = 1e9;
    ck_assert(viz_image_new(&frame, WIDTH, HEIGHT, &err));
    for (int32_t round = 0; round < ROUNDS; round++) {
        struct timespec t0, t1, t2;
        clock_gettime(CLOCK_MONOTONIC, &t0);
        viz_canvas_reset(canvas);
        viz_canvas_rect(canvas, (VizRect){0, 0, WIDTH, HEIGHT}, viz_plain(0x14161aff));
        for (int32_t i = 0; i < COLUMNS * ROWS; i++)
            viz_canvas_rect(canvas,
                            (VizRect){5 * (float)(i % COLUMNS) + offset,
                                      5 * (float)(i / COLUMNS) + offset, 4, 4},
                            (VizFill){(uint32_t)i << 8 | 0xff, hatch, 0xffffffb0});
        clock_gettime(CLOCK_MONOTONIC, &t1);
        viz_raster_draw(canvas, &frame);
        clock_gettime(CLOCK_MONOTONIC, &t2);
        record = fmin(record, (double)(t1.tv_sec - t0.tv_sec) * 1e3 +
                                  (double)(t1.tv_nsec - t0.tv_nsec) / 1e6);
        raster = fmin(raster, (double)(t2.tv_sec - t1.tv_sec) * 1e3 +
                                  (double)(t2.tv_nsec - t1.tv_nsec) / 1e6);
    }
    printf("%d rectangles, %s: %.2f ms to record, %.2f ms to draw\n", COLUMNS * ROWS, name, record,
           raster);
    viz_image_free(&frame);
}

START_TEST(a_frame_of_the_chip_is_fast) {
    time_frame("at whole pixels", 0, VIZ_HATCH_NONE);
    time_frame("between pixels", 0.3f, VIZ_HATCH_NONE);
    time_frame("hatched", 0, VIZ_HATCH_DIAGONAL);
    time_frame("hatched between pixels", 0.3f, VIZ_HATCH_DIAGONAL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("raster");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, open_all, close_all);
    tcase_add_test(all, whole_pixels_are_filled_plainly);
    tcase_add_test(all, edges_between_pixels_are_covered_in_part);
    tcase_add_test(all, slow_motion_keeps_the_area);
    tcase_add_test(all, colours_mix_by_alpha_and_coverage);
    tcase_add_test(all, outlines_lie_inside);
    tcase_add_test(all, thin_translucent_outlines_are_even);
    tcase_add_test(all, upright_lines_are_sharp_at_half_pixels);
    tcase_add_test(all, slanted_lines_have_their_area);
    tcase_add_test(all, triangles_cover_half_of_their_diagonal);
    tcase_add_test(all, a_polygon_of_right_angles_is_a_rectangle);
    tcase_add_test(all, circles_and_rings_have_their_area);
    tcase_add_test(all, shapes_are_symmetric);
    tcase_add_test(all, hatches_are_their_patterns);
    tcase_add_test(all, hatches_join_and_scale);
    tcase_add_test(all, hatched_edges_are_covered_in_part);
    tcase_add_loop_test(all, a_clip_shows_the_same_pixels, 0, 10);
    tcase_add_test(all, pop_restores_the_outer_clip);
    tcase_add_test(all, nothing_is_drawn_beyond_the_image);
    tcase_add_test(all, coordinates_may_be_anything);
    tcase_add_test(all, glyphs_are_drawn_where_they_are_measured);
    tcase_add_test(all, the_same_list_makes_the_same_pixels);
    tcase_add_test(all, a_frame_of_the_chip_is_fast);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
