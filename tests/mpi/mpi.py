"""Harness of the MPI tests: real launchers, real libraries, and images that hold the same libraries.

Open MPI and MPICH are the distribution's, installed side by side (mpirun.openmpi and mpirun.mpich, mpicc.*: Debian's
names).  The images are squashed from this host's files: the programs' libraries, their plugins and settings, busybox.
Started as root, a test file runs in namespaces of its own: whatever it starts listens on a loopback that nobody else
has, and ends with it.
"""
import contextlib
import fcntl
import glob
import hashlib
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(1, os.path.join(os.path.dirname(HERE), 'integration'))

# pylint: disable=wrong-import-position
import distribution  # noqa: E402
import swtest  # noqa: E402

FAMILIES = 'openmpi', 'mpich'
FOLDER = os.path.join(swtest.STAGE, 'mpi')
SECRETS = 8                 # files of an image that are read late, /data/part.N
# Looked for at run time, so no program names them.  Open MPI says what is wrong in words of its help files.
PLUGINS = 'openmpi/lib/openmpi3/*.so', 'pmix2/lib/pmix/*.so', 'ucx/*.so*'
SETTINGS = '/etc/openmpi', '/usr/share/openmpi', '{lib}/pmix2/share/pmix'
PROGRAMS = 'mpirun.openmpi', 'orted', 'mpirun.mpich', 'hydra_pmi_proxy'
# What keeps a library from reading other ranks' memory: nothing of it may be set where it can.
FALLBACKS = {'OMPI_MCA_btl_vader_single_copy_mechanism': 'none', 'UCX_TLS': '^cma', 'UCX_POSIX_USE_PROC_LINK': 'n'}


# ------------------------------------------------------------------------------------------------ the world of a test
INSIDE = 'SWRUN_TEST_MPI_INSIDE'
NAMESPACES = 'unshare', '--net', '--pid', '--uts', '--mount', '--fork', '--mount-proc', '--kill-child=KILL'


def enter_namespaces():
    """Root: this program again, as the child of a new process 1, with whose end everything ends."""
    if os.geteuid():
        return
    if INSIDE not in os.environ:
        if subprocess.run([*NAMESPACES, 'true'], stderr=subprocess.DEVNULL, check=False).returncode:
            return                      # Case.setUpClass says so
        os.execvpe(NAMESPACES[0], [*NAMESPACES, sys.executable, '-B', *sys.argv], dict(os.environ, **{INSIDE: '1'}))
    tests = os.fork()
    while tests:
        ended, status = os.wait()
        if ended == tests:
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)
    with socket.socket() as any_socket:
        # A second address: the resolver leaves out IPv4 for who has none but 127.0.0.1 (getaddrinfo(3), AI_ADDRCONFIG).
        for name, request, value in ((b'lo', 0x8914, struct.pack('H', 1)),                                 # SIOCSIFFLAGS
                                     (b'lo:1', 0x8916, struct.pack('HH4s8x', 2, 0, bytes([127, 0, 0, 2])))):  # SIOCSIFADDR
            fcntl.ioctl(any_socket, request, struct.pack('16s24s', name, value))
    socket.sethostname('localhost')
    swtest.call_libc('mount', b'tmpfs', b'/dev/shm', b'tmpfs', 0, b'mode=1777')


# ------------------------------------------------------------------------------------------------ images
def compile_probes():
    for family in FAMILIES:
        subprocess.run(['mpicc.' + family, '-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-rdynamic',
                        os.path.join(HERE, 'probe.c'), '-o', os.path.join(FOLDER, 'probe.' + family)], check=True)


