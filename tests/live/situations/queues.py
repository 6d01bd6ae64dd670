# SPDX-License-Identifier: GPL-2.0
"""Message queues: selection, truncation, waiting, removal."""
import ctypes
import errno
import os
import signal

from kit import blocked, call, child, end, only, of, same, situation

MSGGET, MSGSND, MSGRCV, MSGCTL = 68, 69, 70, 71
MQ_OPEN, MQ_UNLINK, MQ_SEND, MQ_RECEIVE, MQ_NOTIFY = 240, 241, 242, 243, 244
IPC_PRIVATE, IPC_RMID, IPC_CREAT = 0, 0, 0o1000
IPC_NOWAIT, MSG_NOERROR, MSG_EXCEPT, MSG_COPY = 0o4000, 0o10000, 0o20000, 0o40000


def queue():
    return call(MSGGET, IPC_PRIVATE, IPC_CREAT | 0o600)


def remove(q):
    return call(MSGCTL, q, IPC_RMID, 0)


def send(q, kind, body, flags=0):
    buf = kind.to_bytes(8, "little") + body
    return call(MSGSND, q, ctypes.c_char_p(buf), len(body), flags)


def receive(q, kind, size=100, flags=0):
    buf = ctypes.create_string_buffer(8 + size)
    return call(MSGRCV, q, buf, size, kind, flags), int.from_bytes(buf.raw[:8], "little")


@situation("sysv-msg")
def a_receiver_gets_the_type_it_asked_for(t):
    q = queue()
    senders = []
    for i, kind in enumerate((3, 1, 2, 1, 5), 1):
        pid = child(lambda k=kind, n=i: same(send(q, k, b"x" * n), 0, "send"))
        end(pid)
        senders.append(pid)
    asked = [(2, 0, 2), (-2, 0, 1), (1, MSG_EXCEPT, 3), (0, 0, 1), (5, 0, 5)]
    takers = []
    for want, flags, kind in asked:
        pid = child(lambda w=want, f=flags, k=kind: same(receive(q, w, flags=f)[1], k, "type"))
        end(pid)
        takers.append(pid)
    remove(q)
    got = of(t.stop(), type="message", object=f"msg:{q}")
    same(len(got), 5, "messages")
    for taker, sender, (_, _, kind) in zip(takers, (senders[2], senders[1], senders[0], senders[3], senders[4]), asked):
        m = only(got, dst=taker)
        same((m["src"]["pid"], m["mtype"], m["attr"]), (sender, kind, "exact"), "message")


@situation("sysv-msg")
def a_copy_takes_nothing_and_too_long_a_message_is_cut(t):
    q = queue()
    sender = child(send, q, 7, b"x" * 50)
    end(sender)
    copier = child(lambda: same(receive(q, 0, flags=MSG_COPY | IPC_NOWAIT)[0], 50, "copy"))
    end(copier)
    too_big = child(lambda: same(receive(q, 0, size=10)[0], -errno.E2BIG, "too big"))
    end(too_big)
    cutter = child(lambda: same(receive(q, 0, size=10, flags=MSG_NOERROR)[0], 10, "cut"))
    end(cutter)
    remove(q)
    got = of(t.stop(), type="message", object=f"msg:{q}")
    m = only(got)
    same((m["src"]["pid"], m["dst"]["pid"], m["bytes"], m["attr"]), (sender, cutter, 10, "exact"), "message")


@situation("sysv-msg", "--ops")
def waiting_for_a_queue_that_is_removed_is_no_message(t):
    q = queue()
    waiter = child(lambda: same(receive(q, 0)[0], -errno.EIDRM, "receive"))
    blocked(waiter, MSGRCV)
    remove(q)
    end(waiter)
    rows = of(t.stop(), object=f"msg:{q}")
    op = only(rows, op="recv")
    same((op["task"]["pid"], op["ret"]), (waiter, -errno.EIDRM), "receive")
    assert op["wait_ns"] > 0, "it waited"
    same(only(rows, op="unlink")["task"]["pid"], os.getpid(), "who removed it")


@situation("sysv-msg")
def a_blocked_receiver_and_a_blocked_sender(t):
    q = queue()
    waiter = child(lambda: same(receive(q, 0)[1], 9, "type"))
    blocked(waiter, MSGRCV)
    early = child(send, q, 9, b"early")
    end(early, waiter)
    filler = child(lambda: [send(q, 1, b"f" * 8000) for _ in range(2)])
    end(filler)
    late = child(lambda: same(send(q, 2, b"l" * 8000), 0, "send"))
    blocked(late, MSGSND)
    taker = child(lambda: [same(receive(q, 0, 9000)[0], 8000, "receive") for _ in range(3)])
    end(taker, late)
    remove(q)
    got = of(t.stop(), type="message", object=f"msg:{q}")
    m = only(got, dst=waiter)
    same((m["src"]["pid"], m["attr"]), (early, "exact"), "message")
    assert m["wait_ns"] > 0, "the receiver waited"
    same(len(of(got, src=filler, dst=taker, attr="exact")), 2, "fillers")
    same(only(got, src=late)["attr"], "exact", "the blocked sender's")


