"""Every kind of image gives the same tree; what is not an image is refused by name."""
import os
import shutil
import subprocess

import swtest
from stage import COMPRESSORS


class Kinds(swtest.Case):
    def check(self, image):
        files = ['bin/busybox', 'bin/bash', 'bin/probe', 'data/file', 'etc/os-release', 'opt/tool/bin/tool']
        wanted = subprocess.run(['md5sum'] + files, cwd=os.path.join(self.images, 'sandbox'), stdout=subprocess.PIPE,
                                check=True, universal_newlines=True).stdout
        self.assertEqual(self.ok('exec', '--pwd', '/', image, 'md5sum', *files).out, wanted)

    def test_compressors(self):
        tried = 0
        for compressor in COMPRESSORS:
            image = os.path.join(self.images, compressor + '.sqfs')
            if os.path.exists(image):
                with self.subTest(compressor):
                    tried += 1
                    self.check(image)
        self.assertGreaterEqual(tried, 4, 'mksquashfs of this host offers too little')

    def test_sif(self):
        self.check(os.path.join(self.images, 'image.sif'))

    def test_simg(self):
        self.check(os.path.join(self.images, 'image.simg'))

    def test_sandbox(self):
        self.check(os.path.join(self.images, 'sandbox'))

    def test_relative_name_and_link(self):
        os.symlink(self.image, os.path.join(self.work, 'link.sqfs'))
        self.check('link.sqfs')
        self.check('./link.sqfs')

    def test_an_image_is_a_program(self):
        for name in ('image.simg', 'image.sif'):
            done = self.run_as_user(os.path.join(self.images, name), 'x y')
            self.assertEqual((done.status, done.out), (5, 'runscript: 1 args\n<x y>\n'), repr(done))

    def test_inspect_is_quiet_about_a_plain_image(self):
        self.ok('inspect', os.path.join(self.images, 'image.sif'))
        self.ok('inspect', '--json', os.path.join(self.images, 'image.sif')).json()


class Names(swtest.Case):
    """The same executable under the names that scripts know."""

    def test_drop_in_names(self):
        for name in ('singularity', 'apptainer'):
            done = self.run_as_user(name, 'exec', self.image, 'probe', '--exit', '9')
            self.assertEqual(done.status, 9, repr(done))
            self.assertRegex(self.run_as_user(name, '--version').out, r'^\S+ version \d+\.\d+')


class Refused(swtest.Case):
    def test_text(self):
        path = self.write('not.sif', 'hello, I am no image\n' * 100)
        self.assert_failed(self.swrun('exec', path, 'true'), 255, 'not.sif')

    def test_a_folder_without_programs(self):
        os.mkdir(os.path.join(self.work, 'hollow'))
        self.user.give(os.path.join(self.work, 'hollow'))
        self.assert_failed(self.swrun('exec', 'hollow', 'true'), 255)


if __name__ == '__main__':
    swtest.main()
