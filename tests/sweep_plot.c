/* sweep_plot.c CSV PNG - draws what tests/sweep.c wrote beside what is published.
 */
#include "viz/png.h"
#include "viz/theme.h"

#include <stdio.h>

enum { WIDTH = 900, HEIGHT = 420, LEFT = 60, RIGHT = 24, TOP = 46, BOTTOM = 52 };

/* What the axes show. */
static const float first_n = 1376, last_n = 3500;

static float x_of(float n) {
    return LEFT + (n - first_n) / (last_n - first_n) * (WIDTH - LEFT - RIGHT);
}
static float y_of(float utilisation) {
    return HEIGHT - BOTTOM - utilisation * (HEIGHT - TOP - BOTTOM);
}

static void band(VizCanvas *canvas, float low, float high, VizColour colour, const char *what) {
    const VizTextStyle style = {.size_px = 12, .colour = viz_theme(0)->colours[VIZ_TEXT]};
    viz_canvas_rect(canvas,
                    (VizRect){LEFT, y_of(high), WIDTH - LEFT - RIGHT, y_of(low) - y_of(high)},
                    viz_plain(colour));
    viz_canvas_text(canvas, (VizPoint){LEFT + 10, y_of(low) - 8}, style, what);
}

static void axes(VizCanvas *canvas, const VizTheme *theme) {
    VizTextStyle label = {.size_px = 11, .colour = theme->colours[VIZ_TEXT_DIM]};
    char text[16];
    label.anchor = VIZ_RIGHT;
    for (int32_t i = 0; i <= 10; i += 2) {
        const float y = y_of((float)i / 10);
        viz_canvas_line(canvas, (VizPoint){LEFT, y}, (VizPoint){WIDTH - RIGHT, y}, 0.5f,
                        theme->colours[VIZ_BORDER]);
        snprintf(text, sizeof text, "%.1f", (double)i / 10);
        viz_canvas_text(canvas, (VizPoint){LEFT - 8, y + 4}, label, text);
    }
    label.anchor = VIZ_CENTRE;
    for (int32_t n = 1600; n <= 3200; n += 320) { /* full column tiles */
        const float x = x_of((float)n);
        viz_canvas_line(canvas, (VizPoint){x, y_of(1)}, (VizPoint){x, y_of(0)}, 0.5f,
                        theme->colours[VIZ_BORDER]);
        snprintf(text, sizeof text, "%d", (int)n);
        viz_canvas_text(canvas, (VizPoint){x, HEIGHT - BOTTOM + 18}, label, text);
    }
    viz_canvas_text(canvas, (VizPoint){WIDTH / 2, HEIGHT - 14}, label,
                    "N; a line where it is a multiple of the plane's 320 columns");
}

static bool curve(VizCanvas *canvas, FILE *csv, VizColour colour, TspError *err) {
    VizPoint last = {0, 0};
    int32_t points = 0, n;
    long long cycles, bound;
    double utilisation;
    if (fscanf(csv, "n,cycles,bound,utilisation") != 0)
        return tsp_fail(err, TSP_ERR_INPUT, "the sweep's file cannot be read");
    for (; fscanf(csv, "%d,%lld,%lld,%lf", &n, &cycles, &bound, &utilisation) == 4; points++) {
        const VizPoint at = {x_of((float)n), y_of((float)utilisation)};
        if (points > 0) viz_canvas_line(canvas, last, at, 2, colour);
        last = at;
    }
    return points > 0 || tsp_fail(err, TSP_ERR_INPUT, "the sweep's file has no points");
}

static bool draw(FILE *csv, const char *path, VizFont *font, TspError *err) {
    static const VizPngText note = {"Software", "tests/sweep_plot.c"};
    const VizTheme *theme = viz_theme(0);
    const VizTextStyle title = {
        .face = VIZ_BOLD, .size_px = 15, .colour = theme->colours[VIZ_TEXT]};
    VizCanvas *canvas = viz_canvas_new(font);
    VizImage image = {0};
    bool ok = canvas || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (ok) {
        viz_canvas_rect(canvas, (VizRect){0, 0, WIDTH, HEIGHT},
                        viz_plain(theme->colours[VIZ_BACKGROUND]));
        viz_canvas_text(canvas, (VizPoint){LEFT, 28}, title,
                        "[2304 x 4096] x [4096 x N]: share of the peak that is useful");
        band(canvas, 0.8f, 1, 0x009e7340, "published for the chip (I22): at least 0.8");
        band(canvas, 0.5f, 0.7f, 0xd55e0040, "published there for an A100: 0.5 to 0.7");
        axes(canvas, theme);
        ok = curve(canvas, csv, theme->colours[VIZ_ACCENT], err);
    }
    ok = ok && viz_canvas_ok(canvas, err) && viz_image_new(&image, WIDTH, HEIGHT, err);
    if (ok) {
        viz_raster_draw(canvas, &image);
        ok = viz_png_write(path, &image, &note, 1, err);
    }
    viz_image_free(&image);
    viz_canvas_free(canvas);
    return ok;
}

int main(int argc, char **argv) {
    TspError err = {0};
    VizFont *font;
    FILE *csv;
    bool ok;
    if (argc != 3) {
        fprintf(stderr, "usage: sweep_plot FILE.csv FILE.png\n");
        return 2;
    }
    if (!(csv = fopen(argv[1], "r"))) {
        perror(argv[1]);
        return 2;
    }
    font = viz_font_open(&err);
    ok = font && draw(csv, argv[2], font, &err);
    viz_font_close(font);
    fclose(csv);
    if (!ok) fprintf(stderr, "sweep_plot: error: %s\n", err.text);
    return ok ? 0 : 2;
}
