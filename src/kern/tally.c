/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading the ledger. An operation is counted in the map that its program found in ledger_state. A map that is no longer named
 * there is read a while later (REST_NS): the programs that found it there have ended long since (they run for microseconds), so a
 * row is read once, when nobody adds to it any more, and deleted. Thus rows are what happened in one period, each operation is
 * in exactly one of them, and the maps hold what was active in a period and no more.
 */
#include "kern/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/membarrier.h>

#include "base/log.h"
#include "ipctrace/ledger.h"
#include "kern/kern_impl.h"
#include "kern/skel.h"

#define ROWS_MAX 32768 /* of each map: ends that are active in one period */
#define BATCH_ROWS 1024
#define ROWS_EACH_POLL 4096 /* a record each, which are put in order in memory */
#define REST_NS 250000000ull
#define PERIOD_NS 250000000ull
/*
 * Beside the stream a row is a second look at what came already, and nobody waits for it: with the short period it cost as much as
 * the stream where each of thousands of ends is used a few times in it. But what ended must not be folded before (model_opts.history_ns).
 */
#define PERIOD_BESIDE_NS 2000000000ull

/* Who takes the records, and the time that is theirs. */
struct giver {
	uint64_t now_ns;
	event_fn fn;
	void *ctx;
};

void tally__configure(struct kern *k, struct ipct_config *cfg, uint32_t rows)
{
	struct tally *t = &k->tally;

	t->mode = k->opts.ledger;
	if (t->mode == KERN_LEDGER_NONE)
		return;
	t->period_ns = t->mode == KERN_LEDGER_BESIDE ? PERIOD_BESIDE_NS : PERIOD_NS;
	if (k->opts.ledger_period_ns)
		t->period_ns = k->opts.ledger_period_ns;
	t->rest_ns = t->period_ns < REST_NS ? t->period_ns : REST_NS;
	t->retired_read = true;
	cfg->ledger = t->mode == KERN_LEDGER_SUMMARY ? IPCT_LEDGER_SUMMARY : IPCT_LEDGER_SWITCHED;
	bpf_map__set_max_entries(k->skel->maps.ledger_first, rows ? rows : ROWS_MAX);
	bpf_map__set_max_entries(k->skel->maps.ledger_second, rows ? rows : ROWS_MAX);
}

static void set_state(struct kern *k, uint32_t state)
{
	k->tally.state = state;
	__atomic_store_n(&k->skel->bss->ledger_state, state, __ATOMIC_RELEASE);
}

void tally__begin(struct kern *k)
{
	struct tally *t = &k->tally;

	if (t->mode == KERN_LEDGER_NONE)
		return;
	t->keys = xalloc(BATCH_ROWS * sizeof(struct ipct_ledger_key));
	t->rows = xalloc(BATCH_ROWS * sizeof(struct ipct_ledger_row));
	if (t->mode == KERN_LEDGER_SUMMARY)
		set_state(k, IPCT_LEDGER_COUNTS | IPCT_LEDGER_ONLY);
	else if (t->mode == KERN_LEDGER_BESIDE)
		set_state(k, IPCT_LEDGER_COUNTS);
}

static bool is_beside(uint32_t state)
{
	return !(state & IPCT_LEDGER_ONLY);
}

static void give_row(const struct ipct_ledger_key *key, const struct ipct_ledger_row *row, bool beside,
		     const struct giver *g)
{
	struct ipct_sum ev = {
		.h = { .ts_ns = g->now_ns,
		       .kind = IPCT_KIND_SUM,
		       .size = sizeof(ev),
		       .mech = key->mech,
		       .op = key->op,
		       .pid = key->pid,
		       .tid = key->pid },
		.start_ns = row->start_ns,
		.key = key->key,
		.queue = key->queue,
		.messages = row->messages,
		.bytes = row->bytes,
		.errors = row->errors,
		.wait_ns = row->wait_ns,
		.sub = key->sub,
		.space = key->space,
		.peer_ino = row->peer_ino,
		.flags = beside ? IPCT_SUM_BESIDE : 0,
	};

	memcpy(ev.comm, row->comm, sizeof(ev.comm));
	g->fn(g->ctx, &ev.h);
}

static void give_mark(uint32_t flag, const struct giver *g)
{
	struct ipct_sum ev = {
		.h = { .ts_ns = g->now_ns,
		       .kind = IPCT_KIND_SUM,
		       .size = sizeof(ev),
		       .mech = IPCT_MECH_NONE },
		.flags = flag,
	};

	g->fn(g->ctx, &ev.h);
}

/* Rows of a map, up to about max; they leave it. *emptied: that was all. */
static size_t give_map(struct kern *k, int fd, bool beside, size_t max, const struct giver *g, bool *emptied)
{
	struct tally *t = &k->tally;
	const struct ipct_ledger_key *keys = t->keys;
	const struct ipct_ledger_row *rows = t->rows;
	uint32_t at, cnt;
	void *from = NULL;
	size_t sum = 0;
	int rc;

	do {
		cnt = BATCH_ROWS;
		rc = bpf_map_lookup_and_delete_batch(fd, from, &at, t->keys, t->rows, &cnt, NULL);
		if (rc && rc != -ENOENT)
			break;
		for (uint32_t i = 0; i < cnt; i++)
			give_row(&keys[i], &rows[i], beside, g);
		sum += cnt;
		from = &at;
	} while (!rc && sum < max);
	t->given_cnt += sum;
	*emptied = rc;
	if (rc && t->given_cnt)
		give_mark(IPCT_SUM_DONE, g);
	if (rc)
		t->given_cnt = 0;
	return sum;
}

