/* lower_group.c - GroupByAggregate: its tensors, each placed here, as the plan says where. What is
 * done with them is one stage (group.c).
 */
#include "compiler/graph/graph_shape.h"
#include "compiler/lower/lower.h"

#include <stdlib.h>
#include <string.h>

static bool add_piece(Tensor *t, TspPiece piece, TspError *err) {
    if (!tsp_grow((void **)&t->pieces, &t->piece_capacity, t->piece_count + 1, sizeof piece, err))
        return false;
    t->pieces[t->piece_count++] = piece;
    return true;
}

/* The keys or the values: a vector after the other, segment by segment, west before east. */
static bool place_rows(Lowerer *l, Tensor *t, int32_t role, TspError *err) {
    const GroupPlan *plan = l->module->group;
    const int32_t rows = plan->segment_rows, each = plan->row_elements;
    const int64_t elements = (int64_t)t->rows * t->cols;
    int64_t first = 0;
    for (TspHemisphere h = TSP_WEST; h <= TSP_EAST; h++)
        for (int32_t done = 0, count; done < plan->side[h].vectors; done += count) {
            TspPiece piece = {.row_step = 1,
                              .cols = each,
                              .byte = TSP_WHOLE,
                              .slice = plan->side[h].data[done / rows][role],
                              .addr_step = 1};
            const int64_t whole = (elements - first) / each;
            count = tsp_min32(rows, plan->side[h].vectors - done);
            piece.col0 = (int32_t)first;
            piece.rows = (int32_t)(whole < count ? whole : count);
            if (piece.rows > 0 && !add_piece(t, piece, err)) return false;
            first += (int64_t)piece.rows * each;
            if (piece.rows == count) continue;
            piece.addr = piece.rows; /* the last one, not full */
            piece.rows = 1;
            piece.col0 = (int32_t)first;
            piece.cols = (int32_t)(elements - first);
            piece.fill = tsp_lanes(&l->module->machine);
            if (!add_piece(t, piece, err)) return false;
        }
    return true;
}

