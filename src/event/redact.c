/* SPDX-License-Identifier: GPL-2.0 */
#include "event/redact.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

#define HASH_BYTES 8

struct redact {
	struct event_source source;
	struct event_source *inner;
	uint64_t key[2];
	event_fn fn; /* of the poll that runs; may be NULL */
	void *ctx;
};

static uint64_t rotl(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/* SipHash-2-4 (Aumasson, Bernstein): made for keys that an attacker must not guess. */
static uint64_t siphash(const uint64_t key[2], const uint8_t *data, size_t len)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
			  key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull };

	for (size_t at = 0; at <= len; at += 8) {
		uint64_t m = 0;

		memcpy(&m, data + at, len - at < 8 ? len - at : 8);
		if (len - at < 8)
			m |= (uint64_t)len << 56;
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void on_event(void *ctx, const struct ipct_hdr *ev)
{
	struct redact *r = ctx;
	struct {
		struct ipct_payload ev;
		uint64_t hash;
	} bare;

	if (ev->kind == IPCT_KIND_PAYLOAD && ev->size >= sizeof(bare.ev)) {
		memcpy(&bare.ev, ev, sizeof(bare.ev));
		bare.hash = siphash(r->key, (const uint8_t *)ev + sizeof(bare.ev), bare.ev.len);
		bare.ev.len = HASH_BYTES;
		bare.ev.flags |= IPCT_PAYLOAD_HASH;
		bare.ev.h.size = sizeof(bare);
		ev = &bare.ev.h;
	}
	if (r->fn)
		r->fn(r->ctx, ev);
}

static int redact_poll(struct event_source *s, int timeout_ms, event_fn fn, void *ctx, uint64_t *watermark_ns)
{
	struct redact *r = (struct redact *)((char *)s - offsetof(struct redact, source));

	r->fn = fn;
	r->ctx = ctx;
	return r->inner->poll(r->inner, timeout_ms, on_event, r, watermark_ns);
}

static void redact_close(struct event_source *s)
{
	free((char *)s - offsetof(struct redact, source));
}

struct event_source *redact__new(struct event_source *inner)
{
	struct redact *r = xalloc(sizeof(*r));

	r->source = (struct event_source){ .poll = redact_poll, .close = redact_close };
	r->inner = inner;
	if (getrandom(r->key, sizeof(r->key), 0) != sizeof(r->key))
		log__out_of_memory(); /* no other way to fail: the kernel has entropy once it has booted */
	return &r->source;
}
