; instruction-bandwidth.s - 2,304 bytes of instructions a cycle: all 144 queues issue at once.
;
; What to look at: in cycles 43 to 62 every queue of the chip issues an instruction of its unit in
; every cycle, each time another word than in the cycle before, without NOP and without Repeat:
; 144 words of 16 bytes a cycle. Doing so without a collision is a puzzle of streams:
;
;   outwards   w12..w43 (e12..e43) read onto all 32 streams; LW and ABC of the MXM and all of the
;              SXM take them
;   inwards    w0..w11 (e0..e11) read onto 12 streams for the VXM
;   SXM        drives 32 streams inwards (two transposers) and 20 outwards (rotator 9,
;              distributors 4, permuter 1, shifters 4, selectors 2): no two the same
;   VXM        drives s16..s31 eastwards, one an ALU
;
; A stream that is driven twice on its way is simply replaced; only in one column and one cycle must
; no two drive the same one. What is computed makes no sense, but all of it is legal: maps are good,
; products are taken, weights are loaded whole.

.machine tsp1
.name    "instruction-bandwidth"
.equ     CYCLES = 20                            ; of the window
.equ     WINDOW = 43                            ; its first
.equ     ROWS   = WINDOW + CYCLES               ; every slice reads from cycle 0 on

; Rows 0..62 of most slices hold anything. Those of w41..w43 and e41..e43 are maps, the same in
; every row: zeros for Select; and for Permute the number of each lane, its low byte on one stream
; and its high byte on the next.
.tensor  X, int8, [ROWS, 320], input
.for i in 0..40
.piece   slice=mem.w{i}, addr=0
.piece   slice=mem.e{i}, addr=0
.end
.tensor  LANE, int16, [1, 320], constant
.for i in 0..319
.data {i}
.end
.for r in 0..ROWS-1
.piece   slice=mem.w42, addr={r}, byte=0
.piece   slice=mem.w43, addr={r}, byte=1
.piece   slice=mem.e42, addr={r}, byte=0
.piece   slice=mem.e43, addr={r}, byte=1
.end
.tensor  NONE, int8, [1], constant
.data    0
.for r in 0..ROWS-1
.piece   slice=mem.w41, addr={r}, broadcast=320
.piece   slice=mem.e41, addr={r}, broadcast=320
.end

; Weights and products are under way before the window begins: one group of columns is loaded and
; installed, and activations begin 22 cycles before the first product is due.
.equ PRIME = 12                                 ; all outward streams have reached the MXM
.equ MEET  = WINDOW - 22                        ; 21: PRIME + 6 to load, + 3 to install
.op prime
.for p in 0..1
@mxm.w.{p}.weights      at PRIME      lw s{16*p}.w, 0, 16
                        at PRIME + 6  iw i8
@mxm.e.{p}.weights      at PRIME      lw s{16*p}.e, 0, 16
                        at PRIME + 6  iw i8
@mxm.w.{p}.activations  at MEET       abc i8, s0.w
                        repeat 21, 1
@mxm.e.{p}.activations  at MEET       abc i8, s0.e
                        repeat 21, 1
.end
.for i in 0..11
@mem.w{i}  read 0, s{i}.e
           repeat WINDOW-1, 1, 1
@mem.e{i}  read 0, s{i}.w
           repeat WINDOW-1, 1, 1
.end
.for i in 12..43
@mem.w{i}  read 0, s{i-12}.w
           repeat WINDOW-1, 1, 1
@mem.e{i}  read 0, s{i-12}.e
           repeat WINDOW-1, 1, 1
.end

; ---- the window ----
.op window
.for t in 0..CYCLES-1
.for i in 0..11
@mem.w{i} at {WINDOW+t}  read {WINDOW+t}, s{i}.e
@mem.e{i} at {WINDOW+t}  read {WINDOW+t}, s{i}.w
.end
.for i in 12..43
@mem.w{i} at {WINDOW+t}  read {WINDOW+t}, s{i-12}.w
@mem.e{i} at {WINDOW+t}  read {WINDOW+t}, s{i-12}.e
.end
.for n in 0..15
@vxm.{n} at {WINDOW+t}  add i8, s{16+n}.e, s{n%12}.e, #{t}
.end
.for p in 0..1
@mxm.w.{p}.weights     at {WINDOW+t}  lw s{16*p}.w, {t}, 16
@mxm.e.{p}.weights     at {WINDOW+t}  lw s{16*p}.e, {t}, 16
@mxm.w.{p}.activations at {WINDOW+t}  abc i8, s{t}.w
@mxm.e.{p}.activations at {WINDOW+t}  abc i8, s{t}.e
@mxm.w.{p}.results     at {WINDOW+t}  acc 0, 0, {t}
@mxm.e.{p}.results     at {WINDOW+t}  acc 0, 0, {t}
; A transposer takes a group of 16 streams, the other one in every other cycle.
@sxm.w.transpose.{p}   at {WINDOW+t}  transpose s{16*p}.e, s{16*((p+t)%2)}.w
@sxm.e.transpose.{p}   at {WINDOW+t}  transpose s{16*p}.w, s{16*((p+t)%2)}.e
@sxm.w.select.{p}      at {WINDOW+t}  select s{25+p}.w, s{t}.w, s1.w, s2.w, s29.w
@sxm.e.select.{p}      at {WINDOW+t}  select s{25+p}.e, s{t}.e, s1.e, s2.e, s29.e
.end
.for n in 0..3
@sxm.w.distribute.{n}  at {WINDOW+t}  distribute s{16+n}.w, s{t}.w, s29.w
@sxm.e.distribute.{n}  at {WINDOW+t}  distribute s{16+n}.e, s{t}.e, s29.e
@sxm.w.shift.{n}       at {WINDOW+t}  shift s{21+n}.w, s{t}.w, {n}
@sxm.e.shift.{n}       at {WINDOW+t}  shift s{21+n}.e, s{t}.e, {n}
.end
@sxm.w.permute.0       at {WINDOW+t}  permute s20.w, s{t}.w, s30.w
@sxm.e.permute.0       at {WINDOW+t}  permute s20.e, s{t}.e, s30.e
@sxm.w.rotate.0        at {WINDOW+t}  rotate s0.w, s{4*(t%7)}.w, 3
@sxm.e.rotate.0        at {WINDOW+t}  rotate s0.e, s{4*(t%7)}.e, 3
.end

; The products of the last 22 activations are still to be taken.
.op drain
.for p in 0..1
@mxm.w.{p}.results at WINDOW + CYCLES  acc 0, 0, CYCLES
                   repeat 21, 1, 1
@mxm.e.{p}.results at WINDOW + CYCLES  acc 0, 0, CYCLES
                   repeat 21, 1, 1
.end
