"""Trees that go into the images of the differential tests, and what mksquashfs makes of them.  Python 3.8."""
import os
import random
import shutil
import subprocess
import zlib

KIB = 1024
MIB = 1024 * KIB
SIZES = (0, 1, 4095, 4096, 4097, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB - 1, 128 * KIB, 128 * KIB + 1, 384 * KIB,
         MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1, 2 * MIB + 100 * KIB)  # 2 MiB: 512 blocks of 4 KiB
TIMES = (0, 1, 946684800, 2**31 - 1, 2**31, 2**31 + 5, 2**32 - 1, -5)  # -5: 1969, which squashfs cannot say
MODES = (0o000, 0o400, 0o644, 0o4755, 0o2755, 0o1644, 0o7777)
PSEUDO = """\
/special d 755 0 0
/special/null c 666 0 0 1 3
/special/disk b 660 0 6 259 0
/special/largest b 600 4294967294 4294967294 4095 1048575
/special/high c 600 65536 70000 511 256
/special/pipe i 622 1 2 f
/special/socket i 755 3 4 s
/special/owned d 750 4294967294 65534
/special/link s 777 5 6 ../text/made/by/a/pseudo/file
"""
WORDS = b'the quick brown fox jumps over the lazy dog and then some more of it, again and again; '


