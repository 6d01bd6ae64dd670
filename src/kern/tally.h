/* SPDX-License-Identifier: GPL-2.0 */
/* The ledger's maps: sized before loading, read while tracing, as records of the event source. For kern/ only. */
#ifndef KERN_TALLY_H
#define KERN_TALLY_H

#include "event/source.h"
#include "kern/kern.h"

struct ipct_config;

struct tally {
	enum kern_ledger mode;
	uint64_t period_ns; /* how long a map is counted in */
	uint64_t rest_ns; /* how long after that it is read */
	uint64_t changed_ns; /* when the maps changed places the last time; 0: never */
	uint64_t full_cnt; /* operations that had found no room until then */
	uint32_t state; /* enum ipct_ledger_state, as the kernel half has it */
	bool retired_read; /* the map that nobody writes to is empty */
	bool retired_beside; /* what it counted had records, too */
	bool relieve_next; /* only sums from the next change on, which is not to wait */
	size_t given_cnt; /* rows so far of the map that is being read */
	bool told_begin; /* that there are only sums from here on */
	bool finished; /* all rows were given out */
	void *keys, *rows; /* of one batch */
};

/* After opening, before loading. rows: of each map; 0: the usual number. */
void tally__configure(struct kern *k, struct ipct_config *cfg, uint32_t rows);
void tally__begin(struct kern *k); /* before the programs are opened */
/* Gives out what is due; returns the number of records. */
size_t tally__poll(struct kern *k, uint64_t now_ns, event_fn fn, void *ctx);
/* Records were lost, or are about to be: from now on there are only sums, where that was asked for. */
void tally__relieve(struct kern *k, uint64_t now_ns);
void tally__free(struct kern *k);

#endif
