/* SPDX-License-Identifier: GPL-2.0 */
/* Pipes and FIFOs: where the stream stands, and the record of one read or write. */
#ifndef BPF_PIPE_H
#define BPF_PIPE_H

#include "emit.bpf.h"
#include "file.bpf.h"
#include "fingerprint.bpf.h"
#include "ledger.bpf.h"

#define PIPE_ATOMIC_BYTES 4096 /* PIPE_BUF: longer writes may be split by sleeping */

struct pipe_state {
	__u32 head, tail;
	__u64 bufs;
	__u32 mask;
	__u32 max_usage;
};

struct pipe_slot {
	__u32 offset, len;
};

static __always_inline void pipe__read_state(__u64 pipe, struct pipe_state *s)
{
	__u64 ends = READ_TWO(pipe, struct pipe_inode_info, head, tail);
	__u64 sizes = READ_TWO(pipe, struct pipe_inode_info, max_usage, ring_size);

	s->head = ends;
	s->tail = ends >> 32;
	s->max_usage = sizes;
	s->mask = (sizes >> 32) - 1;
	s->bufs = (__u64)READ(pipe, struct pipe_inode_info, bufs);
}

static __always_inline struct pipe_slot pipe__read_slot(const struct pipe_state *s, __u32 index)
{
	struct pipe_buffer *buf = ELEMENT(s->bufs, struct pipe_buffer, index & s->mask);
	__u64 place = READ_TWO(buf, struct pipe_buffer, offset, len);

	return (struct pipe_slot){ place, place >> 32 };
}

static __always_inline __u64 pipe__addr(__u32 slot, __u32 offset)
{
	return (__u64)slot << 32 | offset;
}

/* Behind the last byte written. offset + len of a slot keeps its value while it is read and after its release. */
static __always_inline __u64 pipe__write_addr(const struct pipe_state *s)
{
	struct pipe_slot slot = pipe__read_slot(s, s->head - 1);

	return pipe__addr(s->head - 1, slot.offset + slot.len);
}

static __always_inline __u64 pipe__read_addr(const struct pipe_state *s)
{
	if (s->head == s->tail)
		return pipe__addr(s->tail, 0);
	return pipe__addr(s->tail, pipe__read_slot(s, s->tail).offset);
}

static __always_inline __u64 pipe__side_addr(const struct pipe_state *s, bool write)
{
	return write ? pipe__write_addr(s) : pipe__read_addr(s);
}

/*
 * A used slot is never empty: its writer has just taken it, and its offset is still that of its former use; or
 * its reader has emptied it and not released it yet.
 */
static __always_inline bool pipe__is_between(const struct pipe_state *s, bool write)
{
	struct pipe_slot slot = pipe__read_slot(s, write ? s->head - 1 : s->tail);

	return s->head != s->tail && !slot.len && slot.offset;
}

/*
 * Where the stream stands on one side. Whoever holds the pipe's lock changes several words one after the other: what is
 * seen twice, and is none of the states in between, was true at one moment.
 */
static __always_inline bool pipe__sample_once(__u64 pipe, bool write, struct pipe_state *s, __u64 *addr)
{
	__u32 head, tail;

	pipe__read_state(pipe, s);
	head = s->head;
	tail = s->tail;
	*addr = pipe__side_addr(s, write);
	barrier();
	pipe__read_state(pipe, s);
	return head == s->head && tail == s->tail && *addr == pipe__side_addr(s, write) &&
	       !pipe__is_between(s, write);
}

/* No loop: verifiers before 6.12 refuse one that is entered by falling into its middle, as clang lays it out. */
static __noinline __u64 pipe__sample_again(__u64 pipe, bool write, struct pipe_state *s)
{
	__u64 addr = 0;

	if (pipe__sample_once(pipe, write, s, &addr) || pipe__sample_once(pipe, write, s, &addr) ||
	    pipe__sample_once(pipe, write, s, &addr) || pipe__sample_once(pipe, write, s, &addr) ||
	    pipe__sample_once(pipe, write, s, &addr) || pipe__sample_once(pipe, write, s, &addr) ||
	    pipe__sample_once(pipe, write, s, &addr))
		return addr;
	pipe__sample_once(pipe, write, s, &addr);
	/* The writer's CPU does not run, so that this lasts: only the slot is certain. (It may be a reader that emptied the last one.) */
	if (write && s->head - 1 != s->tail && pipe__is_between(s, true))
		return pipe__addr(s->head - 1, 0);
	return addr;
}

