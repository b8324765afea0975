; barrier.s - 35 cycles from a Notify to the first instructions after a Sync, all over the chip.
;
; What to look at: all queues of MEM park at a Sync in cycle 0. A Notify in cycle 10, in any queue,
; releases them all together: the reads after the Syncs issue in cycle 45. This is the one
; place where the chip waits for anything; programs use it once, at their start, to begin in step.

.machine tsp1
.name    barrier
.tensor  X, int8, [1, 320], input
.for i in 0..43
.piece   slice=mem.w{i}, addr=0
.piece   slice=mem.e{i}, addr=0
.end

.op parked
.for i in 0..43
@mem.w{i}  sync
@mem.e{i}  sync
.end
.op notify
@vxm.0  at 10  notify
.op released
.for i in 0..43
@mem.w{i}  read X, s{i%4}.w
@mem.e{i}  read X, s{i%4}.e
.end
