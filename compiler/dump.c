/* dump.c - each pass's result as text, for people: tsp compile --dump=PASS.
 */
#include "dump.h"
#include "isa/asm.h"

#include <stdio.h>
#include <stdlib.h>

static void shape_text(FILE *out, int32_t rank, const int64_t *shape) {
    fputc('[', out);
    for (int32_t i = 0; i < rank; i++) fprintf(out, "%s%lld", i ? ", " : "", (long long)shape[i]);
    fputc(']', out);
}

char *tsp_dump_graph(const TspGraph *g) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    fprintf(out, "graph %s\n", g->name);
    for (int32_t i = 0; i < g->value_count; i++) {
        const TspValue *v = &g->values[i];
        fprintf(out, "value %s: %s ", v->name, tsp_dtype_name(v->dtype));
        shape_text(out, v->rank, v->shape);
        fprintf(out, "%s%s%s\n", v->is_input ? " input" : "", v->data ? " initializer" : "",
                v->is_output ? " output" : "");
    }
    for (int32_t i = 0; i < g->node_count; i++) {
        const TspNode *n = &g->nodes[i];
        fprintf(out, "node %s (line %d):", n->name, n->line);
        for (int32_t j = 0; j < n->input_count; j++)
            fprintf(out, " %s", n->inputs[j] < 0 ? "-" : g->values[n->inputs[j]].name);
        fprintf(out, " -> %s\n", g->values[n->output].name);
    }
    fclose(out);
    return text;
}

static const char *tensor_name(const Module *m, int32_t i) {
    return m->tensors[i].name;
}

static void from_text(FILE *out, const Stage *s, From f) {
    static const char *const kind[] = {"-", "product", "operand", "step", "imm", "self"};
    fputs(kind[f.kind], out);
    if (f.kind == FROM_OPERAND || f.kind == FROM_STEP || (f.kind == FROM_PRODUCT && s->meets))
        fprintf(out, "%d", f.index);
}

static void stage_text(FILE *out, const Module *m, const Stage *s) {
    fprintf(out, "stage %s (%s): %d x %d\n", s->what, m->graph->nodes[s->op].name, s->rows,
            s->cols);
    for (int32_t i = 0; i < s->term_count; i++) {
        const Term *t = &s->terms[i];
        fprintf(out, "  term %s[%d.., tile %d] x %s[%d.., tile %d]", tensor_name(m, t->a),
                t->a_row0, t->a_ctile, tensor_name(m, t->w), t->w_row0, t->w_ctile);
        if (t->a_byte >= 0) fprintf(out, ", byte %d of the rows", t->a_byte);
        if (t->w_byte >= 0) fprintf(out, ", byte %d of the weights", t->w_byte);
        if (t->w_count) fprintf(out, ", columns %d..%d", t->w_first, t->w_first + t->w_count - 1);
        fputc('\n', out);
    }
    for (int32_t i = 0; i < s->operand_count; i++)
        fprintf(out, "  operand%d = %s[%d.., step %d]\n", i, tensor_name(m, s->operands[i].tensor),
                s->operands[i].row0, s->operands[i].row_step);
    for (int32_t i = 0; i < s->step_count; i++) {
        const Step *p = &s->steps[i];
        fprintf(out, "  step%d = %s.%s ", i, tsp_insn_info(p->op)->mnemonic,
                tsp_dtype_short(p->type));
        from_text(out, s, p->a);
        fputs(", ", out);
        from_text(out, s, p->b);
        if (p->a.kind == FROM_IMM || p->b.kind == FROM_IMM) fprintf(out, " 0x%08x", p->imm);
        fputc('\n', out);
    }
    for (int32_t i = 0; i < s->output_count; i++) {
        fprintf(out, "  %s[%d..] = ", tensor_name(m, s->outputs[i].tensor), s->outputs[i].row0);
        from_text(out, s, s->outputs[i].from);
        fputc('\n', out);
    }
}

char *tsp_dump_lower(const Module *m) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    for (int32_t i = 0; i < m->tensor_count; i++) {
        const Tensor *t = &m->tensors[i];
        fprintf(out, "tensor %s: %s %d x %d%s%s%s%s%s\n", t->name, tsp_dtype_name(t->dtype),
                t->rows, t->cols, t->transposed ? " transposed" : "",
                t->lanewise ? " lanewise"
                : t->flat   ? " flat"
                            : "",
                t->contiguous ? " rows" : "", t->striped ? " weights" : "",
                t->streamed ? " streamed" : "");
    }
    for (int32_t i = 0; i < m->stage_count; i++) stage_text(out, m, &m->stages[i]);
    fclose(out);
    return text;
}

