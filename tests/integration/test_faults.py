"""What happens to a launch and to the programs in it when something goes wrong: a server that is killed, signals to the
job, children that stay, limits of every kind, hundreds at once.  The answer is a program that works, or one message;
never a hang, and nothing that is left."""
import fcntl
import os
import pty
import resource
import select
import signal
import subprocess
import termios
import time

import swtest
from counted import Counted, Rank, RANK
from swtest import wait_for

JOB_SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGHUP, signal.SIGTERM, signal.SIGCONT)
AT_ONCE = 256
READ_ON = 'md5sum /bin/bash /bin/probe'  # what no launch of these tests has read before
# Uncached names and uncached bytes of a file that is open, by a shell that needs no other file for that.
READ_OR_FAIL = 'read -r again; (read -r x </data/file && echo read) 2>&1; read -r -u 3 -N 900000 x 2>&1 && echo read; echo end'
MB = 1 << 20


class Faults(Counted):
    user_name, user_id = 'swfault', 7071
    maxDiff = None

    def tearDown(self):
        self.end_started()
        self.assert_clean('at the end')

    def sum_lines(self):
        done = subprocess.run(['md5sum', 'bin/bash', 'bin/probe'], cwd=os.path.join(self.images, 'sandbox'), check=True,
                              stdout=subprocess.PIPE, universal_newlines=True)
        return done.stdout.replace('  ', '  /')

    def assert_one_message(self, done, what):
        """A launch that failed says why once, and what to make of it."""
        self.assertEqual(done.status, 255, f'{what}: {done!r}')
        said = done.err.splitlines()
        self.assertEqual([line for line in said if not line.startswith('  ')], said[:1], f'{what}: {done!r}')
        self.assertTrue(said[0].startswith('swrun: '), f'{what}: {done!r}')

    def works_or_says_why(self, what, *argv, out, seconds=10, **more):
        """Whether it worked.  Nothing is left either way."""
        start = time.monotonic()
        done = self.swrun(*argv, timeout=seconds, **more)
        took = time.monotonic() - start
        if done.status == 0:
            self.assertEqual((done.out, done.err), (out, ''), what)
        else:
            self.assert_one_message(done, what)
        self.assert_clean(what, 5)
        print(f'{what}: {"works" if done.status == 0 else done.err.splitlines()[0]} ({took:.2f} s)', flush=True)
        return done.status == 0


class KilledServer(Faults):
    def readers(self, *options, count=1):
        argv = ['swrun', 'exec', *options, self.image, 'bash', '-c', f'exec 3</bin/busybox; echo 1 2 3; {READ_OR_FAIL}']
        return [Rank(self.popen(argv, stdin=-1)) for _ in range(count)]

    def kill_server(self):
        servers = self.servers()
        self.assertEqual(len(servers), 1, self.user.processes())
        os.kill(servers[0], signal.SIGKILL)
        self.assertTrue(wait_for(lambda: not self.servers()))

    def assert_errors(self, reader):
        done = reader.finish(5)
        self.assertEqual(done.status, 0, repr(done))
        *said, last = done.out.splitlines()
        self.assertEqual(last, 'end')
        self.assertNotIn('read', said, repr(done))
        for line in said:
            self.assertRegex(line, 'Transport endpoint is not connected|Input/output error|Software caused connection abort')
        self.assertEqual(len(said), 2, repr(done))

    def test_reads_fail_and_do_not_hang(self):
        reader, = self.readers()
        self.kill_server()
        self.assert_errors(reader)

    def test_so_they_do_in_all_that_share_it(self):
        readers = self.readers('--share=always', count=3)
        self.kill_server()
        for reader in readers:
            self.assert_errors(reader)

    def test_a_read_that_waits_for_it_fails(self):
        # The server is stopped, so that the request is on its way when it dies.
        reader, = self.readers()
        server = self.servers()[0]
        os.kill(server, signal.SIGSTOP)
        reader.child.stdin.write(b'go on\n')
        reader.child.stdin.flush()
        time.sleep(0.3)
        os.kill(server, signal.SIGKILL)
        self.assert_errors(reader)

    def test_later_launches_have_a_new_one(self):
        reader, = self.readers('--share=always')
        self.kill_server()
        later = self.rank(then=READ_ON)
        self.assertNotEqual(os.readlink(f'/proc/{reader.pid}/ns/mnt'), later.mount)
        self.assert_errors(reader)
        self.assertEqual(self.finish(later), [self.sum_lines()])

    def test_killed_during_the_launch(self):
        # Whenever it happens, the launch works (too late), says why, or its program finds no files.
        for turn in range(30):
            child = self.popen(['swrun', 'exec', *(['--share=always'] if turn % 2 else []), self.image, 'cat', '/data/file'])
            end = time.monotonic() + 0.002 * turn
            while time.monotonic() < end and child.poll() is None:
                if turn % 3 == 0 and self.servers():
                    break
            for server in self.servers():
                os.kill(server, signal.SIGKILL)
            out, err = child.communicate(timeout=10)
            what = f'turn {turn}: {child.returncode} {out!r} {err!r}'
            self.assertIn(child.returncode, (0, 1, 255, -signal.SIGBUS, -signal.SIGSEGV), what)
            if child.returncode in (1, 255):
                self.assertTrue(err, what)
            self.assert_clean(what)


