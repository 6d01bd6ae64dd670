/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/types.h>

#include "base/log.h"
#include "event/wire.h"
#include "ipctrace/lane.h"

#define SLOTS_MIN 32
#define GIVE_BACK_EVERY 64 /* slots: the writer reads on another CPU what is written here */

bool lane__is_possible(void)
{
#if defined(__x86_64__)
	return true;
#else
	return false;
#endif
}

uint32_t lane__slots(uint64_t ring_bytes)
{
	uint64_t cnt = ring_bytes / 2 / sizeof(struct ipct_lane_slot);

	return cnt < SLOTS_MIN ? SLOTS_MIN : (uint32_t)cnt;
}

static size_t heads_bytes(const struct lane *l)
{
	return l->cpu_cnt * sizeof(struct ipct_lane_head);
}

static size_t slots_bytes(const struct lane *l)
{
	return l->cpu_cnt * l->slot_cnt * sizeof(struct ipct_lane_slot);
}

static void *map_of(int fd, size_t bytes, int prot)
{
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

int lane__open(struct lane *l, int heads_fd, int slots_fd, size_t cpu_cnt, uint32_t slot_cnt)
{
	int err = 0;

	*l = (struct lane){ .cpu_cnt = cpu_cnt, .slot_cnt = slot_cnt };
	l->last_ns = xalloc(cpu_cnt * sizeof(*l->last_ns));
	l->heads = map_of(heads_fd, heads_bytes(l), PROT_READ | PROT_WRITE);
	if (!l->heads)
		goto fail;
	l->slots = map_of(slots_fd, slots_bytes(l), PROT_READ);
	if (l->slots)
		return 0;
fail:
	err = -errno;
	lane__close(l);
	return err;
}

/* The record that the other ring would have. */
static void widen(const struct ipct_lane_slot *slot, size_t cpu, struct ipct_pipe_io *io)
{
	*io = (struct ipct_pipe_io){
		.h = { .ts_ns = slot->ts_ns,
		       .kind = IPCT_KIND_PIPE_IO,
		       .size = sizeof(*io),
		       .mech = slot->flags & IPCT_LANE_FIFO ? IPCT_MECH_FIFO : IPCT_MECH_PIPE,
		       .op = slot->flags & IPCT_LANE_WRITE ? IPCT_OP_SEND : IPCT_OP_RECV,
		       .cpu = (uint16_t)cpu,
		       .pid = slot->pid,
		       .tid = slot->tid },
		.enter_ns = slot->ts_ns - slot->took_ns,
		.key = slot->key,
		.s_addr = slot->s_addr,
		.e_addr = slot->e_addr,
		.ret = slot->ret,
		.dev = slot->dev,
		.flags = slot->flags & ~(uint32_t)(IPCT_LANE_FIFO | IPCT_LANE_WRITE),
		.fd = slot->fd,
	};
}

/* A record in two slots, with the time of its end where none was taken at its entry. */
static void join(const struct ipct_lane_slot *first, const struct ipct_lane_slot *second,
		 struct ipct_sock_io *io)
{
	memcpy(io, first->words, sizeof(first->words));
	memcpy((char *)io + sizeof(first->words), second->words, sizeof(*io) - sizeof(first->words));
	if (!io->enter_ns && !(io->flags & IPCT_IO_NOENTRY))
		io->enter_ns = io->h.ts_ns;
}

static struct ipct_lane_head *head_of(const struct lane *l, size_t cpu)
{
	return (struct ipct_lane_head *)l->heads + cpu;
}

static const struct ipct_lane_slot *slot_at(const struct lane *l, size_t cpu, uint64_t pos)
{
	return (const struct ipct_lane_slot *)l->slots + cpu * (size_t)l->slot_cnt +
	       (pos & (l->slot_cnt - 1));
}

/* How many slots what begins at a position has; 0: it is not complete yet. */
static uint64_t slots_at(const struct lane *l, size_t cpu, uint64_t pos)
{
	uint64_t seq = __atomic_load_n(&slot_at(l, cpu, pos)->seq, __ATOMIC_ACQUIRE);

	if ((seq & ~IPCT_LANE_WIDE) != pos + 1)
		return 0;
	return seq & IPCT_LANE_WIDE ? 2 : 1;
}

static void take(struct lane *l, size_t cpu, uint64_t pos, uint64_t cnt, const struct ring_taker *t)
{
	const struct ipct_lane_slot *slot = slot_at(l, cpu, pos);
	union {
		struct ipct_hdr h;
		struct ipct_pipe_io pipe;
		struct ipct_sock_io sock;
	} record;

	if (cnt == 2)
		join(slot, slot_at(l, cpu, pos + 1), &record.sock);
	else
		widen(slot, cpu, &record.pipe);
	l->last_ns[cpu] = record.h.ts_ns;
	t->fn(t->ctx, &record.h);
}

/* The time of the complete one at a position. None behind it is earlier: nobody reserves while another is not complete. */
static uint64_t ts_at(const struct lane *l, size_t cpu, uint64_t pos, uint64_t cnt)
{
	const struct ipct_lane_slot *slot = slot_at(l, cpu, pos);

	return cnt == 2 ? ((const struct ipct_hdr *)slot->words)->ts_ns : slot->ts_ns;
}

size_t lane__drain(struct lane *l, size_t cpu, const struct ring_taker *t, uint64_t *watermark_ns)
{
	struct ipct_lane_head *head = head_of(l, cpu);
	uint64_t end = __atomic_load_n(&head->reserved, __ATOMIC_ACQUIRE), pos = head->released, cnt;
	uint64_t given_back = pos, begin = pos;
	size_t taken_cnt = 0;

	*watermark_ns = t->now_ns;
	for (; pos < end; pos += cnt) {
		cnt = slots_at(l, cpu, pos);
		if (!cnt) {
			*watermark_ns = l->last_ns[cpu];
			break;
		}
		if ((pos - begin) * sizeof(struct ipct_lane_slot) >= t->bytes_max) {
			*watermark_ns = ts_at(l, cpu, pos, cnt);
			break;
		}
		take(l, cpu, pos, cnt, t);
		taken_cnt++;
		if (pos - given_back >= GIVE_BACK_EVERY) {
			__atomic_store_n(&head->released, pos, __ATOMIC_RELEASE);
			given_back = pos;
		}
	}
	__atomic_store_n(&head->released, pos, __ATOMIC_RELEASE);
	return taken_cnt;
}

double lane__used(const struct lane *l, size_t cpu)
{
	const struct ipct_lane_head *head = head_of(l, cpu);

	return (double)(__atomic_load_n(&head->reserved, __ATOMIC_ACQUIRE) - head->released) / l->slot_cnt;
}

void lane__close(struct lane *l)
{
	if (l->heads)
		munmap(l->heads, heads_bytes(l));
	if (l->slots)
		munmap(l->slots, slots_bytes(l));
	free(l->last_ns);
	*l = (struct lane){ 0 };
}
