; sram-bandwidth.s - 56,320 bytes a cycle to and from memory: 88 slices read and write at once.
;
; What to look at: every slice copies rows of its bank 0 to its bank 1, one a cycle. A combined
; `read.write` reads a row and in the same cycle writes the one that was read in the cycle before,
; which now stands on the slice's own stream register. That takes one read port of one bank and one
; write port of the other: 88 x 2 x 320 bytes a cycle. Four slices share a column and take a stream
; each; slices of other columns may take the same streams, for what they drive replaces what was
; passing by.

.machine tsp1
.name    "sram-bandwidth"
.equ     ROWS = 32
.equ     BANK = 4096                            ; rows of a bank: address 4096 is row 0 of bank 1
.tensor  X, int8, [88*ROWS, 320], input
.stripe  slices=mem.w0..mem.w43, addr=0, rows=44*ROWS
.stripe  slices=mem.e0..mem.e43, addr=0, row0=44*ROWS, rows=44*ROWS
.tensor  Y, int8, [88*ROWS, 320], output
.stripe  slices=mem.w0..mem.w43, addr=BANK, rows=44*ROWS
.stripe  slices=mem.e0..mem.e43, addr=BANK, row0=44*ROWS, rows=44*ROWS

.op copy
.for i in 0..43
@mem.w{i}
    read 0, s{i%4}.w                            ; 0
    read.write 1, s{i%4}.w, BANK, s{i%4}.w      ; 1: reads row 1, writes row 0
    repeat ROWS-2, 1, 1, w=1                    ; 2..31
    write BANK+ROWS-1, s{i%4}.w                 ; 32: the last row
@mem.e{i}
    read 0, s{i%4}.e
    read.write 1, s{i%4}.e, BANK, s{i%4}.e
    repeat ROWS-2, 1, 1, w=1
    write BANK+ROWS-1, s{i%4}.e
.end
