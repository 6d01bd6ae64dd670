# SPDX-License-Identifier: GPL-2.0
"""graph's pictures, limits and --watch; serve, as a browser and a monitoring system see it. Needs root."""
import http.client
import json
import os
import signal
import subprocess
import tempfile
import threading

from cli import TIMEOUT, expect, is_root, report, run, skip, start

PIPES = "for i in 1 2 3 4 5 6 7 8 9; do echo $i | cat; done"
# Says "up" when a byte went through a pipe, then goes on until told to end: without its reader the writer ends, too.
TALKER = ("(while :; do echo x; sleep 0.01; done) | (read x; echo up >&2; exec cat >/dev/null) & "
          "trap \"kill $!; exit 0\" TERM; wait")


def flows(graph):
    return [l for l in graph["links"] if l["kind"] == "flow"]


def limits():
    got = run("graph", "-c", "2", "--json", "-o", "/dev/stdout", "--", "sh", "-c", f"({PIPES}) >/dev/null")
    if not expect("graph -c: status", got, 0):
        return
    # One receipt may end several messages of a byte stream; "cat" takes one line at a time here.
    receipts = sum(l["messages"] for l in flows(json.loads(got.stdout)))
    report("graph -c: exactly that many messages", None if receipts == 2 else f"{receipts}")


def pictures(directory):
    env = dict(os.environ, PATH=directory)
    for name in ["svg", "png"]:
        path = os.path.join(directory, "x." + name)
        got = run("graph", "-F", name, "-o", path, "-D", "0", env=env)
        expect(f"{name} without Graphviz", got, 1, "install graphviz", 1)
        report(f"{name} without Graphviz: no file", "there is one" if os.path.exists(path) else None)
    fake = os.path.join(directory, "dot")
    with open(fake, "w") as f:
        f.write("#!/bin/sh\necho 'Error: <stdin>: no memory' >&2\nexit 1\n")
    os.chmod(fake, 0o755)
    env["TMPDIR"] = directory
    got = run("graph", "-F", "svg", "-o", os.path.join(directory, "x.svg"), "-D", "0", env=dict(env, PATH=directory + ":/bin"))
    expect("Graphviz fails: its words are told", got, 1, "no memory")
    kept = [f for f in os.listdir(directory) if f.endswith(".dot")]
    report("Graphviz fails: the graph is kept", None if len(kept) == 1 and kept[0] in got.stderr else str(kept))
    os.unlink(fake)
    if subprocess.run(["sh", "-c", "command -v dot"], capture_output=True).returncode:
        skip("pictures", "graphviz is not installed")
        return
    for name, magic in [("svg", b"<?xml"), ("png", b"\x89PNG")]:
        path = os.path.join(directory, "picture." + name)
        expect(f"{name}: status", run("graph", "-F", name, "-o", path, "--", "sh", "-c", f"({PIPES}) >/dev/null"), 0)
        with open(path, "rb") as f:
            data = f.read()
        report(f"{name}: is one", None if data.startswith(magic) else repr(data[:20]))
    with open(os.path.join(directory, "picture.svg")) as f:
        text = f.read()
    report("svg: processes, legend and losses are in it",
           None if ">cat<" in text and "thicker" in text and "lost" in text else text[:300])


def slices(directory):
    """A recording's page has slices whose sums are the whole, for every line that carries traffic."""
    data, page = os.path.join(directory, "x.data"), os.path.join(directory, "x.html")
    expect("record for slices", run("record", "-o", data, "--", "sh", "-c", f"({PIPES}; seq 100 | cat) >/dev/null"), 0)
    for options in [["--slices", "7"], ["--slices", "7", "--fold"], ["--bipartite"]]:
        name = "slices " + " ".join(options)
        expect(name, run("graph", "-i", data, "-F", "html", "-o", page, *options), 0)
        with open(page) as f:
            shown = json.loads(f.read().split('id="data">')[1].split("</script>")[0])
        most = 7 if "--slices" in options else 30
        report(f"{name}: some, and not too many", None if 2 <= len(shown["slices"]) <= most else len(shown["slices"]))
        bad = []
        for i, edge in enumerate(e["data"] for e in shown["edges"]):
            if edge["kind"] == "flow" or (edge["kind"] == "end" and edge["mech"] == "pipe"):
                got = [sum(s["links"].get(str(i), [0, 0])[k] for s in shown["slices"]) for k in (0, 1)]
                if got != [edge["messages"], edge["bytes"]]:
                    bad.append((edge["id"], got, edge["messages"], edge["bytes"]))
        report(f"{name}: they add up", bad or None)


def refusals():
    for name, args, words in [("no file", ["--watch", "1"], "-o FILE"),
                              ("standard output", ["--watch", "1", "-o", "-"], "-o FILE"),
                              ("a recording", ["--watch", "1", "-o", "x", "-i", "y"], "recording")]:
        expect(f"--watch with {name}", run("graph", *args), 2, words, 1)
    expect("--slices for another format", run("graph", "-F", "dot", "--slices", "3"), 2, "-F html", 1)
    expect("too many slices", run("graph", "-F", "html", "--slices", "5000"), 2, "--slices", 1)
    for listen in ["x", "1.2.3.4:", ":80", "localhost:80", "127.0.0.1:70000", "[::1"]:
        expect(f"serve --listen {listen}", run("serve", "--listen", listen), 2, "--listen", 1)
    expect("serve: no such address here", run("serve", "--listen", "192.0.2.1:0"), 1, "192.0.2.1:0", 1)
    expect("serve: no such token", run("serve", "--token-file", "/nonexistent/t"), 1, "/nonexistent/t", 1)


