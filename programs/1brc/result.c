/* result.c - names and totals to the text of the answer; integers only. */
#include "result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TENTHS_MOST = 999,
    /* "=-12.3/-12.3/-12.3, " is 20 characters; the rest keeps compilers from seeing a cut. */
    NUMBERS_SIZE = 128
};

static bool fit(const TspStationTotals *t) {
    if (t->count == 0) return true;
    return t->count > 0 && t->count <= INT64_C(1) << 52 && t->min >= -TENTHS_MOST &&
           t->max <= TENTHS_MOST && t->min <= t->max && t->count * t->min <= t->sum &&
           t->sum <= t->count * t->max;
}

/* sum / count, halves rounded towards positive infinity: floor of (2 sum + count) / (2 count). */
static int32_t mean_tenths(int64_t sum, int64_t count) {
    int64_t above = 2 * sum + count, below = 2 * count, quotient = above / below;
    return (int32_t)(quotient - (above % below < 0));
}

/* 12.3, -0.4, 0.0 into text; returns its length. */
static size_t print_tenths(char *text, size_t size, int32_t tenths) {
    int32_t magnitude = abs(tenths);
    return (size_t)snprintf(text, size, "%s%d.%d", tenths < 0 ? "-" : "", magnitude / 10,
                            magnitude % 10);
}

static size_t print_totals(char text[NUMBERS_SIZE], const TspStationTotals *t) {
    const int32_t tenths[] = {t->min, mean_tenths(t->sum, t->count), t->max};
    size_t used = 0;
    for (int i = 0; i < 3; i++) {
        text[used++] = i ? '/' : '=';
        used += print_tenths(text + used, NUMBERS_SIZE - used, tenths[i]);
    }
    return used;
}

static void print_all(char *at, const char *const *names, const TspStationTotals *totals,
                      int32_t stations) {
    const char *separator = "{";
    for (int32_t i = 0; i < stations; i++) {
        char numbers[NUMBERS_SIZE];
        size_t length;
        if (totals[i].count == 0) continue;
        length = print_totals(numbers, &totals[i]);
        at = stpcpy(stpcpy(at, separator), names[i]);
        memcpy(at, numbers, length);
        at += length;
        separator = ", ";
    }
    stpcpy(at, *separator == '{' ? "{}\n" : "}\n");
}

char *tsp_result_text(const char *const *names, const TspStationTotals *totals, int32_t stations,
                      TspError *err) {
    size_t size = sizeof "{}\n";
    char *text;
    for (int32_t i = 0; i < stations; i++) {
        if (!fit(&totals[i])) {
            tsp_fail(err, TSP_ERR_BUG, "the totals of station %s do not fit each other", names[i]);
            return NULL;
        }
        size += strlen(names[i]) + sizeof ", =-12.3/-12.3/-12.3";
    }
    text = malloc(size);
    if (!text) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the text of the result");
        return NULL;
    }
    print_all(text, names, totals, stations);
    return text;
}
