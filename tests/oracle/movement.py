"""movement.py - operators that relabel or move elements, bit for bit."""
import numpy as np

from graphs import case
from values import ALL, axis_of, bits, broadcast_shapes, chance, choose, mixed, numbers, shape


def elements(random, sizes):
    return bits(random, sizes, choose(random, ALL))


def factored(random, count, most=4):
    """A random shape of so many elements."""
    sizes = []
    for _ in range(random.randint(most)):
        divisors = [d for d in range(1, count + 1) if count % d == 0]
        sizes.append(choose(random, divisors))
        count //= sizes[-1]
    return sizes + [count]


@case('Reshape')
def reshape(operator, graph, random):
    x = elements(random, shape(random))
    to = factored(random, x.size)
    written = list(to)
    for i, size in enumerate(to):
        if i < x.ndim and size == x.shape[i] and chance(random, 0.3):
            written[i] = 0
    if chance(random, 0.4):
        written[random.randint(len(written))] = -1
    attributes = {'allowzero': 1} if 0 not in written and chance(random, 0.2) else None
    graph.add(operator, [graph.given(x), graph.integers(random, written)], x.reshape(to), attributes)


@case('Flatten')
def flatten(operator, graph, random):
    x = elements(random, shape(random))
    axis = random.randint(-x.ndim, x.ndim + 1)
    at = axis + x.ndim if axis < 0 else axis
    if x.ndim == 0:
        axis = at = 0
    rows = int(np.prod(x.shape[:at], dtype=np.int64))
    graph.add(operator, [graph.given(x)], x.reshape(rows, -1),
              None if axis == 1 and chance(random, 0.5) else {'axis': axis})


@case('Squeeze')
def squeeze(operator, graph, random):
    x = elements(random, shape(random))
    ones = [i for i, size in enumerate(x.shape) if size == 1]
    if not ones or chance(random, 0.3):
        graph.add(operator, [graph.given(x)], np.squeeze(x))
        return
    axes = [int(a) for a in random.permutation(ones)[:random.randint(1, len(ones) + 1)]]
    named = [a - x.ndim if chance(random, 0.5) else a for a in axes]
    graph.add(operator, [graph.given(x), graph.integers(random, named)], np.squeeze(x, tuple(axes)))


@case('Unsqueeze')
def unsqueeze(operator, graph, random):
    x = elements(random, shape(random))
    rank = x.ndim + random.randint(1, 3)
    axes = [int(a) for a in random.permutation(rank)[:rank - x.ndim]]
    named = [a - rank if chance(random, 0.5) else a for a in axes]
    graph.add(operator, [graph.given(x), graph.integers(random, named)], np.expand_dims(x, tuple(axes)))


@case('Transpose')
def transpose(operator, graph, random):
    x = elements(random, shape(random))
    perm = [int(i) for i in random.permutation(x.ndim)]
    if chance(random, 0.2) or x.ndim == 0:
        graph.add(operator, [graph.given(x)], x.T)
        return
    graph.add(operator, [graph.given(x)], x.transpose(perm), {'perm': perm})


