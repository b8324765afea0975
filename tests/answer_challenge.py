"""answer_challenge.py FILE - the answer of the One Billion Row Challenge in plain Python, to compare with."""
import sys

found = {}
for line in open(sys.argv[1], 'rb').read().split(b'\n'):
    if not line:
        continue
    name, text = line.split(b';')
    tenths = int(text.replace(b'.', b''))
    count, total, least, greatest = found.get(name, (0, 0, tenths, tenths))
    found[name] = (count + 1, total + tenths, min(least, tenths), max(greatest, tenths))


def degrees(tenths):
    return '%s%d.%d' % ('-' if tenths < 0 else '', abs(tenths) // 10, abs(tenths) % 10)


def entry(name):
    count, total, least, greatest = found[name]
    mean = (2 * total + count) // (2 * count)  # half up, towards positive infinity
    return name + ('=%s/%s/%s' % tuple(map(degrees, (least, mean, greatest)))).encode()


sys.stdout.buffer.write(b'{' + b', '.join(map(entry, sorted(found))) + b'}\n')
