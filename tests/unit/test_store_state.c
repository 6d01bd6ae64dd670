// SPDX-License-Identifier: GPL-2.0
/* What a recording that begins in the middle has to know; and files that follow one another. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/reader.h"
#include "store/state.h"
#include "store/writer.h"
#include "suite.h"

static void put_task(struct state *s, uint8_t what, uint32_t pid, uint32_t ppid, const char *exe)
{
	struct {
		struct ipct_task ev;
		char exe[16];
	} t = { .ev = { .h = { .ts_ns = 5, .kind = IPCT_KIND_TASK, .pid = pid, .tid = pid },
			.what = what,
			.ppid = ppid,
			.group_dead = what == IPCT_TASK_EXIT } };

	t.ev.exe_len = (uint16_t)strlen(exe);
	memcpy(t.exe, exe, strlen(exe));
	t.ev.h.size = (uint16_t)(sizeof(t.ev) + t.ev.exe_len);
	state__event(s, &t.ev.h);
}

static void put_pipe(struct state *s, uint64_t key)
{
	struct ipct_object o = {
		.h = { .ts_ns = 5, .kind = IPCT_KIND_OBJECT, .size = sizeof(o), .mech = IPCT_MECH_PIPE },
		.key = key,
		.what = IPCT_OBJECT_NEW,
		.fill_bytes = 0
	};

	state__event(s, &o.h);
}

/* What is given, as text: kind, pid, what it is, its executable. */
static void note(void *ctx, const struct ipct_hdr *ev)
{
	const struct ipct_task *t = (const void *)ev;
	char *text = ctx;

	ck_assert_uint_eq(ev->ts_ns, 77);
	if (ev->kind == IPCT_KIND_TASK)
		sprintf(text + strlen(text), "%u%c%.*s ", ev->pid,
			t->what == IPCT_TASK_FORK   ? 'f'
			: t->what == IPCT_TASK_SCAN ? 's'
						    : 'x',
			t->exe_len, (const char *)(t + 1));
	else
		sprintf(text + strlen(text), "o ");
}

static const char *given(struct state *s)
{
	static char text[1000];

	text[0] = '\0';
	state__give(s, 77, note, text);
	return text;
}

START_TEST(tasks)
{
	struct state *s = state__new();

	put_task(s, IPCT_TASK_SCAN, 1, 0, "init");
	put_task(s, IPCT_TASK_FORK, 2, 1, "");
	put_task(s, IPCT_TASK_FORK, 3, 2, "");
	put_task(s, IPCT_TASK_FORK, 4, 1, "");
	put_task(s, IPCT_TASK_EXEC, 2, 0, "sh");
	put_task(s, IPCT_TASK_EXIT, 4, 0, "");
	ck_assert_str_eq(given(s), "1sinit 2fsh 3finit "); /* 3 was forked before its parent's exec */
	put_task(s, IPCT_TASK_EXIT, 2, 0, "");
	ck_assert_str_eq(given(s), "1sinit 2fsh 3finit 2x "); /* a living one descends from it */
	put_task(s, IPCT_TASK_EXIT, 3, 0, "");
	ck_assert_str_eq(given(s), "1sinit ");
	state__free(s);
}
END_TEST

START_TEST(objects)
{
	struct state *s = state__new();

	put_pipe(s, 1);
	put_pipe(s, 2);
	put_pipe(s, 1);
	ck_assert_str_eq(given(s), "o o ");
	for (uint64_t i = 0; i < 200000; i++)
		put_pipe(s, i);
	state__free(s);
}
END_TEST

/* ---- files ---- */

static char path[64];

static struct store_writer *begin(struct store_limits limits)
{
	const struct store_info info = { .tool = "t", .mechs = 2, .start_ns = 1 };
	struct buf err = { 0 };
	struct store_writer *w;

	snprintf(path, sizeof(path), "/tmp/ipctrace-test-%d", getpid());
	w = store_writer__new(path, false, &err);
	ck_assert_ptr_nonnull(w);
	store_writer__limit(w, &limits);
	store_writer__begin(w, &info);
	return w;
}

/* A round per second, with so many events that do not compress. */
static void write_rounds(struct store_writer *w, unsigned int from, unsigned int to, unsigned int events)
{
	struct ipct_pipe_io io = {
		.h = { .kind = IPCT_KIND_PIPE_IO, .size = sizeof(io), .mech = 1, .pid = 7, .tid = 7 }
	};

	static uint64_t noise = 88172645463325252ull; /* xorshift64 */

	for (unsigned int r = from; r < to; r++) {
		for (unsigned int i = 0; i < events; i++) {
			io.h.ts_ns = r * 1000000000ull + i + 1;
			noise ^= noise << 13;
			noise ^= noise >> 7;
			noise ^= noise << 17;
			io.key = noise;
			io.s_addr = noise * noise;
			store_writer__event(w, &io.h);
		}
		store_writer__round(w, (r + 1) * 1000000000ull);
	}
}