static int32_t rows_tensor(Lowerer *l, int32_t value, int32_t role, TspError *err) {
    const TspValue *v = &l->graph->values[value];
    int32_t i =
        lower_new_tensor(l, v->name, "", v->dtype, v->is_input ? TSP_ROLE_INPUT : TSP_ROLE_CONSTANT,
                         v->rank, v->shape, false, err);
    Tensor *t = &l->module->tensors[i < 0 ? 0 : i];
    const GroupPlan *plan = l->module->group;
    if (i < 0) return -1;
    t->bounded = true;
    t->low = role == RAW_KEYS ? 0 : plan->low;
    t->high = role == RAW_KEYS ? plan->groups - 1 : plan->high;
    t->pad = role == RAW_KEYS ? plan->groups : plan->low;
    if (v->data) {
        t->data = malloc((size_t)tsp_value_bytes(v));
        if (!t->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory"), -1;
        memcpy(t->data, v->data, (size_t)tsp_value_bytes(v));
    }
    return place_rows(l, t, role, err) ? i : -1;
}

/* -- constants, the same in every superlane -- */

typedef int32_t (*FieldOf)(const GroupPlan *plan, int32_t row, int32_t lane);

/* Row `row` of the constant table belongs to a value and a slot of the word. */
static int32_t update_field(const GroupPlan *plan, int32_t row, int32_t lane) {
    const int32_t value = row / plan->packed - plan->bias;
    if (value < plan->low) return 0;
    return tsp_group_update(plan, value, row % plan->packed, lane);
}

/* What a record is before its first row. */
static int32_t empty_field(const GroupPlan *plan, int32_t row, int32_t lane) {
    (void)row;
    if (lane / plan->fields >= plan->packed) return 0;
    return lane % plan->fields < GROUP_COUNT ? GROUP_NEVER : 0;
}

/* Map j takes element j of a superlane's word to lanes 0 and 1. */
static int32_t lane_of_element(const GroupPlan *plan, int32_t row, int32_t lane) {
    (void)plan;
    return lane < 2 ? 2 * row + lane : UINT8_MAX;
}

/* Which table of a slice each element of a vector goes to, for its high byte. */
static int32_t table_offset(const GroupPlan *plan, int32_t row, int32_t lane) {
    const int32_t copy = (row * plan->waves + lane / 2) % plan->copies;
    return lane % 2 ? copy * plan->stride / 256 : 0;
}

static int32_t bias_byte(const GroupPlan *plan, int32_t row, int32_t lane) {
    (void)row;
    return lane % 2 ? plan->bias / 256 : 0;
}

/* A constant of `rows` rows of lanes, in one slice a byte from `addr` on. */
static bool constant(Lowerer *l, const char *name, TspDtype dtype, int32_t rows, FieldOf field,
                     const int32_t *slices, int32_t addr, TspError *err) {
    const TspMachine *m = &l->module->machine;
    const int32_t lanes = tsp_lanes(m), tile = (int32_t)m->lanes_per_superlane;
    const int64_t shape[2] = {rows, lanes};
    int32_t i = lower_new_tensor(l, name, "", dtype, TSP_ROLE_CONSTANT, 2, shape, false, err);
    Tensor *t = &l->module->tensors[i < 0 ? 0 : i];
    if (i < 0) return false;
    t->data = malloc((size_t)rows * (size_t)(lanes * t->bytes));
    if (!t->data) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    for (int32_t row = 0; row < rows; row++)
        for (int32_t lane = 0; lane < lanes; lane++) {
            const uint32_t bits = (uint32_t)field(l->module->group, row, lane % tile);
            for (int32_t b = 0; b < t->bytes; b++)
                t->data[((size_t)row * (size_t)lanes + (size_t)lane) * (size_t)t->bytes +
                        (size_t)b] = (uint8_t)(bits >> 8 * b);
        }
    for (int32_t b = 0; b < t->bytes; b++)
        if (!add_piece(t,
                       (TspPiece){.row_step = 1,
                                  .rows = rows,
                                  .cols = lanes,
                                  .byte = b,
                                  .slice = slices[b],
                                  .addr = addr,
                                  .addr_step = 1},
                       err))
            return false;
    return true;
}

/* Maps and masks that take the lowest bit of a key from it and append it to the value. */
static int32_t same_lane(const GroupPlan *plan, int32_t row, int32_t lane) {
    (void)plan;
    (void)row;
    return lane;
}
static int32_t high_to_low(const GroupPlan *plan, int32_t row, int32_t lane) {
    (void)plan;
    (void)row;
    return lane % 2 ? UINT8_MAX : lane + 1;
}
static int32_t low_to_high(const GroupPlan *plan, int32_t row, int32_t lane) {
    (void)plan;
    (void)row;
    return lane % 2 ? lane - 1 : UINT8_MAX;
}
static int32_t lowest_bit(const GroupPlan *plan, int32_t row, int32_t lane) {
    (void)plan;
    (void)row;
    return lane % 2 ? 0 : 1;
}

/* What the preparation needs of its side. */
static bool preparation(Lowerer *l, const GroupSide *s, TspError *err) {
    const GroupPlan *plan = l->module->group;
    const int32_t offsets = tsp_group_offsets(plan), rest = plan->update_rows + 1;
    if (plan->packed == 1)
        return constant(l, "table offsets", TSP_U8, offsets, table_offset, &s->lanes[0],
                        GROUP_PREPARE, err) &&
               constant(l, "bias", TSP_U8, 1, bias_byte, &s->lanes[1], GROUP_PREPARE, err);
    return constant(l, "same lane", TSP_U8, 1, same_lane, &s->lanes[0], GROUP_PREPARE, err) &&
           constant(l, "high to low", TSP_U8, 1, high_to_low, &s->lanes[1], GROUP_PREPARE, err) &&
           constant(l, "low to high", TSP_U8, 1, low_to_high, &s->spare[0], GROUP_PREPARE, err) &&
           constant(l, "lowest bit", TSP_U8, 1, lowest_bit, &s->spare[1], GROUP_PREPARE, err) &&
           constant(l, "bias", TSP_U8, 1, bias_byte, &s->updates[0], rest, err) &&
           constant(l, "table offsets", TSP_U8, offsets, table_offset, &s->updates[1], rest, err);
}

static bool constants(Lowerer *l, TspError *err) {
    const GroupPlan *plan = l->module->group;
    for (TspHemisphere h = TSP_WEST; h <= TSP_EAST; h++) {
        const GroupSide *s = &plan->side[h];
        for (int i = 0; i < 2; i++)
            if (!constant(l, "lane maps", TSP_U8, plan->waves, lane_of_element, &s->lanes[i],
                          GROUP_MAPS, err))
                return false;
        if (!constant(l, "updates", TSP_I16, plan->update_rows, update_field, s->updates, 0, err) ||
            !constant(l, "empty records", TSP_I16, 1, empty_field, s->updates, plan->update_rows,
                      err) ||
            !preparation(l, s, err))
            return false;
    }
    return true;
}

/* -- what the chip makes -- */

/* A tensor that only the stage knows, for pictures: `rows` vectors in one slice. */
static bool internal(Lowerer *l, const char *name, int32_t rows, int32_t slice, TspError *err) {
    const int64_t shape[2] = {rows, tsp_lanes(&l->module->machine)};
    int32_t i =
        rows ? lower_new_tensor(l, name, "", TSP_U8, TSP_ROLE_INTERNAL, 2, shape, false, err) : 0;
    return rows == 0 || (i >= 0 && add_piece(&l->module->tensors[i],
                                             (TspPiece){.row_step = 1,
                                                        .rows = rows,
                                                        .cols = (int32_t)shape[1],
                                                        .slice = slice,
                                                        .addr_step = 1},
                                             err));
}

static bool internals(Lowerer *l, TspError *err) {
    static const char *const names[] = {[SOURCE_KEYS] = "keys for gathering",
                                        [SOURCE_BACK] = "keys for scattering",
                                        [SOURCE_VALUES] = "values for gathering"};
    const GroupPlan *plan = l->module->group;
    const int32_t rows = plan->segment_rows;
    for (TspHemisphere h = TSP_WEST; h <= TSP_EAST; h++) {
        for (int32_t q = 0; q < plan->pairs; q++)
            for (int b = 0; b < 2; b++)
                if (!internal(l, "tables", (plan->copies - 1) * plan->stride + plan->words,
                              plan->side[h].tables[q][b], err))
                    return false;
        for (int32_t done = 0; done < plan->side[h].vectors; done += rows)
            for (int role = SOURCE_KEYS; role <= SOURCE_VALUES; role++)
                if (!internal(l, names[role], tsp_min32(rows, plan->side[h].vectors - done),
                              plan->side[h].data[done / rows][role], err))
                    return false;
    }
    return true;
}

/* The merged tables, words in turn in one bank and the other, so that a word can be read in the
 * cycle in which an earlier one is written. */
static int32_t merged_tables(Lowerer *l, const TspNode *node, TspTensorRole role, TspError *err) {
    const GroupPlan *plan = l->module->group;
    const TspMachine *m = &l->module->machine;
    const char *name = l->graph->values[node->output].name;
    const int64_t shape[2] = {plan->words, tsp_lanes(m)};
    int32_t i = lower_new_tensor(l, name, role == TSP_ROLE_OUTPUT ? ".tables.next" : ".tables",
                                 TSP_I32, role, 2, shape, false, err);
    if (i < 0) return -1;
    for (int32_t b = 0; b < 4; b++)
        for (int32_t odd = 0; odd < 2 && odd < plan->words; odd++)
            if (!add_piece(&l->module->tensors[i],
                           (TspPiece){.row0 = odd,
                                      .row_step = 2,
                                      .rows = (plan->words - odd + 1) / 2,
                                      .cols = (int32_t)shape[1],
                                      .byte = b,
                                      .slice = plan->merged[b],
                                      .addr = odd * (int32_t)m->mem_rows + GROUP_MERGED,
                                      .addr_step = 1},
                           err))
                return -1;
    return i;
}

static bool empty_tables(Lowerer *l, int32_t tensor, TspError *err) {
    Tensor *t = &l->module->tensors[tensor];
    int32_t *tables = malloc((size_t)t->rows * (size_t)t->cols * sizeof *tables);
    if (!tables) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    tsp_group_empty(l->module->group, &l->module->machine, tables);
    t->data = (uint8_t *)tables;
    return true;
}

/* Where other stages can read the merged tables. */
static int32_t copy_of_tables(Lowerer *l, TspError *err) {
    const int64_t shape[2] = {l->module->group->words, tsp_lanes(&l->module->machine)};
    int32_t i =
        lower_new_tensor(l, "merged tables", "", TSP_I32, TSP_ROLE_INTERNAL, 2, shape, false, err);
    if (i >= 0) l->module->tensors[i].contiguous = true;
    return i;
}

/* -- the node -- */

static bool check_inputs(Lowerer *l, const TspNode *node, TspError *err) {
    for (int32_t i = 0; i < 2; i++) {
        const TspValue *v = &l->graph->values[node->inputs[i]];
        int32_t uses = 0;
        for (int32_t n = 0; n < l->graph->node_count; n++)
            for (int32_t j = 0; j < l->graph->nodes[n].input_count; j++)
                uses += l->graph->nodes[n].inputs[j] == node->inputs[i];
        if (v->producer >= 0 || uses > 1)
            return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                            "%s:%d: %s of \"%s\": it takes inputs and initializers that no other "
                            "node reads",
                            l->graph->path, (int)node->line, tsp_graph_op_name(node->op), v->name);
    }
    if (l->module->group)
        return tsp_fail(err, TSP_ERR_NOT_MODELLED,
                        "%s:%d: a second %s; the tables of one take the chip: run them one after "
                        "the other",
                        l->graph->path, (int)node->line, tsp_graph_op_name(node->op));
    return true;
}

