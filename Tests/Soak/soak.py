#!/usr/bin/env python3
"""Runs the real weir between a load and a provider that both misbehave, for as long as one likes, and checks that nothing is lost.

    soak.py --weir PROGRAM [--seconds N] [--rate N] [--no-reload] [--sanitized]

Every request has a number, and the provider writes down which it saw. Asserted: no request is sent twice; each client that stays gets
one answer, its own; what Weir says was not sent was not; resident memory and descriptors stay flat behind the warm-up; /metrics agrees
with what was counted; SIGTERM in the middle of traffic finishes what is in flight and ends with 0; a new instance serves.
Every second SIGHUP brings a changed configuration, unless --no-reload. --sanitized allows for a sanitizer's memory.
"""

import argparse
import asyncio
import collections
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Conformance"))
import proxies  # noqa: E402
import wire  # noqa: E402

CONFIGURATION = """
listen: 127.0.0.1:0
workers: {workers}
log: {{ access: off }}
limits: {{ drain: 10s, client_idle: 5s, client_stall: 10s }}
providers:
  p: {{ profile: generic, upstream: 'http://127.0.0.1:{upstream}', listen: '127.0.0.1:0', errors: {errors},
       max_wait: 10s, timeouts: {{ connect: 2s, response: {patience}s, idle: {patience}s }} }}
"""

# What the provider does, and how often. Behind each: what the client must see.
KINDS = {
    "small": 300, "empty": 20, "large": 12, "chunked": 60, "until-close": 20, "error": 40, "failure": 20, "sse": 8, "slow": 8, "upload": 40,
    "upload-chunked": 25, "upload-large": 6, "slow-upload": 6, "head": 20, "early-error": 6, "idle-close": 20, "idle-reset": 10, "late": 5,
    "stall": 2, "reset-before": 8, "close-before": 8, "reset-head": 5, "reset-body": 8, "close-body": 8, "stall-body": 2, "garbage": 5,
    "interim": 10,
}
BROKEN = {"stall", "reset-before", "close-before", "reset-head", "garbage"}  # a problem
CUT = {"reset-body", "close-body", "stall-body"}  # a problem, or an answer that is seen to break off
LARGE = 1 << 20


