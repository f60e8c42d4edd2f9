"""Official SDKs meet recorded errors of their providers, once directly and once through Weir with `errors: merged`.

WEIR names the program to test. Both ways the SDK must raise the same exception class with the same attributes, the member
`problem` aside; see README.md in this folder.
"""

import http.server
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from sdk_adapters import ADAPTERS

# The reason phrases of RFC 9110, where this version of Python has older ones. Weir does not relay a provider's own.
REASONS = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
FOLDER = Path(__file__).parent
STARTUP_SECONDS = 20
# Modules whose objects are the means of transport; responses are compared all the same.
OPAQUE = {"httpx", "requests", "urllib3", "urllib", "http", "email", "io", "datetime", "ssl"}
# What differs from one response to the next, and says nothing about the error.
VOLATILE = {"date", "server", "connection", "content-length", "transfer-encoding"}


def free_port():
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Provider:
    """A server that gives each request the response of the current case."""

    def __init__(self):
        self.case = None
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                outer.requests += 1
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        self.rfile.read(size + 2)
                    self.rfile.readline()
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = outer.case["body"].encode()
                self.send_response_only(outer.case["status"], REASONS.get(outer.case["status"]))
                for name, value in outer.case["headers"].items():
                    if name.lower() not in VOLATILE:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Weir:
    """A running Weir with one provider for each SDK, and three that fail in Weir's own ways."""

    def __init__(self, program, provider):
        built_in = subprocess.run([program, "profile", "list"], capture_output=True, text=True, check=True).stdout
        profiles = {line.split()[0] for line in built_in.splitlines() if line.strip()}
        self.profiles = {name: name if name in profiles else "generic" for name in sorted(ADAPTERS)}
        lines = []
        for name, profile in self.profiles.items():
            base = f"profile: {profile}, errors: merged, quarantine: off"
            lines += [
                f"  {name}: {{ upstream: '{provider.url}', {base}, limits: [], pacing: observe }}",
                f"  {name}-dead: {{ upstream: 'http://127.0.0.1:{free_port()}', {base}, limits: [] }}",
                f"  {name}-slow: {{ upstream: '{provider.url}', {base}, max_wait: 0s,"
                " limits: [{ requests: 1, per: 1h, by: provider }] }",
                f"  {name}-open: {{ upstream: '{provider.url}', {base}, limits: [],"
                " circuit_breaker: { minimum: 1, open_for: 1h } }",
            ]
        self._file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.url = f"http://127.0.0.1:{free_port()}"
        self._file.write(f"listen: {self.url.removeprefix('http://')}\nworkers: 1\nproviders:\n" + "\n".join(lines))
        self._file.flush()
        self._log = tempfile.TemporaryFile()
        environment = {name: text for name, text in os.environ.items() if not name.startswith("WEIR_")}
        self._process = subprocess.Popen(
            [program, "run", "--config", self._file.name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self._log, env=environment)
        deadline = time.monotonic() + STARTUP_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        self._log.seek(0)
        raise RuntimeError(f"weir does not listen on {self.url}:\n{self._log.read().decode()}")

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(10)


class Outcome:
    """What a call came to: what it returned, or its exception as an app sees it."""

    def __init__(self, call, base, sent_headers):
        self._base = base
        self._headers = {name.lower() for name in sent_headers} - VOLATILE
        self.problem = None
        try:
            self.value = ("returned", self._plain(call()))
        except Exception as error:
            self.error = error
            # The body comes first: texts that quote it are compared without its problem.
            self._look_for_problem(error, 0, set())
            self.value = (f"{type(error).__module__}.{type(error).__qualname__}", self._attributes(error))

    @property
    def request_id(self):
        """The attribute `request_id` of the exception; `None` if it has none."""
        return self.value[1].get("request_id") if isinstance(self.value[1], dict) else None

    def forget_request_id(self):
        """Make the attribute `request_id` what it is without the header field."""
        if isinstance(self.value[1], dict) and "request_id" in self.value[1]:
            self.value[1]["request_id"] = None

    def _attributes(self, error):
        found = {"str": self._plain(str(error)), "args": self._plain(error.args)}
        for name in dir(error):
            if name.startswith("_") or name in ("args", "add_note", "with_traceback"):
                continue
            try:
                value = getattr(error, name)
            except Exception as failure:
                value = f"raises {type(failure).__name__}"
            if not callable(value):
                found[name] = self._plain(value)
        return found

    def _look_for_problem(self, value, depth, seen):
        """Find the problem in whatever the exception holds."""
        if self.problem is not None or depth > 6 or id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str) and '"problem"' in value:
            try:
                value = json.loads(value)
            except ValueError:
                return
        if isinstance(value, dict):
            problem = value.get("problem")
            if isinstance(problem, dict) and "request_id" in problem:
                self.problem = problem
                return
            parts = list(value.values())
        elif isinstance(value, (list, tuple)):
            parts = list(value)
        elif hasattr(value, "__dict__"):
            parts = list(vars(value).values()) + list(getattr(value, "args", ()))
            parts.append(getattr(value, "content", None))
        else:
            return
        for part in parts:
            self._look_for_problem(part, depth + 1, seen)

    def _plain(self, value, depth=0):
        """The value in a form that can be compared, without Weir's problem."""
        if depth > 8:
            return "…"
        if isinstance(value, (bool, int, float, type(None))):
            return value
        if isinstance(value, (bytes, bytearray)):
            return self._plain(bytes(value).decode("utf-8", "replace"), depth)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, (list, tuple, set)):
            return [self._plain(part, depth + 1) for part in value]
        if isinstance(value, dict) and self._is_headers(value):
            return self._sent_headers(value)
        if isinstance(value, dict):
            return {
                str(name): self._plain(part, depth + 1)
                for name, part in value.items()
                if not self._is_problem(name, part)
            }
        if callable(getattr(value, "items", None)) and hasattr(value, "get"):
            return self._sent_headers(value)
        if hasattr(value, "status_code") and hasattr(value, "headers") and hasattr(value, "content"):
            return [value.status_code, self._plain(dict(value.headers), depth + 1), self._plain(value.content)]
        if type(value).__module__.partition(".")[0] in OPAQUE:
            return type(value).__qualname__
        if hasattr(value, "__dict__"):
            own = {name: part for name, part in vars(value).items() if not name.startswith("_") and not callable(part)}
            return [type(value).__qualname__, self._plain(own, depth + 1)]
        return type(value).__qualname__

    @staticmethod
    def _is_headers(value):
        return {"content-type", "content-length"} & {str(name).lower() for name in value} != set()

    def _sent_headers(self, value):
        """The header fields that the provider sends: Weir and the servers add others."""
        pairs = {str(name).lower(): str(text) for name, text in value.items()}
        return {name: self._text(text) for name, text in sorted(pairs.items()) if name in self._headers}

    def _is_problem(self, name, part):
        return name == "problem" and isinstance(part, dict) and "request_id" in part

    def _text(self, text):
        text = text.replace(self._base, "BASE")
        text = re.sub(r"0x[0-9a-f]{6,}", "0x", text)
        text = re.sub(r"'headers': \{[^{}]*\}", "'headers': HEADERS", text)
        text = re.sub(r"HTTPHeaderDict\(\{.*?\}\)", "HEADERS", text)
        # Members that the problem repeats are spelled as the provider spells them.
        for mark in (',"problem":', '"problem":'):
            start = text.find(mark + '{"type":')
            if start >= 0:
                _, end = json.JSONDecoder().raw_decode(text, start + len(mark))
                text = text[:start] + text[end:]
        if self.problem is not None:
            for spelled in (json.dumps(self.problem, separators=(",", ":"), ensure_ascii=False), repr(self.problem),
                            json.dumps(self.problem), json.dumps(self.problem, separators=(",", ":"))):
                for comma in (",", ", ", ""):
                    for quote in ('"', "'"):
                        for colon in (":", ": "):
                            text = text.replace(f"{comma}{quote}problem{quote}{colon}{spelled}", "")
        return text


