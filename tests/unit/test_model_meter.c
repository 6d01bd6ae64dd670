/* SPDX-License-Identifier: GPL-2.0 */
#include <errno.h>

#include "model/meter_table.h"
#include "model_kit.h"
#include "suite.h"

#define S 1000000000ull
#define MECH 1

struct bench {
	struct meter *m;
	struct graph g;
	struct proc_table procs;
	struct meter_table t;
};

static struct bench *bench__new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->m = meter__new(10 * S);
	return b;
}

static void bench__free(struct bench *b)
{
	meter_table__free(&b->t);
	meter__free(b->m);
	graph__free(&b->g);
	proc_table__free(&b->procs);
	free(b);
}

static struct proc *proc(struct bench *b, uint32_t pid, const char *comm)
{
	struct proc *p = proc_table__get(&b->procs, pid);

	strncpy(p->comm, comm, sizeof(p->comm) - 1);
	return p;
}

static struct channel *channel(struct bench *b, const char *name)
{
	return graph__channel(&b->g, MECH, name, strlen(name));
}

static void message(struct bench *b, uint64_t ts_ns, struct proc *src, struct proc *dst, struct channel *ch,
		    uint64_t bytes, uint64_t latency_ns)
{
	struct message m = { .ts_ns = ts_ns,
			     .sent_ns = ts_ns - latency_ns,
			     .mech = MECH,
			     .channel = ch,
			     .src = { .proc = src },
			     .dst = { .proc = dst },
			     .bytes = bytes,
			     .messages = 1,
			     .latency_ns = latency_ns };

	meter__message(b->m, &m);
}

static struct line *only_line(struct bench *b, enum table_kind kind, enum table_group group)
{
	struct table_opts opts = { .kind = kind, .group = group, .with_idle = true };

	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 1);
	return &b->t.lines.v[0];
}

START_TEST(an_interval_has_what_came_in_it)
{
	struct bench *b = bench__new();
	struct proc *x = proc(b, 1, "x"), *y = proc(b, 2, "y");
	struct channel *ch = channel(b, "pipe:[1]");
	struct line *l;

	for (int i = 0; i < 100; i++)
		message(b, 10 * S + (uint64_t)i * MS, x, y, ch, 10, (uint64_t)(i + 1) * 1000);
	meter__tick(b->m, 11 * S);
	message(b, 11 * S + 1, x, y, ch, 7, 5000);
	l = only_line(b, TABLE_FLOWS, GROUP_NONE);
	ck_assert_uint_eq(l->last.messages, 100);
	ck_assert_uint_eq(l->last.bytes, 1000);
	ck_assert_uint_eq(l->total.messages, 101);
	EXPECT(hist__percentile(l->latency, 50) > 46000 && hist__percentile(l->latency, 50) < 54000);
	ck_assert_uint_eq(l->latency->max, 100000);
	meter__tick(b->m, 12 * S);
	l = only_line(b, TABLE_FLOWS, GROUP_NONE);
	ck_assert_uint_eq(l->last.messages, 1);
	ck_assert_uint_eq(l->last.bytes, 7);
	ck_assert_uint_eq(hist__percentile(l->latency, 99), 5000);
	ck_assert_uint_eq(l->latency_total->cnt, 101);
	meter__tick(b->m, 13 * S);
	l = only_line(b, TABLE_FLOWS, GROUP_NONE);
	ck_assert_uint_eq(l->last.messages, 0);
	ck_assert_ptr_null(l->latency);
	ck_assert_uint_eq(l->total.bytes, 1007);
	bench__free(b);
}
END_TEST

START_TEST(idle_lines_are_left_out_unless_asked_for)
{
	struct bench *b = bench__new();
	struct table_opts opts = { .kind = TABLE_FLOWS };

	message(b, 10 * S, proc(b, 1, "x"), proc(b, 2, "y"), channel(b, "a"), 1, 1);
	meter__tick(b->m, 11 * S);
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 1);
	meter__tick(b->m, 12 * S);
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 0);
	opts.with_idle = true;
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 1);
	bench__free(b);
}
END_TEST

