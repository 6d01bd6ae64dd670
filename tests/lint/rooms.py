#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Which room may include what. The table is the one of docs/ARCHITECTURE.md; a change there is a change here."""
import pathlib
import re
import sys

# room: what its quoted includes may begin with; a name with a slash at its end is a room, others are single files.
ROOMS = {
    "include/ipctrace": ["ipctrace/", "vmlinux.h"],
    "bpf": ["ipctrace/", "vmlinux.h", "*.bpf.h", "*.bpf.c"],
    "base": ["base/"],
    "event": ["event/", "base/", "ipctrace/"],
    "model": ["model/", "base/"],
    "mech": ["mech/", "base/", "event/", "ipctrace/", "model/op.h"],
    "store": ["store/", "base/", "event/", "ipctrace/"],
    "kern": ["kern/", "base/", "event/", "ipctrace/", "mech/mech.h", "ipctrace.skel.h"],
    "symbol": ["symbol/", "base/"],
    "view": ["view/", "base/", "event/", "model/", "mech/mech.h", "page_hashes.h"],
    "export": ["export/", "base/", "model/", "view/", "mech/mech.h"],
    "tui": ["tui/", "base/", "model/", "view/", "mech/mech.h"],
    # The workload knows the truth on its own: of the tracer it has options, memory and messages only.
    "workload": ["workload/", "base/opts.h", "base/buf.h", "base/vec.h", "base/log.h"],
    "bench": ["bench/", "base/"],
    "cmd": ["cmd/", "base/", "event/", "model/", "mech/", "store/", "kern/", "symbol/", "view/", "export/", "tui/", "workload/", "bench/",
            "ipctrace/mech.h", "ipctrace/config.h"],
    "main.c": ["cmd/", "base/"],
}

# System headers that belong to one room.
ONLY = [
    (r"bpf/", {"kern", "bpf"}),
    (r"(ncursesw?/|n?curses\.h|panel\.h|menu\.h)", {"tui"}),
    (r"(elfutils/|libelf\.h|gelf\.h|dwarf\.h|libdw)", {"symbol"}),
    (r"zstd\.h", {"store"}),
    (r"microhttpd\.h", {"cmd"}),
    (r"sqlite3\.h", {"export"}),
]

# The model neither reads nor writes nor looks at a clock.
MODEL_NOT = r"(stdio|time|unistd|fcntl|poll|signal)\.h|sys/"


def room_of(path):
    parts = path.parts
    if parts[0] == "src":
        return parts[1]
    return "bpf" if parts[0] == "bpf" else "include/ipctrace"


def quoted_ok(room, name):
    if "/" not in name and name.endswith((".bpf.h", ".bpf.c")):
        return "*.bpf.h" in ROOMS[room]
    return any(name == may or (may.endswith("/") and name.startswith(may)) for may in ROOMS[room])


def angle_ok(room, name):
    if room == "model" and re.match(MODEL_NOT, name):
        return False
    if room == "include/ipctrace" and name != "linux/types.h":
        return False
    if room == "bpf" and not name.startswith("bpf/"):
        return False
    return all(room in rooms for pattern, rooms in ONLY if re.match(pattern, name))


def problems(path):
    room = room_of(path)
    if room not in ROOMS:
        yield f"{path}: no room '{room}' in the table"
        return
    text = path.read_text(errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if not m:
            continue
        if m[1] and not quoted_ok(room, m[1]):
            yield f"{path}:{number}: room '{room}' may not include \"{m[1]}\""
        if m[2] and not angle_ok(room, m[2]):
            yield f"{path}:{number}: room '{room}' may not include <{m[2]}>"


def main():
    files = sorted(p for top in ("src", "bpf", "include") for p in pathlib.Path(top).rglob("*.[ch]"))
    bad = 0
    for path in files:
        for problem in problems(path):
            print(f"# {problem}")
            bad += 1
    if not files:
        bad = 1
        print("# no sources: run this from the root of the tree")
    print(f"not ok - lint/rooms: {bad} includes break the room rules" if bad else "ok - lint/rooms")
    return 1 if bad else 0


sys.exit(main())
