# SPDX-License-Identifier: GPL-2.0
"""Operations that are interrupted, restarted, timed out, or die with their process."""
import ctypes
import errno
import fcntl
import os
import signal

from kit import Gate, blocked, child, end, libc, of, only, same, situation
from locks import FLOCK, File, holder
from queues import MSGRCV, MSGSND, queue, receive, send
from queues import remove as remove_queue
from semaphores import FUTEX, SEMOP, SEMTIMEDOP, Named, make, op, remove, summary


@situation("sysv-sem")
def a_wait_that_was_interrupted_and_begun_again(t):
    s = make()

    def waiter():
        signal.signal(signal.SIGUSR1, lambda *_: None)
        same(op(s, (0, -1, 0)), -errno.EINTR, "interrupted")
        same(op(s, (0, -1, 0)), 0, "again")
    w = child(waiter)
    blocked(w, SEMOP, SEMTIMEDOP)
    os.kill(w, signal.SIGUSR1)
    while True:  # until it sleeps for the second time
        try:
            with open(f"/proc/{w}/status", encoding="ascii") as f:
                text = f.read()
            if int(text.split("voluntary_ctxt_switches:")[1].split()[0]) >= 2:
                break
        except IndexError:
            pass
    blocked(w, SEMOP, SEMTIMEDOP)
    a = child(op, s, (0, 1, 0))
    end(a, w)
    remove(s)
    same(summary(of(t.stop(), type="message", object=f"sem:{s}")), [(a, w, 0, 1, "exact")], "messages")


@situation("sysv-sem")
def a_waiter_that_is_killed_leaves_the_unit_to_the_next(t):
    s = make()
    dead = child(op, s, (0, -1, 0))
    blocked(dead, SEMOP, SEMTIMEDOP)
    os.kill(dead, signal.SIGKILL)
    os.waitpid(dead, 0)
    a = child(op, s, (0, 1, 0))
    end(a)
    w = child(op, s, (0, -1, 0))
    end(w)
    remove(s)
    same(summary(of(t.stop(), type="message", object=f"sem:{s}")), [(a, w, 0, 1, "exact")], "messages")


@situation("sysv-msg")
def a_sender_that_is_killed_in_front_of_a_full_queue(t):
    q = queue()
    end(child(lambda: [send(q, 1, b"f" * 8000) for _ in range(2)]))
    dead = child(send, q, 2, b"d" * 8000)
    blocked(dead, MSGSND)
    os.kill(dead, signal.SIGKILL)
    os.waitpid(dead, 0)
    for _ in range(2):
        receive(q, 0, 9000)
    remove_queue(q)
    rows = of(t.stop(), type="message", object=f"msg:{q}")
    same([m["mtype"] for m in rows], [1, 1], "types")


@situation("sysv-msg")
def stopped_and_continued_while_it_waits(t):
    q = queue()

    def waiter():
        while receive(q, 0)[0] == -errno.EINTR:
            pass
    w = child(waiter)
    blocked(w, MSGRCV)
    os.kill(w, signal.SIGSTOP)
    os.waitpid(w, os.WUNTRACED)
    a = child(send, q, 3, b"meanwhile")
    end(a)
    os.kill(w, signal.SIGCONT)
    end(w)
    remove_queue(q)
    m = only(of(t.stop(), type="message", object=f"msg:{q}"))
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (a, w, "exact"), "message")


@situation("flock")
def a_waiter_for_a_lock_that_is_killed(t):
    f, held, go = File(), Gate(), Gate()
    h = child(holder, f, lambda fd: fcntl.flock(fd, fcntl.LOCK_EX), lambda fd: None, held, go)
    held.wait()
    dead = child(lambda: fcntl.flock(f.open(), fcntl.LOCK_EX))
    blocked(dead, FLOCK)
    w = child(lambda: fcntl.flock(f.open(), fcntl.LOCK_EX))
    blocked(w, FLOCK)
    os.kill(dead, signal.SIGKILL)
    os.waitpid(dead, 0)
    go.open()
    end(h, w)
    m = only([r for r in of(t.stop(), type="message") if f.path in r["object"]])
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (h, w, "exact"), "message")


@situation("posix-sem", "--user-sems")
def a_timed_wait_that_ended_without_a_unit(t):
    name = f"/ipctrace-timed.{os.getpid()}"
    s = Named(name)

    def late():
        time = (ctypes.c_long * 2)(0, 1)  # long ago
        same(libc.sem_timedwait(s.sem, time), -1, "sem_timedwait")
        same(ctypes.get_errno(), errno.ETIMEDOUT, "errno")
        same(libc.sem_trywait(s.sem), -1, "sem_trywait")
    p = child(late)
    end(p)
    a = child(s.post)
    end(a)
    w = child(s.wait)
    end(w)
    s.unlink()
    rows = of(t.stop(), type="message", object=f"psem:{name}")
    same([(m["src"]["pid"], m["dst"]["pid"], m["attr"]) for m in rows], [(a, w, "exact")], "messages")


@situation("posix-sem")
def stopped_while_it_waits_and_woken_afterwards(t):
    name = f"/ipctrace-stopped.{os.getpid()}"
    s = Named(name)
    w = child(s.wait)
    blocked(w, FUTEX)
    os.kill(w, signal.SIGSTOP)
    os.waitpid(w, os.WUNTRACED)
    os.kill(w, signal.SIGCONT)
    blocked(w, FUTEX)
    a = child(s.post)
    end(a, w)
    s.unlink()
    rows = of(t.stop(), type="message", object=f"psem:{name}")
    same([(m["src"]["pid"], m["dst"]["pid"], m["attr"]) for m in rows], [(a, w, "exact")], "messages")