static void op(struct bench *b, uint8_t kind, uint64_t enter_ns, uint64_t ts_ns, uint32_t flags, int64_t ret,
	       struct proc *p, struct channel *ch)
{
	struct op o = { .kind = kind,
			.mech = MECH,
			.rule = PAIR_STREAM,
			.enter_ns = enter_ns,
			.ts_ns = ts_ns,
			.flags = flags,
			.ret = ret,
			.obj = kit__key(ch->id + 1) };

	meter__op(b->m, &o, ch, p);
}

/* A wait counts in each interval with the part that lies in it, also while it lasts; in all, once. */
START_TEST(waits_are_cut_at_the_interval)
{
	struct bench *b = bench__new();
	struct proc *x = proc(b, 1, "x");
	struct channel *ch = channel(b, "a");
	struct line *l;

	meter__tick(b->m, 11 * S);
	meter__waits(b->m, x, ch, false, 10 * S + S / 4);
	l = only_line(b, TABLE_PROCESSES, GROUP_NONE);
	ck_assert_uint_eq(l->last.empty_ns, 3 * S / 4);
	ck_assert_uint_eq(l->total.empty_ns, 0);
	op(b, OP_RECV, 10 * S + S / 4, 11 * S + S / 2, OP_F_WAITED, 1, x, ch);
	op(b, OP_SEND, 11 * S, 11 * S + S / 8, OP_F_WAITED, 1, x, ch);
	op(b, OP_SEND, 11 * S, 11 * S + S / 8, 0, -EPIPE, x, ch);
	op(b, OP_SEND, 11 * S, 11 * S + S / 8, 0, -EAGAIN, x, ch);
	meter__tick(b->m, 12 * S);
	l = only_line(b, TABLE_PROCESSES, GROUP_NONE);
	ck_assert_uint_eq(l->last.empty_ns, S / 2);
	ck_assert_uint_eq(l->last.full_ns, S / 8);
	ck_assert_uint_eq(l->total.empty_ns, 5 * S / 4);
	ck_assert_uint_eq(l->last.errors, 1);
	bench__free(b);
}
END_TEST

START_TEST(a_process_sends_and_takes)
{
	struct bench *b = bench__new();
	struct proc *x = proc(b, 1, "x"), *y = proc(b, 2, "y");
	struct table_opts opts = { .kind = TABLE_PROCESSES };
	struct line *l;

	message(b, 10 * S, x, y, channel(b, "a"), 3, 1);
	message(b, 10 * S, y, x, channel(b, "b"), 5, 1);
	message(b, 10 * S, x, x, channel(b, "c"), 7, 1);
	meter__tick(b->m, 11 * S);
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 2);
	l = &b->t.lines.v[b->t.lines.v[0].src.proc == x ? 0 : 1];
	ck_assert_uint_eq(l->last.bytes, 10);
	ck_assert_uint_eq(l->last.in_bytes, 12);
	ck_assert_uint_eq(l->last.messages, 2);
	ck_assert_uint_eq(l->channel_cnt, 3);
	opts.proc = y;
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 1);
	ck_assert_uint_eq(b->t.lines.v[0].last.bytes, 5);
	opts = (struct table_opts){ .kind = TABLE_CHANNELS, .proc = y };
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 2);
	opts = (struct table_opts){ .kind = TABLE_FLOWS, .channel = channel(b, "b") };
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 1);
	bench__free(b);
}
END_TEST

