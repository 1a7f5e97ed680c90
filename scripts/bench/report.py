"""What a run says: JSON for programs, Markdown for a ticket or a paper, and a comparison with an older run.

JSON, schema 1 (times in ms, memory in MiB, shares of 1):
    schema, program, when, forced, busy: reasons why the figures are not to be trusted ([] when quiet)
    machine, quiet: facts, and how the machine was before;  image: compressor, block_size, sizes, inodes
    peers: {found: [{name, path, version}], missing: [{name, why, hint}]};  options
    tables: {test: {about, rounds, failed: {row: why}, others: {others_share, retaken, runnable_median},
             rows: {row: {wall|gone|cpu|faults|switches: {n, median, p10, p25, p90, min, max, mad},
                          samples: {wall|...: [one a round, null where it failed]}}}}}
    memory: {test: {row: {ranks, servers, total_pss_mib, total_private_mib, server_pss_mib, server_pss_idle_mib}}}
    counts: {test: {row: {requests, by_request, blocks, twice, metadata, syscalls, faults, switches, left}}}
    gate: {requests, blocks, twice, metadata, left};  headline: [{what, figure, low, high, unit, target, verdict, rows}]
"""
import json

from . import SCHEMA, stats

# Rows that the others are divided by, the first three that a table has.
BASES = ('bwrap dir', 'ch-run dir', 'kernel squashfs', 'squashfuse_ll', 'dir')
OTHERS_LIMIT = 0.08  # kernel threads that work for us count as others, too


class ReportError(Exception):
    pass


def load(path):
    try:
        with open(path, encoding='utf-8') as file:
            result = json.load(file)
    except (OSError, ValueError) as error:
        raise ReportError(f'{path}: {error}') from error
    if not isinstance(result, dict) or result.get('program') != 'swrun-bench':
        raise ReportError(f'{path}: not a result of swrun-bench')
    if result.get('schema') != SCHEMA:
        raise ReportError(f"{path}: schema {result.get('schema')}, this program reads {SCHEMA}")
    return result


def by_round(table, row, figure='wall'):
    return {number: value for number, value in enumerate(table['rows'][row]['samples'][figure]) if value is not None}


def pair_ratio(table, ours, theirs, figure='wall'):
    return stats.ratio(by_round(table, ours, figure), by_round(table, theirs, figure))


def busy_tables(result):
    """Tables during which others worked, though it may have been quiet before."""
    return [f"{name}: others used {table['others']['others_share'] * 100:.0f} % of the processors"
            for name, table in result['tables'].items() if table['others']['others_share'] > OTHERS_LIMIT]


# ------------------------------------------------------------------------------------------------ pieces of text
def number(value):
    """Three digits that mean something, no exponent; short whole numbers stay whole."""
    if value is None:
        return '-'
    if isinstance(value, int) or value >= 100:
        return f'{value:.0f}'
    return f'{value:.2f}' if value < 10 else f'{value:.1f}'


def ratio_text(found):
    if found is None:
        return '-'
    if found['low'] is None:
        return number(found['median'])
    return f"{number(found['median'])} ({number(found['low'])}-{number(found['high'])})"


def grid(heads, rows):
    lines = ['| ' + ' | '.join(heads) + ' |', '| --- |' + ' ---: |' * (len(heads) - 1)]
    return lines + ['| ' + ' | '.join(str(cell).replace('|', '\\|') for cell in row) + ' |' for row in rows]


def one_line(text, size=160):
    text = ' '.join(str(text).split())
    return text if len(text) <= size else text[:size - 1] + '…'


# ------------------------------------------------------------------------------------------------ sections
def headline_section(result):
    rows = []
    for line in result['headline']:
        figure = number(line['figure']) + (f" {line['unit']}" if line['figure'] is not None and line['unit'] else '')
        if line.get('low') is not None:
            figure += f" ({number(line['low'])}-{number(line['high'])})"
        target = '-' if line['target'] is None else '≤ ' + number(line['target'])
        rows.append([line['what'], target, figure, line['verdict'] or '-', ' / '.join(name for name in line['rows'] if name)])
    return ['## Headline', '', 'Ratios are medians of the ratios of interleaved pairs, with their 95 % interval.', '',
            *grid(['what', 'target', 'measured', 'verdict', 'rows'], rows), '']


