"""reductions.py - what goes along axes: reductions, ArgMax, Softmax, CumSum, normalizations."""
import numpy as np

from graphs import case
from values import (ALL, ANY, FLOATS, NUMBERS, Value, axis_of, chance, choose, is_float, mixed,
                    narrowed, numbers, shape, ulp, wide)


def rounded(y, dtype, tolerance):
    """Results in double that are off by the tolerance before they are rounded."""
    tolerance = tolerance + ulp(np.abs(y) + np.nan_to_num(tolerance, posinf=0.0), dtype)
    return Value(y, dtype, tolerance, zeros_differ=False)


def reduced_axes(random, rank):
    """Axes to reduce (None: left out), each counted from either end."""
    if chance(random, 0.2) or rank == 0:
        return None
    count = random.randint(1, rank + 1)
    axes = random.permutation(rank)[:count]
    return [int(a) - rank if chance(random, 0.5) else int(a) for a in axes]


def additions(count, axes, rank, lanes):
    """How many additions an element passes at most."""
    of_all = axes is None or len(axes) == rank
    tree = -(-(-(-count // lanes)) // 8) + 32
    return tree if of_all else max(count, tree)


def int_reduction(operator, x, axes, keep):
    """Reductions of int32, modulo 2^32, all sums exact."""
    x = wide(x)
    plain = {'ReduceSum': np.sum, 'ReduceMax': np.max, 'ReduceMin': np.min}
    if operator in plain:
        return plain[operator](x, axis=axes, keepdims=keep)
    if operator == 'ReduceProd':
        return np.prod(x, axis=axes, keepdims=keep, dtype=np.int64)
    if operator == 'ReduceL1':
        return np.sum(np.abs(x), axis=axes, keepdims=keep)
    if operator == 'ReduceSumSquare':
        return np.sum((x * x) & 0xffffffff, axis=axes, keepdims=keep)
    total = np.sum(x, axis=axes, keepdims=keep)
    return np.sign(total) * (np.abs(total) // max(1, x.size // max(1, total.size)))


def int_root(x, axes, keep, adds):
    """ReduceL2 of int32: without its fraction, exact or within what the docs say."""
    squares = np.sum(wide(x).astype(object)**2, axis=axes, keepdims=keep)
    y = np.sqrt(np.asarray(squares, np.float64))
    share = (adds + 8) * 2.0**-24
    good = (y < 2.0**24 - 2) & (share < 2.0**-10) & (2 * y * y * share < 2.0**31 - 1)
    tolerance = np.where(good, 0, share * y + 2.0**30 / np.maximum(y, 1) + 2)
    from math import isqrt
    roots = np.asarray(np.vectorize(lambda s: min(isqrt(int(s)), 2**31 - 1), otypes=[np.int64])(squares))
    return Value(roots, 'int32', tolerance)


def extreme_along(operator, x, axes, keep):
    """ReduceMax, ReduceMin: NaN if there is one, +0 greater than -0."""
    if x.dtype.kind == 'b' or x.dtype.kind != 'f':
        return int_reduction(operator, x, axes, keep)
    order = {'float16': np.int16, 'float32': np.int32}[x.dtype.name]
    key = wide(x.view(order))
    key = np.where(key < 0, -(key & np.iinfo(order).max) - 1, key)
    best = int_reduction(operator, key, axes, keep)
    back = np.where(best < 0, (-(best + 1)) | np.iinfo(order).min, best).astype(order).view(x.dtype)
    return np.where(np.any(np.isnan(x), axis=axes, keepdims=keep), x.dtype.type(np.nan), back)


def sum_tolerance(x, axes, keep, adds):
    return adds * 2.0**-24 * np.sum(np.abs(x), axis=axes, keepdims=keep)


def float_sum(operator, x, axes, keep, adds):
    """ReduceSum, ReduceMean, ReduceL1, ReduceSumSquare, ReduceL2: results and tolerances in double."""
    prepare = {'ReduceL1': np.abs, 'ReduceSumSquare': np.square, 'ReduceL2': np.square}
    of = prepare.get(operator, np.asarray)(x)
    y = np.sum(of, axis=axes, keepdims=keep)
    count = x.size // max(1, y.size)
    squares = operator in ('ReduceSumSquare', 'ReduceL2')
    more = 1 if squares or operator == 'ReduceL1' else 0
    t = sum_tolerance(of, axes, keep, adds + more) + (count * 2.0**-149 if squares else 0)
    if operator == 'ReduceMean':
        return y / count, t / count + 2.0**-22 * np.abs(y / count)
    if operator == 'ReduceL2':
        root = np.sqrt(y)
        return root, root - np.sqrt(np.maximum(y - t, 0)) + 5 * 2.0**-24 * root
    return y, t


def float_product(x, axes, keep):
    y = np.prod(x, axis=axes, keepdims=keep)
    count = x.size // max(1, y.size)
    most = np.prod(np.maximum(np.abs(x), 1), axis=axes, keepdims=keep)
    return y, np.where(most >= 2.0**128, ANY, count * (2.0**-24 * np.abs(y) + 2.0**-149 * most))


def log_sum(x, axes, keep, adds):
    total = np.sum(x, axis=axes, keepdims=keep)
    t = sum_tolerance(x, axes, keep, adds)
    y = np.log(total)
    error = np.where(np.abs(total) <= t, ANY, -np.log1p(-t / np.abs(total)))
    return y, np.where(total + t < 0, 0, error + 4 * 2.0**-24 * np.nan_to_num(np.abs(y)))


def log_parts(x, axes, count):
    """ln of the sum of e^d, d = x - m along the axes, and its tolerance; all with kept dimensions."""
    m = np.max(x, axis=axes, keepdims=True)
    d = x - m
    powers = np.exp(d)
    total = np.sum(powers, axis=axes, keepdims=True)
    l = np.log(total)
    spread = np.sum(np.abs(d) * powers, axis=axes, keepdims=True) / total
    return m, d, l, 2.0**-24 * (count + 34 + spread + 4 * np.abs(l))


def log_sum_exp(x, axes, keep):
    y_shape = np.sum(x, axis=axes, keepdims=keep).shape
    count = x.size // max(1, int(np.prod(y_shape)))
    m, _, l, dl = log_parts(x, axes, count)
    y = (m + l).reshape(y_shape)
    return y, 2.0**-24 * np.abs(y) + dl.reshape(y_shape)


def int_log(operator, x, axes, keep, adds):
    """Logarithms of int32: what float32 gives, without its fraction."""
    y, t = log_sum_exp(x, axes, keep) if operator == 'ReduceLogSumExp' else log_sum(x, axes, keep, adds + 1)
    t = t + np.nan_to_num(ulp(y, 'float32'))
    low, middle, high = (np.trunc(np.clip(np.nan_to_num(v, nan=0.0), -2.0**31, 2.0**31 - 1))
                         for v in (y - t, y, y + t))
    return Value(middle.astype(np.int64), 'int32', np.maximum(middle - low, high - middle))


def reduction(operator, x, axes, keep, lanes):
    """A reduction along axes, a tuple or None for all."""
    dtype, rank = x.dtype.name, x.ndim
    count = x.size // max(1, np.sum(wide(x), axis=axes).size)
    adds = additions(count, axes, rank, lanes)
    if operator in ('ReduceMax', 'ReduceMin'):
        return Value(np.asarray(extreme_along(operator, x, axes, keep)).astype(dtype))
    if dtype == 'int32':
        if operator == 'ReduceL2':
            return int_root(x, axes, keep, adds)
        if operator.startswith('ReduceLog'):
            return int_log(operator, wide(x).astype(np.float64), axes, keep, adds)
        return Value(np.asarray(int_reduction(operator, x, axes, keep)).astype(np.int32))
    x = wide(x)
    if operator == 'ReduceProd':
        return rounded(*in_dtype(float_product(x, axes, keep), dtype))
    if operator == 'ReduceLogSum':
        return rounded(*in_dtype(log_sum(x, axes, keep, adds), dtype))
    if operator == 'ReduceLogSumExp':
        return rounded(*in_dtype(log_sum_exp(x, axes, keep), dtype))
    return rounded(*in_dtype(float_sum(operator, x, axes, keep, adds), dtype))


def in_dtype(found, dtype):
    y, tolerance = found
    return y, dtype, np.where(np.isnan(tolerance), ANY, tolerance) if np.any(np.isfinite(y)) else 0.0


REDUCTIONS = ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceSumSquare',
              'ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp']


def reduction_operand(operator, random, sizes):
    types = {'ReduceMax': ALL, 'ReduceMin': ALL}
    dtype = choose(random, types.get(operator, ['int32'] + FLOATS))
    if operator in ('ReduceMax', 'ReduceMin'):
        return mixed(random, sizes, dtype)
    if operator == 'ReduceProd' and is_float(dtype):
        return np.exp(numbers(random, sizes, 'float32', -0.5, 0.5)).astype(dtype)
    if operator == 'ReduceLogSum':
        return numbers(random, sizes, dtype, -1, choose(random, [8, 50]) if is_float(dtype) else 5000)
    if operator == 'ReduceLogSumExp':
        return numbers(random, sizes, dtype, -50, 50)
    if operator == 'ReduceL2' and dtype == 'int32' and chance(random, 0.7):
        return numbers(random, sizes, dtype, -3000, 3000)
    return numbers(random, sizes, dtype)


@case(*REDUCTIONS)
def reduce(operator, graph, random):
    sizes = shape(random)
    x = reduction_operand(operator, random, sizes)
    axes, keep = reduced_axes(random, len(sizes)), random.randint(2)
    attributes = {} if keep and chance(random, 0.5) else {'keepdims': keep}
    names = [graph.given(x)]
    if axes is not None and chance(random, 0.5):
        attributes['axes'] = axes
    elif axes is not None:
        names.append(graph.integers(random, axes))
    elif chance(random, 0.3):
        attributes['noop_with_empty_axes'] = 1
        graph.add(operator, names, x, attributes)
        return
    axes = None if axes is None else tuple(axes)
    graph.add(operator, names, reduction(operator, x, axes, bool(keep), graph.lanes), attributes)


@case('ArgMax', 'ArgMin')
def arg_extreme(operator, graph, random):
    dtype = choose(random, NUMBERS)
    sizes = shape(random, 1)
    x = mixed(random, sizes, dtype)
    if chance(random, 0.6):  # ties
        x = numbers(random, sizes, dtype, -2, 2)
        x = np.rint(x).astype(dtype) if is_float(dtype) else x
    axis, keep, last = axis_of(random, len(sizes)), random.randint(2), random.randint(2)
    graph.add(operator, [graph.given(x)], arg_value(operator, x, axis, keep, last),
              {'axis': axis, 'keepdims': keep, 'select_last_index': last})


def arg_value(operator, x, axis, keep, last):
    """The first or last index; where an element is NaN as if all were the same."""
    y = wide(x) if operator == 'ArgMax' else -wide(x)
    y = np.where(np.any(np.isnan(x), axis=axis, keepdims=True), 0, y)
    length = x.shape[axis]
    found = length - 1 - np.argmax(np.flip(y, axis), axis=axis) if last else np.argmax(y, axis=axis)
    return np.asarray(np.expand_dims(found, axis) if keep else found).astype(np.int32)


def softmax(x, axis, dtype):
    """Softmax and its tolerance."""
    x = wide(x)
    m = np.max(x, axis=axis, keepdims=True)
    d = x - m
    y = np.exp(d) / np.sum(np.exp(d), axis=axis, keepdims=True)
    count = x.shape[axis]
    passed = 0 if count == 1 else count
    size = np.abs(np.where(np.isfinite(d), d, 0))
    return rounded(y, dtype, 2.0**-23 * (size + passed + 8) * y + 2.0**-149)


def log_softmax(x, axis, dtype):
    x = wide(x)
    _, d, l, dl = log_parts(x, axis, x.shape[axis])
    y = d - l
    return rounded(y, dtype, 2.0**-24 * (np.abs(d) + np.abs(y)) + dl)


@case('Softmax', 'LogSoftmax')
def softmax_case(operator, graph, random):
    dtype = choose(random, FLOATS)
    sizes = shape(random, 1)
    x = numbers(random, sizes, dtype, *choose(random, [(-4, 4), (-80, 80), (0, 1)]))
    if operator == 'Softmax' and chance(random, 0.3):
        odd = choose(random, [-np.inf, -np.inf, np.nan])
        x = np.where(random.random_sample(sizes) < 0.1, odd, x).astype(dtype)
    axis = axis_of(random, len(sizes))
    function = softmax if operator == 'Softmax' else log_softmax
    graph.add(operator, [graph.given(x)], function(x, axis, dtype),
              {} if axis == -1 and chance(random, 0.5) else {'axis': axis})


def cumulative(x, axis, exclusive, reverse):
    """CumSum of elements as they are: the axis turned if need be, a 0 in front."""
    turned = np.flip(x, axis) if reverse else x
    found = np.cumsum(turned, axis=axis)
    if exclusive:
        first = np.zeros_like(np.take(found, [0], axis=axis))
        found = np.concatenate([first, np.delete(found, -1, axis=axis)], axis=axis)
    return np.flip(found, axis) if reverse else found


@case('CumSum')
def cum_sum(operator, graph, random):
    dtype = choose(random, ['int32'] + FLOATS)
    sizes = shape(random, 1)
    x = numbers(random, sizes, dtype)
    axis, exclusive, reverse = axis_of(random, len(sizes)), random.randint(2), random.randint(2)
    y = cumulative(wide(x), axis, exclusive, reverse)
    if dtype == 'int32':
        value = Value(y.astype(np.int32))
    else:
        parts = max(-(-(-(-x.shape[axis] // graph.lanes)) // 16) + 96, 0)
        value = rounded(y, dtype, parts * 2.0**-24 * cumulative(np.abs(wide(x)), axis, exclusive, reverse))
    attributes = {k: v for k, v in (('exclusive', exclusive), ('reverse', reverse)) if v
                  or chance(random, 0.5)}
    place = graph.known(np.asarray(axis if chance(random, 0.5) else [axis], np.int32))
    graph.add(operator, [graph.given(x), place], value, attributes)


# ---- normalizations ----

def row_tolerance(x, mean, variance, epsilon, dtype, tiles):
    """What the docs allow of d = x - mean, and of r = 1 / sqrt(variance + epsilon): d, dd, r, dr."""
    axes = tuple(i for i in range(x.ndim) if mean.shape[i] != x.shape[i])
    d, r = x - mean, 1 / np.sqrt(variance + epsilon)
    dm = (2.0**-21 + (tiles + 4) * 2.0**-24) * np.mean(np.abs(x), axis=axes, keepdims=True) + 2.0**-34
    dd = dm + 2.0**-24 * np.abs(d)
    coarse = epsilon * (2.0**-12 if dtype == 'float16' else 2.0**-16)
    coarse = max(coarse, 2.0**-47) if coarse < 2.0**-36 else coarse
    dv = dm**2 + (2.0**-21 + (tiles + 8) * 2.0**-24) * variance + coarse
    least = np.maximum(variance - dv, 0) + epsilon
    return d, dd, r, 1 / np.sqrt(least) - r + 2.0**-22 * r


def normalized(x, axes, scale, bias, epsilon, dtype, lanes, about_mean=True):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias along axes."""
    coarse = min(x.dtype.name, dtype)  # float16 if either is
    x, scale, bias = wide(x), wide(scale), wide(bias).astype(np.float64)
    mean = np.mean(x, axis=axes, keepdims=True) * (1.0 if about_mean else 0.0)
    variance = np.mean((x - mean)**2, axis=axes, keepdims=True)
    tiles = -(-int(np.prod([x.shape[a] for a in axes])) // lanes)
    d, dd, r, dr = row_tolerance(x, mean, variance, epsilon, coarse, tiles)
    y = d * r * scale + bias
    tolerance = np.abs(scale) * (np.abs(d) * dr + dd * (r + dr)) + 2.0**-22 * np.abs(d * r * scale)
    return rounded(y, dtype, tolerance + 2.0**-24 * np.abs(y))


@case('LayerNormalization', 'RMSNormalization')
def layer_norm(operator, graph, random):
    dtype, sizes = choose(random, FLOATS), shape(random, 1)
    axis = axis_of(random, len(sizes))
    axes = tuple(range(axis % len(sizes), len(sizes)))
    x = numbers(random, sizes, dtype, *choose(random, [(-2, 2), (3, 5), (-0.1, 0.1)]))
    to = choose(random, FLOATS) if operator == 'RMSNormalization' else dtype
    scale, bias = (numbers(random, sizes[axes[0]:] if chance(random, 0.6) else narrowed(random, sizes), to)
                   for _ in range(2))
    names = [graph.given(x), graph.operand(random, scale)]
    if operator == 'LayerNormalization' and chance(random, 0.7):
        names.append(graph.operand(random, bias))
    else:
        bias = np.zeros(())
    epsilon = choose(random, [None, 1e-3, 1e-5, 0.5])
    attributes = {} if axis == -1 and chance(random, 0.5) else {'axis': axis}
    if epsilon is not None:
        attributes['epsilon'] = epsilon
    value = normalized(x, axes, scale, bias, epsilon or 1e-5, to, graph.lanes,
                       operator == 'LayerNormalization')
    graph.add(operator, names, value, attributes)


@case('InstanceNormalization')
def instance_norm(operator, graph, random):
    dtype, sizes = choose(random, FLOATS), shape(random, 3)
    x = numbers(random, sizes, dtype)
    scale, bias = (numbers(random, sizes[1:2], dtype) for _ in range(2))
    aligned = (sizes[1],) + (1,) * (len(sizes) - 2)
    value = normalized(x, tuple(range(2, len(sizes))), scale.reshape(aligned), bias.reshape(aligned), 1e-5,
                       dtype, graph.lanes)
    names = [graph.given(x), graph.operand(random, scale), graph.operand(random, bias)]
    graph.add(operator, names, value, {'epsilon': 1e-5} if chance(random, 0.3) else None)


@case('BatchNormalization')
def batch_norm(operator, graph, random):
    dtype, sizes = choose(random, FLOATS), shape(random, 2)
    x = numbers(random, sizes, dtype)
    scale, bias, mean = (numbers(random, sizes[1:2], choose(random, FLOATS)) for _ in range(3))
    variance = numbers(random, sizes[1:2], choose(random, FLOATS), 0.1, 4)
    parts = [scale, bias, mean, variance]
    computed = chance(random, 0.4)
    names = [graph.given(x)] + [(graph.operand(random, p) if computed else graph.known(p)) for p in parts]
    epsilon = choose(random, [None, 1e-3])
    value = batch_value(x, [wide(p).reshape((sizes[1],) + (1,) * (len(sizes) - 2)) for p in parts],
                        epsilon or 1e-5)
    graph.add(operator, names, value, None if epsilon is None else {'epsilon': epsilon})


def batch_value(x, parts, epsilon):
    scale, bias, mean, variance = parts
    f, dtype = scale / np.sqrt(variance + epsilon), x.dtype.name
    x = wide(x)
    y, df = (x - mean) * f + bias, 7 * 2.0**-24 * np.abs(f)
    tolerance = 3 * 2.0**-24 * (np.abs(f * x) + np.abs(bias - mean * f))
    tolerance = tolerance + np.abs(x - mean) * df + 3 * 2.0**-24 * np.abs(mean * f)
    return rounded(y, dtype, tolerance)


@case('GroupByAggregate')
def group_by(operator, graph, random):
    """Ours, not ONNX's: one a graph."""
    groups, low = random.randint(1, 40), random.randint(-500, 500)
    high = low + random.randint(0, 1000)
    sizes = shape(random, 1, 2)
    keys = np.asarray(random.randint(0, groups, sizes)).astype(np.int16)
    values = np.asarray(random.randint(low, high + 1, sizes)).astype(np.int16)
    found = np.zeros((4, groups), np.int32)
    for group in range(groups):
        of = wide(values[keys == group])
        found[:, group] = [of.size, of.sum(), of.min() if of.size else 2**31 - 1,
                           of.max() if of.size else -2**31]
    graph.add(operator, [graph.given(keys), graph.given(values)], found,
              {'groups': groups, 'low': low, 'high': high})
