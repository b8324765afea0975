/* bench_group.c - grouping rows by a key with SXM, MEM and VXM, against the plain loop.
 *
 * Minimum, maximum, sum and count of a group are the first four int16 lanes of a superlane of one
 * table row, and a hemisphere takes in 20 rows a cycle. Distributes take one address after the
 * other out of packed words; the group is gathered, and so is what the value does to it; the VXM
 * puts both together, max(add.sat(old, c), max(old, c)), which adds where both are positive and
 * takes the greater where both are negative; the result is scattered. A group is on its way for
 * COPIES cycles. So a hemisphere has two tables, one gathered from while the other is scattered to,
 * and the rows of such a burst go to as many copies. The host puts everything together.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS = 20480,
    KEYS = 512,
    VALUES = 512,
    COPIES = 16, /* from Gather to Scatter on tsp1, with tables two columns from the VXM */
    BURSTS = STEPS / COPIES,
    SUPERLANES = 20,
    LANES = 320,
    TILE = 16,
    PACKED = TILE / 2, /* addresses in a word */
    ROWS = STEPS * SUPERLANES,
    TABLES = 4 /* two a hemisphere */
};
enum { LEAST, GREATEST, SUM, COUNT, PARTS };

static const char *const table_names[TABLES] = {"w4", "w6", "e4", "e6"};

/* -- the data -- */

/* Rows of a hemisphere: [step / PACKED][superlane][step % PACKED], two bytes each. */
static void make_rows(uint8_t *rows, const char *name, int32_t most) {
    tsp_random_fill(rows, TSP_I16, ROWS, (uint64_t)(name[0] + name[1]), 0, most);
}

static void put(uint8_t *data, int64_t element, int32_t value) {
    data[2 * element] = (uint8_t)value;
    data[2 * element + 1] = (uint8_t)(value >> 8);
}
static int32_t get(const uint8_t *data, int64_t element) {
    return (int16_t)(data[2 * element] | data[2 * element + 1] << 8);
}

/* Key by key, a copy for each step of a burst. */
static void fill_addresses(uint8_t *data, const char *name) {
    make_rows(data, name, KEYS - 1);
    for (int32_t i = 0; i < ROWS; i++) {
        const int32_t step = i / (PACKED * SUPERLANES) * PACKED + i % PACKED;
        put(data, i, get(data, i) + KEYS * (step % COPIES));
    }
}

/* Takes the packed addresses of a word to its first two lanes, one after the other. */
static void fill_maps(uint8_t *data) {
    for (int32_t i = 0; i < PACKED * LANES; i++) {
        const int32_t lane = i % TILE;
        data[i] = (uint8_t)(lane < 2 ? 2 * (i / LANES) + lane : UINT8_MAX);
    }
}

/* What a value does to a group: never below INT16_MIN, where groups begin. */
static void fill_values(uint8_t *data) {
    for (int32_t i = 0; i < VALUES * SUPERLANES; i++) {
        const int32_t value = i / SUPERLANES, first = TILE * i;
        put(data, first + LEAST, -1 - value);
        put(data, first + GREATEST, value - VALUES);
        put(data, first + SUM, value);
        put(data, first + COUNT, 1);
    }
}

static void fill_empty(uint8_t *data) {
    for (int32_t i = 0; i < COPIES * KEYS * SUPERLANES; i++) {
        put(data, TILE * i + LEAST, INT16_MIN);
        put(data, TILE * i + GREATEST, INT16_MIN);
    }
}

static void fill(const TspTensor *t, uint8_t *data) {
    if (strstr(t->name, "keys"))
        fill_addresses(data, t->name);
    else if (strstr(t->name, "values"))
        make_rows(data, t->name, VALUES - 1);
    else if (!strcmp(t->name, "maps"))
        fill_maps(data);
    else if (!strcmp(t->name, "changes"))
        fill_values(data);
    else
        fill_empty(data);
}

/* -- the program -- */

