"""chains.py - graphs of several nodes whose every element is exact, whatever order they are added in.

Floats are small whole numbers: as long as the sum of all magnitudes that meet in an element stays
below 2^11 (float16; 2^20 float32), no rounding ever happens. So layouts are judged bit for bit.
At the end of a chain there may be a curve, whose tolerance is the one of the curve alone.
"""
import numpy as np

from curves import curve, unary, with_dtype
from elementwise import arithmetic, cast, extreme
from graphs import case
from movement import factored, padded
from reductions import arg_value, cumulative, log_softmax, normalized, reduction, softmax
from values import FLOATS, Value, axis_of, chance, choose, is_float, narrowed, numbers, shape, wide

LIMIT = {'float16': 2.0**11, 'float32': 2.0**20}
STEPS = {}  # name: function of a chain and an array's name that adds a node, or says no


def step(function):
    STEPS[function.__name__] = function
    return function


class Chain:
    """A graph under construction, and the arrays of its tensors by name."""

    def __init__(self, graph, random):
        self.graph, self.random = graph, random
        self.arrays, self.read = {}, set()

    def fresh(self, sizes, dtype, known=None):
        """A new operand of small whole numbers."""
        array = np.asarray(numbers(self.random, sizes, 'int16', -3, 3)).astype(dtype)
        if dtype == 'bool':
            array = numbers(self.random, sizes, dtype)
        known = chance(self.random, 0.3) if known is None else known
        name = self.graph.known(array) if known else self.graph.given(array)
        self.arrays[name] = array
        return name

    def fits(self, array, size=None):
        """Whether results are exact, with the sum of magnitudes that made each."""
        if array.size > 6000:
            return False
        if not is_float(array.dtype.name):
            return True
        return array.size == 0 or np.max(np.abs(wide(array if size is None
                                                     else size))) < LIMIT[array.dtype.name]

    def add(self, operator, names, array, attributes=None, size=None):
        """Adds a node, if its result is exact; its name, or None."""
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        if not self.fits(array, size) or array.size == 0:
            return None
        [name] = self.graph.node(operator, names, 1, attributes)
        self.arrays[name] = array
        self.read.update(names)
        return name


def partner(chain, name):
    """Another tensor that broadcasts with this one: one of the chain, or a fresh one."""
    x, random = chain.arrays[name], chain.random
    for other, array in chain.arrays.items():
        if array.dtype == x.dtype and chance(random, 0.5):
            try:
                np.broadcast_shapes(array.shape, x.shape)
                return other
            except ValueError:
                continue
    sizes = narrowed(random, x.shape) if chance(random, 0.7) else tuple(
        choose(random, [2, 3, 5]) if size == 1 else size for size in x.shape)
    return chain.fresh(sizes, x.dtype.name)


@step
def arithmetic_step(chain, name):
    operator = choose(chain.random, ['Add', 'Sub', 'Mul', 'Min', 'Max'])
    if chain.arrays[name].dtype.kind == 'b':
        return None
    other = partner(chain, name)
    pair = [name, other] if chance(chain.random, 0.5) else [other, name]
    a, b = (chain.arrays[n] for n in pair)
    if operator in ('Min', 'Max'):
        return chain.add(operator, pair, extreme(operator, a, b))
    size = np.abs(wide(a)) * np.abs(wide(b)) if operator == 'Mul' else np.abs(wide(a)) + np.abs(wide(b))
    return chain.add(operator, pair, arithmetic(operator, a, b), size=size)


@step
def comparison_step(chain, name):
    if not chance(chain.random, 0.4):
        return None
    other = partner(chain, name)
    a, b = chain.arrays[name], chain.arrays[other]
    if a.dtype.kind == 'b':
        return chain.add('Xor', [name, other], np.logical_xor(a, b))
    condition = chain.add('Less', [name, other], a < b)
    return condition and chain.add('Where', [condition, name, other], np.where(a < b, a, b))


@step
def unary_step(chain, name):
    x = chain.arrays[name]
    if x.dtype.kind == 'b':
        return chain.add('Not', [name], ~x)
    if x.dtype == np.uint8:
        return chain.add('Identity', [name], x)
    operator, found = choose(chain.random, [('Neg', -x), ('Abs', np.abs(x)),
                                            ('Relu', np.where(x > 0, x, x.dtype.type(0)))])
    return chain.add(operator, [name], found)


@step
def cast_step(chain, name):
    to = choose(chain.random, ['int8', 'int16', 'int32', 'float16', 'float32', 'uint8'])
    return chain.add('Cast', [name], cast(chain.arrays[name], to), {'to': to})


@step
def reshape_step(chain, name):
    x = chain.arrays[name]
    to = factored(chain.random, x.size)
    return chain.add('Reshape', [name, chain.graph.integers(chain.random, to)], x.reshape(to))


@step
def transpose_step(chain, name):
    x = chain.arrays[name]
    if x.ndim < 2:
        return None
    perm = [int(i) for i in chain.random.permutation(x.ndim)]
    return chain.add('Transpose', [name], x.transpose(perm), {'perm': perm})


