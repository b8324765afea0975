/* label.c - texts that keep to their boxes, fills that step back, numbers as panels write them.
 */
#include "label.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Capitals in the middle, and below them most of what hangs down. */
static bool too_low(const VizFrame *frame, VizRect box, VizTextStyle style) {
    VizFont *font = viz_canvas_font(frame->canvas);
    return box.h < (float)(viz_font_cap_height(font, style.face, style.size_px) +
                           viz_font_descent(font, style.face, style.size_px));
}

float viz_label(const VizFrame *frame, VizRect box, VizTextStyle style, const char *text) {
    VizPoint at = {box.x, viz_whole(box.y + box.h / 2)};
    if (box.w < 1 || too_low(frame, box, style)) return 0;
    if (style.anchor == VIZ_CENTRE) at.x += box.w / 2;
    if (style.anchor == VIZ_RIGHT) at.x += box.w;
    style.vertical = VIZ_MIDDLE;
    style.max_width = box.w;
    return viz_canvas_text(frame->canvas, at, style, text);
}

bool viz_label_whole(const VizFrame *frame, VizRect box, VizTextStyle style, const char *text) {
    if (viz_canvas_text_width(frame->canvas, style, text) > box.w) return false;
    return viz_label(frame, box, style, text) > 0;
}

bool viz_label_on(const VizFrame *frame, VizRect box, VizTextStyle style, VizFill fill,
                  const char *text) {
    const float width = viz_canvas_text_width(frame->canvas, style, text), pad = viz_px(frame, 2);
    if (width > box.w || too_low(frame, box, style)) return false;
    if (fill.hatch && (fill.colour & 0xff) == 0xff) {
        VizRect behind = {box.x - pad, box.y, width + 2 * pad, box.h};
        if (style.anchor == VIZ_CENTRE) behind.x += (box.w - width) / 2;
        if (style.anchor == VIZ_RIGHT) behind.x += box.w - width;
        behind.x = viz_whole(behind.x);
        viz_canvas_rect(frame->canvas, behind, viz_plain(fill.colour));
    }
    if ((fill.colour & 0xff) == 0xff) style.colour = viz_readable_on(fill.colour);
    return viz_label(frame, box, style, text) > 0;
}

VizFill viz_faint(VizFill fill) {
    fill.colour = viz_with_alpha(fill.colour, (fill.colour & 0xff) * 72 / 255);
    fill.ink = viz_with_alpha(fill.ink, (fill.ink & 0xff) * 72 / 255);
    return fill;
}

VizFill viz_burst_fill(const VizFrame *frame, const VizFocus *focus, int32_t burst, int32_t op) {
    const int32_t tensor = burst >= 0 ? frame->run->burst_tensor[burst] : -1;
    const VizFill fill =
        op < 0 && tensor >= 0 ? viz_tensor_fill(frame, tensor) : viz_op_fill(frame, op);
    return viz_goes_with(focus, op, tensor) ? fill : viz_faint(fill);
}

const char *viz_number(char text[VIZ_NUMBER_MAX], int64_t number) {
    static const char thin[] = "\xe2\x80\x89", minus[] = "\xe2\x88\x92";
    char digits[VIZ_NUMBER_MAX];
    const char *from = digits;
    int32_t length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    char *to = text;
    if (*from == '-') {
        memcpy(to, minus, sizeof minus - 1);
        to += sizeof minus - 1;
        from++;
        length--;
    }
    for (int32_t left = length; left > 0; left--) {
        if (length > 4 && left < length && left % 3 == 0) {
            memcpy(to, thin, sizeof thin - 1);
            to += sizeof thin - 1;
        }
        *to++ = *from++;
    }
    *to = 0;
    return text;
}

const char *viz_time_text(char text[VIZ_NUMBER_MAX], const TspMachine *m, double cycles) {
    const double us = fabs(cycles) * 1e6 / (double)m->clock_hz;
    const char *minus = cycles < 0 ? "\xe2\x88\x92" : "";
    if (us >= 999.9995)
        snprintf(text, VIZ_NUMBER_MAX, "%s%.3f ms", minus, us / 1e3);
    else if (us >= 0.0999995 || us == 0)
        snprintf(text, VIZ_NUMBER_MAX, "%s%.3f \xc2\xb5s", minus, us);
    else
        snprintf(text, VIZ_NUMBER_MAX, "%s%.1f ns", minus, us * 1e3);
    return text;
}
