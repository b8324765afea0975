#!/bin/sh
# test_1brc.sh - tsp 1brc from file to answer: edge cases by their bytes, made-up measurements against
# plain Python, bad lines, the report.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh
generate=$(dirname "$tsp")/programs/1brc/generate
subcommand=1brc
file=$work/measurements.txt

# answers TEXT ROWS [ARGUMENTS...]: what printf makes of ROWS must be answered with TEXT.
answers() {
    want=$1
    # shellcheck disable=SC2059 # rows are a format on purpose
    printf "$2" >"$file"
    shift 2
    works "$file" "$@"
    cp "$work/out" "$work/got"
    printf '%s\n' "$want" >"$work/want"
    holds "the answer is $want" cmp "$work/want" "$work/got"
}

# agrees WHAT [ARGUMENTS...]: the answer to $file must be Python's.
agrees() {
    what=$1
    shift
    works "$file" "$@"
    cp "$work/out" "$work/got"
    python3 tests/answer_challenge.py "$file" >"$work/want"
    holds "$what: as plain Python has it" cmp "$work/want" "$work/got"
}

answers '{Hamburg=12.0/12.0/12.0}' 'Hamburg;12.0\n'
answers '{Hamburg=12.0/12.0/12.0}' 'Hamburg;12.0'
answers '{a=-99.9/0.0/99.9}' 'a;-99.9\na;99.9\n'
answers '{a=-99.9/-99.9/-99.9, b=99.9/99.9/99.9}' 'b;99.9\na;-99.9\n'
answers '{a=0.0/0.0/0.0}' 'a;-0.0\na;0.0\n'
answers '{a=-0.1/0.0/0.0}' 'a;-0.1\na;0.0\n'         # -0.05 rounds to 0.0, not to -0.0
answers '{a=0.0/0.1/0.1}' 'a;0.0\na;0.1\n'           # 0.05 rounds up
answers '{a=-0.2/-0.1/-0.1}' 'a;-0.2\na;-0.1\n'      # -0.15 too
answers '{a=1.0/1.5/1.9, b=-1.9/-1.4/-1.0}' 'a;1.0\na;1.9\nb;-1.9\nb;-1.0\n'
answers '{A=1.0/1.0/1.0, AA=2.0/2.0/2.0, AAA=3.0/3.0/3.0, B=4.0/4.0/4.0}' \
    'AAA;3.0\nAA;2.0\nB;4.0\nA;1.0\n'
answers '{Zürich=9.3/9.3/9.3, Ürümqi=7.4/7.4/7.4, 東京=15.4/15.4/15.4}' \
    '東京;15.4\nÜrümqi;7.4\nZürich;9.3\n'
long=$(printf '%0100d' 7)
answers "{${long%7}=6.0/6.0/6.0, $long=5.0/5.0/5.0}" "$long;5.0\n${long%7};6.0\n"

# One station, many rows: every table of the chip counts it; the sum is far from zero.
yes 'Singapore;99.9' | head -n 30000 >"$file"
agrees 'one station'

"$generate" 20000 >"$file"
agrees '413 stations'
agrees '413 stations in blocks' --block-rows 3333 --threads 3
agrees '413 stations in blocks of one row more' --block-rows 19999
"$generate" 30000 --stations 10000 --seed 5 >"$file"
agrees '10,000 stations'
agrees '10,000 stations in blocks' --block-rows 16000
"$generate" 5000 --stations 3000 --seed 6 >"$file"
agrees '3,000 stations'

works "$file" --report "$work/report.json"
holds 'the report' python3 - "$work/report.json" <<'PYTHON'
import json, sys
r = json.load(open(sys.argv[1]))
assert r['predicted_cycles'] == r['simulated_cycles'] > 0
assert r['rows'] == 5000 and r['partial_tables'] == 20
assert r['chip']['blocks'] == 1 and r['chip']['block_cycles'] >= r['chip']['block_bound_cycles'] > 0
assert r['chip']['bytes_in'] == 4 * 5000
assert all(r['host'][key] >= 0 for key in ('open_s', 'read_s', 'simulate_s'))
PYTHON

leaves_nothing() { [ ! -e "$work/none.json" ]; }
# refuses_rows TEXT ROWS: no answer, no report.
refuses_rows() {
    # shellcheck disable=SC2059
    printf "$2" >"$file"
    refuses 2 "$1" "$file" --report "$work/none.json"
}
refuses_rows ":2: " 'a;1.0\nb\n'
refuses_rows ":1: " 'a;1.00\n'
refuses_rows ":3: " 'a;1.0\na;2.0\n;3.0\n'
refuses_rows ":2: " 'a;1.0\nb\000c;1.0\n'
refuses_rows ":2: " 'a;1.0\n\na;1.0\n'
refuses_rows ":1: " 'a;100.0\n'
refuses_rows "empty" ''
refuses 2 'needs a file'
refuses 2 'one chip' "$file" --chips 2
refuses 2 'cannot' "$work/nowhere.txt"
printf 'a;1.0\n' >"$file"
refuses 2 'grouping' "$file" --machine tiny
count_cases
