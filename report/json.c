/* json.c - the report as JSON: the same keys always, null where something is not known. */
#include "report_parts.h"

#include <cjson/cJSON.h>

static void add_number(cJSON *object, const char *key, int64_t value) {
    cJSON_AddNumberToObject(object, key, (double)value);
}

static void add_known(cJSON *object, const char *key, bool known, int64_t value) {
    if (known)
        add_number(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_text(cJSON *object, const char *key, const char *text) {
    if (text)
        cJSON_AddStringToObject(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

static cJSON *add_item(cJSON *array) {
    cJSON *item = cJSON_CreateObject();
    cJSON_AddItemToArray(array, item);
    return item;
}

static void add_ops(cJSON *report, const TspReport *r) {
    cJSON *ops = cJSON_AddArrayToObject(report, "ops");
    for (int32_t i = 0; i < r->program->op_count; i++) {
        const TspOpReport *op = &r->ops[i];
        const bool issues = op->start >= 0;
        cJSON *item = add_item(ops), *share;
        char *why = report_op_words(r, i);
        add_text(item, "name", r->program->ops[i].name);
        add_text(item, "op", r->program->ops[i].type);
        add_known(item, "start", issues, op->start);
        add_known(item, "end", issues, op->end);
        add_known(item, "cycles", issues, op->end - op->start);
        add_known(item, "bound", op->bound > 0, op->bound);
        share = cJSON_AddObjectToObject(item, "share");
        for (int k = 0; k < TSP_RESOURCES; k++)
            cJSON_AddNumberToObject(share, tsp_resource_keys[k], op->share[k]);
        add_text(item, "largest", op->largest >= 0 ? tsp_resource_keys[op->largest] : NULL);
        add_text(item, "path", op->path_queue >= 0 ? tsp_hop_keys[op->path_kind] : NULL);
        add_known(item, "path_cycles", op->path_queue >= 0, op->path_cycles);
        add_text(item, "bound_by", why);
        cJSON_free(why);
    }
}

static void add_usage(cJSON *report, const TspReport *r) {
    cJSON *at = cJSON_AddArrayToObject(report, "slot_starts");
    cJSON *usage = cJSON_AddObjectToObject(report, "usage");
    for (int32_t i = 0; i < r->slots; i++)
        cJSON_AddItemToArray(at, cJSON_CreateNumber((double)r->slot_at[i]));
    for (int32_t use = 0; use < r->uses; use++) {
        char key[32], label[32];
        cJSON *item, *slots;
        tsp_report_use_names(r, use, key, label);
        item = cJSON_AddObjectToObject(usage, key);
        add_number(item, "units", r->units[use]);
        add_number(item, "used", r->used[use]);
        cJSON_AddNumberToObject(item, "share",
                                tsp_report_share(r->used[use], r->units[use], r->cycles));
        slots = cJSON_AddArrayToObject(item, "slots");
        for (int32_t i = 0; i < r->slots; i++)
            cJSON_AddItemToArray(slots, cJSON_CreateNumber((double)r->slot_used[use][i]));
    }
}

static void add_idle(cJSON *report, const TspReport *r) {
    cJSON *planes = cJSON_AddArrayToObject(report, "mxm");
    for (int32_t plane = 0; plane < r->planes; plane++) {
        cJSON *item = add_item(planes), *idle;
        char key[32], label[32];
        tsp_report_use_names(r, TSP_USE_PLANES + plane, key, label);
        add_text(item, "plane", key);
        add_number(item, "busy", r->used[TSP_USE_PLANES + plane]);
        idle = cJSON_AddObjectToObject(item, "idle");
        for (int k = 0; k < TSP_IDLE_REASONS; k++)
            add_number(idle, tsp_idle_keys[k], r->idle[plane][k]);
    }
}

static void add_path(cJSON *report, const TspReport *r) {
    cJSON *path;
    if (!r->has_path) {
        cJSON_AddNullToObject(report, "critical_path");
        return;
    }
    path = cJSON_AddArrayToObject(report, "critical_path");
    for (int32_t i = 0; i < r->hop_count; i++) {
        const TspHop *h = &r->hops[i];
        cJSON *item = add_item(path);
        char queue[32];
        tsp_queue_name(&r->program->machine, h->queue, queue);
        add_number(item, "start", h->start);
        add_number(item, "end", h->end);
        add_number(item, "cycles", h->end - h->start);
        add_number(item, "flows", h->steps);
        for (int k = 0; k < TSP_HOP_KINDS; k++) add_number(item, tsp_hop_keys[k], h->cycles[k]);
        add_text(item, "op", h->op >= 0 ? r->program->ops[h->op].name : NULL);
        add_text(item, "queue", queue);
        add_text(item, "after", tsp_wait_keys[h->waited_for]);
    }
}

static void add_memory(cJSON *report, const TspReport *r) {
    const TspMachine *m = &r->program->machine;
    cJSON *memory = cJSON_AddObjectToObject(report, "memory");
    cJSON *banks = cJSON_AddArrayToObject(memory, "bank_bytes"), *tensors;
    for (int32_t i = 0; i < 2 * m->mem_slices * m->mem_banks; i++)
        cJSON_AddItemToArray(banks,
                             cJSON_CreateNumber((double)r->bank_rows[i] * (double)tsp_lanes(m)));
    tensors = cJSON_AddArrayToObject(memory, "tensors");
    for (int32_t i = 0; i < r->program->tensor_count; i++) {
        const TspTensor *t = &r->program->tensors[i];
        cJSON *item = add_item(tensors), *shape;
        add_text(item, "name", t->name);
        add_text(item, "role", report_role(t->role));
        add_text(item, "dtype", tsp_dtype_name(t->dtype));
        shape = cJSON_AddArrayToObject(item, "shape");
        for (int32_t k = 0; k < t->rank; k++)
            cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->shape[k]));
        add_number(item, "slices", r->tensors[i].slices);
        add_number(item, "rows", r->tensors[i].rows);
        add_number(item, "bytes", r->tensors[i].bytes);
    }
}

char *tsp_report_json(const TspReport *r) {
    const TspProgram *p = r->program;
    cJSON *report = cJSON_CreateObject();
    char *text;
    add_text(report, "name", p->name ? p->name : "");
    add_text(report, "machine", p->machine.name);
    add_number(report, "clock_hz", p->machine.clock_hz);
    add_number(report, "cycles", r->cycles);
    add_known(report, "predicted_cycles", p->predicted_cycles >= 0, p->predicted_cycles);
    add_known(report, "bound_cycles", p->bound_cycles > 0, p->bound_cycles);
    add_text(report, "bound_by", p->bound_cycles > 0 ? p->bound_by : NULL);
    add_number(report, "instructions", r->issues);
    add_text(report, "unknown", tsp_report_unknown(r));
    add_ops(report, r);
    add_usage(report, r);
    add_idle(report, r);
    add_path(report, r);
    add_memory(report, r);
    text = cJSON_PrintUnformatted(report);
    cJSON_Delete(report);
    return text;
}
