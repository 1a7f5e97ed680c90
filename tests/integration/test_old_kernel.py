"""Launches on kernels without the newer mount calls, acted by a seccomp filter (tests/support/no_new_mount_calls.c)."""
import os
import shutil
import subprocess
import tempfile

import swtest
import test_launch
from swtest import mounts_of

# What they lack: 4.18 everything, 5.4 openat2, close_range and mount_setattr, 5.10 only the last.
KERNELS = ('4.18', '5.4', '5.10')
CALLS = ('open_tree', 'move_mount', 'fsopen', 'mount_setattr', 'openat2', 'close_range')


class OldKernel(swtest.Case):
    """Every launch of a case goes through the filter while `kernel` is set."""
    kernel = '4.18'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The build folder may lie where only its owner goes.
        cls.tools = tempfile.mkdtemp(prefix='swtest.', dir='/tmp')
        os.chmod(cls.tools, 0o755)
        cls.addClassCleanup(swtest.remove_tree, cls.tools)
        cls.wrapper = os.path.join(cls.tools, 'no_new_mount_calls')
        shutil.copy(os.path.join(os.environ['SWRUN_BUILD'], 'tests', 'support', 'no_new_mount_calls'), cls.wrapper)
        if subprocess.run([cls.wrapper, '4.18', 'true'], stderr=subprocess.DEVNULL, preexec_fn=cls.user.become).returncode:
            swtest.cannot('no seccomp filters')

    def swrun(self, *argv, **more):
        program = os.path.join(swtest.STAGE, 'bin', 'swrun')
        before = [self.wrapper, self.kernel] if self.kernel else []
        return self.run_as_user(*before, program, *argv, **more)


class Binds(OldKernel, test_launch.Binds):
    """All that is said about binds there."""


class Status(OldKernel):
    def test_images(self):
        for kernel in KERNELS:
            for name in ('gzip.sqfs', 'image.sif', 'image.simg', 'sandbox'):
                with self.subTest(kernel + ' ' + name):
                    self.kernel = kernel
                    image = os.path.join(self.images, name)
                    self.assertEqual(self.ok('exec', image, 'cat', '/data/file').out, 'from the image\n')
                    self.assertEqual(self.swrun('exec', image, 'probe', '--exit', '42').status, 42)

    def test_run(self):
        done = self.swrun('run', self.image, 'a', 'b c')
        self.assertEqual((done.status, done.out, done.err), (5, 'runscript: 2 args\n<a>\n<b c>\n', ''), repr(done))

    def test_errors_name_the_object(self):
        self.assert_failed(self.swrun('exec', '-B', '/no/such:/data', self.image, 'true'), 255, '/no/such')
        self.assert_failed(self.swrun('exec', '--pwd', '/no/such', self.image, 'true'), 255, '/no/such')

    def test_doctor_says_which_calls(self):
        self.assertIn('mount(2) in place of what it lacks: open_tree', self.swrun('doctor').out)
        self.kernel = '5.10'
        self.assertIn('what it lacks: mount_setattr', self.swrun('doctor').out)

    def test_no_descriptor_is_left(self):
        new = self.fds(None)
        for kernel in KERNELS:
            self.assertEqual(self.fds(kernel), new, kernel)

    def fds(self, kernel):
        self.kernel = kernel
        return self.ok('exec', self.image, 'sh', '-c', 'ls /proc/$$/fd').out