/* The same; nearly always the first look is enough. */
static __always_inline __u64 pipe__sample(__u64 pipe, bool write, struct pipe_state *s)
{
	struct pipe_slot slot, same;
	__u64 ends;

	pipe__read_state(pipe, s);
	slot = pipe__read_slot(s, write ? s->head - 1 : s->tail);
	barrier();
	ends = READ_TWO(pipe, struct pipe_inode_info, head, tail);
	same = pipe__read_slot(s, write ? s->head - 1 : s->tail);
	if (UNLIKELY((__u32)ends != s->head || ends >> 32 != s->tail || slot.offset != same.offset ||
		     slot.len != same.len || (s->head != s->tail && !slot.len && slot.offset)))
		return pipe__sample_again(pipe, write, s);
	if (write)
		return pipe__addr(s->head - 1, slot.offset + slot.len);
	return pipe__addr(s->tail, s->head == s->tail ? 0 : slot.offset);
}

static __always_inline __u64 pipe__addr_now(__u64 pipe, bool write)
{
	struct pipe_state s;

	return pipe__sample(pipe, write, &s);
}

struct pipe_held_key {
	__u64 pipe; /* struct pipe_inode_info * */
	__u64 write;
};

/* Where a side of a pipe stood when its lock was given back the last time. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct pipe_held_key);
	__type(value, __u64);
} pipes_held SEC(".maps");

/* A pipe that nobody has written to may have the address of an old one. */
static __always_inline void pipe__forget(const struct object *o)
{
	struct pipe_held_key key = { .pipe = o->ptr };

	if (READ(o->ptr, struct pipe_inode_info, head))
		return;
	bpf_map_delete_elem(&pipes_held, &key);
	key.write = 1;
	bpf_map_delete_elem(&pipes_held, &key);
}

static __always_inline __u64 pipe__lock(__u64 pipe)
{
	return pipe + bpf_core_field_offset(struct pipe_inode_info, mutex);
}

/*
 * Pipes that were written to by several at a time, or might have been: by a hash of the address, so one too many may be
 * among them, and none is missing.
 */
#define CROWDED_BITS 16
__u8 crowded_pipes[1 << CROWDED_BITS];

static __always_inline __u8 *pipe__crowded(__u64 pipe)
{
	return &crowded_pipes[(pipe >> 6) * 0x9e3779b97f4a7c15ull >> (64 - CROWDED_BITS)];
}

/* May another call use this side of the pipe while this one lasts? */
static __always_inline bool pipe__is_exclusive(struct task_struct *task, const struct object *o, bool write)
{
	struct files_struct *files = READ(task, struct task_struct, files);
	__u32 users = write ? READ(o->ptr, struct pipe_inode_info, writers)
			    : READ(o->ptr, struct pipe_inode_info, readers);

	return users == 1 && READ(files, struct files_struct, count.counter) == 1 &&
	       file__has_one_user(o->file);
}

/* Somebody sleeps until there is something to read: such a reader may return before the write does that it was waiting for. */
static __always_inline bool pipe__has_waiting_reader(__u64 pipe)
{
	__u64 head = pipe + bpf_core_field_offset(struct pipe_inode_info, rd_wait.head);

	return LOAD_WORD(head) != head;
}

/*
 * Fingerprints tell the bytes of one writer from those of another. They cost as much as all else, and tell nothing where
 * only one writes and only one reads at a time.
 */
static __always_inline bool pipe__knows_bytes(const struct task_op *op, const struct object *o, bool write)
{
	return op->exclusive && (write || !*pipe__crowded(o->ptr));
}

/* At entry of a read or write: where its side of the stream stands, and whether it must wait. */
static __always_inline void pipe__enter(struct object *o, bool write)
{
	struct pipe_state s;

	/* A call, not inline: old verifiers add up the stack of all callers. */
	o->addr = pipe__sample_again(o->ptr, write, &s);
	o->was_waiting = write ? s.head - s.tail >= s.max_usage : s.head == s.tail;
}

/* Its bytes must be told from others', unless nobody else can write. */
static __noinline void pipe__note_writer(const struct object *o)
{
	/* o->ptr as a number, wherever o is. */
	__u64 pipe = LOAD_WORD(o->file + bpf_core_field_offset(struct file, private_data));

	if (!pipe__is_exclusive(current_task(), o, true))
		*pipe__crowded(pipe) = 1;
}