class Signals(Faults):
    """What terminals and batch systems send to a job does not reach those who serve its files."""
    IGNORE = "trap '' INT QUIT TSTP TTIN HUP TERM; "

    def session(self, number):
        return [pid for pid, (_, session) in self.user.processes().items() if session == number]

    def state(self, pid):
        with open(f'/proc/{pid}/stat', encoding='utf-8') as line:
            return line.read().rpartition(')')[2].split()[0]

    def test_to_the_process_group_and_the_session(self):
        for image, keepers in ((self.image, self.servers), (os.path.join(self.images, 'sandbox'), self.holders)):
            argv = ['swrun', 'exec', '--share=always', image, 'sh', '-c', self.IGNORE + RANK + READ_ON]
            first, joined = (Rank(self.popen(argv, stdin=-1)) for _ in range(2))
            keeper, = keepers()
            for number in JOB_SIGNALS:
                for rank in (first, joined):
                    os.killpg(rank.pid, number)
                    for pid in self.session(rank.pid):
                        os.kill(pid, number)
            time.sleep(0.1)
            self.assertEqual(keepers(), [keeper])
            self.assertNotIn(self.state(keeper), 'Tt')
            self.assertEqual(self.finish(first, joined), [self.sum_lines()] * 2)
            self.assert_clean(image)

    def test_to_the_server_itself(self):
        for image, keepers in ((self.image, self.servers), (os.path.join(self.images, 'sandbox'), self.holders)):
            rank = self.rank(image=image, then=READ_ON)
            keeper, = keepers()
            for number in JOB_SIGNALS + (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGTTOU):
                os.kill(keeper, number)
            time.sleep(0.1)
            self.assertEqual(keepers(), [keeper])
            self.assertNotIn(self.state(keeper), 'Tt')
            self.assertEqual(self.finish(rank), [self.sum_lines()])
            self.assert_clean(image)

    def test_keys_of_a_terminal_and_its_end(self):
        master, slave = pty.openpty()
        out = os.path.join(self.work, 'out')
        script = self.IGNORE + f'echo ready; while ! test -e {self.work}/go; do sleep 0.05; done; {READ_ON} >{out}'

        def take():
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        child = self.popen(['swrun', 'exec', self.image, 'sh', '-c', script], stdin=slave, stdout=slave, stderr=slave,
                           before=take, pass_fds=[slave])
        os.close(slave)
        self.assertTrue(select.select([master], [], [], 10)[0])
        self.assertIn(b'ready', os.read(master, 100))
        for key in (b'\x03', b'\x1c', b'\x1a'):
            os.write(master, key)
            time.sleep(0.05)
        os.close(master)
        time.sleep(0.1)
        server, = self.servers()
        self.assertNotIn(self.state(server), 'Tt')
        self.write('go')
        child.wait(10)
        with open(out, encoding='utf-8') as text:
            self.assertEqual(text.read(), self.sum_lines())

    def test_signals_end_the_program_alone(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGKILL):
            first = self.popen(['swrun', 'exec', '--share=always', self.image, 'probe', '--sleep', '60'])
            self.assertEqual(first.stdout.readline(), b'ready\n')
            joined = self.rank(then=READ_ON)
            self.assertEqual(os.readlink(f'/proc/{first.pid}/ns/mnt'), joined.mount)
            os.killpg(first.pid, number)
            first.communicate(timeout=10)
            self.assertEqual(first.returncode, -number)
            self.assertEqual(self.finish(joined), [self.sum_lines()])