@case('Split')
def split(operator, graph, random):
    x = elements(random, shape(random, 1))
    axis = axis_of(random, x.ndim)
    length = x.shape[axis]
    count = random.randint(1, min(length, 4) + 1)
    names, attributes = [graph.given(x)], {'axis': axis}
    if chance(random, 0.5):
        ends = np.sort(random.permutation(length - 1)[:count - 1] + 1)
        names.append(graph.integers(random, np.diff([0, *ends, length])))
    else:
        piece = -(-length // count)
        count = -(-length // piece)
        ends = np.arange(1, count) * piece
        if length % count or chance(random, 0.5):
            attributes['num_outputs'] = count
    pieces = np.split(x, ends, axis)
    unread = random.randint(-2, len(pieces)) if len(pieces) > 1 else -1
    graph.add(operator, names, [None if i == unread else p for i, p in enumerate(pieces)], attributes)


@case('Slice')
def slice_case(operator, graph, random):
    x = elements(random, shape(random, 1))
    axes = [int(a) for a in random.permutation(x.ndim)[:random.randint(1, x.ndim + 1)]]
    cuts, starts, ends, steps = [slice(None)] * x.ndim, [], [], []
    for axis in axes:
        start, end, step, cuts[axis] = slice_bounds(random, x.shape[axis])
        starts, ends, steps = starts + [start], ends + [end], steps + [step]
    names = [graph.given(x), graph.integers(random, starts), graph.integers(random, ends)]
    named = [a - x.ndim if chance(random, 0.5) else a for a in axes]
    plain = all(s == 1 for s in steps)
    in_order = axes == list(range(len(axes))) and chance(random, 0.5)
    if not in_order or not plain:
        names.append('' if in_order else graph.integers(random, named))
    if not plain or chance(random, 0.5) and len(names) == 4:
        names.append(graph.integers(random, steps))
    graph.add(operator, names, x[tuple(cuts)])


def slice_bounds(random, length):
    """start, end and step as the node has them, and the slice that they are; not empty."""
    step = choose(random, [1, 1, 2, 3, -1, -2, -5])
    low = random.randint(length)
    high = random.randint(low + 1, length + 1)
    if step > 0:
        start, end = low, high
        far = (start, end)
        if high == length and chance(random, 0.5):
            far = (start, choose(random, [2**31 - 1, length + 5]))
        if start == 0 and chance(random, 0.3):
            far = (choose(random, [-length - 7, -2**31]), far[1])
        named = [v - length if 0 <= v < length and chance(random, 0.4) else v for v in far]
        return named[0], named[1], step, slice(start, end, step)
    start, end = high - 1, low - 1
    named_start = choose(random, [start, start - length])
    if start == length - 1 and chance(random, 0.4):
        named_start = choose(random, [2**31 - 1, length, length + 3])
    named_end = choose(random, [end, end - length]) if end >= 0 else choose(random,
                                                                            [-length - 1, -2**31,
                                                                             -length - 9])
    return named_start, named_end, step, slice(start, end if end >= 0 else None, step)


@case('Expand')
def expand(operator, graph, random):
    sizes = broadcast_shapes(random, 2)
    x, to = elements(random, sizes[0]), sizes[1] or (1,)  # no tensor is without elements, nor are shapes
    whole = np.broadcast_shapes(x.shape, to)
    graph.add(operator, [graph.given(x), graph.integers(random, to)], np.broadcast_to(x, whole))


@case('Concat')
def concat(operator, graph, random):
    sizes = list(shape(random, 1, 4, 500))
    axis, dtype = axis_of(random, len(sizes)), choose(random, ALL)
    arrays = []
    for _ in range(random.randint(1, 5)):
        sizes[axis] = choose(random, [1, 2, 3, 16, 17]) if chance(random, 0.7) else sizes[axis]
        arrays.append(bits(random, tuple(sizes), dtype))
    names = [graph.given(arrays[0])] + [graph.operand(random, a) for a in arrays[1:]]
    graph.add(operator, names, np.concatenate(arrays, axis), {'axis': axis})


def padded(x, before, after, mode, value):
    """Pad along every axis; pads less than 0 take away."""
    grow = [(max(b, 0), max(a, 0)) for b, a in zip(before, after)]
    form = {'constant': {'constant_values': value}}.get(mode, {})
    found = np.pad(x, grow, mode, **form)
    cut = tuple(slice(max(-b, 0), found.shape[i] - max(-a, 0)) for i,
                (b, a) in enumerate(zip(before, after)))
    return found[cut]


@case('Pad')
def pad(operator, graph, random):
    x = elements(random, shape(random, 1, 4, 500))
    mode = choose(random, ['constant', 'constant', 'edge', 'reflect', 'wrap'])
    axes = None
    if chance(random, 0.4):
        axes = [int(a) for a in random.permutation(x.ndim)[:random.randint(1, x.ndim + 1)]]
    before, after = np.zeros((2, x.ndim), int)
    for axis in range(x.ndim) if axes is None else axes:
        before[axis], after[axis] = pads(random, x.shape[axis], mode), pads(random, x.shape[axis], mode)
        if before[axis] + after[axis] + x.shape[axis] < 1:
            before[axis] = 0
    value = np.zeros((), x.dtype)
    names = [graph.given(x)]
    order = range(x.ndim) if axes is None else axes
    names.append(graph.integers(random, [int(before[a]) for a in order] + [int(after[a]) for a in order]))
    if mode == 'constant' and chance(random, 0.6):
        value = np.asarray(mixed(random, (), x.dtype.name))
        names.append(graph.known(value))
    if axes is not None:
        names += [''] * (3 - len(names))
        names.append(graph.integers(random, [a - x.ndim if chance(random, 0.5) else a for a in axes]))
    attributes = {} if mode == 'constant' and chance(random, 0.5) else {'mode': mode}
    graph.add(operator, names, padded(x, before, after, mode, value), attributes)


def pads(random, length, mode):
    most = {'reflect': min(length - 1, 4), 'wrap': min(length, 4)}.get(mode, 4)
    least = -min(length - 1, 2) if mode in ('constant', 'edge') else 0
    return random.randint(least, most + 1)


@case('Tile')
def tile(operator, graph, random):
    x = elements(random, shape(random, 1, 4, 300))
    repeats = [int(choose(random, [1, 1, 2, 3])) for _ in range(x.ndim)]
    graph.add(operator, [graph.given(x), graph.integers(random, repeats)], np.tile(x, repeats))


@case('Gather')
def gather(operator, graph, random):
    x = elements(random, shape(random, 1, 3, 600))
    axis = axis_of(random, x.ndim)
    length = x.shape[axis]
    indices = numbers(random, shape(random, 0, 2, 12), 'int32', -length, length - 1)
    names = [graph.operand(random, x), graph.operand(random, indices)]
    if names[0] in graph.initializers and names[1] in graph.initializers:
        names[1] = graph.given(indices)
    graph.add(operator, names, np.take(x, np.where(indices < 0, indices + length, indices), axis),
              {'axis': axis})


@case('Trilu')
def trilu(operator, graph, random):
    x = elements(random, shape(random, 2))
    k, upper = random.randint(-4, 5), random.randint(2)
    names = [graph.given(x)] + ([graph.integers(random, np.asarray(k))] if chance(random, 0.7) else [])
    k = k if len(names) == 2 else 0
    rows, columns = np.indices(x.shape[-2:])
    kept = columns - rows >= k if upper else columns - rows <= k
    graph.add(operator, names, np.where(kept, x, np.zeros((), x.dtype)),
              {'upper': upper} if not upper or chance(random, 0.5) else None)


@case('DepthToSpace', 'SpaceToDepth')
def depth_space(operator, graph, random):
    block, n, c, h, w = (choose(random, [1, 2, 3]), *(choose(random, [1, 2, 3, 5, 8]) for _ in range(4)))
    attributes = {'blocksize': block}
    if operator == 'SpaceToDepth':
        x = elements(random, (n, c, h * block, w * block))
        y = x.reshape(n, c, h, block, w, block).transpose(0, 3, 5, 1, 2, 4).reshape(n, c * block**2, h, w)
    else:
        x = elements(random, (n, c * block**2, h, w))
        column_first = chance(random, 0.5)
        parts = x.reshape((n, c, block, block, h, w) if column_first else (n, block, block, c, h, w))
        y = parts.transpose((0, 1, 4, 2, 5, 3) if column_first else (0, 3, 4, 1, 5, 2)).reshape(n, c,
                                                                                                h * block,
                                                                                                w * block)
        if column_first or chance(random, 0.5):
            attributes['mode'] = 'CRD' if column_first else 'DCR'
    graph.add(operator, [graph.given(x)], y, attributes)
