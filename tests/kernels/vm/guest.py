# SPDX-License-Identifier: GPL-2.0
"""Boot a kernel around a command: an initramfs with the chosen files, qemu, and what comes back."""
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time

from . import elf, fetch
from .cpio import Cpio
from .kernels import GNU_ARCH, HERE, Unavailable, cache_dir

QEMU = {
    "amd64": ["qemu-system-x86_64", "-cpu", "max"],
    "arm64": ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"],
}
CONSOLE = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
WORK_DIR = "/w"  # where relative paths of the host end up


# One thread for all processors: with one for each, qemu 7.2 now and then goes on with a breakpoint that the kernel has taken out
# of its code meanwhile (jump labels), for ever. It is no slower: there are as many machines as processors to run them.
ACCEL = "tcg,thread=single"
LOOK_S = 5  # between looks at the console while a machine runs


class GuestFailed(Exception):
    """The machine did not come to the end of the command."""


class GuestStuck(GuestFailed):
    """One of its processors stood still: emulated ones now and then miss an interrupt, and all others wait for them."""


def sysroot(arch, host_arch):
    return "/" if arch == host_arch else os.path.join(cache_dir(), f"sysroot-{arch}")


def host_arch():
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def guest_path(host):
    return os.path.normpath(os.path.join(WORK_DIR, host))


