/* lines.c - writes lists of keys and values, finds how high each line is, draws them.
 */
#include "lines.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Lengths in scaled pixels. */
#define TEXT         12.0f
#define CODE         11.0f
#define TITLE        13.0f
#define LINE_HEIGHT  17.0f
#define TITLE_HEIGHT 22.0f
#define GAP_HEIGHT   7.0f
#define MARGIN       8.0f
#define KEY_GAP      10.0f
#define KEY_SHARE    0.55f /* of the width, at most */
#define COLUMN_LEAST 250.0f
#define COLUMN_GAP   20.0f

/* -- writing -- */

void viz_lines_begin(VizLines *lines, const VizFrame *frame) {
    lines->frame = frame;
    lines->count = 0;
    lines->used = 0;
}

static const char *keep(VizLines *l, const char *format, va_list arguments) {
    const size_t room = VIZ_LINES_CHARACTERS - l->used;
    char *text = l->characters + l->used;
    int length;
    if (room < 2) return "";
    length = vsnprintf(text, room, format, arguments);
    if (length < 0) return "";
    l->used += (size_t)length + 1 < room ? (size_t)length + 1 : room;
    return text;
}

__attribute__((format(printf, 2, 3))) static const char *keep_text(VizLines *l, const char *format,
                                                                   ...) {
    va_list arguments;
    const char *text;
    va_start(arguments, format);
    text = keep(l, format, arguments);
    va_end(arguments);
    return text;
}

static VizLine *add(VizLines *l, VizLineKind kind, const char *key, const char *format,
                    va_list arguments) {
    /* the last one is never drawn: it takes what there is no room for */
    VizLine *line = &l->lines[l->count < VIZ_LINES_MAX - 1 ? l->count++ : VIZ_LINES_MAX - 1];
    *line = (VizLine){.kind = kind,
                      .face = kind == VIZ_LINE_TITLE ? VIZ_BOLD : VIZ_REGULAR,
                      .role = VIZ_TEXT,
                      .key = keep_text(l, "%s", key),
                      .number = "",
                      .text = ""};
    if (format) line->text = keep(l, format, arguments);
    return line;
}

#define ADD(kind, key)                                                                             \
    va_list arguments;                                                                             \
    VizLine *line;                                                                                 \
    va_start(arguments, format);                                                                   \
    line = add(lines, kind, key, format, arguments);                                               \
    va_end(arguments)

VizLine *viz_line_title(VizLines *lines, const char *kind, const char *format, ...) {
    ADD(VIZ_LINE_TITLE, kind);
    return line;
}

VizLine *viz_line_pair(VizLines *lines, const char *key, const char *format, ...) {
    ADD(VIZ_LINE_PAIR, key);
    return line;
}

VizLine *viz_line_number(VizLines *lines, const char *key, const char *number, const char *format,
                         ...) {
    ADD(VIZ_LINE_NUMBER, key);
    line->number = keep_text(lines, "%s", number);
    return line;
}

VizLine *viz_line_prose(VizLines *lines, const char *key, const char *format, ...) {
    ADD(VIZ_LINE_PROSE, key);
    return line;
}

VizLine *viz_line_link(VizLines *lines, VizThing thing, const char *key, const char *format, ...) {
    ADD(VIZ_LINE_PAIR, key);
    line->thing = thing;
    line->role = VIZ_ACCENT;
    return line;
}

static VizLine *add_plain(VizLines *lines, VizLineKind kind, const char *key, ...) {
    va_list none;
    VizLine *line;
    va_start(none, key);
    line = add(lines, kind, key, NULL, none);
    va_end(none);
    return line;
}

VizLine *viz_line_cells(VizLines *lines, const char *key) {
    VizLine *line = add_plain(lines, VIZ_LINE_CELLS, key);
    line->face = VIZ_MONO;
    return line;
}

void viz_line_cell(VizLines *lines, VizLine *cells, const char *format, ...) {
    va_list arguments;
    if (cells->cell_count == VIZ_CELLS_MAX) return;
    va_start(arguments, format);
    cells->cells[cells->cell_count++] = keep(lines, format, arguments);
    va_end(arguments);
}

