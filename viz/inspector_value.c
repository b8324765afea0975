/* inspector_value.c - stream registers and rows of memory: what they belong to, and the values.
 */
#include "inspector_parts.h"
#include "isa/half.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* -- values -- */

static int32_t shown_lanes(const VizRun *run) {
    const int64_t lanes = run->m->lanes_per_superlane;
    return lanes < VIZ_CELLS_MAX ? (int32_t)lanes : VIZ_CELLS_MAX;
}

static void put_number(VizLines *l, VizLine *cells, TspDtype dtype, uint32_t bits) {
    switch (dtype) {
    case TSP_I8:
        viz_line_cell(l, cells, "%d", (int8_t)bits);
        break;
    case TSP_I16:
        viz_line_cell(l, cells, "%d", (int16_t)bits);
        break;
    case TSP_I32:
        viz_line_cell(l, cells, "%" PRId32, (int32_t)bits);
        break;
    case TSP_F16:
        viz_line_cell(l, cells, "%.4g", (double)tsp_half_to_float((uint16_t)bits));
        break;
    case TSP_F32:
        viz_line_cell(l, cells, "%.6g", (double)tsp_f32_from_bits(bits));
        break;
    default:
        viz_line_cell(l, cells, "%" PRIu32, bits);
        break;
    }
}

void viz_inspect_value(VizLines *l, const VizValue *value) {
    const int32_t lanes = shown_lanes(viz_lines_run(l));
    bool whole = value->planes > 1;
    VizLine *cells;
    viz_line_pair(l, "value", "lanes 0 to %d: superlane 0", lanes - 1)->role = VIZ_TEXT_DIM;
    cells = viz_line_cells(l, "hex");
    for (int32_t i = 0; i < lanes; i++)
        viz_line_cell(l, cells, "%02x", value->bytes[value->shown][i]);
    cells = viz_line_cells(l, value->planes > 1 ? "as int8" : tsp_dtype_name(value->dtype));
    for (int32_t i = 0; i < lanes; i++)
        put_number(l, cells, value->planes > 1 ? TSP_I8 : value->dtype,
                   value->bytes[value->shown][i]);
    for (int32_t k = 0; k < value->planes; k++) whole = whole && value->bytes[k];
    if (!whole) return;
    cells = viz_line_cells(l, tsp_dtype_name(value->dtype));
    for (int32_t i = 0; i < lanes; i++) {
        uint32_t bits = 0;
        for (int32_t k = 0; k < value->planes; k++) bits |= (uint32_t)value->bytes[k][i] << (8 * k);
        put_number(l, cells, value->dtype, bits);
    }
}

/* -- registers -- */

/* Type of what an ACC hands out: that of the product it takes. */
static TspDtype sum_type(const VizRun *run, const VizBurst *b, int64_t issue) {
    const TspQueueInfo info = tsp_queue_info(run->m, b->queue);
    const int32_t queue = tsp_queue_mxm(run->m, info.hemisphere, info.index, TSP_ROLE_ACTIVATIONS);
    VizIssue product;
    TspInsn insn;
    if (!viz_issue_at(&run->timeline, queue, issue - tsp_op_func(run->m, TSP_OP_ABC), &product))
        return TSP_I32;
    insn = viz_burst_insn(&run->timeline, product.burst, NULL);
    return insn.type == TSP_F16 ? TSP_F32 : TSP_I32;
}

/* Type of the elements that the vector has bytes of, and the stream that their lowest byte is on.
 */
static TspDtype drive_type(const VizRun *run, const VizDrive *drive, int32_t *base) {
    const VizBurst *b = &run->timeline.bursts[drive->burst];
    const TspInsn insn = viz_burst_insn(&run->timeline, b, NULL);
    TspDtype dtype = TSP_I8;
    if (insn.op == TSP_OP_ACC) {
        dtype = sum_type(run, b, drive->issue);
    } else if (tsp_insn_info(insn.op)->unit == TSP_UNIT_VXM) {
        const bool converts = insn.op == TSP_OP_CVT || insn.op == TSP_OP_CVT_SAT;
        dtype = (TspDtype)(converts ? insn.type2 : insn.type);
    } else if (drive->tensor >= 0) {
        dtype = run->program->tensors[drive->tensor].dtype;
    }
    *base = drive->stream - TSP_STREAM_NUMBER(drive->stream) % tsp_dtype_bytes(dtype);
    return dtype;
}

/* The planes of an element that stand beside each other, at the same column. The bytes go into
 * `kept`, as each look-up may overwrite the last. */
