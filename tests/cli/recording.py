# SPDX-License-Identifier: GPL-2.0
"""Recordings as a whole: the same bytes live and replayed, without root, and whatever became of the file."""
import os
import signal
import subprocess
import tempfile

from cli import IPCTRACE, TIMEOUT, expect, is_root, report, run, skip, start, started

TRAFFIC = """
seq 3000 | sort | wc >/dev/null
for i in 1 2 3; do echo $i | cat >/dev/null; done
/usr/bin/python3 -c '
import os, socket
a, b = socket.socketpair()
for n in range(200):
    a.send(b"x" * n or b"y"); b.recv(4096)
' 2>/dev/null
kill -USR1 $$
"""
COMMAND = ["--", "sh", "-c", f"trap : USR1; {TRAFFIC}"]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def same_bytes(directory):
    """What is shown while it is recorded is what a replay shows."""
    live, data = os.path.join(directory, "live"), os.path.join(directory, "data")
    forms = {"text": [], "JSON": ["--json"], "operations": ["--ops"], "operations as JSON": ["--ops", "--json"],
             "a filter": ["--json", "-m", "pipe,signal", "-d", "sh"], "five lines": ["-c", "5"],
             "slow ones": ["--min-latency", "100us"]}
    for name, options in forms.items():
        got = run("-o", live, "--record", data, *options, *COMMAND)
        expect(f"live and recorded: {name}", got, 0)
        again = subprocess.run([IPCTRACE, "replay", data, *options], stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=TIMEOUT)
        report(f"replayed: {name}", None if again.stdout == read(live) and len(read(live).splitlines()) > 2 else
               f"{len(again.stdout)} bytes, live {len(read(live))}: {again.stderr}")
    for form in ["text", "json", "dot"]:
        run("graph", "-F", form, "-o", live, "--record", data, *COMMAND)
        again = subprocess.run([IPCTRACE, "graph", "-F", form, "-i", data], stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=TIMEOUT)
        report(f"graph -i: {form}", None if again.stdout == read(live) and len(again.stdout) > 200 else
               f"{len(again.stdout)} bytes, live {len(read(live))}: {again.stderr}")


def many_looks(directory):
    """One recording, several views; all mechanisms at once."""
    data = os.path.join(directory, "all")
    got = run("record", "-o", data, "--", IPCTRACE, "workload", "all", "--messages", "100", stdout=subprocess.DEVNULL)
    expect("record: a workload of everything", got, 0, "events in")
    first, second = run("replay", "--json", data), run("replay", "--json", "-i", data)
    expect("replay: status", first, 0, stderr_lines=0)
    report("replay: twice the same", None if first.stdout == second.stdout else "it is not")
    report("replay: there is much in it", None if first.stdout.count("\n") > 500 else f"{first.stdout.count(chr(10))} lines")
    p = start("replay", "--json", data)
    p.stdout.readline()
    p.stdout.close()
    report("replay: a reader that leaves is no damage", None if "not whole" not in p.stderr.read() else "said so")
    p.wait(TIMEOUT)
    with open(data, "rb") as f:
        piped = run("replay", "--json", "-i", "-", stdin=f)
    report("replay: from a pipe", None if piped.stdout == first.stdout else "differs")
    os.chmod(data, 0o644)
    other = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", IPCTRACE, "graph", "-i", data],
                           capture_output=True, text=True, timeout=TIMEOUT, cwd="/")
    report("graph -i: without root", None if other.returncode == 0 and "pipe:" in other.stdout else other.stderr)
    only = run("replay", "--json", data, "-m", "posix-mq")
    mechs = {line.split('"mech":"')[1].split('"')[0] for line in only.stdout.splitlines() if '"mech"' in line}
    report("replay -m: only that", None if mechs == {"posix-mq"} else str(mechs))


def torn(directory):
    whole, part = os.path.join(directory, "all"), os.path.join(directory, "part")
    data = read(whole)
    for share in [0.3, 0.6, 0.999]:
        with open(part, "wb") as f:
            f.write(data[:int(len(data) * share)])
        expect(f"torn at {share}: said", run("replay", part), 0, "not whole")
        expect(f"torn at {share}: --strict", run("replay", "--strict", part), 3, "not whole")
    with open(part, "wb") as f:
        f.write(data[:len(data) // 2] + b"\0" * 64 + data[len(data) // 2 + 64:])
    got = run("replay", "--json", part)
    expect("damaged: said", got, 0, "missing")
    report("damaged: the loss is in the stream", None if '"type":"lost"' in got.stdout else "no lost line")
    for name, content, words in [("empty", b"", "empty"), ("text", b"hello\n" * 100, "no recording"),
                                 ("header only", data[:24], "torn"), ("half a header", data[:11], "no recording"),
                                 ("later major", data[:8] + b"\2" + data[9:], "damaged")]:
        with open(part, "wb") as f:
            f.write(content)
        expect(f"no recording: {name}", run("graph", "-i", part), 1, words, 1, "")
    expect("no recording: missing", run("replay", os.path.join(directory, "none")), 1, "No such file", 1)
    expect("no recording: a directory", run("replay", directory), 1, "directory", 1)


def killed(directory):
    """Killed after a traffic that had time to become a frame."""
    data = os.path.join(directory, "killed")
    p = started("-o", data, "-m", "pipe", words=["record"])
    traffic = subprocess.Popen(["sh", "-c", "while :; do echo x; done | cat"], stdout=subprocess.DEVNULL,
                               start_new_session=True)
    size = os.path.getsize(data)
    while os.path.getsize(data) < size + 100000 and p.poll() is None:
        os.sched_yield()
    p.send_signal(signal.SIGKILL)
    p.communicate(timeout=TIMEOUT)
    os.killpg(traffic.pid, signal.SIGKILL)
    traffic.wait()
    got = run("replay", "-s", "sh", "-d", "cat", data)
    expect("killed: readable, and said", got, 0, "killed")
    report("killed: what was written is there", None if got.stdout.count("\n") > 100 else got.stdout)


def disks(directory):
    expect("full disk: the recorder says so", run("record", "-o", "/dev/full", "--", "true"), 1, "No space left", 1)
    expect("unwritable", run("record", "-o", "/nonexistent/x", "--", "true"), 1, "/nonexistent/x", 1)
    small = os.path.join(directory, "small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        return skip("full disk: readable", "cannot mount a tmpfs")
    try:
        data = os.path.join(small, "data")
        got = run("record", "-o", data, "--", IPCTRACE, "workload", "pipe", "--messages", "200000",
                  stdout=subprocess.DEVNULL)
        expect("full disk: said", got, 1, "No space left")
        expect("full disk: readable", run("replay", data, stdout=subprocess.DEVNULL), 0, "disk was full")
    finally:
        subprocess.run(["umount", small], check=True)
    return None


def main():
    if not is_root():
        skip("recording", "needs root")
        return
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        if run("record", "-D", "0", "-o", os.path.join(directory, "probe")).returncode:
            skip("recording", "nothing can be traced here")
            return
        same_bytes(directory)
        many_looks(directory)
        torn(directory)
        killed(directory)
        disks(directory)
