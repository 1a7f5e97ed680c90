import unittest

from benchpath import stats


class Quantiles(unittest.TestCase):
    def test_between_two_samples_in_proportion(self):
        self.assertEqual(stats.quantile([10, 20], 0.5), 15)
        self.assertEqual(stats.quantile([30, 10, 20], 0.5), 20)
        self.assertAlmostEqual(stats.quantile(list(range(11)), 0.9), 9)
        self.assertEqual(stats.quantile([4], 0.1), 4)

    def test_ends(self):
        self.assertEqual((stats.quantile([3, 1, 2], 0), stats.quantile([3, 1, 2], 1)), (1, 3))

    def test_one_bad_sample_does_not_move_the_spread(self):
        self.assertEqual(stats.mad([10, 11, 9, 10, 1000]), 1)

    def test_summary(self):
        found = stats.summary(value for value in (5.0, 1.0, 3.0))
        self.assertEqual((found['n'], found['median'], found['min'], found['max']), (3, 3.0, 1.0, 5.0))
        self.assertIsNone(stats.summary([]))


class Ratios(unittest.TestCase):
    def test_only_rounds_that_both_have_count(self):
        self.assertEqual(stats.pairs({0: 10, 1: 20, 2: 30}, {1: 10, 2: 10, 3: 1}), [2, 3])

    def test_a_division_by_nothing_is_no_pair(self):
        self.assertEqual(stats.pairs({0: 1, 1: 4}, {0: 0, 1: 2}), [2])

    def test_pairs_take_out_what_hits_a_whole_round(self):
        """Load that triples both sides of a round leaves the paired ratio alone."""
        load = [1, 3, 1, 5, 2, 1, 4]
        ours = {number: 2.0 * times for number, times in enumerate(load)}
        theirs = {number: 1.0 * times for number, times in enumerate(load)}
        found = stats.ratio(ours, theirs)
        self.assertEqual((found['n'], found['median'], found['low'], found['high']), (7, 2.0, 2.0, 2.0))

    def test_without_a_common_round_there_is_no_ratio(self):
        self.assertIsNone(stats.ratio({0: 1}, {1: 1}))

    def test_a_few_pairs_have_no_interval(self):
        found = stats.ratio({0: 2, 1: 4, 2: 3, 3: 3}, {0: 1, 1: 1, 2: 1, 3: 1})
        self.assertEqual((found['median'], found['low'], found['high']), (3, None, None))


class Bootstrap(unittest.TestCase):
    def test_interval_holds_the_median_and_narrows_with_samples(self):
        few, many = [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0] * 40
        for values in (few, many):
            low, high = stats.bootstrap(values)
            self.assertTrue(low <= 3.0 <= high)
        self.assertLess(stats.bootstrap(many)[1] - stats.bootstrap(many)[0], stats.bootstrap(few)[1] - stats.bootstrap(few)[0])

    def test_the_same_samples_give_the_same_interval(self):
        values = [3.1, 2.2, 5.9, 4.4, 3.3]
        self.assertIsNotNone(stats.bootstrap(values)[0])
        self.assertEqual(stats.bootstrap(values), stats.bootstrap(values))


if __name__ == '__main__':
    unittest.main()
