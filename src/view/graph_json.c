/* SPDX-License-Identifier: GPL-2.0 */
/* The graph in NetworkX's node-link form, as the contract fixes it; one node or link per line. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "event/wire.h"
#include "view/graphs.h"
#include "view/group.h"
#include "view/label.h"
#include "view/sorted.h"

static void begin(struct json *j, const char *kind)
{
	buf__puts(j->out, j->comma ? ",\n" : "\n");
	j->comma = false;
	json__open(j, NULL, '{');
	json__str(j, "kind", kind);
}

static void put_u64_or_null(struct json *j, const char *key, bool known, uint64_t v)
{
	if (known)
		json__u64(j, key, v);
	else
		json__null(j, key);
}

/* Members that say something only when they are not zero. */
static void put_u64_if(struct json *j, const char *key, uint64_t v)
{
	if (v)
		json__u64(j, key, v);
}

/* ---- "graph" ---- */

static void put_attach(struct json *j, const struct view_names *names)
{
	json__open(j, "attach", '{');
	for (unsigned int m = 1; names->attach && m < IPCT_MECH_CNT; m++) {
		const char *how = names->traced & IPCT_MECH_BIT(m) ? names->attach(m) : NULL;

		if (how)
			json__str(j, names->mech(m), how);
	}
	json__close(j, '}');
}

static void put_left_out(struct json *j, const struct sorted *s)
{
	const struct left_out *l = &s->left_out;

	if (l->procs || l->channels || l->flows) {
		json__open(j, "left_out", '{');
		json__u64(j, "processes", l->procs);
		json__u64(j, "channels", l->channels);
		json__u64(j, "flows", l->flows);
		json__u64(j, "messages", l->messages);
		json__u64(j, "bytes", l->bytes);
		json__close(j, '}');
	}
	if (s->fold.pools) {
		json__open(j, "folded", '{');
		json__u64(j, "processes", s->fold.folded);
		json__u64(j, "into", s->fold.pools);
		json__close(j, '}');
	}
}

/* What ended, and is in nodes that stand for many: --history. */
static void put_history(struct json *j, const struct sorted *s)
{
	uint64_t procs = 0, channels = 0;

	for (size_t i = 0; i < s->procs.cnt; i++)
		procs += s->procs.v[i]->folded_cnt;
	for (size_t i = 0; i < s->channels.cnt; i++)
		channels += s->channels.v[i]->folded_cnt;
	if (!procs && !channels)
		return;
	json__open(j, "history", '{');
	json__u64(j, "folded_processes", procs);
	json__u64(j, "folded_channels", channels);
	json__close(j, '}');
}

static void put_graph(struct json *j, const struct graph *g, const struct sorted *s,
		      const struct view_names *names)
{
	json__open(j, "graph", '{');
	json__str(j, "tool", "ipctrace");
	json__u64(j, "schema", 1);
	json__str(j, "host", names->host);
	json__str(j, "kernel", names->kernel);
	json__u64(j, "start_ns", g->start_ns);
	json__u64(j, "end_ns", g->end_ns);
	put_attach(j, names);
	json__open(j, "lost", '{');
	for (unsigned int m = 1; m < IPCT_MECH_CNT; m++) {
		if (names->traced & IPCT_MECH_BIT(m) || g->lost[m])
			json__u64(j, names->mech(m), g->lost[m]);
	}
	json__close(j, '}');
	put_u64_if(j, "lost_tasks", g->lost[IPCT_MECH_NONE]);
	put_u64_if(j, "skipped", g->skipped);
	put_u64_if(j, "table_full", g->table_full);
	put_u64_if(j, "sums_since_ns", g->sums_since_ns);
	put_left_out(j, s);
	put_history(j, s);
	json__close(j, '}');
}

/* ---- "nodes" ---- */

/* Arguments with spaces between; those that contain spaces cannot be told apart, as in ps(1). */
static void put_cmdline(struct json *j, const struct proc *p)
{
	struct buf line = { 0 };

	if (!p->args || !p->args_len) {
		json__null(j, "cmdline");
		return;
	}
	buf__put(&line, p->args, p->args_len);
	while (line.len && !line.data[line.len - 1])
		line.len--;
	for (size_t i = 0; i < line.len; i++) {
		if (!line.data[i])
			line.data[i] = ' ';
	}
	json__strn(j, "cmdline", line.data, line.len);
	buf__free(&line);
}

/* Namespaces and cgroups by their numbers, in the form of /proc/PID/ns links. */
static void put_numbered(struct json *j, const char *key, const char *kind, uint64_t number)
{
	char text[48];

	snprintf(text, sizeof(text), "%s:[%" PRIu64 "]", kind, number);
	json__str(j, key, number ? text : NULL);
}

static void put_members(struct json *j, uint32_t cnt)
{
	if (cnt > 1)
		json__u64(j, "members", cnt);
}

