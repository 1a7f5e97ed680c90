#!/usr/bin/env python3
"""Checks the #include lines of src/ against the rooms of docs/architecture.md (section "Rooms").

    check_rooms.py [ROOT]        ROOT holds src/; default: the checkout of this file
    check_rooms.py --self-test   every rule, on small trees that break it

A violation is one line, FILE:LINE: what is wrong and which rule says so; the status is then 1.
There is no way to silence a line: a rule that is wrong is changed here and in the document.
"""
import fnmatch
import os
import re
import sys
import tempfile

# One row of the table: the room, its files (first row that matches wins), the rooms it may include
# (support and the room itself always), and whether it is pure.
ANY = object()
ROOMS = [
    # name, files, may include, pure
    ('support', ['src/support/*'], [], False),
    ('plan_types', ['src/plan/' + stem + '.*' for stem in
                    ('origin', 'launch_request', 'host_facts', 'image_facts', 'tree_view', 'launch_plan', 'identity', 'capabilities')], [], True),
    ('plan_resolve', ['src/plan/*'], ['plan_types', 'env', 'mounts_pure', 'gpu_pure'], True),
    ('env', ['src/env/*'], ['plan_types'], True),
    ('mounts_apply', ['src/mounts/' + stem + '.*' for stem in
                      ('mount_syscalls', 'mount_classic', 'mount_lines', 'mount_apply', 'path_walk', 'host_view')],
     ['plan_types', 'mounts_pure'], False),
    ('mounts_table', ['src/mounts/mount_table*'], ['plan_types'], False),
    ('mounts_pure', ['src/mounts/*'], ['plan_types'], True),
    ('gpu_discover', ['src/gpu/nvidia*', 'src/gpu/rocm*', 'src/gpu/discover*'], ['plan_types', 'gpu_pure'], False),
    ('gpu_pure', ['src/gpu/*'], ['plan_types'], True),
    ('image', ['src/image/*'], ['plan_types'], False),
    ('fuse', ['src/fuse/*'], ['plan_types', 'image'], False),
    ('unpack', ['src/unpack/*'], ['plan_types', 'image'], False),
    ('cli', ['src/cli/*'], ['plan_types', 'plan_resolve'], False),
    ('runtime', ['src/runtime/*'], ['plan_types', 'plan_resolve', 'env', 'mounts_pure', 'mounts_apply', 'mounts_table',
                                    'gpu_pure', 'gpu_discover', 'image', 'fuse', 'unpack'], False),
    ('commands', ['src/commands/*'], ['plan_types', 'plan_resolve', 'env', 'mounts_pure', 'mounts_apply', 'gpu_pure',
                                      'gpu_discover', 'image', 'fuse', 'runtime', 'cli'], False),
    ('suid', ['src/suid/*'], ['plan_types', 'mounts_pure', 'mounts_apply', 'mounts_table', 'fuse', 'runtime'], False),
    ('tools', ['src/tools/*'], ANY, False),
    ('main', ['src/main.cpp'], ANY, False),
]
NOT_IN_MAIN = {'tools'}

# Pure rooms are data in, data out: no header that offers a system call, and no door of support to one.
IMPURE = re.compile(r'^(unistd|fcntl|dirent|sched|signal|pwd|grp|spawn|poll|termios|ftw|glob|dlfcn|pthread|'
                    r'net/.*|netinet/.*|arpa/.*|linux/.*|asm/.*|sys/(?!types\.h$).*)\.h$|^sys/(?!types\.h$)|^csignal$|'
                    r'^(filesystem|fstream|iostream|random|chrono)$')
IMPURE_SUPPORT = ['support/fd.h', 'support/io.h', 'support/process.h', 'support/stopwatch.h']

