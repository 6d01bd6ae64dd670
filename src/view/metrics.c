/* SPDX-License-Identifier: GPL-2.0 */
#include "view/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "event/wire.h"
#include "view/label.h"

#define NS 1e9
/* Bounds of the latency histogram: 2^10 ns (1 us), 2^12, ... 2^34 (17 s). */
#define FIRST_BOUND 10
#define LAST_BOUND 34
#define BOUND_STEP 2

struct metrics_series {
	uint8_t mech;
	const char *src, *dst;
	uint64_t messages, bytes, wait_ns;
};

/* ---- counting ---- */

static const char *name_of(struct metrics *m, const struct party *party, const char *origin)
{
	struct buf text = { 0 };
	const char *name;

	if (party->proc)
		buf__put(&text, party->proc->comm, strnlen(party->proc->comm, sizeof(party->proc->comm)));
	else if (origin)
		label__origin(&text, origin);
	else
		buf__puts(&text, "unknown");
	name = strtab__find(&m->names, text.data ? text.data : "", text.len);
	if (!name && m->all.cnt < METRICS_SERIES_MAX) /* others have no series of their own */
		name = strtab__intern(&m->names, text.data ? text.data : "", text.len);
	buf__free(&text);
	return name ?: strtab__intern(&m->names, "other", 5);
}

/* Interned names are known by their addresses, which leave the upper byte to the mechanism. */
static struct metrics_series *series_of(struct metrics *m, uint8_t mech, const char *src, const char *dst)
{
	const char *other = strtab__intern(&m->names, "other", 5);
	uint64_t lo = (uintptr_t)src ^ (uint64_t)mech << 56, hi = (uintptr_t)dst;
	struct metrics_series *s = map__get(&m->by_labels, lo, hi);

	if (s)
		return s;
	if (m->all.cnt >= METRICS_SERIES_MAX && (src != other || dst != other))
		return series_of(m, mech, other, other);
	s = xalloc(sizeof(*s));
	s->mech = mech;
	s->src = src;
	s->dst = dst;
	map__set(&m->by_labels, lo, hi, s);
	vec__push(&m->all, s);
	return s;
}

void metrics__add(struct metrics *m, const struct message *msg)
{
	uint8_t mech = msg->channel ? msg->channel->mech : msg->mech;
	struct metrics_series *s =
		series_of(m, mech, name_of(m, &msg->src, msg->origin), name_of(m, &msg->dst, msg->origin));

	s->messages += msg->messages;
	s->bytes += msg->bytes;
	s->wait_ns += msg->wait_ns;
	if (msg->latency_ns && mech < METRICS_MECHS)
		hist__add(&m->latency[mech], msg->latency_ns);
}

/* ---- writing ---- */

static void put_family(struct buf *out, const char *name, const char *type, const char *unit,
		       const char *help)
{
	buf__printf(out, "# TYPE %s %s\n", name, type);
	if (unit)
		buf__printf(out, "# UNIT %s %s\n", name, unit);
	buf__printf(out, "# HELP %s %s\n", name, help);
}

static void put_label(struct buf *out, const char *name, const char *value)
{
	buf__printf(out, "%s=\"", name);
	escape__openmetrics(out, value, strlen(value));
	buf__putc(out, '"');
}

static void put_labels(struct buf *out, const struct metrics_series *s, const struct view_names *names)
{
	buf__putc(out, '{');
	put_label(out, "mech", names->mech(s->mech));
	buf__putc(out, ',');
	put_label(out, "src", s->src);
	buf__putc(out, ',');
	put_label(out, "dst", s->dst);
	buf__puts(out, "} ");
}

