"""Images with an ext3 file system: overlays that keep what is written, root images, binds, partitions of a SIF."""
import os
import shutil
import signal
import subprocess
import sys
import time

import swtest
from swtest import wait_for

OFFSET = 31  # of the launch line that Singularity 2.x wrote
LAUNCH_LINE = b'#!/usr/bin/env run-singularity\n'
MAKE_SIF = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), 'support', 'make_sif.py')


class Ext3(swtest.Case):
    user_name, user_id = 'swext3', 7036

    def setUp(self):
        super().setUp()
        for program in ('fuse2fs', 'fuse-overlayfs', 'mke2fs'):
            if not shutil.which(program, path=swtest.SYSPATH):
                swtest.cannot('no ' + program)
        self.assertTrue(wait_for(lambda: not self.user.processes(), 10), f'not alone: {self.user.processes()}')

    def tearDown(self):
        left = not wait_for(lambda: not self.user.processes(), 10)
        self.assertFalse(left, f'left running: {self.user.processes()}')

    def make(self, name, tree, size='8M'):
        """An ext3 image of the test user's, with the files of a directory."""
        path = os.path.join(self.work, name)
        done = self.run_as_user('mke2fs', '-q', '-F', '-t', 'ext3', '-b', '1024', '-d', tree, path, size)
        self.assertEqual(done.status, 0, repr(done))
        return path

    def overlay(self, name='o.img', text='from the overlay\n'):
        self.write('layer/upper/in-overlay', text)
        os.makedirs(os.path.join(self.work, 'layer/work'), exist_ok=True)
        self.user.give(os.path.join(self.work, 'layer/work'))
        return self.make(name, os.path.join(self.work, 'layer'))


