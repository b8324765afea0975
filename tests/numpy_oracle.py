"""numpy_oracle.py TSP [CASE SEED MACHINE] - random graphs against NumPy, by ONNX's definitions.

Every operator of compiler/graph/ops.def has cases in tests/oracle/; a graph file holds many of them.
Its results must pass --check and be what the oracle says. A case that fails is built again alone,
so that it can be named; with CASE SEED MACHINE only that one runs and its files are left in
build/oracle. TSP_TEST_SEED and TSP_TEST_SCALE as with other tests.
"""
import os
import re
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'oracle'))
sys.dont_write_bytecode = True
import chains  # noqa: E402,F401 - each brings its cases
import curves  # noqa: E402,F401
import elementwise  # noqa: E402,F401
import movement  # noqa: E402,F401
import products  # noqa: E402,F401
import reductions  # noqa: E402,F401
from graphs import CASES, Graph  # noqa: E402
from values import difference  # noqa: E402

LANES = {'tsp1': 320, 'tiny': 16}
ALONE = {'GroupByAggregate'}  # one a graph
CHAINS = 5  # of each kind in a round


def build(cases, machine):
    """A graph of cases, each (name, number of the function, seed)."""
    graph = Graph(LANES[machine])
    for case in cases:
        name, number, seed = case
        graph.case = case
        with np.errstate(all='ignore'):
            CASES[name][number](name, graph, np.random.RandomState(seed))
    return graph


def run(tsp, graph, machine, folder):
    """Runs a graph in a folder: what tsp said if it failed, else None, and the outputs by name."""
    command = [tsp, 'run', os.path.join(folder, 'graph.json'), '--check', '--machine', machine]
    for name, path in graph.save(folder).items():
        command += ['--input', f'{name}={path}']
    for name in graph.expected:
        command += ['--output', f'{name}={folder}/{name}.npy']
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if 'error' in line or 'check' in line]
        return f'exit status {done.returncode}: ' + ' '.join(lines), {}
    return None, {name: np.load(f'{folder}/{name}.npy') for name in graph.expected}


def judge(tsp, cases, machine, folder):
    """Failures as {case: what is wrong}; of a graph that does not run, those of its halves."""
    graph = build(cases, machine)
    error, outputs = run(tsp, graph, machine, folder)
    if error is None:
        wrong = {name: difference(outputs[name], want) for name, want in graph.expected.items()}
        return {graph.cases[name]: what for name, what in wrong.items() if what}
    if len(cases) == 1 and machine == 'tiny' and 'no place for' in error:
        return judge(tsp, cases, 'tsp1', folder)
    if len(cases) == 1:
        return {cases[0]: error}
    middle = len(cases) // 2
    return {**judge(tsp, cases[:middle], machine, folder), **judge(tsp, cases[middle:], machine, folder)}


def bundles(seed, rounds, size):
    """Lists of cases: in every round each function of each name, in random order."""
    random = np.random.RandomState(seed)
    for _ in range(rounds):
        whole = [(name, i, int(random.randint(2**31))) for name in CASES for i in range(len(CASES[name]))
                 for _ in range(CHAINS if name.startswith('chain') else 1)]
        whole = [whole[i] for i in random.permutation(len(whole))]
        alone = [[case] for case in whole if case[0] in ALONE]
        shared = [case for case in whole if case[0] not in ALONE]
        yield from alone
        yield from (shared[i:i + size] for i in range(0, len(shared), size))


def every_operator_has_a_case():
    """Names of operators that no case covers."""
    with open('compiler/graph/ops.def') as file:
        names = re.findall(r'^OPERATOR\(\w+, "(\w+)"', file.read(), re.M)
    return [name for name in names if name not in CASES]


def describe(case, machine):
    """The node of a case in a line."""
    graph = build([case], machine)
    sizes = {**{n: a for n, a in graph.inputs.items()},
             **{n: a for n, (a, _) in graph.initializers.items()}}
    def told(name):
        if name not in sizes:
            return name
        return f'{sizes[name].dtype.name}{list(sizes[name].shape)}' + (' known'
                                                                       if name in graph.initializers
                                                                       else '')
    return '; '.join(f"{n['op']}({', '.join(map(told, n['inputs']))}) {n.get('attributes', {})}"
                     for n in graph.nodes)


def one(tsp, name, seed, machine):
    """A case alone, its files left behind."""
    folder = 'build/oracle'
    os.makedirs(folder, exist_ok=True)
    operator, _, number = name.partition('.')
    case = (operator, int(number or 0), int(seed))
    print(describe(case, machine))
    print(judge(tsp, [case], machine, folder).get(case, 'as it should be'))


def main(tsp):
    seed = int(os.environ.get('TSP_TEST_SEED') or np.random.randint(2**31))
    small = os.environ.get('TSP_TEST_SCALE') == 'small'
    print(f'TSP_TEST_SEED={seed}')
    passed, failed = 0, 0
    for name in every_operator_has_a_case():
        print(f'FAIL no case for {name}')
        failed += 1
    for number, cases in enumerate(bundles(seed, 1 if small else 6, 25)):
        machine = 'tiny' if number % 3 == 2 and cases[0][0] not in ALONE else 'tsp1'
        with tempfile.TemporaryDirectory() as folder:
            wrong = judge(tsp, cases, machine, folder)
        for case, what in wrong.items():
            print(f'FAIL {case[0]}.{case[1]} {case[2]} {machine}: {describe(case, machine)}\n    {what}',
                  flush=True)
        passed, failed = passed + len(cases) - len(wrong), failed + len(wrong)
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    if len(sys.argv) == 5:
        one(*sys.argv[1:])
    else:
        sys.exit(main(sys.argv[1]))
