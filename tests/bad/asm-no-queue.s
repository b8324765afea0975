; An instruction before any queue is selected.
.machine tiny
    nop 3
