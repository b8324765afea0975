/* inspector_burst.c - an instruction with its Repeat: what it says, means, takes and makes, and
 * when.
 */
#include "flow.h"
#include "inspector_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPERAND_WORDS = 64, PEERS = 3, PEERS_MOST = 32 };

/* The issue of the burst that is the one to show: the last by now, or else the first. */
static VizIssue shown_issue(const VizRun *run, const VizBurst *b, int64_t now) {
    VizIssue issue;
    if (now < b->start) return (VizIssue){b, b->start, 0, 0};
    if (viz_issue_previous(&run->timeline, b->queue, now + 1, &issue) && issue.burst == b)
        return issue;
    return (VizIssue){b, b->last, b->n, b->n2};
}

static void put_when(VizLines *l, const VizIssue *issue) {
    const VizBurst *b = issue->burst;
    char when[VIZ_WORDS], count[VIZ_WORDS], of[VIZ_WORDS];
    viz_line_pair(l, "issues", "cycle %" PRId64 ", %s", issue->cycle,
                  viz_inspect_when(when, l, issue->cycle));
    if (b->func[1] > 0)
        viz_line_pair(l, "effect", "read in cycle %" PRId64 ", write in %" PRId64,
                      issue->cycle + b->func[0], issue->cycle + b->func[1]);
    else
        viz_line_pair(l, "effect", "cycle %" PRId64 ", %s", issue->cycle + b->func[0],
                      viz_inspect_when(when, l, issue->cycle + b->func[0]));
    if (viz_burst_issues(b) == 1) return;
    viz_line_pair(l, "repetition", "%s of %s, cycles %" PRId64 " to %" PRId64,
                  viz_count_text(count, (int64_t)issue->j * ((int64_t)b->n + 1) + issue->i + 1),
                  viz_count_text(of, viz_burst_issues(b)), b->start, b->last);
}

static const char *apart(char text[VIZ_WORDS], int32_t cycles) {
    snprintf(text, VIZ_WORDS, cycles == 1 ? "a cycle apart" : "%d cycles apart", cycles);
    return text;
}

static void put_repeat(VizLines *l, const VizBurst *b) {
    char text[VIZ_WORDS], gap[VIZ_WORDS];
    TspInsn repeat;
    viz_burst_insn(&viz_lines_run(l)->timeline, b, &repeat);
    if (b->n)
        viz_line_prose(l, "repeat", "%s more, %s, address %+d", viz_count_text(text, b->n),
                       apart(gap, b->d), repeat.a);
    if (b->n2)
        viz_line_prose(l, b->n ? "" : "repeat", "%s more%s, %s, address %+d",
                       viz_count_text(text, b->n2), b->n ? " of all that" : "", apart(gap, b->d2),
                       repeat.a2);
}

/* -- what it works on -- */

static void put_row(VizLines *l, const VizBurst *b, int half, const char *verb, int32_t row) {
    const VizRun *run = viz_lines_run(l);
    const int32_t rows = tsp_mem_slice_rows(run->m),
                  meant = viz_burst_meant(&run->timeline, b, half);
    const int32_t tensor = meant < 0 ? viz_run_row_tensor(run, b->queue, row) : meant;
    char text[VIZ_WORDS], part[VIZ_WORDS];
    int32_t index;
    const TspPiece *piece = viz_inspect_piece(run, tensor, b->queue, row, &index);
    viz_inspect_link_tensor(l, verb, tensor);
    viz_line_link(l, (VizThing){VIZ_ROW, (int64_t)b->queue * rows + row}, tensor < 0 ? verb : "",
                  "%s", viz_row_text(text, run->m, b->queue, row));
    if (piece)
        viz_line_prose(l, "", "%s",
                       viz_inspect_part(part, &run->program->tensors[tensor], piece, index));
}

static void put_rows(VizLines *l, const VizIssue *issue) {
    const TspInsn insn = viz_issue_insn(&viz_lines_run(l)->timeline, issue);
    if (insn.op == TSP_OP_READ || insn.op == TSP_OP_READ_WRITE)
        put_row(l, issue->burst, 0, "reads", insn.addr);
    if (insn.op == TSP_OP_WRITE || insn.op == TSP_OP_READ_WRITE)
        put_row(l, issue->burst, insn.op == TSP_OP_READ_WRITE, "writes", insn.waddr);
}

