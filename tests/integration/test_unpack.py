"""The way without FUSE: images that are unpacked, into memory or into a directory that keeps them."""
import ctypes
import os
import shutil
import stat
import time

import swtest
from swtest import mounts_of, wait_for

UNPACK = '--image-mode=unpack'


class Unpack(swtest.Case):
    user_name, user_id = 'swunpack', 7038

    def root_of(self, *options, **more):
        """{type, source, options} of the container's root."""
        return [mount for mount in mounts_of(self.probe(*options, **more)) if mount['point'] == '/'][-1]


class Memory(Unpack):
    def test_the_same_programs_and_files(self):
        for image in ('image.sif', 'image.simg', 'xz.sqfs', 'lz4.sqfs', 'zstd.sqfs', 'lzo.sqfs'):
            path = os.path.join(self.images, image)
            if os.path.exists(path):
                self.assertEqual(self.ok('exec', UNPACK, path, 'cat', '/data/file').out, 'from the image\n', image)
        done = self.swrun('run', UNPACK, self.image, 'a', 'b')
        self.assertEqual((done.status, done.out), (5, 'runscript: 2 args\n<a>\n<b>\n'))
        self.assertEqual(done.err, '')

    def test_every_file_is_as_when_it_is_served(self):
        listing = ('exec', '-c', '--no-mount', 'tmp,home,cwd,proc,sys,dev', self.image, 'find', '/bin', '/data', '/opt', '/.singularity.d',
                   '/usr', '-exec', 'stat', '-c', '%n %f %s %u %g %Y', '{}', '+')
        listing = listing[:1] + ('--pwd', '/') + listing[1:]
        served, unpacked = self.ok(*listing).out, self.ok(listing[0], UNPACK, *listing[1:]).out
        directories = os.path.join(self.images, 'sandbox')
        self.assertGreater(len(served.splitlines()), 20)

        def comparable(text):
            """Sizes of directories are the file system's own business."""
            lines = set()
            for line in text.splitlines():
                fields = line.split(' ')
                if os.path.isdir(directories + fields[0]) and not os.path.islink(directories + fields[0]):
                    fields[2] = '-'
                lines.add(' '.join(fields))
            return lines
        self.assertEqual(comparable(served), comparable(unpacked))

    def test_root_is_a_read_only_tmpfs(self):
        for options in ([UNPACK], ['--unsquash'], [UNPACK, '--pid'], [UNPACK, '--fakeroot']):
            with self.subTest(options=options):
                root = self.root_of(*options)
                self.assertEqual(root['type'], 'tmpfs')
                for flag in ('ro', 'nosuid', 'nodev'):
                    self.assertIn(flag, root['options'])
                done = self.swrun('exec', *options, self.image, 'touch', '/data/new')
                self.assertNotEqual(done.status, 0)
                self.assertIn('Read-only file system', done.err)

    def test_what_the_image_lacks_is_there(self):
        self.write('src/file', 'bound\n')
        done = self.ok('exec', UNPACK, '-B', 'src:/new/place,src/file:/data/file', self.image, 'sh', '-c',
                       'cat /new/place/file /data/file; id -un; test -s /etc/resolv.conf && pwd')
        self.assertEqual(done.out, f'bound\nbound\n{self.user.name}\n{self.work}\n')

    def test_layers_on_top(self):
        self.assertEqual(self.ok('exec', UNPACK, '--writable-tmpfs', self.image, 'sh', '-c',
                                 'echo x >/data/new; rm /data/file; ls /data').out, 'new\n')
        os.mkdir(self.work + '/layer')
        self.user.give(self.work + '/layer')
        self.ok('exec', UNPACK, '-o', 'layer', self.image, 'sh', '-c', 'echo kept >/data/kept')
        self.assertEqual(self.ok('exec', UNPACK, '-o', 'layer:ro', self.image, 'cat', '/data/kept', '/data/file').out,
                         'kept\nfrom the image\n')
        self.assertEqual(self.ok('exec', UNPACK, '-o', self.image + ':ro', self.image, 'cat', '/data/file').out,
                         'from the image\n')

    def test_other_images_too(self):
        out = self.ok('exec', UNPACK, '-B', self.image + ':/mnt:image-src=/data', '-B',
                      self.image + ':/empty/one:image-src=/data/file', self.image, 'cat', '/mnt/file', '/empty/one').out
        self.assertEqual(out, 'from the image\n' * 2)

    def test_unsquash(self):
        done = self.run_as_user('apptainer', 'exec', '--unsquash', self.image, 'sh', '-c',
                                'echo $APPTAINER_NAME; echo $APPTAINER_CONTAINER')
        self.assertEqual(done.status, 0, repr(done))
        self.assertEqual(done.out, f'gzip.sqfs\n{self.image}\n')
        self.assertEqual(done.err, 'INFO:    Converting SIF file to temporary sandbox...\n')
        self.assertEqual(self.swrun('-q', 'exec', '--unsquash', self.image, 'true').err, '')
        self.assertEqual(self.ok('exec', '--unsquash', os.path.join(self.images, 'sandbox'), 'true').err, '')

    def test_unsquash_of_ext3_is_refused(self):
        if not shutil.which('mke2fs', path=swtest.SYSPATH):
            swtest.cannot('no mke2fs')
        image = os.path.join(self.work, 'image.ext3')
        done = self.run_as_user('mke2fs', '-q', '-F', '-t', 'ext3', image, '4M')
        self.assertEqual(done.status, 0, repr(done))
        self.assert_failed(self.swrun('exec', '--unsquash', image, 'true'), 255, 'not a squashfs root filesystem')

    def test_the_plan_says_so(self):
        plan = self.ok('exec', '--dry-run', UNPACK, self.image, 'true').json()
        self.assertEqual(plan['image_mounts'][0]['served_by'], {'kind': 'unpacked', 'kept_in': ''})
        plan = self.ok('exec', '--dry-run', UNPACK, self.image, 'true', env={'SWRUN_UNPACK_DIR': 'kept'}).json()
        self.assertEqual(plan['image_mounts'][0]['served_by'], {'kind': 'unpacked', 'kept_in': self.work + '/kept'})
        self.assertEqual(os.listdir(self.work), [])

    def test_nothing_is_left(self):
        before = set(os.listdir('/tmp'))
        self.ok('exec', UNPACK, self.image, 'true')
        self.assertTrue(wait_for(lambda: not self.user.processes()), self.user.processes())
        mine = [name for name in set(os.listdir('/tmp')) - before if os.lstat('/tmp/' + name).st_uid == self.user.uid]
        self.assertEqual(mine, [])

    def test_one_thread_and_no_descriptors_are_handed_on(self):
        world = self.ok('exec', UNPACK, self.image, 'sh', '-c', 'ls /proc/self/task | wc -l; ls /proc/self/fd').out.split()
        self.assertEqual(world, ['1', '0', '1', '2', '3'])  # 3 is the listing itself

    def test_too_little_room(self):
        self.assert_failed(self.swrun('exec', UNPACK, '--unpack-dir', self.tight(), self.image, 'true'), 255,
                           'unpacking it needs', 'are free', '--unpack-dir')

    def tight(self):
        if os.geteuid():
            swtest.cannot('only root can mount a small file system')
        swtest.private_mounts()
        path = os.path.join(self.work, 'tight')
        os.mkdir(path)
        swtest.call_libc('mount', b'none', os.fsencode(path), b'tmpfs', 0, b'size=256k,mode=1777')
        self.addCleanup(ctypes.CDLL(None).umount2, os.fsencode(path), 2)
        return path


