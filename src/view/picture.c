/* SPDX-License-Identifier: GPL-2.0 */
#include "view/picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "view/graphs.h"
#include "view/group.h"
#include "view/label.h"
#include "view/spokes.h"

const char *node_kind__name(enum node_kind kind)
{
	static const char *const names[NODE_KIND_CNT] = { "process", "channel", "kernel", "unknown" };

	return names[kind];
}

const char *link_kind__name(enum link_kind kind)
{
	static const char *const names[LINK_KIND_CNT] = { "end", "flow", "share", "parent" };

	return names[kind];
}

static const char *keep(struct picture *p, const struct buf *text)
{
	return strtab__intern(&p->texts, text->data ? text->data : "", text->len);
}

static const char *keep_str(struct picture *p, const char *text)
{
	return strtab__intern(&p->texts, text, strlen(text));
}

/* ---- nodes ---- */

static void add_node(struct picture *p, struct node n)
{
	n.id = keep_str(p, n.id);
	vec__push(&p->nodes, n);
	/* index + 1: NULL is no value */
	map__set(&p->by_id, (uintptr_t)n.id, 0, (void *)(uintptr_t)p->nodes.cnt);
}

/* Every id that is asked for was added. */
static size_t node_of(struct picture *p, const char *id)
{
	return (size_t)(uintptr_t)map__get(&p->by_id, (uintptr_t)keep_str(p, id), 0) - 1;
}

static size_t side_of(struct picture *p, const struct proc *proc, const char *origin)
{
	char id[LABEL_ID_BYTES];

	return node_of(p, label__side_id(proc, origin, id));
}

