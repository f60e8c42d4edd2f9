"""A program that is started, looked at from outside, and ended."""

import ctypes
import os
import signal
import socket
import subprocess
import time


def _prepare(core):
    """In the child: it dies with us, and stays on its core."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if core is not None:
        os.sched_setaffinity(0, core if isinstance(core, set) else {core})


class Program:
    """A server with its children."""

    def __init__(self, name, command, port=None, core=None, environment=None, directory=None, errors=None):
        self.name = name
        self.port = port
        self.log = errors or os.path.join(directory or "/tmp", f"{name}-{port}.log")
        with open(self.log, "ab") as log:
            # pylint: disable-next=consider-using-with,subprocess-popen-preexec-fn
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, env={**os.environ, **(environment or {})},
                preexec_fn=lambda: _prepare(core))
        if port:
            self.wait_for_port()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_for_port(self, patience=90.0):
        """Returns when it listens; fails with its log when it does not."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise SystemExit(f"{self.name} does not listen on {self.port}:\n{self.tail()}")

    def tail(self):
        """The end of what it said."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def processes(self):
        """It and its descendants."""
        found, new = [], [self.process.pid]
        while new:
            pid = new.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                        new += map(int, file.read().split())
            except OSError:
                pass
        return found

    def cpu(self):
        """User and system time of all its threads in seconds: what utime and stime say, without their rounding to 10 ms."""
        total = 0
        for pid in self.processes():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                        total += int(file.read().split()[0])
            except OSError:
                pass
        return total / 1e9

    def _memory(self, field):
        total = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith(field))
        return total * 1024

    def resident(self):
        """Resident bytes, of all its processes together."""
        return self._memory("VmRSS:")

    def peak(self):
        """The most resident bytes so far."""
        return self._memory("VmHWM:")

    def stop(self):
        """Ends it, kindly at first."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                children = self.processes()
                for pid in children:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except OSError:
                        pass
                self.process.wait()


class Awake:
    """Programs that keep processors from sleeping, and give way to all others: how late a processor wakes up is its host's affair."""

    def __init__(self, cores):
        command = ["chrt", "--idle", "0", "sh", "-c", "while :; do :; done"]
        self.programs = [Program("awake", command, core=core, errors=os.devnull) for core in cores]
        time.sleep(0.2)
        if any(program.process.poll() is not None for program in self.programs):
            self.__exit__()
            raise SystemExit(f"{' '.join(command)} does not run: nothing keeps the processors awake")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.programs:
            program.stop()

    def cpu(self):
        """Their user and system time in seconds."""
        return sum(program.cpu() for program in self.programs)
