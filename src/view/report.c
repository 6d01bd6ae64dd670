/* SPDX-License-Identifier: GPL-2.0 */
#include "view/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/escape.h"
#include "base/json.h"
#include "base/time.h"
#include "base/vec.h"
#include "view/label.h"
#include "view/report_stacks.h"

#define MECHS 32

struct mech_sums {
	uint64_t channels, flows, messages, bytes, errors, wait_ns;
};

static void sum_up(const struct graph *g, struct mech_sums sums[MECHS])
{
	memset(sums, 0, MECHS * sizeof(*sums));
	for (size_t i = 0; i < g->channels.cnt; i++)
		sums[g->channels.v[i]->mech % MECHS].channels++;
	for (size_t i = 0; i < g->flows.cnt; i++) {
		struct mech_sums *s = &sums[g->flows.v[i]->channel->mech % MECHS];

		s->flows++;
		s->messages += g->flows.v[i]->messages;
		s->bytes += g->flows.v[i]->bytes;
	}
	for (size_t i = 0; i < g->ends.cnt; i++) {
		struct mech_sums *s = &sums[g->ends.v[i]->channel->mech % MECHS];

		s->errors += g->ends.v[i]->errors;
		s->wait_ns += g->ends.v[i]->wait_ns;
	}
}

/* ---- orders ---- */

