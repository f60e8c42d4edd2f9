#!/usr/bin/env python3
"""Sends a proxy what RFC 9112 and 9110 allow and forbid, from both sides, and says where it is wrong.

    probe.py --weir .build/debug/weir             starts Weir; likewise --nginx, --haproxy
    probe.py --proxy HOST:PORT --upstream PORT    any running proxy that forwards everything to 127.0.0.1:PORT

Options: --only TEXT (cases whose name has it), --side requests|answers, --verbose (also what passed), --known FILE (names of cases that
are known to fail, a line each: only others count). The exit code is 1 if a case of level must or should failed that is not known.
"""

import argparse
import concurrent.futures
import os
import sys
import threading
import time

import answer_cases
import proxies
import request_cases
import wire

GROUPS = ("smuggling", "syntax", "semantics", "limits")
LEVELS = ("must", "should", "may")


class Verdict(Exception):
    """Why a case failed; `is_grave` if a message was mistaken for another."""

    def __init__(self, reason, is_grave=False):
        super().__init__(reason)
        self.is_grave = is_grave


def fail_unless(condition, reason, is_grave=False):
    if not condition:
        raise Verdict(reason, is_grave)


def names(fields):
    return [name.lower() for name, _ in fields]


class Probe:
    """The upstream, the proxy in front of it, and the cases."""

    def __init__(self):
        self.answers = {}
        self.upstream = None
        self.address = None

    def listen(self, port=0):
        self.upstream = wire.Upstream(self.respond, port, patience=6)

    def respond(self, seen):
        key = seen.target.split(b"?")[0].split(b"#")[0].split(b"/")[-1] if seen.target.startswith(b"/a-") else None
        if key in self.answers:
            case = self.answers[key]
            return wire.Answer(case.data, case.then, case.late)
        body = b"" if seen.method == b"HEAD" else b"answer to " + seen.target[:200]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)
        return wire.Answer(head + body)

    # --- Requests -----------------------------------------------------------------------------------------------------------

    def fill(self, data, number):
        authority = f"{self.address[0]}:{self.address[1]}".encode()
        return (data.replace(b"{T}", b"/t-%d" % number).replace(b"{S}", b"/s-%d" % number)
                .replace(b"{C}", b"/c-%d" % number).replace(b"{H}", authority))

    def request(self, case, number):
        client = wire.Client(self.address, patience=6)
        try:
            return self._request(case, number, client)
        finally:
            client.close()

    def _request(self, case, number, client):
        data = self.fill(case.data, number)
        for piece in [data[place:place + 1] for place in range(len(data))] if case.slowly else [data]:
            client.send(piece)
            if case.slowly:
                time.sleep(0.001)
        canary = self.fill(b"GET {C} HTTP/1.1\r\nHost: {H}\r\nConnection: close\r\n\r\n", number)
        if case.shut:
            client.shut()
        else:
            client.send(canary)
        responses, ending = [], None
        while len(responses) < 4 and ending is None:
            try:
                responses.append(client.response(case.method if not responses else b"GET", 4 if not responses else 2))
            except wire.Ended as end:
                ending = end.how
            except wire.NotHTTP as fault:
                ending = f"garbage: {fault}"
            else:
                if not responses[-1].is_whole:
                    ending = responses[-1].ending
        time.sleep(0.01)
        upstream = self.upstream
        smuggled = [seen for seen in upstream.of(b"/s-%d" % number) if seen.target.startswith(b"/s-%d" % number)]
        fail_unless(not smuggled, "the smuggled request reached the upstream", True)
        mine = [seen for seen in upstream.of(b"t-%d" % number) if not seen.target.startswith(b"/c-")]
        whole = [seen for seen in mine if seen.is_whole]
        fail_unless(len(whole) <= 1, f"the upstream saw the request {len(whole)} times", True)
        canaries = upstream.of(b"/c-%d" % number)
        fail_unless(len(canaries) <= 1, "the next request reached the upstream twice", True)
        status = responses[0].status if responses else None
        did = f"{status or 'no answer'}, {'forwarded' if whole else 'not forwarded'}, {'kept' if canaries else 'closed'}"
        if ending and ending.startswith("garbage"):
            raise Verdict(f"the client got {ending}", True)
        if case.expect == "either":
            kind = "accept" if whole else "reject"
        else:
            kind = case.expect
        if kind == "accept":
            self.accepted(case, number, responses, whole, canaries, did)
        elif kind == "incomplete":
            fail_unless(not whole, f"what broke off was forwarded as whole ({did})", True)
            fail_unless(status is None or status >= 400, f"what broke off was answered with {status}")
        else:
            grave = case.group == "smuggling"
            fail_unless(not whole, f"it was forwarded ({did})", grave)
            fail_unless(status is None or 400 <= status < 600, f"it was answered with {status}")
            if case.expect == "reject":
                fail_unless(not case.needs_status or status, "the connection ended without an answer")
                allowed = case.statuses
                fail_unless(not allowed or status is None or status in allowed, f"the status is {status}, not one of {allowed}")
            if case.closes:
                fail_unless(not canaries, f"the connection was kept ({did})", grave)
                fail_unless(ending != "timeout", "the connection stays open, and nobody answers")
        return did

    def accepted(self, case, number, responses, whole, canaries, did):
        fail_unless(whole, f"it was not forwarded ({did})")
        seen = whole[0]
        fail_unless(responses and responses[0].status == 200, f"the client got {did}")
        fail_unless(seen.method == case.method, f"the method became {seen.method!r}")
        wanted = self.fill(case.target or b"{T}", number)
        if case.expect == "accept" or case.target:
            fail_unless(seen.target == wanted, f"the target became {seen.target[:120]!r}")
        if case.body is not None:
            fail_unless(seen.body == case.body, f"the body became {seen.body[:60]!r}", True)
        for name in case.lacks:
            name, _, value = name.partition(b":")
            found = wire.values(seen.fields, name)
            fail_unless(not (value in found if value else found), f"the upstream got {name.decode()}")
        for name in {name for name, _ in case.has}:
            found, want = wire.values(seen.fields, name), [value for key, value in case.has if key == name]
            fail_unless(found == want, f"{name.decode()} became {found}")
        first = responses[0]
        if case.minor == 0:
            fail_unless(first.framing != "chunked", "a client of HTTP/1.0 got chunks")
        if case.closes is True:
            fail_unless(not canaries and first.closes, f"the connection was kept ({did})")
        elif case.closes is False:
            fail_unless(canaries, f"the connection was closed ({did})")
        for response, target in zip(responses[1:], [b"/c-%d" % number]):
            if canaries:
                fail_unless(response.body == b"answer to " + target, f"the next answer is {response.body[:60]!r}", True)

    # --- Answers ------------------------------------------------------------------------------------------------------------

    def answer(self, case, number):
        key = b"%d" % number
        self.answers[key] = case
        target = b"/a-%d/%d" % (number, number)
        client = wire.Client(self.address, patience=8)
        try:
            client.send(self.fill(b"%s %s HTTP/1.1\r\nHost: {H}\r\n\r\n" % (case.method, target), number))
            response, problem = None, None
            try:
                response = client.response(case.method)
            except wire.Ended as end:
                problem = end.how
            except wire.NotHTTP as fault:
                raise Verdict(f"the client got what is no HTTP: {fault}", True) from None
            seen = self.upstream.of(target)
            did = f"{response.status if response else problem}{'' if not response or response.is_whole else ', broken off'}"
            fail_unless(len(seen) == 1, f"the request was sent {len(seen)} times", True)
            fail_unless(problem != "timeout" and (not response or response.ending != "timeout"), f"the client waits for ever ({did})")
            self.judge(case, response, did)
            if case.late:
                time.sleep(0.15)
            self.neighbours(case, client, response, number, seen[0].connection, did)
            return did
        finally:
            client.close()
            del self.answers[key]

    @staticmethod
    def judge(case, response, did):
        is_relayed = response and response.is_whole and (response.status < 500 or response.status == case.status)
        own = response and response.is_whole and response.status >= 500 and response.status != case.status
        kind = case.expect if case.expect != "either" else "relay" if is_relayed else "bad"
        if kind in ("bad", "broken"):
            fail_unless(not is_relayed, f"it was handed on as whole ({did}: {response.body[:40] if response else b''!r})", case.group == "smuggling")
            return
        fail_unless(response and response.is_whole, f"it was broken off ({did})")
        fail_unless(not own, f"it was refused ({did})")
        fail_unless(case.status in (None, response.status), f"the status became {response.status}")
        if case.expect == "relay" or case.group == "smuggling":
            fail_unless(response.body == case.body, f"the body became {response.body[:60]!r} ({len(response.body)} bytes)")
        for name in case.lacks:
            fail_unless(name not in names(response.fields), f"the client got {name!r}")
        for name in {name for name, _ in case.has}:
            found, want = wire.values(response.fields, name), [value for key, value in case.has if key == name]
            fail_unless(found == want, f"{name.decode()} became {found}")

    def neighbours(self, case, client, response, number, connection, did):
        """The next requests get their own answers, on a connection of which nothing was left over."""
        for turn in range(2):
            target = b"/n-%d-%d" % (number, turn)
            if turn or response is None or not response.is_whole or response.closes:
                client.close()
                client = wire.Client(self.address)
            try:
                client.send(self.fill(b"GET %s HTTP/1.1\r\nHost: {H}\r\n\r\n" % target, number))
                try:
                    after = client.response()
                except (wire.Ended, wire.NotHTTP) as fault:
                    raise Verdict(f"the next request got no answer: {fault} (the case: {did})", case.group == "smuggling") from None
            finally:
                client.close()
            fail_unless(after.body == b"answer to " + target, f"the next answer is {after.status} {after.body[:60]!r} (the case: {did})", True)
            if case.reuses is False:
                used = self.upstream.of(target)[0].connection
                fail_unless(used != connection, "the upstream's connection was used again")


