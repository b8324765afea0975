/* isa_doc.c - the instruction reference (docs/isa.md), written from the tables of isa.def. */
#include "isa.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char intro[] =
    "# Instruction reference\n"
    "\n"
    "Generated from `isa/isa.def` by `make docs`; change that file, not this one.\n"
    "\n"
    "An instruction is 16 bytes, little-endian; bits 7..0 of its 128-bit word are the opcode. "
    "Reserved bits must be zero: a word with one of them set, an unknown opcode or a meaningless "
    "type or source code is refused. Operands are written in the order of their tables, separated "
    "by commas, after the mnemonic; operands with a default may be left out from the end.\n"
    "\n"
    "What each instruction does is published where the source is marked [S] (stated in a primary "
    "source), remembered where [R], reported by third parties where [3P]. Encodings, names of "
    "variants, and everything marked [A] are assumptions of this project: Groq has published "
    "none. I20 is Abts et al., ISCA 2020; I22 is Abts et al., ISCA 2022.\n"
    "\n"
    "- **d_skew**: cycles from issue to the cycle in which the operands must stand on the unit's "
    "stream register.\n"
    "- **d_func**: cycles from issue to the result: a value on the unit's stream register, a row "
    "readable, a product at the accumulators.\n"
    "- **not modelled**: assembled and disassembled, but the simulator and the compiler refuse it "
    "by name.\n"
    "\n"
    "Both delays are expressions over the machine description (`isa/machine.def`); the numbers "
    "are those of `tsp1`.\n";

/* In order of TspKind. */
static const struct {
    const char *name, *what;
} kinds[] = {
    [TSP_KIND_UINT] = {"unsigned", "unsigned integer"},
    [TSP_KIND_SINT] = {"signed", "two's complement integer"},
    [TSP_KIND_FLAG] = {"flag", "0 or 1"},
    [TSP_KIND_ADDR] = {"row", "row of a MEM slice; the bank is the row divided by `mem_rows`"},
    [TSP_KIND_TYPE] = {"type", "element type, see below"},
    [TSP_KIND_STREAM] = {"stream", "one stream: its number, plus 32 if it flows westward"},
    [TSP_KIND_STREAM_TYPE] = {"stream group", "aligned group as wide as `type`, by its first"},
    [TSP_KIND_SG2] = {"stream pair", "aligned group of 2, by its first"},
    [TSP_KIND_SG4] = {"stream quad", "aligned group of 4, by its first"},
    [TSP_KIND_SG_LOAD] = {"load group", "aligned group of `mxm_load_streams`, by its first"},
    [TSP_KIND_SG_LANES] = {"lane group", "aligned group of `lanes_per_superlane`, by its first"},
    [TSP_KIND_SG_ROWS] = {"row group", "group of `n`, aligned to 4, by its first"},
    [TSP_KIND_SG_ROTATIONS] = {"rotation group",
                               "group of `n` squared, aligned to 16, by its first"},
    [TSP_KIND_SRC] = {"source",
                      "64 × kind + number: kind 0 a stream group as wide as `type`, 1 the "
                      "immediate, 2 the result an ALU produces in that very cycle, 3 the last "
                      "result an ALU produced; the number is the stream or the ALU"},
    [TSP_KIND_DST] = {"destination",
                      "stream group as wide as the result, by its first; 64: none, the result "
                      "stays in the ALU"},
    [TSP_KIND_IMM] = {"immediate", "32 bits as they are"},
};

static const char *const unit_titles[] = {
    [TSP_UNIT_ANY] = "Any queue", [TSP_UNIT_MEM] = "MEM", [TSP_UNIT_VXM] = "VXM",
    [TSP_UNIT_MXM] = "MXM",       [TSP_UNIT_SXM] = "SXM", [TSP_UNIT_C2C] = "C2C",
};
enum { UNIT_COUNT = (int)(sizeof unit_titles / sizeof unit_titles[0]) };

static const char *const role_titles[] = {
    [TSP_ROLE_NONE] = "",
    [TSP_ROLE_WEIGHTS] = "weights",
    [TSP_ROLE_ACTIVATIONS] = "activations",
    [TSP_ROLE_RESULTS] = "results",
    [TSP_ROLE_TRANSPOSE] = "transpose",
    [TSP_ROLE_DISTRIBUTE] = "distribute",
    [TSP_ROLE_PERMUTE] = "permute",
    [TSP_ROLE_SHIFT] = "shift",
    [TSP_ROLE_SELECT] = "select",
    [TSP_ROLE_ROTATE] = "rotate",
};

/* A bare bar would end a table cell, a star start italics. */
static void put_cell(FILE *out, const char *text) {
    for (; *text; text++) fprintf(out, *text == '|' || *text == '*' ? "\\%c" : "%c", *text);
}