class SDKTests(unittest.TestCase):
    """One test for each SDK; the subtests are its cases."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.provider = Provider()
        cls.weir = Weir(os.environ["WEIR"], cls.provider)

    @classmethod
    def tearDownClass(cls):
        cls.weir.stop()
        cls.provider.stop()

    def compare(self, name):
        """Send each case directly and through Weir."""
        make = ADAPTERS[name]
        through_weir = f"{self.weir.url}/{name}"
        cases = json.loads((FOLDER / "cases" / f"{name}.json").read_text())
        # PyGithub asks again as long as the response is 202: that is no retry, and cannot be switched off.
        cases = [case for case in cases if (name, case["status"]) != ("github", 202)]
        self.assertGreater(len(cases), 10)
        merged = 0
        for case in cases:
            with self.subTest(case["id"]):
                method, path = case["request"].split(" ", 1)
                self.provider.case = case
                outcomes = []
                for base in (self.provider.url, through_weir):
                    send = make(base)
                    requests = self.provider.requests
                    outcomes.append(Outcome(lambda: send(method, path), base, case["headers"]))
                    self.assertEqual(self.provider.requests, requests + 1, "one request is sent")
                direct, weir = outcomes
                if direct.request_id is None:
                    # Every error has an X-Request-Id: Weir's where the provider sends none.
                    weir.forget_request_id()
                self.assertEqual(direct.value, weir.value)
                merged += weir.problem is not None
        return merged

    def own_problems(self, name):
        """Weir's own errors raise an exception of the SDK, and no failure to read a body."""
        make = ADAPTERS[name]
        self.provider.case = {"id": "-", "status": 500, "headers": {"Content-Type": "application/json"}, "body": "{}"}
        for suffix, status, code in (
            ("dead", 502, "provider_unreachable"), ("slow", 429, "throttled"), ("open", 503, "circuit_open"),
        ):
            with self.subTest(code):
                base = f"{self.weir.url}/{name}-{suffix}"
                send = make(base)
                if suffix != "dead":
                    Outcome(lambda: send("GET", "/v1/first"), base, {})
                outcome = Outcome(lambda: send("GET", "/v1/x"), base, {})
                error = getattr(outcome, "error", None)
                self.assertIsNotNone(error, f"{name} takes {code} for a success: {outcome.value}")
                kind = type(error).__module__.partition(".")[0]
                self.assertIn(kind, PACKAGES.get(name, {name}), f"{type(error)}: {error}")
                self.assertIn(str(status), json.dumps(outcome.value) + repr(error))


# SDKs whose exceptions keep neither the body nor unknown members of it: an app sees the problem in no form.
HIDES_BODY = {"twilio", "resend"}
# The modules whose exceptions are the SDK's own.
PACKAGES = {
    "slack": {"slack_sdk"},
    "notion": {"notion_client"},
    "sendgrid": {"python_http_client"},
    "mailchimp": {"mailchimp_marketing"},
}


def _add_tests():
    for name, make in sorted(ADAPTERS.items()):

        def recorded(self, name=name):
            merged = self.compare(name)
            # Without a profile of Slack's, a 200 is a success.
            is_seen = name not in HIDES_BODY and (name, self.weir.profiles[name]) != ("slack", "generic")
            if is_seen:
                self.assertGreater(merged, 5, "the SDK shows the problem to the app")

        def own(self, name=name):
            self.own_problems(name)

        recorded.__doc__ = f"{make.package} {make.version}: recorded errors, directly and through Weir"
        own.__doc__ = f"{make.package} {make.version}: Weir's own errors"
        setattr(SDKTests, f"test_{name}_recorded", recorded)
        setattr(SDKTests, f"test_{name}_own", own)


_add_tests()

if __name__ == "__main__":
    unittest.main()
