# SPDX-License-Identifier: GPL-2.0
"""Which rights are enough, which are given up, and what is said where they are missing. Needs root."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from cli import TIMEOUT, expect, is_root, public_copy, report, run, skip, start, started

NOBODY = 65534
CAP_KILL, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_BPF = 5, 1, 2, 19, 39
MAY_STAY = 1 << CAP_BPF  # before Linux 5.19 bpf(2) wants it to read what was lost
PIPE = ["sh", "-c", "echo x | cat >/dev/null"]


def capabilities(pid):
    with open(f"/proc/{pid}/status") as f:
        return {name: int(value, 16) for name, value in re.findall(r"Cap(\w+):\s*(\w+)", f.read())}


def ended(p):
    p.send_signal(signal.SIGTERM)
    p.communicate(timeout=TIMEOUT)


def given_up(directory):
    """What a running tracer still holds."""
    theirs = os.path.join(directory, "theirs")
    os.mkdir(theirs)
    os.chown(theirs, NOBODY, NOBODY)
    rows = [("live", ["--json"], []),
            ("graph", ["graph", "-o", os.path.join(directory, "graph")], []),
            ("graph into another user's directory", ["graph", "-o", os.path.join(theirs, "graph")], [CAP_DAC_OVERRIDE]),
            ("record", ["record", "-o", os.path.join(directory, "data")], []),
            ("top", ["top", "-b"], []),
            ("top with waits", ["top", "-b", "--table", "waits"], [CAP_KILL, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH]),
            ("serve", ["serve", "--listen", "127.0.0.1:0"], []),
            ("a command", ["-o", "/dev/null", "--", "sleep", "60"], [CAP_KILL])]
    for name, args, keeps in rows:
        word = [args[0]] if not args[0].startswith("-") else []
        p = started("-m", "pipe", *args[len(word):], words=word)
        held = capabilities(p.pid)
        ended(p)
        wrong = {kind: f"{held[kind]:x}" for kind in ("Prm", "Eff") if held[kind] & ~MAY_STAY != sum(1 << c for c in keeps)}
        wrong.update({kind: f"{held[kind]:x}" for kind in ("Inh", "Bnd", "Amb") if held[kind]})
        report(f"rights given up: {name}", f"still {wrong}" if wrong or p.ready != "ready\n" else None)
    report("rights given up: the graph is written all the same",
           None if os.path.exists(os.path.join(theirs, "graph")) else "no file")


def names_of_others():
    """Who ran before the trace is known with executable and arguments, though they are read without rights later."""
    other = subprocess.Popen(["head", "-c", "6125"], user=NOBODY, group=NOBODY, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    p = started("--json", "-m", "pipe", words=["graph"])
    other.communicate(b"x" * 6125)
    p.send_signal(signal.SIGTERM)
    nodes = json.loads(p.communicate(timeout=TIMEOUT)[0])["nodes"]
    found = [n for n in nodes if n.get("pid") == other.pid] or [{}]
    ok = found[0].get("exe", "").endswith("head") and "6125" in str(found[0].get("cmdline"))
    report("another user's process has its names", None if ok else str(found[0]))


def as_nobody(program, caps, *args):
    listed = ",".join(f"+{c}" for c in caps) or "-all"
    cmd = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps=-all,{listed}",
           *([f"--ambient-caps={listed}"] if caps else []), program, *args]
    return subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)


def without_root(program):
    for caps in [], ["bpf"], ["perfmon"]:
        name = f"user with {' and '.join(caps) or 'no rights'}"
        expect(name, as_nobody(program, caps, "-D", "0"), 1, "try sudo", 1)
    got = as_nobody(program, ["bpf", "perfmon"], "graph", "--json", "-m", "pipe", "--", *PIPE)
    if expect("user with bpf and perfmon", got, 0):
        flows = [link for link in json.loads(got.stdout)["links"] if link["kind"] == "flow"]
        report("user with bpf and perfmon: sees the flow", None if len(flows) == 1 and flows[0]["bytes"] == 2 else str(flows))


def for_a_caller():
    """Under sudo the command is another user's: it is still ended."""
    env = dict(os.environ, SUDO_UID=str(NOBODY), SUDO_GID=str(NOBODY))
    p = start("-m", "pipe", "-o", "/dev/null", "--", "sh", "-c",
              "trap 'id -u; exit 5' TERM; echo up; while :; do sleep 0.01; done", env=env)
    p.stdout.readline()
    p.send_signal(signal.SIGTERM)
    out, _ = p.communicate(timeout=TIMEOUT)
    report("sudo: a command that is another user's is told to end", None if out == f"{NOBODY}\n" else repr(out))
    report("sudo: and its status is the result", None if p.returncode == 5 else f"status {p.returncode}")


def obstacles():
    hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$@\""
    cmd = ["unshare", "-m", "sh", "-c", hide, "sh", os.environ.get("IPCTRACE", "./ipctrace")]
    got = subprocess.run([*cmd, "-D", "0"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)
    expect("no type information", got, 1, "CONFIG_DEBUG_INFO_BTF", 1)


def main():
    if not is_root():
        skip("rights", "needs root")
        return
    probe = run("graph", "-D", "0", "-o", "/dev/null")
    if probe.returncode:
        skip("rights", f"nothing can be traced here: {probe.stderr.strip()}")
        return
    with tempfile.TemporaryDirectory() as directory:
        program = public_copy(directory)
        given_up(directory)
        names_of_others()
        if shutil.which("setpriv"):
            without_root(program)
        else:
            skip("users with some rights", "no setpriv (package util-linux)")
        for_a_caller()
    obstacles()
