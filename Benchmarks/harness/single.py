"""Exchanges one at a time, for what is counted."""

import os
import re
import subprocess

from harness import load, machine, peers
from harness.program import Program

KINDS = {
    "GET, 200": {"path": "/lemlist/ok"},
    "GET, 422 rewritten": {"path": "/lettr/error", "authorization": load.BEARER},
    "POST 1 KiB, 200": {"path": "/lemlist/post", "body": 1024},
}
EVERY_KIND = {**KINDS, "GET, 1 MiB": {"path": "/lemlist/big"}}


def one_after_another(port, count, path, authorization=load.BASIC, body=0):
    """So many requests over one connection, each behind the answer to the one before."""
    client = load.Standing(port, 1)
    method, length = ("POST", f"Content-Length: {body}\r\n") if body else ("GET", "")
    request = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n{length}\r\n".encode() + b"x" * body)
    for _ in range(count):
        client.sockets[0].sendall(request)
        client.read(client.sockets[0])
    client.close()


class Subject:
    """Weir in front of the upstream, perhaps below another program."""

    def __init__(self, run, upstream, weir):
        self.run, self.upstream, self.weir = run, upstream, weir

    def start(self, *before, environment=None, limits=None):
        """Starts it on the measured core."""
        port = machine.free_port()
        path = peers.filled("weir.yaml", self.run, PORT=port, UPSTREAM=self.upstream.port, LOG="off", **(limits or peers.FREE))
        command = [*before, self.weir, "run", "--config", path, "--log-level", "error"]
        return Program("weir", command, port, machine.cores()[1], environment, self.run)


def stripped(run, program, *options):
    """Without its debugger's information, some of which valgrind does not read."""
    result = os.path.join(run, "weir")
    subprocess.run(["strip", *options, "-o", result, program], check=True)
    return result


def instructions_of(start, work, run, counts=(500, 1500)):
    """Instructions in user space of what `work` does once: the difference of two runs under valgrind, in which it is told how often."""
    totals = []
    for count in counts:
        output = os.path.join(run, "callgrind")
        with start("valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", "--quiet") as program:
            work(program.port, count)
        with open(output, encoding="utf-8", errors="replace") as file:
            totals.append(int(re.search(r"^(?:totals|summary): (\d+)", file.read(), re.MULTILINE).group(1)))
    return (totals[1] - totals[0]) / (counts[1] - counts[0])
