/* tour.c - reads the text of a tour; see tour.h. */
#include "tour.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOUR_BYTES_MAX = 1 << 20, WORD_MAX = 200 };

typedef struct {
    VizTour *tour;
    const char *path;
    int32_t line;
    TspError *err;
} Reader;

static bool wrong(const Reader *r, const char *what) {
    return tsp_fail(r->err, TSP_ERR_INPUT, "%s:%d: %s", r->path, (int)r->line, what);
}

static bool no_memory(const Reader *r) {
    return tsp_fail(r->err, TSP_ERR_SYSTEM, "out of memory reading %s", r->path);
}

/* The next word of the line, which moves behind it; empty at the end. */
static void next_word(const char **at, char word[WORD_MAX]) {
    size_t length = 0;
    while (**at == ' ' || **at == '\t') ++*at;
    while (**at && !isspace((unsigned char)**at)) {
        if (length + 1 < WORD_MAX) word[length++] = **at;
        ++*at;
    }
    word[length] = 0;
}

static VizChapter *last_chapter(const Reader *r) {
    return r->tour->chapter_count ? &r->tour->chapters[r->tour->chapter_count - 1] : NULL;
}

static VizStop *last_stop(const Reader *r) {
    VizChapter *chapter = last_chapter(r);
    return chapter && chapter->stop_count ? &chapter->stops[chapter->stop_count - 1] : NULL;
}

/* One more item of `size` at the end of an array, zeroed; NULL without memory. */
static void *append(void **items, int32_t *count, size_t size) {
    char *grown = realloc(*items, ((size_t)*count + 1) * size);
    if (!grown) return NULL;
    *items = grown;
    return memset(grown + (size_t)(*count)++ * size, 0, size);
}

static bool read_program(Reader *r, const char *at) {
    const char *slash = strrchr(r->path, '/');
    const int folder = slash ? (int)(slash + 1 - r->path) : 0;
    VizChapter *chapter;
    char word[WORD_MAX], path[1024], more[WORD_MAX];
    next_word(&at, word);
    next_word(&at, more);
    if (!word[0] || more[0]) return wrong(r, "expected one file after 'program'");
    if (last_chapter(r) && !last_stop(r))
        return wrong(r, "the program before has no stop; add a line 'at CYCLE' below it");
    chapter = append((void **)&r->tour->chapters, &r->tour->chapter_count, sizeof *chapter);
    if (!chapter) return no_memory(r);
    snprintf(path, sizeof path, "%.*s%s", word[0] == '/' ? 0 : folder, r->path, word);
    chapter->program = strdup(path);
    return chapter->program || no_memory(r);
}

static bool read_stop(Reader *r, const char *at) {
    VizChapter *chapter = last_chapter(r);
    VizStop *stop;
    char word[WORD_MAX], value[WORD_MAX], *end;
    long long cycle;
    next_word(&at, word);
    errno = 0;
    cycle = strtoll(word, &end, 10);
    if (!word[0] || *end || errno || cycle < 0) return wrong(r, "expected a cycle after 'at'");
    if (!chapter) return wrong(r, "a line 'program FILE' has to come before the first stop");
    if (last_stop(r) && !last_stop(r)->caption)
        return wrong(r, "the stop before says nothing; put indented text below it");
    stop = append((void **)&chapter->stops, &chapter->stop_count, sizeof *stop);
    if (!stop) return no_memory(r);
    stop->cycle = cycle;
    stop->line = r->line;
    for (next_word(&at, word); word[0]; next_word(&at, word)) {
        char **field = !strcmp(word, "select")  ? &stop->select
                       : !strcmp(word, "zoom")  ? &stop->zoom
                       : !strcmp(word, "panel") ? &stop->panel
                                                : NULL;
        next_word(&at, value);
        if (!field) return wrong(r, "expected select, zoom or panel after the cycle");
        if (!value[0] || *field) return wrong(r, "select, zoom and panel take one value each");
        *field = strdup(value);
        if (!*field) return no_memory(r);
    }
    return true;
}

static bool read_text(Reader *r, const char *at, size_t length) {
    VizStop *stop = last_stop(r);
    const size_t before = stop && stop->caption ? strlen(stop->caption) : 0;
    char *caption;
    if (!stop) return wrong(r, "text belongs below a line 'at CYCLE'");
    caption = realloc(stop->caption, before + length + 2);
    if (!caption) return no_memory(r);
    if (before) caption[before] = ' ';
    memcpy(caption + before + (before > 0), at, length);
    caption[before + (before > 0) + length] = 0;
    stop->caption = caption;
    return true;
}

static bool read_line(Reader *r, const char *line) {
    const char *at = line;
    size_t length = strlen(line);
    char word[WORD_MAX];
    while (length && isspace((unsigned char)line[length - 1])) length--;
    while (*at == ' ' || *at == '\t') at++;
    if (at >= line + length || *line == '#') return true;
    if (at != line) return read_text(r, at, (size_t)(line + length - at));
    next_word(&at, word);
    if (!strcmp(word, "program")) return read_program(r, at);
    if (!strcmp(word, "at")) return read_stop(r, at);
    return wrong(r, "expected 'program FILE', 'at CYCLE ...' or indented text");
}

static bool read_lines(Reader *r, const char *text) {
    while (*text) {
        const size_t length = strcspn(text, "\n");
        char *line = strndup(text, length);
        bool good;
        if (!line) return no_memory(r);
        r->line++;
        good = read_line(r, line);
        free(line);
        if (!good) return false;
        text += length + (text[length] == '\n');
    }
    if (!last_stop(r)) return wrong(r, "no stop here; a tour is 'program FILE', then 'at CYCLE'");
    return last_stop(r)->caption ||
           wrong(r, "the last stop says nothing; put indented text below it");
}

bool viz_tour_parse(VizTour *tour, const char *text, const char *path, TspError *err) {
    Reader r = {.tour = tour, .path = path, .err = err};
    *tour = (VizTour){0};
    if (read_lines(&r, text)) return true;
    viz_tour_free(tour);
    return false;
}

bool viz_tour_read(VizTour *tour, const char *path, TspError *err) {
    FILE *file = fopen(path, "rb");
    char *text = file ? malloc(TOUR_BYTES_MAX + 1) : NULL;
    size_t length = text ? fread(text, 1, TOUR_BYTES_MAX + 1, file) : 0;
    bool good = false;
    *tour = (VizTour){0};
    if (!file) {
        tsp_fail(err, TSP_ERR_INPUT, "cannot open %s: %s", path, strerror(errno));
    } else if (!text) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory reading %s", path);
    } else if (ferror(file)) {
        tsp_fail(err, TSP_ERR_INPUT, "cannot read %s", path);
    } else if (length > TOUR_BYTES_MAX || memchr(text, 0, length)) {
        tsp_fail(err, TSP_ERR_INPUT, "%s: not a tour; it is a text of up to %d bytes", path,
                 (int)TOUR_BYTES_MAX);
    } else {
        text[length] = 0;
        good = viz_tour_parse(tour, text, path, err);
    }
    free(text);
    if (file) fclose(file);
    return good;
}

void viz_tour_free(VizTour *tour) {
    for (int32_t c = 0; c < tour->chapter_count; c++) {
        VizChapter *chapter = &tour->chapters[c];
        for (int32_t i = 0; i < chapter->stop_count; i++) {
            free(chapter->stops[i].select);
            free(chapter->stops[i].zoom);
            free(chapter->stops[i].panel);
            free(chapter->stops[i].caption);
        }
        free(chapter->stops);
        free(chapter->program);
    }
    free(tour->chapters);
    *tour = (VizTour){0};
}
