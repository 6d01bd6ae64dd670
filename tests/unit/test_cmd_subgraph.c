/* SPDX-License-Identifier: GPL-2.0 */
/* The graph of a filter's messages, beside a whole graph that renames and merges its channels meanwhile. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/subgraph.h"

#define MECH 10

static struct proc procs[4];
static struct graph whole;
static struct select *chosen; /* procs[0] only */

static void setup(void)
{
	struct select_opts opts = { .pids = { 100 }, .pid_cnt = 1 };

	memset(&whole, 0, sizeof(whole));
	memset(procs, 0, sizeof(procs));
	for (uint32_t i = 0; i < 4; i++) {
		procs[i].id = i;
		procs[i].serial = i + 1;
		procs[i].pid = 100 + i;
	}
	procs[0].selected = true;
	whole.start_ns = 5;
	whole.end_ns = 50;
	whole.lost[MECH] = 3;
	chosen = select__new(&opts);
}

static void teardown(void)
{
	graph__free(&whole);
	select__free(chosen);
}

static struct channel *named(struct graph *g, const char *name)
{
	return graph__channel(g, MECH, name, strlen(name));
}

/* As the model does: into the whole graph with both ends, and into the subgraph when it passes the filter. */
static void exchange(struct subgraph *s, struct channel *ch, struct proc *src, struct proc *dst,
		     uint64_t bytes)
{
	struct message m = {
		.ts_ns = 20,
		.sent_ns = 10,
		.mech = MECH,
		.channel = ch,
		.src.proc = src,
		.dst.proc = dst,
		.bytes = bytes,
		.messages = 1,
		.latency_ns = 10,
	};
	struct end *to = graph__end(&whole, src, ch, "send", true),
		   *from = graph__end(&whole, dst, ch, "receive", false);

	to->bytes += bytes;
	to->messages++;
	from->bytes += bytes;
	from->messages++;
	graph__add_message(&whole, &m);
	if (select__message(chosen, &m))
		subgraph__message(s, &m);
}

static const struct end *end_of(const struct graph *g, const struct proc *p, bool to_channel)
{
	for (size_t i = 0; i < g->ends.cnt; i++)
		if (g->ends.v[i]->proc == p && g->ends.v[i]->to_channel == to_channel)
			return g->ends.v[i];
	return NULL;
}

/* A snapshot is what finishing now would give, and does not disturb what follows. */
START_TEST(copied_and_continued)
{
	struct subgraph *s = subgraph__new(true), *copy;
	struct channel *ch = named(&whole, "unix:[1]");

	exchange(s, ch, &procs[0], &procs[1], 10);
	copy = subgraph__copy(s);
	subgraph__finish(copy, &whole, chosen);
	ck_assert_uint_eq(subgraph__graph(copy)->flows.cnt, 1);
	ck_assert_uint_eq(subgraph__graph(copy)->flows.v[0]->bytes, 10);
	ck_assert_uint_eq(subgraph__graph(copy)->channels.v[0]->bytes, 10);
	ck_assert_str_eq(subgraph__graph(copy)->channels.v[0]->name, "unix:[1]");
	exchange(s, ch, &procs[0], &procs[1], 5);
	ck_assert_uint_eq(subgraph__graph(copy)->flows.v[0]->bytes, 10);
	subgraph__free(copy);
	subgraph__finish(s, &whole, chosen);
	ck_assert_uint_eq(subgraph__graph(s)->flows.v[0]->bytes, 15);
	ck_assert_str_eq(subgraph__graph(s)->channels.v[0]->name, "unix:[1]");
	subgraph__free(s);
}
END_TEST

