/* SPDX-License-Identifier: GPL-2.0 */
#include "store/pack.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SLOT_ROUND 0xff
#define WORD_TS 0
#define WORD_ENTER 3 /* begin of the call in nearly all kinds: near the event's own time */

/* The first byte behind the slot has their lengths: the time, and the word with the size that tells how many follow. */
#define WORDS_FIRST 2

static uint64_t zigzag(uint64_t d)
{
	return d << 1 ^ (uint64_t)((int64_t)d >> 63);
}

static uint64_t unzigzag(uint64_t z)
{
	return z >> 1 ^ -(z & 1);
}

static unsigned int bytes_of(uint64_t v)
{
	return v ? 8 - (unsigned int)(__builtin_clzll(v) / 8) : 0;
}

static unsigned int slot_of(const struct ipct_hdr *ev)
{
	uint32_t h = ev->tid * 0x9e3779b1u ^ (ev->kind * 31u + ev->op) * 0x85ebca6bu;

	return h >> 26;
}
_Static_assert(PACK_SLOTS == 1 << (32 - 26), "slot_of() gives one of them");

static size_t words_of(size_t size)
{
	return size / 8 < PACK_WORDS ? size / 8 : PACK_WORDS;
}

void pack__begin(struct pack *p)
{
	memset(p, 0, sizeof(*p));
}

/* Two words' lengths, then the words: what is behind a word's length is overwritten by the next. */
static uint8_t *put_word(uint8_t *to, uint64_t v, unsigned int *len)
{
	uint64_t z;

	*len = 0;
	if (!v)
		return to;
	z = zigzag(v);
	*len = bytes_of(z);
	memcpy(to, &z, sizeof(z));
	return to + *len;
}

/* Word by word: to wait for what a copy of all of them has just stored took a third of the packing. */
static uint64_t word_of(const struct ipct_hdr *ev, size_t i)
{
	uint64_t word;

	memcpy(&word, (const uint8_t *)ev + i * 8, sizeof(word));
	return i == WORD_ENTER ? word - ev->ts_ns : word;
}

/* What changed since the last event of its slot. */
static uint8_t *put_change(uint8_t *to, uint64_t *last, uint64_t now, unsigned int *len)
{
	to = put_word(to, now - *last, len);
	*last = now;
	return to;
}

size_t pack__event(struct pack *p, const struct ipct_hdr *ev, uint8_t *to)
{
	unsigned int slot = slot_of(ev), a, b;
	uint64_t *last = p->last[slot];
	size_t cnt = words_of(ev->size), tail = ev->size - cnt * 8;
	uint8_t *lens, *at;

	to[0] = slot;
	at = put_change(to + 2, &p->ts_ns, word_of(ev, WORD_TS), &a);
	at = put_change(at, &last[1], word_of(ev, 1), &b);
	to[1] = a | b << 4;
	lens = at;
	at += (cnt - WORDS_FIRST + 1) / 2;
	for (size_t i = WORDS_FIRST; i < cnt; i += 2) {
		b = 0;
		at = put_change(at, &last[i], word_of(ev, i), &a);
		if (i + 1 < cnt)
			at = put_change(at, &last[i + 1], word_of(ev, i + 1), &b);
		*lens++ = a | b << 4;
	}
	memcpy(at, (const uint8_t *)ev + cnt * 8, tail);
	return (size_t)(at - to) + tail;
}

size_t pack__round(struct pack *p, uint64_t watermark_ns, uint8_t *to)
{
	unsigned int len;
	uint8_t *end = put_word(to + 2, watermark_ns - p->watermark_ns, &len);

	to[0] = SLOT_ROUND;
	to[1] = len;
	p->watermark_ns = watermark_ns;
	return (size_t)(end - to);
}

/* ---- back ---- */

struct cursor {
	const uint8_t *at, *end;
};

/* False: longer than a word, or than what is there. */
static bool get_word(struct cursor *c, unsigned int len, uint64_t *v)
{
	size_t left = (size_t)(c->end - c->at);
	uint64_t z = 0;

	if (len > sizeof(z) || len > left)
		return false;
	if (len && left >= sizeof(z)) { /* a copy of a known size is one load */
		memcpy(&z, c->at, sizeof(z));
		z &= UINT64_MAX >> (64 - 8 * len);
	} else {
		memcpy(&z, c->at, len);
	}
	c->at += len;
	*v = unzigzag(z);
	return true;
}

static bool get_lens(struct cursor *c, size_t cnt, const uint8_t **lens)
{
	*lens = c->at;
	if (cnt > (size_t)(c->end - c->at))
		return false;
	c->at += cnt;
	return true;
}

static bool unpack_round(struct pack *p, struct cursor *c, struct unpacked *out)
{
	const uint8_t *len;
	uint64_t d;

	if (!get_lens(c, 1, &len) || !get_word(c, *len, &d))
		return false;
	p->watermark_ns += d;
	*out = (struct unpacked){ .watermark_ns = p->watermark_ns };
	return true;
}

static bool unpack_words(struct cursor *c, uint64_t *last, uint64_t *word, size_t cnt)
{
	const uint8_t *lens;
	uint64_t d;

	if (!get_lens(c, (cnt - WORDS_FIRST + 1) / 2, &lens))
		return false;
	for (size_t i = WORDS_FIRST; i < cnt; i++) {
		unsigned int len = lens[(i - WORDS_FIRST) / 2] >> (i - WORDS_FIRST) % 2 * 4 & 15;

		if (!get_word(c, len, &d))
			return false;
		last[i] += d;
		word[i] = last[i];
	}
	return true;
}

static bool unpack_event(struct pack *p, struct cursor *c, uint64_t *last, void *scratch)
{
	uint64_t *word = scratch, ts_delta, delta;
	struct ipct_hdr *ev = scratch;
	const uint8_t *len;
	size_t cnt, tail;

	if (!get_lens(c, 1, &len) || !get_word(c, *len & 15, &ts_delta) || !get_word(c, *len >> 4, &delta))
		return false;
	p->ts_ns += ts_delta;
	last[1] += delta;
	word[WORD_TS] = p->ts_ns;
	word[1] = last[1];
	if (ev->size < sizeof(*ev))
		return false;
	cnt = words_of(ev->size);
	tail = ev->size - cnt * 8;
	if (!unpack_words(c, last, word, cnt) || tail > (size_t)(c->end - c->at))
		return false;
	if (cnt > WORD_ENTER)
		word[WORD_ENTER] += word[WORD_TS];
	memcpy((uint8_t *)scratch + cnt * 8, c->at, tail);
	c->at += tail;
	return true;
}

int unpack__next(struct pack *p, const uint8_t *from, size_t bytes, void *scratch, struct unpacked *out)
{
	struct cursor c = { from + 1, from + bytes };

	if (!bytes)
		return -EBADMSG;
	if (from[0] == SLOT_ROUND)
		return unpack_round(p, &c, out) ? (int)(c.at - from) : -EBADMSG;
	if (from[0] >= PACK_SLOTS || !unpack_event(p, &c, p->last[from[0]], scratch))
		return -EBADMSG;
	out->ev = scratch;
	return (int)(c.at - from);
}
