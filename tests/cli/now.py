# SPDX-License-Identifier: GPL-2.0
"""ipctrace who and why: what is so now. They trace nothing; other users' processes need root."""
import ctypes
import fcntl
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from cli import TIMEOUT, expect, public_copy, report, run

# Two processes, each reading from a pipe in which only the other one could write.
DEADLOCK = """
import os
a, b = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.close(a[1]); os.close(b[0])
    os.read(a[0], 1)
else:
    os.close(a[0]); os.close(b[1])
    print(child, os.fstat(a[1]).st_ino, os.fstat(b[0]).st_ino, a[1], b[0], flush=True)
    os.read(b[0], 1)
"""

# Waits that look like a cycle, each of which somebody can end: a client, the clock, a third process with the same write end.
LOOPS = {
    "a client can come": """
import os, select, socket
a, s, e = os.pipe(), socket.socket(socket.AF_UNIX), select.epoll()
s.bind("\\0ipctrace-why-" + str(os.getpid())); s.listen()
e.register(a[0], select.EPOLLIN); e.register(s, select.EPOLLIN)
print(flush=True)
e.poll()
""",
    "there is a timeout": """
import os, select
a, p = os.pipe(), select.poll()
p.register(a[0], select.POLLIN)
print(flush=True)
p.poll(1000000)
""",
    "a third one has the write end": """
import os, time
a, b = os.pipe(), os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        time.sleep(1000)
    os.close(a[1]); os.close(b[0])
    os.read(a[0], 1)
os.close(a[0]); os.close(b[1])
print(flush=True)
os.read(b[0], 1)
""",
}


def asked(*args):
    got = run(*args)
    try:
        return got, [json.loads(line) for line in got.stdout.splitlines()]
    except ValueError as e:
        report(" ".join(args), f"no JSON: {e}: {got.stdout}")
        return got, []


