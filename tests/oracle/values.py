"""values.py - tensors of the oracle: what a result must be, how far it may be off, random operands.

Written from ONNX's operators and docs/graph-format.md alone, without a look at the compiler or at
its interpreter.
"""
import numpy as np

FLOATS = ['float16', 'float32']
INTEGERS = ['int8', 'uint8', 'int16', 'int32']
NUMBERS = INTEGERS + FLOATS
ALL = NUMBERS + ['bool']
DIGITS = {'float16': 10, 'float32': 23}  # behind the point
LEAST_EXPONENT = {'float16': -14, 'float32': -126}
OVERFLOW = {'float16': 2.0**16, 'float32': 2.0**128}
ANY = np.inf  # a tolerance


class Value:
    """What a tensor must be: elements, exact or in double; the tolerance of each; its dtype."""

    def __init__(self, array, dtype=None, tolerance=0.0, zeros_differ=True):
        self.array = np.asarray(array)
        self.dtype = dtype or self.array.dtype.name
        self.tolerance = np.broadcast_to(np.asarray(tolerance, np.float64), self.array.shape)
        self.zeros_differ = zeros_differ  # a -0 is not a +0
        if not np.any(self.tolerance):
            self.array = self.array.astype(self.dtype)

    def exact(self):
        return not np.any(self.tolerance)


def wide(array):
    """Elements to compute with: integers as int64, floats as double."""
    array = np.asarray(array)
    return array.astype(np.float64 if array.dtype.kind == 'f' else np.int64)


def is_float(dtype):
    return dtype in FLOATS


def ulp(values, dtype):
    """The spacing of the dtype at |values|, of double."""
    size = np.minimum(np.abs(np.nan_to_num(wide(values).astype(np.float64))), OVERFLOW[dtype] / 2)
    exponent = np.frexp(size)[1] - 1
    exponent = np.where(size == 0, LEAST_EXPONENT[dtype], np.maximum(exponent, LEAST_EXPONENT[dtype]))
    return np.ldexp(1.0, exponent - DIGITS[dtype])


def single(values):
    return np.asarray(values).astype(np.float32)


@np.errstate(all='ignore')
def off(got, want):
    """Where a tensor is not what it must be, as an array of bool."""
    if not is_float(want.dtype):
        return np.abs(wide(got) - wide(want.array)) > want.tolerance
    a, b = got.astype(np.float64), np.asarray(want.array, np.float64)
    limit = OVERFLOW[want.dtype]
    near = np.abs(np.clip(a, -limit, limit) - np.clip(b, -limit, limit)) <= want.tolerance
    good = np.where(want.tolerance > 0, near, a == b)
    if want.zeros_differ:
        good &= (a != 0) | (b != 0) | (np.signbit(a) == np.signbit(b))
    return ~(good | (np.isnan(a) & np.isnan(b)) | np.isinf(want.tolerance))


def difference(got, want):
    """None, or what is wrong with a tensor that came back."""
    if got.dtype.name != want.dtype or got.shape != want.array.shape:
        return f'{got.dtype.name} {got.shape}, expected {want.dtype} {want.array.shape}'
    wrong = off(got, want)
    if not wrong.any():
        return None
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (f'{wrong.sum()} of {wrong.size} elements wrong, first {list(at)}: {got[at]!r}, expected '
            f'{want.array[at]!r} within {want.tolerance[at]:.3g}')


# ---- random operands ----

SIZES = [1, 1, 1, 2, 2, 3, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 319, 320, 321]


def choose(random, choices):
    return choices[random.randint(len(choices))]


def chance(random, share):
    return random.random_sample() < share


def shape(random, least=0, most=4, elements=2000):
    """A random shape of rank least to most, of at most so many elements."""
    sizes = []
    for _ in range(random.randint(least, most + 1)):
        room = elements // max(1, int(np.prod(sizes, dtype=np.int64)))
        sizes.append(choose(random, [size for size in SIZES if size <= max(room, 1)]))
    order = random.permutation(len(sizes))
    return tuple(sizes[i] for i in order)


def narrowed(random, whole):
    """A shape that broadcasts to the whole."""
    kept = whole[random.randint(len(whole) + 1) if chance(random, 0.4) else 0:]
    return tuple(1 if chance(random, 0.25) else size for size in kept)


def broadcast_shapes(random, count):
    """Shapes that broadcast with each other, both ways."""
    whole = shape(random)
    if chance(random, 0.3):
        return [whole] * count
    return [narrowed(random, whole) for _ in range(count)]


def axis_of(random, rank, below=0):
    """An axis from below on, counted from either end."""
    axis = random.randint(below, rank)
    return axis - rank if chance(random, 0.5) else axis


def numbers(random, sizes, dtype, low=None, high=None):
    """Integers of the whole range, ends among them, or of low to high; floats of low to high."""
    if dtype == 'bool':
        return random.randint(0, 2, sizes).astype(bool)
    if is_float(dtype):
        return random.uniform(-4 if low is None else low, 4 if high is None else high, sizes).astype(dtype)
    ends = np.iinfo(dtype)
    low, high = ends.min if low is None else low, ends.max if high is None else high
    low, high = max(low, ends.min), min(high, ends.max)
    found = random.randint(low, high + 1, sizes, dtype=np.int64)
    edges = random.choice([low, low + 1, high, high - 1, max(low, 0), max(low, min(1, high))], sizes)
    return np.where(random.random_sample(sizes) < 0.2, edges, found).astype(dtype)


def special(random, array, share=0.15):
    """The array with NaN, infinities, zeros of both signs, subnormals and the ends of the range."""
    if array.dtype.kind != 'f':
        return array
    info = np.finfo(array.dtype)
    tiny = float(info.tiny)
    subnormal = tiny * 2.0**-DIGITS[array.dtype.name]
    values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, subnormal,
              -subnormal, tiny, tiny / 2, float(info.max), -float(info.max)]
    picked = np.asarray(values)[random.randint(len(values), size=array.shape)].astype(array.dtype)
    return np.where(random.random_sample(array.shape) < share, picked, array)


def bits(random, sizes, dtype):
    """Elements of random bits: floats of all sizes."""
    if not is_float(dtype):
        return numbers(random, sizes, dtype)
    unsigned = {'float16': np.uint16, 'float32': np.uint32}[dtype]
    top = np.iinfo(unsigned).max
    raw = np.asarray(random.randint(0, int(top) + 1, sizes, dtype=np.int64)).astype(unsigned)
    return special(random, raw.view(dtype), 0.1)


def mixed(random, sizes, dtype):
    """Random bits, or numbers of a common size with special ones among them."""
    if chance(random, 0.3):
        return bits(random, sizes, dtype)
    return special(random, numbers(random, sizes, dtype))
