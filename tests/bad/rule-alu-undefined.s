; ALU 1 takes the result of ALU 0 in a cycle in which it has none.
.machine tiny
@vxm.1
    at 6  pass i8, s0.e, alu0
