"""curves.py - element-wise functions of floats, each with the greatest error that the docs allow."""
import math

import numpy as np

from graphs import case
from values import (FLOATS, INTEGERS, NUMBERS, Value, bits, broadcast_shapes, chance, choose,
                    is_float, mixed, numbers, shape, special, ulp, wide)

erf = np.vectorize(math.erf, otypes=[np.float64])
SLACK = 1 + 1e-6  # of the doubles that the oracle itself computes


def curve(y, dtype, units, more=0.0):
    """Results in double, with errors in units of the last place, those of float16 and of float32."""
    tolerance = units[FLOATS.index(dtype)] * ulp(y, dtype) * SLACK + more
    return Value(y, dtype, tolerance)


def softplus(x):
    return np.logaddexp(0.0, x)


def scaled(random, sizes, dtype):
    """Floats of one size or another, special ones among them."""
    if chance(random, 0.3):
        return bits(random, sizes, dtype)
    size = choose(random, [0.01, 1.0, 5.0, 20.0, 100.0])
    return special(random, numbers(random, sizes, dtype, -size, size))


def sigmoid(x):
    return 0.5 * (1 + np.tanh(x / 2))


def gelu(x):
    return np.where(x == -np.inf, np.nan, 0.5 * x * (1 + erf(x / math.sqrt(2))))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def unary(operator, x):
    """The exact result in double, and its error: units of float16 and float32, and what is added."""
    size = np.abs(np.where(np.isfinite(x), x, 0))
    table = {
        'Tanh': lambda: (np.tanh(x), (0.5, 0.5), 0),
        'Exp': lambda: (np.exp(x), (0.5, 0.5), 0),
        'Sigmoid': lambda: (sigmoid(x), (1, 1), 2.0**-23),
        'Sqrt': lambda: (np.sqrt(x) + 0.0, (1, 1), 5 * 2.0**-24 * np.nan_to_num(np.sqrt(np.maximum(x, 0)),
                                                                                posinf=0)),
        'Reciprocal': lambda: (1 / x, (0.501, np.where(np.abs(1 / x) < 2.0**-117, 0.751, 0.502)), 0),
        'Log': lambda: (np.log(x), (0.52, 0.86), 0),
        'Erf': lambda: (erf(x), (0.501, 3.3), 0),
        'Softplus': lambda: (softplus(x), (0.52, 3.5), 0),
        'Softsign': lambda: (x / (1 + np.abs(x)), (0.501, 3.5), 0),
        'Mish': lambda: (x * np.tanh(softplus(x)), (0.52, 8), 2.0**-126 * size)}
    return table[operator]()


@case('Tanh', 'Exp', 'Sigmoid', 'Sqrt', 'Reciprocal', 'Log', 'Erf', 'Softplus', 'Softsign', 'Mish')
def unary_case(operator, graph, random):
    dtype = choose(random, FLOATS)
    x = scaled(random, shape(random), dtype)
    if operator in ('Mish', 'Softsign'):  # infinity times or by itself: ONNX's formula has no value
        x = np.where(np.isinf(x), x.dtype.type(-3), x)
    graph.add(operator, [graph.given(x)], curve(*with_dtype(unary(operator, wide(x)), dtype)))


def with_dtype(found, dtype):
    y, units, more = found
    return y, dtype, units, more


@case('Gelu')
def gelu_case(operator, graph, random):
    dtype = choose(random, FLOATS)
    x = scaled(random, shape(random), dtype)
    x = np.where(np.isinf(x), x.dtype.type(-3), x)
    form = choose(random, [None, 'none', 'tanh'])
    y = np.where(np.isnan(x), np.nan, (gelu_tanh if form == 'tanh' else gelu)(np.nan_to_num(wide(x))))
    more = 4 * 2.0**-24 * np.abs(np.nan_to_num(wide(x)))
    graph.add(operator, [graph.given(x)], curve(y, dtype, (0.5, 0.5), more),
              None if form is None else {'approximate': form})


@case('Elu', 'Celu', 'Selu')
def elu(operator, graph, random):
    dtype = choose(random, FLOATS)
    x = scaled(random, shape(random), dtype)
    alpha = choose(random, [None, 0.5, 1.0, 1.75, 0.25])
    gamma = choose(random, [None, 0.5, 1.0, 1.25]) if operator == 'Selu' else 1.0
    a = np.float32({'Selu': 1.67326319217681884765625}.get(operator, 1.0) if alpha is None else alpha)
    g = np.float32(1.05070102214813232421875 if gamma is None else gamma)
    a, g, wide_x = float(a), float(g), wide(x)
    below = a * np.expm1(wide_x / a if operator == 'Celu' else wide_x)
    attributes = {'alpha': alpha} if alpha is not None else {}
    if operator == 'Selu' and gamma is not None:
        attributes['gamma'] = gamma
    y = g * np.where(wide_x > 0, wide_x, below) + 0.0
    graph.add(operator, [graph.given(x)], curve(y, dtype, (0.501, 5)), attributes)


