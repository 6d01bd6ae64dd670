/* SPDX-License-Identifier: GPL-2.0 */
/* Probes in user space: libc's semaphore functions, for --user-sems. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "kern/kern_impl.h"
#include "kern/skel.h"

bool kern__has_uprobes(void)
{
	return !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
}

static struct bpf_program *program_of(struct kern *k, enum kern_uprobe_what what)
{
	switch (what) {
	case KERN_UPROBE_POST:
		return k->skel->progs.usem_post__uprobe;
	case KERN_UPROBE_WAIT:
		return k->skel->progs.usem_wait__uprobe;
	case KERN_UPROBE_TRYWAIT:
		return k->skel->progs.usem_trywait__uprobe;
	}
	return NULL;
}

/* Loading comes first, see kern.c; sleep: the entry programs may wait for a page. */
void uprobes__select(struct kern *k, bool sleep)
{
	struct bpf_program *const entries[] = { k->skel->progs.usem_post__uprobe,
						k->skel->progs.usem_wait__uprobe,
						k->skel->progs.usem_trywait__uprobe };

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		bpf_program__set_autoload(entries[i], true);
		if (sleep)
			bpf_program__set_flags(entries[i], BPF_F_SLEEPABLE);
	}
	bpf_program__set_autoload(k->skel->progs.usem_return__uprobe, true);
}

static int attach(struct kern *k, struct bpf_program *prog, bool at_return, const struct kern_uprobe *u)
{
	struct bpf_link *link = bpf_program__attach_uprobe(prog, at_return, -1, u->path, u->offset);

	if (!link)
		return -errno;
	kern__keep_link(k, link);
	return 0;
}

int uprobes__attach(struct kern *k, struct buf *err)
{
	for (size_t i = 0; i < k->opts.uprobe_cnt; i++) {
		const struct kern_uprobe *u = &k->opts.uprobes[i];
		int rc = attach(k, k->skel->progs.usem_return__uprobe, true, u);

		if (!rc)
			rc = attach(k, program_of(k, u->what), false, u);
		if (rc) {
			buf__printf(
				err,
				"cannot watch the semaphore functions of %s: %s; leave out --user-sems, or "
				"see whether this kernel has CONFIG_UPROBE_EVENTS",
				u->path, strerror(-rc));
			return rc;
		}
	}
	return 0;
}
