"""Weir's traces, decoded with the official classes of OTLP.

WEIR names the program to test. The collector and the provider are servers of this process.
"""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

WEIR = os.environ["WEIR"]
PATIENCE = 30
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def serve(handler):
    """Run a server of requests, and return it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def url(server):
    return f"http://127.0.0.1:{server.server_port}"


def eventually(what, condition):
    """Wait until a condition holds, and return its value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} within {PATIENCE} s")


class Collector:
    """Keeps what it is sent; answers with each of the statuses in turn, then with 200."""

    def __init__(self, statuses=()):
        self.requests = []
        self.statuses = list(statuses)
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path, dict(self.headers), body))
                self.send_response(collector.statuses.pop(0) if collector.statuses else 200)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = serve(Handler)

    @property
    def exports(self):
        return [ExportTraceServiceRequest.FromString(body) for _, _, body in self.requests]

    @property
    def spans(self):
        return [
            span
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Provider(BaseHTTPRequestHandler):
    """Answers /fail with 503 and /missing with 404, and repeats the fields of a request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = {"/fail": 503, "/missing": 404}.get(self.path.partition("?")[0], 200)
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Weir:
    """The program with a configuration, on a port that the system chose."""

    def __init__(self, tracing, provider, provider_keys="", environment=None):
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "weir.yaml"
        file.write_text(
            f"listen: 127.0.0.1:0\nworkers: 2\nlimits: {{ drain: 5s }}\ntracing: {tracing}\n"
            f"providers: {{ p: {{ profile: generic, upstream: '{provider}'{provider_keys} }} }}\n"
        )
        self.log = Path(self.folder.name) / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [WEIR, "run", "--config", file], stderr=log, env={**os.environ, **(environment or {})}
            )
        pattern = re.compile(r'"address":"(127\.0\.0\.1:\d+)"')
        found = eventually("an address", lambda: pattern.search(self.log.read_text()))
        self.url = f"http://{found.group(1)}"

    def get(self, path, headers=None):
        """Return status, fields and body, whatever the status."""
        request = urllib.request.Request(self.url + path, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def metric(self, series):
        lines = self.get("/metrics")[2].splitlines()
        return float(next(line for line in lines if line.startswith(series + " ")).split()[-1])

    def lines(self, message):
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["message"] == message]

    def stop(self):
        """End it as a supervisor does, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


def attributes(span):
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes
    }