START_TEST(forty_workers_are_one_row)
{
	struct bench *b = bench__new();
	struct proc *web = proc(b, 1, "nginx");
	struct line *l;

	for (uint32_t i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%u", i);
		message(b, 10 * S, web, proc(b, 100 + i, "php-fpm"), channel(b, name), 10, 1000 + i);
	}
	meter__tick(b->m, 11 * S);
	l = only_line(b, TABLE_FLOWS, GROUP_COMMAND);
	ck_assert_uint_eq(l->dst.proc_cnt, 40);
	ck_assert_uint_eq(l->src.proc_cnt, 1);
	ck_assert_uint_eq(l->last.bytes, 400);
	ck_assert_uint_eq(l->channel_cnt, 40);
	ck_assert_ptr_null(l->channel);
	ck_assert_uint_eq(l->latency->cnt, 40);
	l = only_line(b, TABLE_MECHANISMS, GROUP_NONE);
	ck_assert_uint_eq(l->reader_cnt, 40);
	ck_assert_uint_eq(l->last.messages, 40);
	bench__free(b);
}
END_TEST

/* One receiver that waits for six senders of a group waits for one interval, not for six. */
START_TEST(a_wait_counts_once_in_a_group)
{
	struct bench *b = bench__new();
	struct channel *ch = channel(b, "a");
	struct proc *to = proc(b, 1, "reader");
	struct line *l;

	for (uint32_t i = 0; i < 6; i++)
		message(b, 10 * S, proc(b, 100 + i, "writer"), to, ch, 1, 1);
	op(b, OP_RECV, 10 * S, 11 * S, OP_F_WAITED, 1, to, ch);
	op(b, OP_RECV, 11 * S, 11 * S, 0, -EBADF, to, ch);
	meter__tick(b->m, 11 * S);
	l = only_line(b, TABLE_FLOWS, GROUP_COMMAND);
	ck_assert_uint_eq(l->last.messages, 6);
	ck_assert_uint_eq(l->last.empty_ns, S);
	ck_assert_uint_eq(l->last.errors, 1);
	bench__free(b);
}
END_TEST

START_TEST(channels_that_become_one_are_one_row)
{
	struct bench *b = bench__new();
	struct proc *x = proc(b, 1, "x"), *y = proc(b, 2, "y");
	struct channel *to = channel(b, "to"), *from = channel(b, "from");
	struct line *l;

	message(b, 10 * S, x, y, to, 1, 10);
	message(b, 10 * S, x, y, from, 2, 30);
	op(b, OP_RECV, 10 * S, 11 * S, OP_F_WAITED, 1, y, to);
	op(b, OP_RECV, 10 * S, 11 * S, OP_F_WAITED, 1, y, from);
	graph__rename(&b->g, from, "to", 2);
	meter__tick(b->m, 12 * S);
	l = only_line(b, TABLE_FLOWS, GROUP_NONE);
	ck_assert_ptr_eq(l->channel, to);
	ck_assert_uint_eq(l->last.bytes, 3);
	ck_assert_uint_eq(l->latency->cnt, 2);
	ck_assert_uint_eq(l->last.empty_ns, 2 * S);
	message(b, 12 * S, x, y, to, 4, 10);
	meter__tick(b->m, 13 * S);
	ck_assert_uint_eq(only_line(b, TABLE_CHANNELS, GROUP_NONE)->last.bytes, 4);
	bench__free(b);
}
END_TEST

