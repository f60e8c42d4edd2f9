"""What was measured, and how much others disturbed it."""

import random
import statistics
import time

from harness import machine

DRAWS = 4000


class Samples:
    """What was measured, by peer and scenario, and how much of a core others used meanwhile."""

    def __init__(self):
        self.found = {}

    def add(self, peer, scenario, noise=0.0, **values):
        """Keeps one sample."""
        self.found.setdefault((peer, scenario), []).append((noise, values))

    def values(self, peer, scenario, key):
        """Those of quiet moments, or else that of the least noisy one: a neighbour changes costs both ways."""
        samples = [(noise, values[key]) for noise, values in self.found.get((peer, scenario), []) if key in values]
        limit = max(machine.Quiet.LIMIT, min((noise for noise, _ in samples), default=0))
        return [value for noise, value in samples if noise <= limit]

    def least(self, peer, scenario, key):
        """The smallest of a value."""
        return min(self.values(peer, scenario, key))

    def most(self, peer, scenario, key):
        """The largest of a value."""
        return max(self.values(peer, scenario, key))

    def median(self, peer, scenario, key):
        """The value in the middle."""
        return statistics.median(self.values(peer, scenario, key))

    def noise(self, *which):
        """What the best sample was disturbed by, of this peer and scenario, or of the worst of all."""
        chosen = [self.found[which]] if which else self.found.values()
        return max(min(noise for noise, _ in samples) for samples in chosen)

    def loud(self):
        """How many samples of all do not count."""
        every = [noise > machine.Quiet.LIMIT for samples in self.found.values() for noise, _ in samples]
        return f"{sum(every)} of {len(every)}"


def disturbed(quiet, programs, work):
    """What `work` returns, and what of a core others used meanwhile; up to three times, until they leave it alone."""
    for _ in range(3):
        quiet.wait(*programs)
        before, others = time.monotonic(), machine.others_seconds(*programs)
        result = work()
        noise = max(0.0, machine.others_seconds(*programs) - others) / (time.monotonic() - before)
        if noise <= quiet.LIMIT or quiet.left <= 0:
            break
    return result, noise


def middle(values):
    """Their median, and where it lies in 19 of 20 draws of as many of them."""
    lot = random.Random(1)
    draws = sorted(statistics.median(lot.choices(values, k=len(values))) for _ in range(DRAWS))
    return statistics.median(values), draws[DRAWS // 40], draws[-1 - DRAWS // 40]