class Damaged(Unpack):
    def test_a_damaged_image_is_an_error(self):
        path = os.path.join(self.work, 'bad.sqfs')
        with open(self.image, 'rb') as good:
            content = bytearray(good.read())
        content[4000:90000] = os.urandom(86000)
        with open(path, 'wb') as out:
            out.write(content)
        os.chmod(path, 0o644)
        done = self.swrun('exec', UNPACK, path, 'true')
        self.assert_failed(done, 255, 'unpacking', 'the image is damaged')
        self.assert_failed(self.swrun('exec', UNPACK, '--unpack-dir', 'kept', path, 'true'), 255, 'unpacking')
        trees = [name for name in os.listdir(os.path.join(self.work, 'kept', str(self.user.uid))) if not name.endswith('.lock')]
        self.assertEqual(trees, [])


class NoFuse(Unpack):
    """Without a usable /dev/fuse images are unpacked by themselves."""

    def setUp(self):
        super().setUp()
        if os.geteuid():
            swtest.cannot('only root can take /dev/fuse away')
        swtest.private_mounts()

    def hide(self, node):
        swtest.bind_mount(node, '/dev/fuse')
        self.addCleanup(ctypes.CDLL(None).umount2, b'/dev/fuse', 2)

    def test_refused(self):
        node = os.path.join(self.work, 'fuse')
        os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(10, 229))
        self.hide(node)
        done = self.ok('exec', self.image, 'cat', '/data/file')
        self.assertEqual(done.out, 'from the image\n')
        self.assertEqual(done.err.splitlines(), ['swrun: /dev/fuse cannot be used (permission denied): image files are '
                                                 'unpacked into memory'])
        self.assertEqual(self.swrun('-q', 'exec', self.image, 'true').err, '')
        self.assertEqual(self.root_of()['type'], 'tmpfs')
        self.assert_failed(self.swrun('exec', '--image-mode=fuse', self.image, 'true'), 255, '/dev/fuse', 'permission denied',
                           '--image-mode=unpack')
        # What needs no FUSE says nothing.
        self.assertEqual(self.ok('exec', os.path.join(self.images, 'sandbox'), 'true').err, '')
        self.assertEqual(self.ok('exec', UNPACK, self.image, 'true').err, '')

    def test_no_driver_behind_it(self):
        node = os.path.join(self.work, 'fuse')
        os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(10, 254))
        os.chmod(node, 0o666)
        self.hide(node)
        done = self.ok('exec', self.image, 'cat', '/data/file')
        self.assertEqual(done.out, 'from the image\n')
        self.assertIn('/dev/fuse cannot be used', done.err)

    def test_kept_without_being_asked_each_time(self):
        node = os.path.join(self.work, 'fuse')
        os.mknod(node, stat.S_IFCHR | 0o600, os.makedev(10, 229))
        self.hide(node)
        site = self.write('site.toml', f'[defaults]\nunpack_dir = "{self.work}/kept"\n')
        for _ in range(2):
            done = self.ok('exec', self.image, 'cat', '/data/file', env={'SWRUN_CONFIG': site})
            self.assertEqual(done.out, 'from the image\n')
            self.assertIn(f'unpacked into {self.work}/kept', done.err)


