"""Launches with more mounts than descriptors, or with few descriptors left: the soft limit is the caller's again in the
program, the hard one is no limit of mounts, and a launch that does not fit into it says which limit that is."""
import os
import resource
import shutil
import subprocess
import tempfile

import swtest
from swtest import mounts_of

MANY = 300
KERNELS = (None, '4.18', '5.4', '5.10')


class Descriptors(swtest.Case):
    """`kernel`: launches go through the filter of that one."""
    kernel = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tools = tempfile.mkdtemp(prefix='swtest.', dir='/tmp')  # the build folder may lie where only its owner goes
        os.chmod(cls.tools, 0o755)
        cls.addClassCleanup(swtest.remove_tree, cls.tools)
        cls.wrapper = os.path.join(cls.tools, 'no_new_mount_calls')
        shutil.copy(os.path.join(os.environ['SWRUN_BUILD'], 'tests', 'support', 'no_new_mount_calls'), cls.wrapper)

    def swrun(self, *argv, soft=None, hard=None, taken=(), **more):
        """With those limits, and the descriptors of that range taken by the caller and inherited."""
        def prepare():
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            if taken:
                null = os.open('/dev/null', os.O_RDONLY)
                for number in taken:
                    os.dup2(null, number, inheritable=True)
            if soft:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard or most))
        program = os.path.join(swtest.STAGE, 'bin', 'swrun')
        before = [self.wrapper, self.kernel] if self.kernel else []
        if self.kernel and subprocess.run([self.wrapper, '4.18', 'true'], stderr=subprocess.DEVNULL,
                                          preexec_fn=self.user.become).returncode:
            swtest.cannot('no seccomp filters')
        return self.run_as_user(*before, program, *argv, before=prepare, close_fds=False, **more)

    def bind_list(self, count, options=''):
        for number in range(count):
            self.write(f'in/{number}', f'{number}\n')
        return ','.join(f'{self.work}/in/{number}:/inp/{number}/f{options}' for number in range(count))

    def assert_bound(self, done, count, limit):
        self.assertEqual((done.status, done.err), (0, ''), repr(done))
        self.assertEqual(done.out.split(), [str(sum(range(count))), str(count), str(limit)])

    SUM = 't=0; n=0; for f in /inp/*/f; do read -r x <$f; t=$((t + x)); n=$((n + 1)); done; echo $t $n; ulimit -Sn'

    def test_more_binds_than_the_soft_limit(self):
        binds = self.bind_list(MANY)
        for kernel in KERNELS:
            with self.subTest(kernel=kernel):
                self.kernel = kernel
                done = self.swrun('exec', '-B', binds, self.image, 'sh', '-c', self.SUM, soft=64)
                self.assert_bound(done, MANY, 64)

    def test_more_binds_than_the_hard_limit(self):
        binds = self.bind_list(MANY)
        for kernel in KERNELS:
            for limit in (64, 100, MANY):
                with self.subTest(kernel=kernel, limit=limit):
                    self.kernel = kernel
                    done = self.swrun('exec', '-B', binds, self.image, 'sh', '-c', self.SUM, soft=limit, hard=limit)
                    self.assert_bound(done, MANY, limit)

    def test_just_about_the_hard_limit(self):
        """Where all captures fit and little else does."""
        for count in range(20, 60, 3):
            binds = self.bind_list(count)
            done = self.swrun('exec', '-B', binds, self.image, 'sh', '-c', self.SUM, soft=80, hard=80)
            self.assert_bound(done, count, 80)

    def test_parked_mounts_are_as_others(self):
        binds = self.bind_list(60, ':ro')
        wide = mounts_of(self.probe('-B', binds))
        narrow = mounts_of(self.probe('-B', binds, soft=64, hard=64))
        self.assertEqual(sorted(map(repr, narrow)), sorted(map(repr, wide)))
        done = self.swrun('exec', '-B', binds, self.image, 'sh', '-c', 'echo x > /inp/7/f', soft=64, hard=64)
        self.assertIn('Read-only', done.err)

    def test_nothing_of_the_host_is_left(self):
        binds = self.bind_list(60)
        done = self.swrun('exec', '-B', binds, self.image, 'sh', '-c', 'cd / && ls; echo --; ls /..; ls /../..; ls /proc/$$/fd',
                          soft=64, hard=64)
        inside, _, above = done.out.partition('--\n')
        self.assertEqual(done.status, 0, repr(done))
        self.assertTrue(above.startswith(inside * 2), repr(done))

    def test_directories_and_scratches(self):
        scratches = [word for number in range(100) for word in ('-S', f'/x/d{number}')]
        os.makedirs(self.work + '/deep')
        self.user.give(self.work + '/deep')
        for kernel in (None, '4.18'):
            self.kernel = kernel
            done = self.swrun('exec', '-c', *scratches, '-B', self.work + '/deep:/y', self.image, 'sh', '-c', 'ls /x | wc -l; ls -d /y',
                              soft=64, hard=64)
            self.assertEqual((done.status, done.out.split(), done.err), (0, ['100', '/y'], ''), repr(done))

    def test_overlays_and_supervisors(self):
        binds = self.bind_list(80)
        if self.swrun('exec', '--writable-tmpfs', self.image, 'true').status:
            swtest.cannot('no overlays in user namespaces')
        for options in (('--writable-tmpfs',), ('--pid',), ('--containall',), ('--pid', '--writable-tmpfs')):
            for hard in (None, 64):
                with self.subTest(options=options, hard=hard):
                    done = self.swrun('exec', *options, '-B', binds, self.image, 'sh', '-c', self.SUM, soft=64, hard=hard)
                    self.assert_bound(done, 80, 64)

    def test_a_late_shell_has_the_limit(self):
        """Scripts of the image run before the program: they are programs of others, too."""
        layer = self.work + '/layer'
        os.makedirs(layer + '/upper/.singularity.d/env')
        with open(layer + '/upper/.singularity.d/env/95-limit.sh', 'w', encoding='utf-8') as file:
            file.write('export LIMIT=$(ulimit -Sn)\n')
        for folder, _, _ in os.walk(layer):
            self.user.give(folder)
        binds = self.bind_list(80)
        done = self.swrun('exec', '--overlay', layer + ':ro', '-B', binds, self.image, 'sh', '-c', 'echo $LIMIT', soft=64)
        if 'overlay' in done.err:
            swtest.cannot('no overlays in user namespaces')
        self.assertEqual((done.status, done.out), (0, '64\n'), repr(done))

    def test_small_limits(self):
        for soft in (16, 24, 32, 48):
            done = self.swrun('exec', self.image, 'sh', '-c', 'cat /data/file; ulimit -Sn', soft=soft)
            self.assertEqual((done.status, done.out, done.err), (0, f'from the image\n{soft}\n', ''), repr(done))

    def test_inherited_ones(self):
        """The program has them and the caller's limit, though swrun found no number below it."""
        for kernel in (None, '4.18'):
            for first in (230, 250, 254, 256):
                with self.subTest(kernel=kernel, first=first):
                    self.kernel = kernel
                    # Nothing that a shell would have to open something for.
                    done = self.swrun('exec', self.image, 'sh', '-c', 'ulimit -Sn; test -e /proc/self/fd/200 && echo open',
                                      soft=256, taken=range(3, first))
                    self.assertEqual((done.status, done.out, done.err), (0, '256\nopen\n', ''), repr(done))

    def test_an_inherited_pipe_ends(self):
        """Whoever reads it is not kept waiting by the image server, though no descriptor was left to list them."""
        numbers = ' '.join(map(str, range(10, 255)))
        for kernel in (None, '4.18'):
            self.kernel = kernel
            wrapper = f'{self.wrapper} {kernel} ' if kernel else ''
            script = (f'ulimit -Sn 255; for i in {numbers}; do eval "exec $i>&1"; done; exec {wrapper}{swtest.STAGE}/bin/swrun '
                      f'exec {self.image} bash -c \'for i in {numbers}; do eval "exec $i>&-"; done; '
                      'sleep 15 <&- >/dev/null 2>&1 & echo done\'')
            done = self.run_as_user('/bin/bash', '-c', script, timeout=12)
            self.assertEqual((done.status, done.out), (0, 'done\n'), repr(done))

    def test_where_nothing_helps(self):
        for hard in (8, 12):
            done = self.swrun('exec', self.image, 'true', soft=hard, hard=hard)
            if done.status:
                self.assert_failed(done, 255, 'too many open files', 'ulimit -n')
        done = self.swrun('exec', self.image, 'true', soft=256, hard=256, taken=range(3, 256))
        self.assert_failed(done, 255, 'too many open files', 'ulimit -n')


if __name__ == '__main__':
    swtest.main()
