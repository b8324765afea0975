/* asm.c - the assembler: names, directives, statements. docs/assembler.md is the language. */
#include "asm_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- shared with the other files ---- */

void *asm_grow(void *array, int32_t count, size_t element_bytes) {
    bool is_full = (count & (count - 1)) == 0; /* 0, 1, 2, 4, 8, ... */
    if (!is_full) return array;
    if (count > INT32_MAX / 2) return NULL;
    return realloc(array, (count ? 2 * (size_t)count : 1) * element_bytes);
}

bool asm_no_memory(const Asm *a) {
    return tsp_fail(a->err, TSP_ERR_SYSTEM, "%.200s: out of memory", a->path);
}

bool asm_append(Asm *a, AsmItem item) {
    AsmQueue *q = &a->queues[a->queue];
    AsmItem *items = asm_grow(q->items, q->count, sizeof *items);
    if (!items) return asm_no_memory(a);
    q->items = items;
    items[q->count++] = item;
    return true;
}

int32_t asm_find_tensor(const Asm *a, const char *name) {
    return asm_find_name(a, ASM_NAME_TENSOR, name, "");
}

int32_t asm_find_label(const Asm *a, const char *name) {
    return asm_find_name(a, ASM_NAME_LABEL, name, "");
}

const AsmConstant *asm_find_constant(const Asm *a, const char *name) {
    int32_t i = asm_find_name(a, ASM_NAME_CONSTANT, name, "");
    return i < 0 ? NULL : &a->constants[i];
}

bool asm_name_is_new(Asm *a, const AsmCursor *c, const char *where, const char *name) {
    int32_t label = asm_find_label(a, name);
    const char *what = label >= 0                      ? "label"
                       : asm_find_constant(a, name)    ? "constant"
                       : asm_find_tensor(a, name) >= 0 ? "tensor"
                                                       : NULL;
    if (!what) return true;
    if (label >= 0)
        return asm_fail(c, where, "'%.60s' is already a label, of line %d; choose another name",
                        name, (int)a->labels[label].line);
    return asm_fail(c, where, "'%.60s' is already a %s; choose another name", name, what);
}

/* ---- what names mean in expressions ---- */

static bool constant_value(void *context, AsmCursor *c, const char *start, const char *name,
                           int64_t *value) {
    Asm *a = context;
    const AsmConstant *constant = asm_find_constant(a, name);
    if (!constant)
        return asm_fail(c, start,
                        asm_find_label(a, name) >= 0
                            ? "label '%.60s' has no value yet; labels stand in at only"
                            : "there is no constant '%.60s'; define it with .equ",
                        name);
    *value = constant->value;
    return true;
}

static bool no_value(void *context, AsmCursor *c, const char *start, const char *name,
                     int64_t *value) {
    (void)context, (void)c, (void)start, (void)name;
    *value = 1;
    return true;
}

static bool fail_elsewhere(const AsmCursor *c, const char *start, const Asm *a,
                           const TspTensor *t) {
    char here[32], there[32] = "no slice";
    tsp_queue_name(&a->p->machine, a->queue, here);
    if (t->piece_count) tsp_queue_name(&a->p->machine, t->pieces[0].slice, there);
    return asm_fail(c, start, "tensor '%.60s' has no piece in %s; it begins in %s", t->name, here,
                    there);
}

/* X: the address of the first row of tensor X in the slice of the selected queue. X[r]: of its
 * matrix's row r. */
static bool address_value(void *context, AsmCursor *c, const char *start, const char *name,
                          int64_t *value) {
    Asm *a = context;
    AsmScope scope = asm_constants(a);
    int32_t i = asm_find_tensor(a, name);
    int64_t row = 0;
    if (i < 0) return constant_value(context, c, start, name, value);
    const TspTensor *t = &a->p->tensors[i];
    bool indexed = asm_take(c, '[');
    bool here = false;
    if (indexed && (!asm_expression(c, &scope, &row) || !asm_need(c, ']'))) return false;
    bool countable = row >= 0 && row <= INT32_MAX; /* no piece has others */
    for (int32_t k = 0; k < t->piece_count; k++) {
        const TspPiece *piece = &t->pieces[k];
        int64_t away = indexed && countable ? row - piece->row0 : 0, step = piece->row_step;
        if (piece->slice != a->queue) continue;
        here = true;
        if (!countable) continue;
        if (away && (!step || away % step)) continue;
        if (away) away /= step;
        if (away < 0 || away >= piece->rows) continue;
        *value = piece->addr + away * piece->addr_step;
        return true;
    }
    if (!here) return fail_elsewhere(c, start, a, t);
    return asm_fail(c, start, "row %lld of tensor '%.60s' does not lie in this slice",
                    (long long)row, t->name);
}

