/* asm_machine.c - the machine a text is for: .machine and .set, and the fields by name. */
#include "asm_parts.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
#define FIELD(name, tsp1, tiny, min, max, mark, note) {#name, offsetof(TspMachine, name)},
#include "machine.def"
#undef FIELD
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

const char *asm_machine_field(int32_t i) {
    return i < FIELD_COUNT ? fields[i].name : NULL;
}

int64_t *asm_machine_value(TspMachine *m, int32_t i) {
    return (int64_t *)(void *)((char *)m + fields[i].offset);
}

static bool machine_is_open(const Asm *a, const AsmCursor *c) {
    return !a->machine_settled ||
           asm_fail(c, c->text,
                    "the machine is already in use; write .machine and .set before the "
                    "first tensor and queue");
}

bool asm_machine(Asm *a, AsmCursor *c) {
    TspMachine *m = &a->p->machine;
    char *name;
    asm_space(c);
    const char *where = c->at;
    if (!machine_is_open(a, c) || !asm_name(c, false, &name)) return false;
    bool found = tsp_machine_builtin(m, name);
    free(name);
    if (!found) return asm_fail(c, where, "there is no such machine; built in are tsp1 and tiny");
    if (!asm_take(c, ',')) return true;
    if (!asm_name(c, true, &name)) return false;
    bool fits = strlen(name) < sizeof m->name;
    memset(m->name, 0, sizeof m->name);
    if (fits) memcpy(m->name, name, strlen(name));
    free(name);
    return fits || asm_fail(c, where, "the machine's name is too long; at most %d characters",
                            (int)sizeof m->name - 1);
}

bool asm_machine_set(Asm *a, AsmCursor *c) {
    char word[ASM_WORD_SIZE];
    int32_t i = 0;
    int64_t value;
    asm_space(c);
    const char *where = c->at;
    if (!machine_is_open(a, c)) return false;
    if (!asm_word(c, false, word)) return asm_fail(c, where, "a field of the machine is expected");
    while (i < FIELD_COUNT && strcmp(word, fields[i].name)) i++;
    if (i == FIELD_COUNT) {
        const char *nearest = asm_nearest(word, asm_machine_field);
        return asm_fail(c, where, "a machine has no field '%s'; %s%s", word,
                        nearest ? "did you mean " : "`tsp info` lists them",
                        nearest ? nearest : "");
    }
    if (!asm_need(c, '=') || !asm_constant_in(a, c, word, INT64_MIN, INT64_MAX, &value))
        return false;
    *asm_machine_value(&a->p->machine, i) = value;
    return true;
}

bool asm_settle_machine(Asm *a, AsmCursor *c) {
    if (a->machine_settled) return true;
    if (!tsp_machine_validate(&a->p->machine, a->err)) {
        char text[sizeof a->err->text];
        memcpy(text, a->err->text, sizeof text);
        return asm_fail(c, c->text, "%s", text);
    }
    a->machine_settled = true;
    return true;
}
