#!/usr/bin/env python3
"""Runs one theme of the conformance suite: every case has to pass.

    check.py SUITE STAGE NAME THEME       NAME: what the launcher is called by (apptainer, singularity)
    check.py SUITE STAGE --wrong          the cases that are wrong are still cases of the suite

Failures are: a case that fails, a wrong case that passes (it has been put right: take it out below), a skipped case where
SWRUN_TESTS_MUST_RUN is set.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

MUST_RUN = bool(os.environ.get('SWRUN_TESTS_MUST_RUN'))

# Cases whose own script cannot give what they expect: {case: proof}.
WRONG_CASES = {}

# Cases that expect a niceness, and so hold only where the suite itself has none.
NOT_WHEN_NICE = {'process-nice'}


def be_ordinary():
    """Niceness 0, where this process may have it: only root may take less than it was started with."""
    try:
        os.nice(-os.nice(0))
    except PermissionError:
        pass


def cases(suite):
    """{theme: [ids]} of the whole suite."""
    out = subprocess.run([sys.executable, os.path.join(suite, 'run.py'), '--launcher', '/bin/true', '--list'],
                         stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        theme, case = line.split()[:2]
        found.setdefault(theme, []).append(case)
    return found


def run(suite, stage, name, theme, jobs=2):
    """[(id, 'passed' | 'failed' | 'skipped', text)]"""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, 'report.json')
        argv = [sys.executable, os.path.join(suite, 'run.py'), '--launcher', os.path.join(stage, 'bin', 'swrun'),
                '--as-name', name, '--jobs', str(jobs), '--json', report,
                '--cases', os.path.join(suite, 'cases', theme + '.json')]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        if not os.path.exists(report):
            sys.exit(f'the runner gave no report (status {done.returncode}):\n{done.stdout[-4000:]}')
        with open(report, encoding='utf-8') as source:
            results = json.load(source)['results']
    return [(r['id'], r['result'], '\n'.join(r.get('reasons', r.get('needs', []))) + '\n' + r.get('stderr', '')[:1000])
            for r in results]


def check_theme(suite, stage, name, theme):
    bad = 0
    results = run(suite, stage, name, theme)
    for case, result, text in results:
        if result == 'failed' and case in NOT_WHEN_NICE and os.nice(0) != 0:
            print(f'SKIP {case}: holds for niceness 0 only, and this is {os.nice(0)}')
        elif result == 'failed' and case not in WRONG_CASES:
            print(f'FAIL {case}\n    ' + text.strip().replace('\n', '\n    '))
            bad += 1
        elif result == 'passed' and case in WRONG_CASES:
            print(f'PASS {case}: was held to be wrong; take it out of {os.path.basename(__file__)}')
            bad += 1
        elif result == 'skipped':
            print(f'SKIP {case}: needs {text.strip()}')
            bad += MUST_RUN
    count = {kind: sum(1 for r in results if r[1] == kind) for kind in ('passed', 'failed', 'skipped')}
    print(f"{theme} as {name}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped; {bad} unexpected")
    return 1 if bad or not results else 0


def check_wrong(suite):
    ids = {case for group in cases(suite).values() for case in group}
    gone = sorted(set(WRONG_CASES) - ids)
    for case in gone:
        print(f'{case} is no case of the suite')
    print(f'{len(ids)} cases, {len(WRONG_CASES)} of them wrong')
    return 1 if gone else 0


def main():
    suite, stage, *rest = sys.argv[1:]
    be_ordinary()
    if rest == ['--wrong']:
        return check_wrong(suite)
    if len(rest) != 2 or not re.fullmatch(r'[a-z]+', rest[1]):
        sys.exit(__doc__)
    return check_theme(suite, stage, *rest)


if __name__ == '__main__':
    sys.exit(main())