/* The operands as the disassembler writes them, each with its name and what it is. */
static void put_operands(VizLines *l, const VizIssue *issue) {
    const VizRun *run = viz_lines_run(l);
    const TspInsn insn = viz_issue_insn(&run->timeline, issue);
    const TspInsnInfo *info = tsp_insn_info(insn.op);
    char text[VIZ_WORDS];
    char *at;
    viz_issue_text(text, run, issue);
    at = strchr(text, ' ');
    for (int32_t i = 0; at && i < info->field_count; i++) {
        const TspField *field = &info->fields[i];
        int32_t streams;
        char *end;
        if (!field->name) continue;
        at += strspn(at, " ,");
        end = strchr(at, ',');
        streams = tsp_field_streams(run->m, field, &insn);
        if (insn.op == TSP_OP_LW && streams > 1) streams = insn.count;
        if (streams > 1) {
            char group[VIZ_WORDS];
            const int32_t value = tsp_field_get(&insn, field);
            viz_stream_text(group, field->kind == TSP_KIND_SRC ? TSP_SRC_NUMBER(value) : value,
                            streams);
            viz_line_prose(l, field->name, "%s, %s", group, field->what);
        } else {
            viz_line_prose(l, field->name, "%.*s, %s", (int)(end ? end - at : (int)strlen(at)), at,
                           field->what);
        }
        at = end;
    }
}

/* -- whom it takes from and gives to -- */

typedef struct {
    VizIssue issues[PEERS_MOST];
    int32_t count;
} Peers;

static void add_peer(Peers *peers, const VizIssue *issue) {
    for (int32_t i = 0; i < peers->count; i++)
        if (peers->issues[i].burst == issue->burst) return;
    if (peers->count < PEERS_MOST) peers->issues[peers->count++] = *issue;
}

static void put_peers(VizLines *l, const char *key, const Peers *peers) {
    for (int32_t i = 0; i < peers->count && i < PEERS; i++)
        viz_inspect_link_issue(l, i ? "" : key, &peers->issues[i]);
    if (peers->count > PEERS)
        viz_line_pair(l, "", "and %d more", peers->count - PEERS)->role = VIZ_TEXT_DIM;
}

static void put_flow(VizLines *l, const VizIssue *issue) {
    const VizRun *run = viz_lines_run(l);
    const TspInsn insn = viz_issue_insn(&run->timeline, issue);
    const int32_t column = tsp_queue_info(run->m, issue->burst->queue).column;
    const int64_t driven = issue->cycle + issue->burst->func[0];
    VizStreams streams[VIZ_OPERANDS];
    Peers from = {.count = 0}, to = {.count = 0};
    int32_t count = viz_insn_inputs(run->m, &insn, streams);
    for (int32_t k = 0; k < count; k++)
        for (int32_t s = 0; s < streams[k].count; s++) {
            VizIssue producer;
            if (viz_flow_producer(run, streams[k].base + s, column, issue->cycle, &producer))
                add_peer(&from, &producer);
        }
    count = viz_insn_outputs(run->m, &insn, streams);
    for (int32_t k = 0; k < count; k++)
        for (int32_t s = 0; s < streams[k].count; s++) {
            VizIssue consumers[PEERS + 1];
            const int32_t found =
                viz_flow_consumers(run, streams[k].base + s, column, driven, consumers, PEERS + 1);
            for (int32_t i = 0; i < found; i++) add_peer(&to, &consumers[i]);
        }
    put_peers(l, "from", &from);
    put_peers(l, "to", &to);
}

void viz_inspect_burst(VizLines *l, int32_t burst) {
    const VizRun *run = viz_lines_run(l);
    const VizBurst *b = &run->timeline.bursts[burst];
    const VizIssue issue = shown_issue(run, b, l->frame->view->cycle);
    char text[VIZ_WORDS];
    VizLine *title = viz_line_title(l, "instruction", "%s", viz_issue_text(text, run, &issue));
    title->has_swatch = run->burst_tensor[burst] >= 0;
    title->swatch = viz_tensor_fill(l->frame, run->burst_tensor[burst]);
    viz_inspect_link_queue(l, "unit", b->queue);
    put_when(l, &issue);
    put_rows(l, &issue);
    put_flow(l, &issue);
    viz_line_gap(l);
    viz_line_prose(l, "means", "%s", tsp_insn_info(b->opcode)->semantics);
    put_operands(l, &issue);
    put_repeat(l, b);
    viz_line_gap(l);
    viz_inspect_link_op(l, "op", viz_burst_op(b));
    if (b->tensor[0] < 0) viz_inspect_link_tensor(l, "tensor", run->burst_tensor[burst]);
    viz_inspect_intervals(l, viz_burst_op(b));
    if (b->line > 0)
        viz_line_pair(l, "source", "line %d of %s", b->line,
                      run->program->source ? run->program->source : "the assembly");
    else if (viz_burst_op(b) >= 0 && run->program->ops[viz_burst_op(b)].line > 0)
        viz_line_pair(l, "source", "line %d of %s", run->program->ops[viz_burst_op(b)].line,
                      run->program->source ? run->program->source : "the graph");
}
