# SPDX-License-Identifier: GPL-2.0
"""The tool's own view of the kernel (vmlinux/) against the types of a real one."""
import json
import os
import re
import subprocess

from . import guest
from .kernels import TREE

VIEW = os.path.join(TREE, "vmlinux")

# What the programs ask for with bpf_core_field_exists() or the like before they use it, or know but never read.
MAY_DIFFER = {
    "file_lock.c": "since 6.9; flavor in bpf/flock.bpf.c",
    "file_lock_core": "since 6.9",
    "io_kiocb.cqe": "since 5.19; before, only the older tracepoint's programs are loaded",
    "io_cqe": "since 5.19",
    "maple_tree": "since 6.1; before, mappings are in a red-black tree",
    "maple_arange_64": "since 6.1",
    "maple_range_64": "since 6.1",
    "dentry.d_u": "until 6.19; an anonymous union since",
    "pt_regs.cs": "2 bytes since 6.9; never read",
    "pt_regs.ss": "2 bytes since 6.9; never read",
}


def program_object(arch):
    """The programs as make leaves them for that architecture."""
    return os.path.join(TREE, ".output", arch if arch != guest.host_arch() else "", "ipctrace.bpf.o")


def declared():
    """The structs of the tool's view."""
    names = set()
    for where, _, files in os.walk(VIEW):
        for name in files:
            with open(os.path.join(where, name), encoding="utf-8") as f:
                names.update(re.findall(r"^(?:struct|union) (\w+) \{", f.read(), re.M))
    return names


class Types:
    def __init__(self, path):
        env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        said = subprocess.run(["bpftool", "-j", "btf", "dump", "file", path], env=env, capture_output=True, check=True)
        self.types = {t["id"]: t for t in json.loads(said.stdout)["types"]}
        self.by_name = {}
        for t in self.types.values():
            if t["kind"] in ("STRUCT", "UNION") and t["name"] != "(anon)":
                self.by_name.setdefault(t["name"], []).append(t)

    def strip(self, type_id):
        t = self.types.get(type_id)
        while t and t["kind"] in ("TYPEDEF", "CONST", "VOLATILE", "RESTRICT", "TYPE_TAG"):
            t = self.types.get(t["type_id"])
        return t

    def fields(self, t):
        """name -> type of all members, those of anonymous structs inside included."""
        found = {}
        for member in t.get("members", []):
            kind = self.strip(member["type_id"])
            if member["name"] == "(anon)":
                found.update(self.fields(kind))
            else:
                found[member["name"]] = kind
        return found


def is_number(t):
    return bool(t) and t["kind"] in ("INT", "ENUM")


def differences(kernel):
    """Yields what is wrong with each field of the tool's structs that the kernel has otherwise."""
    ours, theirs = Types(program_object(kernel.arch)), Types(kernel.btf)
    for name in sorted(n for n in declared() & set(ours.by_name) if "___" not in n):
        if name not in theirs.by_name:
            if name not in MAY_DIFFER:
                yield f"struct {name}: this kernel has none"
            continue
        real = {}
        for t in theirs.by_name[name]:
            real.update(theirs.fields(t))
        mine = {k: v for t in ours.by_name[name] for k, v in ours.fields(t).items()}
        yield from field_differences(name, mine, real)


def flavors(kernel):
    """{flavor: whether this kernel has all of its fields}: a struct as some kernels have it is named T___since."""
    ours, theirs = Types(program_object(kernel.arch)), Types(kernel.btf)
    found = {}
    for name in (n for n in ours.by_name if "___" in n):
        real = {}
        for t in theirs.by_name.get(name.split("___")[0], []):
            real.update(theirs.fields(t))
        found[name] = all(set(ours.fields(t)) <= set(real) for t in ours.by_name[name])
    return found


def field_differences(name, mine, real):
    for field, t in mine.items():
        if field.startswith("ipct_") or f"{name}.{field}" in MAY_DIFFER:
            continue
        if field not in real:
            yield f"{name}.{field}: this kernel has no such field"
        elif is_number(t) and is_number(real[field]) and t["size"] != real[field]["size"]:
            yield f"{name}.{field}: {t['size']} bytes here, {real[field]['size']} there"
