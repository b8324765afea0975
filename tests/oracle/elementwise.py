"""elementwise.py - element-wise operators whose every element is exact, or rounded once."""
import numpy as np

from graphs import case
from values import (ALL, FLOATS, INTEGERS, NUMBERS, Value, bits, broadcast_shapes, chance,
                    choose, is_float, mixed, narrowed, numbers, shape, single, special, ulp,
                    wide)


def arithmetic(operator, a, b):
    """Add, Sub, Mul of one dtype: integers wrap, floats are rounded once."""
    function = {'Add': np.add, 'Sub': np.subtract, 'Mul': np.multiply}[operator]
    dtype = a.dtype
    return function(wide(a), wide(b)).astype(dtype) if dtype.kind != 'f' else function(a, b)


@case('Add', 'Sub', 'Mul')
def binary(operator, graph, random):
    dtype = choose(random, NUMBERS)
    a, b = (mixed(random, s, dtype) for s in broadcast_shapes(random, 2))
    graph.add(operator, [graph.operand(random, a), graph.given(b)], arithmetic(operator, a, b))


def extreme(operator, a, b):
    """Min or Max of two: NaN if either is; of zeros +0 is the greater."""
    if operator == 'Min':
        first = (a < b) | ((a == b) & np.signbit(a)) if a.dtype.kind == 'f' else a < b
    else:
        first = (a > b) | ((a == b) & np.signbit(b)) if a.dtype.kind == 'f' else a > b
    found = np.where(first, a, b)
    if a.dtype.kind == 'f':
        found = np.where(np.isnan(a) | np.isnan(b), a.dtype.type(np.nan), found)
    return found


@case('Min', 'Max', 'Sum', 'Mean')
def several(operator, graph, random):
    dtype = choose(random, FLOATS if operator in ('Sum', 'Mean') else NUMBERS)
    arrays = [mixed(random, s, dtype) for s in broadcast_shapes(random, random.randint(1, 5))]
    found = arrays[0]
    for array in arrays[1:]:
        found = found + array if operator in ('Sum', 'Mean') else extreme(operator, found, array)
    if operator == 'Mean':
        found = (single(found) * single(1 / len(arrays))).astype(dtype)
    names = [graph.given(arrays[0])] + [graph.operand(random, array) for array in arrays[1:]]
    graph.add(operator, names, found)


@case('Relu', 'Neg', 'Abs', 'Sign', 'Identity')
def unary(operator, graph, random):
    types = {'Relu': [d for d in NUMBERS if d != 'uint8'], 'Neg': [d for d in NUMBERS if d != 'uint8'],
             'Identity': ALL}
    dtype = choose(random, types.get(operator, NUMBERS))
    x = mixed(random, shape(random), dtype)
    found = {
        'Relu': lambda: np.where(x > 0, x, np.where(np.isnan(x), x, x.dtype.type(0))),
        'Neg': lambda: -x if is_float(dtype) else (-wide(x)).astype(dtype),
        'Abs': lambda: np.abs(x) if is_float(dtype) else np.abs(wide(x)).astype(dtype),
        'Sign': lambda: np.where(x == 0, x.dtype.type(0), np.sign(x)),
        'Identity': lambda: x}[operator]()
    graph.add(operator, [graph.given(x)], found)


@case('Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual')
def comparison(operator, graph, random):
    dtype = choose(random, ALL if operator == 'Equal' else NUMBERS)
    a, b = (mixed(random, s, dtype) for s in broadcast_shapes(random, 2))
    if chance(random, 0.5):  # many equal ones
        b = np.where(random.random_sample(b.shape) < 0.5, np.broadcast_to(a.flat[0], b.shape), b)
        a = special(random, a)
    function = {'Equal': np.equal, 'Greater': np.greater, 'Less': np.less,
                'GreaterOrEqual': np.greater_equal, 'LessOrEqual': np.less_equal}[operator]
    graph.add(operator, [graph.operand(random, a), graph.given(b)], function(a, b))


@case('And', 'Or', 'Xor', 'Not')
def logical(operator, graph, random):
    a, b = (mixed(random, s, 'bool') for s in broadcast_shapes(random, 2))
    if operator == 'Not':
        graph.add(operator, [graph.given(a)], ~a)
        return
    function = {'And': np.logical_and, 'Or': np.logical_or, 'Xor': np.logical_xor}[operator]
    graph.add(operator, [graph.operand(random, a), graph.given(b)], function(a, b))


