; tiny has 64 accumulator rows.
.machine tiny
@mxm.w.0.results
    at 9  acc 0, 0, 64