AsmScope asm_constants(Asm *a) {
    return (AsmScope){constant_value, a};
}
AsmScope asm_addresses(Asm *a) {
    return (AsmScope){address_value, a};
}

bool asm_constant_in(Asm *a, AsmCursor *c, const char *what, int64_t min, int64_t max,
                     int64_t *value) {
    AsmScope scope = asm_constants(a);
    asm_space(c);
    const char *where = c->at;
    if (!asm_expression(c, &scope, value)) return false;
    if (*value >= min && *value <= max) return true;
    return asm_fail(c, where, "%s is %lld; it must be %lld to %lld", what, (long long)*value,
                    (long long)min, (long long)max);
}

/* ---- other directives ---- */

static bool set_name(Asm *a, AsmCursor *c) {
    free(a->p->name);
    a->p->name = NULL;
    return asm_name(c, true, &a->p->name);
}

static bool define_constant(Asm *a, AsmCursor *c) {
    AsmScope scope = asm_constants(a);
    AsmConstant *constants = asm_grow(a->constants, a->constant_count, sizeof *constants);
    AsmConstant new = {0};
    if (!constants) return asm_no_memory(a);
    a->constants = constants;
    asm_space(c);
    const char *where = c->at;
    if (!asm_name(c, false, &new.name)) return false;
    if (!asm_name_is_new(a, c, where, new.name) || !asm_need(c, '=') ||
        !asm_expression(c, &scope, &new.value)) {
        free(new.name);
        return false;
    }
    constants[a->constant_count] = new;
    return asm_add_name(a, ASM_NAME_CONSTANT, a->constant_count++);
}

/* What follows belongs to the op of that name and type; to none if there is no name. */
static bool select_op(Asm *a, AsmCursor *c) {
    TspProgram *p = a->p;
    TspOpInfo *ops;
    char *name, *type = NULL;
    a->op = -1;
    if (asm_at_end(c)) return true;
    if (!asm_name(c, true, &name)) return false;
    if (asm_take(c, ',') ? !asm_name(c, true, &type) : !(type = calloc(1, 1))) {
        free(name);
        return false;
    }
    a->op = asm_find_name(a, ASM_NAME_OP, name, type);
    if (a->op >= 0) {
        free(name);
        free(type);
        return true;
    }
    ops = asm_grow(p->ops, p->op_count, sizeof *ops);
    if (!ops) {
        free(name);
        free(type);
        return asm_no_memory(a);
    }
    p->ops = ops;
    a->op = p->op_count++;
    ops[a->op] = (TspOpInfo){.name = name, .type = type, .line = c->line};
    return asm_add_name(a, ASM_NAME_OP, a->op);
}

static const struct {
    const char *name;
    bool (*run)(Asm *, AsmCursor *);
} directives[] = {
    {"machine", asm_machine}, {"set", asm_machine_set}, {"name", set_name},
    {"equ", define_constant}, {"op", select_op},        {"tensor", asm_tensor},
    {"piece", asm_piece},     {"stripe", asm_stripe},   {"data", asm_data},
    {"text", asm_fetch_text},
};
enum { DIRECTIVE_COUNT = sizeof directives / sizeof directives[0] };

static const char *directive_name(int32_t i) {
    static const char *const loops[] = {"for", "end"};
    if (i < DIRECTIVE_COUNT) return directives[i].name;
    return i < DIRECTIVE_COUNT + 2 ? loops[i - DIRECTIVE_COUNT] : NULL;
}

static bool directive(Asm *a, AsmCursor *c) {
    const char *where = c->at++;
    char word[ASM_WORD_SIZE] = "";
    asm_word(c, false, word);
    for (size_t i = 0; i < DIRECTIVE_COUNT; i++) {
        if (strcmp(word, directives[i].name)) continue;
        if (!directives[i].run(a, c)) return false;
        return asm_at_end(c) ||
               asm_fail(c, c->at, "'%.20s' is not expected here; .%s ends before it", c->at, word);
    }
    const char *nearest = asm_nearest(word, directive_name);
    return asm_fail(c, where, "there is no directive '.%s'%s%s", word,
                    nearest ? "; did you mean ." : "; docs/assembler.md lists all",
                    nearest ? nearest : "");
}

/* ---- statements: [@queue] [label:]... [at expression] [instruction] ---- */

