/* SPDX-License-Identifier: GPL-2.0 */
/* The running kernel as an event source: all rings, their losses, and how far time is complete. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/time.h"

#include "kern/kern_impl.h"
#include "kern/probe.h"
#include "kern/skel.h"

#define LOST_CNT (2 * IPCT_MECH_CNT) /* entries of the kernel half's map */
#define LOST_CHECK_NS 100000000ull
#define POLL_MAX_MS 20 /* producers wake nobody unless a ring fills up: look by ourselves */
/* A host where nothing happens is looked at less often: what is lost then was at least tried, and that is soon seen. */
#define QUIET_NS 1000000000ull /* since the last event */
#define QUIET_POLL_MAX_MS 50
#define QUIET_LOST_CHECK_NS 1000000000ull

/*
 * What one poll takes out of a ring at most: it is copied to be put in order, and a burst that fills all rings would take
 * several times their size. The rest is as safe in its ring, and next.
 */
#define TAKEN_BYTES_MAX (1024 * 1024)

#define BUSY_CNT 1000 /* after so many events there are more already */

struct taker {
	event_fn fn;
	void *ctx;
};

/* The kernel half's time now: the same sum, so that the two compare exactly. */
static uint64_t now_of(const struct kern *k)
{
	return time__mono_ns() + k->boot_offset_ns;
}

void source__set_clock(struct kern *k)
{
	k->boot_offset_ns = time__mono_to_boot_ns();
	k->skel->bss->boot_offset_ns = k->boot_offset_ns;
}

/* Differences below are those of measuring. */
#define SLEPT_NS 1000000

static void follow_clock(struct kern *k)
{
	if (time__boot_ns() > now_of(k) + SLEPT_NS)
		source__set_clock(k);
}

static void take(void *ctx, const struct ipct_hdr *ev)
{
	struct taker *t = ctx;
	_Alignas(8) unsigned char whole[PROCFS_RECORD_BYTES];

	if (ev->kind == IPCT_KIND_TASK)
		ev = procfs__complete(ev, whole);
	t->fn(t->ctx, ev);
}

double kern__ring_peak(struct kern *k)
{
	double peak = k->ring_peak;

	k->ring_peak = 0;
	return peak;
}

bool kern__all_read(const struct kern *k)
{
	for (size_t i = 0; i < k->ring_cnt; i++)
		if (ring__used_bytes(&k->rings[i]))
			return false;
	for (size_t i = 0; i < k->lane.cpu_cnt; i++)
		if (lane__used(&k->lane, i) > 0)
			return false;
	return true;
}

static void note_peak(struct kern *k, double used)
{
	if (used > k->ring_peak)
		k->ring_peak = used;
}

static size_t drain(struct kern *k, struct taker *t, uint64_t *watermark_ns)
{
	uint64_t now_ns = now_of(k), one;
	const struct ring_taker completed = { now_ns, TAKEN_BYTES_MAX, take, t };
	const struct ring_taker as_it_is = { now_ns, TAKEN_BYTES_MAX, t->fn, t->ctx };
	size_t cnt = 0;

	k->busy = false;
	*watermark_ns = UINT64_MAX;
	for (size_t i = 0; i < k->ring_cnt; i++) {
		uint64_t used_bytes = ring__used_bytes(&k->rings[i]);
		double used = (double)used_bytes / (double)k->opts.ring_bytes;

		k->busy |= used_bytes > TAKEN_BYTES_MAX;
		note_peak(k, used);
		if (used > k->ring_worst)
			k->ring_worst = used;
		cnt += ring__drain(&k->rings[i], &completed, &one);
		if (one < *watermark_ns)
			*watermark_ns = one;
	}
	for (size_t i = 0; i < k->lane.cpu_cnt; i++) {
		note_peak(k, lane__used(&k->lane, i));
		cnt += lane__drain(&k->lane, i, &as_it_is, &one);
		if (one < *watermark_ns)
			*watermark_ns = one;
	}
	return cnt;
}

/* A part of what the scan took out of the rings; given out, it goes. */
#define STASHED_BYTES (256 * 1024)

struct stashed {
	struct stashed *next;
	size_t used_bytes;
	_Alignas(8) unsigned char records[STASHED_BYTES];
};

