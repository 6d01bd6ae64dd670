# SPDX-License-Identifier: GPL-2.0
"""Semaphores and eventfds: whose units somebody got."""
import ctypes
import errno
import json
import mmap
import os
import signal
import struct
import subprocess

from kit import PROGRAM, Gate, blocked, call, child, end, libc, links, node_of, of, only, same, situation

SEMGET, SEMOP, SEMCTL, SEMTIMEDOP, FUTEX = 64, 65, 66, 220, 202
IPC_PRIVATE, IPC_RMID, IPC_CREAT, IPC_NOWAIT, SEM_UNDO = 0, 0, 0o1000, 0o4000, 0x1000
SETVAL, SETALL = 16, 17


def make(cnt=1):
    return call(SEMGET, IPC_PRIVATE, cnt, IPC_CREAT | 0o600)


def remove(s):
    return call(SEMCTL, s, 0, IPC_RMID, 0)


def op(s, *ops):
    return call(SEMOP, s, ctypes.c_char_p(b"".join(struct.pack("HhH", *o) for o in ops)), len(ops))


def summary(rows):
    return sorted((m["src"] and m["src"]["pid"], m["dst"]["pid"], m["sem"]["num"], m["messages"], m["attr"]) for m in rows)


@situation("sysv-sem")
def one_call_takes_from_several_semaphores(t):
    s = make(3)
    a, b = child(op, s, (0, 2, 0), (1, 1, 0)), None
    end(a)
    b = child(op, s, (2, 5, 0))
    end(b)
    w = child(lambda: same(op(s, (0, -2, 0), (1, -1, 0), (2, -3, 0)), 0, "semop"))
    end(w)
    remove(s)
    got = summary(of(t.stop(), type="message", object=f"sem:{s}"))
    same(got, sorted([(a, w, 0, 2, "exact"), (a, w, 1, 1, "exact"), (b, w, 2, 3, "exact")]), "messages")


@situation("sysv-sem")
def a_waiter_gets_units_of_the_one_who_served_it(t):
    s = make()
    w = child(lambda: same(op(s, (0, -2, 0)), 0, "semop"))
    blocked(w, SEMOP, SEMTIMEDOP)
    a = child(op, s, (0, 1, 0))
    end(a)
    b = child(op, s, (0, 1, 0))
    end(b, w)
    remove(s)
    rows = of(t.stop(), type="message", object=f"sem:{s}")
    same(summary(rows), sorted([(a, w, 0, 1, "exact"), (b, w, 0, 1, "exact")]), "messages")
    assert all(m["woken_by"]["pid"] == b for m in rows), "the second poster woke it"
    assert all(m["wait_ns"] > 0 for m in rows[:1]), "it waited"


@situation("sysv-sem")
def a_set_value_belongs_to_its_setter(t):
    s = make(2)
    a = child(op, s, (0, 4, 0))
    end(a)
    setter = child(lambda: same(call(SEMCTL, s, 0, SETVAL, 1), 0, "SETVAL"))
    end(setter)
    w = child(op, s, (0, -1, 0))
    end(w)
    values = (ctypes.c_ushort * 2)(3, 2)
    all_setter = child(lambda: same(call(SEMCTL, s, 0, SETALL, ctypes.byref(values)), 0, "SETALL"))
    end(all_setter)
    v = child(op, s, (0, -3, 0), (1, -2, 0))
    end(v)
    remove(s)
    got = summary(of(t.stop(), type="message", object=f"sem:{s}"))
    same(got, sorted([(setter, w, 0, 1, "exact"), (all_setter, v, 0, 3, "exact"), (all_setter, v, 1, 2, "exact")]),
         "messages")


