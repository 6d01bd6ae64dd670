#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every mechanism of include/ipctrace/mech.h has a row in tests/lint/mechanisms, and the files of that row exist."""
import pathlib
import re
import sys


def main():
    listed = re.findall(r'X\(\w+,\s*\d+,\s*"([^"]+)"\)', pathlib.Path("include/ipctrace/mech.h").read_text())
    rows = {}
    for line in pathlib.Path("tests/lint/mechanisms").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            rows[words[0]] = words[1:]
    bad = ["no mechanisms found in include/ipctrace/mech.h"] if not listed else []
    bad += [f"{name} has no row in tests/lint/mechanisms" for name in listed if name not in rows]
    bad += [f"{name} has a row, but is no mechanism of include/ipctrace/mech.h" for name in rows if name not in listed]
    todo = []
    for name, files in rows.items():
        if files == ["todo"]:
            todo.append(name)
            continue
        bad += [f"{name}: no {file}" for file in files if not pathlib.Path(file).exists()]
        bad += [f"{name}: its row names no files"] if not files else []
    for problem in bad:
        print(f"# {problem}")
    print(f"not ok - lint/mechanisms: {len(bad)} problems" if bad else "ok - lint/mechanisms")
    if todo:
        print(f"# not built yet: {' '.join(todo)}")
    return 1 if bad else 0


sys.exit(main())
