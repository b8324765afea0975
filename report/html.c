/* html.c - the report as one page: tables that say everything, and pictures of them. */
#include "page.h"
#include "report_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void put_text(FILE *out, const char *text) {
    for (; *text; text++) switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
}

static void put_cell(FILE *out, const char *text) {
    fputs("<td>", out);
    put_text(out, text);
    fputs("</td>", out);
}

static void put_number(FILE *out, bool known, int64_t value) {
    if (known)
        fprintf(out, "<td class=\"n\">%" PRId64 "</td>", value);
    else
        fputs("<td class=\"n\">–</td>", out);
}

/* When something runs, of the whole run: a bar as wide as the cell is. */
static void put_when(FILE *out, bool runs, int64_t start, int64_t end, int64_t cycles) {
    fputs("<td class=\"when\">", out);
    if (runs && cycles > 0)
        fprintf(out, "<i style=\"margin-left:%.2f%%;width:%.2f%%\"></i>",
                100 * (double)start / (double)cycles, 100 * (double)(end - start) / (double)cycles);
    fputs("</td>", out);
}

/* Column heads, separated by |; those that begin with # are of numbers. */
static void begin_table(FILE *out, const char *heads) {
    fputs("<table class=\"sort\"><thead><tr>", out);
    while (*heads) {
        const bool number = *heads == '#';
        fputs(number ? "<th class=\"n\">" : "<th>", out);
        for (heads += number; *heads && *heads != '|'; heads++) fputc(*heads, out);
        heads += *heads == '|';
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
}

static void end_table(FILE *out) {
    fputs("</tbody></table>\n", out);
}

static void put_head(FILE *out, const TspReport *r) {
    const TspProgram *p = r->program;
    const char *name = p->name && p->name[0] ? p->name : "program";
    int64_t busy = 0;
    for (int32_t i = 0; i < r->planes; i++) busy += r->used[TSP_USE_PLANES + i];
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", out);
    put_text(out, name);
    fprintf(out, " – cycles</title><style>\n%s</style></head><body>\n<h1>", page_style);
    put_text(out, name);
    fputs("</h1><p>", out);
    put_text(out, p->machine.name);
    fprintf(out,
            " at %g MHz. Time is in cycles, exactly as they will be simulated.</p>\n"
            "<div class=\"figures\"><div><b>%" PRId64 "</b>cycles</div><div><b>%.3f µs</b>at that "
            "clock</div>",
            (double)p->machine.clock_hz / 1e6, r->cycles, tsp_microseconds(&p->machine, r->cycles));
    if (p->bound_cycles > 0)
        fprintf(out, "<div><b>%.2f ×</b>the bound, %" PRId64 " cycles (%s)</div>",
                (double)r->cycles / (double)p->bound_cycles, p->bound_cycles,
                p->bound_by ? p->bound_by : "");
    fprintf(out,
            "<div><b>%.1f %%</b>MXM busy</div><div><b>%" PRId64 "</b>instructions</div></div>\n",
            100 * tsp_report_share(busy, r->planes, r->cycles), r->issues);
    if (tsp_report_unknown(r)) fprintf(out, "<p>Not told: %s.</p>\n", tsp_report_unknown(r));
}

static void put_ops(FILE *out, const TspReport *r) {
    if (!r->program->op_count) return;
    fputs("<h2>Ops</h2>\n", out);
    begin_table(out, "name|operator|when|#start|#end|#cycles|#bound|#× bound|bound by");
    for (int32_t i = 0; i < r->program->op_count; i++) {
        const TspOpReport *op = &r->ops[i];
        const bool issues = op->start >= 0;
        char *why = report_op_words(r, i);
        fputs("<tr>", out);
        put_cell(out, r->program->ops[i].name);
        put_cell(out, r->program->ops[i].type);
        put_when(out, issues, op->start, op->end, r->cycles);
        put_number(out, issues, op->start);
        put_number(out, issues, op->end);
        put_number(out, issues, op->end - op->start);
        put_number(out, op->bound > 0, op->bound);
        if (issues && op->bound > 0)
            fprintf(out, "<td class=\"n\">%.2f</td>",
                    (double)(op->end - op->start) / (double)op->bound);
        else
            put_number(out, false, 0);
        put_cell(out, why ? why : "");
        fputs("</tr>\n", out);
        free(why);
    }
    end_table(out);
}

/* A bar a plane, busy first, then the reasons in their order. */
static void put_idle_bars(FILE *out, const TspReport *r) {
    fprintf(out,
            "<svg viewBox=\"0 0 1080 %d\" role=\"img\" aria-label=\"busy and idle cycles of "
            "each plane; the table below has the figures\">",
            (int)r->planes * 18);
    for (int32_t plane = 0; plane < r->planes && r->cycles; plane++) {
        char key[32], label[32];
        double x = 100;
        tsp_report_use_names(r, TSP_USE_PLANES + plane, key, label);
        fprintf(out, "<text x=\"0\" y=\"%d\">%s</text>", (int)plane * 18 + 11, label);
        for (int k = -1; k < TSP_IDLE_REASONS; k++) {
            const int64_t part = k < 0 ? r->used[TSP_USE_PLANES + plane] : r->idle[plane][k];
            const double width = 980.0 * (double)part / (double)r->cycles;
            char colour[16] = "busy";
            if (k >= 0) snprintf(colour, sizeof colour, "r%d", k);
            if (part)
                fprintf(out,
                        "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"14\" "
                        "fill=\"var(--%s)\"><title>%s: %" PRId64 " cycles</title></rect>",
                        x, (int)plane * 18, width, colour, k < 0 ? "busy" : tsp_idle_words[k],
                        part);
            x += width;
        }
    }
    fputs("</svg>\n", out);
}

static void put_idle(FILE *out, const TspReport *r) {
    fputs("<h2>Where the planes' cycles went</h2>\n", out);
    put_idle_bars(out, r);
    fputs("<table><thead><tr><th>plane-cycles</th>", out);
    for (int32_t plane = 0; plane < r->planes; plane++) {
        char key[32], label[32];
        tsp_report_use_names(r, TSP_USE_PLANES + plane, key, label);
        fprintf(out, "<th class=\"n\">%s</th>", label);
    }
    fputs("<th class=\"n\">share</th></tr></thead><tbody>\n", out);
    for (int k = -1; k < TSP_IDLE_REASONS; k++) {
        int64_t sum = 0;
        if (k < 0)
            fputs("<tr><td><i style=\"background:var(--busy)\"></i>busy</td>", out);
        else
            fprintf(out, "<tr><td><i style=\"background:var(--r%d)\"></i>%s</td>", k,
                    tsp_idle_words[k]);
        for (int32_t plane = 0; plane < r->planes; plane++) {
            const int64_t part = k < 0 ? r->used[TSP_USE_PLANES + plane] : r->idle[plane][k];
            put_number(out, true, part);
            sum += part;
        }
        fprintf(out, "<td class=\"n\">%.1f %%</td></tr>\n",
                100 * tsp_report_share(sum, r->planes, r->cycles));
    }
    end_table(out);
}

static void put_usage(FILE *out, const TspReport *r) {
    fputs("<h2>Use of units over time</h2>\n", out);
    fprintf(out,
            "<svg viewBox=\"0 0 1080 %d\" role=\"img\" aria-label=\"use of each kind of unit "
            "over time\">",
            (int)r->uses * 24);
    for (int32_t use = 0; use < r->uses; use++) {
        const int base = (int)use * 24 + 20;
        char key[32], label[32];
        tsp_report_use_names(r, use, key, label);
        fprintf(out,
                "<text x=\"0\" y=\"%d\">%s</text><text x=\"150\" y=\"%d\" "
                "text-anchor=\"end\">%.1f %%</text><path fill=\"var(--use)\" d=\"M160 %d",
                base - 5, label, base - 5,
                100 * tsp_report_share(r->used[use], r->units[use], r->cycles), base);
        for (int32_t i = 0; i < r->slots; i++) {
            double share = tsp_report_share(r->slot_used[use][i], r->units[use],
                                            r->slot_at[i + 1] - r->slot_at[i]);
            if (share > 1) share = 1;
            fprintf(out, "V%.1fH%.1f", base - 18 * share, 160 + 920.0 * (i + 1) / r->slots);
        }
        fprintf(out,
                "V%dZ\"/><line x1=\"160\" x2=\"1080\" y1=\"%d\" y2=\"%d\" "
                "stroke=\"var(--line)\"/>",
                base, base, base);
    }
    fprintf(out,
            "</svg>\n<p>From cycle 0 to %" PRId64 "; full height is all units of the kind.</p>\n",
            r->cycles);
}

static void put_path(FILE *out, const TspReport *r) {
    if (!r->has_path) return;
    fputs("<h2>Critical path</h2>\n", out);
    begin_table(out, "#start|#cycles|#flows|#issue|#latency|#wait|op, unit|after");
    for (int32_t i = 0; i < r->hop_count; i++) {
        const TspHop *h = &r->hops[i];
        char place[96];
        report_place(r, h->op, h->queue, place, sizeof place);
        fputs("<tr>", out);
        put_number(out, true, h->start);
        put_number(out, true, h->end - h->start);
        put_number(out, true, h->steps);
        for (int k = 0; k < TSP_HOP_KINDS; k++) put_number(out, true, h->cycles[k]);
        put_cell(out, place);
        put_cell(out, tsp_wait_words[h->waited_for]);
        fputs("</tr>\n", out);
    }
    end_table(out);
}

/* A column a slice, west to east, a bar of what is used in each bank. */
static void put_map(FILE *out, const TspReport *r) {
    const TspMachine *m = &r->program->machine;
    const int32_t slices = 2 * (int32_t)m->mem_slices, banks = (int32_t)m->mem_banks;
    const double width = 1080.0 / slices;
    fprintf(out,
            "<svg viewBox=\"0 0 1080 %d\" role=\"img\" aria-label=\"rows used of each bank of "
            "each slice\">",
            (int)banks * 60);
    for (int32_t i = 0; i < slices * banks; i++) {
        const int32_t slice = i / banks, bank = i % banks;
        const int32_t half = (int32_t)m->mem_slices, at = slice < half ? half - 1 - slice : slice;
        const double height = 52.0 * r->bank_rows[i] / (double)m->mem_rows;
        fprintf(out,
                "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"52\" fill=\"var(--line)\"/>"
                "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"var(--use)\">"
                "<title>%s%d bank %d: %" PRId64 " bytes</title></rect>",
                at * width, (int)bank * 60, width - 2, at * width, (double)bank * 60 + 52 - height,
                width - 2, height, slice < half ? "W" : "E", (int)(slice % half), (int)bank,
                (int64_t)r->bank_rows[i] * tsp_lanes(m));
    }
    fputs("</svg>\n<p>MEM slices from W to E, a row a bank; full height is the whole bank.</p>\n",
          out);
}

static void put_memory(FILE *out, const TspReport *r) {
    fputs("<h2>Memory</h2>\n", out);
    put_map(out, r);
    begin_table(out, "tensor|role|type|#rows|#slices|#bytes");
    for (int32_t i = 0; i < r->program->tensor_count; i++) {
        char shape[160];
        report_shape(&r->program->tensors[i], shape, sizeof shape);
        fputs("<tr>", out);
        put_cell(out, r->program->tensors[i].name);
        put_cell(out, report_role(r->program->tensors[i].role));
        put_cell(out, shape);
        put_number(out, true, r->tensors[i].rows);
        put_number(out, true, r->tensors[i].slices);
        put_number(out, true, r->tensors[i].bytes);
        fputs("</tr>\n", out);
    }
    end_table(out);
}

char *tsp_report_html(const TspReport *r) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    put_head(out, r);
    put_ops(out, r);
    put_idle(out, r);
    put_usage(out, r);
    put_path(out, r);
    put_memory(out, r);
    fprintf(out, "<script>%s</script>\n</body></html>\n", page_script);
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
