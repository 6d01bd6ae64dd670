# SPDX-License-Identifier: GPL-2.0
"""The same sums from ipctrace's graph, and what in a graph is doubtful or does not add up."""
from collections import Counter

KINDS = {"pipe": "pipe", "fifo": "fifo", "unix-stream": "unix", "unix-dgram": "unix", "unix-seqpacket": "unix"}


def pid_of(node):
    return int(node.split(".")[0]) if node.split(".")[0].isdigit() else node


def object_of(channel):
    return int(channel[len("pipe:["):-1]) if channel.startswith("pipe:[") else None


def sums(graph):
    total = Counter()
    for link in graph["links"]:
        if link["kind"] != "end" or link["mech"] not in KINDS:
            continue
        way = "read" if link["target"].split(".")[0].isdigit() and ":" not in link["target"] else "write"
        task, channel = (link["target"], link["source"]) if way == "read" else (link["source"], link["target"])
        total[(pid_of(task), KINDS[link["mech"]], object_of(channel), way)] += link["bytes"]
    return Counter({key: n for key, n in total.items() if n})


def doubts(graph):
    """What is not exact: [(mechanism, channel, what, how much)]."""
    out = []
    for mech, count in graph["graph"]["lost"].items():
        if count:
            out.append((mech, "-", "lost", count))
    for link in graph["links"]:
        if link["kind"] == "flow" and link.get("attr", "exact") != "exact":
            out.append((link["mech"], link["channel"], f"{link['attr']} {link['source']} -> {link['target']}",
                        link["bytes"]))
    for node in graph["nodes"]:
        for what, value in node.items():
            if node["kind"] == "channel" and value and what.startswith(("un", "doubt", "lost", "candidate")):
                out.append((node["mech"], node["id"], what, value))
    return out


def imbalance(graph):
    """Channels whose sums do not agree: what was written is taken, unread or discarded; what was taken came from someone."""
    wrote, took, flowed = Counter(), Counter(), Counter()
    for link in graph["links"]:
        if link.get("mech") not in KINDS:
            continue
        if link["kind"] == "flow":
            flowed[link["channel"]] += link["bytes"]
        elif link["kind"] == "end":
            to_channel = ":" in link["target"]
            (wrote if to_channel else took)[link["target" if to_channel else "source"]] += link["bytes"]
    out = []
    channels = {node["id"]: node for node in graph["nodes"] if node["kind"] == "channel"}
    for name in sorted(set(wrote) | set(took) | set(flowed)):
        node = channels.get(name, {})
        old = node.get("unattributed_bytes", 0)
        left = node.get("unread_bytes", 0) + node.get("discarded_bytes", 0)
        if took[name] != flowed[name] + old:
            out.append(f"{name}: readers took {took[name]}, flows are {flowed[name]} and {old} bytes unattributed")
        elif wrote[name] != flowed[name] + left:
            out.append(f"{name}: written {wrote[name]}, flows are {flowed[name]} and {left} bytes unread or discarded")
    return out
