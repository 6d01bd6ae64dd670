/* SPDX-License-Identifier: GPL-2.0 */
#include "model/expr.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/opts.h"
#include "base/signame.h"
#include "base/vec.h"
#include "model/graph.h"
#include "model/proc.h"

#define DEPTH_MAX 64 /* of brackets and nots */

/* What a message says under a name: a number or a text; neither: it has nothing to say. */
struct value {
	bool has_number, has_text;
	uint64_t number;
	const char *text;
	char room[32];
};

struct field {
	const char *name;
	void (*get)(const struct message *m, const char *(*mech_name)(uint8_t), struct value *v);
	int (*parse)(const char *word,
		     void *dst); /* a number as users write it; NULL: numbers mean nothing */
	bool also_text; /* a word that is no number is compared as a text */
	/* The words there are, by number; NULL: any word. */
	const char *(*word)(const struct expr *e, uint8_t number, char *room);
};

enum node_type { NODE_AND, NODE_OR, NODE_NOT, NODE_COMPARE, NODE_HAS };
enum compare { EQUAL, UNEQUAL, LESS, AT_MOST, MORE, AT_LEAST };

struct node {
	enum node_type type;
	enum compare compare;
	size_t left, right; /* nodes */
	const struct field *field;
	bool is_number;
	uint64_t number;
	char *text; /* a pattern */
};

struct expr {
	VEC(struct node) nodes;
	size_t root;
	const char *(*mech_name)(uint8_t mech);
};

/* ---- fields ---- */

static void number(struct value *v, uint64_t n)
{
	v->has_number = true;
	v->number = n;
}

static void text(struct value *v, const char *s)
{
	v->has_text = s != NULL;
	v->text = s;
}

#define GETTER(name, what)                                                                                  \
	static void get_##name(const struct message *m, const char *(*mech_name)(uint8_t), struct value *v) \
	{                                                                                                   \
		what;                                                                                       \
	}

GETTER(mech, text(v, mech_name(m->mech)))
GETTER(object, text(v, m->channel ? m->channel->name : NULL))
GETTER(bytes, number(v, m->bytes))
GETTER(messages, number(v, m->messages))
GETTER(attr, text(v, attr__name(m->attr)))
GETTER(wait, number(v, m->wait_ns))
GETTER(fds, number(v, m->fd_cnt))

static void get_latency(const struct message *m, const char *(*mech_name)(uint8_t), struct value *v)
{
	if (m->latency_ns)
		number(v, m->latency_ns);
}

static void get_origin(const struct message *m, const char *(*mech_name)(uint8_t), struct value *v)
{
	text(v, m->origin);
}

static void get_signal(const struct message *m, const char *(*mech_name)(uint8_t), struct value *v)
{
	if (!m->op || m->op->rule != PAIR_SIGNAL)
		return;
	number(v, m->op->sig.sig);
	text(v, signame(m->op->sig.sig, v->room));
}

static void get_queued(const struct message *m, struct value *v, bool by_priority)
{
	if (m->op && m->op->rule == PAIR_QUEUE && m->op->queue.type >= 0 &&
	    m->op->queue.by_priority == by_priority)
		number(v, (uint64_t)m->op->queue.type);
}

GETTER(priority, get_queued(m, v, true))
GETTER(mtype, get_queued(m, v, false))

/* A process: its pid, or a pattern over the command's name, as --src and --dst have it. */
static void get_party(const struct party *p, struct value *v)
{
	if (!p->proc)
		return;
	number(v, p->proc->pid);
	text(v, p->comm[0] ? p->comm : p->proc->comm);
}

