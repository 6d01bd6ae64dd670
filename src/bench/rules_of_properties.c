/* SPDX-License-Identifier: GPL-2.0 */
#include <inttypes.h>
#include <string.h>

#include "bench/rules_impl.h"

static enum verdict verdict(bool holds)
{
	return holds ? VERDICT_HOLDS : VERDICT_FAILS;
}

static enum verdict loses(const struct bench *b, const char *mech, struct buf *evidence)
{
	const struct row *r = bench__row(b, mech);
	const struct properties *p;

	if (!r || r->props.reliable == ANSWER_NONE || r->props.blocks == ANSWER_NONE)
		return VERDICT_NONE;
	p = &r->props;
	buf__printf(evidence, "%" PRIu64 " of %" PRIu64 " arrived; the sender %s", p->arrived, p->sent,
		    p->blocks == ANSWER_YES ? "waits"
		    : p->full_errno	    ? "is refused"
					    : "is not told");
	return verdict(p->reliable == ANSWER_NO && p->blocks == ANSWER_NO);
}

enum verdict rule__udp_loses(const struct bench *b, struct buf *evidence)
{
	return loses(b, "udp", evidence);
}

enum verdict rule__unix_dgram_loses(const struct bench *b, struct buf *evidence)
{
	return loses(b, "unix-dgram", evidence);
}

enum verdict rule__memory_overwrites(const struct bench *b, struct buf *evidence)
{
	static const char *const memory[] = { "sysv-shm", "posix-shm" };
	enum verdict v = VERDICT_NONE;

	for (size_t i = 0; i < 2; i++) {
		const struct row *r = bench__row(b, memory[i]);

		if (!r || r->props.reliable == ANSWER_NONE)
			continue;
		buf__printf(evidence, "%s%s: %" PRIu64 " written, %" PRIu64 " seen",
			    evidence->len ? ", " : "", memory[i], r->props.sent, r->props.arrived);
		v = v == VERDICT_FAILS ? v : verdict(r->props.overwrites);
	}
	return v;
}

static enum verdict limited(const struct row *r, const char *what, uint64_t found, const char *name,
			    uint64_t limit, struct buf *evidence)
{
	buf__printf(evidence, "%s%s: %s %" PRIu64 " (%s %" PRIu64 ")", evidence->len ? ", " : "",
		    r->kind->name, what, found, name, limit);
	return limit ? verdict(found <= limit) : VERDICT_NONE;
}

enum verdict rule__queues_limited(const struct bench *b, struct buf *evidence)
{
	const struct row *sysv = bench__row(b, "sysv-msg"), *mq = bench__row(b, "posix-mq");
	enum verdict v[4] = { 0 };
	bool any = false, fails = false;

	if (sysv) {
		v[0] = limited(sysv, "largest message", sysv->props.largest, "msgmax", b->limits.msgmax,
			       evidence);
		v[1] = limited(sysv, "bytes held", sysv->props.holds_bytes, "msgmnb", b->limits.msgmnb,
			       evidence);
	}
	if (mq) {
		v[2] = limited(mq, "largest message", mq->props.largest, "msgsize_max",
			       b->limits.mq_msgsize_max, evidence);
		v[3] = limited(mq, "messages held", mq->props.holds_messages, "msg_max", b->limits.mq_msg_max,
			       evidence);
	}
	for (size_t i = 0; i < 4; i++) {
		any |= v[i] != VERDICT_NONE;
		fails |= v[i] == VERDICT_FAILS;
	}
	return any ? verdict(!fails) : VERDICT_NONE;
}

enum verdict rule__queues_are_opened(const struct bench *b, struct buf *evidence)
{
	static const char *const queues[] = { "sysv-msg", "posix-mq" };
	enum verdict v = VERDICT_NONE;

	for (size_t i = 0; i < 2; i++) {
		const struct row *r = bench__row(b, queues[i]);

		if (!r || r->props.connectionless == ANSWER_NONE)
			continue;
		buf__printf(evidence, "%s%s: %s", evidence->len ? "; " : "", queues[i],
			    r->props.connectionless == ANSWER_YES
				    ? "a process sent that had opened nothing and knew only the number"
				    : strerror(r->props.outsider_errno));
		v = v == VERDICT_FAILS ? v : verdict(r->props.connectionless == ANSWER_NO);
	}
	return v;
}

enum verdict rule__only_mq_priorities(const struct bench *b, struct buf *evidence)
{
	static const char *const how[] = {
		[PRIORITY_SENDER] = "the sender gives one",
		[PRIORITY_RECEIVER] = "the receiver asks for the lowest type",
		[PRIORITY_NUMBER] = "the lower number comes first",
		[PRIORITY_URGENT] = "one urgent byte",
	};
	const struct row *mq = bench__row(b, "posix-mq");
	bool others = false;

	if (!mq || b->cnt < 2)
		return VERDICT_NONE;
	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];

		if (r->error || r->props.priority <= PRIORITY_NONE)
			continue;
		buf__printf(evidence, "%s%s: %s", evidence->len ? ", " : "", r->kind->name,
			    how[r->props.priority]);
		others |= r != mq;
	}
	return verdict(!others && mq->props.priority == PRIORITY_SENDER);
}

enum verdict rule__boundaries(const struct bench *b, struct buf *evidence)
{
	static const char *const streams[] = { "pipe", "fifo", "unix-stream", "tcp" };
	bool holds = true, bytes = false, kept = false;

	for (size_t i = 0; i < b->cnt; i++) {
		const struct row *r = &b->rows[i];
		bool is_stream = false;

		if (r->error || r->kind->class != DUCT_DATA || r->props.records == RECORDS_NONE ||
		    strcmp(r->kind->name, "pty") == 0)
			continue;
		for (size_t k = 0; k < sizeof(streams) / sizeof(streams[0]); k++)
			is_stream |= strcmp(r->kind->name, streams[k]) == 0;
		*(is_stream ? &bytes : &kept) = true;
		holds &= r->props.records == (is_stream ? RECORDS_BYTES : RECORDS_KEPT);
		buf__printf(evidence, "%s%s %s", evidence->len ? ", " : "", r->kind->name,
			    r->props.records == RECORDS_KEPT ? "3+5+7" : "15");
	}
	return bytes && kept ? verdict(holds) : VERDICT_NONE;
}

enum verdict rule__pipe_holds_64k(const struct bench *b, struct buf *evidence)
{
	const struct row *r = bench__row(b, "pipe");

	if (!r || !r->props.holds_bytes)
		return VERDICT_NONE;
	buf__printf(evidence, "%" PRIu64 " bytes until the writer had to wait", r->props.holds_bytes);
	return verdict(r->props.holds_bytes == 65536 && !r->props.holds_more_bytes);
}

enum verdict rule__signals_merge(const struct bench *b, struct buf *evidence)
{
	const struct row *r = bench__row(b, "signal");

	if (!r || !r->props.unqueued_sent)
		return VERDICT_NONE;
	buf__printf(evidence, "SIGUSR1: %d of %d arrived; real-time: %" PRIu64 " of %" PRIu64,
		    r->props.unqueued_arrived, r->props.unqueued_sent, r->props.arrived, r->props.sent);
	return verdict(r->props.unqueued_arrived == 1 && r->props.records == RECORDS_KEPT);
}
