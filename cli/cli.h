/* cli.h - what the subcommands of tsp share: the option table, exit codes, files, sources, reports.
 *
 * The libraries return errors; only this room prints. Results go to stdout, the one line of an
 * error to stderr as "tsp: error: what is wrong; what to do".
 */
#ifndef TSP_CLI_H
#define TSP_CLI_H
#include "compiler/graph.h"
#include "compiler/interpret.h"
#include "viz/trace.h"

typedef enum {
    CLI_DONE = 0,
    CLI_FAILED = 1,  /* the program is illegal, a check failed, or the machine broke */
    CLI_REFUSED = 2, /* bad usage, bad input, not modelled */
    CLI_BUG = 3      /* ours */
} CliExit;

/* -- options -- */
typedef struct {
    const char *name, *path;
} CliBinding; /* NAME=FILE */

enum { CLI_BINDINGS_MAX = 64 };
typedef struct {
    CliBinding list[CLI_BINDINGS_MAX];
    int32_t count;
} CliBindings;

/* What the command line said; every command has its own subset of it. */
typedef struct {
    const char *operand; /* the file, NULL if none */
    char **argv;         /* all of it, from the command's name on */
    const char *machine, *output, *report, *dump, *engine, *kernel, *trace, *ifetch, *faults;
    const char *format;
    CliBindings inputs, outputs;
    int64_t seed, until, rounds, from, to; /* until, to: -1 if not given */
    int64_t threads;                       /* 0 if not given */
    int64_t chips, block_rows;
    double fault_rate;
    /* Of tsp view: options of viz/options.c as they were typed, and what to draw without a window.
     */
    const char *cycle, *select, *zoom, *range, *panel, *focus, *search, *marks, *speed, *theme,
        *palette, *size, *scale, *caption;
    const char *png, *frames, *folder;
    bool keys, tour;
    bool check, timing_only, strict, json, html, simulate, isa_markdown, help;
} CliOptions;

typedef enum {
    CLI_OPTION_FLAG,    /* bool */
    CLI_OPTION_TEXT,    /* const char * */
    CLI_OPTION_NUMBER,  /* int64_t, `least` or more */
    CLI_OPTION_SHARE,   /* double, 0 to 1 */
    CLI_OPTION_BINDING, /* CliBindings, may be repeated */
} CliOptionKind;

typedef struct {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* short form, 0 if none */
    CliOptionKind kind;
    size_t offset;        /* of the field in CliOptions */
    const char *argument; /* its name in the help; NULL for a flag */
    const char *help;
    int64_t least;
} CliOption;

typedef struct {
    const char *name, *operand; /* operand: its name in the help, in [] if it may be left out */
    const char *what;           /* one line */
    int (*run)(const CliOptions *options);
    const CliOption *options;
} CliCommand;

/* Parses argv (argv[0] is the command's name) by the command's table. */
bool cli_parse(const CliCommand *command, int argc, char **argv, CliOptions *options,
               TspError *err);
/* Prints the usage of one command, from the same table. */
void cli_print_usage(const CliCommand *command);

/* -- errors -- */
/* Prints the error and returns the exit code of its kind. */
int cli_error(const TspError *err);
/* A feature that is known and not there yet, by its key in the one table of them; returns false. */
bool cli_not_modelled(TspError *err, const char *key);

/* -- choices -- */
/* Index of an option's text among the choices (NULL ends them); 0 if the option was not given. */
bool cli_choice(const char *option, const char *text, const char *const *choices, int32_t *which,
                TspError *err);
extern const char *const cli_ifetch[]; /* of --ifetch: ideal, modelled */

/* -- files -- */
/* Reads a whole file; the caller frees. A zero byte follows the text. */
char *cli_read_file(const char *path, size_t *length, TspError *err);
/* Refuses to write where something other than a regular file stands: the writers replace what is
 * there, and nobody wants /dev/null replaced. Nor where no folder is, nor over the file being
 * read (`source`). */
bool cli_check_target(const char *path, const char *source, TspError *err);
/* Writes path.tmp, then renames: the file appears whole or not at all. */
bool cli_write_file(const char *path, const char *text, size_t length, TspError *err);
/* The same for JSON, with a newline at the end; takes the object. */
struct cJSON;
bool cli_write_json(const char *path, struct cJSON *json, TspError *err);

