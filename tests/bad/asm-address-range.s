; tiny has 2 banks of 512 rows.
.machine tiny
@mem.w0
    read 1024, s0.e
