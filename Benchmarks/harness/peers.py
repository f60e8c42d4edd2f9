"""The upstream, and those that stand in front of it: all do the same work, and each is checked before it is measured."""

import json
import os

from harness import load, machine, tools
from harness.program import Program

SMALL = json.dumps([{"_id": f"cam_{number:016d}", "name": "Product Launch", "status": "running"} for number in range(7)])
ERROR = json.dumps({"message": "Validation failed.", "error_code": "validation_error", "errors": {
    "to.0": ["The to.0 must be a valid email address."], "subject": ["The subject field is required."]}})
BIG = 1 << 20
# Of Weir's configuration: a limit that nobody reaches, and one behind which requests wait.
FREE = {"LIMIT": 1_000_000, "WAIT": "0s"}
QUEUED = {"LIMIT": 4000, "WAIT": "1m"}


def filled(name, run, **values):
    """A file of `peers/` with its places filled in, as a path."""
    with open(os.path.join(tools.HERE, "peers", name), encoding="utf-8") as file:
        text = file.read()
    values.update(RUN=run, HERE=os.path.join(tools.HERE, "peers"))
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = os.path.join(run, f"{values.get('PORT', '')}-{os.path.basename(name)}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def nginx(path, run):
    """The command that runs nginx with a configuration."""
    return ["nginx", "-p", run, "-c", path, "-e", "stderr"]


class Upstream(Program):
    """The provider, on the core of the load."""

    def __init__(self, run):
        with open(os.path.join(run, "big"), "wb") as file:
            file.write(os.urandom(BIG))
        port = machine.free_port()
        path = filled("upstream.conf", run, PORT=port, SMALL=SMALL, ERROR=ERROR)
        self.asked = 0
        super().__init__("upstream", nginx(path, run), port, machine.cores()[0], directory=run)

    def done(self):
        """How many requests and connections it has taken, but for those that ask it this; only differences count."""
        self.asked += 1
        lines = load.ask(self.port, "/status")[2].split(b"\n")
        accepted, _, requests = map(int, lines[2].split())
        return requests - self.asked, accepted - self.asked


class Peers:
    """Starts peers by name, each on the measured core."""

    def __init__(self, run, upstream_port, weir, plain=None):
        self.run = run
        self.upstream = upstream_port
        self.weir = {"weir": weir, "weir-plain": plain}
        self.envoy = None

    def names(self):
        """Those that can be had here."""
        self.envoy = tools.envoy()
        return ["nginx-lua", "haproxy-lua"] + (["envoy-lua"] if self.envoy else []) + [name for name, program in self.weir.items() if program]

    def start(self, name):
        """A peer that listens and does its work."""
        port = machine.free_port()
        places = {"PORT": port, "UPSTREAM": self.upstream, "WORKERS": 1, **FREE}
        source = {"nginx-lua": "nginx.conf", "haproxy-lua": "haproxy.cfg", "envoy-lua": "envoy.yaml"}.get(name, "weir.yaml")
        if name == "nginx-lua" or name in self.weir:
            places["LOG"] = "off"
        else:
            places.update(LOG="", LOGGED="")
        path = filled(source, self.run, **places)
        command = {
            "nginx-lua": nginx(path, self.run),
            "haproxy-lua": ["haproxy", "-db", "-f", path],
            "envoy-lua": [self.envoy, "-c", path, "--concurrency", "1", "--log-level", "error", "--base-id", str(port % 1000)],
        }.get(name) or [self.weir[name], "run", "--config", path, "--log-level", "error"]
        peer = Program(name, command, port, machine.cores()[1], directory=self.run)
        self.check(peer)
        return peer

    @staticmethod
    def check(peer):
        """Fails unless the peer does all of the work."""
        def expect(holds, what, answer):
            if not holds:
                peer.stop()
                raise SystemExit(f"{peer.name} {what}: {answer}")

        answer = load.ask(peer.port, "/lemlist/ok")
        expect(answer[0] == 200 and answer[2] == SMALL.encode(), "does not hand on an answer", answer)
        answer = load.ask(peer.port, "/lemlist/post", "POST", b"x" * 1024)
        expect(answer[0] == 200 and answer[2] == b'{"ok":true}', "does not hand on a body", answer)
        answer = load.ask(peer.port, "/lemlist/big")
        expect(answer[0] == 200 and len(answer[2]) == BIG, "does not hand on a large answer", answer[:2])
        answer = load.ask(peer.port, "/lettr/error", authorization=load.BEARER)
        problem = json.loads(answer[2])
        expect(
            answer[0] == 422 and answer[1].get("content-type", "").startswith("application/problem+json")
            and problem["code"] == "validation_failed" and problem["provider"] == "lettr" and len(problem["fields"]) == 2,
            "makes no problem of an error", answer)
        answer = load.ask(peer.port, "/lemlist/text")
        expect(json.loads(answer[2])["detail"] == "Bad team", "makes no problem of a text", answer)
