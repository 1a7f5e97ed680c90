#!/usr/bin/env python3
"""Launch times of swrun and its peers, interleaved in one run.

    bench.py [options] [IMAGE.sqfs TREE] [-- COMMAND ...]

IMAGE is a squashfs file and TREE the same files unpacked; without them both are made of this distribution's packages
(python3-minimal, kept below build/).  COMMAND (default: true) is run by every variant in turn, round after round, so
that a busy moment hits all of them.  Cold means: the file is in the page cache, no server runs, nothing is kept from
the launch before.  Time is from start to the end of the direct child; `gone` is until the last process that it left
has ended too.  Only figures of one run may be compared.

Started as root it measures as the ordinary user `swbench` on copies below /tmp.
"""
import argparse
import ctypes
import json
import os
import platform
import pwd
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
USER, UID = 'swbench', 7033
LIMIT = 30.0  # seconds a single launch may take


# ------------------------------------------------------------------------------------------------ set-up
def make_default(folder):
    """(image, tree) of the distribution, made once."""
    tree, image = os.path.join(folder, 'tree'), os.path.join(folder, 'bench.sqfs')
    subprocess.run([os.path.join(ROOT, 'scripts', 'make_tree.sh'), tree, 'extract', 'python3-minimal', 'bash', 'dash', 'coreutils'],
                   check=True)
    if not os.path.exists(image) or os.path.getmtime(image) < os.path.getmtime(tree + '.made'):
        subprocess.run(['mksquashfs', tree, image, '-comp', 'gzip', '-noappend', '-no-progress', '-quiet'], check=True,
                       stdout=subprocess.DEVNULL)
    return image, tree


def make_user():
    try:
        pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(['useradd', '--uid', str(UID), '--create-home', '--shell', '/bin/sh', USER], check=True)
    if os.path.exists('/dev/fuse'):
        os.chmod('/dev/fuse', 0o666)


def stage(args, folder):
    """Copies that the ordinary user can reach."""
    os.chmod(folder, 0o755)
    subprocess.run(['cmake', '--install', args.build, '--prefix', os.path.join(folder, 'swrun')], check=True, stdout=subprocess.DEVNULL)
    image, tree = os.path.join(folder, 'image.sqfs'), os.path.join(folder, 'tree')
    shutil.copyfile(args.image, image)
    subprocess.run(['cp', '-a', args.tree, tree], check=True)
    entry = pwd.getpwnam(USER)
    subprocess.run(['chown', '-R', f'{entry.pw_uid}:{entry.pw_gid}', tree], check=True)
    os.mkdir(os.path.join(folder, 'mnt'))
    shutil.chown(os.path.join(folder, 'mnt'), USER)
    return os.path.join(folder, 'swrun', 'bin', 'swrun'), image, tree, os.path.join(folder, 'mnt')


def become(name):
    entry = pwd.getpwnam(name)
    os.setgroups([entry.pw_gid])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    for key, value in (('HOME', entry.pw_dir), ('USER', name), ('LOGNAME', name)):
        os.environ[key] = value


def variants(swrun, image, tree, mount, command):
    found = [('host', command), ('unshare', ['unshare', '-Urm', *command])]
    binds = [part for path in ('/dev', '/proc', '/sys', '/tmp') if os.path.isdir(tree + path) for part in ('--dev-bind', path, path)]
    found += [('bwrap dir', ['bwrap', '--bind', tree, '/', *binds, '--chdir', '/', *command]),
              ('ch-run dir', ['ch-run', tree, '--', *command]),
              ('ch-run squashfs', ['ch-run', '-m', mount, image, '--', *command]),
              ('swrun dir', [swrun, 'exec', tree, *command]),
              ('swrun squashfs', [swrun, 'exec', image, *command])]
    for name in ('apptainer', 'singularity'):
        path = shutil.which(name)
        if path and os.path.realpath(path) != os.path.realpath(swrun) and \
                os.path.basename(os.path.realpath(path)) != 'swrun':
            found.append((name + ' squashfs', [path, 'exec', '-u', image, *command]))
    return [(name, argv) for name, argv in found if shutil.which(argv[0])]


# ------------------------------------------------------------------------------------------------ measuring
class Sample:
    def __init__(self, wall, gone, cpu):
        self.wall, self.gone, self.cpu = wall, gone, cpu


def runnable():
    """Processes that want a processor now, without this one."""
    with open('/proc/loadavg', encoding='utf-8') as load:
        return max(0, int(load.read().split()[3].split('/')[0]) - 1)


