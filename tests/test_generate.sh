#!/bin/sh
# test_generate.sh - made-up measurements: the same from the same seed, in the form of the challenge,
# distributed as they should be, a file whole or not at all.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh
generate=$(dirname "$tsp")/programs/1brc/generate

makes() { # makes NAME ARGUMENTS...: a file, and nothing else
    name=$1
    shift
    holds "generate $*" "$generate" "$@" -o "$work/$name"
    holds "generate $* says nothing" test ! -s "$work/out" -a ! -s "$work/err"
}

mkdir "$work/none"
is_refused() { # is_refused TEXT ARGUMENTS...: one line of error, nothing in the folder `none`
    text=$1
    shift
    "$generate" "$@" >"$work/out" 2>"$work/err"
    status=$?
    [ $status = 2 ] && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ] &&
        grep -qF -- "generate: error: $text" "$work/err" && [ -z "$(ls "$work/none")" ]
    verdict $? "generate $*: exit status $status, expected 2 and '$text'"
}

# Three blocks of rows and a bit: threads take turns, and change nothing.
makes one 200000
for threads in 2 3 5; do
    makes more 200000 --threads $threads
    holds "$threads threads make the same file" cmp "$work/one" "$work/more"
done
"$generate" 200000 >"$work/more"
holds 'stdout is the same file' cmp "$work/one" "$work/more"
makes more 70000 --seed 0 --stations 413
head -n 70000 "$work/one" >"$work/head"
holds 'fewer rows are the first of more' cmp "$work/head" "$work/more"
makes more 200000 --seed 1
cmp -s "$work/one" "$work/more"
verdict $((1 - $?)) 'another seed makes another file'
holds 'nothing is left behind' test -z "$(find "$work" -name '*.tmp')"

# The same on every host.
makes sum 100000 --seed 20240101 --stations 1000
holds 'a file that is known' test "$(cksum <"$work/sum")" = "2181548064 3927356"

makes few 20000 --stations 3 -s 9
makes many 400000 -n 10000 -j 2
cat >"$work/judge.py" <<'PYTHON'
import math, re, sys
path, stations = sys.argv[1], int(sys.argv[2])
line = re.compile(rb'([^;]{1,100});(-?[0-9]{1,2}\.[0-9])\n')
table = open('programs/1brc/stations.def', encoding='utf-8').read()
cities = {name.encode(): int(mean) / 10 for name, mean in re.findall(r'STATION\("(.*)", (-?\d+)\)', table)}
assert len(cities) == 413
assert any(b.startswith(a) for a in cities for b in cities if a != b)
found, apart = {}, []
for text in open(path, 'rb'):
    match = line.fullmatch(text)
    assert match, text
    name, value = match[1], float(match[2])
    found[name] = found.get(name, 0) + 1
    if name in cities and abs(cities[name]) < 40: apart.append(value - cities[name])
rows = sum(found.values())
assert len(found) == stations, len(found)
assert max(found.values()) < rows / stations + 8 * math.sqrt(rows / stations)
for name in found: assert name.decode('utf-8').isprintable(), name
if stations >= 413: assert all(name in found for name in cities)
if stations == 10000: assert {len(name) for name in found} == set(range(1, 101))
# Four standard errors about a mean of 0 and a deviation of 10.
mean = sum(apart) / len(apart)
sigma = math.sqrt(sum(x * x for x in apart) / len(apart))
within = sum(abs(x) < 9.95 for x in apart) / len(apart)
assert abs(mean) < 40 / math.sqrt(len(apart)), mean
assert abs(sigma - 10) < 30 / math.sqrt(len(apart)), sigma
assert abs(within - math.erf(0.995 / math.sqrt(2))) < 2 / math.sqrt(len(apart)), within
PYTHON
holds 'rows of cities' python3 "$work/judge.py" "$work/one" 413
holds 'rows of few cities' python3 "$work/judge.py" "$work/few" 3
holds 'rows of many stations' python3 "$work/judge.py" "$work/many" 10000

holds 'generate --help' "$generate" --help
is_refused 'expected one number of rows; see generate --help'
is_refused 'expected one number of rows; see generate --help' 10 20
for rows in 0 -1 1e9 x 1099511627777 99999999999999999999; do
    is_refused "ROWS $rows: expected a whole number from 1 to 1099511627776" -o "$work/none/x" -- $rows
done
is_refused '--stations 0: expected a whole number from 1 to 10000' 10 --stations 0
is_refused '--stations 10001: expected a whole number from 1 to 10000' 10 --stations 10001
is_refused '--seed -1: expected a whole number from 0 to 9223372036854775807' 10 --seed -1
is_refused '--threads 257: expected a whole number from 1 to 256' 10 --threads 257
is_refused '--seed needs a value; see generate --help' 10 --seed
is_refused "'--sed' is not understood; see generate --help" 10 --sed
why='check the folder and free space'
is_refused "$work/missing/x: cannot write it (No such file or directory); $why" 10 \
    -o "$work/missing/x"
is_refused "$work/none: cannot write it (Is a directory); $why" 10 -o "$work/none"
holds 'and leaves nothing beside it' test ! -e "$work/none.tmp"
"$generate" 200000 -j 2 >/dev/full 2>"$work/err"
[ $? = 2 ] && grep -q "^generate: error: standard output: cannot write it" "$work/err"
verdict $? 'a full disk is noticed'

count_cases
