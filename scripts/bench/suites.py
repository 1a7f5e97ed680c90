"""What is measured.  Every table is one interleaved run: all variants in a new random order in every round."""
import os
import random
import time

from . import counts, machine, stats, views

SUITES = ('launch', 'at-once', 'reads', 'from-disk', 'memory', 'counts')
SLOW_AT_ONCE = 16  # more launches of Apptainer at once than this measure patience only
IMPORT = 'import numpy, scipy.stats'
FIGURES = {'wall': 1000, 'gone': 1000, 'cpu': 1000, 'faults': 1, 'switches': 1}  # and what makes milliseconds of it


class Bench:
    """One run: the worker, the content, and what came out so far."""

    def __init__(self, worker, content, variants, seen, folder, options, say):
        self.worker, self.content, self.variants, self.views = worker, content, variants, seen
        self.folder, self.options, self.say = folder, options, say
        self.chance = random.Random(options.seed)
        self.tables, self.memory, self.counts, self.left = {}, {}, {}, 0

    def swruns(self):
        """The variants that a launch without any favour is measured by, one for each swrun."""
        found = [one for one in self.variants if one.tool == 'swrun' and not one.meanwhile]
        labels = {}
        for one in found:
            labels.setdefault(one.name.rpartition(' ')[0], one)
        return labels

    def part(self, share):
        """Rounds of a test that takes long: still enough for an interval, unless a quick run was asked for."""
        return max(3 if self.options.quick else stats.ENOUGH, self.options.rounds // share)

    # -------------------------------------------------------------------------------------------- interleaving
    def table(self, name, about, runners, rounds):
        """`runners`: {row: function that takes one sample}.  A runner that fails is named and left out."""
        self.say(f'{name}: {len(runners)} rows, {rounds} rounds')
        watch, failed, rows, begun = machine.OthersWatch(), {}, {}, time.monotonic()
        for row, runner in list(runners.items()):
            sample = runner()
            if 'failed' in sample:
                failed[row] = sample['failed']
            else:
                rows[row] = {figure: [] for figure in FIGURES}
        number = 0
        while number < rounds and (number < 3 or time.monotonic() - begun < self.options.seconds):
            watch.runnable.append(machine.runnable())
            order = [row for row in rows if row not in failed]
            self.chance.shuffle(order)
            taken = {row: watch.take(runners[row]) for row in order}
            for row, sample in taken.items():
                self.left += sample.get('left') or 0
                if 'failed' in sample:
                    failed[row] = f"round {number + 1}: {sample['failed']}"
            for row, figures in rows.items():
                sample = taken.get(row)
                for figure, factor in FIGURES.items():
                    good = sample is not None and 'failed' not in sample and sample.get(figure) is not None
                    figures[figure].append(round(sample[figure] * factor, 4) if good else None)
            number += 1
        self.left += watch.left
        self.tables[name] = {'about': about, 'rounds': number, 'asked_rounds': rounds, 'failed': failed, 'others': watch.result(),
                             'rows': {row: finished(figures) for row, figures in rows.items() if any(figures['wall'])}}

    def launch(self, variant, command, count=1, pinned=False):
        return self.worker.ask('launch', argv=variant.argv(command), env=variant.env, count=count, stays=bool(variant.meanwhile),
                               limit=self.options.limit, pinned=pinned)

    def beside(self, variants):
        """Starts what the modes of swrun need running; gives the names to stop."""
        held = []
        for variant in variants:
            if variant.meanwhile == 'holder':
                answer = self.worker.ask('hold', name=variant.name, argv=variant.argv(['sh', '-c', 'echo ready; read x']), env=variant.env)
                if 'failed' in answer:
                    self.say(f"{variant.name}: nothing to join: {answer['failed']}")
                else:
                    held.append(variant.name)
            elif variant.meanwhile:
                self.launch(variant, ['true'])
        return held

    def after(self, held):
        for name in held:
            self.worker.ask('release', name=name)
        lingering = any(one.meanwhile for one in self.variants)
        left = self.worker.ask('settle', limit=0.5 if lingering else 10.0, everything=True)['left']
        self.left += 0 if lingering else left

    # -------------------------------------------------------------------------------------------- launches
    def commands(self):
        if self.options.command:
            return {'launch command': self.options.command}
        found = {'launch true': ['true']}
        if self.content.has('sh'):
            found['launch sh'] = ['sh', '-c', ':']
        if self.content.has('python3'):
            found['launch python'] = ['python3', '-c', 'pass']
        if self.content.has_python('numpy', 'scipy'):
            found['launch import'] = ['python3', '-c', IMPORT]
        return found

    def able(self, command, variants):
        """Who can run it: outside the image only `true` and the shell are the same for everybody."""
        at_home = command[0] in ('true', 'sh') and not self.options.command
        return [one for one in variants if (at_home or one.form != 'host') and one.argv(command)]

    def run_launch(self):
        held = self.beside(self.variants)
        for name, command in self.commands().items():
            slow = name == 'launch import'
            self.table(name, f"`{' '.join(command)}`; image in the page cache, no server runs, nothing kept, unless the row says so",
                       {one.name: lambda one=one, command=command: self.launch(one, command) for one in self.able(command, self.variants)},
                       self.part(5) if slow else self.options.rounds)
        self.after(held)
        self.run_pinned()

    def run_pinned(self):
        """The first command once more as a batch system starts a rank, with one processor for it and all that serves it."""
        name, command = next(iter(self.commands().items()))
        rows = [one for one in self.able(command, self.variants) if not one.meanwhile]
        self.table(name.replace('launch', 'pinned', 1), f"`{' '.join(command)}`; as `launch`, but all processes of a launch have one processor together",
                   {one.name: lambda one=one: self.launch(one, command, pinned=True) for one in rows}, self.options.rounds)

    def run_at_once(self):
        held = self.beside(self.variants)
        command = self.options.command or ['true']
        able = [one for one in self.able(command, self.variants) if one.name != 'plain dir']
        for count in self.options.at_once:
            runners = {one.name: lambda one=one, count=count: self.launch(one, command, count) for one in able
                       if count <= SLOW_AT_ONCE or one.tool not in ('apptainer', 'singularity')}
            self.table(f'{count} at once', f"launches of `{' '.join(command)}` started together: {count}; times until the last has ended", runners,
                       self.part(2 if count < 16 else 4))
        self.after(held)

    # -------------------------------------------------------------------------------------------- reads
    def reading(self):
        """{test: (what, command)}: the same programs of the image read the same list of files everywhere."""
        found = {}
        if self.content.has('sh', 'find'):
            # Directories that are bound from the host may lie on the same file system as an unpacked tree: -xdev
            # would not keep out of them.  1: something was closed to an ordinary user.
            tops = self.content.tops()
            found['walk'] = ('`find` over ' + ' '.join(tops), ['sh', '-c', 'find "$@" -xdev || test $? -eq 1', 'sh', *tops])
        lists = self.content.lists
        if lists and self.content.has('sh', 'xargs', 'cat'):
            one = lists['stream']
            found['stream'] = (f"all {one['files']} files of /usr ({one['bytes'] >> 20} MiB) by one reader",
                               ['sh', '-c', 'xargs -0 cat <"$1" >/dev/null', 'sh', one['paths'][0]])
            many = lists['small']
            script = 'for i; do xargs -0 cat <"$i" >/dev/null & done; wait'
            found['small files'] = (f"{many['files']} files of up to 8 KiB by {len(many['paths'])} readers",
                                    ['sh', '-c', script, 'sh', *many['paths']])
        return found

    def view_runner(self, view, command, before=None):
        def sample():
            server = views.mount(view)
            if server is None:
                return {'failed': 'cannot be mounted: ' + ' '.join(view.up or view.serve)}
            try:
                way = view.enter()
                if before:
                    before(way[0])
                taken = self.worker.ask('launch', argv=[*way, *command], limit=self.options.limit * 5)
            finally:
                if view.down:
                    views.unmount(view.down)
                used = views.usage_of(server)
            taken['cpu'] += used
            return taken
        return sample

    def swrun_runner(self, variant, command, before=None):
        def sample():
            if before:
                before(variant.prefix[0])
            return self.worker.ask('launch', argv=variant.argv(command), env=variant.env, limit=self.options.limit * 5)
        return sample

    def read_runners(self, command, before=None):
        runners = {label: self.swrun_runner(one, command, before) for label, one in self.swruns().items()}
        runners.update({view.name: self.view_runner(view, command, before) for view in self.views})
        for one in self.variants:
            if one.tool in ('apptainer', 'singularity') and one.form != 'dir':
                runners[one.name] = self.swrun_runner(one, command, before)
        return runners

    def run_reads(self):
        for name, (what, command) in self.reading().items():
            self.table(f'{name}, image cached', f'{what}; image file in the page cache, its mount new in every sample; times include '
                       'the launch; `dir` is the unpacked tree, warm', self.read_runners(command), self.part(5))

    def run_from_disk(self):
        if os.geteuid() != 0:
            self.say('from-disk: only root can drop the page cache, so all reads are with a warm page cache')
            return
        tests = {name: pair for name, pair in self.reading().items() if name != 'small files'}
        if self.content.has_python('numpy', 'scipy'):
            tests['import'] = (f'`python3 -c "{IMPORT}"`', ['python3', '-c', IMPORT])
        tests['true'] = ('`true`', ['true'])
        for name, (what, command) in tests.items():
            self.table(f'{name}, from disk', f'{what}; page cache, dentries and inodes dropped before every sample',
                       self.read_runners(command, views.drop_caches), self.part(6))

    # -------------------------------------------------------------------------------------------- memory
    def run_memory(self):
        shell = ['sh', '-c', '/bin/true; echo ready; read x']
        rank = ['python3', '-c', "import sys; print('ready', flush=True); sys.stdin.read()"] if self.content.has('python3') else shell
        if not self.content.has('sh'):
            return
        able = [one for one in self.variants if one.form != 'host' and one.name != 'plain dir']
        for name, command, ranks in (('1 x sh', shell, 1), (f'{self.options.ranks} x rank', rank, self.options.ranks)):
            self.say(f'memory: {name}')
            rows = self.memory.setdefault(name, {})
            for variant in able:
                rows[variant.name] = self.memory_of(variant, command, ranks)
        self.memory = {name: {row: one for row, one in rows.items() if one} for name, rows in self.memory.items()}

    def memory_of(self, variant, command, ranks):
        answer = self.worker.ask('hold', name='memory', argv=variant.argv(command), env=variant.env, count=ranks)
        if 'failed' in answer:
            return {'failed': answer['failed']}
        time.sleep(0.2)
        row = weigh(answer['pids'], command[0])
        if ranks == 1:
            time.sleep(3)
            row['server_pss_idle_mib'] = weigh(answer['pids'], command[0])['server_pss_mib']
        self.worker.ask('release', name='memory')
        # A server that lingers is meant to stay; any other has to go by itself.
        left = self.worker.ask('settle', limit=0.0 if variant.meanwhile else 10.0, everything=True)['left']
        self.left += 0 if variant.meanwhile else left
        return row

    # -------------------------------------------------------------------------------------------- counts
    def run_counts(self, strace):
        held = self.beside(self.variants)
        for name, command in self.commands().items():
            self.say(f'counts: {name}')
            rows = {one.name: counts.count_one(self.worker, one, command, self.folder, strace) for one in self.able(command, self.variants)}
            self.counts[name] = rows
            self.left += sum(row.get('left') or 0 for row in rows.values())
        self.after(held)

    def run_gate(self):
        label = next(iter(self.swruns().values()))
        figures = counts.gate(self.worker, label, self.folder)
        self.left += figures.get('left', 0)
        if 'failed' in figures:
            self.say(f"cold `true` could not be counted: {figures['failed']}")
            return {'left': self.left}
        return dict(figures, left=self.left)


def finished(figures):
    """The columns of one row with their summaries."""
    return {'samples': figures, **{name: stats.summary(value for value in figures[name] if value is not None) for name in figures}}


def weigh(pids, program):
    """MiB of processes: those that run `program` are ranks, the others serve them."""
    total = {'ranks': 0, 'servers': 0, 'total_pss_mib': 0.0, 'total_private_mib': 0.0, 'server_pss_mib': 0.0, 'rank_pss_mib': 0.0,
             'unreadable': 0}
    for pid in pids:
        name = machine.read(f'/proc/{pid}/comm').strip()
        rollup = machine.read(f'/proc/{pid}/smaps_rollup')
        if not rollup:
            total['unreadable'] += bool(name)
            continue
        size = {line.split(':')[0]: int(line.split()[1]) / 1024 for line in rollup.splitlines()[1:] if line.endswith('kB')}
        kind = 'rank' if name.startswith(program) else 'server'
        total[kind + 's'] += 1
        total[kind + '_pss_mib'] += size['Pss']
        total['total_pss_mib'] += size['Pss']
        total['total_private_mib'] += size['Private_Clean'] + size['Private_Dirty']
    return {key: round(value, 3) for key, value in total.items()}
