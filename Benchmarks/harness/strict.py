"""A provider that counts as lemlist does, and the app that asks it: both in this process, over real connections."""

import asyncio
import collections
import random
import time

REQUESTS, WINDOW = 20, 2.0
# One way through the network, in seconds: what leaves together arrives apart, and the other way round.
WAY = (0.005, 0.045)
# How long the app waits after a refusal before it tries again.
PAUSE = 0.1


class Provider:
    """Takes 20 requests in any 2 s, refused ones included, and refuses the others with 429."""

    def __init__(self):
        self.times = collections.deque()
        self.refused = 0
        self.random = random.Random(1)
        self.server = None

    async def start(self):
        """Listens; returns the port."""
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024)
        return self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        """One connection."""
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self.random.uniform(*WAY))
                answer = self.count(time.monotonic())
                await asyncio.sleep(self.random.uniform(*WAY))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def count(self, now):
        """The answer to a request that arrives now."""
        while self.times and self.times[0] <= now - WINDOW:
            self.times.popleft()
        self.times.append(now)
        if len(self.times) <= REQUESTS:
            return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}"
        self.refused += 1
        # However often it is asked, it remembers what decides.
        while len(self.times) > REQUESTS:
            self.times.popleft()
        return b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nRetry-After: 2\r\nContent-Length: 17\r\n\r\nToo many requests"


class Load:
    """The app: what it sent, and what became of it."""

    def __init__(self, port):
        self.port = port
        self.sent = self.good = self.bad = 0
        self.longest = 0.0

    async def ask(self, connection):
        """One request; whether it was answered with 200."""
        reader, writer = connection
        self.sent += 1
        begun = time.monotonic()
        writer.write(b"GET /campaigns HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer benchmark\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:-2])
        if b"content-length" in fields:
            await reader.readexactly(int(fields[b"content-length"]))
        if head.split(b" ", 2)[1] == b"200":
            self.good += 1
            self.longest = max(self.longest, time.monotonic() - begun)
            return True
        self.bad += 1
        return False

    async def burst(self, count):
        """So many at once, each over a connection of its own; whoever is refused gives up."""
        connections = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", self.port) for _ in range(count)))
        await asyncio.gather(*(self.ask(connection) for connection in connections))
        for _, writer in connections:
            writer.close()

    async def saturate(self, clients, seconds):
        """So many clients that ask again as soon as they have an answer, or `PAUSE` after a refusal; how many 200 came in time."""
        end = time.monotonic() + seconds
        in_time = 0

        async def client():
            nonlocal in_time
            connection = await asyncio.open_connection("127.0.0.1", self.port)
            while time.monotonic() < end:
                if not await self.ask(connection):
                    await asyncio.sleep(PAUSE)
                elif time.monotonic() < end:
                    in_time += 1
            connection[1].close()

        await asyncio.gather(*(client() for _ in range(clients)))
        return in_time