def run(cases, one, workers):
    """Runs the cases, several at once, and returns (case, reason or None, what it did, is_grave)."""
    def judged(pair):
        number, case = pair
        try:
            return case, None, one(case, number), False
        except Verdict as verdict:
            return case, str(verdict), "", verdict.is_grave
        except Exception as fault:  # pylint: disable=broad-except
            return case, f"the probe itself failed: {fault!r}", "", False

    # What stalls waits; the rest of the answers go one by one, since what one leaves behind is the next one's.
    # Numbers of equal width: the target of one case is no part of another's.
    numbered = list(enumerate(cases, start=1000))
    waiting = [pair for pair in numbered if getattr(pair[1], "then", "") == "stall"]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(judged, [pair for pair in numbered if pair not in waiting]))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return results + list(pool.map(judged, waiting))


def report(side, results, known, verbose):
    """Prints what failed, grouped by importance; returns the names of those of level must and should that are not known."""
    fresh = []
    failed = [result for result in results if result[1]]
    for group in GROUPS:
        for level in LEVELS:
            for case, reason, _, grave in failed:
                if case.group == group and case.level == level:
                    name = f"{side}: {case.name}"
                    mark = "known" if name in known else "GRAVE" if grave and level == "must" else level
                    if level != "may" and name not in known:
                        fresh.append(name)
                    print(f"  {mark:7}{group:10} RFC {case.section:13} {name}: {reason}")
    for case, reason, did, _ in results:
        if verbose and not reason:
            print(f"  passed {case.group:10} RFC {case.section:13} {side}: {case.name}: {did}")
        if not reason and f"{side}: {case.name}" in known:
            print(f"  passes, though it is listed as known: {side}: {case.name}")
    print(f"{side}: {len(results) - len(failed)} of {len(results)} as they ought to be, {len(fresh)} new failures of level must or should")
    return fresh


