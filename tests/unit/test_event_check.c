/* SPDX-License-Identifier: GPL-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/check.h"

static _Alignas(8) char rec[4096];

static struct ipct_hdr *make(unsigned int kind, size_t size)
{
	struct ipct_hdr *h = (struct ipct_hdr *)rec;

	memset(rec, 0, sizeof(rec));
	h->kind = kind;
	h->size = size;
	return h;
}

START_TEST(whole_records_pass)
{
	make(IPCT_KIND_PIPE_IO, sizeof(struct ipct_pipe_io));
	ck_assert_int_eq(event__check(rec, sizeof(rec)), sizeof(struct ipct_pipe_io));
	ck_assert_int_eq(event__check(rec, sizeof(struct ipct_pipe_io)), sizeof(struct ipct_pipe_io));
}
END_TEST

START_TEST(torn_records_say_so)
{
	make(IPCT_KIND_PIPE_IO, sizeof(struct ipct_pipe_io));
	for (size_t avail = 0; avail < sizeof(struct ipct_pipe_io); avail++)
		ck_assert_int_eq(event__check(rec, avail), -EMSGSIZE);
}
END_TEST

START_TEST(sizes_below_the_header_are_refused)
{
	for (size_t size = 0; size < sizeof(struct ipct_hdr); size++) {
		make(IPCT_KIND_CALL, size);
		ck_assert_int_eq(event__check(rec, sizeof(rec)), -EBADMSG);
	}
}
END_TEST

START_TEST(inner_lengths_stay_inside)
{
	struct ipct_task *t = (struct ipct_task *)make(IPCT_KIND_TASK, sizeof(*t) + 10);
	struct ipct_object *o;

	t->exe_len = 6;
	t->args_len = 4;
	ck_assert_int_eq(event__check(rec, sizeof(rec)), sizeof(*t) + 10);
	t->args_len = 5;
	ck_assert_int_eq(event__check(rec, sizeof(rec)), -EBADMSG);
	t->exe_len = UINT16_MAX;
	t->args_len = 11; /* the sum would wrap in 16 bits to 10 */
	ck_assert_int_eq(event__check(rec, sizeof(rec)), -EBADMSG);

	o = (struct ipct_object *)make(IPCT_KIND_OBJECT, sizeof(*o) + 3);
	o->name_len = 3;
	ck_assert_int_eq(event__check(rec, sizeof(rec)), sizeof(*o) + 3);
	o->name_len = 4;
	ck_assert_int_eq(event__check(rec, sizeof(rec)), -EBADMSG);
}
END_TEST

START_TEST(short_record_has_no_tail)
{
	struct ipct_object *o = (struct ipct_object *)make(IPCT_KIND_OBJECT, sizeof(*o) - 4);

	ck_assert_int_eq(event__check(rec, sizeof(rec)), sizeof(*o) - 4);
	o->name_len = 1;
	ck_assert_int_eq(event__check(rec, sizeof(rec)), -EBADMSG);
}
END_TEST

START_TEST(unknown_kinds_pass)
{
	make(999, 40);
	ck_assert_int_eq(event__check(rec, sizeof(rec)), 40);
	ck_assert_str_eq(event__kind_name(999), "?");
	ck_assert_str_eq(event__kind_name(0), "?");
	ck_assert_str_eq(event__kind_name(IPCT_KIND_SIGGEN), "signal generated");
}
END_TEST

START_TEST(widen_fills_with_zeros)
{
	_Alignas(8) char scratch[EVENT_SCRATCH_BYTES];
	struct ipct_hdr *h = make(IPCT_KIND_PIPE_IO, offsetof(struct ipct_pipe_io, ret));
	const struct ipct_pipe_io *io;

	memset(rec + sizeof(*h), 0xff, sizeof(rec) - sizeof(*h));
	memset(scratch, 0xee, sizeof(scratch));
	io = (const struct ipct_pipe_io *)event__widen(h, scratch);
	ck_assert_ptr_eq(io, scratch);
	ck_assert_uint_eq(io->e_addr, UINT64_MAX);
	ck_assert_int_eq(io->ret, 0);
	ck_assert_uint_eq(io->flags, 0);
	ck_assert_int_eq(io->fd, 0);
}
END_TEST

START_TEST(widen_leaves_long_records_alone)
{
	char scratch[EVENT_SCRATCH_BYTES];
	struct ipct_hdr *h = make(IPCT_KIND_LOST, sizeof(struct ipct_lost) + 100);

	ck_assert_ptr_eq(event__widen(h, scratch), h);
	h = make(999, sizeof(*h));
	ck_assert_ptr_eq(event__widen(h, scratch), h);
}
END_TEST

/* Whatever the bytes: a record that passes lies inside what is there, and so do its strings. */
START_TEST(hostile_bytes)
{
	_Alignas(8) char scratch[EVENT_SCRATCH_BYTES];

	srand(1);
	for (int i = 0; i < 200000; i++) {
		size_t avail = rand() % 300;
		const struct ipct_hdr *h;
		int size;

		for (size_t j = 0; j < 160; j++)
			rec[j] = rand();
		((struct ipct_hdr *)rec)->kind = rand() % 12;
		((struct ipct_hdr *)rec)->size = rand() % 320;
		size = event__check(rec, avail);
		if (size < 0)
			continue;
		ck_assert_uint_ge(size, sizeof(*h));
		ck_assert_uint_le(size, avail);
		h = event__widen((struct ipct_hdr *)rec, scratch);
		if (h->kind == IPCT_KIND_TASK) {
			const struct ipct_task *t = (const struct ipct_task *)h;
			size_t used = (size_t)t->exe_len + t->args_len;

			ck_assert(used == 0 || sizeof(*t) + used <= (size_t)size);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("event/check");
	TCase *t = tcase_create("check");
	SRunner *r;
	int run, failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, whole_records_pass);
	tcase_add_test(t, torn_records_say_so);
	tcase_add_test(t, sizes_below_the_header_are_refused);
	tcase_add_test(t, inner_lengths_stay_inside);
	tcase_add_test(t, short_record_has_no_tail);
	tcase_add_test(t, unknown_kinds_pass);
	tcase_add_test(t, widen_fills_with_zeros);
	tcase_add_test(t, widen_leaves_long_records_alone);
	tcase_add_test(t, hostile_bytes);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	run = srunner_ntests_run(r);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
