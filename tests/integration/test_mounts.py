"""What lies where: the order of mounts, mount points that the image or the host lacks, devices, impossible mounts."""
import os
import shutil
import stat
import subprocess

import swtest


class Mounts(swtest.Case):
    def image_of(self, name, change=None):
        """An image and a directory of that name: the plain tree, changed."""
        tree = os.path.join(self.work, name)
        shutil.copytree(os.path.join(self.images, 'sandbox'), tree, symlinks=True)
        if change:
            change(tree)
        subprocess.run(['chmod', '-R', 'a+rX', tree], check=True)
        subprocess.run(['mksquashfs', tree, tree + '.sqfs', '-all-root', '-noappend', '-no-progress', '-quiet'],
                       check=True, stdout=subprocess.DEVNULL)
        if self.user.root:
            subprocess.run(['chown', '-hR', str(self.user.uid), tree], check=True)
        return tree + '.sqfs'

    def folder(self, name, mode=0o755):
        path = os.path.join(self.work, name)
        os.makedirs(path, exist_ok=True)
        while len(path) > len(self.work):
            self.user.give(path)
            path = os.path.dirname(path)
        os.chmod(os.path.join(self.work, name), mode)
        return os.path.join(self.work, name)

    def site(self):
        """A working directory that no automatic mount but its own shows."""
        path = os.path.join(self.user.home, 'swrun-test-site.%d' % os.getpid())
        os.mkdir(path, 0o755)
        self.user.give(path)
        self.addCleanup(swtest.remove_tree, path)
        return path


class Order(Mounts):
    def setUp(self):
        super().setUp()
        self.write('a/f', 'A\n')
        self.write('b/f', 'B\n')

    def links(self, tree):
        os.makedirs(tree + '/lustre/scratch/u')
        os.symlink('/lustre/scratch', tree + '/scratch')
        os.symlink('lustre/scratch/u', tree + '/work')
        os.rmdir(tree + '/var/tmp')
        os.symlink('/tmp', tree + '/var/tmp')
        os.symlink('tmp', tree + '/var/spool')

    def test_through_links_of_the_image(self):
        image = self.image_of('i', self.links)
        for first, second in (('/lustre/scratch', '/work'), ('/scratch', '/lustre/scratch/u')):
            out = self.ok('exec', '-B', 'a:' + first, '-B', 'b:' + second, image, 'cat', second + '/f').out
            self.assertEqual(out, 'B\n', (first, second))
        for options in ((), ('-c',), ('-c', '-B', 'b:/tmp')):
            done = self.ok('exec', *options, '--home', 'a:/var/spool/cwl', '--pwd', '/var/spool/cwl', image, 'cat', 'f')
            self.assertEqual(done.out, 'A\n', options)
            self.assertEqual(done.err, '', options)

    def test_home_and_scratch_below_a_bind(self):
        done = self.ok('exec', '-c', '--home', 'b:/data/me', '-S', '/data/sc', '-B', 'a:/data', self.image, 'sh', '-c',
                       'cat /data/f /data/me/f; ls /data/sc')
        self.assertEqual(done.out, 'A\nB\n')

    def test_a_cover_is_said(self):
        image = self.image_of('i', self.links)
        done = self.ok('exec', '-B', 'a:/work', '-B', 'b:/scratch/u', image, 'cat', '/work/f')
        self.assertEqual(done.out, 'B\n')
        for word in ('covers', '/work', '/scratch/u', '--bind'):
            self.assertIn(word, done.err)
        self.assertEqual(done.err.count('\n'), 1, done.err)

    def test_below_the_working_directory(self):
        site = self.site()
        for name in ('ref', 'sub'):
            os.mkdir(os.path.join(site, name))
            self.user.give(os.path.join(site, name))
        cases = ((('-B', f'{self.work}/b:{site}/ref'), 'B\n'), (('-B', f'{self.work}/b/f:{site}/ref/f'), 'B\n'),
                 (('-B', f'{self.work}/b:{site}/sub/new'), ''), (('-S', site + '/ref'), ''))
        for options, out in cases:
            done = self.ok('exec', '--no-home', *options, self.image, 'sh', '-c', 'cat ref/* 2>/dev/null; test -d sub',
                           cwd=site)
            self.assertEqual(done.out, out, options)
            self.assertEqual(done.err, '', options)


