/* asm_place.c - gives every instruction of an assembled text its cycle and writes the queues.
 *
 * A queue is walked from its first item on. An `at` may name a label of another queue that has not
 * been walked that far: then that queue is walked first, as far as needed. Only when a queue
 * would have to wait for itself is there no answer.
 */
#include "asm_parts.h"

#include <stdio.h>

/* As asm_fail: at an item, whose line may be gone. */
static bool fail_item(const Asm *a, const AsmItem *item, const char *text) {
    return tsp_fail(a->err, TSP_ERR_INPUT, "%.200s:%d:%d: %s", a->path, (int)item->line,
                    (int)item->column + 1, text);
}

static const char *queue_name(const Asm *a, const AsmQueue *q, char name[32]) {
    tsp_queue_name(&a->p->machine, (int32_t)(q - a->queues), name);
    return name;
}

/* Names the cycle for the labels that stand before item `next`. */
static void resolve_labels(Asm *a, const AsmQueue *q) {
    for (int32_t i = q->next - 1; i >= 0 && q->items[i].kind != ASM_INSN; i--) {
        if (q->items[i].kind != ASM_LABEL) continue;
        AsmLabel *label = &a->labels[q->items[i].index];
        label->resolved = true;
        label->cycle = q->cycle;
    }
}

static bool step(Asm *a, AsmQueue *q);

static bool label_cycle(void *context, AsmCursor *c, const char *start, const char *name,
                        int64_t *value) {
    Asm *a = context;
    const AsmConstant *constant = asm_find_constant(a, name);
    int32_t i = asm_find_label(a, name);
    AsmLabel *label;
    AsmQueue *q;
    if (constant) {
        *value = constant->value;
        return true;
    }
    if (i < 0)
        return asm_fail(c, start,
                        "there is no label or constant '%.60s'; define it with '%.60s:' "
                        "or .equ",
                        name, name);
    label = &a->labels[i];
    q = &a->queues[label->queue];
    while (!label->resolved) {
        if (q->busy)
            return asm_fail(c, start,
                            "the cycle of label '%.60s' depends on itself; break the "
                            "circle with a number",
                            name);
        if (q->next == q->count) {
            resolve_labels(a, q);
            break;
        }
        if (!step(a, q)) return false;
    }
    *value = label->cycle;
    return true;
}

static bool push(Asm *a, AsmQueue *q, TspWord word, int32_t line, int32_t run) {
    TspInsnDebug debug = {.run = {run, -1}, .line = line};
    return tsp_queue_push(&a->p->queues[q - a->queues], word, &debug) || asm_no_memory(a);
}

static bool pad(Asm *a, AsmQueue *q, const AsmItem *item, int64_t cycles) {
    const TspField *n = &tsp_insn_info(TSP_OP_NOP)->fields[0];
    int64_t most = (INT64_C(1) << (n->hi - n->lo + 1)) - 1;
    enum { MOST_NOPS = 1 << 18 }; /* of all `at`s, not counting one each */
    if (cycles / most > MOST_NOPS - a->pad_count)
        return fail_item(a, item, "that cycle is billions away; choose one nearer");
    a->pad_count += (int32_t)(cycles / most);
    while (cycles > 0) {
        TspInsn nop = {.op = TSP_OP_NOP, .n = (int32_t)(cycles < most ? cycles : most)};
        TspWord word;
        if (!tsp_encode(&nop, &word, a->err) || !push(a, q, word, item->line, -1)) return false;
        cycles -= nop.n;
        q->cycle += nop.n;
        q->repeatable = false;
    }
    return true;
}

static bool place_at(Asm *a, AsmQueue *q, const AsmItem *item) {
    AsmCursor c = {.path = a->path, .text = item->text, .line = item->line, .err = a->err};
    AsmScope scope = {label_cycle, a};
    char name[32];
    int64_t cycle;
    bool ok;
    c.at = item->text + item->column;
    q->busy = true;
    ok = asm_expression(&c, &scope, &cycle);
    q->busy = false;
    if (!ok) return false;
    if (cycle < q->cycle)
        return asm_fail(&c, item->text + item->column,
                        "cycle %lld is past: %s is already at cycle %lld, %llu too late; start "
                        "later or shorten what comes before",
                        (long long)cycle, queue_name(a, q, name), (long long)q->cycle,
                        (unsigned long long)q->cycle - (unsigned long long)cycle);
    return pad(a, q, item, cycle - q->cycle);
}

