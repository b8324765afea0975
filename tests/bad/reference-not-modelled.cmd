run programs/matmul-int8.json --engine reference
