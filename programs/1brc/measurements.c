/* measurements.c - both passes over a file of measurements, a chunk a thread at a time.
 *
 * A chunk is `chunk_bytes` bytes of the file; the lines that start in it are its lines. The first
 * pass counts them, so that in the second every thread knows for which rows it reads numbers.
 * Chunks are handed out in the order of the file: those before a chunk with a bad line are done
 * before the pass ends.
 */
#include "measurements.h"

#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 19 };

typedef struct {
    int64_t at;  /* of its first line in the file; that of the next chunk's if it has none */
    int64_t row; /* number of its first line; after the first half of the first pass: how many */
} Chunk;

typedef struct {
    struct TspMeasurements *m;
    pthread_t thread;
    char *buffer; /* chunk_bytes + 1 + 2 * LINE_AHEAD */
    Names *names; /* that it has met; first pass alone */
    int64_t bad;  /* where its first bad line starts, -1: none */
    TspError err; /* TSP_OK or why it could not go on */
} Worker;

typedef struct { /* what tsp_measurements_next has been asked for, and how far chunks are done */
    int64_t row, end;
    uint16_t *station;
    int16_t *tenths;
    int64_t stopped_at; /* in the file, if the last row is not the last of its chunk */
} Block;

struct TspMeasurements {
    char *path;
    int file;
    int64_t bytes, chunk_bytes;
    struct timespec changed; /* when opened: the file's last change */
    int64_t chunks;
    Chunk *chunk; /* chunks + 1: the last is the end of the file */
    int32_t workers;
    Worker *worker;
    _Atomic int64_t next;    /* chunk to be handed out */
    _Atomic int64_t give_up; /* no chunk after this one is worth reading */
    Names *names;            /* the second pass's, by station */
    const char **name;
    int64_t row, at, at_chunk; /* where the next block begins */
    Block block;
    double open_seconds, next_seconds;
};

static double now_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* -- threads -- */

static void give_up(Worker *w, int64_t chunk) {
    int64_t least = atomic_load(&w->m->give_up);
    while (chunk < least && !atomic_compare_exchange_weak(&w->m->give_up, &least, chunk)) continue;
}

static int64_t next_chunk(Worker *w) {
    int64_t chunk = atomic_fetch_add(&w->m->next, 1);
    return chunk < w->m->chunks && chunk <= atomic_load(&w->m->give_up) ? chunk : -1;
}

/* Runs `work` for all workers from chunk `first` on. Where a thread cannot be had the others do
 * its part. False if one of them failed. */
static bool work_together(TspMeasurements *m, void *(*work)(void *worker), int64_t first,
                          TspError *err) {
    int32_t threads = 1;
    atomic_store(&m->next, first);
    atomic_store(&m->give_up, INT64_MAX);
    for (; threads < m->workers; threads++)
        if (pthread_create(&m->worker[threads].thread, NULL, work, &m->worker[threads]) != 0) break;
    work(&m->worker[0]);
    for (int32_t i = 1; i < threads; i++) pthread_join(m->worker[i].thread, NULL);
    for (int32_t i = 0; i < threads; i++) {
        if (m->worker[i].err.kind == TSP_OK) continue;
        *err = m->worker[i].err;
        return false;
    }
    return true;
}

static bool fail_changed(const TspMeasurements *m, TspError *err) {
    return tsp_fail(err, TSP_ERR_INPUT, "%s: the file changed while it was read; start again",
                    m->path);
}

/* As far as the system tells: false is sure, true is not. */
static bool is_as_opened(const TspMeasurements *m) {
    struct stat status;
    return fstat(m->file, &status) == 0 && status.st_size == m->bytes &&
           status.st_mtim.tv_sec == m->changed.tv_sec &&
           status.st_mtim.tv_nsec == m->changed.tv_nsec;
}

