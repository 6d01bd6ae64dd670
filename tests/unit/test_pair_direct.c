/* SPDX-License-Identifier: GPL-2.0 */
/* Requests of ptrace, copies between processes, and descriptors that travel. */
#include "model/passed.h"
#include "model_kit.h"
#include "suite.h"

#define MECH_PTRACE 17
#define MECH_PIPE 1
#define MECH_UNIX 10
#define REQUEST_PEEK 2
#define REQUEST_ATTACH 16

static void request(struct kit *k, uint64_t ts, uint32_t pid, uint32_t target, enum op_kind kind,
		    uint32_t arg, int64_t ret)
{
	struct op op = { .ts_ns = ts,
			 .enter_ns = ts - 1,
			 .pid = pid,
			 .tid = pid,
			 .kind = kind,
			 .mech = MECH_PTRACE,
			 .rule = PAIR_DIRECT,
			 .obj = kit__key(target),
			 .ret = ret,
			 .fd = -1,
			 .fd2 = -1,
			 .arg = arg };

	op.direct.pid = op.direct.tid = target;
	op.bytes = (kind == OP_RECV || kind == OP_SEND) && ret > 0 ? (uint64_t)ret : 0;
	model__op(k->m, &op);
}

START_TEST(a_request_goes_to_the_tracee)
{
	struct kit *k = kit__new();

	request(k, 10, 1, 2, OP_ATTACH, REQUEST_ATTACH, 0);
	request(k, 20, 1, 2, OP_CONTROL, REQUEST_PEEK, 0);
	request(k, 30, 1, 2, OP_CONTROL, REQUEST_PEEK, -3);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 2);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->messages, 2);
	ck_assert_uint_eq(kit__end(k, 1, "tracer")->messages, 2);
	ck_assert_uint_eq(kit__end(k, 1, "tracer")->errors, 1);
	ck_assert_uint_eq(kit__end(k, 2, "tracee")->messages, 2);
	ck_assert_uint_eq(kit__channel(k, "obj:[2]")->holders.v[0]->pid, 1);
	kit__free(k);
}
END_TEST

START_TEST(bytes_go_where_they_are_copied_to)
{
	struct kit *k = kit__new();

	request(k, 10, 1, 2, OP_RECV, 0, 100);
	request(k, 20, 1, 2, OP_SEND, 0, 30);
	model__finish(k->m, 100);
	ck_assert_uint_eq(kit__flow(k, 2, 1)->bytes, 100);
	ck_assert_uint_eq(kit__flow(k, 1, 2)->bytes, 30);
	ck_assert_uint_eq(kit__end(k, 1, "read")->bytes, 100);
	ck_assert_uint_eq(kit__end(k, 1, "write")->bytes, 30);
	kit__free(k);
}
END_TEST

START_TEST(a_dead_tracer_traces_nobody)
{
	struct kit *k = kit__new();

	kit__fork(k, 1, 1, 0, "tracer");
	request(k, 10, 1, 2, OP_ATTACH, REQUEST_ATTACH, 0);
	kit__exit(k, 20, 1, 0);
	model__finish(k->m, 100);
	ck_assert_uint_eq(kit__channel(k, "obj:[2]")->holders.cnt, 0);
	kit__free(k);
}
END_TEST

START_TEST(traceme_is_control_and_no_request)
{
	struct kit *k = kit__new();

	request(k, 10, 2, 1, OP_ATTACH, 0, 0); /* 2 asks its parent 1 */
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 0);
	ck_assert_ptr_nonnull(kit__end(k, 1, "tracer"));
	ck_assert_ptr_nonnull(kit__end(k, 2, "tracee"));
	kit__free(k);
}
END_TEST

/* ---- descriptors ---- */

static struct pass_info pass(uint64_t ts, uint32_t pid, uint8_t what, uint64_t file, int32_t fd)
{
	struct pass_info info = { .ts_ns = ts,
				  .enter_ns = ts,
				  .pid = pid,
				  .tid = pid,
				  .file = file,
				  .fd = fd,
				  .from_fd = -1,
				  .what = what,
				  .mech = MECH_UNIX,
				  .obj_mech = MECH_PIPE,
				  .obj = kit__key(77),
				  .side = 2 };

	if (what == PASS_RECEIVED) {
		info.sock = kit__key(201);
		info.peer_sock = kit__key(200);
	} else {
		info.sock = kit__key(200);
	}
	return info;
}

static void send_fd(struct kit *k, uint64_t ts, uint64_t file, int32_t fd)
{
	struct pass_info info = pass(ts, 1, PASS_SENT, file, fd);

	model__pass(k->m, &info);
}

static void receive_fd(struct kit *k, uint64_t ts, uint64_t file, int32_t fd, bool peek)
{
	struct pass_info info = pass(ts, 2, PASS_RECEIVED, file, fd);

	info.peek = peek;
	model__pass(k->m, &info);
}

static void transfer(struct kit *k, uint64_t ts, uint64_t skb, bool receive, uint32_t flags)
{
	struct op op = { .ts_ns = ts,
			 .enter_ns = ts - 5,
			 .pid = receive ? 2 : 1,
			 .tid = receive ? 2 : 1,
			 .kind = receive ? OP_RECV : OP_SEND,
			 .mech = MECH_UNIX,
			 .rule = PAIR_MESSAGE,
			 .obj = kit__key(receive ? 201 : 200),
			 .peer = kit__key(receive ? 200 : 201),
			 .ret = 1,
			 .bytes = 1,
			 .fd = 3,
			 .fd2 = -1,
			 .flags = flags };

	op.msg.id = skb;
	op.msg.total = 1;
	model__op(k->m, &op);
}

