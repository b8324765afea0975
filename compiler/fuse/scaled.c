/* scaled.c - constants times a power of two.
 */
#include "scale.h"
#include "compiler/stage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor, and what it is times 2^exponent. */
typedef struct {
    int32_t tensor, exponent, scaled;
} Pair;

typedef struct {
    Pair *items;
    int32_t count, capacity;
} Pairs;

static int32_t make(Module *m, int32_t tensor, int32_t exponent, TspError *err) {
    Tensor from = m->tensors[tensor], *to;
    char suffix[24];
    int64_t elements = 1;
    int32_t i;
    float *data;
    snprintf(suffix, sizeof suffix, ".2^%d", (int)exponent);
    i = stage_new_tensor(m, from.name, suffix, from.dtype, from.role, from.rank, from.shape,
                         from.transposed, err);
    if (i < 0) return -1;
    for (int32_t d = 0; d < from.rank; d++) elements *= from.shape[d];
    if (!(data = malloc((size_t)elements * sizeof *data)))
        return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
    memcpy(data, from.data, (size_t)elements * sizeof *data);
    for (int64_t k = 0; k < elements; k++) data[k] = ldexpf(data[k], exponent);
    to = &m->tensors[i];
    from.name = to->name;
    from.data = (uint8_t *)data;
    *to = from;
    return i;
}

static int32_t scaled(Module *m, Pairs *pairs, int32_t tensor, int32_t exponent, TspError *err) {
    int32_t made;
    for (int32_t i = 0; i < pairs->count; i++)
        if (pairs->items[i].tensor == tensor && pairs->items[i].exponent == exponent)
            return pairs->items[i].scaled;
    made = make(m, tensor, exponent, err);
    if (made < 0 || !tsp_grow((void **)&pairs->items, &pairs->capacity, pairs->count + 1,
                              sizeof *pairs->items, err))
        return -1;
    pairs->items[pairs->count++] = (Pair){tensor, exponent, made};
    return made;
}

bool fuse_make_scaled(Module *m, TspError *err) {
    Pairs pairs = {0};
    bool ok = true;
    for (int32_t i = 0; i < m->stage_count; i++)
        for (int32_t j = 0; j < m->stages[i].operand_count && ok; j++) {
            Operand *o = &m->stages[i].operands[j];
            if (!o->exponent) continue;
            o->tensor = scaled(m, &pairs, o->tensor, o->exponent, err);
            o->exponent = 0;
            ok = o->tensor >= 0;
        }
    free(pairs.items);
    return ok;
}
