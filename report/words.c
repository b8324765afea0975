/* words.c - places, shapes and reasons in words, the same in every form of the report. */
#include "report_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *report_role(TspTensorRole role) {
    static const char *const roles[] = {"input", "constant", "output", "internal"};
    return roles[role];
}

void report_shape(const TspTensor *t, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s [", tsp_dtype_name(t->dtype));
    for (int32_t i = 0; i < t->rank && used < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%" PRId64, i ? ", " : "", t->shape[i]);
    if (used < size) snprintf(text + used, size - used, "]");
}

static const char *unit_words(const TspMachine *m, int32_t queue) {
    const TspQueueInfo info = tsp_queue_info(m, queue);
    if (info.unit == TSP_UNIT_MEM) return "MEM";
    if (info.unit == TSP_UNIT_VXM) return "VXM";
    if (info.unit == TSP_UNIT_SXM) return "SXM";
    return info.unit == TSP_UNIT_MXM ? "MXM" : "C2C";
}

void report_place(const TspReport *r, int32_t op, int32_t queue, char *text, size_t size) {
    snprintf(text, size, "%s%s%s", op >= 0 ? r->program->ops[op].name : "", op >= 0 ? ", " : "",
             unit_words(&r->program->machine, queue));
}

char *report_op_words(const TspReport *r, int32_t index) {
    static const char *const kinds[] = {"issuing", "in transit",
                                        "waiting for what queues do not show"};
    const TspOpReport *op = &r->ops[index];
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    if (op->largest < 0)
        fprintf(out, "nothing to do");
    else
        fprintf(out, "%s %.0f %%", tsp_resource_words[op->largest], 100 * op->share[op->largest]);
    if (op->largest >= 0 && op->share[op->largest] < 0.5 && op->path_queue >= 0) {
        char place[96];
        report_place(r, op->path_op == index ? -1 : op->path_op, op->path_queue, place,
                     sizeof place);
        fprintf(out, "; most of its path: %s %s, %" PRId64 " cycles", place, kinds[op->path_kind],
                op->path_cycles);
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}