class Kept(Unpack):
    def setUp(self):
        super().setUp()
        self.kept = os.path.join(self.work, 'kept')
        self.own = os.path.join(self.kept, str(self.user.uid))
        self.copy = shutil.copy(self.image, os.path.join(self.work, 'image.sqfs'))
        self.user.give(self.copy)

    def cat(self, *options):
        return self.ok('exec', UNPACK, '--unpack-dir', self.kept, *options, self.copy, 'cat', '/data/file').out

    def trees(self):
        return sorted(name for name in os.listdir(self.own) if not name.endswith('.lock'))

    def inode(self):
        return os.stat(os.path.join(self.own, self.trees()[0], 'root')).st_ino

    def test_made_once(self):
        self.assertEqual(self.cat(), 'from the image\n')
        first = self.inode()
        self.assertEqual(self.cat(), 'from the image\n')
        self.assertEqual((len(self.trees()), self.inode()), (1, first))
        self.assertEqual(stat.S_IMODE(os.stat(self.own).st_mode), 0o700)
        self.assertEqual(self.cat('--writable-tmpfs'), 'from the image\n')
        self.assertEqual(self.cat('--fakeroot', '--ignore-subuid'), 'from the image\n')
        self.assertEqual(self.inode(), first)
        self.write('src/file', 'bound\n')
        self.assertEqual(self.ok('exec', UNPACK, '--unpack-dir', self.kept, '-B', 'src:/new/place', self.copy, 'cat',
                                 '/new/place/file').out, 'bound\n')
        self.assertFalse(os.path.exists(os.path.join(self.own, self.trees()[0], 'root/new')))

    def test_a_program_cannot_change_it(self):
        self.cat()
        root = os.path.join(self.own, self.trees()[0], 'root')
        done = self.swrun('exec', UNPACK, '--unpack-dir', self.kept, self.copy, 'sh', '-c', 'echo x >>/data/file; rm /data/file')
        self.assertIn('Read-only file system', done.err)
        with open(root + '/data/file', encoding='utf-8') as file:
            self.assertEqual(file.read(), 'from the image\n')

    def test_a_changed_image_is_unpacked_again(self):
        self.cat()
        os.utime(self.copy, (1, 1))
        self.cat()
        self.assertEqual(len(self.trees()), 2)

    def test_damage_is_repaired(self):
        self.cat()
        tree = os.path.join(self.own, self.trees()[0])
        os.unlink(tree + '/image')
        swtest.remove_tree(tree + '/root/data')
        self.assertEqual(self.cat(), 'from the image\n')
        self.assertEqual(len(self.trees()), 1)

    def test_remains_of_a_killed_launch_go(self):
        child = self.popen(['swrun', 'exec', UNPACK, '--unpack-dir', self.kept, self.copy, 'true'])
        time.sleep(0.01)
        child.kill()
        child.communicate()
        self.assertEqual(self.cat(), 'from the image\n')
        self.assertEqual(len(self.trees()), 1)

    def test_several_at_once(self):
        children = [self.popen(['swrun', '-q', 'exec', UNPACK, '--unpack-dir', self.kept, self.copy, 'cat', '/data/file'])
                    for _ in range(6)]
        for child in children:
            out, err = child.communicate(timeout=60)
            self.assertEqual((child.returncode, out, err), (0, b'from the image\n', b''))
        self.assertEqual(len(self.trees()), 1)

    def test_somebody_elses_directory(self):
        if os.geteuid():
            swtest.cannot('only root can make somebody else\'s directory')
        os.makedirs(self.own)
        done = self.swrun('exec', UNPACK, '--unpack-dir', self.kept, self.copy, 'true')
        self.assert_failed(done, 255, 'belongs to somebody else')

    def test_a_directory_that_cannot_be_made(self):
        done = self.swrun('exec', UNPACK, '--unpack-dir', '/nowhere/kept', self.copy, 'true')
        self.assert_failed(done, 255, 'mkdir', '/nowhere/kept', 'no such file')


class Terminal(Unpack):
    def test_no_progress_for_a_quick_one_or_without_a_terminal(self):
        done = self.swrun('exec', UNPACK, self.image, 'true')
        self.assertEqual(done.err, '')
        if not shutil.which('script', path=swtest.SYSPATH):
            swtest.cannot('no script(1)')
        command = f'{swtest.STAGE}/bin/swrun exec {UNPACK} {self.image} echo done'
        done = self.run_as_user('script', '-qec', command, '/dev/null')
        self.assertEqual(done.out.replace('\r', ''), 'done\n', repr(done))


if __name__ == '__main__':
    swtest.main()
