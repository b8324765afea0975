; barrier.s - queues that wait for another: Sync and Notify, the chip's only synchronisation.
;
; X goes east from mem.w0 to mem.e0, then back west to mem.w1. Who sends it back and who takes it
; have parked themselves at a sync and issue nothing, until the notify of cycle 20 has reached every
; queue 35 cycles later. Both go on in the same cycle, 55, so from there on all is counted again.

.machine tsp1
.name    barrier
.equ     ROWS = 4
.tensor  X, int8, [ROWS, 320], input  @ mem.w0:0
.tensor  Y, int8, [ROWS, 320], output @ mem.w1:0

@mem.w0
    read X, s0.e                    ; 0..3: X goes east
    repeat ROWS-1, 1, 1
    at 20
    notify                          ; 20: releases whoever is parked, in 55
@mem.e0
    at 3                            ; 3: two columns on, X arrives
    write 0, s0.e                   ; 3..6: readable from 9 on
    repeat ROWS-1, 1, 1
    sync                            ; 7: parks
    read 0, s1.w                    ; 55..58: sends it back
    repeat ROWS-1, 1, 1
@mem.w1
    sync                            ; 0: parks
    nop 3                           ; 55..57: until what is read in 55 has come here
    write Y, s1.w                   ; 58..61
    repeat ROWS-1, 1, 1
