/* SPDX-License-Identifier: GPL-2.0 */
/* Experiments: who may send, what a message looks like to the receiver, whether some come before others. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/probe_impl.h"

#define SETTLE_NS (5 * NS_PER_MS)

/* A stranger has no descriptor and no memory of the duct: what it does have are names. */
static int be_an_outsider(void *arg)
{
	struct probe *p = arg;
	const struct duct_kind *kind = p->d.kind;
	ssize_t rc;

	if (syscall(SYS_close_range, 3, ~0u, 0))
		return 1;
	p->buf[0] = 0x77;
	if (kind->outsider)
		rc = kind->outsider(&p->d, p->buf, p->props->unit_bytes);
	else
		rc = kind->send(&p->d, SIDE_A, p->buf, p->props->unit_bytes);
	atomic_store(p->rc, (int)rc);
	atomic_store(p->stage, 2);
	return 0;
}

static bool arrived(struct probe *p)
{
	if (p->d.kind->peek)
		return p->d.kind->peek(&p->d) == 1;
	return probe__drain(p).messages > 0;
}

void probe__outsider(struct probe *p)
{
	pid_t pid = stage__fork(be_an_outsider, p);
	int rc;

	if (pid < 0 || stage__await(pid, 10 * NS_PER_S) || atomic_load(p->stage) != 2)
		return;
	rc = atomic_load(p->rc);
	p->props->outsider_errno = rc < 0 ? -rc : 0;
	p->props->connectionless = rc > 0 && arrived(p) ? ANSWER_YES : ANSWER_NO;
}

/* Three messages of different sizes: what does the receiver get? */
static void data_records(struct probe *p)
{
	static const ssize_t sizes[3] = { 3, 5, 7 };
	bool kept = true;

	for (int i = 0; i < 3; i++)
		if (p->d.kind->send(&p->d, SIDE_A, p->buf, (size_t)sizes[i]) != sizes[i])
			return;
	stage__sleep_ns(SETTLE_NS); /* so that parts which are one for the mechanism can become one */
	for (int i = 0; i < 3 && kept; i++)
		kept = p->d.kind->recv(&p->d, SIDE_B, p->buf, PROBE_BUF) == sizes[i];
	p->props->records = kept ? RECORDS_KEPT : RECORDS_BYTES;
}

static void notice_records(struct probe *p)
{
	size_t n = p->props->unit_bytes;
	int receipts = 0, intact = 0;
	ssize_t units = 0, rc;

	for (int i = 0; i < 3; i++) {
		memset(p->buf, 'a' + i, n);
		if (p->d.kind->send(&p->d, SIDE_A, p->buf, n) < 0)
			return;
	}
	for (; receipts < 4; receipts++) {
		memset(p->buf, 0, sizeof(uint64_t));
		rc = p->d.kind->recv(&p->d, SIDE_B, p->buf, PROBE_BUF);
		if (rc <= 0)
			break;
		units += rc;
		intact += n && p->buf[0] == 'a' + receipts && p->buf[n - 1] == 'a' + receipts;
	}
	if (receipts == 1 && units == 3)
		p->props->records = RECORDS_SUM;
	else if (receipts == 3)
		p->props->records = intact == 3 ? RECORDS_KEPT : RECORDS_UNITS;
}

void probe__records(struct probe *p)
{
	if (p->d.kind->class == DUCT_DATA)
		data_records(p);
	else
		notice_records(p);
}

/* Eight bytes, a buffer for four, then another message that begins differently. */
void probe__short_read(struct probe *p)
{
	static const char first[] = "12345678", second[] = "abcde";
	ssize_t rc;

	memcpy(p->buf, first, 8);
	if (p->d.kind->send(&p->d, SIDE_A, p->buf, 8) != 8)
		return;
	memcpy(p->buf, second, 5);
	if (p->d.kind->send(&p->d, SIDE_A, p->buf, 5) != 5)
		return;
	stage__sleep_ns(SETTLE_NS);
	rc = p->d.kind->recv(&p->d, SIDE_B, p->buf, 4);
	if (rc < 0) {
		p->props->short_read = SHORT_REFUSED;
		p->props->short_errno = (int)-rc;
		return;
	}
	rc = p->d.kind->recv(&p->d, SIDE_B, p->buf, PROBE_BUF);
	if (rc > 0)
		p->props->short_read = p->buf[0] == '5' ? SHORT_STAYS : SHORT_LOST;
}

void probe__priority(struct probe *p)
{
	int rc;

	if (p->d.kind->priority) {
		rc = p->d.kind->priority(&p->d, p->buf, PROBE_BUF);
		p->props->priority = rc < 0 ? -1 : rc;
		return;
	}
	/* Nothing in its calls could say that one comes before another. */
	p->props->priority = PRIORITY_NONE;
}

void probe__unqueued(struct probe *p)
{
	int rc;

	if (!p->d.kind->unqueued)
		return;
	rc = p->d.kind->unqueued(&p->d, 3);
	if (rc < 0)
		return;
	p->props->unqueued_sent = 3;
	p->props->unqueued_arrived = rc;
}
