; An int32 vector takes four streams, beginning at a multiple of four.
.machine tiny
@vxm.0
    add i32, s6.e, s0.e, s4.e
