#!/bin/sh
# test_cli.sh - the contract of the command line: options, exit statuses, errors, reports, files.
#
# NumPy is the independent judge of outputs. Small graphs on the tiny machine keep it quick.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh
python=python3
$python -c 'import numpy' 2>/dev/null || python=/usr/bin/python3

says() { grep -qF -- "$1" "$work/out"; verdict $? "the output should say '$1'"; }

# ---- usage ----
refuses 2 'no command given'
refuses 2 "no command 'fly'" fly
refuses 2 'needs a file' run
refuses 2 'one file at a time' run a.s b.s
refuses 2 "'--fly'" run --fly a.s
refuses 2 "'-x'" run -cx a.s
refuses 2 '--seed needs a value' run a.s --seed
refuses 2 'expected a whole number' run a.s --seed -1
refuses 2 'expected a whole number' run a.s --until 12x
refuses 2 '1 or more' run a.s --threads 0
refuses 2 'NAME=FILE.npy' run a.s --input A
refuses 2 "names 'A' twice" run a.s --output A=x.npy --output A=y.npy
refuses 2 'no such choice' run a.s --engine steam
refuses 2 'cannot open' run "$work/none.tspprog"
refuses 2 'none.s' check "$work/none.s"
refuses 2 'none.json' run "$work/none.json"
refuses 2 'would write nothing' compile a.json
refuses 2 'no such pass' compile a.json --dump=fly
refuses 2 'not a graph' compile a.s -o "$work/x"
refuses 2 'needs -o' asm a.s
refuses 2 'not assembly' asm a.json -o "$work/x"
refuses 2 'not a regular file' asm a.s -o /dev/null
refuses 2 'not a regular file' run a.s --report "$work"
refuses 2 'fly' info --machine fly
refuses 2 'not modelled yet' run a.onnx
works --help
for command in run compile check trace report asm disasm info view 1brc; do
    works $command --help
    works help $command
done

# ---- the machine, the instruction reference ----
works info
says '737.3  TOPS'
says '20480  bytes a cycle'
says '56320  bytes a cycle'
says '2304  bytes a cycle'
for machine in tsp1 tiny; do
    "$tsp" info --machine $machine --json >"$work/machine.json"
    works info --machine "$work/machine.json" --json
    cmp -s "$work/out" "$work/machine.json"
    verdict $? "the JSON of $machine comes back the same"
done
works info --isa-markdown
cmp -s "$work/out" docs/isa.md
verdict $? 'docs/isa.md is not current; make docs'

# ---- a graph: run, check, report, outputs ----
cat >"$work/mm.json" <<'GRAPH'
{ "name": "mm",
  "inputs":  [ {"name": "A", "dtype": "int8", "shape": [20, 40]},
               {"name": "B", "dtype": "int8", "shape": [40, 24]} ],
  "nodes":   [ {"op": "MatMulInteger", "inputs": ["A", "B"], "outputs": ["C"]} ],
  "outputs": [ "C" ] }
