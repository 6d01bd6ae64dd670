# SPDX-License-Identifier: GPL-2.0
"""Whether two kinds of hook saw the same: the graphs of one workload, run under each, without what differs by run."""
import json
import os


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def shape(base, mech):
    """
    What the graph says about the objects of the workload's truth, without process numbers, names and times. How sure it is may
    differ on a busy machine, and is said where the graph is held against the truth.
    """
    objects = {row["object"] for row in rows(base + ".truth") if row["mech"] == mech}
    with open(base + ".graph", encoding="utf-8") as f:
        graph = json.load(f)
    channels = {n["id"] for n in graph["nodes"] if n.get("kind") == "channel" and n["object"] in objects}
    found = []
    for link in graph["links"]:
        if link["kind"] == "flow" and link.get("channel") in channels:
            found.append(("flow", link["messages"], link["bytes"]))
        elif link["kind"] == "end" and (link["source"] in channels or link["target"] in channels):
            found.append(("end", link["role"], link["bytes"]))
        elif link["kind"] == "share" and link.get("channel") in channels:
            found.append(("share",))
    return sorted(map(str, found))


def differences(out_dir, run, rungs, mechs):
    """Yields "MECH: A has ..., B has ..." where the second kind of hook saw other than the first."""
    bases = [os.path.join(out_dir, f"{rung}.{run}") for rung in rungs]
    for mech in mechs:
        first, second = (shape(base, mech) for base in bases)
        if first == second:
            continue
        only = [sorted(set(a) - set(b)) for a, b in ((first, second), (second, first))]
        yield f"{mech}: only {rungs[0]} has {only[0][:3]}, only {rungs[1]} has {only[1][:3]}"
