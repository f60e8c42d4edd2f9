"""The loads: wrk for saturation, `rate.c` for a constant rate, and connections that only stand there."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time

from harness import machine, tools
from harness.program import Program

BASIC = "Basic OmJlbmNobWFyaw=="
BEARER = "Bearer benchmark"


def _wrk(port, path, seconds, connections=32, authorization=BASIC, script=None, body=None):
    """The command of a load that keeps so many connections busy."""
    return ["taskset", "-c", str(machine.cores()[0]), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s",
            script or os.path.join(tools.HERE, "harness", "report.lua"), "-H", f"Authorization: {authorization}",
            f"http://127.0.0.1:{port}{path}", "--", *str(body or "").split()]


def _report(shown):
    """What wrk saw, as a dictionary."""
    result = [line for line in shown.splitlines() if line.startswith("{")]
    if not result:
        raise SystemExit(f"wrk said nothing of use: {shown}")
    return json.loads(result[-1])


def saturate(port, path, seconds, **options):
    """Keeps connections busy; what wrk saw, from the first connection to the last answer."""
    command = _wrk(port, path, seconds, **options)
    return _report(subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60).stdout)


class Sliced:
    """A load that stands still but for the slices of time in which it is let go on, see `go_on`."""

    def __init__(self, port, path, directory, **options):
        self.connections = options.get("connections", 32)
        # A day: it ends when it is told to.
        self.wrk = Program("wrk", _wrk(port, path, 86_400, **options), directory=directory, errors=os.path.join(directory, f"{port}-wrk.log"))
        # Until all connections stand, and have had their first answers.
        time.sleep(0.5 + self.connections / 2000)
        self.wrk.process.send_signal(signal.SIGSTOP)

    def report(self):
        """Ends it; what it saw. The log is read behind that."""
        self.wrk.process.send_signal(signal.SIGCONT)
        # Its first thread has to be awake: it is the one whose sleep the signal must end.
        time.sleep(0.02)
        self.wrk.process.send_signal(signal.SIGINT)
        self.wrk.process.wait(20)
        return _report(self.wrk.tail())

    def stop(self):
        """Ends it, whatever it saw."""
        self.wrk.process.kill()
        self.wrk.process.wait()


def accept(seen, name, may_refuse=False):
    """Fails where a load has not seen what it should."""
    if seen["errors"] or (seen["refused"] and not may_refuse):
        raise SystemExit(f"{name} failed: {seen}")


def go_on(loads):
    """Lets loads go on that stand still."""
    for each in loads:
        each.wrk.process.send_signal(signal.SIGCONT)


def halt(loads):
    """Has them stand still. What they asked last may still be worked on."""
    for each in loads:
        each.wrk.process.send_signal(signal.SIGSTOP)


def in_turns(targets, rate, seconds, connections=32, authorization=BASIC, file="/dev/null"):
    """So many requests a second to each port and path, whatever becomes of them; latencies in microseconds from the moment each was due.

    All of them go to `file`, see `rate.c`.
    """
    words = [str(word) for target in targets for word in target]
    command = ["taskset", "-c", str(machine.cores()[0]), tools.compiled("rate"), str(rate), str(seconds), str(connections), authorization, file, *words]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30).stdout)


def constant(port, path, rate, seconds, **options):
    """The same for one of them."""
    return in_turns([(port, path)], rate, seconds, **options)[0]


def ask(port, path, method="GET", body=None, authorization=BASIC):
    """One request: status, fields, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body=body, headers={"Authorization": authorization})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


class Standing:
    """Client connections that are kept; each has had an answer, unless it only connects."""

    def __init__(self, port, count, path=None):
        self.sockets = []
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=20)
            self.sockets.append(client)
            if path:
                self.send(client, path)
                self.read(client)

    @staticmethod
    def send(client, path):
        """A request, without waiting for the answer."""
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {BASIC}\r\n\r\n".encode())

    @staticmethod
    def read(client):
        """An answer with Content-Length; its head."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = client.recv(65536)
            if not part:
                raise SystemExit("a connection was closed")
            data += part
        head, rest = data.split(b"\r\n\r\n", 1)
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        left = int(fields.get(b"content-length", b"0")) - len(rest)
        while left > 0:
            left -= len(client.recv(65536))
        return head

    def close(self):
        """Closes all."""
        for client in self.sockets:
            client.close()
