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


def with_tables(limit, variable="IPCTRACE_TEST_TABLES"):
    """The environment in which tables have so many entries; None: their own size."""
    env = {k: v for k, v in os.environ.items() if k != variable}
    return {**env, variable: limit} if limit else env


def tables(code, mech, entries):
    """Small tables: something is lost, and that is said; tables of their own size: nothing is."""
    for limit in (entries, None):
        out = run("--json", "--strict", "-m", mech, *python(code), env=with_tables(limit))
        lines = [json.loads(line) for line in out.stdout.splitlines()]
        told = sum(line["count"] for line in lines if line["type"] == "lost")
        lost = lines[-1]["lost"]
        expect(lost == told, f"{told} of {lost} are told of")
        expect((lost > 0) == bool(limit), f"{lost} lost with {limit or 'all'} entries")
        expect((lines[-1].get("table_full", 0) > 0) == bool(limit), f"{lines[-1]}")
        expect(out.returncode == (3 if limit else 0), f"exit status {out.returncode}: {out.stderr}")


def told_everywhere(code, mech, entries):
    """Every command says that a table was full, and what to do; more room in the rings would not help."""
    sentence = "a table of calls or messages under way was full, trace less (-p, -m)"
    env = with_tables(entries)
    with tempfile.TemporaryDirectory() as d:
        rec = os.path.join(d, "rec")
        for words in (["record", "-o", rec], ["graph", "--json"]):
            out = run(*words, "-m", mech, *python(code), env=env)
            expect(sentence in out.stderr and "ring-size" not in out.stderr, f"{words[0]}: {out.stderr}")
        expect(json.loads(out.stdout)["graph"]["table_full"] > 0, "graph: no table_full")
        out = run("graph", "-i", rec, "-F", "text")
        expect("was full" in out.stdout + out.stderr, f"graph -i: {out.stdout}{out.stderr}")
    out = run("top", "-b", "-m", mech, *python(code), env=env)
    expect(": a table was full)" in out.stdout, f"top: {out.stdout}")


def ledger():
    """What finds no room in the ledger comes one by one: it is said, and the sums are right all the same."""
    env = with_tables("4", "IPCTRACE_TEST_LEDGER")
    out = run("graph", "--summary", "--json", "-m", "pipe", *python(CHILDREN), env=env)
    expect(out.returncode == 0 and "came one by one, as the ledger was full" in out.stderr, f"{out.stderr}")
    links = json.loads(out.stdout)["links"]
    taken = sum(x["bytes"] for x in links if x["kind"] == "end" and x["role"] == "read")
    expect(taken == 1000, f"{taken} bytes were read, not 1000")
    out = run("--summary", "--json", "-m", "pipe", *python(CHILDREN), env=env)
    expect(json.loads(out.stdout.splitlines()[-1]).get("ledger_full", 0) > 0, f"{out.stdout.splitlines()[-1]}")


def main():
    if not is_root():
        skip("bounds", "tracing needs root")
        return
    for name, test in (("history", history),
                       ("full table of messages", lambda: tables(QUEUED, "sysv-msg", "8")),
                       ("full table of calls", lambda: tables(BLOCKED, "pipe", "8")),
                       ("full table: said by all commands", lambda: told_everywhere(QUEUED, "sysv-msg", "8")),
                       ("full ledger", ledger)):
        try:
            test()
            report(name)
        except AssertionError as e:
            report(name, str(e))
