"""The content: the same files as SIF, squashfs and unpacked tree, where the measuring user can read them."""
import hashlib
import os
import shutil
import stat
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # scripts/ or libexec/swrun/
REPO = os.path.dirname(HERE)
COMPRESSORS = {1: 'gzip', 2: 'lzma', 3: 'lzo', 4: 'xz', 5: 'lz4', 6: 'zstd'}
SETS = {
    'small': ('extract', ['python3-minimal', 'bash', 'dash', 'coreutils', 'findutils']),
    'science': ('apt', ['python3-minimal', 'python3-numpy', 'python3-scipy', 'coreutils', 'findutils', 'bash', 'dash']),
}
SMALL_FILE = 8192
READERS = 4
NOT_OURS = ('dev', 'proc', 'sys', 'tmp', 'home', 'root', 'run', 'mnt', 'media', 'lost+found')
# What make_sif.py calls the machine (Go's names).
ARCHES = {'x86_64': 'amd64', 'aarch64': 'arm64', 'ppc64le': 'ppc64le', 's390x': 's390x', 'riscv64': 'riscv64'}


class ImageError(Exception):
    pass


def run(argv, why):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        raise ImageError(f'{why}: {argv[0]}: {error.strerror}') from error
    if done.returncode:
        raise ImageError(f"{why}: {' '.join(argv)} failed:\n{done.stdout.decode(errors='replace')[-2000:]}")


# ------------------------------------------------------------------------------------------------ what a file is
def sif_partition(file):
    """(offset, size) of the primary partition of an open SIF file."""
    file.seek(0)
    head = file.read(128)
    count, table = struct.unpack_from('<q', head, 88)[0], struct.unpack_from('<q', head, 96)[0]
    for number in range(min(count, 4096)):
        file.seek(table + number * 585)
        raw = file.read(585)
        if len(raw) < 585:
            break
        kind, used, _, _, _, offset, size = struct.unpack_from('<iBIIIqq', raw)
        part = struct.unpack_from('<i', raw, 205)[0]
        if used and kind == 0x4004 and part == 2:
            return offset, size
    raise ImageError('the SIF has no primary partition')


def superblock(file, offset):
    file.seek(offset)
    raw = file.read(96)
    if len(raw) < 96 or raw[:4] != b'hsqs':
        raise ImageError('no squashfs file system inside')
    inodes, _, block, _, compressor = struct.unpack_from('<IIIIH', raw, 4)
    return {'inodes': inodes, 'block_size': block, 'compressor': COMPRESSORS.get(compressor, f'number {compressor}'),
            'squashfs_bytes': struct.unpack_from('<Q', raw, 40)[0]}


def look_at(path):
    """{kind: sif|squashfs|dir, offset, size, ...} of what the caller named."""
    if os.path.isdir(path):
        return {'kind': 'dir'}
    try:
        with open(path, 'rb') as file:
            head = file.read(64)
            offset, size, kind = 0, os.path.getsize(path), 'squashfs'
            if head[32:41] == b'SIF_MAGIC':
                (offset, size), kind = sif_partition(file), 'sif'
            return dict(superblock(file, offset), kind=kind, offset=offset, size=size)
    except (OSError, struct.error) as error:
        raise ImageError(f'{path}: {error}') from error
    except ImageError as error:
        raise ImageError(f'{path}: {error}') from error


# ------------------------------------------------------------------------------------------------ the default images
def cache_folder():
    if os.path.isdir(os.path.join(REPO, 'src')) and os.path.exists(os.path.join(REPO, 'CMakeLists.txt')):
        return os.path.join(REPO, 'build', 'cache')
    base = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    return os.path.join(base, 'swrun-bench')


