/* SPDX-License-Identifier: GPL-2.0 */
/* What the words of top's options mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/top.h"

#define INTERVAL_NS 1000000000ull

/* Calls fn for each of the words between commas. */
static int each_word(const char *list, int (*fn)(void *ctx, const char *word, size_t len, struct buf *err),
		     void *ctx, struct buf *err)
{
	while (list) {
		const char *comma = strchr(list, ',');
		int ret = fn(ctx, list, comma ? (size_t)(comma - list) : strlen(list), err);

		if (ret)
			return ret;
		list = comma ? comma + 1 : NULL;
	}
	return 0;
}

static void choose_table(struct top_setup *s, const struct top_table *table)
{
	for (size_t i = 0; i < s->choice_cnt; i++)
		if (s->choices[i].table == table)
			return;
	s->choices[s->choice_cnt++] = (struct top_choice){ .table = table };
}

static int add_table(void *ctx, const char *word, size_t len, struct buf *err)
{
	struct top_setup *s = ctx;
	const struct top_table *table = top_table__by_name(word, len);

	if (len == 6 && !memcmp(word, "events", 6)) {
		choose_table(s, NULL);
		return 0;
	}
	if (len == 3 && !memcmp(word, "all", 3)) {
		for (size_t i = 0; i < TOP_TABLE_CNT; i++)
			choose_table(s, &top_tables[i]);
		return 0;
	}
	if (table) {
		choose_table(s, table);
		return 0;
	}
	buf__printf(err, "no table '%.*s': there are", (int)len, word);
	for (size_t i = 0; i < TOP_TABLE_CNT; i++)
		buf__printf(err, " %s,", top_tables[i].name);
	buf__puts(err, " events, all");
	return -EINVAL;
}

static int no_column(const struct top_table *t, const char *word, size_t len, struct buf *err)
{
	buf__printf(err, "table %s has no column '%.*s': it has", t->name, (int)len, word);
	for (size_t i = 0; i < t->column_cnt; i++)
		buf__printf(err, "%s %s", i ? "," : "", t->columns[i].name);
	return -EINVAL;
}

static int add_column(void *ctx, const char *word, size_t len, struct buf *err)
{
	struct top_choice *c = ctx;
	const struct top_column *col = top_table__column(c->table, word, len);

	if (!col)
		return no_column(c->table, word, len, err);
	if (c->column_cnt < TOP_COLUMNS_MAX)
		c->columns[c->column_cnt++] = col;
	return 0;
}

static int choose_columns(struct top_setup *s, const struct options *o, struct buf *err)
{
	for (size_t i = 0; i < s->choice_cnt; i++) {
		struct top_choice *c = &s->choices[i];
		const char *sort = o->top.sort;

		if (!c->table)
			continue;
		if (o->top.columns && each_word(o->top.columns, add_column, c, err))
			return -EINVAL;
		c->sort = top_table__column(c->table, c->table->sort, strlen(c->table->sort));
		if (!sort)
			continue;
		c->ascending = *sort == '^';
		sort += c->ascending;
		c->sort = top_table__column(c->table, sort, strlen(sort));
		if (!c->sort)
			return no_column(c->table, sort, strlen(sort), err);
	}
	return 0;
}

static int choose_group(struct top_setup *s, const char *name, struct buf *err)
{
	for (int i = 0; name && i < GROUP_CNT; i++) {
		if (!strcmp(table_group__name(i), name)) {
			s->group = i;
			return 0;
		}
	}
	if (!name)
		return 0;
	buf__printf(err, "cannot group by '%s': there are", name);
	for (int i = 0; i < GROUP_CNT; i++)
		buf__printf(err, "%s %s", i ? "," : "", table_group__name(i));
	return -EINVAL;
}

static int choose_format(struct top_setup *s, const struct options *o, struct buf *err)
{
	static const char *const formats[] = {
		[TOP_TO_TEXT] = "text", [TOP_TO_CSV] = "csv", [TOP_TO_JSON] = "json"
	};
	const char *name = o->format ? o->format : o->json ? "json" : "text";

	if (o->json && strcmp(name, "json") != 0) {
		buf__printf(err, "--json and --format %s contradict each other", name);
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (!strcmp(formats[i], name)) {
			s->format = i;
			return 0;
		}
	}
	buf__printf(err, "no format '%s': there are text, csv, json", name);
	return -EINVAL;
}

/* Whoever asks for a file or a format, or reads from a pipe, wants no screen. */
static bool is_for_terminal(const struct options *o)
{
	const char *term = getenv("TERM");

	return !o->top.batch && !o->json && !o->format && !o->output && isatty(STDIN_FILENO) &&
	       isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

int top_setup__make(struct top_setup *s, const struct options *o, struct buf *err)
{
	int ret;

	*s = (struct top_setup){ .interval_ns = o->top.interval_ns ? o->top.interval_ns : INTERVAL_NS };
	if (s->interval_ns < TOP_INTERVAL_MIN_NS) {
		buf__puts(err, "--interval wants at least 10ms");
		return -EINVAL;
	}
	if (o->top.intervals == 0) {
		buf__puts(err, "--iterations wants at least 1");
		return -EINVAL;
	}
	s->terminal = is_for_terminal(o);
	ret = each_word(o->top.tables ? o->top.tables : "flows", add_table, s, err);
	if (!ret)
		ret = choose_columns(s, o, err);
	if (!ret)
		ret = choose_group(s, o->top.group, err);
	if (!ret)
		ret = choose_format(s, o, err);
	return ret;
}
