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


class Tree(swtest.Case):
    """What the image's server answers is a whole directory."""
    COUNT = """for d in "$@"; do
  n=2
  for s in "$d"/* "$d"/.*; do
    case ${s##*/} in .|..) continue;; esac
    if [ -d "$s" ] && [ ! -L "$s" ]; then n=$((n + 1)); fi
  done
  echo "$d $(stat -c %h "$d") $n"
done"""

    def test_dots(self):
        bind = ['-B', '/etc/os-release:/opt/new/sub/file']
        self.assertEqual(self.ok('exec', self.image, 'sh', '-c', 'ls -a / | head -n 2').out.split(), ['.', '..'])
        for folder in ('/data', '/opt', '/opt/tool', '/opt/new', '/opt/new/sub', '/empty'):
            with self.subTest(folder):
                script = f'ls -ai {folder} | head -n 2; stat -c %i {folder} {folder}/..'
                words = self.ok('exec', *bind, self.image, 'sh', '-c', script).out.split()
                self.assertEqual(words[1::2][:2], ['.', '..'], words)
                self.assertEqual((words[0], words[2]), (words[4], words[5]), words)

    def test_a_directory_of_the_image_as_a_mount(self):
        script = 'ls -ai /mnt | head -n 2; stat -c %i /mnt'
        words = self.ok('exec', '-B', f'{self.image}:/mnt:image-src=/opt', self.image, 'sh', '-c', script).out.split()
        self.assertEqual((words[1], words[3], words[0]), ('.', '..', words[4]))

    def test_link_counts(self):
        self.write('source')
        places = ('/opt/new/sub/file', '/empty/file', '/data/a/b/c/file', '/data/d/file')
        binds = [word for place in places for word in ('-B', self.work + '/source:' + place)]
        folders = ('/', '/opt', '/opt/new', '/opt/new/sub', '/empty', '/data', '/data/a', '/data/a/b', '/data/a/b/c', '/etc', '/usr')
        for options in ([], ['--contain'], ['--no-home', '--no-mount', 'tmp,cwd']):
            with self.subTest(options=options):
                done = self.ok('exec', '--pwd', '/', *options, *binds, self.image, 'bash', '-O', 'nullglob', '-c', self.COUNT, 'sh',
                               *folders)
                lines = [line.split() for line in done.out.splitlines()]
                self.assertEqual(len(lines), len(folders))
                for folder, links, directories in lines:
                    self.assertEqual(links, directories, folder)

    def make_image(self, *options):
        tree = os.path.join(self.work, 'tree')
        image = os.path.join(self.work, 'data.sqfs')
        if os.path.exists(image):
            os.unlink(image)
        subprocess.run(['mksquashfs', tree, image, '-all-root', '-noappend', '-no-progress', '-quiet', *options], check=True,
                       stdout=subprocess.DEVNULL)
        self.user.give(image)
        return image

    def test_extended_attributes(self):
        for name in ('tree/file', 'tree/folder/inside', 'tree/plain'):
            self.write(name, 'x')
        tree = os.path.join(self.work, 'tree')
        wanted = {'/file': {'user.test': 'hello', 'user.empty': '', 'user.long': 'l' * 3000}, '/folder': {'user.of.it': '1'},
                  '/plain': {}}
        try:
            for name, attributes in wanted.items():
                for key, value in attributes.items():
                    os.setxattr(tree + name, key, value.encode())
        except OSError as error:
            swtest.cannot(f'no extended attributes in {self.work}: {error}')
        if os.geteuid() == 0:
            os.setxattr(tree + '/file', 'trusted.secret', b'x')
            os.setxattr(tree + '/file', 'security.capability', bytes.fromhex('0100000200200000' + '00' * 12))
        for options in ([], ['-noX', '-comp', 'xz']):
            bind = ['-B', f'{self.make_image(*options)}:/mnt:image-src=/']
            for name, attributes in wanted.items():
                with self.subTest(name, options=options):
                    done = self.ok('exec', *bind, self.image, 'probe', '--xattrs', '/mnt' + name)
                    self.assertEqual(done.json(), attributes)
        # Without any, and where all are of other kinds, there is no such thing.
        for name, attributes in wanted.items():
            for key in attributes:
                os.removexattr(tree + name, key)
        for options in ([], ['-no-xattrs']):
            done = self.swrun('exec', '-B', f'{self.make_image(*options)}:/mnt:image-src=/', self.image, 'probe', '--xattrs', '/mnt/file')
            self.assertEqual(done.status, 1, repr(done))
            self.assertIn('Operation not supported', done.err)

    def test_two_entries_of_one_name(self):
        """The first counts, whoever reads the image."""
        for name in ('one1', 'one2', 'two'):
            self.write('tree/' + name, name)
        image = self.make_image('-noI', '-no-fragments')
        with open(image, 'r+b') as file:
            data = file.read()
            self.assertEqual(data.count(b'one2'), 2, 'as content and as name')
            file.seek(data.rindex(b'one2'))
            file.write(b'one1')
        script = 'cat /mnt/one1; ls /mnt'
        for options in ([], ['--image-mode=unpack'], ['--unpack-dir', self.work + '/kept', '--image-mode=unpack'],
                        ['--image-reader=squashfuse']):
            with self.subTest(options=options):
                if 'squashfuse' in ''.join(options) and not shutil.which('squashfuse_ll', path=swtest.SYSPATH):
                    continue
                done = self.ok('exec', *options, '-B', f'{image}:/mnt:image-src=/', self.image, 'sh', '-c', script)
                # squashfuse lists the name twice, but knows only the one.
                self.assertEqual(sorted(set(done.out.replace('one1one1', 'one1\none1').split())), ['one1', 'two'], done.out)
                self.assertEqual(done.out[:4], 'one1')