void viz_line_gap(VizLines *lines) {
    if (lines->count == 0 || lines->lines[lines->count - 1].kind == VIZ_LINE_GAP) return;
    add_plain(lines, VIZ_LINE_GAP, "");
}

/* -- measuring -- */

/* How the columns of a list stand; all in pixels. */
typedef struct {
    const VizLines *l;
    float px;
    int32_t columns;
    float width;             /* of a column */
    float key, number, unit; /* key: keys and the gap behind; unit: the gap behind numbers */
} Sheet;

static VizTextStyle style_of(const Sheet *s, const VizLine *line) {
    const float size = line->kind == VIZ_LINE_TITLE ? TITLE : line->face == VIZ_MONO ? CODE : TEXT;
    VizTextStyle style = viz_style(s->l->frame, line->face, size, line->role);
    style.vertical = VIZ_MIDDLE;
    return style;
}

static float width_of(const Sheet *s, VizTextStyle style, const char *text) {
    return viz_canvas_text_width(s->l->frame->canvas, style, text);
}

static VizTextStyle dim(const Sheet *s) {
    VizTextStyle style = viz_style(s->l->frame, VIZ_REGULAR, TEXT, VIZ_TEXT_DIM);
    style.vertical = VIZ_MIDDLE;
    return style;
}

static void measure(Sheet *s, int32_t columns) {
    const VizRect area = s->l->frame->area;
    float key = 0;
    s->columns = columns;
    s->width = floorf((area.w - 2 * MARGIN * s->px - (float)(columns - 1) * COLUMN_GAP * s->px) /
                      (float)columns);
    s->number = 0;
    s->unit = width_of(s, dim(s), " ");
    for (int32_t i = 0; i < s->l->count; i++) {
        const VizLine *line = &s->l->lines[i];
        if (line->kind != VIZ_LINE_TITLE) key = fmaxf(key, width_of(s, dim(s), line->key));
        if (line->kind == VIZ_LINE_NUMBER)
            s->number = fmaxf(s->number, width_of(s, style_of(s, line), line->number));
    }
    s->key = key > 0 ? fminf(key, floorf(KEY_SHARE * s->width)) + KEY_GAP * s->px : 0;
    s->number = fminf(s->number, fmaxf(s->width - s->key, 0));
}

static float value_width(const Sheet *s) {
    return fmaxf(s->width - s->key, 0);
}

static float cell_width(const Sheet *s, const VizLine *line) {
    float widest = 0;
    for (int32_t i = 0; i < line->cell_count; i++)
        widest = fmaxf(widest, width_of(s, style_of(s, line), line->cells[i]));
    return widest + width_of(s, style_of(s, line), " ");
}

static int32_t cells_a_row(const Sheet *s, const VizLine *line) {
    const float cell = cell_width(s, line);
    int32_t count = VIZ_CELLS_MAX;
    while (count > 1 && (float)count * cell > value_width(s) + s->unit) count /= 2;
    return count;
}

/* Bytes of the text that stand in its first line, the spaces behind them not. */
static size_t wrap(const Sheet *s, VizTextStyle style, const char *text) {
    VizFont *font = viz_canvas_font(s->l->frame->canvas);
    const size_t length = strlen(text);
    const size_t fits =
        viz_font_fit(font, style.face, style.size_px, text, (int32_t)value_width(s));
    size_t cut = fits;
    if (fits >= length) return length;
    while (cut > 0 && text[cut] != ' ') cut--;
    return cut ? cut : fits;
}

static int32_t rows_of(const Sheet *s, const VizLine *line) {
    const char *text = line->text;
    int32_t rows = 0;
    if (line->kind == VIZ_LINE_CELLS) {
        const int32_t columns = cells_a_row(s, line);
        return (line->cell_count + columns - 1) / columns;
    }
    if (line->kind != VIZ_LINE_PROSE) return 1;
    while (*text) {
        const size_t cut = wrap(s, style_of(s, line), text);
        if (cut == 0) break; /* not even one character fits */
        text += cut;
        while (*text == ' ') text++;
        rows++;
    }
    return rows ? rows : 1;
}

