; Text that reaches beyond the last row of the slice: two words more than the queue holds at first
; need one Ifetch, four vectors of 16 lanes.
.machine tiny
.text vxm.0 @ mem.e0:1021
@vxm.0
.for i in 0..9
    pass i8, none, #{i}
.end
