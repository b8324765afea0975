run programs/vecadd.s --engine quick
