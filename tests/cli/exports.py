# SPDX-License-Identifier: GPL-2.0
"""Exports: each is read by the tool that it is for, and says what the replay says."""
import collections
import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile

from cli import IPCTRACE, TIMEOUT, expect, is_root, report, run, skip

HERE = os.path.dirname(os.path.abspath(__file__))


def export(form, data, *args, output=None):
    return run("export", "-F", form, *(["-o", output] if output else []), *args, data)


def messages(data):
    lines = [json.loads(line) for line in run("replay", "--json", data).stdout.splitlines()]
    return [line for line in lines if line["type"] == "message"]


def as_jsonl(data, want):
    got = export("jsonl", data)
    expect("jsonl: status", got, 0, stderr_lines=0)
    lines = [json.loads(line) for line in got.stdout.splitlines()]
    kinds = collections.Counter(line["type"] for line in lines)
    report("jsonl: the replay's messages", None if [x for x in lines if x["type"] == "message"] == want else "others")
    report("jsonl: all kinds of lines", None if all(kinds[k] for k in ("recording", "op", "process", "end")) else str(kinds))
    report("jsonl: the end comes last", None if lines[-1]["type"] == "end" else str(lines[-1]))


def as_csv(data, want):
    rows = list(csv.DictReader(io.StringIO(export("csv", data).stdout, newline="")))
    same = [(int(r["ts_ns"]), r["mech"], int(r["bytes"]), r["src_pid"]) for r in rows]
    there = [(m["ts_ns"], m["mech"], m["bytes"], str(m["src"]["pid"]) if m["src"] else "") for m in want]
    report("csv: the replay's messages", None if same == there else f"{len(same)} rows, {len(there)} messages")


def as_sqlite(data, want, directory):
    path = os.path.join(directory, "x.db")
    expect("sqlite: wants a file", export("sqlite", data), 2, "--output", 1)
    expect("sqlite: unwritable", export("sqlite", data, output="/nonexistent/x.db"), 1, "/nonexistent/x.db", 1)
    expect("sqlite: status", export("sqlite", data, output=path), 0, stderr_lines=0)
    open(os.path.join(directory, "any"), "w", encoding="ascii").close()
    modes = [oct(os.stat(p).st_mode & 0o777) for p in (path, os.path.join(directory, "any"))]
    report("sqlite: the usual mode", None if modes[0] == modes[1] else f"{modes[0]}, not {modes[1]}")
    db = sqlite3.connect(path)
    sums = dict(db.execute("SELECT mech, sum(bytes) FROM messages GROUP BY mech"))
    there = collections.Counter()
    for m in want:
        there[m["mech"]] += m["bytes"]
    report("sqlite: bytes by mechanism", None if sums == dict(there) else f"{sums}, not {dict(there)}")
    flows = db.execute("SELECT sum(messages), sum(bytes) FROM flows").fetchone()
    edges = db.execute("SELECT sum(messages), sum(bytes) FROM edges").fetchone()
    report("sqlite: the view edges has every flow", None if flows == edges and flows[0] else f"{flows}, {edges}")
    for view in ["talkers", "slowest", "waits"]:
        report(f"sqlite: view {view}", None if db.execute(f"SELECT * FROM {view}").fetchall() else "empty")
    report("sqlite: sound", None if db.execute("PRAGMA integrity_check").fetchone() == ("ok",) else "not sound")
    db.close()


def packets(text):
    """protoc's text form, as far as it is needed: the fields of each packet, nested ones with their path."""
    found, path = [], []
    for line in text.splitlines():
        line = line.strip()
        if line.endswith("{"):
            path.append(line[:-1].strip())
            if len(path) == 1:
                found.append(collections.defaultdict(list))
        elif line == "}":
            path.pop()
        else:
            key, value = line.split(": ", 1)
            found[-1][".".join(path[1:] + [key])].append(value)
    return found


def nesting(events):
    depth = collections.Counter()
    last = collections.Counter()
    for p in events:
        track, ts = p["track_event.track_uuid"][0], int(p["timestamp"][0])
        kind = p["track_event.type"][0]
        if kind not in ("TYPE_SLICE_BEGIN", "TYPE_SLICE_END"):
            continue
        depth[track] += 1 if kind.endswith("BEGIN") else -1
        if depth[track] not in (0, 1) or ts < last[track]:
            return f"track {track} at {ts}: depth {depth[track]}"
        last[track] = ts
    return None if not any(depth.values()) else "a slice without its end"


