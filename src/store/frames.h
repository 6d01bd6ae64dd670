/* SPDX-License-Identifier: GPL-2.0 */
/* A recording's file as a row of frames, for those who write one: each is there as a whole, or not at all. */
#ifndef STORE_FRAMES_H
#define STORE_FRAMES_H

#include <stdbool.h>

#include "store/format.h"
#include "store/info.h"
#include "store/state.h"

struct packer; /* makes stored contents of raw ones */
struct packer *packer__new(void);
/* Valid until the next call; sets *stored_bytes. raw: at most STORE_RAW_BYTES_MAX. */
const void *packer__pack(struct packer *p, const void *raw, size_t bytes, uint32_t *stored_bytes);
void packer__free(struct packer *p);

struct frames {
	int fd; /* -1: none */
	int err; /* 0, or -errno of the first frame that could not be written: those after it are dropped */
	bool regular, made; /* an ordinary file; it was not there before */
	uint64_t bytes; /* whole frames */
	uint32_t seq;
};

/* path "-": standard output. private: only its owner may read it. What is there stays until frames__begin(). 0 or -errno. */
int frames__open(struct frames *f, const char *path, bool private);
void frames__begin(struct frames *f, struct packer *p, const struct store_info *info); /* header and INFO */
/* head: type, raw_bytes, event_cnt and times are set; the rest is done here. */
void frames__put(struct frames *f, const struct store_frame_header *head, const void *stored,
		 uint32_t stored_bytes);
void frames__put_state(struct frames *f, struct packer *p, struct state *state, uint64_t ts_ns);
void frames__end(struct frames *f, struct packer *p, const struct store_sums *sums);
int frames__close(struct frames *f); /* 0 or -errno, also of frames before */

#endif
