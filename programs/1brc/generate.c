/* generate.c - the program that makes measurements for the challenge, see weather.h.
 *
 * Threads make blocks of rows and write them in turn, so the file does not depend on their number.
 */
#include "weather.h"
#include "programs/whole_number.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_ROWS = 1 << 16, THREADS_MOST = 256, DONE = 0, REFUSED = 2 };

typedef struct {
    int64_t rows, seed, stations, threads;
    const char *output; /* NULL: standard output */
    bool help;
} Options;

typedef struct {
    const Weather *weather;
    int64_t rows;
    int handle;
    pthread_mutex_t mutex;
    pthread_cond_t turned;
    int64_t taken, turn; /* blocks: handed out, written */
    int error;           /* errno of a write or an allocation; all stop */
} Job;

/* -- rows to a file -- */

static int write_all(int handle, const char *text, size_t length) {
    while (length > 0) {
        ssize_t done = write(handle, text, length);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno;
        text += done;
        length -= (size_t)done;
    }
    return 0;
}

/* Makes the block that was handed out and writes it when those before it are written. */
static void do_block(Job *job, int64_t block, char *text) {
    const int64_t first = block * BLOCK_ROWS, left = job->rows - first;
    const size_t length =
        weather_rows(job->weather, first, left < BLOCK_ROWS ? left : BLOCK_ROWS, text);
    pthread_mutex_lock(&job->mutex);
    while (job->turn != block && !job->error) pthread_cond_wait(&job->turned, &job->mutex);
    if (!job->error) job->error = write_all(job->handle, text, length);
    job->turn++;
    pthread_cond_broadcast(&job->turned);
    pthread_mutex_unlock(&job->mutex);
}

/* The next block, -1 if there is nothing left to do. */
static int64_t take_block(Job *job) {
    int64_t block;
    pthread_mutex_lock(&job->mutex);
    block = job->taken * BLOCK_ROWS < job->rows && !job->error ? job->taken++ : -1;
    pthread_mutex_unlock(&job->mutex);
    return block;
}

static void stop(Job *job, int error) {
    pthread_mutex_lock(&job->mutex);
    job->error = error;
    pthread_cond_broadcast(&job->turned);
    pthread_mutex_unlock(&job->mutex);
}

static void *work(void *argument) {
    Job *job = argument;
    char *text = malloc((BLOCK_ROWS + 1) * WEATHER_ROW_BYTES);
    if (!text) stop(job, ENOMEM);
    for (int64_t block; (block = take_block(job)) >= 0;) do_block(job, block, text);
    free(text);
    return NULL;
}

/* Runs the job on as many threads, or as many as the host gives. */
static void run(Job *job, int64_t threads) {
    pthread_t thread[THREADS_MOST];
    int64_t started = 1;
    pthread_mutex_init(&job->mutex, NULL);
    pthread_cond_init(&job->turned, NULL);
    for (; started < threads; started++)
        if (pthread_create(&thread[started], NULL, work, job) != 0) break;
    work(job);
    for (int64_t i = 1; i < started; i++) pthread_join(thread[i], NULL);
    pthread_cond_destroy(&job->turned);
    pthread_mutex_destroy(&job->mutex);
}

static bool fail_write(const char *path, int error, TspError *err) {
    return tsp_fail(err, TSP_ERR_SYSTEM,
                    "%s: cannot write it (%s); check the folder and free space", path,
                    strerror(error));
}

static bool write_stdout(Job *job, const Options *o, TspError *err) {
    job->handle = STDOUT_FILENO;
    run(job, o->threads);
    return job->error == 0 || fail_write("standard output", job->error, err);
}

/* Writes beside the file, then renames. */
static bool write_file(Job *job, const Options *o, TspError *err) {
    const size_t size = strlen(o->output) + sizeof ".tmp";
    char *temporary = malloc(size);
    if (!temporary) return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", o->output);
    snprintf(temporary, size, "%s.tmp", o->output);
    job->handle = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (job->handle < 0) {
        job->error = errno;
    } else {
        run(job, o->threads);
        if (close(job->handle) != 0 && !job->error) job->error = errno;
        if (!job->error && rename(temporary, o->output) != 0) job->error = errno;
        if (job->error) unlink(temporary);
    }
    free(temporary);
    return job->error == 0 || fail_write(o->output, job->error, err);
}

static bool generate(const Options *o, TspError *err) {
    Weather *weather = weather_new((int32_t)o->stations, (uint64_t)o->seed, err);
    Job job = {.weather = weather, .rows = o->rows};
    bool done;
    if (!weather) return false;
    done = o->output ? write_file(&job, o, err) : write_stdout(&job, o, err);
    free(weather);
    return done;
}

/* -- command line -- */

static bool parse_option(int code, const char *bad, Options *o, TspError *err) {
    switch (code) {
    case 's':
        return whole_number("--seed", optarg, 0, INT64_MAX, &o->seed, err);
    case 'n':
        return whole_number("--stations", optarg, 1, TSP_STATIONS_MAX, &o->stations, err);
    case 'j':
        return whole_number("--threads", optarg, 1, THREADS_MOST, &o->threads, err);
    case 'o':
        o->output = optarg;
        return true;
    case 'h':
        return o->help = true;
    case ':':
        return tsp_fail(err, TSP_ERR_INPUT, "%s needs a value; see generate --help", bad);
    default:
        return tsp_fail(err, TSP_ERR_INPUT, "'%s' is not understood; see generate --help", bad);
    }
}

static bool parse(int argc, char **argv, Options *o, TspError *err) {
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},    {"stations", required_argument, NULL, 'n'},
        {"threads", required_argument, NULL, 'j'}, {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, ":s:n:j:o:h", options, NULL)) != -1;)
        if (!parse_option(code, argv[optind - 1], o, err)) return false;
    if (o->help) return true;
    if (optind + 1 != argc)
        return tsp_fail(err, TSP_ERR_INPUT, "expected one number of rows; see generate --help");
    return whole_number("ROWS", argv[optind], 1, INT64_C(1) << 40, &o->rows, err);
}

static void print_usage(void) {
    printf("generate - measurements for the One Billion Row Challenge\n\n"
           "usage: generate ROWS [OPTION]...\n\n"
           "  -o, --output FILE    write here instead of to stdout\n"
           "  -s, --seed N         of the random numbers (default 0)\n"
           "  -n, --stations N     1 to %d (default %d, the cities of stations.def)\n"
           "  -j, --threads N      of the host (default 1); never changes a byte\n"
           "  -h, --help           print this\n",
           TSP_STATIONS_MAX, WEATHER_CITIES);
}

int main(int argc, char **argv) {
    Options options = {.stations = WEATHER_CITIES, .threads = 1};
    TspError err;
    if (!parse(argc, argv, &options, &err) || (!options.help && !generate(&options, &err))) {
        fprintf(stderr, "generate: error: %s\n", err.text);
        return REFUSED;
    }
    if (options.help) print_usage();
    return DONE;
}
