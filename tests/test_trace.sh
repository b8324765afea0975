#!/bin/sh
# test_trace.sh - traces: three formats of the same run, read by independent readers and compared
# with each other, with the report of the run and with GTKWave's own reader.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh

leaves_nothing() { [ -z "$(find "$work" -name 'no.*')" ]; }

# trace NAME SOURCE OPTION...: all formats, the report, and what tsp run says.
trace() {
    name=$1
    shift
    holds "run $name" "$tsp" run "$@" --timing-only --report "$work/$name.report"
    mv "$work/out" "$work/$name.out"
    for ending in json vcd kanata; do
        holds "trace $name.$ending" "$tsp" trace "$@" -o "$work/$name.$ending"
    done
}

cat >"$work/mm.json.graph" <<'GRAPH'
{ "name": "mm \"quoted\" \u00e4",
  "inputs":  [ {"name": "A", "dtype": "int8", "shape": [20, 40]},
               {"name": "B", "dtype": "int8", "shape": [40, 24]} ],
  "nodes":   [ {"op": "MatMulInteger", "name": "first, \"one\" \\ \u00e9", "inputs": ["A", "B"], "outputs": ["C"]},
               {"op": "Cast", "inputs": ["C"], "outputs": ["D"], "attributes": {"to": "float32"}},
               {"op": "Relu", "inputs": ["D"], "outputs": ["E"]} ],
  "outputs": [ "E" ] }
GRAPH
mv "$work/mm.json.graph" "$work/graph.json"

# A barrier, two dimensions of repeats, a latched ALU, a switch of power.
cat >"$work/many.s" <<'PROGRAM'
.machine tiny
.name many
@mem.w0
    sync
    read 0, s0.e
    repeat 3, 2, 0, 2, 20
    read 0, s4.w
@mem.w1
    nop 6
    notify
@mem.w2
    config 1
@vxm.3
    sync
    nop 2
    pass i8, none, s0.e
    nop 3
    pass i8, s8.e, latch3
    pass i8, s9.w, #5
.tensor X, int8, [1, 16], constant @ mem.w0:0
.data 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
PROGRAM

"$tsp" info --machine tiny --json >"$work/mm.machine"
cp "$work/mm.machine" "$work/many.machine"
"$tsp" info --json >"$work/vecadd.machine"
cp "$work/vecadd.machine" "$work/matmul.machine"
cp "$work/vecadd.machine" "$work/mlp.machine"
trace vecadd programs/vecadd.s
trace mm "$work/graph.json" --machine tiny
trace many "$work/many.s"
trace matmul programs/matmul-int8.json
trace mlp programs/mlp.json
holds 'vecadd, every cycle' python3 tests/check_trace.py vecadd "$work"
for name in mm many matmul mlp; do
    holds "the traces of $name agree with its report" python3 tests/check_trace.py all "$work" $name
