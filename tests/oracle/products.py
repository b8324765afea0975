"""products.py - products of matrices, exact where every sum is, and quantisation."""
import math

import numpy as np

from graphs import case
from values import (FLOATS, Value, chance, choose, is_float, narrowed, numbers, shape, single,
                    special, ulp, wide)


def product_shapes(random):
    """Shapes of two operands that matmul takes: batches broadcast, either may be a vector."""
    m, k, n = (choose(random, [1, 2, 3, 5, 8, 16, 17, 33, 40]) for _ in range(3))
    if chance(random, 0.15):
        k = choose(random, [319, 320, 321, 500])
    batch = shape(random, 0, 2, 12)
    form = random.randint(6)
    a, b = narrowed(random, batch) + (m, k), narrowed(random, batch) + (k, n)
    if form == 0:
        a = (k,)
    if form == 1:
        b = (k,)
    if form == 2:
        a, b = (k,), (k,)
    return a, b


def grid(random, sizes, dtype):
    """Floats whose products have sums that are exact: multiples of 1/16 up to 8."""
    return (np.asarray(random.randint(-128, 129, sizes)) / 16).astype(dtype)


def tile_sums(a, b, lanes):
    """The sum of the magnitudes of the sums over tiles of so many lanes."""
    total = 0.0
    for at in range(0, a.shape[-1], lanes):
        rows = b[at:at + lanes] if b.ndim == 1 else b[..., at:at + lanes, :]
        total = total + np.abs(np.matmul(a[..., at:at + lanes], rows))
    return total


def sum_of_both(a, b):
    """The sum of all magnitudes along k of a's row and of b's column."""
    ones = np.ones(a.shape[-1])
    rows, columns = np.matmul(np.abs(a), ones), np.matmul(ones, np.abs(b))
    if a.ndim > 1 and b.ndim > 1:
        return rows[..., :, None] + columns[..., None, :]
    return rows + columns


