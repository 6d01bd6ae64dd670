/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the model keeps while processes and channels of every rule come and go: with a history, no more after long than after
 * some time, in bytes of the heap; and the sums in the graph are those of everything that there ever was.
 */
#include "model/keep.h"
#include "model_kit.h"
#include "suite.h"

#define SERVER 10
#define ROUND_NS (20 * MS)
#define HISTORY 20
#define WARM \
	6000 /* rounds: longer than anything is remembered, and more than the tables hold of what nobody closes */
#define LONG 18000
#define KEPT_MAX \
	24 /* bytes a round: when it looks decides how much there is at most, but not how much more each time */
#define BYTES 64
#define PIDS 7000

struct churn {
	struct model *m;
	uint64_t sent, sent_bytes; /* what the flows must say */
	uint64_t left_bytes; /* sent, and nobody took it */
	uint64_t posts, waits; /* as the sink saw them */
	uint64_t messages;
};

static void on_message(void *ctx, const struct message *m)
{
	((struct churn *)ctx)->messages += m->messages;
}

static struct churn *churn_new(size_t history)
{
	struct churn *c = calloc(1, sizeof(*c));
	struct model_opts opts = { .object_name = kit__object_name, .history = history };
	struct model_sink sink = { .ctx = c, .message = on_message };
	struct task_info server = {
		.ts_ns = 1, .start_ns = 1, .pid = SERVER, .tid = SERVER, .what = TASK_SCAN, .comm = "server"
	};

	c->m = model__new(&opts, &sink);
	model__task(c->m, &server);
	return c;
}

static void churn_free(struct churn *c)
{
	model__free(c->m);
	free(c);
}

static struct op op_of(enum pair_rule rule, enum op_kind kind, uint32_t pid, uint64_t ts_ns, uint64_t object)
{
	return (struct op){ .ts_ns = ts_ns,
			    .enter_ns = ts_ns - 1000,
			    .pid = pid,
			    .tid = pid,
			    .kind = kind,
			    .mech = (uint8_t)rule,
			    .rule = rule,
			    .obj = { object, (uint64_t)rule << 56 },
			    .fd = -1,
			    .fd2 = -1,
			    .bytes = BYTES,
			    .ret = BYTES };
}

static void moved(struct churn *c, uint64_t bytes)
{
	c->sent++;
	c->sent_bytes += bytes;
}

/* ---- one thing of each rule, made, used and gone; nr is new in each round ---- */

static void pipe_write(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t object)
{
	struct op op = op_of(PAIR_STREAM, OP_SEND, pid, ts_ns, object);

	op.stream.addr_s = 0xffffffff00000000ull;
	op.stream.addr_e = BYTES;
	model__op(c->m, &op);
}

static void with_pipe(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_STREAM, OP_RECV, SERVER, ts_ns + 2000, nr);

	pipe_write(c, pid, ts_ns, nr);
	op.stream.addr_e = BYTES;
	op.flags = OP_F_DRAINED;
	model__op(c->m, &op);
	moved(c, BYTES);
}

static void with_unread_pipe(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	pipe_write(c, pid, ts_ns, nr | 1ull << 40);
	c->left_bytes += BYTES;
}

/* The addresses of sockets are used again. */
static void with_socket(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_MESSAGE, OP_SEND, pid, ts_ns, 1 + nr % 64 * 2);
	char name[32];
	struct object_info info = { .ts_ns = ts_ns - 1, .key = op.obj, .mech = PAIR_MESSAGE, .name = name };

	info.name_len = (size_t)snprintf(name, sizeof(name), "unix:[%d]", (int)nr);
	model__object(c->m, &info);
	op.peer = op.obj;
	op.peer.id++;
	info.key = op.peer;
	model__object(c->m, &info);
	op.msg.id = 5;
	op.msg.made_ns = ts_ns - 500;
	op.flags = OP_F_OWN_ID;
	model__op(c->m, &op);
	op.kind = OP_RECV;
	op.flags = 0;
	op.pid = op.tid = SERVER;
	op.ts_ns += 2000;
	op.obj.id++;
	op.peer.id--;
	op.msg.total = BYTES;
	model__op(c->m, &op);
	moved(c, BYTES);
}

static void with_queue(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_QUEUE, OP_SEND, pid, ts_ns, nr);

	op.ret = 0;
	op.queue.msgs = 1;
	model__op(c->m, &op);
	op.queue.sent_enter_ns = op.enter_ns;
	op.queue.sent_pid = op.queue.sent_tid = pid;
	op.queue.msgs = 0;
	op.queue.msgs_before = 1;
	op.queue.total = BYTES;
	op.kind = OP_RECV;
	op.ret = BYTES;
	op.pid = op.tid = SERVER;
	op.ts_ns = ts_ns + 2000;
	model__op(c->m, &op);
	moved(c, BYTES);
}

