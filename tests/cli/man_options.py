# SPDX-License-Identifier: GPL-2.0
"""The manual and the option tables say the same: each option of --help is in the manual, and the other way round."""
import os
import re
import shutil
import subprocess

from cli import ROOT, report, run, skip

MAN = os.path.join(ROOT, "docs", "man")
COMMON = "ipctrace.1"
PAGES = {"live": "ipctrace.1", "graph": "ipctrace-graph.1", "serve": "ipctrace-serve.1", "top": "ipctrace-top.1", "who": "ipctrace-who.1", "why": "ipctrace-why.1", "doctor": "ipctrace-doctor.1",
         "record": "ipctrace-record.1", "replay": "ipctrace-replay.1",
         "export": "ipctrace-export.1",
         "report": "ipctrace-report.1",
         "diff": "ipctrace-diff.1",
         "workload": "ipctrace-workload.1", "bench": "ipctrace-bench.1"}


def options_of_help(command):
    found = set()
    for line in run(command, "--help").stdout.splitlines():
        m = re.match(r"^ {2}(?:(-\w), | {4})--([a-z][a-z0-9-]*)", line)
        if m:
            found.add((m.group(1), "--" + m.group(2)))
    return found


def options_of_page(page):
    found = set()
    with open(os.path.join(MAN, page)) as f:
        for line in f:
            m = re.match(r"^\.It Fl (?:(\w) , Fl )?-([a-z][a-z0-9-]*)", line)
            if m:
                found.add(("-" + m.group(1) if m.group(1) else None, "--" + m.group(2)))
    return found


def words(options):
    return ", ".join(sorted("/".join(filter(None, o)) for o in options))


def same(command, page):
    helped, here = options_of_help(command), options_of_page(page)
    if not helped or not here:
        return report(f"{page}: options", "none found in " + ("--help" if not helped else "the page"))
    # A page may refer to the common one instead of repeating it.
    with open(os.path.join(MAN, page)) as f:
        refers = "all options of" in f.read()
    documented = here | options_of_page(COMMON) if refers else here
    report(f"{page}: has every option of {command}", words(helped - documented))
    return report(f"{page}: has no option that {command} lacks", words(here - helped))


def lint(page):
    if not shutil.which("mandoc"):
        return skip(f"{page}: mandoc", "mandoc is not installed")
    got = subprocess.run(["mandoc", "-Tlint", "-W", "warning", os.path.join(MAN, page)], capture_output=True,
                         text=True)
    return report(f"{page}: mandoc", got.stdout + got.stderr)


def main():
    for command, page in PAGES.items():
        same(command, page)
        lint(page)
