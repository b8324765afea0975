; sxm.s - what each unit of the SXM takes.
;
; What to look at: in cycle START every unit of the west SXM takes its operands from outward
; streams, and the consumer of each result stands at the same column, on the SXM too, and issues as
; soon as the result is there. A cycle earlier the stream is empty: STREAM_UNDEFINED. Within a
; superlane things are quick; Permute and a Shift that crosses superlanes have to wait for the last
; of them, because superlane k does everything k cycles later than superlane 0.

.machine tsp1
.name    sxm
.tensor  X, int8, [1, 320], input
.for i in 0..15
.piece   slice=mem.w{i}, addr=0
.end
.tensor  LANE, int16, [1, 320], constant @ mem.w16:0        ; the Permute map, in w16 and w17
.for i in 0..319
.data {i}
.end
.tensor  NONE, int8, [1], constant              ; the Select map
.data    0
.piece   slice=mem.w18, addr=0, broadcast=320

; The streams stay filled for some cycles, for those who want to try the instructions earlier.
.equ START = 13                                 ; w0 is 11 registers from the SXM
.equ STAY  = 8
.op operands
.for i in 0..18
@mem.w{i} at {START - 1 - (11 - i/4)}  read 0, s{i}.w
          repeat STAY-1, 1
.end

; A transposer drives 16 streams; the first of them is taken.
.op transpose
@sxm.w.transpose.0   at START       transpose s16.e, s0.w
.op transpose_done
@sxm.w.transpose.1   at START + 4   transpose s0.e, s16.e

.op distribute
@sxm.w.distribute.0  at START       distribute s20.w, s0.w, s1.w
.op distribute_done
@sxm.w.distribute.1  at START + 2   distribute s21.w, s20.w, s20.w

; n = 3 makes 9 streams of 3: each turned by 0, 1 and 2 lanes. The last of them is taken.
.op rotate
@sxm.w.rotate.0      at START       rotate s0.e, s0.w, 3
.op rotate_done
@sxm.w.distribute.2  at START + 4   distribute s22.w, s8.e, s8.e

.op select
@sxm.w.select.0      at START       select s31.w, s0.w, s1.w, s2.w, s18.w
.op select_done
@sxm.w.distribute.3  at START + 1   distribute s24.w, s31.w, s31.w

.op permute
@sxm.w.permute.0     at START       permute s23.w, s0.w, s16.w
.op permute_done
@sxm.w.distribute.3  at START + 60  distribute s24.w, s23.w, s23.w

; Shifts: within a superlane; into the next one; by 160 lanes, ten superlanes.
.op shift
@sxm.w.shift.0       at START       shift s25.w, s0.w, 5
.op shift_done
@sxm.w.shift.1       at START + 1   shift s26.w, s25.w, 1

.op cross
@sxm.w.shift.2       at START       shift s27.w, s0.w, 1, 1
.op cross_done
@sxm.w.shift.3       at START + 19  shift s28.w, s27.w, 1

.op cross_ten
@sxm.w.shift.2       at START + 1   shift s29.w, s0.w, 160, 1
.op cross_ten_done
@sxm.w.shift.3       at START + 1 + 37  shift s30.w, s29.w, 1
