/* interpret_product.c - MatMulInteger, MatMul and Gemm of the host interpreter.
 *
 * One kernel does all: a product of matrices of doubles. For bytes it is exact (sums stay below
 * 2^53). For halfs its error is bounded, and where the bound leaves the rounding to fp32 open the
 * sum is done again in 128-bit fixed point (Ziv's test); so every K tile of `lanes` elements is the
 * exact dot product rounded once, as the array does it [I20]. For fp32 it is the reference, and a
 * tolerance says what the machine, which has no fp32 array, may make of it.
 */
#include "interpret_parts.h"
#include "compiler/number.h"

#include <stdlib.h>
#include <string.h>

typedef double Pair __attribute__((vector_size(16)));
__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;

/* ---- c += a . b in double ---- */

enum { BLOCK_K = 256, SIDE = 4 }; /* a 4 x 4 block of sums fits the registers */

typedef struct {
    double *at;
    int64_t stride; /* between rows */
} Matrix;

/* rows x 4, gathered so that the kernel reads straight on: to[k][0..3]. */
static void pack(double *to, const double *from, int64_t step_k, int64_t step_side, int64_t k_count,
                 int64_t side_count) {
    for (int64_t k = 0; k < k_count; k++)
        for (int64_t s = 0; s < SIDE; s++)
            to[k * SIDE + s] = s < side_count ? from[k * step_k + s * step_side] : 0;
}