bool lower_group_reads(const Lowerer *l, int32_t value) {
    for (int32_t n = 0; n < l->graph->node_count; n++)
        for (int32_t j = 0; j < l->graph->nodes[n].input_count; j++)
            if (l->graph->nodes[n].op == TSP_GRAPH_GROUP_BY_AGGREGATE &&
                l->graph->nodes[n].inputs[j] == value)
                return true;
    return false;
}

bool lower_group(Lowerer *l, const TspNode *node, TspError *err) {
    const TspValue *keys = &l->graph->values[node->inputs[0]];
    const bool partial = l->module->group_tables;
    Stage *stage;
    TspError why;
    int32_t first;
    if (!check_inputs(l, node, err)) return false;
    l->module->group = calloc(1, sizeof *l->module->group);
    if (!l->module->group) return tsp_fail(err, TSP_ERR_SYSTEM, "out of memory");
    if (!tsp_group_plan(l->module->group, &l->module->machine, node->groups, node->low, node->high,
                        tsp_value_elements(keys), partial ? 2 : 1, &why))
        return tsp_fail(err, why.kind, "%s:%d: %s: %s", l->graph->path, (int)node->line, node->name,
                        why.text);
    if (rows_tensor(l, node->inputs[0], RAW_KEYS, err) < 0 ||
        rows_tensor(l, node->inputs[1], RAW_VALUES, err) < 0 || !constants(l, err) ||
        !internals(l, err) ||
        (first = merged_tables(l, node, partial ? TSP_ROLE_INPUT : TSP_ROLE_CONSTANT, err)) < 0 ||
        (partial && merged_tables(l, node, TSP_ROLE_OUTPUT, err) < 0) ||
        (!partial && !empty_tables(l, first, err)))
        return false;
    stage =
        lower_new_stage(l, "group", l->module->group->words, tsp_lanes(&l->module->machine), err);
    if (!stage) return false;
    stage->group = true;
    l->module->group_result = -1;
    return partial || ((l->module->group_result = copy_of_tables(l, err)) >= 0 &&
                       lower_group_result(l, node, l->module->group_result, err));
}