def why_until(pid, sees):
    """The answer once both are asleep: a process that was just started may still run."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        _, answer = asked("why", "--json", str(pid))
        if answer and sees(answer[0]):
            return answer[0]
    return None


def no_deadlock(what, program):
    p = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, start_new_session=True)

    def is_whole(answer):
        """Everybody sleeps, and the wait came back to its beginning."""
        text = json.dumps(answer)
        return '"cycle": true' in text and '"threads": []' not in text

    try:
        p.stdout.readline()
        answer = why_until(p.pid, is_whole)
        report(f"why: no deadlock where {what}", None if answer and not answer["deadlock"] else str(answer))
        got = run("why", str(p.pid))
        expect(f"why: and not in words, {what}", got, 0, stdout_has="back where it began", stderr_lines=0)
        report(f"why: no word of it, {what}", got.stdout if "deadlock" in got.stdout else None)
    finally:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()


def deadlock():
    p = subprocess.Popen([sys.executable, "-c", DEADLOCK], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        child, first, second, write_fd, read_fd = map(int, p.stdout.readline().split())
        answer = why_until(p.pid, lambda a: a["deadlock"])
        report("why: a deadlock is found", None if answer else "it is not")
        if not answer:
            return
        wait, = answer["threads"]
        want = ("read", f"pipe:[{second}]", "data", "pipe")
        got = tuple(wait[k] for k in ("call", "object", "waits_for", "mech"))
        report("why: the call and its object", None if got == want else str(got))
        other, = wait["whom"]
        report("why: who could end it", None if other["pid"] == child and other["role"] == "write" else str(other))
        back = other["threads"][0]["whom"][0]
        report("why: and what that one waits for", None if back["pid"] == p.pid and back["cycle"] else str(back))
        text = run("why", str(p.pid))
        expect("why: in words", text, 0, stdout_has="a deadlock: all who could end these waits", stderr_lines=0)
        _, ends = asked("who", "--json", f"pipe:[{first}]")
        got = sorted((e["pid"], e["role"]) for e in ends)
        want = sorted([(p.pid, "write"), (child, "read")])
        report("who: both ends of a pipe", None if got == want else f"{got}, not {want}")
        _, ends = asked("who", "--json", str(p.pid))
        mine = {(e["object"], e["fd"], e["role"]) for e in ends if e["pid"] == p.pid}
        want = {(f"pipe:[{first}]", write_fd, "write"), (f"pipe:[{second}]", read_fd, "read")}
        report("who: all that a process has open", None if want <= mine else f"{mine}")
        expect("who: in words", run("who", str(p.pid)), 0, stdout_has=f"pipe:[{first}]  (pipe)")
    finally:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        p.stdout.close()


def sockets(directory):
    path = os.path.join(directory, "a socket")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    accepted, _ = server.accept()
    cat = subprocess.Popen(["cat"], stdin=client, stdout=subprocess.DEVNULL)
    client.close()
    try:
        _, ends = asked("who", "--json", path)
        pids = {e["pid"] for e in ends if e["object"] == f"unix:{path}"}
        report("who: a socket by its path", None if pids == {os.getpid(), cat.pid} else str(ends))
        answer = why_until(cat.pid, lambda a: a["threads"] and a["threads"][0]["whom"])
        report("why: the other end of a connection",
               None if answer and answer["threads"][0]["whom"][0]["pid"] == os.getpid() else str(answer))
        report("why: how long", None if answer and answer["threads"][0]["wait_ns"] is not None else str(answer))
    finally:
        for s in (server, accepted):
            s.close()
        cat.wait()


def waiting(directory):
    path = os.path.join(directory, "a listener")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    cat = subprocess.Popen(["cat"], stdin=client, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    socket.send_fds(client, [b"x"], [0, 1])
    client.close()
    try:
        _, ends = asked("who", "--json", path)
        got = sorted((e["pid"], e["object"], e.get("accepted")) for e in ends)
        want = sorted([(os.getpid(), f"unix:{path}", None), (cat.pid, f"unix:{path}", False)])
        report("who: a connection that was not accepted yet", None if got == want else f"{got}, not {want}")
        expect("who: in words, not accepted", run("who", path), 0, stdout_has="not accepted yet")
        answer = why_until(cat.pid, lambda a: a["threads"] and a["threads"][0]["whom"])
        report("why: whoever could accept it",
               None if answer and answer["threads"][0]["whom"][0]["pid"] == os.getpid() else str(answer))
        accepted, _ = server.accept()
        _, ends = asked("who", "--json", path)
        got = [e.get("fds_in_flight") for e in ends if e["fd"] == accepted.fileno()]
        report("who: descriptors on their way", None if got == [2] else str(ends))
        accepted.close()
    finally:
        server.close()
        cat.wait()


def memory_and_locks(directory):
    libc = ctypes.CDLL(None)
    path = os.path.join(directory, "locked")
    name = f"ipctrace-test-{os.getpid()}"
    sem = libc.semget(0, 2, 0o1600)
    libc.semctl(sem, 1, 16, 1)  # SETVAL
    with open(path, "w+b") as f, open(f"/dev/shm/{name}", "w+b") as shm:
        os.unlink(shm.name)
        for file in (f, shm):
            file.truncate(4096)
        maps = [mmap.mmap(f.fileno(), 4096), mmap.mmap(shm.fileno(), 4096, prot=mmap.PROT_READ)]
        fcntl.flock(f, fcntl.LOCK_EX)
        waiter = subprocess.Popen([sys.executable, "-c", "import fcntl, sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_SH)",
                                   path])
        answer = why_until(waiter.pid, lambda a: a["threads"] and a["threads"][0]["whom"])
        wait = answer and answer["threads"][0]
        got = wait and (wait["call"], wait["waits_for"], wait["object"], wait["whom"][0]["pid"], wait["whom"][0]["role"])
        report("why: who holds a lock",
               None if got == ("flock", "lock", f"flock:{path}", os.getpid(), "lock-exclusive") else str(answer))
        _, ends = asked("who", "--json", f"flock:{path}")
        got = {(e["pid"], e["role"]) for e in ends}
        report("who: a lock, and who waits for it",
               None if got == {(os.getpid(), "lock-exclusive"), (waiter.pid, "lock-waits")} else str(ends))
        _, ends = asked("who", "--json", str(os.getpid()))
        got = {(e["object"], e["mech"], e["role"]) for e in ends if e["pid"] == os.getpid()}
        want = {(f"pshm:/{name}", "posix-shm", "attach-ro"), (f"pshm:/{name}", "posix-shm", "readwrite"),
                (f"map:{path}", "posix-shm", "attach-rw"), (f"sem:{sem}", "sysv-sem", "last-user")}
        report("who: memory and semaphores", None if want <= got else f"{want - got} not in {got}")
        fcntl.flock(f, fcntl.LOCK_UN)
        report("why: the lock was given", None if waiter.wait(TIMEOUT) == 0 else "the waiter failed")
        for m in maps:
            m.close()
    libc.semctl(sem, 0, 0)  # IPC_RMID


def tcp():
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    accepted, _ = server.accept()
    ports = sorted([server.getsockname()[1], client.getsockname()[1]])
    _, ends = asked("who", "--json", f"tcp:127.0.0.1:{ports[0]}<->127.0.0.1:{ports[1]}")
    fds = {e["fd"] for e in ends if e["pid"] == os.getpid()}
    report("who: both ends of a connection", None if fds == {client.fileno(), accepted.fileno()} else str(ends))
    for s in (server, client, accepted):
        s.close()


def children():
    p = subprocess.Popen(["sh", "-c", "cat; true"], stdin=subprocess.PIPE)
    answer = why_until(p.pid, lambda a: a["threads"] and a["threads"][0]["waits_for"] == "child"
                       and a["threads"][0]["whom"] and a["threads"][0]["whom"][0].get("threads"))
    inner = answer and answer["threads"][0]["whom"][0]["threads"][0]
    report("why: through a child to what it waits for",
           None if inner and inner["call"] == "read" and inner["whom"][0]["pid"] == os.getpid() else str(answer))
    p.stdin.close()
    p.wait()


def without_root(directory):
    if os.geteuid():
        return
    program = public_copy(directory)
    got = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "why", str(os.getpid())],
                         capture_output=True, text=True, check=False)
    expect("why: without the right to look", got, 1, "cannot look into process", 1)


def wrong_usage():
    expect("who: nothing asked", run("who"), 2, "OBJECT|PID", 1)
    expect("who: two things", run("who", "1", "2"), 2, "one thing", 1)
    expect("who: an unknown option", run("who", "--nonsense", "1"), 2, "nonsense", 1)
    expect("who: nobody has it", run("who", "pipe:[999999999999]"), 1, "nobody has")
    expect("why: no pid", run("why", "init"), 2, "wants a pid", 1)
    expect("why: no such process", run("why", "2147483647"), 1, "no process 2147483647")
    expect("who: help", run("who", "--help"), 0, stdout_has="Usage: ipctrace who")
    expect("why: help", run("help", "why"), 0, stdout_has="Usage: ipctrace why")
    with open("/dev/full", "w") as full:
        expect("why: full disk", run("why", str(os.getpid()), stdout=full), 1, "No space left", 1)


def main():
    wrong_usage()
    deadlock()
    for what, program in LOOPS.items():
        no_deadlock(what, program)
    with tempfile.TemporaryDirectory() as directory:
        sockets(directory)
        waiting(directory)
        memory_and_locks(directory)
        without_root(directory)
    tcp()
    children()
