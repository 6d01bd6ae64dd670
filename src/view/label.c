/* SPDX-License-Identifier: GPL-2.0 */
#include "view/label.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/time.h"

#define ELLIPSIS "\xe2\x80\xa6"

/* Code points that take two columns (East Asian wide, emoji) or none (combining); coarse: alignment only. */
static const struct {
	uint32_t first, last;
	uint8_t cols;
} widths[] = {
	{ 0x0300, 0x036f, 0 }, { 0x1100, 0x115f, 2 }, { 0x20d0, 0x20ff, 0 },   { 0x2e80, 0xa4cf, 2 },
	{ 0xac00, 0xd7a3, 2 }, { 0xf900, 0xfaff, 2 }, { 0xfe00, 0xfe0f, 0 },   { 0xfe30, 0xfe6f, 2 },
	{ 0xff00, 0xff60, 2 }, { 0xffe0, 0xffe6, 2 }, { 0x1f300, 0x1faff, 2 }, { 0x20000, 0x3fffd, 2 },
};

static size_t cp_columns(uint32_t cp)
{
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		if (cp >= widths[i].first && cp <= widths[i].last)
			return widths[i].cols;
	}
	return 1;
}

/* One code point of valid UTF-8 (what escape__terminal leaves); returns its length in bytes. */
static size_t cp_next(const char *s, size_t len, uint32_t *cp)
{
	unsigned char c = (unsigned char)s[0];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	*cp = n == 1 ? c : c & (0x7f >> n);
	if (n > len)
		return len;
	for (size_t i = 1; i < n; i++)
		*cp = *cp << 6 | ((unsigned char)s[i] & 0x3f);
	return n;
}

static size_t columns(const char *s, size_t len)
{
	size_t cols = 0;
	uint32_t cp;

	for (size_t i = 0; i < len;) {
		i += cp_next(s + i, len - i, &cp);
		cols += cp_columns(cp);
	}
	return cols;
}

void label__text(struct buf *out, const char *s, size_t len, size_t max_cols)
{
	size_t from = out->len;

	escape__terminal(out, s, len);
	label__cut(out, from, max_cols);
}

void label__cut(struct buf *out, size_t from, size_t max_cols)
{
	size_t i = from, cols = 0;
	uint32_t cp;

	if (columns(out->data + from, out->len - from) <= max_cols)
		return;
	while (i < out->len) {
		size_t n = cp_next(out->data + i, out->len - i, &cp);

		if (cols + cp_columns(cp) > max_cols - 1)
			break;
		cols += cp_columns(cp);
		i += n;
	}
	out->len = i;
	buf__puts(out, ELLIPSIS);
}

size_t label__fitting(const char *s, size_t len, size_t max)
{
	size_t cut = max;

	if (len <= max)
		return len;
	while (cut > max - 4 && ((unsigned char)s[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

static size_t missing(const struct buf *out, size_t from, size_t cols)
{
	size_t have = out->len > from ? columns(out->data + from, out->len - from) : 0;

	return have < cols ? cols - have : 0;
}

void label__pad(struct buf *out, size_t from, size_t cols)
{
	for (size_t n = missing(out, from, cols); n; n--)
		buf__putc(out, ' ');
}

void label__right(struct buf *out, size_t from, size_t cols)
{
	size_t n = missing(out, from, cols), len = out->len - from;

	if (!n)
		return;
	buf__reserve(out, n);
	memmove(out->data + from + n, out->data + from, len);
	memset(out->data + from, ' ', n);
	out->len += n;
}

void label__bytes(struct buf *out, uint64_t bytes)
{
	if (bytes < 10000)
		buf__u64(out, bytes);
	else
		time__put_bytes(out, bytes);
}

void label__count(struct buf *out, uint64_t n, const char *noun)
{
	buf__printf(out, "%" PRIu64 " %s%s", n, noun, n == 1 ? "" : strcmp(noun, "process") ? "s" : "es");
}

void label__host(struct buf *out, const char *host, const char *kernel)
{
	if (host) {
		buf__puts(out, " on ");
		escape__terminal(out, host, strlen(host));
	}
	if (kernel) {
		buf__puts(out, ", Linux ");
		escape__terminal(out, kernel, strlen(kernel));
	}
}

void label__origin(struct buf *out, const char *origin)
{
	if (origin)
		buf__printf(out, "kernel(%s)", origin);
	else
		buf__puts(out, "kernel");
}

void label__pid(struct buf *out, const struct proc *p)
{
	if (p->folded_cnt)
		buf__printf(out, "%" PRIu32 " ended", p->folded_cnt);
	else
		buf__u64(out, p->pid);
}

void label__proc(struct buf *out, const struct proc *p)
{
	label__pid(out, p);
	if (!p->comm[0])
		return;
	buf__putc(out, ' ');
	escape__terminal(out, p->comm, strnlen(p->comm, sizeof(p->comm)));
}

const char *label__attr_mark(uint8_t attr)
{
	static const char *const marks[ATTR_CNT] = {
		[ATTR_EXACT] = "", [ATTR_INFERRED] = "~", [ATTR_CANDIDATES] = "?", [ATTR_UNKNOWN] = "??"
	};

	return attr < ATTR_CNT ? marks[attr] : marks[ATTR_UNKNOWN];
}

uint64_t label__op_wait_ns(const struct op *op)
{
	if (!(op->flags & OP_F_WAITED) || !op->enter_ns || op->enter_ns > op->ts_ns)
		return 0;
	return op->ts_ns - op->enter_ns;
}

const char *label__proc_id(const struct proc *p, char buf[LABEL_ID_BYTES])
{
	if (p->folded_cnt)
		snprintf(buf, LABEL_ID_BYTES, "ended.%" PRIu32, p->folded_nr);
	else
		snprintf(buf, LABEL_ID_BYTES, "%" PRIu32 ".%" PRIu64, p->pid, p->start_ns);
	return buf;
}

const char *label__side_id(const struct proc *p, const char *origin, char buf[LABEL_ID_BYTES])
{
	if (p)
		return label__proc_id(p, buf);
	return origin ? "kernel" : "unknown";
}
