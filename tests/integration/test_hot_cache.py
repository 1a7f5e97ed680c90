"""--hot-cache: a later launch decodes nothing, and nothing that is wrong with the kept files is more than lost time."""
import json
import os
import shutil
import stat
import subprocess
import time

import swtest
from swtest import wait_for

MANY = 10
FILE_LIMIT = 32 << 20


class Hot(swtest.Case):
    """The user is this test's alone: that no process of his is left tells that every server has written what it knows."""
    user_name, user_id = 'swhot', 7074

    @classmethod
    def setUpClass(cls):
        if os.geteuid():
            swtest.cannot('waiting for the processes of a user of its own needs root')
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.settle()
        self.stats = os.path.join(self.work, 'stats')
        self.cache = os.path.join(self.work, 'cache')
        os.mkdir(self.cache)
        self.user.give(self.cache)
        self.hot = os.path.join(self.cache, 'swrun', 'hot')
        self.copy = os.path.join(self.work, 'image.sqfs')
        shutil.copy(self.image, self.copy)
        self.user.give(self.copy)

    def settle(self):
        self.assertTrue(wait_for(lambda: not self.user.processes(), 20), f'left running: {self.user.processes()}')

    def popen(self, argv, env=None, **more):
        # SWRUN_SHARE: each of several launches at once has a server of its own.
        mine = {'SWRUN_SERVER_STATS': self.stats, 'SWRUN_CACHEDIR': self.cache, 'SWRUN_SHARE': 'never'}
        mine.update(env or {})
        return super().popen(argv, env=mine, **more)

    def lines(self):
        if not os.path.exists(self.stats):
            return []
        with open(self.stats, encoding='utf-8') as text:
            return [json.loads(line) for line in text]

    def start(self, *argv, image=None, options=('--hot-cache',), **more):
        """One launch: what it said, and what its server did."""
        before = len(self.lines())
        done = self.ok('exec', *options, image or self.copy, *(argv or ('md5sum', '/bin/bash', '/data/file')), **more)
        self.settle()
        lines = self.lines()
        self.assertEqual(len(lines), before + 1)
        self.assertEqual(done.err, '')
        return done.out, lines[-1]

    def files(self):
        """Name and size of all that is kept; nothing but files that others can neither read nor write."""
        if not os.path.isdir(self.hot):
            return {}
        there = os.stat(self.hot)
        self.assertEqual((stat.S_IMODE(there.st_mode), there.st_uid), (0o700, self.user.uid))
        found = {}
        for name in os.listdir(self.hot):
            if name.endswith('.new'):  # somebody writes at this moment
                continue
            there = os.lstat(os.path.join(self.hot, name))
            self.assertRegex(name, '^[0-9a-f]{32}$')
            self.assertEqual((there.st_mode, there.st_uid), (stat.S_IFREG | 0o600, self.user.uid), name)
            found[name] = there.st_size
        return found

    def only_file(self):
        files = self.files()
        self.assertEqual(len(files), 1, files)
        return os.path.join(self.hot, next(iter(files)))

    def assert_cold(self, stats):
        self.assertGreater(stats['blocks_decoded'], 5)
        self.assertEqual(stats['blocks_hot'], 0)

    def assert_hot(self, stats):
        self.assertEqual((stats['blocks_decoded'], stats['metadata_blocks_decoded']), (0, 0))
        self.assertGreater(stats['blocks_hot'], 5)


