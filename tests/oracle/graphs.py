"""graphs.py - a graph under construction, with what its outputs must be, and the cases to build it of."""
import json
import os

import numpy as np

from values import Value, chance

CASES = {}  # operator, or name of a case of several: functions of a graph and a random generator


def case(*names):
    """Says which operators a function makes a random node of; it is called once for each of them."""
    def add(function):
        for name in names:
            CASES.setdefault(name, []).append(function)
        return function
    return add


class Graph:
    """Nodes, their operands, and what comes out: outputs by name."""

    def __init__(self, lanes):
        self.lanes = lanes
        self.inputs, self.initializers, self.nodes = {}, {}, []
        self.expected = {}
        self.case = None  # what the nodes being added belong to
        self.cases = {}  # the case of an output
        self.made = 0

    def name(self):
        self.made += 1
        return f't{self.made}'

    def known(self, array, dtype=None):
        """An initializer."""
        name = self.name()
        self.initializers[name] = (np.asarray(array), dtype or np.asarray(array).dtype.name)
        return name

    def given(self, array):
        """An input."""
        name = self.name()
        self.inputs[name] = np.asarray(array)
        return name

    def operand(self, random, array):
        """An input, or now and then an initializer."""
        return self.known(array) if chance(random, 0.3) else self.given(array)

    def integers(self, random, array):
        """An initializer of shapes, axes and the like."""
        return self.known(np.asarray(array), 'int64' if chance(random, 0.5) else 'int32')

    def node(self, operator, inputs, results, attributes=None):
        """Adds a node with so many results; their names."""
        names = [self.name() for _ in range(results)]
        node = {'op': operator, 'inputs': inputs, 'outputs': names}
        if attributes:
            node['attributes'] = attributes
        self.nodes.append(node)
        return names

    def expect(self, name, value):
        """Makes a tensor an output."""
        self.expected[name] = value if isinstance(value, Value) else Value(value)
        self.cases[name] = self.case

    def add(self, operator, inputs, values, attributes=None):
        """Adds a node whose results are outputs; values: what they must be, None: nobody asks."""
        values = values if isinstance(values, list) else [values]
        for name, value in zip(self.node(operator, inputs, len(values), attributes), values):
            if value is not None:
                self.expect(name, value)

    def save(self, folder):
        """Writes graph.json, and a .npy file for every input; the paths of the latter by name."""
        def entry(name, array, dtype):
            return {'name': name, 'dtype': dtype, 'shape': list(array.shape)}
        graph = {'inputs': [entry(n, a, a.dtype.name) for n, a in self.inputs.items()],
                 'initializers': [], 'nodes': self.nodes, 'outputs': list(self.expected)}
        for name, (array, dtype) in self.initializers.items():
            if dtype == 'int64':
                fill = {'data': array.tolist()}
            else:
                fill = {'file': name + '.npy'}
                np.save(os.path.join(folder, name + '.npy'), np.array(array, dtype, order='C'))
            graph['initializers'].append({**entry(name, array, dtype), **fill})
        with open(os.path.join(folder, 'graph.json'), 'w') as file:
            json.dump(graph, file)
        paths = {name: os.path.join(folder, name + '.npy') for name in self.inputs}
        for name, path in paths.items():
            np.save(path, np.array(self.inputs[name], order='C'))
        return paths
