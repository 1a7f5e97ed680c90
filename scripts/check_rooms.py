#!/usr/bin/env python3
"""Holds src/ against the table of rooms in docs/architecture.md: every folder, #include and CMake library.

    check_rooms.py [ROOT]        ROOT holds docs/ and src/; default: the checkout of this file
    check_rooms.py --self-test   every rule, on small trees that break it

A room is a folder below src/ that holds sources, and a folder is a room.  The table is the only list: which rooms there are,
what each may include, which are pure.  CMake's DEPENDS of a room must name the same rooms, and what the table allows
must be used.  A violation is one line, FILE:LINE: what is wrong and which rule says so; the status is then 1.
There is no way to silence a line: a rule that is wrong is changed here or in the document.
"""
import fnmatch
import os
import re
import sys
import tempfile

DOCUMENT = 'docs/architecture.md'
ROW = re.compile(r'^\| `([a-z/]+|main\.cpp)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$')
ALL_BUT = re.compile(r'^all but (.+)$')

# Pure rooms are data in, data out: no header that offers a system call, and no door of support to one.
IMPURE = re.compile(r'^(unistd|fcntl|dirent|sched|signal|pwd|grp|spawn|poll|termios|ftw|glob|dlfcn|pthread|'
                    r'net/.*|netinet/.*|arpa/.*|linux/.*|asm/.*|sys/(?!types\.h$).*)\.h$|^sys/(?!types\.h$)|^csignal$|'
                    r'^(filesystem|fstream|iostream|random|chrono)$')
IMPURE_SUPPORT = ['support/fd.h', 'support/io.h', 'support/process.h', 'support/stopwatch.h']

# Headers with one home.  The name is what a message says.
HOMES = [
    ('threads', re.compile(r'^(thread|mutex|shared_mutex|future|condition_variable|semaphore|barrier|latch|'
                           r'stop_token|pthread\.h)$'),
     ['src/fuse/*', 'src/squashfs/reader_pool.*', 'src/squashfs/block_cache.*', 'src/squashfs/block_memory.*', 'src/unpack/*']),
    ('CLI11', re.compile(r'^CLI/'), ['src/cli/options.cpp']),
    ('toml++', re.compile(r'^toml(\+\+|plusplus)?(/|\.h)'), ['src/cli/limit_file.cpp', 'src/cli/site_file.cpp']),
    ('libfuse', re.compile(r'^(fuse3?/|fuse(_lowlevel|_common|_opt)?\.h)'), ['src/fuse/*']),
    ('libcap', re.compile(r'^sys/capability\.h$'), ['src/runtime/credentials.cpp']),
    ('xxHash', re.compile(r'^xxhash'), ['src/support/fingerprint.cpp']),
    ('nlohmann-json', re.compile(r'^nlohmann/'), ['src/*_json.cpp', 'src/*inspect*.cpp', 'src/*metadata*.cpp', 'src/tools/*']),
]
# Their types stay out of our headers.
NOT_IN_HEADERS = {'CLI11', 'toml++', 'libcap', 'xxHash', 'nlohmann-json'}

