"""Launches of one job share namespaces and image server: who joins whom, who must not, and that nobody notices.

SWRUN_SHARE_KILLS and SWRUN_SEED repeat, lengthen or shorten the test that kills at random moments.
"""
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import time

import swtest
from counted import Counted, Rank, RANK
from swtest import wait_for

ROUNDS = int(os.environ.get('SWRUN_SHARE_KILLS', '60'))
SEED = int(os.environ.get('SWRUN_SEED', '0')) or random.SystemRandom().randrange(1, 1 << 32)
STRANGER = 7079
PATIENCE = 5  # seconds that nobody waits for one who has been killed, or for a stranger
READ_ON = 'md5sum /bin/bash /bin/probe'  # what no launch of these tests has read before
# By what parallel launchers tell a process that it is one of several.
RANKS = ({'PMI_RANK': '0'}, {'PMI_FD': '5'}, {'PMIX_RANK': '1'}, {'OMPI_COMM_WORLD_RANK': '0'}, {'PALS_RANKID': '3'},
         {'MPI_LOCALRANKID': '0'}, {'FLUX_TASK_RANK': '0'},
         {'SLURM_PROCID': '0', 'SLURM_STEP_ID': '0', 'SLURM_STEP_NUM_TASKS': '2'})
NO_RANKS = ({}, {'SLURM_JOB_ID': '7'}, {'SLURM_PROCID': '0', 'SLURM_STEP_ID': '4294967291', 'SLURM_STEP_NUM_TASKS': '2'},
            {'SLURM_PROCID': '0', 'SLURM_STEP_ID': '0', 'SLURM_STEP_NUM_TASKS': '1'})


class Share(Counted):
    user_name, user_id = 'swshare', 7072
    maxDiff = None

    def tearDown(self):
        self.end_started()
        self.assert_clean('at the end')

    def plan(self, *options, image=None, **more):
        return self.ok('exec', '--dry-run', *options, image or self.image, 'true', **more).json().get('share', {})

    def sums(self):
        """What READ_ON prints."""
        return subprocess.run(READ_ON.split(), cwd='/', stdout=subprocess.PIPE, check=True, universal_newlines=True,
                              preexec_fn=lambda: os.chroot(os.path.join(self.images, 'sandbox'))).stdout


