# SPDX-License-Identifier: GPL-2.0
"""Live commands as a whole: the traced command, signals, limits, output. Needs root; what is traced matters little."""
import json
import os
import signal
import stat
import subprocess
import tempfile

from cli import IPCTRACE, TIMEOUT, expect, is_root, report, run, skip, start, started

PIPES = "for i in 1 2 3 4 5 6 7 8 9; do echo $i | cat; done"


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def last_is_end(text):
    """None, or what is wrong with the stream."""
    try:
        lines = lines_of(text)
    except ValueError as e:
        return f"no JSON: {e}"
    if not lines or lines[-1].get("type") != "end":
        return "the last line is not the end line"
    return "several end lines" if sum(line["type"] == "end" for line in lines) != 1 else None


def statuses(directory):
    out = os.path.join(directory, "out")
    for name, script, status in [("success", "true", 0), ("own status", "exit 7", 7),
                                 ("ended by a signal", "kill -TERM $$", 143)]:
        expect(f"command: {name}", run("-o", out, "--", "sh", "-c", script), status, stderr_lines=1)
    expect("command: not found", run("-o", out, "--", "no-such-command-x"), 127, "command not found")
    expect("command: not executable", run("-o", out, "--", "/etc/passwd"), 126, "Permission denied")
    expect("--strict without losses", run("--strict", "-o", out, "--", "true"), 0)
    expect("graph: own status", run("graph", "-o", out, "--", "sh", "-c", "exit 7"), 7)


READS = ("import os; r, w = os.pipe(); os.write(w, b'a'); os.write(w, b'b'); os.read(r, 9); "
         "os.write(w, b'cd'); os.read(r, 1); os.read(r, 1); os.write(w, b'e'); os.write(w, b'f'); os.read(r, 9)")


def sums(directory):
    """A read that takes two writes is one line, two that share a write are two: the end tells both numbers."""
    command = ("-m", "pipe", "--", "/usr/bin/python3", "-Sc", READS)
    *lines, last = lines_of(run("--json", *command).stdout)
    rows = [line["messages"] for line in lines if line["type"] == "message"]
    report("end: writes of the lines", None if rows == [2, 0, 1, 2] else str(rows))
    want = {"messages": 4, "sum": {"messages": 5, "bytes": 6}}
    got = {k: last.get(k) for k in want}
    report("end: lines, and what they add up to", None if got == want else f"{got}, not {want}")
    out = os.path.join(directory, "out")
    for name, words, said in [("live", (), ": 5 messages in 4 lines (6 bytes) between 1 process in"),
                              ("graph", ("graph",), ": 5 messages (6 bytes) between 1 process in")]:
        text = run(*words, "-o", out, *command).stderr
        report(f"end: the sentence of {name}", None if said in text else text)