static int retired_fd(const struct kern *k)
{
	return bpf_map__fd(k->tally.state & IPCT_LEDGER_SECOND ? k->skel->maps.ledger_first
							       : k->skel->maps.ledger_second);
}

static int present_fd(const struct kern *k)
{
	return bpf_map__fd(k->tally.state & IPCT_LEDGER_SECOND ? k->skel->maps.ledger_second
							       : k->skel->maps.ledger_first);
}

/* Changes the maps' places; the retired one must be empty. */
static void change(struct kern *k, uint32_t state, uint64_t now_ns)
{
	struct tally *t = &k->tally;

	t->retired_beside = is_beside(t->state);
	t->retired_read = false;
	t->changed_ns = now_ns;
	t->full_cnt = k->skel->bss->ledger_full_cnt;
	set_state(k, state ^ IPCT_LEDGER_SECOND);
}

static size_t tell_begin(struct tally *t, const struct giver *g)
{
	if (t->told_begin || is_beside(t->state))
		return 0;
	t->told_begin = true;
	give_mark(IPCT_SUM_SWITCH, g);
	return 1;
}

static size_t give_part(const struct ipct_ledger_part *part, uint8_t op, const struct giver *g)
{
	const struct ipct_ledger_key key = {
		.key = part->key, .sub = part->dev, .pid = part->pid, .mech = part->mech, .op = op
	};
	const struct ipct_ledger_row row = { .messages = part->messages, .bytes = part->bytes };

	if (!part->messages)
		return 0;
	give_row(&key, &row, false, g);
	return 1;
}

/* What threads that run did last, and did not enter into a map. */
static size_t give_pending(struct kern *k, const struct giver *g)
{
	struct ipct_ledger_pending all[k->ring_cnt];
	uint32_t zero = 0;
	size_t cnt = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.ledger_pending), &zero, all))
		return 0;
	for (size_t cpu = 0; cpu < k->ring_cnt; cpu++) {
		cnt += give_part(&all[cpu].read, IPCT_OP_RECV, g);
		cnt += give_part(&all[cpu].write, IPCT_OP_SEND, g);
	}
	return cnt;
}

/* The programs are closed: those that run still are waited for, then all there is is given out. */
static size_t finish(struct kern *k, const struct giver *g)
{
	struct tally *t = &k->tally;
	bool emptied;
	size_t cnt;

	t->finished = true;
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	cnt = give_pending(k, g);
	cnt += give_map(k, retired_fd(k), t->retired_beside, SIZE_MAX, g, &emptied);
	return cnt + give_map(k, present_fd(k), is_beside(t->state), SIZE_MAX, g, &emptied);
}

/* What finds no room in the map goes through the rings one by one, and who is to be relieved cannot wait. */
static bool is_time_to_change(const struct kern *k, uint64_t now_ns)
{
	const struct tally *t = &k->tally;

	return t->relieve_next || now_ns - t->changed_ns >= t->period_ns ||
	       k->skel->bss->ledger_full_cnt != t->full_cnt;
}

size_t tally__poll(struct kern *k, uint64_t now_ns, event_fn fn, void *ctx)
{
	const struct giver g = { now_ns, fn, ctx };
	struct tally *t = &k->tally;
	size_t cnt;

	if (t->mode == KERN_LEDGER_NONE || t->finished)
		return 0;
	cnt = tell_begin(t, &g);
	if (!k->active)
		return cnt + finish(k, &g);
	if (!(t->state & IPCT_LEDGER_COUNTS) || now_ns - t->changed_ns < t->rest_ns)
		return cnt;
	if (!t->retired_read)
		cnt += give_map(k, retired_fd(k), t->retired_beside, ROWS_EACH_POLL, &g, &t->retired_read);
	if (!t->retired_read || !is_time_to_change(k, now_ns))
		return cnt;
	change(k, t->relieve_next ? t->state | IPCT_LEDGER_ONLY : t->state, now_ns);
	t->relieve_next = false;
	return cnt + tell_begin(t, &g);
}

void tally__relieve(struct kern *k, uint64_t now_ns)
{
	struct tally *t = &k->tally;

	if (!k->active || !is_beside(t->state))
		return;
	if (t->mode == KERN_LEDGER_BESIDE) {
		t->relieve_next = true; /* with the next change of maps: a map's rows are of one sort */
	} else if (t->mode == KERN_LEDGER_STANDBY) {
		t->changed_ns = now_ns;
		set_state(k, IPCT_LEDGER_COUNTS | IPCT_LEDGER_ONLY);
	}
}

void tally__free(struct kern *k)
{
	free(k->tally.keys);
	free(k->tally.rows);
	k->tally.keys = k->tally.rows = NULL;
}