class Automatic(Mounts):
    def test_what_the_image_has_there_instead(self):
        home = self.user.home
        parent = os.path.dirname(home)

        def clear(tree, path):
            shutil.rmtree(tree + path, ignore_errors=True)
            os.makedirs(os.path.dirname(tree + path), exist_ok=True)

        def file_at(path):
            return lambda tree: (clear(tree, path), open(tree + path, 'w', encoding='utf-8').close())

        def link_at(path, target):
            return lambda tree: (clear(tree, path), os.symlink(target, tree + path))

        changes = {
            'file': file_at(parent), 'home': file_at(home), 'loop': link_at(parent, os.path.basename(parent)),
            'dead': link_at(home, '/nowhere/at/all'), 'tmp': file_at('/tmp'), 'tofile': link_at(parent, '/data/file'),
            'dev': file_at('/dev'), 'proc': link_at('/proc', 'proc'), 'intotmp': link_at(parent, '/tmp/not/there'),
        }
        for name, change in changes.items():
            image = self.image_of(name, change)
            for options, what in (((), image), (('-c',), image), ((), image[:-5]), (('--image-mode=unpack',), image)):
                done = self.ok('exec', *options, what, 'sh', '-c', 'test -d ~ && test -e /dev/null && echo ok', cwd='/')
                self.assertEqual(done.out, 'ok\n', (name, options, what))
                self.assertEqual(done.err, '', (name, options, what))
        self.assertFalse(os.path.exists('/tmp/not'))

    def test_a_writable_directory_is_left_alone(self):
        self.image_of('i', lambda tree: (os.rmdir(tree + '/home'), open(tree + '/home', 'w', encoding='utf-8').close()))
        done = self.ok('exec', '--writable', 'i', 'echo', 'ok', cwd=self.work)
        self.assertEqual(done.out, 'ok\n')
        self.assertIn('Skipping mount ' + self.user.home, done.err)
        self.assertTrue(os.path.isfile(self.work + '/i/home'))

    def test_nothing_is_made_in_bound_directories(self):
        site = self.site()
        for mode in (0o555, 0o755):
            data = self.folder('data%o' % mode, mode)
            parent = os.path.dirname(self.user.home)
            self.ok('exec', '--pwd', '/tmp', '-B', data + ':' + parent, self.image, 'true', cwd=site)
            self.ok('exec', '--home', data + ':' + self.user.home, self.image, 'true', cwd=site)
            self.ok('exec', '-B', data + ':/var', self.image, 'true', cwd='/')
            self.assertEqual(os.listdir(data), [], oct(mode))

    def test_a_hidden_working_directory_is_said(self):
        site = self.site()
        done = self.ok('exec', '--home', self.folder('h') + ':' + self.user.home, self.image, 'pwd', cwd=site)
        self.assertEqual(done.out, self.user.home + '\n')
        self.assertIn(site, done.err)
        self.assertEqual(done.err.count('\n'), 1, done.err)


