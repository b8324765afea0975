#!/bin/sh
# run.sh - runs every test of the release and sanitize builds; ends with "N passed, M failed".
#
# Counts the checks of the Check programs and the cases of the scripts. A test that crashes, or
# runs nothing, or fails without saying so counts as one failure. Logs: build/MODE/logs.
set -u

# run.sh --one MODE NAME COMMAND...: runs one test, leaves "PASSED FAILED" in its .count file.
if [ "${1-}" = --one ]; then
    mode=$2 name=$3 logs=build/$2/logs
    shift 3
    began=$(date +%s)
    timeout 600 "$@" >"$logs/$name.log" 2>&1
    status=$?
    seconds=$(($(date +%s) - began))
    count=$(awk -v status=$status '
        /^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/ {
            gsub(",", ""); passed += $3 - $5 - $7; failed += $5 + $7 }
        /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
        END { if (failed == 0 && (status != 0 || passed == 0)) failed = 1
              print passed + 0, failed + 0 }' "$logs/$name.log")
    echo "$count" >"$logs/$name.count"
    passed=${count% *} failed=${count#* }
    if [ "$failed" = 0 ]; then
        printf 'ok    %-9s %-20s %6d passed %5d s\n' "$mode" "$name" "$passed" "$seconds"
    else
        printf 'FAIL  %-9s %-20s %6d passed, %d failed, exit status %d\n' \
            "$mode" "$name" "$passed" "$failed" "$status"
        tail -n 40 "$logs/$name.log"
    fi
    exit 0
fi

cd "$(dirname "$0")/.."
jobs=$(nproc 2>/dev/null || echo 2)
export CK_TIMEOUT_MULTIPLIER=15 # Check's 4 seconds are short on a busy machine

run_mode() {
    mode=$1
    rm -rf "build/$mode/logs"
    mkdir -p "build/$mode/logs"
    export TSP="build/$mode/tsp"
    {
        for source in tests/test_*.c tests/fuzz/fuzz_*.c; do
            name=$(basename "$source" .c)
            echo "$mode $name build/$mode/tests/$name"
        done
        echo "$mode figures build/$mode/tests/figures"
        [ "$mode" = sanitize ] || echo "$mode instructions tests/instructions.sh"
        [ "$mode" = sanitize ] || echo "$mode pictures tests/pictures.sh"
        [ "$mode" = sanitize ] || echo "$mode test_view tests/test_view.sh"
        [ "$mode" = sanitize ] || echo "$mode test_numpy tests/test_numpy.sh"
        for name in golden test_cli test_trace test_report test_generate test_transformer test_1brc; do echo "$mode $name tests/$name.sh"; done
    } | xargs -P "$jobs" -L 1 "$0" --one
}

run_mode release
export CK_FORK=no TSP_TEST_SCALE=small
export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
# A window shown through OpenGL loads drivers and drops them again with memory they still hold.
export SDL_FRAMEBUFFER_ACCELERATION=0
run_mode sanitize

cat build/release/logs/*.count build/sanitize/logs/*.count | awk '
    { passed += $1; failed += $2 }
    END { print passed " passed, " failed + 0 " failed"; exit failed != 0 }'
