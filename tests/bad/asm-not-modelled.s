; A real instruction of the chip that is not modelled: said by name.
.machine tiny
@mem.w0
    gather s0.e, s1.e
