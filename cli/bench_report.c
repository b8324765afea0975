/* bench_report.c - figures of tsp bench: a table for people, JSON with stable keys. */
#include "bench.h"

const char *bench_kernel_name(void) {
    static const char *const names[] = {[TSP_GEMM_AUTO] = "auto",
                                        [TSP_GEMM_PLAIN] = "plain",
                                        [TSP_GEMM_AVX2] = "avx2",
                                        [TSP_GEMM_AVX512] = "avx512"};
    return names[tsp_gemm_best()];
}

static double bytes_moved(const BenchResult *r) {
    return (double)r->lanes * (double)(r->stats.mem_reads + r->stats.mem_writes);
}

/* -- for people -- */

static void print_figure(const char *workload, const BenchFigure *f) {
    char value[48], floor[64] = "", target[48] = "";
    if (f->install)
        snprintf(value, sizeof value, "-");
    else
        snprintf(value, sizeof value, "%.*f %s", f->value < 100 ? 2 : 0, f->value, f->unit);
    if (f->install)
        snprintf(floor, sizeof floor, "install %s", f->install);
    else if (f->floor)
        snprintf(floor, sizeof floor, "%s %.3g ms", f->floor, 1e3 * f->floor_s);
    if (f->target > 0)
        snprintf(target, sizeof target, "%s %.4g", f->at_least ? ">=" : "<=", f->target);
    printf("%-22s %-26s %12s  %-24s %-9s %s\n", workload, f->name, value, floor, target,
           f->target == 0 || f->install ? ""
           : bench_reached(f)           ? "PASS"
                                        : "FAIL");
}

void bench_print(const Bench *b, const BenchWorkload *w, const BenchResult *r) {
    (void)b;
    for (int32_t i = 0; i < r->figures; i++) print_figure(i ? "" : w->name, &r->figure[i]);
    printf("%-22s %s: %.4g ms", "", w->what, 1e3 * r->seconds);
    if (r->stats.cycles > 0)
        printf("; %.3g cycles, %.3g instructions a second, %.3g GB moved",
               (double)r->stats.cycles / r->seconds, (double)r->stats.instructions / r->seconds,
               1e-9 * bytes_moved(r));
    if (r->load_s > 0) printf("; load %.3g ms", 1e3 * r->load_s);
    if (r->reset_s > 0) printf("; reset %.3g ms", 1e3 * r->reset_s);
    printf("\n");
}

/* -- JSON -- */

/* A key whose value does not apply is null, never left out. */
static void add_number(cJSON *object, const char *key, bool applies, double value) {
    if (applies)
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_text(cJSON *object, const char *key, const char *text) {
    if (text)
        cJSON_AddStringToObject(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_figure(cJSON *figures, const BenchFigure *f) {
    cJSON *object = cJSON_CreateObject();
    cJSON_AddItemToArray(figures, object);
    cJSON_AddStringToObject(object, "name", f->name);
    cJSON_AddStringToObject(object, "unit", f->unit);
    add_number(object, "value", !f->install, f->value);
    add_text(object, "floor", f->floor);
    add_number(object, "floor_seconds", f->floor && !f->install, f->floor_s);
    add_number(object, "target", f->target > 0, f->target);
    cJSON_AddBoolToObject(object, "at_least", f->at_least);
    if (f->target == 0 || f->install)
        cJSON_AddNullToObject(object, "reached");
    else
        cJSON_AddBoolToObject(object, "reached", bench_reached(f));
    add_text(object, "install", f->install);
}

/* What the workload stands for: its first figure against a floor. */
static const BenchFigure *main_ratio(const BenchResult *r) {
    for (int32_t i = 0; i < r->figures; i++)
        if (r->figure[i].floor) return &r->figure[i];
    return NULL;
}

cJSON *bench_json(const Bench *b, const BenchWorkload *w, const BenchResult *r,
                  const TspError *err) {
    const BenchFigure *ratio = main_ratio(r);
    const bool ran = !err && r->stats.cycles > 0;
    cJSON *object = cJSON_CreateObject(), *figures;
    cJSON_AddStringToObject(object, "name", w->name);
    cJSON_AddStringToObject(object, "what", w->what);
    add_text(object, "error", err ? err->text : NULL);
    add_number(object, "seconds", !err, r->seconds);
    add_number(object, "load_seconds", r->load_s > 0, r->load_s);
    add_number(object, "reset_seconds", r->reset_s > 0, r->reset_s);
    add_number(object, "ratio", ratio && !ratio->install, ratio ? ratio->value : 0);
    add_number(object, "target", ratio && ratio->target > 0, ratio ? ratio->target : 0);
    add_number(object, "simulated_cycles", ran, (double)r->stats.cycles);
    add_number(object, "cycles_per_s", ran, (double)r->stats.cycles / r->seconds);
    add_number(object, "instructions", ran, (double)r->stats.instructions);
    add_number(object, "instructions_per_s", ran, (double)r->stats.instructions / r->seconds);
    add_number(object, "bytes_moved", ran, bytes_moved(r));
    add_number(object, "tensor_bytes", r->tensor_bytes > 0, (double)r->tensor_bytes);
    add_number(object, "peak_memory_bytes", r->peak_bytes > 0, (double)r->peak_bytes);
    add_number(object, "memory_limit_bytes", r->limit_bytes > 0, (double)r->limit_bytes);
    cJSON_AddStringToObject(object, "kernel", bench_kernel_name());
    cJSON_AddNumberToObject(object, "threads", r->threads ? r->threads : b->threads);
    figures = cJSON_AddArrayToObject(object, "figures");
    for (int32_t i = 0; i < r->figures; i++) add_figure(figures, &r->figure[i]);
    return object;
}