class WhoJoins(Share):
    def test_later_launches_join_the_first(self):
        first = self.rank()
        others = [self.rank() for _ in range(3)]
        for other in others:
            self.assertEqual((other.user, other.mount), (first.user, first.mount))
        self.assertEqual(len(self.servers()), 1, self.user.processes())
        self.assertNotEqual(first.user, os.readlink('/proc/self/ns/user'))
        self.finish(first, *others)

    def test_other_binds_share_the_user_namespace_alone(self):
        os.mkdir(os.path.join(self.work, 'd'))
        self.user.give(os.path.join(self.work, 'd'))
        first, other = self.rank(), self.rank('-B', os.path.join(self.work, 'd') + ':/mnt')
        third = self.rank('-B', os.path.join(self.work, 'd') + ':/mnt')
        self.assertEqual(other.user, first.user)
        self.assertNotEqual(other.mount, first.mount)
        self.assertEqual(third.mount, other.mount)
        self.assertEqual(len(self.servers()), 2)
        self.finish(first)
        # The user namespace's door is the first one's, whom the others keep.
        late = self.rank('--no-home', then=READ_ON)
        self.assertEqual(late.user, other.user)
        self.finish(other, third)
        self.assertEqual(self.finish(late), [self.sums()])

    def test_another_image_shares_the_user_namespace_alone(self):
        first = self.rank()
        for name in ('image.sif', 'image.simg', 'sandbox'):
            with self.subTest(name):
                other = self.rank(image=os.path.join(self.images, name), then=READ_ON)
                self.assertEqual(other.user, first.user)
                self.assertNotEqual(other.mount, first.mount)
                self.assertEqual(self.finish(other), [self.sums()])
        self.finish(first)

    def test_a_directory_is_shared_through_a_holder(self):
        image = os.path.join(self.images, 'sandbox')
        first = self.rank(image=image)
        other = self.rank(image=image, then=READ_ON)
        self.assertEqual((other.user, other.mount), (first.user, first.mount))
        self.assertEqual((len(self.servers()), len(self.holders())), (0, 1), self.user.processes())
        self.finish(first)
        late = self.rank(image=image)
        self.assertEqual(late.mount, other.mount)
        self.assertEqual(self.finish(other, late), [self.sums(), ''])

    def ext3(self, name, tree):
        if not shutil.which('fuse2fs', path=swtest.SYSPATH) or not shutil.which('mke2fs', path=swtest.SYSPATH):
            swtest.cannot('no fuse2fs')
        path = os.path.join(self.work, name)
        done = self.run_as_user('mke2fs', '-q', '-F', '-t', 'ext3', '-b', '1024', '-d', tree, path, '16M')
        self.assertEqual(done.status, 0, repr(done))
        return path

    def assert_as_planned(self, *options, image=None):
        """Two at once: the tree is shared exactly where the plan says so, the user namespace always."""
        planned = self.plan('--share=always', *options, image=image)
        first = self.rank(*options, image=image, then='cat /data/file')
        other = self.rank(*options, image=image, then='cat /data/file')
        self.assertEqual(other.user, first.user)
        self.assertEqual(other.mount == first.mount, bool(planned['tree_key']), planned)
        self.assertEqual(self.finish(first, other), ['from the image\n'] * 2)
        self.assert_clean(f'{options} {image}')

    def test_images_of_every_kind(self):
        for name in ('image.sif', 'image.simg', 'xz.sqfs', 'zstd.sqfs', 'lz4.sqfs'):
            image = os.path.join(self.images, name)
            if os.path.exists(image):
                with self.each(name=name):
                    self.assert_as_planned(image=image)

    def test_an_ext3_image(self):
        tree = os.path.join(self.work, 'tree')
        subprocess.run(['cp', '-r', '--no-preserve=ownership', os.path.join(self.images, 'sandbox'), tree], check=True)
        self.assert_as_planned(image=self.ext3('root.img', tree))

    def test_layers_and_ways_to_read(self):
        layer = os.path.join(self.work, 'layer')
        for name in ('upper', 'work'):
            os.makedirs(os.path.join(layer, name))
            self.user.give(os.path.join(layer, name))
        self.user.give(layer)
        squash = os.path.join(self.work, 'layer.sqfs')
        subprocess.run(['mksquashfs', os.path.join(self.images, 'sandbox', 'data'), squash, '-quiet', '-no-progress'],
                       check=True, stdout=subprocess.DEVNULL)
        for options in (['--overlay', squash + ':ro'], ['--overlay', layer + ':ro'], ['--image-mode=unpack'], ['--fakeroot', '--ignore-subuid'],
                        ['--containall', '--no-pid'], ['--ipc'], ['--uts'], ['--net', '--network', 'none']):
            with self.each(options=options):
                self.assert_as_planned(*options)

    def test_a_writable_layer(self):
        planned = self.plan('--share=always', '--writable-tmpfs')
        first = self.rank('--writable-tmpfs', then='echo a >/data/a; cat /data/a')
        other = self.rank('--writable-tmpfs', then='echo b >/data/b; cat /data/b')
        self.assertEqual(other.mount == first.mount, bool(planned['tree_key']), planned)
        self.assertEqual(self.finish(first, other), ['a\n', 'b\n'])

    def test_a_pid_namespace_has_a_tree_of_its_own(self):
        first, other, plain = self.rank('--pid'), self.rank('--pid'), self.rank()
        self.assertEqual({first.user, other.user, plain.user}, {first.user})
        self.assertEqual(len({first.mount, other.mount, plain.mount}), 3)
        self.assertEqual(len({first.pids, other.pids, plain.pids}), 3)
        self.finish(first, other, plain)

    def test_64_at_once(self):
        start = time.monotonic()
        children = [self.popen(['swrun', 'exec', '--share=always', self.image, 'sh', '-c', RANK + 'cat /data/file'], stdin=-1)
                    for _ in range(64)]
        ranks = [Rank(child) for child in children]
        self.assertEqual(len({(rank.user, rank.mount) for rank in ranks}), 1)
        self.assertEqual(len(self.servers()), 1, self.user.processes())
        self.assertEqual(self.finish(*ranks), ['from the image\n'] * 64)
        print(f'64 launches: {time.monotonic() - start:.2f} s', flush=True)