START_TEST(fill_is_counted_in_bytes_and_slots)
{
	struct bench *b = bench__new();
	struct channel *ch = channel(b, "pipe:[1]");
	struct object_info info = { .key = kit__key(ch->id + 1), .mech = MECH, .capacity_bytes = 65536 };
	struct op o = { .kind = OP_SEND, .rule = PAIR_STREAM, .mech = MECH, .obj = info.key };
	struct fill f;

	info.rd_addr = 5ull << 32;
	info.wr_addr = 4ull << 32;
	meter__object(b->m, &info);
	for (uint64_t i = 0; i < 3; i++) {
		o.bytes = 100;
		o.ret = 100;
		o.stream.addr_e = (5 + i) << 32 | 100;
		meter__op(b->m, &o, ch, proc(b, 1, "x"));
	}
	o.kind = OP_RECV;
	o.stream.addr_e = 6ull << 32;
	meter__op(b->m, &o, ch, proc(b, 2, "y"));
	meter__tick(b->m, 11 * S);
	EXPECT(meter__fill(b->m, ch, &f));
	ck_assert_uint_eq(f.bytes, 200);
	ck_assert_uint_eq(f.slots, 2);
	ck_assert_uint_eq(f.capacity_bytes, 65536);
	ck_assert_uint_eq(f.capacity_slots, 16);
	/* Who filled it again is told of before who made room. */
	o.kind = OP_SEND;
	o.bytes = o.ret = 65536;
	o.stream.addr_e = 30ull << 32;
	meter__op(b->m, &o, ch, proc(b, 1, "x"));
	EXPECT(meter__fill(b->m, ch, &f));
	ck_assert_uint_eq(f.bytes, 65536);
	ck_assert_uint_eq(f.slots, 16);
	o.kind = OP_RECV;
	/* What was lost may have gone in or out: not known until somebody finds nothing left. */
	meter__lost(b->m, MECH, 1);
	EXPECT(meter__fill(b->m, ch, &f) && !f.bytes_known);
	o.flags = OP_F_DRAINED;
	o.stream.addr_e = 31ull << 32;
	meter__op(b->m, &o, ch, proc(b, 2, "y"));
	EXPECT(meter__fill(b->m, ch, &f) && f.bytes_known);
	ck_assert_uint_eq(f.bytes, 0);
	ck_assert_uint_eq(f.slots, 0);
	bench__free(b);
}
END_TEST

START_TEST(the_last_minute_moves_on)
{
	struct spark s = { 0 };

	spark__add(&s, 100 * S, 5);
	spark__add(&s, 100 * S + 1, 1);
	spark__add(&s, 159 * S, 2);
	ck_assert_uint_eq(spark__at(&s, 100), 6);
	ck_assert_uint_eq(spark__at(&s, 130), 0);
	ck_assert_uint_eq(spark__at(&s, 159), 2);
	spark__add(&s, 160 * S, 9);
	ck_assert_uint_eq(spark__at(&s, 100), 0);
	ck_assert_uint_eq(spark__at(&s, 160), 9);
	spark__add(&s, 50 * S, 77); /* too old to matter */
	spark__add(&s, 1000 * S, 1);
	ck_assert_uint_eq(spark__at(&s, 160), 0);
	ck_assert_uint_eq(spark__at(&s, 1000), 1);
	ck_assert_uint_eq(spark__at(&s, 1001), 0);
}
END_TEST

START_TEST(the_last_minute_of_several_is_their_sum)
{
	struct bench *b = bench__new();
	struct proc *x = proc(b, 1, "x"), *y = proc(b, 2, "y");
	uint32_t minute[METER_SPARK_CNT];
	struct line *l;

	message(b, 10 * S, x, y, channel(b, "a"), 1, 1);
	message(b, 12 * S, x, y, channel(b, "a"), 1, 1);
	message(b, 12 * S, x, y, channel(b, "b"), 1, 1);
	meter__tick(b->m, 13 * S);
	l = only_line(b, TABLE_MECHANISMS, GROUP_NONE);
	line__minute(l, b->t.until_ns, minute);
	ck_assert_uint_eq(minute[METER_SPARK_CNT - 1], 2);
	ck_assert_uint_eq(minute[METER_SPARK_CNT - 2], 0);
	ck_assert_uint_eq(minute[METER_SPARK_CNT - 3], 1);
	ck_assert_uint_eq(minute[0], 0);
	bench__free(b);
}
END_TEST