static VizValue register_value(const VizRun *run, const VizDrive *drive, int32_t column,
                               uint8_t kept[4][TSP_MAX_LANES]) {
    int32_t base;
    VizValue value = {.dtype = drive_type(run, drive, &base)};
    value.planes = tsp_dtype_bytes(value.dtype);
    value.shown = drive->stream - base;
    for (int32_t k = 0; k < value.planes; k++) {
        const VizDrive *d = viz_run_drive(run, base + k, column, 0);
        const uint8_t *bytes = d && d->tensor == drive->tensor ? viz_drive_bytes(run, d, 0) : NULL;
        if (!bytes) continue;
        memcpy(kept[k], bytes, (size_t)tsp_lanes(run->m));
        value.bytes[k] = kept[k];
    }
    return value;
}

static void put_drive(VizLines *l, const VizDrive *drive, int32_t column) {
    const VizRun *run = viz_lines_run(l);
    const VizBurst *b = &run->timeline.bursts[drive->burst];
    uint8_t kept[4][TSP_MAX_LANES];
    VizValue value = register_value(run, drive, column, kept);
    VizIssue issue, use;
    char when[VIZ_WORDS];
    viz_inspect_link_tensor(l, "tensor", drive->tensor);
    if (viz_issue_at(&run->timeline, b->queue, drive->issue, &issue))
        viz_inspect_link_issue(l, "from", &issue);
    viz_line_pair(l, "driven", "%s, at column %d", viz_inspect_when(when, l, drive->cycle),
                  drive->column);
    if (viz_drive_next_use(run, drive, &use)) {
        viz_line_pair(l, "next use", "%s", viz_inspect_when(when, l, use.cycle));
        viz_inspect_link_issue(l, "to", &use);
    } else {
        viz_line_pair(l, "next use", "none: nobody takes it from here")->role = VIZ_TEXT_DIM;
    }
    viz_inspect_link_op(l, "op", drive->op);
    viz_line_gap(l);
    if (value.bytes[value.shown])
        viz_inspect_value(l, &value);
    else
        viz_line_pair(l, "value", "not known")->role = VIZ_TEXT_DIM;
}

void viz_inspect_register(VizLines *l, int32_t stream, int32_t column) {
    const VizRun *run = viz_lines_run(l);
    const VizDrive *drive;
    char text[VIZ_WORDS];
    VizLine *title = viz_line_title(l, "stream register", "%s at column %d",
                                    viz_stream_text(text, stream, 1), column);
    drive = column < tsp_columns(run->m) ? viz_run_drive(run, stream, column, 0) : NULL;
    if (!drive) {
        viz_line_pair(l, "holds", "nothing")->role = VIZ_TEXT_DIM;
        return;
    }
    title->has_swatch = true;
    title->swatch = viz_tensor_fill(l->frame, drive->tensor);
    put_drive(l, drive, column);
}

/* -- rows -- */

const TspPiece *viz_inspect_piece(const VizRun *run, int32_t tensor, int32_t slice, int32_t row,
                                  int32_t *index) {
    const TspTensor *t = &run->program->tensors[tensor < 0 ? 0 : tensor];
    for (int32_t k = 0; tensor >= 0 && k < t->piece_count; k++) {
        const TspPiece *piece = &t->pieces[k];
        const int32_t step = piece->addr_step ? piece->addr_step : 1, from = row - piece->addr;
        if (piece->slice != slice || from % step || from / step < 0 || from / step >= piece->rows)
            continue;
        *index = from / step;
        return piece;
    }
    return NULL;
}

const char *viz_inspect_part(char text[VIZ_WORDS], const TspTensor *tensor, const TspPiece *piece,
                             int32_t index) {
    const int32_t bytes = tsp_dtype_bytes(tensor->dtype);
    const int32_t column = piece->col0 + index * piece->col_step;
    int64_t rows, columns;
    int at;
    tsp_tensor_matrix(tensor, &rows, &columns);
    if (piece->byte == TSP_WHOLE) {
        const int64_t first =
            piece->col0 + (int64_t)(piece->row0 + index * piece->row_step) * piece->cols;
        snprintf(text, VIZ_WORDS, "elements %" PRId64 " to %" PRId64 ", whole, byte after byte",
                 first, first + piece->cols - 1);
        return text;
    }
    at = snprintf(text, VIZ_WORDS, "row %d of %" PRId64, piece->row0 + index * piece->row_step,
                  rows);
    if (piece->broadcast)
        at += snprintf(text + at, VIZ_WORDS - (size_t)at, ", column %d in every lane", column);
    else if (piece->cols < columns)
        at += snprintf(text + at, VIZ_WORDS - (size_t)at, ", columns %d to %d", column,
                       column + (int32_t)tsp_piece_span(piece) - 1);
    if (piece->lane_skip)
        at += snprintf(text + at, VIZ_WORDS - (size_t)at, ", every %" PRId64 ".",
                       piece->lane_skip + INT64_C(1));
    if (bytes > 1)
        snprintf(text + at, VIZ_WORDS - (size_t)at, ", byte %d of %d", piece->byte, bytes);
    return text;
}