# Headers with one home.  `what` is named in the message.
HOMES = [
    ('threads', re.compile(r'^(thread|mutex|shared_mutex|future|condition_variable|semaphore|barrier|latch|'
                           r'stop_token|pthread\.h)$'),
     ['src/fuse/*', 'src/image/reader_pool.*', 'src/image/block_cache.*', 'src/image/block_memory.*', 'src/unpack/*']),
    ('CLI11', re.compile(r'^CLI/'), ['src/cli/options.cpp']),
    ('toml++', re.compile(r'^toml(\+\+|plusplus)?(/|\.h)'), ['src/cli/limit_file.cpp', 'src/cli/site_config.cpp', 'src/cli/site_file.cpp']),
    ('libsquashfuse', re.compile(r'^(squashfuse(/|\.h|_)|sqfs|squashfs_fs\.h)'), ['src/image/squash_reader.cpp', 'src/image/squash_metadata.cpp', 'src/image/squash_source.cpp']),
    ('libfuse', re.compile(r'^(fuse3?/|fuse(_lowlevel|_common|_opt)?\.h)'), ['src/fuse/*']),
    ('libcap', re.compile(r'^sys/capability\.h$'), ['src/runtime/credentials.cpp']),
    ('libmount', re.compile(r'^libmount'), ['src/mounts/mount_table.cpp', 'src/tools/*']),
    ('xxHash', re.compile(r'^xxhash'), ['src/support/digest.cpp']),
    ('nlohmann-json', re.compile(r'^nlohmann/'),
     ['src/*/*_json.cpp', 'src/*/*inspect*.cpp', 'src/*/*metadata*.cpp', 'src/tools/*']),
]
# Their types stay out of our headers.
NOT_IN_HEADERS = {'CLI11', 'toml++', 'libsquashfuse', 'libcap', 'libmount', 'xxHash', 'nlohmann-json'}

