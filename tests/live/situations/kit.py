# SPDX-License-Identifier: GPL-2.0
"""What situations are made of: a tracer, children in lock-step, and the system calls Python does not have."""
import ctypes
import json
import os
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import tracing  # noqa: E402

PROGRAM = tracing.PROGRAM
SITUATIONS = []
libc = ctypes.CDLL(None, use_errno=True)


def situation(mech, *options, graph=False, before=None):
    """
    Registers a function of a running Trace. It raises AssertionError where the trace is not what happened. before: makes
    what exists before the trace; its result is the function's second argument.
    """
    def add(work):
        SITUATIONS.append((work, mech, options, graph, before))
        return work
    return add


class Trace:
    """A tracer of one mechanism, from ready until stop()."""

    def __init__(self, mech, *options, graph=False):
        self.graph = graph
        self.out = tempfile.TemporaryFile("w+", errors="backslashreplace")
        self.p = tracing.start(*(["graph"] if graph else []), "--json", "-m", mech, *options, stdout=self.out)

    def stop(self):
        """The lines, or the graph."""
        tracing.stop(self.p)
        self.out.seek(0)
        return json.load(self.out) if self.graph else [json.loads(line) for line in self.out]

    def kill(self):
        tracing.kill(self.p)


def side(row, key):
    got = row.get(key)
    return got["pid"] if isinstance(got, dict) and "pid" in got else got


def of(rows, **want):
    """Those with these fields; src, dst and task are pids."""
    return [r for r in rows if all(side(r, k) == v for k, v in want.items())]


def only(rows, **want):
    """The one that there must be."""
    found = of(rows, **want)
    assert len(found) == 1, f"{len(found)} instead of one {want}: {found[:4]}"
    return found[0]


def same(got, want, what=""):
    assert got == want, f"{what}: {got!r} instead of {want!r}"


def child(work, *args):
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work(*args)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return pid


def end(*pids):
    for pid in pids:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 0, f"process {pid} of the situation ended with {status}"


def blocked(pid, *calls):
    """Waits until pid sleeps in one of these calls."""
    while True:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            words = f.read().split()
        if words[0] in [str(c) for c in calls]:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                if f.read().rsplit(")", 1)[1].split()[0] in "SDt":
                    return
        os.sched_yield()


class Gate:
    """Lets another process go on: b = Gate(); child: b.wait(); parent: b.open()."""

    def __init__(self, value=0):
        self.r, self.w = os.pipe()

    def wait(self):
        assert os.read(self.r, 1)

    def open(self, cnt=1):
        os.write(self.w, b"g" * cnt)


def call(number, *args):
    """A system call; the negative errno where it fails."""
    libc.syscall.restype = ctypes.c_long
    ret = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    return ret if ret >= 0 else -ctypes.get_errno()


def links(graph, **want):
    return [link for link in graph["links"] if all(link.get(k) == v for k, v in want.items())]


def node_of(graph, pid):
    """The id of a process's node."""
    found = [n["id"] for n in graph["nodes"] if n.get("pid") == pid]
    assert len(found) == 1, f"{len(found)} nodes of process {pid}"
    return found[0]


def channel(graph, name):
    found = [n for n in graph["nodes"] if n["id"] == name]
    assert len(found) == 1, f"{len(found)} nodes {name}; there are {[n['id'] for n in graph['nodes']]}"
    return found[0]
