"""What our reader says of an ext image, against the files that went into it and against what debugfs takes out of it.

Every image is made by mke2fs here and now, and some are changed by e2fsck -D, which makes hash trees of directories.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'integration')]

import swtest  # noqa: E402
import trees  # noqa: E402

TOOL = os.path.join(os.environ.get('SWRUN_DIFFERENTIAL', ''), 'ext_list')
KIB, MIB = trees.KIB, trees.MIB
LAUNCH_LINE = b'#!/usr/bin/env run-singularity\n'
FIELDS = ('kind', 'mode', 'inode', 'size', 'last')


def setUpModule():
    for program in ('mke2fs', 'e2fsck', 'debugfs'):
        if not shutil.which(program, path=swtest.SYSPATH):
            swtest.cannot(f'no {program} (package e2fsprogs)')


def run(*argv, good=(0,)):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                          env=dict(os.environ, PATH=swtest.SYSPATH))
    if done.returncode not in good:
        raise AssertionError(f'{argv}: {done.returncode}: {done.stdout[-2000:]!r}')
    return done.stdout.decode('utf-8', 'backslashreplace')


def fill(top):
    """Sizes around every border, holes, links and names of each kind, and a directory of 5,000 names."""
    make = trees.Maker(11)
    for folder in ('sizes', 'sparse', 'links', 'names', 'many', 'empty', 'modes'):
        os.makedirs(f'{top}/{folder}')
    for size in (0, 1, 59, 60, 61, 100, 150, 200, 1023, 1024, 1025, 4096, 12 * KIB, 12 * KIB + 1, 48 * KIB + 1, 65536, 65537,
                 268 * KIB, 268 * KIB + 1, 300 * KIB):
        trees.write(f'{top}/sizes/{size}', make.noise(size))
    # mke2fs cuts off a hole at the end of a file where it has inline_data, so each ends with data.
    # 1 KiB blocks: twice indirect up to 64 MiB + 268 KiB, three times behind.
    trees.write_sparse(f'{top}/sparse/triple', 69 * MIB + 5000, [(0, b'start'), (MIB, make.noise(3000)), (64 * MIB + 267 * KIB,
                                                                                              make.noise(3 * KIB)),
                                                          (69 * MIB, make.noise(5000))])
    trees.write_sparse(f'{top}/sparse/all', 3 * MIB, [(3 * MIB - 1, b'x')])
    trees.write_sparse(f'{top}/sparse/comb', 169 * 12 * KIB + 100, [(at * 12 * KIB, make.noise(100)) for at in range(170)])
    trees.write_sparse(f'{top}/sparse/end', 5 * MIB + 7, [(5 * MIB, b'the end')])
    for length in (1, 30, 58, 59, 60, 61, 100, 160, 250, 1000):
        os.symlink(('target/' * 200)[:length], f'{top}/links/{length}')
    os.link(f'{top}/sizes/1025', f'{top}/links/hard')
    for name in (b'n' * 255, b'\xc3\xa4' * 127, b'\xff\xfe\x01', b'new\nline', b' ', b'a', b'ab', b'abc', b'abcd', b'back\\slash'):
        trees.write(os.path.join(os.fsencode(top), b'names', name), name)
    for i in range(5000):
        trees.write(f'{top}/many/entry-{i * 7919 % 5000:04}' + 'x' * (i % 40), b'%d' % i if i % 50 == 0 else b'')
    os.mkdir(f'{top}/empty/below')
    for mode in trees.MODES:
        trees.write(f'{top}/modes/{mode:o}', b'x')
        os.chmod(f'{top}/modes/{mode:o}', mode)
    os.makedirs(top + '/deep' * 30)


class Ext(unittest.TestCase):
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix='swext.', dir='/tmp')
        cls.addClassCleanup(swtest.remove_tree, cls.work)
        cls.image, cls.tree = os.path.join(cls.work, 'image'), os.path.join(cls.work, 'tree')
        os.mkdir(cls.tree)
        fill(cls.tree)
        cls.source = trees.facts(cls.tree)

    def listed(self, *place, image=None):
        found = {}
        for line in run(TOOL, image or self.image, *map(str, place)).splitlines():
            path, *fields = line.split(' ')
            self.assertEqual(len(fields), len(FIELDS), line)
            found[path[1:] or '.'] = dict(zip(FIELDS, fields))
        return found

    def check_source(self, listed):
        listed = {path: fields for path, fields in listed.items() if path != 'lost+found'}
        self.assertEqual(set(listed), set(self.source))
        for path, wanted in self.source.items():
            shown = {name: listed[path][name] for name in ('kind', 'mode')}
            self.assertEqual(shown, {name: wanted[name] for name in shown}, path)
            if wanted['kind'] == 'f':
                self.assertEqual(listed[path]['size'], wanted['size'], path)
            if 'crc' in wanted or 'target' in wanted:
                self.assertEqual(listed[path]['last'], wanted.get('crc') or wanted['target'], path)
        self.assertEqual(listed['links/hard']['inode'], listed['sizes/1025']['inode'])

    def check_debugfs(self, listed):
        """Inode numbers, modes and sizes as debugfs prints them, and a sample of contents as it takes them out."""
        for folder in ('', 'sizes', 'sparse', 'links', 'many', 'modes', 'deep/deep', 'empty'):
            out = run('debugfs', '-R', f'ls -p /{folder}', self.image)
            for inode, mode, name, size in re.findall(r'^/(\d+)/(\d+)/\d+/\d+/([^/\n]+)/(\d*)/$', out, re.M):
                if name in ('.', '..') or inode == '0':
                    continue
                ours = listed[f'{folder}/{name}'.strip('/')]
                self.assertEqual((ours['inode'], ours['mode']), (inode, f'{int(mode, 8) & 0o7777:o}'), (folder, name))
                if size:
                    self.assertEqual(ours['size'], size, (folder, name))
            self.assertGreater(len(out.splitlines()), 2 if folder != 'empty' else 1, out[:300])
        copy = os.path.join(self.work, 'copy')
        for path in ('sparse/triple', 'sparse/comb', 'sizes/307200', 'sizes/150'):
            run('debugfs', '-R', f'dump /{path} {copy}', self.image)
            self.assertEqual(listed[path]['last'], trees.crc_of(copy), path)

    def check(self, *options, size='128M', features=(), index=True):
        with self.subTest(options=' '.join(options)):
            if os.path.exists(self.image):
                os.unlink(self.image)
            run('mke2fs', '-q', '-F', '-d', self.tree, *options, self.image, size)
            said = run('debugfs', '-R', 'stats -h', self.image)
            for feature in features:
                self.assertRegex(said, rf'Filesystem features:.*\b{feature}\b')
            listed = self.listed()
            self.check_source(listed)
            self.check_debugfs(listed)
            if index:
                run('e2fsck', '-fyD', self.image, good=(0, 1))
                self.assertIn('lags: 0x', out := run('debugfs', '-R', 'stat /many', self.image))
                self.assertTrue(int(re.search(r'lags: (0x[0-9a-f]+)', out).group(1), 16) & 0x1000, 'no hash tree')
                listed = self.listed()
                self.check_source(listed)
                self.check_debugfs(listed)

    def test_ext2(self):
        for block in ('1024', '2048', '4096'):
            for inode in ('128', '256'):
                self.check('-t', 'ext2', '-b', block, '-I', inode)

    def test_ext3(self):
        self.check('-t', 'ext3', '-b', '1024', '-I', '128', features=['has_journal'])
        self.check('-t', 'ext3', '-b', '4096', '-I', '256', '-O', '^sparse_super,^resize_inode')

    def test_ext4(self):
        for block in ('1024', '2048', '4096'):
            self.check('-t', 'ext4', '-b', block, features=['extents?', 'flex_bg', '64bit'])
        self.check('-t', 'ext4', '-b', '1024', '-O', '^64bit,^metadata_csum', '-I', '128')
        self.check('-t', 'ext4', '-b', '1024', '-O', '^extent,^64bit')
        self.check('-t', 'ext4', '-b', '4096', '-I', '1024', '-O', 'ea_inode,large_dir,metadata_csum_seed,mmp')

    def test_inline_data(self):
        for inode in ('256', '512'):
            self.check('-t', 'ext4', '-b', '1024', '-I', inode, '-O', 'inline_data', features=['inline_data'])

    def test_groups(self):
        many = ('-b', '1024', '-g', '512', '-N', '8192')
        self.check('-t', 'ext3', *many, '-O', 'meta_bg,^resize_inode', size='256M', features=['meta_bg'])
        self.check('-t', 'ext4', *many, '-O', 'meta_bg,^resize_inode,^flex_bg', size='256M', features=['meta_bg'])
        self.check('-t', 'ext2', *many, '-O', 'meta_bg,^resize_inode,^sparse_super', size='256M', features=['meta_bg'])
        self.check('-t', 'ext4', *many, '-O', 'sparse_super2,meta_bg,^resize_inode', size='256M')
        self.check('-t', 'ext4', '-b', '1024', '-O', 'bigalloc', '-C', '8192', features=['bigalloc'])

    def test_large_blocks(self):
        self.check('-t', 'ext2', '-b', '65536', size='1G', index=False)
        self.check('-t', 'ext4', '-b', '65536', size='1G', index=False)

    def test_old(self):
        self.check('-t', 'ext2', '-b', '1024', '-O', '^filetype,^dir_index,^resize_inode,^sparse_super,^ext_attr', index=False)
        self.check('-t', 'ext2', '-r', '0', '-b', '1024', '-I', '128', '-O', 'none', index=False)

    def test_behind_a_launch_line(self):
        run('mke2fs', '-q', '-F', '-d', self.tree, '-t', 'ext3', '-b', '1024', self.image, '96M')
        moved = os.path.join(self.work, 'moved')
        with open(self.image, 'rb') as source, open(moved, 'wb') as out:
            out.write(LAUNCH_LINE)
            shutil.copyfileobj(source, out)
        self.check_source(self.listed(len(LAUNCH_LINE), image=moved))

    def test_a_difference_is_seen(self):
        run('mke2fs', '-q', '-F', '-d', self.tree, '-t', 'ext3', '-b', '1024', self.image, '96M')
        run('debugfs', '-w', '-R', 'set_inode_field /sizes/100 mode 0100640', self.image)
        run('debugfs', '-w', '-R', 'unlink /names/ab', self.image)
        with self.assertRaises(AssertionError):
            self.check_source(self.listed())


if __name__ == '__main__':
    swtest.main()