START_TEST(only_selected_traffic)
{
	struct subgraph *s = subgraph__new(true);
	struct channel *ch = named(&whole, "a");
	struct graph *g;

	exchange(s, ch, &procs[0], &procs[1], 60);
	exchange(s, ch, &procs[2], &procs[1], 40);
	exchange(s, named(&whole, "b"), &procs[2], &procs[3], 7);
	ch->unread_bytes = 9;
	subgraph__finish(s, &whole, chosen);
	g = subgraph__graph(s);
	ck_assert_uint_eq(g->channels.cnt, 1);
	ck_assert_str_eq(g->channels.v[0]->name, "a");
	ck_assert_uint_eq(g->channels.v[0]->bytes, 60);
	ck_assert_uint_eq(g->channels.v[0]->unread_bytes, 0); /* may be another sender's */
	ck_assert_uint_eq(g->flows.cnt, 1);
	ck_assert_uint_eq(g->ends.cnt, 2);
	ck_assert_uint_eq(end_of(g, &procs[0], true)->bytes, 60);
	ck_assert_uint_eq(end_of(g, &procs[1], false)->bytes, 60); /* and not the 40 of another */
	ck_assert_ptr_null(end_of(g, &procs[2], true));
	ck_assert_uint_eq(g->start_ns, 5);
	ck_assert_uint_eq(g->end_ns, 50);
	ck_assert_uint_eq(g->lost[MECH], 3);
	subgraph__free(s);
}
END_TEST

START_TEST(a_selected_process_with_all_it_did)
{
	struct subgraph *s = subgraph__new(true);
	struct channel *ch = named(&whole, "a");
	struct end *end = graph__end(&whole, &procs[0], ch, "send", true);
	struct graph *g;

	end->bytes = 500; /* that nobody took */
	end->errors = 2;
	ch->unread_bytes = 500;
	subgraph__finish(s, &whole, chosen);
	g = subgraph__graph(s);
	ck_assert_uint_eq(g->ends.cnt, 1);
	ck_assert_uint_eq(g->ends.v[0]->bytes, 500);
	ck_assert_uint_eq(g->ends.v[0]->errors, 2);
	ck_assert_uint_eq(g->channels.v[0]->unread_bytes, 500);
	subgraph__free(s);
}
END_TEST

START_TEST(filters_over_messages_count_messages)
{
	struct subgraph *s = subgraph__new(false);
	struct channel *ch = named(&whole, "a");
	struct graph *g;

	exchange(s, ch, &procs[0], &procs[1], 60);
	graph__end(&whole, &procs[0], ch, "send", true)->bytes += 1000; /* not selected */
	subgraph__finish(s, &whole, chosen);
	g = subgraph__graph(s);
	ck_assert_uint_eq(end_of(g, &procs[0], true)->bytes, 60);
	subgraph__free(s);
}
END_TEST

START_TEST(renamed_and_merged_meanwhile)
{
	struct subgraph *s = subgraph__new(true);
	struct channel *a = named(&whole, "unix:[1]"), *b = named(&whole, "unix:[2]");
	struct graph *g;

	exchange(s, a, &procs[0], &procs[1], 1);
	exchange(s, b, &procs[0], &procs[1], 2);
	a = graph__rename(&whole, a, "unix:/x", 7);
	exchange(s, a, &procs[0], &procs[1], 4);
	b = graph__rename(&whole, b, "unix:/x", 7);
	/* The old name is free, and somebody else's now. */
	exchange(s, named(&whole, "unix:[1]"), &procs[0], &procs[2], 8);
	subgraph__finish(s, &whole, chosen);
	g = subgraph__graph(s);
	ck_assert_uint_eq(g->channels.cnt, 2);
	ck_assert_uint_eq(named(g, "unix:/x")->bytes, 7);
	ck_assert_uint_eq(named(g, "unix:[1]")->bytes, 8);
	ck_assert_uint_eq(g->channels.cnt, 2); /* and looking them up made none */
	ck_assert_uint_eq(g->flows.cnt, 2);
	ck_assert_uint_eq(end_of(g, &procs[1], false)->bytes, 7);
	ck_assert_uint_eq(end_of(g, &procs[2], false)->bytes, 8);
	subgraph__free(s);
}
END_TEST

