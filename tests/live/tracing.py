# SPDX-License-Identifier: GPL-2.0
"""What live tests have in common: the tracer from when it is ready, a workload, and whether they agree."""
import contextlib
import os
import signal
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.environ.get("IPCTRACE", os.path.join(HERE, "..", "..", "ipctrace"))
LIMIT_S = 120


class Failed(Exception):
    """Something did not run as it should have; says what, and why."""


def run(argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S,
                          errors="backslashreplace", check=False)


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "said nothing"


def workload(mech, words, truth):
    """The command for these words of a row: the program's own workload, or @SCENARIO of tests/live/sockets."""
    if words and words[0].startswith("@"):
        return [os.path.join(HERE, "sockets"), words[0][1:], "--truth", truth, *words[1:]]
    return [PROGRAM, "workload", mech, "--truth", truth, *words]


def differences(truth, graph, mech, *words):
    """Lines of tests/live/compare; none where the graph is the truth."""
    p = run([os.path.join(HERE, "compare"), truth, graph, "--mech", mech, *words])
    return (p.stdout.strip() or last_line(p.stderr)).splitlines() if p.returncode else []


def start(*words, stdout=subprocess.DEVNULL):
    """The program with these words, as soon as it is ready."""
    ready, told = os.pipe()
    p = subprocess.Popen([PROGRAM, *words, "--ready-fd", str(told)], stdin=subprocess.DEVNULL, stdout=stdout,
                         stderr=subprocess.PIPE, text=True, errors="backslashreplace", pass_fds=[told])
    os.close(told)
    try:
        if not os.read(ready, 1):
            raise Failed(f"tracer: {last_line(p.communicate(timeout=LIMIT_S)[1])}")
    finally:
        os.close(ready)
    return p


def stop(p):
    """Ends a tracer as Ctrl-C does."""
    p.send_signal(signal.SIGINT)
    said = p.communicate(timeout=LIMIT_S)[1]
    if p.returncode:
        raise Failed(f"tracer: status {p.returncode}: {last_line(said)}")


def kill(p):
    if p.poll() is None:
        p.kill()
        p.communicate()


@contextlib.contextmanager
def traced(*words):
    """A tracer is ready, and stopped at the end of the block."""
    p = start(*words)
    try:
        yield
        stop(p)
    finally:
        kill(p)