def main():
    parser = argparse.ArgumentParser(description="Probes a proxy's HTTP/1.1 from both sides.")
    parser.add_argument("--weir"), parser.add_argument("--proxy"), parser.add_argument("--upstream", type=int, default=0)
    parser.add_argument("--nginx", action="store_true"), parser.add_argument("--haproxy", action="store_true")
    parser.add_argument("--only", default=""), parser.add_argument("--side", choices=["requests", "answers"])
    parser.add_argument("--verbose", action="store_true"), parser.add_argument("--known")
    options = parser.parse_args()
    known = set()
    if options.known:
        with open(options.known, encoding="utf-8") as file:
            known = {text.strip() for text in file if text.strip() and not text.startswith("#")}
    threading.stack_size(1 << 18)
    probe = Probe()
    probe.listen(options.upstream)
    proxy = None
    if options.weir:
        proxy = proxies.start_weir(os.path.abspath(options.weir), probe.upstream.port)
    elif options.nginx:
        proxy = proxies.start_nginx(probe.upstream.port)
    elif options.haproxy:
        proxy = proxies.start_haproxy(probe.upstream.port)
    elif not options.proxy:
        parser.error("one of --weir, --nginx, --haproxy, --proxy is needed")
    if proxy:
        probe.address = proxy.address
    else:
        host, _, port = options.proxy.rpartition(":")
        probe.address = (host, int(port))
    fresh = []
    try:
        for side, cases, one, workers in (("requests", request_cases.CASES, probe.request, 8), ("answers", answer_cases.CASES, probe.answer, 1)):
            if options.side in (None, side):
                chosen = [case for case in cases if options.only in case.name]
                fresh += report(side, run(chosen, one, workers), known, options.verbose)
                for number, fault in probe.upstream.faults:
                    print(f"  GRAVE  the proxy sent the upstream what is no HTTP (connection {number}): {fault[:300]}")
                    fresh.append(fault)
                probe.upstream.forget()
    finally:
        code = proxy.stop() if proxy else 0
    if proxy and proxy.name == "weir" and code != 0:
        print(f"weir ended with {code}:", *proxy.lines[-5:], sep="\n")
        fresh.append("exit code")
    sys.exit(1 if fresh else 0)


if __name__ == "__main__":
    main()
