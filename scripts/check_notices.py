#!/usr/bin/env python3
"""Checks THIRD_PARTY_NOTICES against what the program really holds.

    check_notices.py [MAP]         MAP: the linker's map of a static swrun; without one only the headers are checked
    check_notices.py --self-test   every rule, on small texts that break it

An archive that is linked in, an object of the system's, or an outside header that has no entry is one line of complaint,
and so is an entry that nothing uses; the status is then 1.  What is under the GPL alone is refused with an entry, too.
"""
import fnmatch
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

# GPL without an exception, of libext2fs for some files: the program may not hold it, whatever the notices say.
REFUSED = ['liblzo*', 'libext2fs*', 'libreadline*', 'libbfd*']

# The C library's and the kernel's headers; those of C++ have no dot.
SYSTEM = re.compile(r'^(sys/(?!capability\.h$)|linux/|asm/|net/|netinet/|arpa/|sanitizer/)|^[a-z_]+$|'
                    r'^(dirent|elf|fcntl|fnmatch|grp|malloc|nss|poll|pthread|pwd|sched|signal|spawn|stdlib|termios|time|unistd)\.h$')


def entries(notices):
    """[(title, its patterns of archives and objects, its patterns of headers)]; a title stands between two rules."""
    found = []
    for part in re.split(r'^=+\n(?=.+\n=+\n)', notices, flags=re.M)[1:]:
        title, _, text = part.partition('\n')
        patterns = [[word for line in re.findall(rf'^{key}: (.*)', text, re.M) for word in line.split()]
                    for key in ('Linked', 'Headers')]
        if any(patterns):
            found.append((title, *patterns))
    return found


def linked(link_map):
    """Names of the archives and of the system's objects that a map of ld, lld or mold shows as linked in."""
    archives = {os.path.basename(path) for path in re.findall(r'([^\s()]+\.a)\(', link_map)}
    objects = {os.path.basename(path) for path in re.findall(r'(?<!\S)(/[^\s()]+\.o)(?![\w(])', link_map)
               if 'CMakeFiles' not in path}
    return {name for name in archives | objects if not name.startswith('libswrun_')}


def included(root):
    found = set()
    for folder, _, files in os.walk(os.path.join(root, 'src')):
        for name in files:
            if name.endswith(('.h', '.cpp', '.c', '.in')):
                with open(os.path.join(folder, name), encoding='utf-8', errors='replace') as source:
                    found.update(re.findall(r'^\s*#\s*include\s*<([^>]+)>', source.read(), re.M))
    return {header for header in found if not SYSTEM.search(header)}


def check(notices, link_map, headers):
    table = entries(notices)
    used, found = set(), []
    names = linked(link_map) if link_map is not None else set()
    if link_map is not None and not any(name.endswith('.a') for name in names):
        found.append('the map names no archive: not a map, or not of a static program')
    for name in sorted(names):
        hits = [title for title, archives, _ in table if any(fnmatch.fnmatch(name, pattern) for pattern in archives)]
        used.update(hits)
        if any(fnmatch.fnmatch(name, pattern) for pattern in REFUSED):
            found.append(f'{name} is linked in and may not be: its licence is the GPL')
        elif not hits:
            found.append(f'{name} is linked in and THIRD_PARTY_NOTICES has no entry ("Linked: {name}")')
    for header in sorted(headers):
        hits = [title for title, _, patterns in table
                if any(header == pattern or pattern.endswith('/') and header.startswith(pattern) for pattern in patterns)]
        used.update(hits)
        if not hits:
            found.append(f'<{header}> is included and THIRD_PARTY_NOTICES has no entry ("Headers: {header}")')
    for title, archives, patterns in table:
        if title not in used and (link_map is not None or not archives):
            found.append(f'"{title}" has an entry, and nothing of it is used')
    return found


SELF_NOTICES = '''About.

====
Some Library
====
Linked: libsome.a libsome-*.a
Headers: some/ some.h
Licence: MIT

Text.

====
C
====
Linked: libc.a crt1.o

====
LZO, wrongly
====
Linked: liblzo2.a
'''
SELF_MAP = ' /usr/lib/libc.a(exit.o):(.text)\n /usr/lib/crt1.o:(.text)\n src/libswrun_plan.a(plan.cpp.o):(.text)\n'
SELF_TEST = [
    # (what the map says more, the headers, a word of each complaint)
    ('/usr/lib/libsome.a(a.o)', {'some.h'}, ['LZO, wrongly']),
    ('/usr/lib/libsome-2.36.a(a.o):(.text)', set(), ['LZO, wrongly']),
    ('', {'some/part.h'}, ['LZO, wrongly']),
    ('', set(), ['Some Library', 'LZO, wrongly']),
    ('/usr/lib/libother.a(a.o)', {'some.h'}, ['libother.a is linked', 'LZO, wrongly']),
    ('../lib/libother.a(a.o)', {'some.h'}, ['libother.a is linked', 'LZO, wrongly']),
    ('/usr/lib/crtfast.o', {'some.h'}, ['crtfast.o is linked', 'LZO, wrongly']),
    ('/build/CMakeFiles/swrun.dir/main.cpp.o', {'some.h'}, ['LZO, wrongly']),
    ('', {'some.h', 'other/part.h'}, ['<other/part.h>', 'LZO, wrongly']),
    ('/usr/lib/liblzo2.a(lzo1x_d2.o)', {'some.h'}, ['liblzo2.a is linked in and may not be']),
    ('/usr/lib/libext2fs.a(crc16.o)', {'some.h'}, ['libext2fs.a is linked in and may not be', 'LZO, wrongly']),
    ('LOAD /usr/lib/libunused.a', {'some.h'}, ['LZO, wrongly']),
]


def self_test():
    failures = 0
    for more, headers, wanted in SELF_TEST:
        found = check(SELF_NOTICES, SELF_MAP + more + '\n', headers)
        if len(found) != len(wanted) or not all(any(word in line for line in found) for word in wanted):
            failures += 1
            print(f'self-test: {more!r} {headers}: wanted {wanted}, got {found}')
    if not any('not a map' in line for line in check(SELF_NOTICES, 'nothing', set())):
        failures += 1
        print('self-test: an empty map passed')
    if SYSTEM.search('sys/capability.h') or SYSTEM.search('zlib.h') or not SYSTEM.search('sys/stat.h'):
        failures += 1
        print('self-test: the system\'s headers')
    print(f'{len(SELF_TEST) + 2 - failures} passed, {failures} failed')
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ['--self-test']:
        return self_test()
    with open(os.path.join(ROOT, 'THIRD_PARTY_NOTICES'), encoding='utf-8') as file:
        notices = file.read()
    link_map = None
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding='utf-8', errors='replace') as file:
            link_map = file.read()
    found = check(notices, link_map, included(ROOT))
    for line in found:
        print(line)
    print(f'{len(found)} fault(s) of THIRD_PARTY_NOTICES' if found else 'every library has its notice')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