def product_tolerance(a, b, dtype, lanes):
    """That of the sum in float32, before it is rounded to the dtype."""
    a, b = wide(a), wide(b)
    length = a.shape[-1]
    tiles = -(-length // lanes)
    sizes = np.matmul(np.abs(a), np.abs(b))
    long_dot = (-(-tiles // 8) + 32) * 2.0**-24 * sizes if a.ndim == b.ndim == 1 and tiles > 1 else 0.0
    if dtype == 'float16':
        return (2.0**-24 * sizes if tiles == 1 else tiles * 2.0**-23 * tile_sums(a, b, lanes)) + long_dot
    return (2.0**-18 + tiles * 2.0**-22) * sizes + 2.0**-24 * sum_of_both(a, b) + long_dot


def product(a, b, dtype, lanes, exact):
    """MatMul; exact where the operands are of the grid."""
    if dtype == 'int32':
        return Value(np.matmul(wide(a), wide(b)).astype(np.int32))
    y = np.matmul(wide(a), wide(b))
    if exact:
        return Value(y.astype(np.float32), dtype, 0.0, zeros_differ=False)
    tolerance = product_tolerance(a, b, dtype, lanes)
    return Value(y, dtype, tolerance + ulp(np.abs(y) + tolerance, dtype), zeros_differ=False)


def operands(random, sizes, dtype, exact):
    if dtype == 'int32':
        return [numbers(random, s, dtype) for s in sizes]
    return [grid(random, s, dtype) if exact else numbers(random, s, dtype) for s in sizes]


@case('MatMul')
def matmul(operator, graph, random):
    dtype, exact = choose(random, ['int32'] + FLOATS), chance(random, 0.5)
    a, b = operands(random, product_shapes(random), dtype, exact)
    if dtype == 'float16' and exact and a.shape[-1] <= graph.lanes and chance(random, 0.3):
        a = special(random, a, 0.01)
        a = np.where(np.abs(a) < 2.0**-4, 0, a).astype(dtype)
        a = np.where(np.isfinite(a) & (np.abs(a) > 8), 8, a).astype(dtype)
    graph.add(operator, [graph.operand(random, a), graph.operand(random, b)],
              product(a, b, dtype, graph.lanes, exact))


@case('Gemm')
def gemm(operator, graph, random):
    dtype = choose(random, ['int32'] + FLOATS)
    m, k, n = (choose(random, [1, 2, 3, 5, 16, 17, 33, 40]) for _ in range(3))
    alpha, beta = (choose(random, [None, 2.0, -1.0, 1.0, 0.0] + ([0.5, 0.3] if is_float(dtype) else []))
                   for _ in range(2))
    a, b = operands(random, [(m, k), (k, n)], dtype, False)
    c = numbers(random, narrowed(random, (m, n)), dtype) if chance(random, 0.8) else None
    turned = [random.randint(2) for _ in range(2)]
    names = [graph.operand(random, x.T if turn else x) for x, turn in zip((a, b), turned)]
    if c is not None:
        names.append(graph.operand(random, c))
    attributes = {'alpha': alpha, 'beta': beta, 'transA': turned[0], 'transB': turned[1]}
    attributes = {k: v for k, v in attributes.items() if v is not None
                  and (v or chance(random, 0.5) or k in ('alpha', 'beta'))}
    graph.add(operator, names, gemm_value(graph, (a, b, c), dtype, alpha, beta), attributes)


def gemm_value(graph, arrays, dtype, alpha, beta):
    a, b, c = arrays
    whole = not is_float(dtype)
    alpha, beta = (1 if x is None else int(x) if whole else float(single(x)) for x in (alpha, beta))
    terms = alpha * np.matmul(wide(a), wide(b)), beta * wide(0 if c is None else c)
    if whole:
        return Value((terms[0] + terms[1]).astype(np.int32))
    y = terms[0] + terms[1]
    tolerance = abs(alpha) * product_tolerance(a, b, dtype, graph.lanes)
    tolerance = tolerance + 2.0**-22 * (np.abs(terms[0]) + np.abs(terms[1]))
    return Value(y, dtype, tolerance + ulp(np.abs(y) + tolerance, dtype), zeros_differ=False)


def beside(random, array, axis, batches=True):
    """A shape of what goes with a matrix, and how to reshape it: a scalar, one a row (axis -2) or
    column (-1), or the same for each matrix of a batch."""
    form = random.randint(2 if array.ndim < 2 else 4 if batches else 3)
    if form < 2:
        return ((), ()) if form == 0 else ((1,), ())
    along = (array.shape[-2], 1) if axis == -2 else (1, array.shape[-1])
    if form == 2:
        return (array.shape[axis],), along
    return array.shape[:-2] + along, array.shape[:-2] + along


def zero_point(graph, random, array, axis, batches):
    """A zero point of a matrix, or none, and what is left of the matrix."""
    if chance(random, 0.3):
        return '', wide(array)
    sizes, aligned = beside(random, array, axis, batches)
    point = numbers(random, sizes, array.dtype.name)
    return graph.operand(random, point), wide(array) - wide(point).reshape(aligned)


@case('MatMulInteger')
def matmul_integer(operator, graph, random):
    sizes = product_shapes(random)
    a, b = (numbers(random, s, choose(random, ['int8', 'uint8'])) for s in sizes)
    names = [graph.operand(random, a), graph.operand(random, b)]
    for array, axis in ((a, -2), (b, -1)):
        names.append(zero_point(graph, random, array, axis, a.ndim > 1 and b.ndim > 1))
    found = np.matmul(names[2][1], names[3][1]).astype(np.int32)
    names = names[:2] + [names[2][0], names[3][0]]
    while names[-1] == '':
        names.pop()
    graph.add(operator, names, found)


@case('QLinearMatMul')
def qlinear_matmul(operator, graph, random):
    """All known, scalars but for the columns of B: exact, in float32."""
    sizes = product_shapes(random)
    a, b = (numbers(random, s, choose(random, ['int8', 'uint8'])) for s in sizes)
    a_zero, b_zero = numbers(random, (), a.dtype.name), numbers(random, (), b.dtype.name)
    y_zero = numbers(random, (), choose(random, ['int8', 'uint8']))
    columns = (sizes[1][-1],) if len(sizes[1]) > 1 and chance(random, 0.4) else ()
    scales = [single(random.uniform(0.01, 0.1, s)) for s in ((), columns)]
    y_scale = single(random.uniform(0.2, 3) * math.sqrt(sizes[0][-1]))
    sums = np.matmul(wide(a) - wide(a_zero), wide(b) - wide(b_zero)).astype(np.int32)
    factor = scales[0] * scales[1] / y_scale
    ends = np.iinfo(y_zero.dtype)
    found = np.rint(single(sums) * factor) + single(y_zero)
    names = [graph.operand(random, a), graph.known(scales[0]), graph.known(a_zero),
             graph.operand(random, b), graph.known(scales[1]), graph.known(b_zero),
             graph.known(y_scale), graph.known(y_zero)]
    graph.add(operator, names, np.clip(found, ends.min, ends.max).astype(y_zero.dtype))


@case('QLinearMatMul')
def qlinear_by_computed(operator, graph, random):
    """Scales and zero points of any shape, computed or known."""
    m, k, n = (choose(random, [1, 2, 3, 5, 16, 17, 33]) for _ in range(3))
    batch = shape(random, 0, 2, 8)
    a, b = (numbers(random, batch + s, choose(random, ['int8', 'uint8'])) for s in ((m, k), (k, n)))
    names, parts, scale_type = [], [], choose(random, FLOATS)
    for array, axis, dtype, low, high in ((a, -2, a.dtype.name, 0.01, 0.1),
                                          (b, -1, b.dtype.name, 0.01, 0.1),
                                          (np.zeros(batch + (m, n)), -2, choose(random, ['int8', 'uint8']),
                                           1, 20)):
        sizes, aligned = beside(random, array, axis)
        scale = np.asarray(random.uniform(low, high, sizes)).astype(scale_type)
        point = numbers(random, sizes, dtype)
        names += [graph.operand(random, array)] if array.dtype.kind != 'f' else []
        names += [graph.operand(random, scale), graph.operand(random, point)]
        parts.append((wide(scale).reshape(aligned), wide(point).reshape(aligned)))
    sums = np.matmul(wide(a) - parts[0][1], wide(b) - parts[1][1])
    ratio = sums * parts[0][0] * parts[1][0]
    graph.add(operator, names, quantised(ratio, parts[2][0], parts[2][1], dtype, 2.0**-21))


# ---- quantisation ----

def per_axis(random, sizes):
    """The shape of scales, how to reshape them so that they broadcast, and the attributes."""
    if not sizes or chance(random, 0.4):
        return (), (), {}
    axis = random.randint(len(sizes))
    aligned = tuple(size if i == axis else 1 for i, size in enumerate(sizes))
    named = axis if chance(random, 0.5) else axis - len(sizes)
    return (sizes[axis],), aligned, {} if axis == 1 and chance(random, 0.5) else {'axis': named}


def quantised(x, scale, point, dtype, share):
    """round(x / scale) + zero point and its error where the quotient is off by a share of itself."""
    ends = np.iinfo(dtype)
    ratio = np.nan_to_num(wide(x).astype(np.float64), nan=0.0, posinf=1e30, neginf=-1e30) / wide(scale)
    low, middle, high = (np.clip(np.rint(ratio + d) + wide(point), ends.min, ends.max)
                         for d in (-share * np.abs(ratio), 0, share * np.abs(ratio)))
    return Value(middle.astype(np.int64), dtype, np.maximum(middle - low, high - middle))


@case('QuantizeLinear')
def quantize(operator, graph, random):
    x_type, scale_type = choose(random, FLOATS + ['int32']), choose(random, FLOATS)
    to = choose(random, ['int8', 'uint8', 'int16'])
    sizes = shape(random)
    x = special(random, numbers(random, sizes, x_type, *((-3000, 3000) if x_type == 'int32' else (-9, 9))))
    scale_shape, aligned, attributes = per_axis(random, sizes)
    scale = random.uniform(*((1, 30) if x_type == 'int32' else (0.01, 0.1)),
                           scale_shape).astype(scale_type) \
        if scale_shape else np.asarray(random.uniform(0.01, 0.1)).astype(scale_type)
    point = numbers(random, scale_shape, to)
    names = [graph.given(x), graph.operand(random, scale)]
    if chance(random, 0.7):
        names.append(graph.operand(random, point))
    else:
        point = np.zeros(scale_shape, to)
        if to != 'uint8' or chance(random, 0.3):
            attributes = {**attributes, 'output_dtype': to}
    value = quantised(x, scale.reshape(aligned), point.reshape(aligned), to, 2.0**-22)
    graph.add(operator, names, value, attributes)


@case('DequantizeLinear')
def dequantize(operator, graph, random):
    x_type, scale_type = choose(random, ['int8', 'uint8', 'int16', 'int32']), choose(random, FLOATS)
    sizes = shape(random)
    x = numbers(random, sizes, x_type)
    scale_shape, aligned, attributes = per_axis(random, sizes)
    scale = np.asarray(random.uniform(0.01, 4, scale_shape)).astype(scale_type)
    names = [graph.given(x), graph.operand(random, scale)]
    point = np.zeros(scale_shape, np.int64)
    if x_type != 'int32' and chance(random, 0.7):
        point = numbers(random, scale_shape, x_type)
        names.append(graph.operand(random, point))
    steps = single(wide(x) - wide(point).reshape(aligned)) * single(scale.reshape(aligned))
    graph.add(operator, names, Value(steps.astype(scale_type), zeros_differ=False), attributes)


@case('DynamicQuantizeLinear')
def dynamic_quantize(operator, graph, random):
    low = choose(random, [-3.0, 0.5, -100.0])
    x = numbers(random, shape(random), 'float32', low,
                choose(random, [5.0, 77.0]) if low > 0 else choose(random, [-0.25, 4.0]))
    least, most = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    scale = (most - least) / 255
    point = quantised(np.asarray(-least), np.asarray(scale), np.asarray(0), 'uint8', 2.0**-21)
    y = quantised(x, np.asarray(scale), point.array, 'uint8', 2.0**-21)
    y.tolerance = y.tolerance + point.tolerance
    found = [y, Value(np.asarray(scale), 'float32', 2.0**-22 * scale), point]
    asked = random.randint(1, 8)
    graph.add(operator, [graph.given(x)], [v if asked & 1 << i else None for i, v in enumerate(found)])
