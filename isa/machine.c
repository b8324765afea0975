/* machine.c - the built-in machines, their JSON form, and who stands in which queue. */
#include "machine.h"
#include "json_where.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    size_t offset;
    int64_t min, max;
    const char *mark, *note;
} MachineField;

static const MachineField fields[] = {
#define FIELD(name, tsp1, tiny, min, max, mark, note)                                              \
    {#name, offsetof(TspMachine, name), min, max, mark, note},
#include "machine.def"
#undef FIELD
};
enum { FIELD_COUNT = (int)(sizeof fields / sizeof fields[0]) };

static const TspMachine builtins[] = {
    {
        "tsp1",
#define FIELD(name, tsp1, tiny, min, max, mark, note) tsp1,
#include "machine.def"
#undef FIELD
    },
    {
        "tiny",
#define FIELD(name, tsp1, tiny, min, max, mark, note) tiny,
#include "machine.def"
#undef FIELD
    },
};
enum { BUILTIN_COUNT = (int)(sizeof builtins / sizeof builtins[0]) };
#define BUILTIN_NAMES "tsp1, tiny" /* for messages */

static int64_t field_get(const TspMachine *m, const MachineField *f) {
    int64_t value;
    memcpy(&value, (const char *)m + f->offset, sizeof value);
    return value;
}

static void field_set(TspMachine *m, const MachineField *f, int64_t value) {
    memcpy((char *)m + f->offset, &value, sizeof value);
}

bool tsp_machine_builtin(TspMachine *m, const char *name) {
    for (int i = 0; i < BUILTIN_COUNT; i++) {
        if (strcmp(builtins[i].name, name) != 0) continue;
        *m = builtins[i];
        return true;
    }
    return false;
}

/* ---- validation ---- */

/* A name is printed, written to JSON and compared: plain characters keep all three trivial. */
static bool name_valid(const char *name) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-";
    size_t length = strnlen(name, sizeof((TspMachine *)0)->name);
    return length > 0 && length < sizeof((TspMachine *)0)->name && strspn(name, plain) == length;
}

bool tsp_machine_validate(const TspMachine *m, TspError *err) {
    if (!name_valid(m->name))
        return tsp_fail(err, TSP_ERR_INPUT,
                        "machine name must be 1 to %zu letters, digits or any of _.+-; rename it",
                        sizeof m->name - 1);
    for (int i = 0; i < FIELD_COUNT; i++) {
        int64_t value = field_get(m, &fields[i]);
        if (value < fields[i].min || value > fields[i].max)
            return tsp_fail(err, TSP_ERR_INPUT,
                            "machine %s: %s is %" PRId64 "; it must be %" PRId64 " to %" PRId64,
                            m->name, fields[i].name, value, fields[i].min, fields[i].max);
    }
    const struct {
        bool ok;
        const char *why;
    } fits[] = {
        {m->lanes_per_superlane <= m->streams,
         "a transpose takes lanes_per_superlane streams; lower it or raise streams"},
        {m->mxm_load_streams <= m->streams,
         "LW takes mxm_load_streams streams; lower it or raise streams"},
        {m->mxm_load_streams <= tsp_lanes(m),
         "mxm_load_streams exceeds the columns of a plane; lower it or raise the lanes"},
        {m->ifetch_bytes % 16 == 0 && m->ifetch_queue_bytes % 16 == 0,
         "ifetch_bytes and ifetch_queue_bytes hold words of 16 bytes; make them multiples of 16"},
        {m->ifetch_bytes <= m->ifetch_queue_bytes,
         "one Ifetch brings more than a queue holds; raise ifetch_queue_bytes"},
        {tsp_ifetch_vectors(m) <= 64,
         "one Ifetch takes more than 64 vectors; lower ifetch_bytes or raise the lanes"},
        {2 * m->sxm_selectors <= m->sxm_shifters,
         "each selector needs a pair of shifters; raise sxm_shifters or lower sxm_selectors"},
        {tsp_columns(m) <= TSP_MAX_COLUMNS,
         "too many stream-register columns; raise mem_slices_per_column"},
        {tsp_queue_count(m) <= TSP_MAX_QUEUES, "too many instruction queues; remove units"},
    };
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++)
        if (!fits[i].ok)
            return tsp_fail(err, TSP_ERR_INPUT, "machine %s: %s", m->name, fits[i].why);
    return true;
}

/* ---- queues ---- */