static void count(void *ctx, const struct ipct_hdr *ev)
{
	*(unsigned int *)ctx += ev->kind == IPCT_KIND_PIPE_IO;
}

/* Events of the recording at `name`; -1: it is not whole. */
static int events_of(const char *name, uint32_t *dropped)
{
	struct buf err = { 0 }, sentence = { 0 };
	struct store_reader *r = store_reader__open(name, &err);
	struct event_source *s;
	unsigned int cnt = 0;
	uint64_t watermark_ns;
	bool damaged;

	ck_assert_msg(r != NULL, "%s", buf__cstr(&err));
	s = store_source__new(r);
	while (s->poll(s, 0, count, &cnt, &watermark_ns) >= 0)
		;
	damaged = store_reader__tell(r, &sentence);
	*dropped = store_reader__dropped_files(r);
	s->close(s);
	store_reader__close(r);
	buf__free(&sentence);
	return damaged ? -1 : (int)cnt;
}

static bool exists(unsigned int file)
{
	char name[80];

	snprintf(name, sizeof(name), "%s.%u", path, file);
	return !access(name, F_OK);
}

static void clean(void)
{
	char name[80];

	unlink(path);
	for (unsigned int i = 1; i < 100; i++) {
		snprintf(name, sizeof(name), "%s.%u", path, i);
		unlink(name);
	}
}

START_TEST(rotated)
{
	struct store_writer *w = begin((struct store_limits){ .file_bytes = 256 << 10 });
	struct buf err = { 0 };
	uint32_t dropped, files;
	char name[80];

	write_rounds(w, 0, 30, 4000);
	ck_assert_int_eq(store_writer__finish(w, &err), 0);
	files = store_writer__files(w);
	ck_assert_uint_gt(files, 5);
	store_writer__free(w);
	ck_assert_int_eq(events_of(path, &dropped), 30 * 4000);
	ck_assert_uint_eq(dropped, 0);
	snprintf(name, sizeof(name), "%s.2", path); /* one alone */
	ck_assert_int_gt(events_of(name, &dropped), 0);
	snprintf(name, sizeof(name), "%s.%u", path, files - 2);
	ck_assert_int_eq(truncate(name, 1000), 0); /* torn in the middle */
	ck_assert_int_eq(events_of(path, &dropped), -1);
	unlink(name); /* what lies before is not reached any more */
	ck_assert_int_gt(events_of(path, &dropped), 0);
	ck_assert_uint_eq(dropped, files - 2);
	clean();
}
END_TEST

START_TEST(only_the_last_files)
{
	struct store_writer *w = begin((struct store_limits){ .file_bytes = 256 << 10, .files = 3 });
	struct buf err = { 0 };
	uint32_t dropped;

	write_rounds(w, 0, 30, 4000);
	ck_assert_int_eq(store_writer__finish(w, &err), 0);
	ck_assert_uint_eq(store_writer__files(w), 3);
	store_writer__free(w);
	ck_assert_int_gt(events_of(path, &dropped), 0);
	ck_assert_uint_gt(dropped, 3);
	ck_assert(exists(dropped + 1) && exists(dropped + 2) && !exists(dropped) && !exists(dropped + 3));
	clean();
}
END_TEST

START_TEST(kept)
{
	struct store_writer *w =
		begin((struct store_limits){ .file_bytes = 64 << 20, .keep_ns = 5000000000ull });
	struct buf err = { 0 };
	uint32_t dropped;

	ck_assert_int_ne(access(path, F_OK), 0); /* nothing is written before it is asked for */
	write_rounds(w, 0, 30, 100);
	ck_assert_int_eq(store_writer__dump(w, path, &err), 0);
	ck_assert_int_eq(events_of(path, &dropped), 6 * 100);
	write_rounds(w, 30, 32, 100);
	ck_assert_int_eq(store_writer__dump(w, path, &err), 0);
	ck_assert_int_eq(events_of(path, &dropped), 6 * 100);
	ck_assert_int_lt(store_writer__dump(w, "/nonexistent/x", &err), 0);
	store_writer__free(w);
	buf__free(&err);
	clean();
}
END_TEST

START_TEST(kept_within_its_bound)
{
	struct store_writer *w =
		begin((struct store_limits){ .file_bytes = 256 << 10, .keep_ns = 1000000000000ull });
	struct buf err = { 0 };
	uint32_t dropped;

	write_rounds(w, 0, 50, 4000);
	ck_assert_uint_le(store_writer__bytes(w), 256 << 10);
	ck_assert_int_eq(store_writer__dump(w, path, &err), 0);
	ck_assert_int_gt(events_of(path, &dropped), 4000);
	ck_assert_int_lt(events_of(path, &dropped), 50 * 4000);
	store_writer__free(w);
	clean();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { tasks,	objects,
				       rotated, only_the_last_files,
				       kept,	kept_within_its_bound };

	return SUITE_RUN("store/state", tests);
}