class Refused(swtest.Case):
    def test_old_squashfs(self):
        """The versions before 2009, in both byte orders, whatever the rest of them says."""
        for magic, version, words in ((b'hsqs', b'\3\0\1\0', '3.1'), (b'hsqs', b'\2\0\1\0', '2.1'), (b'hsqs', b'\1\0\0\0', '1.0'),
                                      (b'sqsh', b'\0\3\0\1', '3.1 in big-endian'), (b'sqsh', b'\0\1\0\0', '1.0 in big-endian')):
            path = os.path.join(self.work, 'old.sqfs')
            with open(path, 'wb') as out:
                out.write(magic + bytes(range(4, 28)) + version + os.urandom(8160))
            self.user.give(path)
            for argument in ([path], ['-B', path + ':/mnt:image-src=/', self.image]):
                with self.subTest(words, argument=argument[0]):
                    self.assert_failed(self.swrun('exec', *argument, 'true'), 255, f'squashfs version {words}',
                                       'only version 4.0 is supported', 'mksquashfs')

    def test_damage_is_called_so(self):
        with open(self.image, 'rb') as good:
            content = bytearray(good.read())
        tables = {name: int.from_bytes(content[at:at + 8], 'little') for name, at in (('inodes', 64), ('ids', 48))}
        for name, at in tables.items():
            bad = bytearray(content)
            for i in range(at, min(at + 64, len(bad))):
                bad[i] ^= 0x55
            path = os.path.join(self.work, 'bad.sqfs')
            with open(path, 'wb') as out:
                out.write(bad)
            self.user.give(path)
            with self.subTest(name):
                self.assert_failed(self.swrun('exec', path, 'true'), 255, 'the image is damaged')

    def test_a_missing_partition_is_named(self):
        sif = os.path.join(self.images, 'image.sif')
        self.assert_failed(self.swrun('exec', '--overlay', sif + ':ro', self.image, 'true'), 255, 'no overlay partition')
        for options, words in (('image-src=/', 'no data partition'), ('image-src=/,id=77', 'no partition with the id 77')):
            self.assert_failed(self.swrun('exec', '-B', f'{sif}:/mnt:{options}', self.image, 'true'), 255, words)

    def test_text(self):
        path = self.write('not.sif', 'hello, I am no image\n' * 100)
        self.assert_failed(self.swrun('exec', path, 'true'), 255, 'not.sif')

    def test_a_folder_without_programs(self):
        os.mkdir(os.path.join(self.work, 'hollow'))
        self.user.give(os.path.join(self.work, 'hollow'))
        self.assert_failed(self.swrun('exec', 'hollow', 'true'), 255)


if __name__ == '__main__':
    swtest.main()