static void put_proc(struct json *j, const struct sorted *s, const struct proc *p,
		     const struct view_names *names)
{
	char id[LABEL_ID_BYTES];
	struct buf group = { 0 };

	begin(j, "process");
	json__str(j, "id", label__proc_id(p, id));
	json__u64(j, "pid", p->pid);
	json__u64(j, "start_ns", p->start_ns);
	json__u64(j, "ppid", p->ppid);
	json__strn(j, "comm", p->comm, strnlen(p->comm, sizeof(p->comm)));
	json__str(j, "exe", p->exe);
	put_cmdline(j, p);
	put_u64_or_null(j, "uid", p->known, p->uid);
	put_numbered(j, "cgroup", "cgroup", p->cgroup);
	put_numbered(j, "pidns", "pid", p->pidns);
	if (p->ns_pid && p->ns_pid != p->pid)
		json__u64(j, "ns_pid", p->ns_pid);
	json__bool(j, "exited", p->exited);
	if (p->exited) {
		json__u64(j, "exit_ns", p->exit_ns);
		json__i64(j, "exit_code", p->exit_code);
	}
	put_members(j, fold__members(&s->fold, p));
	put_u64_if(j, "folded", p->folded_cnt);
	if (s->opts->group) {
		buf__reset(&group);
		group__put(&group, s->opts->group, p, names);
		json__strn(j, "group", group.data, group.len);
		buf__free(&group);
	}
	json__close(j, '}');
}

static void put_channel_id(struct json *j, const char *key, const struct sorted *s, const struct channel *ch)
{
	json__str(j, key, s->channel_id[ch->id]);
}

/* Shared memory as it was at the end. */
static void put_memory(struct json *j, const struct channel *ch)
{
	if (!ch->memory.known)
		return;
	put_u64_if(j, "size_bytes", ch->memory.size_bytes);
	json__u64(j, "attached", ch->memory.attached);
	if (ch->memory.creator_pid) {
		json__u64(j, "creator_pid", ch->memory.creator_pid);
		json__bool(j, "creator_gone", ch->memory.creator_gone);
	}
	if (ch->memory.left_behind)
		json__bool(j, "left_behind", true);
	put_u64_if(j, "last_detach_ns", ch->memory.detached_ns);
	put_u64_if(j, "last_detach_time_s", ch->memory.detached_s);
}

static void put_procs(struct json *j, const char *key, struct proc *const *v, size_t cnt)
{
	char id[LABEL_ID_BYTES];

	if (!cnt)
		return;
	json__open(j, key, '[');
	for (size_t i = 0; i < cnt; i++)
		json__str(j, NULL, label__proc_id(v[i], id));
	json__close(j, ']');
}

static void put_channel(struct json *j, const struct sorted *s, const struct channel *ch,
			const struct view_names *names)
{
	begin(j, "channel");
	put_channel_id(j, "id", s, ch);
	json__str(j, "mech", names->mech(ch->mech));
	json__str(j, "object", ch->name);
	put_members(j, fold__channels(&s->fold, ch));
	put_u64_if(j, "folded", ch->folded_cnt);
	json__u64(j, "messages", ch->messages);
	json__u64(j, "bytes", ch->bytes);
	put_u64_if(j, "unattributed_bytes", ch->unattributed_bytes);
	put_u64_if(j, "unattributed_messages", ch->unattributed_messages);
	put_u64_if(j, "unread_bytes", ch->unread_bytes);
	put_u64_if(j, "discarded_bytes", ch->discarded_bytes);
	put_u64_if(j, "capacity_bytes", ch->capacity_bytes);
	put_u64_if(j, "capacity_messages", ch->capacity_messages);
	put_u64_if(j, "depth_messages", ch->depth_messages);
	put_u64_if(j, "depth_bytes", ch->depth_bytes);
	put_u64_if(j, "depth_messages_max", ch->depth_messages_max);
	put_memory(j, ch);
	put_procs(j, "held_by", ch->holders.v, ch->holders.cnt);
	put_procs(j, "waited_for_by", ch->waiters.v, ch->waiters.cnt);
	put_u64_if(j, "lost", ch->lost);
	put_u64_if(j, "first_ns", ch->first_ns);
	put_u64_if(j, "last_ns", ch->last_ns);
	json__close(j, '}');
}

static void put_special(struct json *j, const char *id)
{
	begin(j, id);
	json__str(j, "id", id);
	json__close(j, '}');
}

/* ---- "links" ---- */

static void put_end(struct json *j, const struct sorted *s, const struct end *e,
		    const struct view_names *names)
{
	char id[LABEL_ID_BYTES];

	label__proc_id(e->proc, id);
	begin(j, "end");
	if (e->to_channel)
		json__str(j, "source", id);
	put_channel_id(j, e->to_channel ? "target" : "source", s, e->channel);
	if (!e->to_channel)
		json__str(j, "target", id);
	json__str(j, "role", e->role);
	json__str(j, "mech", names->mech(e->channel->mech));
	json__u64(j, "messages", e->messages);
	json__u64(j, "bytes", e->bytes);
	json__u64(j, "errors", e->errors);
	json__u64(j, "wait_ns", e->wait_ns);
	put_u64_if(j, "first_ns", e->first_ns);
	put_u64_if(j, "last_ns", e->last_ns);
	json__close(j, '}');
}

