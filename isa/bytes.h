/* bytes.h - integers, strings and arrays to and from the bytes of a program file.
 *
 * Both sides keep going after a failure and do no harm: a Writer drops what comes, a Reader gives
 * the least legal value. The caller looks at `failed` where it is convenient. All little-endian.
 */
#ifndef TSP_BYTES_H
#define TSP_BYTES_H
#include "error.h"

#include <stddef.h>

typedef struct {
    uint8_t *bytes; /* malloc'ed; the caller frees */
    size_t length, capacity;
    bool failed; /* out of memory */
} Writer;

/* `count` bytes of a little-endian number, 8 at most. */
void bytes_store(uint8_t *at, uint64_t value, int count);
uint64_t bytes_fetch(const uint8_t *at, int count);

void bytes_put(Writer *w, const void *bytes, size_t length);
void bytes_put_fixed(Writer *w, uint64_t value, int count);
/* LEB128 of the zigzag: small magnitudes of either sign take one byte. */
void bytes_put_int(Writer *w, int64_t value);
/* Length, then the characters; NULL is the length -1. */
void bytes_put_string(Writer *w, const char *text);

typedef struct {
    const uint8_t *bytes;
    size_t at, end; /* end of what may be read now */
    const char *origin;
    TspError *err; /* the first cause, by its offset */
    bool failed;
} Reader;

/* Fails the reader: at that offset, `what` was found. Only the first call counts. */
void bytes_refuse(Reader *r, size_t at, const char *what);
/* The next `length` bytes, still owned by the reader; NULL after a failure. */
const uint8_t *bytes_get(Reader *r, size_t length);
/* An integer of min .. max; anything else is refused as `what`, and min returned. */
int64_t bytes_get_int(Reader *r, int64_t min, int64_t max, const char *what);
int32_t bytes_get_int32(Reader *r, int32_t min, int32_t max, const char *what);
/* The next of a sequence that is stored as differences. */
int32_t bytes_get_next(Reader *r, int32_t last, int32_t min, int32_t max, const char *what);
/* How many items follow; each takes at least item_bytes, so a false count cannot make the caller
 * allocate much more than the file is long. */
int32_t bytes_get_count(Reader *r, size_t item_bytes, const char *what);
/* Zeroed memory for items, the caller frees; NULL for none or after a failure. */
void *bytes_get_array(Reader *r, int32_t count, size_t item_bytes);
/* The caller frees; NULL if NULL was written or after a failure. */
char *bytes_get_string(Reader *r, const char *what);

#endif
