/* generate.c - the program that writes graphs of transformers, see models.h.
 */
#include "models.h"
#include "programs/whole_number.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

enum { DONE = 0, REFUSED = 2 };

typedef struct {
    Model model;
    bool llama, help;
} Options;

static bool parse_type(const char *text, Model *m, TspError *err) {
    m->int8 = !strcmp(text, "int8");
    if (m->int8 || !strcmp(text, "float16")) return true;
    return tsp_fail(err, TSP_ERR_INPUT, "--type %s: expected int8 or float16", text);
}

static bool parse_option(int code, const char *bad, Options *o, TspError *err) {
    switch (code) {
    case 't':
        return parse_type(optarg, &o->model, err);
    case 'l':
        return whole_number("--layers", optarg, 1, 1000, &o->model.layers, err);
    case 's':
        return whole_number("--sequence", optarg, 1, 4096, &o->model.sequence, err);
    case 'p':
        return whole_number("--past", optarg, 1, 4096, &o->model.past, err);
    case 'h':
        return o->help = true;
    case ':':
        return tsp_fail(err, TSP_ERR_INPUT, "%s needs a value; see generate --help", bad);
    default:
        return tsp_fail(err, TSP_ERR_INPUT, "'%s' is not understood; see generate --help", bad);
    }
}

static bool parse(int argc, char **argv, Options *o, TspError *err) {
    static const struct option options[] = {
        {"type", required_argument, NULL, 't'},     {"layers", required_argument, NULL, 'l'},
        {"sequence", required_argument, NULL, 's'}, {"past", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int code; (code = getopt_long(argc, argv, ":t:l:s:p:h", options, NULL)) != -1;)
        if (!parse_option(code, argv[optind - 1], o, err)) return false;
    if (o->help) return true;
    if (optind + 1 != argc)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "expected one model, bert or llama; see generate --help");
    o->llama = !strcmp(argv[optind], "llama");
    if (!o->llama && strcmp(argv[optind], "bert"))
        return tsp_fail(err, TSP_ERR_INPUT, "'%s' is not a model that is known: bert, llama",
                        argv[optind]);
    if (o->llama && o->model.int8)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED, "llama is there in float16 only");
    if (!o->model.sequence) o->model.sequence = o->llama ? 1 : 128;
    return true;
}

static void print_usage(void) {
    printf("generate - graphs of transformers with made-up weights, to standard output\n\n"
           "usage: generate bert|llama [OPTION]...\n\n"
           "  -t, --type TYPE    of bert: float16 (default) or int8\n"
           "  -l, --layers N     (default 1)\n"
           "  -s, --sequence N   rows that come in at once (default: bert 128, llama 1)\n"
           "  -p, --past N       of llama: rows in the cache before (default 127)\n"
           "  -h, --help         print this\n");
}

static bool generate(const Options *o, TspError *err) {
    GraphText text;
    bool whole = graph_text_open(&text) && (o->llama ? write_llama : write_bert)(&text, &o->model);
    whole &= graph_text_close(&text, o->llama ? "llama" : "bert", stdout);
    return whole ||
           tsp_fail(err, TSP_ERR_SYSTEM, "standard output: cannot write it (%s)", strerror(errno));
}

int main(int argc, char **argv) {
    Options options = {.model = {.layers = 1, .past = 127}};
    TspError err;
    if (!parse(argc, argv, &options, &err) || (!options.help && !generate(&options, &err))) {
        fprintf(stderr, "generate: error: %s\n", err.text);
        return REFUSED;
    }
    if (options.help) print_usage();
    return DONE;
}
