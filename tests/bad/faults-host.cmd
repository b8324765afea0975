run programs/vecadd.s --faults tests/bad/faults/host.json
