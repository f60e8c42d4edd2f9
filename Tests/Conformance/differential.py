#!/usr/bin/env python3
"""Sends the same generated messages through Weir and through nginx, and compares what arrives.

    differential.py --weir .build/debug/weir [--requests N] [--answers N] [--seed N]

Requests: odd but legal targets, fields and bodies; both proxies have the same recording upstream. Answers: the upstream makes each from
its number, so both get the same; what the two clients read is compared. A difference is in `requests_differ` or `answers_differ` with
its reason, or it is a failure. WEIR_DIFFERENTIAL=N in the environment multiplies the counts.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import re
import sys
import threading

import proxies
import wire

TCHAR = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PATH = [b"/", b"//", b".", b"..", b"%2F", b"%2f", b"%2e%2E", b"%41", b"%e2%82%ac", b"%FF", b"%20", b";a=b", b"a", b"Z9", b"~", b"-_.!$&'()*+,;=:@",
        "é€".encode(), b"\xff\xfe", b"\\", b"\"<>", b"^`{|}", b"[]", b":80", b"@h", b"*", b"+", b"con", b"%0d%0a", b"%5c"]
RARE_PATH = [b"%00", b"%", b"%zz", b"%f", b"/../", b"/..", b"/./", b"/../../.."]
QUERY = [b"a=b", b"a", b"&", b"=", b"?", b"/", b"%26", b"%zz", b"%", b"[]", b"a=b=c", b"q=\xc3\xa9", b"..", b"http://h/x?y", b"+", b"\"{}\"", b";", b"%00"]
METHODS = [b"GET"] * 6 + [b"POST"] * 4 + [b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"PROPFIND", b"FROB", b"M-SEARCH", b"X!#$9"]
NAMES = [b"X-A", b"x-a", b"X-B", b"x-CaSe-Odd", b"Cookie", b"Accept", b"accept-encoding", b"User-Agent", b"If-None-Match", b"Range", b"Content-Type",
         b"ETag", b"Authorization", b"Idempotency-Key", b"X_Under_Score", b"DNT", b"Accept-Language", b"Content-Encoding", b"Cache-Control", b"Origin",
         b"If-Modified-Since", b"Content-MD5", b"Digest", b"Date", b"Max-Forwards", b"X-Request-ID", b"From", b"Pragma", b"Warning"]
# What RFC 9110 7.6.1 or the README says about them differs from what nginx does; see requests_differ.
SPECIAL = [b"Connection", b"Keep-Alive", b"Proxy-Connection", b"TE", b"Trailer", b"Upgrade", b"Proxy-Authorization", b"X-Forwarded-For", b"X-Real-IP",
           b"Forwarded", b"Via", b"Priority", b"Prefer", b"traceparent", b"baggage", b"X-Error-Format"]
NGINX_ONCE = [b"authorization", b"range", b"if-range", b"if-modified-since", b"if-none-match", b"if-match", b"upgrade", b"te", b"expect"]
BEFORE, BEHIND = [b": ", b":", b":  ", b":\t"], [b"", b"", b"", b" ", b"\t"]
LOCAL = {name.lower() for name in SPECIAL} - {b"prefer", b"via"}


# --- Requests -------------------------------------------------------------------------------------------------------------------

class Request:
    """A generated request; the same number and seed give the same."""

    def __init__(self, seed, number):
        rng = random.Random(f"{seed}-{number}")
        self.number = number
        self.method = rng.choice(METHODS)
        self.target = b"/%d" % number + self.path(rng)
        self.fields = self.make_fields(rng)
        self.body, self.framing = b"", None
        self.sent = self.head = b""
        self.frame(rng)

    @staticmethod
    def path(rng):
        pieces = [rng.choice(PATH) for _ in range(rng.choice([0, 1, 2, 3, 5, 8]))]
        if rng.random() < 0.08:
            pieces.insert(rng.randint(0, len(pieces)), rng.choice(RARE_PATH))
        if rng.random() < 0.02:
            pieces.append(b"/" + bytes(rng.choice(b"abc/%2") for _ in range(rng.randint(500, 3500))).replace(b"%", b"%41"))
        path = b"/" + b"".join(pieces)
        if rng.random() < 0.5:
            path += b"?" + b"".join(rng.choice(QUERY) for _ in range(rng.randint(0, 6)))
        return path

    @staticmethod
    def value(rng):
        kind = rng.random()
        if kind < 0.12:
            return b""
        if kind < 0.15:
            return bytes(rng.choice(b"abcdefghij ,;=") for _ in range(rng.randint(200, 3000))).strip()
        alphabet = range(0x21, 0x7F) if kind < 0.7 else [9, 32] + list(range(0x21, 0x7F)) + list(range(0x80, 0x100))
        alphabet = list(alphabet)
        return bytes(rng.choice(alphabet) for _ in range(rng.randint(1, 40))).strip(b" \t")

    def make_fields(self, rng):
        count = rng.choice([0, 1, 2, 3, 5, 8, 8, 20, 60])
        fields, room = [], 8000 - len(self.target)
        for _ in range(count):
            kind = rng.random()
            if kind < 0.75:
                name, value = rng.choice(NAMES), self.value(rng)
                # What libmicrohttpd makes of the pairs of a cookie is the probe's subject.
                value = value.replace(b";", b"").replace(b",", b"") if name == b"Cookie" else value
            elif kind < 0.85:
                name, value = bytes(rng.choice(TCHAR) for _ in range(rng.randint(1, 24))), self.value(rng)
            else:
                name = rng.choice(SPECIAL)
                value = {b"Connection": rng.choice([b"keep-alive", b"Keep-Alive", b"x-a", b"keep-alive, X-B"]), b"Via": b"1.1 other",
                         b"TE": b"trailers", b"Prefer": rng.choice([b"return=minimal", b"wait=3", b"a=b, wait=2, c"]),
                         b"Upgrade": b"h2c", b"X-Error-Format": b"raw"}.get(name, b"value")
            if name.lower() in (b"expect", b"host", b"content-length", b"transfer-encoding", b"x-error-format") and name not in SPECIAL:
                continue
            room -= len(name) + len(value) + 4
            if room > 0:
                fields.append((name, value))
        return fields

    def frame(self, rng):
        if self.method not in (b"HEAD",) and (self.method not in (b"GET", b"OPTIONS", b"DELETE") or rng.random() < 0.1):
            size = rng.choice([0, 0, 1, 10, 100, 5000, 70000, 200000] if rng.random() < 0.3 else [0, 1, 10, 100, 1000])
            self.body = rng.randbytes(size)
            self.framing = rng.choice(["length", "chunked"] + ([None] if not size else []))
        lines = [b"%s %s HTTP/1.1" % (self.method, self.target), b"Host: client.example"]
        place = rng.randint(0, len(self.fields))
        fields = list(self.fields)
        if self.framing == "length":
            fields.insert(place, (b"Content-Length", b"%d" % len(self.body)))
        elif self.framing == "chunked":
            fields.insert(place, (b"Transfer-Encoding", b"chunked"))
        # Blanks around what frames the message are the probe's subject: a proxy that misreads them only keeps this one waiting.
        for name, value in fields:
            blanks = (b": ", b"") if name in (b"Content-Length", b"Transfer-Encoding") else (rng.choice(BEFORE), rng.choice(BEHIND))
            lines.append(name + blanks[0] + value + blanks[1])
        data = b"\r\n".join(lines) + b"\r\n\r\n"
        if self.framing == "chunked":
            data += chunked(self.body, rng)
        elif self.framing:
            data += self.body
        self.sent = data


def chunked(body, rng):
    """The body in chunks of any size."""
    out, place = bytearray(), 0
    while place < len(body):
        size = rng.choice([1, 2, 15, 16, 100, 4096, 65536])
        piece = body[place:place + size]
        out += rng.choice([b"%x", b"%X", b"0%x"]) % len(piece) + rng.choice([b"", b"", b";a", b';a="b"']) + b"\r\n" + piece + b"\r\n"
        place += size
    return bytes(out) + b"0\r\n" + rng.choice([b"", b"", b"X-Sum: 1\r\n"]) + b"\r\n"


def named_by_connection(fields):
    options = b",".join(wire.values(fields, b"connection")).split(b",")
    return {option.strip(b" \t").lower() for option in options} - {b"close", b"keep-alive", b""}


class Differences:
    """Counts each documented difference."""

    def __init__(self):
        self.counts = collections.Counter()

    def note(self, reason):
        self.counts[reason] += 1


def requests_differ(request, weir, nginx, table):
    """What is left of the difference between what Weir and nginx sent; None if the table explains it all."""
    # Each refuses by itself: (status) instead of what arrived.
    if isinstance(nginx, int) and isinstance(weir, wire.Seen):
        path = request.target.split(b"?")[0]
        if re.search(rb"%(?![0-9A-Fa-f]{2})", path):
            table.note("nginx refuses a path with a broken escape; Weir forwards bytes")
        elif b"%00" in path:
            table.note("nginx refuses %00 in a path; Weir forwards bytes")
        elif b".." in path or b"%2e" in path.lower():
            table.note("nginx refuses a path that climbs above the root; Weir forwards bytes")
        elif {name.lower() for name in NGINX_ONCE if len(wire.values(request.fields, name)) > 1}:
            table.note("nginx refuses some fields when they come twice; Weir forwards all")
        elif request.method == b"X!#$9":
            table.note("nginx knows methods of letters, '_' and '-' only; any token is a method (RFC 9110 9.1)")
        else:
            return f"nginx refused with {nginx}, Weir forwarded"
        return None
    limits_hops = request.method == b"OPTIONS" and bool(wire.values(request.fields, b"max-forwards"))
    if isinstance(weir, int) and isinstance(nginx, wire.Seen):
        if limits_hops and weir in (204, 400):
            table.note("Weir reads Max-Forwards of OPTIONS (RFC 9110 7.6.2); nginx forwards it")
            return None
        return f"Weir refused with {weir}, nginx forwarded"
    if not isinstance(weir, wire.Seen):
        return None if not isinstance(nginx, wire.Seen) else "neither arrived alike"
    for part in ("method", "target", "body", "minor"):
        if getattr(weir, part) != getattr(nginx, part):
            return f"{part}: {getattr(weir, part)[:200]!r}, nginx {getattr(nginx, part)[:200]!r}"
    fields = [fields_of(weir.fields), fields_of(nginx.fields)]
    if limits_hops:
        fields = [[field for field in side if field[0].lower() != b"max-forwards"] for side in fields]
    return fields_differ(request, *fields, table)


def fields_of(fields):
    """Without what each proxy writes itself for its connection: Host, Connection, and the framing, which the body has shown."""
    own = (b"host", b"connection", b"content-length", b"transfer-encoding")
    return [(name, value) for name, value in fields if name.lower() not in own]


def fields_differ(request, weir, nginx, table):
    hop = named_by_connection(request.fields)
    expected = []
    for name, value in nginx:
        low = name.lower()
        if low in LOCAL:
            table.note("Weir keeps what is of the connection, of Weir or of the client's network (README); nginx forwards it")
        elif low in hop:
            table.note("Weir keeps what Connection names (RFC 9110 7.6.1); nginx forwards it")
        elif low == b"prefer":
            rest = b", ".join(part for part in (part.strip() for part in value.split(b",")) if not part.startswith(b"wait="))
            if rest != value:
                table.note("Weir keeps Prefer: wait, which is for Weir")
            if rest:
                expected.append((name, rest))
        else:
            expected.append((name, value))
    sent = {name.lower() for name, _ in request.fields}
    missing = [pair for pair in fields_of(request.fields) if pair not in nginx]
    for name, value in missing:
        if (name.lower() in (b"keep-alive", b"te", b"upgrade", b"expect") or not value or not re.fullmatch(rb"[A-Za-z0-9_-]+", name)) and name.lower() not in LOCAL | hop:
            table.note("nginx drops an empty field" if not value else "nginx drops a field whose name has other characters than letters, digits, '-' and '_'")
    forwarded = [pair for pair in weir if pair[0].lower() != b"via" or not pair[1].startswith(b"1.1 weir-")]
    if len(forwarded) == len(weir):
        return "Weir does not stand in Via"
    table.note("Weir adds itself to Via (RFC 9110 7.6.3); nginx does not")
    if b"X-Request-ID".lower() not in sent:
        forwarded = [pair for pair in forwarded if pair[0].lower() != b"x-request-id"]
    if b"trailer" in sent and any(name.lower() == b"trailer" for name, _ in forwarded):
        table.note("Weir announces the trailers that it hands on (RFC 9110 6.6.2); nginx drops both")
        forwarded = [pair for pair in forwarded if pair[0].lower() != b"trailer"]
    # The order among all: take away from Weir's what nginx dropped as the table says.
    dropped = [pair for pair in missing if not pair[1] or not re.fullmatch(rb"[A-Za-z0-9_-]+", pair[0])]
    rest = list(forwarded)
    for pair in dropped:
        if pair in rest:
            rest.remove(pair)
        elif pair[0].lower() not in LOCAL | hop | {b"prefer"}:
            return f"Weir lost {pair}"
    if rest != expected:
        lost = [pair for pair in expected if pair not in rest]
        more = [pair for pair in rest if pair not in expected]
        return f"fields: Weir lost {lost[:3]}, has more {more[:3]}" if lost or more else f"fields: another order: {rest[:9]}, nginx {expected[:9]}"
    return None


class Exchange:
    """Sends requests through one proxy, each thread over a connection of its own that is kept while it may be."""

    def __init__(self, address):
        self.address = address
        self.local = threading.local()

    def __call__(self, data, method):
        client = getattr(self.local, "client", None)
        self.local.client = None
        for attempt in range(2):
            fresh = client is None
            client = client or wire.Client(self.address, patience=20)
            client.send(data)
            try:
                response = client.response(method)
                break
            except wire.Ended:
                client.close()
                client = None
                if fresh or attempt:
                    raise
        if response.is_whole and not response.closes:
            self.local.client = client
        else:
            client.close()
        return response


def number_of(target):
    match = re.match(rb"/(\d+)", target)
    return int(match[1]) if match else -1


def compare_requests(options, table):
    """The failures among generated requests."""
    seen = [{}, {}]
    failures = []

    def recorder(records):
        def respond(request):
            records.setdefault(number_of(request.target), []).append(request)
            return wire.Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + (b"" if request.method == b"HEAD" else b"ok"))
        return respond

    upstreams = [wire.Upstream(recorder(records)) for records in seen]
    running = [proxies.start_weir(options.weir, upstreams[0].port, patience=20), proxies.start_nginx(upstreams[1].port, patience=20)]
    exchanges = [Exchange(proxy.address) for proxy in running]

    def one(number):
        request = Request(options.seed, number)
        outcomes = []
        for exchange, records in zip(exchanges, seen):
            try:
                response = exchange(request.sent, request.method)
                came = records.get(number, [])
                if len(came) > 1:
                    return number, request, f"sent {len(came)} times"
                outcomes.append(came[0] if came else response.status)
                if came and response.status != 200:
                    return number, request, f"arrived, but the client got {response.status}"
            except (wire.Ended, wire.NotHTTP, OSError) as fault:
                outcomes.append(f"{type(fault).__name__}: {fault}")
        if isinstance(outcomes[0], str):
            return number, request, f"through Weir: {outcomes[0]}"
        return number, request, requests_differ(request, outcomes[0], outcomes[1], table)

    try:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for number, request, reason in pool.map(one, range(options.requests)):
                if reason:
                    failures.append(f"request {number}: {reason}\n    {request.sent[:600]!r}")
        for upstream, name in zip(upstreams, ("Weir", "nginx")):
            if name == "Weir":
                failures += [f"Weir sent what is no HTTP: {fault}" for _, fault in upstream.faults]
    finally:
        codes = [proxy.stop() for proxy in running]
    if codes[0] != 0:
        failures.append(f"weir ended with {codes[0]}")
    return failures


# --- Answers --------------------------------------------------------------------------------------------------------------------

STATUSES = [200] * 8 + [201, 202, 203, 204, 204, 206, 207, 226, 299, 300, 301, 302, 303, 304, 304, 307, 308, 400, 401, 403, 404, 409, 410, 418, 422, 429,
                        451, 499, 500, 501, 502, 503, 504, 511, 599]
REASONS = [b"OK", b"", b"Fine", b"I'm a teapot", b"with  two blanks", "é".encode(), b"\xff"]
ANSWER_NAMES = [b"X-A", b"x-a", b"X-B", b"Set-Cookie", b"Set-Cookie", b"ETag", b"Location", b"Cache-Control", b"Vary", b"Content-Type", b"content-LANGUAGE",
                b"Last-Modified", b"Server", b"Link", b"Retry-After", b"X-RateLimit-Remaining", b"WWW-Authenticate", b"Expires", b"Age", b"Allow",
                b"Access-Control-Allow-Origin", b"Strict-Transport-Security", b"Accept-Ranges", b"Content-Disposition", b"x_under_score", b"Pragma"]


class Answering:
    """A generated answer; the same number and seed give the same."""

    def __init__(self, seed, number):
        rng = random.Random(f"{seed}+{number}")
        self.method = rng.choice([b"GET"] * 5 + [b"POST", b"HEAD"])
        self.status, self.reason = rng.choice(STATUSES), rng.choice(REASONS)
        self.fields = []
        room = 12000
        for _ in range(rng.choice([0, 1, 2, 3, 5, 8, 20, 40])):
            name, value = rng.choice(ANSWER_NAMES), Request.value(rng)
            if rng.random() < 0.1:
                name = bytes(rng.choice(TCHAR) for _ in range(rng.randint(1, 20)))
            if name.lower() in (b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"trailer", b"te") or room < len(value) + 60:
                continue
            if name in (b"Last-Modified", b"Expires", b"Content-Type", b"ETag", b"Accept-Ranges"):
                value = b"text/plain" if name == b"Content-Type" else value or b"x"
                if name in [other for other, _ in self.fields]:
                    continue
            room -= len(name) + len(value) + 4
            self.fields.append((name, value))
        self.has_body = self.method != b"HEAD" and self.status not in (204, 304)
        self.body = rng.randbytes(rng.choice([0, 1, 10, 100, 1000, 5000, 100000])) if self.has_body else b""
        self.framing = rng.choice(["length", "chunked", "close"] if self.has_body else ["length", "none", "none"])
        self.minor = 0 if rng.random() < 0.1 and self.framing != "chunked" else 1
        self.interim = [103] * rng.choice([0] * 12 + [1, 2]) if self.minor else []
        self.plain = self.make(rng)
        early = b"".join(b"HTTP/1.1 %d Early\r\nLink: </a>\r\n\r\n" % status for status in self.interim)
        self.answer = wire.Answer(early + self.plain.data, self.plain.then)

    def make(self, rng):
        fields = list(self.fields)
        place = rng.randint(0, len(fields))
        if self.framing == "length" and self.status != 204:
            fields.insert(place, (b"Content-Length", b"%d" % (len(self.body) if self.has_body else 1234)))
        elif self.framing == "chunked":
            fields.insert(place, (b"Transfer-Encoding", b"chunked"))
        head = b"HTTP/1.%d %d %s\r\n" % (self.minor, self.status, self.reason)
        for name, value in fields:
            before = b": " if name in (b"Content-Length", b"Transfer-Encoding") else rng.choice(BEFORE)
            head += name + before + value + b"\r\n"
        head += b"\r\n"
        body = chunked(self.body, rng) if self.framing == "chunked" else self.body
        closes = self.framing == "close" or self.minor == 0
        return wire.Answer(head + body, "close" if closes else "keep")


def answers_differ(made, weir, nginx, table):
    """What is left of the difference between what the two clients read."""
    if not isinstance(weir, wire.Response):
        return f"the client of Weir got {weir}"
    problem = weir_alone(made, weir)
    if problem:
        return problem
    if made.interim:
        table.note("nginx before 1.29 cannot read an interim answer: it is given the final one alone")
    if not isinstance(nginx, wire.Response):
        table.note(f"nginx hands on what its own client cannot read ({str(nginx)[:30]})")
        return None
    if weir.status != nginx.status:
        return f"status: {weir.status}, nginx {nginx.status}"
    if weir.body != nginx.body or weir.is_whole != nginx.is_whole:
        return f"body: {len(weir.body)} bytes, {weir.ending}; nginx {len(nginx.body)} bytes, {nginx.ending}"
    if weir.reason != nginx.reason:
        table.note("Weir writes the registered reason of a status; nginx repeats the upstream's")
    mine, theirs = answer_fields(weir.fields, made), answer_fields(nginx.fields, made)
    missing = [pair for pair in mine if pair not in theirs]
    for pair in missing:
        if pair not in made.fields:
            return f"fields: Weir has more: {pair}"
        table.note("nginx moves, writes anew or drops some fields of the answer; Weir keeps them")
    return None


def answer_fields(fields, made):
    """Without the framing and what each proxy adds itself."""
    given = {name.lower() for name, _ in made.fields}
    own = {b"connection", b"content-length", b"transfer-encoding", b"keep-alive"} | ({b"date", b"x-request-id", b"server-timing", b"server", b"via"} - given)
    return [(name, value) for name, value in fields if name.lower() not in own]


def weir_alone(made, response):
    """Weir against what was sent: every field, in order, with every byte."""
    if (response.status, response.body, response.is_whole) != (made.status, made.body, True):
        return f"sent {made.status} with {len(made.body)} bytes, the client got {response.status} with {len(response.body)}, {response.ending}"
    found = answer_fields(response.fields, made)
    wanted = [(name, value) for name, value in made.fields if wire_forwards(name)]
    found = [pair for pair in found if pair in wanted or pair[0].lower() not in (b"date", b"x-request-id", b"server-timing")]
    if found != wanted:
        lost, more = [pair for pair in wanted if pair not in found], [pair for pair in found if pair not in wanted]
        return f"fields: lost {lost[:3]}, more {more[:3]}" if lost or more else f"fields: another order: {found[:8]}, sent {wanted[:8]}"
    if made.method == b"HEAD" and made.framing == "length" and made.status != 204 and wire.values(response.fields, b"content-length") not in ([b"1234"], []):
        return f"the length of the answer to HEAD became {wire.values(response.fields, b'content-length')}"
    return None


def wire_forwards(name):
    return name.lower() not in (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"content-length", b"transfer-encoding")


def compare_answers(options, table):
    """The failures among generated answers."""
    failures = []
    upstream = wire.Upstream(lambda seen: Answering(options.seed, number_of(seen.target)).answer)
    plain = wire.Upstream(lambda seen: Answering(options.seed, number_of(seen.target)).plain)
    running = [proxies.start_weir(options.weir, upstream.port, patience=20), proxies.start_nginx(plain.port, patience=20)]
    exchanges = [Exchange(proxy.address) for proxy in running]

    def one(number):
        made = Answering(options.seed, number)
        data = b"%s /%d HTTP/1.1\r\nHost: h\r\n" % (made.method, number) + (b"Content-Length: 0\r\n\r\n" if made.method == b"POST" else b"\r\n")
        outcomes = []
        for exchange in exchanges:
            try:
                outcomes.append(exchange(data, made.method))
            except (wire.Ended, wire.NotHTTP, OSError) as fault:
                outcomes.append(f"{type(fault).__name__}: {fault}")
        return number, made, answers_differ(made, *outcomes, table)

    try:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for number, made, reason in pool.map(one, range(options.answers)):
                if reason:
                    failures.append(f"answer {number} to {made.method.decode()}: {reason}\n    {made.answer.data[:600]!r}")
    finally:
        codes = [proxy.stop() for proxy in running]
    if codes[0] != 0:
        failures.append(f"weir ended with {codes[0]}")
    return failures


def main():
    parser = argparse.ArgumentParser(description="Compares Weir with nginx on generated messages.")
    parser.add_argument("--weir", required=True)
    parser.add_argument("--requests", type=int, default=2000), parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.weir = os.path.abspath(options.weir)
    times = int(os.environ.get("WEIR_DIFFERENTIAL", "1"))
    options.requests, options.answers = options.requests * times, options.answers * times
    threading.stack_size(1 << 18)
    table = Differences()
    failures = compare_requests(options, table) + compare_answers(options, table)
    for failure in failures[:25]:
        print(failure)
    print(f"{options.requests} requests and {options.answers} answers of seed {options.seed}: {len(failures)} differences that nothing explains. Explained:")
    for reason, count in sorted(table.counts.items()):
        print(f"  {count:6} {reason}")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