class WhoDoesNot(Share):
    def test_never_is_never(self):
        first = self.rank(env={'PMI_RANK': '0'})
        for options, env in ((['--share=never'], {'PMI_RANK': '0'}), ([], {'SWRUN_SHARE': 'never', 'PMI_RANK': '0'}),
                             (['--share=never'], {'SWRUN_SHARE': 'always'}), (['--share=never', '--sharens'], {})):
            with self.subTest(options=options, env=env):
                other = Rank(self.popen(['swrun', 'exec', *options, self.image, 'sh', '-c', RANK], stdin=-1, env=env))
                self.assertNotEqual(other.user, first.user)
                self.finish(other)
        self.finish(first)

    def test_automatic_is_for_ranks(self):
        for env in NO_RANKS:
            self.assertFalse(self.plan(env=env).get('wanted'), env)
        for env in RANKS:
            self.assertTrue(self.plan(env=env)['wanted'], env)
        plain = ['swrun', 'exec', self.image, 'sh', '-c', RANK]
        first, other = (Rank(self.popen(plain, stdin=-1, env={'PMI_RANK': str(n)})) for n in range(2))
        single = Rank(self.popen(plain, stdin=-1))
        self.assertEqual((other.user, other.mount), (first.user, first.mount))
        self.assertNotEqual(single.user, first.user)
        self.finish(first, other, single)

    def test_ways_to_ask_for_it(self):
        first = self.rank()
        for options, env in ((['--sharens'], {}), ([], {'SWRUN_SHARE': 'always'}), ([], {'SWRUN_LINGER': '1'}),
                             (['--linger', '1'], {}), (['--share=always'], {'SWRUN_SHARE': 'never'})):
            with self.subTest(options=options, env=env):
                other = Rank(self.popen(['swrun', 'exec', *options, self.image, 'sh', '-c', RANK], stdin=-1, env=env))
                self.assertEqual((other.user, other.mount), (first.user, first.mount))
                self.finish(other)
        self.finish(first)

    def test_what_is_no_value(self):
        for options, env, status, word in (
                (['--share=sometimes'], {}, 1, 'sometimes'), ([], {'SWRUN_SHARE': 'sometimes'}, 255, 'SWRUN_SHARE'),
                (['--linger', 'x'], {}, 1, '--linger'), ([], {'SWRUN_LINGER': 'x'}, 255, 'SWRUN_LINGER'),
                (['--linger', '86401'], {}, 255, '86401'), ([], {'SWRUN_LINGER': '-1'}, 255, '-1')):
            with self.subTest(options=options, env=env):
                done = self.swrun('exec', *options, self.image, 'true', env=env)
                self.assert_failed(done, status, word)
                self.assertEqual(len(re.findall('^(?:swrun|Error)', done.err, re.MULTILINE)), 1, done.err)

    def test_another_job_or_session(self):
        first = self.rank()
        other = self.rank(env={'PMI_JOBID': self.job + '.2'})
        self.assertNotEqual(other.user, first.user)
        # Where nothing names a job the session does: popen() makes one for each.
        alone = [self.rank(env={'PMI_JOBID': None}) for _ in range(2)]
        self.assertNotEqual(alone[0].user, alone[1].user)
        self.finish(first, other, *alone)
        script = '"$@" & one=$!; "$@" & wait $one && wait'
        done = self.run_as_user('sh', '-c', script, 'sh', os.path.join(swtest.STAGE, 'bin', 'swrun'), 'exec', '--share=always',
                                self.image, 'sh', '-c', 'readlink /proc/self/ns/mnt; sleep 1', env={'PMI_JOBID': None})
        self.assertEqual((done.status, len(set(done.out.split())), len(done.out.split())), (0, 1, 2), repr(done))

    def test_another_user_namespace_or_mount_namespace_of_the_caller(self):
        first = self.rank()
        argv = ['exec', '--share=always', self.image, 'sh', '-c', RANK + READ_ON]
        own = Rank(self.popen(['unshare', '-Ur', 'swrun', *argv], stdin=-1))
        self.assertNotEqual(own.user, first.user)
        self.assertNotEqual(own.mount, first.mount)
        both = Rank(self.popen(['unshare', '-Urm', 'swrun', *argv], stdin=-1))
        self.assertNotEqual(both.mount, own.mount)

        # A mount namespace alone: another view of the files, but nobody else.
        def apart():
            swtest.call_libc('unshare', 0x20000)  # CLONE_NEWNS
            self.user.become()
        child = subprocess.Popen([os.path.join(swtest.STAGE, 'bin', 'swrun'), *argv], stdin=-1, stdout=-1, stderr=-1,
                                 env=self.user.environment({'PMI_JOBID': self.job}), cwd=self.work, preexec_fn=apart,
                                 start_new_session=True)
        view = Rank(child)
        self.assertEqual(view.user, first.user)
        self.assertNotEqual(view.mount, first.mount)
        self.finish(first)
        self.assertEqual(self.finish(own, both, view), [self.sums()] * 3)

    def copy(self, source, target):
        """Puts another file in the place of `target`, as package managers and rsync do."""
        fresh = os.path.join(self.work, 'fresh')
        shutil.copy(os.path.join(self.images, source), fresh)
        self.user.give(fresh)
        os.rename(fresh, os.path.join(self.work, target))
        return os.path.join(self.work, target)

    def test_an_image_that_was_replaced(self):
        image = self.copy('gzip.sqfs', 'i.sqfs')
        first = self.rank(image=image, then=READ_ON)
        self.copy('xz.sqfs', 'i.sqfs')
        other = self.rank(image=image, then=READ_ON)
        self.assertEqual(other.user, first.user)
        self.assertNotEqual(other.mount, first.mount)
        self.assertEqual(len(self.servers()), 2)
        self.assertEqual(self.finish(first, other), [self.sums()] * 2)

    def test_an_image_that_was_removed(self):
        image = self.copy('gzip.sqfs', 'i.sqfs')
        first = self.rank(image=image, then=READ_ON)
        os.unlink(image)
        self.assert_failed(self.swrun('exec', '--share=always', image, 'true'), 255, 'i.sqfs')
        self.assertEqual(self.finish(first), [self.sums()])

    def test_a_bind_source_that_was_replaced(self):
        # The launch that comes later has to see what is at the path now, as one of its own does.
        path = self.write('bound/file', 'old\n')
        single = self.write('single', 'old\n')
        options = ['-B', f'{os.path.dirname(path)}:/mnt', '-B', f'{single}:/data/file']
        first = self.rank(*options, then='cat /mnt/file /data/file')
        os.rename(os.path.dirname(path), os.path.join(self.work, 'away'))
        os.unlink(single)
        self.write('bound/file', 'new\n')
        self.write('single', 'new\n')
        other = self.rank(*options, then='cat /mnt/file /data/file')
        self.assertEqual(self.finish(first, other), ['old\nold\n', 'new\nnew\n'])


