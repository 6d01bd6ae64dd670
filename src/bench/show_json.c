/* SPDX-License-Identifier: GPL-2.0 */
/* One JSON object for programs: bytes, nanoseconds, per second. */
#include <string.h>

#include "base/json.h"
#include "bench/rules.h"
#include "bench/show.h"

static double whole(double v)
{
	return (double)(uint64_t)(v + 0.5);
}

static void put_series(struct json *j, const char *key, const struct series *s)
{
	if (!s->cnt) {
		json__null(j, key);
		return;
	}
	json__open(j, key, '{');
	json__double(j, "median", whole(series__median(s)));
	json__double(j, "min", whole(series__min(s)));
	json__double(j, "max", whole(series__max(s)));
	json__close(j, '}');
}

static void put_point(struct json *j, const struct row *r, const struct point *p)
{
	json__open(j, NULL, '{');
	json__u64(j, "bytes", p->bytes);
	json__open(j, "latency_ns", '{');
	put_series(j, "p50", &p->p50_ns);
	put_series(j, "p99", &p->p99_ns);
	json__u64(j, "round_trips", p->round_trips);
	json__close(j, '}');
	if (r->kind->class == DUCT_DATA)
		put_series(j, "bytes_per_s", &p->bytes_per_s);
	put_series(j, "messages_per_s", &p->messages_per_s);
	if (r->props.drops == ANSWER_YES)
		json__double(j, "lost", series__median(&p->lost));
	json__str(j, "error", p->error ? strerror(-p->error) : NULL);
	json__close(j, '}');
}

static void put_answer(struct json *j, const char *key, enum answer a)
{
	if (a == ANSWER_NONE)
		json__null(j, key);
	else
		json__bool(j, key, a == ANSWER_YES);
}

/* NULL where the question does not arise. */
static void put_amount(struct json *j, const char *key, uint64_t v)
{
	if (v)
		json__u64(j, key, v);
	else
		json__null(j, key);
}

static void put_properties(struct json *j, const struct properties *p)
{
	json__open(j, "properties", '{');
	put_answer(j, "connectionless", p->connectionless);
	json__str(j, "outsider_error", p->outsider_errno ? show__errno(p->outsider_errno) : NULL);
	put_answer(j, "reliable", p->reliable);
	json__u64(j, "sent", p->sent);
	json__u64(j, "arrived", p->arrived);
	json__u64(j, "damaged", p->damaged);
	json__open(j, "when_full", '{');
	put_answer(j, "waits", p->blocks);
	json__str(j, "error", p->full_errno ? show__errno(p->full_errno) : NULL);
	put_answer(j, "drops", p->drops);
	json__bool(j, "overwrites", p->overwrites);
	json__close(j, '}');
	json__str(j, "keeps", show__records(p));
	json__str(j, "rest_of_a_short_read", show__short_read(p));
	json__str(j, "priorities", show__priority(p));
	put_amount(j, "largest_bytes", p->largest);
	json__bool(j, "largest_is_more", p->largest_more);
	put_amount(j, "holds_messages", p->holds_messages);
	json__bool(j, "holds_more_messages", p->holds_more_messages);
	put_amount(j, "holds_bytes", p->holds_bytes);
	json__bool(j, "holds_more_bytes", p->holds_more_bytes);
	put_amount(j, "unit_bytes", p->unit_bytes);
	json__close(j, '}');
}

static void put_row(struct json *j, const struct row *r)
{
	json__open(j, NULL, '{');
	json__str(j, "mech", r->kind->name);
	json__str(j, "how", r->kind->how);
	json__str(j, "note", r->kind->note);
	json__str(j, "class", r->kind->class == DUCT_DATA ? "data" : "notice");
	json__str(j, "error", r->error ? strerror(-r->error) : NULL);
	json__open(j, "points", '[');
	for (size_t i = 0; i < r->cnt; i++)
		put_point(j, r, &r->points[i]);
	json__close(j, ']');
	if (r->error)
		json__null(j, "properties");
	else
		put_properties(j, &r->props);
	json__close(j, '}');
}

static void put_rules(struct json *j, const struct bench *b)
{
	struct buf evidence = { 0 };

	json__open(j, "rules", '[');
	for (size_t i = 0; i < rule__cnt(); i++) {
		enum verdict v;

		buf__reset(&evidence);
		v = rule__check(i, b, &evidence);
		json__open(j, NULL, '{');
		json__str(j, "rule", rule__sentence(i));
		if (v == VERDICT_HOLDS || v == VERDICT_FAILS)
			json__bool(j, "holds", v == VERDICT_HOLDS);
		else
			json__null(j, "holds");
		json__str(j, "verdict", verdict__words(v));
		json__strn(j, "evidence", buf__cstr(&evidence), evidence.len);
		json__close(j, '}');
	}
	json__close(j, ']');
	buf__free(&evidence);
}

static void put_conditions(struct json *j, const struct bench *b)
{
	json__str(j, "host", b->host);
	json__str(j, "kernel", b->kernel);
	json__str(j, "arch", b->machine);
	json__u64(j, "cpus", b->cpus);
	json__open(j, "limits", '{');
	put_amount(j, "msgmax", b->limits.msgmax);
	put_amount(j, "msgmnb", b->limits.msgmnb);
	put_amount(j, "mq_msgsize_max", b->limits.mq_msgsize_max);
	put_amount(j, "mq_msg_max", b->limits.mq_msg_max);
	json__close(j, '}');
	if (b->o.speed.pin) {
		json__open(j, "pin", '[');
		json__i64(j, NULL, b->o.speed.cpu[0]);
		json__i64(j, NULL, b->o.speed.cpu[1]);
		json__close(j, ']');
	} else {
		json__null(j, "pin");
	}
	json__u64(j, "rounds", b->rounds);
	json__u64(j, "rounds_asked", b->o.rounds);
	json__bool(j, "interrupted", b->stopped);
	json__u64(j, "time_ns", b->o.speed.time_ns);
	json__u64(j, "took_ns", b->took_ns);
	json__open(j, "sizes", '[');
	for (size_t i = 0; i < b->o.size_cnt; i++)
		json__u64(j, NULL, b->o.sizes[i]);
	json__close(j, ']');
}

void bench__put_json(struct buf *out, const struct bench *b)
{
	struct json j = { .out = out };

	json__open(&j, NULL, '{');
	json__str(&j, "tool", "ipctrace");
	json__u64(&j, "schema", 1);
	put_conditions(&j, b);
	json__open(&j, "mechanisms", '[');
	for (size_t i = 0; i < b->cnt; i++)
		put_row(&j, &b->rows[i]);
	json__close(&j, ']');
	put_rules(&j, b);
	json__close(&j, '}');
	buf__putc(out, '\n');
}
