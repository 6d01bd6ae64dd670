/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents of messages for Wireshark: a packet per message, an interface per mechanism. There is no link type for pipes
 * and sockets; "Wireshark Upper PDU" names the dissector of each packet, and a comment says who gave it to whom.
 * https://www.ietf.org/archive/id/draft-tuexen-opsawg-pcapng-05.html, wireshark/epan/exported_pdu.h
 */
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "model/payload.h"

#include "export/formats.h"

#define MECHS 32
#define LINKTYPE_UPPER_PDU 252

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPT_END = 0, OPT_COMMENT = 1, OPT_IF_NAME = 2, OPT_APPLICATION = 4, OPT_IF_TSRESOL = 9 };
enum { PDU_END = 0, PDU_DISSECTOR = 12 };

struct export
{
	const struct export_opts *opts;
	struct out *out;
	uint32_t interface[MECHS]; /* number + 1; 0: none yet */
	uint32_t interfaces;
	uint64_t packets;
	struct buf body, packet, comment; /* in the making */
};

static void put16(struct buf *b, uint16_t v)
{
	buf__put(b, &v, sizeof(v));
}

static void put32(struct buf *b, uint32_t v)
{
	buf__put(b, &v, sizeof(v));
}

static void put16be(struct buf *b, uint16_t v)
{
	buf__putc(b, (char)(v >> 8));
	buf__putc(b, (char)v);
}

static void pad4(struct buf *b)
{
	while (b->len % 4)
		buf__putc(b, 0);
}

static void put_option(struct buf *b, uint16_t code, const void *data, size_t len)
{
	put16(b, code);
	put16(b, (uint16_t)len);
	buf__put(b, data, len);
	pad4(b);
}

/* The body has been made in e->body. */
static void put_block(struct export *e, uint32_t type)
{
	uint32_t len = (uint32_t)e->body.len + 12;

	put32(&e->out->buf, type);
	put32(&e->out->buf, len);
	buf__put(&e->out->buf, e->body.data, e->body.len);
	put32(&e->out->buf, len);
	out__commit(e->out);
}

static struct export *begin(const struct export_opts *opts, struct out *out, struct buf *err)
{
	static const char application[] = "ipctrace";
	struct export *e = xalloc(sizeof(*e));

	(void)err;
	e->opts = opts;
	e->out = out;
	put32(&e->body, 0x1a2b3c4d);
	put16(&e->body, 1);
	put16(&e->body, 0);
	put32(&e->body, UINT32_MAX); /* length of the section: not said */
	put32(&e->body, UINT32_MAX);
	put_option(&e->body, OPT_APPLICATION, application, sizeof(application) - 1);
	put_option(&e->body, OPT_END, NULL, 0);
	put_block(e, BLOCK_SECTION);
	return e;
}

static uint32_t interface_of(struct export *e, uint8_t mech)
{
	static const uint8_t nanoseconds = 9;
	const char *name = e->opts->names->mech(mech);

	if (e->interface[mech % MECHS])
		return e->interface[mech % MECHS] - 1;
	buf__reset(&e->body);
	put16(&e->body, LINKTYPE_UPPER_PDU);
	put16(&e->body, 0);
	put32(&e->body, 0); /* no limit of length */
	put_option(&e->body, OPT_IF_NAME, name, strlen(name));
	put_option(&e->body, OPT_IF_TSRESOL, &nanoseconds, 1);
	put_option(&e->body, OPT_END, NULL, 0);
	put_block(e, BLOCK_INTERFACE);
	e->interface[mech % MECHS] = ++e->interfaces;
	return e->interfaces - 1;
}

static bool begins_with(const struct payload *p, const char *s)
{
	return p->len >= strlen(s) && !memcmp(p->data, s, strlen(s));
}

static bool is_http(const struct payload *p)
{
	static const char *const words[] = { "GET ",	"POST ",  "PUT ",     "HEAD ",
					     "DELETE ", "PATCH ", "OPTIONS ", "HTTP/1." };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (begins_with(p, words[i]))
			return true;
	return false;
}

