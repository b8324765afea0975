/* picture_card.c FILE - draws the test card: every command of a draw list, in every theme.
 */
#include "viz/png.h"
#include "viz/theme.h"

#include <stdio.h>

enum { WIDTH = 640, PART = 250, MARGIN = 12 };

static void titled(VizCanvas *canvas, const VizTheme *theme, float y) {
    const VizTextStyle title = {
        .face = VIZ_BOLD, .size_px = 15, .colour = theme->colours[VIZ_TEXT]};
    const VizTextStyle dim = {.size_px = 11,
                              .colour = theme->colours[VIZ_TEXT_DIM],
                              .anchor = VIZ_RIGHT,
                              .max_width = 330};
    viz_canvas_rect(canvas, (VizRect){0, y, WIDTH, PART},
                    viz_plain(theme->colours[VIZ_BACKGROUND]));
    viz_canvas_rect(canvas, (VizRect){MARGIN, y + MARGIN, WIDTH - 2 * MARGIN, PART - 2 * MARGIN},
                    viz_plain(theme->colours[VIZ_PANEL]));
    viz_canvas_outline(canvas, (VizRect){MARGIN, y + MARGIN, WIDTH - 2 * MARGIN, PART - 2 * MARGIN},
                       theme->line_px, theme->colours[VIZ_BORDER]);
    viz_canvas_text(canvas, (VizPoint){24, y + 34}, title, theme->name);
    viz_canvas_text(canvas, (VizPoint){WIDTH - 24, y + 34}, dim,
                    "µs, 10⁻³, → ← ≤ ×, ÄÖÜ é ß; and what is too long for its place is cut");
}

/* Three rows of identities, each with its number in a colour that can be read on it. */
static void identities(VizCanvas *canvas, const VizTheme *theme, float y) {
    for (int32_t p = 0; p < VIZ_PALETTES; p++)
        for (int32_t n = 0; n < 28; n++) {
            const VizRect at = {24 + 21 * (float)n, y + 48 + 18 * (float)p, 20, 16};
            const VizFill fill = viz_identity(viz_palette(p), n * 2);
            const VizTextStyle number = {.face = VIZ_MONO,
                                         .size_px = 10,
                                         .colour = viz_readable_on(fill.colour),
                                         .anchor = VIZ_CENTRE,
                                         .vertical = VIZ_MIDDLE};
            char text[8];
            snprintf(text, sizeof text, "%d", n * 2);
            viz_canvas_rect(canvas, at, fill);
            if (!fill.hatch) viz_canvas_text(canvas, (VizPoint){at.x + 10, at.y + 8}, number, text);
            viz_canvas_outline(canvas, at, theme->line_px, theme->colours[VIZ_BORDER]);
        }
}

static void shapes(VizCanvas *canvas, const VizTheme *theme, float y) {
    const VizColour accent = theme->colours[VIZ_ACCENT], text = theme->colours[VIZ_TEXT];
    const VizPoint hexagon[] = {{250, y + 112}, {274, y + 112}, {286, y + 133},
                                {274, y + 154}, {250, y + 154}, {238, y + 133}};
    for (int32_t i = 0; i < 8; i++) { /* an eighth of a pixel further each time */
        viz_canvas_rect(canvas,
                        (VizRect){24 + 11 * (float)i + (float)i / 8, y + 112 + (float)i / 8, 8, 18},
                        viz_plain(accent));
        viz_canvas_outline(canvas, (VizRect){24 + 11 * (float)i, y + 136, 9, 18},
                           0.5f + (float)i / 4, text);
        viz_canvas_line(canvas, (VizPoint){126, y + 112}, (VizPoint){126 + 12 * (float)i, y + 154},
                        0.5f + (float)i / 4, text);
    }
    viz_canvas_polygon(canvas, hexagon, 6, (VizFill){accent, VIZ_HATCH_CROSS, 0x00000080});
    viz_canvas_circle(canvas, (VizPoint){318, y + 133}, 21, viz_plain(accent));
    viz_canvas_circle(canvas, (VizPoint){330, y + 133}, 14.5f,
                      (VizFill){0xd55e0080, VIZ_HATCH_DOTS, 0xffffffff});
    viz_canvas_ring(canvas, (VizPoint){374, y + 133}, 21, 3, theme->colours[VIZ_ERROR]);
    viz_canvas_ring(canvas, (VizPoint){374, y + 133}, 12.3f, 0.8f, theme->colours[VIZ_GOOD]);
    viz_canvas_clip_push(canvas, (VizRect){410, y + 112, 60, 42});
    for (int32_t hatch = 0; hatch < VIZ_HATCHES; hatch++)
        viz_canvas_rect(canvas, (VizRect){404 + 10 * (float)hatch, y + 106, 9.5f, 60},
                        (VizFill){theme->colours[VIZ_IDLE], (VizHatch)hatch, text});
    viz_canvas_clip_push(canvas, (VizRect){440, y + 130, 100, 100});
    viz_canvas_circle(canvas, (VizPoint){440, y + 130}, 20, viz_plain(theme->colours[VIZ_WARNING]));
    viz_canvas_clip_pop(canvas);
    viz_canvas_clip_pop(canvas);
}

