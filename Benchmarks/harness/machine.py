"""The machine: its cores, limits, noise, and how a result names it."""

import os
import platform
import resource
import socket
import time


def raise_limits():
    """Allows as many descriptors as the kernel lets us have; programs that are started inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (65536, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
            return wanted
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def cores():
    """The core of the load and the upstream, and the one of what is measured: two, or the same one twice."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def free_port():
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def others_seconds(*programs):
    """CPU time that neither these programs nor ended children of ours have used, and what the host took away; only differences count."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, soft, steal = map(int, file.readline().split()[1:9])
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = used.ru_utime + used.ru_stime + time.process_time() + sum(program.cpu() for program in programs if program)
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK") - ours


def load_average():
    """Of the last minute."""
    return os.getloadavg()[0]


def describe():
    """One line about where this runs."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return (f"{os.cpu_count()} × {model}, Linux {platform.release()}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, "
            f"load average {load_average():.2f}")


class Quiet:
    """Waits until others leave the machine alone, as long as its patience lasts, in seconds for the whole run."""

    LIMIT = 0.1

    def __init__(self, patience):
        self.left = patience

    def wait(self, *programs):
        """Returns when a second has passed in which others used less than a tenth of a core."""
        while self.left > 0:
            before = others_seconds(*programs)
            time.sleep(1)
            self.left -= 1
            if others_seconds(*programs) - before < self.LIMIT:
                return
