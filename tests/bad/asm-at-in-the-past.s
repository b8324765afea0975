; The queue has issued in cycle 5 already.
.machine tiny
@mem.w0
    at 5  notify
    at 3  notify
