; Parked for ever.
.machine tiny
@mem.w0
    at 4  sync
