# SPDX-License-Identifier: GPL-2.0
"""Shared memory: who had it at the same time, and what is left of it."""
import ctypes
import json
import mmap
import os
import subprocess

from kit import PROGRAM, Gate, call, channel, child, end, libc, links, node_of, same, situation

SHMGET, SHMAT, SHMCTL, SHMDT, MEMFD = 29, 30, 31, 67, 319
IPC_PRIVATE, IPC_RMID, IPC_CREAT, SHM_RDONLY = 0, 0, 0o1000, 0o10000
libc.shmat.restype = ctypes.c_void_p
libc.shmdt.argtypes = [ctypes.c_void_p]


def shares(graph, name):
    return {frozenset((x["source"], x["target"])) for x in links(graph, kind="share", channel=name)}


def pair(graph, a, b):
    return frozenset((node_of(graph, a), node_of(graph, b)))


def roles(graph, name):
    out = {}
    for x in links(graph, kind="end"):
        for process, obj in ((x["source"], x["target"]), (x["target"], x["source"])):
            if obj == name:
                out.setdefault(int(process.split(".")[0]), set()).add(x["role"])
    return out


def user(attach, arrived, leave):
    """Has it attached between two gates."""
    what = attach()
    arrived.open()
    leave.wait()
    return what


@situation("sysv-shm", graph=True)
def only_those_who_had_it_at_the_same_time_share(t):
    s = call(SHMGET, IPC_PRIVATE, 10000, IPC_CREAT | 0o600)
    arrived, leave = Gate(), Gate()

    def writer():
        user(lambda: libc.shmat(s, None, 0), arrived, leave)

    def reader():
        user(lambda: libc.shmat(s, None, SHM_RDONLY), arrived, leave)
    a, b = child(writer), child(reader)
    arrived.wait()
    arrived.wait()
    leave.open(2)
    end(a, b)
    leave.open()
    c = child(writer)
    end(c)
    call(SHMCTL, s, IPC_RMID, 0)
    graph = t.stop()
    name = f"shm:{s}"
    same(shares(graph, name), {pair(graph, a, b)}, "shares")
    same(roles(graph, name), {os.getpid(): {"owner"}, a: {"attach-rw"}, b: {"attach-ro"}, c: {"attach-rw"}}, "roles")
    node = channel(graph, name)
    same((node["size_bytes"], node["creator_pid"], node["attached"]), (10000, os.getpid(), 0), "state")
    assert node["last_detach_ns"], "somebody detached last"


@situation("sysv-shm", graph=True)
def a_segment_that_its_dead_creator_left_behind(t):
    key = 0x1bc7ace + os.getpid()
    maker = child(lambda: libc.shmat(call(SHMGET, key, 5000, IPC_CREAT | 0o600), None, 0))
    end(maker)
    s = call(SHMGET, key, 0, 0)
    graph = t.stop()
    call(SHMCTL, s, IPC_RMID, 0)
    node = channel(graph, f"shm:{s}")
    assert node.get("leaked") or node.get("left_behind") or node.get("orphan"), f"it is said to be left behind: {node}"


@situation("sysv-shm", graph=True)
def detaching_ends_the_share(t):
    s = call(SHMGET, IPC_PRIVATE, 4096, IPC_CREAT | 0o600)
    gone = Gate()

    def first():
        same(libc.shmdt(libc.shmat(s, None, 0)), 0, "shmdt")
        gone.open()
        stay.wait()
    stay = Gate()
    a = child(first)
    gone.wait()
    b = child(lambda: libc.shmdt(libc.shmat(s, None, 0)))
    end(b)
    stay.open()
    end(a)
    call(SHMCTL, s, IPC_RMID, 0)
    same(shares(t.stop(), f"shm:{s}"), set(), "shares")