/* -- sources: whatever the user named, as a program -- */
typedef enum { CLI_SOURCE_GRAPH, CLI_SOURCE_ASSEMBLY, CLI_SOURCE_PROGRAM } CliSourceKind;
typedef struct {
    CliSourceKind kind;
    TspGraph graph; /* for CLI_SOURCE_GRAPH */
    TspProgram program;
} CliSource;

/* Tells the kind by extension (.json, .s, .onnx), else by content. */
bool cli_source_kind(const char *path, CliSourceKind *kind, TspError *err);
/* Loads, and compiles or assembles if need be. `machine` (name, file or NULL for tsp1) is what to
 * compile or assemble for; a program file carries its own and must agree. dump_pass and dump_text
 * as in TspCompileOptions, NULL if not wanted. Freed by cli_source_free, not needed on failure. */
bool cli_source_load(CliSource *source, const char *path, const char *machine,
                     const char *dump_pass, char **dump_text, TspError *err);
void cli_source_free(CliSource *source);
/* Puts the source line and the op in front of an error that names an instruction. */
void cli_locate_error(const TspProgram *p, TspError *err);

/* -- inputs -- */
/* The compiler's own tensors may have any name, so the role tells whom a name means; -1: nobody. */
int32_t cli_find_tensor(const TspProgram *p, const char *name, TspTensorRole role);
/* Every --input must name an input, every --output an output. */
bool cli_check_bindings(const TspProgram *p, const CliBindings *bindings, TspTensorRole role,
                        const char *what, TspError *err);
/* Zeroed bytes of a tensor; the caller frees. */
uint8_t *cli_new_data(const TspTensor *t, TspError *err);
/* Input k, counted in the order of the program, takes its file or the seed plus k. What it is given
 * is left in data[tensor], the caller frees; data NULL: not wanted. */
bool cli_fill_inputs(const TspProgram *p, TspSim *sim, const CliBindings *inputs, int64_t seed,
                     uint8_t **data, TspError *err);

/* -- reports -- */
/* What is known of a program after compiling or running it. */
typedef struct {
    const TspProgram *program;
    bool finished; /* simulated to the end: the four below hold */
    TspSimStats stats;
    TspCsr csr;
    bool faults;                     /* were on: the CSRs say what they did */
    const TspInterval *op_intervals; /* one an op of the program */
    double wall_s;                   /* host time of the simulation alone */
    bool checked;                    /* against the host interpreter */
    TspComparison check;             /* the worst over all outputs */
} CliOutcome;

/* report_memory.c: bytes of memory. */
typedef struct {
    int64_t capacity_bytes;  /* of the chip */
    int64_t peak_bytes;      /* rows that some tensor has at some time */
    int64_t constants_bytes; /* of them, those of constants */
    int64_t reused_bytes;    /* what tensors would take beyond that if they shared no rows */
} CliMemory;
/* False when out of memory. */
bool cli_memory_use(const TspProgram *p, CliMemory *use);

/* Writes the JSON report with its stable keys. */
bool cli_report_write(const CliOutcome *outcome, const char *path, TspError *err);
/* Prints the summary for people. */
void cli_print_outcome(const CliOutcome *outcome);

/* -- tensors -- */
/* "int8 [640, 640]" into text. */
void cli_shape_text(TspDtype dtype, int32_t rank, const int64_t *shape, char *text, size_t size);
/* One element of row-major little-endian data, as a number. */
void cli_element_text(TspDtype dtype, const uint8_t *data, int64_t element, char *text,
                      size_t size);

/* The commands; their tables are in main.c. */
int cli_run(const CliOptions *options);
int cli_compile(const CliOptions *options);
int cli_check(const CliOptions *options);
int cli_asm(const CliOptions *options);
int cli_disasm(const CliOptions *options);
int cli_info(const CliOptions *options);
int cli_bench(const CliOptions *options);
int cli_trace(const CliOptions *options);
int cli_report(const CliOptions *options);
int cli_view(const CliOptions *options);
int cli_1brc(const CliOptions *options);
/* In tsp: becomes tsp-view with the same arguments, or fails; true. In tsp-view: false. */
bool cli_left_to_viewer(const CliOptions *options, int *code);

#endif