class Keeps(Hot):
    def test_the_second_launch_decodes_nothing(self):
        plain, stats = self.start(options=())
        self.assert_cold(stats)
        self.assertEqual(self.files(), {}, 'nothing is kept unless asked for')
        out, stats = self.start()
        self.assertEqual(out, plain)
        self.assert_cold(stats)
        kept = self.only_file()
        written = os.stat(kept)
        for options, env in ((['--hot-cache'], {}), ([], {'SWRUN_HOT_CACHE': '1'})):
            out, stats = self.start(options=options, env=env)
            self.assertEqual(out, plain)
            self.assert_hot(stats)
        self.assertEqual(os.stat(kept).st_ino, written.st_ino, 'nothing new, nothing written')
        out, stats = self.start(options=['--hot-cache=false'], env={'SWRUN_HOT_CACHE': '1'})
        self.assert_cold(stats)

    def test_every_kind_of_image(self):
        for name in ('xz.sqfs', 'zstd.sqfs', 'lz4.sqfs', 'image.sif', 'image.simg'):
            image = os.path.join(self.images, name)
            if not os.path.exists(image):
                continue
            with self.subTest(image=name):
                plain, _ = self.start(options=(), image=image)
                self.assertEqual(self.start(image=image)[0], plain)
                out, stats = self.start(image=image)
                self.assertEqual(out, plain)
                self.assert_hot(stats)

    def test_by_the_site_file(self):
        site = self.write('site.toml', '[defaults]\nhot_cache = true\n')
        for check in (self.assert_cold, self.assert_hot):
            check(self.start(options=(), env={'SWRUN_CONFIG': site})[1])

    def test_a_program_that_reads_more_adds_to_it(self):
        self.start('true')
        small = os.path.getsize(self.only_file())
        self.start('md5sum', '/bin/bash')
        self.assertGreater(os.path.getsize(self.only_file()), small)
        for argv in (('true',), ('md5sum', '/bin/bash')):
            self.assert_hot(self.start(*argv)[1])

    def test_an_idle_server_writes_as_well(self):
        child = self.popen(['swrun', 'exec', '--hot-cache', self.copy, 'sleep', '20'],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait, 10)
        self.addCleanup(child.kill)
        self.assertTrue(wait_for(self.files, 15), 'nothing was written')
        self.assertIsNone(child.poll(), 'it still runs')

    def test_further_images(self):
        options = ['--hot-cache', '-B', self.image + ':/mnt:image-src=/']
        plain = self.ok('exec', *options, self.copy, 'md5sum', '/mnt/bin/bash').out
        self.settle()
        self.assertEqual(len(self.files()), 2)
        before = len(self.lines())
        self.assertEqual(self.ok('exec', *options, self.copy, 'md5sum', '/mnt/bin/bash').out, plain)
        self.settle()
        for stats in self.lines()[before:]:
            self.assertEqual(stats['blocks_decoded'], 0)
        self.assertEqual(len(self.lines()), before + 2)

    def test_an_image_that_is_replaced(self):
        self.start('cat', '/data/file')
        other = os.path.join(self.work, 'other.sqfs')
        tree = os.path.join(self.work, 'tree')
        shutil.copytree(os.path.join(self.images, 'sandbox'), tree, symlinks=True)
        with open(os.path.join(tree, 'data', 'file'), 'w', encoding='utf-8') as text:
            text.write('from the other\n')
        subprocess.run(['mksquashfs', tree, other, '-all-root', '-noappend', '-no-progress', '-quiet'], check=True,
                       stdout=subprocess.DEVNULL)
        self.user.give(other)
        times = os.stat(self.copy)
        # Also in place and with the time of the old one.
        with open(other, 'rb') as source, open(self.copy, 'r+b') as target:
            target.truncate(0)
            shutil.copyfileobj(source, target)
        os.utime(self.copy, ns=(times.st_atime_ns, times.st_mtime_ns))
        out, stats = self.start('cat', '/data/file')
        self.assertEqual(out, 'from the other\n')
        self.assert_cold(stats)
        self.assertEqual(len(self.files()), 2)

    def test_many_at_once(self):
        plain = self.ok('exec', self.copy, 'md5sum', '/bin/bash').out
        self.settle()
        for _ in range(3):
            children = [self.popen(['swrun', 'exec', '--hot-cache', self.copy, 'md5sum', '/bin/bash'])
                        for _ in range(MANY)]
            for child in children:
                out, err = child.communicate(timeout=60)
                self.assertEqual((child.returncode, out.decode(), err), (0, plain, b''))
            self.settle()
            self.only_file()
        # On a busy host nobody works ahead; what only that reads is too little to be added later.
        stats = self.start('md5sum', '/bin/bash')[1]
        self.assertLess(stats['blocks_decoded'], 3)
        self.assertGreater(stats['blocks_hot'], 5)

    def test_a_file_has_a_bound(self):
        tree = os.path.join(self.work, 'tree')
        shutil.copytree(os.path.join(self.images, 'sandbox'), tree, symlinks=True)
        for i in range(5):
            with open(os.path.join(tree, 'data', f'noise{i}'), 'wb') as out:
                out.write(os.urandom(10 << 20))
        image = os.path.join(self.work, 'big.sqfs')
        subprocess.run(['mksquashfs', tree, image, '-all-root', '-noappend', '-no-progress', '-quiet'], check=True,
                       stdout=subprocess.DEVNULL)
        sizes = []
        for _ in range(4):
            self.start('sh', '-c', 'cat /data/noise* | wc -c', image=image)
            sizes.append(os.path.getsize(self.only_file()))
        self.assertGreater(sizes[-1], FILE_LIMIT // 2)
        self.assertLessEqual(sizes[-1], FILE_LIMIT)
        self.assertEqual(sizes[-1], sizes[-2], sizes)

    def test_cache_list_and_clean(self):
        self.start()
        name = os.path.basename(self.only_file())
        self.assertIn('There are 1 container file(s)', self.ok('cache', 'list').out)
        verbose = self.ok('cache', 'list', '-v').out
        self.assertIn(name[:22], verbose)
        self.assertIn('hot blocks', verbose)
        self.ok('cache', 'clean', '-f', '--days', '2')
        self.assertEqual(len(self.files()), 1)
        self.ok('cache', 'clean', '--dry-run')
        self.assertEqual(len(self.files()), 1)
        self.ok('cache', 'clean', '-f')
        self.assertEqual(os.listdir(os.path.dirname(self.hot)), [])
        self.assert_cold(self.start()[1])
        self.assert_hot(self.start()[1])


class Damage(Hot):
    def damage(self, change, heals=True):
        """After `change` of the file the output is right; the launch after that finds a good file again."""
        shutil.rmtree(os.path.dirname(self.hot), ignore_errors=True)
        plain, _ = self.start()
        change(self.only_file())
        self.assertEqual(self.start()[0], plain)
        if heals:
            self.start()
            out, stats = self.start()
            self.assertEqual(out, plain)
            self.assert_hot(stats)
            self.only_file()

    def flip(self, path, position):
        with open(path, 'r+b') as data:
            data.seek(position, os.SEEK_SET if position >= 0 else os.SEEK_END)
            byte = data.read(1)
            data.seek(position, os.SEEK_SET if position >= 0 else os.SEEK_END)
            data.write(bytes([byte[0] ^ 0x10]))

    def test_flipped(self):
        for position in (0, 9, 14, 30, 60, 100, -1, -100000, -1000000):
            with self.subTest(position=position):
                self.damage(lambda path, position=position: self.flip(path, position))

    def test_every_block_flipped(self):
        def ruin(path):
            with open(path, 'r+b') as data:
                data.seek(8192)
                rest = data.read()
                data.seek(8192)
                data.write(bytes(byte ^ 1 for byte in rest))
        self.damage(ruin)

    def test_truncated(self):
        for left in (0, 1, 55, 57, 500, 5000, 300000):
            with self.subTest(left=left):
                self.damage(lambda path, left=left: os.truncate(path, left))

    def test_truncated_while_it_is_used(self):
        plain, _ = self.start('md5sum', '/bin/bash')
        script = 'read -r go; md5sum /bin/bash'
        child = self.popen(['swrun', 'exec', '--hot-cache', self.copy, 'sh', '-c', script], stdin=subprocess.PIPE)
        time.sleep(0.5)
        os.truncate(self.only_file(), 4096)
        out, err = child.communicate(b'go\n', timeout=30)
        self.assertEqual((child.returncode, out.decode(), err), (0, plain, b''))

    def test_somebody_elses(self):
        self.damage(lambda path: os.chown(path, 0, 0))

    def test_writable_by_others(self):
        self.damage(lambda path: os.chmod(path, 0o666))

    def test_a_link(self):
        def link(path):
            os.rename(path, os.path.join(self.work, 'precious'))
            os.symlink(os.path.join(self.work, 'precious'), path)
        self.damage(link)
        self.assertGreater(os.path.getsize(os.path.join(self.work, 'precious')), 1000)

    def test_not_a_file(self):
        def fifo(path):
            os.unlink(path)
            os.mkfifo(path)
            self.user.give(path)
        self.damage(fifo)

    def test_a_directory_in_its_place(self):
        def folder(path):
            os.unlink(path)
            os.mkdir(path)
        self.damage(folder, heals=False)

    def test_a_directory_that_is_not_ours_alone(self):
        for change in (lambda: os.chmod(self.hot, 0o770), lambda: os.chmod(self.hot, 0o707),
                       lambda: os.chown(self.hot, 0, 0)):
            shutil.rmtree(os.path.dirname(self.hot), ignore_errors=True)
            plain, _ = self.start()
            kept = os.stat(self.only_file()).st_mtime_ns
            name = self.only_file()
            change()
            out, stats = self.start()
            self.assertEqual(out, plain)
            self.assert_cold(stats)
            self.assertEqual(os.stat(name).st_mtime_ns, kept)
            said = self.ok('-v', 'exec', '--hot-cache', self.copy, 'true').err
            self.assertIn(self.hot, said)
            self.settle()

    def test_a_linked_directory(self):
        os.makedirs(os.path.join(self.work, 'elsewhere'))
        self.user.give(os.path.join(self.work, 'elsewhere'))
        os.makedirs(os.path.dirname(self.hot))
        self.user.give(os.path.dirname(self.hot))
        os.symlink(os.path.join(self.work, 'elsewhere'), self.hot)
        self.assert_cold(self.start()[1])
        self.assertEqual(os.listdir(os.path.join(self.work, 'elsewhere')), [])

    def test_nowhere_to_write(self):
        shut = os.path.join(self.work, 'shut')
        os.mkdir(shut, 0o555)
        for place in (shut, os.path.join(shut, 'a/b'), '/proc/none', '/dev/null', os.path.join(self.work, 'a/b/c')):
            with self.subTest(place=place):
                for _ in range(2):
                    self.assert_cold(self.start(env={'SWRUN_CACHEDIR': place})[1])
        self.assertFalse(os.path.exists(os.path.join(self.work, 'a')))

    def test_no_home(self):
        env = {'HOME': None, 'SWRUN_CACHEDIR': None, 'XDG_CACHE_HOME': os.path.join(self.work, 'none', 'none')}
        for _ in range(2):
            self.assert_cold(self.start(env=env)[1])
        # The user database knows where it is.
        self.hot = os.path.join(self.user.home, '.cache', 'swrun', 'hot')
        self.addCleanup(swtest.remove_tree, os.path.join(self.user.home, '.cache'))
        env['XDG_CACHE_HOME'] = None
        for check in (self.assert_cold, self.assert_hot):
            check(self.start(env=env)[1])
            self.only_file()

    def test_limits(self):
        """Of file sizes, which would kill with a signal, and of a killed writer's file."""
        for argument in ('0', '100'):
            child = self.run_as_user('sh', '-c', f'ulimit -f {argument}; exec swrun exec --hot-cache {self.copy} true',
                                     env={'SWRUN_SERVER_STATS': None})
            self.assertEqual((child.status, child.err), (0, ''))
            self.settle()
            self.assertEqual(self.files(), {})
        self.start('true')
        name = self.only_file()
        left = name + '.new'
        os.rename(name, left)
        self.assert_cold(self.start('true')[1])
        self.assertFalse(os.path.exists(name), 'somebody seems to write it')
        os.utime(left, (1000, 1000))
        self.assert_cold(self.start('true')[1])
        self.assertEqual(self.only_file(), name)
        self.assert_hot(self.start('true')[1])


if __name__ == '__main__':
    swtest.main()
