# SPDX-License-Identifier: GPL-2.0
"""What is kept is bounded, and what is beyond is said: --history, and tables of the kernel half that are full. Needs root."""
import json
import os
import sys
import tempfile

from cli import is_root, report, run, skip

# Each child says something to its parent through a pipe of its own, and ends.
CHILDREN = """
import os
for i in range(100):
    r, w = os.pipe()
    if not os.fork():
        os.write(w, b"x" * 10)
        os._exit(0)
    os.close(w)
    os.read(r, 10)
    os.wait()
    os.close(r)
"""

# More messages than the table holds lie in the queue at once.
QUEUED = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
q = libc.msgget(0, 0o600)
message = ctypes.create_string_buffer((1).to_bytes(8, "little") + b"x" * 8)
for i in range(40):
    libc.msgsnd(q, message, 8, 0)
for i in range(40):
    libc.msgrcv(q, message, 8, 0, 0)
libc.msgctl(q, 0, None)
"""

# More threads are in calls at once than the table holds.
BLOCKED = """
import os
r, w = os.pipe()
for i in range(40):
    if not os.fork():
        os.read(r, 1)
        os._exit(0)
os.write(w, b"x" * 40)
for i in range(40):
    os.wait()
"""


def expect(holds, why):
    if not holds:
        raise AssertionError(why)


def python(code):
    return ["--", sys.executable, "-c", code]


def history():
    """The same commands, with and without a bound: the sums agree."""
    sums = []
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "g.data")
        out = run("record", "-m", "pipe", "-o", path, *python(CHILDREN))
        expect(out.returncode == 0, f"record: {out.stderr}")
        for n in ("1000", "5"):
            out = run("graph", "--json", "-i", path, "--history", n)
            expect(out.returncode == 0, out.stderr)
            expect(("folded" in out.stderr) == (n == "5"), f"--history {n}: {out.stderr}")
            g = json.loads(out.stdout)
            nodes, links = g["nodes"], g["links"]
            procs = [x for x in nodes if x["kind"] == "process"]
            if n == "5":
                alone = [x for x in procs if x["exited"] and "folded" not in x]
                expect(len(alone) <= 5, f"{len(alone)} ended processes are nodes")
                expect(g["graph"]["history"]["folded_processes"] >= 90, f"{g['graph']['history']}")
                expect(any(x["id"].startswith("ended.") and x["comm"] for x in procs), "nobody stands for the ended ones")
            sums.append((sum(x.get("folded", 1) for x in procs),
                         *(sum(x[k] for x in links if x["kind"] == kind) for kind in ("end", "flow") for k in ("messages", "bytes"))))
    expect(sums[0] == sums[1], f"{sums[0]} is not {sums[1]}")
    expect(sums[0][-1] == 1000, f"{sums[0][-1]} bytes flowed, not 1000")


def tables(code, mech, entries):
    """Small tables: something is lost, and that is said; tables of their own size: nothing is."""
    for limit in (entries, None):
        env = {k: v for k, v in os.environ.items() if k != "IPCTRACE_TEST_TABLES"}
        if limit:
            env["IPCTRACE_TEST_TABLES"] = limit
        out = run("--json", "--strict", "-m", mech, *python(code), env=env)
        lines = [json.loads(line) for line in out.stdout.splitlines()]
        told = sum(line["count"] for line in lines if line["type"] == "lost")
        lost = lines[-1]["lost"]
        expect(lost == told, f"{told} of {lost} are told of")
        expect((lost > 0) == bool(limit), f"{lost} lost with {limit or 'all'} entries")
        expect(out.returncode == (3 if limit else 0), f"exit status {out.returncode}: {out.stderr}")


def main():
    if not is_root():
        skip("bounds", "tracing needs root")
        return
    for name, test in (("history", history),
                       ("full table of messages", lambda: tables(QUEUED, "sysv-msg", "8")),
                       ("full table of calls", lambda: tables(BLOCKED, "pipe", "8"))):
        try:
            test()
            report(name)
        except AssertionError as e:
            report(name, str(e))
