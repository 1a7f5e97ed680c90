"""The everyday launch: status, environment, directory, binds."""
import os
import signal

import swtest
from swtest import env_of, mounts_of


class Status(swtest.Case):
    def test_status_of_the_program(self):
        for status in (0, 1, 2, 42, 126, 127, 255):
            self.assertEqual(self.swrun('exec', self.image, 'probe', '--exit', str(status)).status, status)

    def test_signal_of_the_program(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGUSR1):
            self.assertEqual(self.swrun('exec', self.image, 'probe', '--kill', str(int(number))).status, -number)

    def test_run(self):
        done = self.swrun('run', self.image, 'a', 'b c', '')
        self.assertEqual((done.status, done.out), (5, 'runscript: 3 args\n<a>\n<b c>\n<>\n'), repr(done))

    def test_test(self):
        done = self.swrun('test', self.image, 'x')
        self.assertEqual((done.status, done.out), (4, 'testing x\n'), repr(done))

    def test_shell(self):
        done = self.swrun('shell', self.image, stdin='echo in $FROM_IMAGE\nexit 3\n')
        self.assertEqual((done.status, done.out), (3, 'in yes\n'), repr(done))

    def test_shell_ignores_arguments(self):
        done = self.swrun('shell', self.image, '-c', 'exit 9', stdin='exit 3\n')
        self.assertEqual(done.status, 3, repr(done))
        self.assertIn('ignored', done.err)

    def test_unknown_program(self):
        self.assert_failed(self.swrun('exec', self.image, 'nosuchprogram'), 255, 'nosuchprogram', 'not found')

    def test_missing_image(self):
        self.assert_failed(self.swrun('exec', self.work + '/gone.sif', 'true'), 255, 'gone.sif')

    def test_unreadable_image(self):
        path = self.write('secret.sif', 'x')
        os.chmod(path, 0)
        self.assert_failed(self.swrun('exec', path, 'true'), 255, 'secret.sif')

    def test_empty_image(self):
        self.assert_failed(self.swrun('exec', self.write('empty.sif'), 'true'), 255, 'empty.sif')

    def test_truncated_image(self):
        with open(self.image, 'rb') as source:
            head = source.read(5000)
        path = self.write('short.sqfs')
        with open(path, 'wb') as out:
            out.write(head)
        self.assert_failed(self.swrun('exec', path, 'true'), 255, 'short.sqfs')

    def test_wrong_usage(self):
        self.assert_failed(self.swrun('exec', '--no-such-option', self.image, 'true'), 1, 'no-such-option')
        self.assert_failed(self.swrun('exec', self.image), 1)
        self.assert_failed(self.swrun('frobnicate'), 1)

    def test_help_and_version(self):
        self.assertRegex(self.ok('--version').out, r'\d+\.\d+')
        for command in ((), ('exec',), ('run',), ('shell',), ('test',), ('inspect',), ('doctor',)):
            self.assertIn('--', self.ok(*command, '--help').out)


class Streams(swtest.Case):
    def test_pipeline(self):
        done = self.swrun('exec', self.image, 'sort', stdin='c\na\nb\n')
        self.assertEqual((done.status, done.out, done.err), (0, 'a\nb\nc\n', ''), repr(done))

    def test_many_bytes(self):
        data = os.urandom(1 << 16) * 64
        child = self.popen(['swrun', 'exec', self.image, 'cat'], stdin=-1)
        out, _ = child.communicate(data, 60)
        self.assertEqual((child.returncode, out == data), (0, True))

    def test_nothing_of_ours_is_said(self):
        done = self.ok('exec', self.image, 'true')
        self.assertEqual((done.out, done.err), ('', ''))


class Environment(swtest.Case):
    def test_caller_and_image(self):
        env = env_of(self.probe(env={'MINE': 'a b', 'EMPTY': ''}))
        self.assertEqual((env['MINE'], env['EMPTY'], env['FROM_IMAGE']), ('a b', '', 'yes'))
        self.assertTrue(env['PATH'].startswith('/opt/tool/bin:'), env['PATH'])
        self.assertEqual(env['HOME'], self.user.home)
        for name in ('SINGULARITY', 'APPTAINER'):
            self.assertEqual(env[name + '_CONTAINER'], self.image)
            self.assertEqual(env[name + '_NAME'], 'gzip.sqfs')

    def test_cleanenv(self):
        env = env_of(self.probe('--cleanenv', env={'MINE': 'a b', 'SINGULARITYENV_KEPT': 'k', 'APPTAINERENV_ALSO': 'l'}))
        self.assertNotIn('MINE', env)
        self.assertEqual((env['KEPT'], env['ALSO'], env['FROM_IMAGE']), ('k', 'l', 'yes'))

    def test_overrides(self):
        env = env_of(self.probe('--env', 'FROM_IMAGE=no,SECOND=2', '--env', 'THIRD=3', env={'SINGULARITYENV_THIRD': '4'}))
        self.assertEqual((env['FROM_IMAGE'], env['SECOND'], env['THIRD']), ('no', '2', '3'))

    def test_env_file(self):
        path = self.write('vars', 'A=1\nB="two words"\n')
        env = env_of(self.probe('--env-file', path))
        self.assertEqual((env['A'], env['B']), ('1', 'two words'))

    def test_path_of_the_image_finds_programs(self):
        self.assertEqual(self.ok('exec', self.image, 'tool', 'x').out, 'tool x\n')

    def test_no_variable_of_the_launcher_leaks(self):
        env = env_of(self.probe('--cleanenv'))
        known = {'HOME', 'PATH', 'LD_LIBRARY_PATH', 'PS1', 'PROMPT_COMMAND', 'TERM', 'LANG', 'FROM_IMAGE', 'PWD', 'SHLVL', '_',
                 'USER', 'LOGNAME', 'SHELL'}
        odd = [name for name in env if name not in known and not name.startswith(('SINGULARITY', 'APPTAINER', 'SWRUN'))]
        self.assertEqual([name for name in odd if 'ASAN' not in name], [])