/* sum[i][j] += a[k][i] * b[k][j], k ascending. */
static void kernel(int64_t k_count, const double *a, const double *b, Pair sum[SIDE * 2]) {
    Pair s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
    Pair s4 = sum[4], s5 = sum[5], s6 = sum[6], s7 = sum[7];
    for (int64_t k = 0; k < k_count; k++, a += SIDE, b += SIDE) {
        Pair left = {b[0], b[1]}, right = {b[2], b[3]};
        Pair a0 = {a[0], a[0]}, a1 = {a[1], a[1]}, a2 = {a[2], a[2]}, a3 = {a[3], a[3]};
        s0 += a0 * left;
        s1 += a0 * right;
        s2 += a1 * left;
        s3 += a1 * right;
        s4 += a2 * left;
        s5 += a2 * right;
        s6 += a3 * left;
        s7 += a3 * right;
    }
    sum[0] = s0, sum[1] = s1, sum[2] = s2, sum[3] = s3;
    sum[4] = s4, sum[5] = s5, sum[6] = s6, sum[7] = s7;
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* Each element of c is a sum in order of k, whatever the blocks. work: (m + 4) * BLOCK_K + 4 *
 * BLOCK_K doubles. */
static void multiply_add(int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, Matrix c,
                         double *work) {
    double *packed_b = work, *packed_a = work + SIDE * BLOCK_K;
    for (int64_t k0 = 0; k0 < k; k0 += BLOCK_K) {
        int64_t k_count = least(k - k0, BLOCK_K);
        for (int64_t i = 0; i < m; i += SIDE)
            pack(packed_a + i * k_count, a.at + i * a.stride + k0, 1, a.stride, k_count,
                 least(m - i, SIDE));
        for (int64_t j = 0; j < n; j += SIDE) {
            int64_t columns = least(n - j, SIDE);
            pack(packed_b, b.at + k0 * b.stride + j, b.stride, 1, k_count, columns);
            for (int64_t i = 0; i < m; i += SIDE) {
                Pair sum[SIDE * 2] = {{0}};
                double block[SIDE][SIDE] = {{0}};
                int64_t rows = least(m - i, SIDE);
                for (int64_t r = 0; r < rows; r++)
                    memcpy(block[r], c.at + (i + r) * c.stride + j,
                           (size_t)columns * sizeof(double));
                memcpy(sum, block, sizeof block);
                kernel(k_count, packed_a + i * k_count, packed_b, sum);
                memcpy(block, sum, sizeof block);
                for (int64_t r = 0; r < rows; r++)
                    memcpy(c.at + (i + r) * c.stride + j, block[r],
                           (size_t)columns * sizeof(double));
            }
        }
    }
}

/* ---- the exact dot product of halfs, rounded once to fp32 ---- */

static float round_fixed(Wide sum) { /* in units of 2^-48 */
    UnsignedWide magnitude = sum < 0 ? -(UnsignedWide)sum : (UnsignedWide)sum, kept, rest, tie;
    int shift = 0;
    float value;
    while (magnitude >> shift >= (UnsignedWide)1 << 24) shift++;
    kept = magnitude >> shift;
    if (shift > 0) {
        rest = magnitude - (kept << shift);
        tie = (UnsignedWide)1 << (shift - 1);
        kept += rest > tie || (rest == tie && (kept & 1));
    }
    value = ldexpf((float)(uint32_t)kept, shift - 48);
    return sum < 0 ? -value : value;
}

static float dot_exactly(const double *a, const double *b, int64_t stride_b, int64_t k_count) {
    Wide sum = 0;
    for (int64_t k = 0; k < k_count;
         k++) /* a half is a whole number of 2^-24, below 2^40 of them */
        sum += (Wide)(int64_t)(a[k] * 0x1p24) * (int64_t)(b[k * stride_b] * 0x1p24);
    return round_fixed(sum);
}

/* What bounds the sum of |products| of a row and a column (Cauchy-Schwarz), and the power of two
 * that all elements are multiples of. */
typedef struct {
    double norm, grid;
} Extent;

static Extent extent_of(const double *x, int64_t stride, int64_t count) {
    double squares = 0;
    uint64_t bits = 0;
    for (int64_t i = 0; i < count; i++) {
        double v = x[i * stride];
        squares += v * v;
        if (isfinite(v)) bits |= (uint64_t)(int64_t)(fabs(v) * 0x1p24);
    }
    return (Extent){sqrt(squares) * (1 + 0x1p-20), (double)(bits & (~bits + 1)) * 0x1p-24};
}

/* `sum` is the dot product in double; decides its rounding to fp32. */
static float round_sum(double sum, Extent row, Extent column, const double *a, const double *b,
                       int64_t stride_b, int64_t k_count) {
    double magnitude = row.norm * column.norm, error;
    float low, high;
    if (!isfinite(sum)) return (float)sum;                               /* operands were not */
    if (magnitude <= 0x1p52 * row.grid * column.grid) return (float)sum; /* sum is exact */
    error = magnitude * (double)(k_count + 2) * 0x1p-53 + fabs(sum) * 0x1p-51;
    low = (float)(sum - error);
    high = (float)(sum + error);
    return low == high ? (float)sum : dot_exactly(a, b, stride_b, k_count);
}

/* ---- one product: m x k by k x n ---- */

typedef struct {
    const TspNode *node;
    const TspOperand *in;
    TspResult *out;
    TspDtype type; /* of the operands */
    int64_t m, n, k, tile;
    Matrix a, b;                       /* operands less zero points */
    Matrix error_a, error_b;           /* their tolerances; at NULL when exact */
    Matrix acc;                        /* result before alpha, beta and the last rounding */
    Matrix magnitude;                  /* sum of |terms| that the accumulator's roundings act on */
    Matrix carried;                    /* what the tolerances of the operands make of the result */
    Matrix scratch;                    /* m x n */
    double *magnitude_a, *magnitude_b; /* |a| and |b| plus tolerance, m x k and k x n */
    Extent *rows, *columns;
    double *work;
} Product;

/* How an operand lies in its tensor: element (row, column) of the matrix of one batch. */
typedef struct {
    int64_t start, row_step, column_step;
} View;

/* Where the zero point of element `at` of x, of row i and column j, is. */
static int64_t zero_of(const TspOperand *x, const TspOperand *zero, bool zero_per_row, int64_t at,
                       int64_t i, int64_t j) {
    int64_t stride[TSP_MAX_RANK], place = 0;
    if (tsp_value_elements(zero->value) == 1) return 0;
    if (zero->value->rank == 1) return zero_per_row ? i : j;
    tsp_broadcast_strides(zero->value, x->value->rank, x->value->shape, stride);
    for (int32_t d = x->value->rank - 1; d >= 0; d--) {
        place += at % x->value->shape[d] * stride[d];
        at /= x->value->shape[d];
    }
    return place;
}

static void load(const TspOperand *x, View view, const TspOperand *zero, bool zero_per_row,
                 int64_t rows, int64_t columns, Matrix to, Matrix error) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            int64_t at = view.start + i * view.row_step + j * view.column_step;
            int64_t z = zero->value ? zero_of(x, zero, zero_per_row, at, i, j) : 0;
            double value = tsp_load_double(x->value->dtype, x->data, at);
            if (zero->value) value -= tsp_load_double(zero->value->dtype, zero->data, z);
            to.at[i * to.stride + j] = value;
            if (error.at)
                error.at[i * error.stride + j] = (x->tolerance ? x->tolerance[at] : 0) +
                                                 (zero->tolerance ? zero->tolerance[z] : 0);
        }
}

