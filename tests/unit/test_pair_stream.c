/* SPDX-License-Identifier: GPL-2.0 */
/* Pipes: each rule of pairing by stream address, one at a time. */
#include "model_kit.h"
#include "suite.h"

#define ADDR(slot, off) ((uint64_t)(uint32_t)(slot) << 32 | (off))

static void io_since(struct kit *k, uint8_t kind, uint32_t pid, uint64_t enter_ms, uint64_t ms,
		     uint64_t bytes, uint64_t from, uint64_t to, uint32_t flags)
{
	struct op op = { .ts_ns = ms * MS,
			 .enter_ns = enter_ms * MS - MS / 2,
			 .pid = pid,
			 .tid = pid,
			 .kind = kind,
			 .mech = 1,
			 .rule = PAIR_STREAM,
			 .flags = flags,
			 .obj = { 7, 1 },
			 .fd = -1,
			 .fd2 = -1,
			 .bytes = bytes,
			 .ret = (int64_t)bytes,
			 .stream = { from, to } };

	model__op(k->m, &op);
}

static void io(struct kit *k, uint8_t kind, uint32_t pid, uint64_t ms, uint64_t bytes, uint64_t from,
	       uint64_t to, uint32_t flags)
{
	io_since(k, kind, pid, ms, ms, bytes, from, to, flags);
}

static void made_with(struct kit *k, uint64_t ms, bool scanned, uint64_t rd, uint64_t wr, uint64_t slots)
{
	struct object_info info = { .ts_ns = ms * MS,
				    .key = { 7, 1 },
				    .mech = 1,
				    .scanned = scanned,
				    .rd_addr = rd,
				    .wr_addr = wr,
				    .fill_bytes = UINT64_MAX,
				    .capacity_bytes = slots * 4096,
				    .name = "pipe:[7]",
				    .name_len = 8 };

	model__object(k->m, &info);
}

static void made(struct kit *k, uint64_t ms, bool scanned, uint64_t rd, uint64_t wr)
{
	made_with(k, ms, scanned, rd, wr, 0);
}

static uint64_t moved(const struct kit *k, uint32_t src, uint32_t dst, enum attr attr)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < k->cnt; i++) {
		const struct message *m = &k->got[i].m;

		if ((m->src.proc ? m->src.proc->pid : 0) == src && m->dst.proc->pid == dst && m->attr == attr)
			sum += m->bytes;
	}
	return sum;
}

/* Where several tasks meet, the rule waits until all that overlaps was reported. */
static void wait_for_reports(struct kit *k, uint64_t ms)
{
	model__advance(k->m, (ms + 200) * MS);
}

#define UNUSED ADDR(-1, 0)

START_TEST(test_write_then_read)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 100, UNUSED, ADDR(0, 100), 0);
	io(k, OP_RECV, 2, 3, 100, ADDR(0, 0), ADDR(1, 0), 0);
	EXPECT(k->cnt == 1 && moved(k, 1, 2, ATTR_EXACT) == 100 && k->got[0].m.messages == 1);
	kit__free(k);
}
END_TEST

START_TEST(test_read_reported_first)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_RECV, 2, 3, 100, ADDR(0, 0), ADDR(1, 0), OP_F_WAITED);
	EXPECT(k->cnt == 0);
	io(k, OP_SEND, 1, 4, 100, UNUSED, ADDR(0, 100), 0);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 100);
	kit__free(k);
}
END_TEST

START_TEST(test_merged_and_split)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 10, UNUSED, ADDR(0, 10), 0);
	io(k, OP_SEND, 3, 3, 5000, ADDR(0, 10), ADDR(1, 4096), 0); /* 904 merged, one whole page */
	io(k, OP_RECV, 2, 4, 500, ADDR(0, 0), ADDR(0, 500), 0);
	io(k, OP_RECV, 4, 5, 4510, ADDR(0, 500), ADDR(2, 0), 0);
	wait_for_reports(k, 5);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 10 && moved(k, 3, 2, ATTR_EXACT) == 490);
	EXPECT(moved(k, 3, 4, ATTR_EXACT) == 4510);
	kit__free(k);
}
END_TEST