static void put_latency(struct json *j, const struct hist *h)
{
	json__open(j, "latency_ns", '{');
	put_u64_or_null(j, "p50", h->cnt, hist__percentile(h, 50));
	put_u64_or_null(j, "p99", h->cnt, hist__percentile(h, 99));
	put_u64_or_null(j, "max", h->cnt, h->max);
	json__close(j, '}');
}

static void put_flow(struct json *j, const struct sorted *s, const struct flow *f,
		     const struct view_names *names)
{
	char src[LABEL_ID_BYTES], dst[LABEL_ID_BYTES];

	begin(j, "flow");
	json__str(j, "source", label__side_id(f->src, f->origin, src));
	json__str(j, "target", label__side_id(f->dst, f->origin, dst));
	put_channel_id(j, "channel", s, f->channel);
	json__str(j, "mech", names->mech(f->channel->mech));
	if (f->origin) {
		struct buf origin = { 0 };

		label__origin(&origin, f->origin);
		json__strn(j, "origin", origin.data, origin.len);
		buf__free(&origin);
	}
	json__u64(j, "messages", f->messages);
	json__u64(j, "bytes", f->bytes);
	put_latency(j, &f->latency);
	json__str(j, "attr", attr__name(f->attr));
	if (f->candidates.cnt) {
		json__open(j, "candidates", '[');
		for (size_t i = 0; i < f->candidates.cnt; i++)
			json__str(j, NULL, label__proc_id(f->candidates.v[i], src));
		json__close(j, ']');
	}
	put_u64_if(j, "wait_ns", f->wait_ns);
	put_u64_if(j, "first_ns", f->first_ns);
	put_u64_if(j, "last_ns", f->last_ns);
	json__close(j, '}');
}

static void put_share(struct json *j, const struct sorted *s, const struct share *sh,
		      const struct view_names *names)
{
	char a[LABEL_ID_BYTES], b[LABEL_ID_BYTES];

	begin(j, "share");
	json__str(j, "source", label__proc_id(sh->a, a));
	json__str(j, "target", label__proc_id(sh->b, b));
	put_channel_id(j, "channel", s, sh->channel);
	json__str(j, "mech", names->mech(sh->channel->mech));
	json__str(j, "source_mode", sh->a_mode);
	json__str(j, "target_mode", sh->b_mode);
	json__u64(j, "from_ns", sh->from_ns);
	put_u64_or_null(j, "until_ns", sh->until_ns, sh->until_ns);
	json__close(j, '}');
}

static void put_parent(struct json *j, const struct proc *parent, const struct proc *child)
{
	char a[LABEL_ID_BYTES], b[LABEL_ID_BYTES];

	begin(j, "parent");
	json__str(j, "source", label__proc_id(parent, a));
	json__str(j, "target", label__proc_id(child, b));
	json__close(j, '}');
}

static void put_nodes(struct json *j, const struct sorted *s, const struct view_names *names)
{
	json__open(j, "nodes", '[');
	if (s->kernel)
		put_special(j, "kernel");
	if (s->unknown)
		put_special(j, "unknown");
	for (size_t i = 0; i < s->procs.cnt; i++)
		put_proc(j, s, s->procs.v[i], names);
	for (size_t i = 0; s->opts->shape != SHAPE_PROCESSES && i < s->channels.cnt; i++)
		put_channel(j, s, s->channels.v[i], names);
	json__close(j, ']');
}

/* --projection process: channels and their ends are left out; --bipartite: what joins processes directly. */
static void put_links(struct json *j, const struct sorted *s, const struct view_names *names)
{
	bool ends = s->opts->shape != SHAPE_PROCESSES, direct = s->opts->shape != SHAPE_BIPARTITE;

	json__open(j, "links", '[');
	for (size_t i = 0; ends && i < s->ends.cnt; i++)
		put_end(j, s, s->ends.v[i], names);
	for (size_t i = 0; direct && i < s->flows.cnt; i++)
		put_flow(j, s, s->flows.v[i], names);
	for (size_t i = 0; direct && i < s->shares.cnt; i++)
		put_share(j, s, s->shares.v[i], names);
	for (size_t i = 0; i < s->procs.cnt; i++) {
		const struct proc *parent = sorted__parent(s, s->procs.v[i]);

		if (parent)
			put_parent(j, parent, s->procs.v[i]);
	}
	json__close(j, ']');
}

static void render(struct buf *out, struct graph *g, struct proc_table *procs, const struct view_names *names,
		   const struct graph_opts *opts)
{
	struct json j = { .out = out };
	struct sorted s;

	sorted__init(&s, g, procs, names, opts);
	json__open(&j, NULL, '{');
	json__bool(&j, "directed", true);
	json__bool(&j, "multigraph", true);
	put_graph(&j, g, &s, names);
	put_nodes(&j, &s, names);
	put_links(&j, &s, names);
	json__close(&j, '}');
	buf__putc(out, '\n');
	sorted__free(&s);
}

const struct graph_view graph_view__json = {
	.name = "json",
	.summary = "NetworkX node-link JSON; the form for programs",
	.render = render,
};
