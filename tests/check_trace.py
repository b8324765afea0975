"""check_trace.py - reads traces with readers of its own and compares them with the report of the run.

    check_trace.py all FOLDER NAME       NAME.json, .vcd, .kanata against NAME.report, NAME.out
    check_trace.py range FOLDER NAME A B NAME.range.* hold what NAME.* hold in cycles A to below B
    check_trace.py same A.vcd B.vcd      the same values of the same signals at all times
    check_trace.py arrows FILE.kanata A@1=B@0 ...   the value that A takes in 1 is what B issued in 0
    check_trace.py vecadd FOLDER         programs/vecadd.s: every cycle
"""
import json
import re
import sys


def read_perfetto(path):
    """The JSON, the slices of ops by process name, and the issues as a set of (queue, cycle)."""
    trace = json.load(open(path))
    names, threads, slices, issues, total = {}, {}, [], set(), 0
    for e in trace["traceEvents"]:
        if e["ph"] == "M" and e["name"] == "process_name":
            names[e["pid"]] = e["args"]["name"]
        if e["ph"] == "M" and e["name"] == "thread_name":
            assert e["tid"] not in threads, e
            threads[e["tid"]] = e["args"]["name"]
    busy = {}
    for e in trace["traceEvents"]:
        if e["ph"] == "M":
            continue
        assert e["ph"] == "X" and e["pid"] in names and e["tid"] in threads, e
        assert e["dur"] >= 0 and isinstance(e["ts"], int), e
        busy.setdefault(e["tid"], []).append((e["ts"], e["ts"] + e["dur"]))
        args = e["args"]
        if names[e["pid"]].startswith("graph ops"):
            slices.append((names[e["pid"]].split()[2].rstrip(","), e))
            continue
        assert e["ts"] + e["dur"] - 1 == args["last_issue"], e
        n, d, n2, d2 = 0, 0, 0, 0
        if "repeat" in args:
            given = re.match(r"repeat (\d+), (\d+)", args["repeat"])
            n, d = int(given[1]), int(given[2])
            rest = args["repeat"].split(", ")[2:]
            plain = [x for x in rest if "=" not in x]
            n2 = int(plain[1]) if len(plain) > 1 else 0
            d2 = int(plain[2]) if len(plain) > 2 else 0
            for key, value in (x.split("=") for x in rest if "=" in x):
                n2, d2 = (int(value), d2) if key == "n2" else (n2, int(value) if key == "d2" else d2)
            assert args["period"] == (d if n else d2), e
        cycles = [e["ts"] + i * d + j * d2 for j in range(n2 + 1) for i in range(n + 1)]
        assert len(cycles) == args["issues"] and cycles[-1] == args["last_issue"], e
        issues |= {(threads[e["tid"]], c) for c in cycles}
        total += args["issues"]
    assert total == len(issues), "two issues of a queue in one cycle"
    for track in busy.values():
        track.sort()
        assert all(a[1] <= b[0] for a, b in zip(track, track[1:])), "slices of a track overlap"
    return trace, slices, issues


def read_vcd(path):
    """Times and, for each signal by its full name, its value in every cycle from first to last."""
    signals, scope, changes, value, time = {}, [], [], {}, None
    lines = iter(open(path).read().split("\n"))
    header = []
    for line in lines:
        header.append(line)
        if "$enddefinitions" in line:
            break
    words = " ".join(header).split()
    assert re.search(r"\$timescale 1 ?us \$end", " ".join(words)), "timescale"
    i = 0
    while i < len(words):
        end = words.index("$end", i)
        if words[i] == "$scope":
            scope.append(words[i + 2])
        elif words[i] == "$upscope":
            scope.pop()
        elif words[i] == "$var":
            kind, width, code, name = words[i + 1 : i + 5]
            assert code not in signals, code
            signals[code] = (".".join(scope + [name]), kind, int(width))
        i = end + 1
    assert not scope and len({s[0] for s in signals.values()}) == len(signals)
    times, dumping = [], False
    for line in lines:
        if not line:
            continue
        if line[0] == "#":
            assert time is None or int(line[1:]) > time, f"time goes back at {line}"
            time = int(line[1:])
            times.append(time)
        elif line in ("$dumpvars", "$end"):
            dumping = line == "$dumpvars"
        else:
            text, code = line.split() if line[0] in "bs" else (line[0], line[1:])
            name, kind, width = signals[code]
            assert (kind == "string") == (text[0] == "s"), line
            bits = text.lstrip("b") if kind == "wire" else text[1:]
            assert kind == "string" or len(bits) <= width, line
            if kind == "wire":
                bits = -1 if "x" in bits else int(bits, 2)
            assert dumping or value[name] != bits, f"{line} at {time} changes nothing"
            value[name] = bits
            changes.append((time, name, bits))
    assert set(value) == {s[0] for s in signals.values()}, "a signal without a value"
    first, last = (times[0], times[-1]) if times else (0, 0)
    table = {s[0]: [None] * (last - first) for s in signals.values()}
    at = {name: (first, None) for name in table}
    for time, name, bits in changes + [(last, name, None) for name in table]:
        since, old = at[name]
        table[name][since - first : time - first] = [old] * (time - since)
        at[name] = (time, bits)
    assert all(None not in column for column in table.values())
    return first, last, table