class Asked(Mounts):
    def test_modes_of_directories_are_respected(self):
        outer, inner = self.folder('outer', 0o555), self.folder('inner')
        cases = (('-B', f'{outer}:/data', '-B', f'{inner}:/data/new'), ('-B', f'{outer}:/data', '-S', '/data/a/b'),
                 ('-B', f'{outer}:/data', '--home', f'{inner}:/data/me'), ('-c', '--workdir', outer, '-S', '/s'))
        for options in cases:
            done = self.swrun('exec', *options, self.image, 'true', cwd='/')
            self.assert_failed(done, 255, 'permission denied')
            self.assertEqual(os.listdir(outer), [], options)
        os.chmod(outer, 0o755)
        self.ok('exec', *cases[0], self.image, 'test', '-d', '/data/new')
        self.assertEqual(os.listdir(outer), ['new'])

    def test_no_mount_point_in_a_read_only_bind(self):
        outer, inner = self.folder('outer'), self.folder('inner')
        done = self.swrun('exec', '-B', outer + ':/data:ro', '-B', inner + ':/data/new', self.image, 'true')
        self.assert_failed(done, 255, '/data/new', outer, 'read-only', '--bind')
        self.assertEqual(os.listdir(outer), [])
        os.mkdir(outer + '/new')
        self.ok('exec', '-B', outer + ':/data:ro', '-B', inner + ':/data/new', self.image, 'true')

    def test_file_on_directory_and_the_reverse(self):
        self.write('f', 'x')
        done = self.swrun('exec', '-B', 'f:/data', self.image, 'true')
        self.assert_failed(done, 255, self.work + '/f is not a directory, but /data is', '/data/f', '--bind')
        done = self.swrun('exec', '-B', self.folder('d') + ':/data/file', self.image, 'true')
        self.assert_failed(done, 255, '/d is a directory, but /data/file', '--bind')
        self.write('there/file', 'x')
        done = self.swrun('exec', '-B', 'there:/mnt', '-B', 'd:/mnt/file', self.image, 'true')
        self.assert_failed(done, 255, 'is a directory, but /mnt/file')
        done = self.swrun('exec', '-S', '/data/file', self.image, 'true')
        self.assert_failed(done, 255, '/data/file', '--scratch')

    def test_an_explicit_home_that_cannot_be(self):
        tree = self.image_of('i')[:-5]
        self.write('h/f', 'x')
        done = self.swrun('exec', '--home', 'h:/canary', '--writable', tree, 'true')
        self.assert_failed(done, 255, "destination /canary doesn't exist in container", '--home')
        self.assertFalse(os.path.exists(tree + '/canary'))
        done = self.swrun('exec', self.image, 'true', env={'SINGULARITY_HOME': self.work + '/h/f:/home/me'})
        self.assert_failed(done, 255, 'not a directory', 'SINGULARITY_HOME')
        done = self.swrun('exec', '--home', 'h:/data/file', self.image, 'true')
        self.assert_failed(done, 255, '/data/file', '--home')

    def test_devices_at_their_own_place(self):
        os.symlink('/dev/null', self.work + '/null')
        spec = 'type=bind,src=/dev,dst=/dev'
        for options in (('-B', '/dev'), ('-B', '/dev:/dev:ro'), ('--mount', spec), ('-B', '/dev/null'), ('-c', '-B', '/dev'),
                        ('--no-mount', 'dev', '-B', '/dev'), ('-B', self.work + '/null:/dev/null'),
                        ('--no-mount', 'dev', '-B', '/dev/null')):
            done = self.ok('exec', *options, self.image, 'sh', '-c', 'cat /dev/null && echo x > /dev/null && echo ok')
            self.assertEqual(done.out, 'ok\n', options)
        elsewhere = self.swrun('exec', '-B', '/dev/null:/mnt/null', self.image, 'cat', '/mnt/null')
        self.assertNotEqual(elsewhere.status, 0, repr(elsewhere))

    def test_added_libraries_come_after_those_of_the_image(self):
        def glibc(tree):
            for folder in ('sbin', 'lib', 'etc', '.singularity.d/libs'):
                os.makedirs(os.path.join(tree, folder), exist_ok=True)
            for name, text in (('sbin/ldconfig', ''), ('etc/ld.so.conf', '/lib\n')):
                with open(os.path.join(tree, name), 'w', encoding='utf-8') as out:
                    out.write(text)
            os.chmod(tree + '/sbin/ldconfig', stat.S_IRWXU)
            with open(tree + '/.singularity.d/env/99-base.sh', 'w', encoding='utf-8') as out:
                out.write('export LD_LIBRARY_PATH=/.singularity.d/libs\n')
        image = self.image_of('i', glibc)
        self.write('libs/libx.so', 'x')
        show = ('sh', '-c', 'echo $LD_LIBRARY_PATH')
        self.assertEqual(self.ok('exec', image, *show).out, '/.singularity.d/libs\n')
        upper = self.folder('upper')
        for options in (('-B', 'libs/libx.so:/.singularity.d/libs/libx.so'), ('-B', 'libs:/.singularity.d/libs'),
                        ('--overlay', upper, '-B', 'libs:/.singularity.d/libs')):
            done = self.ok('exec', *options, image, *show)
            self.assertTrue(done.out.startswith('/') and done.out.endswith(':/.singularity.d/libs\n'), repr(done))


if __name__ == '__main__':
    swtest.main()
