# SPDX-License-Identifier: GPL-2.0
"""docs/deploy as far as it can be checked without a cluster: by promtool, by the API's required fields, by our own options."""
import json
import os
import re
import shutil
import subprocess
import tempfile

from cli import ROOT, report, run, skip

DEPLOY = os.path.join(ROOT, "docs", "deploy")

try:
    import yaml
except ImportError:
    yaml = None


def promtool(name, *args):
    if not shutil.which("promtool"):
        return skip(name, "promtool (prometheus) is not installed")
    got = subprocess.run(["promtool", *args], capture_output=True, text=True, cwd=DEPLOY)
    return report(name, got.stdout + got.stderr if got.returncode else None)


def options():
    return set(re.findall(r"--[a-z][a-z-]+", run("serve", "--help").stdout))


def metrics():
    with open(os.path.join(ROOT, "src", "view", "metrics.c")) as f:
        families = set(re.findall(r'put_family\(out,\s*"(ipctrace_\w+)"', f.read()))
    return families | {f + end for f in families for end in ("_total", "_bucket", "_count", "_sum")}


def daemonset():
    if not yaml:
        return skip("deploy: kubernetes", "python3-yaml is not installed")
    with open(os.path.join(DEPLOY, "kubernetes-daemonset.yaml")) as f:
        documents = list(yaml.safe_load_all(f))
    why = [f"{d.get('kind')} has no {key}" for d in documents for key in ("apiVersion", "kind", "metadata") if key not in d]
    spec = next(d for d in documents if d["kind"] == "DaemonSet")["spec"]
    labels, pod = spec["template"]["metadata"]["labels"], spec["template"]["spec"]
    if not spec["selector"]["matchLabels"].items() <= labels.items():
        why.append("the selector does not match the pods")
    volumes = {v["name"] for v in pod["volumes"]}
    for c in pod["containers"]:
        why += [f"container has no {key}" for key in ("name", "image") if key not in c]
        why += [f"no volume {m['name']}" for m in c["volumeMounts"] if m["name"] not in volumes]
        ports = {p["name"]: p["containerPort"] for p in c["ports"]}
        why += [f"{probe} asks an unknown port" for probe in ("livenessProbe", "readinessProbe")
                if c[probe]["httpGet"]["port"] not in ports]
        why += [f"serve has no option {a}" for a in c["args"] if a.startswith("--") and a not in options()]
        if c["args"][0] != "serve" or not any(a.endswith(f":{p}") for a in c["args"] for p in ports.values()):
            why.append("the port served is not the container's")
    return report("deploy: kubernetes", "; ".join(why))


def expressions():
    with open(os.path.join(DEPLOY, "grafana-node-graph.json")) as f:
        board = json.load(f)
    return [t["expr"].replace("$instance", "x") for panel in board["panels"] for t in panel["targets"]]


def dashboard():
    found = expressions()
    unknown = {m for e in found for m in re.findall(r"ipctrace_\w+", e)} - metrics()
    report("deploy: the dashboard asks for metrics that exist", ", ".join(unknown))
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "queries.yml")
        with open(path, "w") as f:  # JSON is YAML
            json.dump({"groups": [{"name": "x", "rules": [{"record": f"x:{i}", "expr": e} for i, e in enumerate(found)]}]}, f)
        promtool("deploy: the dashboard's queries", "check", "rules", path)


def rules():
    with open(os.path.join(DEPLOY, "ipctrace.rules.yml")) as f:
        unknown = set(re.findall(r"ipctrace_\w+", f.read())) - metrics()
    report("deploy: the alerts ask for metrics that exist", ", ".join(unknown))
    promtool("deploy: alerts", "check", "rules", "ipctrace.rules.yml")
    promtool("deploy: scrape configuration", "check", "config", "--syntax-only", "prometheus.yml")


def unit():
    if not shutil.which("systemd-analyze"):
        return skip("deploy: unit", "systemd-analyze is not installed")
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "ipctrace-serve.service")
        with open(os.path.join(DEPLOY, "ipctrace-serve.service")) as f, open(path, "w") as out:
            out.write(f.read().replace("/usr/local/bin/ipctrace", "/bin/true"))
        got = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True)
    return report("deploy: unit", got.stderr if "ipctrace-serve" in got.stderr else None)


def main():
    daemonset()
    dashboard()
    rules()
    unit()