@case('BitShift')
def bit_shift(operator, graph, random):
    left = chance(random, 0.5)
    a, b = (numbers(random, s, 'uint8') for s in broadcast_shapes(random, 2))
    b = np.where(random.random_sample(b.shape) < 0.8, b % 10, b).astype(np.uint8)
    by = np.minimum(wide(b), 8)
    found = (wide(a) << by) & 255 if left else wide(a) >> by
    graph.add(operator, [graph.given(a), graph.operand(random, b)], found.astype(np.uint8),
              {'direction': 'LEFT' if left else 'RIGHT'})


@case('LeakyRelu')
def leaky_relu(operator, graph, random):
    dtype = choose(random, FLOATS)
    x = mixed(random, shape(random), dtype)
    alpha = choose(random, [None, 0.01, 0.25, -0.5, 1.75, 0.1])
    slope = np.dtype(dtype).type(0.01 if alpha is None else alpha)
    below = np.where(x == 0, x if slope > 0 else x.dtype.type(0), slope * x)
    graph.add(operator, [graph.given(x)], np.where(x > 0, x, below),
              None if alpha is None else {'alpha': alpha})


@case('PRelu')
def p_relu(operator, graph, random):
    dtype = choose(random, ['int32'] + FLOATS)
    sizes = shape(random)
    x, slope = mixed(random, sizes, dtype), mixed(random, narrowed(random, sizes), dtype)
    found = np.where(x < 0, arithmetic('Mul', slope, x), x) + x.dtype.type(0)  # zeros become +0
    graph.add(operator, [graph.given(x), graph.operand(random, slope)], found)


@case('Clip')
def clip(operator, graph, random):
    dtype = choose(random, NUMBERS)
    x = mixed(random, shape(random), dtype)
    found, names = x, [graph.given(x)]
    for bound, function in ((numbers(random, (), dtype), np.maximum),
                            (numbers(random, (), dtype), np.minimum)):
        bound = np.asarray(bound)
        if chance(random, 0.3):
            names.append('')
            continue
        names.append(graph.operand(random, bound))
        found = function(found, bound)
    while names[-1] == '':
        names.pop()
    graph.add(operator, names, Value(found, zeros_differ=False))


@case('Where')
def where(operator, graph, random):
    dtype = choose(random, ALL)
    sizes = broadcast_shapes(random, 3)
    condition, x, y = numbers(random, sizes[0], 'bool'), mixed(random, sizes[1], dtype), mixed(random,
                                                                                               sizes[2],
                                                                                               dtype)
    graph.add(operator, [graph.operand(random, condition), graph.given(x), graph.operand(random, y)],
              np.where(condition, x, y))


def cast(x, to):
    """Cast: floats are cut off and saturated, integers wrap."""
    if to == 'bool':
        return x != 0
    if x.dtype.kind != 'f' or is_float(to):
        return x.astype(to)
    ends = np.iinfo(to)
    cut = np.clip(np.trunc(np.nan_to_num(x.astype(np.float64), nan=0.0)), ends.min, ends.max)
    return cut.astype(np.int64).astype(to)


@case('Cast')
def cast_case(operator, graph, random):
    dtype, to = choose(random, ALL), choose(random, ALL)
    x = mixed(random, shape(random), dtype)
    if is_float(dtype) and not is_float(to) and chance(random, 0.7):
        x = special(random, numbers(random, x.shape, dtype, -300, 300))
    codes = {'float32': 1, 'uint8': 2, 'int8': 3, 'int16': 5, 'int32': 6, 'bool': 9, 'float16': 10}
    graph.add(operator, [graph.given(x)], cast(x, to), {'to': to if chance(random, 0.5) else codes[to]})


@case('Floor', 'Ceil', 'Round')
def rounded(operator, graph, random):
    x = mixed(random, shape(random), choose(random, FLOATS))
    if chance(random, 0.5):
        halves = (np.round(x.astype(np.float64) * 2) / 2).astype(x.dtype)
        x = np.where(np.isfinite(x), halves, x)
    function = {'Floor': np.floor, 'Ceil': np.ceil, 'Round': np.rint}[operator]
    graph.add(operator, [graph.given(x)], function(x))


