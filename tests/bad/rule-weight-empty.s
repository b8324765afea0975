; Installs what was never loaded.
.machine tiny
@mxm.w.0.weights
    at 2  iw i8