static float height_of(const Sheet *s, const VizLine *line) {
    if (line->kind == VIZ_LINE_TITLE) return TITLE_HEIGHT * s->px;
    if (line->kind == VIZ_LINE_GAP) return GAP_HEIGHT * s->px;
    return (float)rows_of(s, line) * LINE_HEIGHT * s->px;
}

/* -- drawing -- */

static void draw_title(const Sheet *s, const VizLine *line, float x, float y) {
    const VizFrame *frame = s->l->frame;
    VizTextStyle style = style_of(s, line), kind = dim(s);
    const float middle = y + TITLE_HEIGHT / 2 * s->px, right = x + s->width;
    float taken = 0;
    if (line->has_swatch) {
        const float side = 11 * s->px;
        const VizRect r = {x, floorf(middle - side / 2), side, side};
        viz_canvas_rect(frame->canvas, r, line->swatch);
        viz_canvas_outline(frame->canvas, r, s->px, viz_colour(frame->theme, VIZ_BORDER));
        x += side + 6 * s->px;
    }
    kind.anchor = VIZ_RIGHT;
    /* what it is gives way to its name */
    if (width_of(s, style, line->text) + width_of(s, kind, line->key) + KEY_GAP * s->px < right - x)
        taken = viz_canvas_text(frame->canvas, (VizPoint){right, middle}, kind, line->key);
    style.max_width = right - x - (taken > 0 ? taken + KEY_GAP * s->px : 0);
    viz_canvas_text(frame->canvas, (VizPoint){x, middle}, style, line->text);
}

static void draw_cells(const Sheet *s, const VizLine *line, float x, float y) {
    const int32_t columns = cells_a_row(s, line);
    const float cell = cell_width(s, line);
    VizTextStyle style = style_of(s, line);
    const float space = width_of(s, style, " ");
    style.anchor = VIZ_RIGHT;
    style.max_width = fminf(cell - space, value_width(s));
    for (int32_t i = 0; i < line->cell_count; i++) {
        const float right = x + s->key + (float)(i % columns + 1) * cell - space;
        const float middle = y + ((float)(i / columns) + 0.5f) * LINE_HEIGHT * s->px;
        viz_canvas_text(s->l->frame->canvas, (VizPoint){right, middle}, style, line->cells[i]);
    }
}

static void draw_prose(const Sheet *s, const VizLine *line, float x, float y) {
    const VizTextStyle style = style_of(s, line);
    const char *text = line->text;
    float middle = y + LINE_HEIGHT / 2 * s->px;
    while (*text) {
        char row[512];
        const size_t cut = wrap(s, style, text);
        if (cut == 0) break;
        snprintf(row, sizeof row, "%.*s", (int)cut, text);
        viz_canvas_text(s->l->frame->canvas, (VizPoint){x + s->key, middle}, style, row);
        text += cut;
        while (*text == ' ') text++;
        middle += LINE_HEIGHT * s->px;
    }
}

static bool is_hovered(const VizFrame *frame, VizThing thing) {
    const VizThing hovered = frame->view->hovered;
    return thing.kind != VIZ_NOTHING && hovered.kind == thing.kind && hovered.id == thing.id;
}

static void draw_value(const Sheet *s, const VizLine *line, float x, float y) {
    const VizFrame *frame = s->l->frame;
    const float middle = y + LINE_HEIGHT / 2 * s->px;
    VizTextStyle style = style_of(s, line);
    float left = x + s->key, room = value_width(s), width;
    if (line->kind == VIZ_LINE_NUMBER) {
        VizTextStyle number = style;
        number.anchor = VIZ_RIGHT;
        number.max_width = s->number;
        viz_canvas_text(frame->canvas, (VizPoint){left + s->number, middle}, number, line->number);
        left += s->number + s->unit;
        room -= s->number + s->unit;
    }
    if (line->has_swatch && room > 20 * s->px) {
        const float side = 9 * s->px;
        const VizRect r = {left, floorf(middle - side / 2), side, side};
        viz_canvas_rect(frame->canvas, r, line->swatch);
        viz_canvas_outline(frame->canvas, r, s->px, viz_colour(frame->theme, VIZ_BORDER));
        left += side + 5 * s->px;
        room -= side + 5 * s->px;
    }
    style.max_width = room;
    if (room <= 0) return;
    width = viz_canvas_text(frame->canvas, (VizPoint){left, middle}, style, line->text);
    if (is_hovered(frame, line->thing))
        viz_canvas_rect(frame->canvas, (VizRect){left, floorf(middle + 6 * s->px), width, s->px},
                        viz_plain(style.colour));
}

