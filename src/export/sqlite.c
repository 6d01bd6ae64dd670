/* SPDX-License-Identifier: GPL-2.0 */
/* A database of all that was seen, with views that answer the usual questions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/escape.h"
#include "base/log.h"

#include "export/formats.h"
#include "export/sqlite_schema.h"

enum table { MESSAGES, OPERATIONS, PROCESSES, CHANNELS, FLOWS, ENDS, LOSSES, RECORDING, TABLE_CNT };

/* Columns in the order of the schema. */
static const char *const inserts[TABLE_CNT] = {
	[MESSAGES] = "INSERT INTO messages VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[OPERATIONS] = "INSERT INTO operations VALUES (NULL,?,?,?,?,?,?,?,?,?,?)",
	[PROCESSES] = "INSERT INTO processes VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[CHANNELS] = "INSERT INTO channels VALUES (?,?,?,?,?,?,?,?,?,?)",
	[FLOWS] = "INSERT INTO flows VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
	[ENDS] = "INSERT INTO ends VALUES (?,?,?,?,?,?,?)",
	[LOSSES] = "INSERT INTO losses VALUES (?,?,?)",
	[RECORDING] = "INSERT INTO recording VALUES (?,?)",
};

struct export
{
	const struct export_opts *opts;
	sqlite3 *db;
	sqlite3_stmt *into[TABLE_CNT];
	char *temp; /* the file, until it is complete */
	int rc; /* the first failure */
	struct buf text; /* names are hostile bytes: made harmless, and UTF-8 */
	int at; /* column of the row that is being filled */
};

static void check(struct export *e, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW && e->rc == SQLITE_OK)
		e->rc = rc;
}

/* SQLite's integers have a sign; times and sizes of this world fit. */
static void num(struct export *e, enum table t, uint64_t v)
{
	check(e, sqlite3_bind_int64(e->into[t], ++e->at, (sqlite3_int64)v));
}

static void text(struct export *e, enum table t, const char *s, size_t max)
{
	buf__reset(&e->text);
	if (s)
		escape__terminal(&e->text, s, strnlen(s, max));
	if (s)
		check(e, sqlite3_bind_text(e->into[t], ++e->at, buf__cstr(&e->text), (int)e->text.len,
					   SQLITE_TRANSIENT));
	else
		check(e, sqlite3_bind_null(e->into[t], ++e->at));
}

static void proc(struct export *e, enum table t, const struct proc *p)
{
	if (p)
		num(e, t, p->id + 1);
	else
		text(e, t, NULL, 0);
}

static void channel(struct export *e, enum table t, const struct channel *ch)
{
	ch = channel__resolve((struct channel *)ch);
	text(e, t, ch ? ch->name : NULL, SIZE_MAX);
}

static void row(struct export *e, enum table t)
{
	check(e, sqlite3_step(e->into[t]));
	check(e, sqlite3_reset(e->into[t]));
	e->at = 0;
}

static void fact(struct export *e, const char *key, const char *value)
{
	text(e, RECORDING, key, SIZE_MAX);
	text(e, RECORDING, value, SIZE_MAX);
	row(e, RECORDING);
}

static int close_db(struct export *e, struct buf *err)
{
	int rc = e->rc;

	if (rc != SQLITE_OK)
		buf__printf(err, "cannot write %s: %s", e->opts->path,
			    e->db ? sqlite3_errmsg(e->db) : sqlite3_errstr(rc));
	for (size_t i = 0; i < TABLE_CNT; i++)
		sqlite3_finalize(e->into[i]);
	sqlite3_close(e->db);
	if (rc == SQLITE_OK && rename(e->temp, e->opts->path) < 0) {
		buf__printf(err, "cannot write %s: %s", e->opts->path, strerror(errno));
		rc = SQLITE_CANTOPEN;
	}
	if (rc != SQLITE_OK)
		unlink(e->temp);
	buf__free(&e->text);
	free(e->temp);
	free(e);
	return rc == SQLITE_OK ? 0 : -EIO;
}

