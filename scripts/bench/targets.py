"""The headline: what swrun promises against its peers, measured in this run, and whether it was kept.

A target is a limit on a ratio of two rows of one interleaved table, or on one figure.  Rows are named as in peers.py;
of several candidates the first that was measured counts.  A limit of None is shown without a verdict.
"""
SWRUN = ('swrun SIF', 'swrun squashfs')
UNCOMPRESSED = ('swrun uncompressed',)
SHARED = ('swrun joined', 'swrun lingering')
APPTAINER = ('apptainer -u SIF', 'apptainer -u squashfs', 'singularity -u SIF')
DIRECTORY = ('ch-run dir', 'bwrap dir', 'unshare dir')

# (what, test, ours, theirs, limit of ours/theirs)
RATIOS = (
    ('cold `true`, image file against bwrap on the unpacked tree', 'launch true', SWRUN, ('bwrap dir',), 2.2),
    ('cold `true` on one processor, image file against bwrap on the unpacked tree', 'pinned true', SWRUN, ('bwrap dir',), 3.0),
    ('cold `true` on one processor, image without compression, against bwrap', 'pinned true', UNCOMPRESSED, ('bwrap dir',), 1.7),
    ('cold `true`, against Apptainer -u on the same file', 'launch true', SWRUN, APPTAINER, 1 / 16),
    ('cold `true`, against ch-run on a squashfs', 'launch true', SWRUN, ('ch-run squashfs',), 0.30),
    ('joined or lingering `true` against ch-run on a directory', 'launch true', SHARED, ('ch-run dir',), 0.60),
    ('`python3 -c pass`, cold, against the same in a directory', 'launch python', SWRUN, DIRECTORY, 2.5),
    ('import numpy and scipy, image cached, against a warm directory', 'launch import', SWRUN, DIRECTORY, 1.8),
    ('import numpy and scipy, both cold from disk, against a directory', 'import, from disk', ('swrun',), ('dir',), 1.1),
    ('stream of all of /usr, image cached, against kernel squashfs', 'stream, image cached', ('swrun',), ('kernel squashfs',), 0.5),
    ('small files, 4 readers, against kernel squashfs', 'small files, image cached', ('swrun',), ('kernel squashfs',), 0.35),
    ('find over the image, against kernel squashfs', 'walk, image cached', ('swrun',), ('kernel squashfs',), 1.0),
    ('find over the image, against squashfuse_ll', 'walk, image cached', ('swrun',), ('squashfuse_ll',), 0.30),
    ('64 joined `true` at once against 64 ch-run on a directory', '64 at once', SHARED, ('ch-run dir',), 0.60),
)
# The same of processor time: launcher, image server and program together, until the last of them has gone.
PROCESSOR_TIME = (
    ('processor time of a cold `true`, against bwrap on the unpacked tree', 'launch true', SWRUN, ('bwrap dir',), 3.0),
    ('processor time of a cold `true` on one processor, against bwrap', 'pinned true', SWRUN, ('bwrap dir',), 3.0),
)
# (what, memory test, row candidates, figure, limit in MiB)
MEMORY = (
    ('memory of one image server after `true`', '1 x sh', SWRUN, 'server_pss_mib', 6.0),
    ('memory of 64 ranks with their servers, each alone', '64 x rank', SWRUN, 'total_pss_mib', None),
    ('memory of 64 ranks that share a server', '64 x rank', SHARED, 'total_pss_mib', None),
)
# (what, figure of the counts of a cold `true`, limit); the same limits are the gate's.
COUNTS = (
    ('FUSE requests of a cold `true`', 'requests', 35),
    ('data blocks decoded for a cold `true`', 'blocks', 20),
    ('blocks decoded twice', 'twice', 0),
    ('metadata blocks decoded for a cold `true`', 'metadata', 22),
    ('processes left behind, all launches together', 'left', 0),
)


def verdict(figure, limit, high):
    """`high`: the upper end of the figure's confidence interval; None where there were too few samples for one."""
    if limit is None:
        return ''
    if figure > limit:
        return 'missed'
    return 'met' if high is not None and high <= limit else 'met, not surely'


def first(rows, names):
    """Of several swruns, which have names in brackets, the last one given is meant."""
    for name in names:
        label, _, rest = name.partition(' ')
        several = [row for row in rows if label == 'swrun' and row.startswith('swrun[') and row.partition('] ')[2] == rest]
        if name in rows or several:
            return name if name in rows else several[-1]
    return None


def headline(result, ratio):
    """[{what, figure, unit, target, verdict, rows}] of a finished run; `ratio(table, ours, theirs, figure)` gives the pairs' summary."""
    lines = []
    for what, test, ours, theirs, limit, kind in [*((*one, 'wall') for one in RATIOS), *((*one, 'cpu') for one in PROCESSOR_TIME)]:
        table = result['tables'].get(test)
        rows = table['rows'] if table else {}
        mine, other = first(rows, ours), first(rows, theirs)
        found = ratio(table, mine, other, kind) if mine and other else None
        line = {'what': what, 'unit': 'x', 'target': round(limit, 4), 'figure': None, 'verdict': 'not measured', 'rows': [mine, other]}
        if found:
            line.update(figure=found['median'], low=found['low'], high=found['high'],
                        verdict=verdict(found['median'], limit, found['high']))
        lines.append(line)
    for what, test, ours, figure, limit in MEMORY:
        rows = result['memory'].get(test, {})
        mine = first(rows, ours)
        value = rows[mine].get(figure) if mine else None
        lines.append({'what': what, 'unit': 'MiB', 'target': limit, 'figure': value, 'rows': [mine],
                      'verdict': 'not measured' if value is None else verdict(value, limit, value)})
    for what, figure, limit in COUNTS:
        value = result['gate'].get(figure)
        lines.append({'what': what, 'unit': '', 'target': limit, 'figure': value, 'rows': [],
                      'verdict': 'not measured' if value is None else verdict(value, limit, value)})
    return lines
