run programs/matmul-int8.json --machine tsp2
