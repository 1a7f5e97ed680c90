"""The same image over FUSE twice: by swrun's own server, and by the host's squashfuse (--image-reader=squashfuse).

tree_facts prints inside what the kernel shows of a tree: every name in the order of the directory, all of stat(2), link
targets, contents in sequence and in pieces.  Both have to be equal but for what is listed in `check_pair`.
"""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'integration')]

import swtest  # noqa: E402
import trees  # noqa: E402

SQUASHFUSE = '--image-reader=squashfuse'
NOBODY = '65534'  # an owner who has no number inside
EQUAL = ('path', 'entry', 'mode', 'nlink', 'rdev', 'mtime', 'ctime', 'atime', 'target', 'sum', 'parts')


def squashfuse_program():
    return shutil.which('squashfuse_ll', path=swtest.SYSPATH) or shutil.which('squashfuse', path=swtest.SYSPATH)


def maps_owners():
    """Whether that program can show all files as the caller's: as version 0.2 and the high-level one do."""
    program = squashfuse_program()
    if os.path.basename(program) == 'squashfuse':
        return True
    said = subprocess.run([program, '--help'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=20).stdout
    return 'uid=' in said


class Mounted(swtest.Case):
    user_name, user_id = 'swdiff', 7048

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tool = os.path.join(os.environ.get('SWRUN_DIFFERENTIAL', ''), 'tree_facts')
        for program in ('squashfuse_ll', 'mksquashfs'):
            if not shutil.which(program, path=swtest.SYSPATH):
                swtest.cannot('no ' + program)
        cls.shelf = swtest.tempfile.mkdtemp(prefix='swdiff.', dir='/tmp')
        cls.addClassCleanup(swtest.remove_tree, cls.shelf)
        os.chmod(cls.shelf, 0o755)
        cls.tool = shutil.copy(tool, cls.shelf)
        cls.tree = os.path.join(cls.shelf, 'tree')
        os.mkdir(cls.tree)
        cls.xattrs = trees.rich(cls.tree)
        cls.pseudo = os.path.join(cls.shelf, 'pseudo')
        trees.write(cls.pseudo, trees.PSEUDO.encode())

    def setUp(self):
        super().setUp()
        self.assertTrue(swtest.wait_for(lambda: not self.user.processes(), 10), f'not alone: {self.user.processes()}')

    def tearDown(self):
        left = not swtest.wait_for(lambda: not self.user.processes(), 10)
        self.assertFalse(left, f'left running: {self.user.processes()}')

    def make(self, *options, tree=None):
        image = trees.mksquashfs(tree or self.tree, os.path.join(self.work, 'test.sqfs'), *options)
        self.user.give(image)
        return image

    def facts(self, options, argv, status=0):
        done = self.swrun('exec', *options, self.image, *argv, timeout=120)
        self.assertEqual(done.status, status, repr(done))
        lines = done.out.splitlines()
        return [dict(field.partition('=')[::2] for field in line.split(' ')) for line in lines]

    def check_owner(self, ours, theirs, mapped):
        for name, mine in (('uid', self.user.uid), ('gid', self.user.gid)):
            self.assertEqual(ours[name], str(mine), ours)
            wanted = (str(mine),) if mapped else (str(mine), NOBODY)
            self.assertIn(theirs[name], wanted, theirs)

    def check_pair(self, ours, theirs, mapped):
        self.check_owner(ours, theirs, mapped)
        for name in EQUAL:
            self.assertEqual(theirs.get(name), ours.get(name), (name, ours, theirs))
        # libsquashfuse says 0 for the size of a directory, and rounds down to blocks.
        if ours['mode'].startswith('4'):
            self.assertEqual(theirs['size'], '0', theirs)
        else:
            self.assertEqual(theirs['size'], ours['size'], (ours, theirs))
            size = int(ours['size'])
            self.assertEqual(int(ours['blocks']), -(-size // 512), ours)
            self.assertEqual(int(theirs['blocks']), size // 512 if ours['mode'].startswith('10') else 0, theirs)
        # Ours gives user.* only, and where no file has one, nothing at all.
        self.assertNotIn('failed', theirs['xattrs'], theirs)
        mine = '' if ours['xattrs'] == 'EOPNOTSUPP' else ours['xattrs']
        self.assertEqual(mine, ''.join(one + ';' for one in theirs['xattrs'].split(';') if one.startswith('user.')), ours)

    def compare(self, image, mapped, *options):
        """The pairs of lines: of an image as a bind, so that no layer lies above it."""
        bind = ['-B', f'{image}:/mnt:image-src=/', *options]
        ours = self.facts(bind, [self.tool, '/mnt'])
        theirs = self.facts([SQUASHFUSE, *bind], [self.tool, '/mnt'])
        self.assertEqual([one['path'] for one in theirs], [one['path'] for one in ours])
        for mine, other in zip(ours, theirs):
            self.check_pair(mine, other, mapped)
        # Numbers differ, what they tell apart does not.
        numbers = {(mine['ino'], other['ino']) for mine, other in zip(ours, theirs)}
        self.assertEqual(len({one for one, _ in numbers}), len(numbers))
        self.assertEqual(len({other for _, other in numbers}), len(numbers))
        return ours, theirs

    def readable(self):
        """The owners stored are those that the caller has, so that both let him read everything that is his."""
        return ['-force-uid', str(self.user.uid), '-force-gid', str(self.user.gid)]


class Trees(Mounted):
    def test_a_little_of_everything(self):
        for options in (['-comp', 'gzip'], ['-comp', 'xz', '-b', '4K'], ['-noI', '-noD', '-noF', '-noX', '-b', '1M'],
                        ['-comp', 'zstd', '-always-use-fragments', '-b', '64K', '-no-exports', '-nopad']):
            with self.subTest(options=' '.join(options)):
                # A file that nobody may read cannot be: a mode without bits is of the other test.
                image = self.make(*options, *self.readable(), '-pf', self.pseudo, '-wildcards', '-e', 'modes/*0')
                ours, theirs = self.compare(image, True)
                self.assertGreater(len(ours), 450)
                linked = [one['ino'] for one in ours if one['nlink'] == '4' and one['mode'].startswith('10')]
                self.assertEqual((len(linked), len(set(linked))), (4, 1))
                for seen in (ours, theirs):
                    self.assertGreaterEqual(sum(one['xattrs'].count(';') for one in seen), 1 if self.xattrs else 0)

    def test_large_directories(self):
        tree = os.path.join(self.work, 'wide')
        os.mkdir(tree)
        trees.wide(tree)
        ours, _ = self.compare(self.make(*self.readable(), tree=tree), True)
        self.assertEqual(len(ours), 6403)

    def test_owners_and_what_they_keep_to_themselves(self):
        mapped = maps_owners()
        image = self.make('-all-root')
        bind = ['-B', f'{image}:/mnt:image-src=/modes']
        ours = self.facts(bind, [self.tool, '/mnt'], 1)
        theirs = self.facts([SQUASHFUSE, *bind], [self.tool, '/mnt'], 1)
        owned = [[one for one in lines if 'uid' in one] for lines in (ours, theirs)]
        self.assertEqual(*([one['path'] for one in lines] for lines in owned))
        for mine, other in zip(*owned):
            self.check_owner(mine, other, mapped)
        mine, other = ([one['path'] for one in lines if 'EACCES' in one.get('sum', '') + one.get('entries', '')]
                       for lines in (ours, theirs))
        self.assertEqual(mine, ['/0', '/d0'] if os.geteuid() == 0 else ['/0'])
        # What belongs to nobody's number only its other bits open: 0500 is the mode of /d0 where root did not make it.
        self.assertEqual(other, mine if mapped else ['/0', '/400', '/d0', '/d400'])

    def test_a_program_that_shows_owners_as_asked(self):
        """squashfuse_ll does so since version 0.2; here the high-level program plays that, which numbers inodes itself."""
        other = shutil.which('squashfuse', path=swtest.SYSPATH)
        if not other:
            swtest.cannot('no squashfuse')
        self.write('bin/squashfuse_ll', f'#!/bin/sh\nexec {other} "$@"\n', 0o755)
        environment = {'PATH': f'{self.work}/bin:{self.user.environment()["PATH"]}'}
        bind = ['-B', f'{self.make("-all-root")}:/mnt:image-src=/modes']
        ours = self.swrun('exec', *bind, self.image, self.tool, '/mnt')
        theirs = self.swrun('exec', SQUASHFUSE, *bind, self.image, self.tool, '/mnt', env=environment)
        shown = [[[word for word in line.split(' ') if word.startswith(('path=', 'mode=', 'uid=', 'gid=', 'sum='))]
                  for line in done.out.splitlines()] for done in (ours, theirs)]
        self.assertEqual(*shown)
        self.assertIn(f'uid={self.user.uid}', shown[0][0])

    def test_read_by_many_at_once(self):
        image = self.make(*self.readable(), '-wildcards', '-e', 'modes/*0')
        bind = ['-B', f'{image}:/mnt:image-src=/']
        command = f'for i in 1 2 3 4; do {self.tool} /mnt >/tmp/{os.path.basename(self.work)}/$i & done; wait'
        for options in ([], [SQUASHFUSE]):
            alone = self.ok('exec', *options, *bind, self.image, self.tool, '/mnt').out
            self.ok('exec', *options, *bind, self.image, 'sh', '-c', command, timeout=120)
            for i in range(1, 5):
                with open(os.path.join(self.work, str(i)), encoding='utf-8') as out:
                    self.assertEqual(out.read(), alone)

    def test_at_an_offset(self):
        with open(self.make(*self.readable(), '-wildcards', '-e', 'modes/*0', '-nopad'), 'rb') as file:
            data = file.read()
        # As Singularity 2.x wrote them.
        shifted = os.path.join(self.work, 'shifted.simg')
        trees.write(shifted, b'#!/usr/bin/env run-singularity\n' + data)
        self.user.give(shifted)
        ours, _ = self.compare(shifted, True)
        self.assertGreater(len(ours), 450)


class Root(Mounted):
    """The image that the program runs in, with a layer of the things it lacks above what squashfuse serves."""
    FIND = ('for d in bin data etc/os-release .singularity.d opt usr singularity; do '
            'find /$d -exec stat -c "%n %F %a %s %Y %t %T %N" {} +; done | sed "s/ directory \\([0-7]*\\) [0-9]*/ directory \\1/"; '
            'find /bin /data /.singularity.d /opt -type f -exec sha256sum {} +')

    def test_the_same_files(self):
        # sed is no applet of the image's links.
        script = self.FIND.replace('| sed', '| busybox sed')
        ours = self.ok('exec', self.image, 'sh', '-c', script)
        theirs = self.ok('exec', SQUASHFUSE, self.image, 'sh', '-c', script)
        self.assertEqual(theirs.out, ours.out)
        self.assertGreater(ours.out.count('\n'), 50)
        self.assertGreaterEqual(len(re.findall(r'(?m)^[0-9a-f]{64}  ', ours.out)), 8)
        self.assertEqual(theirs.err, '')

    def test_images_of_every_kind(self):
        for name in ('image.sif', 'image.simg', 'xz.sqfs', 'zstd.sqfs'):
            image = os.path.join(self.images, name)
            if name.endswith('.sqfs') and not os.path.exists(image):
                continue  # made where mksquashfs knows the compressor
            with self.subTest(image=name):
                self.assertEqual(self.ok('exec', SQUASHFUSE, image, 'cat', '/data/file').out, 'from the image\n')
        self.assertEqual(self.swrun('run', SQUASHFUSE, self.image, 'x').status, 5)

    def test_what_the_image_lacks_is_there(self):
        self.write('src/file', 'bound\n')
        done = self.swrun('exec', SQUASHFUSE, '-B', 'src:/new/place', '-B', 'src/file:/data/another', self.image, 'sh', '-c',
                          'cat /new/place/file /data/another /data/file; touch /data/x')
        self.assertEqual(done.out, 'bound\nbound\nfrom the image\n', repr(done))
        self.assertIn('Read-only file system', done.err)

    def test_layers_above(self):
        self.write('layer/data/file', 'from the layer\n')
        show = ['sh', '-c', 'cat /data/file; test -e /etc/os-release']
        self.assertEqual(self.ok('exec', SQUASHFUSE, '--overlay', 'layer:ro', self.image, *show).out, 'from the layer\n')
        done = self.ok('exec', SQUASHFUSE, '--writable-tmpfs', self.image, 'sh', '-c',
                       'echo new >/new; cat /new; echo more >>/data/file; cat /data/file')
        # A file whose owner has no number inside is nobody's to write to.
        changed = 'more\n' if maps_owners() else ''
        self.assertEqual(done.out, 'new\nfrom the image\n' + changed)
        self.assertEqual('Permission denied' in done.err, not changed, repr(done))

    def test_the_plan_says_who_serves(self):
        plan = self.ok('exec', '--dry-run', self.image, 'true', env={'SWRUN_IMAGE_READER': 'squashfuse'}).json()
        self.assertIn(squashfuse_program(), str(plan))
        self.assertNotIn(squashfuse_program(), str(self.ok('exec', '--dry-run', self.image, 'true').json()))

    def test_failures_are_named(self):
        self.assert_failed(self.swrun('exec', SQUASHFUSE, '--image-mode=unpack', self.image, 'true'), 255,
                           'by squashfuse (from --image-reader)', 'unpacked')
        self.assert_failed(self.swrun('exec', '--image-reader=other', self.image, 'true'), 1, 'image-reader')


if __name__ == '__main__':
    swtest.main()