class Overlay(Ext3):
    def test_keeps_what_is_written(self):
        image = self.overlay()
        done = self.ok('exec', '--overlay', image, self.image, 'sh', '-c',
                       'cat /in-overlay; echo new >/new; rm /data/file; echo more >>/etc/os-release; mkdir -p /a/b; echo $$')
        self.assertEqual(done.out.splitlines()[0], 'from the overlay')
        self.assertEqual(done.err, '')
        # Complete as soon as the launch has ended: a copy is as good as the file.
        copy = shutil.copy(image, os.path.join(self.work, 'copy.img'))
        self.user.give(copy)
        for one in (image, copy):
            for more in (one, one + ':ro'):
                shown = self.ok('exec', '--overlay', more, self.image, 'sh', '-c',
                                'cat /new; tail -n1 /etc/os-release; test -d /a/b; test -e /data/file || echo gone')
                self.assertEqual(shown.out, 'new\nmore\ngone\n', more)
        self.assertEqual(self.ok('exec', self.image, 'cat', '/data/file').out, 'from the image\n')

    def test_made_by_overlay_create(self):
        self.ok('overlay', 'create', '--sparse', 'o.img')
        self.ok('exec', '--overlay', 'o.img', self.image, 'sh', '-c', 'seq 100000 >/numbers')
        self.assertEqual(self.ok('exec', '--overlay', 'o.img', self.image, 'tail', '-n1', '/numbers').out, '100000\n')

    def test_status_and_signals_come_through(self):
        image = self.overlay()
        self.assertEqual(self.swrun('exec', '--overlay', image, self.image, 'sh', '-c', 'exit 7').status, 7)
        self.assertEqual(self.swrun('exec', '--overlay', image, self.image, 'no-such-program').status, 255)
        child = self.popen(['swrun', 'exec', '--overlay', image, self.image, 'sh', '-c',
                            'trap "echo got >/got; exit 3" TERM; echo up; while :; do sleep 0.1; done'])
        self.assertEqual(child.stdout.readline(), b'up\n')
        child.terminate()
        child.communicate(timeout=30)
        self.assertEqual(child.returncode, 3)
        self.assertEqual(self.ok('exec', '--overlay', image, self.image, 'cat', '/got').out, 'got\n')

    def test_killed_launches_leave_nothing(self):
        image = self.overlay()
        child = self.popen(['swrun', 'exec', '--overlay', image, self.image, 'sh', '-c', 'echo up; sleep 60'])
        self.assertEqual(child.stdout.readline(), b'up\n')
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=30)
        self.assertTrue(wait_for(lambda: not self.user.processes(), 10), f'left: {self.user.processes()}')
        self.assertEqual(self.ok('exec', '--overlay', image, self.image, 'cat', '/in-overlay').out, 'from the overlay\n')

    def test_in_a_pid_namespace(self):
        image = self.overlay()
        self.ok('exec', '--pid', '--overlay', image, self.image, 'sh', '-c', 'seq 50000 >/numbers')
        self.assertEqual(self.ok('exec', '-C', '--overlay', image + ':ro', self.image, 'tail', '-n1', '/numbers').out,
                         '50000\n')

    def test_one_writes_or_many_read(self):
        image = self.overlay()
        busy = self.popen(['swrun', 'exec', '--overlay', image, self.image, 'sh', '-c', 'echo up; cat'],
                          stdin=subprocess.PIPE)
        self.assertEqual(busy.stdout.readline(), b'up\n')
        try:
            self.assert_failed(self.swrun('exec', '--overlay', image, self.image, 'true'), 255,
                               image, 'for writing, currently in use by another process')
            self.assert_failed(self.swrun('exec', '--overlay', image + ':ro', self.image, 'true'), 255,
                               'for reading, currently in use for writing by another process')
        finally:
            busy.communicate(timeout=30)
        readers = [self.popen(['swrun', 'exec', '--overlay', image + ':ro', self.image, 'cat', '/in-overlay'])
                   for _ in range(4)]
        for reader in readers:
            self.assertEqual(reader.communicate(timeout=60)[0], b'from the overlay\n')

    def test_a_background_process_keeps_its_files(self):
        image = self.overlay()
        begin = time.monotonic()
        done = self.ok('exec', '--overlay', image, self.image, 'sh', '-c', 'true')
        self.assertLess(time.monotonic() - begin, 5, 'the supervisor waits for itself')
        begin = time.monotonic()
        done = self.ok('exec', '--overlay', image, self.image, 'sh', '-c',
                       '(sleep 2; echo late >/late) >/dev/null 2>&1 & echo main')
        self.assertEqual(done.out, 'main\n')
        self.assertGreater(time.monotonic() - begin, 1.5, 'the image was not complete yet')
        self.assertEqual(self.ok('exec', '--overlay', image, self.image, 'cat', '/late').out, 'late\n')

    def test_a_file_that_cannot_be_written_is_read(self):
        image = self.overlay()
        os.chmod(image, 0o444)
        done = self.ok('exec', '--overlay', image, self.image, 'cat', '/in-overlay')
        self.assertEqual(done.out, 'from the overlay\n')
        self.assertIn('proceeding with read-only', done.err)

    def test_of_root_it_is_read_only(self):
        if not self.user.root:
            swtest.cannot('needs root to make files of root')
        self.write('layer/upper/in-overlay', 'x\n')
        os.makedirs(os.path.join(self.work, 'layer/work'))
        subprocess.run(['chown', '-R', '0:0', os.path.join(self.work, 'layer')], check=True)
        image = os.path.join(self.work, 'r.img')
        subprocess.run(['mke2fs', '-q', '-t', 'ext3', '-b', '1024', '-d', os.path.join(self.work, 'layer'), image, '4M'],
                       check=True, stdout=subprocess.DEVNULL)
        self.user.give(image)
        self.assert_failed(self.swrun('exec', '--overlay', image, self.image, 'true'), 255, ':ro', '--fakeroot')
        self.assertEqual(self.ok('exec', '--overlay', image + ':ro', self.image, 'cat', '/in-overlay').out, 'x\n')
        self.ok('exec', '--fakeroot', '--overlay', image, self.image, 'sh', '-c', 'echo y >>/in-overlay')
        self.assertEqual(self.ok('exec', '--overlay', image + ':ro', self.image, 'cat', '/in-overlay').out, 'x\ny\n')

    def test_damage_is_an_error(self):
        image = self.overlay()
        with open(image, 'r+b') as file:
            file.seek(2048)
            file.write(b'\xff' * 8192)  # the group descriptors and what follows
        done = self.swrun('exec', '--overlay', image, self.image, 'true')
        self.assertEqual(done.status, 255, repr(done))
        self.assertIn(image, done.err)

    def test_a_driver_that_is_slow_after_it_has_mounted(self):
        # libfuse looks at its mount by name once more, as root: it must be there until the driver answers.
        slow = os.path.join(os.environ['SWRUN_BUILD'], 'tests', 'support', 'libslow_mount.so')
        image = self.overlay()
        for name in ('fuse2fs', 'fuse-overlayfs'):
            tools = os.path.join(self.work, 'tools-' + name)
            os.mkdir(tools)
            shutil.copy(slow, tools)
            real = shutil.which(name, path=swtest.SYSPATH)
            self.write(f'tools-{name}/{name}',
                       f'#!/bin/sh\nexec env LD_PRELOAD={tools}/libslow_mount.so {real} "$@"\n', 0o755)
            env = {'PATH': tools + ':' + self.user.environment()['PATH']}
            for options in (['--fakeroot', '--overlay', image + ':ro'], ['--overlay', image],
                            ['--overlay', image + ':ro']):
                with self.subTest(driver=name, options=options):
                    done = self.ok('exec', *options, self.image, 'cat', '/in-overlay', env=env)
                    self.assertEqual(done.out, 'from the overlay\n')

    def test_links_in_place_of_its_directories_lead_nowhere(self):
        self.write('secret/file', 'of the host\n')
        for link in ('upper', 'work'):
            with self.subTest(link):
                self.overlay()
                shutil.rmtree(os.path.join(self.work, 'layer', link))
                os.symlink(os.path.join(self.work, 'secret'), os.path.join(self.work, 'layer', link))
                image = self.make('evil.img', os.path.join(self.work, 'layer'))
                self.assert_failed(self.swrun('exec', '-C', '--overlay', image, self.image, 'ls', '/'), 255, 'not a directory')
                if link == 'upper':
                    self.assert_failed(self.swrun('exec', '-C', '--overlay', image + ':ro', self.image, 'ls', '/'), 255,
                                       'not a directory')
                shutil.rmtree(os.path.join(self.work, 'layer'))

    def test_no_descriptor_of_the_image_reaches_the_program(self):
        image = self.overlay()
        for more in (image, image + ':ro'):
            shown = self.ok('exec', '--overlay', more, self.image, 'sh', '-c', 'ls -l /proc/self/fd').out
            self.assertNotIn('o.img', shown)

    def test_two_writable_ones_are_refused(self):
        self.assert_failed(self.swrun('exec', '--overlay', self.overlay('a.img'), '--overlay', self.overlay('b.img'),
                                      self.image, 'true'), 255, "can't specify more than one writable overlay")


