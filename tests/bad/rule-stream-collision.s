; w0 and w1 share a stream-register column and drive the same stream in the same cycle.
.machine tiny
.tensor X, int8, [1, 16], input @ mem.w0:0
.tensor Y, int8, [1, 16], input @ mem.w1:0
@mem.w0 at 2  read X, s0.e
@mem.w1 at 2  read Y, s0.e
