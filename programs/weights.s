; weights.s - all 409,600 weights into all four MXM planes in fewer than 40 cycles, SRAM included.
;
; What to look at: 64 memory slices read in one burst, on all 32 outward streams of both
; hemispheres; 16 weight vectors a plane arrive each cycle for 20 cycles. Every slice starts a
; little later the nearer it is to the MXM, so that the 32 vectors of a group arrive together.
; The first Read issues in cycle 0, the install in cycle 35; in cycle 38 the weights are in use.
; Then one activation vector passes each hemisphere to show that they are: Y = W X.
;
;   cycle  0      first Read, slice w12, column 9, stream 0
;          1      on the stream register of column 9; one hop a cycle from here
;         10      at the MXM, column 0: the first LW takes 16 streams, 16 columns of the array
;      10..29     20 groups of 16 columns: one LW a cycle a plane
;         35      the last group, taken in 29, is in the buffer (6 cycles): IW
;         38      installed (3 cycles)

.machine tsp1
.name    weights

; Row n of W is column n of the product: what one vector on one stream brings. Rows 0..319 belong
; to plane 0 west, then plane 1 west, plane 0 east, plane 1 east. Row r of a plane lies in slice
; r mod 16 of its 16 slices, at address r div 16: a group of 16 is one address in 16 slices.
.tensor  W, int8, [1280, 320], input
.stripe  slices=mem.w12..mem.w27, addr=0, row0=0,   rows=320
.stripe  slices=mem.w28..mem.w43, addr=0, row0=320, rows=320
.stripe  slices=mem.e12..mem.e27, addr=0, row0=640, rows=320
.stripe  slices=mem.e28..mem.e43, addr=0, row0=960, rows=320
.tensor  X, int8, [1, 320], input               ; a copy on either side
.piece   slice=mem.w0, addr=0
.piece   slice=mem.e0, addr=0
; Results are int32: four bytes, four streams, four slices; one row a plane.
.tensor  Y, int32, [4, 320], output
.for b in 0..3
.piece   slice=mem.w{4+b}, addr=0, row0=0, rows=1, byte={b}
.piece   slice=mem.w{8+b}, addr=0, row0=1, rows=1, byte={b}
.piece   slice=mem.e{4+b}, addr=0, row0=2, rows=1, byte={b}
.piece   slice=mem.e{8+b}, addr=0, row0=3, rows=1, byte={b}
.end

.equ GROUPS    = 20                             ; of 16 columns: 320
.equ LOAD      = 10                             ; first LW
.equ INSTALL   = LOAD + GROUPS - 1 + 6          ; 35: the last LW's data are in the buffer
.equ INSTALLED = INSTALL + 3                    ; 38
.equ PRODUCT   = INSTALLED + 9 + 13             ; 60: entry 9, product 13 after the activation
.equ RESULT    = PRODUCT + 34 + 6               ; 100: accumulate 34, exit 6

; Slice i of a hemisphere is 12 - i/4 registers from the MXM (w12: 9, w43: 2). A Read issued in
; cycle t drives its register in t + 1: to arrive in LOAD it issues in LOAD - 1 - (12 - i/4).
.op weights, LoadWeights
.for i in 12..43
@mem.w{i} at {LOAD - 1 - (12 - i/4)}  read W, s{i-12}.w
          repeat GROUPS-1, 1, 1                 ; 19 more groups, an address each
@mem.e{i} at {LOAD - 1 - (12 - i/4)}  read W, s{i-12}.e
          repeat GROUPS-1, 1, 1
.end

; Plane p listens to streams 16p..16p+15. Repeat steps the group: columns 0..15, 16..31, ...
.for p in 0..1
@mxm.w.{p}.weights at LOAD     lw s{16*p}.w, 0, 16
                               repeat GROUPS-1, 1, 1
                   at INSTALL  iw i8
@mxm.e.{p}.weights at LOAD     lw s{16*p}.e, 0, 16
                               repeat GROUPS-1, 1, 1
                   at INSTALL  iw i8
.end

; The proof. X leaves w0, 12 registers from the MXM, so that it is there in INSTALLED; both planes
; of the hemisphere take it from the same stream, for a value read flows on.
.op product, MatMulInteger
@mem.w0 at INSTALLED - 1 - 12   read X, s0.w    ; 25: behind the last weights on this stream
@mem.e0 at INSTALLED - 1 - 12   read X, s0.e
.for p in 0..1
@mxm.w.{p}.activations at INSTALLED  abc i8, s0.w
@mxm.e.{p}.activations at INSTALLED  abc i8, s0.e
@mxm.w.{p}.results     at PRODUCT    acc 0, 1, 0, s{4*p}.e  ; nothing to add, emit, inwards
@mxm.e.{p}.results     at PRODUCT    acc 0, 1, 0, s{4*p}.w
; w4..w7 are 11 registers from the MXM, w8..w11 are 10.
.for b in 0..3
@mem.w{4+4*p+b} at RESULT + {11-p}   write Y, s{4*p+b}.e
@mem.e{4+4*p+b} at RESULT + {11-p}   write Y, s{4*p+b}.w
.end
.end
