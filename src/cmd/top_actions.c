/* SPDX-License-Identifier: GPL-2.0 */
/* What keys of top do outside of it: signals and files. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/signame.h"
#include "cmd/graphviz.h"
#include "cmd/now_options.h"
#include "cmd/top_screen.h"
#include "cmd/whole_file.h"

/* Held by a descriptor, so that it cannot become another process between the look and the signal. */
int top_action__signal(void *ctx, const struct proc *p, int sig, struct buf *said)
{
	uint64_t tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK), start_ns;
	char name[SIGNAME_BYTES];
	int fd = (int)syscall(SYS_pidfd_open, p->pid, 0), ret = 0;

	if (fd < 0) {
		ret = -errno;
	} else {
		start_ns = now__start_ns(p->pid);
		if (p->start_ns && p->start_ns / tick_ns != start_ns / tick_ns)
			ret = -ESRCH;
		else if (syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0))
			ret = -errno;
		close(fd);
	}
	if (ret)
		buf__printf(said, "cannot send %s to %u: %s", signame((unsigned int)sig, name), p->pid,
			    ret == -ESRCH ? "it has ended" : strerror(-ret));
	else
		buf__printf(said, "sent %s to %u", signame((unsigned int)sig, name), p->pid);
	return ret;
}

static const struct graph_view *view_for(const char *path)
{
	static const struct {
		const char *ending, *view;
	} endings[] = { { "txt", "text" }, { "gv", "dot" } };
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++)
		if (!strcmp(dot + 1, endings[i].ending))
			return graph_view__by_name(endings[i].view);
	return dot ? graph_view__by_name(dot + 1) : NULL;
}

int top_action__write(void *ctx, const char *path, struct graph *g, struct buf *said)
{
	const struct top *t = top_screen__top(ctx);
	const struct graph_view *view = view_for(path);
	struct whole_file file;
	int ret;

	if (!view) {
		buf__printf(said, "no format for '%s': end its name with .dot, .json, .txt or another of ",
			    path);
		for (const struct graph_view *const *v = graph_view__all(); *v; v++)
			buf__printf(said, "%s ", (*v)->name);
		return -EINVAL;
	}
	ret = view->drawn_as ? graphviz__check(view->name, said) : 0;
	if (!ret)
		ret = whole_file__open(&file, path, said);
	if (ret)
		return ret;
	view->render(&file.out.buf, g, pipeline__procs(t->pipeline), &t->names, NULL);
	if (view->drawn_as)
		ret = graphviz__draw(view->drawn_as, &file.out.buf, said);
	if (ret) {
		whole_file__drop(&file);
		return ret;
	}
	ret = whole_file__finish(&file, said);
	if (!ret)
		buf__printf(said, "wrote %s: %zu flows", path, g->flows.cnt);
	return ret;
}