static void write_tensors(FILE *out) {
    fprintf(out,
            ".tensor maps, int8, [%d, %d], input\n"
            ".piece slice=mem.w39, addr=0\n.piece slice=mem.e39, addr=0\n"
            ".tensor changes, int16, [%d, %d], input\n",
            PACKED, LANES, VALUES, LANES);
    for (const char *side = "we"; *side; side++)
        fprintf(out, ".piece slice=mem.%c8, addr=0, byte=0\n.piece slice=mem.%c9, addr=0, byte=1\n",
                *side, *side);
    for (const char *side = "we"; *side; side++)
        fprintf(out,
                ".tensor %ckeys, int8, [%d, %d], input\n"
                ".piece slice=mem.%c36, addr=0\n.piece slice=mem.%c37, addr=0\n"
                ".tensor %cvalues, int8, [%d, %d], input @ mem.%c38:0\n",
                *side, STEPS / PACKED, LANES, *side, *side, *side, STEPS / PACKED, LANES, *side);
    fprintf(out, ".tensor empty, int16, [%d, %d], input\n", COPIES * KEYS, LANES);
    for (int32_t i = 0; i < TABLES; i++)
        fprintf(out, ".piece slice=mem.%s, addr=0, byte=0\n.piece slice=mem.%c%d, addr=0, byte=1\n",
                table_names[i], table_names[i][0], table_names[i][1] - '0' + 1);
    for (int32_t i = 0; i < TABLES; i++)
        fprintf(out, ".tensor %s, int16, [%d, %d], output @ mem.%s:0\n", table_names[i],
                COPIES * KEYS, LANES, table_names[i]);
}

/* What a hemisphere does when; eastward streams lead into the east, and out of the west. */
typedef struct {
    char side, out, in; /* of slices; of streams away from the VXM, and towards it */
    int32_t alu;
    int64_t read, distribute, gather, add, scatter; /* the first of each */
} Side;

static Side plan(const TspMachine *m, char side) {
    const bool east = side == 'e';
    const int64_t vxm = bench_column(m, "vxm.0");
    const int64_t table = llabs(vxm - bench_column(m, east ? "mem.e4" : "mem.w4"));
    const int64_t words = llabs(vxm - bench_column(m, east ? "mem.e36" : "mem.w36"));
    const int64_t sxm =
        llabs(vxm - bench_column(m, east ? "sxm.e.distribute.0" : "sxm.w.distribute.0"));
    Side s = {.side = side, .out = side, .in = east ? 'w' : 'e', .alu = east ? 3 : 0};
    s.distribute = m->mem_read_cycles + sxm - words;
    s.gather = s.distribute + m->sxm_distribute_cycles + sxm - table;
    s.add = s.gather + m->mem_read_cycles + m->mem_indirect_cycles + table;
    s.scatter = s.add + m->vxm_entry_cycles + 2 * m->vxm_op_cycles + m->vxm_exit_cycles + table;
    return s;
}

/* The words of a slice, each PACKED times, and the distributor that takes them apart. */
static void write_addresses(FILE *out, const Side *s, int32_t i, int64_t delay) {
    fprintf(out, "@mem.%c%d\n at %lld read 0, s%d.%c\n repeat %d, 1, 0, %d, %d, 1\n", s->side,
            36 + (int)i, (long long)(s->read + delay), 12 + (int)i, s->out, PACKED - 1,
            STEPS / PACKED - 1, PACKED);
    fprintf(out,
            "@sxm.%c.distribute.%d\n at %lld distribute s%d.%c, s%d.%c, s15.%c\n repeat %d, 1\n",
            s->side, (int)i, (long long)(s->distribute + delay), 8 + (int)i, s->in, 12 + (int)i,
            s->out, s->out, STEPS - 1);
}

/* Changes come from a column farther out than the tables, with the same diagonals. */
static void write_changes(FILE *out, const Side *s) {
    for (int32_t byte = 0; byte < 2; byte++)
        fprintf(out, "@mem.%c%d\n at %lld gather s%d.%c, s10.%c\n repeat %d, 1\n", s->side,
                8 + (int)byte, (long long)s->gather - 1, 2 + (int)byte, s->in, s->in, STEPS - 1);
}

static void write_table(FILE *out, const Side *s, int32_t table, int32_t byte) {
    fprintf(out, "@mem.%c%d\n", s->side, 4 + 2 * (int)table + (int)byte);
    for (int64_t burst = table; burst < BURSTS; burst += 2) {
        fprintf(out, " at %lld gather s%d.%c, s8.%c\n repeat %d, 1\n",
                (long long)(s->gather + burst * COPIES), (int)byte, s->in, s->in, COPIES - 1);
        fprintf(out, " at %lld scatter s%d.%c, s9.%c\n repeat %d, 1\n",
                (long long)(s->scatter + burst * COPIES), 4 + (int)byte, s->out, s->in, COPIES - 1);
    }
}

static void write_alus(FILE *out, const Side *s, const TspMachine *m) {
    static const char *const ops[] = {"add.sat", "max"};
    for (int32_t i = 0; i < 2; i++)
        fprintf(out, "@vxm.%d\n at %lld %s i16, none, s0.%c, s2.%c\n repeat %d, 1\n",
                (int)(s->alu + i), (long long)s->add, ops[i], s->in, s->in, STEPS - 1);
    fprintf(out, "@vxm.%d\n at %lld max i16, s4.%c, alu%d, alu%d\n repeat %d, 1\n", (int)s->alu + 2,
            (long long)(s->add + m->vxm_op_cycles), s->out, (int)s->alu, (int)s->alu + 1,
            STEPS - 1);
}

