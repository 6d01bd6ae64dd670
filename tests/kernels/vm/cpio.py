# SPDX-License-Identifier: GPL-2.0
"""An initramfs: the "newc" archive of Documentation/driver-api/early-userspace/buffer-format.rst."""
import os
import stat


class Cpio:
    def __init__(self):
        self.entries = {}  # guest path without the leading slash -> (mode, bytes)

    def directory(self, path):
        path = path.strip("/")
        if path and path not in self.entries:
            self.directory(os.path.dirname(path))
            self.entries[path] = (stat.S_IFDIR | 0o755, b"")

    def file(self, path, data, mode=0o644):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self.entries[path] = (stat.S_IFREG | mode, data)

    def symlink(self, path, target):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self.entries[path] = (stat.S_IFLNK | 0o777, target.encode())

    def copy(self, host, guest):
        """A host file, or a directory with everything in it; links are followed."""
        if os.path.isdir(host):
            self.directory(guest)
            for name in sorted(os.listdir(host)):
                self.copy(os.path.join(host, name), os.path.join(guest, name))
            return
        with open(host, "rb") as f:
            self.file(guest, f.read(), 0o755 if os.access(host, os.X_OK) else 0o644)

    def write(self, out):
        # Parents sort before what is in them.
        for number, path in enumerate(sorted(self.entries), 1):
            self._entry(out, number, path, *self.entries[path])
        self._entry(out, 0, "TRAILER!!!", 0, b"")

    @staticmethod
    def _entry(out, ino, path, mode, data):
        name = os.fsencode(path) + b"\0"
        nlink = 2 if stat.S_ISDIR(mode) else 1
        fields = (ino, mode, 0, 0, nlink, 0, len(data), 0, 0, 0, 0, len(name), 0)
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))
