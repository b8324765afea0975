/* whole_number.h - numbers on the command lines of the programs beside tsp.
 */
#ifndef TSP_PROGRAMS_WHOLE_NUMBER_H
#define TSP_PROGRAMS_WHOLE_NUMBER_H
#include "isa/error.h"

#include <errno.h>
#include <stdlib.h>

/* All of `text` as a number from least to most; `what` names it in the error. */
static inline bool whole_number(const char *what, const char *text, int64_t least, int64_t most,
                                int64_t *value, TspError *err) {
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (errno || end == text || *end || *value < least || *value > most)
        return tsp_fail(err, TSP_ERR_INPUT, "%s %s: expected a whole number from %lld to %lld",
                        what, text, (long long)least, (long long)most);
    return true;
}

#endif
