/* damage.h - random damage to a sketch: items lost, moved, doubled, operands and repeats changed.
 */
#ifndef TSP_TESTS_DAMAGE_H
#define TSP_TESTS_DAMAGE_H
#include "seeded.h"
#include "sketch.h"

static inline int32_t damage_by(int32_t most) { /* -most .. most */
    return random_below(2 * most + 1) - most;
}

/* Changes one operand of an instruction. */
static inline void damage_field(TspInsn *insn) {
    const TspInsnInfo *info = tsp_insn_info(insn->op);
    const TspField *field = &info->fields[random_below(info->field_count)];
    int32_t *value = (int32_t *)(void *)((char *)insn + field->offset);
    int32_t bits = field->hi - field->lo + 1;
    if (!field->name) return;
    switch (random_below(4)) {
    case 0:
        *value = (int32_t)((uint32_t)*value + (uint32_t)damage_by(2));
        break;
    case 1:
        *value ^= (int32_t)(1u << random_below(bits));
        break;
    case 2:
        insn->stream ^= random_below(64);
        break;
    default:
        *value = random_below(bits > 20 ? (1 << 20) + 1 : 1 << bits);
    }
}

/* Damages one item; the sketch keeps at least one, and there must be room for one more. */
static inline void damage(Sketch *s) {
    SketchItem *item = &s->items[random_below(s->count)];
    switch (random_below(7)) {
    case 0:
        if (s->count > 1) *item = s->items[--s->count];
        break;
    case 1:
        item->cycle += damage_by(4);
        break;
    case 2:
        damage_field(&item->insn);
        break;
    case 3:
        if (item->repeat.op == TSP_OP_REPEAT)
            damage_field(&item->repeat);
        else
            sketch_repeat(item, 1 + random_below(4), 1 + random_below(3), damage_by(1));
        break;
    case 4:
        s->items[s->count] = *item;
        s->items[s->count++].cycle += 1 + random_below(8);
        break;
    case 5:
        item->repeat.op = TSP_OP_NOP;
        break;
    default: /* a neighbour, often of the same unit */
        item->queue += damage_by(3);
        if (item->queue < 0 || item->queue >= tsp_queue_count(&s->machine)) item->queue = 0;
    }
    if (item->cycle < 0) item->cycle = 0;
}

#endif