@situation("sysv-msg")
def an_identifier_in_another_namespace_is_another_queue(t):
    def inside():
        same(call(272, 0x08000000), 0, "unshare")  # CLONE_NEWIPC
        q = queue()
        pid = child(send, q, 1, b"inner")
        end(pid)
        same(receive(q, 0)[0], 5, "receive")
    q = queue()
    inner = child(inside)
    end(inner)
    end(child(send, q, 1, b"outer!"))
    same(receive(q, 0)[0], 6, "receive")
    remove(q)
    got = of(t.stop(), type="message")
    m = only(got, dst=inner)
    assert "@" in m["object"], f"its namespace is part of its name: {m['object']}"
    same(m["bytes"], 5, "bytes")
    same(only(got, dst=os.getpid(), object=f"msg:{q}")["bytes"], 6, "bytes")


@situation("sysv-msg")
def a_process_that_dies_while_it_waits_sends_and_gets_nothing(t):
    q = queue()
    dying = child(receive, q, 0)
    blocked(dying, MSGRCV)
    os.kill(dying, signal.SIGKILL)
    os.waitpid(dying, 0)
    sender = child(send, q, 4, b"later")
    end(sender)
    receive(q, 0)
    remove(q)
    m = only(of(t.stop(), type="message", object=f"msg:{q}"))
    same((m["src"]["pid"], m["dst"]["pid"], m["attr"]), (sender, os.getpid(), "exact"), "message")


class MqAttr(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_long), ("maxmsg", ctypes.c_long), ("msgsize", ctypes.c_long),
                ("curmsgs", ctypes.c_long), ("pad", ctypes.c_long * 4)]


def mq_open(name, flags=os.O_RDWR | os.O_CREAT, maxmsg=5, msgsize=100):
    attr = MqAttr(0, maxmsg, msgsize, 0)
    return call(MQ_OPEN, ctypes.c_char_p(name.encode()), flags, 0o600, ctypes.byref(attr))


def mq_send(fd, body, priority):
    return call(MQ_SEND, fd, ctypes.c_char_p(body), len(body), priority, 0)


def mq_receive(fd):
    prio = ctypes.c_uint()
    ret = call(MQ_RECEIVE, fd, ctypes.create_string_buffer(200), 200, ctypes.byref(prio), 0)
    return ret, prio.value


@situation("posix-mq")
def the_highest_priority_then_the_oldest(t):
    name = f"ipctrace-situation.{os.getpid()}"
    fd = mq_open(name)
    senders = []
    for i, prio in enumerate((1, 9, 9, 0, 5), 1):
        pid = child(lambda p=prio, n=i: same(mq_send(fd, b"x" * n, p), 0, "send"))
        end(pid)
        senders.append(pid)
    takers = []
    for prio in (9, 9, 5, 1, 0):
        pid = child(lambda p=prio: same(mq_receive(fd)[1], p, "priority"))
        end(pid)
        takers.append(pid)
    call(MQ_UNLINK, ctypes.c_char_p(name.encode()))
    os.close(fd)
    got = of(t.stop(), type="message", object=f"mq:/{name}")
    same(len(got), 5, "messages")
    for taker, i in zip(takers, (1, 2, 4, 0, 3)):
        m = only(got, dst=taker)
        same((m["src"]["pid"], m["bytes"], m["attr"]), (senders[i], i + 1, "exact"), "message")
        same(m["priority"], (1, 9, 9, 0, 5)[i], "priority")


class Sigevent(ctypes.Structure):
    _fields_ = [("value", ctypes.c_void_p), ("signo", ctypes.c_int), ("notify", ctypes.c_int),
                ("pad", ctypes.c_char * 48)]


@situation("posix-mq,signal")
def a_notification_is_joined_with_its_cause(t):
    name = f"ipctrace-notify.{os.getpid()}"
    fd = mq_open(name)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    same(call(MQ_NOTIFY, fd, ctypes.byref(Sigevent(0, signal.SIGUSR2, 0))), 0, "notify")
    sender = child(mq_send, fd, b"wake up", 1)
    info = signal.sigwaitinfo([signal.SIGUSR2])
    same((info.si_code, info.si_pid), (-3, sender), "siginfo")
    end(sender)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    mq_receive(fd)
    call(MQ_UNLINK, ctypes.c_char_p(name.encode()))
    os.close(fd)
    rows = of(t.stop(), type="message")
    sig = only(rows, mech="signal", object="sig:SIGUSR2", dst=os.getpid())
    same((sig["src"]["pid"], sig["attr"], sig["signal"].get("cause")), (sender, "exact", f"mq:/{name}"), "signal")
    same(only(rows, mech="posix-mq", dst=os.getpid())["src"]["pid"], sender, "sender")


@situation("posix-mq", graph=True)
def a_queue_has_its_limits_and_its_depth(t):
    name = f"ipctrace-depth.{os.getpid()}"
    fd = mq_open(name, maxmsg=4, msgsize=30)
    end(child(lambda: [mq_send(fd, b"x" * 20, 1) for _ in range(3)]))
    mq_receive(fd)
    graph = t.stop()
    call(MQ_UNLINK, ctypes.c_char_p(name.encode()))
    os.close(fd)
    node = [n for n in graph["nodes"] if n["id"] == f"mq:/{name}"][0]
    same((node["capacity_messages"], node["depth_messages"], node["depth_messages_max"]), (4, 2, 3), "depth")
    same(node["unread_bytes"], 40, "unread")