done
# The programs of the figures use every unit and every queue.
for file in programs/figures/*.s; do
    name=$(basename "$file" .s)
    cp "$work/vecadd.machine" "$work/$name.machine"
    trace "$name" "$file"
    holds "the traces of $name agree with its report" \
        python3 tests/check_trace.py all "$work" "$name"
done
holds 'arrows along streams and from ALU to ALU' python3 tests/check_trace.py arrows \
    "$work/vxm.kanata" vxm.0@2=mem.w0@0 vxm.1@9=vxm.0@2 vxm.4@2=mem.w0@0 vxm.5@5=vxm.4@2 \
    vxm.6@12=vxm.5@5
holds 'an arrow to a latched result' python3 tests/check_trace.py arrows "$work/many.kanata" \
    vxm.3@47=vxm.3@43
holds 'an arrow from product to sum' python3 tests/check_trace.py arrows \
    "$work/vector-matrix.kanata" mxm.w.0.results@60=mxm.w.0.activations@38
for name in matmul.json matmul.vcd matmul.kanata; do
    [ "$(wc -c <"$work/$name")" -lt 4000000 ]
    verdict $? "$name is large"
done

# GTKWave's reader takes the dump, and gives the same back.
for name in vecadd many mm; do
    holds "vcd2fst $name" vcd2fst "$work/$name.vcd" "$work/$name.fst"
    holds "fst2vcd $name" fst2vcd "$work/$name.fst" -o "$work/$name.back.vcd"
    holds "$name comes back the same" \
        python3 tests/check_trace.py same "$work/$name.vcd" "$work/$name.back.vcd"
done

# Cycles in the middle, and a format that the ending does not say.
for ending in json vcd kanata; do
    holds "cycles 60 to 90 as $ending" "$tsp" trace "$work/graph.json" --machine tiny --from 60 \
        --to 90 -o "$work/mm.range.$ending"
done
holds 'a part of the trace is that part of it' python3 tests/check_trace.py range "$work" mm 60 90
holds 'a format by name' "$tsp" trace programs/vecadd.s -f vcd -o "$work/vecadd.txt"
holds 'is the same' cmp "$work/vecadd.txt" "$work/vecadd.vcd"

# The same bytes from every way of running it.
holds 'compile' "$tsp" compile "$work/graph.json" --machine tiny -o "$work/mm.tspprog"
for ending in json vcd kanata; do
    for engine in fast reference; do
        holds "run --trace as $ending, $engine" "$tsp" run "$work/graph.json" --machine tiny \
            --engine $engine --trace "$work/again.$ending"
        holds "gives the same $ending, $engine" cmp "$work/again.$ending" "$work/mm.$ending"
    done
    holds "trace a program as $ending" "$tsp" trace "$work/mm.tspprog" -o "$work/again.$ending"
    holds "gives the same $ending" cmp "$work/again.$ending" "$work/mm.$ending"
done
holds 'run --until with --trace' "$tsp" run "$work/graph.json" --machine tiny --until 50 \
    --trace "$work/until.vcd"
holds 'the beginning alone' "$tsp" trace "$work/graph.json" --machine tiny --to 50 \
    -o "$work/to.vcd"
grep '^[^$]' "$work/until.vcd" >"$work/a"
[ "$(tail -n 1 "$work/until.vcd")" = '#50' ] && [ "$(tail -n 1 "$work/to.vcd")" = '#50' ]
verdict $? 'both end with cycle 50'

# Ten million issues are a few words: small where nothing changes, refused where each has a row.
cat >"$work/long.s" <<'PROGRAM'
.machine tiny
.name long
@mem.w0
    read 0, s0.e
    repeat 9999, 1, 0, 999, 10000
.tensor X, int8, [1, 16], constant @ mem.w0:0
.data 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
PROGRAM
holds 'ten million issues as json' "$tsp" trace "$work/long.s" -o "$work/long.json"
holds 'ten million issues as vcd' "$tsp" trace "$work/long.s" -o "$work/long.vcd"
[ "$(cat "$work/long.json" "$work/long.vcd" | wc -c)" -lt 10000 ]
verdict $? 'their traces are large'
refuses 2 'more than Konata holds' trace "$work/long.s" -o "$work/no.kanata"
holds 'a part of them' "$tsp" trace "$work/long.s" --from 9000000 --to 9000100 -o "$work/l.kanata"
[ "$(grep -c '^I' "$work/l.kanata")" = 100 ]
verdict $? 'a hundred rows'

# Nothing at all.
printf '.machine tiny\n' >"$work/empty.s"
for ending in json vcd kanata; do
    holds "an empty program as $ending" "$tsp" trace "$work/empty.s" -o "$work/empty.$ending"
done
holds 'an empty trace is JSON' python3 -m json.tool "$work/empty.json"

# What is refused, and leaves no file.
refuses 2 'names no trace format; end it in one of: .json, .vcd, .kanata' \
    trace programs/vecadd.s -o "$work/no.xml"
refuses 2 'names no trace format' run programs/vecadd.s --trace "$work/no.xml"
refuses 2 "no trace format 'fst'; there are: perfetto, vcd, kanata" \
    trace programs/vecadd.s -o "$work/no.vcd" --format fst
refuses 2 'needs -o FILE' trace programs/vecadd.s
refuses 2 'no such folder' trace programs/vecadd.s -o "$work/none/no.vcd"
refuses 2 'what is being read' trace "$work/graph.json" --machine tiny -o "$work/graph.json"
refuses 2 'no cycle lies from 9 to below 9' trace programs/vecadd.s -o "$work/no.vcd" --from 9 --to 9
refuses 2 'there is no cycle 21: the run has cycles 0 to 20' \
    trace programs/vecadd.s -o "$work/no.vcd" --from 21
printf '.machine tiny\n@mem.w0\n    write 0, s0.e\n' >"$work/bad.s"
refuses 1 'bad.s:3: cycle 0, chip 0, mem.w0, instruction 0: reads a stream register' trace "$work/bad.s" -o "$work/no.vcd"

[ -z "$(find "$work" -name '*.tmp')" ]
verdict $? 'no temporary file is left'
count_cases
