/* number.h - elements of tensors as C numbers: load, store, round; the same bits on every host.
 */
#ifndef TSP_NUMBER_H
#define TSP_NUMBER_H
#include "isa/half.h"
#include "isa/isa.h"

#include <math.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are little-endian in memory");

/* Rounds once, to nearest even, where going through float would round twice. The detour is by
 * rounding to odd: a float whose last bit says "not exact" has bits enough left to decide. */
static inline uint16_t tsp_half_from_double(double value) {
    uint32_t bits = tsp_f32_bits((float)value);
    double back = (double)tsp_f32_from_bits(bits);
    if (back != value && value == value) {
        if (fabs(back) > fabs(value)) bits--; /* towards zero */
        bits |= 1u;
    }
    return tsp_half_from_f32_bits(bits);
}

static inline bool tsp_dtype_is_float(TspDtype type) {
    return type == TSP_F16 || type == TSP_F32;
}

/* Element i of an integer or bool tensor. */
static inline int64_t tsp_load_int(TspDtype type, const uint8_t *data, int64_t i) {
    int16_t i16;
    int32_t i32;
    switch (type) {
    case TSP_I8:
        return (int8_t)data[i];
    case TSP_I16:
        return memcpy(&i16, data + 2 * i, sizeof i16), i16;
    case TSP_I32:
        return memcpy(&i32, data + 4 * i, sizeof i32), i32;
    default:
        return data[i];
    }
}

/* Stores modulo 2^bits; bool stores value != 0. */
static inline void tsp_store_int(TspDtype type, uint8_t *data, int64_t i, int64_t value) {
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (type) {
    case TSP_I16:
        memcpy(data + 2 * i, &u16, sizeof u16);
        break;
    case TSP_I32:
        memcpy(data + 4 * i, &u32, sizeof u32);
        break;
    case TSP_BOOL:
        data[i] = value != 0;
        break;
    default:
        data[i] = (uint8_t)value;
    }
}

/* Element i of a tensor of any type; exact. */
static inline double tsp_load_double(TspDtype type, const uint8_t *data, int64_t i) {
    uint16_t half;
    float single;
    if (type == TSP_F16) return memcpy(&half, data + 2 * i, sizeof half), tsp_half_to_float(half);
    if (type == TSP_F32) return memcpy(&single, data + 4 * i, sizeof single), single;
    return (double)tsp_load_int(type, data, i);
}

/* Stores into a float tensor: rounded once, to nearest even; NaN canonical. */
static inline void tsp_store_float(TspDtype type, uint8_t *data, int64_t i, double value) {
    if (type == TSP_F16) {
        uint16_t half = tsp_half_from_double(value);
        memcpy(data + 2 * i, &half, sizeof half);
    } else {
        uint32_t bits = value == value ? tsp_f32_bits((float)value) : 0x7fc00000u;
        memcpy(data + 4 * i, &bits, sizeof bits);
    }
}

/* Least and greatest value of an integer type or bool. */
static inline int64_t tsp_dtype_least(TspDtype type) {
    return type == TSP_I8    ? INT8_MIN
           : type == TSP_I16 ? INT16_MIN
           : type == TSP_I32 ? INT32_MIN
                             : 0;
}
static inline int64_t tsp_dtype_greatest(TspDtype type) {
    return type == TSP_I8    ? INT8_MAX
           : type == TSP_U8  ? UINT8_MAX
           : type == TSP_I16 ? INT16_MAX
           : type == TSP_I32 ? INT32_MAX
                             : 1;
}

/* What ALUs take a type for. */
static inline TspDtype tsp_alu_type(TspDtype type) {
    return type == TSP_BOOL ? TSP_U8 : type;
}
/* A number as an immediate of the type, rounded. */
static inline uint32_t tsp_immediate(TspDtype type, double value) {
    uint32_t bits = 0;
    if (!tsp_dtype_is_float(type)) return (uint32_t)(int32_t)value;
    tsp_store_float(type, (uint8_t *)&bits, 0, value);
    return bits;
}

#endif
