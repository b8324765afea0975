; stream-bandwidth.s - 20,480 bytes a cycle through one column: every stream carries a new vector.
;
; What to look at: 32 slices west of the VXM drive the 32 eastward streams and 32 slices east of it
; the 32 westward ones, a row each in every cycle. At the VXM's column 64 registers of 320 bytes are
; replaced in every cycle of the burst: 2 x 32 x 320 = 20,480 bytes. Slices farther away start
; earlier, so that all streams are there in cycle FULL. Nobody takes the values; a stream needs no
; reader, at the edge of the chip its values are gone.

.machine tsp1
.name    "stream-bandwidth"
.equ     ROWS = 32
.tensor  X, int8, [64*ROWS, 320], input
.stripe  slices=mem.w0..mem.w31, addr=0, rows=32*ROWS
.stripe  slices=mem.e0..mem.e31, addr=0, row0=32*ROWS, rows=32*ROWS

.equ FULL = 9                                   ; w31 and e31 are 8 registers from the VXM

; Slice i is 1 + i/4 registers from the VXM, and a Read drives its register a cycle after its issue.
.op streams
.for i in 0..31
@mem.w{i} at {FULL - 1 - (1 + i/4)}  read X, s{i}.e
          repeat ROWS-1, 1, 1
@mem.e{i} at {FULL - 1 - (1 + i/4)}  read X, s{i}.w
          repeat ROWS-1, 1, 1
.end
