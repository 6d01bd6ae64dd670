/* SPDX-License-Identifier: GPL-2.0 */
#include "view/report_stacks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/time.h"
#include "base/vec.h"
#include "model/graph.h"
#include "view/label.h"
#include "view/report.h"
#include "view/stack_text.h"

/* Operations of one kind, by programs of one name, at one place, on one channel. */
struct row {
	const struct channel *channel;
	const struct stack *stack;
	const char *comm, *text; /* interned; text: the stack for people */
	uint64_t ops, bytes, wait_ns;
	uint8_t kind, mech;
};

struct report_stacks {
	VEC(struct row *) rows;
	struct map by_place; /* text, hash of the rest */
	struct map
		texts; /* by stack: two of one text are one place, called from two instructions of a line */
	struct strtab names;
	uint64_t without; /* operations that have no stack */
};

struct report_stacks *report_stacks__new(void)
{
	return xalloc(sizeof(struct report_stacks));
}

static uint64_t rest_of_key(const struct channel *ch, const char *comm, const struct op *op)
{
	uint64_t h = (uintptr_t)ch * 0x9e3779b97f4a7c15ull;

	h = (h ^ (uintptr_t)comm) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 31 ^ (uint64_t)op->kind << 8 ^ op->mech;
}

static const char *text_of(struct report_stacks *s, const struct stack *st)
{
	const char *text = map__get(&s->texts, (uintptr_t)st, 0);
	struct buf line = { 0 };

	if (text)
		return text;
	stack_text__line(&line, st);
	text = strtab__intern(&s->names, buf__cstr(&line), line.len);
	map__set(&s->texts, (uintptr_t)st, 0, (void *)text);
	buf__free(&line);
	return text;
}

static bool is_row_of(const struct row *r, const char *text, const struct channel *ch, const char *comm,
		      const struct op *op)
{
	return r->text == text && r->channel == ch && r->comm == comm && r->kind == op->kind;
}

static struct row *row_of(struct report_stacks *s, const struct channel *ch, const char *comm,
			  const struct op *op)
{
	const char *text = text_of(s, op->stack);
	uint64_t lo = (uintptr_t)text, hi = rest_of_key(ch, comm, op);
	struct row *r;

	while ((r = map__get(&s->by_place, lo, hi)) && !is_row_of(r, text, ch, comm, op))
		hi++;
	if (r)
		return r;
	r = xalloc(sizeof(*r));
	*r = (struct row){
		.channel = ch,
		.stack = op->stack,
		.comm = comm,
		.text = text,
		.kind = op->kind,
		.mech = op->mech,
	};
	map__set(&s->by_place, lo, hi, r);
	vec__push(&s->rows, r);
	return r;
}

void report_stacks__add(struct report_stacks *s, const struct op *op, const struct channel *ch,
			const struct party *task)
{
	const char *comm;
	struct row *r;

	if (op->flags & OP_F_BLOCKED) /* a part of one that will come */
		return;
	if (!op->stack) {
		s->without += !(op->flags & OP_F_MORE);
		return;
	}
	comm = strtab__intern(&s->names, task->comm, strnlen(task->comm, sizeof(task->comm)));
	r = row_of(s, ch, comm, op);
	r->ops += !(op->flags & OP_F_MORE);
	r->bytes += op->bytes;
	r->wait_ns += label__op_wait_ns(op);
}

/* ---- order ---- */

static const char *object_of(const struct row *r)
{
	return r->channel ? channel__resolve((struct channel *)r->channel)->name : "";
}

/* By what moved; then by content alone, so that the same recording always gives the same text. */
static int largest(const void *pa, const void *pb)
{
	const struct row *a = *(struct row *const *)pa, *b = *(struct row *const *)pb;
	int order = (a->bytes < b->bytes) - (a->bytes > b->bytes);

	if (!order)
		order = (a->ops < b->ops) - (a->ops > b->ops);
	if (!order)
		order = strcmp(object_of(a), object_of(b));
	if (!order)
		order = a->kind - b->kind;
	if (!order)
		order = strcmp(a->comm, b->comm);
	return order ? order : strcmp(a->text, b->text);
}

static void sort(struct report_stacks *s)
{
	if (s->rows.cnt)
		qsort(s->rows.v, s->rows.cnt, sizeof(s->rows.v[0]), largest);
}

/* ---- views ---- */

