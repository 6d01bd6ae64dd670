# SPDX-License-Identifier: GPL-2.0
"""ipctrace top in batch mode against workloads that know their rates. Needs root, except for what is wrong usage."""
import csv
import io
import json
import os
import signal
import subprocess

from cli import IPCTRACE, TIMEOUT, expect, is_root, report, run, skip, start

PIPE = ("workload", "pipe", "--messages", "600", "--rate", "1000", "--size", "100", "--seed", "3")


def wrong_usage():
    for name, args, said in [("table", ["--table", "flow"], "no table 'flow'"),
                             ("column", ["--sort", "nonsense"], "no column 'nonsense'"),
                             ("columns", ["--columns", "src,"], "no column ''"),
                             ("group", ["--group", "colour"], "cannot group by 'colour'"),
                             ("format", ["-F", "xml"], "no format 'xml'"),
                             ("two formats", ["--json", "-F", "csv"], "contradict"),
                             ("interval", ["--interval", "1us"], "at least 10ms"),
                             ("iterations", ["-n", "0"], "at least 1")]:
        expect(f"top: wrong {name}", run("top", "-b", *args), 2, said, 1)


def top(*args, command=PIPE, **kwargs):
    return run("top", "-b", *args, "--", IPCTRACE, *command, **kwargs)


def rows(got, kind):
    return [row for row in map(json.loads, got.stdout.splitlines()) if row.get("type") == kind]


def truth(got):
    return [row for row in map(json.loads, got.stdout.splitlines()) if "type" not in row]


def flows():
    got = top("--json", "-m", "pipe", "--interval", "0.2")
    expect("top: json", got, 0, stderr_lines=0)
    true, = truth(got)
    mine = [f for f in rows(got, "flow") if f["object"] == true["object"]]
    intervals = rows(got, "interval")
    sums = {key: sum(f[key] for f in mine) for key in ("messages", "bytes")}
    report("top: intervals add up to the truth", None if all(sums[k] == true[k] for k in sums) else f"{sums}, not {true}")
    last = mine[-1]["total"]
    report("top: totals are the truth", None if all(last[k] == true[k] for k in sums) else f"{last}, not {true}")
    sides = {(f["src"]["pid"], f["dst"]["pid"]) for f in mine}
    report("top: the true sides", None if sides == {(true["src"], true["dst"])} else str(sides))
    report("top: several intervals", None if len(intervals) >= 3 else f"{len(intervals)}")
    whole = [f for f in mine if f["interval"] in {i["interval"] for i in intervals if i["duration_ns"] == 200000000}]
    wrong = [f for f in whole if abs(f["messages_per_s"] * 0.2 - f["messages"]) > 0.01]
    report("top: rates are of the interval", wrong)
    busy = [f for f in mine if f["messages"] > 1]
    bad = [f for f in busy if not 0 < f["latency_ns"]["p50"] <= f["latency_ns"]["p99"] <= f["latency_ns"]["max"]]
    report("top: percentiles", bad)
    waits = max(f["empty_percent"] for f in mine)
    report("top: the receiver waits most of the time", None if 20 < waits <= 101 else f"{waits} %")
    fill = mine[0]["fill"]
    report("top: a pipe's capacity", None if fill["capacity_bytes"] and fill["capacity_slots"] else str(fill))
    end = rows(got, "end")
    report("top: the end line", None if len(end) == 1 and end[0]["messages"] == true["messages"] else str(end))


def full_pipe():
    got = top("--json", "-m", "pipe", "--interval", "0.1", "--table", "channels,processes",
              command=("workload", "pipe", "--messages", "3000", "--size", "4096", "--read-size", "4096", "--writers", "3"))
    most = max((c["fill"]["bytes"] or 0 for c in rows(got, "channel")), default=-1)
    report("top: a channel is never fuller than full", None if 0 <= most <= 65536 else f"{most} bytes")
    senders = [p for p in rows(got, "process") if p["sent"]["messages"]]
    sent = sum(p["sent"]["bytes"] for p in senders)
    received = sum(p["received"]["bytes"] for p in rows(got, "process"))
    report("top: what processes sent was received", None if sent == received == 3 * 3000 * 4096 else f"{sent}, {received}")


def groups():
    command = ("workload", "unix-stream", "--messages", "50", "--writers", "6", "--readers", "2")
    got = top("--json", "-m", "unix", "--group", "command", "--interval", "20", command=command)
    flow, = rows(got, "flow") or [{}]
    cnt = sum(t["messages"] for t in truth(got))
    sides = {t[side] for t in truth(got) if t["messages"] for side in ("src", "dst")}
    want = {"group": "ipctrace", "processes": len(sides)}
    report("top: a group is one row", None if flow.get("src") == flow.get("dst") == want else str(flow))
    report("top: with all messages", None if flow.get("messages") == cnt else f"{flow.get('messages')}, not {cnt}")


