/* SPDX-License-Identifier: GPL-2.0 */
/* The columns of top's tables. */
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "model/graph.h"
#include "view/label.h"
#include "view/top.h"

#define NUMBER(name, expression)                                     \
	static double name(const void *row, const struct top_ctx *c) \
	{                                                            \
		const struct line *l = row;                          \
                                                                     \
		return (double)(expression);                         \
	}

static double interval_s(const struct top_ctx *c)
{
	return c->until_ns > c->from_ns ? (double)(c->until_ns - c->from_ns) / 1e9 : NAN;
}

static double share(uint64_t ns, const struct top_ctx *c)
{
	return 100.0 * (double)ns / (interval_s(c) * 1e9);
}

static double percentile(const struct hist *h, double p)
{
	return h && h->cnt ? (double)hist__percentile(h, p) : NAN;
}

static double unless(bool known, uint64_t v)
{
	return known ? (double)v : NAN;
}

/* clang-format off */
NUMBER(src_pid, l->src.proc ? l->src.proc->pid : NAN)
NUMBER(src_start, l->src.proc ? (double)l->src.proc->start_ns : NAN)
NUMBER(src_uid, l->src.proc ? l->src.proc->uid : NAN)
NUMBER(src_cnt, l->src.proc_cnt)
NUMBER(dst_pid, l->dst.proc ? l->dst.proc->pid : NAN)
NUMBER(dst_start, l->dst.proc ? (double)l->dst.proc->start_ns : NAN)
NUMBER(dst_cnt, l->dst.proc_cnt)
NUMBER(channels, l->channel_cnt)
NUMBER(writers, l->writer_cnt)
NUMBER(readers, l->reader_cnt)
NUMBER(messages_per_s, l->last.messages / interval_s(c))
NUMBER(bytes_per_s, l->last.bytes / interval_s(c))
NUMBER(in_messages_per_s, l->last.in_messages / interval_s(c))
NUMBER(in_bytes_per_s, l->last.in_bytes / interval_s(c))
NUMBER(messages, l->last.messages)
NUMBER(bytes, l->last.bytes)
NUMBER(in_messages, l->last.in_messages)
NUMBER(in_bytes, l->last.in_bytes)
NUMBER(total_messages, l->total.messages)
NUMBER(total_bytes, l->total.bytes)
NUMBER(total_in_messages, l->total.in_messages)
NUMBER(total_in_bytes, l->total.in_bytes)
NUMBER(p50, percentile(l->latency, 50))
NUMBER(p99, percentile(l->latency, 99))
NUMBER(latency_max, l->latency ? l->latency->max : NAN)
NUMBER(total_p50, percentile(l->latency_total, 50))
NUMBER(total_p99, percentile(l->latency_total, 99))
NUMBER(total_max, l->latency_total ? l->latency_total->max : NAN)
NUMBER(full, share(l->last.full_ns, c))
NUMBER(empty, share(l->last.empty_ns, c))
NUMBER(errors, l->last.errors)
NUMBER(total_errors, l->total.errors)
NUMBER(lost, l->lost)
NUMBER(fill_bytes, unless(l->fill_known && l->fill.bytes_known, l->fill.bytes))
NUMBER(fill_slots, unless(l->fill_known && l->fill.slots_known, l->fill.slots))
NUMBER(capacity_bytes, unless(l->fill_known && l->fill.capacity_bytes, l->fill.capacity_bytes))
NUMBER(capacity_slots, unless(l->fill_known && l->fill.capacity_slots, l->fill.capacity_slots))
/* clang-format on */

/* How full, by what it has least of; for sorting, and for eyes. */
static double fill_percent(const void *row, const struct top_ctx *c)
{
	const struct line *l = row;
	double most = NAN;

	if (l->fill_known && l->fill.bytes_known && l->fill.capacity_bytes)
		most = 100.0 * (double)l->fill.bytes / (double)l->fill.capacity_bytes;
	if (l->fill_known && l->fill.slots_known && l->fill.capacity_slots)
		most = fmax(most, 100.0 * (double)l->fill.slots / (double)l->fill.capacity_slots);
	return most;
}

