/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A flight recorder's memory: the frames of the last seconds, within a bound. Of what is too old for it, only what a reader
 * has to know stays (store/state.h).
 */
#ifndef STORE_FLIGHT_H
#define STORE_FLIGHT_H

#include "store/frames.h"

struct flight;

struct flight *flight__new(uint64_t keep_ns, uint64_t bytes_max);
/* A frame of events (copied), which goes up to now_ns and lost so many. */
void flight__push(struct flight *f, const struct store_frame_header *head, const void *stored,
		  uint32_t stored_bytes, uint64_t lost, uint64_t now_ns);
/* Writes what there is, as a recording that is complete. info: of the whole trace. 0 or -errno. */
int flight__write(struct flight *f, const char *path, bool private, const struct store_info *info);
uint64_t flight__bytes(const struct flight *f); /* that it has now */
uint64_t flight__begin_ns(const struct flight *f); /* since when; 0: it is empty */
void flight__free(struct flight *f);

/* Feeds the events of a frame's contents to the state. */
void state__frame(struct state *s, const uint8_t *raw, size_t bytes);

#endif