static void fill(Matrix x, int64_t rows, int64_t columns, double value) {
    for (int64_t i = 0; i < rows * columns; i++) x.at[i] = value;
}

static Matrix columns_from(Matrix x, int64_t column) {
    return (Matrix){x.at + column, x.stride};
}
static Matrix rows_from(Matrix x, int64_t row) {
    return (Matrix){x.at + row * x.stride, x.stride};
}

/* Tile by tile, each rounded to fp32, added up in fp32. */
static void multiply_halfs(Product *p) {
    for (int64_t k0 = 0; k0 < p->k; k0 += p->tile) {
        int64_t count = least(p->k - k0, p->tile);
        Matrix a = columns_from(p->a, k0), b = rows_from(p->b, k0);
        for (int64_t i = 0; i < p->m; i++) p->rows[i] = extent_of(a.at + i * a.stride, 1, count);
        for (int64_t j = 0; j < p->n; j++) p->columns[j] = extent_of(b.at + j, b.stride, count);
        /* a tile that is not full has zeros in the other lanes, so it never sums to -0 */
        fill(p->scratch, p->m, p->n, count == p->tile ? -0.0 : 0.0);
        multiply_add(p->m, p->n, count, a, b, p->scratch, p->work);
        for (int64_t i = 0; i < p->m; i++)
            for (int64_t j = 0; j < p->n; j++) {
                int64_t at = i * p->n + j;
                float sum = round_sum(p->scratch.at[at], p->rows[i], p->columns[j],
                                      a.at + i * a.stride, b.at + j, b.stride, count);
                p->acc.at[at] = k0 == 0 ? sum : (float)p->acc.at[at] + sum;
                p->magnitude.at[at] += fabs(sum);
            }
    }
}

static void multiply_doubles(Product *p) {
    fill(p->acc, p->m, p->n, 0);
    multiply_add(p->m, p->n, p->k, p->a, p->b, p->acc, p->work);
}

/* Modulo 2^32. */
static void multiply_whole(Product *p) {
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            uint32_t sum = 0;
            for (int64_t k = 0; k < p->k; k++)
                sum += (uint32_t)(int64_t)p->a.at[i * p->k + k] *
                       (uint32_t)(int64_t)p->b.at[k * p->n + j];
            p->acc.at[i * p->n + j] = (int32_t)sum;
        }
}

/* carried += |a| error_b + error_a (|b| + error_b) */
static void carry_tolerances(Product *p) {
    Matrix a = {p->magnitude_a, p->k}, b = {p->magnitude_b, p->n};
    for (int64_t i = 0; i < p->m * p->k; i++) a.at[i] = fabs(p->a.at[i]);
    for (int64_t i = 0; i < p->k * p->n; i++)
        b.at[i] = fabs(p->b.at[i]) + (p->error_b.at ? p->error_b.at[i] : 0);
    if (p->error_b.at) multiply_add(p->m, p->n, p->k, a, p->error_b, p->carried, p->work);
    if (p->error_a.at) multiply_add(p->m, p->n, p->k, p->error_a, b, p->carried, p->work);
}