/* No journal: a database that is not complete is thrown away. */
static void prepare(struct export *e)
{
	check(e, sqlite3_open(e->temp, &e->db));
	if (e->rc == SQLITE_OK)
		check(e, sqlite3_exec(e->db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;", NULL,
				      NULL, NULL));
	if (e->rc == SQLITE_OK)
		check(e, sqlite3_exec(e->db, sqlite_schema, NULL, NULL, NULL));
	for (size_t i = 0; e->rc == SQLITE_OK && i < TABLE_CNT; i++)
		check(e, sqlite3_prepare_v2(e->db, inserts[i], -1, &e->into[i], NULL));
}

static struct export *begin(const struct export_opts *opts, struct out *out, struct buf *err)
{
	struct export *e = xalloc(sizeof(*e));
	char number[24];
	int fd;

	e->opts = opts;
	fd = out__make_beside(opts->path, &e->temp);
	if (fd < 0) {
		buf__printf(err, "cannot write %s: %s", opts->path, strerror(-fd));
		free(e);
		return NULL;
	}
	close(fd);
	prepare(e);
	if (e->rc != SQLITE_OK) {
		close_db(e, err);
		return NULL;
	}
	fact(e, "host", opts->names->host);
	fact(e, "kernel", opts->names->kernel);
	snprintf(number, sizeof(number), "%lld", (long long)opts->boot_to_wall_ns);
	fact(e, "boot_to_wall_ns", number);
	return e;
}

static void message(struct export *e, const struct message *m)
{
	num(e, MESSAGES, m->ts_ns);
	num(e, MESSAGES, m->sent_ns);
	text(e, MESSAGES, e->opts->names->mech(m->mech), SIZE_MAX);
	channel(e, MESSAGES, m->channel);
	proc(e, MESSAGES, m->src.proc);
	num(e, MESSAGES, m->src.tid);
	proc(e, MESSAGES, m->dst.proc);
	num(e, MESSAGES, m->dst.tid);
	text(e, MESSAGES, m->origin, SIZE_MAX);
	num(e, MESSAGES, m->bytes);
	num(e, MESSAGES, m->messages);
	num(e, MESSAGES, m->latency_ns);
	num(e, MESSAGES, m->wait_ns);
	text(e, MESSAGES, attr__name(m->attr), SIZE_MAX);
	row(e, MESSAGES);
}

static void op(struct export *e, const struct op *op, const struct channel *ch, const struct party *task)
{
	num(e, OPERATIONS, op->ts_ns);
	num(e, OPERATIONS, op->enter_ns);
	text(e, OPERATIONS, e->opts->names->mech(op->mech), SIZE_MAX);
	channel(e, OPERATIONS, ch);
	text(e, OPERATIONS, op_kind__name(op->kind), SIZE_MAX);
	proc(e, OPERATIONS, task->proc);
	num(e, OPERATIONS, task->tid);
	num(e, OPERATIONS, op->bytes);
	num(e, OPERATIONS, (uint64_t)op->ret);
	check(e, sqlite3_bind_int(e->into[OPERATIONS], ++e->at, op->fd));
	row(e, OPERATIONS);
}

static void lost(struct export *e, uint8_t mech, uint64_t cnt, int cpu)
{
	text(e, LOSSES, e->opts->names->mech(mech), SIZE_MAX);
	num(e, LOSSES, cnt);
	num(e, LOSSES, (uint64_t)cpu);
	row(e, LOSSES);
}

static char *joined(const char *args, size_t len)
{
	char *s = xstrndup("", 0);

	if (!args)
		return s;
	s = xrealloc(s, len + 1);
	for (size_t i = 0; i < len; i++)
		s[i] = (char)(args[i] ? args[i] : ' ');
	s[len] = '\0';
	return s;
}

