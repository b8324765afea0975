/* fuzz_machine.c - feeds the machine description reader; what it takes is a valid machine that
 * its own JSON gives again, and whose queues are found by their names. */
#include "isa/machine.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    enum { MOST_BYTES = 1 << 14 };
    TspMachine m, again;
    TspError err = {0};
    if (length > MOST_BYTES) return 0;
    if (!tsp_machine_parse(&m, (const char *)bytes, length, "fuzz.json", &err)) {
        fuzz_check_error(&err);
        return 0;
    }
    FUZZ_CHECK(tsp_machine_validate(&m, &err));
    char *json = tsp_machine_json(&m, false);
    FUZZ_CHECK(json != NULL);
    FUZZ_CHECK(tsp_machine_parse(&again, json, strlen(json), "again.json", &err));
    char *json_again = tsp_machine_json(&again, false);
    FUZZ_CHECK(json_again != NULL && strcmp(json, json_again) == 0);
    free(json);
    free(json_again);
    /* Every queue would take too long; the text's length picks one. */
    char name[32];
    int32_t queue = (int32_t)length % tsp_queue_count(&m);
    tsp_queue_name(&m, queue, name);
    FUZZ_CHECK(tsp_queue_find(&m, name) == queue);
    FUZZ_CHECK(tsp_queue_info(&m, queue).column < tsp_columns(&m));
    return 0;
}
