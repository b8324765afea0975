.machine tiny
@mem.w0
    repeat 3, 1
