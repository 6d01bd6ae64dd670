/* SPDX-License-Identifier: GPL-2.0 */
/* For tests of the model: a sink that remembers, and operations in one line. */
#ifndef TESTS_MODEL_KIT_H
#define TESTS_MODEL_KIT_H

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"

#ifdef __SANITIZE_ADDRESS__
size_t __sanitizer_get_current_allocated_bytes(void); /* gcc does not come with its header */
#endif

#define MS 1000000ull
#define KIT_MESSAGES_MAX 4096

struct kit_message {
	struct message m;
	struct op op;
};

struct kit {
	struct model *m;
	struct kit_message got[KIT_MESSAGES_MAX];
	size_t cnt;
	size_t op_cnt;
};

/* What is allocated now. */
static inline size_t kit__heap_bytes(void)
{
#ifdef __SANITIZE_ADDRESS__
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

static inline void kit__on_message(void *ctx, const struct message *m)
{
	struct kit *k = ctx;

	if (k->cnt == KIT_MESSAGES_MAX)
		abort();
	k->got[k->cnt].m = *m;
	k->got[k->cnt++].op = *m->op;
}

static inline void kit__on_op(void *ctx, const struct op *op, struct channel *ch, const struct party *task)
{
	((struct kit *)ctx)->op_cnt++;
}

static inline void kit__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	snprintf(buf, size, "obj:[%u]", (unsigned int)key.id);
}

static inline struct kit *kit__new_settling(uint64_t settle_ns)
{
	struct kit *k = calloc(1, sizeof(*k));
	struct model_opts opts = { .object_name = kit__object_name, .settle_ns = settle_ns };
	struct model_sink sink = { .ctx = k, .message = kit__on_message, .op = kit__on_op };

	k->m = model__new(&opts, &sink);
	return k;
}

static inline struct kit *kit__new(void)
{
	return kit__new_settling(0);
}

static inline void kit__free(struct kit *k)
{
	model__free(k->m);
	free(k);
}

static inline struct obj_key kit__key(uint64_t id)
{
	return (struct obj_key){ .id = id, .space = id ? 1 : 0 };
}

static inline void kit__fork(struct kit *k, uint64_t ts_ns, uint32_t pid, uint32_t ppid, const char *comm)
{
	struct task_info info = {
		.ts_ns = ts_ns, .start_ns = ts_ns, .pid = pid, .tid = pid, .ppid = ppid, .what = TASK_FORK
	};

	strncpy(info.comm, comm, sizeof(info.comm) - 1);
	model__task(k->m, &info);
}

static inline void kit__exit(struct kit *k, uint64_t ts_ns, uint32_t pid, int32_t exit_code)
{
	struct task_info info = { .ts_ns = ts_ns,
				  .pid = pid,
				  .tid = pid,
				  .what = TASK_EXIT,
				  .group_dead = true,
				  .exit_code = exit_code };

	model__task(k->m, &info);
}

static inline void kit__name(struct kit *k, uint64_t id, uint8_t mech, const char *name)
{
	struct object_info info = {
		.key = kit__key(id), .mech = mech, .name = name, .name_len = strlen(name)
	};

	model__object(k->m, &info);
}

static inline struct channel *kit__channel(struct kit *k, const char *name)
{
	struct graph *g = model__graph(k->m);

	for (size_t i = 0; i < g->channels.cnt; i++)
		if (!strcmp(g->channels.v[i]->name, name))
			return g->channels.v[i];
	return NULL;
}

static inline struct end *kit__end(struct kit *k, uint32_t pid, const char *role)
{
	struct graph *g = model__graph(k->m);

	for (size_t i = 0; i < g->ends.cnt; i++)
		if (g->ends.v[i]->proc->pid == pid && !strcmp(g->ends.v[i]->role, role))
			return g->ends.v[i];
	return NULL;
}

static inline struct flow *kit__flow(struct kit *k, uint32_t src, uint32_t dst)
{
	struct graph *g = model__graph(k->m);

	for (size_t i = 0; i < g->flows.cnt; i++) {
		struct flow *f = g->flows.v[i];

		if ((f->src ? f->src->pid : 0) == src && f->dst->pid == dst)
			return f;
	}
	return NULL;
}

static inline uint64_t kit__random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