static void put_delay(FILE *out, const char *what, const char *expression, int32_t cycles) {
    fprintf(out, "%s %" PRId32, what, cycles);
    if (strstr(expression, "m->") == NULL) return;
    fputs(" (`", out);
    for (; *expression; expression++) {
        if (strncmp(expression, "m->", 3) == 0) expression += 3;
        fputc(*expression, out);
    }
    fputs("`)", out);
}

static void put_queue(FILE *out, const TspInsnInfo *info) {
    if (info->unit == TSP_UNIT_ANY)
        fputs("every queue", out);
    else if (info->role == TSP_ROLE_NONE)
        fprintf(out, "%s", unit_titles[info->unit]);
    else
        fprintf(out, "%s, %s", unit_titles[info->unit], role_titles[info->role]);
}

static void put_overview(FILE *out) {
    fputs("\n## All instructions\n\n| opcode | mnemonic | queue | modelled | semantics |\n"
          "|---|---|---|---|---|\n",
          out);
    for (int op = 0; op < TSP_OP_COUNT; op++) {
        const TspInsnInfo *info = tsp_insn_info((TspOpcode)op);
        fprintf(out, "| `0x%02x` | `%s` | ", info->code, info->mnemonic);
        put_queue(out, info);
        fprintf(out, " | %s | ", info->modelled ? "yes" : "no");
        put_cell(out, info->semantics);
        fputs(" |\n", out);
    }
}

static void put_kinds(FILE *out) {
    fputs("\n## Kinds of operand\n\n| kind | meaning |\n|---|---|\n", out);
    for (int kind = 0; kind < TSP_KIND_RESERVED; kind++)
        fprintf(out, "| %s | %s |\n", kinds[kind].name, kinds[kind].what);
    fputs("\nA group of n streams starts at a multiple of n.\n"
          "\n| type | code | bytes an element = streams of a group |\n|---|---|---|\n",
          out);
    for (int type = 0; type < TSP_BOOL; type++)
        fprintf(out, "| `%s` (%s) | %d | %" PRId32 " |\n", tsp_dtype_short((TspDtype)type),
                tsp_dtype_name((TspDtype)type), type, tsp_dtype_bytes((TspDtype)type));
}

static void put_field(FILE *out, const TspField *f) {
    char bits[16];
    snprintf(bits, sizeof bits, f->hi == f->lo ? "%d" : "%d..%d", f->hi, f->lo);
    if (f->kind == TSP_KIND_RESERVED) {
        fprintf(out, "| – | %s | reserved | | zero |\n", bits);
        return;
    }
    fprintf(out, "| `%s` | %s | %s | ", f->name, bits, kinds[f->kind].name);
    if (!f->needed) fprintf(out, "%" PRId32, f->dflt);
    fputs(" | ", out);
    put_cell(out, f->what);
    fputs(" |\n", out);
}

static void put_insn(FILE *out, const TspMachine *m, TspOpcode op) {
    const TspInsnInfo *info = tsp_insn_info(op);
    fprintf(out, "\n### `%s`", info->mnemonic);
    const char *separator = " ";
    for (int32_t i = 0; i < info->field_count; i++) {
        const TspField *f = &info->fields[i];
        if (f->kind == TSP_KIND_RESERVED) continue;
        fprintf(out, f->needed ? "%s*%s*" : "%s[*%s*]", separator, f->name);
        separator = ", ";
    }
    fputs("\n\n", out);
    put_cell(out, info->semantics);
    fprintf(out, "\n\nOpcode `0x%02x`; queue: ", info->code);
    put_queue(out, info);
    put_delay(out, "; d_skew", info->skew_text, tsp_insn_skew(m, &(TspInsn){.op = op}));
    put_delay(out, "; d_func", info->func_text, tsp_op_func(m, op));
    fprintf(out, "; source: %s.%s\n", info->source, info->modelled ? "" : " **Not modelled.**");
    fputs("\n| operand | bits | kind | default | what it is |\n|---|---|---|---|---|\n", out);
    for (int32_t i = 0; i < info->field_count; i++) put_field(out, &info->fields[i]);
}

char *tsp_isa_markdown(void) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    TspMachine m;
    if (out == NULL) return NULL;
    tsp_machine_builtin(&m, "tsp1");
    fputs(intro, out);
    put_overview(out);
    put_kinds(out);
    for (int unit = 0; unit < UNIT_COUNT; unit++) {
        fprintf(out, "\n## %s\n", unit_titles[unit]);
        for (int op = 0; op < TSP_OP_COUNT; op++)
            if ((int)tsp_insn_info((TspOpcode)op)->unit == unit) put_insn(out, &m, (TspOpcode)op);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) == 0 && !failed) return text;
    free(text);
    return NULL;
}
