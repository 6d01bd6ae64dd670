# SPDX-License-Identifier: GPL-2.0
"""What is in nobody's hands when the trace begins: connections not accepted yet, descriptors not received yet."""
import os
import socket
import tempfile

from kit import Gate, channel, child, end, links, node_of, same, situation


def channels_of(graph, *pids):
    """What these processes used; the machine has other sockets, too."""
    nodes = {node_of(graph, pid) for pid in pids}
    return {x["target"] if x["source"] in nodes else x["source"] for x in links(graph, kind="end")
            if nodes & {x["source"], x["target"]}}


class Listener:
    """A server that has not accepted, and a client that has connected and sent, before the trace."""

    def __init__(self, kind=socket.SOCK_STREAM, closes=False):
        self.where = tempfile.TemporaryDirectory(prefix="ipctrace-waiting-")
        self.path = os.path.join(self.where.name, "s")
        self.name = f"unix:{self.path}"
        self.s = socket.socket(socket.AF_UNIX, kind)
        self.s.bind(self.path)
        self.s.listen(16)
        self.connected, self.go = Gate(), Gate()
        self.kind, self.closes = kind, closes
        self.client = child(self.run)
        self.connected.wait()

    def run(self):
        self.s.close()
        c = socket.socket(socket.AF_UNIX, self.kind)
        c.connect(self.path)
        c.sendall(b"early")
        if self.closes:
            c.close()
        self.connected.open()
        self.go.wait()
        if self.closes:
            return
        c.sendall(b"now")
        self.talk(c)

    def talk(self, c):
        same(c.recv(100), b"answer", "answer")

    def serve(self, want):
        c, _ = self.s.accept()
        got = b""
        while len(got) < want:
            got += c.recv(100)
        if not self.closes:
            c.sendall(b"answer")


def stream():
    return Listener()


def check_accepted(t, w):
    w.go.open()
    server = child(w.serve, 8)
    end(w.client, server)
    graph = t.stop()
    same(channels_of(graph, w.client, server), {w.name}, "channels")
    flows = {(x["source"], x["target"]): (x["bytes"], x["attr"]) for x in links(graph, kind="flow", channel=w.name)}
    a, b = node_of(graph, w.client), node_of(graph, server)
    same(flows, {(a, b): (3, "exact"), (b, a): (6, "exact")}, "flows")
    same(channel(graph, w.name)["unattributed_bytes"], 5, "from before the trace")


@situation("unix-stream", graph=True, before=stream)
def a_connection_that_waits_to_be_accepted(t, w):
    check_accepted(t, w)


@situation("unix-seqpacket", graph=True, before=lambda: Listener(socket.SOCK_SEQPACKET))
def a_connection_of_packets_that_waits_to_be_accepted(t, w):
    check_accepted(t, w)


class Impatient(Listener):
    def talk(self, c):
        pass


@situation("unix-stream", graph=True, before=Impatient)
def a_connection_that_is_never_accepted(t, w):
    w.go.open()
    end(w.client)
    graph = t.stop()
    same(channels_of(graph, w.client), {w.name}, "channels")
    same(channel(graph, w.name)["unread_bytes"], 3, "unread")


@situation("unix-stream", graph=True, before=lambda: Listener(closes=True))
def a_connection_whose_client_has_gone_before_it_is_accepted(t, w):
    w.go.open()
    end(w.client)
    server = child(w.serve, 5)
    end(server)
    graph = t.stop()
    same(channels_of(graph, server), {w.name}, "channels")
    same(links(graph, kind="flow", channel=w.name), [], "flows")
    same(channel(graph, w.name)["unattributed_bytes"], 5, "from before the trace")


class Handed:
    """A connection that its server accepted and sent on to a worker, who has not received it."""

    def __init__(self):
        self.where = tempfile.TemporaryDirectory(prefix="ipctrace-waiting-")
        self.path = os.path.join(self.where.name, "s")
        self.name = f"unix:{self.path}"
        self.connected, self.go = Gate(), Gate()
        s = socket.socket(socket.AF_UNIX)
        s.bind(self.path)
        s.listen()
        self.client = child(self.run)
        c, _ = s.accept()
        s.close()
        self.connected.wait()
        self.master, self.worker = socket.socketpair()
        socket.send_fds(self.master, [b"x"], [c.fileno()])
        c.close()

    def run(self):
        c = socket.socket(socket.AF_UNIX)
        c.connect(self.path)
        c.sendall(b"early")
        self.connected.open()
        self.go.wait()
        c.sendall(b"now")
        same(c.recv(100), b"answer", "answer")

    def work(self):
        _, fds, _, _ = socket.recv_fds(self.worker, 10, 4)
        c = socket.socket(fileno=fds[0])
        got = b""
        while len(got) < 8:
            got += c.recv(100)
        c.sendall(b"answer")


@situation("unix-stream", graph=True, before=Handed)
def a_connection_on_its_way_to_a_worker(t, w):
    w.go.open()
    worker = child(w.work)
    end(w.client, worker)
    graph = t.stop()
    flows = {(x["source"], x["target"]): (x["bytes"], x["attr"]) for x in links(graph, kind="flow", channel=w.name)}
    a, b = node_of(graph, w.client), node_of(graph, worker)
    same(flows, {(a, b): (3, "exact"), (b, a): (6, "exact")}, "flows")
    same(channel(graph, w.name)["unattributed_bytes"], 5, "from before the trace")


class Fifo:
    """Both ends of a pipe, and its content, lie in a socket; nobody has it open."""

    def __init__(self):
        self.master, self.worker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        r, w = os.pipe()
        self.name = os.readlink(f"/proc/self/fd/{r}")
        os.write(w, b"early")
        socket.send_fds(self.master, [b"x"], [r, w])
        os.close(r)
        os.close(w)

    def work(self):
        _, fds, _, _ = socket.recv_fds(self.worker, 10, 4)
        same(os.read(fds[0], 3), b"ear", "read")
        os.write(fds[1], b"now")
        same(os.read(fds[0], 100), b"lynow", "read")


@situation("pipe,unix", graph=True, before=Fifo)
def a_pipe_on_its_way(t, w):
    worker = child(w.work)
    end(worker)
    graph = t.stop()
    flow, = links(graph, kind="flow", channel=w.name)
    same((flow["source"], flow["target"], flow["bytes"], flow["attr"]),
         (node_of(graph, worker), node_of(graph, worker), 3, "exact"), "flow")
    same(channel(graph, w.name)["unattributed_bytes"], 5, "from before the trace")