def untouched(directory):
    """The command finds the world as if it had been started directly."""
    out = os.path.join(directory, "out")
    looks = {"signals": ["grep", "-E", "Sig(Blk|Ign|Cgt|Pnd)", "/proc/self/status"],
             "descriptors": ["sh", "-c", "ls /proc/self/fd"],
             "arguments": ["printf", "%s|", "a b", "", "--help", "-p"]}
    for name, command in looks.items():
        direct = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
        traced = run("-o", out, "--", *command).stdout
        report(f"command: {name} as without tracing", None if traced == direct else f"{traced!r}, not {direct!r}")
    ignoring = subprocess.run([IPCTRACE, "-o", out, "--", "grep", "SigIgn", "/proc/self/status"], text=True,
                              capture_output=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    mask = int(ignoring.stdout.split()[1], 16)
    report("command: an ignored SIGINT stays ignored", None if mask & 2 else f"SigIgn {mask:x}")
    env = dict(os.environ, SUDO_UID="65534", SUDO_GID="65534")
    got = run("-o", out, "--", "sh", "-c", "id -u; id -g; id -G", env=env).stdout.split()
    report("command: runs as the caller of sudo", None if set(got) == {"65534"} else str(got))
    env = dict(os.environ, SUDO_UID="0x0", SUDO_GID="")
    got = run("-o", out, "--", "id", "-u", env=env).stdout.strip()
    report("command: a nonsensical SUDO_UID changes nothing", None if got == "0" else got)


def own_traffic():
    got = run("-m", "^posix-shm", "--ops", "--json", "--", "sh", "-c", PIPES)
    lines = [line for line in got.stdout.splitlines() if line.startswith("{")]
    own = [line for line in lines if '"comm":"ipctrace"' in line]
    report("the tracer and the start of the command are not shown", own[0] if own else None)
    if not any('"type":"op"' in line for line in lines):
        report("the command's traffic is shown", "no operation")


def limits():
    for n in [1, 3]:
        with tempfile.NamedTemporaryFile("r") as f:
            got = run("--json", "--ops", "-c", str(n), "-o", f.name, "--", "sh", "-c", PIPES)
            text = f.read()
        cnt = sum('"type":"op"' in line for line in text.splitlines())
        expect(f"-c {n}: status", got, 0)
        report(f"-c {n}: exactly that many lines", None if cnt == n else f"{cnt} lines")
        report(f"-c {n}: the end line comes last", last_is_end(text))
    got = run("--json", "-c", "2", "-o", "/dev/stdout", "--", "sh", "-c", f"({PIPES}) >/dev/null")
    end = lines_of(got.stdout)[-1]
    report("-c: the end line counts what was shown", None if end.get("messages") == 2 else str(end))
    got = run("--json", "-D", "0.1")
    expect("-D: status", got, 0, stderr_lines=0)
    report("-D: the end line comes last", last_is_end(got.stdout))
    expect("-D 0 takes what exists", run("graph", "-D", "0"), 0)
    p = start("-D", "0.1", "-o", "/dev/null", "--", "sh", "-c",
              'trap "echo term; exit 5" TERM; echo up; while :; do sleep 0.01; done')
    out, _ = p.communicate(timeout=TIMEOUT)
    report("-D: the command is ended, too", None if out.split() == ["up", "term"] else repr(out))
    report("-D: and its status does not count", None if p.returncode == 0 else f"status {p.returncode}")


def signals():
    for sig in [signal.SIGINT, signal.SIGTERM]:
        p = started("--json")
        report(f"{sig.name}: --ready-fd writes a line", None if p.ready == "ready\n" else repr(p.ready))
        p.send_signal(sig)
        out, err = p.communicate(timeout=TIMEOUT)
        report(f"{sig.name}: status 0", None if p.returncode == 0 else f"{p.returncode}: {err}")
        report(f"{sig.name}: the end line comes last", last_is_end(out))
    p = started("--json", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=TIMEOUT)
    report("SIGINT ends a background job of a shell", None if p.returncode == 0 else str(p.returncode))
    p = start("-o", "/dev/null", "--", "sh", "-c", 'trap "echo got; exit 9" INT; echo up; while :; do sleep 0.01; done')
    p.stdout.readline()
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=TIMEOUT)
    report("SIGINT goes to the command", None if out == "got\n" else repr(out))
    report("SIGINT: the command's status", None if p.returncode == 9 else str(p.returncode))
    p = start("-o", "/dev/null", "--", "sh", "-c",
              'trap "echo got" INT; echo $$; while :; do sleep 0.01; done', start_new_session=True)
    p.child = int(p.stdout.readline())
    p.send_signal(signal.SIGINT)
    p.stdout.readline()
    p.send_signal(signal.SIGINT)
    try:
        p.wait(timeout=TIMEOUT)
        report("a second SIGINT ends at once", None if p.returncode == -signal.SIGINT else str(p.returncode))
    finally:
        os.kill(p.child, signal.SIGKILL)
        p.kill()
        p.communicate()