static void put_proc(struct export *e, const struct proc *p)
{
	char *args = joined(p->args, p->args_len);

	num(e, PROCESSES, p->id + 1);
	num(e, PROCESSES, p->pid);
	num(e, PROCESSES, p->start_ns);
	num(e, PROCESSES, p->ppid);
	proc(e, PROCESSES, p->parent);
	text(e, PROCESSES, p->comm, sizeof(p->comm));
	text(e, PROCESSES, p->exe, SIZE_MAX);
	text(e, PROCESSES, args, SIZE_MAX);
	num(e, PROCESSES, p->uid);
	num(e, PROCESSES, p->cgroup);
	num(e, PROCESSES, p->pidns);
	num(e, PROCESSES, p->exit_ns);
	num(e, PROCESSES, (uint64_t)(int64_t)p->exit_code);
	row(e, PROCESSES);
	free(args);
}

static void put_channel(struct export *e, const struct channel *ch)
{
	num(e, CHANNELS, ch->id + 1);
	text(e, CHANNELS, e->opts->names->mech(ch->mech), SIZE_MAX);
	channel(e, CHANNELS, ch);
	num(e, CHANNELS, ch->first_ns);
	num(e, CHANNELS, ch->last_ns);
	num(e, CHANNELS, ch->messages);
	num(e, CHANNELS, ch->bytes);
	num(e, CHANNELS, ch->unread_bytes);
	num(e, CHANNELS, ch->unattributed_bytes);
	num(e, CHANNELS, ch->lost);
	row(e, CHANNELS);
}

static void put_flow(struct export *e, const struct flow *f)
{
	proc(e, FLOWS, f->src);
	proc(e, FLOWS, f->dst);
	text(e, FLOWS, e->opts->names->mech(f->channel->mech), SIZE_MAX);
	channel(e, FLOWS, f->channel);
	text(e, FLOWS, f->origin, SIZE_MAX);
	num(e, FLOWS, f->messages);
	num(e, FLOWS, f->bytes);
	num(e, FLOWS, hist__percentile(&f->latency, 50));
	num(e, FLOWS, hist__percentile(&f->latency, 99));
	num(e, FLOWS, f->latency.max);
	num(e, FLOWS, f->wait_ns);
	text(e, FLOWS, attr__name(f->attr), SIZE_MAX);
	row(e, FLOWS);
}

static void put_end(struct export *e, const struct end *end)
{
	proc(e, ENDS, end->proc);
	channel(e, ENDS, end->channel);
	text(e, ENDS, end->role, SIZE_MAX);
	num(e, ENDS, end->messages);
	num(e, ENDS, end->bytes);
	num(e, ENDS, end->errors);
	num(e, ENDS, end->wait_ns);
	row(e, ENDS);
}

static int end(struct export *e, struct graph *g, struct proc_table *procs, const struct model_stats *stats,
	       struct buf *err)
{
	for (size_t i = 0; i < procs->all.cnt; i++)
		put_proc(e, procs->all.v[i]);
	for (size_t i = 0; i < g->channels.cnt; i++)
		put_channel(e, g->channels.v[i]);
	for (size_t i = 0; i < g->flows.cnt; i++)
		put_flow(e, g->flows.v[i]);
	for (size_t i = 0; i < g->ends.cnt; i++)
		put_end(e, g->ends.v[i]);
	if (e->rc == SQLITE_OK)
		check(e, sqlite3_exec(e->db, sqlite_indexes, NULL, NULL, NULL));
	if (e->rc == SQLITE_OK)
		check(e, sqlite3_exec(e->db, "COMMIT", NULL, NULL, NULL));
	return close_db(e, err);
}

const struct export_format export__sqlite = {
	.name = "sqlite",
	.summary = "a database: tables, and views edges, talkers, slowest, waits",
	.own_file = true,
	.begin = begin,
	.message = message,
	.op = op,
	.lost = lost,
	.end = end,
};
