"""HTTP/1.1 as bytes: a reader that forgives nothing, and an upstream that records what it is sent."""

import dataclasses
import re
import socket
import struct
import threading
import time

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\x00-\x20\x7f]+) HTTP/1\.([01])\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?\Z")
FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class NotHTTP(Exception):
    """What came is not what RFC 9112 allows a sender to send."""


class Ended(Exception):
    """The connection ended, or nothing came until the deadline."""

    def __init__(self, how, partial=b""):
        super().__init__(how)
        self.how = how  # closed, reset or timeout
        self.partial = partial


class Reader:
    """What comes over a socket, read with a deadline."""

    def __init__(self, sock, patience=5.0):
        self.sock = sock
        self.patience = patience
        self.buffer = bytearray()
        self.raw = bytearray()

    def fill(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Ended("timeout", bytes(self.buffer))
        self.sock.settimeout(left)
        try:
            part = self.sock.recv(1 << 16)
        except TimeoutError:
            raise Ended("timeout", bytes(self.buffer)) from None
        except OSError:
            raise Ended("reset", bytes(self.buffer)) from None
        if not part:
            raise Ended("closed", bytes(self.buffer))
        self.buffer += part

    def take(self, count):
        part = bytes(self.buffer[:count])
        del self.buffer[:count]
        self.raw += part
        return part

    def until(self, mark, deadline, limit=1 << 20):
        start = 0
        while True:
            place = self.buffer.find(mark, start)
            if place >= 0:
                return self.take(place + len(mark))
            if len(self.buffer) > limit:
                raise NotHTTP("a head or a line without an end")
            start = max(0, len(self.buffer) - len(mark))
            self.fill(deadline)

    def exactly(self, count, deadline):
        while len(self.buffer) < count:
            self.fill(deadline)
        return self.take(count)

    def head(self, deadline):
        """The lines up to the empty one, as they came."""
        head = self.until(b"\r\n\r\n", deadline)
        lines = head[:-4].split(b"\r\n")
        if any(b"\n" in line or b"\r" in line for line in lines):
            raise NotHTTP(f"a bare CR or LF in {head!r}")
        return lines

    def chunks(self, deadline):
        """A chunked body and its trailer."""
        body = bytearray()
        while True:
            size = self.until(b"\r\n", deadline)[:-2].split(b";")[0]
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
                raise NotHTTP(f"the chunk size {size!r}")
            size = int(size, 16)
            if size == 0:
                break
            body += self.exactly(size, deadline)
            if self.exactly(2, deadline) != b"\r\n":
                raise NotHTTP("a chunk longer than it says")
        trailer = []
        while (line := self.until(b"\r\n", deadline)) != b"\r\n":
            trailer.append(field(line[:-2]))
        return bytes(body), trailer

    def rest(self, deadline):
        """Everything until the connection ends in order."""
        try:
            while True:
                self.fill(deadline)
        except Ended as end:
            if end.how != "closed":
                raise
        return self.take(len(self.buffer))


def field(line):
    """A field line as (name, value)."""
    name, colon, value = line.partition(b":")
    if not colon or not TOKEN.match(name):
        raise NotHTTP(f"the field line {line[:80]!r}")
    value = value.strip(b" \t")
    if FORBIDDEN.search(value):
        raise NotHTTP(f"a control character in {line[:80]!r}")
    return name, value


def values(fields, name):
    """The values of all fields of this name, which is in lower case."""
    return [value for key, value in fields if key.lower() == name]


def framing(fields):
    """chunked, a length, or None; NotHTTP where two recipients could differ."""
    lengths, codings = values(fields, b"content-length"), values(fields, b"transfer-encoding")
    if lengths and codings:
        raise NotHTTP("both Content-Length and Transfer-Encoding")
    if codings:
        if [coding.lower() for coding in codings] != [b"chunked"]:
            raise NotHTTP(f"the transfer codings {codings}")
        return "chunked"
    if lengths:
        if len(lengths) > 1 or not re.fullmatch(rb"[0-9]+", lengths[0]):
            raise NotHTTP(f"the lengths {lengths}")
        return int(lengths[0])
    return None


@dataclasses.dataclass
class Response:
    """What a client got."""

    status: int
    reason: bytes
    fields: list
    body: bytes = b""
    trailer: list = dataclasses.field(default_factory=list)
    interim: list = dataclasses.field(default_factory=list)
    ending: str = "whole"  # whole, closed, reset, timeout
    closes: bool = False
    framing: object = None

    @property
    def is_whole(self):
        return self.ending == "whole"


def read_response(reader, method=b"GET", patience=None):
    """The next response, interim ones before it included; raises Ended before a head, NotHTTP for what is none."""
    deadline = time.monotonic() + (patience or reader.patience)
    interim = []
    while True:
        lines = reader.head(deadline)
        match = STATUS_LINE.match(lines[0])
        if not match:
            raise NotHTTP(f"the status line {lines[0][:80]!r}")
        fields = [field(line) for line in lines[1:]]
        status = int(match[2])
        if status >= 200 or status == 101:
            break
        interim.append(status)
    response = Response(status, match[3] or b"", fields, interim=interim)
    options = b",".join(values(fields, b"connection")).lower()
    response.closes = b"close" in options or match[1] == b"0" and b"keep-alive" not in options
    response.framing = framing(fields) if method != b"HEAD" and status not in (204, 304) else None
    if method == b"HEAD" or status in (204, 304):
        return response
    try:
        if response.framing == "chunked":
            response.body, response.trailer = reader.chunks(deadline)
        elif response.framing is not None:
            response.body = reader.exactly(response.framing, deadline)
        else:
            response.closes = True
            response.body = reader.rest(deadline)
    except Ended as end:
        response.ending, response.body = end.how, end.partial
    return response


class Client:
    """A connection to a proxy that sends exactly what it is given."""

    def __init__(self, address, patience=5.0):
        self.sock = socket.create_connection(address, timeout=patience)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock, patience)

    def send(self, data):
        try:
            self.sock.settimeout(self.reader.patience)
            self.sock.sendall(data)
        except OSError:
            pass  # Whoever refuses a request need not read it; the answer tells.

    def response(self, method=b"GET", patience=None):
        return read_response(self.reader, method, patience)

    def shut(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def ended(self, patience):
        """Whether the other side ends the connection in time."""
        try:
            self.reader.rest(time.monotonic() + patience)
        except Ended as end:
            return end.how == "reset"
        return True

    def close(self):
        self.sock.close()


@dataclasses.dataclass
class Seen:
    """A request as the upstream saw it."""

    connection: int
    method: bytes
    target: bytes
    minor: int
    fields: list
    body: bytes = b""
    trailer: list = dataclasses.field(default_factory=list)
    is_whole: bool = False
    framing: object = None


@dataclasses.dataclass
class Answer:
    """What the upstream sends, how it goes on (keep, close, reset, or stall: it reads no more), and what it sends a little later."""

    data: bytes
    then: str = "keep"
    late: bytes = b""


def reset(sock):
    """Ends the connection with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Upstream:
    """A server that records what it is sent and answers what it is told: `respond(seen)` gives an Answer."""

    def __init__(self, respond, port=0, patience=20.0):
        self.respond = respond
        self.patience = patience
        self.listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.seen = []
        self.faults = []  # what is no HTTP: a proxy must not send it
        self.lock = threading.Lock()
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                number = self.connections
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock, number):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader(sock)
        with sock:
            try:
                while self._one(sock, reader, number):
                    pass
            except NotHTTP as fault:
                with self.lock:
                    self.faults.append((number, str(fault)))
            except OSError:
                pass

    def _one(self, sock, reader, number):
        deadline = time.monotonic() + self.patience
        try:
            lines = reader.head(deadline)
        except Ended as end:
            if end.partial and end.how == "closed":
                raise NotHTTP(f"a head that breaks off: {end.partial[:200]!r}") from None
            return False
        match = REQUEST_LINE.match(lines[0])
        if not match:
            raise NotHTTP(f"the request line {lines[0][:200]!r}")
        seen = Seen(number, match[1], match[2], int(match[3]), [field(line) for line in lines[1:]])
        with self.lock:
            self.seen.append(seen)
        seen.framing = framing(seen.fields)
        try:
            if seen.framing == "chunked":
                seen.body, seen.trailer = reader.chunks(deadline)
            elif seen.framing:
                seen.body = reader.exactly(seen.framing, deadline)
        except Ended as end:
            seen.body = end.partial
            return False
        seen.is_whole = True
        answer = self.respond(seen)
        sock.sendall(answer.data)
        if answer.late:
            time.sleep(0.05)
            sock.sendall(answer.late)
        if answer.then == "reset":
            reset(sock)
        elif answer.then == "stall":
            time.sleep(self.patience)
        return answer.then == "keep"

    def of(self, target):
        """The requests for this target so far."""
        with self.lock:
            return [seen for seen in self.seen if target in seen.target]

    def forget(self):
        with self.lock:
            self.seen.clear()
            self.faults.clear()

    def close(self):
        self.listener.close()


def free_port():
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