def default_image(name, folder, compression, say):
    """A SIF of this distribution's packages, made once."""
    variant, packages = SETS[name]
    tree, stem = os.path.join(folder, 'bench-' + name), os.path.join(folder, f"bench-{name}-{compression.replace(':', '-')}")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(tree + '.made') or not os.path.exists(stem + '.sif'):
        say(f'making the {name} image of this distribution below {folder} (once; its packages are downloaded)')
    run([os.path.join(HERE, 'make_tree.sh'), tree, variant, *packages], 'the default image needs root, and mmdebstrap or dnf')
    if not os.path.exists(stem + '.sif') or os.path.getmtime(stem + '.sif') < os.path.getmtime(tree + '.made'):
        # Every peer shall be able to read every file, also those that show the owners of the image.
        run(['chmod', '-R', 'a+rX', tree], 'opening the tree')
        squash(tree, stem + '.sqfs', compression)
        wrap_sif(stem + '.sqfs', stem + '.sif')
        os.unlink(stem + '.sqfs')
    return stem + '.sif'


def squash(tree, image, compression='gzip'):
    """`compression` is mksquashfs's name, or none, with a block size after a colon if need be: zstd, gzip:1M."""
    kind, _, block = compression.partition(':')
    how = ['-noI', '-noD', '-noF', '-noX'] if kind == 'none' else ['-comp', kind]
    run(['mksquashfs', tree, image, *how, '-b', block or '128K', '-noappend', '-no-progress', '-quiet', '-no-xattrs'],
        'making a squashfs image (package squashfs-tools)')
    os.chmod(image, 0o644)


def wrap_sif(image, sif):
    tool = next((path for path in (os.path.join(HERE, 'make_sif.py'), os.path.join(REPO, 'tests', 'support', 'make_sif.py'))
                 if os.path.exists(path)), None)
    if tool is None:
        raise ImageError('make_sif.py is not installed beside swrun-bench')
    run([sys.executable, tool, '--arch', ARCHES.get(os.uname().machine, 'unknown'), image, sif + '.new'], 'wrapping a SIF')
    os.chmod(sif + '.new', 0o755)
    os.rename(sif + '.new', sif)


# ------------------------------------------------------------------------------------------------ staging
class Content:
    """sif, squashfs, tree: paths or None; facts: what the report says about the image."""

    def __init__(self, given, folder):
        self.given, self.folder = given, folder
        self.sif = self.squashfs = self.uncompressed = self.tree = None
        self.lists, self.facts, self.problems = {}, {}, []

    def has(self, *programs):
        """Whether each program is in the tree; without a tree nobody knows, and trying will tell."""
        return self.tree is None or all(self.find(program) for program in programs)

    def tops(self):
        """Top directories of the image that nobody binds over."""
        if self.tree is None:
            return ['/usr']
        return ['/' + name for name in sorted(os.listdir(self.tree)) if name not in NOT_OURS and
                os.path.isdir(os.path.join(self.tree, name)) and not os.path.islink(os.path.join(self.tree, name))]

    def find(self, program):
        for folder in ('usr/local/bin', 'usr/bin', 'bin', 'usr/sbin', 'sbin'):
            path = os.path.join(self.tree, folder, program)
            if os.path.lexists(path):
                return path
        return None

    def has_python(self, *modules):
        if self.tree is None:
            return False
        wanted = set(modules)
        for top in ('usr/lib', 'usr/local/lib', 'usr/lib64', 'opt'):
            for folder, names, _ in os.walk(os.path.join(self.tree, top)):
                if os.path.basename(folder) in ('dist-packages', 'site-packages'):
                    wanted -= set(names)
                    names[:] = []
                if not wanted:
                    return True
        return not wanted


