"""Limits through control groups of version 2, and a clear refusal where there are none."""
import os
import subprocess

import swtest

MOUNT = '/sys/fs/cgroup'


def is_unified():
    done = subprocess.run(['stat', '-fc', '%T', MOUNT], stdout=subprocess.PIPE, universal_newlines=True, check=False)
    return done.stdout.strip() == 'cgroup2fs'


class Refusal(swtest.Case):
    def test_values_are_checked_before_anything_is_made(self):
        for options, message in ((('--memory', 'lots'), "invalid memory value: invalid size: 'lots'"),
                                 (('--cpus', '0.001'), 'cpus value must be in range 0.01 - '),
                                 (('--pids-limit', '-7'), 'invalid pids-limit: -7'),
                                 (('--blkio-weight', '5'), 'blkio-weight must be in range 10-1000'),
                                 (('--memory', '1g', '--apply-cgroups', 'x.toml'),
                                  'cannot apply a cgroups TOML file while using limit flags'),
                                 (('--apply-cgroups', 'absent.toml'), 'absent.toml: no such file or directory')):
            self.assert_failed(self.swrun('exec', *options, self.image, 'true'), 255, message)

    def test_without_version_2_it_says_so(self):
        if is_unified():
            swtest.cannot('this host has control groups of version 2')
        done = self.run_as_user('apptainer', 'exec', '--memory', '1g', self.image, 'true')
        self.assert_failed(done, 255, 'while applying cgroups config: cannot use cgroups - system is not configured for '
                                      'cgroups v2 in unified mode')

    def test_the_variable_asks_too(self):
        done = self.swrun('exec', self.image, 'true', env={'SWRUN_MEMORY': 'lots'})
        self.assert_failed(done, 255, 'invalid memory value')


def find_hierarchy():
    """Where version 2 is mounted: the usual place, or beside version 1, whose controllers it then lacks."""
    for path in (MOUNT, os.path.join(MOUNT, 'unified')):
        try:
            with open(os.path.join(path, 'cgroup.controllers'), encoding='utf-8') as text:
                return path, text.read().split()
        except OSError:
            continue
    return None, []


