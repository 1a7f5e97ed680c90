"""Launches that a launcher's variables make ranks of one job, without a launcher: crowds, and strangers at the door."""
import contextlib
import os
import socket
import time

import mpi
import swtest

JOB = {'PMI_JOBID': 'crowd'}
KEYS = 'tree_key', 'user_namespace_key'


class Ranks(mpi.Case):
    user_name, user_id = 'swranks', 7063

    def rank(self, number, *command, image=None, **more):
        return self.popen(['swrun', 'exec', image or self.a, *command], env=dict(JOB, PMI_RANK=str(number)), **more)

    def end(self, children, seconds):
        """[(status, stdout, stderr)], all within that time."""
        limit, done = time.monotonic() + seconds, []
        for child in children:
            self.addCleanup(child.kill)
        for child in children:
            out, err = child.communicate(timeout=max(0.1, limit - time.monotonic()))
            done.append((child.returncode, out.decode(), err.decode()))
        return done

    def crowd(self, size, image=None):
        """All of them are there at once, and all see the same."""
        command = ('sh', '-c', 'echo $(readlink /proc/self/ns/user) $(readlink /proc/self/ns/mnt); touch up.$PMI_RANK; '
                   'dd if=gate of=/dev/null bs=1 count=1 2>/dev/null')
        gate = os.path.join(self.work, 'gate')
        os.mkfifo(gate)
        self.user.give(gate)
        children = [self.rank(i, *command, image=image) for i in range(size)]
        there = swtest.wait_for(lambda: sum(name.startswith('up.') for name in os.listdir(self.work)) == size, 40)
        servers = list(self.servers().values())
        opened = os.open(gate, os.O_RDWR)
        self.addCleanup(os.close, opened)
        os.write(opened, b'.' * size)
        done = self.end(children, 30)
        self.assertTrue(there, done)
        self.assertEqual(len(set(done)), 1, set(done))
        self.assertEqual((done[0][0], done[0][2]), (0, ''))
        if self.user.root:
            self.assertEqual(len(servers), 1, servers)

    def test_crowd(self):
        self.crowd(64)

    def test_crowd_in_a_directory(self):
        """There is no image to serve, and still one process holds what they share."""
        self.crowd(16, image=os.path.join(self.images, 'sandbox'))

    def test_short_lives(self):
        """Leaders that end while others join them."""
        for size in 64, 128:
            with self.subTest(size):
                self.assertEqual(set(self.end([self.rank(i, 'true') for i in range(size)], 60)), {(0, '', '')})

    # ------------------------------------------------------------------------------------------ a foreign user
    def keys(self):
        plan = self.ok('exec', '--dry-run', self.a, 'true', env=dict(JOB, PMI_RANK='0')).json()['share']
        return [plan[name] for name in KEYS]

    def squat(self, key, listens=True):
        """The door's name in the hands of somebody else."""
        if not self.user.root:
            swtest.cannot('a second user needs root')
        foreign = swtest.User('swsquat', 7065)
        taken = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(taken.close)
        with contextlib.ExitStack() as back:
            os.seteuid(foreign.uid)
            back.callback(os.seteuid, 0)
            taken.bind(f'\0swrun-{self.user.uid}-{key}')
            if listens:
                taken.listen()
        return taken

    def launch(self):
        """(namespaces, which fallbacks are set, stderr)"""
        start = time.monotonic()
        script = 'readlink /proc/self/ns/user; readlink /proc/self/ns/mnt; env'
        (status, out, err), = self.end([self.rank(0, 'sh', '-c', script)], 20)
        self.assertEqual(status, 0, err)
        self.assertLess(time.monotonic() - start, 10)
        lines = out.split('\n')
        return lines[:2], sorted(set(mpi.FALLBACKS) & {line.partition('=')[0] for line in lines}), err

    def warned(self, err, count):
        """One warning; a second name that is taken too is told without one."""
        line = r'.*another user holds.*\n'
        self.assertRegex(err, r'\Aswrun: warning: ' + line + ('swrun: ' + line) * (count - 1) + r'\Z')

    def test_squatted_tree(self):
        """The tree is the launch's own, the user namespace is shared nevertheless: no fallback."""
        tree, _ = self.keys()
        taken = self.squat(tree)
        first, others = self.launch(), self.launch()
        for _, fallbacks, err in first, others:
            self.assertEqual(fallbacks, [])
            self.warned(err, 1)
        taken.close()
        self.assertEqual(self.launch()[1:], ([], ''))

    def test_squatted_altogether(self):
        for key in self.keys():
            self.squat(key)
        _, fallbacks, err = self.launch()
        self.assertEqual(fallbacks, sorted(mpi.FALLBACKS))
        self.warned(err, 2)

    def test_squatter_that_never_listens(self):
        """Bound, and nobody behind it: given up after a moment."""
        for key in self.keys():
            self.squat(key, listens=False)
        _, fallbacks, err = self.launch()
        self.assertEqual(fallbacks, sorted(mpi.FALLBACKS))
        self.assertNotIn('error', err)

    # -------------------------------------------------------------------------------------------- who is a rank
    def test_scopes(self):
        """A job's name decides, not the session; without one the session does."""
        def plan(**env):
            return self.ok('exec', '--dry-run', self.a, 'true', env=env).json()['share']
        one, other = plan(PMI_RANK='0', **JOB), plan(PMI_RANK='1', **JOB)
        self.assertEqual([one[key] for key in KEYS], [other[key] for key in KEYS])
        self.assertNotEqual(one['scope'], plan(PMI_RANK='0', PMI_JOBID='another')['scope'])
        self.assertNotEqual(plan(PMI_RANK='0')['scope'], plan(PMI_RANK='0')['scope'])
        self.assertFalse(plan()['wanted'])
        self.assertFalse(plan(SLURM_JOB_ID='7', SLURM_PROCID='0')['wanted'])


if __name__ == '__main__':
    mpi.main()
