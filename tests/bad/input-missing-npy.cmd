run programs/matmul-int8.json --input A=tests/bad/nowhere.npy
