compile programs/matmul-int8.json -o WORK/x.tspprog --dump=parse
