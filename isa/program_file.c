/* program_file.c - programs as bytes and back; docs/program-format.md describes every one. */
#include "bytes.h"
#include "program.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = {'T', 'S', 'P', 'P', 'R', 'O', 'G', '\n'};
enum {
    VERSION = 5,
    VERSION_AT = 8,
    FLAGS_AT = 12,
    LENGTH_AT = 16,
    CHECKSUM_AT = 24,
    HEADER_BYTES = 32,
    SECTION_HEADER_BYTES = 12,
    MAX_SHAPE_BITS = 40 /* bytes of a tensor: far more than a chip holds, far from overflow */
};

/* FNV-1a over 8-byte words with a fold: any one changed byte changes it. */
static uint64_t checksum(const uint8_t *bytes, size_t length) {
    const uint64_t prime = UINT64_C(0x100000001b3);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        size_t count = length - at < 8 ? length - at : 8;
        for (size_t i = 0; i < count; i++) word |= (uint64_t)bytes[at + i] << (8 * i);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 32;
    }
    return hash;
}

/* ---- writing ---- */

static void write_machine(Writer *w, const TspProgram *p) {
    char *json = tsp_machine_json(&p->machine, false);
    w->failed |= json == NULL;
    bytes_put_string(w, json);
    free(json);
}

static void write_head(Writer *w, const TspProgram *p) {
    bytes_put_string(w, p->name);
    bytes_put_string(w, p->source);
    bytes_put_int(w, p->predicted_cycles);
    bytes_put_int(w, p->bound_cycles);
    bytes_put_string(w, p->bound_by);
    bytes_put_int(w, p->macs);
}

static void write_ops(Writer *w, const TspProgram *p) {
    bytes_put_int(w, p->op_count);
    for (int32_t i = 0; i < p->op_count; i++) {
        const TspOpInfo *op = &p->ops[i];
        bytes_put_string(w, op->name);
        bytes_put_string(w, op->type);
        bytes_put_int(w, op->line);
        bytes_put_int(w, op->start);
        bytes_put_int(w, op->end);
        bytes_put_int(w, op->bound);
    }
}

static void write_runs(Writer *w, const TspProgram *p) {
    bytes_put_int(w, p->run_count);
    for (int32_t i = 0; i < p->run_count; i++) {
        bytes_put_int(w, p->runs[i].op);
        bytes_put_int(w, p->runs[i].queue);
        bytes_put_int(w, p->runs[i].count);
        bytes_put_int(w, p->runs[i].tensor);
    }
}

static void write_links(Writer *w, const TspProgram *p) {
    TspLink last = {0};
    bytes_put_int(w, p->link_count);
    for (int32_t i = 0; i < p->link_count; i++) {
        const TspLink *link = &p->links[i];
        bytes_put_int(w, (int64_t)link->consumer - last.consumer);
        bytes_put_int(w, link->operand);
        bytes_put_int(w, (int64_t)link->producer - last.producer);
        bytes_put_int(w, link->offset);
        last = *link;
    }
}

static void write_tensors(Writer *w, const TspProgram *p) {
    bytes_put_int(w, p->tensor_count);
    for (int32_t i = 0; i < p->tensor_count; i++) {
        const TspTensor *t = &p->tensors[i];
        bytes_put_string(w, t->name);
        bytes_put_int(w, (int64_t)t->dtype);
        bytes_put_int(w, (int64_t)t->role);
        bytes_put_int(w, t->rank);
        for (int32_t d = 0; d < t->rank; d++) bytes_put_int(w, t->shape[d]);
        bytes_put_int(w, t->transposed);
        bytes_put_int(w, t->flat);
        bytes_put_int(w, t->finite);
        bytes_put_int(w, t->bounded);
        bytes_put_int(w, t->low);
        bytes_put_int(w, t->high);
        bytes_put_int(w, t->pad);
        bytes_put_int(w, t->piece_count);
        for (int32_t k = 0; k < t->piece_count; k++) {
            const TspPiece *piece = &t->pieces[k];
            bytes_put_int(w, piece->row0);
            bytes_put_int(w, piece->row_step);
            bytes_put_int(w, piece->rows);
            bytes_put_int(w, piece->col0);
            bytes_put_int(w, piece->col_step);
            bytes_put_int(w, piece->cols);
            bytes_put_int(w, piece->byte);
            bytes_put_int(w, piece->broadcast);
            bytes_put_int(w, piece->fill);
            bytes_put_int(w, piece->lane_skip);
            bytes_put_int(w, piece->slice);
            bytes_put_int(w, piece->addr);
            bytes_put_int(w, piece->addr_step);
        }
        bytes_put_int(w, t->data != NULL);
        if (t->data != NULL) bytes_put(w, t->data, (size_t)tsp_tensor_bytes(t));
    }
}

