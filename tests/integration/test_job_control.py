"""Stops and continues: a program that has a parent of ours behaves in a shell with job control as one that has none."""
import os
import pty
import re
import select
import shutil
import signal
import time

import swtest
from swtest import wait_for

PROMPT = 'HOST> '
# Who is between the shell and the program: nobody; a supervisor and an init; a supervisor of process 1.
CHAINS = ([], ['--pid'], ['--containall'], ['--pid', '--no-init'])
STOPPED = 'Tt'  # states of a stopped process, proc_pid_stat(5)
SECONDS = float(os.environ.get('SWTEST_PATIENCE', '30'))
# Continues itself each time as soon as it is stopped.
AT_ONCE = ('i=0; while [ $i -lt 50 ]; do (until grep -q "State:.T" /proc/$$/status; do :; done; kill -CONT $$) & '
           'kill -NUMBER $$; wait; i=$((i+1)); done; echo done')


class Terminal:
    """An interactive bash of the host on a pseudo-terminal, as the test user."""

    def __init__(self, case):
        self.text, self.case = '', case
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                case.user.become()
                signal.pthread_sigmask(signal.SIG_SETMASK, [])
                for number in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGINT, signal.SIGPIPE):
                    signal.signal(number, signal.SIG_DFL)
                os.chdir(case.work)
                env = case.user.environment({'PS1': PROMPT, 'TERM': 'dumb', 'HISTFILE': None})
                os.execve('/bin/bash', ['bash', '--norc', '--noprofile', '--noediting', '-i'], env)
            finally:
                os._exit(127)
        self.expect(re.escape(PROMPT))

    def close(self):
        # Whoever is left in a group of the session: nothing survives its test, whatever went wrong.
        for pid, (_, session) in self.case.user.processes().items():
            if session == self.pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def send(self, text):
        os.write(self.fd, text.encode())

    def line(self, text):
        self.send(text + '\n')

    def expect(self, pattern, seconds=SECONDS):
        """The match; what follows it is for the next call."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.text, re.S)
            if found:
                self.text = self.text[found.end():]
                return found
            left = end - time.monotonic()
            ready = left > 0 and select.select([self.fd], [], [], left)[0]
            if not ready:
                self.case.fail(f'no {pattern!r} after {seconds} s: {self.text!r}')
            self.text += os.read(self.fd, 4096).decode('utf-8', 'replace').replace('\r', '')

    def prompt(self):
        self.expect(re.escape(PROMPT))

    def jobs(self):
        self.line('jobs; echo end.')
        return self.expect(r'echo end\.\n(.*?)end\.\n').group(1)

    def stopped(self):
        return self.expect(r'Stopped[^\n]*\n.*?' + re.escape(PROMPT)).group(0)


    def in_front(self):
        """Waits until a job has the terminal and none of it is stopped.  A stop from the terminal that comes before goes to the
        shell, or is taken back by the SIGCONT of `fg`."""
        def holds():
            group, states = os.tcgetpgrp(self.fd), []
            for pid in self.case.user.processes():
                try:
                    with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as line:
                        fields = line.read().rpartition(')')[2].split()
                except OSError:
                    continue
                if int(fields[2]) == group:
                    states.append(fields[0])
            return group != self.pid and bool(states) and 'T' not in states
        self.case.assertTrue(wait_for(holds), self.text)


class JobControl(swtest.Case):
    user_name, user_id = 'swjobs', 7041

    def setUp(self):
        super().setUp()
        if not os.path.exists('/bin/bash'):
            swtest.cannot('no bash')
        self.chains = list(CHAINS)
        if all(shutil.which(program, path=swtest.SYSPATH) for program in ('mke2fs', 'fuse2fs', 'fuse-overlayfs')):
            self.ok('overlay', 'create', '--size', '64', 'o.img')
            self.chains.append(['--overlay', 'o.img'])  # a supervisor without a pid namespace

    def each(self, chains, act):
        for options in chains:
            with self.subTest(options=options):
                terminal = Terminal(self)
                try:
                    act(terminal, lambda script, more='', options=options:
                        terminal.line(f"swrun exec {' '.join(options)} {self.image} sh -c '{script}'{more}"))
                finally:
                    terminal.close()

    def with_own_stops(self):
        return [options for options in self.chains if '--no-init' not in options]  # process 1 cannot stop itself

    def test_stopped_by_itself(self):
        def act(terminal, start):
            for number in ('TSTP', 'STOP', 'TTIN', 'TTOU'):
                start(f'kill -{number} $$; echo on; exit 4')
                terminal.stopped()
                terminal.line('fg')
                terminal.expect(r'\non\n')
                terminal.prompt()
                terminal.line('echo $?')
                terminal.expect(r'\n4\n')
                terminal.prompt()
        self.each(self.with_own_stops(), act)

    def test_stopped_by_the_terminal(self):
        def act(terminal, start):
            start('echo up; while :; do read line && echo "got $line."; done')
            terminal.expect(r'\nup\n')
            for _ in range(3):
                terminal.send('\x1a')
                terminal.stopped()
                terminal.line('fg')
                terminal.expect('swrun exec[^\n]*\n')
                terminal.line('hello')
                terminal.expect(r'got hello\.')
            terminal.send('\x1a')
            terminal.stopped()
            terminal.line('kill -KILL %1; wait')
            terminal.prompt()
        self.each(self.chains, act)

    def test_a_program_that_handles_the_stop_is_asked_only(self):
        def act(terminal, start):
            start('trap "echo asked" TSTP; echo up; while :; do read line && echo "got $line."; done')
            terminal.expect(r'\nup\n')
            for _ in range(2):
                terminal.send('\x1a')
                terminal.line('hello')
                terminal.expect(r'got hello\.')
            terminal.line('')
            terminal.send('\x04\x1c')
        self.each(self.chains, act)

    def test_in_the_background(self):
        def act(terminal, start):
            start('kill -TSTP $$; echo on; read line; echo "got $line."')
            terminal.stopped()
            terminal.line('bg')
            # It goes on, and stops when it wants to read from the terminal.
            terminal.expect('on\n')
            self.assertTrue(wait_for(lambda: 'Stopped' in terminal.jobs()), terminal.text)
            terminal.line('fg')
            terminal.expect('swrun exec[^\n]*\n')
            terminal.line('hello')
            terminal.expect(r'got hello\.')
            terminal.prompt()
        self.each(self.with_own_stops(), act)

    def test_in_a_pipeline(self):
        def act(terminal, start):
            # exec: a shell that waits in vfork(2) for its child to become sleep cannot stop, and the child has.
            start('echo up; exec sleep 1000', ' | cat')
            terminal.expect(r'\nup\n')
            for _ in range(2):
                terminal.in_front()
                terminal.send('\x1a')
                terminal.stopped()
                terminal.line('fg')
                terminal.expect(r'\| cat\n')
                terminal.in_front()
            terminal.send('\x1a')
            terminal.stopped()
            terminal.line('kill -KILL %1; wait')
            terminal.prompt()
        self.each(self.chains, act)

    def test_signals_to_the_process_that_the_caller_knows(self):
        def act(terminal, start):
            start('echo up; exec sleep 1000')
            terminal.expect(r'\nup\n')
            terminal.send('\x1a')
            terminal.stopped()
            for _ in range(3):
                terminal.line('kill -CONT %1')
                terminal.prompt()
                self.assertTrue(wait_for(lambda: 'Running' in terminal.jobs()), 'it does not go on')
                terminal.line('kill -TSTP $(jobs -p)')
                terminal.prompt()
                self.assertTrue(wait_for(lambda: 'Stopped' in terminal.jobs()), 'it does not stop')
            terminal.line('kill -KILL %1; wait')
            terminal.prompt()
        self.each(self.chains, act)

    def test_a_shell_inside_that_suspends_itself(self):
        for options in ([], ['--pid'], ['--containall']):
            with self.subTest(options=options):
                terminal = Terminal(self)
                terminal.line(f"swrun exec {' '.join(options)} {self.image} bash --norc --noediting -i")
                for _ in range(2):
                    terminal.line('echo here=$$.')
                    terminal.expect(r'here=\d+\.')
                    terminal.line('suspend -f')
                    terminal.stopped()
                    terminal.line('fg')
                    terminal.expect('swrun exec[^\n]*\n')
                terminal.line('exit 7')
                terminal.expect(re.escape(PROMPT) + '$')
                terminal.line('echo status=$?.')
                terminal.expect(r'status=7\.')
                terminal.close()


class WithoutTerminal(swtest.Case):
    """The same without a shell with job control, where nobody would continue what is stopped."""
    user_name, user_id = 'swjobs', 7041

    def state(self, pid):
        with open(f'/proc/{pid}/stat', encoding='utf-8') as line:
            return line.read().rpartition(')')[2].split()[0]

    def program(self, parent):
        """The last of a chain of only children."""
        while True:
            try:
                with open(f'/proc/{parent}/task/{parent}/children', encoding='ascii') as children:
                    below = children.read().split()
            except OSError:
                return parent
            if not below:
                return parent
            parent = int(below[0])

    def test_the_program_alone_is_stopped_and_goes_on(self):
        for options in CHAINS:
            with self.subTest(options=options):
                child = self.popen(['swrun', 'exec', *options, self.image, 'probe', '--sleep', '30'])
                self.assertEqual(child.stdout.readline(), b'ready\n')
                program = self.program(child.pid)
                for _ in range(5):
                    os.kill(program, signal.SIGSTOP)
                    self.assertTrue(wait_for(lambda: self.state(program) in STOPPED))
                    os.kill(program, signal.SIGCONT)
                    self.assertTrue(wait_for(lambda: {self.state(program), self.state(child.pid)} == {'S'}),
                                    (self.state(program), self.state(child.pid)))
                child.kill()
                child.communicate(timeout=10)

    def test_killed_while_it_is_stopped(self):
        for options in CHAINS:
            with self.subTest(options=options):
                child = self.popen(['swrun', 'exec', *options, self.image, 'probe', '--sleep', '30'])
                self.assertEqual(child.stdout.readline(), b'ready\n')
                program = self.program(child.pid)
                os.kill(program, signal.SIGSTOP)
                self.assertTrue(wait_for(lambda: self.state(program) in STOPPED))
                os.kill(program, signal.SIGKILL)
                child.communicate(timeout=10)
                self.assertIn(child.returncode, (-signal.SIGKILL, 128 + signal.SIGKILL))

    def test_stopping_and_going_on_at_once(self):
        # Whoever is late must not stop for a stop that is over.
        for options in (['--pid'], ['--containall'], ['--pid', '--fakeroot']):
            with self.subTest(options=options):
                done = self.ok('exec', *options, self.image, 'sh', '-c', AT_ONCE.replace('NUMBER', 'STOP'))
                self.assertEqual(done.out, 'done\n')


if __name__ == '__main__':
    swtest.main()