def whole_quotient(a, b, dtype):
    """Div of integers: towards zero, saturated, by 0 the end of the range that A's sign names."""
    ends = np.iinfo(dtype)
    a, b = wide(a), wide(b)
    divisor = np.where(b == 0, 1, b)
    found = np.sign(a) * np.sign(divisor) * (np.abs(a) // np.abs(divisor))
    found = np.where(b == 0, np.where(a < 0, ends.min, ends.max), found)
    return np.clip(found, ends.min, ends.max).astype(dtype)


@case('Div')
def whole_division(operator, graph, random):
    dtype = choose(random, INTEGERS)
    a, b = (numbers(random, s, dtype) for s in broadcast_shapes(random, 2))
    if chance(random, 0.5):
        b = numbers(random, b.shape, dtype, -9, 9)
    graph.add(operator, [graph.operand(random, a), graph.operand(random, b)], whole_quotient(a, b, dtype))


def remainder(a, b, fmod):
    """Mod of integers: A where B is 0."""
    dtype = a.dtype
    a, b = np.broadcast_arrays(wide(a), wide(b))
    divisor = np.where(b == 0, 1, b)
    found = np.fmod(a, divisor) if fmod else np.mod(a, divisor)
    return np.where(b == 0, a, found).astype(dtype)


@case('Mod')
def mod(operator, graph, random):
    dtype = choose(random, INTEGERS)
    fmod = random.randint(2)
    a, b = (numbers(random, s, dtype) for s in broadcast_shapes(random, 2))
    if chance(random, 0.5):
        b = numbers(random, b.shape, dtype, -9, 9)
    attributes = {'fmod': fmod} if fmod or chance(random, 0.5) else None
    graph.add(operator, [graph.operand(random, a), graph.operand(random, b)], remainder(a, b, fmod),
              attributes)


@case('Mod')
def mod_float(operator, graph, random):
    dtype = choose(random, FLOATS)
    a, b = (mixed(random, s, dtype) for s in broadcast_shapes(random, 2))
    found = np.fmod(wide(a), wide(b))
    if dtype == 'float32':  # beyond that the chip gives up
        found = np.where(np.abs(wide(a)) >= 2.0**36 * np.abs(wide(b)), np.nan, found)
    graph.add(operator, [graph.operand(random, a), graph.operand(random, b)], Value(found, dtype),
              {'fmod': 1})


@case('HardSigmoid')
def hard_sigmoid(operator, graph, random):
    x = mixed(random, shape(random), choose(random, FLOATS))
    alpha, beta = (choose(random, [None, 0.25, -0.5, 0.3]) for _ in range(2))
    attributes = {k: v for k, v in (('alpha', alpha), ('beta', beta)) if v is not None}
    a, b = single(0.2 if alpha is None else alpha), single(0.5 if beta is None else beta)
    steps = np.clip(a * single(x) + b, np.float32(0), np.float32(1))
    graph.add(operator, [graph.given(x)], Value(steps.astype(x.dtype), zeros_differ=False), attributes)


@case('HardSwish')
def hard_swish(operator, graph, random):
    x = special(random, numbers(random, shape(random), choose(random, FLOATS)))
    x = np.where(np.isinf(x), x.dtype.type(1), x)
    y = wide(x) * np.clip(wide(x) / 6 + 0.5, 0, 1)
    tolerance = 2.0**-22 * np.abs(wide(x)) + ulp(y, x.dtype.name) / 2
    graph.add(operator, [graph.given(x)], Value(y, x.dtype.name, tolerance))


@case('Add', 'Mul', 'Sub', 'Div')
def powers_of_two(operator, graph, random):
    """A known operand of powers of two only, of all sizes."""
    dtype = choose(random, FLOATS)
    a_shape, b_shape = broadcast_shapes(random, 2)
    exponents = random.randint(*(-14, 15) if dtype == 'float16' else (-126, 127), b_shape)
    b = np.ldexp(np.where(random.random_sample(b_shape) < 0.5, -1.0, 1.0), exponents).astype(dtype)
    a = bits(random, a_shape, dtype)
    found = (wide(a) / wide(b)).astype(dtype) if operator == 'Div' else arithmetic(operator, a, b)
    graph.add(operator, [graph.given(a), graph.known(b)], found)
