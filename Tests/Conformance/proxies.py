"""Starts a proxy in front of an upstream: Weir, or another one to compare it with."""

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

import wire

WEIR = """
listen: 127.0.0.1:0
workers: {workers}
log: {{ access: off }}
limits: {{ drain: 2s, uri: 8KiB }}
providers:
  p: {{ profile: generic, upstream: 'http://127.0.0.1:{upstream}', listen: '127.0.0.1:0', errors: {errors},
       learn: off, timeouts: {{ response: {patience}s, idle: {patience}s }} }}
"""

NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {{ worker_connections 1024; }}
http {{
    access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    upstream provider {{ server 127.0.0.1:{upstream}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port};
        merge_slashes off; underscores_in_headers on; large_client_header_buffers 8 32k; client_max_body_size 0;
        client_header_timeout 3s; client_body_timeout 3s;
        location / {{
            proxy_pass http://provider; proxy_http_version 1.1; proxy_next_upstream off;
            proxy_set_header Host 127.0.0.1:{upstream}; proxy_set_header Connection "";
            proxy_pass_header Date; proxy_pass_header Server; proxy_ignore_headers X-Accel-Redirect;
            proxy_read_timeout {patience}s; proxy_request_buffering off; proxy_buffer_size 32k; proxy_buffers 8 32k;
        }}
    }}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout client 5s
    timeout server {patience}s
    timeout connect 5s
    timeout http-request 3s
frontend app
    bind 127.0.0.1:{port}
    default_backend provider
backend provider
    retries 0
    http-reuse safe
    server s 127.0.0.1:{upstream}
"""


class Proxy:
    """A running proxy."""

    def __init__(self, name, process, address, directory=None):
        self.name = name
        self.process = process
        self.address = address
        self.directory = directory
        self.admin = None
        self.lines = []

    def stop(self, patience=20):
        """Ends it as a supervisor does, and returns its exit code."""
        self.process.terminate()
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
        return code


def start_weir(program, upstream, errors="raw", workers=1, patience=2, configuration=None, environment=None):
    """Starts `weir run` and waits until it serves; the provider p has a port of its own."""
    directory = tempfile.mkdtemp(prefix="weir-")
    path = os.path.join(directory, "weir.yaml")
    text = configuration or WEIR
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.format(upstream=upstream, errors=errors, workers=workers, patience=patience))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("WEIR_")}
    process = subprocess.Popen(
        [program, "run", "--config", path], stderr=subprocess.PIPE, env=clean | (environment or {}))
    proxy = Proxy("weir", process, None, directory)
    proxy.path = path
    ready = threading.Event()
    listening = {}

    def read():
        for line in process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            proxy.lines.append(text)
            try:
                event = json.loads(text)
            except ValueError:
                continue
            if event.get("message") == "listening" and not listening:
                listening.update(event)
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    ready.wait(60)
    if not listening:
        proxy.stop()
        raise SystemExit("weir does not start:\n" + "\n".join(proxy.lines))
    proxy.address, proxy.admin = _address(listening["provider_p"]), _address(listening["address"])
    return proxy


def _address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def _start(name, command, port, directory):
    process = subprocess.Popen(command, cwd=directory, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            wire.Client(("127.0.0.1", port), 1).close()
            return Proxy(name, process, ("127.0.0.1", port), directory)
        except OSError:
            time.sleep(0.02)
    process.kill()
    raise SystemExit(f"{name} does not start")


def _write(name, text, **places):
    directory = tempfile.mkdtemp(prefix=f"{name}-")
    if os.geteuid() == 0 and name == "nginx":
        text = "user root;" + text
    with open(os.path.join(directory, f"{name}.conf"), "w", encoding="utf-8") as file:
        file.write(text.format(**places))
    return directory


def start_nginx(upstream, patience=2):
    """Starts nginx as a reverse proxy that keeps the raw target."""
    port = wire.free_port()
    directory = _write("nginx", NGINX, upstream=upstream, port=port, patience=patience)
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return _start("nginx", [program, "-p", directory, "-c", f"{directory}/nginx.conf"], port, directory)


def start_haproxy(upstream, patience=2):
    """Starts HAProxy as a reverse proxy."""
    port = wire.free_port()
    directory = _write("haproxy", HAPROXY, upstream=upstream, port=port, patience=patience)
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    return _start("haproxy", [program, "-db", "-f", f"{directory}/haproxy.conf"], port, directory)