static int descending(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static uint64_t p99(const struct flow *f)
{
	return hist__percentile(&f->latency, 99);
}

static int flow_ids(const struct flow *a, const struct flow *b)
{
	int order = strcmp(a->channel->name, b->channel->name);

	if (order)
		return order;
	return (a->src ? a->src->id + 1 : 0) < (b->src ? b->src->id + 1 : 0) ? -1 : 1;
}

static int largest_flow(const void *pa, const void *pb)
{
	const struct flow *a = *(struct flow *const *)pa, *b = *(struct flow *const *)pb;
	int order = descending(a->bytes, b->bytes);

	if (!order)
		order = descending(a->messages, b->messages);
	return order ? order : flow_ids(a, b);
}

static int slowest_flow(const void *pa, const void *pb)
{
	const struct flow *a = *(struct flow *const *)pa, *b = *(struct flow *const *)pb;
	int order = descending(p99(a), p99(b));

	return order ? order : flow_ids(a, b);
}

static int longest_wait(const void *pa, const void *pb)
{
	const struct end *a = *(struct end *const *)pa, *b = *(struct end *const *)pb;
	int order = descending(a->wait_ns, b->wait_ns);

	if (!order)
		order = strcmp(a->channel->name, b->channel->name);
	return order ? order : (a->proc->id < b->proc->id ? -1 : 1);
}

struct tops {
	VEC(struct flow *) flows;
	VEC(struct end *) ends;
};

static void copy_tops(struct tops *t, const struct graph *g)
{
	*t = (struct tops){ 0 };
	for (size_t i = 0; i < g->flows.cnt; i++)
		vec__push(&t->flows, g->flows.v[i]);
	for (size_t i = 0; i < g->ends.cnt; i++)
		if (g->ends.v[i]->wait_ns)
			vec__push(&t->ends, g->ends.v[i]);
}

static void sort_flows(struct tops *t, int (*order)(const void *, const void *))
{
	if (t->flows.cnt)
		qsort(t->flows.v, t->flows.cnt, sizeof(t->flows.v[0]), order);
}

static void sort_ends(struct tops *t)
{
	if (t->ends.cnt)
		qsort(t->ends.v, t->ends.cnt, sizeof(t->ends.v[0]), longest_wait);
}

static void free_tops(struct tops *t)
{
	vec__free(&t->flows);
	vec__free(&t->ends);
}

static size_t at_most(size_t cnt)
{
	return cnt < REPORT_ROWS_DEFAULT ? cnt : REPORT_ROWS_DEFAULT;
}

/* ---- text ---- */

static void put_proc(struct buf *out, const struct proc *p, const char *origin)
{
	if (!p) {
		label__origin(out, origin);
		return;
	}
	label__pid(out, p);
	buf__putc(out, ' ');
	escape__terminal(out, p->comm, strnlen(p->comm, sizeof(p->comm)));
}

/* As many as the tables below add up to. */
static uint64_t messages_of(const struct graph *g)
{
	uint64_t cnt = 0;

	for (size_t i = 0; i < g->flows.cnt; i++)
		cnt += g->flows.v[i]->messages;
	return cnt;
}

static void put_about(struct buf *out, const struct report_about *a, const struct graph *g,
		      const struct view_names *names)
{
	time_t begin = (time_t)(((int64_t)a->begin_ns + a->boot_to_wall_ns) / 1000000000);
	char day[32] = "";
	struct tm tm;

	if (localtime_r(&begin, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	buf__printf(out, "%.3f s from %s", (double)(a->end_ns - a->begin_ns) / 1e9, day);
	label__host(out, names->host, names->kernel);
	buf__putc(out, '\n');
	if (a->command_line) {
		buf__puts(out, "recorded by: ipctrace ");
		escape__terminal(out, a->command_line, strlen(a->command_line));
		buf__putc(out, '\n');
	}
	buf__printf(out, "%" PRIu64 " operations, %" PRIu64 " messages, %" PRIu64 " events lost\n",
		    a->stats->ops, messages_of(g), a->stats->lost);
}

/* Pads what was put since start to the right side of a column of that width. */
static void right(struct buf *out, size_t start, size_t width)
{
	size_t len = out->len - start;

	if (len >= width)
		return;
	buf__reserve(out, width - len);
	memmove(out->data + start + width - len, out->data + start, len);
	memset(out->data + start, ' ', width - len);
	out->len = start + width;
}

static void put_number(struct buf *out, uint64_t v, size_t width, void (*put)(struct buf *, uint64_t))
{
	size_t start = out->len;

	put(out, v);
	right(out, start, width);
}

static void put_mechs(struct buf *out, const struct graph *g, const struct view_names *names)
{
	struct mech_sums sums[MECHS];

	sum_up(g, sums);
	buf__puts(out,
		  "\nMECHANISM       CHANNELS   FLOWS  MESSAGES     BYTES  ERRORS    WAITED      LOST\n");
	for (size_t m = 1; m < MECHS; m++) {
		const struct mech_sums *s = &sums[m];
		size_t start = out->len;

		if (!s->channels && !g->lost[m])
			continue;
		buf__puts(out, names->mech((uint8_t)m));
		buf__pad(out, start, 14);
		put_number(out, s->channels, 10, time__put_count);
		put_number(out, s->flows, 8, time__put_count);
		put_number(out, s->messages, 10, time__put_count);
		put_number(out, s->bytes, 10, time__put_bytes);
		put_number(out, s->errors, 8, time__put_count);
		put_number(out, s->wait_ns, 10, time__put_duration);
		put_number(out, g->lost[m], 10, time__put_count);
		buf__putc(out, '\n');
	}
}

static void put_flows(struct buf *out, const char *title, const struct tops *t)
{
	size_t cnt = at_most(t->flows.cnt);

	buf__printf(out, "\n%s%s\n", title, cnt < t->flows.cnt ? ", the first of them" : "");
	buf__puts(out, "  MESSAGES     BYTES       P50       P99       MAX  FLOW\n");
	for (size_t i = 0; i < cnt; i++) {
		const struct flow *f = t->flows.v[i];

		put_number(out, f->messages, 10, time__put_count);
		put_number(out, f->bytes, 10, time__put_bytes);
		put_number(out, hist__percentile(&f->latency, 50), 10, time__put_duration);
		put_number(out, p99(f), 10, time__put_duration);
		put_number(out, f->latency.max, 10, time__put_duration);
		buf__puts(out, "  ");
		put_proc(out, f->src, f->origin);
		buf__puts(out, " -> ");
		put_proc(out, f->dst, NULL);
		buf__puts(out, "  ");
		escape__terminal(out, f->channel->name, strlen(f->channel->name));
		buf__putc(out, '\n');
	}
}

static void put_waits(struct buf *out, const struct tops *t)
{
	size_t cnt = at_most(t->ends.cnt);

	buf__printf(out, "\nWho waited longest%s\n", cnt < t->ends.cnt ? ", the first of them" : "");
	buf__puts(out, "    WAITED  MESSAGES    ERRORS  WHO, FOR WHAT\n");
	for (size_t i = 0; i < cnt; i++) {
		const struct end *e = t->ends.v[i];

		put_number(out, e->wait_ns, 10, time__put_duration);
		put_number(out, e->messages, 10, time__put_count);
		put_number(out, e->errors, 10, time__put_count);
		buf__puts(out, "  ");
		put_proc(out, e->proc, NULL);
		buf__printf(out, "  %s ", e->role);
		escape__terminal(out, e->channel->name, strlen(e->channel->name));
		buf__putc(out, '\n');
	}
}

void report__text(struct buf *out, const struct report_about *about, struct graph *g,
		  const struct view_names *names)
{
	struct tops t;

	copy_tops(&t, g);
	put_about(out, about, g, names);
	put_mechs(out, g, names);
	sort_flows(&t, largest_flow);
	put_flows(out, "Largest flows", &t);
	sort_flows(&t, slowest_flow);
	put_flows(out, "Slowest flows", &t);
	sort_ends(&t);
	put_waits(out, &t);
	if (about->stacks)
		report_stacks__text(about->stacks, out, names);
	free_tops(&t);
}

/* ---- JSON: all rows ---- */

static void json_proc(struct json *j, const char *key, const struct proc *p)
{
	if (!p) {
		json__null(j, key);
		return;
	}
	json__open(j, key, '{');
	json__u64(j, "pid", p->pid);
	json__u64(j, "start_ns", p->start_ns);
	json__strn(j, "comm", p->comm, strnlen(p->comm, sizeof(p->comm)));
	json__close(j, '}');
}

static void json_mechs(struct json *j, const struct graph *g, const struct view_names *names)
{
	struct mech_sums sums[MECHS];

	sum_up(g, sums);
	json__open(j, "mechanisms", '[');
	for (size_t m = 1; m < MECHS; m++) {
		if (!sums[m].channels && !g->lost[m])
			continue;
		json__open(j, NULL, '{');
		json__str(j, "mech", names->mech((uint8_t)m));
		json__u64(j, "channels", sums[m].channels);
		json__u64(j, "flows", sums[m].flows);
		json__u64(j, "messages", sums[m].messages);
		json__u64(j, "bytes", sums[m].bytes);
		json__u64(j, "errors", sums[m].errors);
		json__u64(j, "wait_ns", sums[m].wait_ns);
		json__u64(j, "lost", g->lost[m]);
		json__close(j, '}');
	}
	json__close(j, ']');
}

static void json_flow(struct json *j, const struct flow *f, const struct view_names *names)
{
	json__open(j, NULL, '{');
	json_proc(j, "src", f->src);
	json_proc(j, "dst", f->dst);
	json__str(j, "mech", names->mech(f->channel->mech));
	json__str(j, "object", f->channel->name);
	json__u64(j, "messages", f->messages);
	json__u64(j, "bytes", f->bytes);
	json__open(j, "latency_ns", '{');
	json__u64(j, "p50", hist__percentile(&f->latency, 50));
	json__u64(j, "p99", p99(f));
	json__u64(j, "max", f->latency.max);
	json__close(j, '}');
	json__str(j, "attr", attr__name(f->attr));
	json__close(j, '}');
}

static void json_wait(struct json *j, const struct end *e)
{
	json__open(j, NULL, '{');
	json_proc(j, "process", e->proc);
	json__str(j, "object", e->channel->name);
	json__str(j, "role", e->role);
	json__u64(j, "wait_ns", e->wait_ns);
	json__close(j, '}');
}

void report__json(struct buf *out, const struct report_about *about, struct graph *g,
		  const struct view_names *names)
{
	struct json j = { .out = out };
	struct tops t;

	copy_tops(&t, g);
	json__open(&j, NULL, '{');
	json__str(&j, "tool", about->tool);
	json__str(&j, "host", names->host);
	json__str(&j, "kernel", names->kernel);
	json__str(&j, "command_line", about->command_line);
	json__u64(&j, "start_ns", about->begin_ns);
	json__u64(&j, "end_ns", about->end_ns);
	json__i64(&j, "boot_to_wall_ns", about->boot_to_wall_ns);
	json__u64(&j, "operations", about->stats->ops);
	json__u64(&j, "messages", about->stats->messages);
	json__u64(&j, "lost", about->stats->lost);
	json_mechs(&j, g, names);
	sort_flows(&t, largest_flow);
	json__open(&j, "flows", '[');
	for (size_t i = 0; i < t.flows.cnt; i++)
		json_flow(&j, t.flows.v[i], names);
	json__close(&j, ']');
	sort_ends(&t);
	json__open(&j, "waits", '[');
	for (size_t i = 0; i < t.ends.cnt; i++)
		json_wait(&j, t.ends.v[i]);
	json__close(&j, ']');
	if (about->stacks)
		report_stacks__json(about->stacks, &j, names);
	json__close(&j, '}');
	buf__putc(out, '\n');
	free_tops(&t);
}
