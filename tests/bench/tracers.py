# SPDX-License-Identifier: GPL-2.0
"""What is compared: how each tracer is started, when it is ready, and what it lost."""
import contextlib
import json
import os
import shutil
import signal
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.abspath(os.environ.get("IPCTRACE", os.path.join(HERE, "..", "..", "ipctrace")))
OUT = os.path.join(os.environ.get("O", os.path.join(HERE, "..", "..", ".output")), "tests", "bench")
CC = os.environ.get("CC", "gcc").split()
START_S = 20
END_S = 4 if os.environ.get("BENCH_QUICK", "") not in ("", "0") else 60


class Unusable(Exception):
    """Not here, or not in this version; says why."""


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def compiled(name, *libs):
    """The program whose source is NAME.c here, made anew beside the other results of the build."""
    os.makedirs(OUT, exist_ok=True)
    path = os.path.join(OUT, name)
    subprocess.run([*CC, "-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", "-o", path, os.path.join(HERE, name + ".c"), *libs], check=True)
    return path


class Tracer:
    """running() gives the words to put before the load's command; the tracer runs until the block ends."""
    name = ""
    slow = False  # only the calls are measured, not the exchanges of two processes
    lost = 0
    pid = 0  # of what collects the events while running; 0: nothing does

    @contextlib.contextmanager
    def running(self, where):
        yield []


class Bare(Tracer):
    name = "bare"


def cpu_ns(pid):
    """CPU time of a process so far (its main thread, which is all that ipctrace has)."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0])


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def end(process, sig):
    if process.poll() is None:
        process.send_signal(sig)
    try:
        _, said = process.communicate(timeout=END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Unusable(f"did not end within {END_S} s of {signal.Signals(sig).name}") from None
    return said


def start(*words):
    """ipctrace, when it is ready; it says nothing but why it ended, on its standard error."""
    ready, told = os.pipe()
    try:
        p = subprocess.Popen([PROGRAM, *words, "--ready-fd", str(told)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, pass_fds=[told])
    finally:
        os.close(told)
    try:
        if not os.read(ready, 1):
            raise Unusable(last_line(p.communicate(timeout=START_S)[1]))
    finally:
        os.close(ready)
    return p


class Floor(Tracer):
    """Nothing can cost less: empty programs on the hooks that ipctrace uses for these calls and for the switches between."""
    CALLS = ("sys_enter", "sys_exit", "sched_switch", "sched_waking", "contention_end")
    SOCKETS = ("sk_data_ready", "skb_copy_datagram_iovec", "kmem_cache_alloc")

    def __init__(self, name="floor", hooks=CALLS):
        self.name = name
        self.hooks = hooks

    @contextlib.contextmanager
    def running(self, where):
        p = subprocess.Popen([os.path.join(OUT, "floor"), *self.hooks], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            if p.stdout.readline() != "ready\n":
                raise Unusable(last_line(p.communicate()[1]))
            yield []
        finally:
            end(p, signal.SIGTERM)


class Ipctrace(Tracer):
    def __init__(self, name, *words, output=None):
        self.name = name
        self.words = words
        self.output = output

    def lost_in(self, path):
        """The events that the graph in that file says were lost."""
        p = subprocess.run([PROGRAM, "graph", "-i", path, "-F", "json"], stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=120, check=False)
        return sum(json.loads(p.stdout)["graph"]["lost"].values()) if p.returncode == 0 else 0

    @contextlib.contextmanager
    def running(self, where):
        path = os.path.join(where, self.output) if self.output else "/dev/null"
        p = start(*self.words, "-o", path)
        try:
            self.pid = p.pid
            yield []
        finally:
            self.pid = 0
            end(p, signal.SIGINT)
        self.lost = self.lost_in(path) if self.output else 0


class Wrapper(Tracer):
    """Tools that start the load themselves."""
    slow = True

    def __init__(self, name, command, *words, needs=None):
        self.name = name
        self.command = command
        self.words = words
        self.needs = needs

    @contextlib.contextmanager
    def running(self, where):
        if not shutil.which(self.command):
            raise Unusable("not installed")
        if self.needs and not os.path.exists(self.needs):
            raise Unusable(f"this kernel has no {self.needs}")
        yield [self.command, *self.words]


class Bpftrace(Wrapper):
    """bpftrace takes the command to run as one word."""

    @contextlib.contextmanager
    def running(self, where):
        with super().running(where):
            yield [os.path.join(HERE, "bpftrace_on"), self.words[0]]


COUNT = "tracepoint:raw_syscalls:sys_exit { @[pid, comm, args->id] = count(); }"
PRINT = ('tracepoint:raw_syscalls:sys_enter { @at[tid] = nsecs; } tracepoint:raw_syscalls:sys_exit '
         '{ printf("%d %s %d %d %d\\n", pid, comm, args->id, args->ret, nsecs - @at[tid]); }')
TRACEPOINTS = "/sys/kernel/tracing/events/raw_syscalls"

BASE = (Bare(), Floor())
ALL = (
    *BASE,
    Ipctrace("record", "record", output="bench.data"),
    Ipctrace("live_json", "--json"),
    Ipctrace("summary", "--summary", "--json"),
    Wrapper("strace", "strace", "-f", "-o", "/dev/null"),
    Ipctrace("graph", "graph", "--json"),
    Wrapper("perf_trace", "perf", "trace", "-o", "/dev/null", "--"),
    Bpftrace("bpftrace_count", "bpftrace", COUNT, needs=TRACEPOINTS),
    Bpftrace("bpftrace_print", "bpftrace", PRINT, needs=TRACEPOINTS),
)
