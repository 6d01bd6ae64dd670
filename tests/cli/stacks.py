# SPDX-License-Identifier: GPL-2.0
"""--stacks: whose code sends and receives, live as replayed, after the program is gone, with and without symbols."""
import json
import os
import shutil
import subprocess
import tempfile

from cli import IPCTRACE, TIMEOUT, expect, is_root, report, run, skip

# Each function has one caller and does something after its call, so that it stays on the stack.
PROGRAM = r"""
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#define KEEP __attribute__((noinline, noclone))
static volatile int done;
KEEP void sends_it(int fd) { if (write(fd, "12345678", 8) != 8) abort(); done++; }
KEEP void produces(int fd) { for (int i = 0; i < 5; i++) sends_it(fd); done++; }
KEEP void takes_it(int fd) { char b[100]; while (read(fd, b, sizeof(b)) > 0) done++; done++; }
KEEP void signals_it(pid_t pid) { kill(pid, SIGTERM); done++; }
/* Until it sleeps in read(). */
KEEP void waits_for(pid_t pid)
{
	char path[64], line[100] = "";

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	while (line[0] != '0' || line[1] != ' ') {
		FILE *f = fopen(path, "r");
		if (f && !fgets(line, sizeof(line), f)) line[0] = 0;
		if (f) fclose(f);
	}
}
int main(void)
{
	int p[2], end[2];
	char c;
	if (pipe(p) || pipe(end)) return 1;
	pid_t pid = fork();
	if (!pid) {
		close(p[1]); takes_it(p[0]);
		if (write(end[1], "x", 1) != 1) abort();
		for (;;) pause();
	}
	close(p[0]); waits_for(pid); produces(p[1]); close(p[1]);
	if (read(end[0], &c, 1) != 1) return 1;
	signals_it(pid); waitpid(pid, NULL, 0);
	return 0;
}
"""


def build(directory, name, *flags):
    source, program = os.path.join(directory, "program.c"), os.path.join(directory, name)
    with open(source, "w") as f:
        f.write(PROGRAM)
    subprocess.run([shutil.which("gcc") or "cc", *flags, "-o", program, source], check=True, timeout=TIMEOUT)
    return program


def functions(stack):
    return [frame.split(" ")[0] for frame in stack]


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def of(messages, mech):
    return [m for m in messages if m["type"] == "message" and m["mech"] == mech and m["bytes"] != 1]


def live_and_replayed(directory):
    program = build(directory, "program", "-g", "-O1", "-fno-omit-frame-pointer")
    data, live = os.path.join(directory, "data"), os.path.join(directory, "live")
    got = run("--json", "--stacks", "--kernel-stacks", "-m", "pipe,signal", "-o", live, "--record", data, "--", program)
    if not expect("stacks: status", got, 0):
        return None
    with open(live) as f:
        text = f.read()
    os.remove(program)  # names are in the recording
    for name, options in {"text": [], "operations": ["--ops"], "JSON": ["--json"]}.items():
        expect(f"stacks: replayed as {name}", run("replay", data, *options), 0, stdout_has="sends_it")
    report("stacks: replayed as live", None if run("replay", "--json", data).stdout == text else "it is not")
    pipe = of(lines(text), "pipe")
    senders = [functions(m.get("stack", [])) for m in pipe]
    want = ["sends_it", "produces", "main"]
    report("stacks: who sends", None if pipe and all(s[1:4] == want for s in senders) else str(senders))
    takers = [functions(m.get("dst_stack", [])) for m in pipe]
    report("stacks: who takes", None if pipe and all(s[1:3] == ["takes_it", "main"] for s in takers) else str(takers))
    number = PROGRAM.splitlines().index(next(x for x in PROGRAM.splitlines() if "sends_it(int" in x)) + 1
    where = f"sends_it ({directory}/program.c:{number})"
    report("stacks: where in its source", None if pipe and pipe[0]["stack"][1] == where else str(pipe[0]["stack"]))
    kernel = [functions(m["kernel_stack"]) for m in pipe if "kernel_stack" in m]
    report("stacks: where it slept", None if kernel and "schedule" in kernel[0] and "vfs_read" in kernel[0] else str(kernel))
    signals = [functions(m.get("stack", [])) for m in of(lines(text), "signal")]
    report("stacks: who signals", None if signals and signals[0][1:3] == ["signals_it", "main"] else str(signals))
    return data


def summed_up(data):
    rows = json.loads(run("report", "--stacks", "--json", data).stdout)["stacks"]
    sends = [r for r in rows if r["mech"] == "pipe" and r["op"] == "send" and r["bytes"] == 40]
    why = None if len(sends) == 1 and sends[0]["operations"] == 5 and sends[0]["object"].startswith("pipe:") else str(rows)
    report("report --stacks: each place once", why)
    expect("report --stacks: as text", run("report", "--stacks", data), 0, stdout_has="Which code moved most")
    folded = run("export", "-F", "folded", data).stdout.splitlines()
    mine = [x for x in folded if "sends_it" in x]
    shape = all(x.rsplit(" ", 1)[1].isdigit() and x.startswith("program;") for x in mine)
    right = len(mine) == 1 and shape and ";main;produces;sends_it;" in mine[0] and mine[0].endswith(";pipe send 5")
    report("export -F folded", None if right else str(folded))


def without_symbols(directory):
    program = build(directory, "stripped", "-O2", "-fomit-frame-pointer", "-s")
    got = run("--json", "--stacks", "-m", "pipe", "--", program)
    pipe = of(lines(got.stdout), "pipe")
    report("stacks: the caller without symbols and frame pointers",
           None if pipe and pipe[0]["stack"][1].startswith("stripped+0x") else str(pipe))
    plain = run("--json", "-m", "pipe", "--", program).stdout
    report("stacks: off by default", None if plain and "stack" not in plain else plain)


def everything(directory):
    """All mechanisms, all programs; a stack for whatever a process does to another."""
    data = os.path.join(directory, "all")
    got = run("record", "--stacks", "--kernel-stacks", "-o", data, "--", IPCTRACE, "workload", "all", "--messages", "20")
    expect("stacks: of all mechanisms", got, 0, "events in")
    ops = [x for x in lines(run("replay", "--ops", "--json", data).stdout) if x["type"] == "op"]
    sends = [x for x in ops if x["op"] == "send" and x["ret"] > 0]
    missing = {x["mech"] for x in sends if len(x.get("stack", [])) < 2}
    report("stacks: each mechanism that sends has them", None if sends and not missing else f"not {missing}")


def main():
    if not is_root():
        return skip("stacks", "needs root")
    if not shutil.which("gcc") and not shutil.which("cc"):
        return skip("stacks", "no C compiler")
    with tempfile.TemporaryDirectory() as directory:
        if run("-D", "0", "--stacks", "-m", "pipe").returncode:
            return skip("stacks", "nothing can be traced here")
        data = live_and_replayed(directory)
        if data:
            summed_up(data)
        without_symbols(directory)
        everything(directory)
    return None
