/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"

#define GROUPS_MAX 256

/*
 * A futex in shared memory, because pipes, sockets, signals and eventfds would be seen: what the child waits
 * with must not show up as its own traffic.
 */
struct gate {
	_Atomic uint32_t open;
	int err; /* errno of what failed in the child before the command ran */
	bool at_exec; /* it was exec itself */
	bool keep_from_terminal;
};

struct caller { /* who called sudo */
	bool valid;
	uid_t uid;
	gid_t gid, groups[GROUPS_MAX];
	int group_cnt;
};

static bool parse_id(const char *name, unsigned long *id)
{
	const char *text = getenv(name);
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*id = strtoul(text, &end, 10);
	return !errno && *end == '\0' && *id < UINT32_MAX;
}

/* Asked before tracing begins: looking up groups may talk to name services. */
static void find_caller(struct caller *c)
{
	const struct passwd *pw;
	unsigned long uid, gid;

	memset(c, 0, sizeof(*c));
	if (geteuid() != 0 || !parse_id("SUDO_UID", &uid) || !parse_id("SUDO_GID", &gid) || uid == 0)
		return;
	c->valid = true;
	c->uid = uid;
	c->gid = c->groups[0] = gid;
	c->group_cnt = GROUPS_MAX;
	pw = getpwuid(uid);
	if (!pw || getgrouplist(pw->pw_name, gid, c->groups, &c->group_cnt) < 0)
		c->group_cnt = 1;
}

static int become(const struct caller *c)
{
	if (!c->valid)
		return 0;
	if (setgroups(c->group_cnt, c->groups) || setgid(c->gid) || setuid(c->uid))
		return -errno;
	/* There must be no way back. */
	return setuid(0) == 0 || geteuid() != c->uid ? -EPERM : 0;
}

static void wait_at(struct gate *gate)
{
	while (!atomic_load(&gate->open))
		syscall(SYS_futex, &gate->open, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		if (isatty(fd))
			dup2(null, fd);
}

static void run_child(struct gate *gate, char **argv, const struct stop *stop, const struct caller *caller,
		      pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
	wait_at(gate);
	prctl(PR_SET_PDEATHSIG, 0);
	gate->err = -become(caller);
	if (gate->err)
		_exit(EXIT_CANNOT_RUN);
	stop__restore(stop);
	if (gate->keep_from_terminal)
		leave_terminal();
	execvp(argv[0], argv);
	gate->err = errno;
	gate->at_exec = true;
	_exit(gate->err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
}

int child__fork(struct child *c, char **argv, const struct stop *stop, struct buf *err)
{
	struct caller caller;
	pid_t parent = getpid();

	*c = (struct child){ .name = argv[0] };
	c->gate = mmap(NULL, sizeof(*c->gate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->gate == MAP_FAILED) {
		c->gate = NULL;
		goto fail;
	}
	find_caller(&caller);
	c->pid = fork();
	if (c->pid == 0)
		run_child(c->gate, argv, stop, &caller, parent);
	if (c->pid > 0)
		return 0;
	c->pid = 0;
fail:
	buf__printf(err, "cannot start '%s': %s", argv[0], strerror(errno));
	return -errno;
}

void child__keep_from_terminal(struct child *c)
{
	if (c->gate)
		c->gate->keep_from_terminal = true;
}

void child__go(struct child *c)
{
	if (!c->pid)
		return;
	atomic_store(&c->gate->open, 1);
	syscall(SYS_futex, &c->gate->open, FUTEX_WAKE, 1, NULL, NULL, 0);
}

bool child__ended(struct child *c)
{
	if (c->pid && !c->ended)
		c->ended = waitpid(c->pid, &c->wait_status, WNOHANG) == c->pid;
	return c->ended;
}

void child__signal(struct child *c, int sig)
{
	if (c->pid && !c->ended)
		kill(c->pid, sig);
}

int child__exit_status(const struct child *c, struct buf *err)
{
	if (c->gate->err && c->gate->at_exec)
		buf__printf(err, "cannot run '%s': %s", c->name,
			    c->gate->err == ENOENT ? "command not found" : strerror(c->gate->err));
	else if (c->gate->err)
		buf__printf(err, "cannot run '%s' as the user who called sudo: %s", c->name,
			    strerror(c->gate->err));
	if (WIFSIGNALED(c->wait_status))
		return 128 + WTERMSIG(c->wait_status);
	return WEXITSTATUS(c->wait_status);
}

void child__free(struct child *c)
{
	if (c->pid && !child__ended(c) && !atomic_load(&c->gate->open)) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, &c->wait_status, 0);
	}
	if (c->gate)
		munmap(c->gate, sizeof(*c->gate));
	*c = (struct child){ 0 };
}
