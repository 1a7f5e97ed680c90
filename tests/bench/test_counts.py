import unittest

from benchpath import targets
from bench import counts

TRACE = '''\
10 read(3</etc/passwd>, "root:x"..., 4096) = 6
11 read(5</dev/fuse>, "8\\0\\0\\0"..., 135168) = 56
11 read(5</dev/fuse>,  <unfinished ...>
12 read(5</dev/fuse>,  <unfinished ...>
10 read(3</etc/passwd>, "", 4096) = 0
12 <... read resumed>"0\\0\\0\\0"..., 135168) = 48
10 <... wait4 resumed>NULL, 0, NULL) = 11
11 <... read resumed>0x7f, 135168) = -1 ENODEV (No such device)
12 read(5</dev/fuse>, 0x7f, 135168) = -1 ENODEV (No such device)
13 splice(6</dev/fuse>, NULL, 9<pipe:[77]>, NULL, 135168, 0) = 80
13 readv(6</dev/fuse>, [{iov_base="x", iov_len=1}], 1) = 40
14 read(5</fuse<char 10:229>>, "x"..., 135168) = 40
'''
SUMMARY = '''\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 50.00    0.000100          10        12           mmap
 25.00    0.000050           5         7         3 openat
 25.00    0.000050           5         1           exit_group
------ ----------- ----------- --------- --------- ----------------
100.00    0.000200                    20         3 total
'''


class ServerStats(unittest.TestCase):
    def test_servers_of_one_launch_are_added_up(self):
        text = '{"requests":{"LOOKUP":3,"READ":1},"requests_total":4,"blocks_decoded":2}\n' \
               '{"requests":{"LOOKUP":2},"requests_total":2,"blocks_decoded":1}\n'
        self.assertEqual(counts.merge_stats(text), {'requests': {'LOOKUP': 5, 'READ': 1}, 'requests_total': 6, 'blocks_decoded': 3})

    def test_no_line_is_no_count(self):
        self.assertIsNone(counts.merge_stats(''))

    def test_half_a_line_is_an_error_and_not_a_count(self):
        with self.assertRaises(ValueError):
            counts.merge_stats('{"requests_total":')


class Strace(unittest.TestCase):
    def test_requests_are_successful_reads_of_the_device_also_interrupted_ones(self):
        self.assertEqual(counts.requests_in_trace(TRACE), 5)

    def test_calls(self):
        self.assertEqual(counts.calls_in_summary(SUMMARY), {'mmap': 12, 'openat': 7, 'exit_group': 1})


class Gate(unittest.TestCase):
    def test_a_figure_on_its_limit_is_good_and_one_that_was_not_counted_is_not(self):
        rows = counts.judge({'requests': 35, 'blocks': 21}, {'requests': 35, 'blocks': 20, 'twice': 0})
        self.assertEqual([(name, good) for name, _, _, good in rows], [('requests', True), ('blocks', False), ('twice', False)])

    def test_every_limit_has_a_figure_that_the_server_writes_or_the_harness_counts(self):
        self.assertEqual({figure for _, figure, _ in targets.COUNTS} - set(counts.FIGURES), {'left'})


if __name__ == '__main__':
    unittest.main()