def outputs(directory):
    with open("/dev/full", "w") as full:
        expect("full disk: status and sentence", run("--json", "-D", "0.1", stdout=full), 1, "No space left", 1)
    expect("full disk: -o", run("--json", "-D", "0.1", "-o", "/dev/full"), 1, "No space left", 1)
    expect("full disk: graph -o", run("graph", "-D", "0", "-o", "/dev/full"), 1, "No space left")
    reader, writer = os.pipe()
    os.close(reader)
    expect("reader went away", run("-D", "30", "--ops", stdout=writer), 0, stderr_lines=0)
    os.close(writer)
    target, link = os.path.join(directory, "graph.json"), os.path.join(directory, "link")
    with open(target, "w") as f:
        f.write("old")
    os.chmod(target, 0o640)
    os.symlink("graph.json", link)
    expect("graph -o", run("graph", "--json", "-o", link, "-D", "0"), 0)
    with open(target) as f:
        graph = json.load(f)
    report("graph -o: what the contract says", None if graph["graph"]["tool"] == "ipctrace" else "no graph.tool")
    report("graph -o: follows a link", None if os.path.islink(link) else "the link was replaced")
    mode = stat.S_IMODE(os.stat(target).st_mode)
    report("graph -o: keeps the mode", None if mode == 0o640 else f"{mode:o}")
    left = sorted(set(os.listdir(directory)) - {"graph.json", "link", "out"})
    report("graph -o: leaves nothing else", ", ".join(left))


def filtered_graph():
    """Somebody else's pipe must not be in the graph of a command."""
    other = subprocess.Popen(["sh", "-c", "while :; do echo x; sleep 0.01; done | cat"], stdout=subprocess.DEVNULL,
                             start_new_session=True)
    try:
        got = run("graph", "--json", "--", "sh", "-c", f"({PIPES}) >/dev/null; sleep 0.1")
        graph = json.loads(got.stdout)
    finally:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()
    procs = {n["id"]: n for n in graph["nodes"] if n["kind"] == "process"}
    busy = {link[side] for link in graph["links"] if link["kind"] in ("end", "flow") for side in ("source", "target")}
    pids = {n["pid"] for n in procs.values()}
    strangers = [n for i, n in procs.items() if i in busy and n["comm"] not in ("sh", "cat", "sleep")]
    report("graph of a command: only its processes", ", ".join(f"{n['pid']} {n['comm']}" for n in strangers))
    own = [n for n in procs.values() if n["comm"] == "ipctrace"]
    report("graph of a command: without the tracer", own[0]["id"] if own else None)
    report("graph of a command: not another's", "found" if other.pid in pids else None)
    touched = busy | {link.get("channel") for link in graph["links"]}
    bare = [n["id"] for n in graph["nodes"] if n["kind"] == "channel" and n["id"] not in touched]
    report("graph of a command: no channel without ends", ", ".join(bare))


def mechanism_sets():
    """The verifier looks at another program for each set: all must be within its limits."""
    for mechs in ("pipe", "unix", "signal", "pipe,unix,signal", "pipe,fifo,unix,signal,tcp", "sysv", "posix", "inet", "sem",
                  "shm", "eventfd,pty,signal", "flock,ptrace", "^signal", "^pipe,^fifo", "^unix", "^inet", "^msg"):
        expect(f"-m {mechs}", run("graph", "-m", mechs, "-D", "0", "-o", "/dev/null"), 0)


def main():
    if not is_root():
        skip("session", "needs root")
        return
    probe = run("graph", "-D", "0", "-o", "/dev/null")
    if probe.returncode:
        skip("session", f"nothing can be traced here: {probe.stderr.strip()}")
        return
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        statuses(directory)
        sums(directory)
        untouched(directory)
        own_traffic()
        limits()
        mechanism_sets()
        signals()
        outputs(directory)
        filtered_graph()
