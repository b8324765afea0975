#!/bin/sh
# golden.sh - runs tsp check on every file of tests/bad and compares what it says with FILE.err.
#
# An .err file holds the error as the user sees it and the exit status. A program that breaks a
# rule of the machine (exit 1) must be refused by tsp run too, for the same rule at the same place.
# With --bless the .err files are written instead of compared.
set -u
cd "$(dirname "$0")/.."
tsp=${TSP:-build/release/tsp}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

fail() {
    echo "FAIL $1"
    failed=$((failed + 1))
}

# The cycle, unit, instruction and rule of an error: all but the detail after the first semicolon.
offence() { sed -n '1s/;.*//p' "$1"; }

for file in tests/bad/*.s tests/bad/*.json; do
    [ -f "$file" ] || continue
    want=${file%.*}.err
    "$tsp" check "$file" >"$work/out" 2>"$work/found"
    status=$?
    echo "exit $status" >>"$work/found"
    if [ $status = 1 ]; then
        "$tsp" run "$file" >/dev/null 2>"$work/run"
        if [ $? = 1 ] && [ -n "$(offence "$work/run")" ] &&
            [ "$(offence "$work/found")" = "$(offence "$work/run")" ]; then
            passed=$((passed + 1))
        else
            fail "$file: tsp check and tsp run do not name the same offence"
            offence "$work/found"
            offence "$work/run"
        fi
    fi
    if [ $status = 0 ]; then
        fail "$file: accepted, but it stands among the bad"
        continue
    fi
    if [ "${1-}" = --bless ] && ! cmp -s "$work/found" "$want"; then
        cp "$work/found" "$want" && echo "blessed $want"
    fi
    if [ ! -s "$work/out" ] && diff -u "$want" "$work/found"; then
        passed=$((passed + 1))
    else
        fail "$file: not what $want says; if the new message is right: make bless"
    fi
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
