/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents of messages for Wireshark: a packet per message, an interface per mechanism. There is no link type for pipes
 * and sockets; "Wireshark Upper PDU" names the dissector of each packet, and a comment says who gave it to whom. D-Bus
 * messages have a link type of their own.
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
#define LINKTYPE_DBUS 231

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPT_END = 0, OPT_COMMENT = 1, OPT_IF_NAME = 2, OPT_APPLICATION = 4, OPT_IF_TSRESOL = 9 };
enum { PDU_END = 0, PDU_DISSECTOR = 12 };

struct export
{
	const struct export_opts *opts;
	struct out *out;
	uint32_t interface[2][MECHS]; /* [1]: D-Bus; number + 1; 0: none yet */
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

/* One for each mechanism and link type. */
static uint32_t interface_of(struct export *e, uint8_t mech, bool dbus)
{
	static const uint8_t nanoseconds = 9;
	uint32_t *number = &e->interface[dbus][mech % MECHS];
	const char *name = e->opts->names->mech(mech);

	if (*number)
		return *number - 1;
	buf__reset(&e->body);
	put16(&e->body, dbus ? LINKTYPE_DBUS : LINKTYPE_UPPER_PDU);
	put16(&e->body, 0);
	put32(&e->body, 0); /* no limit of length */
	put_option(&e->body, OPT_IF_NAME, name, strlen(name));
	put_option(&e->body, OPT_IF_TSRESOL, &nanoseconds, 1);
	put_option(&e->body, OPT_END, NULL, 0);
	put_block(e, BLOCK_INTERFACE);
	*number = ++e->interfaces;
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

#define DBUS_HEADER_BYTES 16
#define DBUS_BYTES_MAX (128u << 20)

static uint32_t dbus_number(const uint8_t *d, size_t at)
{
	if (d[0] == 'B')
		return (uint32_t)d[at] << 24 | (uint32_t)d[at + 1] << 16 | (uint32_t)d[at + 2] << 8 |
		       d[at + 3];
	return (uint32_t)d[at + 3] << 24 | (uint32_t)d[at + 2] << 16 | (uint32_t)d[at + 1] << 8 | d[at];
}

/*
 * How long the D-Bus message is that begins there; 0: none does. Byte order, type 1 to 4, flags, version 1, length of the
 * body, serial number, length of the fields, which are padded to 8 bytes: the D-Bus specification, message format.
 */
static uint64_t dbus_bytes(const uint8_t *d, size_t len)
{
	uint64_t body, fields;

	if (len < DBUS_HEADER_BYTES || (d[0] != 'l' && d[0] != 'B') || d[1] < 1 || d[1] > 4 || d[2] > 7 ||
	    d[3] != 1 || !dbus_number(d, 8))
		return 0;
	body = dbus_number(d, 4);
	fields = dbus_number(d, 12);
	if (body > DBUS_BYTES_MAX || fields > DBUS_BYTES_MAX)
		return 0;
	return DBUS_HEADER_BYTES + ((fields + 7) & ~7ull) + body;
}

/* Where the first D-Bus message begins: a client may send it in one piece with what it is authenticated by. len: nowhere. */
static size_t dbus_begin(const uint8_t *d, size_t len)
{
	static const char begin[] = "BEGIN\r\n";
	const uint8_t *at;

	if (dbus_bytes(d, len))
		return 0;
	at = memmem(d, len, begin, sizeof(begin) - 1);
	if (!at)
		return len;
	at += sizeof(begin) - 1;
	return dbus_bytes(at, len - (size_t)(at - d)) ? (size_t)(at - d) : len;
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

/* What tells Wireshark who is to decode it. */
static void put_dissector(struct buf *b, const char *name)
{
	size_t len = strlen(name), padded = (len + 3) & ~(size_t)3;

	put16be(b, PDU_DISSECTOR);
	put16be(b, (uint16_t)padded);
	buf__put(b, name, len);
	for (; len < padded; len++)
		buf__putc(b, 0);
	put16be(b, PDU_END);
	put16be(b, 0);
}

/* `whole` bytes of m, of which len are here, as one packet. */
static void put_packet(struct export *e, const struct message *m, bool dbus, const uint8_t *data, size_t len,
		       uint64_t whole)
{
	const struct payload piece = { .data = data, .len = len };
	uint64_t ts_ns = m->ts_ns + (uint64_t)e->opts->boot_to_wall_ns;
	uint32_t interface = interface_of(e, m->mech, dbus);

	buf__reset(&e->packet);
	if (!dbus)
		put_dissector(&e->packet, is_http(&piece) ? "http" : "data");
	whole += e->packet.len;
	buf__put(&e->packet, data, len);
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

/* A receive takes what there is: several D-Bus messages, or a part of one. Each that begins in it is a packet. */
static void message(struct export *e, const struct message *m)
{
	const struct payload *p = m->payload;
	uint64_t left, one;
	size_t at;

	if (!p || p->hashed)
		return;
	left = m->bytes > p->len ? m->bytes : p->len;
	at = dbus_begin(p->data, p->len);
	if (at)
		put_packet(e, m, false, p->data, at, at == p->len ? left : at);
	for (left -= at; at < p->len; at += one, left -= one) {
		one = dbus_bytes(p->data + at, p->len - at);
		if (!one || one > left || one > p->len - at) {
			/* Cut off here, or its rest comes with the next receive. */
			put_packet(e, m, one != 0, p->data + at, p->len - at, one ? one : left);
			break;
		}
		put_packet(e, m, true, p->data + at, one, one);
	}
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
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