static void units(struct churn *c, enum units_act act, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_UNITS, act == UNITS_POST ? OP_POST : OP_WAIT, pid, ts_ns, nr);

	op.bytes = 0;
	op.ret = 0;
	op.units.act = act;
	op.units.amount = 1;
	op.units.lo_ns = op.enter_ns;
	op.units.hi_ns = op.ts_ns;
	op.units.value = UINT64_MAX;
	model__op(c->m, &op);
}

static void with_semaphore(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	units(c, UNITS_POST, pid, ts_ns, nr);
	units(c, UNITS_TAKE, SERVER, ts_ns + 2000, nr);
	moved(c, 0);
}

/* Nobody says when it is gone, with the unit that was never taken. */
static void with_posted_semaphore(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	units(c, UNITS_POST, pid, ts_ns, nr | 1ull << 40);
}

static void with_signal(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_SIGNAL, OP_POST, pid, ts_ns, 17);

	op.bytes = 0;
	op.sig.sig = 17;
	op.sig.dst_pid = op.sig.dst_tid = SERVER;
	op.sig.group = true;
	model__op(c->m, &op);
	op.kind = OP_WAIT;
	op.pid = op.tid = SERVER;
	op.ts_ns += 2000;
	model__op(c->m, &op);
	moved(c, 0);
}

static void with_memory(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_SHARE, OP_ATTACH, SERVER, ts_ns, nr);

	op.bytes = 0;
	op.ret = 0;
	op.map.addr = 0x1000;
	op.map.len = 4096;
	op.map.flags = MAP_F_WRITE;
	model__op(c->m, &op);
	op.pid = op.tid = pid;
	op.ts_ns += 10;
	model__op(c->m, &op);
}

static void with_lock(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_LOCK, OP_LOCK, pid, ts_ns, nr);

	op.bytes = 0;
	op.ret = 0;
	op.lock.owner = pid;
	op.lock.end = INT64_MAX;
	op.lock.type = LOCK_TYPE_WRITE;
	op.lock.kind = LOCK_KIND_FLOCK;
	model__op(c->m, &op);
	op.kind = OP_UNLOCK;
	op.lock.type = LOCK_TYPE_NONE;
	op.ts_ns += 10;
	model__op(c->m, &op);
}

static void with_reading_memory(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_DIRECT, OP_SEND, SERVER, ts_ns, pid);

	op.direct.pid = op.direct.tid = pid;
	model__op(c->m, &op);
	moved(c, BYTES);
}

static void with_datagram(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_DGRAM, OP_SEND, pid, ts_ns, nr);

	op.peer = (struct obj_key){ 7, 2 };
	op.msg.id = nr;
	model__op(c->m, &op);
	op.kind = OP_RECV;
	op.pid = op.tid = SERVER;
	op.ts_ns += 2000;
	op.obj = (struct obj_key){ 0 };
	model__op(c->m, &op);
	moved(c, BYTES);
}

static void with_threads(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct task_info info = { .ts_ns = ts_ns,
				  .start_ns = nr * ROUND_NS,
				  .pid = pid,
				  .tid = pid + 500000,
				  .what = TASK_FORK,
				  .comm = "thread" };

	model__task(c->m, &info);
}

static void with_descriptor(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	struct op op = op_of(PAIR_MESSAGE, OP_RECV, SERVER, ts_ns, 3);
	struct pass_info info = { .ts_ns = ts_ns,
				  .pid = pid,
				  .tid = pid,
				  .enter_ns = ts_ns - 1000,
				  .file = nr,
				  .what = PASS_SENT,
				  .mech = PAIR_MESSAGE,
				  .sock = { 1, 1 } };

	model__pass(c->m, &info);
	info.what = PASS_RECEIVED;
	info.pid = info.tid = SERVER;
	info.peer_sock = info.sock;
	model__pass(c->m, &info);
	op.ts_ns += 2000;
	op.flags = OP_F_FDS | OP_F_NO_ID;
	op.bytes = 0;
	op.ret = -1;
	model__op(c->m, &op);
}

