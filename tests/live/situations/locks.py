# SPDX-License-Identifier: GPL-2.0
"""Locks: who held what another one waited for."""
import errno
import fcntl
import os
import struct
import tempfile

from kit import Gate, blocked, child, end, of, only, same, situation

FLOCK, FCNTL = 73, 72
F_OFD_SETLK, F_OFD_SETLKW = 37, 38


def lock(fd, cmd, kind, start=0, length=0):
    return fcntl.fcntl(fd, cmd, struct.pack("hhqqi4x", kind, 0, start, length, 0))


class File:
    def __init__(self):
        self.f = tempfile.NamedTemporaryFile(prefix="ipctrace-lock-")
        self.path = self.f.name

    def open(self):
        return os.open(self.path, os.O_RDWR)


def holder(f, take, release, held, go):
    fd = f.open()
    take(fd)
    held.open()
    go.wait()
    release(fd)
    os.close(fd)


def contend(t, take, release, number):
    f, held, go = File(), Gate(), Gate()
    h = child(holder, f, take, release, held, go)
    held.wait()
    w = child(lambda: take(f.open()))
    blocked(w, number)
    go.open()
    end(h, w)
    m = only([r for r in of(t.stop(), type="message") if f.path in r["object"]])
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (h, w, "exact"), "message")
    assert m["wait_ns"] > 0, "it waited"


@situation("flock")
def a_release_lets_the_waiter_have_a_flock(t):
    contend(t, lambda fd: fcntl.flock(fd, fcntl.LOCK_EX), lambda fd: fcntl.flock(fd, fcntl.LOCK_UN), FLOCK)


@situation("flock")
def closing_releases_a_flock(t):
    contend(t, lambda fd: fcntl.flock(fd, fcntl.LOCK_EX), lambda fd: None, FLOCK)


@situation("flock")
def a_record_lock(t):
    contend(t, lambda fd: lock(fd, fcntl.F_SETLKW, fcntl.F_WRLCK, 5, 10),
            lambda fd: lock(fd, fcntl.F_SETLK, fcntl.F_UNLCK, 5, 10), FCNTL)


@situation("flock")
def a_lock_of_an_open_file(t):
    contend(t, lambda fd: lock(fd, F_OFD_SETLKW, fcntl.F_WRLCK, 0, 0),
            lambda fd: lock(fd, F_OFD_SETLK, fcntl.F_UNLCK, 0, 0), FCNTL)


@situation("flock")
def only_the_overlapping_part_matters(t):
    f, held, go = File(), Gate(), Gate()
    a = child(holder, f, lambda fd: lock(fd, fcntl.F_SETLKW, fcntl.F_WRLCK, 0, 10), lambda fd: None, held, go)
    held.wait()
    go_b = Gate()
    b = child(holder, f, lambda fd: lock(fd, fcntl.F_SETLKW, fcntl.F_WRLCK, 20, 10), lambda fd: None, held, go_b)
    held.wait()
    w = child(lambda: lock(f.open(), fcntl.F_SETLKW, fcntl.F_WRLCK, 25, 1))
    blocked(w, FCNTL)
    go.open()
    end(a)
    go_b.open()
    end(b, w)
    m = only([r for r in of(t.stop(), type="message") if f.path in r["object"]])
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (b, w, "exact"), "message")


@situation("flock")
def readers_together_and_the_last_one_lets_the_writer_in(t):
    f, held, go_a, go_b = File(), Gate(), Gate(), Gate()
    shared = lambda fd: fcntl.flock(fd, fcntl.LOCK_SH)
    a, b = child(holder, f, shared, lambda fd: None, held, go_a), child(holder, f, shared, lambda fd: None, held, go_b)
    held.wait()
    held.wait()
    w = child(lambda: fcntl.flock(f.open(), fcntl.LOCK_EX))
    blocked(w, FLOCK)
    go_a.open()
    end(a)
    go_b.open()
    end(b, w)
    m = only([r for r in of(t.stop(), type="message") if f.path in r["object"]])
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (b, w, "exact"), "message")


@situation("flock")
def a_deadlock_is_refused_and_no_message(t):
    f, held, go = File(), Gate(), Gate()

    def first():
        fd = f.open()
        lock(fd, fcntl.F_SETLKW, fcntl.F_WRLCK, 0, 1)
        held.open()
        go.wait()
        lock(fd, fcntl.F_SETLKW, fcntl.F_WRLCK, 1, 1)

    def second():
        fd = f.open()
        lock(fd, fcntl.F_SETLKW, fcntl.F_WRLCK, 1, 1)
        held.open()
        go2.wait()
        try:
            lock(fd, fcntl.F_SETLKW, fcntl.F_WRLCK, 0, 1)
        except OSError as e:
            same(e.errno, errno.EDEADLK, "errno")
        else:
            raise AssertionError("no deadlock")
    go2 = Gate()
    a, b = child(first), child(second)
    held.wait()
    held.wait()
    go.open()
    blocked(a, FCNTL)
    go2.open()
    end(a, b)
    m = only([r for r in of(t.stop(), type="message") if f.path in r["object"]])
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (b, a, "exact"), "message")


@situation("flock")
def a_killed_holder_releases(t):
    f, held, go = File(), Gate(), Gate()
    h = child(holder, f, lambda fd: fcntl.flock(fd, fcntl.LOCK_EX), lambda fd: None, held, go)
    held.wait()
    w = child(lambda: fcntl.flock(f.open(), fcntl.LOCK_EX))
    blocked(w, FLOCK)
    os.kill(h, 9)
    os.waitpid(h, 0)
    end(w)
    m = only([r for r in of(t.stop(), type="message") if f.path in r["object"]])
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (h, w, "exact"), "message")


@situation("flock")
def a_lock_that_was_free_is_no_message(t):
    f = File()
    for _ in range(3):
        end(child(lambda: fcntl.flock(f.open(), fcntl.LOCK_EX)))
    same([r for r in of(t.stop(), type="message") if f.path in r["object"]], [], "messages")
