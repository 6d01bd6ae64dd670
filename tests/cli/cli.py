# SPDX-License-Identifier: GPL-2.0
"""What the command-line tests share: the program under test, reports, and runs with limits."""
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
IPCTRACE = os.path.abspath(os.environ.get("IPCTRACE", os.path.join(ROOT, "ipctrace")))
TIMEOUT = 60

failed = 0
passed = 0


def report(name, why=None):
    global failed, passed
    if why:
        failed += 1
        print(f"not ok - {name}: {' | '.join(str(why).splitlines())}")
    else:
        passed += 1
        print(f"ok - {name}")
    sys.stdout.flush()


def skip(name, why):
    print(f"skip - {name}: {why}")
    sys.stdout.flush()


def run(*args, **kwargs):
    """The program with these arguments; its output as text."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    kwargs.setdefault("timeout", TIMEOUT)
    if "stdout" not in kwargs:
        kwargs["stdout"] = subprocess.PIPE
    return subprocess.run([IPCTRACE, *args], stderr=subprocess.PIPE, text=True, errors="surrogateescape", **kwargs)


def start(*args, **kwargs):
    return subprocess.Popen([IPCTRACE, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, errors="surrogateescape", **kwargs)


def started(*args, words=(), **kwargs):
    """A run whose probes are active: --ready-fd said so. words: those before all options."""
    reader, writer = os.pipe()
    p = start(*words, "--ready-fd", str(writer), *args, pass_fds=[writer], **kwargs)
    os.close(writer)
    with os.fdopen(reader) as f:
        p.ready = f.readline()
    return p


def expect(name, got, status, stderr_has="", stderr_lines=None, stdout_has=""):
    """got: a finished run. Every complaint is of the form 'ipctrace: sentence'."""
    why = []
    if got.returncode != status:
        why.append(f"exit status {got.returncode}, not {status}")
    if stderr_has not in got.stderr:
        why.append(f"no '{stderr_has}' on standard error")
    if stdout_has not in (got.stdout or ""):
        why.append(f"no '{stdout_has}' on standard output")
    lines = got.stderr.splitlines()
    if stderr_lines is not None and len(lines) != stderr_lines:
        why.append(f"{len(lines)} lines on standard error, not {stderr_lines}")
    if any(not line.startswith("ipctrace: ") for line in lines):
        why.append("a line on standard error that does not begin with 'ipctrace: '")
    if why:
        why.append(f"stderr: {got.stderr!r}")
    report(name, "; ".join(why))
    return not why


def is_root():
    return os.geteuid() == 0


def public_copy(directory):
    """A copy of the program that any user may run."""
    os.chmod(directory, 0o755)
    copy = os.path.join(directory, "ipctrace")
    shutil.copy(IPCTRACE, copy)
    os.chmod(copy, 0o755)
    return copy
