/* canvas_dump.c - a draw list as text, one command a line, for tests of layouts.
 *
 *   rect X Y W H FILL             outline X Y W H WIDTH #COLOUR
 *   line X Y X Y WIDTH #COLOUR    polygon X Y X Y X Y ... FILL
 *   circle X Y RADIUS FILL        ring X Y RADIUS WIDTH #COLOUR
 *   text LEFT BASELINE WIDTH FACE SIZE #COLOUR "TEXT"
 *   clip X Y W H                  unclip X Y W H (what is in force from then on; alone: all)
 *   region X Y W H KIND ID        FILL is #COLOUR, or #COLOUR HATCH #INK
 */
#include "canvas_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* How many of x, y, w, h a command shows. */
static const struct {
    const char *name;
    int32_t numbers;
} ops[VIZ_OPS] = {
    [VIZ_OP_RECT] = {"rect", 4},     [VIZ_OP_OUTLINE] = {"outline", 4},
    [VIZ_OP_LINE] = {"line", 4},     [VIZ_OP_POLYGON] = {"polygon", 0},
    [VIZ_OP_CIRCLE] = {"circle", 3}, [VIZ_OP_RING] = {"ring", 3},
    [VIZ_OP_TEXT] = {"text", 3},     [VIZ_OP_CLIP] = {"clip", 4},
    [VIZ_OP_UNCLIP] = {"unclip", 4}, [VIZ_OP_REGION] = {"region", 4},
};

static const char *const hatches[VIZ_HATCHES] = {
    [VIZ_HATCH_NONE] = "none",
    [VIZ_HATCH_DIAGONAL] = "diagonal",
    [VIZ_HATCH_BACK_DIAGONAL] = "back-diagonal",
    [VIZ_HATCH_CROSS] = "cross",
    [VIZ_HATCH_DOTS] = "dots",
    [VIZ_HATCH_HORIZONTAL] = "horizontal",
    [VIZ_HATCH_VERTICAL] = "vertical",
};
static const char *const faces[VIZ_FACES] = {
    [VIZ_REGULAR] = "regular",
    [VIZ_BOLD] = "bold",
    [VIZ_MONO] = "mono",
};

/* One decimal, half of it rounded up; not printf's, which knows -0.0. */
static void print_number(FILE *out, double value) {
    long long tenths = (long long)floor(value * 10 + 0.5);
    fprintf(out, " %s%lld.%lld", tenths < 0 ? "-" : "", llabs(tenths) / 10, llabs(tenths) % 10);
}

static void print_numbers(FILE *out, const VizCanvas *canvas, const VizCommand *c) {
    const float box[] = {c->box.x, c->box.y, c->box.w, c->box.h};
    for (int32_t i = 0; i < ops[c->op].numbers; i++) print_number(out, box[i]);
    for (int32_t i = 0; c->op == VIZ_OP_POLYGON && i < c->count; i++) {
        print_number(out, viz_polygon_points(canvas, c)[i].x);
        print_number(out, viz_polygon_points(canvas, c)[i].y);
    }
    if (c->width > 0) print_number(out, c->width);
}

static void print_text(FILE *out, const char *text) {
    fputs(" \"", out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc('\\', out);
        if (*text == '\n')
            fputs("\\n", out);
        else
            putc(*text, out);
    }
    putc('"', out);
}

static void print_command(FILE *out, const VizCanvas *canvas, const VizCommand *c) {
    fputs(ops[c->op].name, out);
    if (c->op != VIZ_OP_UNCLIP || c->box.x > -VIZ_FAR_PX) print_numbers(out, canvas, c);
    if (c->op == VIZ_OP_TEXT) fprintf(out, " %s %d", faces[c->face], c->count);
    if (c->op < VIZ_OP_CLIP) fprintf(out, " #%08x", c->colour);
    if (c->hatch) fprintf(out, " %s #%08x", hatches[c->hatch], c->ink);
    if (c->op == VIZ_OP_TEXT) print_text(out, viz_text_characters(canvas, c));
    if (c->op == VIZ_OP_REGION) fprintf(out, " %d %lld", c->count, (long long)c->first);
    putc('\n', out);
}

char *viz_canvas_dump(const VizCanvas *canvas) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) return NULL;
    for (size_t i = 0; i < canvas->commands.count; i++)
        print_command(out, canvas, viz_command_at(canvas, i));
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}
