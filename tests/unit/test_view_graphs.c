/* SPDX-License-Identifier: GPL-2.0 */
/* What holds for every graph, whatever is in it: order, sums under --fold, slices that add up, bounded metrics. */
#include "mech/mech.h"
#include "model/slices.h"
#include "model_kit.h"
#include "suite.h"
#include "view/metrics.h"
#include "view/sorted.h"

#define PROCS 60
#define CHANNELS 40
#define MESSAGES 3000

static const struct view_names names = { .mech = mech__name, .host = "h", .traced = 0xffffffff };

struct world {
	struct proc_table procs;
	struct graph graph;
	struct slices slices;
	struct metrics metrics;
	uint64_t bytes, messages;
};

/* The same things whatever the seed of the order: only the places in the arrays differ. */
static struct world *make_world(uint64_t order)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t content = 7;
	uint32_t place[PROCS];

	for (uint32_t i = 0; i < PROCS; i++)
		place[i] = i;
	for (uint32_t i = PROCS - 1; i; i--) {
		uint32_t with = (uint32_t)(kit__random(&order) % (i + 1)), other = place[with];

		place[with] = place[i];
		place[i] = other;
	}
	for (uint32_t i = 0; i < PROCS; i++) {
		struct task_info info = { .what = TASK_SCAN,
					  .ts_ns = 1,
					  .pid = 100 + place[i],
					  .tid = 100 + place[i],
					  .start_ns = 1000 + place[i],
					  .ppid = place[i] < 10 ? 1 : 100 + place[i] % 10 };

		snprintf(info.comm, sizeof(info.comm), "%s", place[i] < 10 ? "master" : "worker");
		proc_table__feed(&w->procs, &info);
	}
	for (int i = 0; i < MESSAGES; i++) {
		uint32_t src = (uint32_t)(kit__random(&content) % PROCS),
			 dst = (uint32_t)(kit__random(&content) % PROCS);
		char name[32];
		struct message m = {
			.ts_ns = 1000 + kit__random(&content) % 50000000,
			.sent_ns = 900,
			.mech = IPCT_MECH_PIPE,
			.src.proc = proc_table__get(&w->procs, 100 + src),
			.dst.proc = proc_table__get(&w->procs, 100 + dst),
			.bytes = kit__random(&content) % 1000,
			.messages = 1,
			.latency_ns = 100,
		};
		struct channel *ch;

		snprintf(name, sizeof(name), "pipe:[%u]", (unsigned int)(kit__random(&content) % CHANNELS));
		ch = graph__channel(&w->graph, IPCT_MECH_PIPE, name, strlen(name));
		m.channel = ch;
		graph__add_message(&w->graph, &m);
		graph__end(&w->graph, m.src.proc, ch, "write", true)->bytes += m.bytes;
		graph__end(&w->graph, m.dst.proc, ch, "read", false)->bytes += m.bytes;
		slices__add(&w->slices, &m);
		metrics__add(&w->metrics, &m);
		w->bytes += m.bytes;
		w->messages++;
	}
	return w;
}

static void free_world(struct world *w)
{
	slices__free(&w->slices);
	metrics__free(&w->metrics);
	graph__free(&w->graph);
	proc_table__free(&w->procs);
	free(w);
}

START_TEST(order_depends_on_content_alone)
{
	static const struct graph_opts opts[] = {
		{ 0 }, { .fold = true }, { .top = 17 }, { .group = BY_COMM }
	};
	struct world *a = make_world(1), *b = make_world(99);
	const struct graph_view *const *views = graph_view__all();

	for (size_t v = 0; views[v]; v++) {
		for (size_t o = 0; o < sizeof(opts) / sizeof(opts[0]); o++) {
			struct buf x = { 0 }, y = { 0 };

			views[v]->render(&x, &a->graph, &a->procs, &names, &opts[o]);
			views[v]->render(&y, &b->graph, &b->procs, &names, &opts[o]);
			ck_assert_msg(x.len == y.len && !memcmp(x.data, y.data, x.len), "%s, options %zu",
				      views[v]->name, o);
			buf__free(&x);
			buf__free(&y);
		}
	}
	free_world(a);
	free_world(b);
}
END_TEST