class Background(Faults):
    """Children that outlive the program that started them keep their files."""
    def leave(self, *options, image=None):
        """A launch that leaves a reader behind; the path of what this one writes, when told to go on."""
        out = os.path.join(self.work, f'out{time.monotonic_ns()}')
        script = f'(while ! test -e {self.work}/go; do sleep 0.05; done; {READ_ON} >{out}.part; mv {out}.part {out})' \
                 ' </dev/null >/dev/null 2>&1 &'
        done = self.swrun('exec', *options, image or self.image, '/bin/bash', '-c', script.replace('mv ', '/bin/busybox mv '))
        self.assertEqual((done.status, done.err), (0, ''), repr(done))
        return out

    def assert_read(self, *outs):
        time.sleep(0.5)
        self.write('go')
        for out in outs:
            self.assertTrue(wait_for(lambda path=out: os.path.exists(path), 10), 'the reader did not end')
            with open(out, encoding='utf-8') as text:
                self.assertEqual(text.read(), self.sum_lines())

    def test_of_a_launch_of_its_own(self):
        self.assert_read(self.leave())

    def test_of_launches_that_share(self):
        for image in (self.image, os.path.join(self.images, 'sandbox')):
            with self.each(image=image):
                first = self.rank(image=image)
                outs = [self.leave('--share=always', image=image), self.leave('--share=always', image=image)]
                self.finish(first)
                # Nobody who could be asked is left: a later launch starts anew, the readers have their tree.
                time.sleep(0.2)
                self.finish(self.rank(image=image))
                self.assert_read(*outs)
                os.unlink(os.path.join(self.work, 'go'))
                self.assert_clean(image)

    def test_of_the_first_one(self):
        out = self.leave('--share=always')
        self.finish(self.rank())
        self.assert_read(out)

    def test_of_one_that_lingers(self):
        out = self.leave('--linger', '1')
        time.sleep(1.5)
        self.assert_read(out)


def limited(*limits):
    """`before` of a launch under these limits (kind, value)."""
    def shape():
        for kind, value in limits:
            resource.setrlimit(kind, (value, value))
    return shape


