run programs/vecadd.s --ifetch sometimes
