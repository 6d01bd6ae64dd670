/* SPDX-License-Identifier: GPL-2.0 */
/* The lane's rings, with files in memory in place of the maps and this program as the kernel half. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kern/lane.h"
#include "suite.h"

#include "ipctrace/lane.h"

#define CPUS 2
#define SLOTS 64
#define NOW_NS 1000000

struct rig {
	struct lane lane;
	int heads_fd, slots_fd;
	struct ipct_lane_head *heads;
	struct ipct_lane_slot *slots;
	struct ipct_pipe_io last;
	struct ipct_sock_io last_sock;
	size_t seen_cnt;
	uint64_t watermark_ns;
};

static void *file_of(int *fd, size_t bytes)
{
	*fd = memfd_create("lane", MFD_CLOEXEC);
	ck_assert_int_ge(*fd, 0);
	ck_assert_int_eq(ftruncate(*fd, (off_t)bytes), 0);
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
}

static struct rig rig_of(void)
{
	struct rig r = { 0 };

	r.heads = file_of(&r.heads_fd, CPUS * sizeof(*r.heads));
	r.slots = file_of(&r.slots_fd, CPUS * SLOTS * sizeof(*r.slots));
	ck_assert(r.heads != MAP_FAILED && r.slots != MAP_FAILED);
	ck_assert_int_eq(lane__open(&r.lane, r.heads_fd, r.slots_fd, CPUS, SLOTS), 0);
	return r;
}

static void rig__end(struct rig *r)
{
	lane__close(&r->lane);
	munmap(r->heads, CPUS * sizeof(*r->heads));
	munmap(r->slots, CPUS * SLOTS * sizeof(*r->slots));
	close(r->heads_fd);
	close(r->slots_fd);
}

static struct ipct_lane_slot *reserve(struct rig *r, size_t cpu)
{
	uint64_t seq = r->heads[cpu].reserved++;
	struct ipct_lane_slot *slot = &r->slots[cpu * SLOTS + seq % SLOTS];

	*slot = (struct ipct_lane_slot){ .seq = slot->seq, .ts_ns = 1000 + seq, .ret = (int)seq };
	return slot;
}

static void submit(struct rig *r, size_t cpu, struct ipct_lane_slot *slot)
{
	slot->seq = 1 + slot->ret; /* which reserve() made the slot's number */
}

static void take(void *ctx, const struct ipct_hdr *ev)
{
	struct rig *r = ctx;

	r->seen_cnt++;
	if (ev->kind == IPCT_KIND_SOCK_IO) {
		ck_assert_int_eq(ev->size, sizeof(r->last_sock));
		memcpy(&r->last_sock, ev, sizeof(r->last_sock));
		return;
	}
	ck_assert_int_eq(ev->kind, IPCT_KIND_PIPE_IO);
	ck_assert_int_eq(ev->size, sizeof(r->last));
	memcpy(&r->last, ev, sizeof(r->last));
}

static size_t drain(struct rig *r, size_t cpu)
{
	const struct ring_taker all = { NOW_NS, UINT64_MAX, take, r };

	return lane__drain(&r->lane, cpu, &all, &r->watermark_ns);
}

/* A socket's record in the two slots from number seq on, which have been reserved. */
static void put_sock(struct rig *r, size_t cpu, uint64_t seq, const struct ipct_sock_io *io)
{
	struct ipct_lane_slot *first = &r->slots[cpu * SLOTS + seq % SLOTS];
	struct ipct_lane_slot *second = &r->slots[cpu * SLOTS + (seq + 1) % SLOTS];

	memcpy(first->words, io, sizeof(first->words));
	memcpy(second->words, (const char *)io + sizeof(first->words), sizeof(*io) - sizeof(first->words));
	second->seq = seq + 2;
	first->seq = (seq + 1) | IPCT_LANE_WIDE;
}

static struct ipct_sock_io sock_io(uint64_t ts_ns)
{
	return (struct ipct_sock_io){
		.h = { .ts_ns = ts_ns, .kind = IPCT_KIND_SOCK_IO, .size = sizeof(struct ipct_sock_io) },
		.enter_ns = ts_ns - 7,
		.sk = 0xffff000011112222ull,
		.skb_len = 64,
		.skb_ns = ts_ns - 5,
	};
}