def as_perfetto(data, want, directory):
    if not shutil.which("protoc"):
        return skip("perfetto", "protoc is not installed")
    path = os.path.join(directory, "x.perfetto")
    expect("perfetto: status", export("perfetto", data, output=path), 0, stderr_lines=0)
    with open(path, "rb") as f:
        got = subprocess.run(["protoc", f"--proto_path={HERE}", "--decode=Trace", "perfetto.proto"], stdin=f,
                             capture_output=True, text=True, timeout=TIMEOUT)
    report("perfetto: protoc reads it", got.stderr or None)
    unknown = re.search(r"^\s*\d+[:{ ]", got.stdout, re.M)
    report("perfetto: no field that is not Perfetto's", unknown and unknown.group(0))
    found = packets(got.stdout)
    tracks = {p["track_descriptor.uuid"][0] for p in found if p["track_descriptor.uuid"]}
    events = [p for p in found if p["track_event.track_uuid"]]
    lost = {p["track_event.track_uuid"][0] for p in events} - tracks
    report("perfetto: every event has its track", ", ".join(sorted(lost)))
    report("perfetto: slices nest", nesting(events))
    begins = [f for p in events for f in p["track_event.flow_ids"]]
    ends = [f for p in events for f in p["track_event.terminating_flow_ids"]]
    both = sum(1 for m in want if m["src"] and m["dst"])
    report("perfetto: an arrow per message", None if sorted(begins) == sorted(ends) and len(set(begins)) == both else
           f"{len(begins)} begin, {len(ends)} end, {both} messages")
    samples = [p for p in events if p["track_event.counter_value"]]
    report("perfetto: counters", None if samples else "none")
    return None


def as_ctf(data, want, directory):
    path = os.path.join(directory, "ctf")
    expect("ctf: wants a directory", export("ctf", data), 2, "--output", 1)
    expect("ctf: a place that cannot be", export("ctf", data, output="/nonexistent/x/y"), 1, "/nonexistent/x/y", 1)
    expect("ctf: status", export("ctf", data, output=path), 0, stderr_lines=0)
    expect("ctf: nothing is overwritten", export("ctf", data, output=path), 1, "exists", 1)
    if not shutil.which("babeltrace2"):
        return skip("ctf", "babeltrace2 is not installed")
    got = subprocess.run(["babeltrace2", "--clock-cycles", path], capture_output=True, text=True, timeout=TIMEOUT)
    report("ctf: babeltrace2 reads it", got.stderr or None)
    line = re.compile(r'\[(\d+)\] .* ([\w-]+): \{ src_pid = (\d+), .* object = "(.*)", bytes = (\d+), messages = (\d+), ')
    seen = [line.match(x) for x in got.stdout.splitlines()]
    report("ctf: every line is a message", None if all(seen) else next(x for x in got.stdout.splitlines() if not line.match(x)))
    same = sorted((int(m[1]), m[2], int(m[3]), int(m[5])) for m in seen if m)
    there = sorted((m["ts_ns"], m["mech"], m["src"]["pid"] if m["src"] else 0, m["bytes"]) for m in want)
    report("ctf: the replay's messages", None if same == there else f"{len(same)} events, {len(there)} messages")
    return None


def usage(data):
    expect("export without a format", run("export", data), 2, "perfetto", 1)
    expect("export: unknown format", run("export", "-F", "xls", data), 2, "sqlite", 1)
    expect("export: no recording", run("export", "-F", "csv", "/etc/passwd"), 1, "no recording", 1)
    with open("/dev/full", "w") as full:
        expect("export: full disk", run("export", "-F", "csv", data, stdout=full), 1, "No space left", 1)


def main():
    if not is_root():
        skip("exports", "needs root to record")
        return
    with tempfile.TemporaryDirectory() as directory:
        data = os.path.join(directory, "data")
        if run("record", "-o", data, "--", IPCTRACE, "workload", "all", "--messages", "40",
               stdout=subprocess.DEVNULL).returncode:
            skip("exports", "nothing can be traced here")
            return
        want = messages(data)
        report("exports: there is something to export", None if len(want) > 200 else f"{len(want)} messages")
        as_jsonl(data, want)
        as_csv(data, want)
        as_sqlite(data, want, directory)
        as_perfetto(data, want, directory)
        as_ctf(data, want, directory)
        usage(data)
