"""The measuring process, with ordinary programs of the host."""
import os
import pwd
import time
import unittest

import benchpath  # noqa: F401
from bench.worker import Worker, WorkerError

NAME = pwd.getpwuid(os.geteuid()).pw_name


class Launches(unittest.TestCase):
    def setUp(self):
        self.worker = Worker(NAME)
        self.addCleanup(self.worker.close)

    def test_what_is_left_behind_is_waited_for_and_added_up(self):
        sample = self.worker.ask('launch', argv=['sh', '-c', '(sleep 0.3; exit 3) >/dev/null 2>&1 &'])
        self.assertNotIn('failed', sample, 'the status is that of the program, not of what it leaves')
        self.assertLess(sample['wall'], 0.25)
        self.assertGreaterEqual(sample['gone'], 0.3)
        self.assertEqual(sample['left'], 0)
        self.assertGreater(sample['faults'], 0)

    def test_what_does_not_go_is_counted_and_ended(self):
        sample = self.worker.ask('launch', argv=['sh', '-c', 'sleep 77 & sleep 77 &'], limit=0.5)
        self.assertEqual(sample['left'], 2)
        self.assertEqual(self.worker.ask('settle')['left'], 0)

    def test_a_program_that_hangs_is_a_failure_and_nothing_left_behind(self):
        begun = time.monotonic()
        sample = self.worker.ask('launch', argv=['sleep', '77'], limit=0.5)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertIn('did not end', sample['failed'])
        self.assertEqual(sample['left'], 0)

    def test_a_failure_has_the_programs_words(self):
        sample = self.worker.ask('launch', argv=['sh', '-c', 'echo no luck >&2; exit 9'])
        self.assertEqual(sample['failed'], 'status 9: no luck')
        self.assertNotIn('failed', self.worker.ask('launch', argv=['true']))

    def test_all_of_a_pinned_launch_has_one_processor(self):
        for what in ('test $(nproc) = 1', 'sh -c "test \\$(nproc) = 1"'):
            self.assertNotIn('failed', self.worker.ask('launch', argv=['sh', '-c', what], pinned=True))
        usable = len(os.sched_getaffinity(0))
        self.assertNotIn('failed', self.worker.ask('launch', argv=['sh', '-c', f'test $(nproc) = {usable}']), 'only that one')

    def test_processor_time_is_that_of_all_processes_of_a_launch(self):
        spin = 'i=0; while test $i -lt 20000; do i=$((i+1)); done'
        alone = self.worker.ask('launch', argv=['sh', '-c', spin])
        behind = self.worker.ask('launch', argv=['sh', '-c', f'({spin}) >/dev/null 2>&1 &'])
        self.assertGreater(behind['cpu'], alone['cpu'] / 4, 'though its parent has not waited for it')

    def test_many_at_once(self):
        begun = time.monotonic()
        sample = self.worker.ask('launch', argv=['sleep', '0.5'], count=8)
        self.assertGreaterEqual(sample['wall'], 0.5)
        self.assertLess(time.monotonic() - begun, 3.5, 'not one after the other')

    def test_one_bad_launch_of_many_is_a_failure(self):
        sample = self.worker.ask('launch', argv=['sh', '-c', 'exit $(($$ % 2 + 1))'], count=4)
        self.assertIn('failed', sample)

    def test_variables_reach_the_program(self):
        self.assertEqual(self.worker.ask('run', argv=['sh', '-c', 'echo $NEWS'], env={'NEWS': 'good'})['out'], 'good\n')

    def test_held_processes_outlive_launches_and_end_when_released(self):
        held = self.worker.ask('hold', name='a', argv=['sh', '-c', 'echo ready; read x'], count=3)
        self.assertEqual(len(held['direct']), 3)
        self.assertLessEqual(set(held['direct']), set(held['pids']))
        sample = self.worker.ask('launch', argv=['true'])
        self.assertEqual(sample['left'], 0)
        self.assertTrue(all(os.path.exists(f'/proc/{pid}') for pid in held['direct']))
        self.worker.ask('release', name='a')
        self.assertFalse(any(os.path.exists(f'/proc/{pid}') for pid in held['direct']))

    def test_what_a_holder_leaves_is_waited_for_when_it_was_released(self):
        self.worker.ask('hold', name='a', argv=['sh', '-c', '(sleep 0.5) >/dev/null 2>&1 & echo ready; read x'])
        self.worker.ask('release', name='a')
        begun = time.monotonic()
        self.assertEqual(self.worker.ask('settle')['left'], 0)
        self.assertGreater(time.monotonic() - begun, 0.1)

    def test_holding_what_ends_at_once_fails_with_its_words(self):
        self.assertEqual(self.worker.ask('hold', name='a', argv=['sh', '-c', 'echo nothing here >&2; exit 1']), {'failed': 'nothing here'})

    def test_something_that_stays_is_not_waited_for(self):
        begun = time.monotonic()
        self.assertNotIn('failed', self.worker.ask('launch', argv=['sh', '-c', 'sleep 5 >/dev/null 2>&1 &'], stays=True))
        self.assertEqual(self.worker.ask('launch', argv=['true'])['left'], 0)
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(self.worker.ask('settle')['left'], 0, 'it may stay')
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(self.worker.ask('settle', limit=0.1, everything=True)['left'], 1)

    def test_a_program_that_is_not_there(self):
        with self.assertRaisesRegex(WorkerError, 'No such file'):
            self.worker.ask('launch', argv=['/no/such/program'])


if __name__ == '__main__':
    unittest.main()
