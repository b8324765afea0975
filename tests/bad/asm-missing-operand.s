.machine tiny
@mem.w0
    read 0