def libraries(files):
    """Everything that the loader would load for these."""
    listed = subprocess.run(['ldd', *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True,
                            check=False).stdout
    return {match.group(1) for match in re.finditer(r'(?:=> |^\t)(/\S+) \(0x', listed, re.MULTILINE)}


def copy(source, tree):
    """Under its own name, with the folder's other names leading there: /lib is /usr/lib in the tree, as on the host."""
    where = os.path.realpath(os.path.dirname(source))
    target = os.path.join(tree, where[1:], os.path.basename(source))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        shutil.copy(source, target)


def make_images():
    tree = os.path.join(FOLDER, 'tree')
    shutil.copytree(os.path.join(swtest.IMAGES, 'sandbox'), tree, symlinks=True)
    for folder in ('lib', 'lib64'):
        if os.path.islink('/' + folder):
            os.makedirs(os.path.join(tree, 'usr', folder))
            os.symlink('usr/' + folder, os.path.join(tree, folder))
    programs = [found for found in map(shutil.which, PROGRAMS) if found]
    probes = [os.path.join(FOLDER, 'probe.' + family) for family in FAMILIES]
    lib = {os.path.realpath(os.path.dirname(path)) for path in libraries(probes) if 'libmpi' in path}
    lib = min(lib, key=len)
    plugins = [path for pattern in PLUGINS for path in glob.glob(os.path.join(lib, pattern))]
    for path in [*programs, *plugins, *libraries(programs + probes + plugins)]:
        copy(path, tree)
    for folder in SETTINGS:
        folder = folder.format(lib=lib)
        if os.path.isdir(folder):
            shutil.copytree(folder, tree + folder, symlinks=False)
    for probe in probes:
        shutil.copy(probe, os.path.join(tree, 'bin'))
    numbers = random.Random(7)
    for i in range(SECRETS):
        with open(os.path.join(tree, 'data', f'part.{i}'), 'wb') as out:
            out.write(bytes(numbers.getrandbits(8) for _ in range(1 << 10)) * (1 << 10))
    base = os.path.join(FOLDER, 'base.sqfs')
    distribution.squash(tree, base, '-comp', 'gzip', '-Xcompression-level', '1', '-all-root')
    for name in 'AB':
        extra = os.path.join(FOLDER, 'extra.' + name)
        os.mkdir(extra)
        with open(os.path.join(extra, 'image-name'), 'w', encoding='utf-8') as out:
            out.write(name + '\n')
        distribution.add_to(base, extra, os.path.join(FOLDER, name + '.sqfs'))
        shutil.rmtree(extra)
    os.unlink(base)
    shutil.rmtree(tree)


def need_mpi():
    lacking = [name for family in FAMILIES for name in ('mpirun.' + family, 'mpicc.' + family) if not shutil.which(name)]
    if lacking:
        swtest.cannot('not installed: ' + ' '.join(lacking))
    if os.geteuid() == 0 and INSIDE not in os.environ:
        swtest.cannot('root may not make namespaces here')
    with distribution.alone('mpi'):
        stamp = os.path.join(FOLDER, 'made')
        if not distribution.newer(stamp, os.path.join(HERE, 'probe.c')):
            shutil.rmtree(FOLDER, ignore_errors=True)
            os.mkdir(FOLDER, 0o755)
            compile_probes()
            make_images()
            with open(stamp, 'w', encoding='utf-8'):
                pass


def part_digest(i):
    """What md5sum prints for /data/part.I."""
    numbers = random.Random(7)
    for _ in range(i + 1):
        block = bytes(numbers.getrandbits(8) for _ in range(1 << 10))
    return hashlib.md5(block * (1 << 10)).hexdigest()


# ------------------------------------------------------------------------------------------------ launches
class Case(swtest.Case):
    family = ''

    @classmethod
    def setUpClass(cls):
        need_mpi()
        super().setUpClass()
        cls.a, cls.b = (os.path.join(FOLDER, name + '.sqfs') for name in 'AB')

    def setUp(self):
        super().setUp()
        self.addCleanup(self.look_for_leftovers)

    def doors(self):
        """Names of the sockets by which launches of the test user find each other."""
        with open('/proc/net/unix', encoding='utf-8', errors='replace') as table:
            return set(re.findall(rf'@(swrun-{self.user.uid}-\S+)', table.read()))

    def servers(self):
        """{pid: comm} of what swrun keeps running beside the programs."""
        return {pid: comm for pid, (comm, _) in self.user.processes().items() if comm.startswith('swrun')}

    def look_for_leftovers(self):
        if not self.user.root:
            self.assertTrue(swtest.wait_for(lambda: not self.doors(), 5), 'sockets left')
            return
        gone = swtest.wait_for(lambda: not self.user.processes() and not self.doors(), 5)
        left = self.user.processes(), self.doors(), os.listdir('/dev/shm')
        for pid in left[0]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.sweep_shared_memory()
        self.assertTrue(gone, f'left behind: {left}')
        self.assertEqual(left[2], [], 'left in /dev/shm')

    def room(self, family=None):
        """Options for more ranks than processors."""
        return ['--oversubscribe'] if (family or self.family) == 'openmpi' else []

    def settings(self, **more):
        """A launcher's own files go to the test's folder; Open MPI's takes no loopback by itself where it sees two."""
        return dict({'TMPDIR': self.work, 'OMPI_MCA_oob_tcp_if_include': 'lo'}, **more)

    def mpirun(self, family, *argv, **more):
        more['env'] = self.settings(**more.get('env', {}))
        return self.run_as_user('mpirun.' + family, *self.room(family), *argv, **more)

    def sweep_shared_memory(self):
        """After ranks that were killed: what they could not remove."""
        for name in os.listdir('/dev/shm'):
            if os.stat('/dev/shm/' + name).st_uid == self.user.uid:
                os.unlink('/dev/shm/' + name)

    def quiet(self, done):
        """A run that succeeds and has nothing to say beside its output."""
        self.assertEqual((done.status, done.err), (0, ''), repr(done))
        return done

    def assert_world(self, done, images='AAAA', users=1, mounts=1, fallbacks=False):
        """What `probe world` printed: everybody there, everybody's memory open to all who share a user namespace."""
        ranks = self.quiet(done).json()['ranks']
        self.assertEqual([rank['rank'] for rank in ranks], list(range(len(images))))
        self.assertEqual({rank['size'] for rank in ranks}, {len(images)})
        self.assertEqual(''.join(rank['image'] for rank in ranks), images)
        self.assertEqual(len({rank['user'] for rank in ranks}), users, repr(done))
        self.assertEqual(len({rank['mount'] for rank in ranks}), mounts, repr(done))
        self.assertNotIn(os.readlink('/proc/self/ns/user'), {rank['user'] for rank in ranks})
        for rank in ranks:
            self.assertEqual(bool(rank['variables']), fallbacks, repr(done))
            expected = [0 if other['user'] == rank['user'] else 1 for other in ranks]
            self.assertEqual(rank['reads'], expected, repr(done))
        return ranks

    def assert_messages(self, done, by_copy=True):
        said = self.quiet(done).json()
        self.assertEqual((said['size'], said['sizes'], said['failed']), (4, 24, 0), repr(done))
        self.assertEqual(said['copies'] > 0, by_copy, repr(done))

    def assert_parts(self, done, ranks):
        """Every rank has read its own file, whoever had ended by then."""
        self.assertEqual(sorted(self.quiet(done).out.split('\n')[:-1]),
                         sorted(f'{part_digest(i)}  /data/part.{i}' for i in range(ranks)))


def main():
    enter_namespaces()
    swtest.main()
