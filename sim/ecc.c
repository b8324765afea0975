/* ecc.c - the SECDED (137,128) code of superlane words: 9 check bits for up to 16 bytes.
 *
 * A Hsiao code. Bit i of the data adds (exclusive or) column i to the check bits, a 9-bit number of
 * 3 or 5 ones, no two the same; a check bit adds its own power of two. So the code is linear, data
 * of zeros has check bits of zero, and any two columns add up to an even number of ones that is not
 * zero: two wrong bits never look like one.
 */
#include "faults.h"

/* Columns of data bits 0, 1, ...: first the 84 numbers of 3 ones, then 44 of 5. Numbers come with
 * their rotations to the left by 0, 1, ..., 8 bits, the groups ascending by their least number, so
 * that the 9 check bits have equal shares (52 or 53 data bits each). */
#define COLUMNS(BYTE)                                                                              \
    BYTE(0x007, 0x00e, 0x01c, 0x038, 0x070, 0x0e0, 0x1c0, 0x181)                                   \
    BYTE(0x103, 0x00b, 0x016, 0x02c, 0x058, 0x0b0, 0x160, 0x0c1)                                   \
    BYTE(0x182, 0x105, 0x00d, 0x01a, 0x034, 0x068, 0x0d0, 0x1a0)                                   \
    BYTE(0x141, 0x083, 0x106, 0x013, 0x026, 0x04c, 0x098, 0x130)                                   \
    BYTE(0x061, 0x0c2, 0x184, 0x109, 0x015, 0x02a, 0x054, 0x0a8)                                   \
    BYTE(0x150, 0x0a1, 0x142, 0x085, 0x10a, 0x019, 0x032, 0x064)                                   \
    BYTE(0x0c8, 0x190, 0x121, 0x043, 0x086, 0x10c, 0x023, 0x046)                                   \
    BYTE(0x08c, 0x118, 0x031, 0x062, 0x0c4, 0x188, 0x111, 0x025)                                   \
    BYTE(0x04a, 0x094, 0x128, 0x051, 0x0a2, 0x144, 0x089, 0x112)                                   \
    BYTE(0x029, 0x052, 0x0a4, 0x148, 0x091, 0x122, 0x045, 0x08a)                                   \
    BYTE(0x114, 0x049, 0x092, 0x124, 0x01f, 0x03e, 0x07c, 0x0f8)                                   \
    BYTE(0x1f0, 0x1e1, 0x1c3, 0x187, 0x10f, 0x02f, 0x05e, 0x0bc)                                   \
    BYTE(0x178, 0x0f1, 0x1e2, 0x1c5, 0x18b, 0x117, 0x037, 0x06e)                                   \
    BYTE(0x0dc, 0x1b8, 0x171, 0x0e3, 0x1c6, 0x18d, 0x11b, 0x03b)                                   \
    BYTE(0x076, 0x0ec, 0x1d8, 0x1b1, 0x163, 0x0c7, 0x18e, 0x11d)                                   \
    BYTE(0x03d, 0x07a, 0x0f4, 0x1e8, 0x1d1, 0x1a3, 0x147, 0x08f)

#define LIST(a, b, c, d, e, f, g, h) a, b, c, d, e, f, g, h,
static const uint16_t columns[TSP_ECC_DATA_BITS] = {COLUMNS(LIST)};

/* Sums of columns for the 256 values of a byte: x, plus those of the bits that are set. */
#define SUM1(x, a)                   (x), (x) ^ (a)
#define SUM2(x, a, b)                SUM1(x, a), SUM1((x) ^ (b), a)
#define SUM3(x, a, b, c)             SUM2(x, a, b), SUM2((x) ^ (c), a, b)
#define SUM4(x, a, b, c, d)          SUM3(x, a, b, c), SUM3((x) ^ (d), a, b, c)
#define SUM5(x, a, b, c, d, e)       SUM4(x, a, b, c, d), SUM4((x) ^ (e), a, b, c, d)
#define SUM6(x, a, b, c, d, e, f)    SUM5(x, a, b, c, d, e), SUM5((x) ^ (f), a, b, c, d, e)
#define SUM7(x, a, b, c, d, e, f, g) SUM6(x, a, b, c, d, e, f), SUM6((x) ^ (g), a, b, c, d, e, f)
#define SUM8(a, b, c, d, e, f, g, h) {SUM7(0, a, b, c, d, e, f, g), SUM7(h, a, b, c, d, e, f, g)},
static const uint16_t sums[TSP_ECC_DATA_BITS / 8][256] = {COLUMNS(SUM8)};

uint16_t tsp_ecc_encode(const uint8_t *data, int32_t bytes) {
    uint16_t check = 0;
    for (int32_t i = 0; i < bytes; i++) check ^= sums[i][data[i]];
    return check;
}

TspEccVerdict tsp_ecc_check(uint8_t *data, int32_t bytes, uint16_t *check) {
    const uint16_t syndrome = tsp_ecc_encode(data, bytes) ^ *check;
    if (syndrome == 0) return TSP_ECC_CLEAN;
    for (int32_t i = 0; i < TSP_ECC_CHECK_BITS; i++)
        if (syndrome == 1 << i) {
            *check ^= syndrome;
            return TSP_ECC_CORRECTED;
        }
    for (int32_t i = 0; i < 8 * bytes; i++)
        if (syndrome == columns[i]) {
            data[i / 8] ^= (uint8_t)(1 << i % 8);
            return TSP_ECC_CORRECTED;
        }
    return TSP_ECC_UNCORRECTABLE;
}