static bool select_queue(Asm *a, AsmCursor *c) {
    char word[ASM_WORD_SIZE];
    const char *where = c->at;
    if (!asm_settle_machine(a, c)) return false;
    a->queue = asm_word(c, true, word) ? tsp_queue_find(&a->p->machine, word) : -1;
    return a->queue >= 0 || asm_fail(c, where,
                                     "%s has no such queue; queues are named as in mem.w0, vxm.3, "
                                     "mxm.e.0.weights, sxm.w.transpose.0",
                                     a->p->machine.name);
}

static bool need_queue(const Asm *a, const AsmCursor *c, const char *where) {
    return a->queue >= 0 ||
           asm_fail(c, where, "no queue is selected; write @mem.w0 or another queue before it");
}

static bool add_label(Asm *a, AsmCursor *c, const char *where, const char *name) {
    AsmLabel *labels = asm_grow(a->labels, a->label_count, sizeof *labels);
    if (!labels) return asm_no_memory(a);
    a->labels = labels;
    if (!need_queue(a, c, where) || !asm_name_is_new(a, c, where, name)) return false;
    if (strchr(name, '.')) return asm_fail(c, where, "the name of a label has no dots");
    labels[a->label_count] = (AsmLabel){.name = strdup(name), .queue = a->queue, .line = c->line};
    if (!labels[a->label_count].name) return asm_no_memory(a);
    int32_t index = a->label_count++; /* counted: its name is freed whatever comes */
    return asm_add_name(a, ASM_NAME_LABEL, index) &&
           asm_append(a, (AsmItem){.kind = ASM_LABEL,
                                   .line = c->line,
                                   .column = (int32_t)(where - c->text),
                                   .index = index});
}

static bool add_at(Asm *a, AsmCursor *c, const char *where) {
    AsmScope scope = {no_value, a};
    int64_t value;
    bool ok;
    if (!need_queue(a, c, where)) return false;
    asm_space(c);
    AsmItem item = {.kind = ASM_AT, .line = c->line, .column = (int32_t)(c->at - c->text)};
    c->dry = true;
    ok = asm_expression(c, &scope, &value);
    c->dry = false;
    if (!ok) return false;
    item.text = strndup(c->text, (size_t)(c->at - c->text));
    if (!item.text) return asm_no_memory(a);
    if (asm_append(a, item)) return true;
    free(item.text);
    return false;
}

bool asm_statement(Asm *a, AsmCursor *c) {
    char word[ASM_WORD_SIZE];
    if (asm_at_end(c)) return true;
    if (*c->at == '.') return directive(a, c);
    if (asm_take(c, '@') && !select_queue(a, c)) return false;
    while (!asm_at_end(c)) {
        const char *where = c->at;
        if (!asm_word(c, true, word))
            return asm_fail(c, where,
                            "'%.20s' is not expected here; a line is a .directive or "
                            "[@queue] [label:] [at cycle] [instruction]",
                            where);
        if (asm_take(c, ':')) {
            if (!add_label(a, c, where, word)) return false;
        } else if (!strcmp(word, "at")) {
            if (!add_at(a, c, where)) return false;
        } else {
            return asm_instruction(a, c, where, word);
        }
    }
    return true;
}

/* ---- the whole text ---- */

static bool assemble(Asm *a, const char *text, size_t length) {
    static const char last_line[] = "";
    AsmCursor end = {.path = a->path, .text = last_line, .at = last_line, .err = a->err};
    if (!asm_text(a, text, length, &end.line)) return false;
    if (!asm_settle_machine(a, &end) || !asm_tensor_complete(a, &end) || !asm_place(a) ||
        !asm_fetch_fill(a))
        return false;
    a->p->source = strdup(a->path);
    return a->p->source || asm_no_memory(a);
}

bool tsp_assemble(TspProgram *p, const TspMachine *machine, const char *text, size_t length,
                  const char *path, TspError *err) {
    Asm *a = calloc(1, sizeof *a);
    bool ok;
    tsp_program_init(p, machine);
    if (!a) return tsp_fail(err, TSP_ERR_SYSTEM, "%.200s: out of memory", path);
    *a = (Asm){.p = p, .path = path, .err = err, .queue = -1, .op = -1};
    ok = assemble(a, text, length);
    for (int32_t i = 0; i < TSP_MAX_QUEUES; i++) {
        for (int32_t k = 0; k < a->queues[i].count; k++) free(a->queues[i].items[k].text);
        free(a->queues[i].items);
    }
    for (int32_t i = 0; i < a->constant_count; i++) free(a->constants[i].name);
    for (int32_t i = 0; i < a->label_count; i++) free(a->labels[i].name);
    free(a->constants);
    free(a->labels);
    free(a->texts);
    free(a->names.slots);
    free(a);
    if (!ok) tsp_program_free(p);
    return ok;
}
