# SPDX-License-Identifier: GPL-2.0
"""Processes that control others, look into them, or hand descriptors over."""
import array
import ctypes
import errno
import os
import signal
import socket

from kit import Gate, call, child, end, links, node_of, of, only, same, situation

PTRACE, VM_READ, VM_WRITE, PIDFD_OPEN, PIDFD_GETFD = 101, 310, 311, 434, 438
PEEKDATA, POKEDATA, CONT, ATTACH, DETACH, SYSCALL, SEIZE, INTERRUPT = 2, 5, 7, 16, 17, 24, 0x4206, 0x4207


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def ptrace(request, pid, addr=0, data=0):
    word = ctypes.c_long()
    if request == PEEKDATA:
        data = ctypes.addressof(word)
    return call(PTRACE, request, pid, ctypes.c_void_p(addr), ctypes.c_void_p(data))


@situation("ptrace", graph=True)
def a_debugger_attaches_looks_writes_and_detaches(t):
    target, debugger_done = Gate(), Gate()
    word = ctypes.c_long(42)
    victim = child(target.wait)

    def debugger():
        same(ptrace(ATTACH, victim), 0, "attach")
        os.waitpid(victim, 0)
        for _ in range(5):
            same(ptrace(PEEKDATA, victim, ctypes.addressof(word)), 0, "peek")
        for _ in range(3):
            same(ptrace(POKEDATA, victim, ctypes.addressof(word), 7), 0, "poke")
        same(ptrace(PEEKDATA, victim, 8), -errno.EIO, "a bad address")
        same(ptrace(DETACH, victim), 0, "detach")
    d = child(debugger)
    end(d)
    target.open()
    end(victim)
    graph = t.stop()
    flow = only(links(graph, kind="flow", mech="ptrace", source=node_of(graph, d)))
    same((flow["target"], flow["messages"], flow["attr"]), (node_of(graph, victim), 10, "exact"), "flow")


@situation("ptrace")
def memory_is_read_and_written_across_processes(t):
    stop = Gate()
    data = ctypes.create_string_buffer(b"x" * 999)
    victim = child(stop.wait)
    here = ctypes.create_string_buffer(999)

    def reader():
        local, remote = Iovec(ctypes.addressof(here), 600), Iovec(ctypes.addressof(data), 600)
        same(call(VM_READ, victim, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0), 600, "read")
        local.len = remote.len = 50
        same(call(VM_WRITE, victim, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0), 50, "write")
        bad = Iovec(8, 10)
        same(call(VM_READ, victim, ctypes.byref(local), 1, ctypes.byref(bad), 1, 0), -errno.EFAULT, "bad address")
    r = child(reader)
    end(r)
    stop.open()
    end(victim)
    rows = of(t.stop(), type="message")
    same(only(rows, src=victim, dst=r)["bytes"], 600, "bytes read")
    same(only(rows, src=r, dst=victim)["bytes"], 50, "bytes written")


@situation("ptrace,pipe", "--ops")
def a_descriptor_taken_out_of_a_process(t):
    r, w = os.pipe()
    stop = Gate()
    victim = child(stop.wait)

    def thief():
        pidfd = call(PIDFD_OPEN, victim, 0)
        os.close(w)
        got = call(PIDFD_GETFD, pidfd, w, 0)
        same(os.write(got, b"stolen"), 6, "write")
    p = child(thief)
    end(p)
    stop.open()
    end(victim)
    rows = of(t.stop(), type="op")
    op = only([x for x in of(rows, task=p, op="pass")])
    same(op["ret"] >= 0, True, "result")


@situation("unix-stream,pipe")
def a_passed_descriptor_is_followed_to_its_receiver(t):
    a, b = socket.socketpair()
    r, w = os.pipe()

    def sender():
        a.sendmsg([b"here"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [w]))])

    def receiver():
        os.close(w)
        msg, anc, _, _ = b.recvmsg(100, socket.CMSG_SPACE(4))
        fd = array.array("i", anc[0][2][:4])[0]
        same(os.write(fd, b"through it"), 10, "write")
    s, p = child(sender), 0
    end(s)
    p = child(receiver)
    end(p)
    ino = os.fstat(r).st_ino
    same(os.read(r, 100), b"through it", "read")
    rows = of(t.stop(), type="message")
    m = only(rows, mech="unix-stream", src=s, dst=p)
    same(len(m["fds"]), 1, "descriptors")
    fd = m["fds"][0]
    same((fd.get("object"), fd.get("from_fd", fd.get("src_fd"))), (f"pipe:[{ino}]", w), f"descriptor {fd}")
    same(only(rows, mech="pipe", src=p, dst=os.getpid())["attr"], "exact", "what went through it")


@situation("unix-dgram,unix-seqpacket,unix-stream")
def many_descriptors_in_one_message(t):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        a, b = socket.socketpair(socket.AF_UNIX, kind)
        fds = [os.pipe()[0] for _ in range(20)]
        s = child(lambda: a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]))
        end(s)
        b.recvmsg(10, socket.CMSG_SPACE(4 * 20))
    rows = [m for m in of(t.stop(), type="message", dst=os.getpid()) if m.get("fds")]
    same([len(m["fds"]) for m in rows], [20, 20], "descriptors")


@situation("ptrace", graph=True)
def a_command_that_is_traced_from_its_start(t):
    def target():
        ptrace(0, 0)  # PTRACE_TRACEME
        os.kill(os.getpid(), signal.SIGSTOP)
        for _ in range(9):
            os.getppid()

    def debugger():
        victim = child(target)
        os.waitpid(victim, os.WUNTRACED)
        for _ in range(2):
            same(ptrace(SYSCALL, victim), 0, "syscall")
            os.waitpid(victim, 0)
        same(ptrace(CONT, victim), 0, "cont")
        end(victim)
        os.write(w, b"%d" % victim)
    r, w = os.pipe()
    d = child(debugger)
    end(d)
    victim = int(os.read(r, 20))
    graph = t.stop()
    flow = only(links(graph, kind="flow", mech="ptrace", source=node_of(graph, d)))
    same((flow["target"], flow["messages"], flow["attr"]), (node_of(graph, victim), 3, "exact"), "flow")