@step
def relabel_step(chain, name):
    x, random = chain.arrays[name], chain.random
    ones = [i for i, size in enumerate(x.shape) if size == 1]
    if ones and chance(random, 0.5):
        return chain.add('Squeeze', [name, chain.graph.integers(random, ones)], np.squeeze(x, tuple(ones)))
    axis = random.randint(x.ndim + 1)
    return x.ndim < 4 and chain.add('Unsqueeze', [name, chain.graph.integers(random, [axis])],
                                    np.expand_dims(x, axis)) or None


@step
def reduction_step(chain, name):
    x, random = chain.arrays[name], chain.random
    operators = ['ReduceMax', 'ReduceMin']
    if x.dtype.name in ['int32'] + FLOATS:
        operators += ['ReduceSum', 'ReduceSumSquare', 'ReduceL1', 'ReduceSum']
    if x.ndim == 0 or x.dtype.kind == 'b':
        return None
    operator, keep = choose(random, operators), random.randint(2)
    axes = sorted(int(a) for a in random.permutation(x.ndim)[:random.randint(1, x.ndim + 1)])
    found = reduction(operator, x, tuple(axes), bool(keep), chain.graph.lanes).array.astype(x.dtype)
    powers = np.abs(wide(x))**(2 if operator == 'ReduceSumSquare' else 1)
    size = None if operator in operators[:2] else np.sum(powers, axis=tuple(axes), keepdims=bool(keep))
    return chain.add(operator, [name], found, {'axes': axes, 'keepdims': keep}, size)


@step
def scan_step(chain, name):
    x, random = chain.arrays[name], chain.random
    if x.ndim < 2 or x.dtype.name not in ['int32'] + FLOATS:
        return None
    axis, exclusive, reverse = axis_of(random, x.ndim), random.randint(2), random.randint(2)
    found = cumulative(wide(x), axis, exclusive, reverse).astype(x.dtype)
    size = cumulative(np.abs(wide(x)), axis, exclusive, reverse)
    return chain.add('CumSum', [name, chain.graph.known(np.asarray(axis, np.int32))], found,
                     {'exclusive': exclusive, 'reverse': reverse}, size)


@step
def product_step(chain, name):
    """MatMul or MatMulInteger by a fresh matrix, from either side."""
    x, random = chain.arrays[name], chain.random
    operator = 'MatMulInteger' if x.dtype.name in ('int8', 'uint8') else 'MatMul'
    if x.ndim < 2 or x.dtype.name in ('bool', 'int16'):
        return None
    size = choose(random, [1, 2, 5, 16, 17, 33])
    right = chance(random, 0.5)
    other = chain.fresh((x.shape[-1], size) if right else (size, x.shape[-2]), x.dtype.name)
    pair = [name, other] if right else [other, name]
    a, b = (wide(chain.arrays[n]) for n in pair)
    to = 'int32' if operator == 'MatMulInteger' else x.dtype.name
    if np.abs(a).max() > 2000 and is_float(to) or np.abs(b).max() > 2000 and is_float(to):
        return None
    return chain.add(operator, pair, np.matmul(a, b).astype(to), size=np.matmul(np.abs(a), np.abs(b)))


@step
def self_product_step(chain, name):
    """A matrix times itself, turned; or the other way round."""
    x = chain.arrays[name]
    if x.ndim < 2 or x.dtype.name in ('bool', 'int16') or is_float(x.dtype.name) and np.abs(x).max() > 2000:
        return None
    perm = [*range(x.ndim - 2), x.ndim - 1, x.ndim - 2]
    turned = chain.add('Transpose', [name], x.transpose(perm), {'perm': perm})
    pair = [name, turned] if chance(chain.random, 0.5) else [turned, name]
    a, b = (wide(chain.arrays[n]) for n in pair)
    whole = x.dtype.name in ('int8', 'uint8')
    found = chain.add('MatMulInteger' if whole else 'MatMul', pair,
                      np.matmul(a, b).astype('int32' if whole else x.dtype),
                      size=np.matmul(np.abs(a), np.abs(b)))
    return found or turned


@step
def split_step(chain, name):
    """Both halves, multiplied."""
    x, random = chain.arrays[name], chain.random
    even = [i for i, size in enumerate(x.shape) if size % 2 == 0]
    if not even or x.dtype.kind == 'b':
        return None
    axis = choose(random, even)
    names = chain.graph.node('Split', [name], 2, {'axis': axis, 'num_outputs': 2})
    for half, array in zip(names, np.split(x, 2, axis)):
        chain.arrays[half] = array
    chain.read.add(name)
    a, b = (chain.arrays[n] for n in names)
    operator, size = choose(random, [('Add', np.abs(wide(a)) + np.abs(wide(b))),
                                     ('Mul', np.abs(wide(a) * wide(b)))])
    return chain.add(operator, names, arithmetic(operator, a, b), size=size) or names[0]


@step
def slice_step(chain, name):
    x, random = chain.arrays[name], chain.random
    if x.ndim == 0:
        return None
    axis = axis_of(random, x.ndim)
    length = x.shape[axis]
    start = random.randint(length)
    turn = chance(random, 0.3)
    bounds = ([length - 1], [-length - 1], [axis], [-1]) if turn else ([start], [length], [axis], [1])
    cut = [slice(None)] * x.ndim
    cut[axis] = slice(None, None, -1) if turn else slice(start, None)
    names = [chain.graph.integers(random, b) for b in bounds]
    return chain.add('Slice', [name] + names, x[tuple(cut)])


