/* label.c - texts that keep to their boxes, fills that step back.
 */
#include "label.h"
#include "name.h"

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

void viz_mark_found(const VizFrame *frame, VizRect box, VizKind kind, int64_t id) {
    if (viz_matches(frame->run, (VizThing){kind, id}, frame->view->search))
        viz_canvas_outline(frame->canvas, box, viz_px(frame, 2),
                           viz_colour(frame->theme, VIZ_MARK));
}
