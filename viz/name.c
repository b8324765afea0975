/* name.c - things by name: writing, reading, searching; see name.h.
 */
#include "name.h"
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- lists of names -- */

static int32_t op_count(const VizRun *run) {
    return run->program->op_count;
}
static const char *op_name(const VizRun *run, int64_t id) {
    return run->program->ops[id].name;
}
static int32_t tensor_count(const VizRun *run) {
    return run->program->tensor_count;
}
static const char *tensor_name(const VizRun *run, int64_t id) {
    return run->program->tensors[id].name;
}

/* What has a name that the user gave it. */
typedef struct {
    VizKind kind;
    const char *prefix;
    int32_t (*count)(const VizRun *run);
    const char *(*name)(const VizRun *run, int64_t id);
} Named;

static const Named named[] = {
    {VIZ_OP, "op:", op_count, op_name},
    {VIZ_TENSOR, "tensor:", tensor_count, tensor_name},
};
enum { NAMED = sizeof named / sizeof named[0] };

static int32_t first_of_name(const VizRun *run, const Named *list, const char *name) {
    for (int32_t i = 0; i < list->count(run); i++)
        if (!strcmp(list->name(run, i), name)) return i;
    return -1;
}

static void write_named(const VizRun *run, const Named *list, int64_t id, char *name) {
    const char *own;
    if (id < 0 || id >= list->count(run)) return;
    own = list->name(run, id);
    if (own[0] && strlen(own) < VIZ_NAME_MAX - 16 && first_of_name(run, list, own) == id)
        snprintf(name, VIZ_NAME_MAX, "%s%s", list->prefix, own);
    else
        snprintf(name, VIZ_NAME_MAX, "%s#%" PRId64, list->prefix, id);
}

/* -- writing -- */

void viz_thing_name(const VizRun *run, VizThing thing, char name[VIZ_NAME_MAX]) {
    const int64_t rows = tsp_mem_slice_rows(run->m);
    char queue[32], stream[VIZ_WORDS];
    name[0] = 0;
    for (int32_t i = 0; i < NAMED; i++)
        if (named[i].kind == thing.kind) write_named(run, &named[i], thing.id, name);
    switch (thing.kind) {
    case VIZ_QUEUE:
        if (thing.id >= 0 && thing.id < tsp_queue_count(run->m))
            tsp_queue_name(run->m, (int32_t)thing.id, name);
        break;
    case VIZ_BURST:
        snprintf(name, VIZ_NAME_MAX, "burst:%" PRId64, thing.id);
        break;
    case VIZ_ROW:
        tsp_queue_name(run->m, (int32_t)(thing.id / rows), queue);
        snprintf(name, VIZ_NAME_MAX, "row:%s:%" PRId64, queue, thing.id % rows);
        break;
    case VIZ_REGISTER:
        viz_stream_text(stream, (int32_t)(thing.id / TSP_MAX_COLUMNS), 1);
        snprintf(name, VIZ_NAME_MAX, "register:%.16s:%d", stream,
                 (int)(thing.id % TSP_MAX_COLUMNS));
        break;
    case VIZ_CYCLE:
        snprintf(name, VIZ_NAME_MAX, "cycle:%" PRId64, thing.id);
        break;
    default:
        break;
    }
}

/* -- reading -- */

/* A number below `end` that is all of the text. */
static bool read_number(const char *text, int64_t end, int64_t *value) {
    char *rest;
    errno = 0;
    if (*text < '0' || *text > '9') return false;
    *value = strtoll(text, &rest, 10);
    return !errno && !*rest && *value < end;
}

static const char *after(const char *text, const char *prefix) {
    const size_t length = strlen(prefix);
    return strncmp(text, prefix, length) ? NULL : text + length;
}

static bool find_named(const VizRun *run, const Named *list, const char *name, VizThing *thing) {
    *thing = (VizThing){list->kind, first_of_name(run, list, name)};
    return thing->id >= 0 ||
           (name[0] == '#' && read_number(name + 1, list->count(run), &thing->id));
}

/* "mem.e0:12" */
static bool find_row(const VizRun *run, const char *name, VizThing *thing) {
    const char *colon = strrchr(name, ':');
    const int64_t rows = tsp_mem_slice_rows(run->m);
    char queue[32];
    int64_t row;
    int32_t slice;
    if (!colon || colon - name >= (ptrdiff_t)sizeof queue) return false;
    snprintf(queue, sizeof queue, "%.*s", (int)(colon - name), name);
    slice = tsp_queue_find(run->m, queue);
    if (slice < 0 || tsp_queue_info(run->m, slice).unit != TSP_UNIT_MEM) return false;
    if (!read_number(colon + 1, rows, &row)) return false;
    *thing = (VizThing){VIZ_ROW, slice * rows + row};
    return true;
}

