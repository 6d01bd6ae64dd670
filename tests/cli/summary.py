# SPDX-License-Identifier: GPL-2.0
"""Sums instead of messages: --summary, and what graph does when the rings lose events. Needs root."""
import collections
import json
import os
import tempfile

from cli import IPCTRACE, expect, is_root, report, run, skip

WORKLOADS = {
    "pipe": ["pipe", "--writers", "3", "--messages", "2000"],
    "unix-stream": ["unix-stream", "--writers", "3", "--readers", "3", "--messages", "300", "--size", "1..5000"],
    "unix-dgram": ["unix-dgram", "--writers", "2", "--messages", "300"],
    "tcp": ["tcp", "--messages", "300", "--size", "1..5000"],
    "sysv-msg": ["sysv-msg", "--writers", "2", "--messages", "500"],
    "posix-mq": ["posix-mq", "--messages", "500"],
}


def pid_of(node):
    return int(node.split(".")[0])


def truth_of(path):
    """What each process put into and took out of each object, and who took how much from whom."""
    sent, received, flows = collections.Counter(), collections.Counter(), {}
    with open(path, encoding="utf-8") as f:
        for t in map(json.loads, f):
            sent[t["src"], t["object"]] += t["bytes"]
            received[t["dst"], t["object"]] += t["bytes"]
            flows[t["src"], t["dst"], t["object"]] = (t["messages"], t["bytes"])
    return sent, received, flows


def differences(graph, path):
    """None, or how the graph's ends and flows differ from the truth."""
    sent, received, flows = truth_of(path)
    ends = collections.Counter()
    shown = {}
    for link in graph["links"]:
        if link["kind"] == "end" and link["role"] == "write":
            ends[True, pid_of(link["source"]), link["target"]] += link["bytes"]
        elif link["kind"] == "end" and link["role"] == "read":
            ends[False, pid_of(link["target"]), link["source"]] += link["bytes"]
        elif link["kind"] == "flow" and "." in link["source"]:
            shown[pid_of(link["source"]), pid_of(link["target"]), link["channel"]] = link
    for side, truth in ((True, sent), (False, received)):
        for (pid, name), cnt in truth.items():
            if ends[side, pid, name] != cnt:
                return f"{pid} {'wrote' if side else 'read'} {cnt} bytes at {name}, not {ends[side, pid, name]}"
    for key, numbers in flows.items():
        link = shown.get(key)
        if not link:
            return f"no flow {key}"
        if link["attr"] == "exact" and (link["messages"], link["bytes"]) != numbers:
            return f"flow {key}: {link['messages']} messages, {link['bytes']} bytes, not {numbers}"
        if link["attr"] not in ("exact", "candidates"):
            return f"flow {key} is {link['attr']}"
    return None


def trace(directory, mech, words, workload):
    """The graph of a workload, and where its truth is; None, None: something failed, and was reported."""
    out, truth = os.path.join(directory, "graph"), os.path.join(directory, "truth")
    got = run("graph", *words, "-m", mech, "--json", "-o", out, "--", IPCTRACE, "workload", *workload, "--truth", truth,
              stdout=None)
    if got.returncode:
        report(f"summary: {mech}", got.stderr)
        return None, None
    with open(out, encoding="utf-8") as f:
        return json.load(f), truth


def sums_are_true(directory):
    for mech, workload in WORKLOADS.items():
        graph, truth = trace(directory, mech, ["--summary"], workload)
        if graph:
            report(f"--summary: {mech}: sums are the truth", differences(graph, truth))


def rings_overflow(directory):
    """One page of ring cannot take what two writers do; the ends' sums, and those of each side, are right all the same."""
    graph, truth = trace(directory, "pipe", ["--ring-size", "4k"],
                         ["pipe", "--writers", "2", "--readers", "2", "--messages", "20000"])
    if not graph:
        return
    report("a ring of one page: the sums are the truth", differences(graph, truth))
    report("a ring of one page: the graph says so",
           None if graph["graph"].get("sums_since_ns") else "no sums_since_ns in the graph")


def recorded(directory):
    """A recording of sums shows the same as the live graph."""
    rec, live, again = (os.path.join(directory, name) for name in ("rec", "live", "again"))
    got = run("graph", "--summary", "-m", "pipe", "--json", "-o", live, "--record", rec, "--", "sh", "-c", "seq 20000 | wc -l")
    if expect("--summary: recorded beside", got, 0) and expect("--summary: read", run("graph", "-i", rec, "--json", "-o", again), 0):
        flows = []
        for path in (live, again):
            with open(path, encoding="utf-8") as f:
                flows.append([link for link in json.load(f)["links"] if link["kind"] in ("flow", "end")])
        report("--summary: a recording shows the same", None if flows[0] == flows[1] and flows[0] else f"{flows}")


def lines(directory):
    """Live lines are sums of a moment: together they are all there was."""
    out, truth = os.path.join(directory, "lines"), os.path.join(directory, "truth")
    got = run("--summary", "--json", "-m", "pipe", "-o", out, "--", IPCTRACE, "workload", "pipe", "--messages", "20000",
              "--truth", truth, stdout=None)
    if not expect("--summary: live", got, 0):
        return
    with open(out, encoding="utf-8") as f:
        messages = [line for line in map(json.loads, f) if line["type"] == "message"]
    _, _, flows = truth_of(truth)
    sums = collections.Counter()
    for m in messages:
        sums[m["object"]] += m["messages"]
    why = None
    for (_, _, name), (cnt, _) in flows.items():
        if sums[name] != cnt:
            why = f"{sums[name]} messages in {len(messages)} lines, not {cnt}"
    report("--summary: live lines add up", why)


def top(directory):
    out, truth = os.path.join(directory, "top"), os.path.join(directory, "truth")
    got = run("top", "-b", "--summary", "-m", "pipe", "-F", "json", "--interval", "100ms", "-o", out, "--", IPCTRACE, "workload",
              "pipe", "--messages", "20000", "--truth", truth, stdout=None)
    if not expect("--summary: top", got, 0):
        return
    sent, _, _ = truth_of(truth)
    with open(out, encoding="utf-8") as f:
        text = f.read()
    name, cnt = next((name, cnt) for (_, name), cnt in sent.items())
    total = max((row["total"]["bytes"] for row in map(json.loads, text.splitlines())
                 if row["type"] == "flow" and row["object"] == name), default=0)
    report("--summary: top's totals are the truth", None if total == cnt else f"{total} bytes, not {cnt}")


def mistakes(directory):
    for words, sentence in ((["--summary", "--ops"], "leave out --ops"),
                            (["--summary", "--payload"], "leave out --payload"),
                            (["graph", "--summary", "--min-bytes", "5"], "leave out --min-bytes"),
                            (["top", "-b", "--summary", "-i", os.devnull], "--summary is for tracing")):
        expect(" ".join(words), run(*words), 2, sentence, stderr_lines=1)


def main():
    with tempfile.TemporaryDirectory() as directory:
        mistakes(directory)
        if not is_root():
            skip("--summary", "tracing needs root")
            return
        sums_are_true(directory)
        rings_overflow(directory)
        recorded(directory)
        lines(directory)
        top(directory)