@situation("posix-shm", graph=True)
def an_anonymous_mapping_is_shared_with_children(t):
    go, held = Gate(), Gate()

    def parent():
        m = mmap.mmap(-1, 8192)
        kids = [child(lambda: (held.open(), go.wait())) for _ in range(2)]
        held.wait()
        held.wait()
        go.open(2)
        end(*kids)
        os.write(w, (" ".join(map(str, kids))).encode())
        m.close()
    r, w = os.pipe()
    p = child(parent)
    end(p)
    kids = [int(x) for x in os.read(r, 100).split()]
    graph = t.stop()
    me = [x for x in links(graph, kind="share") if node_of(graph, p) in (x["source"], x["target"])]
    names = {x["channel"] for x in me}
    same(len(names), 1, f"objects {names}")
    same(shares(graph, names.pop()), {pair(graph, p, k) for k in kids} | {pair(graph, *kids)}, "shares")


@situation("posix-shm", graph=True)
def a_memfd_that_is_sealed_for_a_reader(t):
    arrived, leave = Gate(), Gate()

    def maker():
        fd = os.memfd_create("ipctrace situation")
        os.ftruncate(fd, 4096)
        m = mmap.mmap(fd, 4096)
        def reader():
            m.close()
            user(lambda: mmap.mmap(fd, 4096, prot=mmap.PROT_READ), arrived, leave)
        kid = child(reader)
        arrived.wait()
        leave.open()
        end(kid)
        os.write(w, b"%d %d" % (kid, os.fstat(fd).st_ino))
    r, w = os.pipe()
    p = child(maker)
    end(p)
    kid, ino = (int(x) for x in os.read(r, 100).split())
    graph = t.stop()
    name = f"memfd:ipctrace situation[{ino}]"
    same(shares(graph, name), {pair(graph, p, kid)}, "shares")


@situation("posix-shm", graph=True)
def a_file_that_is_only_read_is_no_communication(t):
    path = f"/tmp/ipctrace-situation.{os.getpid()}"
    with open(path, "wb") as f:
        f.write(b"x" * 4096)
    arrived, leave = Gate(), Gate()

    def reader():
        with open(path, "rb") as f:
            user(lambda: mmap.mmap(f.fileno(), 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ), arrived, leave)
    a, b = child(reader), child(reader)
    arrived.wait()
    arrived.wait()
    leave.open(2)
    end(a, b)
    graph = t.stop()
    os.unlink(path)
    same(shares(graph, f"map:{path}"), set(), "shares")


@situation("posix-shm", graph=True)
def a_file_that_one_of_them_writes_is_shared(t):
    path = f"/tmp/ipctrace-situation.{os.getpid()}"
    with open(path, "wb") as f:
        f.write(b"x" * 4096)
    arrived, leave = Gate(), Gate()

    def reader():
        with open(path, "rb") as f:
            user(lambda: mmap.mmap(f.fileno(), 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ), arrived, leave)

    def writer():
        with open(path, "r+b") as f:
            user(lambda: mmap.mmap(f.fileno(), 4096), arrived, leave)
    a, b = child(reader), child(writer)
    arrived.wait()
    arrived.wait()
    leave.open(2)
    end(a, b)
    graph = t.stop()
    os.unlink(path)
    same(shares(graph, f"map:{path}"), {pair(graph, a, b)}, "shares")


@situation("posix-shm", graph=True)
def an_unmapped_object_is_no_longer_shared(t):
    name = f"/ipctrace-unmap.{os.getpid()}"
    fd = os.open("/dev/shm" + name, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, 4096)
    end(child(lambda: mmap.mmap(fd, 4096).close()))
    end(child(lambda: mmap.mmap(fd, 4096).close()))
    os.close(fd)
    os.unlink("/dev/shm" + name)
    graph = t.stop()
    same(shares(graph, f"pshm:{name}"), set(), "shares")
    assert channel(graph, f"pshm:{name}")


@situation("posix-shm", graph=True)
def the_tracers_own_start_of_a_command_is_not_shown(t):
    t.stop()
    out = subprocess.run([PROGRAM, "graph", "--json", "-m", "posix-shm", "--", "/bin/true"], capture_output=True,
                         text=True, check=True).stdout
    same([n for n in json.loads(out)["nodes"] if n["kind"] == "channel"], [], "objects")
