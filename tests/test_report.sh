#!/bin/sh
# test_report.sh - tsp report: its options, the keys of its JSON, its page, its errors.
set -u
cd "$(dirname "$0")/.."
. tests/cases.sh
subcommand=report

leaves_nothing() { [ -z "$(find "$work" -name 'no.*')" ]; }

cat >"$work/graph.json" <<'GRAPH'
{ "name": "a <b> & \"c\"",
  "inputs":  [ {"name": "A", "dtype": "int8", "shape": [20, 40]},
               {"name": "B", "dtype": "int8", "shape": [40, 24]} ],
  "nodes":   [ {"op": "MatMulInteger", "name": "x</td><script>", "inputs": ["A", "B"], "outputs": ["C"]},
               {"op": "Cast", "inputs": ["C"], "outputs": ["D"], "attributes": {"to": "float32"}},
               {"op": "Softmax", "inputs": ["D"], "outputs": ["E"]} ],
  "outputs": [ "E" ] }
GRAPH
"$tsp" compile "$work/graph.json" -o "$work/p.tspprog" >/dev/null 2>&1 ||
    { sed -i 's/Softmax/Relu/' "$work/graph.json" &&
        "$tsp" compile "$work/graph.json" -o "$work/p.tspprog" >/dev/null; }
cat >"$work/hand.s" <<'PROGRAM'
.machine tiny
@mem.w0
    read 0, s0.e
.tensor X, int8, [1, 16], constant @ mem.w0:0
.data 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
PROGRAM
printf '.machine tiny\n@mem.w0\n    sync\n' >"$work/stuck.s"

refuses 2 'needs a file'
refuses 2 'give one' "$work/p.tspprog" --json --html
refuses 2 'cannot open' "$work/none.tspprog"
refuses 2 'no such folder' "$work/p.tspprog" -o "$work/none/no.txt"
refuses 2 'is what is being read' "$work/p.tspprog" -o "$work/p.tspprog"
refuses 2 'not the same as --machine' "$work/p.tspprog" --machine tiny
refuses 1 'no Notify' "$work/stuck.s" -o "$work/no.txt"
works "$work/p.tspprog" --simulate
works "$work/graph.json" --machine tiny --simulate
works "$work/p.tspprog" --json --simulate -o "$work/p.json"
works "$work/p.tspprog" --html -o "$work/p.html"
works "$work/hand.s" --simulate
works "$work/hand.s" --json -o "$work/hand.json"
works "$work/hand.s" --html -o "$work/hand.html"
works programs/mlp.json --html -o "$work/mlp.html"

holds 'JSON has its keys, and sums' python3 - "$work/p.json" "$work/hand.json" <<'PYTHON'
import json, sys
keys = ["name", "machine", "clock_hz", "cycles", "predicted_cycles", "bound_cycles", "bound_by",
        "instructions", "unknown", "ops", "slot_starts", "usage", "mxm", "critical_path", "memory"]
for path in sys.argv[1:]:
    r = json.load(open(path))
    assert list(r) == keys, list(r)
    for plane in r["mxm"]:
        assert plane["busy"] + sum(plane["idle"].values()) == r["cycles"]
    for use in r["usage"].values():
        assert list(use) == ["units", "used", "share", "slots"]
        assert sum(use["slots"]) == use["used"]
    for tensor in r["memory"]["tensors"]:
        assert list(tensor) == ["name", "role", "dtype", "shape", "slices", "rows", "bytes"]
whole, hand = (json.load(open(path)) for path in sys.argv[1:])
assert list(whole["ops"][0]) == ["name", "op", "start", "end", "cycles", "bound", "share",
                                 "largest", "path", "path_cycles", "bound_by"]
assert sum(h["cycles"] for h in whole["critical_path"]) == whole["cycles"]
assert list(whole["critical_path"][0]) == ["start", "end", "cycles", "flows", "issue", "latency",
                                           "wait", "op", "queue", "after"]
assert whole["unknown"] is None and hand["unknown"] and hand["critical_path"] is None
PYTHON

holds 'the page is well formed' python3 - "$work/p.html" "$work/hand.html" "$work/mlp.html" <<'PYTHON'
import html.parser, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.scripts = [], 0
    def handle_starttag(self, tag, attributes):
        assert not {"src", "href"} & {name for name, _ in attributes}
        self.scripts += tag == "script"
        if tag != "meta":
            self.open.append(tag)
    def handle_startendtag(self, tag, attributes):
        pass
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())
for path in sys.argv[1:]:
    page = Page()
    page.feed(open(path, encoding="utf-8").read())
    assert not page.open and page.scripts == 1, (path, page.open, page.scripts)
PYTHON

count_cases