def watched(directory):
    path = os.path.join(directory, "watched.json")
    p = start("graph", "--json", "--watch", "0.05", "-o", path, "--", "sh", "-c", TALKER)
    seen = []
    try:
        while len(seen) < 3 and p.poll() is None:
            try:
                with open(path) as f:
                    graph = json.load(f)  # a file is always whole
            except FileNotFoundError:
                continue
            total = sum(l["messages"] for l in flows(graph) if l["mech"] == "pipe")
            if total and total not in seen:
                seen.append(total)
        report("--watch: the file follows", None if len(seen) == 3 and seen == sorted(seen) else f"{seen}, {p.poll()}")
    finally:
        p.send_signal(signal.SIGTERM)
        p.communicate(timeout=TIMEOUT)
    left = [f for f in os.listdir(directory) if f.startswith("watched.json.")]
    report("--watch: leaves nothing else", ", ".join(left))


class Server:
    def __init__(self, *args):
        self.process = start("serve", "--listen", "127.0.0.1:0", *args, "--", "sh", "-c", TALKER)
        self.port = self.url = None
        up = False
        while not (up and self.port):
            line = self.process.stderr.readline()
            if not line:
                raise RuntimeError("serve ended")
            up |= line == "up\n"
            if "serving at " in line:
                self.url = line.split("serving at ")[1].strip()
                self.port = int(self.url.split(":")[2].split("/")[0])
        # Its stderr must not fill up.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def ask(self, path, method="GET", **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        c.request(method, path, headers=headers)
        answer = c.getresponse()
        body = answer.read().decode()
        c.close()
        return answer.status, answer.headers, body

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=TIMEOUT)


def metrics(text, headers):
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        skip("serve: metrics", "python3-prometheus-client is not installed")
        return
    try:
        families = {f.name: f for f in text_string_to_metric_families(text)}
    except Exception as e:  # whatever the parser does not like
        report("serve: metrics are OpenMetrics", repr(e))
        return
    report("serve: metrics are OpenMetrics", None if "openmetrics-text" in headers["Content-Type"] else headers["Content-Type"])
    pipes = [s for s in families["ipctrace_payload_bytes"].samples if s.labels["mech"] == "pipe"]
    report("serve: bytes by mechanism and names",
           None if any(s.labels["src"] == "sh" and s.value >= 2 for s in pipes) else str(pipes))
    labels = {name for f in families.values() for s in f.samples for name in s.labels}
    report("serve: labels are few", None if labels <= {"mech", "src", "dst", "le"} else str(labels))


def events(server):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
    c.request("GET", "/events")
    answer = c.getresponse()
    lines = []
    while "event: graph" not in lines and len(lines) < 100:
        lines.append(answer.readline().decode().rstrip("\n"))
    report("serve: events tell of a new graph", None if "event: graph" in lines else str(lines))
    report("serve: events' type", None if answer.headers["Content-Type"] == "text/event-stream" else str(answer.headers))
    c.close()


def served():
    server = Server()
    try:
        for path, kind in [("/healthz", "text/plain"), ("/", "text/html"), ("/page.json", "application/json")]:
            status, headers, body = server.ask(path)
            report(f"serve: {path}", None if status == 200 and headers["Content-Type"].startswith(kind) else f"{status} {body[:80]}")
        status, _, body = server.ask("/graph.json")
        graph = json.loads(body)
        report("serve: the graph so far", None if any(l["mech"] == "pipe" for l in flows(graph)) else body[:200])
        own = [n for n in graph["nodes"] if n.get("comm") == "ipctrace"]
        report("serve: without itself", str(own) if own else None)
        _, headers, body = server.ask("/metrics")
        metrics(body, headers)
        events(server)
        for name, want, got in [("unknown path", 404, server.ask("/etc/passwd")), ("another method", 405, server.ask("/", "POST")),
                                ("another host's name", 421, server.ask("/", Host="evil.example")),
                                ("this machine's name", 200, server.ask("/healthz", Host=f"localhost:{server.port}"))]:
            report(f"serve: {name}", None if got[0] == want else f"{got[0]} {got[2]}")
    finally:
        report("serve: SIGTERM ends it", None if server.stop() in (0, 143) else server.process.returncode)


def with_token(directory):
    path = os.path.join(directory, "token")
    with open(path, "w") as f:
        f.write("correct horse\n")
    server = Server("--token-file", path)
    try:
        for name, want, got in [
                ("none", 401, server.ask("/metrics")), ("a wrong one", 401, server.ask("/metrics", Authorization="Bearer correct hors")),
                ("as header", 200, server.ask("/metrics", Authorization="Bearer correct horse")),
                ("in the address", 200, server.ask("/graph.json?token=correct%20horse")),
                ("health needs none", 200, server.ask("/healthz"))]:
            report(f"serve: token, {name}", None if got[0] == want else f"{got[0]} {got[2]}")
    finally:
        server.stop()


def main():
    if not is_root():
        skip("drawing", "needs root")
        return
    refusals()
    probe = run("graph", "-D", "0", "-o", "/dev/null")
    if probe.returncode:
        skip("drawing", f"nothing can be traced here: {probe.stderr.strip()}")
        return
    limits()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        pictures(directory)
        slices(directory)
        watched(directory)
        with_token(directory)
    served()
