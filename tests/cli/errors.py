# SPDX-License-Identifier: GPL-2.0
"""What is refused, with which status and which words. Needs no rights."""
import os
import subprocess
import tempfile
import threading

from cli import IPCTRACE, expect, is_root, public_copy, report, run, skip

USAGE = [
    # name, arguments, words of the sentence
    ("unknown command", ["frobnicate"], "no command 'frobnicate'"),
    ("misspelt command has a suggestion", ["grpah"], "did you mean 'ipctrace graph'"),
    ("beginning of a command has a suggestion", ["doc"], "did you mean 'ipctrace doctor'"),
    ("help of an unknown command", ["help", "frobnicate"], "no command 'frobnicate'"),
    ("unknown option", ["--frobnicate"], "--frobnicate"),
    ("unknown short option", ["-Q"], "-Q"),
    ("option of another command", ["graph", "--ops"], "--ops"),
    ("projection that is none", ["graph", "--projection", "channel"], "'process', not 'channel'"),
    ("both projections", ["graph", "--bipartite", "--projection", "process"], "contradict"),
    ("group that is none", ["graph", "--group", "colour"], "cgroup, container, user, exe and comm"),
    ("top of nothing", ["graph", "--top", "0"], "--top"),
    ("hide list with a hole", ["graph", "--hide", "a,,b"], "'a,,b'"),
    ("bad mechanism list", ["-m", "pipe,frob"], "'frob'"),
    ("a mechanism list with nothing between commas", ["-m", "pipe,,fifo"], "''"),
    ("a mechanism list that ends with a comma", ["-m", "pipe,"], "''"),
    ("an empty mechanism list", ["-m", ""], "''"),
    ("bad mechanism list of doctor", ["doctor", "-m", "frob"], "'frob'"),
    ("pid that is no number", ["-p", "x"], "'x'"),
    ("pid list with a hole", ["-p", "1,,2"], "'1,,2'"),
    ("pid 0", ["-p", "0"], "'0'"),
    ("a sender without a name", ["-s", ""], "not ''"),
    ("a receiver without a name", ["-d", ""], "not ''"),
    ("pid that is too large", ["-p", "99999999999"], "99999999999"),
    ("count that is no number", ["-c", "few"], "'few'"),
    ("count of nothing", ["-c", "0"], "--count"),
    ("negative count", ["-c", "-1"], "-1"),
    ("bad duration", ["-D", "soon"], "'soon'"),
    ("bad size", ["--min-bytes", "big"], "'big'"),
    ("bad attach mode", ["--attach", "magic"], "'magic'"),
    ("ring too large", ["--ring-size", "4G"], "--ring-size"),
    ("missing argument", ["-o"], "-o"),
    ("argument of a flag", ["--strict=yes"], "--strict"),
    ("ambiguous option", ["--min", "3"], "--min-latency"),
    ("unknown format", ["-F", "xml"], "json"),
    ("unknown format of graph lists those there are", ["graph", "-F", "xml"], "text, html, svg, png, dot"),
    ("unknown format of doctor", ["doctor", "-F", "dot"], "json"),
    ("two formats", ["--json", "-F", "text"], "contradict"),
    ("command without --", ["-f", "sleep", "1"], "comes after --"),
    ("-- without a command", ["--"], "wants a command"),
    ("argument of doctor", ["doctor", "now"], "'now'"),
    ("descriptor that is not open", ["--ready-fd", "77"], "77"),
    ("command and recording", ["-i", "x", "--", "true"], "nothing is run"),
    ("recording of a recording", ["-i", "x", "--record", "y"], "--record"),
    ("replay of a command", ["replay", "--", "true"], "unexpected argument"),
    ("two recordings", ["replay", "x", "y"], "'y'"),
    ("diff of one recording", ["diff", "x"], "OLD NEW"),
    ("diff of three recordings", ["diff", "x", "y", "z"], "'z'"),
    ("diff by less than itself", ["diff", "--factor", "0.5", "x", "y"], "'0.5'"),
    ("record has no form", ["record", "--json"], "--json"),
    ("unknown workload", ["workload", "frob"], "frob"),
]


def usage():
    for name, args, words in USAGE:
        got = run(*args)
        if expect(name, got, 2, words, stderr_lines=1) and "--help" not in got.stderr:
            if "did you mean" not in got.stderr and "--list" not in got.stderr and "ipctrace help" not in got.stderr:
                report(name + ": says where help is", got.stderr)


