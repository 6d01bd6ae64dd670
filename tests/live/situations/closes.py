# SPDX-License-Identifier: GPL-2.0
"""Descriptors that are closed in passing, by other calls than close."""
import fcntl
import os
import socket
import threading

from kit import Gate, call, child, end, of, same, situation

CLOSE_RANGE, CLOSE_RANGE_CLOEXEC, DUP3, EXIT_GROUP = 436, 4, 292, 231


def pipe_name(fd):
    return os.readlink(f"/proc/self/fd/{fd}")


def closes(rows, pid, name):
    return [(r["fd"], r.get("by")) for r in of(rows, type="op", op="close", task=pid, object=name)]


def in_child(t, work):
    """(descriptor, what closed it) of a pipe that work gets, in a process of its own."""
    r, w = os.pipe()
    name = pipe_name(r)
    c = child(work, r, w)
    end(c)
    return closes(t.stop(), c, name), r, w


@situation("pipe", "--ops")
def close_range_closes_both_ends(t):
    def work(r, w):
        os.set_inheritable(r, True)
        same(call(CLOSE_RANGE, r, w, CLOSE_RANGE_CLOEXEC), 0, "marked")
        same(call(CLOSE_RANGE, w, r, 0), -22, "refused")
        same(call(CLOSE_RANGE, r, ~0 & 0xffffffff, 0), 0, "close_range")
    got, r, w = in_child(t, work)
    same(got, [(r, "close_range"), (w, "close_range")], "closes")


@situation("pipe", "--ops")
def dup2_over_an_end(t):
    def work(r, w):
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, r)
        os.dup2(w, w)
        same(call(DUP3, null, w, 0), w, "dup3")
        same(call(DUP3, null, null, 0), -22, "dup3 of one")
    got, r, w = in_child(t, work)
    same(got, [(r, "dup"), (w, "dup")], "closes")


@situation("pipe", "--ops")
def exec_closes_what_is_marked(t):
    def work(r, w):
        os.set_inheritable(w, True)
        try:
            os.execv("/nonexistent/program", ["x"])
        except FileNotFoundError:
            os.execv("/bin/true", ["true"])
    got, r, w = in_child(t, work)
    same(got, [(r, "exec"), (w, "exit")], "closes")


@situation("pipe", "--ops")
def a_process_ends_with_threads_that_share_its_descriptors(t):
    def work(r, w):
        go = Gate()
        for _ in range(8):
            threading.Thread(target=go.wait, daemon=True).start()
        call(EXIT_GROUP, 0)
    for _ in range(5):
        r, w = os.pipe()
        c = child(work, r, w)
        end(c)
        name = pipe_name(r)
    same(closes(t.stop(), c, name), [(r, "exit"), (w, "exit")], "closes")


@situation("unix-stream", "--ops")
def a_killed_process_closes_its_sockets(t):
    a, b = socket.socketpair()
    go, never = Gate(), Gate()

    def work():
        go.open()
        never.wait()
    c = child(work)
    go.wait()
    os.kill(c, 9)
    os.waitpid(c, 0)
    rows = of(t.stop(), type="op", op="close", task=c)
    same([(r["fd"], r["by"]) for r in rows if r["fd"] in (a.fileno(), b.fileno())],
         [(a.fileno(), "exit"), (b.fileno(), "exit")], "closes")


@situation("eventfd", "--ops")
def many_descriptors_beyond_the_first_words(t):
    fd = os.eventfd(0)

    def work():
        for at in (63, 64, 200, 1000):
            fcntl.fcntl(fd, fcntl.F_DUPFD, at)
        same(call(CLOSE_RANGE, 64, 999, 0), 0, "close_range")
    c = child(work)
    end(c)
    rows = of(t.stop(), type="op", op="close", task=c)
    same([(r["fd"], r["by"]) for r in rows if r["fd"] >= 63],
         [(64, "close_range"), (200, "close_range"), (63, "exit"), (1000, "exit")], "closes")
