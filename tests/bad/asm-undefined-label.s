.machine tiny
@mem.w0
    at later + 2
    read 0, s0.e