static void write_queues(Writer *w, const TspProgram *p) {
    int32_t used = 0;
    for (int32_t id = 0; id < TSP_MAX_QUEUES; id++) used += p->queues[id].count > 0;
    bytes_put_int(w, used);
    for (int32_t id = 0; id < TSP_MAX_QUEUES; id++) {
        const TspQueue *q = &p->queues[id];
        TspInsnDebug last = {0};
        if (q->count == 0) continue;
        bytes_put_int(w, id);
        bytes_put_int(w, q->count);
        bytes_put_int(w, q->debug != NULL);
        for (int32_t i = 0; i < q->count; i++) {
            bytes_put_fixed(w, q->words[i].lo, 8);
            bytes_put_fixed(w, q->words[i].hi, 8);
        }
        for (int32_t i = 0; q->debug != NULL && i < q->count; i++) {
            const TspInsnDebug *d = &q->debug[i];
            for (int half = 0; half < 2; half++) {
                bytes_put_int(w, (int64_t)d->run[half] - last.run[half]);
                bytes_put_int(w, d->first[half]);
            }
            bytes_put_int(w, (int64_t)d->line - last.line);
            last = *d;
        }
    }
}

/* ---- reading ---- */

static void read_machine(Reader *r, TspProgram *p) {
    size_t start = r->at;
    TspError cause;
    char *json = bytes_get_string(r, "machine description"), *again = NULL;
    if (json == NULL) {
        bytes_refuse(r, start, "no machine description");
        return;
    }
    /* Written back it must be the same text: so no field is missing or has another spelling. */
    if (tsp_machine_parse(&p->machine, json, strlen(json), "machine", &cause))
        again = tsp_machine_json(&p->machine, false);
    if (again == NULL || strcmp(json, again) != 0)
        bytes_refuse(r, start, "bad machine description");
    free(again);
    free(json);
}

static void read_head(Reader *r, TspProgram *p) {
    p->name = bytes_get_string(r, "bad program name");
    p->source = bytes_get_string(r, "bad source path");
    p->predicted_cycles = bytes_get_int(r, -1, INT64_MAX, "bad predicted cycles");
    p->bound_cycles = bytes_get_int(r, 0, INT64_MAX, "bad bound");
    p->bound_by = bytes_get_string(r, "bad name of the bound");
    p->macs = bytes_get_int(r, 0, INT64_MAX, "bad number of multiply-accumulates");
}

/* The count is set before the items are read: what was read can then be freed whatever happens. */
static void read_ops(Reader *r, TspProgram *p) {
    int32_t count = bytes_get_count(r, 6, "bad number of ops");
    p->ops = bytes_get_array(r, count, sizeof *p->ops);
    p->op_count = r->failed ? 0 : count;
    for (int32_t i = 0; i < p->op_count && !r->failed; i++) {
        TspOpInfo *op = &p->ops[i];
        op->name = bytes_get_string(r, "bad op name");
        op->type = bytes_get_string(r, "bad op type");
        op->line = bytes_get_int32(r, 0, INT32_MAX, "bad line of an op");
        op->start = bytes_get_int(r, -1, INT64_MAX, "bad start of an op");
        op->end = bytes_get_int(r, -1, INT64_MAX, "bad end of an op");
        op->bound = bytes_get_int(r, 0, INT64_MAX, "bad bound of an op");
    }
}