static size_t give_part_of_scan(struct taker *t, const struct stashed *s)
{
	size_t cnt = 0;

	for (size_t at = 0; at < s->used_bytes; cnt++) {
		const struct ipct_hdr *ev = (const void *)(s->records + at);

		at += (ev->size + 7u) & ~7u;
		take(t, ev);
	}
	return cnt;
}

static struct stashed *take_stashed(struct kern *k)
{
	struct stashed *s = k->stashed_first;

	k->stashed_first = s ? s->next : NULL;
	if (!k->stashed_first)
		k->stashed_last = NULL;
	return s;
}

static size_t give_stashed(struct kern *k, struct taker *t)
{
	struct stashed *s;
	size_t cnt = 0;

	while ((s = take_stashed(k))) {
		cnt += give_part_of_scan(t, s);
		free(s);
	}
	return cnt;
}

void source__drop_stashed(struct kern *k)
{
	struct stashed *s;

	while ((s = take_stashed(k)))
		free(s);
}

/* at: in the kernel half's map, where those that found a table full are behind those that found a ring full. */
static size_t report_lost_of(struct kern *k, struct taker *t, uint32_t at, const uint64_t *values)
{
	size_t cnt = 0;

	for (size_t cpu = 0; cpu < k->ring_cnt; cpu++) {
		uint64_t *seen = &k->lost_seen[at * k->ring_cnt + cpu];
		struct ipct_lost ev = {
			.h = { .ts_ns = k->lost_checked_ns,
			       .kind = IPCT_KIND_LOST,
			       .size = sizeof(ev),
			       .mech = at % IPCT_MECH_CNT,
			       .cpu = cpu },
			.count = values[cpu] - *seen,
			.why = at < IPCT_MECH_CNT ? IPCT_LOST_NO_ROOM : IPCT_LOST_TABLE_FULL,
		};

		*seen = values[cpu];
		if (!ev.count)
			continue;
		t->fn(t->ctx, &ev.h);
		cnt++;
	}
	return cnt;
}

static bool is_quiet(const struct kern *k, uint64_t now_ns)
{
	return now_ns - k->last_event_ns > QUIET_NS;
}

/* Ever since events are lost, or nearly: sums, where they were asked for. */
#define NEARLY_FULL 0.875

static size_t report_lost(struct kern *k, struct taker *t)
{
	uint64_t values[k->ring_cnt], now_ns = now_of(k);
	size_t cnt = 0, ring_cnt = 0;

	if (k->active &&
	    now_ns - k->lost_checked_ns < (is_quiet(k, now_ns) ? QUIET_LOST_CHECK_NS : LOST_CHECK_NS))
		return 0;
	k->lost_checked_ns = now_ns;
	follow_clock(k);
	for (uint32_t at = 0; at < LOST_CNT; at++) {
		if (!bpf_map_lookup_elem(bpf_map__fd(k->skel->maps.lost), &at, values))
			cnt += report_lost_of(k, t, at, values);
		if (at == IPCT_MECH_CNT - 1)
			ring_cnt = cnt;
	}
	if (ring_cnt || k->ring_worst > NEARLY_FULL)
		tally__relieve(k, now_ns);
	k->ring_worst = 0;
	return cnt + misses__report(k, t->fn,
				    t->ctx); /* which is not for want of room: sums would be skipped, too */
}

static int source_poll(struct event_source *s, int timeout_ms, event_fn fn, void *ctx, uint64_t *watermark_ns)
{
	struct kern *k = (struct kern *)((char *)s - offsetof(struct kern, source));
	struct taker t = { fn, ctx };
	struct epoll_event ready;
	int timeout_max_ms;
	size_t cnt;

	if (!k->busy && !k->stashed_first && timeout_ms) {
		timeout_max_ms = is_quiet(k, now_of(k)) ? QUIET_POLL_MAX_MS : POLL_MAX_MS;
		if (timeout_ms < 0 || timeout_ms > timeout_max_ms)
			timeout_ms = timeout_max_ms;
		if (epoll_wait(k->epoll_fd, &ready, 1, timeout_ms) < 0 && errno != EINTR)
			return -errno;
	}
	demand__serve(k);
	cnt = give_stashed(k, &t);
	cnt += drain(k, &t, watermark_ns);
	if (cnt)
		k->last_event_ns = now_of(k);
	cnt += report_lost(k, &t);
	cnt += tally__poll(k, now_of(k), fn, ctx);
	k->busy |= cnt > BUSY_CNT;
	return cnt;
}