#define PARTY_GETTERS(side)                                                \
	GETTER(side, get_party(&m->side, v))                               \
	GETTER(side##_pid, if (m->side.proc) number(v, m->side.proc->pid)) \
	GETTER(side##_tid, if (m->side.proc) number(v, m->side.tid))       \
	GETTER(side##_uid, if (m->side.proc) number(v, m->side.proc->uid)) \
	GETTER(side##_comm, if (m->side.proc) text(v, m->side.comm))       \
	GETTER(side##_exe, if (m->side.proc) text(v, m->side.proc->exe))

PARTY_GETTERS(src)
PARTY_GETTERS(dst)

#define PARTY_FIELDS(side)                                                       \
	{ #side, get_##side, opt_parse__u64, true, NULL },                       \
		{ #side ".pid", get_##side##_pid, opt_parse__u64, false, NULL }, \
		{ #side ".tid", get_##side##_tid, opt_parse__u64, false, NULL }, \
		{ #side ".uid", get_##side##_uid, opt_parse__u64, false, NULL }, \
		{ #side ".comm", get_##side##_comm, NULL, true, NULL },          \
	{                                                                        \
#side ".exe", get_##side##_exe, NULL, true, NULL                 \
	}

static const char *word_mech(const struct expr *e, uint8_t number, char *room)
{
	return number < 32 ? e->mech_name(number) : NULL;
}

static const char *word_attr(const struct expr *e, uint8_t number, char *room)
{
	return number < ATTR_CNT ? attr__name((enum attr)number) : NULL;
}

static const char *word_signal(const struct expr *e, uint8_t number, char *room)
{
	return number && number <= 64 ? signame(number, room) : NULL;
}

/* clang-format off */
static const struct field fields[] = {
	{ "mech", get_mech, NULL, true, word_mech },
	{ "object", get_object, NULL, true, NULL },
	PARTY_FIELDS(src),
	PARTY_FIELDS(dst),
	{ "bytes", get_bytes, opt_parse__bytes, false, NULL },
	{ "messages", get_messages, opt_parse__u64, false, NULL },
	{ "latency", get_latency, opt_parse__duration, false, NULL },
	{ "latency_ns", get_latency, opt_parse__u64, false, NULL },
	{ "wait", get_wait, opt_parse__duration, false, NULL },
	{ "wait_ns", get_wait, opt_parse__u64, false, NULL },
	{ "attr", get_attr, NULL, true, word_attr },
	{ "origin", get_origin, NULL, true, NULL },
	{ "signal", get_signal, opt_parse__u64, true, word_signal },
	{ "signal.number", get_signal, opt_parse__u64, false, NULL },
	{ "signal.name", get_signal, NULL, true, word_signal },
	{ "priority", get_priority, opt_parse__u64, false, NULL },
	{ "mtype", get_mtype, opt_parse__u64, false, NULL },
	{ "fds", get_fds, opt_parse__u64, false, NULL },
};
/* clang-format on */

static const struct field *field_of(const char *name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

/* ---- words ---- */

struct parser {
	struct expr *e;
	const char *at;
	struct buf word; /* the one that is looked at; empty: the end */
	bool quoted;
	bool failed;
	unsigned int depth;
	struct buf *err;
};

static const char *const symbols[] = { "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")" };

static void fail(struct parser *p, const char *what, const char *where)
{
	if (!p->failed)
		buf__printf(p->err, "%s%s%s%s", what, where ? " '" : "", where ? where : "",
			    where ? "'" : "");
	p->failed = true;
}

static void take_quoted(struct parser *p)
{
	const char *end = strchr(p->at + 1, *p->at);

	p->quoted = true;
	if (!end) {
		fail(p, "a quote is not closed:", p->at);
		return;
	}
	buf__put(&p->word, p->at + 1, (size_t)(end - p->at - 1));
	p->at = end + 1;
}

static void next(struct parser *p)
{
	buf__reset(&p->word);
	p->quoted = false;
	while (isspace((unsigned char)*p->at))
		p->at++;
	if (*p->at == '"' || *p->at == '\'') {
		take_quoted(p);
		return;
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if (strncmp(p->at, symbols[i], strlen(symbols[i])))
			continue;
		buf__puts(&p->word, symbols[i]);
		p->at += strlen(symbols[i]);
		return;
	}
	while (*p->at && !isspace((unsigned char)*p->at) && !strchr("=!<>&|()\"'", *p->at))
		buf__putc(&p->word, *p->at++);
	if (!p->word.len && *p->at) /* a single =, & or | */
		buf__putc(&p->word, *p->at++);
}

static bool is(struct parser *p, const char *symbol)
{
	return !p->quoted && !strcmp(buf__cstr(&p->word), symbol);
}

static bool at_end(const struct parser *p)
{
	return !p->word.len && !p->quoted;
}

/* ---- grammar ---- */

static size_t add(struct parser *p, struct node n)
{
	vec__push(&p->e->nodes, n);
	return p->e->nodes.cnt - 1;
}

static bool take_compare(struct parser *p, enum compare *c)
{
	static const char *const words[] = { [EQUAL] = "==",   [UNEQUAL] = "!=", [LESS] = "<",
					     [AT_MOST] = "<=", [MORE] = ">",	 [AT_LEAST] = ">=" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!is(p, words[i]))
			continue;
		*c = (enum compare)i;
		next(p);
		return true;
	}
	return false;
}

static bool is_known(const struct parser *p, const struct field *f, const char *word)
{
	char room[SIGNAME_BYTES], with_sig[2 * SIGNAME_BYTES];

	strcpy(with_sig, "SIG");
	strncat(with_sig, word, SIGNAME_BYTES);
	if (!f->word || strpbrk(word, "*?["))
		return true;
	for (unsigned int i = 0; i < 256; i++) {
		const char *known = f->word(p->e, (uint8_t)i, room);

		if (known && (!strcmp(known, word) || !strcmp(known, with_sig)))
			return true;
	}
	return false;
}

/* KILL is SIGKILL. */
static char *text_of(const struct field *f, const char *word)
{
	struct buf text = { 0 };
	char *s;

	if (f->word == word_signal && strncmp(word, "SIG", 3) && word[0] != '*')
		buf__puts(&text, "SIG");
	buf__puts(&text, word);
	s = xstrndup(buf__cstr(&text), text.len);
	buf__free(&text);
	return s;
}

static void take_value(struct parser *p, struct node *n)
{
	const char *word = buf__cstr(&p->word);

	if (at_end(p) || (!p->quoted && ispunct((unsigned char)word[0]) && !strchr("*?[/@_.-", word[0]))) {
		fail(p, "a value is missing behind", n->field->name);
		return;
	}
	n->is_number = n->field->parse && !p->quoted && !n->field->parse(word, &n->number);
	if (!n->is_number && !n->field->also_text)
		fail(p, "this is no number for the field it is compared with:", word);
	else if (!n->is_number && n->compare > UNEQUAL)
		fail(p, "only numbers are less or more than others, not", word);
	else if (!n->is_number && !is_known(p, n->field, word)) {
		buf__printf(p->err, "there is no %s", n->field->name);
		fail(p, "", word);
	}
	if (!n->is_number)
		n->text = text_of(n->field, word);
	next(p);
}

static size_t parse_compare(struct parser *p)
{
	struct node n = { .type = NODE_HAS, .field = field_of(buf__cstr(&p->word)) };

	if (at_end(p)) {
		fail(p, "a condition is missing at the end", NULL);
		return 0;
	}
	if (!n.field || p->quoted) {
		fail(p,
		     "it knows mech, object, src, dst (with .pid .tid .uid .comm .exe), bytes, messages, "
		     "latency, "
		     "wait, attr, origin, signal, priority, mtype and fds, but not",
		     buf__cstr(&p->word));
		return 0;
	}
	next(p);
	if (is(p, "=")) {
		fail(p, "to compare, write ==, not", "=");
		return 0;
	}
	if (take_compare(p, &n.compare)) {
		n.type = NODE_COMPARE;
		take_value(p, &n);
	}
	return add(p, n);
}

static size_t parse_or(struct parser *p);

static size_t parse_not(struct parser *p)
{
	size_t n;

	if (++p->depth > DEPTH_MAX) {
		fail(p, "too many brackets", NULL);
		return 0;
	}
	if (is(p, "!")) {
		next(p);
		n = parse_not(p);
		n = add(p, (struct node){ .type = NODE_NOT, .left = n });
	} else if (is(p, "(")) {
		next(p);
		n = parse_or(p);
		if (!is(p, ")"))
			fail(p, "a bracket is not closed", NULL);
		next(p);
	} else {
		n = parse_compare(p);
	}
	p->depth--;
	return n;
}

static size_t parse_and(struct parser *p)
{
	size_t n = parse_not(p);

	while (!p->failed && is(p, "&&")) {
		next(p);
		n = add(p, (struct node){ .type = NODE_AND, .left = n, .right = parse_not(p) });
	}
	return n;
}

static size_t parse_or(struct parser *p)
{
	size_t n = parse_and(p);

	while (!p->failed && is(p, "||")) {
		next(p);
		n = add(p, (struct node){ .type = NODE_OR, .left = n, .right = parse_and(p) });
	}
	return n;
}

struct expr *expr__parse(const char *text, const char *(*mech_name)(uint8_t mech), struct buf *err)
{
	struct expr *e = xalloc(sizeof(*e));
	struct parser p = { .e = e, .at = text, .err = err };

	e->mech_name = mech_name;
	next(&p);
	e->root = parse_or(&p);
	if (!p.failed && !at_end(&p))
		fail(&p, "&& or || is missing before", buf__cstr(&p.word));
	buf__free(&p.word);
	if (!p.failed)
		return e;
	expr__free(e);
	return NULL;
}

/* ---- does it hold? ---- */

static bool compare_numbers(enum compare c, uint64_t a, uint64_t b)
{
	switch (c) {
	case EQUAL:
		return a == b;
	case UNEQUAL:
		return a != b;
	case LESS:
		return a < b;
	case AT_MOST:
		return a <= b;
	case MORE:
		return a > b;
	case AT_LEAST:
		return a >= b;
	}
	return false;
}

/* What a message does not have is unequal to everything, and neither less nor more. */
static bool compare(const struct node *n, const struct value *v)
{
	if (n->is_number ? !v->has_number : !v->has_text)
		return n->compare == UNEQUAL;
	if (n->is_number)
		return compare_numbers(n->compare, v->number, n->number);
	return (fnmatch(n->text, v->text, 0) == 0) == (n->compare == EQUAL);
}

static bool holds(const struct expr *e, size_t at, const struct message *m)
{
	const struct node *n = &e->nodes.v[at];
	struct value v = { 0 };

	switch (n->type) {
	case NODE_AND:
		return holds(e, n->left, m) && holds(e, n->right, m);
	case NODE_OR:
		return holds(e, n->left, m) || holds(e, n->right, m);
	case NODE_NOT:
		return !holds(e, n->left, m);
	case NODE_COMPARE:
		n->field->get(m, e->mech_name, &v);
		return compare(n, &v);
	case NODE_HAS:
		n->field->get(m, e->mech_name, &v);
		return (v.has_number && v.number) || (v.has_text && v.text[0]);
	}
	return false;
}

bool expr__holds(const struct expr *e, const struct message *m)
{
	return holds(e, e->root, m);
}

void expr__free(struct expr *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->nodes.cnt; i++)
		free(e->nodes.v[i].text);
	vec__free(&e->nodes);
	free(e);
}
