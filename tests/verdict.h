/* verdict.h - what the tests of the verifier share: one sketch, and the verdict on it.
 */
#ifndef TSP_TESTS_VERDICT_H
#define TSP_TESTS_VERDICT_H
#include "compiler/verify.h"
#include "tests/sketch.h"

#include "suite.h"

static Sketch sketch; /* big, and every test starts with its own init */

/* tiny: W4..W7 column 2, W0..W3 column 3, VXM 4, E0..E3 5, E4..E7 6, SXM-E 7, MXM-E 8. */
enum { E = 0, W = 32 };

static inline SketchItem *at(int32_t queue, int64_t cycle, TspInsn insn) {
    return sketch_at(&sketch, queue, cycle, insn);
}
static inline SketchItem *marked(SketchItem *item) {
    item->marked = true;
    return item;
}
static inline int32_t west(int32_t slice) {
    return tsp_slice_id(&sketch.machine, TSP_WEST, slice);
}
static inline int32_t east(int32_t slice) {
    return tsp_slice_id(&sketch.machine, TSP_EAST, slice);
}
static inline int32_t vxm(int32_t alu) {
    return tsp_queue_vxm(&sketch.machine, alu);
}

/* Rows 0..63 of every slice are placed. */
static inline bool verify_as(Sketch *s, bool ifetch_modelled, TspProof *proof, TspError *err) {
    TspVerifyOptions options = {.ifetch_modelled = ifetch_modelled};
    TspProgram p;
    bool legal;
    ck_assert(sketch_program(s, &p));
    for (int32_t slice = 0; slice < 2 * s->machine.mem_slices; slice++)
        sketch_place(&p, slice, 0, 64);
    *err = (TspError){0};
    legal = tsp_verify(&p, &options, proof, err);
    tsp_program_free(&p);
    return legal;
}

static inline TspProof accept_as(Sketch *s, bool ifetch_modelled) {
    TspProof proof;
    TspError err;
    ck_assert_msg(verify_as(s, ifetch_modelled, &proof, &err), "%s", err.text);
    return proof;
}

/* Expects the rule broken in a cycle by the marked item. */
static inline void refuse_as(Sketch *s, bool ifetch_modelled, TspRule rule, int64_t cycle) {
    TspProof proof;
    TspError err;
    const SketchItem *item = NULL;
    ck_assert(!verify_as(s, ifetch_modelled, &proof, &err));
    for (int32_t i = 0; i < s->count; i++)
        if (s->items[i].marked) item = &s->items[i];
    ck_assert_ptr_nonnull(item);
    ck_assert_msg(err.rule == rule && err.cycle == cycle && err.queue == item->queue &&
                      err.index == item->index,
                  "want %s cycle %lld queue %d index %d, got %s %s", tsp_rule_name(rule),
                  (long long)cycle, item->queue, item->index, tsp_rule_name(err.rule), err.text);
    ck_assert_int_eq(err.kind, rule ? TSP_ERR_ILLEGAL : TSP_ERR_NOT_MODELLED);
}

static inline TspProof accept(Sketch *s) {
    return accept_as(s, false);
}
static inline void refuse(Sketch *s, TspRule rule, int64_t cycle) {
    refuse_as(s, false, rule, cycle);
}

#endif
