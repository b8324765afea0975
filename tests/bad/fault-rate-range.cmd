run programs/vecadd.s --fault-rate 2
