import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from benchpath import ROOT
from bench import images


def squashfs(block_size=131072, compressor=1, inodes=42):
    head = struct.pack('<4sIIIIHHHHHHQQ', b'hsqs', inodes, 0, block_size, 0, compressor, 17, 0, 1, 4, 0, 0, 4096)
    return head.ljust(4096, b'\0')


class Look(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, content):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as out:
            out.write(content)
        return path

    def test_squashfs(self):
        seen = images.look_at(self.file('a', squashfs(1 << 20, 6)))
        self.assertEqual((seen['kind'], seen['block_size'], seen['compressor'], seen['inodes'], seen['squashfs_bytes']),
                         ('squashfs', 1 << 20, 'zstd', 42, 4096))

    def test_sif_and_the_part_that_is_taken_out_of_it(self):
        bare = self.file('a.sqfs', squashfs())
        sif = os.path.join(self.folder.name, 'a.sif')
        subprocess.run([sys.executable, '-B', os.path.join(ROOT, 'tests', 'support', 'make_sif.py'), '--arch', 'amd64', bare, sif], check=True)
        seen = images.look_at(sif)
        self.assertEqual((seen['kind'], seen['compressor'], seen['size']), ('sif', 'gzip', 4096))
        images.copy_part(sif, seen['offset'], seen['size'], bare + '.copy')
        with open(bare + '.copy', 'rb') as copy:
            self.assertEqual(copy.read(), squashfs())

    def test_a_directory(self):
        self.assertEqual(images.look_at(self.folder.name), {'kind': 'dir'})

    def test_what_is_no_image_is_refused_by_name(self):
        for content in (b'', b'text', squashfs()[:50], b'#!/usr/bin/env run-singularity\n'.ljust(32, b'\0') + b'SIF_MAGIC\0'):
            with self.assertRaisesRegex(images.ImageError, 'broken.sif'):
                images.look_at(self.file('broken.sif', content))


@unittest.skipUnless(shutil.which('mksquashfs'), 'mksquashfs is not installed')
class Forms(unittest.TestCase):
    def test_without_compression_means_all_parts(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = os.path.join(folder, 'tree')
            os.mkdir(tree)
            for number in range(400):
                with open(os.path.join(tree, f'much the same name {number:04}'), 'wb') as out:
                    out.write(b'%04d' % number * 250)
            sizes = {}
            for kind in ('gzip', 'none'):
                images.squash(tree, os.path.join(folder, kind), kind)
                sizes[kind] = images.look_at(os.path.join(folder, kind))['squashfs_bytes']
            self.assertLess(sizes['gzip'], 100 * 1000)
            self.assertGreater(sizes['none'], 400 * 1000)


class Lists(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.content = images.Content('/given', self.folder.name)
        self.content.tree = os.path.join(self.folder.name, 'tree')
        for name, size, mode in (('usr/bin/tool', 9000, 0o755), ('usr/share/a', 10, 0o644), ('usr/share/b', 0, 0o644),
                                 ('usr/share/secret', 10, 0o600), ('usr/closed/c', 10, 0o644), ('etc/passwd', 10, 0o644)):
            path = os.path.join(self.content.tree, name)
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
            with open(path, 'wb') as out:
                out.write(b'x' * size)
            os.chmod(path, mode)
        os.chmod(os.path.join(self.content.tree, 'usr/closed'), 0o700)
        os.symlink('a', os.path.join(self.content.tree, 'usr/share/link'))

    def test_files_of_usr_that_every_peer_may_read_and_the_small_ones_among_them(self):
        images.write_lists(self.content, self.folder.name)
        with open(self.content.lists['stream']['paths'][0], 'rb') as file:
            self.assertEqual(file.read(), b'/usr/bin/tool\0/usr/share/a\0/usr/share/b\0')
        self.assertEqual((self.content.lists['stream']['files'], self.content.lists['stream']['bytes']), (3, 9010))
        self.assertEqual((self.content.lists['small']['files'], len(self.content.lists['small']['paths'])), (1, images.READERS))

    def test_programs_and_top_directories(self):
        os.makedirs(os.path.join(self.content.tree, 'tmp'))
        os.symlink('usr/bin', os.path.join(self.content.tree, 'bin'))
        self.assertTrue(self.content.has('tool'))
        self.assertFalse(self.content.has('tool', 'python3'))
        self.assertEqual(self.content.tops(), ['/etc', '/usr'])

    def test_python_modules(self):
        os.makedirs(os.path.join(self.content.tree, 'usr/lib/python3/dist-packages/numpy'))
        self.assertTrue(self.content.has_python('numpy'))
        self.assertFalse(self.content.has_python('numpy', 'scipy'))


if __name__ == '__main__':
    unittest.main()
