"""Harness of the integration tests: stages, users, launches, leftovers.  Python 3.8, standard library only.

A test file is a unittest module that ends with `swtest.main()`.  The stage (an installed copy and the test images) is
made once per ctest run by stage.py and found through SWRUN_STAGE.  Started as root, everything that launches runs as
the ordinary user `swtest` (or `swleft` where a test counts processes); started as another user, as that user.
A test that this host cannot run calls cannot(), which fails it when SWRUN_TESTS_MUST_RUN is set.
"""
import ctypes
import fcntl
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

STAGE = os.environ.get('SWRUN_STAGE', '')
MUST_RUN = bool(os.environ.get('SWRUN_TESTS_MUST_RUN'))
SYSPATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
IMAGES = os.path.join(STAGE, 'images')
SKIPPED = 77


def cannot(why):
    """This host lacks something: a skip by name, or a failure where nothing may be skipped."""
    if MUST_RUN:
        raise AssertionError(f'cannot run here: {why} (SWRUN_TESTS_MUST_RUN is set)')
    raise unittest.SkipTest(why)


# ------------------------------------------------------------------------------------------------ users
class User:
    def __init__(self, name, uid):
        self.root = os.geteuid() == 0
        if self.root:
            ensure_user(name, uid)
            entry = pwd.getpwnam(name)
        else:
            entry = pwd.getpwuid(os.geteuid())
        self.name, self.uid, self.gid, self.home = entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir

    def become(self):
        """In a child: for good."""
        if self.root:
            os.setgroups([self.gid])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)

    def environment(self, extra=None):
        env = {'HOME': self.home, 'USER': self.name, 'LOGNAME': self.name, 'LANG': 'C.UTF-8',
               'PATH': os.path.join(STAGE, 'bin') + ':' + SYSPATH}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS'):
            if name in os.environ:
                env[name] = os.environ[name]
        for name, value in (extra or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    def give(self, path):
        if self.root:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def processes(self):
        """{pid: (comm, session)} of everything this user runs that is not a zombie."""
        found = {}
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if os.stat('/proc/' + pid).st_uid != self.uid:
                    # A process that is not dumpable belongs to root there: look at what it runs as.
                    with open(f'/proc/{pid}/status', encoding='utf-8', errors='replace') as status:
                        if f'\nUid:\t{self.uid}\t' not in status.read():
                            continue
                with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as line:
                    head, _, tail = line.read().rpartition(')')
            except OSError:
                continue
            fields = tail.split()
            if fields[0] not in 'ZX':
                found[int(pid)] = (head.partition('(')[2], int(fields[3]))
        return found


def add_line(path, key, line):
    with open(path, 'a+', encoding='utf-8') as table:
        fcntl.flock(table, fcntl.LOCK_EX)
        table.seek(0)
        text = table.read()
        if not any(entry.startswith(key + ':') for entry in text.splitlines()):
            table.write(('' if not text or text.endswith('\n') else '\n') + line + '\n')


def ensure_user(name, uid):
    add_line('/etc/group', name, f'{name}:x:{uid}:')
    add_line('/etc/passwd', name, f'{name}:x:{uid}:{uid}:swrun test:/home/{name}:/bin/bash')
    home = '/home/' + name
    os.makedirs(home, 0o755, exist_ok=True)
    os.chown(home, uid, uid)


def make_fuse_usable():
    if os.geteuid():
        return
    try:
        if not os.path.exists('/dev/fuse'):
            os.mknod('/dev/fuse', 0o666 | stat.S_IFCHR, os.makedev(10, 229))
        os.chmod('/dev/fuse', 0o666)
    except OSError:
        pass


def need_host(user):
    """What every launch of an image file needs."""
    make_fuse_usable()
    if subprocess.run(['unshare', '-Urm', 'true'], stderr=subprocess.DEVNULL, preexec_fn=user.become).returncode:
        cannot('no unprivileged user namespaces')
    if subprocess.run(['sh', '-c', ': <>/dev/fuse'], stderr=subprocess.DEVNULL, preexec_fn=user.become).returncode:
        cannot('/dev/fuse cannot be opened')


# ------------------------------------------------------------------------------------------------ launches
class Done:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f'status {self.status}\n--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}'


class Case(unittest.TestCase):
    """One test with an empty folder of its own, `self.work`, which is also the working directory of its launches."""
    user_name, user_id = 'swtest', 7031
    longMessage = True

    @classmethod
    def setUpClass(cls):
        if not STAGE or not os.path.isdir(STAGE):
            raise AssertionError('SWRUN_STAGE names no stage: run through ctest, or run stage.py first')
        cls.user = User(cls.user_name, cls.user_id)
        need_host(cls.user)
        cls.images = IMAGES
        cls.image = os.path.join(IMAGES, 'gzip.sqfs')

    def setUp(self):
        self.work = os.path.realpath(tempfile.mkdtemp(prefix='swtest.', dir='/tmp'))
        os.chmod(self.work, 0o755)
        self.user.give(self.work)
        self.addCleanup(remove_tree, self.work)

    def popen(self, argv, env=None, cwd=None, before=None, **more):
        """Popen as the test user.  `before` runs in the child, as that user, just before exec."""
        def prepare():
            self.user.become()
            os.umask(0o022)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.chdir(cwd or self.work)
            if before:
                before()
        more.setdefault('stdin', subprocess.DEVNULL)
        more.setdefault('stdout', subprocess.PIPE)
        more.setdefault('stderr', subprocess.PIPE)
        more.setdefault('start_new_session', True)
        argv = [os.path.join(STAGE, 'bin', argv[0])] + list(argv[1:]) if '/' not in argv[0] and os.path.exists(
            os.path.join(STAGE, 'bin', argv[0])) else list(argv)
        return subprocess.Popen(argv, env=self.user.environment(env), preexec_fn=prepare, restore_signals=False, **more)

    def run_as_user(self, *argv, stdin=None, timeout=60, **more):
        if stdin is not None:
            more['stdin'] = subprocess.PIPE
        child = self.popen(argv, **more)
        try:
            out, err = child.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            self.fail(f'no end after {timeout} s: {argv}\n{out[-2000:]!r}\n{err[-2000:]!r}')
        return Done(child.returncode, out.decode('utf-8', 'backslashreplace'), err.decode('utf-8', 'backslashreplace'))

    def swrun(self, *argv, **more):
        return self.run_as_user('swrun', *argv, **more)

    def ok(self, *argv, **more):
        done = self.swrun(*argv, **more)
        self.assertEqual(done.status, 0, f'{argv}: {done!r}')
        return done

    def probe(self, *options, **more):
        """The world as a program sees it that is started with `options` in the plain test image."""
        image = more.pop('image', self.image)
        return self.ok('exec', *options, image, '/bin/probe', *more.pop('args', ()), **more).json()

    def write(self, name, text='', mode=0o644):
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
        os.chmod(path, mode)
        while len(path) > len(self.work):
            self.user.give(path)
            path = os.path.dirname(path)
        return os.path.join(self.work, name)

    def assert_failed(self, done, status, *words):
        """A failure of the launcher: that status, one message, and these words in it."""
        self.assertEqual(done.status, status, repr(done))
        for word in words:
            self.assertIn(word.lower(), done.err.lower(), repr(done))
        self.assertTrue(done.err.strip(), 'a failure without a message')


def remove_tree(path):
    subprocess.run(['chmod', '-R', 'u+rwX', path], stderr=subprocess.DEVNULL)
    shutil.rmtree(path, ignore_errors=True)


def wait_for(what, seconds=5.0, step=0.01):
    """Polls until what() is true; its last value.  `seconds` is what a quiet machine may take: a busy one gets up to four
    times as much, within half a minute, which nothing that sleeps for a minute passes for."""
    end = time.monotonic() + max(seconds, min(4 * seconds, 30))
    value = what()
    while not value and time.monotonic() < end:
        time.sleep(step)
        value = what()
    return value


def env_of(world):
    return dict(entry.partition('=')[::2] for entry in world['env'])


def mounts_of(world):
    """[{root, point, options, type, source}] from the probe's mountinfo lines."""
    found = []
    for line in world['mounts']:
        left, _, right = line.partition(' - ')
        fields, kind = left.split(' '), right.split(' ')
        found.append({'root': fields[3], 'point': fields[4], 'options': fields[5].split(','), 'type': kind[0],
                      'source': kind[1]})
    return found


# ------------------------------------------------------------------------------------------------ mounts, root only
_private = []


def call_libc(name, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*args):
        raise OSError(ctypes.get_errno(), name)


def private_mounts():
    """This process and its children get a mount namespace of their own, once."""
    if not _private:
        call_libc('unshare', 0x20000)                           # CLONE_NEWNS
        call_libc('mount', None, b'/', None, 0x4000 | (1 << 19), None)  # MS_REC | MS_SLAVE
        _private.append(True)


def bind_mount(source, target):
    call_libc('mount', os.fsencode(source), os.fsencode(target), None, 0x1000, None)  # MS_BIND


def fuse_connections():
    """Numbers of the kernel's live FUSE connections, or None where this process may not see them."""
    where = '/sys/fs/fuse/connections'
    try:
        if os.geteuid():
            return None
        private_mounts()
        if not os.path.ismount(where):
            call_libc('mount', b'fusectl', os.fsencode(where), b'fusectl', 0, None)
        return set(os.listdir(where))
    except OSError:
        return None


def main():
    result = unittest.main(exit=False, verbosity=2).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(SKIPPED if result.testsRun == 0 or len(result.skipped) == result.testsRun else 0)