class Strangers(Share):
    """Another user's process that has taken a door's name: a launch has a part of its own, and says so."""
    def stranger(self, key, *, listens, full=False):
        out, ready = os.pipe()
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            signal.alarm(60)
            name = f'\0swrun-{self.user.uid}-{key}'
            door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            door.bind(name)
            callers = []
            if listens:
                door.listen(0)
            while full and len(callers) < 16:
                callers.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                callers[-1].setblocking(False)
                try:
                    callers[-1].connect(name)
                except BlockingIOError:
                    break
            os.write(ready, b'.')
            signal.pause()
            os._exit(0)
        os.close(ready)

        def end():
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if not select.select([out], [], [], 10)[0] or not os.read(out, 1):
            end()
            self.fail('the name could not be taken')
        os.close(out)
        return end

    def assert_alone(self, which, said, **how):
        end = self.stranger(self.plan('--share=always')[which], **how)
        start = time.monotonic()
        try:
            done = self.swrun('exec', '--share=always', self.image, 'cat', '/data/file', timeout=10)
        finally:
            end()
        self.assertLess(time.monotonic() - start, PATIENCE)
        self.assertEqual((done.status, done.out), (0, 'from the image\n'), repr(done))
        self.assertEqual(len(done.err.splitlines()), 1, done.err)
        self.assertIn(said, done.err)
        self.assertTrue(done.err.startswith('swrun: warning: '), done.err)

    def test_the_trees_name(self):
        self.assert_alone('tree_key', 'which another user holds', listens=True)

    def test_the_user_namespaces_name(self):
        self.assert_alone('user_namespace_key', 'which another user holds', listens=True)

    def test_a_name_that_nobody_listens_at(self):
        self.assert_alone('tree_key', 'of its own', listens=False)

    def test_a_door_that_is_full(self):
        self.assert_alone('tree_key', 'of its own', listens=True, full=True)

    def test_a_full_door_of_the_user_namespace(self):
        self.assert_alone('user_namespace_key', 'of its own', listens=True, full=True)


