"""Lettr's official Python SDK, unchanged, through Weir to Weir's sandbox.

WEIR names the program to test. Every test goes SDK -> Weir (/lettr) -> sandbox, so it proves at once that a success
passes untouched and that each problem still carries what the SDK reads: `message`, `error_code` and the `errors` map.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import lettr

KEY = "lttr_sandbox_demo"
STARTUP_SECONDS = 15


def free_port():
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Weir:
    """A running `weir run --sandbox`, with its log kept for the report of a failure."""

    def __init__(self, program):
        self.url = f"http://127.0.0.1:{free_port()}"
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [program, "run", "--sandbox", "--listen", self.url.removeprefix("http://")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            env=os.environ | {"WEIR_ADMIN_LISTEN": f"127.0.0.1:{free_port()}"},
        )
        self._wait_until_ready()

    def _wait_until_ready(self):
        port = int(self.url.rpartition(":")[2])
        deadline = time.monotonic() + STARTUP_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"weir does not listen on {self.url}:\n{self.log}")

    def stop(self):
        """End it as a supervisor does, and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    @property
    def log(self):
        """What it has written to its standard error."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")


class LettrSDK(unittest.TestCase):
    """What an app that uses the SDK sees."""

    @classmethod
    def setUpClass(cls):
        cls.weir = Weir(os.environ["WEIR"])
        cls.base_url = f"{cls.weir.url}/lettr"

    @classmethod
    def tearDownClass(cls):
        code = cls.weir.stop()
        if code != 0:
            raise AssertionError(f"weir ended with {code}:\n{cls.weir.log}")

    def setUp(self):
        self.client = lettr.Lettr(KEY, base_url=self.base_url)
        self.addCleanup(self.client.close)

    def send(self, to="ada@example.com", **arguments):
        """Send a mail that is right except for what the test says."""
        defaults = {"from_email": "hello@example.com", "subject": "Hello", "text": "Hello"}
        return self.client.emails.send(to=[to] if isinstance(to, str) else to, **(defaults | arguments))

    def test_success_passes_untouched(self):
        """A mail is accepted, and a read answers."""
        sent = self.send()
        self.assertTrue(sent.request_id)
        self.assertEqual((sent.accepted, sent.rejected), (1, 0))
        self.assertTrue(self.client.auth_check().team_id)

    def test_401_wrong_key(self):
        """A wrong key is an AuthenticationError."""
        with lettr.Lettr("lttr_wrong", base_url=self.base_url) as client:
            with self.assertRaises(lettr.AuthenticationError) as caught:
                client.auth_check()
        self.assertTrue(caught.exception.message)

    def test_404_unknown_domain(self):
        """An unknown domain is a NotFoundError with Lettr's own code."""
        with self.assertRaises(lettr.NotFoundError) as caught:
            self.client.domains.get("unknown.example")
        self.assertEqual(caught.exception.error_code, "not_found")

    def test_404_unknown_template(self):
        """An unknown template is a NotFoundError with Lettr's own code."""
        with self.assertRaises(lettr.NotFoundError) as caught:
            self.send(template_slug="no-such-template")
        self.assertEqual(caught.exception.error_code, "template_not_found")

    def test_409_contact_twice(self):
        """A contact created twice is a ContactAlreadyExistsError."""
        self.client.audience.contacts.create(email="twice@example.com")
        with self.assertRaises(lettr.ContactAlreadyExistsError) as caught:
            self.client.audience.contacts.create(email="twice@example.com")
        self.assertEqual(caught.exception.error_code, "resource_already_exists")
        self.assertEqual(caught.exception.email, "twice@example.com")

    def test_409_webhook_twice(self):
        """A webhook created twice is a ConflictError."""
        arguments = {"name": "n", "url": "https://example.com/hook", "auth_type": "none", "events_mode": "all"}
        self.client.webhooks.create(**arguments)
        with self.assertRaises(lettr.ConflictError) as caught:
            self.client.webhooks.create(**arguments)
        self.assertEqual(caught.exception.error_code, "resource_already_exists")

    def test_422_invalid_address(self):
        """An invalid address is a ValidationError that prints and names the field."""
        with self.assertRaises(lettr.ValidationError) as caught:
            self.send(to="not an address")
        self.assert_names_field(caught.exception, "to.0")

    def test_422_missing_recipients(self):
        """Missing recipients are a ValidationError that prints and names the field."""
        with self.assertRaises(lettr.ValidationError) as caught:
            self.send(to=[])
        self.assert_names_field(caught.exception, "to")

    def assert_names_field(self, error, field):
        """Check what the SDK reads from the `errors` map, and that printing it works."""
        self.assertEqual(list(error.errors), [field])
        self.assertTrue(all(isinstance(message, str) and message for message in error.errors[field]))
        self.assertIn(f"({field}: {error.errors[field][0]}", str(error))
        self.assertTrue(str(error).startswith(error.message))

    def test_used_up_quota(self):
        """A used-up quota is a RateLimitError that says so. The last of all by its name: nothing is sent afterwards until it is renewed."""
        with self.assertRaises(lettr.RateLimitError) as caught:
            self.send(to="quota@example.com")
        self.assertEqual(caught.exception.error_code, "daily_quota_exceeded")

    def test_429_rate(self):
        """A rate limit is a RateLimitError that can be told from a quota."""
        with self.assertRaises(lettr.RateLimitError) as caught:
            self.send(to="ratelimit@example.com")
        self.assertEqual(caught.exception.error_code, "rate_limit_exceeded")

    def test_problem_beside_the_kept_members(self):
        """The same answer is a problem for an app that reads problems."""
        request = urllib.request.Request(
            f"{self.base_url}/emails",
            data=json.dumps({"from": "hello@example.com", "subject": "s", "text": "t", "to": ["nobody"]}).encode(),
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
        )
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=30)
        with caught.exception as response:
            self.assertEqual(response.code, 422)
            self.assertEqual(response.headers.get_content_type(), "application/problem+json")
            problem = json.load(response)
        self.assertEqual(problem["code"], "validation_failed")
        self.assertEqual([field["field"] for field in problem["fields"]], ["to.0"])
        self.assertEqual(list(problem["errors"]), ["to.0"])
        self.assertEqual(problem["error_code"], "validation_error")


if __name__ == "__main__":
    unittest.main()