@step
def concat_step(chain, name):
    x, random = chain.arrays[name], chain.random
    if x.ndim == 0:
        return None
    axis = axis_of(random, x.ndim)
    sizes = list(x.shape)
    sizes[axis] = choose(random, [1, 2, 16])
    other = chain.fresh(tuple(sizes), x.dtype.name)
    pair = choose(random, [[name, other], [other, name], [name, name], [name, other, name]])
    return chain.add('Concat', pair, np.concatenate([chain.arrays[n] for n in pair], axis), {'axis': axis})


@step
def pad_step(chain, name):
    x, random = chain.arrays[name], chain.random
    if x.ndim == 0:
        return None
    before, after = random.randint(0, 3, (2, x.ndim))
    mode = choose(random, ['constant', 'edge'])
    return chain.add('Pad', [name, chain.graph.integers(random, [*before, *after])],
                     padded(x, before, after, mode, 0), {'mode': mode})


@step
def gather_step(chain, name):
    x, random = chain.arrays[name], chain.random
    if x.ndim == 0:
        return None
    axis = axis_of(random, x.ndim)
    indices = numbers(random, shape(random, 0, 1, 9), 'int32', -x.shape[axis], x.shape[axis] - 1)
    found = np.take(x, np.where(indices < 0, indices + x.shape[axis], indices), axis)
    return chain.add('Gather', [name, chain.graph.operand(random, indices)], found, {'axis': axis})


@step
def expand_step(chain, name):
    x, random = chain.arrays[name], chain.random
    to = [choose(random, [2, 3, 16]) if size == 1 and chance(random, 0.6) else size for size in x.shape]
    to = ([2] if x.ndim < 4 and chance(random, 0.3) else []) + to
    return to and chain.add('Expand', [name, chain.graph.integers(random, to)],
                            np.broadcast_to(x, to)) or None


def last_value(chain, x, operator, axis):
    """What an operator with a tolerance makes of an exact tensor; its name, value and attributes."""
    dtype = x.dtype.name
    if operator in ('Softmax', 'LogSoftmax'):
        return (softmax if operator == 'Softmax' else log_softmax)(x, axis, dtype), {'axis': axis}
    if operator in ('ReduceMean', 'ReduceL2', 'ReduceLogSumExp'):
        return reduction(operator, x, (axis % x.ndim,), False, chain.graph.lanes), {'axes': [axis],
                                                                                    'keepdims': 0}
    if operator == 'ArgMax':
        return Value(arg_value('ArgMax', x, axis, 1, 0)), {'axis': axis}
    value = curve(*with_dtype(unary(operator, wide(x)), dtype))
    value.zeros_differ = False
    return value, {}


def finish(chain, name):
    """Ends a chain with a curve or the like, now and then."""
    x, random = chain.arrays[name], chain.random
    if not is_float(x.dtype.name) or x.ndim == 0 or not chance(random, 0.5):
        return
    operator = choose(random, ['Softmax', 'LogSoftmax', 'ReduceMean', 'ReduceL2', 'ReduceLogSumExp',
                               'ArgMax', 'Tanh', 'Sigmoid', 'Erf', 'Softplus', 'LayerNormalization'])
    axis = axis_of(random, x.ndim)
    if operator == 'LayerNormalization':
        if np.abs(x).max() > 200:
            return
        scale = chain.fresh(x.shape[-1:], x.dtype.name)
        value = normalized(x, (x.ndim - 1,), chain.arrays[scale], 0, 1e-5, x.dtype.name, chain.graph.lanes)
        names, attributes = [name, scale], {}
    else:
        names = [name]
        value, attributes = last_value(chain, x, operator, axis)
    chain.read.add(name)
    chain.graph.add(operator, names, value, attributes)


@case('chain', 'chain of floats', 'chain of products')
def chain_case(kind, graph, random):
    """Three to six nodes that hang together; what no other node reads, and some of the rest, comes out."""
    chain = Chain(graph, random)
    dtype = choose(random, FLOATS if kind != 'chain'
                   else ['int8', 'uint8', 'int16', 'int32', 'bool'] + FLOATS)
    at = chain.fresh(shape(random, 2 if kind == 'chain of products' else 0, 4, 300), dtype, False)
    made, tries = [], 0
    while len(made) < random.randint(3, 7) and tries < 60:
        tries += 1
        name = choose(random, list(STEPS))
        if kind == 'chain of products' and chance(random, 0.4):
            name = 'product_step'
        found = STEPS[name](chain, at)
        if found:
            made.append(found)
            at = found if chance(random, 0.85) else choose(random, made)
    finish(chain, at)
    for name in (name for node in graph.nodes for name in node['outputs']):
        if name in chain.arrays and (name not in chain.read or chance(random, 0.2)):
            graph.expect(name, Value(chain.arrays[name], zeros_differ=False))
