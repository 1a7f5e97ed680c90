"""Counts, which noise does not touch: FUSE requests, blocks decoded, system calls, page faults, processes left.

swrun's server counts by itself (SWRUN_SERVER_STATS); of other FUSE servers strace counts the requests that they read.
"""
import json
import os
import re

FIGURES = {'requests': 'requests_total', 'blocks': 'blocks_decoded', 'twice': 'blocks_decoded_twice', 'metadata': 'metadata_blocks_decoded'}
READ_DONE = re.compile(r'^(\d+)\s+(?:read|readv|splice)\(\d+<[^>]*/fuse(?:<[^>]*>)?>.*=\s+(\d+)(?:<[^>]*>)?\s*$')
READ_BEGUN = re.compile(r'^(\d+)\s+(?:read|readv|splice)\(\d+<[^>]*/fuse(?:<[^>]*>)?>.*<unfinished \.\.\.>\s*$')
# The device's path as strace shows it loses its front when its mount is detached.
RESUMED = re.compile(r'^(\d+)\s+<\.\.\. (?:read|readv|splice) resumed>.*=\s+(-?\d+)')
CALLS = re.compile(r'^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\s*$')


def merge_stats(text):
    """One dictionary of what all servers of one launch wrote; None where none did."""
    total = {}
    for line in text.splitlines():
        for key, value in json.loads(line).items():
            if isinstance(value, dict):
                part = total.setdefault(key, {})
                for name, number in value.items():
                    part[name] = part.get(name, 0) + number
            else:
                total[key] = total.get(key, 0) + value
    return total or None


def server_stats(worker, variant, command, folder):
    """(stats or None, sample) of one launch."""
    path = os.path.join(folder, 'server-stats')
    if os.path.exists(path):
        os.unlink(path)
    sample = worker.ask('launch', argv=variant.argv(command), env=dict(variant.env, SWRUN_SERVER_STATS=path))
    try:
        with open(path, encoding='utf-8') as file:
            return merge_stats(file.read()), sample
    except (OSError, ValueError):
        return None, sample


def requests_in_trace(text):
    """How many requests FUSE servers read, by `strace -f -y -e trace=read,readv,splice`."""
    total, waiting = 0, set()
    for line in text.splitlines():
        done, begun, resumed = READ_DONE.match(line), READ_BEGUN.match(line), RESUMED.match(line)
        if done:
            total += int(done.group(2)) > 0
        elif begun:
            waiting.add(begun.group(1))
        elif resumed and resumed.group(1) in waiting:
            waiting.discard(resumed.group(1))
            total += int(resumed.group(2)) > 0
    return total


def calls_in_summary(text):
    """{call: times} of `strace -c`."""
    found = {}
    for line in text.splitlines():
        match = CALLS.match(line)
        if match and match.group(2) != 'total':
            found[match.group(2)] = found.get(match.group(2), 0) + int(match.group(1))
    return found


def traced(worker, variant, command, folder, options):
    path = os.path.join(folder, 'trace')
    if os.path.exists(path):
        os.unlink(path)
    done = worker.ask('run', argv=['strace', '-f', *options, '-o', path, *variant.argv(command)], env=variant.env)
    worker.ask('keep' if variant.meanwhile else 'settle')
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read() if done['status'] == 0 else None
    except OSError:
        return None


def count_one(worker, variant, command, folder, strace):
    """What one launch did, for the report; 'failed' where it did not work."""
    # A launch that joins has no server of its own that could say what it did for it.
    stats, sample = server_stats(worker, variant, command, folder) if variant.tool == 'swrun' and not variant.meanwhile else \
        (None, worker.ask('launch', argv=variant.argv(command), env=variant.env, stays=bool(variant.meanwhile)))
    if 'failed' in sample:
        return {'failed': sample['failed']}
    row = {'faults': sample['faults'], 'major_faults': sample['major_faults'], 'switches': sample['switches'], 'left': sample['left']}
    if stats:
        row.update({name: stats.get(key) for name, key in FIGURES.items()}, by_request=stats.get('requests'))
    # strace -f waits for all that it follows, so also for a server that lingers.
    if not strace or variant.meanwhile == 'first':
        return row
    if not stats and not variant.meanwhile and variant.form in ('SIF', 'squashfs'):
        text = traced(worker, variant, command, folder, ['-y', '-e', 'trace=read,readv,splice'])
        row['requests'] = requests_in_trace(text) if text is not None else None
    text = traced(worker, variant, command, folder, ['-c'])
    row['syscalls'] = sum(calls_in_summary(text).values()) if text is not None else None
    return row


# ------------------------------------------------------------------------------------------------ the gate
def gate(worker, variant, folder, launches=15):
    """Several cold launches of `true`: the least of each figure, and all processes left together.  A server works ahead with
    processor time that nobody else wants: what it could not do the program asks for, and who waits too long for a block
    decodes it himself.  So noise only adds."""
    least = {'left': 0, 'launches': launches}
    for _ in range(launches):
        stats, sample = server_stats(worker, variant, ['true'], folder)
        if 'failed' in sample:
            return {'failed': sample['failed']}
        least['left'] += sample['left']
        if not stats:
            return {'failed': 'the image server wrote no counts (SWRUN_SERVER_STATS)'}
        for name, key in FIGURES.items():
            least[name] = min(least.get(name, stats.get(key, 0)), stats.get(key, 0))
    return least


def judge(figures, limits):
    """[(figure, value, limit, good)]; what was not counted is not good."""
    rows = []
    for name, limit in limits.items():
        value = figures.get(name)
        rows.append((name, value, limit, value is not None and value <= limit))
    return rows
