/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Common Trace Format 1.8: a directory with a description of the events ("metadata") and one stream of them ("messages").
 * One packet, and no index: what readers need at the least. An event class per mechanism, whose id is the mechanism's number.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/vec.h"

#include "export/formats.h"

#define CTF_MAGIC 0xc1fc1fc1u
#define CTF_LOST 255 /* id of the event class for losses; no mechanism has it */

struct event_at {
	uint64_t ts_ns;
	size_t from, len; /* where it is in events */
};

struct export
{
	const struct export_opts *opts;
	/* A stream's times must not go back, and messages come in the order in which they are understood: kept, then sorted. */
	struct buf events;
	VEC(struct event_at) order;
	uint64_t last_ns;
	bool met[CTF_LOST]; /* mechanisms that have messages */
};

static const char preamble[] = "/* CTF 1.8 */\n"
			       "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
			       "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
			       "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
			       "trace {\n\tmajor = 1;\n\tminor = 8;\n\tbyte_order = le;\n"
			       "\tpacket.header := struct { uint32_t magic; uint32_t stream_id; };\n};\n"
			       "env {\n\ttracer_name = \"ipctrace\";\n};\n";

static const char stream[] =
	"typealias integer { size = 64; align = 8; signed = false; map = clock.boot.value; } := boot_ns_t;\n"
	"stream {\n\tid = 0;\n\tevent.header := struct { boot_ns_t timestamp; uint8_t id; };\n};\n";

static const char message_fields[] =
	"\t\tuint32_t src_pid;\n\t\tstring src_comm;\n\t\tuint32_t dst_pid;\n\t\tstring dst_comm;\n"
	"\t\tstring origin;\n\t\tstring object;\n\t\tuint64_t bytes;\n\t\tuint64_t messages;\n"
	"\t\tuint64_t latency_ns;\n\t\tuint64_t wait_ns;\n\t\tstring attr;\n";

static void put_u32(struct buf *out, uint32_t v)
{
	v = htole32(v);
	buf__put(out, &v, sizeof(v));
}

static void put_u64(struct buf *out, uint64_t v)
{
	v = htole64(v);
	buf__put(out, &v, sizeof(v));
}

/* Names are any bytes; a string here is UTF-8 and ends with NUL. */
static void put_string(struct buf *out, const char *s, size_t len)
{
	escape__terminal(out, s, len);
	buf__putc(out, '\0');
}

static void put_text(struct buf *out, const char *s)
{
	put_string(out, s, strlen(s));
}

static void put_party(struct buf *out, const struct party *p)
{
	put_u32(out, p->proc ? p->proc->pid : 0);
	put_string(out, p->comm, p->proc ? strnlen(p->comm, sizeof(p->comm)) : 0);
}

static void begin_event(struct export *e, uint64_t ts_ns, uint8_t id)
{
	const struct event_at at = { ts_ns, e->events.len, 0 };

	vec__push(&e->order, at);
	put_u64(&e->events, ts_ns);
	buf__putc(&e->events, (char)id);
	if (ts_ns > e->last_ns)
		e->last_ns = ts_ns;
}

static void end_event(struct export *e)
{
	struct event_at *at = &e->order.v[e->order.cnt - 1];

	at->len = e->events.len - at->from;
}

static struct export *begin(const struct export_opts *opts, struct out *out, struct buf *err)
{
	struct export *e;

	if (mkdir(opts->path, 0777)) {
		if (errno == EEXIST)
			buf__printf(err, "%s exists: ctf makes a directory, and wants the name of a new one",
				    opts->path);
		else
			buf__printf(err, "cannot make the directory %s: %s", opts->path, strerror(errno));
		return NULL;
	}
	e = xalloc(sizeof(*e));
	e->opts = opts;
	return e;
}

static void message(struct export *e, const struct message *m)
{
	struct buf *out = &e->events;

	e->met[m->mech] = true;
	begin_event(e, m->ts_ns, m->mech);
	put_party(out, &m->src);
	put_party(out, &m->dst);
	put_text(out, m->origin ? m->origin : "");
	put_text(out, m->channel ? m->channel->name : "");
	put_u64(out, m->bytes);
	put_u64(out, m->messages);
	put_u64(out, m->latency_ns);
	put_u64(out, m->wait_ns);
	put_text(out, attr__name(m->attr));
	end_event(e);
}

/* Losses are told without a time: after what came before them. */
static void lost(struct export *e, uint8_t mech, uint64_t cnt, int cpu)
{
	begin_event(e, e->last_ns, CTF_LOST);
	put_text(&e->events, e->opts->names->mech(mech));
	put_u64(&e->events, cnt);
	end_event(e);
}

static int by_time(const void *va, const void *vb)
{
	const struct event_at *a = va, *b = vb;

	if (a->ts_ns != b->ts_ns)
		return a->ts_ns < b->ts_ns ? -1 : 1;
	return a->from < b->from ? -1 : a->from > b->from;
}

static void put_class(struct buf *out, const char *name, unsigned int id, const char *fields)
{
	buf__printf(
		out,
		"event {\n\tname = \"%s\";\n\tid = %u;\n\tstream_id = 0;\n\tfields := struct {\n%s\t};\n};\n",
		name, id, fields);
}

static void write_metadata(const struct export *e, struct out *out)
{
	const uint64_t wall_ns = (uint64_t)e->opts->boot_to_wall_ns, second_ns = 1000000000;

	buf__puts(&out->buf, preamble);
	buf__printf(&out->buf,
		    "clock {\n\tname = boot;\n\tfreq = %" PRIu64 ";\n\toffset_s = %" PRIu64
		    ";\n\toffset = %" PRIu64 ";\n};\n",
		    second_ns, wall_ns / second_ns, wall_ns % second_ns);
	buf__puts(&out->buf, stream);
	for (uint8_t mech = 0; mech < CTF_LOST; mech++)
		if (e->met[mech])
			put_class(&out->buf, e->opts->names->mech(mech), mech, message_fields);
	put_class(&out->buf, "lost", CTF_LOST, "\t\tstring mech;\n\t\tuint64_t events;\n");
}

static void write_messages(const struct export *e, struct out *out)
{
	put_u32(&out->buf, CTF_MAGIC);
	put_u32(&out->buf, 0); /* the stream's id */
	for (size_t i = 0; i < e->order.cnt; i++) {
		buf__put(&out->buf, e->events.data + e->order.v[i].from, e->order.v[i].len);
		out__commit(out);
	}
}

static int write_file(const struct export *e, const char *name,
		      void (*write)(const struct export *e, struct out *out), struct buf *err)
{
	struct out out = { 0 };
	struct buf path = { 0 };
	int ret;

	buf__printf(&path, "%s/%s", e->opts->path, name);
	ret = out__open(&out, buf__cstr(&path), err);
	if (!ret) {
		write(e, &out);
		ret = out__finish(&out, err);
	}
	buf__free(&path);
	return ret;
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
	int ret;

	if (e->order.cnt)
		qsort(e->order.v, e->order.cnt, sizeof(e->order.v[0]), by_time);
	ret = write_file(e, "metadata", write_metadata, err);
	if (!ret)
		ret = write_file(e, "messages", write_messages, err);
	vec__free(&e->order);
	buf__free(&e->events);
	free(e);
	return ret;
}

const struct export_format export__ctf = {
	.name = "ctf",
	.summary = "messages in the Common Trace Format, a directory (babeltrace2, Trace Compass)",
	.own_file = true,
	.begin = begin,
	.message = message,
	.lost = lost,
	.end = end,
};
