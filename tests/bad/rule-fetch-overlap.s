; An Ifetch while the last one is still taking vectors: four of 16 lanes, in cycles 1 to 4.
.machine tiny
.tensor X, int8, [4, 16], input @ mem.e0:0
@mem.e0
    read X, s0.w
    repeat 7, 1
@vxm.0
    nop 2
    ifetch s0.w
    nop 2
    ifetch s0.w