def bases_of(table):
    """Also the first of several swruns, so that they can be told apart."""
    several = [row for row in table['rows'] if row.startswith('swrun[')]
    return [base for base in BASES if base in table['rows']][:3] + several[:1]


def table_section(name, table):
    bases = bases_of(table)
    heads = ['row', 'median', 'p10', 'p90', 'gone', 'CPU', 'faults', *('x ' + base for base in bases)]
    rows = []
    for row, columns in sorted(table['rows'].items(), key=lambda item: item[1]['wall']['median']):
        wall = columns['wall']
        rows.append([row, number(wall['median']), number(wall['p10']), number(wall['p90']),
                     *(number(columns[figure]['median']) if columns[figure] else '-' for figure in ('gone', 'cpu')),
                     number(int(columns['faults']['median'])) if columns['faults'] else '-',
                     *('1' if base == row else ratio_text(pair_ratio(table, row, base)) for base in bases)])
    again = table['others'].get('retaken', 0)
    lines = [f'### {name}', '', f"{table['about']}. {table['rounds']} rounds, ms." +
             (f' Samples taken again, because the processors were given to another virtual machine meanwhile: {again}.' if again else ''),
             '', *grid(heads, rows), '']
    return lines + failures(table['failed'])


def failures(failed):
    lines = [f'- not measured: {row}: {one_line(why)}' for row, why in sorted(failed.items())]
    return lines + [''] if lines else []


def memory_section(result):
    lines = ['## Memory', '', 'MiB. PSS counts a page shared by n processes as 1/n in each. A server is every process of the launch that is not '
             'the program itself; idle is three seconds later.', ''] if result['memory'] else []
    for test, rows in result['memory'].items():
        good = {row: one for row, one in rows.items() if 'failed' not in one}
        lines += [f'### {test}', '', *grid(['row', 'ranks', 'servers', 'servers, PSS', 'servers, idle', 'all, PSS', 'all, private'], [
            [row, one['ranks'], one['servers'], number(one['server_pss_mib']), number(one.get('server_pss_idle_mib')),
             number(one['total_pss_mib']), number(one['total_private_mib'])] for row, one in sorted(good.items())]), '']
        lines += failures({row: one['failed'] for row, one in rows.items() if 'failed' in one})
        hidden = [row for row, one in good.items() if one['unreadable']]
        lines += [f"- some processes could not be looked into: {', '.join(hidden)}", ''] if hidden else []
    return lines


def counts_section(result):
    lines = ['## Counts', '', 'One launch each. Requests of other FUSE servers are counted by strace.', ''] if result['counts'] else []
    for test, rows in result['counts'].items():
        good = {row: one for row, one in rows.items() if 'failed' not in one}
        lines += [f'### counts: {test}', '', *grid(
            ['row', 'FUSE requests', 'blocks', 'twice', 'metadata', 'syscalls', 'page faults', 'switches', 'left'],
            [[row, *(number(one.get(name)) for name in ('requests', 'blocks', 'twice', 'metadata', 'syscalls', 'faults', 'switches', 'left'))]
             for row, one in sorted(good.items())]), '']
        for row, one in sorted(good.items()):
            if one.get('by_request'):
                kinds = sorted(one['by_request'].items(), key=lambda item: -item[1])
                lines += [f"- {row}: " + ', '.join(f'{kind} {times}' for kind, times in kinds)]
        lines += ['', *failures({row: one['failed'] for row, one in rows.items() if 'failed' in one})]
    return lines


