/* label.h - texts that keep to their boxes, fills that step back.
 */
#ifndef TSP_VIZ_LABEL_H
#define TSP_VIZ_LABEL_H
#include "words.h"

static inline float viz_whole(float v) {
    return (float)(int32_t)(v + (v < 0 ? -0.5f : 0.5f));
}
/* A length in scaled pixels as whole pixels, at least one. */
static inline float viz_px(const VizFrame *frame, float length) {
    const float whole = viz_whole(length * frame->px);
    return whole < 1 ? 1 : whole;
}

/* One line in the middle of the height of a box, at its left, centre or right by the style's
 * anchor, an ellipsis where it is too long. Returns the width drawn; 0 if the box is too low. */
float viz_label(const VizFrame *frame, VizRect box, VizTextStyle style, const char *text);
/* The same, but all of it or nothing. */
bool viz_label_whole(const VizFrame *frame, VizRect box, VizTextStyle style, const char *text);
/* The style in a colour that can be read on a fill (its own on a faint one), and so that a hatch
 * does not run through the letters, with the colour alone behind them. All of it or nothing. */
bool viz_label_on(const VizFrame *frame, VizRect box, VizTextStyle style, VizFill fill,
                  const char *text);

/* A fill for what the selection leaves out: the same identity, far back. */
VizFill viz_faint(VizFill fill);

/* How what a burst (-1 none) does for an op (-1 none) is filled: by the op, else by the burst's
 * tensor; faint where the selection leaves it out. */
VizFill viz_burst_fill(const VizFrame *frame, const VizFocus *focus, int32_t burst, int32_t op);

/* A frame around what matches the search; nothing for what does not. */
void viz_mark_found(const VizFrame *frame, VizRect box, VizKind kind, int64_t id);

#endif