class Maker:
    """Deterministic content: some that compresses, some that does not, some of both."""
    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, size):
        start = self.random.randrange(len(WORDS))
        number = b'%d ' % self.random.randrange(10**9)
        return (number + (WORDS * (size // len(WORDS) + 2))[start:])[:size]

    def noise(self, size):
        return self.random.getrandbits(8 * size).to_bytes(size, 'little') if size else b''

    def mixed(self, size):
        parts, left = [], size
        while left > 0:
            one = min(left, self.random.randrange(1, 50000))
            parts.append((self.text, self.noise, bytes)[self.random.randrange(3)](one))
            left -= one
        return b''.join(parts)


def write(path, data):
    with open(path, 'wb') as out:
        out.write(data)


def write_sparse(path, size, pieces):
    with open(path, 'wb') as out:
        for at, data in pieces:
            out.seek(at)
            out.write(data)
        out.truncate(size)


def set_xattr(path, name, value):
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError:
        return 0
    return 1


def rich(top):
    """A little of everything.  Gives the number of extended attributes that this host let us set."""
    make = Maker(1)
    for kind in ('text', 'noise', 'mixed'):
        os.makedirs(f'{top}/{kind}')
        for size in SIZES[::1 if kind == 'mixed' else 3]:
            write(f'{top}/{kind}/{size}', getattr(make, kind)(size))
    os.mkdir(f'{top}/sparse')
    write_sparse(f'{top}/sparse/all', 3 * MIB, [])
    write_sparse(f'{top}/sparse/start', 2 * MIB + 7, [(MIB + 3, make.noise(5000))])
    write_sparse(f'{top}/sparse/end', 2 * MIB, [(0, make.text(70000))])
    write_sparse(f'{top}/sparse/between', 3 * MIB + 5, [(0, b'a'), (MIB, make.noise(4096)), (3 * MIB, b'last.')])
    write(f'{top}/sparse/zeros', bytes(300000))
    os.mkdir(f'{top}/names')
    for name in (b'n' * 255, b'\xc3\xa4' * 127, b'\xff\xfe\x01', b'new\nline', b'back\\slash', b' ', b'-rf', b'a', b'a0', b'a.b',
                 b'ab', b'\x01', b'~', b'Z', b'z'):
        write(os.path.join(os.fsencode(top), b'names', name), name)
    for count in (0, 1, 300):
        os.mkdir(f'{top}/entries{count}')
        for i in range(count):
            write(f'{top}/entries{count}/{make.random.randrange(10**6)}-{i}', make.text(i * 7))
    deep = f'{top}/deep'
    for level in range(60):
        deep += f'/level-{level:02}'
    os.makedirs(deep)
    write(f'{deep}/bottom', b'down here\n')
    os.mkdir(f'{top}/links')
    for name, target in (('short', 'x'), ('dangling', '/no/such/file'), ('long', 'y/' * 2047), ('odd', 'new\nline \\'),
                         ('up', '../..')):
        os.symlink(target, f'{top}/links/{name}')
    write(f'{top}/links/first', make.mixed(200000))
    for name in ('links/second', 'links/third', 'deep/fourth'):
        os.link(f'{top}/links/first', f'{top}/{name}')
    os.link(f'{top}/links/short', f'{top}/links/short-too')
    shutil.copy(f'{top}/mixed/{MIB + 1}', f'{top}/copy-of-{MIB + 1}')
    os.mkdir(f'{top}/modes')
    for mode in MODES:
        write(f'{top}/modes/{mode:o}', b'%o' % mode)
        os.mkdir(f'{top}/modes/d{mode:o}')
    os.mkdir(f'{top}/xattrs')
    xattrs = 0
    for i in range(40):
        path = f'{top}/xattrs/{i}'
        write(path, b'x')
        for j in range(i % 4):
            xattrs += set_xattr(path, f'user.name{j}', make.noise((i * 37) % 1500))
    xattrs += set_xattr(f'{top}/xattrs', 'user.directory', b'of a directory')
    if os.geteuid() == 0:
        os.symlink('x', f'{top}/xattrs/link')
        xattrs += set_xattr(f'{top}/xattrs/link', 'trusted.link', b'of a link')
        xattrs += set_xattr(f'{top}/xattrs/0', 'security.capability', bytes.fromhex('0100000200200000' + '00' * 12))
        for i, path in enumerate(sorted(os.listdir(f'{top}/entries300'))):
            os.lchown(f'{top}/entries300/{path}', i * 1000, 4294967294 - i)
    for mode in MODES:
        os.chmod(f'{top}/modes/{mode:o}', mode)
        os.chmod(f'{top}/modes/d{mode:o}', mode | 0o500 if os.geteuid() else mode)
    os.mkdir(f'{top}/times')
    for time in TIMES:
        write(f'{top}/times/{time}', b'')
        os.utime(f'{top}/times/{time}', (time, time))
    return xattrs


def wide(top):
    """Directories with an index, and more inodes, owners and fragments than one block of their tables holds.  Gives
    lines for mksquashfs -pf that spread the owners."""
    make = Maker(2)
    lines = []
    os.mkdir(f'{top}/wide')
    for i in range(5000):
        name = f'{i * 7919 % 5000:04}' + 'n' * (i % 60)
        write(f'{top}/wide/{name}', make.text(i % 900))
        lines.append(f'wide/{name} m 0{0o600 + i % 64:o} {i % 2500 * 100000} {i % 1300}')
    os.mkdir(f'{top}/directories')
    for i in range(700):
        os.makedirs(f'{top}/directories/{i}/below')
    return '\n'.join(lines) + '\n'


def huge(top):
    """Sizes beyond 32 bits, of which next to nothing is stored."""
    make = Maker(3)
    write_sparse(f'{top}/five', 5 * KIB * MIB + 3, [(0, b'start'), (4 * KIB * MIB - 2, make.noise(300000)),
                                                    (5 * KIB * MIB, b'end')])
    write_sparse(f'{top}/hole', 4 * KIB * MIB, [])
    write(f'{top}/after', make.mixed(300000))


def mksquashfs(tree, image, *options):
    done = subprocess.run(['mksquashfs', tree, image, '-noappend', '-no-progress', '-quiet', *options], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=300)
    if done.returncode:
        raise AssertionError(f'mksquashfs {options}: {done.stdout}')
    return image


def printable(name):
    """As the tools of these tests print it."""
    return ''.join(chr(b) if 0x20 < b < 0x7f and b != 0x5c else f'\\x{b:02x}' for b in os.fsencode(name))


def crc_of(path):
    with open(path, 'rb') as file:
        return f'{zlib.crc32(file.read()):08x}'


def facts(top):
    """{path: fields} of a tree of this host, as `squash_diff --list` knows them; links, inode numbers and the size of a
    directory are the image's own."""
    found = {}
    for folder, directories, files in os.walk(top):
        for name in ['.'] * (folder == top) + directories + files:
            path = folder if name == '.' else os.path.join(folder, name)
            st = os.lstat(path)
            kind = 'd' if os.path.isdir(path) and not os.path.islink(path) else 'l' if os.path.islink(path) else 'f'
            fields = {'kind': kind, 'mode': f'{st.st_mode & 0o7777:o}', 'uid': str(st.st_uid), 'gid': str(st.st_gid),
                      'mtime': str(int(st.st_mtime_ns // 10**9) % 2**32)}
            if kind == 'l':
                fields['target'] = printable(os.readlink(path))
            if kind == 'f':
                fields['nlink'], fields['size'] = str(st.st_nlink), str(st.st_size)
                if st.st_size <= 64 * MIB:
                    fields['crc'] = crc_of(path)
            found[printable(os.path.relpath(path, top))] = fields
    return found