GRAPH
$python - "$work" <<'PYTHON'
import sys, numpy
work, random = sys.argv[1], numpy.random.RandomState(7)
numpy.save(work + "/a.npy", random.randint(-128, 128, (20, 40)).astype(numpy.int8))
numpy.save(work + "/b.npy", random.randint(-128, 128, (40, 24)).astype(numpy.int8))
numpy.save(work + "/wide.npy", numpy.zeros((20, 40), numpy.int32))
numpy.save(work + "/long.npy", numpy.zeros((21, 40), numpy.int8))
PYTHON
mm="$work/mm.json --machine tiny"
# shellcheck disable=SC2086 # $mm is a file and an option; $work has no blanks
{
works run $mm --input A="$work/a.npy" --input B="$work/b.npy" --output C="$work/c.npy" --check \
    --report "$work/r.json"
says 'difference   0 cycles'
says 'check        passed'
holds 'C is what NumPy computes' $python - "$work" <<'PYTHON'
import sys, numpy
a, b, c = (numpy.load(f"{sys.argv[1]}/{name}.npy") for name in "abc")
assert c.dtype == numpy.int32 and (c == a.astype(numpy.int32) @ b.astype(numpy.int32)).all()
PYTHON
cat >"$work/report.py" <<'PYTHON'
import json, sys
r = json.load(open(sys.argv[1]))
simulated = sys.argv[2] == "run"
assert list(r) == ["name", "machine", "clock_hz", "predicted_cycles", "simulated_cycles",
                   "bound_cycles", "predicted_us", "simulated_us", "utilisation", "memory", "ops",
                   "check", "host"], list(r)
assert set(r["utilisation"]) == {"mxm", "mxm_useful", "vxm", "sxm", "mem", "streams"}
memory = r["memory"]
assert set(memory) == {"capacity_bytes", "peak_bytes", "constants_bytes", "reused_bytes"}
assert 0 <= memory["constants_bytes"] < memory["peak_bytes"] <= memory["capacity_bytes"]
assert memory["reused_bytes"] == 0
assert set(r["host"]) == {"wall_s", "cycles_per_s", "macs_per_s"}
assert (r["name"], r["machine"], r["clock_hz"]) == ("mm", "tiny", 900000000)
assert 0 < r["bound_cycles"] <= r["predicted_cycles"]
assert abs(r["predicted_us"] - r["predicted_cycles"] / 900) < 1e-9
op, = r["ops"]
assert list(op) == ["name", "op", "predicted", "simulated"] and op["op"] == "MatMulInteger"
start, end = op["predicted"]
assert 0 <= start < end <= r["predicted_cycles"], op
if simulated:
    assert r["simulated_cycles"] == r["predicted_cycles"]
    assert op["simulated"] == op["predicted"], op
    assert r["check"] == {"passed": True, "max_abs_err": 0, "max_rel_err": 0}
    assert all(0 <= share <= 1 for share in r["utilisation"].values()), r["utilisation"]
    useful = 20 * 40 * 24 / (16 * 16 * 4 * r["simulated_cycles"])
    assert abs(r["utilisation"]["mxm_useful"] - useful) < 1e-12
    assert r["utilisation"]["mxm"] > useful
else:
    assert r["simulated_cycles"] is None and r["simulated_us"] is None and r["check"] is None
    assert set(r["utilisation"].values()) | set(r["host"].values()) == {None}
    assert op["simulated"] is None
for key in list(r) + ["utilisation." + k for k in r["utilisation"]] + ["host." + k for k in r["host"]]:
    assert key in ("memory", "ops", "check", "host") or f"`{key}`" in open("docs/glossary.md").read(), key
PYTHON
holds 'the report of a run' $python "$work/report.py" "$work/r.json" run

works compile $mm -o "$work/mm.tspprog" --report "$work/rc.json"
holds 'the report of a compilation' $python "$work/report.py" "$work/rc.json" compile
works compile $mm -o "$work/again.tspprog"
holds 'the same graph compiles to the same bytes' cmp "$work/mm.tspprog" "$work/again.tspprog"
for pass in graph lower fuse layout flow schedule emit verify; do
    works compile $mm --dump=$pass
    [ -s "$work/out" ]
    verdict $? "--dump=$pass prints something"
done

# The same seed gives the same inputs, whatever the way the program came.
works run $mm --seed 5 --output C="$work/c1.npy" --report "$work/r1.json" --threads 2
works run $mm --seed 5 --output C="$work/c3.npy" --kernel plain
holds 'every kernel and number of threads gives the same output' \
    cmp "$work/c1.npy" "$work/c3.npy"
works run $mm --timing-only --report "$work/time.json"
holds 'time without values is the same time' $python -c '
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
assert a["simulated_cycles"] == b["simulated_cycles"]
assert a["ops"] == b["ops"]' "$work/r1.json" "$work/time.json"
refuses 2 '--timing-only computes no values' run $mm --timing-only --check
refuses 2 'timing only' run $mm --timing-only --engine reference
refuses 2 'no such choice' run $mm --kernel avx

# Measuring: figures with their targets, whatever they are.
works bench idle --rounds 1 --json
mv "$work/out" "$work/bench.json"
holds 'bench tells figures as JSON' $python -c '
import json, sys
report = json.load(open(sys.argv[1]))
(idle,) = report["workloads"]
assert idle["name"] == "idle" and idle["simulated_cycles"] == 1000000001
assert idle["figures"][0]["target"] == 50 and idle["figures"][0]["reached"] is not None
assert idle["ratio"] is None and idle["error"] is None and idle["threads"] == 1' "$work/bench.json"
works bench reference --rounds 1
works bench histogram --rounds 1
works bench smallest --rounds 1 --json
mv "$work/out" "$work/bench.json"
holds 'bench measures memory in a process of its own' $python -c '
import json, sys
(small,) = json.load(open(sys.argv[1]))["workloads"]
assert 0 < small["peak_memory_bytes"] and small["memory_limit_bytes"] == 32 << 20
assert small["simulated_cycles"] is None' "$work/bench.json"
refuses 2 "no workload 'all'; there are: int8-matmul, int8-matmul-2-threads, fp16-matmul" bench all
refuses 2 'at most 99' bench idle --rounds 100
refuses 2 '1 or more' bench idle --rounds 0

works run "$work/mm.tspprog" --seed 5 --output C="$work/c2.npy" --report "$work/r2.json"
holds 'graph and program give the same output' cmp "$work/c1.npy" "$work/c2.npy"
holds 'and the same report but for the host' $python -c '
import json, sys
a, b = (json.load(open(path)) for path in sys.argv[1:])
del a["host"], b["host"]
assert a == b' "$work/r1.json" "$work/r2.json"
works run $mm --seed 6 --output C="$work/c3.npy"
! cmp -s "$work/c1.npy" "$work/c3.npy"
verdict $? 'another seed gives another output'
works run $mm --engine fast
works run $mm --engine reference

works check "$work/mm.tspprog"
says 'is legal on tiny'
works check $mm
works info "$work/mm.tspprog"
says 'int8 [20, 40]'

# Assembly and back.
works disasm "$work/mm.tspprog" -o "$work/mm.s"
works asm "$work/mm.s" -o "$work/mm2.tspprog"
works disasm "$work/mm2.tspprog"
cmp -s "$work/out" "$work/mm.s"
verdict $? 'disasm, asm, disasm gives the same text'
works run "$work/mm.s" --seed 5 --output C="$work/c4.npy"
holds 'the assembled program computes the same' cmp "$work/c1.npy" "$work/c4.npy"

# --until: the state is a function of program, inputs and cycle.
works run $mm --seed 5 --until 40
cp "$work/out" "$work/until"
grep -Eq '^state at cycle 40: [0-9a-f]{16}$' "$work/out"
verdict $? 'the state at cycle 40 has a hash'
works run "$work/mm.tspprog" --seed 5 --until 40
cmp -s "$work/out" "$work/until"
verdict $? 'the same hash'
works run $mm --seed 5 --until 41
! cmp -s "$work/out" "$work/until"
verdict $? 'another cycle, another hash'
works run $mm --seed 5 --until 1000000
says 'state at cycle '
says 'difference   0 cycles'

# What does not fit is refused, and leaves no file behind.
refuses 2 "'A' must be int8 [20, 40], the file has int32 [20, 40]" run $mm --input A="$work/wide.npy"
refuses 2 "'A' must be int8 [20, 40], the file has int8 [21, 40]" run $mm --input A="$work/long.npy"
refuses 2 "no input 'Z'" run $mm --input Z="$work/a.npy"
refuses 2 "no input 'C'" run $mm --input C="$work/a.npy"
refuses 2 "no output 'A'; it has: C" run $mm --output A="$work/x.npy"
refuses 2 "mm.json" run $mm --input A="$work/mm.json"
refuses 2 'was made for machine tiny' run "$work/mm.tspprog" --machine tsp1
works run "$work/mm.tspprog" --machine tiny
refuses 2 '--check compares with the graph' run "$work/mm.tspprog" --check
refuses 2 'x.json' run $mm --report "$work/none/x.json" --until 3
"$tsp" run $mm --until 3 --output C="$work/x.npy" >"$work/out" 2>"$work/err"
[ $? = 2 ] && grep -q 'before the outputs are there' "$work/err" && [ ! -e "$work/x.npy" ]
verdict $? '--until before the end gives no output'
}
if [ -w /dev/full ]; then
    "$tsp" info >/dev/full 2>"$work/err"
    [ $? = 2 ] && grep -q 'standard output' "$work/err"
    verdict $? 'a full disk is an error'
