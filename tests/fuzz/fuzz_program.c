/* fuzz_program.c - feeds the program file reader; what it takes is written as bytes that read and
 * write the same again, and can be disassembled or is refused in one line.
 *
 * Version, length and checksum are set right first, else hardly any input would get past them, and
 * none of the corpus once there is another version. */
#include "isa/asm.h"
#include "fuzz.h"

/* docs/program-format.md */
enum { VERSION_AT = 8, VERSION = 4, LENGTH_AT = 16, CHECKSUM_AT = 24, HEADER_BYTES = 32 };

static void store(uint8_t *to, uint64_t value, int32_t bytes) {
    for (int32_t i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t checksum(const uint8_t *bytes, size_t length) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        for (size_t i = 0; i < 8 && at + i < length; i++) word |= (uint64_t)bytes[at + i] << 8 * i;
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 32;
    }
    return hash;
}

static void check_program(const TspProgram *p) {
    size_t length, length_again;
    TspProgram again;
    TspError err = {0};
    uint8_t *bytes = tsp_program_bytes(p, &length);
    FUZZ_CHECK(bytes != NULL);
    FUZZ_CHECK(tsp_program_parse(&again, bytes, length, "again.tsp", &err));
    uint8_t *bytes_again = tsp_program_bytes(&again, &length_again);
    FUZZ_CHECK(bytes_again != NULL && length == length_again);
    FUZZ_CHECK(memcmp(bytes, bytes_again, length) == 0);
    char *text = tsp_disassemble(&again, &err);
    if (!text) fuzz_check_error(&err);
    free(text);
    free(bytes);
    free(bytes_again);
    tsp_program_free(&again);
}

static void check_bytes(const uint8_t *bytes, size_t length) {
    TspProgram p;
    TspError err = {0};
    if (!tsp_program_parse(&p, bytes, length, "fuzz.tsp", &err)) {
        fuzz_check_error(&err);
        return;
    }
    check_program(&p);
    tsp_program_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    enum { MOST_BYTES = 1 << 14 };
    if (length > MOST_BYTES) return 0;
    check_bytes(bytes, length);
    if (length < HEADER_BYTES) return 0;
    uint8_t *sound = malloc(length);
    FUZZ_CHECK(sound != NULL);
    memcpy(sound, bytes, length);
    store(sound + VERSION_AT, VERSION, 4);
    store(sound + LENGTH_AT, length, 8);
    store(sound + CHECKSUM_AT, checksum(sound + HEADER_BYTES, length - HEADER_BYTES), 8);
    if (memcmp(sound, bytes, length) != 0) check_bytes(sound, length);
    free(sound);
    return 0;
}