static void stash(void *ctx, const struct ipct_hdr *ev)
{
	struct kern *k = ctx;
	struct stashed *s = k->stashed_last;
	_Alignas(8) unsigned char whole[PROCFS_RECORD_BYTES];
	size_t bytes;

	/* Here, during the scan, all rights are still held. */
	if (ev->kind == IPCT_KIND_TASK)
		ev = procfs__complete(ev, whole);
	bytes = (ev->size + 7u) & ~7u;
	if (!s || s->used_bytes + bytes > STASHED_BYTES) {
		s = xrealloc(NULL, sizeof(*s));
		s->next = NULL;
		s->used_bytes = 0;
		*(k->stashed_last ? &k->stashed_last->next : &k->stashed_first) = s;
		k->stashed_last = s;
	}
	memcpy(s->records + s->used_bytes, ev, ev->size);
	s->used_bytes += bytes;
}

void source__put(struct kern *k, const struct ipct_hdr *ev)
{
	stash(k, ev);
}

void source__stash(struct kern *k)
{
	const struct ring_taker all = { .now_ns = now_of(k), .bytes_max = UINT64_MAX, .fn = stash, .ctx = k };
	uint64_t watermark_ns;

	for (size_t i = 0; i < k->ring_cnt; i++)
		ring__drain(&k->rings[i], &all, &watermark_ns);
	for (size_t i = 0; i < k->lane.cpu_cnt; i++)
		if (lane__used(&k->lane, i) >
		    0.5) /* its records need nothing of the scan: they can wait there */
			lane__drain(&k->lane, i, &all, &watermark_ns);
}

void source__init(struct kern *k)
{
	k->source = (struct event_source){ .poll = source_poll };
}

static int open_lane(struct kern *k, struct buf *err)
{
	uint32_t slots = k->skel->rodata->cfg.lane_slots;
	int rc;

	if (!slots)
		return 0;
	rc = lane__open(&k->lane, bpf_map__fd(k->skel->maps.lane_heads),
			bpf_map__fd(k->skel->maps.lane_slots), k->ring_cnt, slots);
	if (rc)
		buf__printf(err, "cannot map the rings of pipes: %s", strerror(-rc));
	return rc;
}

int source__open_rings(struct kern *k, struct buf *err)
{
	int outer = bpf_map__fd(k->skel->maps.rings);
	char why[256];

	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	k->rings = xalloc(k->ring_cnt * sizeof(*k->rings));
	k->lost_seen = xalloc(k->ring_cnt * LOST_CNT * sizeof(*k->lost_seen));
	for (size_t i = 0; i < k->ring_cnt; i++)
		k->rings[i].map_fd = -1;
	for (uint32_t i = 0; i < k->ring_cnt; i++) {
		struct epoll_event want = { .events = EPOLLIN, .data.u32 = i };
		int rc = ring__open(&k->rings[i], k->opts.ring_bytes);

		if (!rc && bpf_map_update_elem(outer, &i, &k->rings[i].map_fd, 0))
			rc = -errno;
		if (!rc && epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, k->rings[i].map_fd, &want))
			rc = -errno;
		if (rc && probe__blames_memlock(rc, why, sizeof(why))) {
			buf__puts(err, why);
			return rc;
		}
		if (rc) {
			buf__printf(err,
				    "cannot make a ring of %llu bytes for each of %zu CPUs: %s; try a "
				    "smaller --ring-size",
				    (unsigned long long)k->opts.ring_bytes, k->ring_cnt, strerror(-rc));
			return rc;
		}
	}
	return open_lane(k, err);
}

void source__close_rings(struct kern *k)
{
	for (size_t i = 0; k->rings && i < k->ring_cnt; i++)
		ring__close(&k->rings[i]);
	lane__close(&k->lane);
	free(k->rings);
	free(k->lost_seen);
	if (k->epoll_fd >= 0)
		close(k->epoll_fd);
	k->rings = NULL;
	k->lost_seen = NULL;
	k->epoll_fd = -1;
}
