"""check_values.py - the comparison itself: what it must find, and what it must let pass."""
import numpy as np

from values import ANY, Value, difference, ulp


def half(*numbers):
    return np.asarray(numbers, np.float16)


def wrong(got, want):
    assert difference(got, want), (got, want.array, want.tolerance)


def right(got, want):
    assert difference(got, want) is None, difference(got, want)


right(half(1, np.nan, np.inf, -0.0), Value(half(1, np.nan, np.inf, -0.0)))
wrong(half(0.0), Value(half(-0.0)))
right(half(0.0), Value(half(-0.0), zeros_differ=False))
wrong(half(1.001), Value(half(1)))
wrong(half(np.nan), Value(half(1)))
wrong(half(1), Value(half(np.nan)))
wrong(half(1), Value(np.asarray([np.nan]), 'float16', 0.5))
wrong(half(np.inf), Value(half(-np.inf)))
right(half(1.5), Value(np.asarray([1.0]), 'float16', 0.5))
wrong(half(1.501), Value(np.asarray([1.0]), 'float16', 0.5))
right(half(np.inf), Value(np.asarray([65530.0]), 'float16', 16.0))
wrong(half(np.inf), Value(np.asarray([60000.0]), 'float16', 16.0))
right(half(7), Value(np.asarray([1.0]), 'float16', ANY))
right(np.asarray([3], np.int32), Value(np.asarray([4]), 'int32', 1.0))
wrong(np.asarray([3], np.int32), Value(np.asarray([5]), 'int32', 1.0))
wrong(np.asarray([3], np.int32), Value(np.asarray([4], np.int32)))
wrong(np.asarray([3], np.int16), Value(np.asarray([3], np.int32)))
wrong(np.asarray([3], np.int32), Value(np.asarray([[3]], np.int32)))
wrong(np.asarray([True]), Value(np.asarray([False])))
assert ulp(1.0, 'float16') == 2.0**-10 and ulp(0.0, 'float16') == 2.0**-24
assert ulp(1.5, 'float32') == 2.0**-23 and ulp(1e9, 'float16') == 2.0**5
