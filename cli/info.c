/* info.c - tsp info: what a machine has, what a program holds, what the instructions do. */
#include "cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* -- a machine -- */
static void print_fields(const TspMachine *m) {
    static const struct {
        const char *name, *mark, *note;
        size_t offset;
    } fields[] = {
#define FIELD(name, tsp1, tiny, min, max, mark, note)                                              \
    {#name, mark, note, offsetof(TspMachine, name)},
#include "isa/machine.def"
#undef FIELD
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        printf("  %-26s %11" PRId64 "  %-2s  %s\n", fields[i].name,
               *(const int64_t *)(const void *)((const char *)m + fields[i].offset), fields[i].mark,
               fields[i].note);
}

/* What follows from the fields. */
static void print_derived(const TspMachine *m) {
    int64_t lanes = tsp_lanes(m), slices = 2 * m->mem_slices, planes = 2 * m->mxm_planes;
    int64_t queues = tsp_queue_count(m) - m->c2c_links;
    int64_t streams_bytes = 2 * m->streams * lanes, sram_bytes = slices * 2 * lanes;
    double macs_per_s = (double)(planes * lanes * lanes) * (double)m->clock_hz;
    printf("\nwhat follows\n");
    printf("  a vector                   %11" PRId64 "  bytes, one a lane\n", lanes);
    printf("  stream-register columns    %11d\n", tsp_columns(m));
    printf("  instruction queues         %11" PRId64 "  and %" PRId64 " for C2C\n", queues,
           m->c2c_links);
    printf("  memory                     %11.3f  MiB\n",
           (double)(slices * tsp_mem_slice_rows(m) * lanes) / 1048576.0);
    printf("  stream bandwidth           %11" PRId64 "  bytes a cycle\n", streams_bytes);
    printf("  memory bandwidth           %11" PRId64 "  bytes a cycle\n", sram_bytes);
    printf("  instruction bandwidth      %11" PRId64 "  bytes a cycle\n",
           queues * (int64_t)sizeof(TspWord));
    printf("  peak int8                  %11.1f  TOPS (two operations a MAC)\n",
           2e-12 * macs_per_s);
    printf("  peak fp16                  %11.1f  TFLOPS\n",
           2e-12 * macs_per_s / (double)(2 * m->mxm_fp16_cycles));
}

static int info_machine(const CliOptions *options) {
    TspMachine m;
    TspError err;
    char *json;
    if (!tsp_machine_load(&m, options->machine ? options->machine : "tsp1", &err))
        return cli_error(&err);
    if (options->json) {
        json = tsp_machine_json(&m, false);
        if (!json)
            tsp_fail(&err, TSP_ERR_SYSTEM, "out of memory");
        else
            fputs(json, stdout);
        free(json);
        return json ? CLI_DONE : cli_error(&err);
    }
    printf("machine %s\n", m.name);
    printf(
        "  marks: S stated by Groq, R remembered, 3P third party, D derived, A our assumption\n");
    print_fields(&m);
    print_derived(&m);
    return CLI_DONE;
}

/* -- a program -- */
static void print_tensors(const TspProgram *p) {
    static const char *const role[] = {"input", "constant", "output", "internal"};
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const TspTensor *t = &p->tensors[i];
        char shape[160];
        cli_shape_text(t->dtype, t->rank, t->shape, shape, sizeof shape);
        printf("  %-9s %-20s %-24s %9" PRId64 " bytes in %d pieces\n", role[t->role], t->name,
               shape, tsp_tensor_bytes(t), t->piece_count);
    }
}

static void print_queues(const TspProgram *p) {
    for (int32_t q = 0; q < tsp_queue_count(&p->machine); q++) {
        char name[32];
        if (!p->queues[q].count) continue;
        tsp_queue_name(&p->machine, q, name);
        printf("  %-20s %7d words\n", name, p->queues[q].count);
    }
}

static int info_program(const CliOptions *options) {
    CliSource source;
    TspError err;
    int64_t words = 0;
    size_t file_bytes;
    uint8_t *bytes;
    if (!cli_source_load(&source, options->operand, options->machine, NULL, NULL, &err))
        return cli_error(&err);
    const TspProgram *p = &source.program;
    bytes = tsp_program_bytes(p, &file_bytes);
    free(bytes);
    for (int32_t q = 0; q < TSP_MAX_QUEUES; q++) words += p->queues[q].count;
    cli_print_outcome(&(CliOutcome){.program = p});
    printf("text         %" PRId64 " words of %zu bytes\n", words, sizeof(TspWord));
    if (bytes) printf("file         %zu bytes\n", file_bytes);
    printf("tensors      %d\n", p->tensor_count);
    print_tensors(p);
    printf("ops          %d\n", p->op_count);
    for (int32_t i = 0; i < p->op_count; i++)
        printf("  %-20s %-16s cycles %" PRId64 " to %" PRId64 "\n", p->ops[i].name, p->ops[i].type,
               p->ops[i].start, p->ops[i].end);
    printf("queues\n");
    print_queues(p);
    cli_source_free(&source);
    return CLI_DONE;
}

int cli_info(const CliOptions *options) {
    TspError err;
    if (options->isa_markdown) {
        char *text = tsp_isa_markdown();
        if (text)
            fputs(text, stdout);
        else
            tsp_fail(&err, TSP_ERR_SYSTEM, "out of memory");
        free(text);
        return text ? CLI_DONE : cli_error(&err);
    }
    if (options->operand && options->json) {
        tsp_fail(&err, TSP_ERR_INPUT, "--json prints a machine; leave out '%s'", options->operand);
        return cli_error(&err);
    }
    return options->operand ? info_program(options) : info_machine(options);
}
