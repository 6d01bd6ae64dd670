/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/input.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct input {
	const struct options *opts;
	struct store_reader *reader;
	struct event_source *source;
};

struct input *input__open(const struct options *o, struct buf *err)
{
	struct input *in = xalloc(sizeof(*in));
	const struct store_info *info;

	in->opts = o;
	in->reader = store_reader__open(o->input, err);
	if (!in->reader) {
		free(in);
		return NULL;
	}
	info = store_reader__info(in->reader);
	in->source = store_source__new(in->reader);
	if (o->duration_ns < UINT64_MAX - info->start_ns)
		store_source__until(in->source, info->start_ns + o->duration_ns);
	return in;
}

struct event_source *input__source(struct input *in)
{
	return in->source;
}

const struct store_info *input__info(const struct input *in)
{
	return store_reader__info(in->reader);
}

uint32_t input__mechs(const struct input *in)
{
	return input__info(in)->mechs & in->opts->mechs;
}

bool input__scope(const struct input *in, struct select_opts *out)
{
	const struct store_info *i = input__info(in);

	_Static_assert(STORE_PIDS_MAX <= SELECT_PIDS_MAX, "what can be recorded can be selected");
	*out = (struct select_opts){
		.pid_cnt = i->pid_cnt,
		.follow = i->follow,
		.src = i->src,
		.dst = i->dst,
		.have_uid = i->have_uid,
		.have_cgroup = i->have_cgroup,
		.uid = i->uid,
		.cgroup = i->cgroup,
		.min_latency_ns = i->min_latency_ns,
		.min_bytes = i->min_bytes,
	};
	memcpy(out->pids, i->pids, i->pid_cnt * sizeof(out->pids[0]));
	return i->pid_cnt || i->src || i->dst || i->have_uid || i->have_cgroup || i->min_latency_ns ||
	       i->min_bytes;
}

uint64_t input__end_ns(const struct input *in)
{
	const struct store_health *h = store_reader__health(in->reader);

	uint64_t end_ns = h->complete && h->sums.end_ns ? h->sums.end_ns : h->last_ns;

	return end_ns > input__info(in)->start_ns ? end_ns : input__info(in)->start_ns;
}

bool input__tell(const struct input *in)
{
	struct buf sentence = { 0 };
	bool damaged = store_reader__tell(in->reader, &sentence);
	uint32_t dropped = store_reader__dropped_files(in->reader);

	if (dropped)
		log__info("%s is what is left of a longer recording: the first %u of its files are gone",
			  in->opts->input, dropped);

	if (damaged)
		log__warn("%s", buf__cstr(&sentence));
	buf__free(&sentence);
	return damaged;
}

void input__close(struct input *in)
{
	if (!in)
		return;
	in->source->close(in->source);
	store_reader__close(in->reader);
	free(in);
}