def free_pid():
    with open("/proc/sys/kernel/pid_max") as f:
        for pid in range(int(f.read()) - 1, 1, -1):
            if not os.path.exists(f"/proc/{pid}"):
                return pid
    return None


def names():
    pid = free_pid()
    for option in ["-p", "-s", "-d"]:
        expect(f"process that does not exist ({option})", run(option, str(pid)), 1, f"no process {pid}: ", 1)
    expect("one of several does not exist", run("-p", f"{os.getpid()},{pid}"), 1, f"no process {pid}: ", 1)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    expect("thread instead of a process", run("-p", str(thread.native_id)), 1, f"process {os.getpid()}", 1)
    stop.set()
    thread.join()
    expect("unknown user", run("--uid", "no-such-user"), 1, "no user 'no-such-user'", 1)
    expect("unknown cgroup", run("--cgroup", "no/such/group"), 1, "cgroup", 1)
    expect("cgroup that is none", run("--cgroup", "/etc"), 1, "cgroup", 1)
    expect("unwritable output", run("-o", "/nonexistent/x"), 1, "/nonexistent/x", 1)
    expect("unwritable output of graph", run("graph", "-o", "/nonexistent/x"), 1, "/nonexistent/x", 1)
    expect("hostile words are shown harmlessly", run("-m", "\x1b[31mred"), 2)
    if "\x1b" in run("\x1b[31mred").stderr:
        report("no escape sequence of the user's reaches the terminal", "ESC in the message")


def outputs():
    for args in [["--help"], ["graph", "--help"], ["--version"], ["workload", "--list"]]:
        word = " ".join(args)
        with open("/dev/full", "w") as full:
            expect(f"full disk: {word}", run(*args, stdout=full), 1, "No space left", 1)
        expect(f"closed standard output: {word}",
               run(*args, stdout=None, preexec_fn=lambda: os.close(1)), 1, "standard output", 1)
        reader, writer = os.pipe()
        os.close(reader)
        expect(f"reader went away: {word}", run(*args, stdout=writer), 0, stderr_lines=0)
        os.close(writer)


def helps():
    overview = run("--help")
    expect("--help", overview, 0, stdout_has="ipctrace doctor", stderr_lines=0)
    expect("--version", run("--version"), 0, stdout_has="ipctrace ", stderr_lines=0)
    for word in ["help", "-h"]:
        report(f"{word} is --help", None if run(word).stdout == overview.stdout else "another text")
    for command in ["live", "graph", "serve", "doctor", "workload"]:
        by_option, by_word = run(command, "--help"), run("help", command)
        if expect(f"{command} --help", by_option, 0, stdout_has="Usage:", stderr_lines=0):
            report(f"help {command} is the same", None if by_word.stdout == by_option.stdout else "another text")
    absent = [w for w in ["top", "record", "replay", "report", "export", "diff", "who", "why", "bench"]
              if run(w, "--help").returncode == 2 and f"ipctrace {w}" in overview.stdout]
    report("no command is shown that does not exist", ", ".join(absent))


def without_rights():
    name = "without rights"
    with tempfile.TemporaryDirectory() as directory:
        kwargs = {"user": 65534, "group": 65534, "extra_groups": []} if is_root() else {}
        program = public_copy(directory)
        witness = os.path.join(directory, "witness")
        os.chmod(directory, 0o777)
        for args in [["-D", "0"], ["graph", "-D", "0"], ["--", "touch", witness]]:
            got = subprocess.run([program, *args], capture_output=True, text=True, timeout=60,
                                 stdin=subprocess.DEVNULL, **kwargs)
            expect(f"{name}: {args[0]}", got, 1, "try sudo ipctrace", 1)
        report(f"{name}: the command is not started", "it ran" if os.path.exists(witness) else None)
        left = sorted(set(os.listdir(directory)) - {"ipctrace", "witness"})
        report(f"{name}: nothing is left behind", ", ".join(left))
        got = subprocess.run([program, "graph", "-D", "0", "-o", os.path.join(directory, "g")], capture_output=True,
                             text=True, timeout=60, **kwargs)
        left = sorted(set(os.listdir(directory)) - {"ipctrace", "witness"})
        report(f"{name}: no half file is left", ", ".join(left))


def main():
    if not os.access(IPCTRACE, os.X_OK):
        skip("errors", f"no {IPCTRACE}")
        return
    usage()
    names()
    outputs()
    helps()
    without_rights()
