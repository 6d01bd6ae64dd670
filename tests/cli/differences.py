# SPDX-License-Identifier: GPL-2.0
"""report and diff: sums that agree with the graph, roles instead of pids, the exit status of diff(1)."""
import json
import os
import subprocess
import tempfile

from cli import TIMEOUT, expect, is_root, report, run, skip

SMALL = "seq 40 | while read n; do echo $n; done | cat >/dev/null"
LARGE = "seq 400 | while read n; do echo $n; done | cat >/dev/null; seq 9 | wc >/dev/null"


def record(path, script):
    return run("record", "-o", path, "-m", "pipe", "--", "sh", "-c", script).returncode


def summed(data):
    got = run("report", "--json", data)
    expect("report --json: status", got, 0, stderr_lines=0)
    table = json.loads(got.stdout)
    graph = json.loads(run("graph", "--json", "-i", data).stdout)
    flows = [link for link in graph["links"] if link["kind"] == "flow"]
    for key in ["messages", "bytes"]:
        there = sum(f[key] for f in flows)
        here, rows = table["mechanisms"][0][key], sum(f[key] for f in table["flows"])
        report(f"report: {key} as in the graph", None if here == there == rows else f"{here}, {rows}, {there}")
    text = run("report", data)
    expect("report: text", text, 0, stdout_has="Largest flows")
    expect("report: no such format", run("report", "-F", "xml", data), 2, "text, json", 1)


def differences(small, again, large):
    expect("diff: with itself", run("diff", small, small), 0, stderr_lines=0)
    expect("diff: another run of the same", run("diff", small, again), 0, stderr_lines=0)
    got = run("diff", "--json", small, large)
    expect("diff: status", got, 1, stderr_lines=0)
    diff = json.loads(got.stdout)
    report("diff: a new process", None if ("new", "wc") in [(p["change"], p["role"]) for p in diff["processes"]] else got.stdout)
    more = [f for f in diff["flows"] if f["dst"] == "cat" and f["change"] == "more"]
    report("diff: a larger flow", None if len(more) == 1 and more[0]["old"]["messages"] == 40 and
           more[0]["new"]["messages"] == 400 else got.stdout)
    back = json.loads(run("diff", "--json", large, small).stdout)
    report("diff: the other way round", None if {f["change"] for f in back["flows"]} == {"gone", "less"} else str(back))
    report("diff: a factor", None if not [f for f in json.loads(run("diff", "--json", "--factor", "1000", small, large).stdout)
                                          ["flows"] if f["change"] == "more"] else "still more")
    dot = run("diff", "-F", "dot", small, large).stdout
    drawn = subprocess.run(["dot", "-Tplain"], input=dot, capture_output=True, text=True, timeout=TIMEOUT)
    report("diff: Graphviz reads it", None if drawn.returncode == 0 and "forestgreen" in dot else drawn.stderr)
    expect("diff: trouble", run("diff", small, "/nonexistent"), 2, "/nonexistent", 1)
    expect("diff: no such format", run("diff", "-F", "xml", small, large), 2, "dot", 1)


def main():
    if not is_root():
        skip("differences", "needs root to record")
        return
    with tempfile.TemporaryDirectory() as directory:
        small, again, large = (os.path.join(directory, name) for name in ("small", "again", "large"))
        if record(small, SMALL):
            skip("differences", "nothing can be traced here")
            return
        record(again, SMALL)
        record(large, LARGE)
        summed(small)
        differences(small, again, large)