class TraceTests(unittest.TestCase):
    def start(self, tracing, provider_keys="", environment=None):
        provider = serve(Provider)
        weir = Weir(tracing, url(provider), provider_keys, environment)

        def end():
            weir.process.kill()
            weir.process.wait()
            weir.folder.cleanup()
            provider.shutdown()
            provider.server_close()

        self.addCleanup(end)
        return weir

    def collect(self, statuses=()):
        collector = Collector(statuses)
        self.addCleanup(collector.server.server_close)
        self.addCleanup(collector.server.shutdown)
        return collector

    def test_an_exchange_is_a_server_span_with_a_client_span_for_each_attempt(self):
        collector = self.collect()
        weir = self.start(
            f"{{ endpoint: '{url(collector.server)}', sample: 100% }}",
            ", retries: { max: 1, base: 1ms }",
        )
        self.assertEqual(weir.get("/p/a?token=secret-of-the-query")[0], 200)
        self.assertEqual(weir.get("/p/fail")[0], 503)
        eventually("five spans", lambda: len(collector.spans) == 5)
        path, fields, _ = collector.requests[0]
        self.assertEqual(path, "/v1/traces")
        self.assertEqual(fields["Content-Type"], "application/x-protobuf")
        for export in collector.exports:
            # A decoder of protobuf keeps unknown fields: without any, the bytes are the same again.
            self.assertEqual(len(export.resource_spans), 1)
            resource = attributes(export.resource_spans[0].resource)
            self.assertEqual(resource["service.name"], "weir")
            self.assertRegex(resource["service.version"], r"^\d+\.\d+")
        self.assertEqual(
            [body for _, _, body in collector.requests],
            [export.SerializeToString() for export in collector.exports],
        )
        spans = collector.spans
        good, bad = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
        self.assertEqual(good.name, "GET /p")
        self.assertEqual(attributes(good)["http.request.method"], "GET")
        self.assertEqual(attributes(good)["http.response.status_code"], 200)
        self.assertEqual(attributes(good)["url.path"], "/p/a")
        self.assertEqual(good.status.code, Status.STATUS_CODE_UNSET)
        self.assertEqual(len(good.trace_id), 16)
        self.assertEqual(len(good.span_id), 8)
        self.assertEqual(good.parent_span_id, b"")
        self.assertLess(abs(time.time() - good.end_time_unix_nano / 1e9), 60)
        self.assertLess(good.start_time_unix_nano, good.end_time_unix_nano)
        self.assertEqual(bad.status.code, Status.STATUS_CODE_ERROR)
        self.assertEqual(attributes(bad)["error.type"], "provider_unavailable")
        self.assertEqual([event.name for event in bad.events], ["exception"])
        attempts = [span for span in spans if span.parent_span_id == bad.span_id]
        self.assertEqual(len(attempts), 2)
        for span in attempts:
            self.assertEqual(span.kind, Span.SPAN_KIND_CLIENT)
            self.assertEqual(span.trace_id, bad.trace_id)
            self.assertEqual(attributes(span)["server.address"], "127.0.0.1")
            self.assertGreaterEqual(span.start_time_unix_nano, bad.start_time_unix_nano)
            self.assertLessEqual(span.end_time_unix_nano, bad.end_time_unix_nano)
        self.assertEqual([attributes(span).get("http.request.resend_count") for span in attempts], [None, 1])
        self.assertNotIn("secret-of-the-query", repr(collector.requests))

    def test_a_parent_decides_and_its_trace_is_in_log_problem_and_exemplar(self):
        collector = self.collect()
        weir = self.start(f"{{ endpoint: '{url(collector.server)}', sample: 0% }}")
        status, _, body = weir.get("/p/missing", {"traceparent": f"00-{TRACE}-{PARENT}-01"})
        self.assertEqual((status, json.loads(body)["trace_id"]), (404, TRACE))
        weir.get("/p/a", {"traceparent": f"00-{TRACE}-{PARENT}-00"})
        weir.get("/p/a")
        spans = eventually("two spans", lambda: len(collector.spans) == 2 and collector.spans)
        server = next(span for span in spans if span.kind == Span.SPAN_KIND_SERVER)
        self.assertEqual((server.trace_id.hex(), server.parent_span_id.hex()), (TRACE, PARENT))
        logged = eventually("the log", lambda: len(weir.lines("exchange")) == 3 and weir.lines("exchange"))
        self.assertEqual([line.get("trace_id") for line in logged], [TRACE, TRACE, None])
        exemplars = [line for line in weir.get("/metrics", OPENMETRICS)[2].splitlines() if "# {" in line]
        self.assertTrue(exemplars)
        for line in exemplars:
            self.assertRegex(line, r'_bucket\{.*\} \d+ # \{trace_id="' + TRACE + r'"\} [0-9.e-]+ [0-9.]+$')
        self.assertNotIn("# {trace_id", weir.get("/metrics")[2])

    def test_traceparent_reaches_a_provider_only_where_configured(self):
        collector = self.collect()
        tracing = f"{{ endpoint: '{url(collector.server)}', sample: 100% }}"
        parent = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "a=1"}
        _, _, body = self.start(tracing).get("/p/a", parent)
        self.assertNotIn("trace", body)
        _, _, body = self.start(tracing, ", forward_trace: on").get("/p/a", parent)
        seen = json.loads(body)
        self.assertEqual(seen["tracestate"], "a=1")
        spans = eventually("four spans", lambda: len(collector.spans) == 4 and collector.spans)
        attempts = [span.span_id.hex() for span in spans if span.kind == Span.SPAN_KIND_CLIENT]
        self.assertIn(seen["traceparent"], [f"00-{TRACE}-{span}-01" for span in attempts])

    def test_a_collector_that_fails_gets_the_same_spans_again(self):
        collector = self.collect(statuses=[503])
        weir = self.start(
            f"{{ endpoint: '{url(collector.server)}', sample: 100%, headers: {{ X-Key: '${{KEY}}' }} }}",
            environment={"KEY": "key-of-the-collector"},
        )
        weir.get("/p/a")
        eventually("a second request", lambda: len(collector.requests) == 2)
        self.assertEqual(collector.requests[0][2], collector.requests[1][2])
        self.assertEqual(collector.requests[1][1]["X-Key"], "key-of-the-collector")
        eventually("the count", lambda: weir.metric("weir_trace_spans_exported_total") == 2)
        self.assertEqual(len(weir.lines("traces cannot be exported")), 1)
        eventually("the recovery in the log", lambda: len(weir.lines("traces are exported again")) == 1)
        self.assertNotIn("key-of-the-collector", weir.log.read_text() + weir.get("/-/")[2])

    def test_a_collector_that_is_absent_or_silent_delays_neither_requests_nor_the_end(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        absent = socket.create_server(("127.0.0.1", 0))
        port = absent.getsockname()[1]
        absent.close()
        for number in (port, silent.getsockname()[1]):
            weir = self.start(f"{{ endpoint: 'http://127.0.0.1:{number}', sample: 100% }}")
            for _ in range(50):
                self.assertEqual(weir.get("/p/a")[0], 200)
            begin = time.monotonic()
            self.assertEqual(weir.stop(), 0)
            self.assertLess(time.monotonic() - begin, 10)
            self.assertEqual(len(weir.lines("traces dropped at the end")), 1)
            self.assertLessEqual(len(weir.lines("traces cannot be exported")), 2)

    def test_what_is_left_is_exported_at_the_end(self):
        collector = self.collect()
        weir = self.start(f"{{ endpoint: '{url(collector.server)}', sample: 100% }}")
        weir.get("/p/a")
        self.assertEqual(weir.stop(), 0)
        self.assertEqual(len(collector.spans), 2)


if __name__ == "__main__":
    unittest.main()