def stage(path, folder, user, readable, compression, say):
    """Makes the forms in `folder`.  A folder that holds them already, of the same image, is used again."""
    path = os.path.abspath(path)
    seen = look_at(path)
    key = hashlib.sha256(f'{path} {os.stat(path).st_size} {os.stat(path).st_mtime_ns} {compression}'.encode()).hexdigest()[:12]
    folder = os.path.join(folder, 'content-' + key)
    fresh = not os.path.exists(os.path.join(folder, 'complete'))
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder, 0o755)
        say(f"staging {path} in {folder}")
    content = Content(path, folder)
    names = {name: os.path.join(folder, name) for name in ('image.sif', 'image.sqfs', 'plain.sqfs', 'tree')}
    if seen['kind'] == 'dir':
        if fresh:
            squash(path, names['image.sqfs'], compression)
        content.squashfs = names['image.sqfs']
    elif seen['kind'] == 'sif':
        content.sif = path if readable(path) else names['image.sif']
        if fresh and content.sif != path:
            shutil.copyfile(path, content.sif)
            os.chmod(content.sif, 0o755)
        if fresh:
            copy_part(path, seen['offset'], seen['size'], names['image.sqfs'])
        content.squashfs = names['image.sqfs']
    else:
        content.squashfs = path if readable(path) else names['image.sqfs']
        if fresh and content.squashfs != path:
            shutil.copyfile(path, content.squashfs)
    make_sif_form(content, names, fresh)
    make_tree_form(content, names, path if seen['kind'] == 'dir' else None, user, readable, fresh)
    make_uncompressed_form(content, names, fresh)
    content.facts = dict(look_at(content.squashfs), given=path, given_kind=seen['kind'], file_bytes=os.path.getsize(content.squashfs))
    content.facts.pop('kind')
    if fresh:
        with open(os.path.join(folder, 'complete'), 'w', encoding='utf-8'):
            pass
    return content


def copy_part(path, offset, size, to):
    with open(path, 'rb') as source, open(to, 'wb') as out:
        source.seek(offset)
        while size:
            piece = source.read(min(size, 1 << 22))
            if not piece:
                raise ImageError(f'{path} is shorter than its partition')
            out.write(piece)
            size -= len(piece)
    os.chmod(to, 0o644)


def make_sif_form(content, names, fresh):
    if content.sif is not None:
        return
    try:
        if fresh:
            wrap_sif(content.squashfs, names['image.sif'])
        content.sif = names['image.sif'] if os.path.exists(names['image.sif']) else None
    except ImageError as error:
        content.problems.append(f'no SIF form: {error}')


def make_tree_form(content, names, given, user, readable, fresh):
    if given is not None and readable(given):
        content.tree = given
        return
    try:
        if fresh:
            run(['unsquashfs', '-quiet', '-no-progress', '-no-xattrs', '-dest', names['tree'], content.squashfs],
                'unpacking the image (package squashfs-tools)')
            if os.geteuid() == 0:
                run(['chown', '-R', user + ':', names['tree']], 'giving the tree to the measuring user')
            run(['chmod', '-R', 'u+rwX', names['tree']], 'opening the tree')
        content.tree = names['tree']
    except ImageError as error:
        shutil.rmtree(names['tree'], ignore_errors=True)
        content.problems.append(f'no directory form: {error}')


def make_uncompressed_form(content, names, fresh):
    if content.tree is None:
        return
    try:
        if fresh:
            squash(content.tree, names['plain.sqfs'], 'none')
        content.uncompressed = names['plain.sqfs'] if os.path.exists(names['plain.sqfs']) else None
    except ImageError as error:
        content.problems.append(f'no form without compression: {error}')


def write_lists(content, folder):
    """The files that every reader reads, the same for all: {'stream': [path], 'small': [four paths], ...counts}."""
    everything, small = [], []
    if content.tree is None:
        return
    top = os.path.join(content.tree, 'usr')
    for place, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if os.lstat(os.path.join(place, name)).st_mode & 0o5 == 0o5)
        for name in sorted(names):
            status = os.lstat(os.path.join(place, name))
            if stat.S_ISREG(status.st_mode) and status.st_mode & 0o4:
                inside = os.path.join(place, name)[len(content.tree):]
                everything.append((inside, status.st_size))
                if 0 < status.st_size <= SMALL_FILE:
                    small.append((inside, status.st_size))
    groups = {'stream': [everything], 'small': [small[number::READERS] for number in range(READERS)]}
    for name, parts in groups.items():
        paths = []
        for number, part in enumerate(parts):
            paths.append(os.path.join(folder, f'{name}.{number}'))
            with open(paths[-1], 'wb') as out:
                out.write(b''.join(os.fsencode(path) + b'\0' for path, _ in part))
            os.chmod(paths[-1], 0o644)
        content.lists[name] = {'paths': paths, 'files': sum(map(len, parts)), 'bytes': sum(size for part in parts for _, size in part)}