static void read_runs(Reader *r, TspProgram *p) {
    int32_t count = bytes_get_count(r, 4, "bad number of runs"),
            queues = tsp_queue_count(&p->machine);
    p->runs = bytes_get_array(r, count, sizeof *p->runs);
    p->run_count = r->failed ? 0 : count;
    for (int32_t i = 0; i < p->run_count && !r->failed; i++) {
        TspRun *run = &p->runs[i];
        run->op = bytes_get_int32(r, -1, p->op_count - 1, "run of an op that is not there");
        run->queue = bytes_get_int32(r, 0, queues - 1, "run in a queue that the machine lacks");
        run->count = bytes_get_int32(r, 0, INT32_MAX, "bad length of a run");
        run->tensor =
            bytes_get_int32(r, -1, p->tensor_count - 1, "run on a tensor that is not there");
    }
}

static void read_links(Reader *r, TspProgram *p) {
    int32_t count = bytes_get_count(r, 4, "bad number of links");
    TspLink last = {0};
    p->links = bytes_get_array(r, count, sizeof *p->links);
    p->link_count = r->failed ? 0 : count;
    for (int32_t i = 0; i < p->link_count && !r->failed; i++) {
        TspLink *link = &p->links[i];
        int32_t most = p->run_count - 1;
        link->consumer =
            bytes_get_next(r, last.consumer, 0, most, "link to a run that is not there");
        link->operand = bytes_get_int32(r, 0, TSP_MAX_STREAMS - 1, "bad operand of a link");
        link->producer =
            bytes_get_next(r, last.producer, 0, most, "link from a run that is not there");
        link->offset = bytes_get_int32(r, INT32_MIN, INT32_MAX, "bad offset of a link");
        last = *link;
    }
}

/* first, first + step, ... of `count` items all in 0 .. limit-1. */
static bool steps_inside(int64_t first, int64_t step, int64_t count, int64_t limit) {
    int64_t last = first + step * (count - 1);
    return first >= 0 && first < limit && last >= 0 && last < limit;
}

static void read_piece(Reader *r, const TspMachine *m, const TspTensor *t, TspPiece *piece) {
    size_t start = r->at;
    int32_t lanes = tsp_lanes(m);
    piece->row0 = bytes_get_int32(r, 0, INT32_MAX, "bad first row of a piece");
    piece->row_step = bytes_get_int32(r, INT32_MIN, INT32_MAX, "bad row step of a piece");
    piece->rows = bytes_get_int32(r, 1, INT32_MAX, "bad number of rows of a piece");
    piece->col0 = bytes_get_int32(r, 0, INT32_MAX, "bad first column of a piece");
    piece->col_step = bytes_get_int32(r, INT32_MIN, INT32_MAX, "bad column step of a piece");
    piece->cols = bytes_get_int32(r, 1, lanes, "bad number of columns of a piece");
    piece->byte =
        bytes_get_int32(r, TSP_WHOLE, tsp_dtype_bytes(t->dtype) - 1, "bad byte of a piece");
    piece->broadcast = bytes_get_int32(r, 0, lanes, "bad broadcast of a piece");
    piece->fill = bytes_get_int32(r, 0, lanes, "bad fill of a piece");
    piece->lane_skip = bytes_get_int32(r, 0, INT32_MAX, "bad lane skip of a piece");
    piece->slice = bytes_get_int32(r, 0, 2 * (int32_t)m->mem_slices - 1, "piece in no MEM slice");
    piece->addr = bytes_get_int32(r, 0, INT32_MAX, "bad address of a piece");
    piece->addr_step = bytes_get_int32(r, INT32_MIN, INT32_MAX, "bad address step of a piece");
    if (!tsp_piece_fits(m, t, piece)) bytes_refuse(r, start, "piece outside its tensor");
    if (!steps_inside(piece->addr, piece->addr_step, piece->rows, tsp_mem_slice_rows(m)))
        bytes_refuse(r, start, "piece outside its MEM slice");
}

