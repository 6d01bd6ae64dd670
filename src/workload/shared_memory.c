/* SPDX-License-Identifier: GPL-2.0 */
#include "workload/shared_memory.h"

#include <string.h>

static struct area *area_of(const struct worker *w)
{
	return w->run->priv;
}

static uint32_t place(const struct worker *w)
{
	return w->role == ROLE_WRITER ? w->index : w->run->cnt[ROLE_WRITER] + w->index;
}

/* A writer's mark proves to those who see it that it is the same memory. */
static int look_and_mark(struct worker *w, volatile unsigned char *at)
{
	uint32_t writers = w->run->cnt[ROLE_WRITER];

	for (uint64_t i = 0; w->role == ROLE_WRITER && i < w->run->o->messages; i++) {
		worker__pace(w);
		at[w->index] = (unsigned char)(w->index + 1);
	}
	if (worker__barrier(w, 2))
		return -1;
	for (uint32_t i = 0; i < writers; i++)
		if (at[i] != i + 1)
			return worker__fail(w, "worker %u does not see what writer %u wrote", place(w), i);
	return worker__barrier(w, 3);
}

static int use_area(struct worker *w)
{
	struct area *a = area_of(w);
	void *at = a->attach(w, w->role == ROLE_WRITER);
	int rc;

	if (!at)
		return -1;
	rc = worker__barrier(w, 1);
	if (!rc)
		rc = look_and_mark(w, at);
	return a->detach(w, at) ? -1 : rc;
}

static pid_t pid_at(struct run *r, uint32_t i)
{
	return run__seat(r, ROLE_WRITER, i)->pid; /* readers' seats follow the writers' */
}

static void add_shares(struct run *r, const char *name)
{
	uint32_t all = r->cnt[ROLE_WRITER] + r->cnt[ROLE_READER];

	for (uint32_t i = 0; i < all; i++)
		for (uint32_t j = i + 1; j < all; j++)
			if (pid_at(r, i) != pid_at(r, j))
				truth__add(r->truth, TRUTH_SHARE, pid_at(r, i), pid_at(r, j), r->wl->name,
					   name, 0, 0);
}

int area__go(struct run *r, struct area *a)
{
	struct parts parts = { .work = { use_area, use_area } };
	int rc;

	r->priv = a;
	rc = run__go(r, &parts);
	if (!rc)
		add_shares(r, a->name);
	return rc;
}
