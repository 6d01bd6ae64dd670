/* SPDX-License-Identifier: GPL-2.0 */
#include "base/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum syntax {
	SYN_TERMINAL = 1,
	SYN_JSON = 2,
	SYN_DOT = 4,
	SYN_XML = 8,
	SYN_ALL = 15,
};

/* ASCII bytes that cannot stand for themselves, by syntax. Graphviz decodes entities in every label. */
static const uint8_t special[128] = {
	[0x00 ... 0x1f] = SYN_ALL,
	['"'] = SYN_JSON | SYN_DOT | SYN_XML,
	['&'] = SYN_DOT | SYN_XML,
	['\''] = SYN_XML,
	['<'] = SYN_JSON | SYN_XML,
	['>'] = SYN_XML,
	['\\'] = SYN_TERMINAL | SYN_JSON | SYN_DOT,
	[0x7f] = SYN_ALL,
};

/* Code points that are invisible, reorder what is around them, or are no characters. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x80, 0x9f }, /* C1 controls: a terminal may obey them */
	{ 0xad, 0xad }, /* soft hyphen */
	{ 0x61c, 0x61c }, /* Arabic letter mark */
	{ 0x180e, 0x180e }, /* Mongolian vowel separator */
	{ 0x200b, 0x200f }, /* zero width, directional marks */
	{ 0x2028, 0x202e }, /* line separators, embeddings, overrides */
	{ 0x2060, 0x206f }, /* joiners, isolates */
	{ 0xfdd0, 0xfdef }, /* noncharacters */
	{ 0xfeff, 0xfeff }, /* byte order mark */
	{ 0xfff9, 0xfffb }, /* interlinear annotation */
	{ 0xfffe, 0xffff }, /* noncharacters */
	{ 0xe0000, 0xe0fff }, /* tags */
};

static bool is_unseen(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++)
		if (cp >= unseen[i].first && cp <= unseen[i].last)
			return true;
	return (cp & 0xfffe) == 0xfffe;
}

/* Length of the UTF-8 sequence at s, and its code point; 0, and cp left alone, when it is none. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	uint32_t v;

	if (!n || n > len)
		return 0;
	v = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return n;
}

static void put_hex(struct buf *out, const char *prefix, uint32_t v, int digits)
{
	buf__puts(out, prefix);
	while (digits--)
		buf__putc(out, "0123456789abcdef"[v >> (digits * 4) & 15]);
}

static void put_json_unit(struct buf *out, uint32_t cp)
{
	if (cp > 0xffff) {
		put_hex(out, "\\u", 0xd800 + ((cp - 0x10000) >> 10), 4);
		cp = 0xdc00 + (cp & 0x3ff);
	}
	put_hex(out, "\\u", cp, 4);
}

/* Something that cannot be shown: n bytes, of code point cp where they are one. */
static void put_unseen(struct buf *out, enum syntax syn, const unsigned char *s, size_t n, uint32_t cp)
{
	if (syn == SYN_JSON) {
		put_json_unit(out, cp);
		return;
	}
	for (size_t i = 0; i < n; i++)
		put_hex(out, syn == SYN_DOT ? "\\\\x" : "\\x", s[i], 2);
}

static const char *entity(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return "&#39;";
	}
}

static void put_special(struct buf *out, enum syntax syn, unsigned char c)
{
	if (c < 0x20 || c == 0x7f) {
		put_unseen(out, syn, &c, 1, c);
	} else if (syn == SYN_XML || c == '&') {
		buf__puts(out, entity(c));
	} else if (c == '<') {
		put_hex(out, "\\u", c, 4); /* JSON inside a <script> element */
	} else {
		buf__putc(out, '\\');
		buf__putc(out, (char)c);
	}
}

/* Bytes at s that stand for themselves. */
static size_t plain(enum syntax syn, const unsigned char *s, size_t len)
{
	size_t i = 0, n;
	uint32_t cp;

	for (;;) {
		while (i < len && s[i] < 0x80 && !(special[s[i]] & syn))
			i++;
		if (i == len || s[i] < 0x80)
			return i;
		n = decode(s + i, len - i, &cp);
		if (!n || is_unseen(cp))
			return i;
		i += n;
	}
}

/* Writes what s begins with, which does not stand for itself; returns how many bytes that was. */
static size_t put_escaped(struct buf *out, enum syntax syn, const unsigned char *s, size_t len)
{
	uint32_t cp = s[0];
	size_t n;

	if (cp < 0x80) {
		put_special(out, syn, s[0]);
		return 1;
	}
	n = decode(s, len, &cp);
	if (!n)
		n = 1;
	put_unseen(out, syn, s, n, cp);
	return n;
}

static void escape(struct buf *out, enum syntax syn, const char *str, size_t len)
{
	const unsigned char *s = (const unsigned char *)str;

	while (len) {
		size_t n = plain(syn, s, len);

		buf__put(out, s, n);
		if (n < len)
			n += put_escaped(out, syn, s + n, len - n);
		s += n;
		len -= n;
	}
}

void escape__terminal(struct buf *out, const char *s, size_t len)
{
	escape(out, SYN_TERMINAL, s, len);
}

void escape__json(struct buf *out, const char *s, size_t len)
{
	escape(out, SYN_JSON, s, len);
}

void escape__dot(struct buf *out, const char *s, size_t len)
{
	escape(out, SYN_DOT, s, len);
}

void escape__xml(struct buf *out, const char *s, size_t len)
{
	escape(out, SYN_XML, s, len);
}

/* Mermaid has #NUMBER; for characters that mean something in Markdown, HTML or Mermaid itself. */
void escape__mermaid(struct buf *out, const char *s, size_t len)
{
	static const char plain_marks[] = " ,.:/@_-+=";
	struct buf text = { 0 };

	escape__terminal(&text, s, len);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool is_plain = c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
				(c && strchr(plain_marks, c));

		if (is_plain) {
			buf__putc(out, (char)c);
			continue;
		}
		buf__putc(out, '#');
		buf__u64(out, c);
		buf__putc(out, ';');
	}
	buf__free(&text);
}

void escape__openmetrics(struct buf *out, const char *s, size_t len)
{
	struct buf text = { 0 };

	escape__terminal(&text, s, len);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\\' || text.data[i] == '"')
			buf__putc(out, '\\');
		buf__putc(out, text.data[i]);
	}
	buf__free(&text);
}
