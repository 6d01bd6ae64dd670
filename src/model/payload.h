/* SPDX-License-Identifier: GPL-2.0 */
/* What was in messages, as far as it was captured: by the call that moved it, for a while. */
#ifndef MODEL_PAYLOAD_H
#define MODEL_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct payload {
	const uint8_t *data; /* valid during the call that gets it */
	size_t len; /* bytes */
	bool truncated; /* there was more */
	bool hashed; /* data is a hash of the contents of the whole call, comparable within one trace */
};

struct payload_table;

struct payload_table *payload_table__new(void);
/* A call of thread tid that began at enter_ns moved total bytes, the first len of which are here (copied). */
void payload_table__add(struct payload_table *t, uint32_t tid, uint64_t enter_ns, uint64_t total,
			const struct payload *p);
/*
 * Of the call: all that was captured. False: nothing (any more: the table forgets the oldest when it has 64 MiB).
 */
bool payload_table__of_call(struct payload_table *t, uint32_t tid, uint64_t enter_ns, struct payload *out);
/* Of the next message that this call took, of so many bytes: calls can take several, in order. */
bool payload_table__next(struct payload_table *t, uint32_t tid, uint64_t enter_ns, uint64_t bytes,
			 struct payload *out);
void payload_table__free(struct payload_table *t);

#endif
