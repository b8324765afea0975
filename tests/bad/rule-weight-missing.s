; An activation meets an array without weights.
.machine tiny
.tensor X, int8, [1, 16], input @ mem.w0:0
@mem.w0
    read X, s0.w
@mxm.w.0.activations
    at 5  abc i8, s0.w
