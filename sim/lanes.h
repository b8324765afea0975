/* lanes.h - what one VXM ALU does to all lanes: bit-identical on every host.
 *
 * An ALU register holds 32 bits a lane: i8 and i16 sign-extended, u8 zero-extended, f16 as its 16
 * bits zero-extended, f32 as its bits.
 */
#ifndef TSP_LANES_H
#define TSP_LANES_H
#include "isa/isa.h"

/* Gathers `bytes` byte planes (a stream group, least significant first, n lanes each) of a type
 * into registers, and spreads registers into byte planes. */
void tsp_lanes_load(uint32_t *reg, const uint8_t *const *planes, TspDtype type, int32_t n);
void tsp_lanes_store(uint8_t *const *planes, const uint32_t *reg, TspDtype type, int32_t n);
/* out = op(a, b) over n lanes with insn's type and type2; b is ignored by unary ops. out may be a
 * or b. False if the op or its type combination is not modelled (e.g. shl of floats). */
bool tsp_lanes_op(const TspInsn *insn, const uint32_t *a, const uint32_t *b, uint32_t *out,
                  int32_t n);
/* Whether tsp_lanes_op knows the op with these types. */
bool tsp_lanes_knows(const TspInsn *insn);

#endif
