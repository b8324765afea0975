/* build.c - tsp compile, check, asm and disasm: from one form of a program to another. */
#include "cli.h"
#include "compiler/compile.h"
#include "compiler/verify.h"
#include "isa/asm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool check_pass(const char *pass, TspError *err) {
    char names[256] = "";
    for (const char *const *p = tsp_compile_passes; *p; p++) {
        size_t used = strlen(names);
        if (!strcmp(*p, pass)) return true;
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", *p);
    }
    return tsp_fail(err, TSP_ERR_INPUT, "--dump=%s: there is no such pass; the passes are %s", pass,
                    names);
}

static bool check_compile_usage(const CliOptions *options, TspError *err) {
    CliSourceKind kind;
    if (!options->output && !options->dump && !options->report)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "tsp compile would write nothing; give -o PROGRAM, --dump=PASS or "
                        "--report FILE.json");
    if (options->dump && !check_pass(options->dump, err)) return false;
    if (options->output && !cli_check_target(options->output, options->operand, err)) return false;
    if (options->report && !cli_check_target(options->report, options->operand, err)) return false;
    if (!cli_source_kind(options->operand, &kind, err)) return false;
    return kind == CLI_SOURCE_GRAPH ||
           tsp_fail(err, TSP_ERR_INPUT, "%s is not a graph; tsp compile takes a .json file",
                    options->operand);
}

int cli_compile(const CliOptions *options) {
    CliSource source;
    TspError err;
    char *dump = NULL;
    bool done;
    if (!check_compile_usage(options, &err) ||
        !cli_source_load(&source, options->operand, options->machine, options->dump,
                         options->dump ? &dump : NULL, &err))
        return cli_error(&err);
    done = (!options->output || tsp_program_save(&source.program, options->output, &err)) &&
           (!options->report ||
            cli_report_write(&(CliOutcome){.program = &source.program}, options->report, &err));
    if (done && dump)
        fputs(dump, stdout);
    else if (done)
        cli_print_outcome(&(CliOutcome){.program = &source.program});
    free(dump);
    cli_source_free(&source);
    return done ? CLI_DONE : cli_error(&err);
}

int cli_check(const CliOptions *options) {
    CliSource source;
    TspProof proof = {0};
    TspError err;
    int32_t ifetch;
    bool legal;
    if (!cli_choice("ifetch", options->ifetch, cli_ifetch, &ifetch, &err) ||
        !cli_source_load(&source, options->operand, options->machine, NULL, NULL, &err))
        return cli_error(&err);
    legal = tsp_verify(&source.program, &(TspVerifyOptions){.ifetch_modelled = ifetch == 1}, &proof,
                       &err);
    if (!legal) cli_locate_error(&source.program, &err);
    if (legal)
        printf("%s is legal on %s\n"
               "  %" PRId64 " instructions over %" PRId64 " cycles issue without overlap, each in "
               "a queue of its unit\n"
               "  %" PRId64 " reads of streams, memory and results find a value, and no two "
               "producers meet\n"
               "  %" PRId64 " links of the compiler: each reads the very value it was meant to "
               "read\n"
               "  %" PRId64 " reads of memory find a row of the very tensor they were meant to "
               "read\n",
               options->operand, source.program.machine.name, proof.instructions, proof.cycles,
               proof.reads_proved, proof.links_proved, proof.rows_proved);
    if (legal && proof.run_time_conditions > 0)
        printf("  %" PRId64 " conditions depend on data and are left to the run\n",
               proof.run_time_conditions);
    cli_source_free(&source);
    return legal ? CLI_DONE : cli_error(&err);
}

int cli_asm(const CliOptions *options) {
    CliSource source;
    TspError err;
    bool done;
    if (!options->output) {
        tsp_fail(&err, TSP_ERR_INPUT, "tsp asm needs -o PROGRAM; tsp check %s only checks it",
                 options->operand);
        return cli_error(&err);
    }
    if (!cli_check_target(options->output, options->operand, &err) ||
        !cli_source_kind(options->operand, &source.kind, &err))
        return cli_error(&err);
    if (source.kind != CLI_SOURCE_ASSEMBLY) {
        tsp_fail(&err, TSP_ERR_INPUT, "%s is not assembly; tsp asm takes a .s file",
                 options->operand);
        return cli_error(&err);
    }
    if (!cli_source_load(&source, options->operand, options->machine, NULL, NULL, &err))
        return cli_error(&err);
    done = tsp_program_save(&source.program, options->output, &err);
    cli_source_free(&source);
    return done ? CLI_DONE : cli_error(&err);
}

int cli_disasm(const CliOptions *options) {
    CliSource source;
    TspError err;
    char *text;
    bool done;
    if ((options->output && !cli_check_target(options->output, options->operand, &err)) ||
        !cli_source_load(&source, options->operand, NULL, NULL, NULL, &err))
        return cli_error(&err);
    text = tsp_disassemble(&source.program, &err);
    done = text && (!options->output || cli_write_file(options->output, text, strlen(text), &err));
    if (done && !options->output) fputs(text, stdout);
    free(text);
    cli_source_free(&source);
    return done ? CLI_DONE : cli_error(&err);
}
