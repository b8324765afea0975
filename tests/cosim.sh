#!/bin/sh
# cosim.sh - the long campaign of test_cosim: 100,000 random legal programs on tiny, 1,000 on tsp1,
# 10,000 planted faults, shared out over the cores. Ends with "N passed, M failed".
#
# COSIM_TINY, COSIM_TSP1, COSIM_FAULTS and TSP_TEST_SEED in the environment choose others.
set -u
cd "$(dirname "$0")/.."
test=${1:-build/release/tests/test_cosim}
jobs=$(nproc 2>/dev/null || echo 2)
logs=build/cosim
rm -rf "$logs"
mkdir -p "$logs"
share() { echo $((($1 + jobs - 1) / jobs)); }
COSIM_TINY=$(share "${COSIM_TINY:-100000}")
COSIM_TSP1=$(share "${COSIM_TSP1:-1000}")
COSIM_FAULTS=$(share "${COSIM_FAULTS:-10000}")
COSIM_TALLY=1
export COSIM_TINY COSIM_TSP1 COSIM_FAULTS COSIM_TALLY
first=${TSP_TEST_SEED:-1}
job=0
while [ $job -lt "$jobs" ]; do
    # Seeds count up from here; far enough apart that no two jobs draw the same program.
    TSP_TEST_SEED=$((first + job * 1000000007)) "$test" >"$logs/$job.log" 2>&1 &
    job=$((job + 1))
done
wait
grep -hE 'agree|named alike|:[FE]:|TSP_TEST_SEED=' "$logs"/*.log
awk '
    /legal programs agree/ { legal[$1] += $2 }
    /named alike/ { faults += $1 }
    $2 ~ /^[A-Z_]+$/ && $1 ~ /^[0-9]+$/ { rule[$2] += $1 }
    /^[0-9]+%: Checks:/ { gsub(",", ""); passed += $3 - $5 - $7; failed += $5 + $7 }
    END {
        for (machine in legal) printf "%s %d legal programs without a divergence\n", machine, legal[machine]
        printf "%d planted faults named alike by three judges; by rule:\n", faults
        for (name in rule) if (rule[name]) printf "%8d %s\n", rule[name], name
        if (passed + failed == 0) failed = 1
        printf "%d passed, %d failed\n", passed, failed
        exit failed != 0
    }' "$logs"/*.log