/* Of what is shown while the meter goes on, nothing changes. */
START_TEST(the_last_minute_can_be_held)
{
	struct bench *b = bench__new();
	struct proc *x = proc(b, 1, "x"), *y = proc(b, 2, "y");
	uint32_t minute[METER_SPARK_CNT];
	struct line *l;

	message(b, 10 * S, x, y, channel(b, "a"), 1, 1);
	meter__tick(b->m, 11 * S);
	l = only_line(b, TABLE_FLOWS, GROUP_NONE);
	meter_table__hold(&b->t);
	message(b, 200 * S, x, y, channel(b, "a"), 1, 1);
	line__minute(l, b->t.until_ns, minute);
	ck_assert_uint_eq(minute[METER_SPARK_CNT - 1], 1);
	bench__free(b);
}
END_TEST

/* Who talks to itself has one end, whose errors are told once. */
START_TEST(errors_at_both_sides_count_once)
{
	struct bench *b = bench__new();
	struct proc *x = proc(b, 1, "x");
	struct channel *ch = channel(b, "a");
	struct op failed = { .ts_ns = 10 * S, .kind = OP_SEND, .mech = MECH, .ret = -EPIPE };

	meter__op(b->m, &failed, ch, x);
	message(b, 10 * S, x, x, ch, 1, 1);
	meter__tick(b->m, 11 * S);
	ck_assert_uint_eq(only_line(b, TABLE_FLOWS, GROUP_NONE)->last.errors, 1);
	ck_assert_uint_eq(only_line(b, TABLE_FLOWS, GROUP_COMMAND)->last.errors, 1);
	bench__free(b);
}
END_TEST

START_TEST(losses_and_reset)
{
	struct bench *b = bench__new();
	struct meter_view v;

	message(b, 10 * S, proc(b, 1, "x"), proc(b, 2, "y"), channel(b, "a"), 1, 1);
	meter__lost(b->m, MECH, 37);
	EXPECT(meter__is_fresh(b->m));
	meter__tick(b->m, 11 * S);
	meter__view(b->m, &v);
	ck_assert_uint_eq(v.lost_last[MECH], 37);
	ck_assert_uint_eq(v.last.messages, 1);
	ck_assert_uint_eq(only_line(b, TABLE_MECHANISMS, GROUP_NONE)->lost, 37);
	meter__reset(b->m, 12 * S);
	meter__view(b->m, &v);
	ck_assert_uint_eq(v.flow_cnt, 0);
	ck_assert_uint_eq(v.lost_total[MECH], 0);
	ck_assert_uint_eq(v.begin_ns, 12 * S);
	bench__free(b);
}
END_TEST

/* The kernel's timer and its terminal are two sources, though both are no process. */
START_TEST(origins_are_told_apart)
{
	struct bench *b = bench__new();
	struct table_opts opts = { .kind = TABLE_FLOWS };
	struct message m = {
		.ts_ns = 10 * S, .mech = MECH, .channel = channel(b, "sig:SIGALRM"), .messages = 1
	};
	char timer[] = "timer";

	m.dst.proc = proc(b, 1, "x");
	m.origin = "timer";
	meter__message(b->m, &m);
	m.origin = timer;
	meter__message(b->m, &m);
	m.origin = "tty";
	meter__message(b->m, &m);
	meter__tick(b->m, 11 * S);
	meter_table__fill(&b->t, b->m, &opts);
	ck_assert_uint_eq(b->t.lines.cnt, 2);
	bench__free(b);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_interval_has_what_came_in_it,
		idle_lines_are_left_out_unless_asked_for,
		waits_are_cut_at_the_interval,
		a_process_sends_and_takes,
		forty_workers_are_one_row,
		a_wait_counts_once_in_a_group,
		channels_that_become_one_are_one_row,
		fill_is_counted_in_bytes_and_slots,
		the_last_minute_moves_on,
		the_last_minute_of_several_is_their_sum,
		the_last_minute_can_be_held,
		errors_at_both_sides_count_once,
		losses_and_reset,
		origins_are_told_apart,
	};

	return SUITE_RUN("model/meter", tests);
}
