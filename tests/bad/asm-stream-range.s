; tiny has 16 streams of each direction.
.machine tiny
@mem.w0
    read 0, s16.e