class Guest:
    def __init__(self, kernel, timeout_s=120, cpus=2, memory_mb=1024):
        self.kernel, self.timeout_s, self.cpus, self.memory_mb = kernel, timeout_s, cpus, memory_mb
        self.files = {}  # guest path -> host path
        self.append = ""
        self.dir = tempfile.mkdtemp(prefix=f"ipctrace-vm-{kernel.name}-")
        self.console = os.path.join(self.dir, "console.log")
        self.out_dir = os.path.join(self.dir, "out")
        self.total_s = self.ready_s = self.command_s = 0.0

    def add(self, host, guest=None):
        if not os.path.exists(host):
            raise GuestFailed(f"no such file: {host}")
        self.files[guest or guest_path(host)] = host

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def _leaves(self):
        for host in self.files.values():
            if not os.path.isdir(host):
                yield host
            for where, _, names in os.walk(host):
                yield from (os.path.join(where, name) for name in names)

    def _libraries(self):
        arch, programs = self.kernel.arch, []
        for host in self._leaves():
            with open(host, "rb") as f:
                if f.read(4) != b"\x7fELF":
                    continue
            found = elf.Elf(host).arch
            if found == arch:
                programs.append(host)
            elif found:
                raise GuestFailed(f"{host} is built for {found}, the guest is {arch}")
        try:
            return elf.libraries(programs, GNU_ARCH[arch], sysroot(arch, host_arch()))
        except FileNotFoundError as e:
            hint = "" if arch == host_arch() else f"; run tests/kernels/sysroot-{arch}"
            raise GuestFailed(f"{e}{hint}") from e

    def _initramfs(self, command, env):
        image = Cpio()
        image.copy(fetch.busybox(self.kernel.arch), "bin/busybox")
        image.symlink("bin/sh", "busybox")
        image.copy(os.path.join(HERE, "guest-init"), "init")
        image.copy(self.kernel.path("modules"), "modules")
        image.directory(WORK_DIR)
        for guest, host in {**self._libraries(), **self.files}.items():
            image.copy(host, guest)
        if command:
            exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in env.items())
            image.file("job", (exports + shlex.join(command) + "\n").encode())
        path = os.path.join(self.dir, "initramfs")
        with open(path, "wb") as f:
            image.write(f)
        return path

    def _qemu(self, initramfs, interactive):
        arch = self.kernel.arch
        accel = os.environ.get("IPCTRACE_QEMU_ACCEL", ACCEL)
        quiet = "" if interactive else "loglevel=4 "
        append = f"console={CONSOLE[arch]} panic=-1 {quiet}rdinit=/init {self.append}".strip()
        return [*QEMU[arch], "-accel", accel, "-smp", str(self.cpus), "-m", str(self.memory_mb),
                "-display", "none", "-no-reboot", "-nodefaults", "-no-user-config",
                "-kernel", self.kernel.image, "-initrd", initramfs, "-append", append]

    def shell(self):
        """A shell on the guest's console, until it is left."""
        cmd = self._qemu(self._initramfs(None, {}), True) + ["-serial", "mon:stdio"]
        return subprocess.run(cmd, check=False).returncode

    def run(self, command, env=None, stdout=None, stderr=None):
        """Runs command in the guest; its output goes to the binary streams as it comes (None: dropped).
        Returns its exit status; files it left in /out are then in self.out_dir."""
        cmd = self._qemu(self._initramfs(command, env or {}), False)
        tar = os.path.join(self.dir, "out.tar")
        cmd += ["-serial", f"file:{self.console}", "-device", "virtio-serial-pci"]
        readers = []
        writers = []
        for number, stream in ((1, stdout), (2, stderr)):
            read_fd, write_fd = os.pipe()
            readers.append(threading.Thread(target=_pump, args=(read_fd, stream)))
            writers.append(write_fd)
            cmd += ["-add-fd", f"fd={write_fd},set={number}"]
            cmd += _port(number, f"/dev/fdset/{number}")
        cmd += _port(3, tar)
        try:
            self._launch(cmd, writers, readers)
        finally:
            os.remove(os.path.join(self.dir, "initramfs"))
        return self._collect(tar)

    def _launch(self, cmd, writers, readers):
        start = time.monotonic()
        log = os.path.join(self.dir, "qemu.log")
        try:
            with open(log, "wb") as f:
                qemu = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=f, stderr=f, pass_fds=writers)
        except FileNotFoundError as e:
            raise Unavailable(f"{cmd[0]} is not installed") from e
        finally:
            for fd in writers:
                os.close(fd)
            for reader in readers:
                reader.start()
        try:
            self._wait(qemu, start + self.timeout_s)
        finally:
            if qemu.poll() is None:
                qemu.kill()
                qemu.wait()
            for reader in readers:
                reader.join()
            self.total_s = time.monotonic() - start
        if qemu.returncode:
            with open(log, encoding="utf-8", errors="replace") as f:
                raise GuestFailed(f"qemu exited with {qemu.returncode}: {f.read().strip()}")

    def _wait(self, qemu, deadline):
        while True:
            try:
                qemu.wait(LOOK_S)
                return
            except subprocess.TimeoutExpired as e:
                if time.monotonic() > deadline:
                    raise GuestFailed(f"not finished after {self.timeout_s} s; {self._last_words()}") from e
            stuck = self._stuck()
            if stuck:
                raise GuestStuck(stuck)

    def _stuck(self):
        """What the kernel says of a processor that does not answer any more; "": nothing."""
        try:
            with open(self.console, encoding="utf-8", errors="replace") as f:
                return next((line.strip() for line in f if "soft lockup" in line), "")
        except FileNotFoundError:
            return ""

    def _last_words(self):
        try:
            with open(self.console, encoding="utf-8", errors="replace") as f:
                lines = [line.strip() for line in f if line.strip()]
        except FileNotFoundError:
            lines = []
        panics = [line for line in lines if "Kernel panic" in line or "BUG:" in line or "Oops" in line]
        said = (panics or lines or ["nothing"])[-1]
        return f"console {self.console} ends: {said}"

    def _collect(self, tar):
        try:
            with tarfile.open(tar) as archive:
                archive.extractall(self.out_dir)
            with open(os.path.join(self.out_dir, ".status"), encoding="ascii") as f:
                status, ready, end = f.read().split()
        except (OSError, tarfile.TarError, ValueError) as e:
            raise GuestFailed(f"the guest ended before the command did; {self._last_words()}") from e
        self.ready_s, self.command_s = float(ready), float(end) - float(ready)
        return int(status)


def _port(number, path):
    # "append" keeps qemu from truncating what is behind a descriptor.
    return ["-chardev", f"file,id=port{number},path={path},append=on",
            "-device", f"virtserialport,chardev=port{number},nr={number},name=ipctrace.{number}"]


def _pump(fd, stream):
    with open(fd, "rb", buffering=0) as f:
        while chunk := f.read(65536):
            if stream:
                stream.write(chunk)
                stream.flush()


def default_program(arch):
    return "./ipctrace" if arch == host_arch() else f"./.output/{arch}/ipctrace"


def give(out_dir, where):
    """Copies the results, without the guest's own .status, to a directory of the user's."""
    os.makedirs(where, exist_ok=True)
    for name in os.listdir(out_dir):
        path = os.path.join(out_dir, name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(where, name), dirs_exist_ok=True)
        elif not name.startswith("."):
            shutil.copy(path, where)
