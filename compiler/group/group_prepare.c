/* group_prepare.c - keys and values as the host gives them become addresses, and lie where the SXMs
 * can have them.
 *
 * Both are 16-bit numbers, byte after byte in a vector, so the VXM works on bytes: what is added
 * only changes high bytes. Where two groups share a word, the key's lowest bit leaves it and is
 * appended to the value; bits that cross from one byte to the other come by way of the SXM.
 */
#include "group_kernel.h"

enum {
    OUT_KEYS = 10,
    OUT_VALUES = 11,
    OUT_SAME = 12, /* lane maps */
    OUT_HIGH = 13,
    OUT_LOW = 14,
    IN_KEYS = 16,
    IN_KEYS_HIGH = 17, /* high bytes of keys where the low ones are */
    IN_VALUES = 18,
    IN_VALUES_LOW = 19,
    IN_BIAS = 0,
    IN_OFFSETS = 1,
    IN_BIT = 2,
    OUT_READY_KEYS = 24,
    OUT_READY_VALUES = 25
};

typedef struct {
    GroupKernel *k;
    const GroupSide *side;
    int32_t in, out, count;
    int32_t alu; /* next free one */
} Prepare;

static int32_t from_stream(int32_t direction, int32_t number) {
    return TSP_SRC(TSP_SRC_STREAM, TSP_STREAM(direction, number));
}

/* One step, `late` after the operands on streams stand at the VXM; where it is to be taken from. */
static int32_t step(Prepare *p, TspOpcode op, int32_t a, int32_t b, int32_t imm, int64_t late,
                    int32_t dst) {
    const TspInsn insn = {.op = op,
                          .type = TSP_U8,
                          .dst = dst < 0 ? TSP_DST_NONE : TSP_STREAM(p->out, dst),
                          .src_a = a,
                          .src_b = b,
                          .imm = imm};
    group_run(p->k, tsp_queue_vxm(p->k->m, p->alu), insn, late, p->count, 1);
    return TSP_SRC(TSP_SRC_ALU, p->alu++);
}

/* A constant vector stands at the column from `time` on; `rows` of them in turn. */
static void hold(Prepare *p, int32_t slice, int32_t addr, int32_t stream, int32_t column,
                 int64_t time, int32_t rows) {
    Run *run = group_read(p->k, slice, addr, stream, column, time, p->count, 1);
    run->step = rows > 1;
    run->wrap = rows > 1 ? rows : 0;
}

/* Raw vectors of `role` stand on the stream at the column from `time` on. */
static void read_raw(Prepare *p, int32_t role, int32_t stream, int32_t column, int64_t time) {
    const int32_t rows = p->k->plan->segment_rows;
    for (int32_t first = 0; first < p->count; first += rows)
        group_read(p->k, p->side->data[first / rows][role], 0, stream, column, time + first,
                   tsp_min32(rows, p->count - first), 1);
}

/* What leaves the VXM from `time` on is written to the segments. */
static void write_ready(Prepare *p, int32_t role, int32_t number, int64_t time) {
    const int32_t rows = p->k->plan->segment_rows;
    for (int32_t first = 0; first < p->count; first += rows)
        group_write(p->k, p->side->data[first / rows][role], 0, TSP_STREAM(p->out, number),
                    tsp_vxm_column(p->k->m), time + first, tsp_min32(rows, p->count - first), 1);
}

static int64_t last_step(const Prepare *p, int64_t late) {
    const TspMachine *m = p->k->m;
    return late + m->vxm_entry_cycles + m->vxm_op_cycles + m->vxm_exit_cycles;
}

static void prepare_plain(Prepare *p) {
    const int32_t vxm = tsp_vxm_column(p->k->m);
    read_raw(p, RAW_KEYS, TSP_STREAM(p->in, IN_KEYS), vxm, 0);
    read_raw(p, RAW_VALUES, TSP_STREAM(p->in, IN_VALUES), vxm, 0);
    hold(p, p->side->lanes[0], GROUP_PREPARE, TSP_STREAM(p->in, IN_OFFSETS), vxm, 0,
         tsp_group_offsets(p->k->plan));
    hold(p, p->side->lanes[1], GROUP_PREPARE, TSP_STREAM(p->in, IN_BIAS), vxm, 0, 1);
    step(p, TSP_OP_ADD, from_stream(p->in, IN_KEYS), from_stream(p->in, IN_OFFSETS), 0, 0,
         OUT_READY_KEYS);
    step(p, TSP_OP_ADD, from_stream(p->in, IN_VALUES), from_stream(p->in, IN_BIAS), 0, 0,
         OUT_READY_VALUES);
    write_ready(p, SOURCE_KEYS, OUT_READY_KEYS, last_step(p, 0));
    write_ready(p, SOURCE_BACK, OUT_READY_KEYS, last_step(p, 0));
    write_ready(p, SOURCE_VALUES, OUT_READY_VALUES, last_step(p, 0));
}