fi

# ---- damaged program files: refused in one line, never believed ----
# head and printf make the damage, so that nothing here depends on the code under test.
bytes=$(wc -c <"$work/mm.tspprog")
step=$((bytes / 40 + 1))
[ "${TSP_TEST_SCALE-}" = small ] && step=$((bytes / 12 + 1))
at=0
while [ $at -lt "$bytes" ]; do
    head -c $at "$work/mm.tspprog" >"$work/cut.tspprog"
    refuses 2 'cut.tspprog' run "$work/cut.tspprog"
    old=$(od -An -tu1 -j $at -N 1 "$work/mm.tspprog")
    cp "$work/mm.tspprog" "$work/flip.tspprog"
    printf '%b' "$(printf '\\0%03o' $((old ^ 1 << at % 8)))" |
        dd of="$work/flip.tspprog" bs=1 seek=$at conv=notrunc 2>/dev/null
    refuses 2 'flip.tspprog' run "$work/flip.tspprog"
    at=$((at + step))
done
cat "$work/mm.tspprog" "$work/a.npy" >"$work/more.tspprog"
refuses 2 'more.tspprog' check "$work/more.tspprog"
refuses 2 'a.npy' run "$work/a.npy"

# ---- every program that the project offers ----
for file in programs/*.json programs/*.s; do
    [ -f "$file" ] || continue
    works check "$file"
    case $file in
        *.json) works run "$file" --check --seed 3; says 'difference   0 cycles' ;;
        *) works run "$file" --seed 3 ;;
    esac
    # Both engines end in the same state: outputs, memory, streams, counts, by one hash.
    "$tsp" run "$file" --seed 3 --until 1000000 >"$work/fast" 2>&1
    "$tsp" run "$file" --seed 3 --until 1000000 --engine reference >"$work/reference" 2>&1
    grep -q '^state at cycle' "$work/fast" && cmp -s "$work/fast" "$work/reference"
    verdict $? "$file: the engines do not end alike"
done

works run programs/matmul-int8.json --check
! grep -vxFf README.md "$work/out" >"$work/err"
verdict $? 'README.md should show what make demo prints'

[ -z "$(find "$work" -name '*.tmp')" ]
verdict $? 'no temporary file is left'
count_cases
