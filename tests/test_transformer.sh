#!/bin/sh
# test_transformer.sh - transformers on one chip: the interpreter's values, predicted = simulated, and
# no more cycles than they took; the stack of encoder layers within the published time.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh
generate=$(dirname "$tsp")/programs/transformer/generate

makes() { # makes NAME ARGUMENTS...: a graph
    name=$1
    shift
    "$generate" "$@" >"$work/$name.json" 2>"$work/err"
    verdict $? "generate $*"
}

predicts() { # predicts MOST: what was printed says so many cycles at most, and that they came true
    awk -v most="$1" '$1 == "predicted" { predicted = $2 } $1 == "simulated" { simulated = $2 }
        END { exit !(predicted > 0 && predicted <= most && simulated + 0 == predicted) }' \
        "$work/out"
    verdict $? "$name: predicted = simulated <= $1 cycles"
}

runs() { # runs MOST ARGUMENTS...: of tsp run
    most=$1
    shift
    "$tsp" run "$work/$name.json" "$@" >"$work/out" 2>"$work/err"
    verdict $? "tsp run $name $*"
    predicts "$most"
}

makes bert-int8 bert --type int8
runs 8300 --check
makes llama llama
runs 9500 --check
if [ "${TSP_TEST_SCALE:-}" != small ]; then
    makes bert-float16 bert
    runs 21000 --check
    makes stack bert --type int8 --layers 12
    runs 105000 --timing-only
fi
count_cases
