/* asm_names.c - finds labels, constants, tensors and ops by name, however many there are. */
#include "asm_parts.h"

#include <stdlib.h>
#include <string.h>

static const char *name_of(const Asm *a, AsmName entry) {
    switch (entry.kind) {
    case ASM_NAME_LABEL:
        return a->labels[entry.index].name;
    case ASM_NAME_CONSTANT:
        return a->constants[entry.index].name;
    case ASM_NAME_TENSOR:
        return a->p->tensors[entry.index].name;
    default:
        return a->p->ops[entry.index].name;
    }
}

static const char *type_of(const Asm *a, AsmName entry) {
    return entry.kind == ASM_NAME_OP ? a->p->ops[entry.index].type : "";
}

static uint32_t hash(AsmNameKind kind, const char *name, const char *type) { /* FNV-1a */
    uint32_t h = 2166136261u ^ (uint32_t)kind;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 16777619u;
    for (; *type; type++) h = (h ^ (uint8_t)*type) * 16777619u;
    return h ^ h >> 15;
}

/* The slot that holds the name, or the free one where it belongs. */
static AsmName *find_slot(const Asm *a, AsmNameKind kind, const char *name, const char *type) {
    uint32_t mask = (uint32_t)a->names.slot_count - 1, at = hash(kind, name, type) & mask;
    for (;; at = (at + 1) & mask) {
        AsmName *slot = &a->names.slots[at];
        if (slot->kind == ASM_NAME_NONE) return slot;
        if (slot->kind == kind && !strcmp(name_of(a, *slot), name) &&
            !strcmp(type_of(a, *slot), type))
            return slot;
    }
}

static bool grow(Asm *a) {
    AsmNames old = a->names;
    int32_t slot_count = old.slot_count ? 2 * old.slot_count : 64;
    AsmName *slots = calloc((size_t)slot_count, sizeof *slots);
    if (!slots) return asm_no_memory(a);
    a->names.slots = slots;
    a->names.slot_count = slot_count;
    for (int32_t i = 0; i < old.slot_count; i++) {
        AsmName entry = old.slots[i];
        if (entry.kind != ASM_NAME_NONE)
            *find_slot(a, entry.kind, name_of(a, entry), type_of(a, entry)) = entry;
    }
    free(old.slots);
    return true;
}

bool asm_add_name(Asm *a, AsmNameKind kind, int32_t index) {
    AsmName entry = {kind, index};
    if (2 * (a->names.count + 1) > a->names.slot_count && !grow(a)) return false;
    *find_slot(a, kind, name_of(a, entry), type_of(a, entry)) = entry;
    a->names.count++;
    return true;
}

int32_t asm_find_name(const Asm *a, AsmNameKind kind, const char *name, const char *type) {
    if (!a->names.slot_count) return -1;
    const AsmName *slot = find_slot(a, kind, name, type);
    return slot->kind == kind ? slot->index : -1;
}
