# SPDX-License-Identifier: GPL-2.0
"""Sockets over IP and terminals."""
import fcntl
import os
import pty
import socket
import struct
import tty

from kit import call, child, end, of, only, same, situation


def echo_free(fd):
    tty.setraw(fd)


@situation("pty")
def both_sides_of_a_terminal(t):
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    echo_free(slave)
    program = child(lambda: same(os.write(slave, b"output"), 6, "write"))
    end(program)
    emulator = child(lambda: same(os.read(master, 100), b"output", "read"))
    end(emulator)
    keyboard = child(lambda: same(os.write(master, b"typed"), 5, "write"))
    end(keyboard)
    shell = child(lambda: same(os.read(slave, 100), b"typed", "read"))
    end(shell)
    rows = of(t.stop(), type="message", object=f"pty:{name}")
    out, typed = only(rows, src=program), only(rows, src=keyboard)
    same((out["dst"]["pid"], out["bytes"], typed["dst"]["pid"], typed["bytes"]), (emulator, 6, shell, 5), "messages")


@situation("pty")
def lines_that_are_edited_and_echoed(t):
    master, slave = pty.openpty()
    name = os.ttyname(slave)
    keyboard = child(lambda: same(os.write(master, b"lsx\x7f\n"), 5, "write"))
    end(keyboard)
    shell = child(lambda: same(os.read(slave, 100), b"ls\n", "read"))
    end(shell)
    rows = of(t.stop(), type="message", object=f"pty:{name}")
    m = only(rows, dst=shell)
    same((m["src"]["pid"], m["bytes"]), (keyboard, 3), "message")


def serve(family, address, kind=socket.SOCK_STREAM):
    s = socket.socket(family, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, 0))
    if kind == socket.SOCK_STREAM:
        s.listen()
    return s


def over_tcp(family, address, target=None):
    s = serve(family, address)
    port = s.getsockname()[1]

    def client():
        c = socket.create_connection((target or address, port))
        c.sendall(b"question")
        same(c.recv(100), b"answer", "answer")

    def server():
        c, _ = s.accept()
        same(c.recv(100), b"question", "question")
        c.sendall(b"answer")
        c.recv(1)
    a, b = child(client), child(server)
    end(a, b)
    return a, b


def check_tcp(t, pairs):
    rows = of(t.stop(), type="message")
    for a, b in pairs:
        q, r = only(rows, src=a, dst=b), only(rows, src=b, dst=a)
        same((q["bytes"], q["attr"], r["bytes"], r["attr"]), (8, "exact", 6, "exact"), "messages")
        same(q["object"], r["object"], "one connection, one object")


@situation("tcp")
def any_local_address(t):
    pairs = [over_tcp(socket.AF_INET, "127.0.0.1"), over_tcp(socket.AF_INET, "127.3.2.1"),
             over_tcp(socket.AF_INET, "0.0.0.0", "127.0.0.1"), over_tcp(socket.AF_INET6, "::1"),
             over_tcp(socket.AF_INET6, "::", "127.0.0.1")]
    check_tcp(t, pairs)


@situation("tcp")
def another_network_namespace(t):
    r, w = os.pipe()

    def inside():
        same(call(272, 0x40000000), 0, "unshare")  # CLONE_NEWNET
        s = socket.socket()
        req = struct.pack("16sh14x", b"lo", 1)
        fcntl.ioctl(s, 0x8914, req)  # SIOCSIFFLAGS: up
        os.write(w, b"%d %d" % over_tcp(socket.AF_INET, "127.0.0.1"))
    end(child(inside))
    check_tcp(t, [tuple(int(x) for x in os.read(r, 100).split())])


@situation("udp")
def several_senders_to_one_socket(t):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        s = serve(family, address, socket.SOCK_DGRAM)
        for i in range(1, 4):
            end(child(lambda n=i: socket.socket(family, socket.SOCK_DGRAM).sendto(b"x" * n, s.getsockname())))
        s.recv(100)
        s.recv(100)
        s.recv(1)
    rows = of(t.stop(), type="message", dst=os.getpid())
    same([(m["bytes"], m["attr"]) for m in rows], [(1, "exact"), (2, "exact"), (1, "exact")] * 2, "messages")
    same(len({m["src"]["pid"] for m in rows}), 6, "senders")


@situation("udp")
def a_shared_socket_with_two_senders(t):
    s = serve(socket.AF_INET, "127.0.0.1", socket.SOCK_DGRAM)
    c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    c.connect(s.getsockname())
    senders = [child(lambda n=i: c.send(b"x" * n)) for i in (1, 2, 3)]
    end(*senders)
    for _ in senders:
        s.recv(100)
    rows = of(t.stop(), type="message", dst=os.getpid())
    same(sorted((m["src"]["pid"], m["bytes"], m["attr"]) for m in rows),
         sorted((p, i, "exact") for i, p in enumerate(senders, 1)), "messages")


@situation("udp")
def nobody_listens(t):
    s = serve(socket.AF_INET, "127.0.0.1", socket.SOCK_DGRAM)
    address = s.getsockname()
    s.close()
    p = child(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"lost", address))
    end(p)
    same(of(t.stop(), type="message", src=p), [], "messages")


@situation("tcp", graph=True)
def a_connection_to_nobody_is_no_edge(t):
    s = serve(socket.AF_INET, "127.0.0.1")
    address = s.getsockname()
    s.close()

    def client():
        try:
            socket.create_connection(address)
        except ConnectionRefusedError:
            return
        raise AssertionError("connected")
    p = child(client)
    end(p)
    same([x for x in t.stop()["links"] if x["kind"] == "flow" and x["source"].startswith(f"{p}.")], [], "flows")
