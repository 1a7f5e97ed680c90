#!/usr/bin/env python3
"""Runs one theme of the conformance suite and compares with the list of known failures.

    check.py SUITE STAGE NAME THEME       NAME: what the launcher is called by (apptainer, singularity)
    check.py SUITE STAGE --floor          the list itself: at most 10 % of all cases and 25 % of a theme
    check.py SUITE STAGE --update NAME    rewrites the list from a full run; new entries get the reason "to be explained"

known_failures.json maps NAME to {case id: reason}.  Wrong is: a case that fails and is not in the list, one in the list
that passes (take it out), a skipped case where SWRUN_TESTS_MUST_RUN is set, an id that no longer exists.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
LIST = os.path.join(HERE, 'known_failures.json')
PER_THEME, OVERALL = 0.25, 0.10
MUST_RUN = bool(os.environ.get('SWRUN_TESTS_MUST_RUN'))
UNEXPLAINED = 'to be explained'


def known(name):
    if not os.path.exists(LIST):
        return {}
    with open(LIST, encoding='utf-8') as source:
        return json.load(source).get(name, {})


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
                '--as-name', name, '--jobs', str(jobs), '--json', report]
        if theme:
            argv += ['--cases', os.path.join(suite, 'cases', theme + '.json')]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        if not os.path.exists(report):
            sys.exit(f'the runner gave no report (status {done.returncode}):\n{done.stdout[-4000:]}')
        with open(report, encoding='utf-8') as source:
            results = json.load(source)['results']
    return [(r['id'], r['result'], '\n'.join(r.get('reasons', r.get('needs', []))) + '\n' + r.get('stderr', '')[:1000])
            for r in results]


def check_theme(suite, stage, name, theme):
    expected, wrong = known(name), 0
    results = run(suite, stage, name, theme)
    for case, result, text in results:
        if result == 'failed' and case not in expected:
            print(f'FAIL {case}: not in the list of known failures\n    ' + text.strip().replace('\n', '\n    '))
            wrong += 1
        elif result == 'passed' and case in expected:
            print(f'PASS {case}: passes now; take it out of {os.path.basename(LIST)}')
            wrong += 1
        elif result == 'skipped':
            print(f'SKIP {case}: needs {text.strip()}')
            wrong += MUST_RUN
    count = {kind: sum(1 for r in results if r[1] == kind) for kind in ('passed', 'failed', 'skipped')}
    print(f"{theme} as {name}: {count['passed']} passed, {count['failed']} failed as known or new, "
          f"{count['skipped']} skipped; {wrong} unexpected")
    return 1 if wrong or not results else 0


def check_floor(suite):
    expected, wrong, total, failing = known('apptainer'), 0, 0, 0
    themes = cases(suite)
    for theme, ids in sorted(themes.items()):
        bad = [case for case in ids if case in expected]
        total, failing = total + len(ids), failing + len(bad)
        print(f'{theme:10} {len(ids) - len(bad)} of {len(ids)}')
        if len(bad) > PER_THEME * len(ids):
            print(f'    more than {PER_THEME:.0%} of the theme are known failures')
            wrong += 1
    print(f'all        {total - failing} of {total}')
    wrong += failing > OVERALL * total
    ids = {case for group in themes.values() for case in group}
    for name in ('apptainer', 'singularity'):
        for case, reason in sorted(known(name).items()):
            if case not in ids:
                print(f'{name}: {case} is no case of the suite')
                wrong += 1
            if len(reason) < 10 or reason == UNEXPLAINED:
                print(f'{name}: {case} has no reason')
                wrong += 1
    return 1 if wrong else 0


def update(suite, stage, name):
    themes = [None] if name == 'apptainer' else ['cli', 'env', 'envopt']
    failed = [case for theme in themes for case, result, _ in run(suite, stage, name, theme) if result == 'failed']
    whole = {}
    if os.path.exists(LIST):
        with open(LIST, encoding='utf-8') as source:
            whole = json.load(source)
    old = whole.get(name, {})
    whole[name] = {case: old.get(case, UNEXPLAINED) for case in sorted(failed)}
    with open(LIST, 'w', encoding='utf-8') as out:
        json.dump(whole, out, indent=2, ensure_ascii=False, sort_keys=True)
        out.write('\n')
    print(f'{name}: {len(failed)} known failures, {sum(1 for c in failed if c not in old)} new')
    return 0


def main():
    suite, stage, *rest = sys.argv[1:]
    if rest == ['--floor']:
        return check_floor(suite)
    if len(rest) == 2 and rest[0] == '--update':
        return update(suite, stage, rest[1])
    if len(rest) != 2 or not re.fullmatch(r'[a-z]+', rest[1]):
        sys.exit(__doc__)
    return check_theme(suite, stage, *rest)


if __name__ == '__main__':
    sys.exit(main())