class Limits(Faults):
    """Each value: it works, or says why."""
    PROGRAM = ('sh', '-c', 'cat /data/file')
    OUT = 'from the image\n'

    def assert_works_or_says_why(self, name, kind, values, enough):
        """`enough`: values from here on have to work."""
        for value in values:
            for options in ([], ['--share=always']):
                what = f'{name} {value} {" ".join(options)}'
                with self.each(what=what):
                    worked = self.works_or_says_why(what, 'exec', *options, self.image, *self.PROGRAM, out=self.OUT,
                                                    before=limited((kind, value)))
                    if value >= enough:
                        self.assertTrue(worked, 'this should be enough')

    def test_address_space(self):
        # The launcher, the server and the program each have to fit.
        self.assert_works_or_says_why('RLIMIT_AS', resource.RLIMIT_AS, [n * MB for n in (64, 96, 128, 256, 512)], 64 * MB)

    def test_far_too_little_address_space(self):
        # Too little for the server to serve well, yet the launch and its end have to be right.
        for mb in (14, 16, 20, 22, 24, 32):
            for options in ([], ['--share=always']):
                with self.each(mb=mb, options=options):
                    child = self.popen(['swrun', 'exec', *options, self.image, 'cat', '/data/file'],
                                       before=limited((resource.RLIMIT_AS, mb * MB)))
                    _, err = child.communicate(timeout=10)
                    self.assertIn(child.returncode, (0, 1, 255, -signal.SIGBUS, -signal.SIGSEGV), err)
                    self.assert_clean(f'{mb} MiB', 5)

    def test_data(self):
        self.assert_works_or_says_why('RLIMIT_DATA', resource.RLIMIT_DATA, [n * MB for n in (16, 32, 64, 128)], 64 * MB)

    def test_open_files(self):
        self.assert_works_or_says_why('RLIMIT_NOFILE', resource.RLIMIT_NOFILE, (4, 8, 12, 16, 20, 24, 32, 64), 32)

    def test_file_size(self):
        self.assert_works_or_says_why('RLIMIT_FSIZE', resource.RLIMIT_FSIZE, (0,), 0)

    def test_stack(self):
        self.assert_works_or_says_why('RLIMIT_STACK', resource.RLIMIT_STACK, (128 << 10, MB, 64 * MB), 128 << 10)

        def unlimited():
            resource.setrlimit(resource.RLIMIT_STACK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.assertTrue(self.works_or_says_why('no RLIMIT_STACK', 'exec', self.image, *self.PROGRAM, out=self.OUT,
                                               before=unlimited))

    def test_core_locks_and_time(self):
        for name in ('RLIMIT_CORE', 'RLIMIT_MEMLOCK', 'RLIMIT_SIGPENDING', 'RLIMIT_MSGQUEUE'):
            self.assert_works_or_says_why(name, getattr(resource, name), (0,), 0)
        self.assert_works_or_says_why('RLIMIT_CPU', resource.RLIMIT_CPU, (5,), 5)

    def test_processes(self):
        # 8 are there already; what the launch needs is a handful more.
        for limit in list(range(8, 18)) + [64]:
            for options in ([], ['--share=always']):
                with self.each(limit=limit, options=options):
                    self.assertTrue(wait_for(lambda: self.tasks() == 0, 5), 'not alone')
                    others = [self.popen(['sleep', '60']) for _ in range(8)]
                    done = self.swrun('exec', *options, self.image, '/bin/bash', '-c', 'read -r x </data/file; echo $x',
                                      timeout=10, before=limited((resource.RLIMIT_NPROC, limit)))
                    print(f'RLIMIT_NPROC {limit} {options}: {done.status} {done.err.splitlines()[:1]}', flush=True)
                    if limit == 64:
                        self.assertEqual(done.status, 0, repr(done))
                    if done.status == 0:
                        self.assertEqual(done.out, 'from the image\n')
                    else:
                        self.assert_one_message(done, f'{limit}')
                    for child in others:
                        child.kill()
                        child.communicate()
                    self.assert_clean(f'{limit} {options}', 5)

    def test_many_processes_under_a_limit(self):
        # 60 of 64 are there already.
        others = [self.popen(['sleep', '60']) for _ in range(60)]
        children = [self.popen(['swrun', 'exec', '--share=always', self.image, '/bin/bash', '-c', 'echo $UID'],
                               before=limited((resource.RLIMIT_NPROC, 64))) for _ in range(8)]
        for child in children:
            out, err = child.communicate(timeout=10)
            if child.returncode:
                self.assert_one_message(swtest.Done(child.returncode, out.decode(), err.decode()), 'RLIMIT_NPROC 64')
        for child in others:
            child.kill()
            child.communicate()

    def test_a_first_one_whose_server_has_no_threads(self):
        # Others join it or go on alone, soon.  The data limit leaves no room for the stack of a thread.
        first = Rank(self.popen(['swrun', 'exec', '--share=always', self.image, 'sh', '-c', RANK], stdin=-1,
                                before=limited((resource.RLIMIT_DATA, 16 * MB))))
        start = time.monotonic()
        done = self.swrun('exec', '--share=always', self.image, 'cat', '/data/file', timeout=20)
        self.assertEqual((done.status, done.out), (0, 'from the image\n'), repr(done))
        self.assertLess(time.monotonic() - start, 5)
        first.finish()

    def test_a_first_one_whose_server_runs_out_of_descriptors(self):
        # Each that joins costs its holder one: those who cannot be counted go on alone, soon.
        first = Rank(self.popen(['swrun', 'exec', '--share=always', self.image, 'sh', '-c', RANK], stdin=-1,
                                before=limited((resource.RLIMIT_NOFILE, 24))))
        server, = self.servers()
        before = self.seconds_of(server)
        others = [self.popen(['swrun', 'exec', '--share=always', self.image, 'sh', '-c', RANK + 'cat /data/file'], stdin=-1)
                  for _ in range(32)]
        start = time.monotonic()
        ranks = [Rank(child) for child in others]
        took = time.monotonic() - start
        time.sleep(2)
        spent = self.seconds_of(server) - before
        for rank in ranks:
            done = rank.finish()
            self.assertEqual((done.status, done.out), (0, 'from the image\n'), repr(done))
        first.finish()
        self.assertLess(took, 5, 'others had to wait')
        self.assertLess(spent, 1, 'the server turns in circles')

    @staticmethod
    def seconds_of(pid):
        with open(f'/proc/{pid}/stat', encoding='utf-8') as line:
            fields = line.read().rpartition(')')[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


class Memory(Faults):
    """64 MiB for the launch, its server and the program together."""
    ROOT = '/sys/fs/cgroup'

    def group(self):
        for root in (self.ROOT, os.path.join(self.ROOT, 'unified')):
            try:
                with open(os.path.join(root, 'cgroup.controllers'), encoding='utf-8') as text:
                    controllers = text.read().split()
            except OSError:
                continue
            if 'memory' not in controllers:
                self.skipTest('control groups of version 2 have no memory controller here')
            with open(os.path.join(root, 'cgroup.subtree_control'), encoding='utf-8') as text:
                had = 'memory' in text.read().split()
            if not had:
                self.put(root, 'cgroup.subtree_control', '+memory')
                self.addCleanup(self.put, root, 'cgroup.subtree_control', '-memory')
            path = os.path.join(root, f'swrun-faults.{os.getpid()}')
            os.mkdir(path)
            self.addCleanup(lambda: self.assertTrue(wait_for(lambda: self.removed(path)), f'{path} is still in use'))
            self.put(path, 'memory.max', str(64 * MB))
            if os.path.exists(os.path.join(path, 'memory.swap.max')):
                self.put(path, 'memory.swap.max', '0')
            return path
        return self.skipTest('no control groups of version 2')

    @staticmethod
    def put(where, name, text):
        with open(os.path.join(where, name), 'w', encoding='utf-8') as out:
            out.write(text)

    @staticmethod
    def removed(path):
        try:
            os.rmdir(path)
        except OSError:
            return not os.path.isdir(path)
        return True

    def test_64_mib(self):
        group = self.group()
        swrun = os.path.join(swtest.STAGE, 'bin', 'swrun')
        shell = f'echo $$ >{group}/cgroup.procs && exec setpriv --reuid {self.user.uid} --regid {self.user.gid} ' \
                '--clear-groups "$@"'
        read_all = 'find / -xdev -type f | sort | while read -r f; do cat "$f"; done | md5sum; exec sleep 1'
        for options, count in ((['--share=never'], 1), (['--share=always'], 8)):
            children = [subprocess.Popen(['sh', '-c', shell, 'sh', swrun, 'exec', *options, self.image, 'sh', '-c', read_all],
                                         stdin=subprocess.DEVNULL, stdout=-1, stderr=-1, cwd=self.work,
                                         env=self.user.environment({'PMI_JOBID': self.job})) for _ in range(count)]
            sums = set()
            for child in children:
                out, err = child.communicate(timeout=60)
                self.assertEqual(child.returncode, 0, err)
                sums.add(out)
            self.assertEqual(len(sums), 1)
        with open(os.path.join(group, 'memory.events'), encoding='utf-8') as text:
            self.assertIn('oom_kill 0', text.read().splitlines())


class Many(Faults):
    def test_256_launches_at_once(self):
        for options in (['--share=never'], ['--share=always']):
            with self.each(options=options):
                start = time.monotonic()
                children = [self.popen(['swrun', 'exec', *options, self.image, 'cat', '/data/file']) for _ in range(AT_ONCE)]
                for child in children:
                    out, err = child.communicate(timeout=120)
                    self.assertEqual((child.returncode, out, err), (0, b'from the image\n', b''))
                print(f'{AT_ONCE} launches {options}: {time.monotonic() - start:.2f} s', flush=True)
                self.assert_clean(f'after {AT_ONCE}', 20)

    def test_256_that_live_at_once(self):
        # Each a server of its own, all alive together; then all in one.
        for options, servers in (([], AT_ONCE), (['--share=always'], 1)):
            with self.each(options=options):
                children = [self.popen(['swrun', 'exec', *options, self.image, 'sh', '-c', RANK + 'cat /data/file'], stdin=-1)
                            for _ in range(AT_ONCE)]
                ranks = [Rank(child, 60) for child in children]
                self.assertEqual(len(self.servers()), servers)
                for rank in ranks:
                    done = rank.finish(60)
                    self.assertEqual((done.status, done.out, done.err), (0, 'from the image\n', ''))
                self.assert_clean(f'after {AT_ONCE}', 20)


if __name__ == '__main__':
    swtest.main()
