"""Tasks of Slurm: a cluster of one node, which this test starts on its own loopback and which ends with it.

PMIx for Open MPI, PMI-2 for MPICH, wrapper shells, several programs in a step, exit statuses, batch scripts.
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile

import mpi
import swtest

CPUS = 32
CONFIGURATION = '''ClusterName=swrun
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
AuthInfo=socket={0}/munge/socket
SlurmctldPidFile={0}/slurmctld.pid
SlurmdPidFile={0}/slurmd.pid
SlurmctldLogFile={0}/slurmctld.log
SlurmdLogFile={0}/slurmd.log
StateSaveLocation={0}/state
SlurmdSpoolDir={0}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
KillWait=2
MinJobAge=2
NodeName=localhost NodeAddr=127.0.0.1 CPUs={1}
PartitionName=all Nodes=localhost Default=YES MaxTime=10 OverSubscribe=FORCE:8
'''
PROGRAMS = 'munged', 'slurmctld', 'slurmd', 'srun', 'sbatch', 'salloc', 'scancel', 'sinfo'
NAMESPACES = 'echo $(readlink /proc/self/ns/user) $(readlink /proc/self/ns/mnt)'


class Slurm(mpi.Case):
    user_name, user_id = 'swslurm', 7064
    family = 'openmpi'
    daemons = []

    @classmethod
    def setUpClass(cls):
        os.environ['PATH'] += ':/usr/sbin:/sbin'
        lacking = [name for name in PROGRAMS if not shutil.which(name)]
        if lacking:
            swtest.cannot('not installed: ' + ' '.join(lacking))
        if os.geteuid():
            swtest.cannot('a cluster with users needs root')
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix='swslurm.', dir='/tmp')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.addClassCleanup(cls.stop)
        os.chmod(cls.folder, 0o755)
        for name in 'munge', 'state', 'spool':
            os.mkdir(os.path.join(cls.folder, name), 0o755)
        cls.config = os.path.join(cls.folder, 'slurm.conf')
        with open(cls.config, 'w', encoding='utf-8') as out:
            out.write(CONFIGURATION.format(cls.folder, CPUS))
        cls.start_daemons()

    @classmethod
    def start_daemons(cls):
        munge, key = cls.folder + '/munge', cls.folder + '/munge/key'
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o400), 'wb') as out:
            out.write(os.urandom(1024))
        files = (f'--{name}={munge}/{name.partition("-")[0]}' for name in ('socket', 'pid-file', 'log-file', 'seed-file'))
        cls.daemon('munged', '-F', '--num-threads=2', '--key-file=' + key, *files)
        cls.need(lambda: os.path.exists(munge + '/socket'), 'munged')
        cls.daemon('slurmctld', '-D', '-f', cls.config)
        cls.daemon('slurmd', '-D', '-N', 'localhost', '-f', cls.config)
        cls.need(lambda: 'idle' in cls.ask('sinfo', '-h', '-o', '%T'), 'Slurm')

    @classmethod
    def daemon(cls, *argv):
        with open(f'{cls.folder}/{argv[0]}.out', 'wb') as out:
            cls.daemons.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out))

    @classmethod
    def need(cls, ready, what):
        if not swtest.wait_for(ready, 20, 0.05):
            said = ''
            for name in sorted(os.listdir(cls.folder)):
                if name.endswith(('.out', '.log')):
                    with open(os.path.join(cls.folder, name), encoding='utf-8', errors='replace') as log:
                        said += f'--- {name}\n{log.read()[-1500:]}'
            raise AssertionError(f'{what} does not start\n{said}')

    @classmethod
    def ask(cls, *argv):
        return subprocess.run(argv, env=dict(os.environ, SLURM_CONF=cls.config), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              universal_newlines=True, timeout=30, check=False).stdout

    @classmethod
    def stop(cls):
        for number in signal.SIGTERM, signal.SIGKILL:
            for child in reversed(cls.daemons):
                child.send_signal(number)
            if swtest.wait_for(lambda: all(child.poll() is not None for child in cls.daemons), 5):
                break
        cls.daemons.clear()

    def settings(self, **more):
        return super().settings(SLURM_CONF=self.config, **more)

    def tearDown(self):
        # What a job has left would be killed by Slurm when its next one ends: look while nothing of it runs.
        self.assertTrue(swtest.wait_for(lambda: not self.ask('squeue', '-h', '-o', '%A'), 20, 0.1), 'jobs go on')
        super().tearDown()

    def slurm(self, *argv, **more):
        more['env'] = self.settings(A=self.a, B=self.b, **more.pop('env', {}))
        return self.run_as_user(*argv, **more)

    def srun(self, *argv, tasks=4, **more):
        return self.slurm('srun', '-Q', '-n', str(tasks), *argv, **more)

    def exec(self, *command):
        return ['swrun', 'exec', self.a, *command]

    # ------------------------------------------------------------------------------------------------ the libraries
    def test_open_mpi(self):
        self.assert_world(self.srun('--mpi=pmix', *self.exec('/bin/probe.openmpi', 'world')))
        self.assert_messages(self.srun('--mpi=pmix', *self.exec('/bin/probe.openmpi', 'messages', 'down')))

    def test_mpich(self):
        self.assert_world(self.srun('--mpi=pmi2', *self.exec('/bin/probe.mpich', 'world')))
        self.assert_messages(self.srun('--mpi=pmi2', *self.exec('/bin/probe.mpich', 'messages', 'down')))

    def test_behind_shells(self):
        for kind, family in ('pmix', 'openmpi'), ('pmi2', 'mpich'):
            with self.subTest(family):
                self.assert_world(self.srun('--mpi=' + kind, 'sh', '-c', f'swrun exec $A /bin/probe.{family} world; true'))

    def test_several_programs(self):
        """Two images in one step: each rank in its own, all in one user namespace."""
        for kind, family in ('pmix', 'openmpi'), ('pmi2', 'mpich'):
            with self.subTest(family):
                line = '{} swrun exec {} /bin/probe.' + family + ' world\n'
                self.write('programs', line.format('0-1', self.a) + line.format('2-3', self.b))
                self.assert_world(self.srun('--mpi=' + kind, '--multi-prog', 'programs'), images='AABB', mounts=2)

    def test_launchers_in_an_allocation(self):
        """mpirun asks Slurm where to start its ranks, or starts them itself."""
        for family in mpi.FAMILIES:
            with self.subTest(family):
                self.assert_world(self.slurm('salloc', '-Q', '-n', '4', 'mpirun.' + family, *self.room(family), '-n', '4',
                                             *self.exec('/bin/probe.' + family, 'world')))

    def test_wiring_is_complete(self):
        """The descriptor that a task was given is still there, and none of ours beside it."""
        script = 'for f in /proc/self/fd/*; do echo $(readlink $f); done'
        bare = self.quiet(self.srun('--mpi=pmi2', 'sh', '-c', script + '; echo $PMI_FD', tasks=2)).out
        inside = self.quiet(self.srun('--mpi=pmi2', *self.exec('sh', '-c', script + '; echo $PMI_FD'), tasks=2)).out
        self.assertIn('socket:', inside)
        self.assertEqual([kind.partition(':')[0] for kind in sorted(inside.split()) if '/proc' not in kind],
                         [kind.partition(':')[0] for kind in sorted(bare.split()) if '/proc' not in kind])

    # ---------------------------------------------------------------------------------------------------- steps
    def test_step_without_mpi(self):
        """Tasks that know nothing of MPI share too."""
        said = self.quiet(self.srun(*self.exec('sh', '-c', NAMESPACES))).out.split('\n')[:-1]
        self.assertEqual((len(said), len(set(said))), (4, 1), said)

    def test_short_lives(self):
        for turn in range(20):
            done = self.srun(*self.exec('true'), tasks=16)
            self.assertEqual((done.status, done.out, done.err), (0, '', ''), f'turn {turn}: {done!r}')

    def test_order_of_ends(self):
        for place in '$SLURM_PROCID', '$((3-SLURM_PROCID))':
            with self.subTest(place):
                script = f'sleep 0.$(({place}*3)); md5sum /data/part.$SLURM_PROCID'
                self.assert_parts(self.srun(*self.exec('sh', '-c', script)), 4)

    def test_leader_killed(self):
        """The task that came first dies by SIGKILL; Slurm lets the others go on, and so do we."""
        script = ('if [ $SLURM_PROCID = 0 ]; then touch leads; n=0; until [ -e here.1 -a -e here.2 -a -e here.3 -o $n = 200 ]; do '
                  'n=$((n+1)); sleep .05; done; kill -9 $$; fi; touch here.$SLURM_PROCID; sleep 1; md5sum /data/part.$SLURM_PROCID')
        outer = 'n=0; [ $SLURM_PROCID = 0 ] || until [ -e leads -o $n = 200 ]; do n=$((n+1)); sleep .05; done; exec "$@"'
        done = self.srun('sh', '-c', outer, 'sh', *self.exec('sh', '-c', script))
        self.assertEqual(done.status, 137, repr(done))
        self.assertEqual(sorted(done.out.split('\n')[:-1]), sorted(f'{mpi.part_digest(i)}  /data/part.{i}' for i in (1, 2, 3)))
        self.assertRegex(done.err, r'\A(srun: error: localhost: task 0: Killed\n)\Z')

    def test_killed_step(self):
        """scancel ends a step; the next one finds nothing of it."""
        command = self.exec('sh', '-c', 'touch up.$SLURM_PROCID; sleep 60')
        child = self.popen(['srun', '-Q', '-n', '4', *command], env=self.settings())
        self.addCleanup(child.kill)
        self.assertTrue(swtest.wait_for(lambda: sum(name.startswith('up.') for name in os.listdir(self.work)) == 4, 20))
        self.slurm('scancel', '-s', 'KILL', '-u', self.user.name)
        child.communicate(timeout=20)
        self.assertNotEqual(child.returncode, 0)
        self.assert_world(self.srun('--mpi=pmix', *self.exec('/bin/probe.openmpi', 'world')))

    def test_two_steps_at_once(self):
        """The first to end takes nothing from the other, which reads on."""
        inside = 'touch up.$RUN.$SLURM_PROCID; n=0; until [ -e $WAIT -o $n = 200 ]; do n=$((n+1)); sleep .05; done; '
        step = 'srun -Q --overlap -n 2 swrun exec $A sh -c '
        script = (f"RUN=x WAIT=up.y.1 {step} '{NAMESPACES}; {inside}' >x & "
                  f"RUN=y WAIT=gone {step} '{NAMESPACES}; {inside} md5sum /data/part.$SLURM_PROCID' >y & "
                  'wait %1; touch gone; wait %2')
        self.quiet(self.slurm('salloc', '-Q', '-n', '4', 'bash', '-c', script))
        seen = {}
        for name in 'xy':
            with open(os.path.join(self.work, name), encoding='utf-8') as said:
                seen[name] = said.read().split('\n')[:-1]
        self.assertEqual([len(set(filter(lambda line: line.startswith('user:'), lines))) for lines in seen.values()], [1, 1], seen)
        self.assertFalse(set(seen['x']) & set(seen['y']), seen)
        self.assertEqual(sorted(line for line in seen['y'] if 'part' in line),
                         sorted(f'{mpi.part_digest(i)}  /data/part.{i}' for i in (0, 1)))

    # ------------------------------------------------------------------------------------------------- statuses
    def test_statuses(self):
        """srun says of a program in an image what it says of the bare one."""
        for script in 'exit 0', 'exit 3', 'exit 255', 'kill -TERM $$', 'kill -SEGV $$':
            with self.subTest(script):
                bare, inside = self.srun('sh', '-c', script, tasks=2), self.srun(*self.exec('sh', '-c', script), tasks=2)
                self.assertEqual((inside.status, sorted(inside.err.split('\n'))), (bare.status, sorted(bare.err.split('\n'))))

    def test_signal(self):
        """scancel --signal reaches the program, whose handler decides."""
        script = 'trap "echo got; exit 5" USR1; touch up.$SLURM_PROCID; while :; do sleep .05; done'
        child = self.popen(['srun', '-Q', '-n', '2', *self.exec('sh', '-c', script)], env=self.settings())
        self.addCleanup(child.kill)
        self.assertTrue(swtest.wait_for(lambda: {'up.0', 'up.1'} <= set(os.listdir(self.work)), 20))
        self.slurm('scancel', '-s', 'USR1', '-u', self.user.name)
        out, _ = child.communicate(timeout=20)
        self.assertEqual((child.returncode, out), (5, b'got\ngot\n'))

    def test_no_environment(self):
        """--export=NONE: neither HOME nor PATH of the user."""
        program = os.path.join(swtest.STAGE, 'bin', 'swrun')
        # All four are there at one time: what the first have made goes with the last of them.
        together = ('touch up.$SLURM_PROCID; i=0; while [ "$(ls -d up.* | wc -l)" -lt 4 ] && [ $i -lt 400 ]; '
                    'do sleep .05; i=$((i+1)); done')
        done = self.quiet(self.srun('--export=NONE', program, 'exec', self.a, 'sh', '-c',
                                    NAMESPACES + '; id -u; ' + together))
        lines = done.out.split('\n')[:-1]
        self.assertEqual(lines.count(str(self.user.uid)), 4, repr(done))
        self.assertEqual(len({line for line in lines if line.startswith('user:')}), 1, repr(done))

    def test_batch_script_is_no_rank(self):
        """Neither it nor a program of the allocation's shell shares; the steps that they start do."""
        dry = 'swrun exec --dry-run $A true'
        self.write('job', f'#!/bin/sh\n{dry} >batch\nsrun -Q -n 2 sh -c "{dry} >step.\\$SLURM_PROCID"\ntouch done\n', 0o755)
        self.quiet(self.slurm('sbatch', '-Q', '-n', '2', '-o', 'said', 'job'))
        self.assertTrue(swtest.wait_for(lambda: os.path.exists(os.path.join(self.work, 'done')), 30))
        self.quiet(self.slurm('salloc', '-Q', '-n', '2', 'sh', '-c', dry + ' >shell'))
        wanted = {}
        for name in 'batch', 'shell', 'step.0', 'step.1':
            with open(os.path.join(self.work, name), encoding='utf-8') as said:
                wanted[name] = json.load(said)['share']
        self.assertEqual([plan['wanted'] for plan in wanted.values()], [False, False, True, True])
        self.assertEqual(wanted['step.0']['scope'], wanted['step.1']['scope'])
        self.assertRegex(wanted['step.0']['scope'], r'^Slurm step \d+\.0$')


if __name__ == '__main__':
    mpi.main()