static const struct {
    TspRole role;
    const char *name;
    size_t count_offset;
} sxm_roles[] = {
    {TSP_ROLE_TRANSPOSE, "transpose", offsetof(TspMachine, sxm_transposers)},
    {TSP_ROLE_DISTRIBUTE, "distribute", offsetof(TspMachine, sxm_distributors)},
    {TSP_ROLE_PERMUTE, "permute", offsetof(TspMachine, sxm_permuters)},
    {TSP_ROLE_SHIFT, "shift", offsetof(TspMachine, sxm_shifters)},
    {TSP_ROLE_SELECT, "select", offsetof(TspMachine, sxm_selectors)},
    {TSP_ROLE_ROTATE, "rotate", offsetof(TspMachine, sxm_rotators)},
};
enum { SXM_ROLES = (int)(sizeof sxm_roles / sizeof sxm_roles[0]), MXM_ROLES = 3 };

static const char *const mxm_role_names[MXM_ROLES] = {"weights", "activations", "results"};
static const char hemisphere_letter[2] = {'w', 'e'};

static int32_t sxm_role_queues(const TspMachine *m, int which) {
    int64_t count;
    memcpy(&count, (const char *)m + sxm_roles[which].count_offset, sizeof count);
    return (int32_t)count;
}

static int32_t sxm_queues(const TspMachine *m) { /* of one hemisphere */
    int32_t sum = 0;
    for (int i = 0; i < SXM_ROLES; i++) sum += sxm_role_queues(m, i);
    return sum;
}

static int32_t first_vxm(const TspMachine *m) {
    return 2 * (int32_t)m->mem_slices;
}
static int32_t first_mxm(const TspMachine *m) {
    return first_vxm(m) + (int32_t)m->vxm_alus;
}
static int32_t first_sxm(const TspMachine *m) {
    return first_mxm(m) + 2 * (int32_t)m->mxm_planes * MXM_ROLES;
}
static int32_t first_c2c(const TspMachine *m) {
    return first_sxm(m) + 2 * sxm_queues(m);
}

int32_t tsp_queue_count(const TspMachine *m) {
    return first_c2c(m) + (int32_t)m->c2c_links;
}

int32_t tsp_queue_vxm(const TspMachine *m, int32_t alu) {
    return first_vxm(m) + alu;
}

int32_t tsp_queue_mxm(const TspMachine *m, TspHemisphere h, int32_t plane, TspRole role) {
    int32_t planes = (int32_t)m->mxm_planes;
    return first_mxm(m) + ((int32_t)h * planes + plane) * MXM_ROLES +
           (int32_t)(role - TSP_ROLE_WEIGHTS);
}

int32_t tsp_queue_sxm(const TspMachine *m, TspHemisphere h, TspRole role, int32_t index) {
    int32_t queue = first_sxm(m) + (int32_t)h * sxm_queues(m);
    for (int i = 0; i < SXM_ROLES && sxm_roles[i].role != role; i++) queue += sxm_role_queues(m, i);
    return queue + index;
}

static TspQueueInfo sxm_info(const TspMachine *m, int32_t rest) {
    int32_t per_side = sxm_queues(m);
    TspHemisphere h = rest < per_side ? TSP_WEST : TSP_EAST;
    int which = 0;
    rest %= per_side;
    while (rest >= sxm_role_queues(m, which)) rest -= sxm_role_queues(m, which++);
    return (TspQueueInfo){TSP_UNIT_SXM, sxm_roles[which].role, h, rest, tsp_sxm_column(m, h)};
}

