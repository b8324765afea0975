run programs/matmul-int8.json --cycles 3
