# SPDX-License-Identifier: GPL-2.0
"""Situations that real programs get into, each with what must be seen of it. Run by tests/real/run."""
import json
import os
import signal
import socket
import subprocess
import tempfile


class Trace:
    """Live lines of everything that concerns this process, from ready until stop()."""

    def __init__(self, program, *options):
        ready, ready_w = os.pipe()
        self.out = tempfile.TemporaryFile("w+", errors="backslashreplace")
        self.p = subprocess.Popen([program, "--json", "--ready-fd", str(ready_w), *options], pass_fds=[ready_w],
                                  stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.DEVNULL)
        os.close(ready_w)
        self.ready = os.read(ready, 100) != b""
        os.close(ready)

    def stop(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGINT)
        self.p.wait(30)
        self.out.seek(0)
        lines = [json.loads(line) for line in self.out]
        return [line for line in lines if line["type"] == "message"]


def of(messages, **want):
    """Those with these fields; src and dst are pids."""
    def has(m, key, value):
        got = m.get(key)
        return (got["pid"] if isinstance(got, dict) else got) == value
    return [m for m in messages if all(has(m, k, v) for k, v in want.items())]


def child(work):
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def asleep(pid, call):
    """Waits until pid is blocked in a call."""
    while True:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            if f.read().split()[0] == str(call):
                return


def blocked_before(program, make):
    """A reader that waits since before the trace: its first message counts, too."""
    read_end, write_end = make()
    reader = child(lambda: (os.read(read_end, 100), os.read(read_end, 100)))
    asleep(reader, 0)
    trace = Trace(program, "-p", str(reader))
    os.write(write_end, b"hello\n")
    asleep(reader, 0)
    os.write(write_end, b"again")
    os.waitpid(reader, 0)
    got = [m["bytes"] for m in of(trace.stop(), src=os.getpid(), dst=reader) if m["mech"] != "signal"]
    return None if got == [6, 5] else f"took {got}, not [6, 5]"


def make_fifo():
    path = os.path.join(tempfile.mkdtemp(prefix="ipctrace-real-"), "fifo")
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR)
    os.unlink(path)
    os.rmdir(os.path.dirname(path))
    return fd, fd


def make_pair():
    a, b = socket.socketpair()
    return a.detach(), b.detach()


def broken_pipe(program):
    trace = Trace(program, "-m", "signal", "--", "sh", "-c", "yes | head -n 1 >/dev/null")
    trace.p.wait(30)
    got = [m for m in trace.stop() if m["object"] == "sig:SIGPIPE"]
    if len(got) != 1:
        return f"{len(got)} SIGPIPE"
    return None if got[0]["src"] is None and got[0].get("origin") == "kernel(pipe)" else f"came from {got[0]['src']}"


def abstract_names(program):
    """Two names that begin alike and have a NUL inside are two objects."""
    def talk():
        for name in (b"\0real\0one", b"\0real\0two"):
            a, b = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
            a.bind(name)
            b.sendto(b"x", name)
            a.recv(1)
    trace = Trace(program, "-f", "-p", str(os.getpid()))
    os.waitpid(child(talk), 0)
    got = sorted(m["object"] for m in trace.stop() if m["mech"] == "unix-dgram")
    return None if got == ["unix:@real@one", "unix:@real@two"] else str(got)


def piped_output(program):
    """With -o, standard output is the command's alone: what it writes there is traffic."""
    with tempfile.NamedTemporaryFile("r") as f:
        p = subprocess.Popen([program, "--json", "-o", f.name, "--", "/bin/echo", "hello"], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        said = p.stdout.read()
        p.wait(30)
        got = of([json.loads(line) for line in f], dst=os.getpid(), mech="pipe")
    return None if said == b"hello\n" and [m["bytes"] for m in got] == [6] else f"{got}"


def output_to_fifo(program):
    """Who reads the tracer's output from a FIFO is no traffic, and no endless one."""
    with tempfile.TemporaryDirectory(prefix="ipctrace-real-") as where:
        path = os.path.join(where, "fifo")
        os.mkfifo(path)
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE, text=True) as cat:
            subprocess.run([program, "--json", "-o", path, "--", "sh", "-c", "seq 3 | cat >/dev/null"],
                           stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
            lines = [json.loads(line) for line in cat.stdout]
        with subprocess.Popen(["cat", path], stdout=subprocess.PIPE, text=True) as cat:
            subprocess.run([program, "--json", "-p", str(cat.pid), "-D", "1", "-o", path], stdin=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=True)
            own = [m for m in map(json.loads, cat.stdout) if m.get("object") == "fifo:" + path]
    if not any(m.get("mech") == "pipe" for m in lines):
        return "the command's traffic does not show"
    return f"{len(own)} messages of its own" if own else None


def interrupted_write(program):
    """A long write that a signal ends early is one message of the bytes that it wrote."""
    def talk():
        read_end, write_end = os.pipe()
        done, done_w = os.pipe()
        signal.signal(signal.SIGALRM, lambda *_: None)
        writer = os.getpid()

        def read_all():
            os.close(write_end)
            asleep(writer, 1)
            os.kill(writer, signal.SIGALRM)
            os.read(done, 1)
            while os.read(read_end, 1 << 20):
                pass

        reader = child(read_all)
        os.close(read_end)
        os.write(write_end, b"x" * 300000)
        os.write(done_w, b"!")
        os.close(write_end)
        os.waitpid(reader, 0)

    trace = Trace(program, "-m", "pipe", "-f", "-p", str(os.getpid()))
    os.waitpid(child(talk), 0)
    got = [m for m in trace.stop() if m["bytes"] > 1]
    sums = sum(m["bytes"] for m in got), sum(m["messages"] for m in got)
    return None if sums == (65536, 1) else f"{sums[0]} bytes, {sums[1]} messages"


def all_cases(program):
    yield "blocked before the trace: pipe", lambda: blocked_before(program, os.pipe)
    yield "blocked before the trace: fifo", lambda: blocked_before(program, make_fifo)
    yield "blocked before the trace: socket", lambda: blocked_before(program, make_pair)
    yield "SIGPIPE is the kernel's", lambda: broken_pipe(program)
    yield "abstract names with NULs", lambda: abstract_names(program)
    yield "-o leaves standard output to the command", lambda: piped_output(program)
    yield "-o into a FIFO", lambda: output_to_fifo(program)
    yield "an interrupted write", lambda: interrupted_write(program)
