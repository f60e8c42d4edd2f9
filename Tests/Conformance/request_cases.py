"""What a client may send, and what a proxy must make of it.

In the bytes, {T} is the target of the case, {S} one that must never reach the upstream, {H} the proxy's authority. Behind each case
follows a good request for {C}, which shows whether the connection was kept.
"""

import dataclasses


@dataclasses.dataclass
class Case:
    name: str
    group: str  # smuggling: a difference in framing or routing. syntax, limits, semantics: the rest.
    level: str  # must, should, may
    section: str
    data: bytes
    expect: str = "reject"  # reject, accept, either, incomplete
    statuses: tuple = ()  # on rejection; empty: any 4xx or 5xx
    needs_status: bool = False  # closing without an answer is not enough
    closes: object = None  # True, False, or None if it does not matter
    method: bytes = b"GET"
    body: bytes = b""
    target: bytes = None  # what the upstream must see; default: {T}
    lacks: tuple = ()  # fields that must not reach the upstream
    has: tuple = ()  # (name, value) that must
    interim: tuple = None  # interim statuses before the final one
    shut: bool = False  # the client ends its side behind the bytes
    minor: int = 1
    slowly: bool = False  # each byte by itself


CASES = []


def add(name, data, group="syntax", level="must", section="9112 2.2", **more):
    if isinstance(data, str):
        data = data.encode("latin-1")
    CASES.append(Case(name, group, level, section, data.replace(b"\n", b"\r\n") if not more.pop("raw", 0) else data, **more))


def get(name, lines="", section="9112 5", **more):
    """A GET with more field lines."""
    add(name, f"GET {{T}} HTTP/1.1\nHost: {{H}}\n{lines}\n" if lines else "GET {T} HTTP/1.1\nHost: {H}\n\n", section=section, **more)


def line(name, first, section="9112 3", **more):
    """Another request line."""
    add(name, f"{first}\nHost: {{H}}\n\n", section=section, **more)


def post(name, lines, sent, section="9112 6.3", group="smuggling", closes=True, **more):
    """A POST whose framing is in question; it must be refused and the connection closed, unless said otherwise."""
    more.setdefault("method", b"POST")
    add(name, f"POST {{T}} HTTP/1.1\r\nHost: {{H}}\r\n{lines}\r\n\r\n{sent}", group, section=section, closes=closes, raw=1, **more)


def chunks(name, sent, section="9112 7.1", **more):
    """A chunked body in question."""
    post(name, "Transfer-Encoding: chunked", sent, section=section, **more)


SMUGGLED = "GET {S} HTTP/1.1\r\nHost: {H}\r\n\r\n"
GOOD = "5\r\nhello\r\n0\r\n\r\n"
TE = "Transfer-Encoding: chunked"

