"""Exchanges one at a time, for what is counted."""

import collections
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


# glibc's functions that fill memory. On most processors they have one instruction for a long block (`rep stosb`), which valgrind counts
# once for each byte, while the processor writes 32 bytes or more in the time of one or two others.
FILLING = re.compile(r"^(?:__)?(?:bzero|(?:wmem|mem)set(?:_chk)?(?:_\w+)?)(?:'\d+)?(?:@\S+)?$")


def costs_by_function(file):
    """The instructions of each function in a file of callgrind's, without those that it calls."""
    costs, names, function, is_call = collections.Counter(), {}, None, False
    for line in file:
        if line.startswith("fn="):
            number, name = re.fullmatch(r"fn=(?:\((\d+)\))?\s*(.*)", line.strip()).groups()
            if name and number:
                names[number] = name
            function = name or names.get(number)
        elif line.startswith("cfn="):
            number, name = re.fullmatch(r"cfn=(?:\((\d+)\))?\s*(.*)", line.strip()).groups()
            if name and number:
                names[number] = name
        elif line.startswith("calls="):
            is_call = True
        elif re.match(r"[-+*0-9]", line):
            if not is_call:
                costs[function] += int(line.split()[-1])
            is_call = False
    return costs


def filling(costs):
    """The instructions of functions that fill memory."""
    return sum(cost for function, cost in costs.items() if function and FILLING.match(function))


def instructions_of(start, work, run, counts=(500, 1500)):
    """Instructions in user space of what `work` does once, and how many more fill memory.

    The difference of two runs under valgrind, in which it is told how often.
    """
    totals = []
    for count in counts:
        output = os.path.join(run, "callgrind")
        with start("valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", "--quiet") as program:
            work(program.port, count)
        with open(output, encoding="utf-8", errors="replace") as file:
            costs = costs_by_function(file)
        totals.append((sum(costs.values()), filling(costs)))
    (all_few, filling_few), (all_many, filling_many) = totals
    requests = counts[1] - counts[0]
    filling_once = (filling_many - filling_few) / requests
    return (all_many - all_few) / requests - filling_once, filling_once