/* Byte order, type of message 1 to 4, flags, version 1: the D-Bus specification, message protocol. */
static bool is_dbus(const struct payload *p)
{
	return p->len >= 16 && (p->data[0] == 'l' || p->data[0] == 'B') && p->data[1] >= 1 &&
	       p->data[1] <= 4 && p->data[2] <= 7 && p->data[3] == 1;
}

static const char *dissector(const struct message *m)
{
	if (is_dbus(m->payload))
		return "dbus";
	return is_http(m->payload) ? "http" : "data";
}

static void put_side(struct buf *b, const struct party *p)
{
	if (!p->proc) {
		buf__puts(b, "unknown");
		return;
	}
	buf__printf(b, "%u ", p->proc->pid);
	escape__terminal(b, p->comm, strnlen(p->comm, sizeof(p->comm)));
	buf__printf(b, " (uid %u)", p->proc->uid);
}

static void make_comment(struct export *e, const struct message *m)
{
	struct buf *b = &e->comment;

	buf__reset(b);
	put_side(b, &m->src);
	buf__puts(b, " -> ");
	put_side(b, &m->dst);
	buf__puts(b, " over ");
	if (m->channel)
		escape__terminal(b, m->channel->name, strlen(m->channel->name));
	buf__printf(b, ", %s", attr__name(m->attr));
	for (uint16_t i = 0; i < m->fd_cnt; i++) {
		buf__printf(b, ", descriptor %d ", m->fds[i].dst_fd);
		escape__terminal(b, m->fds[i].object, strlen(m->fds[i].object));
	}
}

static void make_packet(struct export *e, const struct message *m)
{
	const char *name = dissector(m);
	size_t len = strlen(name), padded = (len + 3) & ~(size_t)3;

	buf__reset(&e->packet);
	put16be(&e->packet, PDU_DISSECTOR);
	put16be(&e->packet, (uint16_t)padded);
	buf__put(&e->packet, name, len);
	for (; len < padded; len++)
		buf__putc(&e->packet, 0);
	put16be(&e->packet, PDU_END);
	put16be(&e->packet, 0);
}

static void message(struct export *e, const struct message *m)
{
	uint64_t ts_ns = m->ts_ns + (uint64_t)e->opts->boot_to_wall_ns, whole;
	uint32_t interface;

	if (!m->payload || m->payload->hashed)
		return;
	interface = interface_of(e, m->mech);
	make_packet(e, m);
	whole = e->packet.len + (m->bytes > m->payload->len ? m->bytes : m->payload->len);
	buf__put(&e->packet, m->payload->data, m->payload->len);
	make_comment(e, m);
	buf__reset(&e->body);
	put32(&e->body, interface);
	put32(&e->body, (uint32_t)(ts_ns >> 32));
	put32(&e->body, (uint32_t)ts_ns);
	put32(&e->body, (uint32_t)e->packet.len);
	put32(&e->body, (uint32_t)(whole > UINT32_MAX ? UINT32_MAX : whole));
	buf__put(&e->body, e->packet.data, e->packet.len);
	pad4(&e->body);
	put_option(&e->body, OPT_COMMENT, e->comment.data, e->comment.len & 0xffff);
	put_option(&e->body, OPT_END, NULL, 0);
	put_block(e, BLOCK_PACKET);
	e->packets++;
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
	(void)g;
	(void)procs;
	(void)stats;
	if (!e->packets)
		buf__puts(err, "there are no contents of messages in this recording: record with --payload");
	buf__free(&e->body);
	buf__free(&e->packet);
	buf__free(&e->comment);
	free(e);
	return 0;
}

const struct export_format export__pcapng = {
	.name = "pcapng",
	.summary = "for Wireshark: what messages contain (record with --payload)",
	.binary = true,
	.begin = begin,
	.message = message,
	.end = end,
};
