/* names.c - the table of names, and what may be a name. */
#include "names.h"

#include <stdlib.h>

_Static_assert(NAME_SLOTS == 1 << (64 - 49), "slots are numbered by the top bits of a hash");
_Static_assert(NAME_SLOTS >= 2 * TSP_STATIONS_MAX, "a search ends soon");

Names *names_new(void) {
    return calloc(1, sizeof(Names));
}

/* How long the UTF-8 character at `at` is, given what bytes of it there are; 0 if it is none. The
 * second byte tells overlong forms, surrogates and what is beyond U+10FFFF. */
static int32_t character_bytes(const unsigned char *at, int32_t left) {
    static const struct {
        unsigned char first, last, second_least, second_most;
        int32_t bytes;
    } forms[] = {
        {0x20, 0x7e, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (at[0] < forms[i].first || at[0] > forms[i].last) continue;
        if (forms[i].bytes > left) return 0;
        if (forms[i].bytes > 1 && (at[1] < forms[i].second_least || at[1] > forms[i].second_most))
            return 0;
        for (int32_t k = 2; k < forms[i].bytes; k++)
            if (at[k] < 0x80 || at[k] > 0xbf) return 0;
        return forms[i].bytes;
    }
    return 0;
}

int32_t names_bad_byte(const char *name, int32_t length) {
    for (int32_t at = 0, bytes; at < length; at += bytes) {
        bytes = character_bytes((const unsigned char *)name + at, length - at);
        if (bytes == 0) return at;
    }
    return -1;
}

NameKey names_key(const char *name, int32_t length) {
    char head[KEY_BYTES] = {0};
    NameKey key = {.length = length};
    memcpy(head, name, length < KEY_BYTES ? (size_t)length : KEY_BYTES);
    if (length < KEY_BYTES) head[KEY_BYTES - 1] = (char)(length + 1);
    key.head[0] = names_word(head);
    key.head[1] = names_word(head + 8);
    key.hash = names_mix(key.head[0], key.head[1]);
    for (int32_t at = KEY_BYTES; at < length;
         at += 8) /* the last word may begin in the one before */
        key.hash = names_mix(key.hash, names_word(name + (at + 8 <= length ? at : length - 8)));
    return key;
}

int32_t names_add(Names *names, const char *name, int32_t length, int64_t first) {
    const int32_t id = names->count;
    NameKey key;
    uint64_t at;
    if (length < 1 || length > NAME_MOST || id == TSP_STATIONS_MAX ||
        names_bad_byte(name, length) >= 0)
        return -1;
    key = names_key(name, length);
    at = key.hash >> 49;
    while (names->slot[at].head[1] != 0) at = (at + 1) % NAME_SLOTS;
    names->slot[at] = (NameSlot){{key.head[0], key.head[1]}, length, id};
    memcpy(names->text[id], name, (size_t)length);
    names->text[id][length] = '\0';
    names->length[id] = length;
    names->first[id] = first;
    names->count++;
    return id;
}