def read_kanata(path):
    """Checks the grammar of docs/kanata-log-format.md; issues as a list of (queue, cycle)."""
    lines = open(path).read().split("\n")
    assert lines[0] == "Kanata\t0004" and lines[-1] == ""
    cycle, issues, stage, names, retired, arrows = None, [], {}, {}, 0, []
    for line in lines[1:-1]:
        what, *rest = line.split("\t")
        if what == "C=":
            assert cycle is None
            cycle = int(rest[0])
            continue
        assert cycle is not None, line
        if what == "C":
            assert int(rest[0]) > 0
            cycle += int(rest[0])
        elif what == "I":
            assert int(rest[0]) == len(issues) and len(rest) == 3, line
            issues.append((None, cycle))
            stage[int(rest[0])] = []
        elif what == "L":
            if rest[1] == "0":
                names[int(rest[0])] = rest[2].split(":")[0]
            assert rest[1] in "01" and int(rest[0]) in stage, line
        elif what == "S":
            assert rest[1] == "0", line
            stage[int(rest[0])].append((rest[2], cycle))
        elif what == "W":
            consumer, producer, kind = map(int, rest)
            assert consumer in stage and producer < consumer and kind == 0, line
            arrows.append((consumer, producer))
        elif what == "R":
            assert [int(rest[1]), rest[2]] == [retired, "0"], line
            retired += 1
            steps = stage.pop(int(rest[0]))
            kinds = [s[0] for s in steps]
            assert kinds in (["Is", "Ef"], ["Is", "Fl", "Ef"]), line
            start, effect = steps[0][1], steps[-1][1]
            assert start == issues[int(rest[0])][1] and cycle == effect + 1 > start + 1, line
            assert len(steps) == 2 or steps[1][1] == start + 1 < effect, line
        else:
            raise AssertionError(line)
    assert not stage and retired == len(issues), "not retired"
    return [(names[i], issue[1]) for i, issue in enumerate(issues)], arrows


def queue_signals(table, signal):
    """Of each queue: the column of a signal, by the queue's name with _ for dots."""
    return {n.split(".")[2]: c for n, c in table.items() if n.endswith("." + signal) and n.count(".") == 3}


def busy_set(table, first):
    return {(q, first + i) for q, col in queue_signals(table, "busy").items() for i, b in enumerate(col) if b}


def underscored(issues):
    return {(q.replace(".", "_"), c) for q, c in issues}


