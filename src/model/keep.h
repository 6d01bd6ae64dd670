/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Saying what must stay: model/forget.c asks everybody who points to processes and channels; what nobody
 * kept, and has ended, may be told of as one with others then.
 */
#ifndef MODEL_KEEP_H
#define MODEL_KEEP_H

#include "model/graph.h"
#include "model/pair.h"

static inline void keep__proc(struct proc *p) /* NULL: nothing */
{
	if (p)
		p->kept = true;
}

static inline void keep__procs(struct proc *const *v, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		keep__proc(v[i]);
}

/* Also what it was merged into; NULL: nothing. */
static inline void keep__channel(struct channel *ch)
{
	for (; ch; ch = ch->merged)
		ch->kept = true;
}

static inline void keep__sender(const struct sender *s)
{
	keep__proc(s->party.proc);
}

void keep__message(const struct message *m); /* one that a sink has copied */
/* Who has that pid now, if anybody. */
void keep__pid(struct model *m, uint32_t pid);
/* What is known of that object, and its channel: model__channel() will be asked for it. */
void keep__object(struct model *m, struct obj_key key);

#endif
