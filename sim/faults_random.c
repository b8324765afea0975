/* faults_random.c - bits that flip at random: which, a cycle's number alone decides. */
#include "faults.h"

/* A sequence of numbers (splitmix64); where it starts is what seed and cycle say. */
typedef struct {
    uint64_t state;
} Draws;

static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t draw(Draws *d) {
    return mix(d->state += UINT64_C(0x9e3779b97f4a7c15));
}

/* 0 .. limit-1; the limits are so small that the remainder favours nobody by more than 2^-24. */
static int64_t draw_below(Draws *d, int64_t limit) {
    return (int64_t)(draw(d) % (uint64_t)limit);
}

static bool hits(double rate, uint64_t number) {
    if (rate >= 1) return true;
    return rate > 0 && number < (uint64_t)(rate * 0x1p64); /* exact, and below 2^64 */
}

static int64_t rows_of(const TspProgram *p) {
    int64_t rows = 0;
    for (int32_t t = 0; t < p->tensor_count; t++)
        for (int32_t k = 0; k < p->tensors[t].piece_count; k++)
            rows += p->tensors[t].pieces[k].rows;
    return rows;
}

/* Aims at the which-th row of all that pieces of tensors take. */
static void aim_at_row(const TspProgram *p, int64_t which, TspFlip *flip) {
    for (int32_t t = 0; t < p->tensor_count; t++)
        for (int32_t k = 0; k < p->tensors[t].piece_count; k++) {
            const TspPiece *piece = &p->tensors[t].pieces[k];
            if (which >= 0 && which < piece->rows) {
                flip->slice = piece->slice;
                flip->row = piece->addr + (int32_t)which * piece->addr_step;
            }
            which -= piece->rows;
        }
}

static void aim_at_stream(const TspMachine *m, Draws *d, TspFlip *flip) {
    int64_t stream = draw_below(d, 2 * m->streams);
    flip->stream = stream < m->streams ? TSP_STREAM(TSP_EASTWARD, stream)
                                       : TSP_STREAM(TSP_WESTWARD, stream - m->streams);
    flip->column = (int32_t)draw_below(d, tsp_columns(m));
}

bool tsp_faults_random(const TspFaults *f, const TspProgram *p, int64_t cycle, TspFlip *flip) {
    const TspMachine *m = &p->machine;
    const int64_t data_bits = 8 * m->lanes_per_superlane;
    Draws d = {mix(mix(f->seed) + (uint64_t)cycle)};
    int64_t rows, bit;
    bool in_flight;
    if (!hits(f->rate, draw(&d))) return false;
    rows = rows_of(p);
    in_flight = draw_below(&d, 2) == 0;
    *flip = (TspFlip){.cycle = cycle, .slice = -1, .row = -1, .stream = -1, .column = -1};
    if (in_flight || rows == 0)
        aim_at_stream(m, &d, flip);
    else
        aim_at_row(p, draw_below(&d, rows), flip);
    flip->superlane = (int32_t)draw_below(&d, m->superlanes);
    bit = draw_below(&d, data_bits + TSP_ECC_CHECK_BITS);
    flip->bit = (int32_t)(bit < data_bits ? bit : bit - data_bits + TSP_ECC_DATA_BITS);
    return true;
}
