"""The command line."""
import argparse
import os

from . import images, suites, targets

USER = 'swbench'
QUICK_ROUNDS = 5
DESCRIPTION = """\
Measures swrun and every peer found on this host (plain exec, unshare, bubblewrap, Charliecloud, Apptainer or
Singularity, squashfuse, the kernel's squashfs) on the same content, interleaved in random order in one run.

IMAGE is a SIF file, a squashfs file or a directory; the other forms are made of it.  Without IMAGE an image of this
distribution's packages with Python, numpy and scipy is made once (root; mmdebstrap or dnf).  With COMMAND only its
launches are measured.  Started as root it measures as the ordinary user `swbench`, and can drop caches and mount."""
EPILOG = """\
examples:
  swrun-bench                               everything, on the default image
  swrun-bench climate.sif --report out      everything, on yours; JSON, Markdown and plots below out/
  swrun-bench climate.sif -- python3 -c pass
  swrun-bench --swrun old=/opt/a/bin/swrun --swrun new=build/release/swrun --suite launch climate.sif
  swrun-bench --report new --compare old/result.json
  swrun-bench --gate small.sif              counts of a cold `true` against limits, for CI

exit status: 0 done; 1 an error, a closed gate, or swrun could not be measured; 2 wrong usage; 3 the machine is busy."""


def words(allowed):
    def parse(text):
        found = [word for word in text.split(',') if word]
        unknown = [word for word in found if word not in allowed]
        if unknown or not found:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'}: choose from {', '.join(allowed)}")
        return found
    return parse


def numbers(text):
    try:
        found = [int(word) for word in text.split(',')]
    except ValueError as error:
        raise argparse.ArgumentTypeError('whole numbers with commas between them') from error
    if min(found) < 1:
        raise argparse.ArgumentTypeError('at least 1')
    return found


def positive(text):
    return numbers(text)[0]


def limit(text):
    name, _, value = text.partition('=')
    if name not in {figure for _, figure, _ in targets.COUNTS} or not value.isdigit():
        raise argparse.ArgumentTypeError('FIGURE=NUMBER, FIGURE one of ' + ', '.join(figure for _, figure, _ in targets.COUNTS))
    return name, int(value)


def labelled(text):
    name, sign, path = text.partition('=')
    return (f'swrun[{name}]', path) if sign else ('swrun', text)


def parser():
    made = argparse.ArgumentParser(prog='swrun-bench', usage='swrun-bench [options] [IMAGE] [-- COMMAND...]', description=DESCRIPTION,
                                   epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument('image', nargs='?', metavar='IMAGE', help=argparse.SUPPRESS)
    what = made.add_argument_group('what is measured')
    what.add_argument('--suite', type=words(suites.SUITES), metavar='LIST', help='of ' + ', '.join(suites.SUITES) + ' (default: all)')
    what.add_argument('--peers', metavar='LIST', help='only these rows, by the start of their names: swrun,bwrap,ch-run dir')
    what.add_argument('--list-peers', action='store_true', help='say who was found and what would bring the others, and stop')
    what.add_argument('--swrun', action='append', type=labelled, metavar='[NAME=]PATH',
                      help='which swrun; several with names are compared in the same run')
    what.add_argument('--path', action='append', default=[], metavar='DIR', help='look for peers there first')
    what.add_argument('--small', action='store_true', help='default image without numpy and scipy: made in seconds')
    what.add_argument('--compression', default='gzip', metavar='KIND[:BLOCK]',
                      help='of images made here: gzip (default), zstd, lz4, xz, gzip:1M')
    how = made.add_argument_group('how')
    how.add_argument('--rounds', type=positive, default=30, metavar='N', help='of short launches (default 30); slow tests take a part')
    how.add_argument('--quick', action='store_true', help=f'{QUICK_ROUNDS} rounds: to see that it works, not to publish')
    how.add_argument('--at-once', type=numbers, default=[1, 4, 16, 64], metavar='LIST', help='launches at once (default 1,4,16,64)')
    how.add_argument('--ranks', type=positive, default=64, metavar='N', help='ranks of the memory suite (default 64)')
    how.add_argument('--seconds', type=positive, default=300, metavar='N', help='end a table early after that long (default 300)')
    how.add_argument('--limit', type=positive, default=60, metavar='SECONDS', help='that one launch may take (default 60)')
    how.add_argument('--seed', type=int, metavar='N', help='of the random order, to repeat a run')
    how.add_argument('--force', action='store_true', help='measure though the machine is busy; the report says so')
    how.add_argument('--user', metavar='NAME', help=f'whom root measures as (default {USER}, who is created)')
    how.add_argument('--work', metavar='DIR', help='keep the forms of the image there for the next run (default: a folder below /tmp, removed)')
    how.add_argument('--cache', metavar='DIR', default=images.cache_folder(), help='where default images are kept (default %(default)s)')
    out = made.add_argument_group('what comes out')
    out.add_argument('--report', metavar='DIR', help='write result.json, report.md, the comparison and plots there')
    out.add_argument('--json', metavar='FILE', help='write the result there')
    out.add_argument('--markdown', metavar='FILE', help='write the tables there (default: standard output)')
    out.add_argument('--from', dest='result', metavar='RESULT.json', help='measure nothing: report, plot or compare a result that is there')
    out.add_argument('--compare', metavar='OLD.json', help='say what changed since an older result')
    gate = made.add_argument_group('gate for CI: counts only, no times')
    gate.add_argument('--gate', action='store_true', help='cold `true`: FUSE requests, blocks decoded, processes left; fails over a limit')
    gate.add_argument('--gate-limit', action='append', type=limit, default=[], metavar='FIGURE=N',
                      help=', '.join(f'{figure} (default {value})' for _, figure, value in targets.COUNTS))
    return made


def parse(argv):
    command = []
    if '--' in argv:
        argv, command = argv[:argv.index('--')], argv[argv.index('--') + 1:]
    options = parser().parse_args(argv)
    options.command = command
    if options.quick:
        options.rounds = min(options.rounds, QUICK_ROUNDS)
    options.rounds = max(3, options.rounds)
    if options.seed is None:
        options.seed = int.from_bytes(os.urandom(4), 'little')
    options.suite = options.suite or (['launch'] if command else list(suites.SUITES))
    return options
