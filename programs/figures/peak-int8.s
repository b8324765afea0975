; peak-int8.s - 409,600 multiply-accumulates a cycle: all four planes busy, cycle after cycle.
;
; What to look at: the weights are loaded as in ../weights.s, then one activation vector a cycle
; passes each hemisphere and both planes of it take it: a value read flows on. A plane multiplies
; the 320 lanes of a vector with all its 320 columns, so it does 320 x 320 = 102,400 products a
; cycle, and there are four planes. At 1 GHz that is 409,600 x 2 operations x 10^9: 819.2 TOPS,
; which the paper prints as 820; at the nominal 900 MHz it is 737.3.
;
; The op `peak` is where to look: 64 vectors, cycles 38 to 101. The sums are kept in accumulator
; rows and nothing is stored: this measures the arrays.

.machine tsp1
.name    "peak-int8"
.tensor  W, int8, [1280, 320], input
.stripe  slices=mem.w12..mem.w27, addr=0, row0=0,   rows=320
.stripe  slices=mem.w28..mem.w43, addr=0, row0=320, rows=320
.stripe  slices=mem.e12..mem.e27, addr=0, row0=640, rows=320
.stripe  slices=mem.e28..mem.e43, addr=0, row0=960, rows=320

.equ VECTORS = 64
.tensor  X, int8, [VECTORS, 320], input         ; a copy on either side
.piece   slice=mem.w0, addr=0
.piece   slice=mem.e0, addr=0

.equ GROUPS    = 20                             ; of 16 columns
.equ LOAD      = 10                             ; first LW, as in ../weights.s
.equ INSTALL   = LOAD + GROUPS - 1 + 6
.equ INSTALLED = INSTALL + 3                    ; 38

.op weights
.for i in 12..43
@mem.w{i} at {LOAD - 1 - (12 - i/4)}  read W, s{i-12}.w
          repeat GROUPS-1, 1, 1
@mem.e{i} at {LOAD - 1 - (12 - i/4)}  read W, s{i-12}.e
          repeat GROUPS-1, 1, 1
.end
.for p in 0..1
@mxm.w.{p}.weights at LOAD     lw s{16*p}.w, 0, 16
                               repeat GROUPS-1, 1, 1
                   at INSTALL  iw i8
@mxm.e.{p}.weights at LOAD     lw s{16*p}.e, 0, 16
                               repeat GROUPS-1, 1, 1
                   at INSTALL  iw i8
.end

; w0 and e0 are 12 registers from their MXM; a Read drives its register a cycle after its issue.
.op activations
@mem.w0 at INSTALLED - 13  read X, s0.w
        repeat VECTORS-1, 1, 1
@mem.e0 at INSTALLED - 13  read X, s0.e
        repeat VECTORS-1, 1, 1

.op peak
.for p in 0..1
@mxm.w.{p}.activations at INSTALLED  abc i8, s0.w
                       repeat VECTORS-1, 1      ; one a cycle, for 64 cycles
@mxm.e.{p}.activations at INSTALLED  abc i8, s0.e
                       repeat VECTORS-1, 1
.end

; Every product is taken in the cycle in which it arrives, 22 after its activation.
.op sums
.for p in 0..1
@mxm.w.{p}.results at INSTALLED + 22  acc 0, 0, 0
                   repeat VECTORS-1, 1, 1       ; kept in accumulator rows 0 to 63
@mxm.e.{p}.results at INSTALLED + 22  acc 0, 0, 0
                   repeat VECTORS-1, 1, 1
.end