static void read_shape(Reader *r, TspTensor *t) {
    int64_t room = INT64_C(1) << MAX_SHAPE_BITS;
    t->rank = bytes_get_int32(r, 0, TSP_MAX_RANK, "bad rank of a tensor");
    for (int32_t d = 0; d < t->rank; d++) {
        t->shape[d] = bytes_get_int(r, 0, room, "bad shape of a tensor");
        if (t->shape[d] > 1) room /= t->shape[d]; /* zeros too: partial products are used */
    }
}

static void read_tensor(Reader *r, const TspMachine *m, TspTensor *t) {
    size_t start = r->at;
    t->name = bytes_get_string(r, "bad tensor name");
    if (t->name == NULL) bytes_refuse(r, start, "tensor without a name");
    t->dtype = (TspDtype)bytes_get_int(r, 0, TSP_DTYPE_COUNT - 1, "bad type of a tensor");
    t->role = (TspTensorRole)bytes_get_int(r, 0, TSP_ROLE_INTERNAL, "bad role of a tensor");
    read_shape(r, t);
    t->transposed = bytes_get_int(r, 0, 1, "bad transposition of a tensor") != 0;
    start = r->at;
    t->flat = bytes_get_int(r, 0, 1, "bad flatness of a tensor") != 0;
    if (t->flat && t->transposed) bytes_refuse(r, start, "a tensor both flat and transposed");
    t->finite = bytes_get_int(r, 0, 1, "bad finiteness of a tensor") != 0;
    t->bounded = bytes_get_int(r, 0, 1, "bad bounds of a tensor") != 0;
    t->low = bytes_get_int32(r, INT32_MIN, INT32_MAX, "bad least value of a tensor");
    t->high = bytes_get_int32(r, INT32_MIN, INT32_MAX, "bad greatest value of a tensor");
    t->pad = bytes_get_int32(r, INT32_MIN, INT32_MAX, "bad padding of a tensor");
    int32_t count = bytes_get_count(r, 12, "bad number of pieces");
    t->pieces = bytes_get_array(r, count, sizeof *t->pieces);
    t->piece_count = r->failed ? 0 : count;
    for (int32_t i = 0; i < t->piece_count && !r->failed; i++) read_piece(r, m, t, &t->pieces[i]);
    start = r->at;
    bool has_data = bytes_get_int(r, 0, 1, "bad data mark of a tensor") != 0;
    if (has_data != (t->role == TSP_ROLE_CONSTANT))
        bytes_refuse(r, start, "data on a tensor that is no constant, or a constant without");
    if (r->failed || !has_data) return;
    size_t length = (size_t)tsp_tensor_bytes(t);
    const uint8_t *bytes = bytes_get(r, length);
    if (bytes == NULL) return;
    t->data = bytes_get_array(r, 1, length > 0 ? length : 1);
    if (t->data != NULL) memcpy(t->data, bytes, length);
}

static void read_tensors(Reader *r, TspProgram *p) {
    int32_t count = bytes_get_count(r, 12, "bad number of tensors");
    p->tensors = bytes_get_array(r, count, sizeof *p->tensors);
    p->tensor_count = r->failed ? 0 : count;
    for (int32_t i = 0; i < p->tensor_count && !r->failed; i++)
        read_tensor(r, &p->machine, &p->tensors[i]);
}

static void read_debug(Reader *r, const TspProgram *p, TspQueue *q) {
    TspInsnDebug last = {0};
    q->debug = bytes_get_array(r, q->count, sizeof *q->debug);
    for (int32_t i = 0; i < q->count && !r->failed; i++) {
        TspInsnDebug *d = &q->debug[i];
        for (int half = 0; half < 2; half++) {
            d->run[half] = bytes_get_next(r, last.run[half], -1, p->run_count - 1,
                                          "instruction of a run that is not there");
            d->first[half] = bytes_get_int32(r, -1, INT32_MAX, "bad iteration of an instruction");
        }
        d->line = bytes_get_next(r, last.line, 0, INT32_MAX, "bad line of an instruction");
        last = *d;
    }
}

