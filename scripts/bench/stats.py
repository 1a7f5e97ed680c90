"""Medians, their spread, and ratios of samples taken side by side.  Pure: numbers in, numbers out."""
import random
import statistics

RESAMPLES = 1000
ENOUGH = 5  # samples; of fewer no interval can be told


def quantile(values, share):
    """Between neighbours in proportion, as most programs do (type 7)."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def mad(values):
    """Median distance from the median: a spread that a few bad samples do not move."""
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values)


def summary(values):
    values = list(values)
    if not values:
        return None
    return {'n': len(values), 'median': statistics.median(values), 'p10': quantile(values, 0.1), 'p25': quantile(values, 0.25),
            'p90': quantile(values, 0.9), 'min': min(values), 'max': max(values), 'mad': mad(values)}


def bootstrap(values, seed=1, resamples=RESAMPLES, level=0.95):
    """(low, high) of the median; (None, None) where samples are too few to say."""
    values = list(values)
    if len(values) < ENOUGH:
        return None, None
    chance = random.Random(seed)
    medians = [statistics.median(chance.choices(values, k=len(values))) for _ in range(resamples)]
    return quantile(medians, (1 - level) / 2), quantile(medians, (1 + level) / 2)


def pairs(ours, theirs):
    """The ratios of the rounds in which both were measured; each side is {round: value}."""
    return [ours[number] / theirs[number] for number in sorted(ours) if theirs.get(number)]


def ratio(ours, theirs, seed=1):
    """Median of the paired ratios and where it lies with 95 % confidence; None without a common round."""
    found = pairs(ours, theirs)
    if not found:
        return None
    low, high = bootstrap(found, seed)
    return {'n': len(found), 'median': statistics.median(found), 'low': low, 'high': high}