/* The machine splits each fp32 number into two halfs and leaves out the product of the two low
 * ones: at most 3 * 2^-22 of |a||b| a term, 2^-25 of an operand below the halfs' grid, and a
 * rounding of the accumulator for each of three passes over every tile. */
static void bound_split_floats(Product *p) {
    Matrix a = {p->magnitude_a, p->k}, b = {p->magnitude_b, p->n};
    double tiles = (double)((p->k + p->tile - 1) / p->tile);
    for (int64_t i = 0; i < p->m * p->k; i++) a.at[i] = fabs(p->a.at[i]);
    for (int64_t i = 0; i < p->k * p->n; i++) b.at[i] = fabs(p->b.at[i]);
    fill(p->magnitude, p->m, p->n, 0);
    multiply_add(p->m, p->n, p->k, a, b, p->magnitude, p->work);
    for (int64_t j = 0; j < p->n; j++) p->columns[j].norm = 0;
    for (int64_t k = 0; k < p->k; k++)
        for (int64_t j = 0; j < p->n; j++) p->columns[j].norm += b.at[k * p->n + j];
    for (int64_t i = 0; i < p->m; i++) {
        double row = 0;
        for (int64_t k = 0; k < p->k; k++) row += a.at[i * p->k + k];
        for (int64_t j = 0; j < p->n; j++)
            p->carried.at[i * p->n + j] +=
                (0x1p-18 + tiles * 0x1p-22) * p->magnitude.at[i * p->n + j] +
                0x1p-24 * (row + p->columns[j].norm);
    }
}

/* Long vectors of halfs are multiplied in fp32, exactly, and added in any order. */
static double bound_dot(const Product *p) {
    double magnitude = 0;
    if (p->type != TSP_F16 || p->in[0].value->rank > 1 || p->in[1].value->rank > 1) return 0;
    if (p->k <= p->tile) return 0;
    for (int64_t k = 0; k < p->k; k++) magnitude += fabs(p->a.at[k] * p->b.at[k]);
    return tsp_sum_roundings(p->k, (int32_t)p->tile) * 0x1p-24 * magnitude;
}

/* alpha * acc + beta * c in fp32, each step rounded, then rounded to the type of the result. */
static void finish_float(Product *p, int64_t out_start) {
    const TspOperand *c = &p->in[2];
    bool is_gemm = p->node->op == TSP_GRAPH_GEMM, has_c = is_gemm && c->value;
    float alpha = is_gemm ? (float)p->node->alpha : 1, beta = is_gemm ? (float)p->node->beta : 0;
    double tiles = (double)((p->k + p->tile - 1) / p->tile);
    int64_t shape[2] = {p->m, p->n}, step[2] = {0, 0};
    if (has_c) tsp_broadcast_strides(c->value, 2, shape, step);
    for (int64_t i = 0; i < p->m; i++)
        for (int64_t j = 0; j < p->n; j++) {
            int64_t at = i * p->n + j, at_c = i * step[0] + j * step[1];
            float acc = (float)p->acc.at[at], scaled = alpha * acc, added = 0, result = scaled;
            if (has_c) {
                added = beta * (float)tsp_load_double(p->type, c->data, at_c);
                result = scaled + added;
            }
            tsp_store_float(p->type, p->out->data, out_start + at, result);
            if (p->out->tolerance) {
                double t = p->carried.at[at] + bound_dot(p);
                if (p->type == TSP_F16 && (t > 0 || tiles > 1))
                    t += tiles * 0x1p-23 * (p->magnitude.at[at] + t);
                t = fabs((double)alpha) * t;
                if (has_c && c->tolerance) t += fabs((double)beta) * c->tolerance[at_c];
                if (t > 0 && is_gemm)
                    t += 0x1p-22 * (fabs((double)scaled) + fabs((double)added) + t);
                if (t > 0) t += tsp_ulp(p->type, fabs((double)result) + t);
                p->out->tolerance[out_start + at] = t >= 0 ? t : 0;
            }
        }
}

