/* weather.c - stations and rows of made-up measurements; see weather.h.
 *
 * The normal distribution is a table for Walker's alias method (Walker, Electronics Letters 10(8),
 * 1974), in integers: a column is taken by 11 random bits, and 29 more choose between the two
 * temperatures that share it. Weights come from a recurrence of products, which every host rounds
 * alike.
 */
#include "weather.h"

#include "names.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TENTHS_MOST = 999,
    SIGMA_TENTHS = 100,
    COLUMN_BITS = 11,
    COLUMNS = 1 << COLUMN_BITS,
    MIDDLE = COLUMNS / 2, /* the column that differs from the mean by 0 */
    SHARE_BITS = 29,
    ROW_PIECE = 16 /* bytes of a name that are copied whether it has them or not */
};

static const uint64_t increment = 0x9e3779b97f4a7c15u;

typedef struct {
    uint32_t below; /* of 2^29: a lesser number takes this column, others `other` */
    int32_t other;
} Column;

typedef struct {
    char text[NAME_MOST + ROW_PIECE]; /* with the ';' */
    int32_t length, mean_tenths;
} Station;

typedef struct {
    char text[8]; /* with the newline */
    int32_t length;
} Number;

struct Weather {
    uint64_t start; /* of the random numbers */
    int32_t stations;
    Column column[COLUMNS];
    Number number[2 * TENTHS_MOST + 1];
    Station station[TSP_STATIONS_MAX];
};

/* Finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* -- the normal distribution -- */

/* exp(-x) of a small x: its series, by additions and products alone. */
static double decay(double x) {
    double sum = 1, term = 1;
    for (int n = 1; n < 20; n++) {
        term = term * -x / n;
        sum += term;
    }
    return sum;
}

/* How often each difference from the mean comes in COLUMNS << SHARE_BITS times. */
static void weigh(uint64_t weight[COLUMNS]) {
    const double once = decay(0.5 / (SIGMA_TENTHS * SIGMA_TENTHS)), twice = once * once;
    double density[MIDDLE], factor = once, total = 1;
    uint64_t left = (uint64_t)COLUMNS << SHARE_BITS;
    density[0] = 1; /* exp(-d^2 / (2 sigma^2)): the exponent grows by 1, 3, 5, ... halves */
    for (int d = 1; d < MIDDLE; d++) {
        density[d] = density[d - 1] * factor;
        factor *= twice;
        total += 2 * density[d];
    }
    weight[0] = 0;
    for (int d = 1; d < MIDDLE; d++) {
        uint64_t part = (uint64_t)(density[d] / total * (double)((uint64_t)COLUMNS << SHARE_BITS));
        weight[MIDDLE + d] = weight[MIDDLE - d] = part;
        left -= 2 * part;
    }
    weight[MIDDLE] = left;
}

/* Fills columns that have too little from those that have too much. */
static void share_columns(Column column[COLUMNS], uint64_t weight[COLUMNS]) {
    const uint64_t full = (uint64_t)1 << SHARE_BITS;
    int32_t poor[COLUMNS], rich[COLUMNS], poors = 0, riches = 0;
    for (int32_t c = 0; c < COLUMNS; c++)
        if (weight[c] < full)
            poor[poors++] = c;
        else
            rich[riches++] = c;
    while (poors > 0) { /* what is missing there is left over here: there is a rich one */
        const int32_t p = poor[--poors], r = rich[riches - 1];
        column[p] = (Column){(uint32_t)weight[p], r};
        weight[r] -= full - weight[p];
        if (weight[r] < full) poor[poors++] = rich[--riches];
    }
    while (riches > 0) {
        const int32_t r = rich[--riches];
        column[r] = (Column){(uint32_t)full, r};
    }
}

/* -- stations -- */

static void place(Weather *w, const char *name, int32_t length, int32_t mean_tenths) {
    Station *s = &w->station[w->stations++];
    memcpy(s->text, name, (size_t)length);
    s->text[length] = ';';
    s->length = length + 1;
    s->mean_tenths = mean_tenths;
}

