#!/bin/sh
# instructions.sh - guards the simulator's speed without a clock: instructions that three fixed runs
# take, counted by callgrind, against tests/instructions.txt, within 5 per cent.
#
# The counts are those of plain C as the compiler named in that file makes it; another compiler is
# not compared. `instructions.sh --bless` records the counts as they are now.
set -eu
cd "$(dirname "$0")/.."
TSP=${TSP:-build/release/tsp}
recorded=tests/instructions.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/product.json" <<'END'
{"inputs": [{"name": "A", "dtype": "int8", "shape": [2048, 2048]},
            {"name": "B", "dtype": "int8", "shape": [2048, 2048]}],
 "nodes": [{"op": "MatMulInteger", "inputs": ["A", "B"], "outputs": ["C"]}], "outputs": ["C"]}
END

# count NAME ARGUMENT...: prints "NAME instructions".
count() {
    name=$1
    shift
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$TSP" "$@" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
    echo "$name $(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/log")"
}

measure() {
    count values run programs/mlp.json --kernel plain
    count product run programs/matmul-int8.json --kernel plain
    count timing run "$work/product.json" --timing-only
}

compiler=$(gcc -dumpfullversion 2>/dev/null || echo none)
machine=$(uname -m)
if [ "${1-}" = --bless ]; then
    { echo "compiler gcc-$compiler-$machine"; measure; } >"$work/new"
    mv "$work/new" "$recorded"
    cat "$recorded"
    exit 0
fi
if ! grep -qx "compiler gcc-$compiler-$machine" "$recorded" || ! command -v valgrind >/dev/null; then
    echo "not compared: $(head -1 "$recorded") is recorded, this is gcc-$compiler-$machine," \
        "valgrind $(command -v valgrind || echo missing)"
    echo "1 passed, 0 failed"
    exit 0
fi
measure >"$work/now"
awk 'NR == FNR { was[$1] = $2; next }
    { off = $2 / was[$1] - 1
      bad = off > 0.05 || off < -0.05
      printf "%-8s %12d instructions, recorded %12d, %+.2f %%%s\n", $1, $2, was[$1], 100 * off,
             bad ? ": more than 5 % off; if it is meant, tests/instructions.sh --bless" : ""
      failed += bad; passed += !bad }
    END { print passed + 0 " passed, " failed + 0 " failed"; exit failed != 0 }' \
    "$recorded" "$work/now"
