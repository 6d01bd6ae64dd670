/* SPDX-License-Identifier: GPL-2.0 */
#include "base/opts.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/escape.h"
#include "base/opts_parse.h"

/* getopt_long() prints its own sentences and keeps state in globals, so it is not used. */
struct parse {
	const struct opt *table;
	size_t cnt;
	uint32_t command;
	char **argv;
	int argc;
	int at; /* the word being read */
	char *options;
	struct buf *err;
};

static bool takes(const struct parse *p, const struct opt *o)
{
	return (o->commands & p->command) != 0;
}

static bool optional_arg(const struct opt *o)
{
	return o->arg && o->arg[0] == '[';
}

static void put_quoted(struct buf *out, const char *s, size_t len)
{
	buf__putc(out, '\'');
	escape__terminal(out, s, len);
	buf__putc(out, '\'');
}

static void put_word(struct buf *out, const char *dashes, const char *s, size_t len)
{
	buf__puts(out, dashes);
	escape__terminal(out, s, len);
}

/* How the user wrote it: "-c" or "--count". */
static void put_name(struct buf *out, const struct opt *o, bool as_short)
{
	if (as_short)
		put_word(out, "-", &o->short_name, 1);
	else
		put_word(out, "--", o->name, strlen(o->name));
}

static int apply(struct parse *p, const struct opt *o, bool as_short, const char *arg)
{
	int rc = o->parse(arg, p->options + o->offset);

	if (!rc)
		return 0;
	put_name(p->err, o, as_short);
	if (rc == -ERANGE) {
		buf__puts(p->err, ": ");
		put_quoted(p->err, arg ? arg : "", arg ? strlen(arg) : 0);
		buf__puts(p->err, " is too large");
		return -EINVAL;
	}
	buf__puts(p->err, " wants ");
	buf__puts(p->err, opt_parse__wants(o->parse) ?: o->arg ?: "no argument");
	if (arg) {
		buf__puts(p->err, ", not ");
		put_quoted(p->err, arg, strlen(arg));
	}
	return -EINVAL;
}

static int apply_next_word(struct parse *p, const struct opt *o, bool as_short)
{
	if (p->at + 1 < p->argc)
		return apply(p, o, as_short, p->argv[++p->at]);
	put_name(p->err, o, as_short);
	buf__puts(p->err, " wants an argument: ");
	put_name(p->err, o, as_short);
	buf__putc(p->err, ' ');
	buf__puts(p->err, o->arg);
	return -EINVAL;
}

static const struct opt *exact(const struct parse *p, const char *name, size_t len, bool any_command)
{
	for (size_t i = 0; i < p->cnt; i++) {
		const struct opt *o = &p->table[i];

		if ((any_command || takes(p, o)) && o->name && strlen(o->name) == len &&
		    !memcmp(o->name, name, len))
			return o;
	}
	return NULL;
}

static void say_ambiguous(struct parse *p, const char *name, size_t len)
{
	const char *sep = " could be ";

	put_word(p->err, "--", name, len);
	for (size_t i = 0; i < p->cnt; i++) {
		const struct opt *o = &p->table[i];

		if (!takes(p, o) || !o->name || strncmp(o->name, name, len))
			continue;
		buf__puts(p->err, sep);
		put_word(p->err, "--", o->name, strlen(o->name));
		sep = " or ";
	}
}

static void say_unknown(struct parse *p, const char *dashes, const char *name, size_t len, bool elsewhere)
{
	buf__puts(p->err, elsewhere ? "this command takes no option " : "unknown option ");
	put_word(p->err, dashes, name, len);
	buf__puts(p->err, "; --help lists those there are");
}

/* The row whose name is `name` or, when no other one does, begins with it. NULL: said why. */
static const struct opt *by_long(struct parse *p, const char *name, size_t len)
{
	const struct opt *found = exact(p, name, len, false);

	if (found)
		return found;
	for (size_t i = 0; i < p->cnt && len; i++) {
		const struct opt *o = &p->table[i];

		if (!takes(p, o) || !o->name || strncmp(o->name, name, len))
			continue;
		if (found) {
			say_ambiguous(p, name, len);
			return NULL;
		}
		found = o;
	}
	if (!found)
		say_unknown(p, "--", name, len, exact(p, name, len, true));
	return found;
}

static int parse_long(struct parse *p, const char *word)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	const struct opt *o = by_long(p, word, len);

	if (!o)
		return -EINVAL;
	if (eq && !o->arg) {
		put_name(p->err, o, false);
		buf__puts(p->err, " takes no argument, but was given ");
		put_quoted(p->err, eq + 1, strlen(eq + 1));
		return -EINVAL;
	}
	if (eq || !o->arg || optional_arg(o))
		return apply(p, o, false, eq ? eq + 1 : NULL);
	return apply_next_word(p, o, false);
}

static const struct opt *by_short(struct parse *p, char c)
{
	bool elsewhere = false;

	for (size_t i = 0; i < p->cnt; i++) {
		if (p->table[i].short_name != c)
			continue;
		if (takes(p, &p->table[i]))
			return &p->table[i];
		elsewhere = true;
	}
	say_unknown(p, "-", &c, 1, elsewhere);
	return NULL;
}

/* "-bn5": flags may stand together, and the last of them may carry its argument. */
static int parse_shorts(struct parse *p, const char *word)
{
	for (; *word; word++) {
		const struct opt *o = by_short(p, *word);
		int rc;

		if (!o)
			return -EINVAL;
		if (o->arg && word[1])
			return apply(p, o, true, word + 1);
		if (o->arg && !optional_arg(o))
			return apply_next_word(p, o, true);
		rc = apply(p, o, true, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

int opts__parse(const struct opt *table, size_t cnt, uint32_t command, int argc, char **argv, void *options,
		struct buf *err)
{
	struct parse p = {
		.table = table,
		.cnt = cnt,
		.command = command,
		.argv = argv,
		.argc = argc,
		.options = options,
		.err = err,
	};

	for (p.at = 1; p.at < argc; p.at++) {
		const char *word = argv[p.at];
		int rc;

		if (word[0] != '-' || !word[1])
			return p.at;
		if (!strcmp(word, "--"))
			return p.at + 1;
		rc = word[1] == '-' ? parse_long(&p, word + 2) : parse_shorts(&p, word + 1);
		if (rc)
			return rc;
	}
	return p.at;
}