class SameWorld(OldKernel):
    """A program sees the same mounts, with the same flags, whatever calls made them."""

    def setUp(self):
        super().setUp()
        self.write('src/file', 'bound\n')
        self.write('src/inner/file', 'covered\n')
        self.write('inner/deep', 'deep\n')
        os.makedirs(self.work + '/layer')
        self.user.give(self.work + '/layer')

    def world(self, kernel, *options, image=None):
        self.kernel = kernel
        return mounts_of(self.probe(*options, image=image or self.image))

    def compare(self, *options, image=None, kernels=KERNELS):
        new = self.world(None, *options, image=image)
        for kernel in kernels:
            with self.subTest(kernel=kernel, options=options):
                self.assertEqual(self.world(kernel, *options, image=image), new)

    def test_defaults(self):
        self.compare(kernels=KERNELS + CALLS)
        self.compare(image=os.path.join(self.images, 'image.sif'))
        self.compare(image=os.path.join(self.images, 'sandbox'))

    def test_binds(self):
        self.compare('-B', 'src:/data:ro,inner:/data/inner', kernels=KERNELS + CALLS)
        self.compare('-B', 'src/file:/data/file:ro', '-B', 'inner:/not/in/image')
        self.compare('-B', '/proc/version:/data/file', '-B', '/dev/null:/etc/group')

    def test_contain(self):
        self.compare('--contain', kernels=KERNELS + CALLS)
        self.compare('--contain', '--no-home', '--workdir', self.work)

    def test_pid(self):
        self.compare('--pid')
        self.compare('--containall')

    def test_overlays(self):
        try:
            self.world(None, '--writable-tmpfs')
        except AssertionError:
            swtest.cannot('no overlays in user namespaces')
        self.compare('--writable-tmpfs', kernels=KERNELS + CALLS)
        self.compare('--overlay', self.work + '/layer')
        self.compare('--writable-tmpfs', '-B', 'src:/new/place', image=os.path.join(self.images, 'sandbox'))

    def test_an_overlay_is_written(self):
        self.kernel = None
        if self.swrun('exec', '--writable-tmpfs', self.image, 'true').status:
            swtest.cannot('no overlays in user namespaces')
        for kernel in KERNELS:
            with self.subTest(kernel):
                self.kernel = kernel
                layer = ('--overlay', self.work + '/layer')
                self.ok('exec', *layer, self.image, 'sh', '-c', 'echo ' + kernel + ' > /data/new')
                self.assertEqual(self.ok('exec', *layer, self.image, 'cat', '/data/new').out, kernel + '\n')

    def test_mounts_below_a_bind(self):
        if os.geteuid():
            swtest.cannot('only root can mount something below a bind')
        swtest.private_mounts()
        for name in ('src/sub mount', 'src/closed/sub'):
            os.makedirs(os.path.join(self.work, name))
            self.user.give(os.path.join(self.work, name))
            swtest.bind_mount(self.work + '/inner', os.path.join(self.work, name))
            self.addCleanup(swtest.call_libc, 'umount2', os.fsencode(os.path.join(self.work, name)), 2)
        self.compare('-B', 'src:/data:ro')
        for kernel in (None,) + KERNELS:
            self.kernel = kernel
            for name in ('/data/new', '/data/sub mount/new', '/data/closed/sub/new'):
                done = self.swrun('exec', '-B', 'src:/data:ro', self.image, 'touch', name)
                self.assertIn('Read-only', done.err, (kernel, name))
        # A folder that the caller may not enter hides what is mounted in it, and is no reason to fail.
        os.chown(self.work + '/src/closed', 0, 0)
        os.chmod(self.work + '/src/closed', 0o700)
        for kernel in KERNELS:
            self.kernel = kernel
            self.assertEqual(self.ok('exec', '-B', 'src:/data:ro', self.image, 'cat', '/data/file').out, 'bound\n')

    def test_the_whole_host(self):
        """The place where mounts wait is no part of "/"."""
        for kernel in KERNELS:
            self.kernel = kernel
            names = self.ok('exec', '-B', '/:/mnt', self.image, 'ls', '/mnt').out.split()
            self.assertEqual(sorted(names), sorted(n for n in os.listdir('/') if not n.startswith('.')))


class NothingIsLeft(OldKernel):
    def test_the_host_is_gone(self):
        """Above the root of the container there is nothing, with layers or without."""
        self.kernel = None
        options = [(), ('--writable-tmpfs',)]
        if self.swrun('exec', '--writable-tmpfs', self.image, 'true').status:
            options.pop()
        for kernel in (None,) + KERNELS:
            for option in options:
                with self.subTest(kernel=kernel, option=option):
                    self.kernel = kernel
                    world = self.probe(*option)
                    self.assertEqual(sum(m['point'] == '/' for m in mounts_of(world)), 1)
                    done = self.ok('exec', *option, self.image, 'sh', '-c', 'cd / && ls; echo --; ls /..; ls /../..')
                    inside, _, above = done.out.partition('--\n')
                    self.assertEqual(above, inside * 2)

    def test_a_pipeline_ends(self):
        """Without close_range, too, the image server keeps no pipe of the caller."""
        script = f'{self.wrapper} {self.kernel} {swtest.STAGE}/bin/swrun exec {self.image} ' \
                 'sh -c "sleep 15 <&- >/dev/null 2>&1 200>&- & echo done" 200>&1 | cat'
        done = self.run_as_user('/bin/bash', '-c', script, timeout=10)
        self.assertEqual((done.status, done.out), (0, 'done\n'), repr(done))


if __name__ == '__main__':
    swtest.main()
