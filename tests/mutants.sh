#!/bin/sh
# mutants.sh [NAME] - plants the faults of tests/mutants.txt, one at a time; a test must notice each.
#
# A line of the table is NAME FILE TESTS SED: the tests to try first, by comma; then all the others
# are, until one fails. Works in a copy of the tree, build/mutants/tree, that builds on what the
# last run left there. Prints what caught each, and ends with "N passed, M failed".
set -u
cd "$(dirname "$0")/.."
only=${1-}
table=$PWD/tests/mutants.txt tree=$PWD/build/mutants/tree log=$PWD/build/mutants/log
export CK_TIMEOUT_MULTIPLIER=15 TSP_TEST_SCALE=small
export COSIM_TINY=300 COSIM_TSP1=2 COSIM_FAULTS=500
unset MAKEFLAGS MAKELEVEL MODE CC TSP 2>/dev/null
passed=0 failed=0

die() {
    echo "mutants: $*" >&2
    exit 2
}

# Copies what git would commit; files that did not change keep their times, and so their objects.
copy_tree() {
    mkdir -p "$tree"
    git ls-files --cached --others --exclude-standard | while read -r file; do
        [ -f "$file" ] || continue
        cmp -s "$file" "$tree/$file" && continue
        mkdir -p "$tree/$(dirname "$file")" && cp "$file" "$tree/$file" || exit 1
    done || die "the tree cannot be copied"
    (cd "$tree" && find isa sim compiler viz programs cli tests -name '*.[ch]') | while read -r file; do
        [ -f "$file" ] || rm -f "$tree/$file"
    done
}

build() { (cd "$tree" && make "$@") >"$log" 2>&1; }

# fails TEST: runs it on the mutant; true if it fails, or does not end.
fails() {
    (cd "$tree" && timeout 120 "build/release/tests/$1") >"$log" 2>&1
    status=$?
    [ $status != 0 ]
}

# names of all test programs, those given first
in_order() {
    echo "$1" | tr , '\n'
    for source in tests/test_*.c; do
        name=$(basename "$source" .c)
        case ",$1," in *",$name,"*) ;; *) echo "$name" ;; esac
    done
}

# Leaves in $caught which test notices the fault that was just planted; empty if none does.
try() {
    caught=
    for test in $(in_order "$1"); do
        build all "build/release/tests/$test" || die "$name does not build, see $log"
        fails "$test" || continue
        caught=$test
        [ $status != 124 ] || caught="$test, which did not end"
        return
    done
}

plant() {
    name=$1 file=$2 first=$3 expression=$4
    sed "$expression" "$file" >"$tree/$file"
    if cmp -s "$file" "$tree/$file"; then
        die "$name: the expression changes nothing in $file: $expression"
    fi
    try "$first"
    cp "$file" "$tree/$file"
    if [ -n "$caught" ]; then
        echo "caught $name by $caught"
        passed=$((passed + 1))
    else
        echo "SURVIVED $name"
        failed=$((failed + 1))
    fi
}

copy_tree
build all tests || die "the tree does not build, see $log"
for test in $(in_order ''); do
    ! fails "$test" || die "$test fails without any fault planted, see $log"
done
while read -r name file first expression <&3; do
    case $name in '#'* | '') continue ;; esac
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    plant "$name" "$file" "$first" "$expression"
done 3<"$table"
[ $((passed + failed)) != 0 ] || die "no mutant is called $only"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
