"""--fusemount: a FUSE program on the host or inside serves a directory of the container, and ends with the launch."""
import os
import shutil
import signal
import subprocess
import time

import swtest
from swtest import wait_for

HELLO = os.path.join(os.environ.get('SWRUN_BUILD', ''), 'tests', 'support', 'hello_fuse')
TYPES = ('host', 'host-daemon', 'container', 'container-daemon')


class Fusemount(swtest.Case):
    user_name, user_id = 'swfusemount', 7037

    def setUp(self):
        super().setUp()
        if not self.user.root:
            swtest.cannot('counting the processes of a user of its own needs root')
        self.hello = shutil.copy(HELLO, self.work)
        os.chmod(self.hello, 0o755)
        self.assertTrue(wait_for(lambda: not self.user.processes(), 10), f'not alone: {self.user.processes()}')

    def tearDown(self):
        left = not wait_for(lambda: not self.user.processes(), 10)
        self.addCleanup(self.end_all)
        self.assertFalse(left, f'left running: {self.user.processes()}')

    def programs_left(self):
        """What serves the mounts; the image's server ends by itself, a moment after its last user."""
        return [comm for comm, _ in self.user.processes().values() if comm != 'swrun-image']

    def end_all(self):
        for pid in self.user.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def options(self, kind, *words, at='/fm'):
        """The test's folder is bound at its own path, so that the program is the same on both sides."""
        return ('-B', self.work, '--fusemount', ' '.join((kind + ':' + self.hello,) + words + (at,)))

    def refused(self, *argv):
        done = self.swrun('exec', *argv, self.image, 'true')
        self.assertEqual(done.status, 255, repr(done))
        return done.err

    def test_serves_and_ends_in_order(self):
        for kind in TYPES:
            end = os.path.join(self.work, 'end.' + kind)
            done = self.ok('exec', *self.options(kind, '--text=by-' + kind, '--end=' + end), self.image, 'sh', '-c',
                           'cat /fm/hello; echo; stat -c %u:%a /fm/hello; echo $$')
            self.assertEqual(done.out.splitlines()[:2], ['by-' + kind, f'{self.user.uid}:444'], kind)
            self.assertEqual(done.err, '', kind)
            with open(end, encoding='utf-8') as text:  # there when the command returns
                self.assertEqual(text.read(), 'ended\n', kind)
            self.assertEqual(self.programs_left(), [], kind)

    def test_the_mount(self):
        world = self.probe(*self.options('host'))
        mount = [one for one in swtest.mounts_of(world) if one['point'] == '/fm'][-1]
        self.assertEqual(mount['type'], 'fuse')
        self.assertLessEqual({'rw', 'nosuid', 'nodev'}, set(mount['options']))
        self.assertEqual(mount['root'], '/')

    def test_where_it_runs(self):
        script = 'for p in /proc/[0-9]*; do cat $p/comm; done'
        for kind in TYPES:
            seen = self.ok('exec', *self.options(kind), self.image, 'sh', '-c', script).out.split()
            self.assertEqual('hello_fuse' in seen, kind.startswith('container'), kind)
            self.assertEqual(seen[0], 'swrun-init', kind)

    def test_rights_inside_are_the_programs(self):
        script = 'for p in /proc/[0-9]*; do read c <$p/comm; test $c != hello_fuse || cat $p/status; done'
        status = self.ok('exec', *self.options('container'), self.image, 'sh', '-c', script).out
        self.assertIn('NoNewPrivs:\t1\n', status)
        for kind in ('CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            self.assertIn(kind + ':\t' + 16 * '0', status)
        self.assertIn(f'Uid:\t{self.user.uid}\t', status)

    def test_the_program_is_not_its_parent(self):
        for more in ((), ('--no-init',)):
            done = self.swrun('exec', *more, *self.options('container'), self.image, 'sh', '-c', 'cat /fm/hello; wait; exit 5')
            self.assertEqual((done.status, done.out), (5, 'hello'), repr(done))

    def test_descriptors_on_the_host(self):
        child = self.popen(['swrun', 'exec', *self.options('host'), self.image, 'sh', '-c', 'cat /fm/hello; echo; read x'],
                           stdin=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), b'hello\n')
        programs = {comm: pid for pid, (comm, _) in self.user.processes().items()}
        for comm in ('hello_fuse', 'swrun-fusemount'):
            where = f'/proc/{programs[comm]}/fd/'
            links = {int(fd): os.readlink(where + fd) for fd in os.listdir(where)}
            error = os.readlink(f'/proc/{os.getpid()}/fd/{child.stderr.fileno()}')
            self.assertEqual([links.pop(fd) for fd in (0, 1, 2)], ['/dev/null', error, error], comm)
            # The device is shown without its folder where that is a mount of its own which is not seen from here.
            allowed = ('/dev/fuse', '/fuse') if comm == 'hello_fuse' else ('socket:', 'anon_inode:[signalfd]')
            for target in links.values():
                self.assertTrue(target.startswith(allowed + ('pipe:',) * (comm == 'hello_fuse')), (comm, links))
        for name in ('mnt', 'user', 'pid'):
            self.assertEqual(os.readlink(f'/proc/{programs["hello_fuse"]}/ns/{name}'), os.readlink('/proc/self/ns/' + name))
        child.communicate(b'\n', timeout=20)

    def test_what_it_says_is_seen(self):
        for kind in TYPES:
            done = self.ok('exec', *self.options(kind, '--say=word'), self.image, 'cat', '/fm/hello')
            self.assertEqual(done.out, 'hello', kind)
            self.assertEqual(done.err, 'word on stdout\nword on stderr\n', kind)

    def test_several_and_below_a_bind(self):
        done = self.ok('exec', *self.options('host', '--text=one'), *self.options('container', '--text=two', at='/data/deep/er'),
                       *self.options('host', '--text=three', at=self.work + '/made'), self.image, 'cat', '/fm/hello',
                       '/data/deep/er/hello', self.work + '/made/hello')
        self.assertEqual(done.out, 'onetwothree')
        done = self.ok('exec', self.image, 'cat', '/fm/hello', env={'APPTAINER_FUSESPEC': f'host:{self.hello} /fm'})
        self.assertEqual(done.out, 'hello')

    def test_kinds_of_launch(self):
        sandbox = os.path.join(self.images, 'sandbox')
        for kind in ('host', 'container'):
            for more in (('--compat',), ('--fakeroot',), ('--security', 'uid:5'), ('--writable-tmpfs',), ('--pwd', '/fm')):
                done = self.ok('exec', *more, *self.options(kind), self.image, 'cat', '/fm/hello')
                self.assertEqual(done.out, 'hello', (kind, more))
            self.assertEqual(self.ok('exec', *self.options(kind), sandbox, 'cat', '/fm/hello').out, 'hello')

    def test_owners_with_fakeroot(self):
        for kind in ('host', 'container'):
            done = self.ok('exec', '--fakeroot', *self.options(kind), self.image, 'stat', '-c', '%u', '/fm/hello')
            self.assertEqual(done.out, '0\n', kind)

    def test_programs_that_fail(self):
        for kind in ('host-daemon', 'container-daemon'):
            self.assertIn('ended with status 3', self.refused(*self.options(kind, '--fail=3')), kind)
        for kind in ('host', 'container'):
            done = self.swrun('exec', *self.options(kind, '--fail=3'), self.image, 'cat', '/fm/hello')
            self.assertEqual(done.status, 1, kind)
            self.assertIn('ended with status 3: its files are gone', done.err, kind)

    def test_specs_and_programs_that_are_refused(self):
        for kind in TYPES:
            said = self.refused('--fusemount', kind + ':no-such-program /fm')
            self.assertIn('"no-such-program": executable file not found in $PATH', said)
            self.assertIn('(from --fusemount)', said)
            self.assertIn('permission denied', self.refused('--fusemount', kind + ':/etc/passwd /fm'))
        broken = self.write('broken', 'no program\n', 0o755)
        self.assertIn('exec ' + broken, self.refused('-B', self.work, '--fusemount', f'container:{broken} /fm'))
        self.assertIn('unknown prefix sshfs', self.refused('--fusemount', 'sshfs:x /fm'))
        self.assertIn('not an absolute path', self.refused('--fusemount', 'host:x fm'))
        self.assertIn('(from variable APPTAINER_FUSESPEC)', self.swrun(
            'exec', self.image, 'true', env={'APPTAINER_FUSESPEC': 'host: /fm'}).err)

    def test_a_program_that_does_not_end(self):
        for kind in ('host', 'container'):
            begun = time.monotonic()
            done = self.ok('exec', *self.options(kind, '--stubborn'), self.image, 'cat', '/fm/hello')
            self.assertLess(time.monotonic() - begun, 12)
            self.assertIn('did not end when asked to: it was killed', done.err, kind)
            self.assertEqual(self.programs_left(), [], kind)

    def test_killed_launches_leave_nothing(self):
        for kind in TYPES:
            for number in (signal.SIGKILL, signal.SIGTERM):
                for delay in (0, 0.01, 0.03, None):
                    child = self.popen(['swrun', 'exec', *self.options(kind), self.image, 'sh', '-c', 'echo up; exec sleep 60'],
                                       stderr=subprocess.DEVNULL)
                    if delay is None:
                        self.assertEqual(child.stdout.readline(), b'up\n')
                    time.sleep(delay or 0)
                    child.send_signal(number)
                    child.wait(20)
                    child.stdout.close()
                    gone = wait_for(lambda: not self.user.processes(), 8)
                    self.assertTrue(gone, f'{kind}, {number.name} after {delay}: {self.user.processes()}')

    def test_failed_launches_leave_nothing(self):
        for kind in TYPES:
            for argv in (('-B', '/no/such:/x', self.image, 'true'), (self.image, 'no-such-program'),
                         ('--pwd', '/no/such', self.image, 'true')):
                self.assertEqual(self.swrun('exec', *self.options(kind), *argv).status, 255, (kind, argv))
            self.assertTrue(wait_for(lambda: not self.user.processes(), 5), kind)

    def test_instances(self):
        for kind in TYPES:
            end = os.path.join(self.work, 'end.' + kind)
            self.ok('instance', 'start', *self.options(kind, '--end=' + end), self.image, 'fm')
            try:
                self.assertEqual(self.ok('exec', 'instance://fm', 'cat', '/fm/hello').out, 'hello', kind)
                joined = self.ok('exec', '--fusemount', f'host:{self.hello} /mnt', 'instance://fm', 'ls', '/mnt')
                self.assertIn('--fusemount ignored when joining instance', joined.err)
            finally:
                begun = time.monotonic()
                self.ok('instance', 'stop', 'fm')
            self.assertLess(time.monotonic() - begun, 5, 'as soon as asked, not when patience is over')
            self.assertTrue(wait_for(lambda: not self.user.processes(), 8), kind)
            self.assertTrue(os.path.exists(end), kind)


if __name__ == '__main__':
    swtest.main()
