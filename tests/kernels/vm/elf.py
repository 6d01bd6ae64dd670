# SPDX-License-Identifier: GPL-2.0
"""Which shared libraries a program needs, of any architecture."""
import os
import struct

MACHINES = {62: "amd64", 183: "arm64"}
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB = 1, 5


class Elf:
    """Enough of a 64-bit little-endian ELF file; arch is None for anything else."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        self.arch, self.interp, self.needed = None, None, []
        if self.data[:6] == b"\x7fELF\x02\x01":
            self.arch = MACHINES.get(struct.unpack_from("<H", self.data, 18)[0])
            self._read_segments()

    def _read_segments(self):
        phoff, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        segments = []
        for i in range(count):
            kind, _, offset, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", self.data, phoff + i * size)
            segments.append((kind, offset, vaddr, filesz))
        for kind, offset, _, filesz in segments:
            if kind == PT_INTERP:
                self.interp = self.data[offset:offset + filesz].rstrip(b"\0").decode()
            elif kind == PT_DYNAMIC:
                self._read_dynamic(offset, filesz, [s for s in segments if s[0] == PT_LOAD])

    def _read_dynamic(self, offset, size, loads):
        entries = [struct.unpack_from("<QQ", self.data, offset + at) for at in range(0, size, 16)]
        strtab = [value for tag, value in entries if tag == DT_STRTAB]
        for _, file_at, vaddr, filesz in loads:
            if strtab and vaddr <= strtab[0] < vaddr + filesz:
                base = strtab[0] - vaddr + file_at
                self.needed = [self._string(base + value) for tag, value in entries if tag == DT_NEEDED]

    def _string(self, at):
        return self.data[at:self.data.index(b"\0", at)].decode()


def libraries(paths, triple, sysroot="/"):
    """{guest path: host path} of the loader and all libraries these files need; raises FileNotFoundError."""
    names = (f"lib/{triple}", f"usr/lib/{triple}", "lib64", "lib", "usr/lib")
    dirs = [os.path.join(sysroot, name) for name in names]
    found, todo = {}, list(paths)
    while todo:
        elf = Elf(todo.pop())
        wanted = [(f"/lib/{triple}/{name}", name) for name in elf.needed]
        if elf.interp:
            wanted.append((elf.interp, os.path.basename(elf.interp)))
        for guest, name in wanted:
            if guest not in found:
                found[guest] = _find(name, dirs)
                todo.append(found[guest])
    return found


def _find(name, dirs):
    for d in dirs:
        path = os.path.join(d, name)
        if os.path.exists(path):
            return os.path.realpath(path)
    raise FileNotFoundError(f"library {name} is in none of {' '.join(dirs)}")
