import json
import os
import tempfile
import unittest

from benchpath import report, result, table, targets
from bench import cli

LAUNCHES = {'swrun SIF': [6.0, 6.2, 6.1, 6.3, 6.1], 'bwrap dir': [3.0, 3.1, 3.0, 3.2, 3.1], 'ch-run dir': [2.9, 3.0, 3.0, 3.1, 3.0]}


def line_of(lines, text):
    return next(line for line in lines if text in line['what'])


class Headline(unittest.TestCase):
    def test_met_missed_and_not_measured(self):
        made = result({'launch true': table(LAUNCHES), '64 at once': table({'swrun joined': [9, 9, 9], 'ch-run dir': [10, 10, 10]})},
                      gate={'requests': 62, 'blocks': 20, 'twice': 0, 'metadata': 18, 'left': 0})
        lines = made['headline']
        self.assertEqual(line_of(lines, 'bwrap')['verdict'], 'met')
        self.assertAlmostEqual(line_of(lines, 'bwrap')['figure'], 2.0, places=1)
        self.assertEqual(line_of(lines, '64 joined')['verdict'], 'missed')
        self.assertEqual(line_of(lines, 'kernel squashfs')['verdict'], 'not measured')
        self.assertEqual(line_of(lines, 'FUSE requests')['verdict'], 'missed')
        self.assertEqual(line_of(lines, 'data blocks')['verdict'], 'met')

    def test_processor_time_and_one_processor_have_lines_of_their_own(self):
        pinned = table(dict(LAUNCHES, **{'swrun uncompressed': [4.5, 4.6, 4.5, 4.4, 4.5]}))
        launches = table(LAUNCHES)
        launches['rows']['swrun SIF']['samples']['cpu'] = [12.0] * 5
        launches['rows']['bwrap dir']['samples']['cpu'] = [3.0] * 5
        lines = result({'launch true': launches, 'pinned true': pinned})['headline']
        compressed = line_of(lines, 'on one processor, image file')
        self.assertEqual((compressed['verdict'], compressed['rows']), ('met', ['swrun SIF', 'bwrap dir']))
        plain = line_of(lines, 'without compression')
        self.assertAlmostEqual(plain['figure'], 1.45, places=1)
        spent = line_of(lines, 'processor time of a cold `true`, against')
        self.assertEqual((spent['figure'], spent['verdict']), (4.0, 'missed'))
        self.assertEqual(line_of(result({})['headline'], 'processor time')['verdict'], 'not measured')

    def test_an_interval_over_the_limit_is_not_surely_met(self):
        self.assertEqual(targets.verdict(2.0, 2.2, 2.1), 'met')
        self.assertEqual(targets.verdict(2.0, 2.2, 2.4), 'met, not surely')
        self.assertEqual(targets.verdict(2.3, 2.2, 2.4), 'missed')
        self.assertEqual(targets.verdict(2.0, 2.2, None), 'met, not surely')
        self.assertEqual(targets.verdict(2.3, None, None), '')

    def test_the_last_of_several_swruns_is_meant(self):
        rows = dict.fromkeys(('swrun[old] SIF', 'swrun[new] SIF', 'swrun[old]', 'swrun[new]', 'bwrap dir'))
        self.assertEqual(targets.first(rows, ('swrun SIF',)), 'swrun[new] SIF')
        self.assertEqual(targets.first(rows, ('swrun',)), 'swrun[new]')
        self.assertEqual(targets.first(rows, ('ch-run dir', 'bwrap dir')), 'bwrap dir')
        self.assertIsNone(targets.first(rows, ('swrun joined',)))


