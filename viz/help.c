/* help.c - the table of actions as an overlay and as Markdown.
 */
#include "actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *viz_group_name(VizGroup group) {
    static const char *const names[] = {
        [VIZ_GROUP_TIME] = "Time",
        [VIZ_GROUP_PLACE] = "Zoom, panels",
        [VIZ_GROUP_LOOK] = "Looks",
        [VIZ_GROUP_SELECT] = "Select, search",
        [VIZ_GROUP_STOP] = "Breakpoints, marks",
        [VIZ_GROUP_PROGRAM] = "Program",
        [VIZ_GROUP_TYPING] = "While typing",
    };
    return names[group];
}

/* The keys of an action as they are shown: "Right  ." */
static void spaced(const VizAction *action, const char *before, const char *between,
                   const char *after, char *text, size_t size) {
    const char *at = action->keys;
    size_t used = 0;
    text[0] = 0;
    while (*at) {
        const int token = (int)strcspn(at, " ");
        used += (size_t)snprintf(text + used, size - used, "%s%s%.*s%s", used ? between : "",
                                 before, token, at, after);
        if (used >= size) return;
        at += token;
        at += strspn(at, " ");
    }
}

/* -- the overlay -- */

/* Which column of the overlay a group is in. */
static const int32_t column_of[VIZ_GROUPS] = {
    [VIZ_GROUP_TIME] = 0,   [VIZ_GROUP_TYPING] = 0, [VIZ_GROUP_PLACE] = 1,   [VIZ_GROUP_LOOK] = 1,
    [VIZ_GROUP_SELECT] = 2, [VIZ_GROUP_STOP] = 2,   [VIZ_GROUP_PROGRAM] = 2,
};
enum { COLUMNS = 3 };

static int32_t lines_of(const char *help) {
    return strlen(help) > 44 ? 2 : 1;
}

/* Draws a text in one or two lines, broken between words. */
static void draw_text(const VizFrame *frame, VizPoint at, VizTextStyle style, const char *text,
                      float line) {
    size_t cut = strlen(text);
    char first[128];
    if (lines_of(text) > 1)
        for (cut = 44; cut > 0 && text[cut] != ' ';) cut--;
    snprintf(first, sizeof first, "%.*s", (int)cut, text);
    viz_canvas_text(frame->canvas, at, style, first);
    if (text[cut])
        viz_canvas_text(frame->canvas, (VizPoint){at.x, at.y + line}, style, text + cut + 1);
}

/* The height that a group takes. */
static float group_height(VizGroup group, float line) {
    float h = 1.5f * line;
    for (int32_t i = 0; i < viz_action_count; i++)
        if (viz_actions[i].group == group) h += line * (float)lines_of(viz_actions[i].help);
    return h + 0.5f * line;
}

static void draw_group(const VizFrame *frame, VizGroup group, float x, float y, float keys,
                       float line, float size) {
    VizTextStyle title = viz_style(frame, VIZ_BOLD, size, VIZ_ACCENT);
    VizTextStyle key = viz_style(frame, VIZ_MONO, size - 1, VIZ_TEXT);
    VizTextStyle text = viz_style(frame, VIZ_REGULAR, size, VIZ_TEXT_DIM);
    viz_canvas_text(frame->canvas, (VizPoint){x, y + line}, title, viz_group_name(group));
    y += 1.5f * line;
    for (int32_t i = 0; i < viz_action_count; i++) {
        char names[64];
        if (viz_actions[i].group != group) continue;
        spaced(&viz_actions[i], "", "  ", "", names, sizeof names);
        viz_canvas_text(frame->canvas, (VizPoint){x, y + 0.8f * line}, key, names);
        draw_text(frame, (VizPoint){x + keys, y + 0.8f * line}, text, viz_actions[i].help, line);
        y += line * (float)lines_of(viz_actions[i].help);
    }
}

void viz_help_draw(const VizFrame *frame) {
    /* As large as it is at 1280 pixels, and smaller where there is less room. */
    const float fit_x = frame->area.w / (1220 * frame->px),
                fit_y = frame->area.h / (560 * frame->px);
    const float fit = fit_x < fit_y ? fit_x : fit_y, px = frame->px * (fit < 1 ? fit : 1);
    const float line = 18 * px, wide = 390 * px, keys = 120 * px, edge = 20 * px;
    const float size = 12 * px / frame->px;
    float heights[COLUMNS] = {0}, tallest = 0;
    VizRect box;
    VizTextStyle title = viz_style(frame, VIZ_BOLD, 15 * px / frame->px, VIZ_TEXT);
    for (int32_t group = 0; group < VIZ_GROUPS; group++) {
        float *h = &heights[column_of[group]];
        *h += group_height((VizGroup)group, line);
        if (*h > tallest) tallest = *h;
    }
    box.w = COLUMNS * wide + 2 * edge;
    box.h = tallest + 2 * edge + 2 * line;
    box.x = frame->area.x + (frame->area.w - box.w) / 2;
    box.y = frame->area.y + (frame->area.h - box.h) / 2;
    viz_canvas_rect(frame->canvas, frame->area,
                    viz_plain(viz_with_alpha(viz_colour(frame->theme, VIZ_BACKGROUND), 150)));
    viz_canvas_rect(frame->canvas, box, viz_plain(viz_colour(frame->theme, VIZ_RAISED)));
    viz_canvas_outline(frame->canvas, box, px, viz_colour(frame->theme, VIZ_BORDER));
    viz_canvas_text(frame->canvas, (VizPoint){box.x + edge, box.y + edge + 0.8f * line}, title,
                    "Keys");
    for (int32_t column = 0; column < COLUMNS; column++) {
        float y = box.y + edge + 1.5f * line;
        for (int32_t group = 0; group < VIZ_GROUPS; group++) {
            if (column_of[group] != column) continue;
            draw_group(frame, (VizGroup)group, box.x + edge + (float)column * wide, y, keys, line,
                       size);
            y += group_height((VizGroup)group, line);
        }
    }
}

/* -- Markdown -- */

char *viz_keys_markdown(void) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (!out) return NULL;
    for (int32_t group = 0; group < VIZ_GROUPS; group++) {
        fprintf(out, "%s| %s | |\n|---|---|\n", group ? "\n" : "", viz_group_name((VizGroup)group));
        for (int32_t i = 0; i < viz_action_count; i++) {
            char keys[96];
            if (viz_actions[i].group != (VizGroup)group) continue;
            spaced(&viz_actions[i], "`", " ", "`", keys, sizeof keys);
            fprintf(out, "| %s | %s |\n", keys, viz_actions[i].help);
        }
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
