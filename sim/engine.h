/* engine.h - what an engine is to sim.c, and what the engines share: the wording of errors.
 *
 * Private to sim/. sim.c places and collects tensors, remembers why a run stopped, and goes back
 * in time by replay from what an engine has kept, or else from the start; an engine has memory,
 * moves time and shows its state.
 */
#ifndef TSP_SIM_ENGINE_H
#define TSP_SIM_ENGINE_H
#include "sim.h"

/* Of all functions `e` is what create() returned. What they mean stands in sim.h. */
typedef struct {
    /* Allocates everything; no memory row is defined, no cycle executed. reset() follows. */
    void *(*create)(const TspProgram *p, const TspSimOptions *options, TspError *err);
    void (*destroy)(void *e); /* of what create() returned; never NULL */
    /* Back to before cycle 0: nothing defined anywhere. */
    bool (*reset)(void *e, TspError *err);
    /* Defines a memory row (tsp_lanes() bytes, all superlanes), before cycle 0. */
    void (*place)(void *e, int32_t slice, int32_t addr, const uint8_t *vector);
    /* Says that the program uses these memory rows, so that they are at hand when it does; the
     * same for every reset. NULL: makes no difference to this engine. */
    void (*reserve)(void *e, int32_t slice, int32_t addr, int32_t rows);
    /* Executes all cycles below `limit`, or to the end of the program, whose last cycle (the
     * greatest effect of the instructions) is then `now`. False: *err holds the first offence in
     * the order of docs/machine.md. After a failure only near(),
     * reset() and destroy() are called. */
    bool (*advance)(void *e, int64_t limit, TspError *err);
    /* Makes a state that it has kept the present: the latest one at or before `cycle`, unless the
     * present is nearer. The present may be any, also after a failure. False: nothing kept fits;
     * there is only reset(). NULL: it keeps none. */
    bool (*near)(void *e, int64_t cycle);
    int64_t (*now)(const void *e);
    bool (*done)(const void *e);
    TspSimStats (*stats)(const void *e);
    TspCsr (*csr)(const void *e);
    TspInterval (*op_interval)(const void *e, int32_t op);
    uint64_t (*hash)(void *e);
    /* Arguments are in range. */
    const uint8_t *(*stream)(const void *e, int32_t stream, int32_t column);
    /* NULL: this engine does not know. ago > 0. */
    const uint8_t *(*stream_ago)(const void *e, int32_t stream, int32_t column, int32_t ago);
    const uint8_t *(*row)(const void *e, int32_t slice, int32_t addr, uint32_t *written);
    /* With faults on: the check bits beside a row, one a superlane. */
    const uint16_t *(*row_check)(const void *e, int32_t slice, int32_t addr);
    const uint32_t *(*latch)(const void *e, int32_t alu);
    const uint32_t *(*accumulator)(const void *e, int32_t plane, int32_t row, TspDtype *type);
    int32_t (*queue_word)(const void *e, int32_t queue);
    int64_t (*word_start)(const void *e, int32_t queue, int32_t word);
} Engine;

struct TspSim {
    const TspProgram *program;
    const TspMachine *m;
    const Engine *engine;
    void *state;      /* the engine's */
    bool faults;      /* words carry check bits */
    uint8_t **inputs; /* copies of the tensors written, for going back; NULL where none */
    bool failed;
    TspError failure; /* why it stopped, for those who try to go on */
};

extern const Engine fast_engine, reference_engine;

/* The whole of a superlane mask: all on. */
static inline uint32_t engine_all_superlanes(const TspMachine *m) {
    return (uint32_t)((UINT64_C(1) << m->superlanes) - 1);
}

/* Words an offence of an instruction of the program (index of its word in the queue): its text and
 * the op it works for around the detail. Kind ILLEGAL with the rule; returns false. */
bool engine_offence(const TspProgram *p, TspError *err, TspRule rule, int64_t cycle, int32_t queue,
                    int32_t index, const char *format, ...) __attribute__((format(printf, 7, 8)));
/* The same for a word with two wrong bits, kind TSP_ERR_FAULT. `where` says which word. */
bool engine_double_bit(const TspProgram *p, TspError *err, int64_t cycle, int32_t queue,
                       int32_t index, const char *where);
/* The same for an instruction that no engine runs, kind TSP_ERR_NOT_MODELLED. */
bool engine_not_modelled(const TspProgram *p, TspError *err, int64_t cycle, int32_t queue,
                         int32_t index);

#endif