static void read_queues(Reader *r, TspProgram *p) {
    int32_t queues = tsp_queue_count(&p->machine), next = 0;
    int32_t used = bytes_get_int32(r, 0, queues, "more queues than the machine has");
    for (int32_t k = 0; k < used && !r->failed; k++) {
        int32_t id = bytes_get_int32(r, next, queues - 1, "queue out of order");
        TspQueue *q = &p->queues[id];
        int32_t count = bytes_get_count(r, sizeof(TspWord), "bad number of instructions");
        if (count == 0) bytes_refuse(r, r->at, "queue without instructions");
        bool has_debug = bytes_get_int(r, 0, 1, "bad debug mark of a queue") != 0;
        const uint8_t *bytes = bytes_get(r, (size_t)count * sizeof(TspWord));
        q->words = bytes_get_array(r, count, sizeof *q->words);
        if (r->failed) return;
        q->count = q->capacity = count;
        for (int32_t i = 0; i < count; i++, bytes += sizeof(TspWord))
            q->words[i] = (TspWord){bytes_fetch(bytes, 8), bytes_fetch(bytes + 8, 8)};
        if (has_debug) read_debug(r, p, q);
        next = id + 1;
    }
}

/* ---- the file: a header and these sections, in this order ---- */

static const struct {
    char tag[5];
    void (*write)(Writer *, const TspProgram *);
    void (*read)(Reader *, TspProgram *);
} sections[] = {
    {"MACH", write_machine, read_machine}, {"HEAD", write_head, read_head},
    {"OPS ", write_ops, read_ops},         {"TENS", write_tensors, read_tensors},
    {"RUNS", write_runs, read_runs},       {"LINK", write_links, read_links},
    {"QUEU", write_queues, read_queues},
};
enum { SECTION_COUNT = (int)(sizeof sections / sizeof sections[0]) };

uint8_t *tsp_program_bytes(const TspProgram *p, size_t *length) {
    Writer w = {0};
    bytes_put(&w, magic, sizeof magic);
    bytes_put_fixed(&w, VERSION, 4);
    bytes_put_fixed(&w, 0, 4); /* flags */
    bytes_put_fixed(&w, 0, 8); /* length and checksum: known at the end */
    bytes_put_fixed(&w, 0, 8);
    for (int i = 0; i < SECTION_COUNT; i++) {
        bytes_put(&w, sections[i].tag, 4);
        bytes_put_fixed(&w, 0, 8);
        size_t start = w.length;
        sections[i].write(&w, p);
        if (!w.failed) bytes_store(w.bytes + start - 8, w.length - start, 8);
    }
    if (w.failed) {
        free(w.bytes);
        return NULL;
    }
    bytes_store(w.bytes + LENGTH_AT, w.length, 8);
    bytes_store(w.bytes + CHECKSUM_AT, checksum(w.bytes + HEADER_BYTES, w.length - HEADER_BYTES),
                8);
    *length = w.length;
    return w.bytes;
}

static bool check_header(const uint8_t *bytes, size_t length, const char *origin, TspError *err) {
    if (length < sizeof magic || memcmp(bytes, magic, sizeof magic) != 0)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: byte 0: not a program file; make one with tsp compile or tsp asm",
                        origin);
    if (length < HEADER_BYTES)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: byte %zu: the file ends in its header; make it again", origin, length);
    uint64_t version = bytes_fetch(bytes + VERSION_AT, 4), said = bytes_fetch(bytes + LENGTH_AT, 8);
    if (version != VERSION)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: byte %d: format version %" PRIu64 ", this tsp reads %d; make it again",
                        origin, VERSION_AT, version, VERSION);
    if (bytes_fetch(bytes + FLAGS_AT, 4) != 0)
        return tsp_fail(err, TSP_ERR_INPUT, "%s: byte %d: reserved bits are set; make it again",
                        origin, FLAGS_AT);
    if (said != length)
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: byte %d: says %" PRIu64 " bytes but has %zu; copy or make it again",
                        origin, LENGTH_AT, said, length);
    if (bytes_fetch(bytes + CHECKSUM_AT, 8) !=
        checksum(bytes + HEADER_BYTES, length - HEADER_BYTES))
        return tsp_fail(err, TSP_ERR_INPUT,
                        "%s: byte %d: checksum differs; the file is damaged, make it again", origin,
                        CHECKSUM_AT);
    return true;
}