START_TEST(test_packet_rest_is_discarded)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 100, UNUSED, ADDR(0, 100), OP_F_PACKET);
	io(k, OP_SEND, 1, 3, 50, ADDR(0, 100), ADDR(1, 50), OP_F_PACKET);
	io(k, OP_RECV, 2, 4, 10, ADDR(0, 0), ADDR(1, 0), 0);
	io(k, OP_RECV, 2, 5, 50, ADDR(1, 0), ADDR(2, 0), 0);
	EXPECT(k->cnt == 2 && moved(k, 1, 2, ATTR_EXACT) == 60);
	EXPECT(k->got[0].m.channel->discarded_bytes == 90 && k->got[0].m.messages == 1);
	kit__free(k);
}
END_TEST

/* A slot says no more how long its packet was, once a read has taken a part of it. */
START_TEST(test_packet_is_cut_before_its_writer_looks)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 50, UNUSED, ADDR(0, 40), OP_F_PACKET);
	io(k, OP_RECV, 2, 3, 40, ADDR(0, 0), ADDR(1, 0), 0);
	io(k, OP_SEND, 3, 4, 60, ADDR(0, 40), ADDR(1, 40), OP_F_PACKET);
	io(k, OP_RECV, 2, 5, 40, ADDR(1, 0), ADDR(2, 0), 0);
	io(k, OP_SEND, 3, 6, 5000, ADDR(1, 40), ADDR(3, 900), OP_F_PACKET);
	io(k, OP_RECV, 2, 7, 4000, ADDR(2, 0), ADDR(3, 0), 0);
	io(k, OP_RECV, 2, 8, 904, ADDR(3, 0), ADDR(4, 0), 0);
	wait_for_reports(k, 9);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 40 && moved(k, 3, 2, ATTR_EXACT) == 40 + 4904);
	EXPECT(k->cnt && k->got[0].m.channel->discarded_bytes == 10 + 20 + 96);
	kit__free(k);
}
END_TEST

START_TEST(test_older_than_the_trace)
{
	struct kit *k = kit__new();

	made(k, 1, true, ADDR(5, 20), ADDR(5, 50));
	io(k, OP_SEND, 1, 2, 7, ADDR(5, 50), ADDR(5, 57), 0);
	io(k, OP_RECV, 2, 3, 37, ADDR(5, 20), ADDR(6, 0), 0);
	wait_for_reports(k, 3);
	EXPECT(moved(k, 0, 2, ATTR_UNKNOWN) == 30 && moved(k, 1, 2, ATTR_EXACT) == 7);
	kit__free(k);
}
END_TEST

START_TEST(test_lost_write_is_unknown)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 10, UNUSED, ADDR(0, 10), 0);
	io(k, OP_SEND, 1, 3, 10, ADDR(0, 30), ADDR(0, 40), 0);
	io(k, OP_RECV, 2, 4, 40, ADDR(0, 0), ADDR(1, 0), 0);
	EXPECT(k->cnt == 0);
	model__advance(k->m, 10000 * MS);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 20 && moved(k, 0, 2, ATTR_UNKNOWN) == 20);
	kit__free(k);
}
END_TEST

START_TEST(test_new_pipe_with_the_same_key)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 10, UNUSED, ADDR(0, 10), 0);
	made(k, 3, false, 0, UNUSED);
	io(k, OP_SEND, 3, 4, 10, UNUSED, ADDR(0, 10), 0);
	io(k, OP_RECV, 2, 5, 10, ADDR(0, 0), ADDR(1, 0), 0);
	wait_for_reports(k, 5);
	EXPECT(k->cnt == 1 && moved(k, 3, 2, ATTR_EXACT) == 10);
	EXPECT(k->got[0].m.channel->unread_bytes == 10);
	kit__free(k);
}
END_TEST

START_TEST(test_resized_ring)
{
	struct kit *k = kit__new();
	struct object_info info = { .ts_ns = 4 * MS,
				    .key = { 7, 1 },
				    .mech = 1,
				    .rebased = true,
				    .rd_addr = ADDR(0, 4),
				    .wr_addr = ADDR(0, 20) };

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 4096 * 3 + 20, UNUSED, ADDR(3, 20), 0);
	io(k, OP_RECV, 2, 3, 4096 * 3 + 4, ADDR(0, 0), ADDR(3, 4), 0);
	model__object(k->m, &info);
	io(k, OP_SEND, 3, 5, 5, ADDR(0, 20), ADDR(0, 25), 0);
	io(k, OP_RECV, 4, 6, 21, ADDR(0, 4), ADDR(1, 0), 0);
	wait_for_reports(k, 6);
	EXPECT(moved(k, 1, 4, ATTR_EXACT) == 16 && moved(k, 3, 4, ATTR_EXACT) == 5);
	kit__free(k);
}
END_TEST

