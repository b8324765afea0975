run programs/vecadd.s --faults tests/bad/faults/slice.json
