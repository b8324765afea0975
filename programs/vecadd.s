; vecadd.s - Z = X + Y on 320-lane int8 vectors: the example of the ISCA 2020 paper.
;
; What to look at: nothing here waits for anything. X leaves a memory slice west of the VXM on an
; eastward stream, Y leaves one east of it on a westward stream; they meet at the VXM in the very
; cycle in which the adder issues, because the cycles below were counted so. A value moves one
; stream register a cycle; the slices used stand at columns 12 (mem.w0), 14 (mem.e0) and 15
; (mem.e4), the VXM between them at column 13. Eight vectors follow each other a cycle apart, so
; eight additions take seven cycles more than one. The last sum can be read in cycle 21.

.machine tsp1
.name    vecadd
.equ     ROWS = 8
.tensor  X, int8, [ROWS, 320], input  @ mem.w0:0
.tensor  Y, int8, [ROWS, 320], input  @ mem.e0:0
.tensor  Z, int8, [ROWS, 320], output @ mem.e4:0
.op      Z, Add

@mem.w0
    read X, s0.e                    ; 0: X row 0; on column 12 in cycle 1, at the VXM in cycle 2
    repeat ROWS-1, 1, 1             ; 1..7: rows 1 to 7, a cycle apart, the address a row on
@mem.e0
    read Y, s0.w                    ; 0: the same from the other side: column 14, then 13
    repeat ROWS-1, 1, 1             ; 1..7
@vxm.0
sum:
    at 2  add.sat i8, s1.e, s0.e, s0.w  ; 2: both operands stand on the VXM's stream registers;
                                        ;    entry 4 + operation 3 later, in 9, the sum does
    repeat ROWS-1, 1                ; 3..9: one addition a cycle
@mem.e4
    at sum + 7 + 2                  ; 11: the sum of cycle 9 has moved from column 13 to 15
    write Z, s1.e                   ; 11: takes it from the stream; readable 3 cycles later
    repeat ROWS-1, 1, 1             ; 12..18; 18 + 3 = 21 is the latency of the program
