"""Which samples count, on a virtual machine whose processors are given to others now and then."""
import unittest
from unittest import mock

from benchpath import machine


class Clock:
    """A machine of two processors.  Each sample takes `seconds`, of which the host steals the share that is next."""

    def __init__(self, steals, seconds=1.0):
        self.steals, self.seconds, self.taken = list(steals), seconds, 0
        self.now, self.worked, self.total, self.stolen = 0.0, 0, 0, 0

    def ticks(self):
        return self.worked, self.total, self.stolen

    def run(self, **more):
        steal = self.steals[self.taken]
        self.taken += 1
        ticks = round(self.seconds * machine.TICK)
        self.now += self.seconds
        self.total += 2 * ticks
        self.stolen += round(2 * ticks * steal)
        self.worked += ticks + round(2 * ticks * steal)
        return {'wall': self.now, 'cpu': self.seconds, **more}


class Samples(unittest.TestCase):
    def take(self, clock, **more):
        watch = machine.OthersWatch()
        with mock.patch.object(machine, 'busy_ticks', clock.ticks):
            return watch.take(lambda: clock.run(**more)), watch

    def test_one_that_nobody_disturbed_counts(self):
        clock = Clock([0.03])
        sample, watch = self.take(clock)
        self.assertEqual((sample['wall'], watch.retaken), (1.0, 0))
        self.assertAlmostEqual(watch.result()['others_share'], 0.03, 2)

    def test_one_that_was_disturbed_is_taken_again_and_not_accounted_for(self):
        clock = Clock([0.4, 0.0])
        sample, watch = self.take(clock, left=1)
        self.assertEqual((sample['wall'], watch.retaken, watch.left), (2.0, 1, 1))
        self.assertAlmostEqual(watch.result()['others_share'], 0.0, 2)

    def test_twice_at_most(self):
        clock = Clock([0.4, 0.4, 0.4, 0.0])
        sample, watch = self.take(clock)
        self.assertEqual((sample['wall'], watch.retaken), (3.0, 2))
        self.assertAlmostEqual(watch.result()['others_share'], 0.4, 2)

    def test_not_a_short_one_nor_one_that_failed(self):
        for clock, more in ((Clock([0.4, 0.0], seconds=0.02), {}), (Clock([0.4, 0.0]), {'failed': 'no such file'})):
            _, watch = self.take(clock, **more)
            self.assertEqual((clock.taken, watch.retaken), (1, 0))


if __name__ == '__main__':
    unittest.main()
