#!/bin/sh
# golden.sh - runs tsp check on every file of tests/bad and compares what it says with FILE.err.
#
# A .cmd file holds the arguments of one command instead. It may name WORK/truncated.tspprog and
# WORK/corrupted.tspprog, which are made here from a good program.
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

# Compares what was found with FILE.err, or blesses it.
judge() {
    file=$1 want=${1%.*}.err
    if [ "$(tail -n 1 "$work/found")" = "exit 0" ]; then
        fail "$file: accepted, but it stands among the bad"
        return
    fi
    if [ -n "$bless" ] && ! cmp -s "$work/found" "$want"; then
        cp "$work/found" "$want" && echo "blessed $want"
    fi
    if [ ! -s "$work/out" ] && diff -u "$want" "$work/found"; then
        passed=$((passed + 1))
    else
        fail "$file: not what $want says; if the new message is right: make bless"
    fi
}

bless=
[ "${1-}" = --bless ] && bless=yes

for file in tests/bad/*.s tests/bad/*.json; do
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
    judge "$file"
done

"$tsp" asm programs/vecadd.s -o "$work/good.tspprog" || fail "programs/vecadd.s: not assembled"
head -c 400 "$work/good.tspprog" >"$work/truncated.tspprog"
{ head -c 300 "$work/good.tspprog"; printf '\377\376'; tail -c +303 "$work/good.tspprog"; } \
    >"$work/corrupted.tspprog"
for file in tests/bad/*.cmd; do
    # shellcheck disable=SC2046 # the arguments are words
    "$tsp" $(sed "s,WORK,$work," "$file") >"$work/out" 2>"$work/raw"
    status=$?
    sed "s,$work,WORK," "$work/raw" >"$work/found"
    echo "exit $status" >>"$work/found"
    judge "$file"
done

echo "$passed passed, $failed failed"
[ $failed = 0 ]
