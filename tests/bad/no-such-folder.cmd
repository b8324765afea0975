run programs/matmul-int8.json --report nowhere/report.json
