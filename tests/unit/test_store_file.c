/* SPDX-License-Identifier: GPL-2.0 */
/* Recordings on disk: written, read, torn, damaged, of other versions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "store/format.h"
#include "store/reader.h"
#include "store/writer.h"
#include "suite.h"

#define ROUNDS 6
#define PER_ROUND 50

static char path[64];

struct file {
	uint8_t *data;
	size_t len;
};

static void write_events(struct store_writer *w)
{
	struct ipct_pipe_io io = { .h = { .kind = IPCT_KIND_PIPE_IO,
					  .size = sizeof(io),
					  .mech = IPCT_MECH_PIPE,
					  .pid = 7,
					  .tid = 7 } };

	for (unsigned int r = 0; r < ROUNDS; r++) {
		for (unsigned int i = 0; i < PER_ROUND; i++) {
			io.h.ts_ns += 1000000;
			io.key = io.h.ts_ns * 0x9e3779b97f4a7c15ull; /* so that there is something to store */
			store_writer__event(w, &io.h);
		}
		store_writer__round(w, (r + 1) * 1000000000ull + 10); /* a frame each */
	}
}

static struct file slurp(void)
{
	struct file f = { .data = malloc(1 << 20) };
	FILE *in = fopen(path, "r");

	f.len = fread(f.data, 1, 1 << 20, in);
	fclose(in);
	return f;
}

static void put(const void *data, size_t len)
{
	FILE *out = fopen(path, "w");

	ck_assert_uint_eq(fwrite(data, 1, len, out), len);
	fclose(out);
}

static struct file recorded(void)
{
	struct store_info info = { .tool = "t",
				   .host = "h",
				   .mechs = 1 << IPCT_MECH_PIPE,
				   .pids = { 3, 4 },
				   .pid_cnt = 2,
				   .boot_to_wall_ns = -5,
				   .src = "x*",
				   .follow = true };
	struct buf err = { 0 };
	struct store_writer *w;

	snprintf(path, sizeof(path), "/tmp/ipctrace-test-%d", getpid());
	w = store_writer__new(path, false, &err);
	ck_assert_ptr_nonnull(w);
	store_writer__begin(w, &info);
	write_events(w);
	ck_assert_int_eq(store_writer__finish(w, &err), 0);
	store_writer__free(w);
	return slurp();
}

struct sums {
	unsigned int events, rounds, lost;
	uint64_t watermark_ns;
	struct store_health health;
};

static void count(void *ctx, const struct ipct_hdr *ev)
{
	struct sums *s = ctx;

	if (ev->kind == IPCT_KIND_LOST)
		s->lost += ((const struct ipct_lost *)ev)->count;
	else
		s->events++;
}

/* False: it cannot even be opened. */
static bool read_all(struct sums *s)
{
	struct buf err = { 0 };
	struct store_reader *r = store_reader__open(path, &err);
	struct event_source *source;
	uint64_t watermark_ns;

	*s = (struct sums){ 0 };
	if (!r) {
		EXPECT(err.len > 0);
		buf__free(&err);
		return false;
	}
	source = store_source__new(r);
	while (source->poll(source, 0, count, s, &watermark_ns) >= 0) {
		s->rounds++;
		s->watermark_ns = watermark_ns;
	}
	s->health = *store_reader__health(r);
	EXPECT(store_reader__tell(r, &err) == (err.len > 0));
	source->close(source);
	store_reader__close(r);
	buf__free(&err);
	return true;
}

START_TEST(whole)
{
	struct file f = recorded();
	struct buf err = { 0 };
	struct store_reader *r;
	struct sums s;

	EXPECT(read_all(&s));
	ck_assert_uint_eq(s.events, ROUNDS * PER_ROUND);
	ck_assert_uint_eq(s.rounds, ROUNDS);
	ck_assert_uint_eq(s.watermark_ns, ROUNDS * 1000000000ull + 10);
	EXPECT(s.health.complete && !s.health.missing_frames && !s.health.damaged_bytes);
	ck_assert_uint_eq(s.health.sums.events, ROUNDS * PER_ROUND);
	r = store_reader__open(path, &err);
	ck_assert_str_eq(store_reader__info(r)->host, "h");
	ck_assert_str_eq(store_reader__info(r)->src, "x*");
	ck_assert_int_eq(store_reader__info(r)->boot_to_wall_ns, -5);
	EXPECT(store_reader__info(r)->pid_cnt == 2 && store_reader__info(r)->pids[1] == 4);
	EXPECT(store_reader__info(r)->follow && !store_reader__info(r)->dst);
	store_reader__close(r);
	free(f.data);
	unlink(path);
}
END_TEST

