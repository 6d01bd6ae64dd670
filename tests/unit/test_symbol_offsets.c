/* SPDX-License-Identifier: GPL-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "suite.h"
#include "symbol/symbol.h"

START_TEST(where_libc_has_its_functions)
{
	uint64_t offsets[8], addr;
	const struct link_map *lib;
	bool found = false;
	Dl_info info;
	int cnt;

	ck_assert(dladdr1((void *)sem_post, &info, (void **)&lib, RTLD_DL_LINKMAP));
	addr = (uintptr_t)dlsym(RTLD_DEFAULT, "sem_post") - lib->l_addr;
	cnt = symbol__offsets(info.dli_fname, "sem_post", offsets, 8);
	ck_assert_int_ge(cnt, 1);
	for (int i = 0; i < cnt; i++)
		found |= offsets[i] % 4096 == addr % 4096; /* segments are mapped by pages */
	ck_assert(found);
	ck_assert_int_eq(symbol__offsets(info.dli_fname, "sem_pos", offsets, 8), 0);
}
END_TEST

START_TEST(more_than_there_is_room_for)
{
	uint64_t offset = 0;
	Dl_info info;

	ck_assert(dladdr((void *)sem_post, &info));
	ck_assert_int_eq(symbol__offsets(info.dli_fname, "sem_post", &offset, 1), 1);
	ck_assert_uint_ne(offset, 0);
}
END_TEST

START_TEST(what_is_no_library)
{
	uint64_t offset;

	ck_assert_int_eq(symbol__offsets("/etc/passwd", "sem_post", &offset, 1), -ENOEXEC);
	ck_assert_int_eq(symbol__offsets("/nowhere", "sem_post", &offset, 1), -ENOENT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { where_libc_has_its_functions, more_than_there_is_room_for,
				       what_is_no_library };

	return SUITE_RUN("symbol_offsets", tests);
}
