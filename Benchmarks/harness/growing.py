"""The variants of Weir that `growth` compares."""

import dataclasses
import os
import time

from harness import load, machine, tools

MANY = os.path.join(tools.HERE, "harness", "many.lua")
LIMITS = "limits: { connections: 100000, keys: 1000000, queue: 100000, request_head: 12KiB }"


@dataclasses.dataclass
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
    why: str = ""

    @property
    def load(self):
        """What `saturate` is told."""
        if self.rules:
            return {"path": "/p0/error", "connections": self.connections, "authorization": load.BEARER}
        return {"path": "/ok", "connections": self.connections, "script": MANY, "body": f"{self.providers} {self.keys}"}

    def configuration(self, port, upstream, run):
        """The text of the configuration; a profile is written beside it."""
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


GROUPS = {
    "connections": [
        Variant("32"), Variant("1", connections=1, why="each event is waited for by itself; no two are done in one turn"),
        Variant("512", connections=512), Variant("4096", connections=4096)],
    "providers": [Variant("1"), Variant("200", providers=200)],
    "rules": [
        Variant("10", rules=10), Variant("1000", rules=1000), Variant("10 about the status", rules=10, same_status=True),
        Variant("1000 about the status", rules=1000, same_status=True, why="each rule about the status is tried in its turn")],
    "keys": [Variant("1"), Variant("10³", keys=1000), Variant("10⁶", keys=999_000)],
    "log": [
        Variant("off"), Variant("/dev/null", log="null"), Variant("a pipe", log="pipe")],
    "workers": [
        Variant("1"), Variant("2", workers=2, why="the second shares its core with the load and the upstream")],
}


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
