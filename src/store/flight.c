/* SPDX-License-Identifier: GPL-2.0 */
#include "store/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "base/log.h"
#include "event/check.h"
#include "store/pack.h"

struct kept {
	struct kept *newer;
	struct store_frame_header head;
	uint64_t until_ns, lost;
	uint32_t stored_bytes;
	uint8_t stored[];
};

struct flight {
	uint64_t keep_ns, bytes_max, bytes;
	struct kept *oldest, *newest;
	struct state *state; /* as it was before the oldest */
	ZSTD_DCtx *zstd;
	uint8_t *raw;
};

struct flight *flight__new(uint64_t keep_ns, uint64_t bytes_max)
{
	struct flight *f = xalloc(sizeof(*f));

	*f = (struct flight){ .keep_ns = keep_ns, .bytes_max = bytes_max };
	f->state = state__new();
	f->raw = xalloc(STORE_RAW_BYTES_MAX);
	f->zstd = ZSTD_createDCtx();
	if (!f->zstd)
		log__out_of_memory();
	return f;
}

void state__frame(struct state *s, const uint8_t *raw, size_t bytes)
{
	static _Alignas(8) uint8_t scratch[UINT16_MAX + 1];
	struct pack *pack = xalloc(sizeof(*pack));
	struct unpacked got;
	int used;

	pack__begin(pack);
	for (; bytes && (used = unpack__next(pack, raw, bytes, scratch, &got)) > 0; bytes -= (size_t)used) {
		if (got.ev && event__check(got.ev, got.ev->size) > 0)
			state__event(s, got.ev);
		raw += used;
	}
	free(pack);
}

static void drop_oldest(struct flight *f)
{
	struct kept *k = f->oldest;
	size_t n = ZSTD_decompressDCtx(f->zstd, f->raw, STORE_RAW_BYTES_MAX, k->stored, k->stored_bytes);

	if (!ZSTD_isError(n))
		state__frame(f->state, f->raw, n);
	f->oldest = k->newer;
	if (!f->oldest)
		f->newest = NULL;
	f->bytes -= sizeof(*k) + k->stored_bytes;
	free(k);
}

void flight__push(struct flight *f, const struct store_frame_header *head, const void *stored,
		  uint32_t stored_bytes, uint64_t lost, uint64_t now_ns)
{
	struct kept *k = xalloc(sizeof(*k) + stored_bytes);

	k->head = *head;
	k->until_ns = now_ns;
	k->lost = lost;
	k->stored_bytes = stored_bytes;
	memcpy(k->stored, stored, stored_bytes);
	*(f->newest ? &f->newest->newer : &f->oldest) = k;
	f->newest = k;
	f->bytes += sizeof(*k) + stored_bytes;
	while (f->oldest != f->newest &&
	       (f->bytes > f->bytes_max || f->oldest->until_ns + f->keep_ns < now_ns))
		drop_oldest(f);
}

uint64_t flight__bytes(const struct flight *f)
{
	return f->bytes;
}

uint64_t flight__begin_ns(const struct flight *f)
{
	return f->oldest ? f->oldest->head.first_ns : 0;
}

int flight__write(struct flight *f, const char *path, bool private, const struct store_info *info)
{
	struct packer *packer = packer__new();
	struct store_info mine = *info;
	struct store_sums sums = { 0 };
	struct frames out;
	int ret = frames__open(&out, path, private);

	if (flight__begin_ns(f) > mine.start_ns)
		mine.start_ns = flight__begin_ns(f);
	if (!ret) {
		frames__begin(&out, packer, &mine);
		frames__put_state(&out, packer, f->state, mine.start_ns);
		for (const struct kept *k = f->oldest; k; k = k->newer) {
			frames__put(&out, &k->head, k->stored, k->stored_bytes);
			sums.events += k->head.event_cnt;
			sums.lost += k->lost;
			sums.end_ns = k->until_ns;
		}
		frames__end(&out, packer, &sums);
	}
	if (out.fd >= 0 && frames__close(&out) && !ret)
		ret = out.err;
	packer__free(packer);
	return ret;
}

void flight__free(struct flight *f)
{
	if (!f)
		return;
	for (struct kept *k = f->oldest, *newer; k; k = newer) {
		newer = k->newer;
		free(k);
	}
	state__free(f->state);
	ZSTD_freeDCtx(f->zstd);
	free(f->raw);
	free(f);
}