class Ends(Share):
    def test_the_first_may_end_before_the_others(self):
        first = self.rank()
        others = [self.rank(then=READ_ON) for _ in range(2)]
        self.finish(first)
        late = self.rank(then=READ_ON)
        self.assertEqual(late.mount, others[0].mount)
        self.assertEqual(len(self.servers()), 1)
        self.assertEqual(self.finish(*others, late), [self.sums()] * 3)

    def test_the_first_may_be_killed(self):
        first = self.rank()
        others = [self.rank(then=READ_ON) for _ in range(2)]
        first.kill()
        late = self.rank()
        self.assertEqual(late.mount, others[0].mount)
        self.assertEqual(self.finish(*others, late), [self.sums(), self.sums(), ''])

    def test_a_first_one_that_is_stopped_lets_others_in(self):
        first = self.rank()
        first.child.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        other = self.rank(then=READ_ON)
        self.assertLess(time.monotonic() - start, PATIENCE)
        self.assertEqual(other.mount, first.mount)
        self.assertEqual(self.finish(other), [self.sums()])
        first.child.send_signal(signal.SIGCONT)
        self.finish(first)

    def test_killed_at_random_moments(self):
        print(f'seed {SEED}, {ROUNDS} rounds', flush=True)
        rng = random.Random(SEED)
        slowest = 0.0
        for turn in range(ROUNDS):
            with self.subTest(turn=turn, seed=SEED):
                slowest = max(slowest, self.one_round(rng))
                self.assert_clean('after the round')
        print(f'slowest launch {slowest:.2f} s', flush=True)

    def one_round(self, rng):
        """Six launches, of which the first and maybe another are killed; the longest time that one of the rest took."""
        window = rng.choice((0.004, 0.02, 0.06))
        kinds = rng.choice(([[]], [[]], [[], ['--no-home']], [[], ['--pid']]))
        victims = {0} | ({rng.randrange(6)} if rng.random() < 0.5 else set())
        events = sorted([(0 if n == 0 else rng.uniform(0, window), 'start', n) for n in range(6)] +
                        [(rng.uniform(0, 2 * window), 'kill', n) for n in victims])
        children, started = {}, {}
        begin = time.monotonic()
        while events:
            at, what, number = events.pop(0)
            time.sleep(max(0, begin + at - time.monotonic()))
            if what == 'start':
                program = ['sleep', '20'] if number in victims else ['sh', '-c', 'cat /data/file; exit 3']
                started[number] = time.monotonic()
                children[number] = self.popen(['swrun', 'exec', '--share=always', *rng.choice(kinds), self.image, *program])
            elif number in children:
                children[number].kill()
            else:
                events.append((at + window, 'kill', number))
        slowest = 0.0
        for number, child in children.items():
            try:
                out, err = child.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.fail(f'launch {number} hangs, killed were {victims}: {self.user.processes()}')
            slowest = max(slowest, time.monotonic() - started[number])
            if number not in victims:
                self.assertEqual((child.returncode, out, err), (3, b'from the image\n', b''), f'{number} of {victims}')
        return slowest