static void finish_int(Product *p, int64_t out_start) {
    for (int64_t at = 0; at < p->m * p->n; at++) {
        double sum = p->acc.at[at]; /* exact: below 2^31 * 255^2 */
        tsp_store_int(TSP_I32, p->out->data, out_start + at, (int64_t)sum);
        if (p->out->tolerance)
            p->out->tolerance[out_start + at] = tsp_int_tolerance(TSP_I32, sum, p->carried.at[at]);
    }
}

/* alpha * acc + beta * c modulo 2^32. */
static void finish_whole(Product *p, int64_t out_start) {
    const TspOperand *c = &p->in[2];
    const bool is_gemm = p->node->op == TSP_GRAPH_GEMM, has_c = is_gemm && c->value;
    const int64_t alpha = is_gemm ? (int64_t)p->node->alpha : 1, beta = (int64_t)p->node->beta;
    int64_t shape[2] = {p->m, p->n}, step[2] = {0, 0};
    if (has_c) tsp_broadcast_strides(c->value, 2, shape, step);
    for (int64_t at = 0; at < p->m * p->n; at++) {
        const int64_t at_c = at / p->n * step[0] + at % p->n * step[1];
        uint32_t y = (uint32_t)alpha * (uint32_t)(int64_t)p->acc.at[at];
        double t = fabs((double)alpha) * p->carried.at[at];
        if (has_c) y += (uint32_t)beta * (uint32_t)tsp_load_int(TSP_I32, c->data, at_c);
        if (has_c && c->tolerance) t += fabs((double)beta) * c->tolerance[at_c];
        tsp_store_int(TSP_I32, p->out->data, out_start + at, y);
        if (p->out->tolerance)
            p->out->tolerance[out_start + at] = tsp_int_tolerance(TSP_I32, (double)(int32_t)y, t);
    }
}

static void multiply(Product *p, int64_t out_start) {
    fill(p->carried, p->m, p->n, 0);
    fill(p->magnitude, p->m, p->n, 0);
    if (p->type == TSP_F16)
        multiply_halfs(p);
    else if (p->type == TSP_I32)
        multiply_whole(p);
    else
        multiply_doubles(p);
    if (p->error_a.at || p->error_b.at) carry_tolerances(p);
    if (p->type == TSP_F32) bound_split_floats(p);
    if (tsp_dtype_is_float(p->type))
        finish_float(p, out_start);
    else if (p->type == TSP_I32)
        finish_whole(p, out_start);
    else
        finish_int(p, out_start);
}

/* ---- shapes and batches ---- */

/* One allocation for everything that a product works on. */
static double *allocate(Product *p) {
    size_t mk = (size_t)(p->m * p->k), kn = (size_t)(p->k * p->n), mn = (size_t)(p->m * p->n);
    bool error_a = p->in[0].tolerance || p->in[2].tolerance;
    bool error_b = p->in[1].tolerance || p->in[3].tolerance;
    bool is_gemm = p->node->op == TSP_GRAPH_GEMM;
    size_t extents = 2 * (size_t)(p->m + p->n), total;
    double *block, *at;
    if (is_gemm) error_a = p->in[0].tolerance != NULL; /* input 2 is no zero point there */
    total = 3 * mk + 3 * kn + 4 * mn + extents + (size_t)(p->m + 2 * SIDE) * BLOCK_K;
    block = at = malloc(total * sizeof *block);
    if (!block) return NULL;
#define TAKE(count) (at += (count), at - (count))
    p->a = (Matrix){TAKE(mk), p->k};
    p->b = (Matrix){TAKE(kn), p->n};
    p->error_a = (Matrix){error_a ? TAKE(mk) : NULL, p->k};
    p->error_b = (Matrix){error_b ? TAKE(kn) : NULL, p->n};
    p->magnitude_a = TAKE(mk);
    p->magnitude_b = TAKE(kn);
    p->acc = (Matrix){TAKE(mn), p->n};
    p->magnitude = (Matrix){TAKE(mn), p->n};
    p->carried = (Matrix){TAKE(mn), p->n};
    p->scratch = (Matrix){TAKE(mn), p->n};
    p->rows = (Extent *)TAKE(2 * (size_t)p->m);
    p->columns = (Extent *)TAKE(2 * (size_t)p->n);
    p->work = at;
#undef TAKE
    return block;
}

