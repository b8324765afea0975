; An instruction of the VXM in a queue of MEM.
.machine tiny
@mem.w0
    add i8, s1.e, s0.e, s0.w
