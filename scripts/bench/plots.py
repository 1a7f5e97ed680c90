"""Pictures of a result, by matplotlib where it is installed."""
import os


def available():
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use('Agg')
    return True


def color(row):
    return '#c0392b' if row.startswith('swrun') else '#5d6d7e'


def draw_table(pyplot, name, table, path):
    rows = sorted(table['rows'].items(), key=lambda item: item[1]['wall']['median'], reverse=True)
    figure, axes = pyplot.subplots(figsize=(7, 0.9 + 0.34 * len(rows)))
    middle = [one['wall']['median'] for _, one in rows]
    spread = [[value - one['wall']['p10'] for value, (_, one) in zip(middle, rows)],
              [one['wall']['p90'] - value for value, (_, one) in zip(middle, rows)]]
    axes.barh([row for row, _ in rows], middle, xerr=spread, color=[color(row) for row, _ in rows], ecolor='#222222', capsize=2, height=0.7)
    for place, value in enumerate(middle):
        axes.text(value, place + 0.1, f' {value:.1f}', va='bottom', fontsize=7)
    axes.set_xlabel('ms: median, p10 to p90')
    axes.set_title(name, fontsize=10)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def draw_at_once(pyplot, tables, path):
    lines = {}
    for count, table in sorted(tables.items()):
        for row, one in table['rows'].items():
            lines.setdefault(row, []).append((count, one['wall']['median']))
    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    colors = pyplot.get_cmap('tab20')
    for number, (row, points) in enumerate(lines.items()):
        axes.plot([x for x, _ in points], [y for _, y in points], marker='o', markersize=3, label=row, color=colors(number % 20),
                  linewidth=2 if row.startswith('swrun') else 1)
    axes.set(xscale='log', yscale='log', xlabel='launches at once', ylabel='ms until the last has ended')
    axes.set_xticks(sorted(tables))
    axes.set_xticklabels([str(count) for count in sorted(tables)])
    axes.legend(fontsize=7)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def draw(result, folder, kinds=('svg', 'png')):
    """The files that it made."""
    from matplotlib import pyplot
    made = []
    for kind in kinds:
        for name, table in result['tables'].items():
            if table['rows'] and not name.endswith('at once'):
                made.append(os.path.join(folder, name.replace(',', '').replace(' ', '-') + '.' + kind))
                draw_table(pyplot, name, table, made[-1])
        crowds = {int(name.split()[0]): table for name, table in result['tables'].items() if name.endswith('at once')}
        if len(crowds) > 1:
            made.append(os.path.join(folder, 'at-once.' + kind))
            draw_at_once(pyplot, crowds, made[-1])
    return made
