/* line.h - one line of measurements, taken apart eight bytes at a time.
 *
 * Where lines begin is the only thing that a core must wait for, so what leads from one line to the
 * next is short: the ';', the '.', and no branch but on names of more than 15 bytes. Whether the
 * line is a good one is found beside that. Words are little-endian.
 */
#ifndef TSP_1BRC_LINE_H
#define TSP_1BRC_LINE_H
#include "names.h"

enum {
    LINE_MOST = NAME_MOST + 7, /* ";-12.3\n" */
    LINE_AHEAD = 128           /* bytes that must be readable at every line */
};

typedef struct {
    NameKey key;
    int32_t tenths;
    bool good; /* of the temperature and the end of the line: the name is for the table to judge */
    const char *next;
} Line;

/* The top bit of every byte that is a ';', as far as the first: above it bits may be wrong. */
static inline uint64_t line_semicolons(uint64_t word) {
    const uint64_t ones = UINT64_C(0x0101010101010101), other = word ^ ones * ';';
    return (other - ones) & ~other & ones << 7;
}

/* The length of a name with no ';' in its first 16 bytes; more than NAME_MOST if it is too long. */
static inline int32_t line_long_name(const char *at) {
    for (int32_t length = KEY_BYTES; length <= NAME_MOST; length += 8) {
        uint64_t found = line_semicolons(names_word(at + length));
        if (found) return length + __builtin_ctzll(found) / 8;
    }
    return NAME_MOST + 1;
}

/* The key of the name at the beginning of a line. Its length is 0 or more than NAME_MOST if there
 * is none. */
static inline NameKey line_key(const char *at) {
    const uint64_t low = names_word(at), high = names_word(at + 8);
    const uint64_t in_low = line_semicolons(low), in_high = line_semicolons(high);
    /* All ones if the ';' is not in the low word. */
    const uint64_t later = -(uint64_t)(in_low == 0);
    NameKey key;
    if (__builtin_expect((in_low | in_high) == 0, 0)) {
        int32_t length = line_long_name(at);
        if (length <= NAME_MOST) return names_key(at, length);
        return (NameKey){.length = length};
    }
    key.length = (int32_t)((8 & later) + (uint64_t)__builtin_ctzll(in_low | (in_high & later)) / 8);
    key.head[0] = low & (((in_low ^ (in_low - 1)) >> 8) | later);
    key.head[1] = (high & later & (in_high ^ (in_high - 1)) >> 8) | (uint64_t)(key.length + 1)
                                                                        << 56;
    key.hash = names_mix(key.head[0], key.head[1]);
    return key;
}

/* Reads "-12.3\n" and shorter forms behind the ';'. */
static inline void line_temperature(const char *at, Line *line) {
    const uint64_t word = names_word(at), minus = (word & 0xff) == '-';
    /* Bit 4 of a digit is set, that of '.' is not: it is byte 1, 2 or, at the latest, 3. */
    const int32_t dot = __builtin_ctzll((~word & 0x10101000) | 0x10000000);
    uint64_t digits = word >> 8 * minus;
    const uint64_t one = -(uint64_t)((digits >> 8 & 0xff) == '.');
    uint64_t ten;
    digits = (digits & ~one) | ((digits << 8 | '0') & one); /* "12.3\n", "05.3\n" */
    ten = (digits & UINT64_C(0xffffffffff)) ^ UINT64_C(0x0a302e3030);
    line->good = (((ten + UINT64_C(0x0006000606)) | ten) & UINT64_C(0xfff0fff0f0)) == 0;
    line->tenths = (int32_t)(ten * ((100 << 24) + (10 << 16) + 1) >> 24 & 0x3ff);
    line->tenths = (line->tenths ^ -(int32_t)minus) + (int32_t)minus;
    line->next = at + dot / 8 + 3;
}

/* LINE_AHEAD bytes must be readable; a missing last newline must have been put there. */
static inline Line line_take(const char *at) {
    Line line = {.key = line_key(at)};
    line_temperature(at + line.key.length + 1, &line);
    return line;
}

/* Why a line that starts at `at`, with `left` bytes of the file from there on, is a bad one:
 * leaves "PATH:NUMBER: what is wrong; what to do". At least LINE_AHEAD bytes, or all, are there. A
 * good line is one too many: it brings in a station too many. */
bool line_explain(const char *path, int64_t number, const char *at, int64_t left, TspError *err);

#endif
