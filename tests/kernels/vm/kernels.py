# SPDX-License-Identifier: GPL-2.0
"""The list of kernels, and where the cache is."""
import contextlib
import fcntl
import os
import re

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TREE = os.path.dirname(os.path.dirname(HERE))
RUNGS = ("fentry", "kprobe", "tracepoint")

# Where kernels that are not in the list are looked for: backports keep one of each release.
OTHERS = "trixie-backports,bookworm-security,bookworm,trixie,bullseye-security,sid"

GNU_ARCH = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}


class Unavailable(Exception):
    """Cannot be had here (no network, no such package): a skip, not a failure."""


class Kernel:
    def __init__(self, name, arch, suites, package, must):
        self.name, self.arch, self.suites, self.package = name, arch, suites.split(","), package
        self.must = [rung for rung in must.split(",") if rung != "-"]

    @property
    def dir(self):
        return os.path.join(cache_dir(), "images", self.name)

    def path(self, name):
        return os.path.join(self.dir, name)

    @property
    def image(self):
        return self.path("vmlinuz")

    @property
    def btf(self):
        return self.path("btf")

    def fact(self, name):
        """A one-line file of the cache: release, package, version."""
        with open(self.path(name), encoding="ascii") as f:
            return f.read().strip()


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("IPCTRACE_KERNEL_CACHE") or os.path.join(base, "ipctrace", "kernels")


@contextlib.contextmanager
def lock(name):
    """One at a time, among threads and processes, fills a part of the cache."""
    os.makedirs(cache_dir(), exist_ok=True)
    with open(os.path.join(cache_dir(), f"{name}.lock"), "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def all_kernels(path=None):
    kernels = []
    with open(path or os.path.join(HERE, "list"), encoding="utf-8") as f:
        for line in f:
            words = line.split("#", 1)[0].split()
            if words:
                kernels.append(Kernel(*words))
    return kernels


def by_name(name):
    """A kernel of the list; else X.Y[-ARCH] of whichever suite has one."""
    for kernel in all_kernels():
        if kernel.name == name:
            return kernel
    m = re.fullmatch(r"(\d+\.\d+)(?:-(amd64|arm64))?", name)
    if not m:
        names = " ".join(k.name for k in all_kernels())
        raise Unavailable(f"no kernel {name}: the list has {names}; others are called 6.16 or 7.0-arm64")
    arch = m[2] or "amd64"
    pattern = rf"linux-image-{re.escape(m[1])}\.[\w.+-]+-cloud-{arch}"
    return Kernel(name, arch, OTHERS, pattern, "-")
