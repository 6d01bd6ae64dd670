# SPDX-License-Identifier: GPL-2.0
"""Programs that read what views write: each returns None, what is wrong, or Skip with the reason."""
import io
import json
import os
import re
import shutil
import subprocess

try:
    import networkx
except ImportError:
    networkx = None

HERE = os.path.dirname(os.path.abspath(__file__))


class Skip(str):
    pass


NO_NETWORKX = Skip("python3-networkx is not installed")


def by_schema(schema, got):
    if not shutil.which("xmllint"):
        return Skip("xmllint is not installed")
    p = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", os.path.join(HERE, "schema", schema), "-"], input=got,
                       capture_output=True, timeout=60)
    return p.stderr.decode(errors="replace").strip() if p.returncode else None


def same_counts(g, want, what):
    """want: (nodes, links) as the JSON graph has them."""
    have = (g.number_of_nodes(), g.number_of_edges())
    return None if have == want else f"{what} finds {have} nodes and links, the JSON graph has {want}"


def same_bytes(g, graph):
    """Every flow of the JSON graph, with its numbers."""
    have = sorted((u, v, d["bytes"], d["messages"]) for u, v, d in g.edges(data=True) if d.get("kind") == "flow")
    want = sorted((l["source"], l["target"], l["bytes"], l["messages"]) for l in graph["links"] if l["kind"] == "flow")
    return None if have == want else f"flows are {have}, not {want}"


def counts(graph):
    return len(graph["nodes"]), len(graph["links"])


def networkx_reads(read, got, graph):
    if not networkx:
        return NO_NETWORKX
    try:
        g = read(io.BytesIO(got))
    except Exception as e:  # whatever a reader does not like
        return repr(e)
    return same_counts(g, counts(graph), "networkx") or same_bytes(g, graph)


def cytoscape(got, graph):
    if not networkx:
        return NO_NETWORKX
    g = networkx.cytoscape_graph(json.loads(got.decode()))
    return same_counts(g, counts(graph), "networkx") or same_bytes(g, graph)


def mermaid(got, graph):
    """Its own parser is a browser's; here: what GitHub refuses, and that nothing but the known lines is there."""
    text = got.decode()
    name, label = r"[pc][0-9a-f_]+", r'"[^"<>\[\](){}|`;]*(?:(?:<br/>|#\d+;)[^"<>\[\](){}|`;]*)*"'
    line = re.compile(rf"^(%% .*|flowchart LR|\s*{name}(\[{label}\]|\(\[{label}\]\))|\s*style {name} stroke:#[0-9a-f]{{6}}"
                      rf"|  {name} (-\.- |(---|-\.->|-->)\|{label}\| ){name}|  linkStyle \d+ stroke:#[0-9a-f]{{6}}"
                      rf"|  subgraph g\d+ \[{label}\]|  end)$")
    bad = [l for l in text.splitlines() if not line.match(l)]
    links = len(re.findall(r"^  " + name + r" (?:-\.-|---|-->)", text, re.M))
    if bad:
        return f"lines that are no flowchart: {bad[:3]}"
    return "too large" if links > 500 or len(text) > 50000 else None


READERS = {
    "graph.graphml": {
        "schema": lambda got, graph: by_schema("graphml.xsd", got),
        "networkx": lambda got, graph: networkx_reads(networkx and networkx.read_graphml, got, graph),
    },
    "graph.gexf": {
        "schema": lambda got, graph: by_schema("gexf.xsd", got),
        "networkx": lambda got, graph: networkx_reads(networkx and networkx.read_gexf, got, graph),
    },
    "graph.cytoscape": {"networkx": cytoscape},
    "graph.mermaid": {"lines": mermaid},
}