static void draw_line(const Sheet *s, const VizLine *line, float x, float y) {
    const VizFrame *frame = s->l->frame;
    VizTextStyle key = dim(s);
    if (line->kind == VIZ_LINE_GAP) return;
    if (line->kind == VIZ_LINE_TITLE) {
        draw_title(s, line, x, y);
        return;
    }
    key.max_width = s->key - KEY_GAP * s->px;
    if (key.max_width > 0)
        viz_canvas_text(frame->canvas, (VizPoint){x, y + LINE_HEIGHT / 2 * s->px}, key, line->key);
    if (line->kind == VIZ_LINE_CELLS)
        draw_cells(s, line, x, y);
    else if (line->kind == VIZ_LINE_PROSE)
        draw_prose(s, line, x, y);
    else
        draw_value(s, line, x, y);
    if (line->thing.kind != VIZ_NOTHING)
        viz_canvas_region(frame->canvas, (VizRect){x, y, s->width, height_of(s, line)},
                          (int32_t)line->thing.kind, line->thing.id);
}

/* The first line that a column of this height, beginning with line `first`, has no room for. */
static int32_t fill(const Sheet *s, int32_t first, float height) {
    float y = 0;
    int32_t i = first;
    for (; i < s->l->count; i++) {
        y += height_of(s, &s->l->lines[i]);
        if (y > height + 0.5f && s->l->lines[i].kind != VIZ_LINE_GAP) break;
    }
    return i;
}

static bool fits(Sheet *s, int32_t columns, float height) {
    int32_t line = 0;
    measure(s, columns);
    for (int32_t c = 0; c < columns; c++) line = fill(s, line, height);
    return line >= s->l->count;
}

static void draw_rest(const Sheet *s, int32_t first, float x, float y) {
    VizTextStyle style = dim(s);
    char text[32];
    int32_t more = 0;
    for (int32_t i = first; i < s->l->count; i++) more += s->l->lines[i].kind != VIZ_LINE_GAP;
    snprintf(text, sizeof text, "+%d more", more);
    style.max_width = s->width;
    viz_canvas_text(s->l->frame->canvas, (VizPoint){x, y + LINE_HEIGHT / 2 * s->px}, style, text);
}

static void draw_column(const Sheet *s, int32_t *line, float x, float height, bool last) {
    float y = s->l->frame->area.y + 2 * s->px;
    int32_t end = fill(s, *line, height);
    const bool cut = last && end < s->l->count;
    if (cut && height >= (TITLE_HEIGHT + LINE_HEIGHT) * s->px)
        end = fill(s, *line, height - LINE_HEIGHT * s->px);
    while (*line < end && s->l->lines[*line].kind == VIZ_LINE_GAP) ++*line; /* not at the top */
    for (; *line < end; ++*line) {
        draw_line(s, &s->l->lines[*line], x, y);
        y += height_of(s, &s->l->lines[*line]);
    }
    if (cut && y + LINE_HEIGHT * s->px <= s->l->frame->area.y + 2 * s->px + height + 0.5f)
        draw_rest(s, end, x, y);
}

void viz_lines_draw(const VizLines *lines) {
    const VizRect area = lines->frame->area;
    Sheet s = {.l = lines, .px = lines->frame->px};
    const float height = area.h - 4 * s.px;
    int32_t most = (int32_t)((area.w - 2 * MARGIN * s.px) / ((COLUMN_LEAST + COLUMN_GAP) * s.px));
    int32_t columns = 1, line = 0;
    if (most > 4) most = 4;
    while (!fits(&s, columns, height) && columns < most) columns++;
    for (int32_t c = 0; c < columns; c++)
        draw_column(&s, &line, area.x + MARGIN * s.px + (float)c * (s.width + COLUMN_GAP * s.px),
                    height, c + 1 == columns);
}