/* The op and the program last at least until `effect`. */
static void extend(Asm *a, int32_t op, int64_t issue, int64_t effect) {
    if (effect > a->p->predicted_cycles) a->p->predicted_cycles = effect;
    if (op < 0) return;
    TspOpInfo *info = &a->p->ops[op];
    if (info->start < 0 || issue < info->start) info->start = issue;
    if (effect > info->end) info->end = effect;
}

static int64_t effect_cycles(const Asm *a, const TspInsn *insn) {
    int32_t func = tsp_insn_func(&a->p->machine, insn);
    return func < 1 ? 1 : func;
}

static bool place_repeat(Asm *a, AsmQueue *q, const AsmItem *item, const TspInsn *r) {
    int64_t span = (int64_t)r->n * r->d + (int64_t)r->n2 * r->d2;
    if (!q->repeatable)
        return fail_item(a, item,
                         "nothing to repeat; repeat must directly follow the instruction "
                         "it repeats, without label or at between, and not a nop or sync");
    q->repeatable = false;
    if (q->last_run >= 0) {
        int64_t count = (int64_t)(r->n + 1) * (r->n2 + 1);
        a->p->runs[q->last_run].count = count < INT32_MAX ? (int32_t)count : INT32_MAX;
    }
    if (!q->sync_line)
        extend(a, q->last_op, q->last_cycle, q->last_cycle + span + effect_cycles(a, &q->last));
    q->cycle = q->last_cycle + span + 1;
    return push(a, q, item->word, item->line, -1);
}

static bool new_run(Asm *a, const AsmQueue *q, int32_t op, int32_t *run) {
    TspProgram *p = a->p;
    TspRun *runs = asm_grow(p->runs, p->run_count, sizeof *runs);
    if (!runs) return asm_no_memory(a);
    p->runs = runs;
    *run = p->run_count;
    runs[p->run_count++] = (TspRun){op, (int32_t)(q - a->queues), 1, -1};
    return true;
}

static bool place_insn(Asm *a, AsmQueue *q, const AsmItem *item) {
    TspInsn insn;
    int32_t run = -1;
    if (!tsp_decode(item->word, &insn, a->err)) return false;
    if (insn.op == TSP_OP_REPEAT) return place_repeat(a, q, item, &insn);
    resolve_labels(a, q);
    if (insn.op == TSP_OP_NOP) {
        q->repeatable = false;
        q->cycle += insn.n;
        return push(a, q, item->word, item->line, -1);
    }
    if (item->index >= 0 && !new_run(a, q, item->index, &run)) return false;
    if (insn.op == TSP_OP_SYNC && !q->sync_line)
        q->sync_line = item->line;
    else if (!q->sync_line)
        extend(a, item->index, q->cycle, q->cycle + effect_cycles(a, &insn));
    q->repeatable = insn.op != TSP_OP_SYNC;
    q->last = insn;
    q->last_cycle = q->cycle;
    q->last_op = item->index;
    q->last_run = run;
    q->cycle++;
    return push(a, q, item->word, item->line, run);
}

static bool step(Asm *a, AsmQueue *q) {
    const AsmItem *item = &q->items[q->next];
    if (item->kind == ASM_INSN) {
        if (!place_insn(a, q, item)) return false;
    } else if (q->sync_line) {
        char name[32], text[160];
        snprintf(text, sizeof text,
                 "after the sync of line %d no cycle of %s is known; use nop there",
                 (int)q->sync_line, queue_name(a, q, name));
        return fail_item(a, item, text);
    } else {
        if (item->kind == ASM_AT && !place_at(a, q, item)) return false;
        q->repeatable = false;
    }
    q->next++;
    return true;
}

bool asm_place(Asm *a) {
    bool parks = false;
    a->p->predicted_cycles = 0;
    for (int32_t i = 0; i < a->p->op_count; i++) a->p->ops[i].start = -1;
    for (int32_t i = 0; i < TSP_MAX_QUEUES; i++) {
        AsmQueue *q = &a->queues[i];
        while (q->next < q->count)
            if (!step(a, q)) return false;
        resolve_labels(a, q);
        parks = parks || q->sync_line;
    }
    if (parks) a->p->predicted_cycles = -1;
    for (int32_t i = 0; i < a->p->op_count; i++) /* nothing issued, or not known when */
        if (parks || a->p->ops[i].start < 0) a->p->ops[i].start = a->p->ops[i].end = 0;
    return true;
}
