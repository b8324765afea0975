.machine tiny
@mxm.w.0.results
    at 9  acc 0, 1, 0, s0.e