def pattern(number, count):
    """`count` bytes that belong to this request."""
    block = b"%d." % number
    return (block * (count // len(block) + 1))[:count]


class Provider:
    """The upstream: answers as the request's kind says, and writes down what it saw."""

    def __init__(self):
        self.seen = collections.Counter()
        self.connections = 0
        self.faults = []

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while await self.one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        except (ValueError, wire.NotHTTP, asyncio.LimitOverrunError) as fault:
            self.faults.append(repr(fault))
        finally:
            writer.close()

    async def one(self, reader, writer):
        lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        if not wire.REQUEST_LINE.match(lines[0]):
            raise wire.NotHTTP(repr(lines[0]))
        method, target, _ = lines[0].split(b" ")
        _, kind, number = target.decode().split("?")[0].split("/")
        number = int(number)
        self.seen[number] += 1
        fields = [wire.field(line) for line in lines[1:]]
        if kind == "early-error":
            await self.send(writer, b"HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            await asyncio.sleep(0.05)
            return False
        body = await self.body(reader, wire.framing(fields))
        if kind.startswith(("upload", "slow-upload")) and body != pattern(number, len(body)):
            self.faults.append(f"request {number} came with another body")
        return await self.answer(kind, number, method, len(body), writer)

    @staticmethod
    async def body(reader, framing):
        if framing != "chunked":
            return await reader.readexactly(framing or 0)
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
        return b"".join(parts)

    @staticmethod
    async def send(writer, data):
        writer.write(data)
        await writer.drain()

    @staticmethod
    def reset(writer):
        writer.transport.abort()

    async def answer(self, kind, number, method, received, writer):
        def whole(body, status="200 OK", more=""):
            return f"HTTP/1.1 {status}\r\nX-Number: {number}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + (b"" if method == b"HEAD" else body)

        head = f"HTTP/1.1 200 OK\r\nX-Number: {number}\r\n".encode()
        match kind:
            case "empty":
                await self.send(writer, f"HTTP/1.1 204 No\r\nX-Number: {number}\r\n\r\n".encode())
            case "large":
                await self.send(writer, whole(pattern(number, LARGE)))
            case "chunked" | "slow" | "sse":
                await self.send(writer, head + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                body = pattern(number, 2000)
                for place in range(0, 2000, 200):
                    await self.send(writer, b"c8\r\n" + body[place:place + 200] + b"\r\n")
                    if kind != "chunked":
                        await asyncio.sleep(0.05)
                await self.send(writer, b"0\r\n\r\n")
            case "until-close":
                await self.send(writer, head + b"\r\n" + pattern(number, 500))
                return False
            case "error":
                await self.send(writer, whole(b'{"message":"no"}', "422 No", "Content-Type: application/json\r\n"))
            case "failure":
                await self.send(writer, whole(b"<html>no</html>", "503 No", "Content-Type: text/html\r\nRetry-After: 0\r\n"))
            case "stall":
                await asyncio.sleep(5)
            case "reset-before":
                self.reset(writer)
                return False
            case "close-before":
                return False
            case "reset-head":
                await self.send(writer, b"HTTP/1.1 200 OK\r\nX-Num")
                self.reset(writer)
                return False
            case "reset-body" | "close-body" | "stall-body":
                await self.send(writer, head + b"Content-Length: 5000\r\n\r\n" + pattern(number, 700))
                await asyncio.sleep(8 if kind == "stall-body" else 0.02)
                if kind == "reset-body":
                    self.reset(writer)
                return False
            case "garbage":
                await self.send(writer, b"\x15\x03\x01 this is no HTTP\r\n\r\n")
                return False
            case "interim":
                await self.send(writer, b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n" + whole(pattern(number, 100)))
            case "idle-close" | "idle-reset":
                await self.send(writer, whole(pattern(number, 100)))
                await asyncio.sleep(random.random() * 0.05)
                if kind == "idle-reset":
                    self.reset(writer)
                return False
            case "late":
                await self.send(writer, whole(pattern(number, 100)))
                await asyncio.sleep(0.01)
                await self.send(writer, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return False
            case _:
                await self.send(writer, whole(pattern(number, received or 100)))
        return True


class Load:
    """The clients."""

    def __init__(self, provider, rate):
        self.provider = provider
        self.rate = rate
        self.address = None
        self.number = 0
        self.started = collections.Counter()
        self.ended = collections.Counter()
        self.codes = collections.Counter()
        self.statuses = collections.Counter()
        self.failures = []
        self.asked = 0
        self.answered = 0
        self.left = 0
        self.stopping = False
        self.draining = False
        self.next_time = 0.0
        self.during = 0  # requests of the first phase, which lasts as long as was asked for
        self.reloads = 0

    def fail(self, number, kind, reason):
        self.failures.append(f"request {number} ({kind}): {reason}")

    async def turn(self):
        """Waits for one's place in the rate."""
        now = time.monotonic()
        self.next_time = max(self.next_time + 1 / self.rate, now - 0.2)
        await asyncio.sleep(max(0.0, self.next_time - now))

    async def client(self):
        """One client after the other, each over a connection that it keeps while it may."""
        connection = None
        while not self.stopping:
            await self.turn()
            if self.stopping:
                break
            kind = random.choices(list(KINDS), KINDS.values())[0]
            try:
                if connection is None:
                    connection = await asyncio.open_connection(*self.address, limit=1 << 20)
            except OSError as fault:
                if not self.draining:
                    self.fail(0, kind, f"no connection: {fault}")
                continue
            self.number += 1
            number = self.number
            is_kept = await self.exchange(number, kind, connection)
            if not is_kept or random.random() < 0.02:
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()

    async def exchange(self, number, kind, connection):
        """One request; returns whether the connection may be used again."""
        reader, writer = connection
        self.started[kind] += 1
        leaves = random.random() < 0.03
        try:
            async with asyncio.timeout(30):
                await self.send(writer, number, kind)
                self.asked += 1
                if leaves:
                    await asyncio.sleep(random.choice([0, 0.001, 0.02]))
                    self.left += 1
                    if random.random() < 0.5:
                        writer.transport.abort()
                    return False
                is_kept = await self.read(reader, number, kind)
                self.answered += 1
                return is_kept
        except TimeoutError:
            self.fail(number, kind, "no answer in 30 s")
        except (asyncio.IncompleteReadError, ConnectionError) as fault:
            await asyncio.sleep(0)
            # Without a byte of an answer: allowed only where a connection that was kept ended just then, and nothing was sent.
            if self.provider.seen[number] or isinstance(fault, asyncio.IncompleteReadError) and fault.partial:
                if kind not in CUT and not self.draining and kind not in ("early-error", "upload-large"):
                    self.fail(number, kind, f"the connection ended without an answer: {fault!r}")
            self.ended["connection ended before an answer"] += 1
        except (wire.NotHTTP, ValueError) as fault:
            self.fail(number, kind, f"{fault!r}")
        return False

    @staticmethod
    async def send(writer, number, kind):
        method = b"HEAD" if kind == "head" else b"POST" if "upload" in kind or kind == "early-error" else b"GET"
        size = {"upload": 3000, "upload-chunked": 5000, "upload-large": 300000, "slow-upload": 4000, "early-error": 200000}.get(kind, 0)
        head = b"%s /%s/%d HTTP/1.1\r\nHost: h\r\nX-Number: %d\r\n" % (method, kind.encode(), number, number)
        body = pattern(number, size)
        if kind == "upload-chunked":
            pieces = [body[place:place + 700] for place in range(0, size, 700)]
            writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")
        elif size:
            writer.write(head + b"Content-Length: %d\r\n\r\n" % size)
            for place in range(0, size, 500 if kind == "slow-upload" else 100000):
                step = 500 if kind == "slow-upload" else 100000
                writer.write(body[place:place + step])
                if kind == "slow-upload":
                    await asyncio.sleep(0.02)
        else:
            writer.write(head + b"\r\n")
        await writer.drain()

    async def read(self, reader, number, kind):
        """Reads the answer and judges it."""
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
            status = int(wire.STATUS_LINE.match(lines[0])[2])
            if status >= 200:
                break
        fields = [wire.field(line) for line in lines[1:]]
        framing = None if kind == "head" or status in (204, 304) else wire.framing(fields)
        body, is_whole, ends = b"", True, b"close" in b",".join(wire.values(fields, b"connection"))
        try:
            if framing == "chunked":
                body = await self.chunks(reader)
            elif framing:
                body = await self.slowly(reader, framing) if kind == "large" and number % 3 == 0 else await reader.readexactly(framing)
        except (asyncio.IncompleteReadError, ConnectionError):
            is_whole = False
        self.statuses[status] += 1
        self.judge(number, kind, status, fields, body, is_whole)
        return is_whole and not ends

    @staticmethod
    async def slowly(reader, count):
        parts = []
        while count > 0:
            part = await reader.read(min(count, 65536))
            if not part:
                raise asyncio.IncompleteReadError(b"", count)
            parts.append(part)
            count -= len(part)
            await asyncio.sleep(0.01)
        return b"".join(parts)

    @staticmethod
    async def chunks(reader):
        parts = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        return b"".join(parts)

    def judge(self, number, kind, status, fields, body, is_whole):
        numbers = wire.values(fields, b"x-number")
        if numbers and numbers != [b"%d" % number]:
            self.fail(number, kind, f"got the answer of {numbers}")
        if not is_whole:
            self.ended["seen to break off"] += 1
            if kind not in CUT and not self.draining:
                self.fail(number, kind, f"broken off behind {status}")
            return
        if wire.values(fields, b"content-type") == [b"application/problem+json"]:
            return self.problem(number, kind, status, fields, body)
        self.ended["the provider's answer"] += 1
        if kind != "early-error" and not numbers:
            self.fail(number, kind, f"an answer that is nobody's: {status}")
        elif kind in BROKEN | CUT:
            self.fail(number, kind, f"whole, with {status} and {len(body)} bytes")
        elif self.provider.seen[number] != 1:
            self.fail(number, kind, f"answered, but seen {self.provider.seen[number]} times")
        elif kind not in ("empty", "head", "early-error") and body != pattern(number, len(body)):
            self.fail(number, kind, f"another body: {body[:40]!r}")
        return None

    def problem(self, number, kind, status, fields, body):
        self.ended["a problem"] += 1
        problem = json.loads(body) if body else {"code": wire.values(fields, b"x-error-code")[0].decode(), "effect": "unknown", "origin": ""}
        self.codes[problem["code"]] += 1
        if problem["effect"] == "none" and problem["origin"] != "provider" and self.provider.seen[number]:
            self.fail(number, kind, f"{problem['code']} says that nothing was sent, but it was seen")
        allowed = kind in BROKEN | CUT | {"error", "failure", "early-error"} or self.draining
        # A connection that the provider ends in the same moment fails a request, which must not be sent again. With a 408 that nobody
        # asked for, as it says goodbye with, it answers one that has just left: the two cannot be told apart.
        if not allowed and problem["code"] != "connection_lost" and status != 408:
            self.fail(number, kind, f"{status} {problem['code']}: {problem.get('detail')}")
        elif not allowed:
            self.ended["lost to a connection that ended in the same moment"] += 1


class Watch:
    """What the process uses, once a second."""

    def __init__(self, process):
        self.process = process
        self.resident = []
        self.descriptors = []

    def look(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as file:
            self.resident.append(next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024)
        self.descriptors.append(len(os.listdir(f"/proc/{self.process.pid}/fd")))


def metrics(address):
    """The sums of all series of each family, those of p alone."""
    client = wire.Client(address)
    client.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    sums = collections.Counter()
    for line in client.response().body.decode().splitlines():
        if line and not line.startswith("#") and ('provider="p"' in line or "{" not in line):
            sums[line.split("{")[0].split(" ")[0]] += float(line.rsplit(" ", 1)[1])
    client.close()
    return sums


async def quiet(address, patience=15):
    """Waits until nothing is in flight, and gives the metrics then."""
    deadline = time.monotonic() + patience
    while True:
        sums = await asyncio.to_thread(metrics, address)
        if sums["weir_requests_in_flight"] == 0 or time.monotonic() > deadline:
            return sums
        await asyncio.sleep(0.1)


async def reload(proxy, text, load):
    """Changes the configuration back and forth."""
    turn = 0
    while not load.stopping:
        await asyncio.sleep(1)
        turn += 1
        changed = text.replace("max_wait: 10s", f"max_wait: {10 + turn % 2}s")
        with open(proxy.path + ".new", "w", encoding="utf-8") as file:
            file.write(changed if turn % 3 else "providers: [ this is wrong")
        os.replace(proxy.path + ".new", proxy.path)
        proxy.process.send_signal(signal.SIGHUP)
        load.reloads += 1


async def run(options):
    provider = Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, limit=1 << 20)
    port = server.sockets[0].getsockname()[1]
    load = Load(provider, options.rate)

    def start():
        return proxies.start_weir(options.weir, port, errors="problem", workers=2, patience=4, configuration=CONFIGURATION)

    proxy = await asyncio.to_thread(start)
    load.address = proxy.address
    with open(proxy.path, encoding="utf-8") as file:
        text = file.read()
    tasks = [asyncio.create_task(load.client()) for _ in range(options.clients)]
    if options.reload:
        tasks.append(asyncio.create_task(reload(proxy, text, load)))
    watch = Watch(proxy.process)
    began = time.monotonic()
    while time.monotonic() - began < options.seconds and proxy.process.poll() is None:
        await asyncio.sleep(1)
        if proxy.process.poll() is None:
            watch.look()
    load.during = load.number
    problems = await settle(options, load, proxy, tasks, watch)
    problems += await restart(options, load, start)
    server.close()
    return summarise(options, load, provider, watch, problems)


async def settle(options, load, proxy, tasks, watch):
    """The end of the first instance: it becomes quiet and is counted, then it is told to stop in the middle of traffic."""
    problems = []
    if proxy.process.poll() is not None:
        problems.append(f"weir ended by itself with {proxy.process.poll()}: {proxy.lines[-20:]}")
        load.stopping = True
        await asyncio.gather(*tasks, return_exceptions=True)
        return problems
    load.stopping = True
    await asyncio.gather(*[task for task in tasks if task.get_coro().__name__ == "client"])
    for task in tasks:
        task.cancel()
    sums = await quiet(proxy.admin)
    watch.look()
    problems += [f"{sums['weir_requests_in_flight']:.0f} requests are still in flight"] if sums["weir_requests_in_flight"] else []
    # A client that has left may have been gone before its request was read.
    unread = load.left + load.ended["connection ended before an answer"]
    for name, low, high in (("weir_requests_total", load.asked - unread, load.number),
                            ("weir_upstream_attempts_total", len(load.provider.seen), len(load.provider.seen) + unread)):
        if not low <= sums[name] <= high:
            problems.append(f"{name} is {sums[name]:.0f}, counted were {low} to {high}")
    print(f"metrics: requests {sums['weir_requests_total']:.0f} (asked {load.asked}, left {load.left}), attempts "
          f"{sums['weir_upstream_attempts_total']:.0f} (seen {len(load.provider.seen)}), connections {sums['weir_upstream_connections_opened_total']:.0f} "
          f"(accepted {load.provider.connections}), problems {sums['weir_errors_total']:.0f}")
    load.stopping, load.draining = False, True
    tasks = [asyncio.create_task(load.client()) for _ in range(options.clients)]
    await asyncio.sleep(2)
    began = time.monotonic()
    code = await asyncio.to_thread(proxy.stop, 30)
    print(f"drain: {time.monotonic() - began:.1f} s, exit code {code}")
    if code != 0:
        problems.append(f"exit code {code}: {proxy.lines[-30:]}")
    load.stopping = True
    await asyncio.gather(*tasks)
    return problems


async def restart(options, load, start):
    """A new instance serves at once."""
    proxy = await asyncio.to_thread(start)
    load.address, load.stopping, load.draining = proxy.address, False, False
    before = load.answered
    tasks = [asyncio.create_task(load.client()) for _ in range(options.clients)]
    await asyncio.sleep(3)
    load.stopping = True
    await asyncio.gather(*tasks)
    code = await asyncio.to_thread(proxy.stop, 30)
    return [] if load.answered > before and code == 0 else [f"the second instance: {load.answered - before} answers, exit code {code}"]


def summarise(options, load, provider, watch, problems):
    twice = [number for number, count in provider.seen.items() if count > 1]
    if twice:
        problems.append(f"sent more than once: {twice[:10]}")
    problems += [f"the provider was sent what is no HTTP: {fault}" for fault in provider.faults[:5]]
    problems += load.failures[:20]
    warm = watch.resident[len(watch.resident) // 4:]
    tenth = max(1, len(warm) // 10)
    before, after = max(warm[:tenth]), max(warm[-tenth:])
    bound = before * (1.25 if options.sanitized else 1.1) + (40 if options.sanitized else 4)
    if after > bound:
        problems.append(f"resident memory grew from {before:.1f} to {after:.1f} MiB, bound {bound:.1f}")
    descriptors = watch.descriptors[len(watch.descriptors) // 4:-1] or [0]
    peak = max(descriptors)
    if peak > watch.descriptors[0] + 4 * options.clients + 64:
        problems.append(f"descriptors rose to {peak}")
    if watch.descriptors[-1] > max(watch.descriptors[:max(1, len(watch.descriptors) // 4)]) + 8:
        problems.append(f"{watch.descriptors[-1]} descriptors are left when nothing is in flight")
    print(f"requests: {load.number} in {options.seconds} s ({load.during / options.seconds:.0f} a second, {load.reloads} reloads), {load.answered} answered, {load.left} left by their clients, failures {len(load.failures)}")
    print("ended:", ", ".join(f"{name} {count}" for name, count in load.ended.most_common()))
    print("statuses:", ", ".join(f"{status}: {count}" for status, count in sorted(load.statuses.items())))
    print("problems:", ", ".join(f"{code} {count}" for code, count in load.codes.most_common()))
    print(f"resident MiB: {before:.1f} behind the warm-up, {after:.1f} at the end (bound {bound:.1f}), highest {max(watch.resident):.1f}")
    print(f"descriptors: highest {peak}, {watch.descriptors[-1]} when quiet")
    for problem in problems:
        print("FAILED:", problem)
    print("soak", "FAILED" if problems else "passed")
    return 1 if problems else 0


def main():
    parser = argparse.ArgumentParser(description="Weir between a load and a provider that misbehave.")
    parser.add_argument("--weir", required=True), parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rate", type=float, default=200), parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--no-reload", dest="reload", action="store_false"), parser.add_argument("--sanitized", action="store_true")
    options = parser.parse_args()
    options.weir = os.path.abspath(options.weir)
    random.seed(options.seed)
    sys.exit(asyncio.run(run(options)))


if __name__ == "__main__":
    main()