# Calls with one home, as this source writes them.
CALLS = [
    ('making processes and pipes', re.compile(r'::(v?fork|pipe2?|posix_spawnp?)\(|\bPR_SET_PDEATHSIG\b'),
     ['src/support/process.*']),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")')
LIBRARY = re.compile(r'swrun_room\(\s*(\w+)\s+SOURCES\s+(.*?)\bDEPENDS\b(.*?)\)', re.S)


class Room:
    def __init__(self, name, may, pure, line):
        self.name, self.may, self.pure, self.line = name, may, pure, line
        self.used = set()

    def library(self):
        return 'swrun_' + self.name.replace('/', '_')


def read_table(root):
    """({name: Room}, [violations]) from the rows of the document, in their order."""
    rooms, found = {}, []
    with open(os.path.join(root, DOCUMENT), encoding='utf-8') as source:
        rows = [(number, ROW.match(line.rstrip('\n'))) for number, line in enumerate(source, 1)]
    for number, row in rows:
        if not row:
            continue
        name, _, may, touch = (cell.strip() for cell in row.groups())
        if name in rooms:
            found.append(f'{DOCUMENT}:{number}: {name} has a second row')
        rooms[name] = Room(name, may, touch.endswith('pure'), number)
    for room in rooms.values():
        room.may, wrong = allowed(room, rooms)
        found += [f'{DOCUMENT}:{room.line}: {room.name}: {text}' for text in wrong]
    return rooms, found


def allowed(room, rooms):
    """The set of rooms that a cell names, and what is wrong with it.  support is open to all."""
    text = room.may
    but = ALL_BUT.match(text)
    words = re.findall(r'`([^`]+)`', text)
    wrong = [f'"{word}" is no room of the table' for word in words if word not in rooms]
    if but:
        return set(rooms) - set(words) - {room.name, 'main.cpp'}, wrong
    if not words and text not in ('–', 'all'):
        wrong.append(f'cannot read what it may include: "{text}"')
    may = set(rooms) - {room.name, 'main.cpp'} if text == 'all' else set(words)
    earlier = list(rooms)[:list(rooms).index(room.name)]
    wrong += [f'{word} stands below it: the table goes from the ground up' for word in sorted(may) if word not in earlier]
    return may, wrong


def room_of(path, rooms):
    """The room of a path below src/, or None."""
    inner = path[len('src/'):]
    return rooms.get('main.cpp') if inner == 'main.cpp' else rooms.get(os.path.dirname(inner))


def check_project_include(path, room, target, root, rooms):
    if os.path.isfile(os.path.join(root, os.path.dirname(path), target + '.in')):
        return None  # made by CMake beside its template: data of the room itself
    if not os.path.isfile(os.path.join(root, 'src', target)):
        return f'"{target}" is not a file below src/ (project headers are included as "room/file.h")'
    other = room_of('src/' + target, rooms)
    if other is None:
        return f'"{target}" belongs to no room'
    room.used.add(other.name)
    if room.pure and target in IMPURE_SUPPORT:
        return f'"{target}": {room.name} is pure and may not touch descriptors, files or clocks'
    if other.name in (room.name, 'support') or other.name in room.may:
        return None
    return f'"{target}": {room.name} may not include {other.name}'


def check_system_include(path, room, header):
    if room.pure and IMPURE.search(header):
        return f'<{header}>: {room.name} is pure and makes no system call'
    for what, pattern, homes in HOMES:
        if not pattern.search(header):
            continue
        if not any(fnmatch.fnmatch(path, h) for h in homes):
            return f'<{header}>: {what} lives in {", ".join(homes)} only'
        if what in NOT_IN_HEADERS and path.endswith('.h'):
            return f'<{header}>: {what} may not be in a header of ours'
    return None


def check_calls(path, line):
    for what, pattern, homes in CALLS:
        hit = pattern.search(line.partition('//')[0])
        if hit and not any(fnmatch.fnmatch(path, home) for home in homes):
            return f'{hit.group(0)}: {what} lives in {", ".join(homes)} only'
    return None


def check_file(root, path, rooms):
    room = room_of(path, rooms)
    if room is None:
        return [f'{path}:1: belongs to no room: add its folder to the table of {DOCUMENT}']
    found = []
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as source:
        for number, line in enumerate(source, 1):
            hit = INCLUDE.match(line)
            if not hit:
                wrong = check_calls(path, line)
            elif hit.group(3):
                wrong = check_project_include(path, room, hit.group(3), root, rooms)
            else:
                wrong = check_system_include(path, room, hit.group(2))
            if wrong:
                found.append(f'{path}:{number}: {wrong}')
    return found


def check_library(root, room, rooms):
    """CMake's library of a room against its row.  main.cpp and tools are programs, not libraries."""
    path = f'src/{room.name}/CMakeLists.txt'
    if not os.path.isfile(os.path.join(root, path)):
        return [] if room.name == 'main.cpp' else [f'{path}:1: {room.name} has no CMakeLists.txt']
    with open(os.path.join(root, path), encoding='utf-8') as source:
        library = LIBRARY.search(source.read())
    if not library:
        return []
    found = []
    if 'swrun_' + library.group(1) != room.library():
        found.append(f'{path}:1: the library of {room.name} is called {room.library()}')
    linked = {word for word in library.group(3).split() if word.startswith('swrun_')}
    wanted = {rooms[name].library() for name in room.used - {room.name}} | {'swrun_support'} - {room.library()}
    if room.name != 'support':
        found += [f'{path}:1: DEPENDS {word}, which {room.name} does not include' for word in sorted(linked - wanted)]
        found += [f'{path}:1: DEPENDS lacks {word}, which {room.name} includes' for word in sorted(wanted - linked)]
    listed = set(library.group(2).split())
    there = {name for name in os.listdir(os.path.join(root, 'src', room.name)) if name.endswith('.cpp')}
    found += [f'{path}:1: SOURCES lacks {name}' for name in sorted(there - listed)]
    return found


def check_row(room, text):
    """What a row allows by name has to be used: a stale word would let something in that nobody has decided."""
    if room.name == 'main.cpp' or ALL_BUT.match(text) or text == 'all':
        return []
    return [f'{DOCUMENT}:{room.line}: {room.name} may include {name} and does not' for name in sorted(room.may - room.used)]


def check_tree(root):
    rooms, found = read_table(root)
    cells = {}
    with open(os.path.join(root, DOCUMENT), encoding='utf-8') as source:
        for line in source:
            row = ROW.match(line.rstrip('\n'))
            if row:
                cells[row.group(1)] = row.group(3).strip()
    seen = set()
    for folder, folders, files in os.walk(os.path.join(root, 'src')):
        folders.sort()
        for name in sorted(files):
            if name.endswith(('.h', '.cpp', '.c')):
                path = os.path.relpath(os.path.join(folder, name), root)
                seen.add(room_of(path, rooms))
                found += check_file(root, path, rooms)
    for room in rooms.values():
        if room not in seen:
            found.append(f'{DOCUMENT}:{room.line}: {room.name} is no folder with sources')
            continue
        found += check_library(root, room, rooms)
        found += check_row(room, cells[room.name])
    if not seen:
        found.append(f'{root}/src: no source file found')
    return found


SELF_DOCUMENT = '''
| room | purpose | may include | may touch |
| --- | --- | --- | --- |
| `support` | tools | – | files |
| `plan` | nouns | – | nothing: pure |
| `mounts` | text | `plan` | nothing: pure |
| `mounts/kernel` | calls | `plan` | mount calls |
| `fuse` | serves | `plan` | threads |
| `cli` | options | `plan` | files |
| `tools` | programs | all | anything |
| `main.cpp` | connects | all but `tools` | – |
'''
SELF_TREE = {  # a tree without fault
    DOCUMENT: SELF_DOCUMENT,
    'src/support/text.h': '', 'src/support/fd.h': '', 'src/support/fingerprint.cpp': '#include <xxhash.h>',
    'src/support/CMakeLists.txt': 'swrun_room(support SOURCES fingerprint.cpp DEPENDS)',
    'src/plan/origin.h': '', 'src/plan/a.cpp': '',
    'src/plan/CMakeLists.txt': 'swrun_room(plan SOURCES a.cpp DEPENDS swrun_support)',
    'src/mounts/bind.h': '', 'src/mounts/bind.cpp': '#include "plan/origin.h"',
    'src/mounts/CMakeLists.txt': 'swrun_room(mounts SOURCES bind.cpp DEPENDS swrun_plan swrun_support)',
    'src/mounts/kernel/apply.cpp': '#include "plan/origin.h"\n#include <sys/mount.h>',
    'src/mounts/kernel/CMakeLists.txt': 'swrun_room(mounts_kernel SOURCES apply.cpp DEPENDS swrun_plan swrun_support)',
    'src/fuse/ops.cpp': '#include "plan/origin.h"\n#include <thread>\n#include <fuse_lowlevel.h>',
    'src/fuse/CMakeLists.txt': 'swrun_room(fuse SOURCES ops.cpp DEPENDS swrun_plan swrun_support Threads::Threads)',
    'src/cli/options.cpp': '#include "plan/origin.h"\n#include <CLI/CLI.hpp>',
    'src/cli/CMakeLists.txt': 'swrun_room(cli SOURCES options.cpp DEPENDS swrun_plan swrun_support)',
    'src/tools/main.cpp': '', 'src/tools/CMakeLists.txt': '', 'src/main.cpp': '#include "mounts/bind.h"',
}
SELF_TEST = [
    # (file, its whole text, None when it is allowed, else a word of the one complaint)
    ('src/plan/b.h', '#include "support/text.h"', None),
    ('src/plan/b.h', '#include "support/fd.h"', 'pure'),
    ('src/plan/b.h', '#include <sys/types.h>\n#include <string>', None),
    ('src/plan/b.h', '#include <sys/stat.h>', 'pure'),
    ('src/plan/b.h', '#include <unistd.h>', 'pure'),
    ('src/plan/b.h', '  #  include <fcntl.h>', 'pure'),
    ('src/plan/b.h', '#include <fstream>', 'pure'),
    ('src/plan/b.h', '// #include <unistd.h>', None),
    ('src/plan/b.h', '#include "plan/gone.h"', 'not a file'),
    ('src/mounts/bind.h', '#include <sys/mount.h>', 'pure'),
    ('src/mounts/kernel/b.h', '#include <unistd.h>', None),
    ('src/mounts/kernel/b.h', '// ::fork(2) is for support; so is PR_SET_PDEATHSIG', None),
    ('src/mounts/kernel/b.h', 'int x = a_fork(); // fork', None),
    ('src/mounts/kernel/b.h', 'int x = ::fork();', 'processes'),
    ('src/mounts/kernel/b.h', '    ::pipe2(ends, O_CLOEXEC);', 'processes'),
    ('src/fuse/b.h', '::prctl(PR_SET_PDEATHSIG, 9);', 'processes'),
    ('src/support/process.cpp', '::vfork(); ::posix_spawn(a);', 'SOURCES lacks'),
    ('src/fuse/b.h', '#include <mutex>', None),
    ('src/cli/b.h', '#include <mutex>', 'threads'),
    ('src/mounts/kernel/b.h', '#include <pthread.h>', 'threads'),
    ('src/mounts/kernel/b.h', '#include <fuse3/fuse.h>', 'libfuse'),
    ('src/mounts/kernel/b.h', '#include <sys/capability.h>', 'libcap'),
    ('src/cli/options.h', '#include <CLI/CLI.hpp>', 'CLI11'),
    ('src/cli/b.h', '#include <toml++/toml.h>', 'toml++'),
    ('src/cli/b.h', '#include <nlohmann/json.hpp>', 'nlohmann'),
    ('src/cli/b.cpp', '#include <nlohmann/json.hpp>', 'nlohmann'),
    ('src/main.cpp', '#include "tools/b.h"', 'tools/b.h" is not a file'),
    ('src/main.cpp', '#include "plan/origin.h"', None),
    ('src/attic/a.cpp', '', 'belongs to no room'),
    ('src/plan/deep/a.cpp', '', 'belongs to no room'),
    ('src/fuse/b.h', '#include "mounts/bind.h"', 'may not include mounts'),
    ('src/mounts/bind.cpp', '', 'does not include'),
    ('src/mounts/bind.cpp', '', 'may include plan and does not'),
    ('src/mounts/new.cpp', '', 'SOURCES lacks new.cpp'),
    ('src/fuse/CMakeLists.txt', 'swrun_room(fuse SOURCES ops.cpp DEPENDS swrun_support)', 'lacks swrun_plan'),
    ('src/fuse/CMakeLists.txt', 'swrun_room(fuse SOURCES ops.cpp DEPENDS swrun_plan swrun_cli swrun_support)', 'swrun_cli'),
    ('src/fuse/CMakeLists.txt', 'swrun_room(fuze SOURCES ops.cpp DEPENDS swrun_plan swrun_support)', 'is called swrun_fuse'),
    (DOCUMENT, SELF_DOCUMENT + '| `attic` | old | – | nothing |\n', 'no folder with sources'),
    (DOCUMENT, SELF_DOCUMENT.replace('| `cli` | options | `plan`', '| `cli` | options | `plans`'), '"plans" is no room'),
    (DOCUMENT, SELF_DOCUMENT.replace('calls | `plan`', 'calls | `plan`, `fuse`'), 'from the ground up'),
    (DOCUMENT, SELF_DOCUMENT.replace('| `cli` | options | `plan` | files |\n', ''), 'belongs to no room'),
    (DOCUMENT, SELF_DOCUMENT + '| `plan` | again | – | nothing |\n', 'second row'),
]


def complaints_of(changed):
    with tempfile.TemporaryDirectory() as root:
        for name, text in {**SELF_TREE, **changed}.items():
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), 'w', encoding='utf-8') as out:
                out.write(text + '\n')
        return check_tree(root)


def self_test():
    failures = 0
    for path, text, complaint in [('src/main.cpp', SELF_TREE['src/main.cpp'], None)] + SELF_TEST:
        found = complaints_of({path: text})
        right = not found if complaint is None else any(complaint in line for line in found)
        if not right:
            failures += 1
            print(f'self-test: {path} with {text!r}: wanted {complaint!r}, got {found}')
    print(f'{len(SELF_TEST) + 1 - failures} passed, {failures} failed')
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ['--self-test']:
        return self_test()
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    found = check_tree(root)
    for line in found:
        print(line)
    print(f'{len(found)} violation(s) of the table of rooms' if found else 'folders, includes and libraries are as the table says')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