static void read_section(Reader *r, TspProgram *p, int which, size_t length) {
    size_t start = r->at;
    r->end = length;
    const uint8_t *head = bytes_get(r, SECTION_HEADER_BYTES);
    if (head == NULL) return;
    if (memcmp(head, sections[which].tag, 4) != 0) {
        bytes_refuse(r, start, "unexpected section");
        return;
    }
    uint64_t bytes = bytes_fetch(head + 4, 8);
    if (bytes > length - r->at) {
        bytes_refuse(r, start, "section longer than the file");
        return;
    }
    r->end = r->at + (size_t)bytes;
    sections[which].read(r, p);
    if (r->at != r->end) bytes_refuse(r, r->at, "bytes left over in a section");
}

bool tsp_program_parse(TspProgram *p, const uint8_t *bytes, size_t length, const char *origin,
                       TspError *err) {
    if (!check_header(bytes, length, origin, err)) return false;
    Reader r = {.bytes = bytes, .at = HEADER_BYTES, .end = length, .origin = origin, .err = err};
    TspMachine any;
    tsp_machine_builtin(&any, "tsp1"); /* until the file's own is read */
    tsp_program_init(p, &any);
    for (int i = 0; i < SECTION_COUNT && !r.failed; i++) read_section(&r, p, i, length);
    if (r.at != length) bytes_refuse(&r, r.at, "bytes after the last section");
    if (r.failed) tsp_program_free(p);
    return !r.failed;
}

/* ---- on disk ---- */

bool tsp_program_save(const TspProgram *p, const char *path, TspError *err) {
    size_t length, size = strlen(path) + sizeof ".tmp";
    uint8_t *bytes = tsp_program_bytes(p, &length);
    char *temporary = malloc(size);
    bool ok = bytes != NULL && temporary != NULL;
    if (!ok) tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
    if (ok) {
        snprintf(temporary, size, "%s.tmp", path);
        FILE *file = fopen(temporary, "wb");
        ok = file != NULL && fwrite(bytes, 1, length, file) == length;
        int cause = errno;
        if (file != NULL && fclose(file) != 0 && ok) ok = false, cause = errno;
        if (ok && rename(temporary, path) != 0) ok = false, cause = errno;
        if (!ok) {
            if (file != NULL) remove(temporary);
            tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot write: %s", path, strerror(cause));
        }
    }
    free(temporary);
    free(bytes);
    return ok;
}

static uint8_t *read_whole(const char *path, size_t *length, TspError *err) {
    Writer w = {0};
    uint8_t chunk[65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        tsp_fail(err, TSP_ERR_INPUT, "%s: %s", path, strerror(errno));
        return NULL;
    }
    for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;) bytes_put(&w, chunk, got);
    bool bad = ferror(file) != 0;
    int cause = errno;
    fclose(file);
    bytes_put(&w, "", 1); /* so that an empty file is a buffer too */
    if (!bad && !w.failed) {
        *length = w.length - 1;
        return w.bytes;
    }
    tsp_fail(err, TSP_ERR_SYSTEM, "%s: %s", path, bad ? strerror(cause) : "out of memory");
    free(w.bytes);
    return NULL;
}

bool tsp_program_load(TspProgram *p, const char *path, TspError *err) {
    size_t length;
    uint8_t *bytes = read_whole(path, &length, err);
    bool ok = bytes != NULL && tsp_program_parse(p, bytes, length, path, err);
    free(bytes);
    return ok;
}