/* "s4.e:7" */
static bool find_register(const VizRun *run, const char *name, VizThing *thing) {
    char *rest;
    int64_t number, column;
    if (name[0] != 's' || name[1] < '0' || name[1] > '9') return false;
    number = strtoll(name + 1, &rest, 10);
    if (number >= TSP_MAX_STREAMS / 2 || rest[0] != '.' || (rest[1] != 'e' && rest[1] != 'w') ||
        rest[2] != ':' || !read_number(rest + 3, tsp_columns(run->m), &column))
        return false;
    *thing = (VizThing){
        VIZ_REGISTER, viz_register(TSP_STREAM(rest[1] == 'e' ? TSP_EASTWARD : TSP_WESTWARD, number),
                                   (int32_t)column)};
    return true;
}

bool viz_thing_find(const VizRun *run, const char *name, VizThing *thing, TspError *err) {
    const char *rest;
    int32_t queue;
    bool found = false;
    for (int32_t i = 0; i < NAMED && !found; i++)
        if ((rest = after(name, named[i].prefix)) != NULL)
            found = find_named(run, &named[i], rest, thing);
    if (!found && (rest = after(name, "row:")) != NULL) found = find_row(run, rest, thing);
    if (!found && (rest = after(name, "register:")) != NULL)
        found = find_register(run, rest, thing);
    if (!found && (rest = after(name, "burst:")) != NULL) {
        thing->kind = VIZ_BURST;
        found = read_number(rest, run->timeline.burst_count, &thing->id);
    }
    if (!found && (rest = after(name, "cycle:")) != NULL) {
        thing->kind = VIZ_CYCLE;
        found = read_number(rest, run->timeline.cycles + 1, &thing->id);
    }
    if (!found && (queue = tsp_queue_find(run->m, name)) >= 0) {
        *thing = (VizThing){VIZ_QUEUE, queue};
        found = true;
    }
    return found ||
           tsp_fail(err, TSP_ERR_INPUT,
                    "there is no '%s'; name a queue (mem.w0), op:NAME, tensor:NAME, burst:N, "
                    "row:SLICE:ADDR, register:s4.e:COLUMN or cycle:N",
                    name);
}

/* -- searching -- */

static bool same_letter(char a, char b) {
    if (a >= 'A' && a <= 'Z') a = (char)(a - 'A' + 'a');
    if (b >= 'A' && b <= 'Z') b = (char)(b - 'A' + 'a');
    return a == b;
}

static bool has(const char *name, const char *text) {
    for (; *name; name++) {
        size_t i = 0;
        while (text[i] && name[i] && same_letter(name[i], text[i])) i++;
        if (!text[i]) return true;
    }
    return false;
}

/* Candidate n of all: ops, tensors, queues. */
static VizThing candidate(const VizRun *run, int32_t n) {
    for (int32_t i = 0; i < NAMED; i++) {
        if (n < named[i].count(run)) return (VizThing){named[i].kind, n};
        n -= named[i].count(run);
    }
    return (VizThing){VIZ_QUEUE, n};
}

bool viz_matches(const VizRun *run, VizThing thing, const char *text) {
    char queue[32];
    if (!text[0]) return false;
    for (int32_t i = 0; i < NAMED; i++)
        if (named[i].kind == thing.kind) return has(named[i].name(run, thing.id), text);
    if (thing.kind != VIZ_QUEUE) return false;
    tsp_queue_name(run->m, (int32_t)thing.id, queue);
    return run->timeline.first[thing.id] < run->timeline.first[thing.id + 1] && has(queue, text);
}

bool viz_search(const VizRun *run, const char *text, VizThing from, bool forward, VizThing *found) {
    int32_t count = tsp_queue_count(run->m), start = -1;
    for (int32_t i = 0; i < NAMED; i++) count += named[i].count(run);
    if (!text[0]) return false;
    for (int32_t n = 0; n < count; n++) {
        const VizThing thing = candidate(run, n);
        if (thing.kind == from.kind && thing.id == from.id) start = n;
    }
    if (start < 0) start = forward ? count - 1 : 0;
    for (int32_t n = 1; n <= count; n++) {
        *found = candidate(run, (start + (forward ? n : count - n)) % count);
        if (viz_matches(run, *found, text)) return true;
    }
    return false;
}