static void src(struct buf *out, const void *row, const struct top_ctx *c)
{
	top__put_side(out, &((const struct line *)row)->src, c);
}

static void dst(struct buf *out, const void *row, const struct top_ctx *c)
{
	top__put_side(out, &((const struct line *)row)->dst, c);
}

static void put_comm(struct buf *out, const struct side *s)
{
	if (s->proc)
		buf__put(out, s->proc->comm, strnlen(s->proc->comm, sizeof(s->proc->comm)));
}

static void src_comm(struct buf *out, const void *row, const struct top_ctx *c)
{
	put_comm(out, &((const struct line *)row)->src);
}

static void dst_comm(struct buf *out, const void *row, const struct top_ctx *c)
{
	put_comm(out, &((const struct line *)row)->dst);
}

static void src_group(struct buf *out, const void *row, const struct top_ctx *c)
{
	top__put_group(out, ((const struct line *)row)->src.proc, c);
}

static void dst_group(struct buf *out, const void *row, const struct top_ctx *c)
{
	top__put_group(out, ((const struct line *)row)->dst.proc, c);
}

static void origin(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;

	if (!l->src.proc && l->src.origin)
		label__origin(out, l->src.origin);
}

static void user(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;

	if (!l->src.proc)
		return;
	if (c->user)
		buf__puts(out, c->user(l->src.proc->uid));
	else
		buf__u64(out, l->src.proc->uid);
}

static void mech(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;

	buf__puts(out, l->mech ? c->names->mech(l->mech) : "several");
}

static void object(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;

	if (l->channel)
		buf__puts(out, l->channel->name);
	else if (l->channel_cnt)
		label__count(out, l->channel_cnt, "channel");
}

static void attr(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;

	if (l->flow_cnt)
		buf__puts(out, attr__name(l->attr));
}

static void attached(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;
	const char *name = c->names->attach ? c->names->attach(l->mech) : NULL;

	if (name)
		buf__puts(out, name);
}

/* "12K/64K", "3/16"; what is not known is "-". */
static void put_of(struct buf *out, bool known, uint64_t v, uint64_t capacity,
		   void (*put)(struct buf *out, uint64_t v))
{
	if (known)
		put(out, v);
	else
		buf__putc(out, '-');
	if (!capacity)
		return;
	buf__putc(out, '/');
	put(out, capacity);
}

static void fill_of(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;

	if (l->fill_known)
		put_of(out, l->fill.bytes_known, l->fill.bytes, l->fill.capacity_bytes, time__put_bytes);
}

static void slots_of(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct line *l = row;

	if (l->fill_known)
		put_of(out, l->fill.slots_known, l->fill.slots, l->fill.capacity_slots, time__put_count);
}

#define SHOWN (TOP_SHOWN | TOP_DATA)

