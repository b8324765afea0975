#!/bin/sh
# coverage.sh - runs the tests of the coverage build; prints the lines of isa/ and sim/ they missed.
#
# Fails if a test fails, or if less than 95 % of the lines of both rooms ran. Logs, and the table
# of the missed lines: build/coverage/logs.
set -u
cd "$(dirname "$0")/.."
build=build/coverage logs=build/coverage/logs
least=${TSP_COVERAGE_LEAST:-95}
export TSP=$build/tsp TSP_TEST_SCALE=small CK_TIMEOUT_MULTIPLIER=60
rm -rf "$logs"
mkdir -p "$logs"
find "$build" -name '*.gcda' -delete

{
    for source in tests/test_*.c tests/fuzz/fuzz_*.c; do
        name=$(basename "$source" .c)
        echo "coverage $name $build/tests/$name"
    done
    for name in golden test_cli; do echo "coverage $name tests/$name.sh"; done
} | xargs -P "$(nproc 2>/dev/null || echo 2)" -L 1 tests/run.sh --one

# lines WHAT ROOM...: the table of the rooms into WHAT.txt, their total into the last line of it.
lines() {
    what=$1
    shift
    filters=
    for room; do filters="$filters --filter $room/"; done
    # shellcheck disable=SC2086 # one word a filter
    gcovr --root . $filters --gcov-ignore-parse-errors --object-directory "$build" "$build" \
        >"$logs/$what.txt"
}
lines isa isa
lines sim sim
lines both isa sim
cat "$logs/both.txt"
for what in isa sim both; do
    sed -n "s/^TOTAL/$what/p" "$logs/$what.txt"
done

cat "$logs"/*.count | awk -v least="$least" -v share="$(awk '/^TOTAL/ { print $4 + 0 }' "$logs/both.txt")" '
    { passed += $1; failed += $2 }
    END { if (share + 0 < least) print "FAIL  " share " % of the lines, not the " least " asked for"
          print passed " passed, " failed + 0 " failed"
          exit failed != 0 || share + 0 < least }'
