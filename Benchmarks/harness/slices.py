"""What programs cost in slices of time, in which they take turns: what disturbs one, disturbs the next as well."""

import statistics
import time

from harness import load, machine
from harness.samples import middle

# Of more connections, what is measured begins so many seconds after they go on.
MANY, LEAD = 1000, 1


class Slices:
    """Of one program, or of some that are seen as one."""

    def __init__(self, upstream, programs):
        self.upstream, self.programs = upstream, programs
        # For each slice: CPU microseconds of an exchange, connections opened to the upstream for each, what of a core others used.
        self.costs, self.opened, self.noise = [], [], []

    def take(self, loads, seconds, *helpers):
        """Has one more: lets loads go on for so long. `helpers` are programs that are no disturbance."""
        ours = [*helpers, *(each.wrk for each in loads)]
        if sum(each.connections for each in loads) > MANY:
            # All of them ask at once when they go on: that is another load than the one behind it.
            load.go_on(loads)
            time.sleep(LEAD)
            self.measure(lambda: time.sleep(seconds), *ours)
            load.halt(loads)
            self._rest()
        else:
            self.measure(lambda: self._slice(loads, seconds), *ours)

    def _slice(self, loads, seconds):
        load.go_on(loads)
        time.sleep(seconds)
        load.halt(loads)
        self._rest()

    def measure(self, work, *helpers):
        """Keeps what they cost while `work` is done."""
        ours = [self.upstream, *self.programs, *helpers]
        before, done = self._cpu(), self.upstream.done()
        start, others = time.monotonic(), machine.others_seconds(*ours)
        work()
        others, taken = machine.others_seconds(*ours) - others, time.monotonic() - start
        after = self._cpu()
        requests, connections = (count - former for count, former in zip(self.upstream.done(), done))
        if requests < 10:
            raise SystemExit(f"{self.programs[0].name} forwards nothing")
        self.costs.append((after - before) / requests * 1e6)
        self.opened.append(connections / requests)
        self.noise.append(max(0.0, others) / taken)

    def _cpu(self):
        return sum(program.cpu() for program in self.programs)

    def _rest(self, patience=100):
        """Waits until they have nothing to do: thousands of requests may be under way when a load stops."""
        while patience > 0:
            before, patience = self._cpu(), patience - 1
            time.sleep(0.02)
            if self._cpu() - before < 0.0005:
                return

    def beside(self, other):
        """By what their costs are those of the other, which took its turns in the same rounds: the median, and where it lies in 19 of 20 draws."""
        return middle([cost / first for cost, first in zip(self.costs, other.costs)])

    def median(self):
        """The cost in the middle."""
        return statistics.median(self.costs)