/* clang-format off */
#define SIDE(side, flag)                                                                             \
	{ #side ".pid", NULL, 0, TOP_NUMBER, TOP_DATA | flag | TOP_SINGLE, side##_pid, NULL },       \
	{ #side ".comm", NULL, 0, TOP_TEXT, TOP_DATA | flag | TOP_SINGLE, NULL, side##_comm },       \
	{ #side ".start_ns", NULL, 0, TOP_NUMBER, TOP_DATA | flag | TOP_SINGLE, side##_start, NULL }, \
	{ #side ".group", NULL, 0, TOP_TEXT, TOP_DATA | flag | TOP_GROUPED, NULL, side##_group },    \
	{ #side ".processes", NULL, 0, TOP_NUMBER, TOP_DATA | flag | TOP_GROUPED, side##_cnt, NULL }

#define LATENCY                                                                         \
	{ "latency_ns.p50", "P50", 7, TOP_NS, SHOWN, p50, NULL },                       \
	{ "latency_ns.p99", "P99", 7, TOP_NS, SHOWN, p99, NULL },                       \
	{ "latency_ns.max", "MAX", 7, TOP_NS, TOP_DATA, latency_max, NULL }

#define BLOCKED                                                                         \
	{ "full_percent", "FULL%", 6, TOP_PERCENT, SHOWN, full, NULL },                 \
	{ "empty_percent", "EMPTY%", 6, TOP_PERCENT, SHOWN, empty, NULL }

#define FILL                                                                            \
	{ "fill_percent", "FILL%", 5, TOP_PERCENT, TOP_SHOWN, fill_percent, NULL },     \
	{ "fill", "FILL", 9, TOP_TEXT, TOP_SHOWN, NULL, fill_of },                      \
	{ "slots", "SLOTS", 6, TOP_TEXT, TOP_SHOWN, NULL, slots_of },                   \
	{ "fill.bytes", "FBYTES", 7, TOP_BYTES, TOP_DATA, fill_bytes, NULL },           \
	{ "fill.capacity_bytes", "CAP", 6, TOP_BYTES, TOP_DATA, capacity_bytes, NULL }, \
	{ "fill.slots", "FSLOTS", 6, TOP_COUNT, TOP_DATA, fill_slots, NULL },           \
	{ "fill.capacity_slots", "OF", 4, TOP_COUNT, TOP_DATA, capacity_slots, NULL }

#define RATES                                                                           \
	{ "messages_per_s", "MSG/S", 7, TOP_COUNT, SHOWN, messages_per_s, NULL },       \
	{ "bytes_per_s", "B/S", 7, TOP_BYTES, SHOWN, bytes_per_s, NULL },               \
	{ "messages", "IMSGS", 7, TOP_COUNT, TOP_DATA, messages, NULL },                \
	{ "bytes", "IBYTES", 7, TOP_BYTES, TOP_DATA, bytes, NULL }

#define TOTALS                                                                          \
	{ "total.messages", "MSGS", 7, TOP_COUNT, SHOWN, total_messages, NULL },        \
	{ "total.bytes", "BYTES", 7, TOP_BYTES, SHOWN, total_bytes, NULL },             \
	{ "total.errors", "ERRS", 5, TOP_COUNT, TOP_DATA, total_errors, NULL },         \
	{ "total.p50_ns", "TP50", 7, TOP_NS, TOP_DATA, total_p50, NULL },               \
	{ "total.p99_ns", "TP99", 7, TOP_NS, TOP_DATA, total_p99, NULL },               \
	{ "total.max_ns", "TMAX", 7, TOP_NS, TOP_DATA, total_max, NULL }

#define ERRORS { "errors", "ERR", 5, TOP_COUNT, SHOWN, errors, NULL }
#define CERTAINTY { "attr", "CERTAIN", 10, TOP_TEXT, SHOWN, NULL, attr }
#define SPARK { "spark", "LAST MINUTE", 20, TOP_SPARK, TOP_SHOWN, NULL, NULL }
#define MECH { "mech", "MECH", 11, TOP_TEXT, SHOWN, NULL, mech }
#define OBJECT { "object", "CHANNEL", 18, TOP_TEXT, SHOWN | TOP_GROW, NULL, object }

static const struct top_column flow_columns[] = {
	SIDE(src, TOP_OF_SRC), SIDE(dst, TOP_OF_DST),
	{ "origin", NULL, 0, TOP_TEXT, TOP_DATA, NULL, origin },
	{ "src", "SOURCE", 18, TOP_TEXT, TOP_SHOWN, NULL, src },
	{ "dst", "DESTINATION", 18, TOP_TEXT, TOP_SHOWN, NULL, dst },
	MECH, OBJECT, RATES, LATENCY, BLOCKED, FILL, ERRORS, CERTAINTY, TOTALS, SPARK,
};

static const struct top_column process_columns[] = {
	{ "pid", NULL, 0, TOP_NUMBER, TOP_DATA | TOP_SINGLE, src_pid, NULL },
	{ "comm", NULL, 0, TOP_TEXT, TOP_DATA | TOP_SINGLE, NULL, src_comm },
	{ "start_ns", NULL, 0, TOP_NUMBER, TOP_DATA | TOP_SINGLE, src_start, NULL },
	{ "uid", NULL, 0, TOP_NUMBER, TOP_DATA | TOP_SINGLE, src_uid, NULL },
	{ "group", NULL, 0, TOP_TEXT, TOP_DATA | TOP_GROUPED, NULL, src_group },
	{ "processes", NULL, 0, TOP_NUMBER, TOP_DATA | TOP_GROUPED, src_cnt, NULL },
	{ "origin", NULL, 0, TOP_TEXT, TOP_DATA, NULL, origin },
	{ "process", "PROCESS", 20, TOP_TEXT, TOP_SHOWN | TOP_GROW, NULL, src },
	{ "user", "USER", 8, TOP_TEXT, SHOWN | TOP_SINGLE, NULL, user },
	{ "sent.messages_per_s", "OUT/S", 7, TOP_COUNT, SHOWN, messages_per_s, NULL },
	{ "sent.bytes_per_s", "OUT B/S", 7, TOP_BYTES, SHOWN, bytes_per_s, NULL },
	{ "sent.messages", NULL, 7, TOP_COUNT, TOP_DATA, messages, NULL },
	{ "sent.bytes", NULL, 7, TOP_BYTES, TOP_DATA, bytes, NULL },
	{ "received.messages_per_s", "IN/S", 7, TOP_COUNT, SHOWN, in_messages_per_s, NULL },
	{ "received.bytes_per_s", "IN B/S", 7, TOP_BYTES, SHOWN, in_bytes_per_s, NULL },
	{ "received.messages", NULL, 7, TOP_COUNT, TOP_DATA, in_messages, NULL },
	{ "received.bytes", NULL, 7, TOP_BYTES, TOP_DATA, in_bytes, NULL },
	LATENCY, BLOCKED, ERRORS,
	{ "channels", "CHANS", 5, TOP_COUNT, SHOWN, channels, NULL },
	{ "total.sent_messages", "OUT", 7, TOP_COUNT, SHOWN, total_messages, NULL },
	{ "total.received_messages", "IN", 7, TOP_COUNT, SHOWN, total_in_messages, NULL },
	{ "total.sent_bytes", "OUT B", 7, TOP_BYTES, SHOWN, total_bytes, NULL },
	{ "total.received_bytes", "IN B", 7, TOP_BYTES, SHOWN, total_in_bytes, NULL },
	{ "total.errors", "ERRS", 5, TOP_COUNT, TOP_DATA, total_errors, NULL },
	CERTAINTY, SPARK,
};

static const struct top_column channel_columns[] = {
	OBJECT, MECH,
	{ "writers", "FROM", 5, TOP_COUNT, SHOWN, writers, NULL },
	{ "readers", "TO", 5, TOP_COUNT, SHOWN, readers, NULL },
	RATES, LATENCY, BLOCKED, FILL, ERRORS,
	{ "lost", "LOST", 6, TOP_COUNT, SHOWN, lost, NULL },
	CERTAINTY, TOTALS, SPARK,
};

static const struct top_column mechanism_columns[] = {
	MECH,
	{ "channels", "CHANS", 6, TOP_COUNT, SHOWN, channels, NULL },
	{ "writers", "FROM", 5, TOP_COUNT, SHOWN, writers, NULL },
	{ "readers", "TO", 5, TOP_COUNT, SHOWN, readers, NULL },
	RATES, LATENCY, BLOCKED, ERRORS,
	{ "lost", "LOST", 6, TOP_COUNT, SHOWN, lost, NULL },
	CERTAINTY, TOTALS,
	{ "attach", "ATTACH", 10, TOP_TEXT, SHOWN, NULL, attached },
	SPARK,
};
/* clang-format on */

/* ---- waits ---- */

static double wait_pid(const void *row, const struct top_ctx *c)
{
	return ((const struct wait_line *)row)->proc->pid;
}

static double wait_tid(const void *row, const struct top_ctx *c)
{
	return ((const struct wait_line *)row)->tid;
}

static double wait_ns(const void *row, const struct top_ctx *c)
{
	const struct wait_line *w = row;

	if (!w->since_ns)
		return NAN;
	/* One looks a little after the interval's end. */
	return w->since_ns < c->until_ns ? (double)(c->until_ns - w->since_ns) : 0;
}

static double wait_whom_cnt(const void *row, const struct top_ctx *c)
{
	return ((const struct wait_line *)row)->whom_cnt;
}

static void wait_comm(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct wait_line *w = row;

	buf__put(out, w->proc->comm, strnlen(w->proc->comm, sizeof(w->proc->comm)));
}

static void wait_process(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct wait_line *w = row;

	buf__printf(out, "%u ", w->proc->pid);
	wait_comm(out, row, c);
	if (w->tid != w->proc->pid)
		buf__printf(out, "/%u", w->tid);
}

static void wait_call(struct buf *out, const void *row, const struct top_ctx *c)
{
	buf__puts(out, ((const struct wait_line *)row)->call);
}

static void wait_for(struct buf *out, const void *row, const struct top_ctx *c)
{
	buf__puts(out, ((const struct wait_line *)row)->sends ? "room" : "data");
}

static void wait_object(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct wait_line *w = row;

	if (w->object)
		buf__puts(out, w->object);
}

static void wait_whom(struct buf *out, const void *row, const struct top_ctx *c)
{
	const struct wait_line *w = row;
	size_t cnt = w->whom_cnt < WAIT_WHOM_MAX ? w->whom_cnt : WAIT_WHOM_MAX;

	for (size_t i = 0; i < cnt; i++) {
		const struct proc *p = w->whom[i];

		buf__printf(out, "%s%u ", i ? ", " : "", p->pid);
		buf__put(out, p->comm, strnlen(p->comm, sizeof(p->comm)));
	}
	if (w->whom_cnt > cnt)
		buf__printf(out, ", %u more", w->whom_cnt - (uint32_t)cnt);
	else if (!cnt && w->object)
		buf__puts(out, "nobody");
}

/* clang-format off */
static const struct top_column wait_columns[] = {
	{ "pid", NULL, 0, TOP_NUMBER, TOP_DATA, wait_pid, NULL },
	{ "tid", NULL, 0, TOP_NUMBER, TOP_DATA, wait_tid, NULL },
	{ "comm", NULL, 0, TOP_TEXT, TOP_DATA, NULL, wait_comm },
	{ "process", "PROCESS", 22, TOP_TEXT, TOP_SHOWN, NULL, wait_process },
	{ "call", "CALL", 14, TOP_TEXT, SHOWN, NULL, wait_call },
	{ "wait_ns", "FOR", 7, TOP_NS, SHOWN, wait_ns, NULL },
	{ "waits_for", "UNTIL", 5, TOP_TEXT, SHOWN, NULL, wait_for },
	{ "object", "CHANNEL", 24, TOP_TEXT, SHOWN, NULL, wait_object },
	{ "whom_cnt", "ENDS", 4, TOP_NUMBER, TOP_DATA, wait_whom_cnt, NULL },
	{ "whom", "ON", 24, TOP_TEXT, SHOWN | TOP_GROW, NULL, wait_whom },
};

#define TABLE(name, type, sort, columns) { name, type, sort, columns, sizeof(columns) / sizeof((columns)[0]) }
const struct top_table top_tables[TOP_TABLE_CNT] = {
	[TOP_FLOWS] = TABLE("flows", "flow", "bytes_per_s", flow_columns),
	[TOP_PROCESSES] = TABLE("processes", "process", "sent.bytes_per_s", process_columns),
	[TOP_CHANNELS] = TABLE("channels", "channel", "bytes_per_s", channel_columns),
	[TOP_MECHANISMS] = TABLE("mechanisms", "mechanism", "messages_per_s", mechanism_columns),
	[TOP_WAITS] = TABLE("waits", "wait", "wait_ns", wait_columns),
};
/* clang-format on */
