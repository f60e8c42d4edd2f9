"""The variants of Weir, and of nginx beside it, that `growth` compares."""

import dataclasses
import os
import subprocess
import time

from harness import load, machine, peers, tools
from harness.program import Program
from harness.single import instructions_of

MANY = os.path.join(tools.HERE, "harness", "many.lua")
LIMITS = "limits: { connections: 100000, keys: 1000000, queue: 100000, request_head: 12KiB }"


@dataclasses.dataclass(frozen=True)
class Variant:
    """A configuration and a load."""

    name: str
    connections: int = 32
    providers: int = 1
    keys: int = 1
    rules: int = 0
    same_status: bool = False
    log: str = "off"
    workers: int = 1
    # How many such programs share the connections.
    programs: int = 1
    # Requests a second, instead of as many as are answered.
    rate: int = 0
    # Whether it may use the core of the load as well.
    both_cores: bool = False
    # Whether its instructions are counted.
    counted: bool = False
    program: str = "weir"
    why: str = ""

    @property
    def load(self):
        """What `saturate` is told."""
        connections = self.connections // self.programs
        if self.program == "nginx":
            return {"path": "/lemlist/ok", "connections": connections}
        if self.rules:
            return {"path": "/p0/error", "connections": connections, "authorization": load.BEARER}
        if self.rate:
            return {"path": "/p0/ok"}
        return {"path": "/ok", "connections": connections, "script": MANY, "body": f"{self.providers} {self.keys}"}

    def path(self, number):
        """What the request of this number asks for, when they are made one at a time."""
        return "/p0/error" if self.rules else f"/p{number % self.providers}/ok"

    def configuration(self, port, upstream, run):
        """The text of Weir's configuration; a profile is written beside it."""
        profile = "generic"
        if self.rules:
            profile = os.path.join(run, f"{port}-profile.yaml")
            with open(profile, "w", encoding="utf-8") as file:
                file.write(self.profile())
        access = "off" if self.log == "off" else "on"
        lines = [f"listen: 127.0.0.1:{port}", f"workers: {self.workers}", f"log: {{ access: {access} }}", LIMITS, "providers:"]
        for number in range(self.providers):
            lines.append(
                f"  p{number}: {{ profile: {profile}, upstream: 'http://127.0.0.1:{upstream}', max_wait: 0s, "
                "limits: [{ requests: 10000000, per: 1h, by: credential }] }")
        return "\n".join(lines) + "\n"

    def profile(self):
        """A profile of which the last rule knows the answer."""
        lines = ["name: many", "rules:"]
        for number in range(self.rules - 1):
            status = 422 if self.same_status else 400 + (number * 7) % 200
            lines.append(f"  - {{ name: rule {number}, when: {{ status: {status}, message: {{ starts_with: sentence {number} }} }}, is: conflict }}")
        lines.append("  - { name: last, when: { status: 422, message: { starts_with: validation } }, is: validation_failed }")
        return "\n".join(lines) + "\n"


LONGER = "the same is done; it takes longer where no cache has it"
SWITCHED = "each has half of the requests, does fewer in a turn, and gives the core to the other in between"
CROWDED = "the second shares its core with the load and the upstream"
GROUPS = {
    "connections": [
        Variant("32", counted=True), Variant("1", connections=1, counted=True, why="each event is waited for by itself; no two are done in one turn"),
        Variant("512", connections=512, counted=True, why=LONGER), Variant("4096", connections=4096, counted=True, why=LONGER),
        *(Variant(f"{count}, nginx", connections=count, program="nginx") for count in (32, 1, 512, 4096))],
    "providers": [Variant("1", counted=True), Variant("200", providers=200, counted=True, why=LONGER)],
    "rules": [
        Variant("10", rules=10, counted=True), Variant("1000", rules=1000, counted=True),
        Variant("10 about the status", rules=10, same_status=True, counted=True),
        Variant("1000 about the status", rules=1000, same_status=True, counted=True, why="each rule about the status is tried in its turn")],
    "keys": [Variant("1"), Variant("10³", keys=1000), Variant("10⁶", keys=999_000)],
    "log": [
        Variant("off"), Variant("/dev/null", log="null"), Variant("a pipe", log="pipe")],
    "workers": [
        Variant("1", counted=True), Variant("2 on its core", workers=2, counted=True, why=SWITCHED), Variant("two programs on its core", programs=2, why=SWITCHED),
        Variant("2 on both", workers=2, both_cores=True, why=CROWDED),
        Variant("two programs on both", programs=2, both_cores=True, why=CROWDED),
        Variant("1, nginx", program="nginx"), Variant("2 on its core, nginx", workers=2, program="nginx"),
        Variant("2 on both, nginx", workers=2, both_cores=True, program="nginx")],
    "workers at 2000/s": [
        Variant(f"{name}{of}", workers=workers, both_cores=both, rate=2000, program=program)
        for program, of in (("weir", ""), ("nginx", ", nginx"))
        for name, workers, both in (("1", 1, False), ("2 on its core", 2, False), ("2 on both", 2, True))],
}