START_TEST(test_sleeping_write)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 0, UNUSED, ADDR(15, 4096), OP_F_BLOCKED);
	io(k, OP_RECV, 2, 3, 65536, 0, ADDR(16, 0), 0);
	io(k, OP_SEND, 1, 2, 70000, ADDR(15, 4096), ADDR(17, 368), 0);
	io(k, OP_RECV, 2, 5, 4464, ADDR(16, 0), ADDR(18, 0), 0);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 70000);
	kit__free(k);
}
END_TEST

START_TEST(test_overlapping_writes)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 10, UNUSED, ADDR(0, 30), 0);
	io(k, OP_SEND, 3, 3, 20, UNUSED, ADDR(0, 30), 0);
	io(k, OP_RECV, 2, 4, 30, 0, ADDR(1, 0), 0); /* whoever was first */
	wait_for_reports(k, 4);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 10 && moved(k, 3, 2, ATTR_EXACT) == 20);
	kit__free(k);
	k = kit__new();
	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 10, UNUSED, ADDR(0, 20), 0);
	io(k, OP_SEND, 3, 2, 10, UNUSED, ADDR(0, 20), 0);
	io(k, OP_RECV, 2, 4, 10, 0, ADDR(0, 10), 0);
	io(k, OP_RECV, 4, 5, 10, ADDR(0, 10), ADDR(1, 0), 0);
	wait_for_reports(k, 5);
	EXPECT(k->cnt == 2 && k->got[0].m.attr == ATTR_CANDIDATES && k->got[0].m.candidate_cnt == 2);
	kit__free(k);
}
END_TEST

/* Contradictory addresses of any kind: no bytes are lost, and it ends. */
/* The second writer of a pipe is not expected: what the first one did has its place when the second one is reported. */
START_TEST(test_first_overlap)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io(k, OP_SEND, 1, 2, 3186, UNUSED, ADDR(0, 3186), 0);
	io(k, OP_SEND, 1, 10, 2731, ADDR(0, 3186), ADDR(1, 2731), 0);
	io_since(k, OP_SEND, 3, 9, 11, 296, ADDR(0, 3186), ADDR(1, 2731), 0); /* it was merged before */
	io(k, OP_RECV, 2, 12, 3482, ADDR(0, 0), ADDR(1, 0), 0);
	io(k, OP_RECV, 4, 13, 2731, ADDR(1, 0), ADDR(2, 0), 0);
	wait_for_reports(k, 13);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 3186 && moved(k, 3, 2, ATTR_EXACT) == 296);
	EXPECT(moved(k, 1, 4, ATTR_EXACT) == 2731);
	kit__free(k);
}
END_TEST

/* A report in the middle of a write need not be about bytes: it may lie in the middle of another write. */
START_TEST(test_waited_for_the_lock)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io_since(k, OP_SEND, 3, 2, 3, 0, UNUSED, ADDR(1, 4096), OP_F_BLOCKED);
	io_since(k, OP_SEND, 1, 2, 4, 17000, UNUSED, ADDR(4, 616), 0);
	io_since(k, OP_SEND, 3, 2, 5, 9000, ADDR(4, 616), ADDR(6, 4096), 0); /* 808 merged */
	io(k, OP_RECV, 2, 6, 17000, ADDR(0, 0), ADDR(4, 616), 0);
	io(k, OP_RECV, 4, 7, 9000, ADDR(4, 616), ADDR(7, 0), 0);
	wait_for_reports(k, 7);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 17000 && moved(k, 3, 4, ATTR_EXACT) == 9000);
	kit__free(k);
}
END_TEST

