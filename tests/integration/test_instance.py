"""Instances: containers that stay behind the command that started them, and what is left when they end."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import swtest
from swtest import wait_for

SERVICE = '#!/bin/sh\necho "started $*"\necho "complains" >&2\nexec sleep 1000\n'


class Instance(swtest.Case):
    # A user of its own: the tests count processes, and other tests have instances of nobody.
    user_name, user_id = 'swinst', 7034

    def setUp(self):
        super().setUp()
        self.config = os.path.join(self.work, 'config')
        self.before = set(self.user.processes())
        self.addCleanup(self.end_all)

    def end_all(self):
        """Nothing of an instance survives its test, whatever went wrong."""
        self.swrun('instance', 'stop', '-a', '-F')
        left = {pid for pid in self.user.processes() if pid not in self.before}
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def run_as_user(self, *argv, env=None, **more):
        env = dict(env or {}, APPTAINER_CONFIGDIR=self.config)
        return super().run_as_user(*argv, env=env, **more)

    def dropin(self, *argv, **more):
        return self.run_as_user('apptainer', *argv, **more)

    def sandbox(self, name='tree', script=SERVICE):
        """A directory image with a start script (None: without one)."""
        path = os.path.join(self.work, name)
        subprocess.run(['cp', '-r', '--no-preserve=ownership', os.path.join(self.images, 'sandbox'), path], check=True)
        if script is not None:
            target = os.path.join(path, '.singularity.d', 'startscript')
            with open(target, 'w', encoding='utf-8') as out:
                out.write(script)
            os.chmod(target, 0o755)
        if self.user.root:
            subprocess.run(['chown', '-R', f'{self.user.uid}:{self.user.gid}', path], check=True)
        return path

    def folder(self, kind):
        return os.path.join(self.config, 'instances', kind, socket.gethostname(), self.user.name)

    def listed(self):
        return {one['instance']: one for one in self.ok('instance', 'list', '-j').json()['instances']}

    def processes_left(self):
        return {pid: name for pid, name in self.user.processes().items() if pid not in self.before}

    def assert_nothing_left(self):
        self.assertTrue(wait_for(lambda: not self.processes_left()), self.processes_left())
        self.assertEqual(os.listdir(self.folder('app')), [])

    def state_of(self, name):
        with open(os.path.join(self.folder('app'), name, name + '.json'), encoding='utf-8') as text:
            return json.load(text)

    def log(self, name, kind):
        with open(os.path.join(self.folder('logs'), f'{name}.{kind}'), encoding='utf-8') as text:
            return text.read()

    def test_life(self):
        image = self.sandbox()
        done = self.dropin('instance', 'start', image, 'one', 'a', 'b c')
        self.assertEqual(done.status, 0, done)
        self.assertIn('INFO:    instance started successfully\n', done.err)
        entry = self.listed()['one']
        self.assertEqual(entry['img'], image)
        self.assertEqual(entry['logOutPath'], os.path.join(self.folder('logs'), 'one.out'))
        self.assertTrue(wait_for(lambda: 'started a b c' in self.log('one', 'out')))
        self.assertTrue(wait_for(lambda: 'complains' in self.log('one', 'err')))
        table = self.dropin('instance', 'list').out
        self.assertEqual(table.splitlines()[0].split(), ['INSTANCE', 'NAME', 'PID', 'IP', 'IMAGE'])
        self.assertIn(f'one              {entry["pid"]}', table)
        stop = self.dropin('instance', 'stop', 'one')
        self.assertEqual((stop.status, stop.err),
                         (0, f'INFO:    Stopping one instance of {image} (PID={entry["pid"]})\n'))
        self.assert_nothing_left()
        self.assertEqual(sorted(os.listdir(self.folder('logs'))), ['one.err', 'one.out'])

    def test_files_are_private(self):
        self.ok('instance', 'start', self.sandbox(), 'one')
        for path, mode in ((os.path.join(self.folder('app'), 'one'), 0o700), (self.folder('logs'), 0o700),
                           (os.path.join(self.folder('app'), 'one', 'one.json'), 0o600),
                           (os.path.join(self.folder('logs'), 'one.err'), 0o600)):
            self.assertEqual(os.stat(path).st_mode & 0o777, mode, path)

    def test_join(self):
        self.ok('instance', 'start', '--env', 'GIVEN=1', self.image, 'one')
        seen = self.ok('exec', 'instance://one', '/bin/probe', 'x').json()
        self.assertEqual(seen['argv'], ['/bin/probe', 'x'])
        env = swtest.env_of(seen)
        self.assertEqual((env['APPTAINER_INSTANCE'], env['SINGULARITY_INSTANCE'], env['FROM_IMAGE']), ('one', 'one', 'yes'))
        self.assertEqual((env['APPTAINER_CONTAINER'], env['APPTAINER_COMMAND']), (self.image, 'exec'))
        self.assertEqual(env['HOME'], self.user.home)
        self.assertEqual(seen['uid'], [self.user.uid] * 3)
        self.assertEqual(seen['cwd'], self.work)
        status = self.ok('exec', 'instance://one', 'cat', '/proc/self/status').out
        for line in ('NoNewPrivs:\t1', 'CapEff:\t0000000000000000', 'CapBnd:\t0000000000000000'):
            self.assertIn(line, status)

    def test_joined_programs_share_the_instance(self):
        self.ok('instance', 'start', '--contain', '--hostname', 'inside', '--ipc', self.image, 'one')
        self.ok('exec', 'instance://one', 'sh', '-c', 'echo shared > /tmp/file')
        self.assertEqual(self.ok('exec', 'instance://one', 'cat', '/tmp/file', '/proc/sys/kernel/hostname').out,
                         'shared\ninside\n')
        script = 'for kind in mnt pid ipc uts user; do readlink /proc/self/ns/$kind; done'
        links = [self.ok('exec', 'instance://one', 'sh', '-c', script).out for _ in range(2)]
        self.assertEqual(len(links[0].split()), 5)
        self.assertEqual(links[0], links[1])
        self.assertNotIn(os.readlink('/proc/self/ns/ipc'), links[0])
        self.assertEqual(self.ok('exec', 'instance://one', 'cat', '/proc/1/comm').out, 'swrun-init\n')
        self.ok('instance', 'stop', 'one')
        self.assert_nothing_left()

    def test_status_and_streams_of_joined_programs(self):
        self.ok('instance', 'start', self.image, 'one')
        self.assertEqual(self.swrun('exec', 'instance://one', 'sh', '-c', 'exit 7').status, 7)
        self.assertEqual(self.swrun('exec', 'instance://one', 'sh', '-c', 'kill -9 $$').status, 137)
        self.assertEqual(self.swrun('shell', 'instance://one', stdin='echo in the shell\nexit 3\n').out, 'in the shell\n')
        self.assertEqual(self.swrun('run', 'instance://one', 'x').out, 'runscript: 1 args\n<x>\n')
        self.assertEqual(self.swrun('exec', 'instance://one', 'no-such-program').status, 255)
        # A signal reaches the program, and a supervisor that is killed takes it along.
        child = self.popen(['swrun', 'exec', 'instance://one', 'sleep', '500'], env={'APPTAINER_CONFIGDIR': self.config})
        self.assertTrue(wait_for(lambda: self.sleepers('500')))
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=20)
        self.assertEqual(child.returncode, 128 + signal.SIGTERM)
        child = self.popen(['swrun', 'exec', 'instance://one', 'sleep', '501'], env={'APPTAINER_CONFIGDIR': self.config})
        self.assertTrue(wait_for(lambda: self.sleepers('501')))
        child.kill()
        child.communicate(timeout=20)
        self.assertTrue(wait_for(lambda: not self.sleepers('501')))

    def sleepers(self, seconds):
        found = []
        for pid in self.processes_left():
            try:
                with open(f'/proc/{pid}/cmdline', 'rb') as line:
                    if line.read().split(b'\0')[:2] == [b'sleep', seconds.encode()]:
                        found.append(pid)
            except OSError:
                pass
        return found

    def test_without_a_start_script_it_waits(self):
        done = self.dropin('instance', 'start', self.image, 'one')
        self.assertEqual(done.status, 0, done)
        self.assertIn('INFO:    No instance start script found in container\n', done.err)
        self.ok('exec', 'instance://one', 'true')
        self.ok('instance', 'stop', 'one')
        self.assert_nothing_left()

    def test_a_script_that_ends_leaves_it_up(self):
        self.ok('instance', 'start', self.sandbox(script='#!/bin/sh\nexit 3\n'), 'one')
        time.sleep(0.2)
        self.ok('exec', 'instance://one', 'true')
        self.ok('instance', 'stop', 'one')
        self.assert_nothing_left()

    def test_run_starts_the_runscript(self):
        self.ok('instance', 'run', self.image, 'one', 'x', 'y')
        self.assertTrue(wait_for(lambda: 'runscript: 2 args\n<x>\n<y>\n' in self.log('one', 'out')))

    def test_ended_from_inside_leaves_logs_only(self):
        self.ok('instance', 'start', self.sandbox(), 'one')
        self.swrun('exec', 'instance://one', 'sh', '-c', 'kill -TERM 1; sleep 5')
        self.assertTrue(wait_for(lambda: not self.listed()))
        self.assert_nothing_left()

    def test_stop_by_signal_timeout_and_force(self):
        deaf = self.sandbox(script='#!/bin/sh\ntrap "" INT\ntrap "echo got TERM; exit 0" TERM\n'
                                   'while :; do sleep 0.1; done\n')
        self.ok('instance', 'start', deaf, 'term')
        self.ok('instance', 'stop', '-s', 'TERM', 'term')
        self.assertIn('got TERM', self.log('term', 'out'))
        self.ok('instance', 'start', deaf, 'slow')
        begin = time.monotonic()
        done = self.dropin('instance', 'stop', '-t', '1', 'slow')
        self.assertEqual(done.status, 0, done)
        self.assertIn('INFO:    Killing slow instance of', done.err)
        self.assertLess(1, time.monotonic() - begin)
        self.ok('instance', 'start', deaf, 'hard')
        begin = time.monotonic()
        self.ok('instance', 'stop', '--force', '-t', '600', 'hard')
        self.assertLess(time.monotonic() - begin, 300, 'it does not wait for who is deaf')
        self.assert_nothing_left()
        done = self.dropin('instance', 'stop', '-s', 'nonsense', 'x')
        self.assert_failed(done, 255, 'FATAL:   Could not convert stop signal: nonsense is not a number')

    def test_stop_by_pattern_and_all(self):
        for name in ('web1', 'web2', 'db'):
            self.ok('instance', 'start', self.image, name)
        self.ok('instance', 'stop', 'web*')
        self.assertEqual(set(self.listed()), {'db'})
        self.ok('instance', 'stop', '--all')
        self.assert_nothing_left()
        done = self.dropin('instance', 'stop', '-a')
        self.assertEqual((done.status, done.err), (1, 'Error for command "stop": no instance found\n\n'))

    def test_taken_bad_and_unknown_names(self):
        self.ok('instance', 'start', self.image, 'one')
        done = self.dropin('instance', 'start', self.image, 'one')
        self.assertEqual((done.status, done.err.splitlines()[-1]), (255, 'FATAL:   instance one already exists'))
        done = self.dropin('instance', 'start', self.image, 'bad name')
        self.assertEqual((done.status, done.err), (
            255, 'FATAL:   while executing starter: while checking instance name: bad name is not a valid instance name\n'))
        done = self.dropin('exec', 'instance://nope', 'true')
        self.assertEqual((done.status, done.err),
                         (255, 'FATAL:   While setting image/instance: no instance found with name nope\n'))
        self.assertEqual(set(self.listed()), {'one'})

    def test_wrong_command_lines(self):
        for argv, message in ((('instance',), 'Error for command "instance": invalid command'),
                              (('instance', 'stop'), 'Error for command "stop": invalid command'),
                              (('instance', 'start', 'x'),
                               'Error for command "start": requires at least 2 arg(s), only received 1'),
                              (('instance', 'list', 'a', 'b'),
                               'Error for command "list": accepts between 0 and 1 arg(s), received 2'),
                              (('instance', 'stats', 'nope'), 'Error for command "stats": no instance found')):
            done = self.dropin(*argv)
            self.assertEqual((done.status, done.err), (1, message + '\n\n'), argv)
            self.assertIn('Usage:\n  apptainer [global options...] instance', done.out)
        self.assert_failed(self.dropin('instance', 'list', '-j', '-l'), 255, 'FATAL:   more than one flags have been set')
        self.assertEqual(self.dropin('instance', 'list').out, 'INSTANCE NAME    PID    IP    IMAGE\n')

    def test_a_failed_start_leaves_nothing(self):
        for options, image, message in (((), self.sandbox(script='#!/no/such/interpreter\n'), 'shared library'),
                                        (('--pwd', '/no/such/directory'), self.image, 'chdir /no/such/directory'),
                                        (('-B', '/no/such/source'), self.image, '/no/such/source')):
            done = self.swrun('instance', 'start', *options, image, 'one')
            self.assertEqual(done.status, 255, done)
            self.assertIn(message, done.err)
            self.assertEqual(self.listed(), {})
            self.assertTrue(wait_for(lambda: not self.processes_left()), self.processes_left())

    def test_many_at_once(self):
        env = {'APPTAINER_CONFIGDIR': self.config}
        same = [self.popen(['swrun', 'instance', 'start', self.image, 'same'], env=env) for _ in range(6)]
        statuses = sorted(child.wait(60) for child in same)
        self.assertEqual(statuses, [0] + [255] * 5)
        for child in same:
            child.communicate()
        others = [self.popen(['swrun', 'instance', 'start', self.image, f'n{i}'], env=env) for i in range(10)]
        self.assertEqual([child.wait(60) for child in others], [0] * 10)
        for child in others:
            child.communicate()
        self.assertEqual(set(self.listed()), {'same', *(f'n{i}' for i in range(10))})
        self.ok('instance', 'stop', '-a')
        self.assert_nothing_left()

    def test_a_killed_keeper_takes_all_along(self):
        self.ok('instance', 'start', self.sandbox(), 'one')
        os.kill(self.state_of('one')['ppid'], signal.SIGKILL)
        self.assertTrue(wait_for(lambda: not self.processes_left()), self.processes_left())
        # Its description stays until somebody looks, and does not keep the name.
        self.assertEqual(os.listdir(self.folder('app')), ['one'])
        self.ok('instance', 'start', self.image, 'one')
        os.kill(self.state_of('one')['ppid'], signal.SIGKILL)
        self.assertTrue(wait_for(lambda: not self.processes_left()), self.processes_left())
        self.assertEqual(self.listed(), {})
        self.assertEqual(os.listdir(self.folder('app')), [])

    def test_a_reused_number_is_nobodys_instance(self):
        self.ok('instance', 'start', self.image, 'one')
        state = self.state_of('one')
        self.ok('instance', 'stop', 'one')
        bystander = self.popen(['/bin/sleep', '100'])
        state['pid'] = state['ppid'] = bystander.pid
        self.write('config/instances/app/' + socket.gethostname() + f'/{self.user.name}/one/one.json', json.dumps(state), 0o600)
        self.assertEqual(self.swrun('exec', 'instance://one', 'true').status, 255)
        self.assertEqual(self.swrun('instance', 'stop', '-F', 'one').status, 1)
        self.assertIsNone(bystander.poll())
        bystander.kill()
        bystander.communicate()

    def is_stale_to_others(self, state):
        """By the rule of the field's own commands, which delete what it tells to be stale."""
        try:
            os.kill(state['ppid'], 0)
            with open(f"/proc/{state['ppid']}/cmdline", encoding='utf-8') as line:
                return not line.read().startswith('Apptainer instance')
        except OSError:
            return True

    def test_other_commands_take_its_record_for_alive(self):
        tree = self.sandbox()
        for number, (kind, env) in enumerate((('start', {}), ('run', {}), ('start', {'LONG': 'x' * 3000}),
                                              ('run', {'HOME': None, 'USER': None, 'LOGNAME': None, 'LANG': None}))):
            with self.subTest(kind=kind, env=env):
                name = f'n{number}' + '-long' * (5 * number)
                script = ['sh', '-c', 'sleep 1000'] if kind == 'run' else []
                self.ok('instance', kind, tree, name, *script, env=env)
                state = self.state_of(name)
                self.assertFalse(self.is_stale_to_others(state))
                # The title takes the place of what its process was started with, and of that only.
                with open(f"/proc/{state['ppid']}/environ", 'rb') as old:
                    self.assertNotIn(b'PATH=', old.read())
                self.assertEqual(self.ok('exec', f'instance://{name}', 'true', env=env).err, '')
        self.ok('instance', 'stop', '-a')
        self.assert_nothing_left()

    def test_records_of_others_stay(self):
        gone = self.popen(['/bin/true'])
        gone.communicate()
        for name, state in (('dead', {'pid': gone.pid, 'ppid': gone.pid}), ('odd', {'pid': 0, 'ppid': 0}),
                            ('more', {'pid': gone.pid, 'ppid': gone.pid, 'cgroup': True, 'unknown': [1]})):
            text = json.dumps(dict(state, name=name, user=self.user.name, image='/x.sif', config='e30='))
            path = f'config/instances/app/{socket.gethostname()}/{self.user.name}/{name}/{name}.json'
            self.write(path, text, 0o600)
            self.assertEqual(self.listed(), {})
            self.swrun('instance', 'stop', '-a')
            self.assert_failed(self.swrun('instance', 'start', self.image, name), 255, 'already exists')
            with open(os.path.join(self.work, path), encoding='utf-8') as left:
                self.assertEqual(left.read(), text)

    def test_it_can_be_joined_as_soon_as_it_is_said_to_run(self):
        # The last step of process 1, late: nobody may be told before it.
        tracer = shutil.which('strace', path=swtest.SYSPATH)
        if not tracer:
            swtest.cannot('no strace')
        if self.run_as_user(tracer, '-f', '-o', '/dev/null', '/bin/true').status:
            swtest.cannot('no process may be traced')
        swrun = os.path.join(swtest.STAGE, 'bin', 'swrun')
        env = {'APPTAINER_CONFIGDIR': self.config}
        for kind, script in (('start', []), ('run', ['sh', '-c', 'sleep 1000'])):
            with self.subTest(kind=kind):
                # The tracer stays as long as the instance: it must hold no pipe of ours.
                child = self.popen([tracer, '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=prctl', '-e',
                                    'inject=prctl:delay_enter=100000', os.path.join(swtest.STAGE, 'bin', 'swrun'),
                                    'instance', kind, self.sandbox(kind), kind, *script],
                                   env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.assertEqual(child.wait(timeout=120), 0)
                self.ok('exec', f'instance://{kind}', 'true')
                self.ok('instance', 'stop', kind)

    def test_the_callers_pipe_ends(self):
        begin = time.monotonic()
        done = self.run_as_user('sh', '-c', f'exec 7>&1; swrun instance start {self.sandbox()} one 2>&1 | cat')
        self.assertEqual(done.status, 0, done)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertIn('one', self.listed())

    def test_pid_file_and_session(self):
        self.ok('instance', 'start', '--pid-file', 'pid', self.sandbox(), 'one')
        with open(os.path.join(self.work, 'pid'), encoding='utf-8') as text:
            pid = int(text.read())
        self.assertEqual(pid, self.listed()['one']['pid'])
        self.assertNotEqual(os.getsid(pid), os.getsid(0))
        with open(f'/proc/{pid}/status', encoding='utf-8') as status:
            self.assertIn('NSpid:', status.read())

    def test_others_see_nothing(self):
        self.ok('instance', 'start', self.image, 'one')
        done = self.swrun('instance', 'list', '-u', 'root')
        if self.user.uid:
            self.assert_failed(done, 255, "Only root user can list user's instances")
        elsewhere = super().run_as_user('swrun', 'instance', 'list',
                                        env={'APPTAINER_CONFIGDIR': os.path.join(self.work, 'other')})
        self.assertEqual(elsewhere.out, 'INSTANCE NAME    PID    IP    IMAGE\n')

    def test_stats_need_a_group(self):
        self.ok('instance', 'start', self.image, 'one')
        if self.state_of('one')['cgroup']:
            self.assertIn('MEM USAGE / LIMIT', self.ok('instance', 'stats', '--no-stream', 'one').out)
        else:
            done = self.dropin('instance', 'stats', '--no-stream', 'one')
            self.assertEqual(done.status, 1)
            self.assertIn('stats are only available if cgroups are enabled', done.err)


if __name__ == '__main__':
    swtest.main()