def check_all(folder, name):
    base = f"{folder}/{name}"
    report = json.load(open(base + ".report"))
    machine = json.load(open(f"{folder}/{name}.machine"))
    cycles = report["simulated_cycles"]
    instructions, reads, writes = map(int, re.search(
        r"did +(\d+) instructions, (\d+) reads, (\d+) writes", open(base + ".out").read()).groups())

    trace, slices, issues = read_perfetto(base + ".json")
    assert trace["otherData"]["cycles"] == cycles
    assert trace["otherData"]["instructions"] == instructions == len(issues)
    for kind in ("predicted", "simulated"):
        ours = {e["args"]["index"]: (e["name"], e["args"]["type"], e["ts"], e["ts"] + e["dur"])
                for k, e in slices if k == kind}
        theirs = {i: (op["name"], op["op"], *op[kind]) for i, op in enumerate(report["ops"]) if op[kind]}
        assert ours == theirs, (kind, ours, theirs)
    effects = [e["args"]["last_effect"] for e in trace["traceEvents"] if e["ph"] == "X" and
               "last_effect" in e["args"] and e["name"] != "sync"]
    assert max(effects, default=0) == cycles

    first, last, table = read_vcd(base + ".vcd")
    assert (first, last) == (0, cycles), (first, last, cycles)
    assert busy_set(table, first) == underscored(issues)
    opcodes = queue_signals(table, "opcode")
    for queue, column in queue_signals(table, "busy").items():
        assert [o != "-" for o in opcodes[queue]] == [b == 1 for b in column], queue
    count = {}
    for column in opcodes.values():
        for o in column:
            count[o] = count.get(o, 0) + 1
    both = count.get("read.write", 0)
    assert reads == count.get("read", 0) + count.get("gather", 0) + both
    assert writes == count.get("write", 0) + count.get("scatter", 0) + both
    for queue, column in queue_signals(table, "addr").items():
        assert [a >= 0 for a in column] == [o in ("read", "read.write") for o in opcodes[queue]], queue
    for queue, column in queue_signals(table, "waddr").items():
        assert [a >= 0 for a in column] == [o in ("write", "read.write") for o in opcodes[queue]], queue
    delay = machine["vxm_entry_cycles"] + machine["vxm_op_cycles"]
    for queue, column in queue_signals(table, "result").items():
        computes = [int(o not in ("-", "sync", "notify", "ifetch", "config")) for o in opcodes[queue]]
        assert column == ([0] * delay + computes)[:cycles], queue
    # What stands on the streams is what the simulator counted, added up over the cycles.
    columns = 2 * -(-machine["mem_slices"] // machine["mem_slices_per_column"]) + 5
    held = sum(map(sum, (table["tsp.streams.eastward"], table["tsp.streams.westward"])))
    assert abs(held - report["utilisation"]["streams"] * 2 * machine["streams"] * columns * cycles) < 0.5
    for side, letter in (("eastward", "e"), ("westward", "w")):
        parts = [c for n, c in table.items() if re.fullmatch(rf"tsp\.streams\.s\d+_{letter}", n)]
        assert [sum(at) for at in zip(*parts)] == table["tsp.streams." + side] or not parts
    for i, op in enumerate(report["ops"]):
        (column,) = [c for n, c in table.items() if re.match(rf"tsp\.ops\.op{i}_", n)]
        start, end = op["simulated"] or (0, 0)
        assert column == [int(start <= c < end) for c in range(cycles)], op

    rows, arrows = read_kanata(base + ".kanata")
    assert len(rows) == instructions and set(rows) == issues
    assert [c for _, c in rows] == sorted(c for _, c in rows)
    return rows, arrows


def check_range(folder, name, start, stop):
    base = f"{folder}/{name}"
    _, _, issues = read_perfetto(base + ".json")
    _, _, part = read_perfetto(base + ".range.json")
    assert {i for i in issues if start <= i[1] < stop} <= part <= issues and part != issues
    _, _, table = read_vcd(base + ".vcd")
    first, last, cut = read_vcd(base + ".range.vcd")
    assert (first, last) == (start, stop) and set(cut) == set(table)
    for signal, column in cut.items():
        assert column == table[signal][start:stop], signal
    rows, _ = read_kanata(base + ".range.kanata")
    assert set(rows) == {i for i in issues if start <= i[1] < stop}


def check_vecadd(folder):
    rows, arrows = check_all(folder, "vecadd")
    first, last, table = read_vcd(folder + "/vecadd.vcd")
    assert (first, last) == (0, 21)

    def where(name, values):
        assert [(c, v) for c, v in enumerate(table["tsp." + name]) if v > 0 or (v == 0 and values[0] == 0)] \
            == [(c, v) for c, v in values[1]], name

    one = lambda a, b: (1, [(c, 1) for c in range(a, b + 1)])
    up = lambda a, b: (0, [(c, c - a) for c in range(a, b + 1)])
    where("mem_west.mem_w0.busy", one(0, 7))
    where("mem_east.mem_e0.busy", one(0, 7))
    where("vxm.vxm_0.busy", one(2, 9))
    where("vxm.vxm_0.result", one(9, 16))
    where("mem_east.mem_e4.busy", one(11, 18))
    where("mem_west.mem_w0.addr", up(0, 7))
    where("mem_east.mem_e4.waddr", up(11, 18))
    where("ops.op0_Z", one(0, 20))
    # X stands on s0.e from column 12 on, one column more a cycle: 15 columns to the edge.
    s0 = table["tsp.streams.s0_e"]
    assert s0 == [0] + [min(c, 8, 23 - c) for c in range(1, 21)], s0
    take = lambda q, c: rows.index((q, c))
    for k in range(8):  # a sum takes row k of both, a write takes the sum
        assert (take("vxm.0", 2 + k), take("mem.w0", k)) in arrows
        assert (take("vxm.0", 2 + k), take("mem.e0", k)) in arrows
        assert (take("mem.e4", 11 + k), take("vxm.0", 2 + k)) in arrows
    assert len(arrows) == 24


def check_arrows(path, *expected):
    rows, arrows = read_kanata(path)
    found = {"=".join(f"{queue}@{cycle}" for queue, cycle in (rows[a], rows[b])) for a, b in arrows}
    assert set(expected) <= found, set(expected) - found


def check_same(a, b):
    assert read_vcd(a) == read_vcd(b)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "range":
        check_range(rest[0], rest[1], int(rest[2]), int(rest[3]))
    else:
        checks = {"all": check_all, "same": check_same, "arrows": check_arrows, "vecadd": check_vecadd}
        checks[command](*rest)
