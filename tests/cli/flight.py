# SPDX-License-Identifier: GPL-2.0
"""Recordings in several files, and those of the last seconds only."""
import json
import os
import signal
import subprocess
import tempfile

from cli import IPCTRACE, TIMEOUT, expect, is_root, report, run, skip, started


NAME = os.path.basename(IPCTRACE)[:15]  # as the kernel cuts it


def mistakes(directory):
    for name, words, said in [("a size", ["--max-size", "3k"], "256k"), ("files of what", ["--max-files", "3"], "--max-size"),
                              ("a trigger of what", ["--trigger", "bytes"], "--keep"),
                              ("standard output", ["--keep", "3", "-o", "-"], "files"),
                              ("a field", ["--keep", "3", "--trigger", "sig == 9"], "'sig'"),
                              ("a signal", ["--keep", "3", "--trigger", "signal == SIGKIL"], "SIGKIL"),
                              ("an end", ["--keep", "3", "--trigger", "bytes >"], "value")]:
        expect(f"flight: {name}", run("record", *words, cwd=directory), 2, said, 1)


def lines(*args):
    return [json.loads(line) for line in run("replay", "--json", *args).stdout.splitlines()]


def flows(data):
    links = json.loads(run("graph", "-F", "json", "-i", data).stdout)["links"]
    return sorted((x["mech"], x["channel"], x["messages"], x["bytes"], x["source"].split(".")[0], x["target"].split(".")[0])
                  for x in links if x["kind"] == "flow" and x["mech"] == "pipe")


def rotated(directory):
    data, truth = os.path.join(directory, "rotated"), os.path.join(directory, "truth")
    got = run("record", "--max-size", "256k", "-m", "pipe", "-o", data, "--",
              IPCTRACE, "workload", "pipe", "--messages", "60000", "--size", "1..40", "--truth", truth)
    if not expect("max-size: status", got, 0, "before it"):
        return
    files = [f for f in os.listdir(directory) if f.startswith("rotated")]
    sizes = [os.path.getsize(os.path.join(directory, f)) for f in files]
    report("max-size: several files, none larger", None if len(files) > 1 and max(sizes) <= 256 << 10 else str(sizes))
    with open(truth) as f:
        want = sorted((t["mech"], t["object"], t["messages"], t["bytes"], str(t["src"]), str(t["dst"])) for t in map(json.loads, f))
    report("max-size: all files are one recording", None if flows(data) == want else f"{flows(data)}, not {want}")
    alone = run("replay", "--json", data + ".1")
    expect("max-size: one file alone", alone, 0, stderr_lines=0, stdout_has=f'"comm":"{NAME}"')
    os.rename(data + ".1", data + ".gone")
    rest = [m for m in lines(data) if m["type"] == "message"]
    named = all(m["dst"]["comm"] == NAME for m in rest if m["dst"])
    report("max-size: without the first, names are known", None if rest and named else str(rest[:3]))
    os.rename(data + ".gone", data + ".1")
    with open(data + ".1", "r+b") as f:
        f.truncate(1000)
    expect("max-size: torn in the middle", run("replay", "--strict", data), 3, "not whole")


def only_the_last(directory):
    data = os.path.join(directory, "last")
    got = run("record", "--max-size", "256k", "--max-files", "2", "-m", "pipe", "-o", data, "--",
              IPCTRACE, "workload", "pipe", "--messages", "100000", "--size", "1..40", stdout=subprocess.DEVNULL)
    expect("max-files: status", got, 0, "1 file before it")
    files = [f for f in os.listdir(directory) if f.startswith("last")]
    report("max-files: no more of them", None if len(files) == 2 else str(files))
    expect("max-files: what is left is read", run("replay", "-v", data), 0, "are gone", stdout_has="pipe:[")


def triggered(directory):
    data = os.path.join(directory, "trigger")
    command = ["sh", "-c", "echo before | cat >/dev/null; sleep 99 & kill -9 $!; wait; echo after | cat >/dev/null"]
    got = run("record", "-m", "pipe,signal", "--keep", "60", "--trigger", "signal == SIGKILL && dst != nobody", "-o", data, "--", *command)
    expect("trigger: status", got, 0, f"the trigger's condition held")
    kinds = [(m["mech"], m.get("signal", {}).get("name")) for m in lines(data) if m["type"] == "message"]
    why = None if ("signal", "SIGKILL") in kinds and ("pipe", None) in kinds else str(kinds)
    report("trigger: what happened, and what was before", why)
    got = run("record", "-m", "pipe,signal", "--keep", "60", "--trigger", "signal == SIGUSR2", "-o", data + ".no", "--", "true")
    expect("trigger: never", got, 0, "never held")
    report("trigger: nothing was written then", "a file" if os.path.exists(data + ".no") else None)
    got = run("record", "-m", "pipe,signal", "--keep", "60", "--trigger", "mech == pipe", "--max-files", "1", "-o", data + ".one", "--",
              "sh", "-c", "echo x | cat >/dev/null; exec sleep 99")
    expect("trigger: --max-files 1 ends it", got, 0, "condition held")


def asked(directory):
    data = os.path.join(directory, "asked")
    p = started("--keep", "60", "-m", "pipe,signal", "-o", data, words=["record"])
    report("keep: nothing before it is asked for", "a file" if os.path.exists(data) else None)
    subprocess.run(["sh", "-c", "echo x | cat"], stdout=subprocess.DEVNULL, check=True)
    p.send_signal(signal.SIGUSR1)
    first = p.stderr.readline()
    report("keep: SIGUSR1", None if "asked by SIGUSR1" in first and data in first else first)
    report("keep: it has what happened", None if any(m["mech"] == "pipe" for m in lines(data) if m["type"] == "message") else "no pipe")
    p.send_signal(signal.SIGINT)
    rest = p.communicate(timeout=TIMEOUT)[1]
    report("keep: goes on, and ends with another file", None if "asked.2" in rest and p.returncode == 0 and os.path.exists(data + ".2") else rest)


def main():
    with tempfile.TemporaryDirectory() as directory:
        mistakes(directory)
        if not is_root():
            return skip("flight", "needs root")
        if run("record", "-D", "0", "-o", os.path.join(directory, "probe")).returncode:
            return skip("flight", "nothing can be traced here")
        rotated(directory)
        only_the_last(directory)
        triggered(directory)
        asked(directory)
    return None