/* The other byte planes of the same elements, wherever they lie. */
static const TspPiece *plane_of(const TspTensor *t, const TspPiece *like, int32_t byte) {
    for (int32_t k = 0; k < t->piece_count; k++) {
        const TspPiece *p = &t->pieces[k];
        if (p->byte == byte && p->row0 == like->row0 && p->row_step == like->row_step &&
            p->rows == like->rows && p->col0 == like->col0 && p->col_step == like->col_step &&
            p->cols == like->cols && p->broadcast == like->broadcast &&
            p->lane_skip == like->lane_skip)
            return p;
    }
    return NULL;
}

static void put_written(VizLines *l, uint32_t written) {
    const int64_t all = viz_lines_run(l)->m->superlanes;
    int32_t count = 0;
    for (int32_t k = 0; k < all; k++) count += (written >> k & 1) != 0;
    if (count == all)
        viz_line_pair(l, "written", "all %d superlanes", count);
    else
        viz_line_pair(l, "written", "%d of %" PRId64 " superlanes, mask 0x%05x", count, all,
                      written);
}

static void put_row_value(VizLines *l, int32_t slice, int32_t row, const TspPiece *piece,
                          int32_t index) {
    const VizRun *run = viz_lines_run(l);
    const int32_t tensor = viz_run_row_tensor(run, slice, row);
    const TspTensor *t = tensor < 0 ? NULL : &run->program->tensors[tensor];
    uint8_t kept[4][TSP_MAX_LANES];
    VizValue value = {.dtype = t ? t->dtype : TSP_I8, .planes = 1};
    uint32_t written = 0;
    if (!run->sim || !tsp_sim_row(run->sim, slice, row, &written)) {
        viz_line_pair(l, "value", run->sim ? "nothing written yet" : "not known")->role =
            VIZ_TEXT_DIM;
        return;
    }
    put_written(l, written);
    if (piece && piece->byte == TSP_WHOLE) {
        value.dtype = TSP_U8;
    } else if (piece) {
        value.planes = tsp_dtype_bytes(t->dtype);
        value.shown = piece->byte;
    }
    for (int32_t k = 0; k < value.planes; k++) {
        const bool other = piece && piece->byte != TSP_WHOLE && k != piece->byte;
        const TspPiece *p = other ? plane_of(t, piece, k) : piece;
        const uint8_t *bytes = NULL;
        if (!piece || p == piece) bytes = tsp_sim_row(run->sim, slice, row, NULL);
        if (p && p != piece)
            bytes = tsp_sim_row(run->sim, p->slice, p->addr + index * p->addr_step, NULL);
        if (!bytes) continue;
        memcpy(kept[k], bytes, (size_t)tsp_lanes(run->m));
        value.bytes[k] = kept[k];
    }
    viz_inspect_value(l, &value);
}

void viz_inspect_row(VizLines *l, int32_t slice, int32_t row) {
    const VizRun *run = viz_lines_run(l);
    const int32_t tensor = viz_run_row_tensor(run, slice, row);
    int32_t index = 0;
    const TspPiece *piece = viz_inspect_piece(run, tensor, slice, row, &index);
    char text[VIZ_WORDS];
    VizLine *title = viz_line_title(l, "memory row", "%s", viz_row_text(text, run->m, slice, row));
    if (tensor >= 0) {
        title->has_swatch = true;
        title->swatch = viz_tensor_fill(l->frame, tensor);
        viz_inspect_link_tensor(l, "tensor", tensor);
        if (piece)
            viz_line_prose(l, "holds", "%s",
                           viz_inspect_part(text, &run->program->tensors[tensor], piece, index));
    } else {
        viz_line_pair(l, "tensor", "none")->role = VIZ_TEXT_DIM;
    }
    viz_inspect_link_queue(l, "slice", slice);
    viz_line_pair(l, "bank", "%d, row %" PRId64 " of %" PRId64, tsp_mem_bank(run->m, row),
                  row % run->m->mem_rows, run->m->mem_rows);
    viz_line_gap(l);
    put_row_value(l, slice, row, piece, index);
}
