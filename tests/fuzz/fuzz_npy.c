/* fuzz_npy.c - feeds the .npy reader; what it takes has the size that its shape says. */
#include "compiler/npy.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    enum { MOST_BYTES = 1 << 16 };
    TspDtype dtype;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    uint8_t *data = NULL;
    TspError err = {0};
    if (length > MOST_BYTES) return 0;
    if (!tsp_npy_parse(bytes, length, "fuzz.npy", &dtype, &rank, shape, &data, &err)) {
        fuzz_check_error(&err);
        return 0;
    }
    size_t data_bytes = (size_t)tsp_dtype_bytes(dtype);
    FUZZ_CHECK(rank >= 0 && rank <= TSP_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) {
        FUZZ_CHECK(shape[i] > 0);
        data_bytes *= (size_t)shape[i];
    }
    FUZZ_CHECK(data != NULL && data_bytes < length);
    /* The elements are the end of the file, as they are. */
    FUZZ_CHECK(memcmp(data, bytes + length - data_bytes, data_bytes) == 0);
    free(data);
    return 0;
}
