simulate programs/matmul-int8.json
