"""However a launch ends, nothing of it is left: no process, mount, namespace, file or socket.

200 launches are killed at random points, during set-up and after, by any signal, with and without a background child,
and the image server by SIGKILL too.  Counted are all processes of a user that only this test uses, because the image
server has a session of its own.  SWRUN_KILLS and SWRUN_SEED repeat or shorten a run.
"""
import os
import random
import re
import signal
import subprocess
import time

import swtest
from swtest import wait_for

KILLS = int(os.environ.get('SWRUN_KILLS', '200'))
SEED = int(os.environ.get('SWRUN_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 32)
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL, signal.SIGUSR1, signal.SIGSEGV)
# AddressSanitizer would print a report first, and waits for ever where the signal has come in the middle of its allocator.
if 'ASAN_OPTIONS' in os.environ:
    os.environ['ASAN_OPTIONS'] += ':handle_segv=0'
PLACES = ('/tmp', '/var/tmp', '/dev/shm', '/run')


def files_of(user):
    """Everything this user owns in the places where programs leave things."""
    found = set()
    for place in PLACES + (user.home,):
        for folder, folders, names in os.walk(place, onerror=lambda error: None):
            for name in folders + names:
                path = os.path.join(folder, name)
                try:
                    if os.lstat(path).st_uid == user.uid:
                        found.add(path)
                except OSError:
                    pass
    return found


def named_sockets():
    with open('/proc/net/unix', encoding='utf-8', errors='replace') as table:
        return {line.split()[7] for line in table.readlines()[1:] if len(line.split()) > 7}


def namespaces_of(user):
    """Mount namespaces that a process of the user is in, or holds by a descriptor."""
    own, found = os.readlink('/proc/self/ns/mnt'), set()
    for pid in user.processes():
        try:
            found.add(os.readlink(f'/proc/{pid}/ns/mnt'))
            for fd in os.listdir(f'/proc/{pid}/fd'):
                target = os.readlink(f'/proc/{pid}/fd/{fd}')
                if re.match(r'mnt:\[', target):
                    found.add(target)
        except OSError:
            pass
    return found - {own}


class Leftovers(swtest.Case):
    user_name, user_id = 'swleft', 7032

    def setUp(self):
        super().setUp()
        if not self.user.root:
            swtest.cannot('counting the processes of a user of its own needs root')
        self.assertTrue(wait_for(lambda: not self.user.processes(), 10), f'not alone: {self.user.processes()}')
        self.connections = swtest.fuse_connections()
        self.files, self.sockets = files_of(self.user), named_sockets()
        self.addCleanup(self.kill_all)

    def kill_all(self):
        for pid in self.user.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def assert_clean(self, what):
        self.assertTrue(wait_for(lambda: not self.user.processes(), 8), f'{what}: left running {self.user.processes()}')
        self.assertEqual(namespaces_of(self.user), set(), what)
        if self.connections is not None:
            gone = wait_for(lambda: swtest.fuse_connections() <= self.connections, 5)
            self.assertTrue(gone, f'{what}: FUSE connections left')

    def assert_no_trace(self):
        self.assertEqual(files_of(self.user) - self.files, set())
        self.assertEqual({name for name in named_sockets() - self.sockets if 'swrun' in name}, set())

    def servers(self, launcher):
        """Image servers: processes of swrun that are neither the launcher nor in its session."""
        return [pid for pid, (comm, session) in self.user.processes().items()
                if pid != launcher and session != launcher and comm.startswith('swrun')]

    def one_launch(self, rng):
        background = rng.random() < 0.5
        script = '(sleep 60) & exec sleep 60' if background else 'exec sleep 60'
        delay = rng.choice((rng.uniform(0, 0.012), rng.uniform(0, 0.04), rng.uniform(0.04, 0.12)))
        number = rng.choice(SIGNALS)
        victim = rng.choice(('launcher', 'launcher', 'server', 'server first'))
        what = f'{victim} by {number.name} after {delay * 1000:.1f} ms, background {background}'
        child = self.popen(['swrun', 'exec', self.image, 'sh', '-c', script], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        time.sleep(delay)
        if victim.startswith('server'):
            for pid in self.servers(child.pid):
                os.kill(pid, signal.SIGKILL)
        if victim != 'server':
            child.send_signal(number)
        else:
            # The program goes on without its files, or never starts; end it as a batch system would.
            time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            # busybox's shell drops a SIGQUIT that comes while it starts; then the signal has reached the program.
            name = self.user.processes().get(child.pid, ('nobody',))[0]
            self.assertFalse(name.startswith('swrun') or number != signal.SIGQUIT, f'{what}: {name} did not end')
            child.kill()
            child.wait(10)
        # Background children belong to the user: they live on, with their files, until he ends them.
        end = time.monotonic() + 60
        while self.user.processes() and time.monotonic() < end:
            for pid, (comm, session) in self.user.processes().items():
                if session == child.pid:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except OSError:
                        pass
            time.sleep(0.003)
        self.assert_clean(what)

    def test_killed_at_random_points(self):
        print(f'seed {SEED}, {KILLS} launches', flush=True)
        rng = random.Random(SEED)
        for turn in range(KILLS):
            with self.subTest(turn=turn, seed=SEED):
                self.one_launch(rng)
        self.assert_no_trace()

    def test_an_ordinary_end(self):
        for status in (0, 3):
            self.assertEqual(self.swrun('exec', self.image, 'probe', '--exit', str(status)).status, status)
        self.assert_clean('ordinary end')
        self.assert_no_trace()

    def test_failures_during_set_up(self):
        for argv in (('exec', '-B', '/no/such', self.image, 'true'), ('exec', self.image, 'nosuchprogram'),
                     ('exec', '--pwd', '/no/such', self.image, 'true'), ('exec', '/etc/passwd', 'true')):
            self.assertEqual(self.swrun(*argv).status, 255, argv)
        self.assert_clean('failed launches')
        self.assert_no_trace()

    def test_the_server_lives_as_long_as_a_background_child(self):
        done = self.swrun('exec', self.image, 'probe', '--fork', '60')
        self.assertEqual(done.status, 0, repr(done))
        time.sleep(0.5)
        child = int(done.out)
        self.assertEqual(len(self.servers(-1)), 1, self.user.processes())
        os.kill(child, signal.SIGKILL)
        self.assert_clean('after the background child')

    def test_a_job_signal_does_not_take_the_files_away(self):
        child = self.popen(['swrun', 'exec', self.image, 'probe', '--hold', '/data/file'], stdin=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), b'ready\n')
        servers = self.servers(child.pid)
        self.assertEqual(len(servers), 1, self.user.processes())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
            os.kill(servers[0], number)
        time.sleep(0.1)
        out, _ = child.communicate(timeout=10)
        self.assertEqual((child.returncode, out), (0, b'same\n'))
        self.assert_clean('after the program')

    def test_the_program_cannot_touch_the_server(self):
        child = self.popen(['swrun', 'exec', self.image, 'probe', '--sleep', '30'])
        self.assertEqual(child.stdout.readline(), b'ready\n')
        server = self.servers(child.pid)[0]
        self.assertEqual(os.readlink(f'/proc/{server}/cwd'), '/')
        for fd in (0, 1, 2):
            self.assertEqual(os.readlink(f'/proc/{server}/fd/{fd}'), '/dev/null')
        self.assertNotEqual(os.readlink(f'/proc/{server}/ns/mnt'), os.readlink(f'/proc/{child.pid}/ns/mnt'))
        self.assertEqual(os.readlink(f'/proc/{server}/ns/user'), os.readlink('/proc/self/ns/user'))
        child.kill()
        child.communicate()
        self.assert_clean('after the kill')


if __name__ == '__main__':
    swtest.main()
