"""What programs cost in slices of time, in which they take turns: what disturbs one, disturbs the next as well."""

import statistics
import time

from harness import machine
from harness.samples import middle


class Slices:
    """Of one program, or of some that are seen as one."""

    def __init__(self, upstream, programs):
        self.upstream, self.programs = upstream, programs
        # For each slice: CPU microseconds of an exchange, connections opened to the upstream for each, what of a core others used.
        self.costs, self.opened, self.noise = [], [], []

    def take(self, work, *helpers):
        """Has one more: what `work` has them do. `helpers` are programs that are no disturbance."""
        ours = [self.upstream, *self.programs, *helpers]
        before, done = self._cpu(), self.upstream.done()
        start, others = time.monotonic(), machine.others_seconds(*ours)
        work()
        others, taken = machine.others_seconds(*ours) - others, time.monotonic() - start
        requests, connections = (now - then for now, then in zip(self.upstream.done(), done))
        if requests < 10:
            raise SystemExit(f"{self.programs[0].name} forwards nothing")
        self.costs.append((self._cpu() - before) / requests * 1e6)
        self.opened.append(connections / requests)
        self.noise.append(max(0.0, others) / taken)

    def _cpu(self):
        return sum(program.cpu() for program in self.programs)

    def beside(self, other):
        """By what their costs are those of the other, which took its turns in the same rounds: the median, and where it lies in 19 of 20 draws."""
        return middle([cost / first for cost, first in zip(self.costs, other.costs)])

    def median(self):
        """The cost in the middle."""
        return statistics.median(self.costs)
