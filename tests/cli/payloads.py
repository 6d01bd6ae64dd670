# SPDX-License-Identifier: GPL-2.0
"""--payload: what was sent is what is shown, across all pieces of a call; --redact keeps none of it."""
import base64
import json
import os
import shutil
import stat
import subprocess
import tempfile

from cli import TIMEOUT, expect, is_root, report, run, skip

TRAFFIC = r"""
import ctypes, os, socket
r, w = os.pipe()
os.writev(w, [b"piece-%d;" % n for n in range(100)])
bufs = [bytearray(7) for n in range(200)]
os.readv(r, bufs)
os.write(w, bytes(range(256)) * 4); os.read(r, 5000)
os.write(w, b"one"); os.write(w, b"two"); os.read(r, 100)
for kind in [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET]:
    a, b = socket.socketpair(socket.AF_UNIX, kind)
    a.sendmsg([b"unix-", b"", b"%d" % kind]); b.recvmsg_into([bytearray(3), bytearray(90)])
s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); d, _ = s.accept()
c.sendall(b"GET / HTTP/1.1\r\n\r\n"); d.recv(100)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 0))
v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); v.sendto(b"datagram", u.getsockname()); u.recv(100)
libc = ctypes.CDLL(None, use_errno=True)
q = libc.msgget(0, 0o1600)
body = (5).to_bytes(8, "little") + b"queued"
libc.msgsnd(q, body, 6, 0); libc.msgrcv(q, ctypes.create_string_buffer(100), 90, ctypes.c_long(0), 0)
libc.msgctl(q, 0, None)
"""

WANT = {
    "pipe": [b"".join(b"piece-%d;" % n for n in range(100)), bytes(range(256)) * 4, b"onetwo"],
    "unix-stream": [b"unix-1"], "unix-dgram": [b"unix-2"], "unix-seqpacket": [b"unix-5"],
    "tcp": [b"GET / HTTP/1.1\r\n\r\n"], "udp": [b"datagram"], "sysv-msg": [b"queued"],
}


def shown(text):
    lines = [json.loads(line) for line in text.splitlines()]
    return [line for line in lines if line["type"] == "message" and line["bytes"]]


def payloads(lines, mech):
    return [base64.b64decode(line["payload"]) for line in lines if line["mech"] == mech and "payload" in line]


def same(data):
    lines = shown(run("replay", "--json", data).stdout)
    for mech, want in WANT.items():
        got = payloads(lines, mech)
        report(f"payload: {mech}", None if got == want else f"{got!r:.300}, not {want!r:.300}")


def cut(directory):
    data = os.path.join(directory, "cut")
    run("record", "-o", data, "--payload=10", "-m", "pipe,tcp", "--", "/usr/bin/python3", "-c", TRAFFIC)
    lines = shown(run("replay", "--json", data).stdout)
    want = [p[:10] for p in WANT["pipe"]]
    report("payload: cut to 10 bytes", None if payloads(lines, "pipe") == want else f"{lines!s:.300}")
    marks = [line.get("payload_truncated", False) for line in lines if line["mech"] == "pipe"]
    report("payload: says so", None if marks == [True, True, False] else str(marks))
    text = run("replay", data).stdout
    report("payload: as text", None if '"GET / HTTP"...' in text else text)
    report("payload: in hex where it is none", None if "00010203040506070809" in text else text)


def as_pcapng(data, directory):
    if not shutil.which("tshark"):
        return skip("pcapng", "tshark is not installed")
    path = os.path.join(directory, "x.pcapng")
    expect("pcapng: status", run("export", "-F", "pcapng", "-o", path, data), 0, stderr_lines=0)
    fields = ["frame.interface_name", "_ws.col.Protocol", "frame.comment", "http.request.method", "data.data"]
    got = subprocess.run(["tshark", "-r", path, "-T", "fields", *(x for f in fields for x in ("-e", f))],
                         capture_output=True, text=True, timeout=TIMEOUT)
    rows = [line.split("\t") for line in got.stdout.splitlines()]
    report("pcapng: tshark reads it", None if got.returncode == 0 and rows else got.stderr)
    http = [r for r in rows if r[0] == "tcp"]
    report("pcapng: HTTP is decoded", None if len(http) == 1 and http[0][1] == "HTTP" and http[0][3] == "GET" else str(http))
    raw = [bytes.fromhex(r[4]) for r in rows if r[0] == "sysv-msg"]
    report("pcapng: raw contents", None if raw == WANT["sysv-msg"] else str(raw))
    report("pcapng: a comment says who", None if all(" -> " in r[2] and "uid" in r[2] for r in rows) else str(rows)[:300])
    return None


