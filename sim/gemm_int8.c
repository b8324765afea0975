/* gemm_int8.c - products of bytes: preparation of the weights, and the plain C kernel.
 *
 * The kernels multiply unsigned bytes by signed ones, as VNNI does: signed activations want
 * unsigned weights, unsigned activations signed ones. Weights of the wrong kind are packed with
 * their top bit flipped, which moves each by 128; the kernels take 128 times the sum of the row
 * off again, modulo 2^32.
 */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O3") /* gcc leaves loops of unknown length scalar at -O2 */
#endif
#include "gemm_kernels.h"

#include <string.h>

/* Packs a strip of up to 16 columns that lies in one panel; `flip` goes over every weight. Says
 * how many weights of the column are left once zeros at the end are cut off. */
static int32_t pack_strip(TspGemmInt8 *w, const uint8_t *const *columns, int32_t first,
                          uint8_t flip) {
    const int32_t n = w->n, panel = first / GEMM_PANEL * GEMM_PANEL;
    const int32_t count = n - first < 16 ? n - first : 16;
    const size_t step = (size_t)gemm_panel_width(w, panel) * 4;
    uint8_t *to = w->packed + (gemm_panel(w, panel) - w->packed) + (size_t)(first - panel) * 4;
    const uint8_t *column[16];
    int32_t used = 0;
    for (int32_t j = 0; j < count; j++)
        column[j] = columns[first + j] ? columns[first + j] : gemm_zeros;
    for (int32_t k = 0; k < n; k += 4, to += step) {
        const size_t bytes = (size_t)(n - k < 4 ? n - k : 4);
        uint32_t four[16] = {0}, any = 0;
        for (int32_t j = 0; j < count; j++) {
            const uint8_t *from = column[j] + k;
            if (bytes == 4)
                memcpy(&four[j], from, 4);
            else
                memcpy(&four[j], from, bytes);
            any |= four[j];
        }
        if (any) used = k + 4;
        for (int32_t j = 0; j < 16; j++) four[j] ^= flip * 0x01010101u;
        memcpy(to, four, sizeof four);
    }
    return used;
}

void tsp_gemm_int8_prepare(TspGemmInt8 *w, const uint8_t *const *columns, int32_t n,
                           bool weights_unsigned, bool activations_unsigned) {
    const bool flipped = weights_unsigned == activations_unsigned;
    w->n = n;
    w->activations_signed = !activations_unsigned;
    w->shift = !flipped ? 0 : activations_unsigned ? 128 : -128;
    w->depth = w->columns = 0;
    for (int32_t first = 0; first < n; first += 16) {
        int32_t used = pack_strip(w, columns, first, flipped ? 0x80 : 0);
        if (used > 0) w->columns = first + 16;
        if (used > w->depth) w->depth = used;
    }
}

void gemm_int8_plain(const TspGemmInt8 *w, const TspGemmRow *rows, int32_t count) {
    for (int32_t j0 = 0; j0 < w->columns; j0 += GEMM_PANEL)
        for (int32_t i = 0; i < count; i++) {
            const int32_t width = gemm_panel_width(w, j0);
            const uint8_t *a = rows[i].low, *packed = gemm_panel(w, j0);
            uint32_t sum[GEMM_PANEL] = {0}, row_sum = 0;
            if (rows[i].add) memcpy(sum, rows[i].add + j0, (size_t)width * sizeof *sum);
            for (int32_t k = 0; k < w->depth; k++) {
                const int32_t x = w->activations_signed ? (int8_t)a[k] : a[k];
                const uint8_t *from = packed + (size_t)(k / 4) * (size_t)width * 4 + k % 4;
                row_sum += (uint32_t)x;
                for (int32_t j = 0; j < width; j++)
                    sum[j] +=
                        (uint32_t)(x * (w->activations_signed ? from[4 * j] : (int8_t)from[4 * j]));
            }
            for (int32_t j = 0; j < width; j++) sum[j] += (uint32_t)w->shift * row_sum;
            memcpy(rows[i].out + j0, sum, (size_t)width * sizeof *sum);
        }
}

/* What no weight reaches: the sums as they were. */
static void pass_on(const TspGemmRow *row, int32_t first, int32_t n) {
    const size_t bytes = (size_t)(n - first) * sizeof *row->out;
    if (!row->add)
        memset(row->out + first, 0, bytes);
    else if (row->add != row->out)
        memcpy(row->out + first, row->add + first, bytes);
}

/* A row whose length the kernels do not take. */
static void odd_length(const TspGemmInt8 *w, const TspGemmRow *row, Int8Kernel *kernel) {
    const size_t bytes = (size_t)w->n * sizeof *row->out;
    uint8_t a[TSP_GEMM_MAX + 16] = {0};
    uint32_t sums[TSP_GEMM_MAX + 16] = {0};
    memcpy(a, row->low, (size_t)w->n);
    if (row->add) memcpy(sums, row->add, bytes);
    kernel(w, &(TspGemmRow){.low = a, .add = sums, .out = sums}, 1);
    memcpy(row->out, sums, bytes);
}

void tsp_gemm_int8(const TspGemmInt8 *w, const TspGemmRow *rows, int32_t count,
                   TspGemmKernel kernel) {
    Int8Kernel *chosen = gemm_kernels(kernel).int8;
    if (w->n % 16 != 0) {
        for (int32_t i = 0; i < count; i++) odd_length(w, &rows[i], chosen);
        return;
    }
    chosen(w, rows, count);
    for (int32_t i = 0; i < count && w->columns < w->n; i++) pass_on(&rows[i], w->columns, w->n);
}