START_TEST(folding_loses_nothing)
{
	struct world *w = make_world(3);
	struct graph_opts opts = { .fold = true };
	uint64_t bytes = 0, messages = 0, read = 0, in_channels = 0;
	struct sorted s;

	sorted__init(&s, &w->graph, &w->procs, &names, &opts);
	for (size_t i = 0; i < s.flows.cnt; i++) {
		bytes += s.flows.v[i]->bytes;
		messages += s.flows.v[i]->messages;
	}
	for (size_t i = 0; i < s.ends.cnt; i++)
		read += s.ends.v[i]->to_channel ? 0 : s.ends.v[i]->bytes;
	for (size_t i = 0; i < s.channels.cnt; i++)
		in_channels += s.channels.v[i]->bytes;
	ck_assert_uint_eq(bytes, w->bytes);
	ck_assert_uint_eq(messages, w->messages);
	ck_assert_uint_eq(read, w->bytes);
	ck_assert_uint_eq(in_channels, w->bytes);
	ck_assert_uint_eq(s.left_out.procs + s.left_out.flows, 0);
	ck_assert_uint_eq(s.fold.pools, 10); /* the workers of each master */
	ck_assert_uint_eq(s.fold.folded, PROCS - 10);
	sorted__free(&s);
	free_world(w);
}
END_TEST

START_TEST(what_is_left_out_is_counted)
{
	struct world *w = make_world(4);
	struct graph_opts opts = { .top = 5, .hide = "pipe:[[]1[]],nobody" };
	uint64_t bytes = 0;
	struct sorted s;

	sorted__init(&s, &w->graph, &w->procs, &names, &opts);
	ck_assert_uint_eq(s.flows.cnt, 5);
	for (size_t i = 0; i < s.flows.cnt; i++) {
		bytes += s.flows.v[i]->bytes;
		ck_assert_str_ne(s.flows.v[i]->channel->name, "pipe:[1]");
	}
	ck_assert_uint_eq(bytes + s.left_out.bytes, w->bytes);
	ck_assert_uint_eq(s.flows.cnt + s.left_out.flows, w->graph.flows.cnt);
	sorted__free(&s);
	free_world(w);
}
END_TEST

START_TEST(slices_add_up)
{
	struct world *w = make_world(5);
	uint32_t fine, cnt = slices__divide(&w->slices, 30, &fine);
	uint64_t bytes = 0;

	ck_assert_uint_le(w->slices.fine_cnt, SLICES_FINE);
	ck_assert_uint_ge(cnt, 25);
	ck_assert_uint_le(cnt, 30);
	ck_assert_uint_ge(cnt * fine, w->slices.fine_cnt);
	for (size_t i = 0; i < w->slices.rows.cnt; i++) {
		const struct slice_row *row = w->slices.rows.v[i];

		for (size_t p = 0; p < row->parts.cnt; p++) {
			bytes += row->parts.v[p].bytes;
			EXPECT(row->parts.v[p].fine < w->slices.fine_cnt);
			EXPECT(!p || row->parts.v[p - 1].fine < row->parts.v[p].fine);
		}
	}
	ck_assert_uint_eq(bytes, w->bytes);
	free_world(w);
}
END_TEST

START_TEST(metrics_are_bounded)
{
	struct metrics m = { 0 };
	struct channel ch = { .mech = IPCT_MECH_PIPE };
	struct proc src = { 0 }, dst = { .comm = "sink" };
	struct buf out = { 0 };
	struct graph g = { 0 };
	struct proc_table procs = { 0 };
	struct model_stats stats = { 0 };

	for (int i = 0; i < 3 * METRICS_SERIES_MAX; i++) {
		struct message msg = {
			.channel = &ch, .src.proc = &src, .dst.proc = &dst, .bytes = 1, .messages = 1
		};

		snprintf(src.comm, sizeof(src.comm), "p\"\\\n%d", i);
		metrics__add(&m, &msg);
	}
	metrics__put(&out, &m, &g, &procs, &stats, &names);
	ck_assert_uint_le(m.all.cnt, METRICS_SERIES_MAX + 1);
	ck_assert_ptr_nonnull(strstr(buf__cstr(&out),
				     "ipctrace_payload_bytes_total{mech=\"pipe\",src=\"other\","
				     "dst=\"other\"} 1024\n"));
	ck_assert_ptr_nonnull(strstr(buf__cstr(&out), "src=\"p\\\"\\\\\\\\\\\\x0a7\""));
	ck_assert_str_eq(buf__cstr(&out) + out.len - 6, "# EOF\n");
	buf__free(&out);
	metrics__free(&m);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		order_depends_on_content_alone,
		folding_loses_nothing,
		what_is_left_out_is_counted,
		slices_add_up,
		metrics_are_bounded,
	};

	return SUITE_RUN("view_graphs", tests);
}