def dbus(directory):
    """A real exchange on a bus of its own: the client's messages and the answers, whole and decoded."""
    tools = ["tshark", "dbus-daemon", "dbus-send"]
    if any(not shutil.which(tool) for tool in tools):
        return skip("pcapng: D-Bus", f"not all of {', '.join(tools)} are installed")
    data, path = os.path.join(directory, "dbus"), os.path.join(directory, "dbus.pcapng")
    script = f"""dbus-daemon --session --address=unix:path={directory}/bus --nofork --print-address=3 3>{directory}/address & daemon=$!
until test -s {directory}/address; do :; done
dbus-send --bus=unix:path={directory}/bus --print-reply --dest=org.freedesktop.DBus /org/freedesktop/DBus \
    org.freedesktop.DBus.ListNames >{directory}/names
kill $daemon"""
    run("record", "-o", data, "--payload=8k", "-m", "unix", "--", "sh", "-c", script)
    expect("pcapng: D-Bus: status", run("export", "-F", "pcapng", "-o", path, data), 0, stderr_lines=0)
    fields = ["frame.encap_type", "dbus.member", "dbus.message_type", "_ws.malformed"]
    got = subprocess.run(["tshark", "-r", path, "-T", "fields", *(x for f in fields for x in ("-e", f))],
                         capture_output=True, text=True, timeout=TIMEOUT)
    rows = [line.split("\t") for line in got.stdout.splitlines()]
    members = [r[1] for r in rows if r[1]]
    report("pcapng: D-Bus: calls and signals", None if {"Hello", "NameAcquired", "ListNames"} <= set(members) else f"{rows} {got.stderr}")
    answers = [r for r in rows if r[2] == "2"]
    report("pcapng: D-Bus: answers", None if len(answers) >= 2 else str(rows))
    report("pcapng: D-Bus: none malformed", None if not any(r[3] for r in rows) else str(rows))
    return None


def redacted(directory):
    data = os.path.join(directory, "redacted")
    for name, text in [("a", "top secret thing"), ("b", "something else")]:
        with open(os.path.join(directory, name), "w") as f:
            f.write(text)
    run("record", "-o", data, "--payload=4k", "--redact", "--", "sh", "-c",
        "for f in a a b; do cat $f | cat >/dev/null; done", cwd=directory)
    with open(data, "rb") as f:
        report("redact: nothing of it is in the file", "found" if b"secret" in f.read() else None)
    lines = [line for line in shown(run("replay", "--json", data).stdout) if line["mech"] == "pipe"]
    report("redact: no contents", None if lines and not any("payload" in line for line in lines) else str(lines))
    hashes = [line.get("payload_hash") for line in lines]
    report("redact: equal contents have equal hashes", None if len(hashes) == 3 and hashes[0] == hashes[1] != hashes[2]
           and len(hashes[0]) == 16 else str(hashes))


def main():
    expect("payload: too much", run("--payload=1M"), 2, "32k", 1)
    expect("payload under fentry", run("--attach", "fentry", "--payload"), 2, "--attach tracepoint", 1)
    expect("redact without payload", run("--redact"), 2, "--payload", 1)
    if not is_root():
        skip("payloads", "needs root")
        return
    with tempfile.TemporaryDirectory() as directory:
        data = os.path.join(directory, "data")
        got = run("record", "-o", data, "--payload=4k", "--", "/usr/bin/python3", "-c", TRAFFIC)
        if got.returncode:
            skip("payloads", f"nothing can be traced here: {got.stderr}")
            return
        mode = stat.S_IMODE(os.stat(data).st_mode)
        report("payload: the recording is its owner's only", None if mode == 0o600 else f"{mode:o}")
        same(data)
        as_pcapng(data, directory)
        cut(directory)
        redacted(directory)
        dbus(directory)
        plain = run("--json", "--", "sh", "-c", "echo hidden | cat >/dev/null").stdout
        report("payload: off by default", "payload in it" if "payload" in plain else None)