static void place_text(FILE *out, const TspMachine *m, Place p, int32_t rows) {
    char name[32];
    tsp_queue_name(m, p.slice, name);
    fprintf(out, " %s:%d..%d", name, p.addr, p.addr + rows - 1);
}

/* For which stages a tensor has its rows. */
static void life_text(FILE *out, const Module *m, const Tensor *t) {
    if (t->born < 0)
        fprintf(out, "always\n");
    else if (t->dies == m->stage_count)
        fprintf(out, "from stage %d on\n", (int)t->born);
    else
        fprintf(out, "stages %d..%d\n", (int)t->born, (int)t->dies);
}

char *tsp_dump_layout(const Module *m) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int32_t group = (int32_t)m->machine.mxm_load_streams;
    if (!out) return NULL;
    for (int32_t i = 0; i < m->tensor_count; i++) {
        const Tensor *t = &m->tensors[i];
        fprintf(out, "tensor %s: %d x %d %s, ", t->name, t->rows, t->cols,
                tsp_dtype_name(t->dtype));
        life_text(out, m, t);
        for (int32_t c = 0; t->places && c < t->copies; c++)
            for (int32_t b = 0; b < t->blocks; b++)
                for (int32_t tile = 0; tile < t->ctiles; tile++) {
                    int32_t row = b * t->block_rows;
                    int32_t rows = tsp_min32(t->block_rows, t->rows - row);
                    fprintf(out, "  copy %d rows %d..%d tile %d:", c, row, row + rows - 1, tile);
                    for (int32_t byte = 0; byte < t->bytes; byte++)
                        place_text(out, &m->machine, tsp_place(t, c, row, tile, byte), rows);
                    fputc('\n', out);
                }
        for (int32_t j = 0; t->stripes && j < t->stripe_blocks * t->ctiles * t->bytes; j++) {
            fprintf(out, "  stripes block %d tile %d byte %d:", j / t->bytes / t->ctiles,
                    j / t->bytes % t->ctiles, j % t->bytes);
            for (int32_t n = 0; n < group; n++)
                place_text(out, &m->machine, t->stripes[j * group + n],
                           tsp_ceil_div(t->stripe_rows, group));
            fputc('\n', out);
        }
    }
    fclose(out);
    return text;
}

static void run_text(FILE *out, const Module *m, int32_t i) {
    const Run *r = &m->runs[i];
    char queue[32], insn[160];
    tsp_queue_name(&m->machine, r->queue, queue);
    tsp_insn_text(&m->machine, &r->insn, insn, sizeof insn);
    fprintf(out, "%8lld x%-5d every %-3d %-20s %-40s %s\n", (long long)r->start, r->count,
            r->interval, queue, insn, m->graph->nodes[r->op].name);
}

char *tsp_dump_flow(const Module *m) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int32_t link = 0;
    if (!out) return NULL;
    for (int32_t i = 0; i < m->run_count;
         i++) { /* runs of a flow stand together, links follow them */
        fprintf(out, "run %d: ", i);
        run_text(out, m, i);
        for (; link < m->link_count && m->links[link].consumer <= i; link++)
            if (m->links[link].consumer == i)
                fprintf(out, "    operand %d <- run %d, iteration + %d\n", m->links[link].operand,
                        m->links[link].producer, m->links[link].offset);
    }
    fclose(out);
    return text;
}

typedef struct {
    int64_t start;
    int32_t run;
} ByStart;

static int by_start(const void *left, const void *right) {
    const ByStart *a = left, *b = right;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    return a->run < b->run ? -1 : a->run > b->run;
}

char *tsp_dump_schedule(const Module *m) {
    char *text = NULL;
    size_t size;
    FILE *out;
    ByStart *order = malloc((size_t)m->run_count * sizeof *order + 1);
    if (!order) return NULL;
    if (!(out = open_memstream(&text, &size))) return free(order), NULL;
    for (int32_t i = 0; i < m->run_count; i++) order[i] = (ByStart){m->runs[i].start, i};
    qsort(order, (size_t)m->run_count, sizeof *order, by_start);
    for (int32_t i = 0; i < m->run_count; i++) run_text(out, m, order[i].run);
    free(order);
    fclose(out);
    return text;
}

char *tsp_dump_emit(const TspProgram *program, TspError *err) {
    return tsp_disassemble(program, err);
}

char *tsp_dump_proof(const TspProof *proof) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    fprintf(out,
            "legal: %lld instructions, %lld cycles, %lld reads proved, %lld links proved, "
            "%lld rows proved\n",
            (long long)proof->instructions, (long long)proof->cycles,
            (long long)proof->reads_proved, (long long)proof->links_proved,
            (long long)proof->rows_proved);
    fclose(out);
    return text;
}
