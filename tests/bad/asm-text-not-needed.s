; The text of a queue that has no more of it than is there in cycle 0.
.machine tiny
.text vxm.0 @ mem.e0:0
@vxm.0
    pass i8, none, #1
