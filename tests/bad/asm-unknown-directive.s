.machine tiny
.tenser X, int8, [16], input @ mem.w0:0