static const struct passed_fd *fds(struct kit *k, size_t nr, uint16_t cnt)
{
	ck_assert_uint_gt(k->cnt, nr);
	ck_assert_uint_eq(k->got[nr].m.fd_cnt, cnt);
	return k->got[nr].m.fds;
}

START_TEST(both_sides_of_a_descriptor)
{
	struct kit *k = kit__new();
	const struct passed_fd *fd;

	kit__name(k, 77, MECH_PIPE, "pipe:[77]");
	send_fd(k, 10, 0xf1, 5);
	transfer(k, 11, 900, false, 0);
	receive_fd(k, 20, 0xf1, 8, false);
	transfer(k, 21, 900, true, OP_F_FDS);
	model__finish(k->m, 100);
	fd = fds(k, 0, 1);
	ck_assert_int_eq(fd->src_fd, 5);
	ck_assert_int_eq(fd->dst_fd, 8);
	ck_assert_str_eq(fd->object, "pipe:[77]");
	ck_assert_ptr_nonnull(kit__end(k, 2, "write")); /* it holds the pipe's writing end now */
	kit__free(k);
}
END_TEST

START_TEST(a_failed_send_took_nothing_along)
{
	struct kit *k = kit__new();
	struct pass_info info = pass(12, 1, PASS_FAILED, 0, -1);

	send_fd(k, 10, 0xf1, 5);
	model__pass(k->m, &info);
	send_fd(k, 15, 0xf1, 6);
	transfer(k, 16, 900, false, 0);
	receive_fd(k, 20, 0xf1, 8, false);
	transfer(k, 21, 900, true, OP_F_FDS);
	model__finish(k->m, 100);
	ck_assert_int_eq(fds(k, 0, 1)->src_fd, 6);
	kit__free(k);
}
END_TEST

START_TEST(peeking_leaves_it_there)
{
	struct kit *k = kit__new();

	send_fd(k, 10, 0xf1, 5);
	transfer(k, 11, 900, false, 0);
	receive_fd(k, 20, 0xf1, 8, true);
	transfer(k, 21, 900, true, OP_F_FDS | OP_F_PEEK);
	receive_fd(k, 30, 0xf1, 9, false);
	transfer(k, 31, 900, true, OP_F_FDS);
	model__finish(k->m, 100);
	ck_assert_int_eq(fds(k, k->cnt - 1, 1)->src_fd, 5);
	ck_assert_int_eq(fds(k, k->cnt - 1, 1)->dst_fd, 9);
	kit__free(k);
}
END_TEST

START_TEST(an_unseen_send_is_not_invented)
{
	struct kit *k = kit__new();

	transfer(k, 11, 900, false, 0);
	receive_fd(k, 20, 0xf1, 8, false);
	transfer(k, 21, 900, true, OP_F_FDS);
	model__finish(k->m, 100);
	ck_assert_int_eq(fds(k, 0, 1)->src_fd, -1);
	ck_assert_ptr_null(fds(k, 0, 1)->src);
	kit__free(k);
}
END_TEST

START_TEST(a_stale_batch_is_not_given_to_another_receive)
{
	struct kit *k = kit__new();

	receive_fd(k, 10, 0xf1, 8, false); /* its receive was lost */
	transfer(k, 20, 900, false, 0);
	transfer(k, 31, 900, true, OP_F_FDS);
	model__finish(k->m, 100);
	fds(k, 0, 0);
	kit__free(k);
}
END_TEST

START_TEST(many_receives_with_descriptors)
{
	struct kit *k = kit__new();

	for (uint64_t i = 0; i < 3000; i++) {
		send_fd(k, 100 * i + 10, 0xf1, (int32_t)i);
		transfer(k, 100 * i + 20, 900 + i, false, 0);
		receive_fd(k, 100 * i + 30, 0xf1, 8, false);
		transfer(k, 100 * i + 31, 900 + i, true, OP_F_FDS);
	}
	model__finish(k->m, 1000000);
	ck_assert_uint_eq(k->cnt, 3000);
	for (size_t i = 0; i < k->cnt; i++)
		EXPECT(k->got[i].m.fd_cnt == 1);
	kit__free(k);
}
END_TEST

START_TEST(getfd_takes_from_the_target)
{
	struct kit *k = kit__new();
	struct pass_info info = pass(10, 2, PASS_TAKEN, 0xf1, 8);

	info.mech = MECH_PTRACE;
	info.from_pid = 1;
	info.from_fd = 5;
	model__pass(k->m, &info);
	model__finish(k->m, 100);
	ck_assert_uint_eq(k->cnt, 1);
	ck_assert_uint_eq(k->got[0].m.src.proc->pid, 1);
	ck_assert_uint_eq(k->got[0].m.dst.proc->pid, 2);
	ck_assert_int_eq(fds(k, 0, 1)->src_fd, 5);
	kit__free(k);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_request_goes_to_the_tracee,
		bytes_go_where_they_are_copied_to,
		a_dead_tracer_traces_nobody,
		traceme_is_control_and_no_request,
		both_sides_of_a_descriptor,
		a_failed_send_took_nothing_along,
		peeking_leaves_it_there,
		an_unseen_send_is_not_invented,
		a_stale_batch_is_not_given_to_another_receive,
		many_receives_with_descriptors,
		getfd_takes_from_the_target,
	};

	return SUITE_RUN("pair_direct", tests);
}