class Root(Ext3):
    def image_of_sandbox(self, before=b''):
        tree = os.path.join(self.work, 'tree')
        shutil.copytree(os.path.join(self.images, 'sandbox'), tree, symlinks=True)
        subprocess.run(['chown', '-R', f'{self.user.uid}:{self.user.gid}', tree], check=True)
        path = self.make('root.img', tree, '24M')
        if before:
            with open(path, 'rb') as source:
                content = source.read()
            with open(path, 'wb') as out:
                out.write(before + content)
        return path

    def test_runs(self):
        for before in (b'', LAUNCH_LINE):
            with self.subTest(before):
                image = self.image_of_sandbox(before)
                self.assertEqual(self.ok('exec', image, 'cat', '/data/file').out, 'from the image\n')
                self.assertEqual(self.swrun('run', image, 'a', 'b c').out, 'runscript: 2 args\n<a>\n<b c>\n')
                self.assertEqual(self.swrun('exec', image, 'sh', '-c', 'echo x >/data/file').status, 1, 'read-only')
                self.assertIn('/not/there', [m['point'] for m in swtest.mounts_of(
                    self.probe('-B', self.work + ':/not/there', image=image))])
                self.assertEqual(self.ok('inspect', '--runscript', image).out,
                                 self.ok('inspect', '--runscript', os.path.join(self.images, 'sandbox')).out)
                shutil.rmtree(os.path.join(self.work, 'tree'))
                os.unlink(image)

    def test_is_written_to(self):
        image = self.image_of_sandbox()
        self.ok('exec', '--writable', image, 'sh', '-c', 'echo changed >/data/file')
        self.assertEqual(self.ok('exec', image, 'cat', '/data/file').out, 'changed\n')
        self.ok('exec', '--writable-tmpfs', image, 'sh', '-c', 'echo lost >/data/file')
        self.assertEqual(self.ok('exec', image, 'cat', '/data/file').out, 'changed\n')

    def test_as_bind(self):
        image = self.image_of_sandbox()
        self.assertEqual(self.ok('exec', '-B', image + ':/mnt:image-src=/data', self.image, 'sh', '-c',
                                 'cat /mnt/file; echo changed >/mnt/file').out, 'from the image\n')
        self.assertEqual(self.ok('exec', '-B', image + ':/x:ro,image-src=/data/file', self.image, 'cat', '/x').out,
                         'changed\n')
        self.assertEqual(self.swrun('exec', '-B', image + ':/mnt:ro,image-src=/data', self.image, 'sh', '-c',
                                    'echo x >/mnt/file').status, 1)


class Partition(Ext3):
    def test_of_a_sif(self):
        sif = os.path.join(self.work, 'o.sif')
        subprocess.run([sys.executable, MAKE_SIF, '--overlay', self.overlay(), self.image, sif], check=True)
        self.user.give(sif)
        self.assertEqual(self.ok('exec', sif, 'cat', '/in-overlay', '/data/file').out,
                         'from the overlay\nfrom the image\n')
        self.assertEqual(self.swrun('exec', sif, 'sh', '-c', 'echo x >/x').status, 1, 'read-only')
        self.ok('exec', '--writable', sif, 'sh', '-c', 'echo kept >/kept')
        self.assertEqual(self.ok('exec', sif, 'cat', '/kept').out, 'kept\n')


class Underlay(swtest.Case):
    """Mount points that a directory lacks, without an overlay."""

    def test_as_an_overlay_would_show_it(self):
        box = os.path.join(self.images, 'sandbox')
        self.write('box/file', 'bound\n')
        binds = ('-B', self.work + '/box:/new/deep/place', '-B', self.work + '/box/file:/etc/added')
        look = ('sh', '-c', 'ls -1 / /etc /new/deep /data; cat /new/deep/place/file /etc/added /data/file; readlink /etc/* || :')
        overlay = self.ok('exec', *binds, box, *look)
        underlay = self.ok('exec', '--underlay', *binds, box, *look)
        self.assertEqual(underlay.out, overlay.out)
        world = self.probe('--underlay', *binds, image=box)
        self.assertFalse([m for m in swtest.mounts_of(world) if m['type'] == 'overlay' and m['point'] == '/'])
        self.assertEqual(self.swrun('exec', '--underlay', *binds, box, 'sh', '-c', 'echo x >/new/x').status, 1)


if __name__ == '__main__':
    swtest.main()
