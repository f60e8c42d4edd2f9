"""What an upstream may answer, and what a proxy must make of it.

Behind each case follow two good requests, whose answers must be theirs: nothing of the case may be taken for an answer to them.
"""

import dataclasses
import gzip


@dataclasses.dataclass
class Case:
    name: str
    group: str
    level: str
    section: str
    data: bytes
    expect: str = "relay"  # relay; bad: an error or a broken transfer; either; broken: the client must see the break
    then: str = "keep"
    method: bytes = b"GET"
    status: int = 200
    body: bytes = b"hello"
    has: tuple = ()
    lacks: tuple = ()
    reuses: object = None  # False: the upstream connection must not be used again
    late: bytes = b""  # what comes 50 ms behind the answer


CASES = []


def add(name, data, group="semantics", level="must", section="9112 6.3", **more):
    if isinstance(data, str):
        data = data.encode("latin-1")
    CASES.append(Case(name, group, level, section, data, **more))


def answer(name, lines, sent="hello", start="HTTP/1.1 200 OK", **more):
    """An answer with these field lines and this body."""
    add(name, "\r\n".join([start] + ([lines] if lines else [])) + "\r\n\r\n" + sent, **more)


def chunked(name, sent, section="9112 7.1", **more):
    """An answer with a chunked body in question."""
    answer(name, "Transfer-Encoding: chunked", sent, section=section, **more)


def start(name, first, **more):
    """An answer with another first line."""
    more.setdefault("section", "9112 4")
    answer(name, "Content-Length: 5", "hello", first, **more)


TE = "Transfer-Encoding: chunked"
CL = "Content-Length: 5"
GOOD = "5\r\nhello\r\n0\r\n\r\n"
NEXT = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nX-Poison: 1\r\n\r\npoisoned"
# That no later request gets the rest is a must, and always looked at; that the connection is not used again is what makes it sure.
poison = {"group": "smuggling", "reuses": False, "level": "should"}
broken = {"group": "smuggling", "expect": "bad", "reuses": False}