# --- What must work -------------------------------------------------------------------------------------------------------------
ok = {"group": "semantics", "expect": "accept", "closes": False}
get("a plain GET", **ok)
add("a GET that comes behind an empty line", "\nGET {T} HTTP/1.1\nHost: {H}\n\n", level="should", **ok)
post("a body with a length", "Content-Length: 5", "hello", **(ok | {"body": b"hello"}))
post("a length of 0", "Content-Length: 0", "", **ok)
post("a POST without a length", "X-A: 1", "", **ok)
chunks("a chunked body", GOOD, **(ok | {"body": b"hello"}))
chunks("several chunks", "1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n0\r\n\r\n", **(ok | {"body": b"hello"}))
chunks("an empty chunked body", "0\r\n\r\n", **ok)
chunks("a chunk size in upper case", "A\r\n0123456789\r\n0\r\n\r\n", **(ok | {"body": b"0123456789"}))
chunks("a chunk size in lower case", "a\r\n0123456789\r\n0\r\n\r\n", **(ok | {"body": b"0123456789"}))
chunks("a chunk size with leading zeros", "0005\r\nhello\r\n00\r\n\r\n", **(ok | {"body": b"hello"}))
chunks("a chunk extension", "5;a=b\r\nhello\r\n0;c\r\n\r\n", section="9112 7.1.1", **(ok | {"body": b"hello"}))
chunks("a quoted chunk extension", '5;a="b;c"\r\nhello\r\n0\r\n\r\n', section="9112 7.1.1", **(ok | {"body": b"hello"}))
chunks("a trailer field", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", section="9112 7.1.2", **(ok | {"body": b"hello"}))
post("the coding in another case", "Transfer-Encoding: ChUnKeD", GOOD, section="9112 7", **(ok | {"body": b"hello"}))
post("the field in upper case", "TRANSFER-ENCODING: chunked", GOOD, section="9110 5.1", **(ok | {"body": b"hello"}))
post("a tab before the coding", "Transfer-Encoding:\tchunked", GOOD, section="9110 5.6.3", **(ok | {"body": b"hello"}))
post("blanks around a length", "Content-Length: \t 5 \t", "hello", section="9110 5.6.3", **(ok | {"body": b"hello"}))
post("a tab behind a length", "Content-Length: 5\t", "hello", section="9110 5.6.3", **(ok | {"body": b"hello"}))
post("a blank behind a length", "Content-Length: 5 ", "hello", section="9110 5.6.3", **(ok | {"body": b"hello"}))
post("a blank behind the coding", "Transfer-Encoding: chunked ", GOOD, section="9110 5.6.3", **(ok | {"body": b"hello", "group": "smuggling"}))
post("a tab behind the coding", "Transfer-Encoding: chunked\t", GOOD, section="9110 5.6.3", **(ok | {"body": b"hello", "group": "smuggling"}))
post("a length without a blank before it", "content-length:5", "hello", section="9110 5.6.3", **(ok | {"body": b"hello"}))
get("an empty field", "X-Empty:\n", **(ok | {"has": ((b"x-empty", b""),)}))
get("a field with obs-text", "X-A: caf\xe9\n", section="9110 5.5", **(ok | {"has": ((b"x-a", b"caf\xe9"),)}))
get("a field with every character of a token", "X!#$%&'*+-.^_`|~9: v\n", section="9110 5.6.2", **(ok | {"has": ((b"x!#$%&'*+-.^_`|~9", b"v"),)}))
get("a repeated field keeps its order", "X-A: 1\nX-B: 2\nX-A: 3\n", section="9110 5.2", **(ok | {"has": ((b"x-a", b"1"), (b"x-a", b"3"))}))
line("a HEAD", "HEAD {T} HTTP/1.1", section="9110 9.3.2", **(ok | {"method": b"HEAD"}))
line("an unknown method that is a token", "FROB {T} HTTP/1.1", section="9110 9.1", **(ok | {"method": b"FROB"}))
line("a method in lower case is another method", "get {T} HTTP/1.1", section="9110 9.1", **(ok | {"method": b"get"}))
line("a query with question marks", "GET {T}?a?b=c&d=%20 HTTP/1.1", **(ok | {"target": b"{T}?a?b=c&d=%20"}))
line("escapes that are not undone", "GET {T}/%2F%2e%41?%26 HTTP/1.1", section="9110 7.7", **(ok | {"target": b"{T}/%2F%2e%41?%26"}))
line("two slashes", "GET {T}//a//b HTTP/1.1", section="9110 7.7", **(ok | {"target": b"{T}//a//b"}))
line("dots below the root of the case", "GET {T}/a/../b/./c HTTP/1.1", level="should", section="9110 7.7", **(ok | {"target": b"{T}/a/../b/./c"}))
line("the absolute form with the proxy's authority", "GET http://{H}{T} HTTP/1.1", section="9112 3.2.2", level="must", **ok)
get("what Connection names stays here", "Connection: X-Hop\nX-Hop: 1\n", section="9110 7.6.1", group="semantics", expect="accept", lacks=(b"x-hop",))
get("hop-by-hop fields stay here", "Connection: TE, Keep-Alive\nTE: trailers\nKeep-Alive: timeout=5\nProxy-Connection: keep-alive\n", section="9110 7.6.1",
    group="semantics", expect="accept", lacks=(b"te", b"keep-alive", b"proxy-connection"))
get("Connection: close is kept", "Connection: close\n", section="9112 9.6", group="semantics", expect="accept", closes=True)
get("Connection: CLOSE among others", "Connection: x, CLOSE\n", section="9112 9.6", group="semantics", expect="accept", closes=True)
add("HTTP/1.0 without keep-alive is closed", "GET {T} HTTP/1.0\nHost: {H}\n\n", "semantics", section="9112 9.3", expect="accept", closes=True, minor=0)
add("HTTP/1.0 without Host", "GET {T} HTTP/1.0\n\n", "semantics", "may", "9112 3.2", expect="either", minor=0)
add("HTTP/1.0 with keep-alive gets no chunks", "GET {T} HTTP/1.0\nHost: {H}\nConnection: keep-alive\n\n", "semantics", section="9112 6.1", expect="accept", minor=0)
line("a higher minor version is 1.1", "GET {T} HTTP/1.2", section="9110 2.5", level="should", group="semantics", expect="either")
post("Expect gets 100 and then the answer", "Expect: 100-continue\r\nContent-Length: 5", "hello", section="9110 10.1.1",
     group="semantics", level="may", expect="accept", closes=False, body=b"hello")
get("Expect without a body is ignored", "Expect: 100-continue\n", section="9110 10.1.1", group="semantics", level="may", expect="either")
get("an unknown expectation", "Expect: other\n", section="9110 10.1.1", group="semantics", level="may", expect="either", statuses=(417,))
get("an upgrade is not switched to", "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n",
    section="9110 7.8", group="semantics", level="may", expect="either")
get("Upgrade without the connection option", "Upgrade: h2c\n", section="9110 7.8", group="semantics", expect="accept", lacks=(b"upgrade",))
get("Max-Forwards on a GET means nothing", "Max-Forwards: 0\n", section="9110 7.6.2", group="semantics", expect="accept")
add("two requests in one piece", "GET {T} HTTP/1.1\nHost: {H}\n\n", "semantics", section="9112 9.3.2", expect="accept", closes=False)
post("a GET with a body is forwarded with it or refused", "Content-Length: 5", "hello", section="9110 9.3.1", group="smuggling",
     level="must", expect="accept", closes=False, body=b"hello")
add("a GET with a body that looks like a request",
    "GET {T} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 32\r\n\r\nGET {S} HTTP/1.1\r\nHost: h\r\n\r\n", "smuggling", section="9110 9.3.1",
    expect="either", raw=1, body=None)
add("a DELETE with a chunked body", f"DELETE {{T}} HTTP/1.1\r\nHost: {{H}}\r\n{TE}\r\n\r\n{GOOD}", "smuggling", section="9110 9.3.5",
    expect="either", raw=1, method=b"DELETE", body=b"hello")
add("an OPTIONS with a body", "OPTIONS {T} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 5\r\n\r\nhello", "smuggling", section="9110 9.3.7",
    expect="either", raw=1, method=b"OPTIONS", body=b"hello")
add("a HEAD with a body", "HEAD {T} HTTP/1.1\r\nHost: {H}\r\nContent-Length: 5\r\n\r\nhello", "smuggling", section="9110 9.3.2",
    expect="either", raw=1, method=b"HEAD", body=b"hello")

get("a GET in single bytes", "X-A: b\n", slowly=True, **ok)
chunks("a chunked body in single bytes", "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", slowly=True, **(ok | {"body": b"hello"}))

# --- Smuggling: two framings ----------------------------------------------------------------------------------------------------
post("a length and chunks", f"Content-Length: 6\r\n{TE}", "0\r\n\r\nG" + SMUGGLED, section="9112 6.1", level="should")
post("chunks and a length", f"{TE}\r\nContent-Length: 4", "5c\r\n" + SMUGGLED, section="9112 6.1", level="should")
post("a length and chunks of a GET-like tail", f"Content-Length: 5\r\n{TE}", GOOD, section="9112 6.1", level="should")
post("two lengths that differ", "Content-Length: 5\r\nContent-Length: 0", "hello" + SMUGGLED)
post("two lengths that differ, the other way round", "Content-Length: 0\r\nContent-Length: 5", "hello")
post("two equal lengths", "Content-Length: 5\r\nContent-Length: 5", "hello", level="may", expect="either", closes=None, body=b"hello")
post("a list of equal lengths", "Content-Length: 5, 5", "hello", level="may", expect="either", closes=None, body=b"hello")
post("a list of lengths that differ", "Content-Length: 5, 6", "hello!")
for text in ("+5", "-5", "0x5", "0o5", "5_0", "5 0", "5.0", "5e0", "5;", "a", "", "\x0b5", "5\x0c", "\xa05", "５", "-0", "'5'", '"5"'):
    shown = text.encode("unicode_escape").decode() or "empty"
    text = text.encode("utf-8").decode("latin-1") if text == "５" else text
    post(f"the length {shown}", f"Content-Length: {text}", "hello")
post("a length with a leading zero", "Content-Length: 05", "hello", level="may", expect="either", closes=None, body=b"hello")
post("a length of 2^64+5", "Content-Length: 18446744073709551621", "hello", section="9110 8.6", statuses=(400, 413))
post("a length of 2^63", "Content-Length: 9223372036854775808", "hello", section="9110 8.6", statuses=(400, 413))
post("a length of 2^32+5", "Content-Length: 4294967301", "hello", section="9110 8.6", statuses=(400, 413, 408))
post("a length of 100 digits", "Content-Length: " + "9" * 100, "hello", section="9110 8.6", statuses=(400, 413))
post("chunks in HTTP/1.0", TE, GOOD, section="9112 6.1")
CASES[-1].data = CASES[-1].data.replace(b" HTTP/1.1", b" HTTP/1.0", 1)
CASES[-1].expect, CASES[-1].body, CASES[-1].minor = "either", b"hello", 0
for coding in ("identity", "gzip", "xchunked", "chunked-x", "chunke", "c hunked", "chunked;a=b", "\x0bchunked", "chunked\x0b",
               "chunked\x0c", "\xa0chunked", "chunked\x00", '"chunked"', "gzip, identity", "chunked, gzip", "chunked, identity",
               "chunked, chunked", "identity, chunked", "deflate;q=1", "", ","):
    shown = coding.encode("unicode_escape").decode() or "empty"
    level = "should" if ";" in coding or coding.endswith("chunked") and "," in coding else "must"
    post(f"the coding {shown}", f"Transfer-Encoding: {coding}", GOOD, section="9112 6.1", level=level)
post("the codings gzip, chunked", "Transfer-Encoding: gzip, chunked", GOOD, section="9112 6.1", level="should", statuses=(400, 501))
post("chunked with an empty element", "Transfer-Encoding: chunked,", GOOD, section="9110 5.6.1.2", level="may", expect="either", closes=None, body=b"hello")
post("chunked behind an empty element", "Transfer-Encoding: , chunked", GOOD, section="9110 5.6.1.2", level="may", expect="either", closes=None, body=b"hello")
post("chunked in two fields", f"{TE}\r\n{TE}", GOOD, section="9112 6.1")
post("chunked and identity in two fields", f"{TE}\r\nTransfer-Encoding: identity", GOOD, section="9112 6.1")
post("an unknown coding with a length", "Content-Length: 5\r\nTransfer-Encoding: cow", "hello" + SMUGGLED, section="9112 6.1")
post("an empty coding with a length", "Content-Length: 5\r\nTransfer-Encoding:", "hello" + SMUGGLED, section="9112 6.1")
post("a blank before the colon of the coding", "Transfer-Encoding : chunked", GOOD, section="9112 5.1")
post("a blank before the colon of the length", "Content-Length : 5", "hello", section="9112 5.1")
post("a tab before the colon of the length", "Content-Length\t: 5", "hello", section="9112 5.1")
post("a folded coding", "Transfer-Encoding:\r\n chunked", GOOD, section="9112 5.2")
post("a folded length", "Content-Length:\r\n 5", "hello", section="9112 5.2")
post("a length folded into another field", "X-A: b\r\n Content-Length: 5", "hello" + SMUGGLED, section="9112 5.2")
post("a bare LF between the framings", f"X-A: b\nTransfer-Encoding: chunked", GOOD, level="should")
post("a bare CR before the coding", f"X-A: b\rTransfer-Encoding: chunked", GOOD)
post("a NUL in the name of the coding", "Transfer-\x00Encoding: chunked", GOOD, section="9112 5")
post("a NUL behind the length", "Content-Length: 5\x00", "hello", section="9110 5.5")
post("underscores in the name of the coding", "Transfer_Encoding: chunked", "", section="9110 5.1", level="may", expect="either", closes=None)
post("underscores in the name of the length", "Content_Length: 5", "", section="9110 5.1", level="may", expect="either", closes=None)
post("a length that Connection names", "Connection: Content-Length\r\nContent-Length: 5", "hello", section="9110 7.6.1",
     expect="either", closes=None, body=b"hello")
post("a coding that Connection names", f"Connection: Transfer-Encoding\r\n{TE}", GOOD, section="9110 7.6.1", expect="either",
     closes=None, body=b"hello")
post("a Host that Connection names", "Connection: Host\r\nContent-Length: 0", "", section="9110 7.6.1", expect="either", closes=None)

# --- Smuggling: chunks ----------------------------------------------------------------------------------------------------------
for size in ("0x5", "+5", "-5", "5_", "0_5", " 5", "\t5", "", "g", "5 5", "5,", "5\x00", "\x0b5", "FFFFFFFFFFFFFFFFF5", 
             "10000000000000005", "100000005" + "0" * 8, "-0", "0;\x00", "５"):
    shown = size.encode("unicode_escape").decode() or "empty"
    size = size.encode("utf-8").decode("latin-1") if size == "５" else size
    chunks(f"the chunk size {shown}", f"{size}\r\nhello\r\n0\r\n\r\n", expect="reject")
chunks("the chunk size 8000000000000005", "8000000000000005\r\nhello\r\n0\r\n\r\n", level="should", group="limits")
chunks("a blank behind the chunk size", "5 \r\nhello\r\n0\r\n\r\n", level="may", expect="either", closes=None, body=b"hello", section="9112 7.1.1")
chunks("a chunk longer than it says", "5\r\nhelloXX\r\n0\r\n\r\n")
chunks("a chunk shorter than it says", "7\r\nhello\r\n0\r\n\r\n")
chunks("a chunk without CR LF behind it", "5\r\nhello0\r\n\r\n")
chunks("a chunk size ended by LF", "5\nhello\r\n0\r\n\r\n", level="should")
chunks("a chunk size ended by CR", "5\rhello\r\n0\r\n\r\n")
chunks("a chunk ended by LF", "5\r\nhello\n0\r\n\r\n", level="should")
chunks("a chunk ended by two other bytes", "5\r\nhelloXX0\r\n\r\n")
chunks("a chunk ended by CR and another byte", "5\r\nhello\rX0\r\n\r\n")
chunks("a chunk ended by another byte and LF", "5\r\nhelloX\n0\r\n\r\n")
chunks("a last chunk ended by LF", "5\r\nhello\r\n0\n\r\n", level="should")
chunks("a body ended by LF", "5\r\nhello\r\n0\r\n\n", level="should")
chunks("an extension that is ended by LF", "5;a\nhello\r\n0\r\n\r\n", section="9112 7.1.1", level="should")
chunks("an extension with LF that hides a chunk", "2;\nxx\r\n4c\r\n0\r\n\r\n" + SMUGGLED, section="9112 7.1.1")
chunks("an extension with CR", "5;a\rb\r\nhello\r\n0\r\n\r\n", section="9112 7.1.1")
chunks("an extension with NUL", "5;a\x00b\r\nhello\r\n0\r\n\r\n", section="9112 7.1.1")
chunks("an extension without a name", "5;\r\nhello\r\n0\r\n\r\n", section="9112 7.1.1", level="may", expect="either", closes=None, body=b"hello")
chunks("an extension of 64 KiB", "5;a=" + "b" * 65536 + "\r\nhello\r\n0\r\n\r\n", section="9112 7.1.1", level="should", group="limits")
chunks("a hundred thousand chunks of one byte are data", ("1\r\na\r\n" * 20000) + "0\r\n\r\n", group="limits", expect="accept", closes=None,
       body=b"a" * 20000)
chunks("a trailer line without a colon", "5\r\nhello\r\n0\r\nhello\r\n\r\n", section="9112 7.1.2", level="should", group="syntax")
chunks("a trailer line with a blank before the colon", "5\r\nhello\r\n0\r\nX-A : b\r\n\r\n", section="9112 7.1.2", level="should", group="syntax")
chunks("a trailer with a length is not the next one's", "5\r\nhello\r\n0\r\nContent-Length: 40\r\n\r\n", section="9110 6.5.1",
       expect="either", closes=None, body=b"hello", lacks=(b"content-length:40",))
chunks("a trailer with a coding", "5\r\nhello\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n", section="9110 6.5.1", expect="either", closes=None, body=b"hello")
chunks("a trailer with Host and Authorization", "5\r\nhello\r\n0\r\nHost: evil\r\nAuthorization: x\r\n\r\n", section="9110 6.5.1",
       expect="either", closes=None, body=b"hello", lacks=(b"authorization",))
chunks("a trailer of 64 KiB", "5\r\nhello\r\n0\r\nX-A: " + "b" * 65536 + "\r\n\r\n", section="9112 7.1.2", level="should", group="limits")
chunks("a body without a last chunk", "5\r\nhello\r\n", section="9112 8", expect="incomplete", shut=True)
chunks("a chunk that breaks off", "5\r\nhel", section="9112 8", expect="incomplete", shut=True)
chunks("a last chunk without the empty line", "5\r\nhello\r\n0\r\n", section="9112 8", expect="incomplete", shut=True)
post("a body that breaks off", "Content-Length: 50", "hello", section="9112 8", expect="incomplete", shut=True)
add("a head that breaks off", "GET {T} HTTP/1.1\nHost: {H}\nX-A: b", section="9112 8", group="smuggling", expect="incomplete", shut=True)
add("a head without the empty line", "GET {T} HTTP/1.1\nHost: {H}\n", section="9112 8", group="smuggling", expect="incomplete", shut=True)
post("bytes behind a body of length 0", "Content-Length: 0", "hello", section="9112 9.3", expect="accept", closes=None)

# --- Lines ----------------------------------------------------------------------------------------------------------------------
bad = {"closes": True}
line("two blanks behind the method", "GET  {T} HTTP/1.1", level="should", **bad)
line("two blanks behind the target", "GET {T}  HTTP/1.1", level="should", **bad)
line("a tab behind the method", "GET\t{T} HTTP/1.1", level="should", **bad)
line("a blank before the method", " GET {T} HTTP/1.1", level="should", **bad)
line("a blank behind the version", "GET {T} HTTP/1.1 ", level="should", **bad)
line("a blank in the target", "GET {T} a HTTP/1.1", group="smuggling", level="should", **bad)
line("no version", "GET {T}", section="9112 2.3", level="should", **bad)
line("no target", "GET HTTP/1.1", **bad)
line("no method", "{T} HTTP/1.1", **bad)
line("a method with a bracket", "G(T {T} HTTP/1.1", section="9110 9.1", **bad)
line("a method with a colon", "GET: {T} HTTP/1.1", section="9110 9.1", **bad)
line("a method with obs-text", "G\xc9T {T} HTTP/1.1", section="9110 9.1", **bad)
line("a method with a NUL", "G\x00T {T} HTTP/1.1", section="9110 9.1", **bad)
line("a very long method", "G" * 20000 + " {T} HTTP/1.1", section="9112 3", level="should", group="limits")
for version in ("HTTP/1", "HTTP/1.", "HTTP/1.10", "HTTP/01.1", "HTTP/1.01", "HTTP/1.1x", "HTTP/ 1.1", "HTTP /1.1", "HTTP/1,1", "http/1.1",
                "Http/1.1", "HTTP/-1.1", "HTTP/+1.1", "HTTP/1.-1", "HTTX/1.1", "HTTP/x.1", "HTTP/1.\x0b1", "HTTP\\1.1", "ICY/1.1"):
    line(f"the version {version.encode('unicode_escape').decode()}", f"GET {{T}} {version}", section="9112 2.3", level="must", **bad)
for version in ("HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9"):
    line(f"the version {version}", f"GET {{T}} {version}", section="9110 2.5", level="should", **bad)
add("the preface of HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n", section="9113 3.4", level="should", **bad)
add("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n", section="9112 2.2", level="should", raw=1, **bad)
add("bare LF everywhere", "GET {T} HTTP/1.1\nHost: {H}\n\n", section="9112 2.2", level="may", expect="either", raw=1)
add("bare CR everywhere", "GET {T} HTTP/1.1\rHost: {H}\r\r", section="9112 2.2", raw=1, expect="incomplete", shut=True)
add("a bare CR in the request line", "GET {T}\r HTTP/1.1\r\nHost: {H}\r\n\r\n", group="smuggling", raw=1, **bad)
add("a bare LF in the request line", "GET {T}\n HTTP/1.1\r\nHost: {H}\r\n\r\n", group="smuggling", raw=1, **bad)
add("CR CR LF", "GET {T} HTTP/1.1\r\r\nHost: {H}\r\r\n\r\r\n", raw=1, expect="incomplete", shut=True)
add("a line of blanks before the request", " \nGET {T} HTTP/1.1\nHost: {H}\n\n", level="should", **bad)
add("a hundred empty lines before the request", "\n" * 100 + "GET {T} HTTP/1.1\nHost: {H}\n\n", level="may", expect="either", group="limits")
add("a blank before the first field", "GET {T} HTTP/1.1\n X-A: b\nHost: {H}\n\n", section="9112 2.2", group="smuggling", expect="reject", **bad)
add("a length behind a blank before the first field", "POST {T} HTTP/1.1\n Content-Length: 5\nHost: {H}\n\n", group="smuggling", **bad)
for target, level in (("a", "must"), ("*", "must"), ("\\a", "must"), ("?a", "must"), ("h:80", "must"), ("ftp://{H}{T}", "should"),
                      ("//{H}{T}", "may"), ("{T}#f", "should"), ("{T}?a#f", "should"), ("{T}\x01", "must"), ("{T}\x7f", "must"),
                      ("{T}\x00", "must"), ("{T}\x0b", "must"), ("http://", "must"), ("http:{T}", "must"), ("http:///a", "must")):
    shown = target.encode("unicode_escape").decode()
    line(f"the target {shown}", f"GET {target} HTTP/1.1", section="9112 3.2", level=level, expect="either" if level == "may" else "reject")
for target in ("{T}/\xc3\xa9", "{T}/\xff\xfe", "{T}/%", "{T}/%zz", "{T}/%00", "{T}/%0d%0aX-A:b", "{T}/a\\b", "{T}/<a>\"{}|^`", "{T}/..%2f..",
               "{T}/%c0%ae", "{T}/../../../../../etc"):
    shown = target.encode("unicode_escape").decode()
    line(f"the target {shown}", f"GET {target} HTTP/1.1", section="9112 3.2", level="may", expect="either", target=None)
    CASES[-1].target = target.encode("latin-1")
line("CONNECT", "CONNECT {H} HTTP/1.1", section="9110 9.3.6", level="should", method=b"CONNECT")
line("CONNECT to a path", "CONNECT {T} HTTP/1.1", section="9110 9.3.6", level="should", method=b"CONNECT")
line("TRACE", "TRACE {T} HTTP/1.1", section="9110 9.3.8", level="should", method=b"TRACE")
line("OPTIONS *", "OPTIONS * HTTP/1.1", section="9112 3.2.4", level="may", group="semantics", expect="either", method=b"OPTIONS", target=None)

# --- Host -----------------------------------------------------------------------------------------------------------------------
host = {"section": "9112 3.2", "statuses": (400,), "needs_status": True}
add("no Host", "GET {T} HTTP/1.1\n\n", **host)
add("no Host but another field", "GET {T} HTTP/1.1\nX-A: b\n\n", **host)
add("two Hosts", "GET {T} HTTP/1.1\nHost: {H}\nHost: {H}\n\n", group="smuggling", **host)
add("two Hosts that differ", "GET {T} HTTP/1.1\nHost: {H}\nhost: evil\n\n", group="smuggling", **host)
for value in ("a b", "a, b", "a/b", "u@a", "a:b:c", "a:99999999", "a:-1", "[::1", "a#b", "a?b", "http://a", "a\xe9", "a\x0bb", "<a>", "a\\b", '"a"'):
    add(f"the Host {value.encode('unicode_escape').decode()}", f"GET {{T}} HTTP/1.1\nHost: {value}\n\n", **host)
add("an empty Host", "GET {T} HTTP/1.1\nHost:\n\n", section="9112 3.2", level="may", expect="either")
add("the Host [::1]:80", "GET {T} HTTP/1.1\nHost: [::1]:80\n\n", section="9112 3.2", group="semantics", expect="accept")
add("a Host with an empty port", "GET {T} HTTP/1.1\nHost: a:\n\n", section="9110 7.2", group="semantics", level="may", expect="either")
add("an absolute form that is not the Host", "GET http://evil{T} HTTP/1.1\nHost: {H}\n\n", section="9112 3.2.2", group="smuggling", level="may", expect="either")
add("an absolute form with userinfo", "GET http://u:p@{H}{T} HTTP/1.1\nHost: {H}\n\n", section="9110 4.2.4", level="should", expect="reject")
add("a folded Host", "GET {T} HTTP/1.1\nHost:\n {H}\n\n", section="9112 5.2", group="smuggling", expect="reject")

# --- Fields ---------------------------------------------------------------------------------------------------------------------
for name, text in (("a line without a colon", "hello"), ("an empty name", ": b"), ("a blank before the colon", "X-A : b"),
                   ("a tab before the colon", "X-A\t: b"), ("a blank in a name", "X A: b"), ("a bracket in a name", "X(A: b"),
                   ("obs-text in a name", "X\xe9: b"), ("a NUL in a name", "X\x00A: b"), ("a control character in a name", "X\x01A: b"),
                   ("a quote in a name", '"X": b'), ("a slash in a name", "X/A: b"), ("a NUL in a value", "X-A: a\x00b"),
                   ("a bare CR in a value", "X-A: a\rb"), ("a bare CR that hides a field", "X-A: a\rX-B: b")):
    get(name, text.replace("\n", "\r\n") + "\n", section="9112 5.1" if "before the colon" in name else "9112 5",
        statuses=(400,) if "before the colon" in name else (), needs_status="before the colon" in name, closes=None,
        group="smuggling" if "CR" in name or "NUL" in name else "syntax")
for name, text in (("a control character in a value", "X-A: a\x01b"), ("a DEL in a value", "X-A: a\x7fb"), ("a vertical tab in a value", "X-A: a\x0bb")):
    get(name, text + "\n", section="9110 5.5", level="may", expect="either", lacks=())
get("a folded field", "X-A: a\n b\n", section="9112 5.2", expect="either", has=((b"x-a", b"a b"),))
get("a folded field of blanks", "X-A: a\n \n", section="9112 5.2", expect="either")
add("a bare LF between fields", "GET {T} HTTP/1.1\r\nHost: {H}\r\nX-A: a\nX-B: b\r\n\r\n", level="may", expect="either", raw=1)
add("a bare LF at the end of the head", "GET {T} HTTP/1.1\r\nHost: {H}\r\n\n", level="may", expect="either", raw=1)

# --- Limits ---------------------------------------------------------------------------------------------------------------------
line("a target of 1 MiB", "GET {T}/" + "a" * (1 << 20) + " HTTP/1.1", section="9112 3", group="limits", level="must", statuses=(400, 414, 431))
line("a target of 4000 bytes", "GET {T}/" + "a" * 4000 + " HTTP/1.1", section="9112 3", group="limits", level="should", expect="accept", target=b"{T}/" + b"a" * 4000)
get("a field of 1 MiB", "X-A: " + "a" * (1 << 20) + "\n", section="9110 5.4", group="limits", statuses=(400, 413, 414, 431))
get("a field name of 100 KiB", "X" * (100 << 10) + ": b\n", section="9110 5.4", group="limits", statuses=(400, 413, 414, 431))
get("a field of 4000 bytes", "X-A: " + "a" * 4000 + "\n", section="9110 5.4", group="limits", level="should", expect="accept")
get("ten thousand fields", "".join(f"X-{n}: a\n" for n in range(10000)), section="9110 5.4", group="limits", statuses=(400, 413, 431))
get("eighty fields", "".join(f"X-{n}: a\n" for n in range(80)), section="9110 5.4", group="limits", level="should", expect="accept")
get("a thousand empty fields", "".join("A:\n" for n in range(1000)), section="9110 5.4", group="limits", level="may", expect="either")
get("a Cookie of 300 pairs", "Cookie: " + "; ".join(f"a{n}=b" for n in range(300)) + "\n", section="9110 5.4", group="limits", level="should", expect="accept")
get("eighty fields of 130 bytes", "".join(f"X-{n}: {'a' * 123}\n" for n in range(80)), section="9110 5.4", group="limits", level="should", expect="accept")