@case('Swish')
def swish(operator, graph, random):
    dtype = choose(random, FLOATS)
    x = scaled(random, shape(random), dtype)
    x = np.where(np.isinf(x), x.dtype.type(-3), x)
    alpha = choose(random, [None, 0.5, 1.0, -1.75, 3.0])
    a, wide_x = 1.0 if alpha is None else alpha, wide(x)
    y = wide_x * np.where(a * wide_x > 0, 1 / (1 + np.exp(-a * wide_x)),
                          np.exp(a * wide_x) / (1 + np.exp(a * wide_x)))
    y = np.where(np.isnan(y) & ~np.isnan(x), 0 * wide_x, y)
    bend = np.minimum(np.abs(np.nan_to_num(a * wide_x)), 1000)
    more = 2.0**-126 * np.abs(np.nan_to_num(wide_x))
    if dtype == 'float32':
        more = more + bend * ulp(y, dtype)
    graph.add(operator, [graph.given(x)], curve(y, dtype, (0.52, 8), more),
              None if alpha is None else {'alpha': alpha})


@case('Div')
def division(operator, graph, random):
    dtype = choose(random, FLOATS)
    a, b = (mixed(random, s, dtype) for s in broadcast_shapes(random, 2))
    y = wide(a) / wide(b)
    units = np.where(np.abs(y) < 2.0**-117, 0.751, 0.502)
    units = (0.5, np.where((np.abs(wide(a)) < 2.0**-110) | (np.abs(y) < 2.0**-125), 8, units))
    graph.add(operator, [graph.operand(random, a), graph.operand(random, b)], curve(y, dtype, units))


def power(x, y):
    """The exact power: NaN of a negative base where the exponent is not whole."""
    x, y = np.broadcast_arrays(x, y)
    found = np.power(x, y)
    whole = np.isinf(y) | (y == np.rint(y))
    found = np.where((x < 0) & ~whole, np.nan, found)
    return np.where((y == 0) | (x == 1), 1.0, found)


def bend(x, y):
    """|y ln x|, 0 where that is nothing to multiply with."""
    with np.errstate(all='ignore'):
        return np.nan_to_num(np.abs(y * np.log(np.abs(x))), nan=0.0, posinf=0.0)


@case('Pow')
def float_power(operator, graph, random):
    dtype, exponent_type = choose(random, FLOATS), choose(random, NUMBERS)
    sizes = broadcast_shapes(random, 2)
    x = scaled(random, sizes[0], dtype)
    if chance(random, 0.5):
        x = np.abs(x)
    y = exponents(random, sizes[1], exponent_type)
    z = power(wide(x), wide(y).astype(np.float64))
    units = (0.7, 6 + np.minimum(1.5 * bend(wide(x), wide(y)), 150))
    graph.add(operator, [graph.given(x), graph.operand(random, y)], curve(z, dtype, units))


def exponents(random, sizes, dtype):
    """Small whole ones, halves, or any."""
    form = random.randint(3)
    if form == 0 or not is_float(dtype):
        return numbers(random, sizes, dtype, -8, 8) if not is_float(dtype) else \
            np.asarray(random.randint(-8, 9, sizes)).astype(dtype)
    if form == 1:
        return np.full(sizes, choose(random, [0.5, -0.5, 2.0, 3.0, 1.0, 0.0]), dtype)
    return special(random, numbers(random, sizes, dtype))


def whole_power(x, y):
    """x to the y modulo 2^32; of y below 0 without its fraction."""
    if y >= 0:
        found = pow(x, y, 2**32)
        return found - 2**32 if found >= 2**31 else found
    if x == 0:
        return 2**31 - 1
    return (x if y % 2 else 1) if abs(x) == 1 else 0


@case('Pow')
def int_power(operator, graph, random):
    exponent_type = choose(random, INTEGERS)
    sizes = broadcast_shapes(random, 2)
    x = numbers(random, sizes[0], 'int32')
    if chance(random, 0.6):
        x = numbers(random, sizes[0], 'int32', -12, 12)
    y = numbers(random, sizes[1], exponent_type, *((-9, 40) if chance(random, 0.7) else ()))
    pairs = np.broadcast_arrays(wide(x), wide(y))
    found = np.asarray([whole_power(int(a), int(b)) for a, b in zip(*(p.flat for p in pairs))], np.int64)
    graph.add(operator, [graph.given(x), graph.operand(random, y)],
              found.reshape(pairs[0].shape).astype(np.int32))


def cut(z):
    """A power without its fraction, as int32."""
    return np.clip(np.trunc(np.nan_to_num(z, nan=0.0)), -2.0**31, 2.0**31 - 1)


@case('Pow')
def int_float_power(operator, graph, random):
    """int32 to powers that are not whole: both ends of what rounding may make of them."""
    exponent_type = choose(random, FLOATS)
    sizes = broadcast_shapes(random, 2)
    x = numbers(random, sizes[0], 'int32', -40, 40000)
    y = (np.floor(numbers(random, sizes[1], exponent_type, -2, 2)) +
         np.asarray(choose(random, [0.5, 0.25, 0.75]))).astype(exponent_type)
    z = power(wide(x).astype(np.float64), wide(y))
    share = 2.0**-24 * (4 + 1.6 * bend(wide(x).astype(np.float64), wide(y)))
    low, high = cut(z * (1 - share)), cut(z * (1 + share) * (1 + 40 * 2.0**-24))
    middle = cut(z)
    tolerance = np.maximum(np.abs(middle - low), np.abs(high - middle))
    graph.add(operator, [graph.given(x), graph.operand(random, y)],
              Value(middle.astype(np.int64), 'int32', tolerance))