/* What the whole graph told of as one, it tells of as one, too; who was not selected is in neither. */
START_TEST(folded_meanwhile)
{
	struct subgraph *s = subgraph__new(true);
	struct channel *a = named(&whole, "pipe:[1]"), *b = named(&whole, "pipe:[2]"),
		       *c = named(&whole, "pipe:[3]");
	struct proc ended = { .serial = 9, .selected = true, .folded_cnt = 1 };
	struct graph *g;

	exchange(s, a, &procs[0], &procs[1], 1);
	exchange(s, b, &procs[0], &procs[1], 2);
	exchange(s, c, &procs[0], &procs[1], 4);
	exchange(s, named(&whole, "pipe:[4]"), &procs[2], &procs[3], 8);
	procs[0].merged = &ended;
	graph__fold(&whole, a);
	graph__fold(&whole, b);
	graph__fold(&whole, named(&whole, "pipe:[4]"));
	graph__follow_merged(&whole);
	subgraph__follow(s);
	graph__drop_merged(&whole);
	subgraph__finish(s, &whole, chosen);
	g = subgraph__graph(s);
	ck_assert_uint_eq(g->channels.cnt, 2);
	ck_assert_uint_eq(named(g, "pipe:(ended)")->bytes, 3);
	ck_assert_uint_eq(named(g, "pipe:(ended)")->folded_cnt, 2);
	ck_assert_uint_eq(named(g, "pipe:[3]")->bytes, 4);
	ck_assert_uint_eq(g->flows.cnt, 2);
	ck_assert_ptr_eq(g->flows.v[0]->src, &ended);
	ck_assert_uint_eq(named(&whole, "pipe:(ended)")->folded_cnt, 3);
	subgraph__free(s);
}
END_TEST

START_TEST(from_the_kernel)
{
	struct subgraph *s = subgraph__new(true);
	struct message m = {
		.mech = MECH, .channel = named(&whole, "sig"), .origin = "timer", .messages = 1
	};

	m.dst.proc = &procs[0];
	subgraph__message(s, &m);
	graph__end(&whole, &procs[0], m.channel, "receive", false)->messages = 1;
	subgraph__finish(s, &whole, chosen);
	ck_assert_uint_eq(subgraph__graph(s)->flows.cnt, 1);
	ck_assert_str_eq(subgraph__graph(s)->flows.v[0]->origin, "timer");
	ck_assert_uint_eq(subgraph__graph(s)->ends.cnt, 1);
	subgraph__free(s);
}
END_TEST

START_TEST(shares_of_the_selected)
{
	struct subgraph *s = subgraph__new(true);
	struct share *mine = calloc(1, sizeof(*mine)), *other = calloc(1, sizeof(*other));

	*mine = (struct share){ .a = &procs[0], .b = &procs[1], .channel = named(&whole, "shm") };
	*other = (struct share){ .a = &procs[1], .b = &procs[2], .channel = named(&whole, "shm") };
	vec__push(&whole.shares, mine);
	vec__push(&whole.shares, other);
	subgraph__finish(s, &whole, chosen);
	ck_assert_uint_eq(subgraph__graph(s)->shares.cnt, 1);
	ck_assert_ptr_eq(subgraph__graph(s)->shares.v[0]->a, &procs[0]);
	ck_assert_ptr_ne(subgraph__graph(s)->shares.v[0]->channel, mine->channel);
	subgraph__free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cmd/subgraph");
	TCase *t = tcase_create("subgraph");
	SRunner *r;
	int run, failed;

	suite_add_tcase(s, t);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, only_selected_traffic);
	tcase_add_test(t, a_selected_process_with_all_it_did);
	tcase_add_test(t, filters_over_messages_count_messages);
	tcase_add_test(t, renamed_and_merged_meanwhile);
	tcase_add_test(t, folded_meanwhile);
	tcase_add_test(t, from_the_kernel);
	tcase_add_test(t, shares_of_the_selected);
	tcase_add_test(t, copied_and_continued);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	run = srunner_ntests_run(r);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
