# SPDX-License-Identifier: GPL-2.0
"""Many objects, many processes."""
import os

from kit import child, end, links, node_of, same, situation
from queues import receive, remove as remove_queue, queue, send
from semaphores import add, eventfd, make, op, remove, take


@situation("sysv-sem", graph=True)
def three_hundred_short_lived_posters(t):
    s = make()
    posters = []
    for _ in range(300):
        posters.append(child(op, s, (0, 1, 0)))
        end(posters[-1])
    w = child(op, s, (0, -300, 0))
    end(w)
    remove(s)
    graph = t.stop()
    flows = links(graph, kind="flow", channel=f"sem:{s}")
    same({(x["messages"], x["attr"]) for x in flows}, {(1, "exact")}, "flows")
    same({x["source"] for x in flows}, {node_of(graph, p) for p in posters}, "posters")
    same({x["target"] for x in flows}, {node_of(graph, w)}, "waiter")


@situation("sysv-msg", graph=True)
def three_hundred_short_lived_senders(t):
    q = queue()
    senders = []
    for i in range(300):
        senders.append(child(send, q, i + 1, b"x" * (i % 7)))
        end(senders[-1])
    order = list(range(300))
    order.sort(key=lambda i: i * 7 % 300)
    r = child(lambda: [receive(q, i + 1) for i in order])
    end(r)
    remove_queue(q)
    graph = t.stop()
    flows = {x["source"]: (x["messages"], x["bytes"], x["attr"]) for x in links(graph, kind="flow", channel=f"msg:{q}")}
    same(flows, {node_of(graph, p): (1, i % 7, "exact") for i, p in enumerate(senders)}, "flows")


@situation("sysv-sem", graph=True)
def ten_thousand_semaphores_in_forty_sets(t):
    sets = [make(250) for _ in range(40)]

    def post():
        for s in sets:
            for at in range(0, 250, 50):
                same(op(s, *((at + i, 1, 0) for i in range(50))), 0, "semop")

    def wait():
        for s in sets:
            for at in range(0, 250, 50):
                same(op(s, *((at + i, -1, 0) for i in range(50))), 0, "semop")
    a = child(post)
    w = child(wait)
    end(a, w)
    for s in sets:
        remove(s)
    graph = t.stop()
    flows = [x for x in links(graph, kind="flow") if x["source"] == node_of(graph, a)]
    same((sum(x["messages"] for x in flows), {x["attr"] for x in flows}, {x["target"] for x in flows}),
         (10000, {"exact"}, {node_of(graph, w)}), "flows")


@situation("eventfd", graph=True)
def ten_thousand_eventfds(t):
    r, w = os.pipe()

    def all_of_them():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (10200, 10200))
        fds = [eventfd() for _ in range(10000)]
        a = child(lambda: [add(fd, 1) for fd in fds])
        end(a)
        b = child(lambda: [take(fd) for fd in fds])
        end(b)
        os.write(w, b"%d %d" % (a, b))
    end(child(all_of_them))
    a, b = (int(x) for x in os.read(r, 100).split())
    graph = t.stop()
    flows = [x for x in links(graph, kind="flow") if x["source"] == node_of(graph, a)]
    same((len(flows), {(x["messages"], x["attr"], x["target"]) for x in flows}),
         (10000, {(1, "exact", node_of(graph, b))}), "flows")
