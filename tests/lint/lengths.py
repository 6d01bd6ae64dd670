#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Functions over 60 lines and files over 250 are remarked on (V=1 lists them); over 100 and 600 they are failures."""
import os
import pathlib
import re
import sys

FUNCTION = (60, 100)
FILE = (250, 600)
COLUMNS = 120


def functions(lines):
    """(name, first line, lines) of each function: its brace stands alone in the first column."""
    start = name = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start, name = number, None
            for above in range(number - 2, max(number - 10, -1), -1):
                m = re.search(r"(\w+)\s*\(", lines[above])
                if m and lines[above][:1] not in ("\t", " "):
                    name = m[1]
                    break
        elif line.startswith("}") and start:
            yield name or "?", start, number - start - 1
            start = None


def main():
    remarks, bad = [], []

    def measure(where, what, cnt, limits):
        if cnt > limits[1]:
            bad.append(f"{where}: {what} has {cnt} lines; more than {limits[1]} is too many")
        elif cnt > limits[0]:
            remarks.append(f"{where}: {what} has {cnt} lines, aim for {limits[0]}")

    tops = ("src", "bpf", "include", "tests")
    for path in sorted(p for top in tops for p in pathlib.Path(top).rglob("*.[ch]")):
        lines = path.read_text(errors="replace").splitlines()
        measure(path, "the file", len(lines), FILE)
        for name, start, cnt in functions(lines):
            measure(f"{path}:{start}", f"{name}()", cnt, FUNCTION)
        remarks += [f"{path}:{number}: more than {COLUMNS} columns"
                    for number, line in enumerate(lines, 1) if len(line.expandtabs(8)) > COLUMNS]
    if os.environ.get("V") != "1" and remarks:
        remarks = [f"{len(remarks)} remarks on long files, functions and lines: V=1 make lint"]
    for line in remarks + bad:
        print(f"# {line}")
    print(f"not ok - lint/lengths: {len(bad)} files or functions are too long" if bad else "ok - lint/lengths")
    return 1 if bad else 0


sys.exit(main())
