# SPDX-License-Identifier: GPL-2.0
"""How long messages were under way, where the receive may return before the send does."""
import os

from kit import Gate, blocked, child, end, of, same, situation

READ, WRITE = 0, 1


@situation("pipe")
def a_reader_that_was_waiting(t):
    """Nobody else has this end of the pipe: the cheapest way to trace a write, which leaves out what it can."""
    def reader():
        os.close(w)
        while os.read(r, 1):
            pass
    r, w = os.pipe()
    p = child(reader)
    os.close(r)
    for _ in range(20):
        blocked(p, READ)
        os.write(w, b"x")
    os.close(w)
    end(p)
    rows = of(t.stop(), type="message", src=os.getpid(), dst=p)
    same([row["messages"] for row in rows], [1] * 20, "messages")
    assert all(row.get("latency_ns") for row in rows), rows


@situation("pipe")
def a_long_write_that_is_taken_piece_by_piece(t):
    def writer():
        os.write(w, bytes(size))
        gate.wait()
    gate = Gate()
    size = 300000
    r, w = os.pipe()
    p = child(writer)
    blocked(p, WRITE)
    got = 0
    while got < size:
        got += len(os.read(r, 10000))
    gate.open()
    end(p)
    rows = of(t.stop(), type="message", src=p, dst=os.getpid(), object=os.readlink(f"/proc/self/fd/{r}"))
    same(sum(row["bytes"] for row in rows), size, "bytes")
    same([row["messages"] for row in rows], [0] * (len(rows) - 1) + [1], "messages")
    assert all(row.get("latency_ns") for row in rows), rows
    # All count from the call of the write until it has returned, and from then on from its return.
    latencies = [row["latency_ns"] for row in rows]
    falls = [a for a, b in zip(latencies, latencies[1:]) if b < a]
    assert len(falls) <= 1, latencies
