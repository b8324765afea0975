/* text.c - the report in words, for a terminal. */
#include "report_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double percent(int64_t part, int64_t whole) {
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_head(FILE *out, const TspReport *r) {
    const TspProgram *p = r->program;
    fprintf(out, "%s on %s at %g MHz: %" PRId64 " cycles = %.3f us, %" PRId64 " instructions\n",
            p->name && p->name[0] ? p->name : "program", p->machine.name,
            (double)p->machine.clock_hz / 1e6, r->cycles, tsp_microseconds(&p->machine, r->cycles),
            r->issues);
    if (p->bound_cycles > 0)
        fprintf(out, "bound %" PRId64 " cycles (%s); the program takes %.2f times that\n",
                p->bound_cycles, p->bound_by ? p->bound_by : "unnamed",
                (double)r->cycles / (double)p->bound_cycles);
    if (tsp_report_unknown(r)) fprintf(out, "not told: %s\n", tsp_report_unknown(r));
}

static void print_ops(FILE *out, const TspReport *r) {
    if (!r->program->op_count) return;
    fprintf(out, "\nOPS\n  %-20s %-16s %9s %9s %9s %9s %7s  %s\n", "name", "operator", "start",
            "end", "cycles", "bound", "x bound", "bound by");
    for (int32_t i = 0; i < r->program->op_count; i++) {
        const TspOpReport *op = &r->ops[i];
        char *why = report_op_words(r, i);
        const int64_t cycles = op->end - op->start;
        fprintf(out, "  %-20.20s %-16.16s ", r->program->ops[i].name, r->program->ops[i].type);
        if (op->start < 0)
            fprintf(out, "%9s %9s %9s ", "-", "-", "-");
        else
            fprintf(out, "%9" PRId64 " %9" PRId64 " %9" PRId64 " ", op->start, op->end, cycles);
        fprintf(out, "%9" PRId64 " ", op->bound);
        if (op->bound > 0 && op->start >= 0)
            fprintf(out, "%7.2f  ", (double)cycles / (double)op->bound);
        else
            fprintf(out, "%7s  ", "-");
        fprintf(out, "%s\n", why ? why : "");
        free(why);
    }
}

/* Eight heights of a character; the slots are joined into as many as fit a line. */
static void print_sparkline(FILE *out, const TspReport *r, int32_t use) {
    enum { WIDTH = 60 };
    static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const int32_t width = r->slots < WIDTH ? r->slots : WIDTH;
    for (int32_t i = 0; i < width; i++) {
        const int32_t from = r->slots * i / width, to = r->slots * (i + 1) / width;
        int64_t used = 0;
        double share;
        for (int32_t s = from; s < to; s++) used += r->slot_used[use][s];
        share = tsp_report_share(used, r->units[use], r->slot_at[to] - r->slot_at[from]);
        fprintf(out, "%s", bars[share >= 1 ? 8 : share > 0 ? 1 + (int)(share * 7.999) : 0]);
    }
}

static void print_usage(FILE *out, const TspReport *r) {
    fprintf(out, "\nUSE OF UNITS over time\n");
    for (int32_t use = 0; use < r->uses; use++) {
        char key[32], label[32];
        tsp_report_use_names(r, use, key, label);
        fprintf(out, "  %-16s %5.1f %%  |", label,
                100 * tsp_report_share(r->used[use], r->units[use], r->cycles));
        print_sparkline(out, r, use);
        fprintf(out, "|\n");
    }
}

static void print_idle(FILE *out, const TspReport *r) {
    int64_t all = r->cycles * r->planes, sum[TSP_IDLE_REASONS] = {0}, busy = 0;
    fprintf(out, "\nMXM plane-cycles\n");
    for (int32_t plane = 0; plane < r->planes; plane++) {
        busy += r->used[TSP_USE_PLANES + plane];
        for (int k = 0; k < TSP_IDLE_REASONS; k++) sum[k] += r->idle[plane][k];
    }
    fprintf(out, "  %12" PRId64 "  %5.1f %%  busy\n", busy, percent(busy, all));
    for (int k = 0; k < TSP_IDLE_REASONS; k++)
        fprintf(out, "  %12" PRId64 "  %5.1f %%  %s\n", sum[k], percent(sum[k], all),
                tsp_idle_words[k]);
    fprintf(out, "  %12" PRId64 "  = %d planes x %" PRId64 " cycles\n", all, (int)r->planes,
            r->cycles);
}

static void print_path(FILE *out, const TspReport *r) {
    enum { MOST = 24 };
    if (!r->has_path) return;
    fprintf(out, "\nCRITICAL PATH\n  %9s %9s %8s  %8s %8s %8s  %-20s %s\n", "start", "cycles",
            "flows", "issue", "latency", "wait", "op, unit", "after");
    for (int32_t i = 0; i < r->hop_count; i++) {
        const TspHop *h = &r->hops[i];
        char place[96];
        if (r->hop_count > MOST && i == MOST / 2) {
            fprintf(out, "  ... %d stretches; --json and --html tell all\n",
                    (int)(r->hop_count - MOST));
            i = r->hop_count - MOST / 2;
            h = &r->hops[i];
        }
        report_place(r, h->op, h->queue, place, sizeof place);
        fprintf(out,
                "  %9" PRId64 " %9" PRId64 " %8" PRId64 "  %8" PRId64 " %8" PRId64 " %8" PRId64
                "  %-20s %s\n",
                h->start, h->end - h->start, h->steps, h->cycles[TSP_HOP_ISSUE],
                h->cycles[TSP_HOP_LATENCY], h->cycles[TSP_HOP_WAIT], place,
                tsp_wait_words[h->waited_for]);
    }
}

static void print_memory(FILE *out, const TspReport *r) {
    const TspMachine *m = &r->program->machine;
    int64_t rows = 0, all = 2 * m->mem_slices * tsp_mem_slice_rows(m);
    for (int32_t i = 0; i < 2 * m->mem_slices * m->mem_banks; i++) rows += r->bank_rows[i];
    fprintf(out, "\nMEMORY %" PRId64 " of %" PRId64 " bytes, %.1f %%\n", rows * tsp_lanes(m),
            all * tsp_lanes(m), percent(rows, all));
    for (int32_t i = 0; i < r->program->tensor_count; i++) {
        const TspTensor *t = &r->program->tensors[i];
        char shape[160];
        report_shape(t, shape, sizeof shape);
        fprintf(out, "  %-20.20s %-9s %-24s %11" PRId64 " bytes in %d slices\n", t->name,
                report_role(t->role), shape, r->tensors[i].bytes, (int)r->tensors[i].slices);
    }
}

char *tsp_report_text(const TspReport *r) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    print_head(out, r);
    print_ops(out, r);
    print_idle(out, r);
    print_usage(out, r);
    print_path(out, r);
    print_memory(out, r);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
