/* support.c - what the commands lean on: error lines, the table of what is not there yet, files. */
#include "cli.h"
#include "isa/half.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cli_error(const TspError *err) {
    static const CliExit code[] = {
        [TSP_OK] = CLI_DONE,
        [TSP_ERR_ILLEGAL] = CLI_FAILED,
        [TSP_ERR_FAULT] = CLI_FAILED,
        [TSP_ERR_INPUT] = CLI_REFUSED,
        [TSP_ERR_NOT_MODELLED] = CLI_REFUSED,
        [TSP_ERR_BUG] = CLI_BUG,
        [TSP_ERR_SYSTEM] = CLI_REFUSED,
    };
    fflush(stdout);
    fprintf(stderr, "tsp: error: %s\n", err->text);
    return (int)code[err->kind];
}

bool cli_not_modelled(TspError *err, const char *key) {
    static const struct {
        const char *key, *what, *instead;
    } table[] = {
        {".onnx", "an .onnx graph", "write the graph as JSON, see docs/graph-format.md"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!strcmp(table[i].key, key))
            return tsp_fail(err, TSP_ERR_NOT_MODELLED, "%s is not modelled yet; %s", table[i].what,
                            table[i].instead);
    return tsp_fail(err, TSP_ERR_BUG, "no such entry among the things not modelled: %s", key);
}

const char *const cli_ifetch[] = {"ideal", "modelled", NULL};

bool cli_choice(const char *option, const char *text, const char *const *choices, int32_t *which,
                TspError *err) {
    char names[128] = "";
    *which = 0;
    for (int32_t i = 0; choices[i]; i++) {
        size_t used = strlen(names);
        if (text && !strcmp(choices[i], text)) *which = i;
        snprintf(names + used, sizeof names - used, "%s%s", used ? " or " : "", choices[i]);
    }
    return !text || !strcmp(choices[*which], text) ||
           tsp_fail(err, TSP_ERR_INPUT, "--%s %s: there is no such choice; it is %s", option, text,
                    names);
}

static bool fail_file(TspError *err, const char *path, const char *verb) {
    return tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot %s: %s", path, verb, strerror(errno));
}

char *cli_read_file(const char *path, size_t *length, TspError *err) {
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 16, used = 0, got;
    char *text = NULL, *more;
    if (!file) {
        fail_file(err, path, "open");
        return NULL;
    }
    do {
        capacity *= 2;
        more = realloc(text, capacity + 1);
        if (!more) {
            tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
            break;
        }
        text = more;
        got = fread(text + used, 1, capacity - used, file);
        used += got;
    } while (used == capacity);
    if (!more || ferror(file)) {
        if (more) fail_file(err, path, "read");
        fclose(file);
        free(text);
        return NULL;
    }
    fclose(file);
    text[used] = 0;
    *length = used;
    return text;
}

bool cli_check_target(const char *path, const char *source, TspError *err) {
    struct stat status, from;
    const char *slash = strrchr(path, '/');
    if (stat(path, &status)) {
        char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        bool there = folder && !stat(folder, &status) && S_ISDIR(status.st_mode);
        free(folder);
        return there ||
               tsp_fail(err, TSP_ERR_INPUT, "%s: there is no such folder to write in", path);
    }
    if (!stat(source, &from) && from.st_dev == status.st_dev && from.st_ino == status.st_ino)
        return tsp_fail(err, TSP_ERR_INPUT, "%s is what is being read; name another file to write",
                        path);
    if (S_ISREG(status.st_mode)) return true;
    return tsp_fail(err, TSP_ERR_INPUT, "%s is not a regular file; name another to write", path);
}

bool cli_write_file(const char *path, const char *text, size_t length, TspError *err) {
    size_t size = strlen(path) + sizeof ".tmp";
    char *temporary = malloc(size);
    FILE *file;
    bool written;
    if (!temporary) return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
    snprintf(temporary, size, "%s.tmp", path);
    file = fopen(temporary, "wb");
    written = file && fwrite(text, 1, length, file) == length;
    if (file && fclose(file)) written = false;
    if (written && rename(temporary, path)) written = false;
    if (!written) {
        fail_file(err, path, "write");
        if (file) unlink(temporary);
    }
    free(temporary);
    return written;
}

bool cli_write_json(const char *path, struct cJSON *json, TspError *err) {
    char *text = cJSON_Print(json);
    const size_t length = text ? strlen(text) : 0;
    bool done;
    cJSON_Delete(json);
    if (!text) return tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
    text[length] = '\n'; /* in place of the zero: the length says where the text ends */
    done = cli_write_file(path, text, length + 1, err);
    cJSON_free(text);
    return done;
}

void cli_shape_text(TspDtype dtype, int32_t rank, const int64_t *shape, char *text, size_t size) {
    int used = snprintf(text, size, "%s [", tsp_dtype_name(dtype));
    for (int32_t i = 0; i < rank && used > 0 && (size_t)used < size; i++)
        used += snprintf(text + used, size - (size_t)used, "%s%lld", i ? ", " : "",
                         (long long)shape[i]);
    if (used > 0 && (size_t)used < size) snprintf(text + used, size - (size_t)used, "]");
}

void cli_element_text(TspDtype dtype, const uint8_t *data, int64_t element, char *text,
                      size_t size) {
    int32_t bytes = tsp_dtype_bytes(dtype);
    uint32_t raw = 0;
    for (int32_t i = 0; i < bytes; i++) raw |= (uint32_t)data[element * bytes + i] << (8 * i);
    switch (dtype) {
    case TSP_I8:
        snprintf(text, size, "%d", (int8_t)raw);
        break;
    case TSP_I16:
        snprintf(text, size, "%d", (int16_t)raw);
        break;
    case TSP_I32:
        snprintf(text, size, "%d", (int32_t)raw);
        break;
    case TSP_F16:
        snprintf(text, size, "%.6g", (double)tsp_half_to_float((uint16_t)raw));
        break;
    case TSP_F32:
        snprintf(text, size, "%.9g", (double)tsp_f32_from_bits(raw));
        break;
    default:
        snprintf(text, size, "%u", raw);
        break;
    }
}
