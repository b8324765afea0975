#!/bin/sh
# pictures.sh [--bless [NAME]] - draws the pictures of tests/pictures/list.txt and compares each with
# tests/pictures/NAME.png, pixel by pixel; ends with "N passed, M failed".
#
# What differs is left in build/pictures: NAME.expected.png, NAME.got.png, NAME.diff.png. A picture
# marked xfail may differ (XFAIL, not counted), and fails if it does not (XPASS). --bless accepts the
# pictures, or one, as they are drawn now.
set -u
cd "$(dirname "$0")/.."
TSP=${TSP:-build/release/tsp}
TESTS=$(dirname "$TSP")/tests
export TSP TESTS
left=build/pictures
passed=0 failed=0

bless= only=
[ "${1-}" = --bless ] && bless=yes only=${2-}

if [ ! -x "$TESTS/picture_diff" ]; then
    echo "pictures: $TESTS/picture_diff is not there; make tests, with the viewer's libraries" >&2
    [ -n "$bless" ]
    exit
fi
mkdir -p "$left" || exit 1

tell() {
    printf '%-5s %s\n' "$1" "$2"
    case $1 in PASS) passed=$((passed + 1)) ;; FAIL | XPASS) failed=$((failed + 1)) ;; esac
}

# Draws one picture into $got; true if it is there. Its words are in $left/NAME.log.
draw() {
    rm -f "$left/$name".*
    OUT=$got sh -c "$command" </dev/null >"$left/$name.log" 2>&1 && [ -f "$got" ]
}

# compare: what differs, in words; true if nothing does.
compare() {
    if [ ! -f "$want" ]; then
        echo "there is no $want yet; look at $got, then: tests/pictures.sh --bless $name"
        return 1
    fi
    "$TESTS/picture_diff" "$want" "$got" "$left/$name.diff.png" 2>&1
}

judge() {
    good=PASS bad=FAIL
    [ -n "$mark" ] && good=XPASS bad=XFAIL
    if ! draw; then
        tell $bad "$name: not drawn by: $command"
        cat "$left/$name.log"
    elif words=$(compare); then
        tell $good "$name"
        rm -f "$left/$name".*
    else
        tell $bad "$name: $words"
        if [ -f "$want" ]; then
            cp "$want" "$left/$name.expected.png"
            echo "      see $left/$name.expected.png, .got.png and .diff.png"
        fi
    fi
}

accept() {
    if ! draw; then
        tell FAIL "$name: not drawn by: $command"
        cat "$left/$name.log"
        return
    fi
    compare >/dev/null || { cp "$got" "$want" && echo "blessed $want"; }
    passed=$((passed + 1))
    rm -f "$left/$name".*
}

while IFS='|' read -r name mark command; do
    name=$(echo "$name" | tr -d ' ') mark=$(echo "$mark" | tr -d ' ')
    case $name in '' | '#'*) continue ;; esac
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    case $mark in '' | xfail) ;; *)
        tell FAIL "$name: what is '$mark'? xfail, or nothing"
        continue
        ;;
    esac
    got=$left/$name.got.png want=tests/pictures/$name.png
    if [ -n "$bless" ]; then accept; else judge; fi
done <tests/pictures/list.txt

[ -z "$only" ] || [ $((passed + failed)) != 0 ] || echo "pictures: $only is not in the list" >&2
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