class Markdown(unittest.TestCase):
    def test_says_loudly_that_the_machine_was_busy(self):
        self.assertIn('The machine was busy', report.markdown(result({}, busy=['others use 50 % of the processors'])))
        self.assertNotIn('The machine was busy', report.markdown(result({})))

    def test_a_table_in_which_others_worked_is_named(self):
        made = result({'launch true': table(LAUNCHES, others=0.3), 'launch sh': table(LAUNCHES)})
        self.assertEqual(report.busy_tables(made), ['launch true: others used 30 % of the processors'])

    def test_says_which_samples_were_taken_again(self):
        made = result({'launch true': table(LAUNCHES)})
        self.assertNotIn('taken again', report.markdown(made))
        made['tables']['launch true']['others']['retaken'] = 7
        self.assertIn('to another virtual machine meanwhile: 7.', report.markdown(made))

    def test_rows_ratios_failures_missing_peers_and_content(self):
        text = report.markdown(result({'launch true': table(LAUNCHES, failed={'apptainer -u SIF': 'status 255:\nno | luck'})},
                                      counts={'launch true': {'swrun SIF': {'requests': 62, 'by_request': {'READ': 28, 'LOOKUP': 30}}}},
                                      memory={'1 x sh': {'swrun SIF': {'ranks': 1, 'servers': 1, 'server_pss_mib': 4.6, 'total_pss_mib': 6,
                                                                       'total_private_mib': 5, 'unreadable': 0}}}))
        for part in ('| swrun SIF | 6.10 |', '2.00 (', '- not measured: apptainer -u SIF: status 255: no | luck', 'LOOKUP 30, READ 28',
                     '**missing** bwrap: not in PATH; apt install bubblewrap', 'blocks of 128 KiB', 'Abacus 9'):
            self.assertIn(part, text)

    def test_every_row_of_a_grid_has_all_cells(self):
        text = report.markdown(result({'launch true': table(LAUNCHES), 'walk, image cached': table({'swrun': [1, 1, 1], 'dir': [1, 2, 1]})}))
        width = None
        for line in text.splitlines():
            cells = line.count(' | ') if line.startswith('|') else None
            if cells is not None and width is not None and ' --- ' not in line:
                self.assertEqual(cells, width, line)
            width = cells if ' --- ' not in line else width

    def test_numbers(self):
        self.assertEqual([report.number(value) for value in (None, 3, 0.123, 12.34, 1234.5)], ['-', '3', '0.12', '12.3', '1234'])


class Compare(unittest.TestCase):
    def test_only_intervals_that_do_not_overlap_are_a_change(self):
        fast = dict(LAUNCHES, **{'swrun SIF': [4.0, 4.1, 4.0, 4.2, 4.1]})
        text = report.compare(result({'launch true': table(LAUNCHES)}), result({'launch true': table(fast)}))
        self.assertRegex(text, r'\| swrun SIF \| 2\.0\d \(.*\) \| 1\.3\d \(.*\) \| faster \|')
        self.assertRegex(text, r'\| ch-run dir \| .* \| - \|')

    def test_counts_that_changed(self):
        old, new = ({'launch true': {'swrun SIF': {'requests': requests, 'blocks': 15}}} for requests in (62, 30))
        text = report.compare(result({}, counts=old), result({}, counts=new))
        self.assertIn('| launch true: swrun SIF: requests | 62 | 30 |', text)
        self.assertNotIn('blocks |', text)

    def test_another_machine_and_a_busy_run_are_said(self):
        old = result({}, busy=['somebody'])
        old['machine']['cpu'] = 'Slide rule'
        text = report.compare(old, result({}))
        self.assertIn('**Another machine:** cpu was Slide rule, is Abacus 9', text)
        self.assertIn('busy during the old run', text)

    def test_results_survive_json_and_foreign_files_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'a.json')
            made = result({'launch true': table(LAUNCHES)})
            with open(path, 'w', encoding='utf-8') as out:
                json.dump(made, out)
            self.assertEqual(report.markdown(report.load(path)), report.markdown(made))
            for text in ('[]', '{}', '{"program": "swrun-bench", "schema": 99}', 'nothing'):
                with open(path, 'w', encoding='utf-8') as out:
                    out.write(text)
                with self.assertRaises(report.ReportError):
                    report.load(path)


class Arguments(unittest.TestCase):
    def test_a_command_means_launches_only(self):
        options = cli.parse(['a.sif', '--', 'python3', '-c', 'pass'])
        self.assertEqual((options.image, options.command, options.suite), ('a.sif', ['python3', '-c', 'pass'], ['launch']))
        self.assertEqual(cli.parse(['--suite', 'counts', '--', 'ls']).suite, ['counts'])

    def test_lists_labels_and_limits(self):
        options = cli.parse(['--at-once', '1,8', '--swrun', 'old=/a', '--swrun', '/b', '--gate-limit', 'requests=70'])
        self.assertEqual((options.at_once, options.swrun, options.gate_limit), ([1, 8], [('swrun[old]', '/a'), ('swrun', '/b')], [('requests', 70)]))

    def test_quick_is_at_least_what_an_interval_needs(self):
        self.assertEqual(cli.parse(['--quick', '--rounds', '1']).rounds, 3)

    def test_nonsense_is_wrong_usage(self):
        for argv in (['--suite', 'speed'], ['--at-once', '0'], ['--gate-limit', 'faults=3'], ['--rounds', 'x']):
            with self.assertRaises(SystemExit) as stop, open(os.devnull, 'w') as null, RedirectedErrors(null):
                cli.parse(argv)
            self.assertEqual(stop.exception.code, 2)


class RedirectedErrors:
    def __init__(self, out):
        self.out = out

    def __enter__(self):
        import sys
        self.kept, sys.stderr = sys.stderr, self.out

    def __exit__(self, *_):
        import sys
        sys.stderr = self.kept


if __name__ == '__main__':
    unittest.main()
