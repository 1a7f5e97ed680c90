"""What our reader says of an image, against libsquashfuse and against the files that went into it.

Every image is made by mksquashfs here and now.  squash_diff compares reader and library inode by inode and byte by
byte; its list is compared with lstat and the content of the source.  Left out: lzma, which the library of Debian 12 does
not know (test_images of the integration tests reads such an image), and extended attributes other than user.*, which our
reader leaves out.
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

TOOL = os.path.join(os.environ.get('SWRUN_DIFFERENTIAL', ''), 'squash_diff')
FIELDS = ('kind', 'mode', 'uid', 'gid', 'mtime', 'nlink', 'number', 'size', 'major', 'minor', 'crc', 'target')
BLOCK_SIZES = ('4K', '64K', '128K', '1M')


def setUpModule():
    if not os.path.exists(TOOL):
        swtest.cannot('squash_diff was not built: no libsquashfuse (package libsquashfuse-dev)')
    if not shutil.which('mksquashfs'):
        swtest.cannot('no mksquashfs (package squashfs-tools)')


def supported():
    """The compressors of this mksquashfs."""
    said = subprocess.run(['mksquashfs'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True).stdout
    more = subprocess.run(['mksquashfs', '-help'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True).stdout
    return set(re.findall(r'^\t+(gzip|lz4|lzo|xz|zstd)\b', said + more, re.M))


class Reader(unittest.TestCase):
    longMessage = True

    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.mkdtemp(prefix='swdiff.', dir='/tmp')
        cls.addClassCleanup(swtest.remove_tree, cls.work)
        cls.image = os.path.join(cls.work, 'image.sqfs')
        cls.pseudo = cls.save('pseudo', trees.PSEUDO)
        cls.tree = os.path.join(cls.work, 'tree')
        os.mkdir(cls.tree)
        cls.fill()

    @classmethod
    def fill(cls):
        pass

    @classmethod
    def save(cls, name, text):
        path = os.path.join(cls.work, name)
        with open(path, 'w', encoding='utf-8') as out:
            out.write(text)
        return path

    def compare(self, image, *place):
        """The summary's numbers by name, and the tree as our reader lists it."""
        done = subprocess.run(['nice', TOOL, '--list', image, *map(str, place)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        out = done.stdout.decode('utf-8', 'backslashreplace')
        lines = out.splitlines()
        wrong = [line for line in lines if not line or line.startswith(('DIFFERENT', 'FAILED'))]
        self.assertEqual((done.returncode, wrong), (0, []), out[-2000:])
        self.assertTrue(lines[-1].startswith('COMPARED '), out[-2000:])
        counted = {name: int(number) for number, name in re.findall(r'(\d+) ([a-z-]+)', lines[-1])}
        listed = {}
        for line in lines[:-1]:
            path, *fields = line.split(' ')
            self.assertNotIn(path, listed)
            listed[path] = dict(zip(FIELDS, fields))
        self.assertEqual(len(listed), counted['paths'])
        return counted, listed

    def check_source(self, listed, source, changed=lambda path, fields: fields, extra=()):
        """`listed` is what went in: `source`, and the paths that begin with one of `extra`."""
        more = {path for path in listed if path.startswith(tuple(extra))} if extra else set()
        self.assertEqual(set(listed) - more, set(source))
        for path, fields in source.items():
            wanted = changed(path, dict(fields))
            self.assertEqual({name: listed[path][name] for name in wanted}, wanted, path)
        for path, fields in listed.items():
            if fields['kind'] != 'd':
                continue
            prefix = '' if path == '.' else path + '/'
            below = sum(one['kind'] == 'd' and name != '.' and name.startswith(prefix) and '/' not in name[len(prefix):]
                        for name, one in listed.items()) if len(listed) < 2000 or path == '.' else None
            if below is not None:
                self.assertEqual(int(fields['nlink']), 2 + below, path)


class Rich(Reader):
    @classmethod
    def fill(cls):
        cls.xattrs = trees.rich(cls.tree)
        cls.source = trees.facts(cls.tree)

    def make(self, *options):
        return trees.mksquashfs(self.tree, self.image, *options, '-pf', self.pseudo)

    def check(self, *options, changed=lambda path, fields: fields):
        with self.subTest(options=' '.join(options)):
            counted, listed = self.compare(self.make(*options))
            self.check_source(listed, self.source, changed, ('special',))
            self.assertEqual(counted['xattrs'], 0 if '-no-xattrs' in options else self.xattrs)
            self.assertEqual(counted['exports'], 0 if '-no-exports' in options else counted['inodes'])
            self.assertGreater(counted['bytes'], 20_000_000)
            return listed
        return {}

    def check_compressor(self, name, *more):
        if name not in supported():
            swtest.cannot(f'mksquashfs does not know {name}')
        for size in BLOCK_SIZES:
            self.check('-comp', name, '-b', size)
        for options in more:
            self.check('-comp', name, *options)

    def test_gzip(self):
        self.check_compressor('gzip', ['-Xcompression-level', '1', '-Xwindow-size', '8'],
                              ['-Xstrategy', 'default,filtered,huffman_only,run_length_encoded,fixed'])

    def test_lz4(self):
        self.check_compressor('lz4', ['-Xhc'])

    def test_lzo(self):
        self.check_compressor('lzo', ['-Xalgorithm', 'lzo1x_1'])

    def test_xz(self):
        self.check_compressor('xz', ['-Xbcj', 'x86,arm', '-b', '64K'], ['-b', '64K', '-Xdict-size', '8K'])

    def test_zstd(self):
        self.check_compressor('zstd', ['-Xcompression-level', '1'], ['-Xcompression-level', '22', '-b', '64K'])

    def test_parts_that_are_not_compressed(self):
        for option in ('-noI', '-noId', '-noD', '-noF', '-noX'):
            self.check(option)
        self.check('-noI', '-noId', '-noD', '-noF', '-noX')
        self.check('-noI', '-noD', '-comp', 'xz')

    def test_tail_ends(self):
        for options in (['-no-fragments'], ['-no-tailends'], ['-tailends'], ['-always-use-fragments']):
            self.check(*options)
            self.check(*options, '-b', '4K')

    def test_tables(self):
        for option in ('-no-exports', '-exports', '-no-xattrs', '-no-duplicates', '-no-sparse', '-nopad'):
            self.check(option)

    def test_no_hard_links(self):
        def alone(_, fields):
            if fields['kind'] == 'f':
                fields['nlink'] = '1'
            return fields
        self.check('-no-hardlinks', changed=alone)

    def test_owners_and_times_of_the_options(self):
        self.check('-force-uid', '4294967294', '-force-gid', '70000',
                   changed=lambda path, fields: dict(fields, uid='4294967294', gid='70000'))
        self.check('-all-time', '4294967295', '-all-root',
                   changed=lambda path, fields: dict(fields, mtime='4294967295', uid='0', gid='0'))

    def test_hard_links_share_an_inode(self):
        listed = self.check()
        self.assertEqual(len({listed[path]['number'] for path in ('links/first', 'links/second', 'links/third',
                                                                  'deep/fourth')}), 1)
        self.assertEqual(listed['links/first']['nlink'], '4')

    def test_what_pseudo_files_made(self):
        listed = self.check()
        made = {path: ' '.join(listed[path][name] for name in ('kind', 'mode', 'uid', 'gid', 'major', 'minor', 'target'))
                for path in listed if path.startswith('special/')}
        self.assertEqual(made, {
            'special/null': 'c 666 0 0 1 3 ', 'special/disk': 'b 660 0 6 259 0 ',
            'special/largest': 'b 600 4294967294 4294967294 4095 1048575 ', 'special/high': 'c 600 65536 70000 511 256 ',
            'special/pipe': 'p 622 1 2 0 0 ', 'special/socket': 's 755 3 4 0 0 ',
            'special/owned': 'd 750 4294967294 65534 0 0 ', 'special/link': 'l 777 5 6 0 0 ../text/made/by/a/pseudo/file'})

    def test_inside_a_larger_file(self):
        image = self.make('-nopad')
        size = os.path.getsize(image)
        with open(image, 'rb') as file:
            data = file.read()
        for before, behind in ((31, b''), (4096, b'x' * 100), (1000003, os.urandom(5000)), (2**32 + 1, b'')):
            with self.subTest(offset=before):
                outer = os.path.join(self.work, 'outer')
                with open(outer, 'wb') as out:
                    out.seek(before)
                    out.write(data + behind)
                _, listed = self.compare(outer, before, size)
                self.check_source(listed, self.source, extra=('special',))
                os.unlink(outer)

    def test_written_by_mksquashfs_at_an_offset(self):
        self.make('-offset', '64K')
        _, listed = self.compare(self.image, 65536)
        self.check_source(listed, self.source, extra=('special',))

    def test_appended_to(self):
        self.make()
        more = os.path.join(self.work, 'more')
        os.mkdir(more)
        trees.write(f'{more}/added', trees.Maker(4).mixed(300000))
        done = subprocess.run(['mksquashfs', more, self.image, '-no-progress', '-quiet', '-no-recovery', '-root-becomes', 'old'],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        self.assertEqual(done.returncode, 0, done.stdout)
        _, listed = self.compare(self.image)
        self.assertEqual(listed['added']['crc'], trees.crc_of(f'{more}/added'))
        old = {path[4:]: fields for path, fields in listed.items() if path.startswith('old/')}
        source = {path: fields for path, fields in self.source.items() if path != '.'}
        self.assertEqual({path for path in old if not path.startswith('special')}, set(source))
        for path, fields in source.items():
            self.assertEqual({name: old[path][name] for name in fields}, fields, path)


class Wide(Reader):
    @classmethod
    def fill(cls):
        cls.owners = cls.save('owners', trees.wide(cls.tree))
        cls.source = trees.facts(cls.tree)
        with open(cls.owners, encoding='utf-8') as lines:
            for line in lines:
                path, _, mode, uid, gid = line.split()
                cls.source[path].update(mode=mode.lstrip('0'), uid=uid, gid=gid)

    def test_many(self):
        for options in ([], ['-b', '4K'], ['-b', '4K', '-noI', '-noF'], ['-comp', 'xz'], ['-no-exports', '-no-fragments']):
            with self.subTest(options=' '.join(options)):
                trees.mksquashfs(self.tree, self.image, *options, '-pf', self.owners)
                counted, listed = self.compare(self.image)
                self.check_source(listed, self.source)
                self.assertEqual(counted['inodes'], 6403)
                self.assertEqual(len({fields['uid'] for fields in listed.values()}), 2500)


class Huge(Reader):
    @classmethod
    def fill(cls):
        trees.huge(cls.tree)
        cls.source = trees.facts(cls.tree)

    def test_beyond_32_bits(self):
        for options in (['-b', '1M'], ['-comp', 'zstd', '-Xcompression-level', '1', '-b', '128K', '-tailends']):
            with self.subTest(options=' '.join(options)):
                _, listed = self.compare(trees.mksquashfs(self.tree, self.image, *options))
                self.check_source(listed, self.source)


class Small(Reader):
    def test_nothing_at_all(self):
        for options in ([], ['-no-exports', '-no-xattrs'], ['-nopad'], ['-noI', '-noId']):
            with self.subTest(options=' '.join(options)):
                counted, _ = self.compare(trees.mksquashfs(self.tree, self.image, *options))
                self.assertEqual((counted['paths'], counted['inodes']), (1, 1))

    def test_one_file(self):
        for size in (0, 1, 4096, 4097, 8192, 12288):
            path = os.path.join(self.work, 'one')
            trees.write(path, trees.Maker(size).noise(size))
            for options in (['-no-fragments'], ['-always-use-fragments']):
                with self.subTest(size=size, options=' '.join(options)):
                    _, listed = self.compare(trees.mksquashfs(path, self.image, '-b', '4K', *options))
                    self.assertEqual((listed['one']['size'], listed['one']['crc']), (str(size), trees.crc_of(path)))


class TheTestItself(Reader):
    """A comparison that always says yes would be none."""
    OPTIONS = ('-noI', '-noD', '-noF', '-noX', '-all-time', '1', '-all-root')  # so that a change stays in its place

    @classmethod
    def fill(cls):
        os.mkdir(f'{cls.tree}/folder')
        trees.write(f'{cls.tree}/folder/file', trees.Maker(5).text(150000) + trees.Maker(6).noise(50000))
        trees.write(f'{cls.tree}/folder/last', b'x')
        os.symlink('target', f'{cls.tree}/link')
        trees.mksquashfs(cls.tree, cls.image, *cls.OPTIONS)

    def differences(self, change, *options, without=''):
        """What squash_diff says when the library reads the image of the same tree after change()."""
        other, tree = os.path.join(self.work, 'other.sqfs'), os.path.join(self.work, 'changed')
        swtest.remove_tree(tree)
        shutil.copytree(self.tree, tree, symlinks=True)
        if change:
            change(tree)
        trees.mksquashfs(tree, other, *(one for one in self.OPTIONS if one != without), *options)
        done = subprocess.run([TOOL, '--against', other, self.image], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              universal_newlines=True, timeout=60)
        found = [line for line in done.stdout.splitlines() if line.startswith(('DIFFERENT', 'FAILED'))]
        self.assertEqual(done.returncode, 1 if found else 0, done.stdout)
        return '\n'.join(found)

    def replaced(self, name, data):
        def change(tree):
            trees.write(os.path.join(tree, name), data)
        return change

    def relinked(self, tree):
        os.unlink(f'{tree}/link')
        os.symlink('tarGet', f'{tree}/link')

    def test_each_difference_is_seen(self):
        with open(f'{self.tree}/folder/file', 'rb') as file:
            data = bytearray(file.read())
        data[150000] ^= 1
        self.assertEqual(self.differences(None), '')
        for what, words in (
                (self.differences(self.replaced('folder/file', data)), ['bytes of folder/file at 0', 'block 1 of folder/file']),
                (self.differences(self.replaced('folder/last', b'y')), ['bytes of folder/last']),
                (self.differences(self.relinked), ['target of link: swrun target, libsquashfuse tarGet']),
                (self.differences(lambda tree: os.chmod(f'{tree}/folder/last', 0o751)), ['inode of folder/last', ' 751 ']),
                (self.differences(lambda tree: os.rename(f'{tree}/folder/last', f'{tree}/folder/lasu')),
                 ['look-up of folder/last: swrun last f', 'libsquashfuse (absent)', 'step 2']),
                (self.differences(lambda tree: trees.write(f'{tree}/folder/more', b'')), ['root inode: swrun ']),
                (self.differences(None, '-all-time', '2'), ['inode of folder', ' 2 2']),
                (self.differences(None, '-force-gid', '77'), ['inode of link', ' 77 ']),
                (self.differences(None, without='-noD'), ['place of block 1 of folder/file']),
        ):
            for word in words:
                self.assertIn(word, what)

    def test_damage_is_seen(self):
        damaged = os.path.join(self.work, 'damaged.sqfs')
        shutil.copy(self.image, damaged)
        source = trees.facts(self.tree)
        _, listed = self.compare(damaged)
        self.assertEqual(listed['folder/file']['crc'], source['folder/file']['crc'])
        with open(damaged, 'r+b') as file:
            file.seek(5000)  # of the content: superblock, then blocks
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))
        _, listed = self.compare(damaged)
        self.assertNotEqual(listed['folder/file']['crc'], source['folder/file']['crc'])
        os.truncate(damaged, 200)
        done = subprocess.run([TOOL, damaged], stdout=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b'FAILED', done.stdout)


if __name__ == '__main__':
    swtest.main()