static void put_seconds(struct buf *out, uint64_t ns)
{
	buf__printf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void put_series(struct buf *out, const struct metrics *m, const struct view_names *names)
{
	put_family(out, "ipctrace_messages", "counter", NULL, "Messages by mechanism, sender and receiver.");
	for (size_t i = 0; i < m->all.cnt; i++) {
		buf__puts(out, "ipctrace_messages_total");
		put_labels(out, m->all.v[i], names);
		buf__printf(out, "%" PRIu64 "\n", m->all.v[i]->messages);
	}
	put_family(out, "ipctrace_payload_bytes", "counter", "bytes",
		   "Payload by mechanism, sender and receiver.");
	for (size_t i = 0; i < m->all.cnt; i++) {
		buf__puts(out, "ipctrace_payload_bytes_total");
		put_labels(out, m->all.v[i], names);
		buf__printf(out, "%" PRIu64 "\n", m->all.v[i]->bytes);
	}
	put_family(out, "ipctrace_wait_seconds", "counter", "seconds",
		   "Time for which receivers were blocked before a message came.");
	for (size_t i = 0; i < m->all.cnt; i++) {
		buf__puts(out, "ipctrace_wait_seconds_total");
		put_labels(out, m->all.v[i], names);
		put_seconds(out, m->all.v[i]->wait_ns);
	}
}

static void put_latency(struct buf *out, const struct hist *h, const char *mech)
{
	uint64_t octaves[64], sum = 0;
	unsigned int at = 0;

	hist__octaves(h, octaves);
	for (unsigned int bound = FIRST_BOUND; bound <= LAST_BOUND; bound += BOUND_STEP) {
		for (; at < bound; at++)
			sum += octaves[at];
		buf__printf(out, "ipctrace_latency_seconds_bucket{mech=\"%s\",le=\"%.9g\"} %" PRIu64 "\n",
			    mech, (double)(1ull << bound) / NS, sum);
	}
	buf__printf(out, "ipctrace_latency_seconds_bucket{mech=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", mech,
		    h->cnt);
	buf__printf(out, "ipctrace_latency_seconds_count{mech=\"%s\"} %" PRIu64 "\n", mech, h->cnt);
	buf__printf(out, "ipctrace_latency_seconds_sum{mech=\"%s\"} ", mech);
	put_seconds(out, h->sum);
}

static void put_latencies(struct buf *out, const struct metrics *m, const struct view_names *names)
{
	put_family(out, "ipctrace_latency_seconds", "histogram", "seconds",
		   "From the end of a send to the end of its receipt.");
	for (unsigned int mech = 1; mech < IPCT_MECH_CNT && mech < METRICS_MECHS; mech++)
		if (m->latency[mech].cnt)
			put_latency(out, &m->latency[mech], names->mech(mech));
}

/* What says how far the rest can be trusted, and how large the picture is. */
static void put_state(struct buf *out, const struct graph *g, const struct proc_table *procs,
		      const struct model_stats *stats, const struct view_names *names)
{
	uint64_t channels[IPCT_MECH_CNT] = { 0 };

	put_family(out, "ipctrace_lost_events", "counter", NULL,
		   "Events that the tracer lost, by mechanism.");
	for (unsigned int m = 1; m < IPCT_MECH_CNT; m++)
		if (names->traced & IPCT_MECH_BIT(m) || g->lost[m])
			buf__printf(out, "ipctrace_lost_events_total{mech=\"%s\"} %" PRIu64 "\n",
				    names->mech(m), g->lost[m]);
	put_family(out, "ipctrace_operations", "counter", NULL, "Sends, receipts and other operations seen.");
	buf__printf(out, "ipctrace_operations_total %" PRIu64 "\n", stats->ops);
	put_family(out, "ipctrace_processes", "gauge", NULL,
		   "Processes known to the tracer, ended ones included.");
	buf__printf(out, "ipctrace_processes %zu\n", procs->all.cnt);
	for (size_t i = 0; i < g->channels.cnt; i++)
		channels[g->channels.v[i]->mech % IPCT_MECH_CNT]++;
	put_family(out, "ipctrace_channels", "gauge", NULL, "Channels known to the tracer, by mechanism.");
	for (unsigned int m = 1; m < IPCT_MECH_CNT; m++)
		if (channels[m])
			buf__printf(out, "ipctrace_channels{mech=\"%s\"} %" PRIu64 "\n", names->mech(m),
				    channels[m]);
}

void metrics__put(struct buf *out, const struct metrics *m, const struct graph *g,
		  const struct proc_table *procs, const struct model_stats *stats,
		  const struct view_names *names)
{
	put_series(out, m, names);
	put_latencies(out, m, names);
	put_state(out, g, procs, stats, names);
	buf__puts(out, "# EOF\n");
}

void metrics__free(struct metrics *m)
{
	for (size_t i = 0; i < m->all.cnt; i++)
		free(m->all.v[i]);
	for (size_t i = 0; i < METRICS_MECHS; i++)
		hist__free(&m->latency[i]);
	vec__free(&m->all);
	map__free(&m->by_labels);
	strtab__free(&m->names);
}
