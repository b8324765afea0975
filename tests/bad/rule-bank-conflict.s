; One slot reads and writes the same bank.
.machine tiny
.tensor X, int8, [1, 16], input @ mem.w0:0
.tensor Y, int8, [1, 16], input @ mem.e0:0
@mem.e0 at 0  read Y, s0.w
@mem.w0 at 3  read.write X, s1.e, 9, s0.w
