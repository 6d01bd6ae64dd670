# SPDX-License-Identifier: GPL-2.0
"""What strace saw each process move through pipes, FIFOs and UNIX sockets.

sums(FILE) reads the output of `strace -f -yy -s 0 -e trace=CALLS` and returns
{(pid, kind, object, "read"|"write"): bytes}: kind is "pipe", "fifo" or "unix"; object is the pipe's inode, and None for
the others, whose names the two programs write differently. A FIFO is known by having "fifo" in its name.
"""
import os
import re
from collections import Counter

READS = {"read", "readv", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "recvmmsg"}
WRITES = {"write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "vmsplice"}
MAKERS = {"pipe", "pipe2"}
COPIES = {"splice": (0, 2), "tee": (None, 1), "sendfile": (1, 0)}  # (argument read from, argument written to)
CALLS = ",".join(sorted(READS | WRITES | set(COPIES) | MAKERS | {"clone", "clone3", "fork", "vfork", "exit", "exit_group"}))

LINE = re.compile(r"^(\d+)\s+(.*)$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(.*)$")
FD = re.compile(r"\b\d+<((?:[^<>\\]|\\.|->)*)>")
PIPE = re.compile(r"^pipe:\[(\d+)\]$")


def kind_of(name):
    pipe = PIPE.match(name)
    if pipe:
        return "pipe", int(pipe[1])
    if name.startswith("UNIX"):
        return "unix", None
    return ("fifo", None) if "fifo" in os.path.basename(name) else None


def calls(path):
    """(tid, name, arguments, result) of each call that returned a number, halves put together."""
    halves = {}
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            m = LINE.match(line.rstrip("\n"))
            if not m:
                continue
            tid, rest = int(m[1]), m[2]
            if rest.endswith("<unfinished ...>"):
                halves[tid] = rest[:-len("<unfinished ...>")].rstrip()
                continue
            again = RESUMED.match(rest)
            if again:
                rest = halves.pop(tid, again[1] + "(") + again[2].lstrip()
            call = CALL.match(rest)
            if call:
                yield tid, call[1], call[2], int(call[3])


def moved(name, args, ret, read_ends):
    """[(descriptor's name, direction, bytes)] of one call."""
    fds = FD.findall(args)
    if name in COPIES:
        source, target = COPIES[name]
        out = []
        # Descriptors that strace cannot name are missing from fds: take them by argument.
        parts = re.split(r", (?![^<]*>)", args)
        for index, way in ((source, "read"), (target, "write")):
            found = FD.match(parts[index]) if index is not None and index < len(parts) else None
            if found:
                out.append((found[1], way, ret))
        return out
    first = FD.match(args)
    if not fds or not first or (name in READS and "MSG_PEEK" in args):
        return []
    if name in ("recvmmsg", "sendmmsg"):
        ret = sum(int(n) for n in re.findall(r"msg_len=(\d+)", args))
    reads = name in READS or (name == "vmsplice" and args.split(",")[0] in read_ends)
    return [(first[1], "read" if reads else "write", ret)]


def sums(path):
    by_thread = Counter()
    group = {}  # thread -> the thread that made it
    read_ends = set()  # "3<pipe:[77]>"
    for tid, name, args, ret in calls(path):
        if name in MAKERS and ret == 0:
            read_ends.add(args[1:].split(",")[0])
        elif ret > 0 and "CLONE_THREAD" in args:
            group[ret] = tid
        elif ret > 0:
            for fd, way, count in moved(name, args, ret, read_ends):
                known = kind_of(fd)
                if known and count:
                    by_thread[(tid, *known, way)] += count
    total = Counter()
    for (tid, *rest), count in by_thread.items():
        while tid in group:
            tid = group[tid]
        total[(tid, *rest)] += count
    return total
