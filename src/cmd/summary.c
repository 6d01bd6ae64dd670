/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"

void summary__begin(struct summary *s, enum summary_of of, const struct session_clock *clock)
{
	*s = (struct summary){ .of = of, .begin_ns = clock ? clock->begin_ns : time__boot_ns() };
}

static void add_proc(struct summary *s, struct proc *p)
{
	if (p && !p->counted)
		s->proc_cnt++;
	if (p)
		p->counted = true;
}

void summary__add(struct summary *s, uint64_t messages, uint64_t bytes, struct proc *a, struct proc *b)
{
	s->lines++;
	s->messages += messages;
	s->bytes += bytes;
	add_proc(s, a);
	add_proc(s, b);
}

void summary__put_grouped(struct buf *out, uint64_t v)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, v);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf__putc(out, ',');
		buf__putc(out, digits[i]);
	}
}

/* Powers of 1,000, as a sentence wants them: "512 bytes", "5.6 MB". */
static void put_bytes(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes / 1000;
	size_t i = 0;

	if (bytes < 1000) {
		buf__printf(out, "%" PRIu64 " byte%s", bytes, bytes == 1 ? "" : "s");
		return;
	}
	while (v >= 999.95 && i + 1 < sizeof(units) / sizeof(units[0])) {
		v /= 1000;
		i++;
	}
	buf__printf(out, "%.1f %s", v, units[i]);
}

static void put_counted(struct buf *out, uint64_t cnt, const char *what, const char *plural)
{
	summary__put_grouped(out, cnt);
	buf__printf(out, " %s%s", what, cnt == 1 ? "" : plural);
}

void summary__put_lost(struct buf *out, const struct model_stats *stats)
{
	if (!stats->lost) {
		buf__puts(out, "nothing lost");
		return;
	}
	put_counted(out, stats->lost, "event", "s");
	buf__puts(out, " lost: ");
	if (stats->skipped) {
		put_counted(out, stats->skipped, "time", "s");
		buf__puts(out, " the kernel did not run a program that was busy; ");
	}
	if (stats->table_full) {
		put_counted(out, stats->table_full, "time", "s");
		buf__puts(out, " a table of calls or messages under way was full, trace less (-p, -m); ");
	}
	if (stats->skipped + stats->table_full < stats->lost)
		buf__puts(out, "trace less (-p, -m), or give more room (--ring-size)");
	else
		out->len -= strlen("; ");
}

#define FROM_THE_START_NS 500000000ull

static void put_sums(struct buf *out, const struct summary *s, const struct model_stats *stats)
{
	if (stats->ledger_full) {
		buf__puts(out, "; ");
		put_counted(out, stats->ledger_full, "sum", "s");
		buf__puts(out, " came one by one, as the ledger was full");
	}
	if (!stats->sums_since_ns)
		return;
	buf__puts(out, "; only sums");
	if (stats->sums_since_ns > s->begin_ns + FROM_THE_START_NS)
		buf__printf(out, " after %.1f s", (double)(stats->sums_since_ns - s->begin_ns) / 1e9);
}

/* "12 messages in 10 lines": a read that took several writes is one line, and so is one that took part of a write. */
static void put_what(struct buf *out, const struct summary *s)
{
	if (s->of == SUMMARY_OF_OPS || s->of == SUMMARY_OF_SUMS) {
		put_counted(out, s->lines, s->of == SUMMARY_OF_OPS ? "operation" : "sum", "s");
		return;
	}
	put_counted(out, s->messages, "message", "s");
	if (s->of == SUMMARY_OF_MESSAGES || s->lines == s->messages)
		return;
	buf__puts(out, " in ");
	put_counted(out, s->lines, "line", "s");
}

static void put_folded(struct buf *out, const struct model_stats *stats)
{
	if (!stats->folded_procs && !stats->folded_channels)
		return;
	buf__puts(out, "; ");
	put_counted(out, stats->folded_procs, "process", "es");
	buf__puts(out, " and ");
	put_counted(out, stats->folded_channels, "channel", "s");
	buf__puts(out, " that ended are folded (--history)");
}

void summary__say(const struct summary *s, const struct model_stats *stats)
{
	uint64_t end_ns = s->end_ns ? s->end_ns : time__boot_ns();
	struct buf b = { 0 };

	put_what(&b, s);
	buf__puts(&b, " (");
	put_bytes(&b, s->bytes);
	buf__puts(&b, ") between ");
	put_counted(&b, s->proc_cnt, "process", "es");
	buf__printf(&b, " in %.1f s; ", (double)(end_ns - s->begin_ns) / 1e9);
	summary__put_lost(&b, stats);
	put_sums(&b, s, stats);
	if (s->of == SUMMARY_OF_MESSAGES)
		put_folded(&b, stats);
	log__error("%s", buf__cstr(&b));
	buf__free(&b);
}
