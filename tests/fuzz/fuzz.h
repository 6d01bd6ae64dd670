/* SPDX-License-Identifier: GPL-2.0 */
/* What the targets share: events checked, put in order, and decoded, as cmd/pipeline.c does before the model gets them. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdlib.h>

#include "event/check.h"
#include "event/order.h"
#include "event/source.h"
#include "mech/mech.h"

struct fuzz {
	struct order *order;
	struct decoded decoded;
	_Alignas(8) char scratch[EVENT_SCRATCH_BYTES];
};

static inline void fuzz__push(void *ctx, const struct ipct_hdr *ev)
{
	order__push(((struct fuzz *)ctx)->order, ev);
}

static inline void fuzz__decode(void *ctx, const struct ipct_hdr *ev)
{
	struct fuzz *f = ctx;
	volatile char sum = 0;

	mech__decode(event__widen(ev, f->scratch), &f->decoded);
	/* What a decoded event points to must be there. */
	if (f->decoded.what == DECODED_OBJECT)
		for (size_t i = 0; i < f->decoded.object.name_len; i++)
			sum += f->decoded.object.name[i];
	if (f->decoded.what == DECODED_TASK)
		for (size_t i = 0; i < f->decoded.task.args_len; i++)
			sum += f->decoded.task.args[i];
	if (f->decoded.what == DECODED_PASS)
		for (size_t i = 0; i < f->decoded.pass.name_len; i++)
			sum += f->decoded.pass.name[i];
}

static inline void fuzz__look(struct event_source *source)
{
	struct fuzz *f = calloc(1, sizeof(*f));
	uint64_t watermark_ns;

	f->order = order__new();
	while (source->poll(source, 0, fuzz__push, f, &watermark_ns) >= 0)
		order__release(f->order, watermark_ns, SIZE_MAX, fuzz__decode, f);
	order__release(f->order, UINT64_MAX, SIZE_MAX, fuzz__decode, f);
	order__free(f->order);
	free(f);
}

#endif
