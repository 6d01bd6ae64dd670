# SPDX-License-Identifier: GPL-2.0
"""What the guest left -> one verdict for each kind of hook and mechanism."""
import collections
import json
import os
import re
import subprocess

from . import same
from .kernels import TREE

OK, FAILED, SKIPPED = "ok", "not ok", "skip"

Result = collections.namedtuple("Result", "verdict name why")

KERNEL_COMPLAINTS = re.compile(r"\b(WARNING: (CPU|.*/)|BUG: |Oops|general protection|soft lockup|hung_task)")
SAYS_LOST = re.compile(r"\b\d+ events? lost\b.*")
NOT_BUILT = re.compile(r"unknown mechanism|not built|not in this build")
CANNOT_TRACE = re.compile(r"\bcannot trace ([\w-]+): ")


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def compare(base, mech, *options):
    """(differs, the first line it says): the live ring's judge of graph against truth."""
    tool = os.path.join(TREE, "tests", "live", "compare")
    cmd = [tool, *options, "--mech", mech, base + ".truth", base + ".graph"]
    done = subprocess.run(cmd, text=True, capture_output=True, check=False)
    said = (done.stdout + done.stderr).splitlines() or [f"compare: {done.returncode}"]
    return done.returncode != 0, said[0]


def difference(base, mech):
    """(verdict, why): what is wrong; where only the certainty is less than exact, it is right, and said."""
    differs, said = compare(base, mech)
    if not differs:
        return OK, ""
    differs, why = compare(base, mech, "--allow-doubt")
    return (FAILED, why) if differs else (OK, said)


def graph_of(base):
    """What the graph says of itself; nothing where there is none."""
    try:
        return json.loads(read(base + ".graph"))["graph"]
    except (ValueError, KeyError):
        return {}


def attach_of(base, mech):
    """The kinds of hook that the graph says saw this mechanism."""
    attach = graph_of(base).get("attach")
    return "unknown" if attach is None else str(attach.get(mech, "nothing"))


class Rungs:
    """What doctor says about one kind of hook: which mechanisms have it, and what the kernel refuses."""

    def __init__(self, out_dir, rung):
        self.rung = rung
        try:
            self.hooks = json.loads(read(os.path.join(out_dir, "doctor")))["hooks"]
        except (ValueError, KeyError):
            self.hooks = []

    def refusals(self, mech):
        """None: this mechanism's first hook, whose rung is the mechanism's, has no such rung. Else the reasons, empty if
        all hooks that must be there work."""
        hooks = [h for h in self.hooks if mech in h["mechs"] and h["mech"] != "all"]
        if not hooks or self.rung not in hooks[0]["rungs"]:
            return None
        states = [h["rungs"].get(self.rung, "ok") for h in hooks if not h["optional"]]
        return [state for state in states if not state.startswith("ok")]


def judge_run(out_dir, rungs, mech, status, run=None):
    """(verdict, why, whether the kernel's must-list turns this skip into a failure)"""
    base = os.path.join(out_dir, f"{rungs.rung}.{run or mech}")
    log = last_line(read(base + ".log"))
    used, refused = attach_of(base, mech), rungs.refusals(mech)
    same_hook = refused is None and rungs.hooks and used == "tracepoint"
    if status == 0 and (rungs.rung in used or same_hook):
        verdict, why = difference(base, mech)
        said = SAYS_LOST.search(log)
        if said:  # and not for the first time: guest.sh
            verdict, why = FAILED, f"{said[0]}; {why}"
        return verdict, f"at tracepoints, as on every rung {why}".strip() if same_hook else why, False
    if status in (124, 137, 143):
        return FAILED, f"ran into the time limit: {log}", False
    if status == 2 and NOT_BUILT.search(log):
        return SKIPPED, log, False
    if refused:
        return SKIPPED, refused[0], True
    culprit = CANNOT_TRACE.search(log)  # they are traced together, and all or none
    refused = rungs.refusals(culprit[1]) if culprit and status == 1 else None
    if refused:
        return SKIPPED, f"traced together with {culprit[1]}: {refused[0]}", True
    if status:
        return FAILED, f"exit status {status}: {log}", False
    return FAILED, f"asked for {rungs.rung}, used {used}", False


def count_ops(path):
    """
    How often each signal was posted, by result, and how often one was taken; without what children tell at their end, and
    what ends the threads that some kernels make for io_uring.
    """
    counts = collections.Counter()
    for line in read(path).splitlines():
        row = json.loads(line)
        if row["type"] != "op" or row["object"] == "sig:SIGCHLD":
            continue
        if row["object"] == "sig:SIGKILL" and row["task"]["comm"].startswith("iou-"):
            continue
        result = (row["signal"]["result"],) if row["op"] == "post" else ()
        counts[(row["op"], row["object"], *result)] += 1
    return counts


def count_truth(path, rung):
    """The same of what happened; tracepoints do not show what io_uring takes."""
    counts = collections.Counter()
    for line in read(path).splitlines():
        op, *what, cnt = line.split()
        if op != "uring" or rung != "tracepoint":
            counts["wait" if op == "uring" else op, *what] += int(cnt)
    return counts