/* A file that ends anywhere has every event of its whole frames, and is known not to be whole. */
START_TEST(torn_anywhere)
{
	struct file f = recorded();
	unsigned int events = 0;
	struct sums s;

	for (size_t cut = 0; cut < f.len; cut++) {
		put(f.data, cut);
		if (!read_all(&s))
			continue;
		EXPECT(!s.health.complete && s.events >= events &&
		       s.events / PER_ROUND * PER_ROUND == s.events);
		EXPECT(!s.lost);
		events = s.events;
	}
	ck_assert_uint_eq(events, ROUNDS * PER_ROUND);
	free(f.data);
	unlink(path);
}
END_TEST

/* One bad byte costs one frame at most, and the loss is told. */
START_TEST(one_bad_byte)
{
	struct file f = recorded();
	unsigned int tried = 0, noticed = 0;
	struct sums s;

	for (size_t at = 0; at < f.len; at += 3) {
		f.data[at] ^= 0x40;
		put(f.data, f.len);
		if (read_all(&s)) {
			EXPECT(s.events >= (ROUNDS - 1) * PER_ROUND);
			EXPECT(s.events == ROUNDS * PER_ROUND || s.lost > 0);
			/* Bits of zstd's own headers may not matter: then the contents' checksum says so. */
			noticed += s.health.missing_frames || s.health.damaged_bytes || !s.health.complete;
			tried++;
		} else {
			EXPECT(at < 24 + 48 + 200);
		}
		f.data[at] ^= 0x40;
	}
	ck_assert_uint_gt(noticed * 100, tried * 99);
	free(f.data);
	unlink(path);
}
END_TEST

/* Bytes that are gone or too many in the middle cost the frames that they touch. */
START_TEST(bytes_gone_or_added)
{
	struct file f = recorded();
	size_t middle = f.len / 2;
	struct sums s;

	memmove(f.data + middle, f.data + middle + 10, f.len - middle - 10);
	put(f.data, f.len - 10);
	EXPECT(read_all(&s));
	EXPECT(s.health.complete && s.events == (ROUNDS - 1) * PER_ROUND && s.lost == PER_ROUND);
	free(f.data);
	f = recorded();
	memmove(f.data + middle + 10, f.data + middle, f.len - middle);
	put(f.data, f.len + 10);
	EXPECT(read_all(&s));
	EXPECT(s.health.complete && s.events == (ROUNDS - 1) * PER_ROUND && s.lost == PER_ROUND);
	free(f.data);
	unlink(path);
}
END_TEST

static void set_version(struct file *f, uint16_t major, uint16_t minor)
{
	struct store_file_header head;

	memcpy(&head, f->data, sizeof(head));
	head.major = major;
	head.minor = minor;
	head.crc = (uint32_t)crc32(0, (const void *)&head, offsetof(struct store_file_header, crc));
	memcpy(f->data, &head, sizeof(head));
	put(f->data, f->len);
}

START_TEST(other_versions)
{
	struct file f = recorded();
	struct store_frame_header head;
	struct sums s;

	set_version(&f, STORE_MAJOR + 1, 0);
	EXPECT(!read_all(&s));
	set_version(&f, STORE_MAJOR, 99);
	EXPECT(read_all(&s) && s.events == ROUNDS * PER_ROUND);
	/* A later minor version may have frames of its own: what is of an unknown type is skipped, and nothing is missing. */
	for (size_t at = f.len - sizeof(head); at > 0; at--) {
		memcpy(&head, f.data + at, sizeof(head));
		if (head.magic != STORE_FRAME_MAGIC || head.type != STORE_FRAME_EVENTS)
			continue;
		head.type = 99;
		head.crc = (uint32_t)crc32(0, (const void *)&head, offsetof(struct store_frame_header, crc));
		memcpy(f.data + at, &head, sizeof(head));
		break;
	}
	put(f.data, f.len);
	EXPECT(read_all(&s) && s.events == (ROUNDS - 1) * PER_ROUND && s.health.complete);
	EXPECT(!s.lost && !s.health.missing_frames);
	free(f.data);
	unlink(path);
}
END_TEST

START_TEST(full_disk)
{
	struct store_info info = { 0 };
	struct buf err = { 0 };
	struct store_writer *w = store_writer__new("/dev/full", false, &err);

	ck_assert_ptr_nonnull(w);
	store_writer__begin(w, &info);
	write_events(w);
	ck_assert_int_eq(store_writer__error(w), -ENOSPC);
	ck_assert_int_eq(store_writer__finish(w, &err), -ENOSPC);
	EXPECT(err.len > 0);
	store_writer__free(w);
	buf__free(&err);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = { whole,	       torn_anywhere, one_bad_byte, bytes_gone_or_added,
				       other_versions, full_disk };

	return SUITE_RUN("store/file", tests);
}
