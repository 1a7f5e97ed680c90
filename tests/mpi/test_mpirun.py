"""Ranks of mpirun, of both families: one user namespace, one tree and one image server by themselves, and messages as on the host.

    test_mpirun.py OpenMpi|Mpich
"""
import os
import signal
import subprocess
import time

import mpi
import swtest

# Waits for files of the working directory, which all ranks share; a test that fails must end all the same.
AWAIT = 'await() { for f; do n=0; until [ -e $f ]; do n=$((n+1)); [ $n -lt 400 ] || exit 99; sleep .05; done; done; }; '
NAMESPACES = 'echo $(readlink /proc/self/ns/user) $(readlink /proc/self/ns/mnt)'


class Ranks:
    family = rank = wiring = ''

    def launch(self, *argv, ranks=4, **more):
        return self.mpirun(self.family, '-n', str(ranks), *argv, **more)

    def exec(self, *options, image=None):
        return ['swrun', 'exec', *options, image or self.a]

    def probe(self, *mode):
        return ['/bin/probe.' + self.family, *mode]

    def wrapped(self, script, **more):
        """One shell per rank on the host: $R is the rank, $A and $B are the images."""
        env = {'A': self.a, 'B': self.b, 'ENV': None}
        return self.launch('/bin/sh', '-c', f'{AWAIT} R=${self.rank}; export R; {script}', env=env, **more)

    # ------------------------------------------------------------------------------------------ what is shared
    def test_ranks_see_each_other(self):
        self.assert_world(self.launch(*self.exec(), *self.probe('world')))

    def test_alone(self):
        """One rank is no different: nothing to say, nothing set."""
        self.assert_world(self.launch(*self.exec(), *self.probe('world'), ranks=1), images='A')

    def test_behind_shells(self):
        line = ' '.join([*self.exec(image='$A'), *self.probe('world')])
        self.assert_world(self.wrapped(line + '; true'))
        self.assert_world(self.wrapped(f'/bin/sh -c "{line}; true"; true'))

    def test_two_images(self):
        world = self.probe('world')
        self.assert_world(self.launch(*self.exec(), *world, ':', '-n', '2', *self.exec(image=self.b), *world, ranks=2),
                          images='AABB', mounts=2)

    def test_different_binds(self):
        one, two = (os.path.dirname(self.write(name + '/file')) for name in ('one', 'two'))
        world = self.probe('world')
        self.assert_world(self.launch(*self.exec('-B', one + ':/mnt'), *world, ':', '-n', '2', *self.exec('-B', two + ':/mnt'),
                                      *world, ranks=2), mounts=2)

    def test_one_server(self):
        """While the ranks run there is one server, and two doors lead to it: the tree's and the user namespace's."""
        command = self.exec() + ['sh', '-c', 'touch up.$' + self.rank + f'; {AWAIT} await go']
        child = self.popen(['mpirun.' + self.family, *self.room(), '-n', '4', *command], env=self.settings())
        up = swtest.wait_for(lambda: all(os.path.exists(f'{self.work}/up.{i}') for i in range(4)), 20)
        servers, doors = self.servers(), self.doors()
        self.write('go')
        out, err = child.communicate(timeout=20)
        self.assertTrue(up)
        self.assertEqual((child.returncode, out, err), (0, b'', b''))
        if self.user.root:
            self.assertEqual(list(servers.values()), ['swrun-image'])
        self.assertEqual(len(doors), 2, doors)

    def test_two_at_once(self):
        """Two runs of one shell, of the same image, at the same time: each is one world of its own."""
        command = self.exec() + ['sh', '-c', f'{NAMESPACES} >$RUN.${self.rank}; touch up.$RUN.${self.rank}; {AWAIT} await go']
        script = ' '.join(f"RUN={run} mpirun.{self.family} {' '.join(self.room())} -n 2 \"$@\" & " for run in 'xy')
        waits = f'{AWAIT} await up.x.0 up.x.1 up.y.0 up.y.1; touch go; wait'
        self.quiet(self.run_as_user('/bin/sh', '-c', script + waits, 'sh', *command, env=self.settings()))
        seen = {}
        for run in 'xy':
            for rank in '01':
                with open(f'{self.work}/{run}.{rank}', encoding='utf-8') as said:
                    seen.setdefault(run, set()).add(said.read())
        self.assertEqual([len(seen['x']), len(seen['y'])], [1, 1], seen)
        self.assertNotEqual(seen['x'], seen['y'])

    def test_inside_only(self):
        """mpirun of the image: its ranks are in one namespace already."""
        # There is no ssh in the image, and Open MPI wants one unless it is told that it needs none.
        env = self.settings(OMPI_MCA_plm='isolated')
        self.assert_world(self.swrun('exec', self.a, 'mpirun.' + self.family, *self.room(), '-n', '4', *self.probe('world'),
                                     env=env))

    # ----------------------------------------------------------------------------------------------- messages
    def test_messages(self):
        self.assert_messages(self.launch(*self.exec(), *self.probe('messages', 'up')))

    def test_messages_largest_first(self):
        self.assert_messages(self.launch(*self.exec(), *self.probe('messages', 'down')))

    def test_never(self):
        """Without a common user namespace the libraries are told not to read other ranks' memory."""
        done = self.told('world')
        ranks = self.assert_world(done, users=4, mounts=4, fallbacks=True)
        for name, value in mpi.FALLBACKS.items():
            self.assertEqual([rank['variables'].get(name) for rank in ranks], [value] * 4)
        self.assert_messages(self.told('messages', 'up'), by_copy=False)
        self.assert_messages(self.told('messages', 'down'), by_copy=False)

    def told(self, *mode):
        """The probe without sharing, until it has told what it found."""
        return self.launch(*self.exec('--share=never'), *self.probe(*mode), timeout=60)

    def test_own_transports(self):
        """What the user has chosen stays, with a warning where it cannot work."""
        done = self.launch(*self.exec('--share=never'), 'sh', '-c', 'echo $UCX_TLS', env={'UCX_TLS': 'posix,cma,self'}, ranks=1)
        self.assertEqual((done.status, done.out), (0, 'posix,cma,self\n'), repr(done))
        self.assertRegex(done.err, r'^swrun: warning: UCX_TLS=posix,cma,self .*cma.*\n$')
        done = self.launch(*self.exec(), 'sh', '-c', 'echo $UCX_TLS', env={'UCX_TLS': 'posix,cma,self'}, ranks=1)
        self.assertEqual((done.status, done.out, done.err), (0, 'posix,cma,self\n', ''))

    # --------------------------------------------------------------------------------------------------- ends
    def assert_ends_in_order(self, order):
        """Every rank begins before the first ends, and reads what nobody has read when all before it are gone."""
        places = ' '.join(f'[ $R = {rank} ] && P={i};' for i, rank in enumerate(order))
        inside = f'touch up.$R; {AWAIT} await up.0 up.1 up.2 up.3; [ $P = 0 ] || await gone.$((P-1)); md5sum /data/part.$R'
        self.assert_parts(self.wrapped(f"{places} export P; swrun exec $A sh -c '{inside}'; s=$?; touch gone.$P; exit $s"), 4)

    def test_ends_ascending(self):
        self.assert_ends_in_order((0, 1, 2, 3))

    def test_ends_descending(self):
        self.assert_ends_in_order((3, 2, 1, 0))

    def test_leader_killed(self):
        """Nobody depends on the first rank: the others go on, read on, and who comes later joins them."""
        leader = f'{NAMESPACES}; touch leads; {AWAIT} await here.1 here.2 here.3; kill -9 $$'
        other = f'{NAMESPACES}; touch here.$R; {AWAIT} await again; md5sum /data/part.$R'
        script = (f"if [ $R = 0 ]; then swrun exec $A sh -c '{leader}'; echo status $?; swrun exec $A sh -c '{NAMESPACES}'; "
                  f"touch again; else await leads; swrun exec $A sh -c '{other}'; fi")
        done = self.wrapped(script)
        self.assertEqual(done.status, 0, repr(done))
        lines = done.out.split('\n')
        self.assertIn('status 137', lines)
        self.assertEqual(len({line for line in lines if line.startswith('user:')}), 1, repr(done))
        self.assertEqual(sum(line.startswith('user:') for line in lines), 5, repr(done))
        for i in (1, 2, 3):
            self.assertIn(f'{mpi.part_digest(i)}  /data/part.{i}', lines)

    def test_clean_environment(self):
        """Without the launcher's own variables every rank would be the only one, so there is a way to keep them."""
        self.assert_world(self.launch(*self.exec('--cleanenv', '--keep-env', self.wiring), *self.probe('world')))

    def test_status(self):
        """What a rank ends with is what mpirun says."""
        for command, status in (['true'], 0), (['sh', '-c', 'exit 3'], 3), (['/nowhere'], 255):
            with self.subTest(command):
                self.assertEqual(self.launch(*self.exec(), *command).status, status)


class OpenMpi(Ranks, mpi.Case):
    user_name, user_id = 'swompi', 7061
    family, rank, wiring = 'openmpi', 'OMPI_COMM_WORLD_RANK', 'PMIX*,OMPI_*'


class Mpich(Ranks, mpi.Case):
    user_name, user_id = 'swmpich', 7062
    family, rank, wiring = 'mpich', 'PMI_RANK', 'PMI_*'

    def told(self, *mode):
        """MPICH 4.0 over UCX without cma may hang in MPI_Finalize, on the host too (mpich pull request 6596): its ranks are
        sent away once they have told all that they have to tell."""
        child = self.popen(['mpirun.mpich', '-n', '4', *self.exec('--share=never'), *self.probe(*mode)], env=self.settings())
        self.addCleanup(child.kill)
        os.set_blocking(child.stdout.fileno(), False)
        line = swtest.wait_for(child.stdout.readline, 60)
        status = 0 if line else child.poll()
        time.sleep(0.2)
        child.send_signal(signal.SIGTERM)
        try:
            child.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.fail('mpirun.mpich does not end by SIGTERM')
        self.sweep_shared_memory()
        return swtest.Done(status, (line or b'').decode(), '')


if __name__ == '__main__':
    mpi.main()
