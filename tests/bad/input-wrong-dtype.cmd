run programs/matmul-int8.json --input A=tests/bad/int16.npy