class Lingers(Share):
    def assert_lingers(self, image, keeper):
        first = Rank(self.popen(['swrun', 'exec', image, 'sh', '-c', RANK], stdin=-1, env={'SWRUN_LINGER': '2'}))
        self.finish(first)
        ended = time.monotonic()
        time.sleep(1)
        self.assertEqual(len(keeper()), 1, self.user.processes())
        # One that joins, however it ends, starts the time anew.
        late = self.rank(image=image, then=READ_ON)
        self.assertEqual((late.user, late.mount), (first.user, first.mount))
        time.sleep(max(0, ended + 2.5 - time.monotonic()))
        self.assertEqual(len(keeper()), 1, self.user.processes())
        self.assertEqual(self.finish(late), [self.sums()])
        ended = time.monotonic()
        time.sleep(1.2)
        self.assertEqual(len(keeper()), 1, self.user.processes())
        self.assertTrue(wait_for(lambda: not self.user.processes(), 5), self.user.processes())
        self.assertGreater(time.monotonic() - ended, 1.9)
        self.assert_clean('after lingering')

    def test_the_server_stays_for_that_long(self):
        self.assert_lingers(self.image, self.servers)

    def test_so_does_a_directorys_holder(self):
        self.assert_lingers(os.path.join(self.images, 'sandbox'), self.holders)

    def test_without_it_nobody_stays(self):
        self.finish(self.rank())
        self.assertTrue(wait_for(lambda: not self.user.processes(), 1), self.user.processes())

    def test_a_server_killed_while_it_waits(self):
        self.ok('exec', '--linger', '20', self.image, 'true')
        self.assertEqual(len(self.servers()), 1)
        os.kill(self.servers()[0], signal.SIGKILL)
        self.assertEqual(self.ok('exec', '--share=always', self.image, 'cat', '/data/file').out, 'from the image\n')