INCLUDE = re.compile(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")')


def room_of(path):
    for name, patterns, may, pure in ROOMS:
        if any(fnmatch.fnmatch(path, p) for p in patterns):
            return name, may, pure
    return None, None, None


def check_project_include(path, room, may, pure, target, root):
    if os.path.isfile(os.path.join(root, os.path.dirname(path), target + '.in')):
        return None  # made by CMake beside its template: data of the room itself
    if not os.path.isfile(os.path.join(root, 'src', target)):
        return f'"{target}" is not a file below src/ (project headers are included as "room/file.h")'
    other = room_of('src/' + target)[0]
    if other is None:
        return f'"{target}" belongs to no room'
    if pure and target in IMPURE_SUPPORT:
        return f'"{target}": {room} is pure and may not touch descriptors, files or clocks'
    if other in (room, 'support'):
        return None
    if room == 'main' and other in NOT_IN_MAIN:
        return f'"{target}": main.cpp may not include {other}'
    if may is not ANY and other not in may:
        return f'"{target}": {room} may not include {other}'
    return None


def check_system_include(path, room, pure, header):
    if pure and IMPURE.search(header):
        return f'<{header}>: {room} is pure and makes no system call'
    for what, pattern, homes in HOMES:
        if not pattern.search(header):
            continue
        if not any(fnmatch.fnmatch(path, h) for h in homes):
            return f'<{header}>: {what} lives in {", ".join(homes)} only'
        if what in NOT_IN_HEADERS and path.endswith('.h'):
            return f'<{header}>: {what} may not be in a header of ours'
    return None


def check_file(root, path):
    room, may, pure = room_of(path)
    if room is None:
        return [f'{path}:1: belongs to no room: add its folder to the table']
    found = []
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as source:
        for number, line in enumerate(source, 1):
            hit = INCLUDE.match(line)
            if not hit:
                continue
            header = hit.group(2) or hit.group(3)
            if hit.group(3):
                wrong = check_project_include(path, room, may, pure, header, root)
            else:
                wrong = check_system_include(path, room, pure, header)
            if wrong:
                found.append(f'{path}:{number}: {wrong}')
    return found


def check_tree(root):
    found, seen = [], 0
    for folder, folders, files in os.walk(os.path.join(root, 'src')):
        folders.sort()
        for name in sorted(files):
            if name.endswith(('.h', '.cpp', '.c')):
                seen += 1
                found += check_file(root, os.path.relpath(os.path.join(folder, name), root))
    if not seen:
        found.append(f'{root}/src: no source file found')
    return found


SELF_TEST = [
    # (file, line, None when it is allowed, else a word of the complaint)
    ('src/env/a.cpp', '#include "plan/origin.h"', None),
    ('src/env/a.cpp', '#include "support/text.h"', None),
    ('src/env/a.cpp', '#include "support/fd.h"', 'pure'),
    ('src/env/a.cpp', '#include <sys/types.h>', None),
    ('src/env/a.cpp', '#include <sys/stat.h>', 'pure'),
    ('src/env/a.cpp', '#include <unistd.h>', 'pure'),
    ('src/env/a.cpp', '  #  include <fcntl.h>', 'pure'),
    ('src/env/a.cpp', '#include <fstream>', 'pure'),
    ('src/env/a.cpp', '#include <string>', None),
    ('src/env/a.cpp', '// #include <unistd.h>', None),
    ('src/env/a.cpp', '#include "mounts/bind_spec.h"', 'may not include mounts_pure'),
    ('src/env/a.cpp', '#include "plan/resolve.h"', 'may not include plan_resolve'),
    ('src/env/a.cpp', '#include "plan/gone.h"', 'not a file'),
    ('src/plan/launch_plan.h', '#include "env/env_rules.h"', 'may not include env'),
    ('src/plan/resolve.cpp', '#include "env/env_rules.h"', None),
    ('src/plan/resolve.cpp', '#include "mounts/bind_spec.h"', None),
    ('src/plan/resolve.cpp', '#include "mounts/mount_apply.h"', 'may not include mounts_apply'),
    ('src/plan/resolve.cpp', '#include "image/sif.h"', 'may not include image'),
    ('src/plan/resolve.cpp', '#include <nlohmann/json.hpp>', 'nlohmann'),
    ('src/plan/plan_json.cpp', '#include <nlohmann/json.hpp>', None),
    ('src/plan/plan_json.h', '#include <nlohmann/json.hpp>', 'nlohmann'),
    ('src/mounts/bind_spec.cpp', '#include <sys/mount.h>', 'pure'),
    ('src/mounts/mount_apply.cpp', '#include <sys/mount.h>', None),
    ('src/mounts/mount_table.cpp', '#include <libmount/libmount.h>', None),
    ('src/mounts/mount_apply.cpp', '#include <libmount/libmount.h>', 'libmount'),
    ('src/tools/a.cpp', '#include <libmount/libmount.h>', None),
    ('src/image/a.cpp', '#include <thread>', 'threads'),
    ('src/image/reader_pool.cpp', '#include <mutex>', None),
    ('src/image/block_cache.h', '#include <mutex>', None),
    ('src/runtime/a.cpp', '#include <pthread.h>', 'threads'),
    ('src/image/squash_reader.cpp', '#include <squashfuse/squashfuse.h>', None),
    ('src/image/a.cpp', '#include <squashfuse.h>', 'libsquashfuse'),
    ('src/fuse/ops.cpp', '#include <fuse_lowlevel.h>', None),
    ('src/fuse/ops.cpp', '#include <thread>', None),
    ('src/fuse/ops.cpp', '#include "runtime/a.h"', 'may not include runtime'),
    ('src/image/a.cpp', '#include <fuse3/fuse_lowlevel.h>', 'libfuse'),
    ('src/runtime/credentials.cpp', '#include <sys/capability.h>', None),
    ('src/runtime/a.cpp', '#include <sys/capability.h>', 'libcap'),
    ('src/runtime/a.cpp', '#include "fuse/ops.h"', None),
    ('src/runtime/a.cpp', '#include "cli/options.h"', 'may not include cli'),
    ('src/cli/options.cpp', '#include <CLI/CLI.hpp>', None),
    ('src/cli/options.h', '#include <CLI/CLI.hpp>', 'CLI11'),
    ('src/cli/a.cpp', '#include <toml++/toml.h>', 'toml++'),
    ('src/cli/site_config.cpp', '#include <toml++/toml.h>', None),
    ('src/cli/a.cpp', '#include "runtime/a.h"', 'may not include runtime'),
    ('src/main.cpp', '#include "runtime/a.h"', None),
    ('src/main.cpp', '#include "tools/a.h"', 'may not include tools'),
    ('src/attic/a.cpp', '', 'belongs to no room'),
]
SELF_HEADERS = ['plan/origin.h', 'plan/resolve.h', 'support/text.h', 'support/fd.h', 'mounts/bind_spec.h',
                'mounts/mount_apply.h', 'env/env_rules.h', 'image/sif.h', 'fuse/ops.h', 'runtime/a.h', 'cli/options.h',
                'tools/a.h']


def self_test():
    failures = 0
    for path, line, complaint in SELF_TEST:
        with tempfile.TemporaryDirectory() as root:
            for name in ['src/' + h for h in SELF_HEADERS] + [path]:
                os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                with open(os.path.join(root, name), 'w', encoding='utf-8') as out:
                    out.write('\n')
            with open(os.path.join(root, path), 'w', encoding='utf-8') as out:
                out.write(line + '\n')
            found = check_tree(root)
            right = not found if complaint is None else len(found) == 1 and complaint in found[0]
            if not right:
                failures += 1
                print(f'self-test: {path} with {line!r}: wanted {complaint!r}, got {found}')
    with tempfile.TemporaryDirectory() as root:
        if not check_tree(root):
            failures += 1
            print('self-test: an empty tree passed')
    print(f'{len(SELF_TEST) + 1 - failures} passed, {failures} failed')
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ['--self-test']:
        return self_test()
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    found = check_tree(root)
    for line in found:
        print(line)
    print(f'{len(found)} violation(s) of the table of rooms' if found else 'all includes are allowed')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
