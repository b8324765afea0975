/* source.c - turns whatever file the user named (graph, assembly, program) into a program. */
#include "cli.h"
#include "compiler/compile.h"
#include "isa/asm.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_extension(const char *path, const char *extension) {
    size_t length = strlen(path), tail = strlen(extension);
    return length > tail && !strcmp(path + length - tail, extension);
}

/* A graph is a JSON object; a program file starts with its own magic, which its reader checks. */
static bool looks_like_json(const char *path, bool *is_json, TspError *err) {
    FILE *file = fopen(path, "rb");
    int c;
    if (!file) return tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot open: %s", path, strerror(errno));
    do c = fgetc(file);
    while (c != EOF && isspace(c));
    fclose(file);
    *is_json = c == '{';
    return true;
}

bool cli_source_kind(const char *path, CliSourceKind *kind, TspError *err) {
    bool is_json = has_extension(path, ".json");
    if (has_extension(path, ".onnx")) return cli_not_modelled(err, ".onnx");
    *kind = CLI_SOURCE_ASSEMBLY;
    if (has_extension(path, ".s")) return true;
    if (!is_json && !looks_like_json(path, &is_json, err)) return false;
    *kind = is_json ? CLI_SOURCE_GRAPH : CLI_SOURCE_PROGRAM;
    return true;
}

static bool same_machine(const TspMachine *a, const TspMachine *b) {
    char *text_a = tsp_machine_json(a, false), *text_b = tsp_machine_json(b, false);
    bool same = text_a && text_b && !strcmp(text_a, text_b);
    free(text_a);
    free(text_b);
    return same;
}

static bool load_graph(CliSource *source, const char *path, const TspMachine *machine,
                       const char *dump_pass, char **dump_text, TspError *err) {
    TspCompileOptions options = {.dump_pass = dump_pass, .dump_text = dump_text};
    if (!tsp_graph_load(&source->graph, path, err)) return false;
    if (tsp_compile(&source->graph, machine, &options, &source->program, err)) return true;
    tsp_graph_free(&source->graph);
    return false;
}

static bool load_assembly(CliSource *source, const char *path, const TspMachine *machine,
                          TspError *err) {
    size_t length;
    char *text = cli_read_file(path, &length, err);
    bool done = text && tsp_assemble(&source->program, machine, text, length, path, err);
    free(text);
    return done;
}

bool cli_source_load(CliSource *source, const char *path, const char *machine_name,
                     const char *dump_pass, char **dump_text, TspError *err) {
    TspMachine machine;
    if (!cli_source_kind(path, &source->kind, err) ||
        !tsp_machine_load(&machine, machine_name ? machine_name : "tsp1", err))
        return false;
    if (source->kind == CLI_SOURCE_GRAPH)
        return load_graph(source, path, &machine, dump_pass, dump_text, err);
    if (source->kind == CLI_SOURCE_ASSEMBLY) return load_assembly(source, path, &machine, err);
    if (!tsp_program_load(&source->program, path, err)) return false;
    if (!machine_name || same_machine(&machine, &source->program.machine)) return true;
    tsp_fail(err, TSP_ERR_INPUT,
             "%s was made for machine %s, which is not the same as --machine %s; leave --machine "
             "out, or compile again for that machine",
             path, source->program.machine.name, machine_name);
    tsp_program_free(&source->program);
    return false;
}

void cli_source_free(CliSource *source) {
    if (source->kind == CLI_SOURCE_GRAPH) tsp_graph_free(&source->graph);
    tsp_program_free(&source->program);
}

void cli_locate_error(const TspProgram *p, TspError *err) {
    const TspInsnDebug *debug;
    char place[400], op[160] = "";
    int32_t line, run;
    size_t length;
    if (err->queue < 0 || err->queue >= TSP_MAX_QUEUES || err->index < 0 ||
        err->index >= p->queues[err->queue].count || !p->queues[err->queue].debug || !p->source)
        return;
    debug = &p->queues[err->queue].debug[err->index];
    line = debug->line;
    run = debug->run[0] >= 0 ? debug->run[0] : debug->run[1];
    if (run >= 0 && run < p->run_count && p->runs[run].op >= 0) {
        const TspOpInfo *info = &p->ops[p->runs[run].op];
        snprintf(op, sizeof op, " (op %s)", info->name);
        if (!line) line = info->line;
    }
    if (!line && !op[0]) return;
    snprintf(place, sizeof place, "%s:%d%s: ", p->source, line, op);
    length = strlen(place);
    memmove(err->text + length, err->text, sizeof err->text - length - 1);
    memcpy(err->text, place, length);
}
