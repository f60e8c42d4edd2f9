"""The loads: wrk for saturation, `rate.c` for a constant rate, and connections that only stand there."""

import http.client
import json
import os
import socket
import subprocess
import time

from harness import machine, tools

BASIC = "Basic OmJlbmNobWFyaw=="
BEARER = "Bearer benchmark"


def _wrk(port, path, seconds, connections=32, authorization=BASIC, script=None, body=None):
    """The command of a load that keeps so many connections busy."""
    return ["taskset", "-c", str(machine.cores()[0]), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s",
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


def during(port, path, seconds, look, **options):
    """What `look` tells before and behind so many seconds in the middle of a load, when all connections stand; and what wrk saw."""
    with subprocess.Popen(_wrk(port, path, seconds + 4, **options), stdout=subprocess.PIPE, text=True) as wrk:
        time.sleep(2.5)
        before = look()
        time.sleep(seconds)
        after = look()
        return before, after, _report(wrk.communicate(timeout=60)[0])


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
