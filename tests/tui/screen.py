# SPDX-License-Identifier: GPL-2.0
"""A terminal of its own (tmux) in which the program runs, and what can be seen there."""
import os
import re
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
IPCTRACE = os.path.abspath(os.environ.get("IPCTRACE", os.path.join(ROOT, "ipctrace")))
LIMIT_S = 40


class Screen:
    """`command` under a shell that says how it ended: "status N"."""

    def __init__(self, *args, cols=140, rows=24, env=None, before=""):
        self.directory = tempfile.TemporaryDirectory()
        self.socket = os.path.join(self.directory.name, "tmux")
        words = " ".join("'" + a.replace("'", "'\\''") + "'" for a in (IPCTRACE, "top", *args))
        # The shell's own state of the terminal, before and after: it must be the same.
        script = f"{before}stty -g > {self.path('before')}; {words}; echo status $?; stty -g > {self.path('after')}; read x"
        variables = dict({"LC_ALL": "C.UTF-8", "TERM": "screen-256color", "NO_COLOR": ""}, **(env or {}))
        exports = "".join(f"export {k}='{v}'; " for k, v in variables.items())
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(cols), "-y", str(rows), "-s", "t",
                  "exec sh -c " + "'" + (exports + script).replace("'", "'\\''") + "'")

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.socket, *args], capture_output=True, text=True, errors="replace",
                              env=dict(os.environ, LC_ALL="C.UTF-8"), timeout=LIMIT_S, check=False).stdout

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "t", *keys)

    def type(self, text):
        self.tmux("send-keys", "-t", "t", "-l", "--", text)

    def mouse(self, col, row, button=0):
        """As an X10 terminal reports it: a press of the button (64: wheel up, 65: down) on a cell, and its release."""
        for number in (button, 3):
            self.keys("-H", "1b", "5b", "4d", *(f"{32 + n:02x}" for n in (number, col + 1, row + 1)))
            if button >= 64:
                break

    def lines(self, *args):
        return self.tmux("capture-pane", "-p", "-t", "t", *args).rstrip("\n").split("\n")

    def resize(self, cols, rows):
        self.tmux("resize-window", "-t", "t", "-x", str(cols), "-y", str(rows))

    def wait(self, sees, what=None):
        """Until sees(lines) is true; None, or what was seen instead."""
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            lines = self.lines()
            if sees(lines):
                return None
            time.sleep(0.1)  # a look at the screen ten times a second; the verdict does not depend on it
        return f"not seen{': ' + what if what else ''}; the screen: " + " / ".join(line for line in lines if line)

    def wait_text(self, text):
        return self.wait(lambda lines: any(text in line for line in lines), text)

    def wait_selected(self, row):
        """Until the line stands out by its background or in reverse."""
        return self.wait(lambda _: re.search(r"\033\[[\d;]*(7|48;5;252)m", self.lines("-e")[row]), f"line {row} selected")

    def rows(self):
        """Below the header of the table."""
        return [line for line in self.lines()[4:-1] if line.strip()]

    def program_pid(self):
        pane = self.tmux("list-panes", "-t", "t", "-F", "#{pane_pid}").strip()
        got = subprocess.run(["ps", "--ppid", pane, "-o", "pid=,comm="], capture_output=True, text=True, check=False)
        pids = [int(line.split()[0]) for line in got.stdout.splitlines() if "ipctrace" in line]
        return pids[0] if pids else None

    def ended(self):
        """The exit status that the shell reports."""
        self.wait_text("status ")
        found = [re.search(r"status (\d+)", line) for line in self.lines()]
        return next((int(m.group(1)) for m in found if m), None)

    def restored(self):
        """None, or how the terminal differs from before."""
        def read(name):
            with open(self.path(name), encoding="ascii") as f:
                return f.read()

        end = time.monotonic() + LIMIT_S
        while not os.path.exists(self.path("after")) and time.monotonic() < end:
            time.sleep(0.05)
        if read("before") != read("after"):
            return f"stty: {read('before')} became {read('after')}"
        flags = self.tmux("display-message", "-p", "-t", "t", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").strip()
        return None if flags == "0 1 0" else f"alternate screen, cursor, mouse: {flags}, not 0 1 0"

    def close(self):
        self.tmux("kill-server")
        self.directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
