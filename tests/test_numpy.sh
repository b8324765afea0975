#!/bin/sh
# test_numpy.sh - results of random graphs of every operator against NumPy, by ONNX's definitions.
#
# numpy_oracle.py runs the cases and counts them; a failure names its node and its seed.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh
python=python3
$python -c 'import numpy' 2>/dev/null || python=/usr/bin/python3

# What the oracle says of results that are off, so that it is not silent by mistake.
holds 'the oracle finds what is wrong' $python tests/oracle/check_values.py
$python tests/numpy_oracle.py "$tsp" >"$work/oracle"
status=$?
grep -v '^[0-9]* passed' "$work/oracle"
counts=$(tail -n 1 "$work/oracle")
case $counts in
    [0-9]*' passed, '[0-9]*' failed')
        passed=$((passed + ${counts%% *}))
        counts=${counts#* passed, }
        failed=$((failed + ${counts%% *})) ;;
    *) verdict 1 'the oracle ends with what it counted' ;;
esac
[ $status = 0 ] || [ $failed -gt 0 ]
verdict $? "the oracle ended with status $status"
count_cases
