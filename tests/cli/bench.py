# SPDX-License-Identifier: GPL-2.0
"""The bench command: what it writes, what it refuses, that it is in time and leaves nothing behind. Needs no rights."""
import glob
import json
import os
import signal
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from cli import IPCTRACE, expect, report, run, skip, start

SHORT = ["--sizes", "1,4k", "--seconds", "2ms", "--rounds", "1"]
SVG = "{http://www.w3.org/2000/svg}"

USAGE = [
    ("unknown mechanism", ["pip"], "'pip'"),
    ("unknown option", ["--frob"], "--frob"),
    ("unknown format", ["-F", "png"], "text, json, svg"),
    ("two formats", ["--json", "-F", "svg"], "contradict"),
    ("size of nothing", ["--sizes", "0"], "--sizes"),
    ("size list with a hole", ["--sizes", "1,,4"], "--sizes"),
    ("size that is too large", ["--sizes", "1G"], "--sizes"),
    ("no time", ["--seconds", "0"], "--seconds"),
    ("no rounds", ["--rounds", "0"], "--rounds"),
    ("too many rounds", ["--rounds", "1000"], "--rounds"),
    ("CPU that is none", ["--pin=0,x"], "'0,x'"),
    ("CPU that does not exist", ["--pin=0,1000"], "1000"),
    ("negative CPU", ["--pin=-1,0"], "-1"),
]


def traces():
    """What a run could leave behind."""
    left = set()
    for kind in ["msg", "sem", "shm"]:
        try:
            with open(f"/proc/sysvipc/{kind}") as f:
                left |= {(kind, line.split()[1]) for line in f.readlines()[1:]}
        except OSError:
            pass
    for pattern in ["/dev/shm/ipctrace-bench*", "/dev/mqueue/ipctrace-bench*",
                    os.path.join(tempfile.gettempdir(), "ipctrace-bench*")]:
        left |= {("file", name) for name in glob.glob(pattern)}
    return left


def usage():
    for name, args, words in USAGE:
        got = run("bench", *args)
        if expect(f"bench: {name}", got, 2, words, stderr_lines=1):
            report(f"bench: {name}: says where help is",
                   None if "bench --help" in got.stderr or "bench --list" in got.stderr else got.stderr)
    expect("bench: output that cannot be written", run("bench", "pipe", *SHORT, "-o", "/no/such/place"), 1,
           "/no/such/place", 1)
    with open("/dev/full", "w") as full:
        expect("bench: full disk", run("bench", "pipe", *SHORT, stdout=full), 1, "No space left", 1)
    reader, writer = os.pipe()
    os.close(reader)
    expect("bench: reader went away", run("bench", "pipe", *SHORT, stdout=writer), 0, stderr_lines=0)
    os.close(writer)


def outputs():
    got = run("bench", "pipe", "unix", *SHORT)
    expect("bench: text", got, 0, stderr_lines=0, stdout_has="unix-seqpacket")
    report("bench: only what was asked for", "tcp" if "\ntcp" in got.stdout else None)
    got = run("bench", "pipe", "udp", "eventfd", "--json", *SHORT)
    expect("bench: json", got, 0, stderr_lines=0)
    try:
        result = json.loads(got.stdout)
    except ValueError as e:
        return report("bench: json can be read", str(e))
    names = [m["mech"] for m in result["mechanisms"]]
    report("bench: json has what was asked for", None if names == ["pipe", "udp", "eventfd"] else str(names))
    pipe, udp, eventfd = result["mechanisms"]
    sizes = [p["bytes"] for p in pipe["points"]]
    report("bench: json has every size", None if sizes == [1, 4096] else str(sizes))
    bad = [p for p in pipe["points"] if not p["latency_ns"]["p50"]["median"] > 0 or not p["bytes_per_s"]["median"] > 0]
    report("bench: json has numbers", str(bad) if bad else None)
    report("bench: what was found is reported",
           None if pipe["properties"]["reliable"] is True and udp["properties"]["reliable"] is False
           and eventfd["class"] == "notice" else str(result["mechanisms"]))
    with tempfile.NamedTemporaryFile(suffix=".svg") as f:
        expect("bench: svg", run("bench", "pipe", "tcp", "signal", "-F", "svg", "-o", f.name, *SHORT), 0, stderr_lines=0)
        try:
            root = ElementTree.parse(f.name).getroot()
        except ElementTree.ParseError as e:
            return report("bench: svg is well-formed", str(e))
        report("bench: svg is well-formed", None if root.tag == SVG + "svg" else root.tag)
        texts = [t.text for t in root.iter(SVG + "text")]
        absent = [w for w in ["pipe", "tcp", "signal", "4K"] if w not in texts]
        report("bench: svg names what it shows", ", ".join(absent))
        curves = len(list(root.iter(SVG + "path")))
        report("bench: svg has its curves", None if curves == 6 else f"{curves} paths, not 2 x 2 and 2 in the legend")


def limits():
    before = traces()
    begun = time.monotonic()
    got = run("bench", "--quick", "--json")
    took = time.monotonic() - begun
    expect("bench: --quick", got, 0)
    if took >= 10 and os.getloadavg()[0] > os.cpu_count():
        skip("bench: --quick is in time", f"{took:.1f} s, on a machine that has more to do than it can")
    else:
        report("bench: --quick is in time", None if took < 10 else f"{took:.1f} s")
    report("bench: nothing is left behind", ", ".join(map(str, traces() - before)))
    known = {m["mech"]: m["properties"] for m in json.loads(got.stdout)["mechanisms"] if not m["error"]}
    report("bench: every mechanism answered", ", ".join(n for n, p in known.items() if p["connectionless"] is None))


def has_children(pid):
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as f:
                if f.read().rpartition(")")[2].split()[1] == str(pid):
                    return True
        except OSError:
            pass
    return False


def stops():
    before = traces()
    for sig in [signal.SIGINT, signal.SIGTERM]:
        p = start("bench", "sysv", "pipe", "--seconds", "60", "--json")
        # interrupted while its processes run, whatever they do at that moment
        while not has_children(p.pid) and p.poll() is None:
            pass
        p.send_signal(sig)
        out, err = p.communicate(timeout=20)
        report(f"bench: {sig.name}: status 0", None if p.returncode == 0 and not err else f"{p.returncode}: {err}")
        try:
            report(f"bench: {sig.name}: says so", None if json.loads(out)["interrupted"] is True else out)
        except ValueError:
            report(f"bench: {sig.name}: what there is is written", out)
    report("bench: interrupted, nothing is left behind", ", ".join(map(str, traces() - before)))


def main():
    if not os.access(IPCTRACE, os.X_OK):
        skip("bench", f"no {IPCTRACE}")
        return
    usage()
    outputs()
    limits()
    stops()