def judge_signals(out_dir, rungs, words):
    """(verdict, why, as judge_run): the results of sending and the ways of taking signals, one by one."""
    base = os.path.join(out_dir, f"{rungs.rung}.signals")
    status, refused = int(words[0]), rungs.refusals("signal")
    if status and refused:
        return SKIPPED, refused[0], True
    if status:
        return FAILED, f"exit status {status}: {last_line(read(base + '.log'))}", False
    got, want = count_ops(base + ".ops"), count_truth(base + ".truth", rungs.rung)
    differs = [f"{' '.join(what)}: {got[what]} instead of {want[what]}" for what in sorted(got | want)
               if got[what] != want[what]]
    if differs or not want:
        return FAILED, "; ".join(differs[:3]) or "no truth", False
    return OK, f"{len(want)} results and ways of taking", False


def judge_dump(out_dir, rungs, words):
    """(verdict, why, as judge_run): a core dump's bytes have their writer; at tracepoints they have none, and none is made up."""
    status, writer, reader, pipe, size = [*words, *[""] * 5][:5]
    base = os.path.join(out_dir, f"{rungs.rung}.dump")
    refused = rungs.refusals("pipe")
    if status != "0" and refused:
        return SKIPPED, refused[0], True
    if status != "0" or not size:
        return FAILED, f"exit status {status}, {size or 'no'} bytes: {last_line(read(base + '.log'))}", False
    graph = json.loads(read(base + ".graph"))
    pids = {n["id"]: n["pid"] for n in graph["nodes"] if "pid" in n}
    flows = sum(link["bytes"] for link in graph["links"] if link["kind"] == "flow" and link["channel"] == pipe
                and pids.get(link["source"]) == int(writer) and pids.get(link["target"]) == int(reader))
    unknown = sum(n.get("unattributed_bytes", 0) for n in graph["nodes"] if n["id"] == pipe)
    got, want = (flows, unknown), (0, int(size)) if rungs.rung == "tracepoint" else (int(size), 0)
    if got != want:
        return FAILED, f"{got[0]} bytes of {writer} for {reader}, {got[1]} of nobody; true are {size} bytes", False
    return OK, f"{size} bytes", False


def judge_rungs(kernel, out_dir, passed):
    """The same workload under two kinds of hook gives the same graph."""
    for (rung, run), mechs in passed.items():
        both = [mech for mech in mechs if mech in passed.get(("tracepoint", run), [])]
        if rung == "tracepoint" or not both:
            continue
        differs = list(same.differences(out_dir, run, (rung, "tracepoint"), both))
        name = f"{kernel.name} {rung} = tracepoint, {len(both)} mechanisms"
        yield Result(FAILED if differs else OK, name, "; ".join(differs[:3]))


def judge(kernel, out_dir, lines, mechs=()):
    """All verdicts of one guest, from the lines it printed and the files it left; a run of "all" is one of mechs each."""
    doctors, passed = {}, collections.defaultdict(list)
    for line in lines:
        words = line.split()
        m = re.match(r"smoke (ok|not ok|skip) - (\w+)(?:: (.*))?", line)
        if m:
            must = m[2] in kernel.must
            found = FAILED if m[1] == SKIPPED and must else m[1]
            yield Result(found, f"{kernel.name} smoke {m[2]}", m[3] or "")
        elif words[:1] == ["right"]:
            m = re.match(r"right (ok|not ok|skip) - ([^:]*)(?:: (.*))?", line)
            yield Result(m[1], f"{kernel.name} rights, {m[2]}", m[3] or "")
        elif words[:1] in (["signals"], ["dump"]):
            name, judge_it = {"signals": ("signals one by one", judge_signals), "dump": ("core dump", judge_dump)}[words[0]]
            rung = words[1]
            rungs = doctors.setdefault(rung, Rungs(out_dir, rung))
            verdict, why, strict = judge_it(out_dir, rungs, words[2:])
            if strict and rung in kernel.must:
                verdict = FAILED
            yield Result(verdict, f"{kernel.name} {rung} {name}", why)
        elif words[:1] == ["again"]:
            yield Result(OK, f"{kernel.name} {words[1]} {words[2]} ran again, {words[3]}", " ".join(words[4:]))
        elif words[:1] == ["run"]:
            _, rung, mech, status, start, end = words
            rungs = doctors.setdefault(rung, Rungs(out_dir, rung))
            seconds = f"{float(end) - float(start):.1f} s"
            for one in mechs if mech == "all" else [mech]:
                verdict, why, strict = judge_run(out_dir, rungs, one, int(status), mech)
                if strict and rung in kernel.must:
                    verdict = FAILED
                name = f"{kernel.name} {rung} {one}"
                if verdict == OK:
                    passed[rung, mech].append(one)
                yield Result(verdict, name, f"{seconds} {why}".strip() if verdict == OK else why)
    yield from judge_rungs(kernel, out_dir, passed)
    log = read(os.path.join(out_dir, ".dmesg")).splitlines()
    complaints = [line for line in log if KERNEL_COMPLAINTS.search(line)] or [""]
    yield Result(FAILED if complaints[0] else OK, f"{kernel.name} kernel log", complaints[0])
