; peak-fp16.s - 102,400 fp16 multiply-accumulates a cycle: both pairs of planes busy.
;
; What to look at: two planes in tandem hold one tile of fp16 weights, low bytes in the even plane,
; high bytes in the odd one. A pair takes a vector of 320 halfs, on two streams, every second cycle:
; a quarter of the int8 rate. The west pair takes its vectors in even cycles and the east pair in
; odd ones, so that every single cycle of `peak` starts 320 x 320 products. A pair is then busy in
; every cycle: move `second` one cycle earlier and it is refused, ARRAY_BUSY.

.machine tsp1
.name    "peak-fp16"
; Column n of the array is row n of W. Byte 0 of its halfs goes to plane 0, byte 1 to plane 1.
.tensor  WW, float16, [320, 320], input         ; west
.stripe  slices=mem.w12..mem.w27, addr=0, byte=0
.stripe  slices=mem.w28..mem.w43, addr=0, byte=1
.tensor  WE, float16, [320, 320], input         ; east
.stripe  slices=mem.e12..mem.e27, addr=0, byte=0
.stripe  slices=mem.e28..mem.e43, addr=0, byte=1

.equ VECTORS = 32
.tensor  XW, float16, [VECTORS, 320], input @ mem.w0:0      ; byte 0 in w0, byte 1 in w1
.tensor  XE, float16, [VECTORS, 320], input @ mem.e0:0

.equ GROUPS    = 20
.equ LOAD      = 10
.equ INSTALL   = LOAD + GROUPS - 1 + 6
.equ INSTALLED = INSTALL + 3                    ; 38

.op weights
.for i in 12..43
@mem.w{i} at {LOAD - 1 - (12 - i/4)}  read WW, s{i-12}.w
          repeat GROUPS-1, 1, 1
@mem.e{i} at {LOAD - 1 - (12 - i/4)}  read WE, s{i-12}.e
          repeat GROUPS-1, 1, 1
.end
.for p in 0..1
@mxm.w.{p}.weights at LOAD     lw s{16*p}.w, 0, 16
                               repeat GROUPS-1, 1, 1
                   at INSTALL  iw f16
@mxm.e.{p}.weights at LOAD     lw s{16*p}.e, 0, 16
                               repeat GROUPS-1, 1, 1
                   at INSTALL  iw f16
.end

; Two streams a vector, every second cycle.
.op activations
.for b in 0..1
@mem.w{b} at INSTALLED - 13  read XW, s{b}.w
          repeat VECTORS-1, 2, 1
@mem.e{b} at INSTALLED - 12  read XE, s{b}.e
          repeat VECTORS-1, 2, 1
.end
; The first two activations of the west pair stand alone, so that one can be moved against the other.
.op first
@mxm.w.0.activations at INSTALLED      abc f16, s0.w
.op second
                     at INSTALLED + 2  abc f16, s0.w
.op peak
                     at INSTALLED + 4  abc f16, s0.w
                     repeat VECTORS-3, 2
@mxm.e.0.activations at INSTALLED + 1  abc f16, s0.e
                     repeat VECTORS-1, 2

.op sums
@mxm.w.0.results at INSTALLED + 22  acc 0, 0, 0
                 repeat VECTORS-1, 2, 1
@mxm.e.0.results at INSTALLED + 23  acc 0, 0, 0
                 repeat VECTORS-1, 2, 1
