/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which channel an object belongs to. Several objects may share one: connections to one listener.
 *
 * An object's name may come after its first operations. From then on its operations go to the channel of
 * that name. What went before moves along (renamed, or added to a channel that has the name already) only if
 * the old name was the fallback and no other object used it; a name that was once told stays true for its time:
 * keys are reused, and the next object under a key is another one.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/aged.h"
#include "model/model_impl.h"

#define OBJECTS_NAMED_MAX 16384

struct object *objects__used(struct model *m, uint8_t mech, struct obj_key key)
{
	struct object *o;

	if (!key.id && !key.space)
		return NULL;
	o = map__get(&m->objects, key.id, key.space);
	if (o)
		return o;
	o = xalloc(sizeof(*o));
	o->key = key;
	o->mech = mech;
	map__set(&m->objects, key.id, key.space, o);
	return o;
}

static void join(struct object *o, struct channel *ch)
{
	ch->object_cnt++;
	if (o->capacity_bytes)
		ch->capacity_bytes = o->capacity_bytes;
	o->channel = ch;
}

static struct channel *fallback_channel(struct model *m, uint8_t mech, struct obj_key key)
{
	char name[768] = "?";
	struct channel *ch;
	size_t before = m->graph.channels.cnt;

	if (m->opts.object_name)
		m->opts.object_name(mech, key, name, sizeof(name));
	ch = graph__channel(&m->graph, mech, name, strlen(name));
	if (m->graph.channels.cnt != before)
		ch->fallback = true;
	return ch;
}

struct channel *object__channel(struct model *m, struct object *o, uint8_t mech)
{
	if (!o)
		return NULL;
	o->channel = channel__resolve(o->channel);
	if (o->channel)
		return o->channel;
	o->mech = mech;
	if (o->name) {
		join(o, graph__channel(&m->graph, mech, o->name, strlen(o->name)));
		o->channel->fallback = false;
	} else {
		join(o, fallback_channel(m, mech, o->key));
	}
	return o->channel;
}

struct channel *objects__channel(struct model *m, uint8_t mech, struct obj_key key)
{
	return object__channel(m, objects__used(m, mech, key), mech);
}

static void move(struct model *m, struct object *o)
{
	struct channel *old = channel__resolve(o->channel);

	o->channel = NULL;
	if (!old)
		return;
	if (old->fallback && old->object_cnt == 1 && old->mech == o->mech) {
		o->channel = graph__rename(&m->graph, old, o->name, strlen(o->name));
		o->channel->fallback = false;
		return;
	}
	old->object_cnt--;
}

void objects__learn(struct model *m, const struct object_info *info)
{
	struct object *o = objects__used(m, info->mech, info->key);
	const char *name;

	if (!o)
		return;
	o->last_ns = info->ts_ns;
	o->channel = channel__resolve(o->channel);
	if (info->mech)
		o->mech = info->mech;
	if (info->nr)
		o->nr = info->nr;
	if (info->capacity_bytes) {
		o->capacity_bytes = info->capacity_bytes;
		if (o->channel)
			o->channel->capacity_bytes = info->capacity_bytes;
	}
	if (!info->name_len)
		return;
	name = strtab__intern(&m->graph.names, info->name, info->name_len);
	if (o->name == name)
		return;
	o->name = name;
	if (!o->channel || o->channel->name != name)
		move(m, o);
	else
		o->channel->fallback = false;
}

struct channel *objects__channel_of(struct model *m, uint8_t mech, struct obj_key key, uint32_t nr,
				    const char *name)
{
	const struct object *o = nr && name ? map__get(&m->objects, key.id, key.space) : NULL;

	if (!nr || !name || (o && o->name && (!o->nr || o->nr == nr)))
		return objects__channel(m, mech, key);
	return graph__channel(&m->graph, mech, name, strlen(name));
}

/* Without a name the object can be made again at its next use; a name nobody tells twice. */
void objects__forget(struct model *m)
{
	VEC(struct object *) gone = { 0 };
	aged_list named = { 0 };
	size_t cnt;

	map__for_each(&m->objects, slot) {
		struct object *o = slot->val;

		if (o->channel && o->channel->merged && channel__resolve(o->channel)->folded_cnt) {
			if (o->channel->last_ns > o->last_ns)
				o->last_ns = o->channel->last_ns;
			o->channel = NULL;
		}
		o->channel = channel__resolve(o->channel);
		if (!o->kept && !o->channel && !o->name)
			vec__push(&gone, o);
		else if (!o->kept && !o->channel)
			vec__push(&named, ((struct aged){ o->last_ns, o }));
	}
	cnt = aged__first(&named, named.cnt, OBJECTS_NAMED_MAX);
	for (size_t i = 0; i < cnt; i++)
		vec__push(&gone, named.v[i].what);
	for (size_t i = 0; i < gone.cnt; i++) {
		map__del(&m->objects, gone.v[i]->key.id, gone.v[i]->key.space);
		free(gone.v[i]);
	}
	vec__free(&gone);
	vec__free(&named);
}

void objects__free(struct model *m)
{
	map__for_each(&m->objects, slot)
		free(slot->val);
	map__free(&m->objects);
}