static void text_row(struct buf *out, const struct row *r, const struct view_names *names)
{
	const char *object = object_of(r);

	buf__printf(out, "\n  %s %s", names->mech(r->mech), op_kind__name(r->kind));
	if (object[0]) {
		buf__puts(out, " on ");
		escape__terminal(out, object, strlen(object));
	}
	buf__puts(out, " by ");
	escape__terminal(out, r->comm, strlen(r->comm));
	buf__puts(out, ": ");
	label__count(out, r->ops, "operation");
	buf__puts(out, ", ");
	time__put_bytes(out, r->bytes);
	buf__puts(out, "B");
	if (r->wait_ns >= LABEL_WAIT_NS) {
		buf__puts(out, ", waited ");
		time__put_duration(out, r->wait_ns);
	}
	buf__putc(out, '\n');
	for (size_t i = 0; i < r->stack->cnt; i++) {
		struct buf frame = { 0 };

		stack_text__frame(&frame, r->stack->frames[i], STACK_TEXT_SHORT);
		buf__puts(out, "      ");
		escape__terminal(out, frame.data, frame.len);
		buf__putc(out, '\n');
		buf__free(&frame);
	}
	if (r->stack->cut)
		buf__puts(out, "      ...\n");
}

void report_stacks__text(struct report_stacks *s, struct buf *out, const struct view_names *names)
{
	size_t cnt = s->rows.cnt < REPORT_ROWS_DEFAULT ? s->rows.cnt : REPORT_ROWS_DEFAULT;

	sort(s);
	buf__puts(out, "\nWhich code moved most\n");
	for (size_t i = 0; i < cnt; i++)
		text_row(out, s->rows.v[i], names);
	if (!s->rows.cnt)
		buf__puts(out, "  no call stacks: the recording was made without --stacks\n");
	else if (cnt < s->rows.cnt)
		buf__printf(out, "\n  and %zu more places: --json shows all\n", s->rows.cnt - cnt);
	if (s->rows.cnt && s->without)
		buf__printf(out, "\n  %" PRIu64 " operation%s without a call stack\n", s->without,
			    s->without == 1 ? "" : "s");
}

void report_stacks__json(struct report_stacks *s, struct json *j, const struct view_names *names)
{
	sort(s);
	json__open(j, "stacks", '[');
	for (size_t i = 0; i < s->rows.cnt; i++) {
		const struct row *r = s->rows.v[i];

		json__open(j, NULL, '{');
		json__str(j, "mech", names->mech(r->mech));
		json__str(j, "object", r->channel ? object_of(r) : NULL);
		json__str(j, "op", op_kind__name(r->kind));
		json__str(j, "comm", r->comm);
		json__u64(j, "operations", r->ops);
		json__u64(j, "bytes", r->bytes);
		json__u64(j, "wait_ns", r->wait_ns);
		stack_text__json(j, "stack", r->stack);
		if (r->stack->cut)
			json__bool(j, "cut", true);
		json__close(j, '}');
	}
	json__close(j, ']');
	json__u64(j, "operations_without_stack", s->without);
}

/* A semicolon separates frames, and a space the count. */
static void put_folded(struct buf *out, const char *s, size_t len)
{
	size_t from = out->len;

	escape__terminal(out, s, len);
	for (size_t i = from; i < out->len; i++)
		if (out->data[i] == ';')
			out->data[i] = ':';
}

/* All but the count. */
static const char *folded_line(struct report_stacks *s, const struct row *r, const struct view_names *names)
{
	struct buf line = { 0 }, frame = { 0 };
	const char *interned;

	put_folded(&line, r->comm, strlen(r->comm));
	for (size_t f = r->stack->cnt; f--;) {
		buf__reset(&frame);
		stack_text__frame(&frame, r->stack->frames[f], STACK_TEXT_BARE);
		buf__putc(&line, ';');
		put_folded(&line, frame.data, frame.len);
	}
	buf__printf(&line, ";%s %s", names->mech(r->mech), op_kind__name(r->kind));
	interned = strtab__intern(&s->names, buf__cstr(&line), line.len);
	buf__free(&line);
	buf__free(&frame);
	return interned;
}

void report_stacks__folded(struct report_stacks *s, struct buf *out, const struct view_names *names)
{
	struct map first = { 0 }; /* by line: the row that has its count */

	sort(s);
	for (size_t i = 0; i < s->rows.cnt; i++) {
		struct row *r = s->rows.v[i], *same;

		r->text = folded_line(s, r, names);
		same = map__get(&first, (uintptr_t)r->text, 0);
		if (same)
			same->ops += r->ops;
		else
			map__set(&first, (uintptr_t)r->text, 0, r);
	}
	for (size_t i = 0; i < s->rows.cnt; i++)
		if (map__get(&first, (uintptr_t)s->rows.v[i]->text, 0) == s->rows.v[i])
			buf__printf(out, "%s %" PRIu64 "\n", s->rows.v[i]->text, s->rows.v[i]->ops);
	map__free(&first);
}

void report_stacks__free(struct report_stacks *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->rows.cnt; i++)
		free(s->rows.v[i]);
	vec__free(&s->rows);
	map__free(&s->by_place);
	map__free(&s->texts);
	strtab__free(&s->names);
	free(s);
}
