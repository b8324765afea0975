/* inputs.c - what a simulator is given before cycle 0: files, or random values from a seed. */
#include "cli.h"
#include "compiler/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int32_t cli_find_tensor(const TspProgram *p, const char *name, TspTensorRole role) {
    for (int32_t i = 0; i < p->tensor_count; i++)
        if (p->tensors[i].role == role && !strcmp(p->tensors[i].name, name)) return i;
    return -1;
}

bool cli_check_bindings(const TspProgram *p, const CliBindings *bindings, TspTensorRole role,
                        const char *what, TspError *err) {
    for (int32_t i = 0; i < bindings->count; i++) {
        char names[256] = "";
        if (cli_find_tensor(p, bindings->list[i].name, role) >= 0) continue;
        for (int32_t t = 0; t < p->tensor_count; t++) {
            size_t used = strlen(names);
            if (p->tensors[t].role == role)
                snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                         p->tensors[t].name);
        }
        return tsp_fail(err, TSP_ERR_INPUT, "--%s %s=%s: there is no %s '%s'; it has: %s", what,
                        bindings->list[i].name, bindings->list[i].path, what,
                        bindings->list[i].name, names[0] ? names : "none");
    }
    return true;
}

static bool load_input(const TspTensor *t, const char *path, uint8_t **data, TspError *err) {
    TspDtype dtype;
    int32_t rank;
    int64_t shape[TSP_MAX_RANK];
    char want[160], found[160];
    if (!tsp_npy_load(path, &dtype, &rank, shape, data, err)) return false;
    if (dtype == t->dtype && rank == t->rank &&
        !memcmp(shape, t->shape, (size_t)rank * sizeof shape[0]))
        return true;
    cli_shape_text(t->dtype, t->rank, t->shape, want, sizeof want);
    cli_shape_text(dtype, rank, shape, found, sizeof found);
    return tsp_fail(err, TSP_ERR_INPUT,
                    "%s: input '%s' must be %s, the file has %s; convert or reshape it", path,
                    t->name, want, found);
}

static void random_input(const TspTensor *t, uint64_t seed, uint8_t *data) {
    static const struct {
        double low, high;
    } range[TSP_DTYPE_COUNT] = {
        [TSP_I8] = {-128, 127},    [TSP_U8] = {0, 255}, [TSP_I16] = {-1000, 1000},
        [TSP_I32] = {-1000, 1000}, [TSP_F16] = {-1, 1}, [TSP_F32] = {-1, 1},
        [TSP_BOOL] = {0, 1},
    };
    tsp_random_fill(data, t->dtype, tsp_tensor_elements(t), seed,
                    t->bounded ? t->low : range[t->dtype].low,
                    t->bounded ? t->high : range[t->dtype].high);
}

uint8_t *cli_new_data(const TspTensor *t, TspError *err) {
    int64_t bytes = tsp_tensor_bytes(t);
    uint8_t *data = calloc(bytes ? (size_t)bytes : 1, 1);
    if (!data)
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for tensor '%s' (%lld bytes)", t->name,
                 (long long)bytes);
    return data;
}

static bool fill_input(const TspTensor *t, const CliBindings *inputs, uint64_t seed, uint8_t **data,
                       TspError *err) {
    for (int32_t k = 0; k < inputs->count; k++)
        if (!strcmp(inputs->list[k].name, t->name))
            return load_input(t, inputs->list[k].path, data, err);
    *data = cli_new_data(t, err);
    if (!*data) return false;
    random_input(t, seed, *data);
    return true;
}

bool cli_fill_inputs(const TspProgram *p, TspSim *sim, const CliBindings *inputs, int64_t seed,
                     uint8_t **data, TspError *err) {
    uint64_t next = (uint64_t)seed;
    for (int32_t i = 0; i < p->tensor_count; i++) {
        uint8_t *own = NULL, **bytes = data ? &data[i] : &own;
        bool done;
        if (p->tensors[i].role != TSP_ROLE_INPUT) continue;
        done = fill_input(&p->tensors[i], inputs, next++, bytes, err) &&
               tsp_sim_write_tensor(sim, i, *bytes, err);
        free(own);
        if (!done) return false;
    }
    return true;
}
