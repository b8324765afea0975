; ifetch.s - a queue that issues an instruction every cycle and fetches its own text meanwhile.
;
; What to look at: run it with `tsp run programs/figures/ifetch.s --ifetch=modelled`. A word is 16
; bytes, a queue holds 1,280 bytes, 80 words, and that much is there in cycle 0. One Ifetch brings
; 640 bytes, 40 words, as two vectors of 320 bytes on consecutive cycles of one stream. So one
; Ifetch every 40 cycles keeps the queue issuing for good, itself one of the 40 instructions: here
; for 240 cycles. It issues in the 40th: no earlier, because the queue has room for 40 words only
; when 40 have gone (FETCH_OVERRUN), and the words come 1 + 20 cycles later, long before they are
; due. Take one Ifetch away and the queue starves (FETCH_STARVED) 40 words later.

.machine tsp1
.name    ifetch
.text    vxm.0 @ mem.e0:0                       ; words 80..239 of vxm.0: 4 Ifetches, 8 vectors

.equ     WORDS = 40                             ; that an Ifetch brings

; e0 is one register from the VXM: a Read issued in cycle t is there in t + 2.
.op text
.for k in 0..3
@mem.e0  at {WORDS*k + WORDS-1 - 2}  read {2*k}, s0.w
                                     read {2*k+1}, s0.w
.end

.op work
@vxm.0
.for k in 0..3
.for t in 0..WORDS-2
    pass i32, none, #{WORDS*k + t}              ; any work that is another word every time
.end
.op fetch{k}
    ifetch s0.w                                 ; in cycles 39, 79, 119 and 159
.op work
.end
.for t in 0..2*WORDS-1
    pass i32, none, #{WORDS*4 + t}              ; the last 80
.end
