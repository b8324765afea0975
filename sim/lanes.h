/* lanes.h - what one VXM ALU, or a distributor, does to all lanes: bit-identical on every host.
 *
 * An ALU register holds 32 bits a lane: i8 and i16 sign-extended, u8 zero-extended, f16 as its 16
 * bits zero-extended, f32 as its bits.
 */
#ifndef TSP_LANES_H
#define TSP_LANES_H
#include "gemm.h"
#include "isa/isa.h"

/* out = op(a, b) over n lanes of packed elements, a byte or two each; out may be a or b. */
typedef void TspPackedKernel(const void *a, const void *b, void *out, int32_t n);

typedef struct {
    /* Whether operate() knows the op with these types. */
    bool (*knows)(const TspInsn *insn);
    /* out = op(a, b) over n lanes with insn's type and type2; b is ignored by unary ops. out may be
     * a or b. False if the op or its type combination is not modelled (e.g. shl of floats). */
    bool (*operate)(const TspInsn *insn, const uint32_t *a, const uint32_t *b, uint32_t *out,
                    int32_t n);
    /* What does the op on packed elements, as load, operate and store would do it: there is one for
     * every op of i8, u8 or i16 whose result is of that type, NULL for the others. b must be there
     * even for unary ops. */
    TspPackedKernel *(*find_packed)(const TspInsn *insn);
    /* Gathers `bytes` byte planes (a stream group, least significant first, n lanes each) of a type
     * into registers, and spreads registers into byte planes. */
    void (*load)(uint32_t *reg, const uint8_t *const *planes, TspDtype type, int32_t n);
    void (*store)(uint8_t *const *planes, const uint32_t *reg, TspDtype type, int32_t n);
    /* Packs two byte planes, and takes packed elements of two bytes apart. */
    void (*join)(uint16_t *out, const uint8_t *const *planes, int32_t n);
    void (*split)(uint8_t *const *planes, const uint16_t *in, int32_t n);
    /* A register as an operand of `type`: narrow types keep their low bits, extended by their
     * sign. And an immediate as one. */
    void (*narrow)(uint32_t *out, const uint32_t *in, TspDtype type, int32_t n);
    void (*fill)(uint32_t *out, uint32_t immediate, TspDtype type, int32_t n);
    /* Distribute over n lanes, `tile` to a superlane: lane i of a superlane takes lane map[i] of
     * it, 0 where that is none. out is neither data nor map. */
    void (*distribute)(const uint8_t *data, const uint8_t *map, uint8_t *out, int32_t tile,
                       int32_t n);
} TspLanes;

/* The same loops for an instruction set that this host has (AUTO: the best), by the names of the
 * MXM's kernels; they differ in nothing but speed. */
const TspLanes *tsp_lanes_of(TspGemmKernel kernel);

/* The best of them. */
bool tsp_lanes_knows(const TspInsn *insn);
bool tsp_lanes_op(const TspInsn *insn, const uint32_t *a, const uint32_t *b, uint32_t *out,
                  int32_t n);
void tsp_lanes_load(uint32_t *reg, const uint8_t *const *planes, TspDtype type, int32_t n);
void tsp_lanes_store(uint8_t *const *planes, const uint32_t *reg, TspDtype type, int32_t n);

#endif
