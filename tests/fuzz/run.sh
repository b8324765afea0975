#!/bin/sh
# run.sh [NAME...] - runs the fuzz targets (all, or those named) for FUZZ_SECONDS each.
#
# What they find new goes to build/fuzz/corpus/NAME, what crashes to build/fuzz/NAME-crash-*.
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- graph machine assembler program npy
for name in "$@"; do
    echo "fuzz $name for ${FUZZ_SECONDS:-600} seconds"
    mkdir -p "build/fuzz/corpus/$name"
    dictionary="tests/fuzz/$name.dict"
    "build/fuzz/fuzz_$name" -max_total_time="${FUZZ_SECONDS:-600}" -timeout=30 -rss_limit_mb=2048 \
        -max_len=16384 -print_final_stats=1 -artifact_prefix="build/fuzz/$name-" \
        $([ ! -f "$dictionary" ] || echo "-dict=$dictionary") \
        "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
done
