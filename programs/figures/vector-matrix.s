; vector-matrix.s - the way of a vector through transposer and array, to its result on the way out.
;
; What to look at: 16 vectors pass the transposer of the west SXM, the first of what it makes moves
; one register on to the MXM and meets a full array of int8 weights; the int32 result comes back to
; the column of the SXM. Every step issues in the first cycle in which it can:
;
;   cycle  33      transpose: 4 cycles
;          37      on the stream register of the SXM, column 1; one hop
;          38      abc: at the MXM, column 0. 9 cycles to the array, 13 to the sums
;          60      acc: 34 cycles to drain, 6 to the stream register
;         100      at column 0, on its way inwards; one hop
;         101      at column 1
;
; 4 + 1 + 9 + 13 + 34 + 6 + 1 = 68 cycles from transposer to the same column again.

.machine tsp1
.name    "vector-matrix"
.tensor  W, int8, [320, 320], input
.stripe  slices=mem.w12..mem.w27, addr=0
.tensor  X, int8, [16, 320], input
.stripe  slices=mem.w28..mem.w43, addr=0

.equ GROUPS    = 20
.equ LOAD      = 10
.equ INSTALL   = LOAD + GROUPS - 1 + 6          ; 35
.equ INSTALLED = INSTALL + 3                    ; 38
.equ START     = INSTALLED - 4 - 1              ; 33
.equ PRODUCT   = INSTALLED + 9 + 13             ; 60
.equ RESULT    = PRODUCT + 34 + 6 + 1           ; 101

.op weights
.for i in 12..27
@mem.w{i} at {LOAD - 1 - (12 - i/4)}  read W, s{i-12}.w
          repeat GROUPS-1, 1, 1
.end
@mxm.w.0.weights at LOAD     lw s0.w, 0, 16
                             repeat GROUPS-1, 1, 1
.op install
                 at INSTALL  iw i8

; w28..w43 are 4 to 1 registers from the SXM.
.op operands
.for i in 28..43
@mem.w{i} at {START - 1 - (11 - i/4)}  read X, s{i-12}.w
.end
.op transpose
@sxm.w.transpose.0    at START      transpose s0.w, s16.w
.op activation
@mxm.w.0.activations  at INSTALLED  abc i8, s0.w
.op sum
@mxm.w.0.results      at PRODUCT    acc 0, 1, 0, s16.e
; Who takes it there matters not; a shifter does.
.op result
@sxm.w.shift.0        at RESULT     shift s0.e, s16.e, 0
