/* SPDX-License-Identifier: GPL-2.0 */
#include "view/attrs.h"

#include <string.h>

#include "view/graphs.h"
#include "view/label.h"

static void put_flag(struct buf *out, bool v)
{
	buf__puts(out, v ? "true" : "false");
}

static void put_if(struct buf *out, const char *s)
{
	if (s)
		buf__puts(out, s);
}

static void put_nonzero(struct buf *out, uint64_t v)
{
	if (v)
		buf__u64(out, v);
}

/* Each of these is one column: NODE(name, condition, what to write). */
#define NODE(name, condition, statement)                           \
	static void node_##name(struct buf *out, const void *item) \
	{                                                          \
		const struct node *n = item;                       \
                                                                   \
		if (condition)                                     \
			statement;                                 \
	}
#define LINK(name, condition, statement)                           \
	static void link_##name(struct buf *out, const void *item) \
	{                                                          \
		const struct link *l = item;                       \
                                                                   \
		if (condition)                                     \
			statement;                                 \
	}
#define IS_TRAFFIC (l->kind == LINK_END || l->kind == LINK_FLOW)

/* Arguments with spaces between; those that contain spaces cannot be told apart, as in ps(1). */
static void node_cmdline(struct buf *out, const void *item)
{
	const struct node *n = item;
	size_t from = out->len;

	if (!n->proc || !n->proc->args)
		return;
	buf__put(out, n->proc->args, n->proc->args_len);
	while (out->len > from && !out->data[out->len - 1])
		out->len--;
	for (size_t i = from; i < out->len; i++)
		if (!out->data[i])
			out->data[i] = ' ';
}

NODE(label, true, picture__put_label(out, n))
NODE(kind, true, buf__puts(out, node_kind__name(n->kind)))
NODE(pid, n->proc, buf__u64(out, n->proc->pid))
NODE(start_ns, n->proc, buf__u64(out, n->proc->start_ns))
NODE(ppid, n->proc, buf__u64(out, n->proc->ppid))
NODE(comm, n->proc, buf__put(out, n->proc->comm, strnlen(n->proc->comm, sizeof(n->proc->comm))))
NODE(exe, n->proc, buf__puts(out, n->proc->exe))
NODE(uid, n->proc && n->proc->known, buf__u64(out, n->proc->uid))
NODE(exited, n->proc, put_flag(out, n->proc->exited))
NODE(mech, true, put_if(out, n->mech))
NODE(object, n->channel, buf__puts(out, n->channel->name))
NODE(messages, n->channel, buf__u64(out, n->channel->messages))
NODE(bytes, n->channel, buf__u64(out, n->channel->bytes))
NODE(unattributed_bytes, n->channel, put_nonzero(out, n->channel->unattributed_bytes))
NODE(unread_bytes, n->channel, put_nonzero(out, n->channel->unread_bytes))
NODE(remark, n->channel, graphs__put_remark(out, n->channel))
NODE(members, n->members > 1, buf__u64(out, n->members))
NODE(folded, true, put_nonzero(out, n->proc ? n->proc->folded_cnt : n->channel ? n->channel->folded_cnt : 0))
NODE(group, true, put_if(out, n->group))

LINK(kind, true, buf__puts(out, link_kind__name(l->kind)))
LINK(mech, true, put_if(out, l->mech))
LINK(channel, l->channel, buf__puts(out, l->channel->name))
LINK(role, true, put_if(out, l->role))
LINK(origin, l->origin, label__origin(out, l->origin))
LINK(messages, IS_TRAFFIC, buf__u64(out, l->messages))
LINK(bytes, IS_TRAFFIC, buf__u64(out, l->bytes))
LINK(weight, true, buf__u64(out, l->bytes ? l->bytes : l->messages ? l->messages : 1))
LINK(errors, l->kind == LINK_END, buf__u64(out, l->errors))
LINK(wait_ns, IS_TRAFFIC, buf__u64(out, l->wait_ns))
LINK(p50_ns, true, put_nonzero(out, l->p50_ns))
LINK(p99_ns, true, put_nonzero(out, l->p99_ns))
LINK(max_ns, true, put_nonzero(out, l->max_ns))
LINK(attr, true, put_if(out, l->attr))
LINK(source_mode, true, put_if(out, l->from_mode))
LINK(target_mode, true, put_if(out, l->to_mode))
LINK(first_ns, true, put_nonzero(out, l->first_ns))
LINK(last_ns, true, put_nonzero(out, l->last_ns))

#define NODE_ROW(name, type)             \
	{                                \
#name, type, node_##name \
	}
#define LINK_ROW(name, type)             \
	{                                \
#name, type, link_##name \
	}

/* clang-format off */
const struct attr_row node_attrs[] = {
	NODE_ROW(label, VALUE_TEXT),
	NODE_ROW(kind, VALUE_TEXT),
	NODE_ROW(pid, VALUE_NUMBER),
	NODE_ROW(start_ns, VALUE_NUMBER),
	NODE_ROW(ppid, VALUE_NUMBER),
	NODE_ROW(comm, VALUE_TEXT),
	NODE_ROW(exe, VALUE_TEXT),
	NODE_ROW(cmdline, VALUE_TEXT),
	NODE_ROW(uid, VALUE_NUMBER),
	NODE_ROW(exited, VALUE_FLAG),
	NODE_ROW(mech, VALUE_TEXT),
	NODE_ROW(object, VALUE_TEXT),
	NODE_ROW(messages, VALUE_NUMBER),
	NODE_ROW(bytes, VALUE_NUMBER),
	NODE_ROW(unattributed_bytes, VALUE_NUMBER),
	NODE_ROW(unread_bytes, VALUE_NUMBER),
	NODE_ROW(remark, VALUE_TEXT),
	NODE_ROW(members, VALUE_NUMBER),
	NODE_ROW(folded, VALUE_NUMBER),
	NODE_ROW(group, VALUE_TEXT),
	{ 0 },
};

const struct attr_row link_attrs[] = {
	LINK_ROW(kind, VALUE_TEXT),
	LINK_ROW(mech, VALUE_TEXT),
	LINK_ROW(channel, VALUE_TEXT),
	LINK_ROW(role, VALUE_TEXT),
	LINK_ROW(origin, VALUE_TEXT),
	LINK_ROW(messages, VALUE_NUMBER),
	LINK_ROW(bytes, VALUE_NUMBER),
	LINK_ROW(weight, VALUE_NUMBER),
	LINK_ROW(errors, VALUE_NUMBER),
	LINK_ROW(wait_ns, VALUE_NUMBER),
	LINK_ROW(p50_ns, VALUE_NUMBER),
	LINK_ROW(p99_ns, VALUE_NUMBER),
	LINK_ROW(max_ns, VALUE_NUMBER),
	LINK_ROW(attr, VALUE_TEXT),
	LINK_ROW(source_mode, VALUE_TEXT),
	LINK_ROW(target_mode, VALUE_TEXT),
	LINK_ROW(first_ns, VALUE_NUMBER),
	LINK_ROW(last_ns, VALUE_NUMBER),
	{ 0 },
};
/* clang-format on */

const struct attr_row *attrs__next(const struct attr_row *rows, const void *item, struct buf *value)
{
	for (; rows->name; rows++) {
		buf__reset(value);
		rows->put(value, item);
		if (value->len)
			return rows;
	}
	return NULL;
}