def machine_section(result):
    facts, image, quiet = result['machine'], result['image'], result['quiet']
    lines = ['## Machine and content', '',
             f"- {facts['cpu']}, {facts['usable_processors']} of {facts['processors']} processors, governor {facts['governor']}, "
             f"virtual: {facts['virtual']}, {facts['memory_mib']} MiB",
             f"- Linux {facts['kernel']} ({facts['architecture']}), {facts['distribution']}, content on {image['file_system']}",
             f"- {image['given']} ({image['given_kind']}): squashfs, {image['compressor']}, blocks of {image['block_size'] >> 10} KiB, "
             f"{image['file_bytes'] / 1048576:.0f} MiB, {image['inodes']} inodes",
             f"- before the run: others used {quiet['used_share'] * 100:.1f} % of the processors, load {quiet['load_average']:.2f}; "
             f"seed {result['options']['seed']}", '']
    lines += [f"- {peer['name']}: {peer['version'] or 'version unknown'} ({peer['path']})" for peer in result['peers']['found']]
    lines += [f"- **missing** {peer['name']}: {peer['why']}; {peer['hint']}" for peer in result['peers']['missing']]
    return lines + [f'- {problem}' for problem in image.get('problems', [])] + ['']


def markdown(result):
    lines = [f"# swrun-bench, {result['when']}", '']
    if result['busy']:
        lines += ['> **The machine was busy: do not compare these times, and trust ratios little.**', *('> - ' + why for why in result['busy']), '']
    lines += headline_section(result)
    lines += ['## Times', ''] if result['tables'] else []
    for name, table in result['tables'].items():
        lines += table_section(name, table)
    lines += memory_section(result) + counts_section(result) + machine_section(result)
    return '\n'.join(lines).rstrip() + '\n'


# ------------------------------------------------------------------------------------------------ against an older run
def base_ratios(table):
    """{row: (base, ratio)} of one table: the only times that two runs may compare."""
    bases = bases_of(table)
    return {row: pair_ratio(table, row, bases[0]) for row in table['rows'] if bases and row != bases[0]}, bases[:1]


def change(old, new):
    """'faster', 'slower' or '' where the intervals of two ratios overlap."""
    if None in (old['low'], new['low']) or not (new['high'] < old['low'] or new['low'] > old['high']):
        return ''
    return 'faster' if new['median'] < old['median'] else 'slower'


def compare(old, new):
    """Markdown of what changed.  Ratios to a row that both runs have, and counts; never times, which depend on the day."""
    lines = ['# Compared with an older run', '', f"old: {old['when']}, new: {new['when']}. Ratios to the row named in the table, "
             'with their 95 % intervals; a verdict only where these do not overlap.', '']
    for fact in ('cpu', 'processors', 'kernel'):
        if old['machine'].get(fact) != new['machine'].get(fact):
            lines += [f"> **Another machine:** {fact} was {old['machine'].get(fact)}, is {new['machine'].get(fact)}", '']
    for side, run in (('old', old), ('new', new)):
        lines += [f'> **The machine was busy during the {side} run.**', ''] if run['busy'] else []
    for name in [name for name in new['tables'] if name in old['tables']]:
        (was, base), (now, same) = base_ratios(old['tables'][name]), base_ratios(new['tables'][name])
        rows = [[row, ratio_text(was[row]), ratio_text(now[row]), change(was[row], now[row]) or '-']
                for row in now if base == same and was.get(row) and now[row]]
        if rows:
            lines += [f'## {name}, x {base[0]}', '', *grid(['row', 'old', 'new', 'verdict'], rows), '']
    lines += compare_counts(old, new)
    return '\n'.join(lines).rstrip() + '\n'


def compare_counts(old, new):
    rows = []
    for test, now in new['counts'].items():
        for row, one in now.items():
            was = old['counts'].get(test, {}).get(row, {})
            for name in ('requests', 'blocks', 'twice', 'metadata', 'syscalls', 'left'):
                if was.get(name) is not None and one.get(name) is not None and was[name] != one[name]:
                    rows.append([f'{test}: {row}: {name}', was[name], one[name]])
    return ['## Counts that changed', '', *(grid(['what', 'old', 'new'], rows) if rows else ['None.']), '']