class Directory(swtest.Case):
    def test_kept(self):
        self.assertEqual(self.probe()['cwd'], self.work)

    def test_home(self):
        self.assertEqual(self.probe(cwd=self.user.home)['cwd'], self.user.home)

    def test_pwd_option(self):
        for option in ('--pwd', '--cwd'):
            self.assertEqual(self.probe(option, '/data')['cwd'], '/data')

    def test_pwd_that_is_not_there(self):
        self.assert_failed(self.swrun('exec', '--pwd', '/no/such', self.image, 'true'), 255, '/no/such')

    def test_the_image_root_is_read_only(self):
        done = self.swrun('exec', self.image, 'touch', '/data/new')
        self.assertNotEqual(done.status, 0)
        self.assertIn('Read-only', done.err)


class Binds(swtest.Case):
    def setUp(self):
        super().setUp()
        self.write('src/file', 'bound\n')

    def test_plain(self):
        self.assertEqual(self.ok('exec', '-B', self.work + '/src:/data', self.image, 'cat', '/data/file').out, 'bound\n')

    def test_target_that_the_image_lacks(self):
        out = self.ok('exec', '-B', 'src:/not/in/image', self.image, 'cat', '/not/in/image/file').out
        self.assertEqual(out, 'bound\n')

    def test_file_over_file(self):
        self.assertEqual(self.ok('exec', '-B', 'src/file:/data/file', self.image, 'cat', '/data/file').out, 'bound\n')

    def test_read_only(self):
        done = self.swrun('exec', '-B', 'src:/data:ro', self.image, 'touch', '/data/new')
        self.assertNotEqual(done.status, 0)
        self.assertFalse(os.path.exists(self.work + '/src/new'))
        self.ok('exec', '-B', 'src:/data:rw', self.image, 'touch', '/data/new')
        self.assertTrue(os.path.exists(self.work + '/src/new'))

    def test_mount_syntax(self):
        spec = f'type=bind,source={self.work}/src,target=/data,ro'
        self.assertEqual(self.ok('exec', '--mount', spec, self.image, 'cat', '/data/file').out, 'bound\n')

    def test_several_and_nested(self):
        self.write('inner/deep', 'deep\n')
        out = self.ok('exec', '-B', 'src:/data,inner:/data/inner', self.image, 'cat', '/data/file', '/data/inner/deep').out
        self.assertEqual(out, 'bound\ndeep\n')
        # The mount point below a bound host folder is made there, as the user.
        self.assertTrue(os.path.isdir(self.work + '/src/inner'))

    def test_variables(self):
        for name in ('SINGULARITY_BIND', 'APPTAINER_BIND'):
            done = self.ok('exec', self.image, 'cat', '/data/file', env={name: self.work + '/src:/data'})
            self.assertEqual(done.out, 'bound\n', name)

    def test_missing_source(self):
        self.assert_failed(self.swrun('exec', '-B', '/no/such/place:/data', self.image, 'true'), 255, '/no/such/place')

    def test_odd_names(self):
        name = 'a b\\,c\u00e9'
        self.write('a b,c\u00e9/file', 'odd\n')
        self.assertEqual(self.ok('exec', '-B', name + ':/data', self.image, 'cat', '/data/file').out, 'odd\n')

    def test_defaults(self):
        points = {m['point']: m for m in mounts_of(self.probe())}
        for point in ('/', '/proc', '/sys', '/dev', '/tmp', self.user.home):
            self.assertIn(point, points)
        self.assertIn('ro', points['/']['options'])

    def test_contain(self):
        self.write('outside', 'x')
        done = self.swrun('exec', '--contain', '--pwd', '/', self.image, 'ls', self.work)
        self.assertNotEqual(done.status, 0, repr(done))
        self.assertEqual(self.ok('exec', '--contain', '--pwd', '/', self.image, 'ls', '/tmp').out, '')

    def test_no_home(self):
        points = [m['point'] for m in mounts_of(self.probe('--no-home'))]
        self.assertNotIn(self.user.home, points)


if __name__ == '__main__':
    swtest.main()
