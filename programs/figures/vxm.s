; vxm.s - what an operation of the VXM takes, alone and in a chain.
;
; What to look at: a value needs 4 cycles from the stream register to the input of an ALU and 3 for
; the operation; then it stands on the stream register again: 7. A second ALU can take the result
; straight from the first one, in the cycle in which it is there, for 3 more: 4 + 3 + 3. In the text
; such an operation issues 3 cycles after the first, because it too takes its operands 4 cycles
; after its issue.

.machine tsp1
.name    vxm
.tensor  X, int8, [1, 320], input @ mem.w0:0

.op read
@mem.w0              read X, s0.e               ; at the VXM in cycle 2
.op add
@vxm.0  at 2         add i8, s1.e, s0.e, #1
.op add_done
@vxm.1  at 2 + 7     pass i8, none, s1.e        ; takes it from the stream register

.op chain
@vxm.4  at 2         mul i8, none, s0.e, #3
.op chain_second
@vxm.5  at 2 + 3     add i8, s2.e, alu4, #1     ; alu4: the result of that very cycle
.op chain_done
@vxm.6  at 2 + 10    pass i8, none, s2.e
