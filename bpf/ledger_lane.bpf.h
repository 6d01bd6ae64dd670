/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast lane of --summary: read() and write() on pipes, when nothing but sums is wanted. What the running thread does to
 * a pipe it goes on with is summed up here, per CPU, and goes to the ledger's map when it turns to another one, leaves the
 * CPU, or the collector changes the maps' places. So most calls neither look anything up nor read the clock.
 */
#ifndef BPF_LEDGER_LANE_H
#define BPF_LEDGER_LANE_H

#include "filter.bpf.h"
#include "ledger.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ipct_ledger_pending);
} ledger_pending SEC(".maps");

static __always_inline struct ipct_ledger_pending *ledger_lane__pending(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ledger_pending, &zero);
}

static __always_inline bool ledger_lane__is_on(void)
{
	return cfg.ledger == IPCT_LEDGER_SUMMARY && cfg.has_running;
}

/* Not inline: rare, and old verifiers add up the stacks of callers. */
static __noinline int ledger_lane__flush(struct ipct_ledger_part *part, bool write)
{
	struct ledger_entry e = {};

	if (!part->messages)
		return 0;
	e.k.key = part->key;
	e.k.sub = part->dev;
	e.k.pid = part->pid;
	e.k.mech = part->mech;
	e.k.op = write ? IPCT_OP_SEND : IPCT_OP_RECV;
	e.messages = part->messages;
	e.bytes = part->bytes;
	part->messages = part->bytes = 0;
	ledger__add(&e, ledger__state());
	return 0;
}

/* The running thread leaves the CPU. */
static __always_inline void ledger_lane__leave(void)
{
	struct ipct_ledger_pending *p = ledger_lane__is_on() ? ledger_lane__pending() : NULL;

	if (!p)
		return;
	if (p->read.messages)
		ledger_lane__flush(&p->read, false);
	if (p->write.messages)
		ledger_lane__flush(&p->write, true);
}

static __always_inline void ledger_lane__begin(struct running *r, struct object *o, bool write, __u64 pipe)
{
	struct task_op *op = &r->op;
	__u64 ends = READ_TWO(pipe, struct pipe_inode_info, head, tail);
	__u32 used = (__u32)ends - (__u32)(ends >> 32);

	o->ptr = pipe;
	o->is_sock = 0;
	o->was_waiting = write ? used >= READ(pipe, struct pipe_inode_info, max_usage) : !used;
	task_op__begin_pipe(op, write ? IPCT_SC_WRITE : IPCT_SC_READ);
	op->cnt = 0; /* no matter in which pieces it is written */
	op->no_entry_time = !o->was_waiting;
	op->enter_ns = o->was_waiting ? clock__now() : 0;
	r->entered = ENTERED_HERE;
}

/* False: not for the lane. */
static __always_inline bool ledger_lane__enter(struct running *r, bool write, __s32 fd)
{
	struct object *o = write ? &r->op.out : &r->op.in;
	__u64 file = file__of((struct task_struct *)r->task, fd);
	struct super_block *sb;
	struct inode *inode;
	umode_t mode;

	if (!file)
		return true;
	inode = READ(file, struct file, f_inode);
	mode = READ(inode, struct inode, i_mode) & S_IFMT;
	if (mode != S_IFIFO)
		return mode == 0100000 || mode == 0040000;
	if (cfg.filter)
		return false;
	sb = READ(inode, struct inode, i_sb);
	r->op.in.mech = r->op.out.mech = 0;
	o->key = READ(inode, struct inode, i_ino);
	o->dev = READ(sb, struct super_block, s_dev);
	o->mech = READ(sb, struct super_block, s_magic) == PIPEFS_MAGIC ? IPCT_MECH_PIPE : IPCT_MECH_FIFO;
	if (!wanted(o->mech) || ino__is_ignored(o->key, o->dev))
		o->mech = 0;
	else
		ledger_lane__begin(r, o, write, (__u64)READ(inode, struct inode, i_pipe));
	return true;
}

/* What the thread did to another pipe before goes to the ledger. */
static __always_inline bool ledger_lane__fits(const struct ipct_ledger_part *part, const struct object *o)
{
	return part->key == o->key && part->dev == o->dev && part->state == ledger_state && part->messages;
}

static __always_inline void ledger_lane__exit(struct running *r, __s64 ret)
{
	bool write = r->op.class == IPCT_SC_WRITE;
	struct ipct_ledger_pending *p = ledger_lane__pending();
	struct object *o = write ? &r->op.out : &r->op.in;
	struct ipct_ledger_part *part;

	r->op.class = IPCT_SC_NONE;
	r->entered = ENTERED_NONE;
	if (!p)
		return;
	if (ret <= 0 || o->was_waiting) {
		ledger__pipe(&r->op, write, ret, 0);
		return;
	}
	part = write ? &p->write : &p->read;
	if (!ledger_lane__fits(part, o)) {
		ledger_lane__flush(part, write);
		part->key = o->key;
		part->dev = o->dev;
		part->mech = o->mech;
		part->state = ledger_state;
		part->pid = READ((struct task_struct *)r->task, struct task_struct, tgid);
	}
	part->messages++;
	part->bytes += ret;
}

#endif
