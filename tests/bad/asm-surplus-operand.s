.machine tiny
@mem.w0
    read 0, s0.e, s1.e
