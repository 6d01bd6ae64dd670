/* SPDX-License-Identifier: GPL-2.0 */
/* Messages as comma-separated values (RFC 4180), one line each. */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"

#include "export/formats.h"

struct export
{
	const struct export_opts *opts;
	struct out *out;
};

static const char header[] =
	"ts_ns,mech,object,src_pid,src_tid,src_comm,src_start_ns,dst_pid,dst_tid,dst_comm,dst_start_ns,"
	"origin,bytes,messages,latency_ns,wait_ns,attr\r\n";

/* Names are bytes of traced programs: what a spreadsheet would take for a formula stays text by its quotes. */
static void put_text(struct buf *out, const char *s, size_t len)
{
	struct buf safe = { 0 };

	if (!len)
		return;
	buf__putc(out, '"');
	if (strchr("=+-@\t\r", s[0]))
		buf__putc(out, '\'');
	escape__terminal(&safe, s, len);
	for (size_t i = 0; i < safe.len; i++) {
		if (safe.data[i] == '"')
			buf__putc(out, '"');
		buf__putc(out, safe.data[i]);
	}
	buf__putc(out, '"');
	buf__free(&safe);
}

static void put_party(struct buf *out, const struct party *p)
{
	if (!p->proc) {
		buf__puts(out, ",,,,");
		return;
	}
	buf__u64(out, p->proc->pid);
	buf__putc(out, ',');
	buf__u64(out, p->tid ? p->tid : p->proc->pid);
	buf__putc(out, ',');
	put_text(out, p->comm, strnlen(p->comm, sizeof(p->comm)));
	buf__putc(out, ',');
	buf__u64(out, p->proc->start_ns);
	buf__putc(out, ',');
}

static struct export *begin(const struct export_opts *opts, struct out *out, struct buf *err)
{
	struct export *e = xalloc(sizeof(*e));

	*e = (struct export){ opts, out };
	buf__puts(&out->buf, header);
	return e;
}

static void message(struct export *e, const struct message *m)
{
	struct buf *out = &e->out->buf;
	const uint64_t numbers[] = { m->bytes, m->messages, m->latency_ns, m->wait_ns };

	buf__u64(out, m->ts_ns);
	buf__putc(out, ',');
	buf__puts(out, e->opts->names->mech(m->mech));
	buf__putc(out, ',');
	if (m->channel)
		put_text(out, m->channel->name, strlen(m->channel->name));
	buf__putc(out, ',');
	put_party(out, &m->src);
	put_party(out, &m->dst);
	if (m->origin)
		buf__printf(out, "kernel(%s)", m->origin);
	buf__putc(out, ',');
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		buf__u64(out, numbers[i]);
		buf__putc(out, ',');
	}
	buf__puts(out, attr__name(m->attr));
	buf__puts(out, "\r\n");
	out__commit(e->out);
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
	free(e);
	return 0;
}

const struct export_format export__csv = {
	.name = "csv",
	.summary = "messages, for spreadsheets and data frames",
	.begin = begin,
	.message = message,
	.end = end,
};