@situation("sysv-sem")
def what_undo_gives_back_belongs_to_the_one_that_ended(t):
    s = make()
    a = child(op, s, (0, 1, 0))
    end(a)
    held, go = Gate(), Gate()

    def holder():
        same(op(s, (0, -1, SEM_UNDO)), 0, "semop")
        held.open()
        go.wait()
    h = child(holder)
    held.wait()
    w = child(lambda: same(op(s, (0, -1, 0)), 0, "semop"))
    blocked(w, SEMOP, SEMTIMEDOP)
    go.open()
    end(h, w)
    remove(s)
    got = summary(of(t.stop(), type="message", object=f"sem:{s}"))
    same(got, sorted([(a, h, 0, 1, "exact"), (h, w, 0, 1, "exact")]), "messages")


@situation("sysv-sem")
def what_undo_gives_back_of_a_wait_that_slept(t):
    s = make()
    held, go = Gate(), Gate()

    def holder():
        same(op(s, (0, -1, SEM_UNDO)), 0, "semop")
        held.open()
        go.wait()
    h = child(holder)
    blocked(h, SEMOP, SEMTIMEDOP)
    a = child(op, s, (0, 1, 0))
    end(a)
    held.wait()
    b = child(op, s, (0, 1, 0))
    end(b)
    w = child(lambda: same(op(s, (0, -1, 0)), 0, "semop"))
    end(w)
    go.open()
    end(h)
    v = child(lambda: same(op(s, (0, -1, 0)), 0, "semop"))
    end(v)
    remove(s)
    got = summary(of(t.stop(), type="message", object=f"sem:{s}"))
    same(got, sorted([(a, h, 0, 1, "exact"), (b, w, 0, 1, "exact"), (h, v, 0, 1, "exact")]), "messages")


@situation("sysv-sem")
def killed_with_undo_gives_back_too(t):
    s = make()
    a = child(op, s, (0, 1, 0))
    end(a)
    held, never = Gate(), Gate()

    def holder():
        same(op(s, (0, -1, SEM_UNDO)), 0, "semop")
        held.open()
        never.wait()
    h = child(holder)
    held.wait()
    os.kill(h, signal.SIGKILL)
    os.waitpid(h, 0)
    w = child(lambda: same(op(s, (0, -1, 0)), 0, "semop"))
    end(w)
    remove(s)
    got = summary(of(t.stop(), type="message", object=f"sem:{s}"))
    same(got, sorted([(a, h, 0, 1, "exact"), (h, w, 0, 1, "exact")]), "messages")


@situation("sysv-sem")
def a_large_process_takes_long_to_give_back(t):
    """Its memory goes first: whoever posts and waits meanwhile gets nothing of it for certain."""
    s = make()
    held, go = Gate(), Gate()

    def holder():
        same(op(s, (0, 1, 0)), 0, "semop")
        same(op(s, (0, -1, SEM_UNDO)), 0, "semop")
        memory = mmap.mmap(-1, 300 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, len(memory), 4096):
            memory[at] = 1
        held.open()
        go.wait()
    h = child(holder)
    held.wait()
    os.kill(h, signal.SIGKILL)
    got = []
    while True:  # until the unit is back
        op(s, (0, 1, 0))
        op(s, (0, -1, 0))
        got.append(call(SEMCTL, s, 0, 12, 0))  # GETVAL
        if got[-1]:
            break
    os.waitpid(h, 0)
    remove(s)
    rows = of(t.stop(), type="message", object=f"sem:{s}", dst=os.getpid())
    assert len(got) > 50, "it was gone at once"
    early = [m for m in of(rows[:-5], src=h) if m["attr"] == "exact"]
    same(early, [], f"units of {h} before it had given any back")


@situation("sysv-sem", "--ops")
def failures_move_nothing(t):
    s = make()
    p = child(lambda: same(op(s, (0, -1, IPC_NOWAIT)), -errno.EAGAIN, "semop"))
    end(p)
    timeout = (ctypes.c_long * 2)(0, 20_000_000)
    ops = struct.pack("HhH", 0, -1, 0)
    q = child(lambda: same(call(SEMTIMEDOP, s, ctypes.c_char_p(ops), 1, ctypes.byref(timeout)), -errno.EAGAIN, "timed"))
    end(q)
    r = child(lambda: same(op(s, (0, -1, 0)), -errno.EIDRM, "removed"))
    blocked(r, SEMOP, SEMTIMEDOP)
    remove(s)
    end(r)
    rows = [row for row in of(t.stop(), object=f"sem:{s}") if row.get("op") == "wait"]
    same(sorted((row["task"]["pid"], row["ret"]) for row in rows),
         sorted([(p, -errno.EAGAIN), (q, -errno.EAGAIN), (r, -errno.EIDRM)]), "waits")
    assert only(rows, task=q)["wait_ns"] >= 20_000_000, "it waited for its time"
    assert not only(rows, task=p).get("wait_ns"), "it did not wait"