static const char *group_of(struct picture *p, const struct proc *proc, const struct view_names *names)
{
	struct buf text = { 0 };
	const char *group;

	if (!p->sorted.opts->group)
		return NULL;
	group__put(&text, p->sorted.opts->group, proc, names);
	group = keep(p, &text);
	buf__free(&text);
	for (size_t i = 0; i < p->groups.cnt; i++)
		if (p->groups.v[i] == group)
			return group;
	vec__push(&p->groups, group);
	return group;
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void add_processes(struct picture *p, const struct view_names *names)
{
	const struct sorted *s = &p->sorted;
	char id[LABEL_ID_BYTES];

	if (s->kernel)
		add_node(p, (struct node){
				    .kind = NODE_KERNEL, .id = "kernel", .members = 1, .takes_part = true });
	if (s->unknown)
		add_node(p,
			 (struct node){
				 .kind = NODE_UNKNOWN, .id = "unknown", .members = 1, .takes_part = true });
	for (size_t i = 0; i < s->procs.cnt; i++) {
		const struct proc *proc = s->procs.v[i];

		add_node(p, (struct node){
				    .kind = NODE_PROCESS,
				    .id = label__proc_id(proc, id),
				    .proc = proc,
				    .members = fold__members(&s->fold, proc),
				    .takes_part = s->takes_part[proc->id],
				    .group = group_of(p, proc, names),
			    });
	}
	if (p->groups.cnt)
		qsort(p->groups.v, p->groups.cnt, sizeof(*p->groups.v), by_text);
}

/* A channel's group is that of its partners, where they agree. By channel.id; to be freed. */
static const char **channel_groups(const struct picture *p)
{
	const char **by_proc = xalloc((p->sorted.proc_cnt + 1) * sizeof(*by_proc));
	const char **groups = xalloc((p->sorted.channel_cnt + 1) * sizeof(*groups));
	bool *mixed = xalloc(p->sorted.channel_cnt + 1);

	for (size_t i = 0; i < p->nodes.cnt; i++)
		if (p->nodes.v[i].proc)
			by_proc[p->nodes.v[i].proc->id] = p->nodes.v[i].group;
	for (size_t i = 0; i < p->sorted.ends.cnt; i++) {
		const struct end *e = p->sorted.ends.v[i];
		const char **group = &groups[e->channel->id];

		mixed[e->channel->id] |= *group && *group != by_proc[e->proc->id];
		*group = mixed[e->channel->id] ? NULL : by_proc[e->proc->id];
	}
	free(by_proc);
	free(mixed);
	return groups;
}

static void add_channels(struct picture *p, const bool *is_node, const struct view_names *names)
{
	const struct sorted *s = &p->sorted;
	const char **groups = channel_groups(p);

	for (size_t i = 0; i < s->channels.cnt; i++) {
		const struct channel *ch = s->channels.v[i];

		if (is_node && !is_node[ch->id])
			continue;
		add_node(p, (struct node){
				    .kind = NODE_CHANNEL,
				    .id = s->channel_id[ch->id],
				    .channel = ch,
				    .mech = names->mech(ch->mech),
				    .members = fold__channels(&s->fold, ch),
				    .takes_part = true,
				    .group = groups[ch->id],
			    });
	}
	free(groups);
}

/* ---- links ---- */

static void add_link(struct picture *p, struct link l, const struct view_names *names)
{
	l.waits = l.wait_ns >= LABEL_WAIT_NS;
	if (l.channel)
		l.mech = names->mech(l.channel->mech);
	vec__push(&p->links, l);
}

static void set_latency(struct link *l, const struct hist *h)
{
	if (!h->cnt)
		return;
	l->latency = h;
	l->p50_ns = hist__percentile(h, 50);
	l->p99_ns = hist__percentile(h, 99);
	l->max_ns = h->max;
}

static void add_ends(struct picture *p, const struct view_names *names)
{
	for (size_t i = 0; i < p->sorted.ends.cnt; i++) {
		const struct end *e = p->sorted.ends.v[i];
		size_t proc = side_of(p, e->proc, NULL);
		size_t channel = node_of(p, p->sorted.channel_id[e->channel->id]);

		add_link(p,
			 (struct link){
				 .kind = LINK_END,
				 .from = e->to_channel ? proc : channel,
				 .to = e->to_channel ? channel : proc,
				 .channel = e->channel,
				 .role = e->role,
				 .messages = e->messages,
				 .bytes = e->bytes,
				 .errors = e->errors,
				 .wait_ns = e->wait_ns,
				 .first_ns = e->first_ns,
				 .last_ns = e->last_ns,
			 },
			 names);
	}
}

static void add_spokes(struct picture *p, const struct spokes *sp, const struct view_names *names)
{
	for (size_t i = 0; i < sp->all.cnt; i++) {
		const struct spoke *k = sp->all.v[i];
		size_t proc = side_of(p, k->proc, k->origin);
		size_t channel = node_of(p, p->sorted.channel_id[k->channel->id]);

		add_link(p,
			 (struct link){
				 .kind = LINK_END,
				 .from = k->to_channel ? proc : channel,
				 .to = k->to_channel ? channel : proc,
				 .channel = k->channel,
				 .role = k->role,
				 .origin = k->proc ? NULL : k->origin,
				 .attr = k->attr_known ? attr__name(k->attr) : NULL,
				 .doubt = k->doubt,
				 .messages = k->messages,
				 .bytes = k->bytes,
				 .errors = k->errors,
				 .wait_ns = k->wait_ns,
				 .p99_ns = k->p99_ns,
			 },
			 names);
	}
}

static void add_flows(struct picture *p, const bool *is_node, const struct view_names *names)
{
	for (size_t i = 0; i < p->sorted.flows.cnt; i++) {
		const struct flow *f = p->sorted.flows.v[i];
		struct link l = {
			.kind = LINK_FLOW,
			.channel = f->channel,
			.origin = f->origin,
			.attr = attr__name(f->attr),
			.doubt = f->attr != ATTR_EXACT,
			.messages = f->messages,
			.bytes = f->bytes,
			.wait_ns = f->wait_ns,
			.first_ns = f->first_ns,
			.last_ns = f->last_ns,
		};

		if (is_node && is_node[f->channel->id])
			continue;
		l.from = side_of(p, f->src, f->origin);
		l.to = side_of(p, f->dst, f->origin);
		set_latency(&l, &f->latency);
		add_link(p, l, names);
	}
}

/* Where spokes tell it already, a share says nothing new. */
static void add_shares(struct picture *p, const struct spokes *sp, const struct view_names *names)
{
	for (size_t i = 0; i < p->sorted.shares.cnt; i++) {
		const struct share *sh = p->sorted.shares.v[i];

		if (sp && spokes__has(sp, sh->channel, sh->a) && spokes__has(sp, sh->channel, sh->b))
			continue;
		add_link(p,
			 (struct link){
				 .kind = LINK_SHARE,
				 .from = side_of(p, sh->a, NULL),
				 .to = side_of(p, sh->b, NULL),
				 .channel = sh->channel,
				 .from_mode = sh->a_mode,
				 .to_mode = sh->b_mode,
				 .first_ns = sh->from_ns,
				 .last_ns = sh->until_ns,
			 },
			 names);
	}
}

static void add_parents(struct picture *p, const struct view_names *names)
{
	for (size_t i = 0; i < p->sorted.procs.cnt; i++) {
		const struct proc *child = p->sorted.procs.v[i], *parent = sorted__parent(&p->sorted, child);

		if (parent)
			add_link(p,
				 (struct link){
					 .kind = LINK_PARENT,
					 .from = side_of(p, parent, NULL),
					 .to = side_of(p, child, NULL),
				 },
				 names);
	}
}

/* Ids say what a link is, not where it stands, so that two graphs can be compared. */
static void name_links(struct picture *p)
{
	struct map seen = { 0 };
	struct buf id = { 0 };

	for (size_t i = 0; i < p->links.cnt; i++) {
		struct link *l = &p->links.v[i];
		const char *plain;
		uint32_t nr;

		buf__reset(&id);
		buf__printf(&id, "%s:%s->%s", link_kind__name(l->kind), p->nodes.v[l->from].id,
			    p->nodes.v[l->to].id);
		if (l->kind == LINK_END && l->role)
			buf__printf(&id, " %s", l->role);
		else if (l->channel)
			buf__printf(&id, " %s", p->sorted.channel_id[l->channel->id]);
		if (l->origin)
			buf__printf(&id, " %s", l->origin);
		plain = keep(p, &id);
		nr = (uint32_t)(uintptr_t)map__get(&seen, (uintptr_t)plain, 0) + 1;
		map__set(&seen, (uintptr_t)plain, 0, (void *)(uintptr_t)nr);
		if (nr > 1)
			buf__printf(&id, " #%" PRIu32, nr);
		l->id = keep(p, &id);
	}
	buf__free(&id);
	map__free(&seen);
}

/* ---- the whole ---- */

static enum picture_shape shape_of(const struct graph_opts *opts, enum picture_shape usual)
{
	if (opts && opts->shape == SHAPE_BIPARTITE)
		return PICTURE_BIPARTITE;
	if (opts && opts->shape == SHAPE_PROCESSES)
		return PICTURE_PROCESSES;
	return usual;
}

void picture__init(struct picture *p, const struct graph *g, const struct proc_table *procs,
		   const struct view_names *names, const struct graph_opts *opts, enum picture_shape usual)
{
	enum picture_shape shape = shape_of(opts, usual);
	struct spokes sp;

	memset(p, 0, sizeof(*p));
	sorted__init(&p->sorted, g, procs, names, opts);
	add_processes(p, names);
	if (shape == PICTURE_EVERYTHING) {
		add_channels(p, NULL, names);
		add_ends(p, names);
		add_flows(p, NULL, names);
		add_shares(p, NULL, names);
	} else {
		spokes__init(&sp, &p->sorted, shape);
		add_channels(p, sp.is_node, names);
		add_spokes(p, &sp, names);
		add_flows(p, sp.is_node, names);
		add_shares(p, &sp, names);
		spokes__free(&sp);
	}
	add_parents(p, names);
	name_links(p);
}

void picture__free(struct picture *p)
{
	vec__free(&p->nodes);
	vec__free(&p->links);
	vec__free(&p->groups);
	map__free(&p->by_id);
	strtab__free(&p->texts);
	sorted__free(&p->sorted);
}

void picture__put_label(struct buf *out, const struct node *n)
{
	if (n->kind == NODE_CHANNEL) {
		if (n->members > 1)
			buf__printf(out, "%" PRIu32 " \xc3\x97 %s", n->members, n->mech);
		else
			buf__puts(out, n->channel->name);
		return;
	}
	if (n->kind != NODE_PROCESS) {
		buf__puts(out, node_kind__name(n->kind));
		return;
	}
	buf__put(out, n->proc->comm, strnlen(n->proc->comm, sizeof(n->proc->comm)));
	if (n->members > 1)
		buf__printf(out, " \xc3\x97 %" PRIu32, n->members);
}

void picture__put_traffic(struct buf *out, const struct link *l, const char *newline)
{
	label__count(out, l->messages, "message");
	if (l->bytes) {
		buf__puts(out, ", ");
		label__bytes(out, l->bytes);
		buf__puts(out, "B");
	}
	if (l->p99_ns) {
		buf__printf(out, "%sp99 ", newline);
		time__put_duration(out, l->p99_ns);
	}
}

void picture__put_notes(struct buf *out, const struct picture *p, const struct graph *g,
			const struct view_names *names, const char *newline)
{
	size_t before;

	if (names->host)
		buf__puts(out, names->host);
	if (names->host && names->kernel)
		buf__printf(out, ", Linux %s", names->kernel);
	if (g->end_ns > g->start_ns) {
		buf__puts(out, names->host ? ", " : "");
		time__put_duration(out, g->end_ns - g->start_ns);
	}
	buf__puts(out, newline);
	graphs__put_losses(out, g, names);
	buf__puts(out, newline);
	before = out->len;
	sorted__put_left_out(out, &p->sorted);
	if (out->len > before)
		buf__puts(out, newline);
}
