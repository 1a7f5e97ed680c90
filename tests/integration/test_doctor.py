"""What is said where the host, or a sandbox around swrun, refuses a part of a launch.  `doctor` tries what a launch does: it
fails where launches fail and nowhere else, with the same hint."""
import ctypes
import os
import shutil
import subprocess
import tempfile

import swtest

SETFCAP = 31


class Refused(swtest.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tools = tempfile.mkdtemp(prefix='swtest.', dir='/tmp')  # the build folder may lie where only its owner goes
        os.chmod(cls.tools, 0o755)
        cls.addClassCleanup(swtest.remove_tree, cls.tools)
        cls.sandbox = os.path.join(cls.tools, 'sandbox')
        shutil.copy(os.path.join(os.environ['SWRUN_BUILD'], 'tests', 'support', 'sandbox'), cls.sandbox)
        cls.program = os.path.join(swtest.STAGE, 'bin', 'swrun')

    def under(self, *outer, **more):
        """(launch, doctor), both inside `outer`."""
        launch = self.run_as_user(*outer, self.program, 'exec', self.image, 'cat', '/data/file', **more)
        return launch, self.run_as_user(*outer, self.program, 'doctor', **more)

    def needs(self, *outer):
        if subprocess.run([*outer, 'true'], stderr=subprocess.DEVNULL, preexec_fn=self.user.become).returncode:
            swtest.cannot('not possible here: ' + ' '.join(outer))

    def assert_both_fail(self, step, words, *outer, **more):
        launch, doctor = self.under(*outer, **more)
        self.assert_failed(launch, 255, *words)
        self.assertEqual(doctor.status, 1, repr(doctor))
        failing = [line for line in doctor.out.splitlines() if line.startswith('FAILS')]
        self.assertEqual(len(failing), 1, repr(doctor))
        self.assertIn(step, failing[0])
        for word in words:
            self.assertIn(word.lower(), doctor.out.lower(), repr(doctor))
        hint = launch.err.partition('hint: ')[2].strip()
        self.assertIn('fix: ' + hint, doctor.out, repr(launch))
        self.assertIn('cannot run images', doctor.out)

    def assert_both_work(self, step, *outer, **more):
        launch, doctor = self.under(*outer, **more)
        self.assertEqual((launch.status, launch.out), (0, 'from the image\n'), repr(launch))
        self.assertEqual(doctor.status, 0, repr(doctor))
        limited = [line for line in doctor.out.splitlines() if line.startswith('limited') and step in line]
        self.assertTrue(limited, repr(doctor))
        self.assertIn('can run images', doctor.out)


class Sandboxes(Refused):
    def test_all_is_well_without_one(self):
        doctor = self.ok('doctor')
        self.assertNotIn('FAILS', doctor.out)
        self.assertIn('can run images', doctor.out)
        for step in ('user namespace', 'id maps', 'mount namespace', 'tmpfs', 'open_tree', 'FUSE device', 'FUSE mounts',
                     'move_mount', 'pivot_root'):
            self.assertRegex(doctor.out, '(?m)^ok .*' + step)

    def test_landlock(self):
        self.needs(self.sandbox, 'landlock')
        self.assert_both_fail('mounting below', ['move_mount', 'EPERM', 'Landlock'], self.sandbox, 'landlock')

    def test_each_call(self):
        self.needs(self.sandbox, 'getcwd=EPERM')
        for rule, step, words in (
                ('unshare=EPERM', 'user namespace', ['unshare', 'seccomp']),
                ('unshare=ENOSYS', 'user namespace', ['unshare', 'seccomp']),
                ('open_tree=EPERM', 'binds', ['open_tree', 'EPERM', 'a seccomp filter is active']),
                ('mount_setattr=EPERM', 'binds', ['mount_setattr', 'a seccomp filter is active']),
                ('move_mount=EPERM', 'mounting below', ['move_mount', 'a seccomp filter is active']),
                ('move_mount=EACCES', 'mounting below', ['move_mount', 'EACCES', 'start swrun outside']),
                ('pivot_root=EPERM', 'switching', ['pivot_root', 'a seccomp filter is active']),
                ('pivot_root=EINVAL', 'switching', ['pivot_root', 'chroot']),
                ('umount2=EPERM', 'switching', ['umount', 'a seccomp filter is active'])):
            with self.subTest(rule):
                self.assert_both_fail(step, words, self.sandbox, rule)

    def test_on_an_old_kernel(self):
        self.needs(self.sandbox, 'getcwd=EPERM')
        old = 'open_tree=ENOSYS,move_mount=ENOSYS,fsopen=ENOSYS,mount_setattr=ENOSYS,'
        launch, doctor = self.under(self.sandbox, old + 'mount=EPERM')
        self.assert_failed(launch, 255, 'mount', 'EPERM')
        self.assertEqual(doctor.status, 1, repr(doctor))
        self.assertEqual(self.under(self.sandbox, old.rstrip(','))[1].status, 0)

    def test_a_filter_that_kills(self):
        self.needs(self.sandbox, 'getcwd=kill')
        doctor = self.run_as_user(self.sandbox, 'pivot_root=kill', self.program, 'doctor')
        self.assertEqual(doctor.status, 1, repr(doctor))
        self.assertRegex(doctor.out, 'FAILS +switching.*signal')
        self.assertIn('seccomp', doctor.out)


class WithoutFuse(Refused):
    """Images are unpacked, so the host can run them."""

    def setUp(self):
        super().setUp()
        if os.geteuid():
            swtest.cannot('only root can take /dev/fuse away')
        swtest.private_mounts()

    def test_a_device_without_a_driver(self):
        swtest.bind_mount('/dev/null', '/dev/fuse')
        self.addCleanup(ctypes.CDLL(None).umount2, b'/dev/fuse', 2)
        doctor = self.swrun('doctor')
        self.assertEqual(doctor.status, 0, repr(doctor))
        self.assertRegex(doctor.out, 'limited +FUSE mounts')
        self.assertIn('--image-mode=unpack', doctor.out)

    def test_one_that_may_not_be_opened(self):
        node = os.path.join(self.work, 'fuse')
        os.mknod(node, 0o20600, os.makedev(10, 229))
        swtest.bind_mount(node, '/dev/fuse')
        self.addCleanup(ctypes.CDLL(None).umount2, b'/dev/fuse', 2)
        self.assert_both_work('FUSE device')


class Namespaces(Refused):
    def outer(self, limit, deeper):
        """A user namespace with that limit, with or without a further one between it and swrun."""
        inner = 'exec unshare -U --map-current-user "$@"' if deeper else 'exec "$@"'
        return ['unshare', '-Ur', 'sh', '-c', f'echo {limit} > /proc/sys/user/max_user_namespaces || exit 99; {inner}', '-']

    def test_a_limit_of_this_one(self):
        self.needs(*self.outer(1, False))
        self.assert_both_fail('user namespace', ['ENOSPC', 'user.max_user_namespaces is 0 here', 'outside'],
                              *self.outer(0, False))

    def test_a_limit_further_out(self):
        """What /proc shows inside is no limit at all: the message must not name that number as the one reached."""
        self.needs(*self.outer(1, True))
        self.assert_both_fail('user namespace', ['ENOSPC', 'further out', 'start swrun outside'], *self.outer(1, True))

    def test_a_limit_of_another_kind(self):
        outer = ['unshare', '-Ur', 'sh', '-c', 'echo 0 > /proc/sys/user/max_mnt_namespaces || exit 99; exec "$@"', '-']
        self.needs(*outer)
        self.assert_both_fail('mount namespace', ['ENOSPC', 'user.max_mnt_namespaces is 0'], *outer)

    def test_namespaces_of_some_options_only(self):
        outer = ['unshare', '-Ur', 'sh', '-c', 'echo 0 > /proc/sys/user/max_pid_namespaces || exit 99; exec "$@"', '-']
        self.needs(*outer)
        self.assert_both_work('namespaces of --pid', *outer)
        self.assert_failed(self.run_as_user(*outer, self.program, 'exec', '--pid', self.image, 'true'), 255,
                           'user.max_pid_namespaces is 0')

    def test_a_read_only_proc(self):
        outer = ['unshare', '-Urm', 'sh', '-c', 'mount --rbind /proc /proc && mount -o remount,bind,ro,nosuid,nodev,noexec '
                 '/proc || exit 99; exec "$@"', '-']
        self.needs(*outer)
        self.assert_both_fail('id maps', ['EROFS', '/proc is mounted read-only'], *outer)

    def test_root_without_the_right_to_map_itself(self):
        if os.geteuid():
            swtest.cannot('only root can take rights from root')

        def drop():
            libc = ctypes.CDLL(None, use_errno=True)
            for number in range(64):
                libc.prctl(24, number, 0, 0, 0)  # PR_CAPBSET_DROP

        image = shutil.copy(self.image, os.path.join(self.work, 'image.sqfs'))
        os.chown(image, 0, 0)
        run = lambda *argv: subprocess.run([self.program, *argv], preexec_fn=drop, stdin=subprocess.DEVNULL, cwd='/',
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        launch, doctor = run('exec', image, 'true'), run('doctor')
        if launch.returncode == 0:
            swtest.cannot('this kernel lets root map itself')
        self.assertEqual(launch.returncode, 255, launch.stderr)
        self.assertIn('CAP_SETFCAP', launch.stderr)
        self.assertEqual(doctor.returncode, 1, doctor.stdout)
        self.assertIn('CAP_SETFCAP', doctor.stdout)


class Places(Refused):
    """A path that cannot be reached is not called absent, wherever it was asked for."""

    def test_bind_sources(self):
        os.symlink('loop', self.work + '/loop')
        closed = self.work + '/closed'
        os.makedirs(closed)
        os.chmod(closed, 0)
        self.user.give(closed)
        for source, words in ((closed + '/x', ['cannot be reached', 'permission denied', 'EACCES']),
                              (self.work + '/loop', ['cannot be reached', 'ELOOP']),
                              (self.work + '/' + 'n' * 256, ['cannot be reached', 'ENAMETOOLONG']),
                              (self.work + '/none', ["doesn't exist", 'no such file'])):
            done = self.swrun('exec', '-B', source + ':/in', self.image, 'true')
            self.assert_failed(done, 255, source, *words)
            self.assertNotIn("doesn't exist: permission", done.err)

    def test_a_fuse_file_system_without_its_program(self):
        if os.geteuid():
            swtest.cannot('only root can mount it')
        swtest.private_mounts()
        dead = self.work + '/dead'
        os.makedirs(dead)
        device = os.open('/dev/fuse', os.O_RDWR)
        ids = f'fd={device},rootmode=40000,user_id=0,group_id=0,allow_other'
        swtest.call_libc('mount', b'gone', os.fsencode(dead), b'fuse', 0, ids.encode())
        self.addCleanup(swtest.call_libc, 'umount2', os.fsencode(dead), 2)
        os.close(device)
        for argv in (('-B', dead + ':/in', self.image), ('-B', dead + '/x:/in', self.image), ('--home', dead, self.image),
                     ('-c', '--workdir', dead, self.image), ('--overlay', dead, self.image),
                     ('--env-file', dead + '/vars', self.image), (dead + '/image.sif',), (dead,)):
            with self.subTest(argv):
                self.assert_failed(self.swrun('exec', *argv, 'true'), 255, dead, 'transport endpoint is not connected',
                                   'hint: ')

    def test_images(self):
        os.symlink('loop', self.work + '/loop')
        for image, word in ((self.work + '/loop', 'too many levels'), (self.work + '/' + 'n' * 256, 'file name too long')):
            self.assert_failed(self.swrun('exec', image, 'true'), 255, image, word)

    def test_an_overlay_by_a_link(self):
        link = self.work + '/layer.sqfs'
        os.symlink(self.image, link)
        done = self.swrun('exec', '--overlay', link + ':ro', self.image, 'cat', '/data/file')
        self.assertEqual((done.status, done.out), (0, 'from the image\n'), repr(done))


class Groups(Refused):
    """A caller with many groups that nobody has named."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid():
            swtest.cannot('only root can set groups')
        swtest.private_mounts()
        cls.bin = os.path.join(cls.tools, 'bin')
        os.makedirs(cls.bin)
        shutil.copy(cls.program, cls.bin)

    def setUp(self):
        super().setUp()
        self.write('tools/log', mode=0o666)
        self.log = os.path.join(self.work, 'tools', 'log')

    def helper(self, answer):
        """Takes the place of the program that asks the name service; counts its calls."""
        path = os.path.join(self.bin, 'swrun-tools')
        with open(path, 'w', encoding='utf-8') as script:
            script.write(f'#!/bin/sh\necho "$#" >> {self.log}\n{answer}\n')
        os.chmod(path, 0o755)

    def switch(self, text):
        """Who is asked for names."""
        if not os.path.exists('/etc/nsswitch.conf'):
            swtest.cannot('no /etc/nsswitch.conf to hide')
        path = self.write('nsswitch.conf', text)
        swtest.bind_mount(path, '/etc/nsswitch.conf')
        self.addCleanup(swtest.call_libc, 'umount2', b'/etc/nsswitch.conf', 2)

    def run_with(self, count, uid=None):
        def groups():
            os.setgroups(range(100000, 100000 + count))
            os.setgid(self.user.gid)
            os.setuid(uid or self.user.uid)
        done = subprocess.run([os.path.join(self.bin, 'swrun'), 'exec', self.image, 'cat', '/etc/group'], preexec_fn=groups,
                              stdin=subprocess.DEVNULL, cwd='/', env=self.user.environment(), timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual((done.returncode, done.stderr), (0, ''), done.stderr)
        with open(self.log, encoding='utf-8') as log:
            return done.stdout, len(log.read().split())

    def test_one_call_for_all(self):
        self.switch('passwd: files ldap\ngroup: files ldap\n')
        self.helper('echo "[group]"; echo named:x:100007:; echo other:x:100299:')
        for count in (1, 300, 1000):
            os.truncate(self.log, 0)
            text, calls = self.run_with(count)
            self.assertEqual(calls, 1)
            self.assertEqual('named:x:100007:' in text, count > 7)
            self.assertEqual('other:x:100299:' in text, count > 299)

    def test_a_user_comes_with_his_groups(self):
        self.switch('passwd: files ldap\ngroup: files ldap\n')
        self.helper('echo ldapper:x:4501:4501::/:/bin/sh; echo "[group]"; echo named:x:100001:')
        text, calls = self.run_with(3, uid=4501)
        self.assertEqual(calls, 1)
        self.assertIn('named:x:100001:ldapper', text)

    def test_nobody_is_asked_where_there_are_only_files(self):
        self.switch('passwd: files\ngroup: files # all of them\n')
        self.helper('echo "[group]"; echo named:x:100001:')
        self.assertEqual(self.run_with(300)[1], 0)

    def test_more_than_fit_into_one_call(self):
        self.switch('passwd: files ldap\ngroup: files ldap\n')
        self.helper('echo "[group]"; for last; do :; done; echo g$last:x:$last:')
        text, calls = self.run_with(5000)
        self.assertEqual(calls, 2)
        self.assertIn('g104999:x:104999:', text)

    def test_the_real_one(self):
        """The installed helper understands what the launcher asks, and knows what the C library knows."""
        tools = os.path.join(swtest.STAGE, 'libexec', 'swrun', 'swrun-tools')
        done = self.run_as_user(tools, 'id', 'passwd=', '0', '3999999937', 'group=files', '0', '3999999937')
        users, _, groups = done.out.partition('[group]\n')
        self.assertEqual(done.status, 0, repr(done))
        self.assertRegex(users, '^root:x:0:0:[^\n]*\n$')
        self.assertEqual(groups, 'root:x:0:\n')
        self.assertEqual(self.run_as_user(tools, 'id', '0').status, 1)


if __name__ == '__main__':
    swtest.main()