static void texts(VizCanvas *canvas, const VizTheme *theme, float y) {
    static const VizRole roles[] = {VIZ_TEXT, VIZ_TEXT_DIM, VIZ_ACCENT,  VIZ_CURSOR,
                                    VIZ_MARK, VIZ_GOOD,     VIZ_WARNING, VIZ_ERROR};
    float x = 24;
    for (int32_t i = 0; i < 8; i++) {
        const VizTextStyle style = {
            .face = VIZ_REGULAR, .size_px = 12, .colour = theme->colours[roles[i]]};
        x += 10 + viz_canvas_text(canvas, (VizPoint){x, y + 176}, style, viz_role_name(roles[i]));
    }
    for (int32_t face = 0; face < VIZ_FACES; face++) {
        const VizTextStyle style = {
            .face = (VizFace)face, .size_px = 12 + 2 * face, .colour = theme->colours[VIZ_TEXT]};
        viz_canvas_text(canvas, (VizPoint){24 + 196 * (float)face, y + 200}, style,
                        "Read S16_E, 0x1fff");
    }
    for (int32_t role = 0; role < VIZ_ROLES; role++)
        viz_canvas_rect(
            canvas,
            (VizRect){484 + 15 * (float)(role % 9), y + 112 + 21 * (float)(role / 9), 14, 20},
            viz_plain(theme->colours[role]));
    x = 24;
    for (int32_t size = 6; size <= 20; size += 2) {
        const VizTextStyle style = {
            .size_px = size, .colour = theme->colours[VIZ_TEXT], .vertical = VIZ_MIDDLE};
        x += 12 + viz_canvas_text(canvas, (VizPoint){x, y + 220}, style, "Hxg 12");
    }
}

static bool draw(const char *path, VizFont *font, TspError *err) {
    static const VizPngText note = {"Software", "tests/picture_card.c"};
    VizCanvas *canvas = viz_canvas_new(font);
    VizImage image = {0};
    bool ok = canvas || tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t i = 0; ok && i < VIZ_THEMES; i++) {
        const VizTheme *theme = viz_theme(i);
        const float y = PART * (float)i;
        titled(canvas, theme, y);
        identities(canvas, theme, y);
        shapes(canvas, theme, y);
        texts(canvas, theme, y);
    }
    ok = ok && viz_canvas_ok(canvas, err) && viz_image_new(&image, WIDTH, VIZ_THEMES * PART, err);
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
    bool ok;
    if (argc != 2) {
        fprintf(stderr, "usage: picture_card FILE\n");
        return 2;
    }
    font = viz_font_open(&err);
    ok = font && draw(argv[1], font, &err);
    viz_font_close(font);
    if (!ok) fprintf(stderr, "picture_card: error: %s\n", err.text);
    return ok ? 0 : 2;
}
