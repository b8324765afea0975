check WORK/corrupted.tspprog