START_TEST(a_record_in_two_slots_is_joined)
{
	struct rig r = rig_of();
	struct ipct_sock_io io = sock_io(5000);

	r.heads[1].reserved = 2;
	put_sock(&r, 1, 0, &io);
	submit(&r, 1, reserve(&r, 1)); /* and one of a pipe behind it */
	ck_assert_uint_eq(drain(&r, 1), 2);
	ck_assert_mem_eq(&r.last_sock, &io, sizeof(io));
	ck_assert_int_eq(r.last.ret, 2);
	ck_assert_uint_eq(r.heads[1].released, 3);
	rig__end(&r);
}
END_TEST

START_TEST(a_record_in_two_slots_goes_round_the_end)
{
	struct rig r = rig_of();
	struct ipct_sock_io io = sock_io(6000);

	r.heads[0].reserved = r.heads[0].released = SLOTS - 1;
	r.heads[0].reserved += 2;
	put_sock(&r, 0, SLOTS - 1, &io);
	ck_assert_uint_eq(drain(&r, 0), 1);
	ck_assert_mem_eq(&r.last_sock, &io, sizeof(io));
	ck_assert_uint_eq(r.heads[0].released, SLOTS + 1);
	rig__end(&r);
}
END_TEST

START_TEST(a_call_without_an_entry_time_has_that_of_its_end)
{
	struct rig r = rig_of();
	struct ipct_sock_io io = sock_io(7000);

	io.enter_ns = 0;
	r.heads[0].reserved = 2;
	put_sock(&r, 0, 0, &io);
	ck_assert_uint_eq(drain(&r, 0), 1);
	ck_assert_uint_eq(r.last_sock.enter_ns, 7000);
	io.flags = IPCT_IO_NOENTRY; /* it began before the trace: nobody knows when */
	r.heads[0].reserved = 4;
	put_sock(&r, 0, 2, &io);
	ck_assert_uint_eq(drain(&r, 0), 1);
	ck_assert_uint_eq(r.last_sock.enter_ns, 0);
	rig__end(&r);
}
END_TEST

START_TEST(half_a_record_waits)
{
	struct rig r = rig_of();
	struct ipct_sock_io io = sock_io(8000);

	r.heads[0].reserved = 2;
	put_sock(&r, 0, 0, &io);
	r.slots[0].seq = 0; /* written last */
	ck_assert_uint_eq(drain(&r, 0), 0);
	ck_assert_uint_eq(r.watermark_ns, 0);
	ck_assert_uint_eq(r.heads[0].released, 0);
	rig__end(&r);
}
END_TEST

START_TEST(a_record_is_widened)
{
	struct rig r = rig_of();
	struct ipct_lane_slot *slot = reserve(&r, 1);

	*slot = (struct ipct_lane_slot){
		.seq = 1,
		.ts_ns = 5000,
		.s_addr = 7,
		.e_addr = 9,
		.key = 0xfffffff0u,
		.dev = 14,
		.pid = 100,
		.tid = 101,
		.ret = -11,
		.fd = 4,
		.flags = IPCT_IO_WAITED | IPCT_LANE_WRITE | IPCT_LANE_FIFO,
		.took_ns = 300,
	};
	ck_assert_uint_eq(drain(&r, 0), 0);
	ck_assert_uint_eq(drain(&r, 1), 1);
	ck_assert_uint_eq(r.last.h.ts_ns, 5000);
	ck_assert_uint_eq(r.last.enter_ns, 4700);
	ck_assert_int_eq(r.last.h.mech, IPCT_MECH_FIFO);
	ck_assert_int_eq(r.last.h.op, IPCT_OP_SEND);
	ck_assert_int_eq(r.last.h.cpu, 1);
	ck_assert_uint_eq(r.last.h.pid, 100);
	ck_assert_uint_eq(r.last.h.tid, 101);
	ck_assert_uint_eq(r.last.key, 0xfffffff0u);
	ck_assert_uint_eq(r.last.dev, 14);
	ck_assert_uint_eq(r.last.s_addr, 7);
	ck_assert_uint_eq(r.last.e_addr, 9);
	ck_assert_int_eq(r.last.ret, -11);
	ck_assert_int_eq(r.last.fd, 4);
	ck_assert_uint_eq(r.last.flags, IPCT_IO_WAITED);
	ck_assert_uint_eq(r.watermark_ns, NOW_NS);
	rig__end(&r);
}
END_TEST

