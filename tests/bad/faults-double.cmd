run programs/vecadd.s --faults tests/bad/faults/double.json