TspQueueInfo tsp_queue_info(const TspMachine *m, int32_t queue) {
    int32_t vxm = first_vxm(m), mxm = first_mxm(m), sxm = first_sxm(m), c2c = first_c2c(m);
    if (queue < 0 || queue >= tsp_queue_count(m))
        return (TspQueueInfo){TSP_UNIT_ANY, TSP_ROLE_NONE, TSP_WEST, -1, -1};
    if (queue < vxm) {
        TspHemisphere h = tsp_slice_hemisphere(m, queue);
        int32_t index = queue - tsp_slice_id(m, h, 0);
        return (TspQueueInfo){TSP_UNIT_MEM, TSP_ROLE_NONE, h, index, tsp_mem_column(m, h, index)};
    }
    if (queue < mxm)
        return (TspQueueInfo){TSP_UNIT_VXM, TSP_ROLE_NONE, TSP_WEST, queue - vxm,
                              tsp_vxm_column(m)};
    if (queue < sxm) {
        int32_t plane = (queue - mxm) / MXM_ROLES, planes = (int32_t)m->mxm_planes;
        TspHemisphere h = plane < planes ? TSP_WEST : TSP_EAST;
        return (TspQueueInfo){TSP_UNIT_MXM,
                              (TspRole)((int)TSP_ROLE_WEIGHTS + (queue - mxm) % MXM_ROLES), h,
                              plane % planes, tsp_mxm_column(m, h)};
    }
    if (queue < c2c) return sxm_info(m, queue - sxm);
    /* Links tap the SXM columns [A]; we give each side half of them. */
    int32_t link = queue - c2c;
    TspHemisphere h = 2 * link < m->c2c_links ? TSP_WEST : TSP_EAST;
    return (TspQueueInfo){TSP_UNIT_C2C, TSP_ROLE_NONE, h, link, tsp_sxm_column(m, h)};
}

void tsp_queue_name(const TspMachine *m, int32_t queue, char name[32]) {
    TspQueueInfo q = tsp_queue_info(m, queue);
    char side = hemisphere_letter[q.hemisphere];
    switch (q.unit) {
    case TSP_UNIT_ANY:
        snprintf(name, 32, "queue %" PRId32, queue);
        break;
    case TSP_UNIT_MEM:
        snprintf(name, 32, "mem.%c%" PRId32, side, q.index);
        break;
    case TSP_UNIT_VXM:
        snprintf(name, 32, "vxm.%" PRId32, q.index);
        break;
    case TSP_UNIT_MXM:
        snprintf(name, 32, "mxm.%c.%" PRId32 ".%s", side, q.index,
                 mxm_role_names[q.role - TSP_ROLE_WEIGHTS]);
        break;
    case TSP_UNIT_SXM:
        snprintf(name, 32, "sxm.%c.%s.%" PRId32, side, sxm_roles[q.role - TSP_ROLE_TRANSPOSE].name,
                 q.index);
        break;
    case TSP_UNIT_C2C:
        snprintf(name, 32, "c2c.%" PRId32, q.index);
        break;
    }
}

int32_t tsp_queue_find(const TspMachine *m, const char *name) {
    int32_t count = tsp_queue_count(m);
    for (int32_t queue = 0; queue < count; queue++) {
        char candidate[32];
        tsp_queue_name(m, queue, candidate);
        if (strcmp(candidate, name) == 0) return queue;
    }
    return -1;
}

/* ---- JSON ---- */

char *tsp_machine_json(const TspMachine *m, bool notes) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return NULL;
    fprintf(out, "{\n  \"name\": \"%s\"", m->name);
    for (int i = 0; i < FIELD_COUNT; i++) {
        const MachineField *f = &fields[i];
        fprintf(out, notes ? ",\n  \"%s\": {\"value\": %" PRId64 ", " : ",\n  \"%s\": %" PRId64,
                f->name, field_get(m, f));
        if (notes) fprintf(out, "\"mark\": \"%s\", \"note\": \"%s\"}", f->mark, f->note);
    }
    fprintf(out, "\n}\n");
    bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed) return text;
    free(text);
    return NULL;
}

typedef struct {
    const char *text, *origin;
    size_t length;
    const cJSON *root; /* what the text was parsed to, NULL if it was not */
    TspError *err;
} Source;

static bool fail_at(const Source *s, size_t at, const char *what) {
    int32_t line, column;
    tsp_json_position(s->text, s->length, at, &line, &column);
    return tsp_fail(s->err, TSP_ERR_INPUT, "%s:%d:%d: %s", s->origin, (int)line, (int)column, what);
}

