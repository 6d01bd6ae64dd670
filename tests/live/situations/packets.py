# SPDX-License-Identifier: GPL-2.0
"""Pipes that keep packets (O_DIRECT)."""
import os

from kit import channel, child, end, links, node_of, same, situation


@situation("pipe", graph=True)
def packets_that_are_cut_of_writers_that_take_turns(t):
    r, w = os.pipe2(os.O_DIRECT)
    name = os.readlink(f"/proc/self/fd/{r}")

    def writer(size):
        for _ in range(20):
            same(os.write(w, bytes([size]) * size), size, "write")

    def reader():
        for _ in range(40):
            same(len(os.read(r, 40)), 40, "read")
    taker = child(reader)
    writers = [child(writer, 50), child(writer, 60)]
    end(taker, *writers)
    graph = t.stop()
    flows = {x["source"]: (x["messages"], x["bytes"]) for x in links(graph, kind="flow", channel=name)}
    same(flows, {node_of(graph, p): (20, 800) for p in writers}, "flows")
    same(channel(graph, name)["discarded_bytes"], 20 * 10 + 20 * 20, "discarded")
