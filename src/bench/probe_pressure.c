/* SPDX-License-Identifier: GPL-2.0 */
/* Experiment: twice what it holds, sent as fast as it goes to a receiver that begins late. Does all arrive, in order? */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/time.h"
#include "bench/probe_impl.h"

#define MESSAGE_BYTES 1024u
#define MOST_BYTES (8u << 20)
#define NOTICES 5000u
#define POKES 1000u
#define LATE_NS (100 * NS_PER_MS) /* at most; a sender that is not made to wait is not waited for */
#define PATIENCE_NS (10 * NS_PER_S) /* a busy machine is not an unreliable mechanism */
#define SILENCE_MS 50 /* after the sender's end; what a delayed softirq still delivers comes within it */

/* Message nr begins with its number; each byte behind it depends on number and place. */
static void fill(unsigned char *buf, size_t n, uint32_t nr)
{
	for (size_t i = 0; i < n; i++)
		buf[i] = (unsigned char)(nr * 31 + i * 7);
	memcpy(buf, &nr, n < sizeof(nr) ? n : sizeof(nr));
}

static bool is_intact(const unsigned char *buf, size_t n, uint32_t nr)
{
	unsigned char want[MESSAGE_BYTES];

	fill(want, n, nr);
	return memcmp(buf, want, n) == 0;
}

static size_t message_bytes(const struct probe *p)
{
	return p->props->unit_bytes < MESSAGE_BYTES ? p->props->unit_bytes : MESSAGE_BYTES;
}

static uint32_t message_cnt(const struct probe *p)
{
	uint64_t bytes = 2 * p->props->holds_bytes + 65536;

	if (p->d.kind->class == DUCT_NOTICE)
		return NOTICES;
	return (uint32_t)((bytes < MOST_BYTES ? bytes : MOST_BYTES) / message_bytes(p));
}

static int send_one(struct probe *p, size_t n)
{
	ssize_t rc;

	if (p->d.kind->class == DUCT_DATA)
		return duct__send_all(&p->d, SIDE_A, p->buf, n);
	rc = p->d.kind->send(&p->d, SIDE_A, p->buf, n);
	return rc < 0 ? (int)rc : 0;
}

static int send_all(void *arg)
{
	struct probe *p = arg;
	size_t n = message_bytes(p);
	uint32_t cnt = message_cnt(p);
	int rc = 0;

	duct__set_nonblock(&p->d, false);
	atomic_store(p->stage, 1);
	for (uint32_t nr = 0; nr < cnt && (!rc || rc == -EINTR); nr++) {
		fill(p->buf, n, nr);
		/* refused is not lost: it can be sent again */
		while ((rc = send_one(p, n)) == -EAGAIN || rc == -ERANGE || rc == -EOVERFLOW)
			sched_yield();
		if (!rc)
			p->props->sent++;
	}
	atomic_store(p->stage, 2);
	return 0;
}

/* One message of n bytes, together as it was sent; 0: nothing came for a while after the sender had ended. */
static size_t gather(struct probe *p, size_t n, uint64_t until)
{
	size_t done = 0;
	int nothing = 0;

	while (done < n && time__mono_ns() < until) {
		ssize_t rc = probe__readable(p) ? p->d.kind->recv(&p->d, SIDE_B, p->buf + done, PROBE_BUF / 2)
						: -EAGAIN;

		if (rc > 0 && p->d.kind->class == DUCT_NOTICE)
			return (size_t)rc;
		if (rc > 0) {
			done += (size_t)rc;
			nothing = 0;
		} else if (atomic_load(p->stage) == 2) {
			if (++nothing > SILENCE_MS)
				break;
			stage__sleep_ns(NS_PER_MS);
		} else {
			sched_yield();
		}
	}
	return done;
}

/* Streams may give more than one message at once: what lies behind it is the beginning of the next. */
static size_t gather_exactly(struct probe *p, size_t n, size_t have, uint64_t until)
{
	unsigned char *buf = p->buf;
	size_t got;

	if (have >= n)
		return have;
	p->buf = buf + have;
	got = gather(p, n - have, until);
	p->buf = buf;
	return have + got;
}

static void take_data(struct probe *p, uint64_t until)
{
	size_t n = message_bytes(p), have = 0;
	uint32_t want = 0;

	while (p->props->arrived < message_cnt(p)) {
		uint32_t nr;

		have = gather_exactly(p, n, have, until);
		if (have < n)
			break;
		memcpy(&nr, p->buf, sizeof(nr));
		if (!is_intact(p->buf, n, nr) || nr < want)
			p->props->damaged++;
		want = nr + 1;
		p->props->arrived++;
		have -= n;
		memmove(p->buf, p->buf + n, have);
	}
}

static void take_units(struct probe *p, uint64_t until)
{
	while (p->props->arrived < NOTICES) {
		size_t units = gather(p, 1, until);

		if (!units)
			break;
		p->props->arrived += units;
	}
}

static int poke_all(void *arg)
{
	struct probe *p = arg;

	for (uint64_t i = 1; i <= POKES && p->d.kind->poke(&p->d, i) == 0; i++)
		p->props->sent++;
	return 0;
}

/* Memory: whoever looks late sees the last value only, and the writer was never made to wait. */
static void overwrite(struct probe *p)
{
	pid_t pid = stage__fork(poke_all, p);

	if (pid < 0 || stage__await(pid, PATIENCE_NS) != 0 || p->props->sent < POKES) {
		stage__end(pid);
		return;
	}
	p->props->arrived = p->d.kind->peek(&p->d) == POKES ? 1 : 0;
	p->props->reliable = ANSWER_NO;
	p->props->overwrites = p->props->arrived == 1;
	p->props->blocks = ANSWER_NO;
}

void probe__pressure(struct probe *p)
{
	uint64_t until;
	pid_t pid;

	if (p->d.kind->flags & DUCT_MEMORY) {
		overwrite(p);
		return;
	}
	if (p->d.kind->class == DUCT_DATA && message_bytes(p) < sizeof(uint32_t))
		return;
	pid = stage__fork(send_all, p);
	if (pid < 0)
		return;
	probe__partner_sleeps(p, pid, LATE_NS);
	until = time__mono_ns() + PATIENCE_NS;
	if (p->d.kind->class == DUCT_DATA)
		take_data(p, until);
	else
		take_units(p, until);
	/* the last message is here before its sender has said that it ended */
	if (stage__await(pid, PATIENCE_NS) != 0) {
		stage__end(pid);
		return;
	}
	if (p->props->sent)
		p->props->reliable =
			p->props->arrived == p->props->sent && !p->props->damaged ? ANSWER_YES : ANSWER_NO;
}
