"""Lets the tests of this folder import scripts/bench, and makes a small result for them."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, 'scripts'))

from bench import machine, report, stats, suites, targets  # noqa: E402


def table(rows, others=0.0, failed=None, about='something'):
    """A finished table of {row: [wall ms, one a round]}."""
    def columns(values):
        return suites.finished({figure: list(values) for figure in suites.FIGURES})
    return {'about': about, 'rounds': len(next(iter(rows.values()))), 'asked_rounds': 3, 'failed': failed or {},
            'others': {'others_share': others, 'runnable_median': 0}, 'rows': {row: columns(values) for row, values in rows.items()}}


def result(tables, memory=None, counts=None, gate=None, busy=()):
    made = {'schema': 1, 'program': 'swrun-bench', 'when': '2030-01-02T03:04:05+00:00', 'forced': False, 'busy': list(busy),
            'machine': {'cpu': 'Abacus 9', 'processors': 4, 'usable_processors': 2, 'governor': 'performance', 'virtual': 'no',
                        'memory_mib': 1024, 'kernel': '6.1', 'architecture': 'x86_64', 'distribution': 'Some Linux'},
            'quiet': {'used_share': 0.01, 'load_average': 0.1},
            'image': {'given': '/images/a.sif', 'given_kind': 'sif', 'compressor': 'gzip', 'block_size': 131072, 'file_bytes': 5 << 20,
                      'inodes': 77, 'problems': [], 'file_system': 'ext4'},
            'peers': {'found': [{'name': 'swrun', 'path': '/bin/swrun', 'version': 'swrun 1'}],
                      'missing': [{'name': 'bwrap', 'why': 'not in PATH', 'hint': 'apt install bubblewrap'}]},
            'options': {'seed': 7}, 'tables': tables, 'memory': memory or {}, 'counts': counts or {}, 'gate': gate or {}}
    made['headline'] = targets.headline(made, report.pair_ratio)
    return made


__all__ = ['ROOT', 'machine', 'report', 'result', 'stats', 'suites', 'table', 'targets']