/* What is reserved and not complete holds back those behind it, and time with them. */
START_TEST(an_unfinished_record_holds_time_back)
{
	struct rig r = rig_of();
	struct ipct_lane_slot *slot[3];

	for (int i = 0; i < 3; i++)
		slot[i] = reserve(&r, 0);
	submit(&r, 0, slot[0]);
	submit(&r, 0, slot[2]);
	ck_assert_uint_eq(drain(&r, 0), 1);
	ck_assert_uint_eq(r.watermark_ns, 1000);
	submit(&r, 0, slot[1]);
	ck_assert_uint_eq(drain(&r, 0), 2);
	ck_assert_uint_eq(r.watermark_ns, NOW_NS);
	ck_assert_int_eq(r.last.ret, 2);
	rig__end(&r);
}
END_TEST

/* What is left for the next time holds time back. */
START_TEST(some_are_left)
{
	struct rig r = rig_of();
	const struct ring_taker three = { NOW_NS, 3 * sizeof(struct ipct_lane_slot), take, &r };
	struct ipct_lane_slot *slot[6];
	struct ipct_sock_io io = sock_io(1010);

	for (int i = 0; i < 6; i++)
		slot[i] = reserve(&r, 0);
	for (int i = 0; i < 5; i++) {
		submit(&r, 0, slot[i]);
		slot[i]->ts_ns = 1000 + (uint64_t)i;
	}
	ck_assert_uint_eq(lane__drain(&r.lane, 0, &three, &r.watermark_ns), 3);
	ck_assert_uint_eq(r.watermark_ns, 1003);
	ck_assert_uint_eq(r.heads[0].released, 3);
	ck_assert_uint_eq(lane__drain(&r.lane, 0, &three, &r.watermark_ns), 2);
	ck_assert_uint_eq(r.watermark_ns, 1004); /* the next is not complete */
	submit(&r, 0, slot[5]);
	r.heads[0].reserved += 4;
	put_sock(&r, 0, 6, &io);
	io.h.ts_ns = 1020;
	put_sock(&r, 0, 8, &io);
	ck_assert_uint_eq(lane__drain(&r.lane, 0, &three, &r.watermark_ns), 2);
	ck_assert_uint_eq(r.watermark_ns, 1020);
	ck_assert_uint_eq(lane__drain(&r.lane, 0, &three, &r.watermark_ns), 1);
	ck_assert_uint_eq(r.watermark_ns, NOW_NS);
	rig__end(&r);
}
END_TEST

/* Slots are used again: a complete record of the round before is not taken for the next. */
START_TEST(the_ring_goes_round)
{
	struct rig r = rig_of();
	uint64_t cnt = 0;

	for (int round = 0; round < 7; round++) {
		struct ipct_lane_slot *unfinished;

		for (int i = 0; i < SLOTS - 1; i++, cnt++)
			submit(&r, 0, reserve(&r, 0));
		unfinished = reserve(&r, 0);
		ck_assert_double_eq(lane__used(&r.lane, 0), 1);
		ck_assert_uint_eq(drain(&r, 0), SLOTS - 1);
		ck_assert_uint_eq(r.heads[0].released, r.heads[0].reserved - 1);
		submit(&r, 0, unfinished);
		ck_assert_uint_eq(drain(&r, 0), 1);
		ck_assert_int_eq(r.last.ret, (int)cnt++);
		ck_assert_uint_eq(r.heads[0].released, cnt);
		ck_assert_double_eq(lane__used(&r.lane, 0), 0);
	}
	ck_assert_uint_eq(r.seen_cnt, cnt);
	rig__end(&r);
}
END_TEST

START_TEST(sizes)
{
	ck_assert_uint_eq(lane__slots(8 << 20), 65536);
	ck_assert_uint_eq(lane__slots(4096), 32);
	ck_assert_uint_eq(lane__slots(1), 32);
}
END_TEST

int main(void)
{
	const TTest *tests[] = { a_record_is_widened,
				 a_record_in_two_slots_is_joined,
				 a_record_in_two_slots_goes_round_the_end,
				 a_call_without_an_entry_time_has_that_of_its_end,
				 half_a_record_waits,
				 an_unfinished_record_holds_time_back,
				 some_are_left,
				 the_ring_goes_round,
				 sizes };

	return SUITE_RUN("kern_lane", tests);
}
