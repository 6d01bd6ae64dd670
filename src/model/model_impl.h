/* SPDX-License-Identifier: GPL-2.0 */
/* The inside of the model: for model.c and its own parts (objects.c, ends.c, receipt.c) only, not for rules. */
#ifndef MODEL_MODEL_IMPL_H
#define MODEL_MODEL_IMPL_H

#include "model/pair.h"
#include "model/passed.h"

/* What the model knows of one object. Its channel is made at the first operation, so idle objects are no nodes. */
struct object {
	struct obj_key key;
	const char *name; /* interned; NULL: nobody told it */
	struct channel *channel; /* may be merged: resolve */
	/* What its rule has of it, and the place in the rule's table: to be fetched early. May be freed: for nothing else. */
	const void *state, *state_slot;
	uint64_t capacity_bytes;
	uint64_t last_ns; /* about when it was last used, or told of */
	uint32_t nr; /* object_info.nr of the one that has the key now */
	uint8_t mech;
	bool kept; /* scratch of forget.c */
};

struct receipt_list {
	struct receipt *head, *tail;
};

/* Receipts in the order of their making, which is that of time; the done ones wait here for the older open ones. */
struct receipt_queue {
	struct receipt_list line;
	struct receipt_list late; /* open for too long */
	struct receipt *spare; /* for reuse */
	size_t done_cnt, spare_cnt; /* done_cnt: in line */
};

struct model {
	struct model_opts opts;
	struct model_sink sink;
	struct model_stats stats;
	struct graph graph;
	struct proc_table procs;
	struct map objects; /* key -> struct object * */
	struct receipt_queue receipts;
	struct pairing *pairing[PAIR_RULE_CNT];
	struct ledger *ledger; /* NULL: no sums came */
	struct passed *passed; /* NULL: no descriptor was ever passed */
	struct {
		size_t procs, channels,
			objects; /* with more of these something may have ended that need not stay */
		uint64_t next_ns; /* or then, with more than history of them */
	} forget;
	uint64_t now_ns;
	struct object *used; /* that of the operation under way; NULL: none */
	uint64_t next_settle_ns; /* operations carry time too: the caller need not advance for each */
};

/* objects.c */
/* Makes it when there is none. NULL: no key. */
struct object *objects__used(struct model *m, uint8_t mech, struct obj_key key);
struct channel *object__channel(struct model *m, struct object *o, uint8_t mech); /* NULL: o is */
struct channel *objects__channel(struct model *m, uint8_t mech, struct obj_key key);
/* The same where the key may have been given to another one meanwhile: nr and name are those of the one that is meant. */
struct channel *objects__channel_of(struct model *m, uint8_t mech, struct obj_key key, uint32_t nr,
				    const char *name);
void objects__learn(struct model *m, const struct object_info *info);
/* Names of objects that nobody keeps are forgotten, but for the last OBJECTS_NAMED_MAX. */
void objects__forget(struct model *m);
void objects__free(struct model *m);

/* ends.c: what op says about (process, channel) goes to the graph. ch may be NULL. */
void ends__account(struct model *m, const struct op *op, struct channel *ch, struct proc *proc);
void ends__seen(struct end *end, uint64_t ts_ns); /* something happened at it */
/* The same of sums; ch and proc are not NULL. NULL: such operations make no end. */
struct end *ends__of_sum(struct model *m, const struct sum_info *info, struct channel *ch, struct proc *proc);
void ends__add_sum(struct model *m, const struct sum_info *info, struct channel *ch, struct proc *proc);
/* PAIR_UNITS: what msg's receiver took, now that it is known. */
void ends__took(struct model *m, const struct message *msg);

/* ledger.c: channels and messages of what is only known in sums: model__sum() */
void ledger__finish(struct model *m);
void ledger__follow(struct model *m); /* processes and channels were merged */
void ledger__free(struct model *m);

/* To the graph, the statistics and the sink. */
void model__give_out(struct model *m, const struct message *msg);

/* forget.c: when enough has ended, what is beyond model_opts.history is folded and freed. */
void forget__look(struct model *m);

void model__keep(struct model *m, bool pairing_goes_on); /* everybody says what must stay */
void model__follow(struct model *m); /* everybody lets go of what was merged */
void model__note_time(struct model *m, uint64_t ts_ns);

/* passed.c: descriptors on their way */
void passed__feed(struct model *m, const struct pass_info *info);
/* What the thread of op received during op, from now on under a number; 0: nothing. */
uint32_t passed__claim(struct model *m, const struct op *op);
const struct passed_fd *passed__of(const struct model *m, uint32_t nr,
				   uint16_t *cnt); /* NULL: none, or too long ago */
void passed__exited(struct model *m, uint32_t tid);
void passed__keep(struct model *m);
void passed__follow(struct model *m);
void passed__free(struct model *m);

/* receipt.c: gives out what is done; waits for open ones no longer than until now_ns. */
void receipts__release(struct model *m, uint64_t now_ns);
void receipts__keep(struct model *m);
void receipts__free(struct model *m); /* open ones are forgotten */

#endif