@situation("sysv-sem")
def waiting_for_zero_takes_nothing(t):
    s = make()
    a = child(op, s, (0, 1, 0))
    end(a)
    z = child(lambda: same(op(s, (0, 0, 0)), 0, "semop"))
    blocked(z, SEMOP, SEMTIMEDOP)
    w = child(op, s, (0, -1, 0))
    end(w, z)
    remove(s)
    same(summary(of(t.stop(), type="message", object=f"sem:{s}")), [(a, w, 0, 1, "exact")], "messages")


@situation("sysv-sem", graph=True)
def an_identifier_is_another_semaphore_after_its_removal(t):
    """The index is used again, the sequence number is not."""
    flows = []
    for _ in range(20):
        s = make()
        a = child(op, s, (0, 1, 0))
        w = child(op, s, (0, -1, 0))
        end(a, w)
        flows.append((s, a, w))
        remove(s)
    graph = t.stop()
    for s, a, w in flows:
        link = links(graph, kind="flow", channel=f"sem:{s}")
        same([(x["source"], x["target"], x["messages"], x["attr"]) for x in link],
             [(node_of(graph, a), node_of(graph, w), 1, "exact")], f"sem:{s}")


def eventfd(value=0, flags=0):
    libc.eventfd.restype = ctypes.c_int
    return libc.eventfd(value, flags)


EFD_SEMAPHORE = 1


def add(fd, value):
    os.write(fd, struct.pack("Q", value))


def take(fd):
    return struct.unpack("Q", os.read(fd, 8))[0]


@situation("eventfd")
def a_read_takes_all_writes_at_once(t):
    fd = eventfd()
    a, b = child(add, fd, 3), 0
    end(a)
    b = child(lambda: [add(fd, 4), add(fd, 5)])
    end(b)
    r = child(lambda: same(take(fd), 12, "value"))
    end(r)
    got = of(t.stop(), type="message", dst=r)
    same(sorted((m["src"]["pid"], m["messages"], m["attr"]) for m in got), sorted([(a, 1, "exact"), (b, 2, "exact")]),
         "messages")


@situation("eventfd")
def in_semaphore_mode_the_oldest_unit_goes_first(t):
    fd = eventfd(0, EFD_SEMAPHORE)
    a = child(add, fd, 2)
    end(a)
    b = child(add, fd, 1)
    end(b)
    takers = []
    for _ in range(3):
        takers.append(child(lambda: same(take(fd), 1, "value")))
        end(takers[-1])
    got = of(t.stop(), type="message")
    got = [(m["dst"]["pid"], m["src"]["pid"], m["attr"]) for m in got if m["dst"]["pid"] in takers]
    same(got, list(zip(takers, (a, a, b), ["exact"] * 3)), "messages")


@situation("eventfd")
def an_initial_value_is_nobodys_message_and_a_blocked_writer_is_known(t):
    fd = eventfd(7)
    r = child(lambda: same(take(fd), 7, "value"))
    end(r)
    end(child(add, fd, 2**64 - 2))
    w = child(add, fd, 1)
    blocked(w, 1)
    q = child(lambda: [same(take(fd), 2**64 - 2, "value"), same(take(fd), 1, "value")])
    end(q, w)
    rows = of(t.stop(), type="message")
    same([(m["src"], m["attr"]) for m in of(rows, dst=r)], [(None, "unknown")], "the initial value")
    same(len(of(rows, dst=q)), 2, "messages")
    same(only(of(rows, dst=q), src=w)["attr"], "exact", "the blocked writer's")