/* Where the matrix of one batch begins in an operand: its leading dimensions broadcast. */
static int64_t batch_start(const TspValue *x, int32_t rank, const int64_t *shape, int64_t batch) {
    int64_t stride[TSP_MAX_RANK], start = 0;
    TspValue outer = *x; /* the operand as an array of matrices */
    outer.rank = x->rank < 2 ? 0 : x->rank - 2;
    tsp_broadcast_strides(&outer, rank, shape, stride);
    for (int32_t d = rank - 1; d >= 0; d--) {
        start += batch % shape[d] * stride[d];
        batch /= shape[d];
    }
    return start;
}

bool tsp_interpret_product(const TspNode *node, int32_t lanes, const TspOperand in[4],
                           TspResult *out) {
    static const TspOperand none = {0};
    const TspValue *a = in[0].value, *b = in[1].value;
    bool integer = node->op == TSP_GRAPH_MATMUL_INTEGER, trans_a = node->trans_a;
    Product p = {.node = node, .in = in, .out = out, .type = a->dtype, .tile = lanes};
    int64_t rows_a = a->rank == 1 ? 1 : a->shape[a->rank - 2], columns_a = a->shape[a->rank - 1];
    int64_t rows_b = b->rank == 1 ? b->shape[0] : b->shape[b->rank - 2];
    int64_t columns_b = b->rank == 1 ? 1 : b->shape[b->rank - 1], batches = 1;
    int32_t batch_rank = 0;
    int64_t batch_shape[TSP_MAX_RANK];
    double *block;
    bool inexact = in[0].tolerance || in[1].tolerance || in[2].tolerance || in[3].tolerance;
    p.m = trans_a ? columns_a : rows_a;
    p.k = trans_a ? rows_a : columns_a;
    p.n = node->trans_b ? rows_b : columns_b;
    tsp_broadcast_shape(a->rank < 2 ? 0 : a->rank - 2, a->shape, b->rank < 2 ? 0 : b->rank - 2,
                        b->shape, &batch_rank, batch_shape);
    for (int32_t d = 0; d < batch_rank; d++) batches *= batch_shape[d];
    block = allocate(&p);
    if (!block) return false;
    if (inexact || p.type == TSP_F32 || (p.type == TSP_F16 && p.k > p.tile)) {
        out->tolerance = malloc((size_t)(batches * p.m * p.n) * sizeof(double));
        if (!out->tolerance) {
            free(block);
            return false;
        }
    }
    for (int64_t i = 0; i < batches; i++) {
        View view_a = {batch_start(a, batch_rank, batch_shape, i) * rows_a * columns_a,
                       trans_a ? 1 : columns_a, trans_a ? columns_a : 1};
        View view_b = {batch_start(b, batch_rank, batch_shape, i) * rows_b * columns_b,
                       node->trans_b ? 1 : columns_b, node->trans_b ? columns_b : 1};
        load(&in[0], view_a, integer ? &in[2] : &none, true, p.m, p.k, p.a, p.error_a);
        load(&in[1], view_b, integer ? &in[3] : &none, false, p.k, p.n, p.b, p.error_b);
        multiply(&p, i * p.m * p.n);
    }
    free(block);
    return true;
}