class Limited(swtest.Case):
    """In a group that is delegated to the user for the time of the test."""
    user_name, user_id = 'swlimit', 7039

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if os.geteuid():
            swtest.cannot('only root can delegate a group')
        cls.host, controllers = find_hierarchy()
        # One controller is enough for the way of a limit into the kernel; which one depends on the host.
        cls.limits = {'pids': ('pids.max', '64'), 'memory': ('memory.max', '1073741824'),
                      'hugetlb': ('hugetlb.2MB.max', '4194304')}
        cls.controller = next((name for name in cls.limits if name in controllers), None)
        if cls.controller is None or os.path.isdir('/run/systemd/system'):
            swtest.cannot('no controller of version 2 that a test may delegate on this host')
        if not is_unified():
            # swrun believes only the usual place: this process and its children see it there.
            swtest.private_mounts()
            swtest.bind_mount(cls.host, MOUNT)
            cls.addClassCleanup(swtest.call_libc, 'umount2', MOUNT.encode(), 2)

    def setUp(self):
        super().setUp()
        self.group = os.path.join(MOUNT, f'swrun-test.{os.getpid()}')
        self.inner = os.path.join(self.group, 'inner')
        with open(os.path.join(MOUNT, 'cgroup.subtree_control'), encoding='utf-8') as text:
            had = self.controller in text.read().split()
        if not had:
            self.put(MOUNT, 'cgroup.subtree_control', '+' + self.controller)
            self.addCleanup(self.put, MOUNT, 'cgroup.subtree_control', '-' + self.controller)
        for path in (self.group, self.inner):
            os.mkdir(path)
            self.addCleanup(self.remove, path)
            self.own(path, self.user.uid)
        file, value = self.limits[self.controller]
        self.limit = self.write('limits.toml', f'[unified]\n"{file}" = "{value}"\n')

    @staticmethod
    def own(path, uid):
        for name in ('', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'):
            os.chown(os.path.join(path, name), uid, uid)

    @staticmethod
    def put(where, name, text):
        with open(os.path.join(where, name), 'w', encoding='utf-8') as out:
            out.write(text)

    def remove(self, path):
        def gone():
            try:
                os.rmdir(path)
            except OSError:
                return not os.path.isdir(path)
            return True
        self.assertTrue(swtest.wait_for(gone), f'{path} is still in use')

    def limited(self, *argv):
        # The process joins as root, then becomes the user: the group is his, the way into it is not.
        shell = f'echo $$ > {self.inner}/cgroup.procs && exec setpriv --reuid {self.user.uid} --regid {self.user.gid} ' \
                '--clear-groups "$@"'
        done = subprocess.run(['sh', '-c', shell, 'sh', os.path.join(swtest.STAGE, 'bin', 'swrun'), *argv],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.user.environment(), cwd=self.work,
                              universal_newlines=True, timeout=60, check=False)
        return swtest.Done(done.returncode, done.stdout, done.stderr)

    def groups_left(self):
        return [name for where in (self.group, self.inner) for name in os.listdir(where) if name.startswith('swrun-')]

    def assert_no_groups(self):
        self.assertTrue(swtest.wait_for(lambda: not self.groups_left()), self.groups_left())

    def test_a_group_beside_the_callers(self):
        for options in ((), ('--pid',)):
            done = self.limited('exec', '--apply-cgroups', self.limit, *options, self.image, 'sh', '-c',
                                'cat /proc/self/cgroup; exit 9')
            self.assertEqual(done.status, 9, done)
            self.assertRegex(done.out, rf'0::/{os.path.basename(self.group)}/swrun-\d+\n')
            self.assert_no_groups()

    def test_a_group_below_the_callers(self):
        self.put(self.group, 'cgroup.subtree_control', '+' + self.controller)
        self.own(self.group, 0)
        done = self.limited('exec', '--apply-cgroups', self.limit, self.image, 'sh', '-c', 'cat /proc/self/cgroup; exit 3')
        self.assertEqual(done.status, 3, done)
        self.assertRegex(done.out, r'/inner/swrun-\d+\n')
        self.assert_no_groups()
        with open(os.path.join(self.inner, 'cgroup.subtree_control'), encoding='utf-8') as text:
            self.assertEqual(text.read().strip(), '')

    def test_killed_by_a_signal(self):
        self.assertEqual(self.limited('exec', '--apply-cgroups', self.limit, self.image, 'sh', '-c', 'kill -9 $$').status, 137)
        self.assert_no_groups()

    def test_what_the_program_leaves_behind_keeps_the_group(self):
        done = self.limited('exec', '--apply-cgroups', self.limit, self.image, 'sh', '-c',
                            'sleep 1 >/dev/null 2>&1 & exit 0')
        self.assertEqual(done.status, 0, done)
        self.assertEqual(len(self.groups_left()), 1)
        self.assert_no_groups()

    def test_a_controller_that_is_missing_is_named(self):
        self.own(self.group, 0)
        self.own(self.inner, 0)
        done = self.limited('exec', '--apply-cgroups', self.limit, self.image, 'true')
        self.assert_failed(done, 255, 'while applying cgroups config', 'permission denied', 'systemd-run --user --scope')
        self.own(self.group, self.user.uid)
        nothing = self.write('other.toml', '[unified]\n"nosuch.max" = "1"\n')
        done = self.limited('exec', '--apply-cgroups', nothing, self.image, 'true')
        self.assert_failed(done, 255, 'the controller nosuch is not delegated')
        self.assertEqual(self.groups_left(), [])

    def test_an_instance_has_numbers(self):
        self.assertEqual(self.limited('instance', 'start', '--apply-cgroups', self.limit, self.image, 'limited').status, 0)
        try:
            file, value = self.limits[self.controller]
            with open(os.path.join(self.group, self.groups_left()[0], file), encoding='utf-8') as text:
                self.assertEqual(text.read().strip(), value)
            self.assertRegex(self.ok('instance', 'stats', '--no-stream', 'limited').out, r'\nlimited +\d')
            self.assertIn('total_usage', self.ok('instance', 'stats', '--json', '--no-stream', 'limited').out)
        finally:
            self.swrun('instance', 'stop', '-F', 'limited')
        self.assert_no_groups()


if __name__ == '__main__':
    swtest.main()
