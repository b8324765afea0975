; A real instruction of the chip that is not modelled: said by name.
.machine tsp1
@c2c.0
    send s0.e