class Named:
    """libc's sem_open() and its kin."""

    def __init__(self, name, value=0):
        libc.sem_open.restype = ctypes.c_void_p
        self.name = name.encode()
        self.sem = ctypes.c_void_p(libc.sem_open(self.name, os.O_CREAT, 0o600, value))

    def post(self):
        libc.sem_post(self.sem)

    def wait(self):
        while libc.sem_wait(self.sem):
            pass

    def unlink(self):
        libc.sem_unlink(self.name)


@situation("posix-sem")
def who_slept_was_woken_by_the_poster(t):
    name = f"/ipctrace-situation.{os.getpid()}"
    s = Named(name)
    w = child(s.wait)
    blocked(w, FUTEX)
    a = child(s.post)
    end(a, w)
    s.unlink()
    m = only(of(t.stop(), type="message", object=f"psem:{name}"))
    same((m["src"]["pid"], m["dst"]["pid"], m["messages"], m["attr"]), (a, w, 1, "exact"), "message")
    assert m["wait_ns"] > 0, "it waited"


@situation("posix-sem", "--user-sems")
def units_that_nobody_waits_for_have_owners_too(t):
    name = f"/ipctrace-units.{os.getpid()}"
    s = Named(name, 1)
    a = child(s.post)
    end(a)
    b = child(s.post)
    end(b)
    takers = []
    for _ in range(3):
        takers.append(child(s.wait))
        end(takers[-1])
    w = child(s.wait)
    blocked(w, FUTEX)
    c = child(s.post)
    end(c, w)
    s.unlink()
    rows = of(t.stop(), type="message", object=f"psem:{name}")
    got = [(m["dst"]["pid"], m["src"] and m["src"]["pid"], m["attr"]) for m in rows]
    same(got, [(takers[0], None, "unknown"), (takers[1], a, "exact"), (takers[2], b, "exact"), (w, c, "exact")],
         "messages")


@situation("posix-sem")
def a_mutex_in_shared_memory_shows_who_let_whom_go_on(t):
    shared = mmap.mmap(-1, 4096)
    lock = ctypes.c_char.from_buffer(shared)
    attr = ctypes.create_string_buffer(64)
    libc.pthread_mutexattr_init(attr)
    libc.pthread_mutexattr_setpshared(attr, 1)
    libc.pthread_mutex_init(ctypes.byref(lock), attr)
    held, go = Gate(), Gate()

    def holder():
        libc.pthread_mutex_lock(ctypes.byref(lock))
        held.open()
        go.wait()
        libc.pthread_mutex_unlock(ctypes.byref(lock))
    h = child(holder)
    held.wait()
    w = child(lambda: (libc.pthread_mutex_lock(ctypes.byref(lock)), libc.pthread_mutex_unlock(ctypes.byref(lock))))
    blocked(w, FUTEX)
    go.open()
    end(h, w)
    m = only(of(t.stop(), type="message", src=h))
    same((m["dst"]["pid"], m["attr"]), (w, "exact"), "message")
    assert m["object"].startswith("psem:["), m["object"]


@situation("posix-sem")
def a_futex_of_one_process_alone_is_nobodys_message(t):
    def threads():
        import threading
        done = threading.Event()
        ts = [threading.Thread(target=done.wait) for _ in range(3)]
        for x in ts:
            x.start()
        done.set()
        for x in ts:
            x.join()
    p = child(threads)
    end(p)
    same(of(t.stop(), src=p), [], "messages")


@situation("posix-sem")
def doctor_counts_what_it_would_watch(t):
    t.stop()
    report = subprocess.run([PROGRAM, "doctor", "--json", "-m", "posix-sem"], capture_output=True, text=True, check=True)
    said = json.loads(report.stdout)["user_sems"]
    same(said["uprobes"], os.path.exists("/sys/bus/event_source/devices/uprobe/type"), "uprobes")
    assert said["functions"] >= 5, "sem_post, sem_wait, sem_trywait, sem_timedwait, sem_clockwait of one library"