class Unnoticed(Share):
    """A joined program cannot tell that it is one."""
    OWN = ('pid', 'ppid', 'pgid', 'sid', 'namespaces', 'mounts')

    def world(self, mode, *options, before=None, cwd=None, env=None, image=None):
        log = os.path.join(self.work, 'err')
        with open(log, 'wb') as err:
            child = self.popen(['swrun', 'exec', '--share=' + mode, *options, image or self.image, '/bin/probe', 'a', 'b c'],
                               before=before, cwd=cwd, env=env, stderr=err)
        out, _ = child.communicate(timeout=30)
        self.assertEqual(child.returncode, 0)
        seen = json.loads(out)
        self.assertEqual(seen['pid'], child.pid)
        mounts = [{key: value for key, value in mount.items() if key != 'root'} for mount in swtest.mounts_of(seen)]
        seen['fds']['1'] = re.sub(r'\d+', 'N', seen['fds']['1'])
        return {key: value for key, value in seen.items() if key not in self.OWN}, mounts, seen['namespaces']

    def assert_same(self, *options, **shape):
        alone = self.world('never', *options, **shape)
        lead = self.world('always', *options, **shape)
        first = self.rank(*options, image=shape.get('image'), cwd=shape.get('cwd'))
        joined = self.world('always', *options, **shape)
        self.assertEqual((joined[2]['user'], joined[2]['mnt']), (first.user, first.mount), 'did not join')
        for kind in ('pid', 'ipc', 'uts', 'net', 'cgroup'):
            self.assertEqual(joined[2][kind], alone[2][kind])
        for other in (lead, joined):
            self.assertEqual(other[0], alone[0])
            self.assertEqual(other[1], alone[1])
        self.finish(first)
        return joined[0]

    def test_nothing_differs(self):
        for image in (self.image, os.path.join(self.images, 'sandbox')):
            with self.each(image=image):
                seen = self.assert_same(image=image)
                self.assertEqual(set(seen['fds']), {'0', '1', '2'})
                self.assertEqual(seen['no_new_privs'], 1)
                for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'):
                    self.assertEqual(int(seen['status'][name], 16), 0, name)

    def test_what_the_caller_is_like(self):
        def shape():
            os.umask(0o037)
            os.nice(2)
            signal.pthread_sigmask(signal.SIG_SETMASK, [signal.SIGUSR1, signal.SIGALRM])
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        seen = self.assert_same(before=shape, env={'MINE': 'a b', 'APPTAINERENV_INNER': 'x', 'OMP_NUM_THREADS': '2'})
        self.assertEqual((seen['umask'], seen['nice'], seen['cpus']), (0o037, min(19, os.nice(0) + 2), 1))
        self.assertTrue({'MINE=a b', 'INNER=x', 'OMP_NUM_THREADS=2', 'FROM_IMAGE=yes'} <= set(seen['env']), seen['env'])

    def test_options_for_the_program(self):
        for options in (['--cleanenv'], ['--pwd', '/data'], ['--env', 'A=1'], ['--no-umask'], ['--no-eval'], ['--no-home'],
                        ['--contain'], ['--drop-caps', 'CAP_CHOWN'],
                        ['--no-privs'], ['--fakeroot', '--ignore-subuid']):
            with self.each(options=options):
                self.assert_same(*options)

    def test_folders_of_their_own(self):
        for name in ('one', 'two'):
            os.makedirs(os.path.join(self.work, name, 'deep'))
        first = self.rank(cwd=os.path.join(self.work, 'one'), then='pwd')
        other = self.rank(cwd=os.path.join(self.work, 'two', 'deep'), then='pwd')
        self.assertEqual(self.finish(first, other), [self.work + '/one\n', self.work + '/two/deep\n'])

    def test_variables_that_help_ranks_who_are_alone(self):
        def seen(mode):
            done = self.ok('exec', '--share=' + mode, self.image, 'env', env={'PMI_RANK': '0'})
            return {line for line in done.out.splitlines() if re.match('UCX_|OMPI_|MPIR_|FI_|MV2_', line)}
        self.assertIn('UCX_TLS=^cma', seen('never'))
        first = self.rank()
        self.assertEqual(seen('always'), set())
        self.finish(first)
        self.assertEqual(seen('always'), set())

    def test_descriptors(self):
        fds = [os.open('/dev/null', os.O_RDONLY) for _ in range(3)]
        try:
            first = self.rank(pass_fds=fds)
            joined = self.rank(pass_fds=fds)
            for rank in (first, joined):
                listed = {int(fd): os.readlink(f'/proc/{rank.pid}/fd/{fd}') for fd in os.listdir(f'/proc/{rank.pid}/fd')}
                self.assertEqual({fd for fd in listed if fd not in fds} - {10}, {0, 1, 2}, listed)
                self.assertEqual({listed[fd] for fd in fds}, {'/dev/null'})
        finally:
            for fd in fds:
                os.close(fd)
        for server in self.servers():
            held = [os.readlink(f'/proc/{server}/fd/{fd}') for fd in os.listdir(f'/proc/{server}/fd')]
            self.assertEqual([name for name in held if name.startswith('pipe:')], [], held)
        self.finish(first, joined)

    def test_rights_are_the_first_ones(self):
        def rights(pid):
            with open(f'/proc/{pid}/status', encoding='utf-8') as status:
                return [line for line in status if re.match('Cap|NoNewPrivs|Seccomp|Uid|Gid|Groups', line)]
        alone = Rank(self.popen(['swrun', 'exec', self.image, 'sh', '-c', RANK], stdin=-1))
        first, joined = self.rank(), self.rank()
        self.assertEqual(rights(first.pid), rights(alone.pid))
        self.assertEqual(rights(joined.pid), rights(first.pid))
        self.assertIn('NoNewPrivs:\t1\n', rights(joined.pid))
        self.finish(alone, first, joined)

    def test_status_signals_and_streams(self):
        first = self.rank()
        self.assertEqual(self.swrun('exec', '--share=always', self.image, 'probe', '--exit', '33').status, 33)
        self.assertEqual(self.swrun('exec', '--share=always', self.image, 'probe', '--kill', '15').status, -15)
        done = self.swrun('exec', '--share=always', self.image, 'no-such-program')
        alone = self.swrun('exec', '--share=never', self.image, 'no-such-program')
        self.assertEqual((done.status, done.err), (alone.status, alone.err))
        child = self.popen(['swrun', 'exec', '--share=always', self.image, 'probe', '--sleep', '30'])
        self.assertEqual(child.stdout.readline(), b'ready\n')
        self.assertEqual(os.readlink(f'/proc/{child.pid}/ns/mnt'), first.mount)
        child.terminate()
        child.communicate(timeout=10)
        self.assertEqual(child.returncode, -signal.SIGTERM)
        data = os.urandom(1 << 20).hex()
        done = self.swrun('exec', '--share=always', self.image, 'sh', '-c', 'cat; echo err >&2', stdin=data)
        self.assertEqual((done.status, done.out == data, done.err), (0, True, 'err\n'))
        self.finish(first)

    def test_a_reader_of_its_output_sees_the_end(self):
        # Whoever holds the namespaces must hold none of the caller's pipes, whoever came first.
        child = self.popen(['swrun', 'exec', '--share=always', '--linger', '4', self.image, 'true'])
        start = time.monotonic()
        child.communicate(timeout=10)
        joined = self.popen(['swrun', 'exec', '--share=always', self.image, 'true'])
        joined.communicate(timeout=10)
        self.assertLess(time.monotonic() - start, 3)


if __name__ == '__main__':
    swtest.main()
