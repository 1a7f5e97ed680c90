"""The program takes the launcher's place: same process, nothing added, nothing lost."""
import fcntl
import os
import resource
import signal
import subprocess
import time

import swtest
from swtest import wait_for

ECHILD = 10
LEAST_NICE = 19


class Process(swtest.Case):
    def world(self, *options, **more):
        """(what the probe saw, the pid that was started)"""
        child = self.popen(['swrun', 'exec', *options, self.image, '/bin/probe', 'a', 'b c'], **more)
        out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0, err)
        return swtest.Done(0, out.decode(), err.decode()).json(), child.pid

    def test_same_process(self):
        seen, pid = self.world()
        self.assertEqual((seen['pid'], seen['ppid'], seen['pgid'], seen['sid']), (pid, os.getpid(), pid, pid))
        self.assertEqual(seen['argv'], ['/bin/probe', 'a', 'b c'])

    def test_no_child(self):
        seen, _ = self.world()
        self.assertEqual(seen['wait_any_errno'], ECHILD)
        self.assertIn(seen['children'], ([], None))

    def test_descriptors(self):
        fds = [os.open('/dev/null', os.O_RDONLY) for _ in range(3)]
        try:
            seen, _ = self.world(pass_fds=fds)
        finally:
            for fd in fds:
                os.close(fd)
        self.assertEqual({int(fd) for fd in seen['fds']}, {0, 1, 2, *fds}, seen['fds'])
        self.assertEqual({seen['fds'][str(fd)] for fd in fds}, {'/dev/null'})

    def test_closed_standard_streams_are_opened_on_nothing(self):
        # No descriptor of the image or of the launcher may become somebody's standard output.
        def close_streams():
            os.close(0)
            os.close(2)
        seen, _ = self.world(before=close_streams)
        self.assertEqual(set(seen['fds']), {'0', '1', '2'}, seen['fds'])
        self.assertEqual((seen['fds']['0'], seen['fds']['2']), ('/dev/null', '/dev/null'))

    def test_signal_mask_and_ignored_signals(self):
        def shape():
            signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1, signal.SIGCHLD])
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        seen, _ = self.world(before=shape)
        self.assertEqual(sorted(seen['blocked']), sorted([signal.SIGUSR1, signal.SIGCHLD]))
        self.assertTrue({int(signal.SIGHUP), int(signal.SIGPIPE)} <= set(seen['ignored']), seen['ignored'])
        plain, _ = self.world()
        self.assertEqual(plain['blocked'], [])
        self.assertTrue({1, 2, 3, 13, 15}.isdisjoint(plain['ignored']), plain['ignored'])

    def test_limits_umask_affinity(self):
        def shape():
            os.umask(0o027)
            resource.setrlimit(resource.RLIMIT_NOFILE, (512, 1024))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            os.nice(3)
        seen, _ = self.world(before=shape)
        self.assertEqual(seen['umask'], 0o027)
        self.assertEqual(seen['limits']['nofile'], [512, 1024])
        self.assertEqual(seen['limits']['core'], [0, 0])
        self.assertEqual((seen['cpus'], seen['nice']), (1, min(LEAST_NICE, os.nice(0) + 3)))

    def test_all_processors_are_given_back(self):
        # While it starts, a program and its server may be kept on some of them.
        for _ in range(5):
            seen, _ = self.world()
            self.assertEqual((seen['cpus'], seen['nice']), (len(os.sched_getaffinity(0)), os.nice(0)))

    def test_a_server_settles_on_all_processors(self):
        child = self.popen(['swrun', 'exec', self.image, '/bin/probe', '--sleep', '30'])
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)

        def places():
            found = []
            for pid, (name, _) in self.user.processes().items():
                if name != 'swrun-image':
                    continue
                for task in os.listdir(f'/proc/{pid}/task'):
                    with open(f'/proc/{pid}/task/{task}/stat', encoding='ascii') as line:
                        nice = int(line.read().rpartition(')')[2].split()[16])
                    found.append((nice, os.sched_getaffinity(int(task))))
            return found
        settled = [(os.nice(0), os.sched_getaffinity(0))]
        self.assertTrue(wait_for(lambda: set(map(str, places())) == set(map(str, settled)), 10), places())

    def test_on_one_processor_nobody_works_ahead(self):
        child = self.popen(['swrun', 'exec', self.image, '/bin/probe', '--sleep', '30'],
                           before=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}))
        self.addCleanup(child.communicate)
        self.addCleanup(child.kill)

        def threads():
            return [len(os.listdir(f'/proc/{pid}/task')) for pid, (name, _) in self.user.processes().items() if name == 'swrun-image']
        # Who answers, and who holds the namespaces.
        self.assertTrue(wait_for(lambda: threads() == [2], 10), threads())

    def test_no_privilege(self):
        seen, _ = self.world()
        self.assertEqual(seen['uid'], [self.user.uid] * 3)
        self.assertEqual(seen['gid'], [self.user.gid] * 3)
        self.assertEqual(seen['no_new_privs'], 1)
        for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
            self.assertEqual(int(seen['status'][name], 16), 0, name)

    def test_only_the_asked_namespaces(self):
        own = {name: os.readlink('/proc/self/ns/' + name) for name in ('pid', 'ipc', 'uts', 'net', 'cgroup')}
        seen, _ = self.world()
        self.assertEqual({name: seen['namespaces'][name] for name in own}, own)
        seen, _ = self.world('--ipc', '--uts')
        self.assertNotEqual(seen['namespaces']['ipc'], own['ipc'])
        self.assertNotEqual(seen['namespaces']['uts'], own['uts'])
        self.assertEqual(seen['namespaces']['pid'], own['pid'])

    def test_hostname(self):
        seen, _ = self.world('--hostname', 'node-x')
        self.assertEqual(seen['hostname'], 'node-x')

    def test_pid_namespace(self):
        seen, _ = self.world('--pid')
        self.assertLess(seen['pid'], 20)
        self.assertEqual(self.swrun('exec', '--pid', self.image, 'probe', '--exit', '33').status, 33)
        self.assertIn(self.swrun('exec', '--pid', self.image, 'probe', '--kill', '15').status, (-15, 128 + 15))

    def test_nothing_of_the_host_is_found_in_process_one(self):
        sandbox = os.path.join(self.images, 'sandbox')
        for options in (['--containall'], ['--pid', '--fakeroot']):
            for image in (self.image, sandbox):
                with self.subTest(options=options, image=image):
                    done = self.ok('exec', *options, image, 'sh', '-c', 'ls -d /proc/1/fd/0 /proc/1/cwd/ || echo closed; '
                                   'cat /proc/1/environ || echo unknown', env={'TOKEN': 'secret'})
                    self.assertEqual(done.out.split(), ['closed', 'unknown'])

    def test_a_caller_that_ignores_its_children(self):
        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        for options in ([], ['--pid'], ['--fakeroot']):
            with self.subTest(options):
                done = self.swrun('exec', *options, self.image, 'probe', '--exit', '7', before=ignore)
                self.assertEqual(done.status, 7)
                seen, _ = self.world(*options, before=ignore)
                self.assertIn(int(signal.SIGCHLD), seen['ignored'])

    def test_signal_reaches_the_program(self):
        child = self.popen(['swrun', 'exec', self.image, 'probe', '--sleep', '30'])
        self.assertEqual(child.stdout.readline(), b'ready\n')
        child.terminate()
        child.communicate(timeout=10)
        self.assertEqual(child.returncode, -signal.SIGTERM)

    def test_the_callers_pipe_is_not_held_open(self):
        # The image server must not keep what it inherited: a reader waits for end of file.
        start = time.monotonic()
        child = self.popen(['swrun', 'exec', self.image, 'probe', '--fork', '8'])
        out, _ = child.communicate(timeout=30)
        self.assertLess(time.monotonic() - start, 6, 'somebody held the pipe until the background child ended')
        os.kill(int(out), signal.SIGKILL)

    def test_a_background_child_keeps_its_files(self):
        script = '(sleep 1; cat /data/file; md5sum /bin/bash >/dev/null && echo read) & exit 0'
        done = self.swrun('exec', self.image, 'sh', '-c', script)
        self.assertEqual((done.status, done.out), (0, 'from the image\nread\n'), repr(done))

    def test_a_descriptor_table_that_is_nearly_full(self):
        def shape():
            soft = 64
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))
        self.assertEqual(self.world(before=shape)[0]['limits']['nofile'], [64, 64])

    def test_lock_on_an_inherited_descriptor_is_kept(self):
        path = self.write('lock', 'x')
        with open(path, 'r+', encoding='utf-8') as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            child = self.popen(['swrun', 'exec', self.image, 'probe', '--sleep', '30'], pass_fds=[held.fileno()])
            self.assertEqual(child.stdout.readline(), b'ready\n')
        with open(path, 'r+', encoding='utf-8') as other:
            with self.assertRaises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            child.kill()
            child.communicate()

            def free():
                try:
                    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return True
            self.assertTrue(wait_for(free), 'the lock outlived the program: the server holds the descriptor')

    def test_many_at_once(self):
        children = [self.popen(['swrun', 'exec', self.image, 'probe', '--exit', str(n)]) for n in range(24)]
        self.assertEqual([(child.communicate(timeout=60), child.returncode)[1] for child in children], list(range(24)))


class Concurrent(swtest.Case):
    def test_parallel_readers_see_the_right_bytes(self):
        script = 'for i in 1 2 3 4 5 6; do (md5sum /bin/busybox /bin/bash /bin/probe) & done; wait'
        out = self.ok('exec', self.image, 'sh', '-c', script).out
        wanted = subprocess.run(['md5sum', 'busybox', 'bash', 'probe'], cwd=os.path.join(self.images, 'sandbox/bin'),
                                stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
        sums = sorted(line.split()[0] for line in wanted.splitlines())
        self.assertEqual(sorted(line.split()[0] for line in out.splitlines()), sorted(sums * 6))


if __name__ == '__main__':
    swtest.main()
