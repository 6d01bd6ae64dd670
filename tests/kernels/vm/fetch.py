# SPDX-License-Identifier: GPL-2.0
"""One kernel -> the cache: vmlinuz (bootable by qemu), btf, config, modules/, release, package."""
import glob
import os
import re
import shutil
import tempfile

from . import apt, image
from .kernels import Unavailable, cache_dir, lock

# Only what the guest needs to talk to the host; most configurations have some of it built in.
GUEST_MODULES = ("virtio_pci", "virtio_console")


def _one(root, *patterns):
    for pattern in patterns:
        found = glob.glob(os.path.join(root, pattern))
        if found:
            return found[0]
    raise Unavailable(f"the kernel package has none of {' '.join(patterns)}")


def _parts(archive, package):
    """Since 6.19 the image and the modules are packages of their own."""
    depends = archive.packages[package].get("Depends", "")
    return [package, *re.findall(r"linux-(?:base|binary|modules)-\d[\w.+-]+", depends)]


def _plain_module(path):
    with open(path, "rb") as f:
        data = f.read()
    return data if data.startswith(b"\x7fELF") else image._decompress(data)


def _save_modules(modules, where):
    """The guest's modules with all they depend on, in loading order, uncompressed."""
    with open(os.path.join(modules, "modules.order"), encoding="ascii") as f:
        by_name = {re.sub(r"\.ko.*", "", os.path.basename(p.strip())).replace("-", "_"): p.strip() for p in f}
    order = []

    def add(name):
        if name not in by_name or name in order:
            return
        path = glob.glob(os.path.join(modules, by_name[name]) + "*")[0]
        data = _plain_module(path)
        for depend in re.search(rb"\0depends=([^\0]*)\0", b"\0" + data)[1].decode().split(","):
            add(depend.replace("-", "_"))
        order.append(name)
        with open(os.path.join(where, f"{len(order):02d}-{name}.ko"), "wb") as f:
            f.write(data)

    os.makedirs(where)
    for name in GUEST_MODULES:
        add(name)


def _write(path, data):
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


def _fill(kernel, archive, package, where, scratch):
    for deb in archive.download(*_parts(archive, package)):
        apt.unpack([deb], scratch)
        os.remove(deb)  # 30 to 50 MB each
    modules = _one(scratch, "lib/modules/*", "usr/lib/modules/*")
    release = os.path.basename(modules)
    vmlinuz = _one(scratch, f"boot/vmlinuz-{release}", "boot/vmlinu?-*", "usr/lib/modules/*/vmlinuz")
    config = _one(scratch, f"boot/config-{release}", "usr/lib/modules/*/config")
    with open(vmlinuz, "rb") as f:
        data = f.read()
    proper = image.kernel_proper(data)
    _write(os.path.join(where, "vmlinuz"), proper if image.is_zboot(data) else data)
    _write(os.path.join(where, "btf"), image.btf(proper))
    shutil.copy(config, os.path.join(where, "config"))
    _save_modules(modules, os.path.join(where, "modules"))
    _write(os.path.join(where, "release"), release + "\n")
    _write(os.path.join(where, "package"), package + " " + archive.packages[package]["Version"] + "\n")


def fetch(kernel, refresh=False):
    """Makes kernel.dir complete, or raises Unavailable. What is cached stays, unless refresh finds newer."""
    with lock("apt"):
        _fetch(kernel, refresh)


def _find(kernel, refresh):
    """The first of its suites that has the package, and its name there."""
    why = None
    for suite in kernel.suites:
        try:
            archive = apt.Archive(suite, kernel.arch, refresh)
            return archive, archive.newest(kernel.package)
        except Unavailable as e:
            why = why or e
    raise why


def _fetch(kernel, refresh):
    cached = os.path.exists(kernel.path("package"))
    if cached and not refresh:
        return
    archive, package = _find(kernel, refresh)
    if cached and kernel.fact("package").split()[0] == package:
        return
    parent = os.path.dirname(kernel.dir)
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
        where = os.path.join(scratch, "new")
        os.mkdir(where)
        try:
            _fill(kernel, archive, package, where, os.path.join(scratch, "deb"))
        except (ValueError, OSError) as e:
            raise Unavailable(f"{package}: {e}") from e
        shutil.rmtree(kernel.dir, ignore_errors=True)
        os.rename(where, kernel.dir)


def busybox(arch):
    """A static busybox for the guest."""
    path = os.path.join(cache_dir(), "busybox", arch)
    with lock("apt"):
        if os.path.exists(path):
            return path
        archive = apt.Archive("bookworm", arch)
        with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
            apt.unpack(archive.download("busybox-static"), scratch)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(_one(scratch, "bin/busybox", "usr/bin/busybox"), path)
    return path
