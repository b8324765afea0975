.machine tiny
@mem.w0
    at 1  read 100, s0.e
