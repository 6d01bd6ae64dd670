/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by ledger.c and ledger_beside.c only. */
#ifndef MODEL_LEDGER_IMPL_H
#define MODEL_LEDGER_IMPL_H

#include "model/model_impl.h"

/* What one process has on one side of a lane. units: bytes of a stream, else messages; other: the other one of the two. */
struct account {
	struct proc *proc;
	uint64_t units, other;
};

struct account_list {
	struct account one; /* most sides have one user, at least at a time: while there is no crowd */
	struct account_crowd *crowd; /* NULL: none */
	size_t cnt;
};

/* The accounts of a side with several users, which can be thousands. */
struct account_crowd {
	VEC(struct account) all;
	struct map by_proc; /* process -> its place in all, from 1 */
};

static inline struct account *account_list__v(const struct account_list *list)
{
	return list->crowd ? list->crowd->all.v : (struct account *)&list->one;
}

/* By a process; NULL: it has none. */
struct account *account_list__find(const struct account_list *list, const struct proc *proc);

/* From all who send to a queue to all who receive from it. */
struct lane {
	struct obj_key queue;
	struct channel *channel; /* may be merged: resolve */
	uint8_t mech;
	bool is_stream;
	bool is_touched; /* in ledger.touched */
	bool is_retired; /* not in ledger.lanes any more */
	uint32_t nr; /* sum_info.queue_nr; 0: not known */
	uint8_t starved; /* looks in a row after which somebody had a debt, and nobody credit */
	struct account_list senders, receivers;
	struct lane *next; /* of the same channel: ledger_beside.c */
};

struct ledger {
	struct map lanes; /* queue -> struct lane */
	VEC(struct lane *) touched; /* since the last look; with has_beside those that were retired */
	bool has_beside; /* some sums are of operations that came, too: nothing is settled before the end */
};

/* ledger_beside.c: what the sums say of ends whose operations came, too, is kept with these: end.summed */
void beside__note(struct model *m, const struct sum_info *info, struct channel *ch, struct proc *proc);
typedef bool (*doubt_fn)(const struct model *m, uint8_t mech); /* may its operations be incomplete? */
/* Ends become what the sums say, and what flows already is taken off the lanes, where operations may be missing. */
void beside__finish(struct model *m, doubt_fn is_doubtful);

#endif