START_TEST(test_waited_in_vain)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io_since(k, OP_SEND, 3, 2, 3, 0, UNUSED, ADDR(1, 4096), OP_F_BLOCKED);
	io_since(k, OP_SEND, 1, 2, 4, 9000, UNUSED, ADDR(2, 808), 0);
	io_since(k, OP_SEND, 3, 2, 5, 0, UNUSED, ADDR(2, 808), 0); /* EAGAIN */
	io(k, OP_RECV, 2, 6, 9000, ADDR(0, 0), ADDR(3, 0), 0);
	wait_for_reports(k, 6);
	EXPECT(moved(k, 1, 2, ATTR_EXACT) == 9000);
	kit__free(k);
}
END_TEST

/* Nobody says that it is new, but its addresses do; its first read is reported before the write. */
START_TEST(test_new_pipe_whose_read_is_reported_first)
{
	struct kit *k = kit__new();

	made(k, 1, true, ADDR(5000, 0), ADDR(5000, 0));
	io(k, OP_SEND, 1, 2, 10, ADDR(5000, 0), ADDR(5000, 10), 0);
	io(k, OP_RECV, 2, 3, 10, ADDR(5000, 0), ADDR(5001, 0), 0);
	io(k, OP_RECV, 4, 5, 100, ADDR(0, 0), ADDR(1, 0), OP_F_WAITED);
	EXPECT(k->cnt == 1);
	io(k, OP_SEND, 3, 6, 100, UNUSED, ADDR(0, 100), 0);
	wait_for_reports(k, 6);
	EXPECT(k->cnt == 2 && moved(k, 3, 4, ATTR_EXACT) == 100);
	kit__free(k);
}
END_TEST

/* It has slots of its own: none is known to have been read because the old one had but one. */
START_TEST(test_new_pipe_that_is_larger)
{
	struct kit *k = kit__new();

	made_with(k, 1, true, ADDR(5000, 0), ADDR(5000, 0), 1);
	io(k, OP_SEND, 1, 2, 10, ADDR(5000, 0), ADDR(5000, 10), 0);
	io(k, OP_RECV, 2, 3, 10, ADDR(5000, 0), ADDR(5001, 0), 0);
	io(k, OP_SEND, 3, 4, 3 * 4096, UNUSED, ADDR(2, 4096), 0);
	model__finish(k->m, 1000 * MS);
	EXPECT(kit__channel(k, "pipe:[7]")->unread_bytes == 3 * 4096);
	kit__free(k);
}
END_TEST

#define LOST_READS 200000 /* of one byte each */
#define SLOTS 16

/* Reads are lost for long: what cannot be in the pipe any more is not kept, and is not unread. */
START_TEST(test_reads_that_were_lost)
{
	struct kit *k = kit__new();
	size_t early = 0;
	uint64_t pos, unread = LOST_READS % 4096 + 4096 - 1;

	made_with(k, 1, false, 0, UNUSED, SLOTS);
	for (pos = 0; pos < LOST_READS; pos++) {
		io(k, OP_SEND, 1, 2 + pos / 10, 1, pos ? ADDR(pos / 4096, pos % 4096) : UNUSED,
		   ADDR(pos / 4096, pos % 4096 + 1), 0);
		if (pos == LOST_READS / 2)
			early = kit__heap_bytes();
	}
	EXPECT(kit__heap_bytes() < early + early / 8);
	io(k, OP_RECV, 2, 2 + pos / 10, 1, ADDR(pos / 4096 - 1, 0), ADDR(pos / 4096 - 1, 1), 0);
	wait_for_reports(k, 2 + pos / 10 + 10000);
	EXPECT(moved(k, 1, 2, ATTR_INFERRED) == 1);
	model__finish(k->m, 100000 * MS);
	EXPECT(kit__channel(k, "pipe:[7]")->unread_bytes == unread);
	kit__free(k);
}
END_TEST

/* A signal ends a long write while it sleeps. */
START_TEST(test_interrupted_write)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	io_since(k, OP_SEND, 1, 2, 3, 0, UNUSED, ADDR(15, 4096), OP_F_BLOCKED);
	model__advance(k->m, 100 * MS);
	io_since(k, OP_SEND, 1, 2, 200, 65536, ADDR(15, 4096), ADDR(15, 4096), 0);
	io(k, OP_RECV, 2, 201, 65536, ADDR(0, 0), ADDR(16, 0), 0);
	wait_for_reports(k, 201);
	EXPECT(k->cnt == 1 && moved(k, 1, 2, ATTR_EXACT) == 65536 && k->got[0].m.messages == 1);
	kit__free(k);
}
END_TEST