/* s: how the pipe is now. */
static __always_inline __u32 pipe__io_flags(const struct task_op *op, const struct object *o,
					    const struct pipe_state *s, bool write)
{
	__u32 flags = 0;

	if (s->head == s->tail)
		flags |= IPCT_IO_DRAINED;
	if (!op->enter_ns && !op->no_entry_time)
		flags |= IPCT_IO_NOENTRY;
	if (o->was_waiting)
		flags |= IPCT_IO_WAITED;
	if (write && (o->f_flags & O_DIRECT_FLAG))
		flags |= IPCT_IO_PACKET;
	if (op->compat)
		flags |= IPCT_IO_COMPAT;
	return flags;
}

/* The record of a read or write that ended (or went to sleep: IPCT_IO_BLOCKED). */
static __noinline void pipe__emit_record(struct task_op *op, bool write, __s64 ret, __u32 flags, bool iov)
{
	struct object *o = write ? &op->out : &op->in;
	struct ipct_pipe_io *ev;
	struct pipe_state s;
	__u64 addr;

	ev = emit__reserve(IPCT_KIND_PIPE_IO, sizeof(*ev), o->mech, write ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return;
	addr = pipe__sample(o->ptr, write, &s);
	flags |= pipe__io_flags(op, o, &s, write);
	ev->enter_ns = op->no_entry_time ? ev->h.ts_ns : op->enter_ns;
	ev->key = o->key;
	ev->s_addr = o->addr;
	ev->e_addr = op->has_end ? op->held_end : addr;
	ev->ret = ret;
	ev->dev = o->dev;
	ev->flags = flags;
	ev->fd = write ? op->fd_out : op->fd_in;
	if (ret > 0 && !(flags & IPCT_IO_PAGES) && !pipe__knows_bytes(op, o, write))
		fingerprint__user(ev->fp, op, iov, ret);
	else
		__builtin_memset(ev->fp, 0, sizeof(ev->fp));
	emit__submit(ev);
}

static __always_inline void pipe__emit(struct task_op *op, bool write, __s64 ret, __u32 flags, bool iov)
{
	if (!ledger__pipe(op, write, ret, flags))
		pipe__emit_record(op, write, ret, flags, iov);
}

/* A read or write in no system call of ours, on its way: where its side of the stream stood at its beginning. */
struct pipe_request {
	__u64 enter_ns;
	__u64 addr;
	__u32 pid, tid; /* who counts as its author */
	__u8 write;
	__u8 was_waiting;
	__u8 known; /* addr is; not so for a ring's own (fixed) files */
	__u8 many; /* a list of buffers */
	__u8 pad0[4];
};

/* Its record, at its end. */
static __noinline int pipe__emit_request(const struct object *o, const struct pipe_request *r, __s64 ret,
					 __u32 flags)
{
	struct ipct_pipe_io *ev;
	struct pipe_state s;

	ev = emit__reserve(IPCT_KIND_PIPE_IO, sizeof(*ev), o->mech, r->write ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return 0;
	ev->h.pid = r->pid;
	ev->h.tid = r->tid;
	pipe__read_state(o->ptr, &s);
	ev->enter_ns = r->enter_ns;
	ev->key = o->key;
	ev->s_addr = r->addr;
	ev->e_addr = pipe__side_addr(&s, r->write);
	__builtin_memset(ev->fp, 0, sizeof(ev->fp));
	ev->ret = ret;
	ev->dev = o->dev;
	ev->flags = flags | (r->known ? 0 : IPCT_IO_NOENTRY) | (s.head == s.tail ? IPCT_IO_DRAINED : 0) |
		    (r->was_waiting ? IPCT_IO_WAITED : 0);
	ev->fd = -1;
	emit__submit(ev);
	return 0;
}

/* The side of a pipe that a thread in the middle of a plain read or write works on; NULL: it is not in one. */
static __always_inline struct object *sleeper__pipe(struct task_op *op, bool *write)
{
	struct object *o;

	if (!op || op->class == IPCT_SC_NONE || op->class > IPCT_SC_WRITEV)
		return NULL;
	*write = op->class == IPCT_SC_WRITE || op->class == IPCT_SC_WRITEV;
	o = *write ? &op->out : &op->in;
	return o->mech == IPCT_MECH_PIPE || o->mech == IPCT_MECH_FIFO ? o : NULL;
}

#endif
