"""The order in which everything happens: prepare, measure, report."""
import datetime
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

from . import SCHEMA, counts, images, machine, peers, plots, report, suites, targets, views
from .options import USER, parse
from .worker import Worker, WorkerError

UID = 7033  # of USER, where it has to be created
BUSY = 3    # exit status


class Stop(Exception):
    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def say(text):
    print(f'swrun-bench: {text}', file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------ preparing
def measuring_user(name):
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    wanted = name or USER
    try:
        pwd.getpwnam(wanted)
    except KeyError:
        if name:
            raise Stop(f'no user {name}') from None
        try:
            subprocess.run(['useradd', '--uid', str(UID), '--create-home', '--shell', '/bin/sh', USER], check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise Stop(f'cannot create the user {USER} ({error}); name one with --user') from error
    if os.path.exists('/dev/fuse') and not os.stat('/dev/fuse').st_mode & 0o006 == 0o006:
        say('/dev/fuse is not open to ordinary users here: image files cannot be served')
    return wanted


def default_swrun():
    """Of the checkout, of the same installation, or of PATH."""
    for path in (os.path.join(images.REPO, 'build', 'release', 'swrun'),
                 os.path.join(os.path.dirname(os.path.dirname(images.HERE)), 'bin', 'swrun')):
        if os.access(path, os.X_OK):
            return path
    return shutil.which('swrun')


def find_swruns(options, worker, folder):
    """{label: path}, each where the measuring user can run it."""
    given = options.swrun or [('swrun', default_swrun())]
    if len({label for label, _ in given}) != len(given):
        raise Stop('several --swrun need names: --swrun old=PATH --swrun new=PATH', 2)
    found = {}
    for number, (label, path) in enumerate(given):
        if not path or not os.access(path, os.X_OK):
            raise Stop(f"no swrun at {path or 'build/release/swrun, beside swrun-bench or in PATH'}: build it, or name it with --swrun")
        path = os.path.realpath(path)
        if not worker.ask('readable', path=path)['readable']:
            copy = os.path.join(folder, f'swrun-{number}', 'bin', 'swrun')
            os.makedirs(os.path.dirname(copy))
            shutil.copy(path, copy)
            path = copy
        found[label] = path
    return found


def find_image(options):
    if options.image:
        if not os.path.exists(options.image):
            raise Stop(f'{options.image}: no such file or directory', 2)
        return options.image
    name = 'small' if options.small or options.gate else 'science'
    return images.default_image(name, os.path.abspath(options.cache), options.compression, say)


def stage_for_gate(path, folder, readable):
    content = images.Content(path, folder)
    kind = images.look_at(path)['kind']
    if kind == 'dir':
        raise Stop('the gate counts what an image server does: a directory has none', 2)
    if not readable(path):
        shutil.copyfile(path, os.path.join(folder, 'gate.image'))
        path = os.path.join(folder, 'gate.image')
        os.chmod(path, 0o755)
    content.sif, content.squashfs = (path, None) if kind == 'sif' else (None, path)
    return content


def check_space(image, folder):
    if os.path.isfile(image):
        need, free = 9 * os.path.getsize(image), shutil.disk_usage(folder).free
        if free < need:
            raise Stop(f'{folder} has {free >> 20} MiB free; the forms of this image may need {need >> 20} (--work DIR)')


def chosen(everyone, names):
    if not names:
        return everyone
    starts = [name.strip() for name in names.split(',') if name.strip()]
    found = [one for one in everyone if any(one.name.startswith(start) for start in starts)]
    if not found:
        raise Stop(f"--peers {names}: nobody of {', '.join(one.name for one in everyone)}", 2)
    return found


def tool_path(options):
    folders = [os.path.abspath(folder) for folder in options.path]
    if 'PYTHONHOME' in os.environ:
        del os.environ['PYTHONHOME']  # ours would become that of every Python that is measured
    os.environ['PATH'] = ':'.join([*folders, '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', os.environ.get('PATH', '')])


# ------------------------------------------------------------------------------------------------ running
def check_quiet(options):
    seen = machine.look_around()
    reasons = machine.why_busy(seen)
    if reasons and not options.force:
        raise Stop('this machine is busy, so a comparison would mislead: ' + '; '.join(reasons) + ' (--force measures all the same)', BUSY)
    if reasons:
        say('THE MACHINE IS BUSY, measuring because of --force: ' + '; '.join(reasons))
    return seen, reasons


def run_suites(bench, options, tools):
    for suite in suites.SUITES:
        if suite not in options.suite:
            continue
        if suite == 'counts':
            bench.run_counts('strace' in tools)
        else:
            getattr(bench, 'run_' + suite.replace('-', '_'))()
    return bench.run_gate() if 'counts' in options.suite and bench.swruns() else {}


def measure(options, worker, user, folder):
    own = os.path.join(folder, 'own')
    os.mkdir(own)
    os.mkdir(os.path.join(own, 'mount'))
    if os.geteuid() == 0:
        for path in (own, os.path.join(own, 'mount')):
            shutil.chown(path, user)
    tools, missing = peers.find_tools()
    swruns = find_swruns(options, worker, folder)
    image = find_image(options)
    work = os.path.abspath(options.work) if options.work else folder
    os.makedirs(work, exist_ok=True)
    check_space(image, work)
    content = images.stage(image, work, user, lambda path: worker.ask('readable', path=path)['readable'], options.compression, say)
    images.write_lists(content, own)
    seen_views, no_views = views.find(tools, content, folder)
    variants = chosen(peers.launchers(tools, swruns, content, os.path.join(own, 'mount')), options.peers)
    seen, busy = check_quiet(options)
    bench = suites.Bench(worker, content, variants, seen_views, own, options, say)
    gate = run_suites(bench, options, tools)
    result = {'schema': SCHEMA, 'program': 'swrun-bench', 'when': datetime.datetime.now().astimezone().isoformat(timespec='seconds'),
              'forced': options.force, 'busy': busy, 'machine': machine.facts(), 'quiet': seen,
              'image': dict(content.facts, problems=content.problems, file_system=machine.file_system(content.folder)),
              'peers': {'found': peers.versions(tools, swruns), 'missing': missing + no_views},
              'options': {name: getattr(options, name) for name in ('rounds', 'seed', 'suite', 'command', 'at_once', 'ranks', 'compression')},
              'tables': bench.tables, 'memory': bench.memory, 'counts': bench.counts, 'gate': gate}
    result['busy'] += report.busy_tables(result)
    result['headline'] = targets.headline(result, report.pair_ratio)
    return result


def run_gate(options, worker, folder):
    limits = {figure: value for _, figure, value in targets.COUNTS}
    limits.update(options.gate_limit)
    swruns = find_swruns(options, worker, folder)
    content = stage_for_gate(os.path.abspath(find_image(options)), folder, lambda path: worker.ask('readable', path=path)['readable'])
    label, path = next(iter(swruns.items()))
    figures = counts.gate(worker, peers.swrun_variants(label, path, content)[0], folder + '/own')
    if 'failed' in figures:
        raise Stop(f"the gate could not count: {figures['failed']}")
    rows = counts.judge(figures, limits)
    print(f"cold `true`, the least of {figures['launches']} launches of {content.given}:")
    for name, value, most, good in rows:
        print(f"  {name:10} {value if value is not None else 'not counted':>5}  at most {most:3}  {'ok' if good else 'OVER THE LIMIT'}")
    return 0 if all(good for *_, good in rows) else 1


# ------------------------------------------------------------------------------------------------ what comes out
def write(path, text):
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)


def deliver(options, result, old):
    text, raw = report.markdown(result), json.dumps(result, indent=1) + '\n'
    difference = report.compare(old, result) if old else None
    if options.report:
        write(os.path.join(options.report, 'result.json'), raw)
        write(os.path.join(options.report, 'report.md'), text)
        if difference:
            write(os.path.join(options.report, 'compare.md'), difference)
        if plots.available():
            say(f'{len(plots.draw(result, options.report))} plots in {options.report}')
        else:
            say('matplotlib is not installed (python3-matplotlib): no plots, only JSON and Markdown')
    if options.json:
        write(options.json, raw)
    if options.markdown:
        write(options.markdown, text)
    if not (options.report or options.markdown):
        print(text, end='')
    if difference and not options.report:
        print(difference, end='')


def list_peers(options):
    swruns = dict(options.swrun or [('swrun', default_swrun())])
    tools, missing = peers.find_tools()
    for peer in peers.versions(tools, {label: path for label, path in swruns.items() if path}):
        print(f"{peer['name']:16} {peer['version'] or 'version unknown'}  {peer['path']}")
    for peer in missing:
        print(f"{peer['name']:16} missing ({peer['why']}): {peer['hint']}")
    return 0


def prepared(options):
    """What must fail before hours are spent: output folders and the older result."""
    for path in (options.json, options.markdown):
        if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            raise Stop(f'{path}: no such folder', 2)
    if options.report:
        os.makedirs(options.report, exist_ok=True)
    return report.load(options.compare) if options.compare else None


def run(options):
    tool_path(options)
    if options.list_peers:
        return list_peers(options)
    old = prepared(options)
    if options.result:
        deliver(options, report.load(options.result), old)
        return 0
    user = measuring_user(options.user)
    folder = tempfile.mkdtemp(prefix='swrun-bench.', dir='/tmp')
    os.chmod(folder, 0o755)
    worker = Worker(user)
    try:
        if options.gate:
            os.mkdir(folder + '/own')
            shutil.chown(folder + '/own', user)
            return run_gate(options, worker, folder)
        result = measure(options, worker, user, folder)
    finally:
        worker.close()
        clean(folder)
    deliver(options, result, old)
    measured = [row for table in result['tables'].values() for row in table['rows']] + \
               [row for rows in (*result['memory'].values(), *result['counts'].values()) for row, one in rows.items() if 'failed' not in one]
    return 0 if any(row.startswith('swrun') for row in measured) else 1


def clean(folder):
    view = os.path.join(folder, 'view')
    if os.path.ismount(view):
        subprocess.run(['umount', view], stderr=subprocess.DEVNULL)
    if os.path.ismount(view):
        say(f'{view} is still mounted, so {folder} stays')
        return
    subprocess.run(['chmod', '-R', 'u+rwX', folder], stderr=subprocess.DEVNULL)
    shutil.rmtree(folder, ignore_errors=True)


def main(argv=None):
    options = parse(sys.argv[1:] if argv is None else argv)
    try:
        return run(options)
    except Stop as stop:
        say(str(stop))
        return stop.status
    except (images.ImageError, report.ReportError, WorkerError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say('interrupted')
        return 130
