.machine tiny
.for i in 0..3
@mem.w{i} notify