/* Fails at an item: at its value, or at its key. */
static bool fail_item(const Source *s, const cJSON *item, bool at_key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool fail_item(const Source *s, const cJSON *item, bool at_key, const char *format, ...) {
    TspJsonPlace place;
    char what[400];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    tsp_json_where(s->text, s->length, s->root, item, at_key, &place);
    return tsp_fail(s->err, TSP_ERR_INPUT, "%s:%d:%d: %s", s->origin, (int)place.line,
                    (int)place.column, what);
}

static const MachineField *find_field(const char *name) {
    for (int i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

static bool parse_member(TspMachine *m, const cJSON *item, const Source *s) {
    const MachineField *f = find_field(item->string);
    double value = item->valuedouble;
    if (strcmp(item->string, "base") == 0) {
        return true; /* read before all others */
    } else if (strcmp(item->string, "name") == 0) {
        if (!cJSON_IsString(item) || strlen(item->valuestring) >= sizeof m->name ||
            !name_valid(item->valuestring))
            return fail_item(s, item, false,
                             "name must be 1 to %zu letters, digits or any of _.+-; rename it",
                             sizeof m->name - 1);
        memset(m->name, 0, sizeof m->name);
        memcpy(m->name, item->valuestring, strlen(item->valuestring));
    } else if (f == NULL) {
        return fail_item(s, item, true,
                         "no machine field is called \"%.60s\"; `tsp info` lists them",
                         item->string);
    } else if (!cJSON_IsNumber(item) || value != floor(value)) {
        return fail_item(s, item, false, "%s must be a whole number", f->name);
    } else if (value < (double)f->min || value > (double)f->max) {
        return fail_item(s, item, false, "%s must be %" PRId64 " to %" PRId64, f->name, f->min,
                         f->max);
    } else {
        field_set(m, f, (int64_t)value);
    }
    return true;
}

static bool parse_base(TspMachine *m, const cJSON *object, const Source *s) {
    tsp_machine_builtin(m, "tsp1");
    for (const cJSON *item = object->child; item != NULL; item = item->next)
        if (strcmp(item->string, "base") == 0 &&
            (!cJSON_IsString(item) || !tsp_machine_builtin(m, item->valuestring)))
            return fail_item(s, item, false, "base must be one of: %s", BUILTIN_NAMES);
    /* A changed chip must not pass for the one it was made from. */
    memset(m->name, 0, sizeof m->name);
    memcpy(m->name, "custom", sizeof "custom");
    return true;
}

static bool parse_object(TspMachine *m, const cJSON *object, const Source *s) {
    if (!cJSON_IsObject(object)) return fail_at(s, 0, "a machine must be a JSON object");
    if (!parse_base(m, object, s)) return false;
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        for (const cJSON *other = object->child; other != item; other = other->next)
            if (strcmp(item->string, other->string) == 0)
                return fail_item(s, item, true, "\"%.60s\" is given twice; keep one", item->string);
        if (!parse_member(m, item, s)) return false;
    }
    if (tsp_machine_validate(m, s->err)) return true;
    TspError cause = *s->err;
    return tsp_fail(s->err, TSP_ERR_INPUT, "%s:1:1: %s", s->origin, cause.text);
}

bool tsp_machine_parse(TspMachine *m, const char *text, size_t length, const char *origin,
                       TspError *err) {
    Source s = {text, origin, length, NULL, err};
    const char *end = text;
    cJSON *object = cJSON_ParseWithLengthOpts(text, length, &end, false);
    size_t at = end == NULL ? 0 : (size_t)(end - text);
    s.root = object;
    if (object == NULL) return fail_at(&s, at, "not valid JSON here");
    while (at < length && strchr(" \t\r\n", text[at]) != NULL && text[at] != '\0') at++;
    bool ok = at == length ? parse_object(m, object, &s)
                           : fail_at(&s, at, "text after the end of the machine; remove it");
    cJSON_Delete(object);
    return ok;
}

bool tsp_machine_load(TspMachine *m, const char *name_or_path, TspError *err) {
    enum { LIMIT_BYTES = 1 << 20 }; /* a machine takes two thousand */
    if (tsp_machine_builtin(m, name_or_path)) return true;
    FILE *file = fopen(name_or_path, "rb");
    if (file == NULL)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: no such machine, and as a file: %s; built-in machines are: %s",
                        name_or_path, strerror(errno), BUILTIN_NAMES);
    char *text = malloc(LIMIT_BYTES);
    size_t length = text == NULL ? 0 : fread(text, 1, LIMIT_BYTES, file);
    bool ok;
    if (text == NULL)
        ok = tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", name_or_path);
    else if (ferror(file))
        ok = tsp_fail(err, TSP_ERR_SYSTEM, "%s: %s", name_or_path, strerror(errno));
    else if (length == LIMIT_BYTES)
        ok = tsp_fail(err, TSP_ERR_INPUT, "%s: too long to be a machine", name_or_path);
    else
        ok = tsp_machine_parse(m, text, length, name_or_path, err);
    free(text);
    fclose(file);
    return ok;
}
