/* SPDX-License-Identifier: GPL-2.0 */
/* Experiments: how much it holds, what happens when it is full, whether all arrives at a receiver that is late. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>

#include "base/time.h"
#include "bench/probe_impl.h"

#define POUR_MESSAGES 70000u
#define ENOUGH_MESSAGES 10000u /* of those that will not fill it */
#define POUR_BYTES (32u << 20)
#define POUR_NS (10 * NS_PER_S) /* bounds for what hangs: a busy machine is only slow */
#define WAIT_NS (10 * NS_PER_S)
#define SETTLE_TRIES 3 /* pseudoterminals and TCP move data in the background */

static bool in_time(uint64_t until)
{
	return time__mono_ns() < until;
}

struct filled probe__pour(struct probe *p, size_t n)
{
	bool endless = n == 1 && (p->props->drops == ANSWER_YES || p->props->holds_bytes > 1u << 20);
	uint32_t most = endless ? ENOUGH_MESSAGES : POUR_MESSAGES;
	struct filled f = { 0 };
	uint64_t until = time__mono_ns() + POUR_NS;
	int refused = 0;

	while (f.messages < most && f.bytes < POUR_BYTES && in_time(until)) {
		ssize_t rc = p->d.kind->send(&p->d, SIDE_A, p->buf, n);

		if (rc > 0) {
			f.messages++;
			f.bytes += (uint64_t)rc;
			refused = 0;
			continue;
		}
		f.rc = rc < 0 ? (int)rc : -EAGAIN;
		if (f.rc != -EAGAIN || ++refused > SETTLE_TRIES)
			return f;
		stage__sleep_ns(NS_PER_MS);
	}
	f.rc = 0;
	return f;
}

bool probe__readable(struct probe *p)
{
	struct pollfd pfd = { .fd = p->d.fd[SIDE_B][0], .events = POLLIN };

	return pfd.fd < 0 || poll(&pfd, 1, 0) > 0;
}

struct filled probe__drain(struct probe *p)
{
	struct filled f = { 0 };

	for (int nothing = 0; nothing < SETTLE_TRIES;) {
		ssize_t rc = probe__readable(p) ? p->d.kind->recv(&p->d, SIDE_B, p->buf, PROBE_BUF) : -EAGAIN;

		if (rc > 0) {
			f.messages++;
			f.bytes += (uint64_t)rc;
			nothing = 0;
			continue;
		}
		nothing++;
		stage__sleep_ns(NS_PER_MS);
	}
	return f;
}

/* It never said that it is full: either it is not, or it throws away. Returns how much it really holds. */
static uint64_t look_inside(struct probe *p, struct filled f, bool count_messages, bool *more)
{
	struct filled got = probe__drain(p);
	bool data = p->d.kind->class == DUCT_DATA;

	*more = !data || got.bytes >= f.bytes;
	if (*more)
		return count_messages ? f.messages : f.bytes;
	p->props->drops = ANSWER_YES;
	return count_messages ? got.messages : got.bytes;
}

void probe__fill_small(struct probe *p)
{
	struct properties *props = p->props;
	uint64_t before = 0;
	struct filled f;

	if (p->d.kind->flags & DUCT_LOCK) { /* side A has it: does side B get it, too? */
		f.rc = (int)p->d.kind->recv(&p->d, SIDE_B, p->buf, PROBE_BUF);
		props->full_errno = f.rc < 0 ? -f.rc : 0;
		props->holds_messages = f.rc < 0;
		return;
	}
	if (p->d.kind->nearly_fill)
		before = p->d.kind->nearly_fill(&p->d);
	f = probe__pour(p, p->d.kind->class == DUCT_DATA ? 1 : props->unit_bytes);
	if (f.rc)
		props->full_errno = -f.rc;
	props->holds_messages = before + f.messages;
	if (!f.rc)
		props->holds_messages = look_inside(p, f, true, &props->holds_more_messages);
}

void probe__fill(struct probe *p)
{
	struct properties *props = p->props;
	struct filled f = probe__pour(p, props->unit_bytes);

	props->full_errno = -f.rc;
	props->holds_bytes = f.bytes;
	if (!f.rc)
		props->holds_bytes = look_inside(p, f, false, &props->holds_more_bytes);
	if (props->drops == ANSWER_NONE)
		props->drops = ANSWER_NO;
}

bool probe__partner_sleeps(struct probe *p, pid_t partner, uint64_t patience_ns)
{
	uint64_t until = time__mono_ns() + patience_ns;
	int seen = 0;

	while (atomic_load(p->stage) < 2 && in_time(until)) {
		/* thrice: it may have slept for another reason, such as a page fault */
		seen = atomic_load(p->stage) == 1 && stage__asleep(partner) ? seen + 1 : 0;
		if (seen == 3)
			return true;
		stage__sleep_ns(NS_PER_MS);
	}
	return false;
}

static int send_one_more(void *arg)
{
	struct probe *p = arg;
	bool lock = p->d.kind->flags & DUCT_LOCK;
	ssize_t rc;

	duct__set_nonblock(&p->d, false);
	atomic_store(p->stage, 1);
	rc = lock ? p->d.kind->recv(&p->d, SIDE_B, p->buf, PROBE_BUF)
		  : p->d.kind->send(&p->d, SIDE_A, p->buf, p->props->unit_bytes);
	atomic_store(p->rc, rc < 0 ? (int)rc : 0);
	atomic_store(p->stage, 2);
	return 0;
}

/* Makes room until the sender has got through. */
static bool goes_on(struct probe *p)
{
	uint64_t until = time__mono_ns() + WAIT_NS;

	if (p->d.kind->flags & DUCT_LOCK)
		p->d.kind->send(&p->d, SIDE_A, p->buf, 1);
	while (atomic_load(p->stage) < 2 && in_time(until)) {
		if (!(p->d.kind->flags & DUCT_LOCK) && probe__readable(p))
			p->d.kind->recv(&p->d, SIDE_B, p->buf, PROBE_BUF);
		sched_yield();
	}
	return atomic_load(p->stage) == 2 && atomic_load(p->rc) == 0;
}

void probe__block(struct probe *p)
{
	bool sleeps;
	pid_t pid;

	if (p->d.kind->nearly_fill)
		p->d.kind->nearly_fill(&p->d);
	if (!(p->d.kind->flags & DUCT_LOCK))
		probe__pour(p, p->props->unit_bytes);
	pid = stage__fork(send_one_more, p);
	if (pid < 0)
		return;
	sleeps = probe__partner_sleeps(p, pid, WAIT_NS);
	if (sleeps || atomic_load(p->stage) == 2)
		p->props->blocks = sleeps && goes_on(p) ? ANSWER_YES : ANSWER_NO;
	stage__end(pid);
}