# --- What must be handed on -----------------------------------------------------------------------------------------------------
answer("a length", CL)
answer("a length of 0", "Content-Length: 0", "", body=b"")
chunked("chunks", GOOD)
chunked("chunks of many sizes", "1\r\nh\r\n0003\r\nell\r\n1;a=b\r\no\r\n000\r\n\r\n")
chunked("a trailer", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", section="9112 7.1.2")
chunked("an empty chunked body", "0\r\n\r\n", body=b"")
answer("a body until the end", "X-A: b", then="close")
answer("an empty body until the end", "X-A: b", "", then="close", body=b"")
answer("a length and the end", f"{CL}\r\nConnection: close", then="close")
answer("Connection: close of an upstream that keeps it open", f"{CL}\r\nConnection: close", section="9112 9.6", reuses=False)
answer("HTTP/1.0 with a length", CL, start="HTTP/1.0 200 OK", then="close", section="9112 9.3")
answer("HTTP/1.0 is not used again", CL, start="HTTP/1.0 200 OK", section="9112 9.3", reuses=False)
answer("HTTP/1.0 until the end", "X-A: b", start="HTTP/1.0 200 OK", then="close")
answer("the coding in another case", "transfer-encoding: CHUNKED", GOOD, section="9112 7")
answer("blanks around a length", "Content-Length: \t5 \t", section="9110 5.6.3")
answer("two equal lengths", f"{CL}\r\n{CL}", level="may", section="9110 8.6", expect="either")
answer("a list of equal lengths", "Content-Length: 5, 5", level="may", section="9110 8.6", expect="either")
answer("the answer to HEAD with a length", CL, "", method=b"HEAD", body=b"", has=((b"content-length", b"5"),), section="9110 9.3.2", level="should")
answer("the answer to HEAD with chunks", TE, "", method=b"HEAD", body=b"", section="9110 9.3.2")
answer("the answer to HEAD without either", "X-A: b", "", method=b"HEAD", body=b"", section="9110 9.3.2")
answer("204", "X-A: b", "", "HTTP/1.1 204 No Content", status=204, body=b"", section="9110 15.3.5", lacks=(b"content-length", b"transfer-encoding"))
answer("304 with a length", CL, "", "HTTP/1.1 304 Not Modified", status=304, body=b"", section="9110 15.4.5")
answer("304", "ETag: \"a\"", "", "HTTP/1.1 304 Not Modified", status=304, body=b"", section="9110 15.4.5", has=((b"etag", b'"a"'),))
answer("205", "Content-Length: 0", "", "HTTP/1.1 205 Reset Content", status=205, body=b"", section="9110 15.3.6")
for status in (201, 202, 203, 206, 300, 301, 307, 308, 400, 404, 418, 451, 500, 503, 599):
    start(f"the status {status}", f"HTTP/1.1 {status} Fine", status=status, section="9110 15")
start("an unknown status of the class", "HTTP/1.1 299 Odd", status=299, section="9110 15")
start("no reason", "HTTP/1.1 200 ")
start("no blank behind the status", "HTTP/1.1 200", level="may", expect="either")
start("a reason with obs-text", "HTTP/1.1 200 Caf\xe9 \xff")
start("a reason of 2000 bytes", "HTTP/1.1 200 " + "a" * 2000, group="limits", level="should")
answer("an interim answer", CL, start="HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK", section="9110 15.2")
answer("several interim answers", CL, start="HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK",
       section="9110 15.2")
answer("an unknown interim answer", CL, start="HTTP/1.1 199 Odd\r\nX-A: b\r\n\r\nHTTP/1.1 200 OK", section="9110 15.2")
answer("an interim answer with a length", CL, start="HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK", section="9110 8.6",
       group="smuggling", expect="either")
answer("a thousand interim answers", CL, start="HTTP/1.1 100 C\r\n\r\n" * 1000 + "HTTP/1.1 200 OK", group="limits", level="may", expect="either")
answer("repeated fields in order", f"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n{CL}", section="9110 5.3", has=((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")))
answer("a field with obs-text", f"X-A: caf\xe9\r\n{CL}", section="9110 5.5", has=((b"x-a", b"caf\xe9"),))
answer("an empty field", f"X-A:\r\n{CL}", section="9110 5.5", has=((b"x-a", b""),))
answer("a folded field", f"X-A: a\r\n  b\r\n{CL}", section="9112 5.2", level="must", expect="either", has=((b"x-a", b"a b"),))
answer("what Connection names stays there", f"Connection: X-Hop\r\nX-Hop: 1\r\n{CL}", section="9110 7.6.1", lacks=(b"x-hop",))
answer("hop-by-hop fields stay there", f"Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2c\r\n{CL}", section="9110 7.6.1",
       lacks=(b"proxy-connection", b"upgrade"))
answer("a coded body is not decoded", f"Content-Encoding: gzip\r\n{CL}", section="9110 8.4", has=((b"content-encoding", b"gzip"),))
packed = gzip.compress(b"hello", mtime=0)
add("a gzip body arrives as it is", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed, section="9110 7.7", body=packed)
answer("a large body", "Content-Length: 3000000", "a" * 3000000, group="limits", body=b"a" * 3000000)
answer("a field of 8000 bytes", f"X-A: {'a' * 8000}\r\n{CL}", group="limits", level="should")
chunked("twenty thousand chunks of one byte", "1\r\na\r\n" * 20000 + "0\r\n\r\n", group="limits", body=b"a" * 20000)

# --- More than the answer -------------------------------------------------------------------------------------------------------
answer("an answer behind the answer", CL, "hello" + NEXT, **poison)
answer("bytes behind the answer", CL, "hellogarbage", **poison)
answer("an answer that comes a little later", CL, late=NEXT.encode(), **(poison | {"level": "must"}))
chunked("an answer that comes a little later than the last chunk", GOOD, late=NEXT.encode(), **(poison | {"level": "must"}))
answer("an answer that comes a little later than 204", "X-A: b", "", "HTTP/1.1 204 No Content", status=204, body=b"", late=NEXT.encode(),
       **(poison | {"level": "must"}))
answer("a timeout that comes a little later", CL, late=b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
       **(poison | {"level": "must"}))
answer("an empty line behind the answer", CL, "hello\r\n", level="may", group="smuggling")
chunked("an answer behind the last chunk", GOOD + NEXT, **poison)
answer("an answer behind 204", "X-A: b", NEXT, "HTTP/1.1 204 No Content", status=204, body=b"", **poison)
answer("an answer behind 304", CL, NEXT, "HTTP/1.1 304 Not Modified", status=304, body=b"", **poison)
answer("a body behind 304", CL, "hello", "HTTP/1.1 304 Not Modified", status=304, body=b"", **poison)
answer("a body behind 204 with a length", CL, "hello", "HTTP/1.1 204 No Content", status=204, body=b"", expect="either", **poison)
answer("chunks behind 204", TE, GOOD, "HTTP/1.1 204 No Content", status=204, body=b"", expect="either", section="9112 6.1", **poison)
answer("a body behind the answer to HEAD", CL, "hello", method=b"HEAD", body=b"", **poison)
answer("an answer behind the answer to HEAD", "Content-Length: 0", NEXT, method=b"HEAD", body=b"", **poison)
answer("a body of 205", CL, "hello", "HTTP/1.1 205 Reset Content", status=205, expect="either", group="smuggling", section="9110 15.3.6")
answer("101 that nobody asked for", "Upgrade: websocket\r\nConnection: Upgrade", NEXT, "HTTP/1.1 101 Switching Protocols", section="9110 15.2.2", **broken)

# --- Two framings ---------------------------------------------------------------------------------------------------------------
answer("a length and chunks", f"{CL}\r\n{TE}", GOOD, section="9112 6.3", expect="either", **poison)
answer("chunks and a length that is longer", f"{TE}\r\nContent-Length: 300", GOOD, section="9112 6.3", expect="either", **poison)
answer("two lengths that differ", f"{CL}\r\nContent-Length: 6", "hello!", **broken)
answer("a list of lengths that differ", "Content-Length: 5, 6", "hello!", **broken)
for text in ("+5", "-5", "0x5", "5_0", "5 0", "5.0", "a", "", "5;", "-1", "18446744073709551621", "9223372036854775808", "9" * 100, "\x0b5"):
    shown = text.encode("unicode_escape").decode() or "empty"
    answer(f"the length {shown[:24]}", f"Content-Length: {text}", "hello", then="close", **broken)
for coding in ("identity", "xchunked", "gzip", "chunked, chunked", "chunked, gzip", "chunked, identity", "\x0bchunked", "chunked;a=b", "", "cow"):
    shown = coding.encode("unicode_escape").decode() or "empty"
    # RFC 9112 6.3: a coding that does not end in chunked means a body until the end; one that is not understood cannot be handed on.
    answer(f"the coding {shown}", f"Transfer-Encoding: {coding}", GOOD, then="close", level="should", **broken)
answer("the codings gzip, chunked", "Transfer-Encoding: gzip, chunked", GOOD, expect="either", **poison)
answer("chunked in two fields", f"{TE}\r\n{TE}", GOOD, level="should", **broken)
answer("chunks in HTTP/1.0", TE, GOOD, "HTTP/1.0 200 OK", then="close", section="9112 6.1", expect="either", group="smuggling", reuses=False)
answer("a blank before the colon of the length", "Content-Length : 5", "hello", section="9112 5.1", expect="either", **poison)
answer("a blank before the colon of the coding", "Transfer-Encoding : chunked", GOOD, then="close", section="9112 5.1", expect="either", **poison)
answer("a folded length", "Content-Length:\r\n 5", "hello", then="close", section="9112 5.2", expect="either", **poison)
answer("a length in the trailer", TE, "5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n", section="9110 6.5.1", group="smuggling")

# --- Chunks ---------------------------------------------------------------------------------------------------------------------
for size in ("0x5", "+5", "-5", "5_", "g", "", " 5", "FFFFFFFFFFFFFFFFF5", "10000000000000005", "\x0b5", "5\x00"):
    shown = size.encode("unicode_escape").decode() or "empty"
    chunked(f"the chunk size {shown}", f"{size}\r\nhello\r\n0\r\n\r\n", then="close", **broken)
chunked("a chunk longer than it says", "5\r\nhelloXX\r\n0\r\n\r\n", then="close", **broken)
chunked("a chunk shorter than it says", "7\r\nhello\r\n0\r\n\r\n", then="close", **broken)
chunked("a chunk without CR LF behind it", "5\r\nhello0\r\n\r\n", then="close", **broken)
chunked("a chunk size ended by LF", "5\nhello\r\n0\r\n\r\n", level="may", expect="either", group="smuggling")
chunked("a chunk size ended by CR", "5\rhello\r\n0\r\n\r\n", then="close", **broken)
chunked("a chunk ended by LF", "5\r\nhello\n0\r\n\r\n", level="may", expect="either", group="smuggling")
chunked("an extension with LF", "5;a\nhello\r\n0\r\n\r\n", level="may", expect="either", group="smuggling")
chunked("a trailer line without a colon", "5\r\nhello\r\n0\r\nhello\r\n\r\n", level="may", expect="either", group="syntax")
chunked("an extension of 1 MiB", "5;" + "a" * (1 << 20) + "\r\nhello\r\n0\r\n\r\n", level="should", group="limits", expect="bad", then="close")
chunked("a trailer of 1 MiB", "5\r\nhello\r\n0\r\nX: " + "a" * (1 << 20) + "\r\n\r\n", level="should", group="limits", expect="bad", then="close")

# --- What breaks off ------------------------------------------------------------------------------------------------------------
cut = {"group": "smuggling", "section": "9112 8", "expect": "broken"}
for then in ("close", "reset", "stall"):
    answer(f"a length of which less comes, then {then}", "Content-Length: 50", "hello", then=then, **cut)
    chunked(f"chunks without the last one, then {then}", "5\r\nhello\r\n", then=then, **cut)
    chunked(f"a chunk that breaks off, then {then}", "9\r\nhello", then=then, **cut)
    chunked(f"a last chunk without its end, then {then}", "5\r\nhello\r\n0\r\n", then=then, **cut)
    answer(f"half a head, then {then}", "X-A: b\r\nX-", "", then=then, **(cut | {"expect": "bad"}))
    CASES[-1].data = CASES[-1].data[:-4]
    add(f"nothing, then {then}", "", then=then, **(cut | {"expect": "bad"}))
answer("a body until the end that is reset", "X-A: b", then="reset", **cut)
answer("a body until the end that stalls", "X-A: b", then="stall", **cut)
add("an interim answer, then the end", "HTTP/1.1 100 Continue\r\n\r\n", then="close", **(cut | {"expect": "bad"}))

# --- Lines ----------------------------------------------------------------------------------------------------------------------
syntax = {"group": "syntax", "expect": "bad"}
for first in ("HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK", "HTTP/1.1  200 OK", "HTTP/1.1", "HTTP/2.0 200 OK", "HTTP/2 200 OK", "HTTP/1.10 200 OK",
              "HTTP/11 200 OK", "ICY 200 OK", "200 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 099 OK", "HTTP/1.1\t200\tOK", "hello", "HTTP/1.1 200OK",
              "http/1.1 200 OK", "HTTP/0.9 200 OK", "HTTP/1.1 600 OK", "HTTP/1.1 999 OK"):
    may = first in ("HTTP/1.1  200 OK", "HTTP/1.1\t200\tOK", "HTTP/1.1 600 OK", "HTTP/1.1 999 OK", "HTTP/1.10 200 OK", "HTTP/1.1 200OK")
    start(f"the status line {first.encode('unicode_escape').decode()}", first, then="close",
          **(syntax | {"level": "may" if may else "must", "expect": "either" if may else "bad", "status": None}))
add("a body without a head", "<html>hello</html>", then="close", section="9112 4", **syntax)
add("a TLS alert", "\x15\x03\x01\x00\x02\x02\x46", then="close", section="9112 4", **syntax)
for name, text in (("a line without a colon", "hello"), ("an empty name", ": b"), ("a blank before the colon", "X-A : b"), ("a blank in a name", "X A: b"),
                   ("obs-text in a name", "X\xe9: b"), ("a bracket in a name", "X(A: b")):
    answer(name, f"{text}\r\n{CL}", section="9112 5", level="should", group="syntax", expect="either", then="close",
           lacks=(b"x-a ", b"x a", b"x\xe9", b"x(a", b""))
for name, text in (("a NUL in a value", "X-A: a\x00b"), ("a bare CR in a value", "X-A: a\rb"), ("a bare CR that hides a field", "X-A: a\rSet-Cookie: b")):
    answer(name, f"{text}\r\n{CL}", section="9110 5.5", group="smuggling", expect="either", then="close", lacks=(b"set-cookie",))
for name, text in (("a control character in a value", "X-A: a\x01b"), ("a DEL in a value", "X-A: a\x7fb")):
    answer(name, f"{text}\r\n{CL}", section="9110 5.5", group="syntax", level="may", expect="either", then="close")
add("bare LF everywhere", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", section="9112 2.2", level="may", group="syntax", expect="either")
answer("a head of 1 MiB", f"X-A: {'a' * (1 << 20)}\r\n{CL}", group="limits", level="should", expect="bad", then="close")
answer("ten thousand fields", "\r\n".join(f"X-{n}: a" for n in range(10000)) + f"\r\n{CL}", group="limits", level="may", expect="either", then="close")
