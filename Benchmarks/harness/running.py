"""A variant of `growth` that runs: its programs and their loads."""

from harness import growing, load
from harness.slices import Slices


class Running:
    """Programs that share what a variant asks of them."""

    def __init__(self, subject, variant):
        self.subject, self.variant, self.programs, self.loads, self.note = subject, variant, [], [], None
        self.slices = Slices(subject.upstream, self.programs)
        for _ in range(variant.programs):
            self.programs.append(subject.start(variant))
        if variant.keys > 1:
            program = self.programs[0]
            before = program.resident()
            growing.warm(program, variant.keys)
            if variant.keys > 100_000:
                self.note = f"{(program.resident() - before) / variant.keys:.0f} B of memory for each key"

    def connect(self):
        """Begins the loads; clients that stand still for long are closed as idle."""
        if not self.variant.rate:
            self.loads += [load.Sliced(program.port, directory=self.subject.run, **self.variant.load) for program in self.programs]

    def take(self, seconds, *helpers):
        """Lets it work for so long, and keeps what that took."""
        if self.variant.rate:
            self.slices.measure(lambda: self._constant(seconds), *helpers)
        else:
            self.slices.take(self.loads, seconds, *helpers)

    def _constant(self, seconds):
        for program in self.programs:
            seen = load.constant(program.port, self.variant.load["path"], self.variant.rate, seconds, connections=self.variant.connections)
            if seen["missing"] or seen["not_ok"]:
                raise SystemExit(f"{self.variant.name} failed: {seen}")

    def end(self):
        """Ends the loads; fails if one of them has seen what it should not."""
        for each in self.loads:
            load.accept(each.report(), self.variant.name, self.variant.rules > 0)

    def stop(self):
        """Ends all, whatever they saw."""
        for each in [*self.loads, *self.programs]:
            each.stop()