/* Reads bytes at .. end of the file, with newlines behind them. */
static bool read_part(Worker *w, int64_t at, int64_t end) {
    char *to = w->buffer;
    while (at < end) {
        ssize_t got = pread(w->m->file, to, (size_t)(end - at), at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return tsp_fail(&w->err, TSP_ERR_SYSTEM, "%s: cannot read it (%s)", w->m->path,
                            strerror(errno));
        if (got == 0) return fail_changed(w->m, &w->err);
        to += got;
        at += got;
    }
    memset(to, '\n', LINE_AHEAD);
    return true;
}

/* -- first pass -- */

/* Takes the lines that start before `end`; how many. The buffer begins at `origin` of the file. */
static int64_t check_lines(Worker *w, const char *at, const char *end, int64_t origin) {
    Names *names = w->names;
    int64_t rows = 0;
    for (; at < end; rows++) {
        const Line line = line_take(at);
        if (!line.good || (names_find(names, at, &line.key) < 0 &&
                           names_add(names, at, line.key.length, origin + (at - w->buffer)) < 0)) {
            w->bad = origin + (at - w->buffer);
            break;
        }
        at = line.next;
    }
    return rows;
}

static bool check_chunk(Worker *w, int64_t number) {
    const TspMeasurements *m = w->m;
    const int64_t from = number * m->chunk_bytes - (number > 0),
                  limit = (number + 1) * m->chunk_bytes;
    const int64_t end = limit < m->bytes ? limit : m->bytes;
    const int64_t last = end + LINE_AHEAD < m->bytes ? end + LINE_AHEAD : m->bytes;
    const char *at = w->buffer, *stop = w->buffer + (end - from);
    Chunk *chunk = &m->chunk[number];
    if (!read_part(w, from, last)) return false;
    if (number > 0) { /* what was begun before is another chunk's */
        at = memchr(at, '\n', (size_t)(stop - at));
        at = at ? at + 1 : stop;
    }
    chunk->at = from + (at - w->buffer);
    chunk->row = check_lines(w, at, stop, from);
    return w->bad < 0;
}

static void *check_part(void *worker) {
    Worker *w = worker;
    for (int64_t number; (number = next_chunk(w)) >= 0;)
        if (!check_chunk(w, number)) give_up(w, number);
    return NULL;
}

/* Counts of lines to numbers of first lines; chunks without a line point at the next line. */
static void number_rows(TspMeasurements *m) {
    int64_t row = 0;
    for (int64_t i = 0; i < m->chunks; i++) {
        int64_t rows = m->chunk[i].row;
        m->chunk[i].row = row;
        row += rows;
    }
    m->chunk[m->chunks] = (Chunk){m->bytes, row};
    for (int64_t i = m->chunks - 1; i >= 0; i--)
        if (m->chunk[i].row == m->chunk[i + 1].row) m->chunk[i].at = m->chunk[i + 1].at;
}

/* -- names of all workers -- */

typedef struct {
    const char *text;
    int32_t length;
    int64_t first;
} Found;

static int by_name(const void *a, const void *b) {
    const Found *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->first > y->first) - (x->first < y->first);
}

