/* view.c - the view at first, and what the panels share: the selection seen from every side, fills,
 * text styles.
 */
#include "view.h"

#include <math.h>
#include <string.h>

void viz_view_init(VizView *view) {
    *view = (VizView){.scale = 1, .chip_zoom = 1, .speed_cycles = 10};
    for (int32_t i = 0; i < VIZ_MARKS; i++) view->mark[i] = -1;
}

/* -- the selection -- */

static void focus_burst(const VizRun *run, int32_t burst, VizFocus *focus) {
    const VizBurst *b = &run->timeline.bursts[burst];
    focus->burst = burst;
    focus->queue = b->queue;
    focus->op = viz_burst_op(b);
    focus->tensor = run->burst_tensor[burst];
}

static void focus_register(const VizRun *run, int64_t id, VizFocus *focus) {
    const VizDrive *drive;
    focus->stream = (int32_t)(id / TSP_MAX_COLUMNS);
    focus->column = (int32_t)(id % TSP_MAX_COLUMNS);
    drive = viz_run_drive(run, focus->stream, focus->column, 0);
    if (!drive) return;
    focus_burst(run, drive->burst, focus);
    focus->op = drive->op;
    focus->tensor = drive->tensor;
}

VizFocus viz_focus(const VizRun *run, VizThing thing) {
    const int64_t rows = tsp_mem_slice_rows(run->m);
    VizFocus focus;
    memset(&focus, 0xff, sizeof focus);
    switch (thing.kind) {
    case VIZ_QUEUE:
        focus.queue = (int32_t)thing.id;
        break;
    case VIZ_BURST:
        if (thing.id >= 0 && thing.id < run->timeline.burst_count)
            focus_burst(run, (int32_t)thing.id, &focus);
        break;
    case VIZ_OP:
        focus.op = (int32_t)thing.id;
        if (focus.op >= 0 && focus.op < run->program->op_count)
            focus.tensor = run->op_tensor[focus.op];
        break;
    case VIZ_TENSOR:
        focus.tensor = (int32_t)thing.id;
        break;
    case VIZ_REGISTER:
        focus_register(run, thing.id, &focus);
        break;
    case VIZ_ROW:
        focus.slice = (int32_t)(thing.id / rows);
        focus.row = (int32_t)(thing.id % rows);
        focus.tensor = viz_run_row_tensor(run, focus.slice, focus.row);
        break;
    case VIZ_CYCLE:
        focus.cycle = thing.id;
        break;
    default:
        break;
    }
    return focus;
}

bool viz_goes_with(const VizFocus *focus, int32_t op, int32_t tensor) {
    if (focus->op < 0 && focus->tensor < 0) return true;
    return (focus->op >= 0 && focus->op == op) || (focus->tensor >= 0 && focus->tensor == tensor);
}

/* -- looks -- */

VizFill viz_tensor_fill(const VizFrame *frame, int32_t tensor) {
    if (tensor < 0) return viz_plain(viz_colour(frame->theme, VIZ_BUSY));
    return viz_identity(frame->palette, tensor);
}

VizFill viz_op_fill(const VizFrame *frame, int32_t op) {
    return viz_tensor_fill(frame, op < 0 ? -1 : frame->run->op_tensor[op]);
}

VizTextStyle viz_style(const VizFrame *frame, VizFace face, float size, VizRole role) {
    return (VizTextStyle){.face = face,
                          .size_px = (int32_t)floorf(size * frame->px + 0.5f),
                          .colour = viz_colour(frame->theme, role)};
}