class Subject:
    """Starts variants."""

    def __init__(self, run, upstream, weir, stripped):
        self.run, self.upstream, self.weir, self.stripped = run, upstream, weir, stripped
        self.readers = []

    def started(self, path, port):
        """A running Weir with this configuration."""
        return Program("weir", [self.weir, "run", "--config", path, "--log-level", "error"], port, machine.cores()[1], directory=self.run)

    def configured(self, variant, port):
        """The path of Weir's configuration for this variant."""
        path = os.path.join(self.run, f"{port}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(variant.configuration(port, self.upstream.port, self.run))
        return path

    def start(self, variant):
        """The variant, running."""
        port = machine.free_port()
        core = set(machine.cores()) if variant.both_cores else machine.cores()[1]
        if variant.program == "nginx":
            path = peers.filled("nginx.conf", self.run, PORT=port, UPSTREAM=self.upstream.port, LOG="off", WORKERS=variant.workers)
            return Program("nginx", peers.nginx(path, self.run), port, core, directory=self.run)
        log = {"pipe": os.path.join(self.run, f"{port}.pipe"), "null": "/dev/null"}.get(variant.log)
        if variant.log == "pipe":
            os.mkfifo(log)
            # It ends with the program that writes to it. pylint: disable-next=consider-using-with
            self.readers.append(subprocess.Popen(["taskset", "-c", str(machine.cores()[0]), "sh", "-c", f"exec cat '{log}' >/dev/null"]))
        command = [self.weir, "run", "--config", self.configured(variant, port), "--log-level", "error" if variant.log == "off" else "info"]
        return Program("weir", command, port, core, directory=self.run, errors=log)

    def end_readers(self):
        """Waits for those that read a log, whose writers are gone."""
        for reader in self.readers:
            reader.wait(10)
        self.readers = []


def instructions(subject, variant):
    """Instructions of an exchange in user space, those that fill memory left out; one at a time, over all connections and to all providers in turn."""
    turn = max(variant.connections, variant.providers)

    def start(*before):
        port = machine.free_port()
        command = [*before, subject.stripped, "run", "--config", subject.configured(variant, port), "--log-level", "error"]
        return Program("weir", command, port, machine.cores()[1], directory=subject.run)

    def work(port, count):
        clients = load.Standing(port, variant.connections)
        for number in range(turn + count):
            client = clients.sockets[number % variant.connections]
            clients.send(client, variant.path(number))
            clients.read(client)
        clients.close()

    return instructions_of(start, work, subject.run)[0]


def warm(weir, keys):
    """Asks with every key once, at least."""
    end = time.monotonic() + 180
    asked = 0
    while asked < 1.02 * keys and time.monotonic() < end:
        left = max(2, int((1.02 * keys - asked) / 20000))
        seen = load.saturate(weir.port, "/ok", left, script=MANY, body=f"1 {keys} once {asked}")
        asked += seen["requests"]


def queue(subject, count=10_000):
    """What a waiting request costs in memory, and what it changes for those that do not wait."""
    port = machine.free_port()
    run = subject.run
    path = os.path.join(run, f"{port}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([
            f"listen: 127.0.0.1:{port}", "workers: 1", "log: { access: off }",
            "limits: { connections: 100000, queue: 100000, client_idle: 10m }", "providers:",
            f"  p0: {{ profile: generic, upstream: 'http://127.0.0.1:{subject.upstream.port}' }}",
            f"  slow: {{ profile: generic, upstream: 'http://127.0.0.1:{subject.upstream.port}', max_wait: 1h, "
            "limits: [{ requests: 3, per: 1s, by: provider }] }", ""]))
    program = subject.started(path, port)
    with program as weir:
        tools.say(f"{count} waiting requests")
        one = {"path": "/p0/ok"}
        load.saturate(port, seconds=1, **one)
        start = weir.resident()
        clients = load.Standing(port, count, "/p0/ok")
        before = cost(weir, one)
        # Memory of idle connections is given back after a while.
        time.sleep(3)
        idle = weir.resident()
        for client in clients.sockets:
            clients.send(client, "/slow/ok")
        waiting = settled(weir, count)
        # So is that of requests that wait.
        time.sleep(3)
        held = weir.resident()
        after = cost(weir, one)
        clients.close()
    return (f"{waiting} requests waiting: {(idle - start) / count / 1024:.1f} KiB for each connection that stands, "
            f"{(held - idle) / waiting / 1024:.2f} KiB more for each request that waits on it. "
            f"A request that does not wait costs {before:.1f} µs without them and {after:.1f} µs with them.")


def cost(weir, options):
    """The least CPU microseconds per request of three samples."""
    found = []
    for _ in range(3):
        before = weir.cpu()
        seen = load.saturate(weir.port, seconds=1, **options)
        found.append((weir.cpu() - before) / seen["requests"] * 1e6)
    return min(found)


def settled(weir, count, patience=30):
    """Waits until so many requests wait; how many do."""
    end = time.monotonic() + patience
    while True:
        text = load.ask(weir.port, "/metrics")[2].decode()
        line = next(line for line in text.splitlines() if line.startswith('weir_queue_depth{provider="slow"}'))
        waiting = int(float(line.split()[-1]))
        # Three a second go on.
        if waiting >= 0.99 * count or time.monotonic() > end:
            return waiting
        time.sleep(0.2)
