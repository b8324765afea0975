run WORK/truncated.tspprog
