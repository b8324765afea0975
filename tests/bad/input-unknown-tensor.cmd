run programs/matmul-int8.json --input Q=tests/bad/int16.npy