static void sum(struct churn *c, uint32_t pid, uint8_t kind, uint64_t ts_ns, uint64_t object, uint64_t nr)
{
	char name[32];
	const struct sum_info info = { .ts_ns = ts_ns,
				       .pid = pid,
				       .mech = PAIR_NONE + 1,
				       .kind = kind,
				       .is_stream = true,
				       .beside = true,
				       .obj = { object, 1ull << 62 },
				       .queue = { object, 1ull << 62 },
				       .obj_nr = (uint32_t)nr,
				       .queue_nr = (uint32_t)nr,
				       .messages = 1,
				       .bytes = BYTES,
				       .name = nr ? name : NULL };

	snprintf(name, sizeof(name), "sock:[%u]", (unsigned int)nr);
	model__sum(c->m, &info);
}

/* Sums of what came one by one as well. */
static void with_sums(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr)
{
	sum(c, pid, OP_SEND, ts_ns, nr | 1ull << 41, 0);
	sum(c, SERVER, OP_RECV, ts_ns, nr | 1ull << 41, 0);
	sum(c, pid, OP_SEND, ts_ns, nr % 8, nr); /* the address is used again */
	sum(c, SERVER, OP_RECV, ts_ns, nr % 8, nr);
}

static void (*const things[])(struct churn *c, uint32_t pid, uint64_t ts_ns, uint64_t nr) = {
	with_pipe,	     with_unread_pipe, with_socket,
	with_queue,	     with_semaphore,   with_posted_semaphore,
	with_signal,	     with_memory,      with_lock,
	with_datagram,	     with_threads,     with_descriptor,
	with_reading_memory, with_sums,
};

/* Pids are used again, and start times are not. */
static void live_a_round(struct churn *c, uint64_t nr)
{
	uint32_t pid = 1000 + (uint32_t)(nr % PIDS);
	uint64_t ts_ns = (nr + 1) * ROUND_NS;
	struct task_info info = {
		.ts_ns = ts_ns, .start_ns = ts_ns, .pid = pid, .tid = pid, .ppid = SERVER, .what = TASK_FORK
	};

	snprintf(info.comm, sizeof(info.comm), "child%d", (int)(nr % 3));
	model__task(c->m, &info);
	for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++)
		things[i](c, pid, ts_ns + 10000 * (i + 1), nr + 1);
	info.what = TASK_EXIT;
	info.group_dead = true;
	info.ts_ns += ROUND_NS / 2;
	model__task(c->m, &info);
	model__advance(c->m, ts_ns + ROUND_NS - 1);
}

/* The most that it took while these rounds went by. */
static size_t peak_bytes(struct churn *c, uint64_t from, uint64_t to)
{
	size_t peak = 0, now;

	for (uint64_t nr = from; nr < to; nr++) {
		live_a_round(c, nr);
		now = nr % 16 ? 0 : kit__heap_bytes();
		if (now > peak)
			peak = now;
	}
	return peak;
}

START_TEST(memory_does_not_grow_with_what_has_ended)
{
	struct churn *c = churn_new(HISTORY);
	size_t warm, later;

	peak_bytes(c, 0, WARM / 2);
	warm = peak_bytes(c, WARM / 2, WARM);
	later = peak_bytes(c, WARM, LONG);
	ck_assert_msg(later < warm + KEPT_MAX * (LONG - WARM), "%zu bytes, then %zu", warm, later);
	churn_free(c);
}
END_TEST

struct sums {
	uint64_t flow_messages, flow_bytes, unread_bytes, end_messages, end_bytes, channel_bytes;
	uint64_t procs, channels, shares;
};

static struct sums sums_of(struct churn *c)
{
	const struct graph *g = model__graph(c->m);
	struct sums s = { .shares = g->shares.cnt };

	for (size_t i = 0; i < g->flows.cnt; i++) {
		s.flow_messages += g->flows.v[i]->messages;
		s.flow_bytes += g->flows.v[i]->bytes;
	}
	for (size_t i = 0; i < g->ends.cnt; i++) {
		s.end_messages += g->ends.v[i]->messages;
		s.end_bytes += g->ends.v[i]->bytes;
	}
	for (size_t i = 0; i < g->channels.cnt; i++) {
		s.unread_bytes += g->channels.v[i]->unread_bytes;
		s.channel_bytes += g->channels.v[i]->bytes;
		s.channels += g->channels.v[i]->folded_cnt ?: 1;
	}
	for (size_t i = 0; i < model__procs(c->m)->all.cnt; i++)
		s.procs += model__procs(c->m)->all.v[i]->folded_cnt ?: 1;
	return s;
}

static struct sums sums_after(size_t history, uint64_t rounds)
{
	struct churn *c = churn_new(history);
	struct sums s;

