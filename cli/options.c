/* options.c - parses a command line by the command's option table, and prints that table. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 32, LONG_ONLY = 256 }; /* getopt codes from LONG_ONLY on: index in the table */

static bool parse_number(const CliOption *option, const char *text, int64_t *value, TspError *err) {
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (errno || end == text || *end || *value < option->least)
        return tsp_fail(err, TSP_ERR_INPUT, "--%s %s: expected a whole number, %lld or more",
                        option->name, text, (long long)option->least);
    return true;
}

static bool parse_share(const CliOption *option, const char *text, double *value, TspError *err) {
    char *end;
    *value = strtod(text, &end);
    if (end == text || *end || !(*value >= 0 && *value <= 1))
        return tsp_fail(err, TSP_ERR_INPUT, "--%s %s: expected a number from 0 to 1", option->name,
                        text);
    return true;
}

static bool parse_binding(const CliOption *option, char *text, CliBindings *bindings,
                          TspError *err) {
    char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1])
        return tsp_fail(err, TSP_ERR_INPUT, "--%s %s: expected NAME=FILE.npy", option->name, text);
    if (bindings->count == CLI_BINDINGS_MAX)
        return tsp_fail(err, TSP_ERR_INPUT, "more than %d times --%s", CLI_BINDINGS_MAX,
                        option->name);
    *equals = 0;
    for (int32_t i = 0; i < bindings->count; i++)
        if (!strcmp(bindings->list[i].name, text))
            return tsp_fail(err, TSP_ERR_INPUT, "--%s names '%s' twice; give one file",
                            option->name, text);
    bindings->list[bindings->count++] = (CliBinding){text, equals + 1};
    return true;
}

static bool apply(const CliOption *option, char *argument, CliOptions *options, TspError *err) {
    void *field = (char *)options + option->offset;
    switch (option->kind) {
    case CLI_OPTION_FLAG:
        *(bool *)field = true;
        return true;
    case CLI_OPTION_TEXT:
        *(const char **)field = argument;
        return true;
    case CLI_OPTION_NUMBER:
        return parse_number(option, argument, field, err);
    case CLI_OPTION_SHARE:
        return parse_share(option, argument, field, err);
    case CLI_OPTION_BINDING:
        return parse_binding(option, argument, field, err);
    }
    return tsp_fail(err, TSP_ERR_BUG, "option --%s has no kind", option->name);
}

/* Spells the table as getopt wants it. Short options are looked up by their letter. */
static void make_getopt_tables(const CliOption *table, struct option *longs, char *shorts) {
    *shorts++ = ':'; /* a missing argument is told apart, and getopt keeps quiet */
    for (int i = 0; table[i].name && i < OPTIONS_MAX; i++, longs++) {
        int has_argument = table[i].kind == CLI_OPTION_FLAG ? no_argument : required_argument;
        *longs = (struct option){table[i].name, has_argument, NULL, LONG_ONLY + i};
        if (!table[i].letter) continue;
        *shorts++ = table[i].letter;
        if (has_argument) *shorts++ = ':';
    }
    *longs = (struct option){0};
    *shorts = 0;
}

static const CliOption *find_option(const CliOption *table, int code) {
    if (code >= LONG_ONLY) return &table[code - LONG_ONLY];
    for (; table->name; table++)
        if (table->letter == code) return table;
    return NULL;
}

bool cli_parse(const CliCommand *command, int argc, char **argv, CliOptions *options,
               TspError *err) {
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 + 2 * OPTIONS_MAX];
    int code;
    *options = (CliOptions){.until = -1, .to = -1, .rounds = 5, .chips = 1};
    make_getopt_tables(command->options, longs, shorts);
    opterr = 0;
    while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const CliOption *option =
            code == '?' || code == ':' ? NULL : find_option(command->options, code);
        if (code == ':')
            return tsp_fail(err, TSP_ERR_INPUT, "%s needs a value; see tsp %s --help",
                            argv[optind - 1], command->name);
        /* After a bad letter inside a bundle (-cx) optind has not moved on; name the letter. */
        if (!option && optopt && optopt < LONG_ONLY)
            return tsp_fail(err, TSP_ERR_INPUT, "tsp %s has no option '-%c'; see tsp %s --help",
                            command->name, optopt, command->name);
        if (!option)
            return tsp_fail(err, TSP_ERR_INPUT,
                            "tsp %s does not understand '%s'; see tsp %s --help", command->name,
                            argv[optind - 1], command->name);
        if (!apply(option, optarg, options, err)) return false;
        if (options->help) return true;
    }
    options->operand = optind < argc ? argv[optind] : NULL;
    if (optind + 1 < argc)
        return tsp_fail(err, TSP_ERR_INPUT, "one file at a time: '%s' comes after '%s'",
                        argv[optind + 1], options->operand);
    if (!options->operand && command->operand[0] && command->operand[0] != '[')
        return tsp_fail(err, TSP_ERR_INPUT, "tsp %s needs a file: %s; see tsp %s --help",
                        command->name, command->operand, command->name);
    return true;
}

void cli_print_usage(const CliCommand *command) {
    printf("tsp %s - %s\n\nusage: tsp %s %s [OPTION]...\n\n", command->name, command->what,
           command->name, command->operand);
    for (const CliOption *option = command->options; option->name; option++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%c --%s%s%s", option->letter ? '-' : ' ',
                 option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
                 option->argument ? " " : "", option->argument ? option->argument : "");
        printf("  %-30s %s\n", left, option->help);
    }
}
