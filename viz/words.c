/* words.c - how panels write numbers, streams, tensors and places.
 */
#include "words.h"
#include "isa/asm.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *viz_count_text(char text[VIZ_WORDS], int64_t count) {
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    int at = 0;
    for (int i = 0; i < length; i++) {
        const int left = length - i;
        if (left % 3 == 0 && i > 0 && digits[i - 1] != '-') text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

const char *viz_time_text(char text[VIZ_WORDS], const TspMachine *m, double cycles) {
    const double us = fabs(cycles) * tsp_microseconds(m, 1);
    const char *minus = cycles < 0 ? "-" : "";
    if (us >= 999.9995)
        snprintf(text, VIZ_WORDS, "%s%.3f ms", minus, us / 1e3);
    else if (us >= 0.0999995 || us == 0)
        snprintf(text, VIZ_WORDS, "%s%.3f \xc2\xb5s", minus, us);
    else
        snprintf(text, VIZ_WORDS, "%s%.1f ns", minus, us * 1e3);
    return text;
}

const char *viz_bytes_text(char text[VIZ_WORDS], int64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
    double value = (double)bytes;
    int32_t unit = 0;
    for (; value >= 1024 && unit < 3; unit++) value /= 1024;
    if (value >= 100 || value == (double)(int64_t)value)
        snprintf(text, VIZ_WORDS, "%.0f %s", value, units[unit]);
    else
        snprintf(text, VIZ_WORDS, "%.1f %s", value, units[unit]);
    return text;
}

const char *viz_stream_text(char text[VIZ_WORDS], int32_t stream, int32_t count) {
    const int32_t number = TSP_STREAM_NUMBER(stream);
    const char direction = TSP_STREAM_DIRECTION(stream) == TSP_EASTWARD ? 'e' : 'w';
    if (count > 1)
        snprintf(text, VIZ_WORDS, "s%d-%d.%c", number, number + count - 1, direction);
    else
        snprintf(text, VIZ_WORDS, "s%d.%c", number, direction);
    return text;
}

const char *viz_shape_text(char text[VIZ_WORDS], const TspTensor *tensor) {
    size_t at = 0;
    if (tensor->rank == 0) snprintf(text, VIZ_WORDS, "scalar");
    for (int32_t i = 0; i < tensor->rank && at < VIZ_WORDS; i++)
        at += (size_t)snprintf(text + at, VIZ_WORDS - at, "%s%" PRId64, i ? " \xc3\x97 " : "",
                               tensor->shape[i]);
    return text;
}

const char *viz_queue_text(char text[VIZ_WORDS], const TspMachine *m, int32_t queue) {
    char name[32];
    tsp_queue_name(m, queue, name);
    snprintf(text, VIZ_WORDS, "%s", name);
    return text;
}

const char *viz_row_text(char text[VIZ_WORDS], const TspMachine *m, int32_t slice, int32_t row) {
    char name[32];
    tsp_queue_name(m, slice, name);
    snprintf(text, VIZ_WORDS, "%s 0x%04x", name, (unsigned)row);
    return text;
}

const char *viz_issue_text(char text[VIZ_WORDS], const VizRun *run, const VizIssue *issue) {
    const TspInsn insn = viz_issue_insn(&run->timeline, issue);
    tsp_insn_text(run->m, &insn, text, VIZ_WORDS);
    return text;
}

const char *viz_op_text(char text[VIZ_WORDS], const TspProgram *p, int32_t op) {
    if (p->ops[op].name && p->ops[op].name[0])
        snprintf(text, VIZ_WORDS, "%s", p->ops[op].name);
    else
        snprintf(text, VIZ_WORDS, "op %d", op);
    return text;
}

const char *viz_tensor_role_text(TspTensorRole role) {
    static const char *const names[] = {[TSP_ROLE_INPUT] = "input",
                                        [TSP_ROLE_CONSTANT] = "constant",
                                        [TSP_ROLE_OUTPUT] = "output",
                                        [TSP_ROLE_INTERNAL] = "internal"};
    return names[role];
}