static void place_cities(Weather *w, int32_t stations, Names *names) {
    static const struct {
        const char *name;
        int32_t mean_tenths;
    } cities[] = {
#define STATION(name, mean) {name, mean},
#include "stations.def"
#undef STATION
    };
    _Static_assert(sizeof cities / sizeof cities[0] == WEATHER_CITIES, "as the header says");
    for (int32_t i = 0; i < WEATHER_CITIES && i < stations; i++) {
        const int32_t length = (int32_t)strlen(cities[i].name);
        names_add(names, cities[i].name, length, i);
        place(w, cities[i].name, length, cities[i].mean_tenths);
    }
}

/* A name of characters of every size, from random numbers that begin at *state. */
static int32_t make_name(char name[NAME_MOST + 4], uint64_t *state) {
    static const char *const letters[] = {"a", "e", "i", "o",  "u", "n", "r", "s", "t", "k",
                                          "l", "-", "'", "B",  "D", "M", "Z", "é", "ü", "ø",
                                          "ž", "Ж", "Ω", "京", "ế", "ᚱ", "𐌰", "𠮷"};
    const uint64_t count = sizeof letters / sizeof letters[0];
    const int32_t wanted = 1 + (int32_t)(mix(*state += increment) % NAME_MOST);
    int32_t length = 0;
    memset(name, 0, NAME_MOST + 4);
    while (length < wanted) {
        const char *letter = letters[mix(*state += increment) % count];
        const int32_t bytes = (int32_t)strlen(letter);
        if (bytes > wanted - length) continue;
        memcpy(name + length, letter, (size_t)bytes);
        length += bytes;
    }
    return length;
}

static void place_others(Weather *w, int32_t stations, Names *names) {
    char name[NAME_MOST + 4];
    uint64_t state = 0;
    while (w->stations < stations) {
        const int32_t length = make_name(name, &state);
        const NameKey key = names_key(name, length);
        if (names_find(names, name, &key) >= 0) continue;
        names_add(names, name, length, w->stations);
        place(w, name, length, (int32_t)(mix(state) % 600) - 200);
    }
}

static void spell_numbers(Number *number) {
    for (int32_t t = -TENTHS_MOST; t <= TENTHS_MOST; t++, number++)
        number->length = snprintf(number->text, sizeof number->text, "%s%d.%d\n", t < 0 ? "-" : "",
                                  abs(t) / 10 % 100, abs(t) % 10);
}

Weather *weather_new(int32_t stations, uint64_t seed, TspError *err) {
    uint64_t weight[COLUMNS];
    Weather *w;
    Names *names;
    if (stations < 1 || stations > TSP_STATIONS_MAX) {
        tsp_fail(err, TSP_ERR_INPUT, "%d stations: there may be 1 to %d", (int)stations,
                 TSP_STATIONS_MAX);
        return NULL;
    }
    w = calloc(1, sizeof *w);
    names = names_new();
    if (!w || !names) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for %d stations", (int)stations);
        free(names);
        free(w);
        return NULL;
    }
    w->start = mix(seed + increment);
    place_cities(w, stations, names);
    place_others(w, stations, names);
    spell_numbers(w->number);
    weigh(weight);
    share_columns(w->column, weight);
    free(names);
    return w;
}

/* -- rows -- */

static int32_t draw_tenths(const Weather *w, const Station *station, uint64_t random) {
    const uint32_t c = random % COLUMNS;
    const uint32_t share = random >> COLUMN_BITS & ((1u << SHARE_BITS) - 1);
    const Column *column = &w->column[c];
    const int32_t taken = share < column->below ? (int32_t)c : column->other;
    const int32_t tenths = station->mean_tenths + taken - MIDDLE;
    return tenths < -TENTHS_MOST ? -TENTHS_MOST : tenths > TENTHS_MOST ? TENTHS_MOST : tenths;
}

size_t weather_rows(const Weather *w, int64_t first, int64_t count, char *text) {
    char *at = text;
    for (int64_t i = first; i < first + count; i++) {
        const uint64_t random = mix(w->start + (uint64_t)i * increment);
        const Station *station = &w->station[(random >> 40) * (uint64_t)w->stations >> 24];
        const Number *number = &w->number[draw_tenths(w, station, random) + TENTHS_MOST];
        memcpy(at, station->text, ROW_PIECE);
        if (station->length > ROW_PIECE)
            memcpy(at + ROW_PIECE, station->text + ROW_PIECE, NAME_MOST + 1 - ROW_PIECE);
        at += station->length;
        memcpy(at, number->text, sizeof number->text);
        at += number->length;
    }
    return (size_t)(at - text);
}
