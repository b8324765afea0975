compile programs/matmul-int8.json -o programs/matmul-int8.json
