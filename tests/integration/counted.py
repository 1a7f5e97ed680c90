"""Tests that count what launches leave, start many of them, and kill them: a user of its own, and a job of its own."""
import contextlib
import os
import select
import signal
import time

import swtest
from swtest import wait_for
from test_leftovers import files_of, namespaces_of


def inside_kinds(*kinds):
    return ' '.join(f'$(readlink /proc/self/ns/{kind})' for kind in kinds)


# Says in which namespaces it is, waits for a line, goes on.  `read` fails at the end of its input.
RANK = f'echo {inside_kinds("user", "mnt", "pid")}; read -r again || exit 9; '


class Rank:
    """A program that has said in which namespaces it runs, and waits for finish()."""

    def __init__(self, child, seconds=30):
        self.child, self.pid = child, child.pid
        ready, _, _ = select.select([child.stdout], [], [], seconds)
        words = child.stdout.readline().decode().split() if ready else []
        if len(words) != 3:
            child.kill()
            raise AssertionError(f'no rank after {seconds} s: {words} {child.communicate()}')
        self.user, self.mount, self.pids = words

    def finish(self, seconds=20):
        out, err = self.child.communicate(b'go on\n', seconds)
        return swtest.Done(self.child.returncode, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace'))

    def kill(self):
        self.child.kill()
        self.child.communicate()


class Counted(swtest.Case):
    """All that the user has running, open or lying about is this test's; at its end there has to be nothing."""
    user_name, user_id = None, None

    @classmethod
    def setUpClass(cls):
        if os.geteuid():
            swtest.cannot('counting the processes of a user of its own needs root')
        super().setUpClass()
        cls.files = files_of(cls.user)
        cls.addClassCleanup(cls.check_files)

    @classmethod
    def check_files(cls):
        left = sorted(files_of(cls.user) - cls.files)
        if left:
            raise AssertionError(f'files left: {left[:20]}')

    def setUp(self):
        super().setUp()
        self.assertTrue(wait_for(lambda: not self.user.processes(), 10), f'not alone: {self.user.processes()}')
        # What shares is the job, here as with a batch system; the session would be each launch's own.
        self.job = f'swrun-test.{os.getpid()}.{time.monotonic_ns()}'
        self.started = []
        self.addCleanup(self.kill_all)

    def popen(self, argv, env=None, **more):
        child = super().popen(argv, env=dict({'PMI_JOBID': self.job}, **(env or {})), **more)
        self.started.append(child)
        return child

    def rank(self, *options, image=None, then='', **more):
        """A launch that shares with every other one of this test, and waits."""
        argv = ['swrun', 'exec', '--share=always', *options, image or self.image, 'sh', '-c', RANK + then]
        return Rank(self.popen(argv, stdin=-1, **more))

    def finish(self, *ranks):
        done = [rank.finish() for rank in ranks]
        for one in done:
            said = [line for line in one.err.splitlines() if '/etc/subuid' not in line]  # a test's user is not listed
            self.assertEqual((one.status, said), (0, []), repr(one))
        return [one.out for one in done]

    @contextlib.contextmanager
    def each(self, **what):
        """A subtest that has a job of its own and, when it fails, takes nothing into the next one."""
        self.job = f'swrun-test.{os.getpid()}.{time.monotonic_ns()}'
        with self.subTest(**what):
            try:
                yield
            except BaseException:
                self.end_started()
                self.kill_all()
                raise

    def end_started(self):
        """What a test that has failed did not wait for: what is still there after it is left over."""
        for child in self.started:
            if child.poll() is None:
                child.kill()
                child.communicate()

    def kill_all(self):
        for _ in range(50):
            left = self.user.processes()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            if not left:
                return
            time.sleep(0.02)

    def tasks(self):
        """How many processes the kernel counts against the user's limit: also those that nobody has waited for yet."""
        count = 0
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/status', encoding='utf-8', errors='replace') as status:
                    count += f'\nUid:\t{self.user.uid}\t' in status.read()
            except OSError:
                pass
        return count

    def named(self, name):
        return [pid for pid, (comm, _) in self.user.processes().items() if comm == name]

    def servers(self):
        return self.named('swrun-image')

    def holders(self):
        return self.named('swrun-holder')

    def doors(self):
        """Abstract names that this user's launches listen at."""
        with open('/proc/net/unix', encoding='utf-8', errors='replace') as table:
            return [line.split()[-1] for line in table if f'@swrun-{self.user.uid}-' in line]

    def connections(self):
        """The kernel's FUSE connections of this user, whom it notes as their owner."""
        found = []
        for name in swtest.fuse_connections() or ():
            try:
                if os.stat('/sys/fs/fuse/connections/' + name).st_uid == self.user.uid:
                    found.append(name)
            except OSError:
                pass
        return found

    def assert_clean(self, what='', seconds=8):
        self.assertTrue(wait_for(lambda: not self.user.processes(), seconds),
                        f'{what}: left running {self.user.processes()}')
        self.assertEqual(namespaces_of(self.user), set(), what)
        self.assertTrue(wait_for(lambda: not self.connections(), 5), f'{what}: FUSE connections {self.connections()}')
        self.assertTrue(wait_for(lambda: not self.doors(), 5), f'{what}: doors {self.doors()}')