class Blocked:
    """A process that reads from a pipe, in which nobody writes."""

    def __enter__(self):
        self.reader, self.writer = os.pipe()
        self.process = subprocess.Popen(["cat"], stdin=self.reader, stdout=subprocess.DEVNULL)
        self.object = f"pipe:[{os.fstat(self.reader).st_ino}]"
        return self

    def __exit__(self, *_):
        os.close(self.writer)
        os.close(self.reader)
        self.process.wait()


def waits():
    with Blocked() as b:
        got = run("top", "-b", "--json", "-m", "pipe", "-n", "2", "--interval", "0.3", "--table", "waits,processes", "--idle")
    mine = [w for w in rows(got, "wait") if w["pid"] == b.process.pid]
    report("top: who waits", None if len(mine) == 2 else f"{mine} of {got.stdout[:300]} {got.stderr}")
    if len(mine) != 2:
        return
    first, second = mine
    wrong = [w for w in mine if (w["call"], w["object"], w["waits_for"]) != ("read", b.object, "data")]
    report("top: in which call, on what", wrong)
    report("top: on whom", None if str(os.getpid()) in first["whom"].split() else first["whom"])
    longer = second["wait_ns"] - first["wait_ns"]
    report("top: and for how long", None if abs(longer - 300000000) < 60000000 else f"{longer} ns more after 300 ms")


def order_and_columns():
    command = ("sh", "-c", "head -c 1000 /dev/zero | cat >/dev/null; head -c 90000 /dev/zero | cat >/dev/null")
    got = run("top", "-b", "-F", "csv", "-m", "pipe", "--interval", "20", "--columns", "src,object,total.bytes", "--",
              *command)
    table = list(csv.DictReader(io.StringIO(got.stdout)))
    sizes = [int(r["total.bytes"]) for r in table]
    report("top: csv, largest first", None if sizes == [90000, 1000] else got.stdout)
    report("top: csv has the columns asked for", None if list(table[0])[4:] == ["src", "object", "total.bytes"] else
           str(list(table[0])))
    got = run("top", "-b", "-F", "csv", "-m", "pipe", "--interval", "20", "--sort", "^total.bytes", "--rows", "1", "--",
              *command)
    sizes = [int(r["total.bytes"]) for r in csv.DictReader(io.StringIO(got.stdout))]
    report("top: smallest first, one row", None if sizes == [1000] else got.stdout)


def text():
    got = top("-m", "pipe", "--interval", "20", "--table", "all,events")
    heads = [line for line in got.stdout.splitlines() if line.startswith("== ")]
    report("top: text has a head", None if len(heads) == 1 and "nothing lost" in heads[0] else str(heads))
    for header in ("SOURCE ", "PROCESS ", "CHANNEL ", "MECH ", "TIME "):
        found = any(line.startswith(header) for line in got.stdout.splitlines())
        if header != "TIME ":
            report(f"top: text has the table {header.strip()}", None if found else got.stdout[:500])
    # A slow reader takes many messages at once: how many lines that makes is not known.
    events = got.stdout[got.stdout.find("\nTIME "):].count("pipe:[")
    report("top: text has the events", None if events > 2 else f"{events} lines")


def ends():
    got = run("top", "-b", "--json", "-m", "pipe", "-n", "2", "--interval", "0.05")
    report("top: -n ends it", None if len(rows(got, "interval")) == 2 else got.stdout)
    expect("top: -n: status", got, 0, stderr_lines=0)
    p = start("top", "--json", "-m", "pipe", "--interval", "0.05")
    p.stdout.readline()
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=TIMEOUT)
    report("top: Ctrl-C ends it with the end line", None if p.returncode == 0 and '"type":"end"' in out.splitlines()[-1]
           else f"{p.returncode}: {err}")
    expect("top: the command's status", run("top", "-b", "-m", "pipe", "--", "sh", "-c", "exit 7"), 7, stderr_lines=0)
    p = subprocess.Popen([IPCTRACE, "top", "-b", "-m", "pipe", "--interval", "0.02"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    p.stdout.readline()
    p.stdout.close()
    p.wait(timeout=TIMEOUT)
    err = p.stderr.read().decode()
    report("top: a reader that goes away ends it", None if p.returncode == 0 and not err else f"{p.returncode}: {err}")


def main():
    wrong_usage()
    if not is_root():
        skip("top", "needs root")
        return
    probe = run("top", "-b", "-n", "1", "--interval", "0.01", "-o", "/dev/null")
    if probe.returncode:
        skip("top", f"nothing can be traced here: {probe.stderr.strip()}")
        return
    flows()
    full_pipe()
    groups()
    waits()
    order_and_columns()
    text()
    ends()