def reap_all(end):
    """Waits for everything that a launch left: as a subreaper we are its parent."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.perf_counter() > end:
                raise TimeoutError('a launch left a process that does not end')
            time.sleep(0.0002)


def launch(argv, quiet):
    before = os.times()
    start = time.perf_counter()
    pid = os.posix_spawn(shutil.which(argv[0]), argv, os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 0), (os.POSIX_SPAWN_DUP2, quiet, 1)])
    signal.alarm(int(LIMIT))
    _, status = os.waitpid(pid, 0)
    wall = time.perf_counter() - start
    reap_all(start + LIMIT)
    signal.alarm(0)
    gone = time.perf_counter() - start
    after = os.times()
    if status:
        raise RuntimeError(f'status {status:#x}')
    return Sample(wall, gone, after.children_user + after.children_system - before.children_user - before.children_system)


def measure(found, rounds):
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    quiet = os.open('/dev/null', os.O_RDWR)
    samples, failed, busy = {}, {}, []
    for name, argv in found:  # one unmeasured round: page cache, and who works at all
        try:
            launch(argv, quiet)
            samples[name] = []
        except (RuntimeError, OSError, TimeoutError) as error:
            failed[name] = str(error)
    for _ in range(rounds):
        busy.append(runnable())
        for name, argv in found:
            if name not in samples:
                continue
            try:
                samples[name].append(launch(argv, quiet))
            except (RuntimeError, OSError, TimeoutError) as error:
                failed[name] = str(error)
                del samples[name]
    return samples, failed, busy


def summary(values):
    values = sorted(values)
    return {'min': values[0], 'p25': values[len(values) // 4], 'median': statistics.median(values),
            'p75': values[(3 * len(values)) // 4], 'max': values[-1]}


def report(args, samples, failed, busy):
    rows = {}
    for name, taken in samples.items():
        rows[name] = {kind: summary([getattr(s, kind) * 1000 for s in taken]) for kind in ('wall', 'gone')}
        rows[name]['cpu_mean_ms'] = statistics.mean(s.cpu for s in taken) * 1000
    bases = [base for base in ('bwrap dir', 'ch-run squashfs') if base in rows]
    for row in rows.values():
        row['ratios'] = {base: row['wall']['median'] / rows[base]['wall']['median'] for base in bases}
    return {'command': args.command, 'image': args.image, 'rounds': args.rounds, 'unit': 'ms', 'kernel': platform.release(),
            'cpus': os.cpu_count(), 'runnable_median': statistics.median(busy), 'runnable_max': max(busy), 'failed': failed,
            'rows': rows}


def markdown(result):
    bases = sorted({base for row in result['rows'].values() for base in row['ratios']})
    lines = [f"`{' '.join(result['command'])}`, {result['rounds']} interleaved rounds, ms, Linux {result['kernel']}, "
             f"{result['cpus']} processors, others runnable: median {result['runnable_median']:g}, "
             f"most {result['runnable_max']}", '',
             '| variant | median | p25 | min | gone, median | ' + ' | '.join('x ' + base for base in bases) + ' |',
             '| --- |' + ' ---: |' * (4 + len(bases))]
    for name, row in result['rows'].items():
        wall = row['wall']
        cells = [f"{wall['median']:.2f}", f"{wall['p25']:.2f}", f"{wall['min']:.2f}", f"{row['gone']['median']:.2f}"]
        lines.append(f'| {name} | ' + ' | '.join(cells + [f"{row['ratios'][base]:.2f}" for base in bases]) + ' |')
    lines += ['', *(f'not measured: {name}: {why}' for name, why in result['failed'].items())]
    if result['runnable_median'] >= 1:
        lines.append('The machine was busy: compare ratios only.')
    return '\n'.join(lines).rstrip() + '\n'


def parse():
    argv, command = sys.argv[1:], ['true']
    if '--' in argv:
        argv, command = argv[:argv.index('--')], argv[argv.index('--') + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('image', nargs='?')
    parser.add_argument('tree', nargs='?')
    parser.add_argument('--rounds', type=int, default=40)
    parser.add_argument('--build', default=os.path.join(ROOT, 'build', 'release'), help='what is measured (default: build/release)')
    parser.add_argument('--json', help='write the figures there')
    parser.add_argument('--markdown', help='write the table there')
    args = parser.parse_args(argv)
    if (args.image is None) != (args.tree is None):
        parser.error('IMAGE and TREE go together')
    args.command = command
    return args


def main():
    args = parse()
    if args.image is None:
        args.image, args.tree = make_default(os.path.join(ROOT, 'build', 'bench'))
    outputs = [(path, open(path, 'w', encoding='utf-8')) for path in (args.json, args.markdown) if path]
    folder = tempfile.mkdtemp(prefix='swbench.', dir='/tmp')
    os.environ['PATH'] = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
    try:
        if os.geteuid() == 0:
            make_user()
            swrun, image, tree, mount = stage(args, folder)
        else:
            mount = os.path.join(folder, 'mnt')
            os.mkdir(mount)
            swrun, image, tree = os.path.join(args.build, 'swrun'), os.path.abspath(args.image), os.path.abspath(args.tree)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # the measuring process: an ordinary user from here on
            os.close(reader)
            if os.geteuid() == 0:
                become(USER)
            os.chdir('/tmp')
            result = report(args, *measure(variants(swrun, image, tree, mount, args.command), args.rounds))
            with os.fdopen(writer, 'w') as pipe:
                json.dump(result, pipe)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        if os.waitpid(child, 0)[1] or not text:
            return 1
        result = json.loads(text)
    finally:
        subprocess.run(['chmod', '-R', 'u+rwX', folder], stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
    table = markdown(result)
    for path, out in outputs:
        with out:
            out.write(table if path == args.markdown else json.dumps(result, indent=1) + '\n')
    print(table, end='')
    return 0 if 'swrun squashfs' in result['rows'] else 1


if __name__ == '__main__':
    sys.exit(main())
