report programs/vecadd.s --json --html
