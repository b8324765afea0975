; distances.s - T = N + d_func + delta: how long an instruction and its value take over a distance.
;
; What to look at: the paper gives the time of an instruction as N + d_func + delta. N = 20 cycles
; pass until all superlanes of a slice have issued it; d_func is what the unit needs; delta is the
; distance to the consumer in stream registers, a hop a cycle. In superlane-0 time (all cycles of
; a program) N does not appear: the consumer issues d_func + delta after the producer. Each pair of
; ops below is such a producer and its consumer, on a stream of its own. Move a consumer one cycle
; earlier and it finds no value, STREAM_UNDEFINED; nothing here could be faster.
;
; Columns, from the west: MXM 0, SXM 1, w43..w40 2, ..., w3..w0 12, VXM 13, e0..e3 14, ...,
; e40..e43 24, SXM 25, MXM 26.

.machine tsp1
.name    distances
.tensor  X, int8, [1, 320], input
.piece   slice=mem.w0,  addr=0
.piece   slice=mem.w20, addr=0
.piece   slice=mem.w42, addr=0
.piece   slice=mem.w43, addr=0
.piece   slice=mem.e43, addr=0

; Next to each other: 1 to read, 1 hop.
.op w0
@mem.w0          read X, s0.e
.op vxm_from_w0
@vxm.0  at 2     pass i8, none, s0.e

; From the far end of a hemisphere: 1 to read, 11 hops.
.op w43
@mem.w43         read X, s1.e
.op vxm_from_w43
@vxm.1  at 12    pass i8, none, s1.e

; From the VXM to the far end: 7 for an ALU operation, 11 hops.
.op vxm
@vxm.2  at 1     add i8, s2.e, #1, #1
.op e43_from_vxm
@mem.e43 at 1 + 7 + 11  write 1, s2.e

; Outwards from the last slice to the MXM: 1 to read, 2 hops.
.op e43
@mem.e43 at 30   read X, s16.e
.op mxm_from_e43
@mxm.e.0.weights at 30 + 1 + 2  lw s16.e, 0, 1

; From the middle of a hemisphere to its SXM: column 7 to column 1.
.op w20
@mem.w20 at 3    read X, s3.w
.op sxm_from_w20
@sxm.w.shift.0 at 3 + 1 + 6  shift s4.e, s3.w, 0

; All of memory from west to east: 1 to read, 22 hops.
.op w42
@mem.w42         read X, s5.e
.op e42_from_w42
@mem.e42 at 1 + 22  write 1, s5.e