static int by_first(const void *a, const void *b) {
    const Found *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* All names that workers have met, once each, by their bytes; `found` has room for all. */
static int32_t gather_names(const TspMeasurements *m, Found *found) {
    int32_t all = 0, count = 0;
    for (int32_t i = 0; i < m->workers; i++) {
        const Names *names = m->worker[i].names;
        for (int32_t id = 0; id < names->count; id++)
            found[all++] = (Found){names->text[id], names->length[id], names->first[id]};
    }
    qsort(found, (size_t)all, sizeof *found, by_name);
    for (int32_t i = 0; i < all; i++)
        if (count == 0 || strcmp(found[i].text, found[count - 1].text) != 0)
            found[count++] = found[i];
    return count;
}

/* Where the first bad line of the file starts, -1 if there is none. */
static int64_t first_bad(const TspMeasurements *m, Found *found, int32_t count) {
    int64_t bad = -1;
    for (int32_t i = 0; i < m->workers; i++)
        if (m->worker[i].bad >= 0 && (bad < 0 || m->worker[i].bad < bad)) bad = m->worker[i].bad;
    if (count > TSP_STATIONS_MAX) {
        qsort(found, (size_t)count, sizeof *found, by_first);
        if (bad < 0 || found[TSP_STATIONS_MAX].first < bad) bad = found[TSP_STATIONS_MAX].first;
    }
    return bad;
}

/* Finds the number of the line that starts at `bad` and says what is wrong with it. */
static bool explain_bad(TspMeasurements *m, int64_t bad, TspError *err) {
    Worker *w = &m->worker[0];
    const int64_t number = bad / m->chunk_bytes;
    int64_t at = m->chunk[number].at, line = 1, end;
    for (int64_t i = 0; i < number; i++) line += m->chunk[i].row;
    w->err = (TspError){.kind = TSP_OK};
    if (!read_part(w, at, bad)) {
        *err = w->err;
        return false;
    }
    for (const char *c = w->buffer; c < w->buffer + (bad - at); c++) line += *c == '\n';
    end = m->bytes - bad < LINE_AHEAD ? m->bytes : bad + LINE_AHEAD;
    if (!read_part(w, bad, end)) {
        *err = w->err;
        return false;
    }
    return line_explain(m->path, line, w->buffer, end - bad, err);
}

static bool number_stations(TspMeasurements *m, const Found *found, int32_t count, TspError *err) {
    m->names = names_new();
    m->name = calloc((size_t)count, sizeof *m->name);
    if (!m->names || !m->name) return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", m->path);
    for (int32_t i = 0; i < count; i++) {
        int32_t id = names_add(m->names, found[i].text, found[i].length, found[i].first);
        m->name[i] = m->names->text[id];
    }
    return true;
}

static bool merge(TspMeasurements *m, TspError *err) {
    size_t all = 1;
    int32_t count;
    Found *found;
    int64_t bad;
    bool ok;
    for (int32_t i = 0; i < m->workers; i++) all += (size_t)m->worker[i].names->count;
    found = calloc(all, sizeof *found);
    if (!found) return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", m->path);
    count = gather_names(m, found);
    bad = first_bad(m, found, count);
    ok = bad < 0 ? number_stations(m, found, count, err) : explain_bad(m, bad, err);
    free(found);
    if (ok) number_rows(m);
    return ok;
}

/* -- open and close -- */

static bool open_file(TspMeasurements *m, TspError *err) {
    struct stat status;
    m->file = open(m->path, O_RDONLY | O_CLOEXEC);
    if (m->file < 0)
        return tsp_fail(err, TSP_ERR_INPUT, "%s: cannot open it (%s); check the name", m->path,
                        strerror(errno));
    if (fstat(m->file, &status) != 0 || !S_ISREG(status.st_mode))
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: not a regular file; it is read twice, so give a file", m->path);
    if (status.st_size == 0)
        return tsp_fail(err, TSP_ERR_INPUT, "%s:1: the file is empty; expected NAME;TEMPERATURE",
                        m->path);
    m->bytes = status.st_size;
    m->changed = status.st_mtim;
    posix_fadvise(m->file, 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

static bool make_room(TspMeasurements *m, TspError *err) {
    bool room;
    m->chunks = (m->bytes + m->chunk_bytes - 1) / m->chunk_bytes;
    m->chunk = calloc((size_t)m->chunks + 1, sizeof *m->chunk);
    m->worker = calloc((size_t)m->workers, sizeof *m->worker);
    room = m->chunk && m->worker;
    for (int32_t i = 0; room && i < m->workers; i++) {
        Worker *w = &m->worker[i];
        *w = (Worker){.m = m, .bad = -1, .names = names_new()};
        w->buffer = malloc((size_t)m->chunk_bytes + 1 + 2 * LINE_AHEAD);
        room = w->names && w->buffer;
    }
    return room || tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", m->path);
}

static void forget_worker_names(TspMeasurements *m) {
    for (int32_t i = 0; m->worker && i < m->workers; i++) {
        free(m->worker[i].names);
        m->worker[i].names = NULL;
    }
}

TspMeasurements *tsp_measurements_open(const char *path, const TspMeasurementsOptions *options,
                                       TspError *err) {
    const double start = now_seconds();
    TspMeasurements *m = calloc(1, sizeof *m);
    if (m) *m = (TspMeasurements){.path = strdup(path), .file = -1};
    if (!m || !m->path) {
        tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
        free(m);
        return NULL;
    }
    m->workers = options->threads > 0 ? options->threads : 1;
    m->chunk_bytes = options->chunk_bytes > 0 ? options->chunk_bytes : CHUNK_BYTES;
    if (!open_file(m, err) || !make_room(m, err) || !work_together(m, check_part, 0, err) ||
        !merge(m, err)) {
        tsp_measurements_close(m);
        return NULL;
    }
    forget_worker_names(m);
    m->open_seconds = now_seconds() - start;
    return m;
}

void tsp_measurements_close(TspMeasurements *m) {
    if (!m) return;
    forget_worker_names(m);
    for (int32_t i = 0; m->worker && i < m->workers; i++) free(m->worker[i].buffer);
    if (m->file >= 0) close(m->file);
    free(m->worker);
    free(m->chunk);
    free(m->names);
    free(m->name);
    free(m->path);
    free(m);
}

int64_t tsp_measurements_rows(const TspMeasurements *m) {
    return m->chunk[m->chunks].row;
}

int32_t tsp_measurements_stations(const TspMeasurements *m) {
    return m->names->count;
}

const char *const *tsp_measurements_names(const TspMeasurements *m) {
    return m->name;
}

double tsp_measurements_open_seconds(const TspMeasurements *m) {
    return m->open_seconds;
}

double tsp_measurements_next_seconds(const TspMeasurements *m) {
    return m->next_seconds;
}

/* -- second pass -- */

/* Numbers of `rows` lines from the start of the buffer; where the next line starts, NULL if one of
 * them is not what it was. */
static const char *take_lines(const Worker *w, int64_t rows, uint16_t *station, int16_t *tenths) {
    const Names *names = w->m->names;
    const char *at = w->buffer;
    for (int64_t i = 0; i < rows; i++) {
        const Line line = line_take(at);
        const int32_t id = names_find(names, at, &line.key);
        if (!line.good || id < 0) return NULL;
        station[i] = (uint16_t)id;
        tenths[i] = (int16_t)line.tenths;
        at = line.next;
    }
    return at;
}

/* The rows of a chunk that are in the block. */
static bool take_chunk(Worker *w, int64_t number) {
    TspMeasurements *m = w->m;
    Block *block = &m->block;
    const Chunk *chunk = &m->chunk[number];
    const bool resumed = number == m->at_chunk, whole = chunk[1].row <= block->end;
    const int64_t from = resumed ? m->at : chunk->at, row = resumed ? block->row : chunk->row;
    const int64_t rows = (whole ? chunk[1].row : block->end) - row;
    const int64_t most = from + rows * LINE_MOST; /* what these rows can take */
    const int64_t end = most < chunk[1].at ? most : chunk[1].at;
    const char *at;
    int64_t stop;
    if (!read_part(w, from, end)) return false;
    at = take_lines(w, rows, block->station + (row - block->row),
                    block->tenths + (row - block->row));
    if (!at) return fail_changed(m, &w->err);
    if (!whole) block->stopped_at = from + (at - w->buffer);
    /* The newline that the last line may lack is not in the file. */
    stop = from + (at - w->buffer);
    return !whole || stop == chunk[1].at || (chunk[1].at == m->bytes && stop == m->bytes + 1) ||
           fail_changed(m, &w->err);
}

static void *take_part(void *worker) {
    Worker *w = worker;
    for (int64_t number; (number = next_chunk(w)) >= 0;) {
        if (w->m->chunk[number].row >= w->m->block.end) break;
        if (!take_chunk(w, number)) give_up(w, number);
    }
    return NULL;
}

int64_t tsp_measurements_next(TspMeasurements *m, int64_t rows, uint16_t *station, int16_t *tenths,
                              TspError *err) {
    const double start = now_seconds();
    const int64_t left = tsp_measurements_rows(m) - m->row;
    if (rows > left) rows = left;
    if (rows <= 0) return 0;
    m->block = (Block){m->row, m->row + rows, station, tenths, 0};
    if (m->row == 0) m->at = m->chunk[0].at;
    if (!work_together(m, take_part, m->at_chunk, err)) return -1;
    if (!is_as_opened(m)) {
        fail_changed(m, err);
        return -1;
    }
    m->row += rows;
    while (m->at_chunk < m->chunks && m->chunk[m->at_chunk + 1].row <= m->row) m->at_chunk++;
    m->at = m->row == m->chunk[m->at_chunk].row ? m->chunk[m->at_chunk].at : m->block.stopped_at;
    m->next_seconds += now_seconds() - start;
    return rows;
}
