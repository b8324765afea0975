/* names.h - names of stations by what they begin with: a hash table that costs no branch that a
 * processor would not foresee.
 *
 * A key is a name's first 16 bytes, zeros behind it; byte 15 of a shorter name is its length + 1.
 * No control characters are in the table, so keys of short and of long names differ, whatever
 * bytes are looked for, and nothing equals the key of an empty slot, 0.
 */
#ifndef TSP_1BRC_NAMES_H
#define TSP_1BRC_NAMES_H
#include "measurements.h"

#include <string.h>

enum {
    NAME_MOST = 100, /* bytes */
    KEY_BYTES = 16,
    NAME_SLOTS = 1 << 15
};

typedef struct {
    uint64_t head[2];
    int32_t length;
    uint64_t hash;
} NameKey;

typedef struct {
    uint64_t head[2];
    int32_t length, id;
} NameSlot;

typedef struct {
    NameSlot slot[NAME_SLOTS];
    char text[TSP_STATIONS_MAX][NAME_MOST + 1]; /* by id, NUL-terminated */
    int32_t length[TSP_STATIONS_MAX];
    int64_t first[TSP_STATIONS_MAX]; /* where in the file it was found first */
    int32_t count;                   /* ids are 0 .. count-1, in the order of adding */
} Names;

/* An empty table; NULL without memory. The caller frees. */
Names *names_new(void);

/* The first byte that keeps `name` from being a valid one, by index: no UTF-8, or a control
 * character. -1 if it is valid, as far as that goes. */
int32_t names_bad_byte(const char *name, int32_t length);

/* The key of a name of 1 to 100 bytes. */
NameKey names_key(const char *name, int32_t length);

/* Adds a name that is not there, with where it was found; its id, or -1 if it may not be one or the
 * table is full. */
int32_t names_add(Names *names, const char *name, int32_t length, int64_t first);

static inline uint64_t names_word(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t names_mix(uint64_t a, uint64_t b) {
    return (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xd6e8feb86659fd93);
}

/* The id of a name that is in the table, else -1. */
static inline int32_t names_find(const Names *names, const char *name, const NameKey *key) {
    uint64_t at = key->hash >> 49;
    for (;; at = (at + 1) % NAME_SLOTS) {
        const NameSlot *slot = &names->slot[at];
        if (((slot->head[0] ^ key->head[0]) | (slot->head[1] ^ key->head[1])) == 0 &&
            (key->length < KEY_BYTES ||
             (slot->length == key->length &&
              memcmp(names->text[slot->id], name, (size_t)key->length) == 0)))
            return slot->id;
        if (slot->head[1] == 0) return -1;
    }
}

#endif