/* The SXM sends a raw vector on inward twice: as it is, and with bytes moved by `map`. */
static void move_bytes(Prepare *p, TspHemisphere h, int32_t role, int32_t raw, int32_t map,
                       int32_t same, int32_t moved) {
    const TspMachine *m = p->k->m;
    const int32_t to[2] = {same, moved}, maps[2] = {OUT_SAME, map};
    const int32_t sxm = tsp_sxm_column(m, h), first = role == RAW_KEYS ? 0 : 2;
    const int64_t across =
        tsp_vxm_column(m) > sxm ? tsp_vxm_column(m) - sxm : sxm - tsp_vxm_column(m);
    const int64_t issue = -across - m->sxm_distribute_cycles;
    read_raw(p, role, TSP_STREAM(p->out, raw), sxm, issue);
    for (int32_t i = 0; i < 2; i++) {
        const TspInsn insn = {.op = TSP_OP_DISTRIBUTE,
                              .stream = TSP_STREAM(p->in, to[i]),
                              .src = TSP_STREAM(p->out, raw),
                              .map = TSP_STREAM(p->out, maps[i])};
        group_run(p->k, tsp_queue_sxm(m, h, TSP_ROLE_DISTRIBUTE, first + i), insn, issue, p->count,
                  1);
    }
    if (role == RAW_KEYS)
        hold(p, p->side->lanes[0], GROUP_PREPARE, TSP_STREAM(p->out, OUT_SAME), sxm, issue, 1);
    hold(p, role == RAW_KEYS ? p->side->lanes[1] : p->side->spare[0], GROUP_PREPARE,
         TSP_STREAM(p->out, map), sxm, issue, 1);
}

/* key: (key >> 1) + table; value: (value + bias) << 1 | key & 1. */
static void prepare_packed(Prepare *p, TspHemisphere h) {
    const GroupPlan *plan = p->k->plan;
    const int32_t vxm = tsp_vxm_column(p->k->m), rest = plan->update_rows + 1;
    const int32_t imm = TSP_SRC(TSP_SRC_IMM, 0);
    const int64_t op = p->k->m->vxm_op_cycles;
    int32_t low, high, bit, value;
    move_bytes(p, h, RAW_KEYS, OUT_KEYS, OUT_HIGH, IN_KEYS, IN_KEYS_HIGH);
    move_bytes(p, h, RAW_VALUES, OUT_VALUES, OUT_LOW, IN_VALUES, IN_VALUES_LOW);
    hold(p, p->side->spare[1], GROUP_PREPARE, TSP_STREAM(p->in, IN_BIT), vxm, 0, 1);
    hold(p, p->side->updates[0], rest, TSP_STREAM(p->in, IN_BIAS), vxm, 0, 1);
    hold(p, p->side->updates[1], rest, TSP_STREAM(p->in, IN_OFFSETS), vxm, 2 * op,
         tsp_group_offsets(plan));
    low = step(p, TSP_OP_SHR, from_stream(p->in, IN_KEYS), imm, 1, 0, -1);
    high = step(p, TSP_OP_SHL, from_stream(p->in, IN_KEYS_HIGH), imm, 7, 0, -1);
    low = step(p, TSP_OP_OR, low, high, 0, op, -1);
    step(p, TSP_OP_ADD, low, from_stream(p->in, IN_OFFSETS), 0, 2 * op, OUT_READY_KEYS);
    bit = step(p, TSP_OP_AND, from_stream(p->in, IN_KEYS), from_stream(p->in, IN_BIT), 0, 0, -1);
    high = step(p, TSP_OP_SHR, from_stream(p->in, IN_VALUES_LOW), imm, 7, 0, -1);
    value =
        step(p, TSP_OP_ADD, from_stream(p->in, IN_VALUES), from_stream(p->in, IN_BIAS), 0, 0, -1);
    bit = step(p, TSP_OP_OR, bit, high, 0, op, -1);
    value = step(p, TSP_OP_SHL, value, imm, 1, op, -1);
    step(p, TSP_OP_OR, value, bit, 0, 2 * op, OUT_READY_VALUES);
    write_ready(p, SOURCE_KEYS, OUT_READY_KEYS, last_step(p, 2 * op));
    write_ready(p, SOURCE_BACK, OUT_READY_KEYS, last_step(p, 2 * op));
    write_ready(p, SOURCE_VALUES, OUT_READY_VALUES, last_step(p, 2 * op));
}

void group_prepare(GroupKernel *k, TspHemisphere h) {
    Prepare p = {.k = k,
                 .side = &k->plan->side[h],
                 .in = group_inward(h),
                 .out = !group_inward(h),
                 .count = k->plan->side[h].vectors};
    if (p.count == 0) return;
    if (k->plan->packed == 1) {
        p.alu = 2 * (int32_t)h; /* beside the other side */
        prepare_plain(&p);
    } else {
        prepare_packed(&p, h);
    }
}