START_TEST(test_given_up_unread)
{
	struct kit *k = kit__new();
	struct channel *ch;

	made(k, 1, false, 0, UNUSED);
	io_since(k, OP_SEND, 1, 2, 3, 0, UNUSED, ADDR(0, 4096), OP_F_BLOCKED);
	io_since(k, OP_SEND, 1, 2, 4, 4096, ADDR(0, 4096), ADDR(0, 4096), 0); /* EPIPE */
	wait_for_reports(k, 4);
	model__finish(k->m, 1000 * MS);
	ch = kit__channel(k, "pipe:[7]");
	EXPECT(k->cnt == 0 && ch && ch->unread_bytes == 4096);
	kit__free(k);
}
END_TEST

/* A reader that is held up in its call overlaps all the others do: they leave it one place. */
START_TEST(test_slow_reader)
{
	struct kit *k = kit__new();

	made(k, 1, false, 0, UNUSED);
	for (unsigned i = 0; i < 60; i++)
		io(k, OP_SEND, 1 + 2 * (i == 40), 10 + i, 64, i ? ADDR(0, 64 * i) : UNUSED,
		   ADDR(0, 64 * i + 64), 0);
	for (unsigned i = 0; i < 60; i++)
		if (i != 40)
			io(k, OP_RECV, 2, 100 + i, 64, ADDR(0, 64 * i), ADDR(0, 64 * i + 64), 0);
	io_since(k, OP_RECV, 4, 100, 200, 64, ADDR(0, 0), ADDR(1, 0), 0);
	wait_for_reports(k, 200);
	EXPECT(moved(k, 3, 4, ATTR_EXACT) == 64 && moved(k, 1, 2, ATTR_EXACT) == 59 * 64);
	kit__free(k);
}
END_TEST

START_TEST(test_garbage)
{
	struct model_sink sink = { 0 };
	struct model *m = model__new(NULL, &sink);
	uint64_t rng = 88172645463325252ull;

	for (unsigned i = 0; i < 100000; i++) {
		struct op op = {
			.ts_ns = i * 20000ull, .mech = 1, .rule = PAIR_STREAM, .obj = { 7, 1 }, .fd = -1
		};
		uint64_t v[4];

		for (unsigned n = 0; n < 4; n++) {
			rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
			v[n] = rng * 0x2545f4914f6cdd1dull;
		}
		op.kind = v[0] & 1 ? OP_SEND : OP_RECV;
		op.pid = op.tid = 1 + (v[0] >> 8) % 6;
		op.flags = v[0] & 0x700000 ? (v[0] >> 24) & OP_F_BLOCKED : (uint32_t)(v[1] >> 40);
		op.enter_ns = op.ts_ns - (v[0] >> 40) % 100000;
		op.bytes = v[0] & 0xf000 ? 1 + v[1] % 9000 : v[1];
		op.stream.addr_s = v[0] & 0xf0000 ? (v[2] % 40) << 32 | (v[2] >> 50) % 4097 : v[2];
		op.stream.addr_e = v[0] & 0xf0000 ? (v[3] % 40) << 32 | (v[3] >> 50) % 4097 : v[3];
		model__op(m, &op);
	}
	model__finish(m, 3000 * MS);
	EXPECT(model__stats(m)->messages > 1000);
	model__free(m);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_write_then_read,
		test_read_reported_first,
		test_merged_and_split,
		test_packet_rest_is_discarded,
		test_packet_is_cut_before_its_writer_looks,
		test_older_than_the_trace,
		test_lost_write_is_unknown,
		test_new_pipe_with_the_same_key,
		test_new_pipe_whose_read_is_reported_first,
		test_new_pipe_that_is_larger,
		test_resized_ring,
		test_sleeping_write,
		test_overlapping_writes,
		test_first_overlap,
		test_waited_for_the_lock,
		test_waited_in_vain,
		test_interrupted_write,
		test_given_up_unread,
		test_reads_that_were_lost,
		test_slow_reader,
		test_garbage,
	};

	return SUITE_RUN("pair_stream", tests);
}