static void write_program(FILE *out, const TspMachine *m, const void *unused) {
    (void)unused;
    write_tensors(out);
    for (const char *side = "we"; *side; side++) {
        const Side s = plan(m, *side);
        for (int32_t i = 0; i < 3; i++) write_addresses(out, &s, i, i == 1 ? COPIES : 0);
        fprintf(out, "@mem.%c39\n at %lld read 0, s15.%c\n repeat %d, 1, 1, %d, %d\n", s.side,
                (long long)s.read, s.out, PACKED - 1, (STEPS + COPIES) / PACKED - 1, PACKED);
        write_changes(out, &s);
        for (int32_t i = 0; i < 4; i++) write_table(out, &s, i / 2, i % 2);
        write_alus(out, &s, m);
    }
}

static bool load(BenchChip *chip, int32_t threads, TspError *err) {
    chip->fill = fill;
    return bench_assemble(&chip->program, write_program, NULL, err) &&
           bench_load(chip, &(TspSimOptions){.threads = threads}, err);
}

/* -- the floor -- */

typedef struct {
    int32_t part[PARTS];
} Group;

typedef struct {
    uint8_t keys[2][2 * ROWS], values[2][2 * ROWS];
    Group groups[KEYS];
} Plain;

static Plain *make_plain(TspError *err) {
    Plain *plain = calloc(1, sizeof *plain);
    if (!plain) tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t side = 0; plain && side < 2; side++) {
        make_rows(plain->keys[side], side ? "ekeys" : "wkeys", KEYS - 1);
        make_rows(plain->values[side], side ? "evalues" : "wvalues", VALUES - 1);
    }
    return plain;
}

static bool group_plainly(void *context, double *seconds, TspError *err) {
    Plain *plain = context;
    const double start = bench_now();
    (void)err;
    for (int32_t key = 0; key < KEYS; key++) plain->groups[key] = (Group){{INT16_MAX, -1, 0, 0}};
    for (int32_t side = 0; side < 2; side++)
        for (int32_t i = 0; i < ROWS; i++) {
            Group *group = &plain->groups[get(plain->keys[side], i)];
            const int32_t value = get(plain->values[side], i);
            if (value < group->part[LEAST]) group->part[LEAST] = value;
            if (value > group->part[GREATEST]) group->part[GREATEST] = value;
            group->part[SUM] += value;
            group->part[COUNT]++;
        }
    *seconds = bench_now() - start;
    return true;
}

/* Puts the copies of a group together that superlanes have in a table. */
static void put_together(Group *groups, const uint8_t *table) {
    for (int32_t i = 0; i < COPIES * KEYS * SUPERLANES; i++) {
        Group *group = &groups[i / SUPERLANES % KEYS];
        const int32_t least = -1 - get(table, TILE * i + LEAST);
        const int32_t greatest = get(table, TILE * i + GREATEST) + VALUES;
        if (least < group->part[LEAST]) group->part[LEAST] = least;
        if (greatest > group->part[GREATEST]) group->part[GREATEST] = greatest;
        group->part[SUM] += get(table, TILE * i + SUM);
        group->part[COUNT] += get(table, TILE * i + COUNT);
    }
}

static bool same_groups(const BenchChip *chip, const Plain *plain, TspError *err) {
    Group groups[KEYS];
    for (int32_t key = 0; key < KEYS; key++) groups[key] = (Group){{INT16_MAX, -1, 0, 0}};
    for (int32_t i = 0; i < TABLES; i++) {
        uint8_t *table = bench_output(chip, table_names[i], err);
        if (!table) return false;
        put_together(groups, table);
        free(table);
    }
    return !memcmp(groups, plain->groups, sizeof groups) || bench_wrong(err, "the plain loop");
}

bool bench_group(const Bench *b, BenchResult *r, TspError *err) {
    BenchChip chip = {0};
    Plain *plain = make_plain(err);
    BenchTurn turns[] = {{bench_run, &chip, NULL, 0}, {group_plainly, plain, NULL, 0}};
    const bool done = plain && load(&chip, b->threads, err) &&
                      bench_turns(turns, 2, b->rounds, err) && same_groups(&chip, plain, err);
    if (done) {
        bench_note(&chip, &turns[0], r);
        bench_ratio(r, "to the plain loop", "plain loop", &turns[1], 0);
        bench_figure(r, "a step of a hemisphere", "us", 1e6 * r->seconds / (2 * STEPS), 1.2, false);
    }
    free(plain);
    bench_free(&chip);
    return done;
}
