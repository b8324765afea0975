; The row is written in cycle 2 and can be read three cycles later.
.machine tiny
.tensor X, int8, [1, 16], input @ mem.w0:0
@mem.w0
    read X, s0.e
@mem.e0
    at 3  write 0, s0.e
    at 5  read 0, s1.e
