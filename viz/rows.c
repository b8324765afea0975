/* rows.c - which tensor a row of memory holds; see rows.h.
 */
#include "rows.h"

#include <stdlib.h>

static bool add_change(VizRows *rows, VizRowChange change) {
    if (rows->change_count == rows->change_capacity) {
        const int32_t capacity = rows->change_capacity ? 2 * rows->change_capacity : 1024;
        VizRowChange *changes = realloc(rows->changes, (size_t)capacity * sizeof *changes);
        if (!changes) return false;
        rows->changes = changes;
        rows->change_capacity = capacity;
    }
    rows->changes[rows->change_count++] = change;
    return true;
}

/* Whether the host puts it into memory before cycle 0. */
static bool is_placed(const TspTensor *t) {
    return t->role == TSP_ROLE_INPUT || t->role == TSP_ROLE_CONSTANT;
}

/* The rows that a burst writes; `written` is set for those that have been written so far. */
static bool note_writes(VizRows *rows, const VizTimeline *line, const VizBurst *b, bool *written) {
    const TspProgram *p = line->program;
    const int half = b->opcode == TSP_OP_READ_WRITE;
    const int64_t first = (int64_t)b->queue * tsp_mem_slice_rows(&p->machine);
    const int32_t tensor = viz_burst_meant(line, b, half);
    VizIssue issue = {b, b->start, 0, 0};
    if (tensor < 0 || (b->opcode != TSP_OP_WRITE && !half)) return true;
    for (bool more = true; more && issue.burst == b; more = viz_issue_advance(line, &issue)) {
        const int64_t row = first + viz_issue_insn(line, &issue).waddr;
        const int32_t holds = rows->tensor[row];
        const bool placed = holds >= 0 && is_placed(&p->tensors[holds]);
        if (!written[row] && !placed)
            rows->tensor[row] = tensor;
        else if (holds != tensor) {
            if (!add_change(rows, (VizRowChange){issue.cycle + b->func[half], row, holds, tensor}))
                return false;
            rows->tensor[row] = tensor;
        }
        written[row] = true;
    }
    return true;
}

static int by_cycle(const void *left, const void *right) {
    const VizRowChange *a = left, *b = right;
    if (a->cycle != b->cycle) return a->cycle < b->cycle ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

bool viz_rows_make(VizRows *rows, const VizTimeline *timeline) {
    const TspMachine *m = &timeline->program->machine;
    const int32_t slices = 2 * (int32_t)m->mem_slices;
    const size_t slice_rows = (size_t)tsp_mem_slice_rows(m), count = (size_t)slices * slice_rows;
    bool *written = calloc(count + 1, sizeof *written), good;
    *rows = (VizRows){.tensor = malloc((count + 1) * sizeof *rows->tensor)};
    good = written && rows->tensor;
    for (int32_t slice = 0; slice < slices && good; slice++)
        viz_slice_tensors(timeline->program, slice, rows->tensor + (size_t)slice * slice_rows);
    for (int32_t i = 0; i < timeline->burst_count && good; i++)
        good = note_writes(rows, timeline, &timeline->bursts[i], written);
    free(written);
    if (!good) return false;
    if (rows->change_count)
        qsort(rows->changes, (size_t)rows->change_count, sizeof *rows->changes, by_cycle);
    rows->done = rows->change_count; /* as they stand after all */
    viz_rows_look(rows, 0);
    return true;
}

bool viz_rows_look(VizRows *rows, int64_t cycle) {
    const int32_t before = rows->done;
    for (; rows->done < rows->change_count && rows->changes[rows->done].cycle <= cycle;
         rows->done++) {
        const VizRowChange *c = &rows->changes[rows->done];
        rows->tensor[c->row] = c->after;
    }
    for (; rows->done > 0 && rows->changes[rows->done - 1].cycle > cycle; rows->done--) {
        const VizRowChange *c = &rows->changes[rows->done - 1];
        rows->tensor[c->row] = c->before;
    }
    return rows->done != before;
}

void viz_rows_free(VizRows *rows) {
    free(rows->tensor);
    free(rows->changes);
    *rows = (VizRows){0};
}
