/* main.c - tsp: the table of subcommands and their options, dispatch, help. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#define OPTION(field) offsetof(CliOptions, field)
#define OPTION_MACHINE                                                                             \
    {                                                                                              \
        "machine", 'm', CLI_OPTION_TEXT, OPTION(machine), "NAME|FILE",                             \
            "machine description: tsp1 (default), tiny, or a JSON file", 0                         \
    }
#define OPTION_REPORT                                                                              \
    {                                                                                              \
        "report", 0, CLI_OPTION_TEXT, OPTION(report), "FILE.json",                                 \
            "write the report (docs/glossary.md defines its figures)", 0                           \
    }
#define OPTION_OUTPUT(what)                                                                        \
    { "output", 'o', CLI_OPTION_TEXT, OPTION(output), "FILE", what, 0 }
#define OPTION_IFETCH                                                                              \
    {                                                                                              \
        "ifetch", 0, CLI_OPTION_TEXT, OPTION(ifetch), "ideal|modelled",                            \
            "ideal: all text is there (default); modelled: it has to be fetched in time", 0        \
    }
#define OPTION_HELP                                                                                \
    { "help", 'h', CLI_OPTION_FLAG, OPTION(help), NULL, "print this", 0 }
#define OPTION_END                                                                                 \
    { NULL, 0, CLI_OPTION_FLAG, 0, NULL, NULL, 0 }

static const CliOption run_options[] = {
    {"input", 'i', CLI_OPTION_BINDING, OPTION(inputs), "NAME=FILE.npy",
     "fill an input from a file; may be repeated", 0},
    {"output", 'o', CLI_OPTION_BINDING, OPTION(outputs), "NAME=FILE.npy",
     "write an output to a file; may be repeated", 0},
    {"seed", 's', CLI_OPTION_NUMBER, OPTION(seed), "N",
     "inputs without a file are random, from this seed (default 0); faults too", 0},
    {"check", 'c', CLI_OPTION_FLAG, OPTION(check), NULL,
     "evaluate the graph on the host too and compare every output", 0},
    OPTION_REPORT,
    {"trace", 0, CLI_OPTION_TEXT, OPTION(trace), "FILE",
     "write a trace of the run: .json, .vcd or .kanata, as tsp trace does", 0},
    OPTION_MACHINE,
    {"engine", 0, CLI_OPTION_TEXT, OPTION(engine), "fast|reference",
     "the engine: fast (default), or the slow second one; the same bits and cycles", 0},
    {"timing-only", 0, CLI_OPTION_FLAG, OPTION(timing_only), NULL,
     "exact cycles and counts without values; no outputs", 0},
    {"kernel", 0, CLI_OPTION_TEXT, OPTION(kernel), "auto|plain|avx2|avx512",
     "how the host multiplies for the MXM (default: the best it can); never changes a bit", 0},
    OPTION_IFETCH,
    {"faults", 0, CLI_OPTION_TEXT, OPTION(faults), "FILE.json",
     "flip the bits that the file lists (docs/faults.md)", 0},
    {"fault-rate", 0, CLI_OPTION_SHARE, OPTION(fault_rate), "R",
     "flip a random bit in a share R of the cycles, from --seed", 0},
    {"threads", 'j', CLI_OPTION_NUMBER, OPTION(threads), "N",
     "host threads that may multiply (default 1); never changes a bit", 1},
    {"until", 'u', CLI_OPTION_NUMBER, OPTION(until), "CYCLE",
     "stop when every cycle below this one is done; print the hash of the state", 0},
    OPTION_HELP,
    OPTION_END,
};
static const CliOption compile_options[] = {
    OPTION_OUTPUT("the program file to write"),
    {"dump", 0, CLI_OPTION_TEXT, OPTION(dump), "PASS",
     "print the result of one pass (an unknown name lists them)", 0},
    OPTION_REPORT,
    OPTION_MACHINE,
    OPTION_HELP,
    OPTION_END,
};
static const CliOption check_options[] = {OPTION_IFETCH, OPTION_MACHINE, OPTION_HELP, OPTION_END};
static const CliOption asm_options[] = {OPTION_OUTPUT("the program file to write"), OPTION_MACHINE,
                                        OPTION_HELP, OPTION_END};
static const CliOption disasm_options[] = {OPTION_OUTPUT("write here instead of to stdout"),
                                           OPTION_HELP, OPTION_END};
static const CliOption info_options[] = {
    OPTION_MACHINE,
    {"json", 0, CLI_OPTION_FLAG, OPTION(json), NULL, "the machine as JSON, as --machine reads it",
     0},
    {"isa-markdown", 0, CLI_OPTION_FLAG, OPTION(isa_markdown), NULL,
     "the instruction reference, as in docs/isa.md", 0},
    OPTION_HELP,
    OPTION_END,
};

static const CliOption bench_options[] = {
    {"rounds", 0, CLI_OPTION_NUMBER, OPTION(rounds), "N",
     "how often each workload and its floor take turns (default 5); medians are told", 1},
    {"threads", 'j', CLI_OPTION_NUMBER, OPTION(threads), "N",
     "host threads of the simulator and of libraries (default 1); the bare kernel has one", 1},
    {"json", 0, CLI_OPTION_FLAG, OPTION(json), NULL, "figures as JSON", 0},
    {"strict", 0, CLI_OPTION_FLAG, OPTION(strict), NULL, "exit 1 if a target is missed", 0},
    OPTION_HELP,
    OPTION_END,
};

static const CliOption onebrc_options[] = {
    OPTION_REPORT,
    {"chips", 0, CLI_OPTION_NUMBER, OPTION(chips), "N", "chips that share the rows (default 1)", 1},
    {"block-rows", 0, CLI_OPTION_NUMBER, OPTION(block_rows), "N",
     "rows of a block at most (default: as many as the chip takes)", 1},
    {"threads", 'j', CLI_OPTION_NUMBER, OPTION(threads), "N",
     "host threads that read the file (default: one a core)", 1},
    OPTION_MACHINE,
    OPTION_HELP,
    OPTION_END,
};

static const CliOption trace_options[] = {
    OPTION_OUTPUT("the trace to write; .json for Perfetto, .vcd for GTKWave, .kanata for Konata"),
    {"format", 'f', CLI_OPTION_TEXT, OPTION(format), "perfetto|vcd|kanata",
     "the format, whatever the ending of the file", 0},
    {"from", 0, CLI_OPTION_NUMBER, OPTION(from), "CYCLE", "the first cycle to write (default 0)",
     0},
    {"to", 0, CLI_OPTION_NUMBER, OPTION(to), "CYCLE",
     "the cycle to stop before (default: the end of the program)", 0},
    OPTION_IFETCH,
    OPTION_MACHINE,
    OPTION_HELP,
    OPTION_END,
};
static const CliOption report_options[] = {
    {"json", 0, CLI_OPTION_FLAG, OPTION(json), NULL, "as JSON (docs/report.md tells the keys)", 0},
    {"html", 0, CLI_OPTION_FLAG, OPTION(html), NULL, "as one HTML page that needs nothing else", 0},
    OPTION_OUTPUT("write here instead of to stdout"),
    {"simulate", 0, CLI_OPTION_FLAG, OPTION(simulate), NULL,
     "run the program too, and fail if it takes another time", 0},
    OPTION_MACHINE,
    OPTION_HELP,
    OPTION_END,
};
#define OPTION_VIEW(name, argument, help)                                                          \
    { #name, 0, CLI_OPTION_TEXT, OPTION(name), argument, help, 0 }
static const CliOption view_options[] = {
    OPTION_VIEW(cycle, "N", "the cycle to look at (default 0)"),
    OPTION_VIEW(select, "THING",
                "a queue (mem.w0), op:NAME, tensor:NAME, burst:N, row:SLICE:ADDR, "
                "register:s4.e:COLUMN"),
    OPTION_VIEW(zoom, "Z[@X,Y]",
                "the chip Z times as large, column X and superlane Y in its middle"),
    OPTION_VIEW(range, "A:B", "the cycles on the time axis"),
    OPTION_VIEW(panel, "NAME", "one panel alone: chip, timeline, queues, memory, graph, inspector"),
    OPTION_VIEW(focus, "NAME", "the panel that keys go to"),
    OPTION_VIEW(search, "TEXT", "make what has this in its name stand out"),
    OPTION_VIEW(marks, "N:CYCLE,...", "marks 1 to 9"),
    OPTION_VIEW(speed, "N", "cycles a second when playing, 1 to 100000 (default 10)"),
    OPTION_VIEW(theme, "NAME", "dark (default), light or print"),
    OPTION_VIEW(palette, "NAME", "okabe-ito (default), tol-bright or grey"),
    OPTION_VIEW(size, "WxH", "pixels of the picture (default 1280x800)"),
    OPTION_VIEW(scale, "F",
                "of text and lines, 0.5 to 8 (default: as the screen has it; 1 in files)"),
    OPTION_VIEW(caption, "TEXT", "shown at the foot, up to two lines"),
    {"png", 0, CLI_OPTION_TEXT, OPTION(png), "FILE.png", "write a picture, open no window", 0},
    {"frames", 0, CLI_OPTION_TEXT, OPTION(frames), "A:B[:STEP]",
     "write a picture of each of these cycles into --out", 0},
    {"out", 'o', CLI_OPTION_TEXT, OPTION(folder), "DIR", "the folder for --frames", 0},
    {"input", 'i', CLI_OPTION_BINDING, OPTION(inputs), "NAME=FILE.npy",
     "fill an input from a file; may be repeated", 0},
    {"seed", 's', CLI_OPTION_NUMBER, OPTION(seed), "N",
     "inputs without a file are random, from this seed (default 0)", 0},
    OPTION_MACHINE,
    OPTION_IFETCH,
    {"keys", 0, CLI_OPTION_FLAG, OPTION(keys), NULL,
     "print the keys; with a file: show it with the keys over it", 0},
    {"tour", 0, CLI_OPTION_FLAG, OPTION(tour), NULL,
     "the guided tour, or that of the text file named; with --out DIR its pictures", 0},
    OPTION_HELP,
    OPTION_END,
};

/* A command without a function is known and not there yet. */
static const CliCommand commands[] = {
    {"run", "GRAPH|PROGRAM|FILE.s", "compile or assemble if need be, and simulate", cli_run,
     run_options},
    {"compile", "GRAPH", "compile a graph to a program file", cli_compile, compile_options},
    {"check", "PROGRAM|GRAPH|FILE.s", "prove a program legal without running it", cli_check,
     check_options},
    {"asm", "FILE.s", "assemble to a program file", cli_asm, asm_options},
    {"disasm", "PROGRAM", "print a program as assembly", cli_disasm, disasm_options},
    {"trace", "PROGRAM|GRAPH|FILE.s", "write when everything issues, for other viewers", cli_trace,
     trace_options},
    {"report", "PROGRAM|GRAPH|FILE.s", "tell where the cycles went, without running it", cli_report,
     report_options},
    {"info", "[PROGRAM]", "what a machine has, or what a program holds", cli_info, info_options},
    {"view", "[GRAPH|PROGRAM|FILE.s]", "show a run, cycle by cycle, in a window or as pictures",
     cli_view, view_options},
    {"1brc", "MEASUREMENTS.txt", "the One Billion Row Challenge, grouped by the chip", cli_1brc,
     onebrc_options},
    {"bench", "[WORKLOAD]", "measure the simulator against the bare arithmetic", cli_bench,
     bench_options},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const CliCommand *find_command(const char *name) {
    for (int32_t i = 0; i < COMMAND_COUNT; i++)
        if (!strcmp(commands[i].name, name)) return &commands[i];
    return NULL;
}

static void print_help(void) {
    printf("tsp - simulator, compiler and assembler for a Tensor Streaming Processor\n\n"
           "usage: tsp COMMAND ...\n\n");
    for (int32_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-8s %-21s %s\n", commands[i].name, commands[i].operand, commands[i].what);
    printf(
        "\ntsp COMMAND --help tells the options. A GRAPH is a .json file (docs/graph-format.md).\n"
        "Exit status: 0 done; 1 the program is illegal, a check failed or the machine broke;\n"
        "2 bad usage, bad input or not modelled; 3 a bug of ours.\n");
}

static int run_command(const CliCommand *command, int argc, char **argv) {
    CliOptions options;
    TspError err;
    if (!command->run) {
        cli_not_modelled(&err, command->name);
        return cli_error(&err);
    }
    if (!cli_parse(command, argc, argv, &options, &err)) return cli_error(&err);
    options.argv = argv;
    if (options.help) {
        cli_print_usage(command);
        return CLI_DONE;
    }
    return command->run(&options);
}

static bool is_help(const char *word) {
    return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

static int dispatch(int argc, char **argv) {
    const CliCommand *command;
    TspError err;
    if (argc < 2) {
        tsp_fail(&err, TSP_ERR_INPUT, "no command given; try tsp --help");
        return cli_error(&err);
    }
    if (is_help(argv[1]) && argc == 2) {
        print_help();
        return CLI_DONE;
    }
    command = find_command(argv[is_help(argv[1]) ? 2 : 1]);
    if (!command) {
        tsp_fail(&err, TSP_ERR_INPUT, "there is no command '%s'; tsp --help lists them",
                 argv[is_help(argv[1]) ? 2 : 1]);
        return cli_error(&err);
    }
    if (is_help(argv[1])) {
        char *help[] = {argv[2], "--help", NULL};
        return run_command(command, 2, help);
    }
    return run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv) {
    int code = dispatch(argc, argv);
    /* A full disk or a closed pipe must not look like success. */
    if ((fflush(stdout) || ferror(stdout)) && code == CLI_DONE) {
        TspError err;
        tsp_fail(&err, TSP_ERR_SYSTEM, "cannot write to standard output; is the disk full?");
        code = cli_error(&err);
    }
    return code;
}
