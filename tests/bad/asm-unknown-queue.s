; tiny has MEM slices w0..w7.
.machine tiny
@mem.w8
    read 0, s0.e