	for (uint64_t nr = 0; nr < rounds; nr++)
		live_a_round(c, nr);
	model__finish(c->m, (rounds + 1) * ROUND_NS);
	model__fold_rest(c->m);
	s = sums_of(c);
	ck_assert_uint_eq(s.flow_messages, c->sent);
	ck_assert_uint_eq(s.flow_bytes, c->sent_bytes);
	ck_assert_uint_eq(s.channel_bytes, c->sent_bytes);
	ck_assert_uint_eq(s.unread_bytes, c->left_bytes);
	ck_assert_uint_eq(c->messages, c->sent);
	if (history)
		ck_assert_uint_le(model__procs(c->m)->exited_cnt, history);
	churn_free(c);
	return s;
}

START_TEST(sums_are_the_same_with_any_history)
{
	const struct sums all = sums_after(0, 2000), some = sums_after(500, 2000), none = sums_after(1, 2000);

	ck_assert_uint_eq(all.procs, 2001);
	ck_assert_uint_eq(some.procs, all.procs);
	ck_assert_uint_eq(none.procs, all.procs);
	ck_assert_uint_eq(none.end_messages, all.end_messages);
	ck_assert_uint_eq(some.end_bytes, all.end_bytes);
	ck_assert_uint_eq(none.end_bytes, all.end_bytes);
	ck_assert_uint_gt(all.shares, 1000);
	ck_assert_uint_le(none.shares, 10);
}
END_TEST

START_TEST(ended_processes_are_told_by_name)
{
	struct churn *c = churn_new(1);
	size_t folded = 0;

	for (uint64_t nr = 0; nr < 300; nr++)
		live_a_round(c, nr);
	model__finish(c->m, 400 * ROUND_NS);
	model__fold_rest(c->m);
	for (size_t i = 0; i < model__procs(c->m)->all.cnt; i++) {
		const struct proc *p = model__procs(c->m)->all.v[i];

		ck_assert_uint_eq(p->id, i);
		if (!p->folded_cnt)
			continue;
		folded++;
		ck_assert(!strncmp(p->comm, "child", 5));
		ck_assert_uint_ge(p->folded_cnt, 99);
		ck_assert(p->exited);
	}
	ck_assert_uint_eq(folded, 3);
	ck_assert_uint_eq(model__stats(c->m)->folded_procs, 299);
	churn_free(c);
}
END_TEST

/* One who keeps pointers says so, and they stay good; what it does not keep is told of before it goes. */
struct keeper {
	struct model *m;
	struct proc *proc;
	struct channel *channel;
	size_t moved_cnt;
};

static void keep(void *ctx)
{
	struct keeper *k = ctx;

	keep__proc(k->proc);
	keep__channel(k->channel);
}

static void follow(void *ctx)
{
	((struct keeper *)ctx)->moved_cnt++;
}

START_TEST(what_is_kept_stays)
{
	struct keeper k = { 0 };
	struct model_opts opts = { .object_name = kit__object_name, .history = 1 };
	struct model_sink sink = { .ctx = &k, .keep = keep, .moved = follow };
	struct churn c = { 0 };
	const char *name;

	k.m = c.m = model__new(&opts, &sink);
	live_a_round(&c, 0);
	k.proc = proc_table__find(model__procs(k.m), 1000);
	k.channel = model__graph(k.m)->channels.v[0];
	name = k.channel->name;
	for (uint64_t nr = 1; nr < 1500; nr++)
		live_a_round(&c, nr);
	ck_assert_uint_gt(k.moved_cnt, 0);
	ck_assert_ptr_null(k.proc->merged);
	ck_assert_uint_eq(k.proc->pid, 1000);
	ck_assert_ptr_eq(k.channel->name, name);
	k.proc = NULL;
	k.channel = NULL;
	model__free(k.m);
}
END_TEST

/* A pid that is used again is another process, also when the first one is forgotten in between. */
START_TEST(a_new_process_of_an_old_pid)
{
	struct churn *c = churn_new(1);

	for (uint64_t nr = 0; nr < PIDS + 1; nr++)
		live_a_round(c, nr);
	ck_assert_uint_eq(proc_table__find(model__procs(c->m), 1000)->start_ns, (PIDS + 1) * ROUND_NS);
	ck_assert_ptr_null(proc_table__find(model__procs(c->m), 1500));
	churn_free(c);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		memory_does_not_grow_with_what_has_ended,
		sums_are_the_same_with_any_history,
		ended_processes_are_told_by_name,
		what_is_kept_stays,
		a_new_process_of_an_old_pid,
	};

	return SUITE_RUN("model_forget", tests);
}
