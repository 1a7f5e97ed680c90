#!/usr/bin/env python3
"""clang-tidy over src/, remembering what was clean.

    tidy.py BUILD_DIR [--jobs N] [FILE ...]

BUILD_DIR holds compile_commands.json.  A file that was clean is not looked at again until it, one of the project
headers it reaches, the checks, the compiler flags or clang-tidy itself change.  Status: 0 clean, 1 findings, 77 no
clang-tidy here (1 when SWRUN_TESTS_MUST_RUN is set).
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)
# Our flags are gcc's: clang must not fail on a warning that it does not know or that gcc does not give.
EXTRA = ['--extra-arg=-Wno-unknown-warning-option', '--extra-arg=-Wno-error', '--quiet']


def find_tool():
    for name in ('clang-tidy', 'clang-tidy-14'):
        if shutil.which(name):
            return name
    print('tidy: no clang-tidy on this host')
    sys.exit(1 if os.environ.get('SWRUN_TESTS_MUST_RUN') else 77)


def read(path):
    with open(path, 'rb') as source:
        return source.read()


def reach(path, seen):
    """All project files that `path` includes, itself first."""
    if path in seen or not os.path.isfile(path):
        return
    seen.append(path)
    for name in INCLUDE.findall(read(path)):
        reach(os.path.join(ROOT, 'src', os.fsdecode(name)), seen)


def fingerprint(entry, base):
    digest = hashlib.sha256(base)
    digest.update(entry.get('command', ' '.join(entry.get('arguments', []))).encode())
    seen = []
    reach(os.path.realpath(entry['file']), seen)
    for path in seen:
        digest.update(os.fsencode(path) + b'\0' + read(path) + b'\0')
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build')
    parser.add_argument('files', nargs='*')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    tool = find_tool()
    with open(os.path.join(args.build, 'compile_commands.json'), encoding='utf-8') as source:
        entries = json.load(source)
    only = {os.path.realpath(f) for f in args.files}
    below = os.path.join(ROOT, 'src') + os.sep
    entries = [e for e in entries if os.path.realpath(e['file']).startswith(below) and e['file'].endswith('.cpp')
               and (not only or os.path.realpath(e['file']) in only)]
    if not entries:
        print('tidy: no file of src/ in compile_commands.json')
        return 1
    version = subprocess.run([tool, '--version'], stdout=subprocess.PIPE, check=True).stdout
    base = version + read(os.path.join(ROOT, '.clang-tidy')) + ' '.join(EXTRA).encode()
    cache = os.path.join(args.build, 'tidy-cache')
    os.makedirs(cache, exist_ok=True)

    def one(entry):
        mark = os.path.join(cache, fingerprint(entry, base))
        if os.path.exists(mark):
            return entry['file'], None, True
        done = subprocess.run([tool, '-p', args.build, *EXTRA, entry['file']], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode == 0:
            with open(mark, 'w', encoding='utf-8'):
                return entry['file'], None, False
        return entry['file'], done.stdout + done.stderr, False

    bad = fresh = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for name, output, known in pool.map(one, entries):
            fresh += not known
            if output is not None:
                bad += 1
                print(f'--- {os.path.relpath(name, ROOT)}\n{output}', flush=True)
    print(f'tidy: {len(entries)} files, {fresh} looked at, {bad} with findings')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
