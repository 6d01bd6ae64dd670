/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pseudoterminals. The reader's line discipline counts the bytes it got and gave out; where a write begins is known from
 * those counters while nothing is on the way, and by adding up while something is. Exact as long as the line discipline passes
 * bytes unchanged (raw); else the amounts are as near as its settings tell.
 */
#ifndef BPF_PTY_H
#define BPF_PTY_H

#include "emit.bpf.h"
#include "file.bpf.h"
#include "fingerprint.bpf.h"

#define TTY_OPOST 0000001
#define TTY_ONLCR 0000004
#define TTY_ICANON 0000002
#define TTY_ECHO 0000010
#define PTY_BUFFERS_MAX 8
#define PTY_COUNT_BYTES 256 /* newlines are counted this many bytes at a time, */
#define PTY_COUNT_CHUNKS 16 /* and in this many times as many at most */

/* Of one direction: where the next write begins, and how many are under way. */
struct pty_lane {
	__u32 written;
	__u32 writers;
	__u32 begun; /* writes, ever */
	__u32 pad0;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* struct tty_struct * of the reader's side */
	__type(value, struct pty_lane);
} pty_lanes SEC(".maps");

struct pty_scratch {
	__u64 w[PTY_COUNT_BYTES / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pty_scratch);
} pty_scratch SEC(".maps");

static __always_inline __u64 pty__link(__u64 tty)
{
	return (__u64)READ(tty, struct tty_struct, link);
}

static __always_inline __u32 pty__got(__u64 reader)
{
	__u64 ldata = (__u64)READ(reader, struct tty_struct, disc_data);

	return ldata ? (__u32)READ(ldata, struct n_tty_data, read_head) : 0;
}

static __always_inline __u32 pty__given(__u64 reader)
{
	__u64 ldata = (__u64)READ(reader, struct tty_struct, disc_data);

	return ldata ? (__u32)READ(ldata, struct n_tty_data, read_tail) : 0;
}

/* Written, and not with the line discipline yet. */
static __always_inline __u32 pty__on_the_way(__u64 reader)
{
	__u64 port = (__u64)READ(reader, struct tty_struct, port);
	__u64 buf = port ? (__u64)READ(port, struct tty_port, buf.head) : 0;
	__u32 sum = 0;

	for (int i = 0; i < PTY_BUFFERS_MAX && buf; i++) {
		__u32 commit = READ(buf, struct tty_buffer, commit),
		      read = READ(buf, struct tty_buffer, read);

		if (commit > read)
			sum += commit - read;
		buf = (__u64)READ(buf, struct tty_buffer, next);
	}
	return sum;
}

static __always_inline __u64 pty__first_buffer(__u64 reader)
{
	__u64 port = (__u64)READ(reader, struct tty_struct, port);

	return port ? (__u64)READ(port, struct tty_port, buf.head) : 0;
}

/*
 * Bytes may move while this looks: from the buffers to the line discipline, from there to the reader. So it looks in that
 * order: what is in no buffer now cannot come out of one later. A buffer that was emptied meanwhile may have been in another list.
 */
static __always_inline bool pty__is_idle(__u64 reader, __u32 *got)
{
	__u64 first = pty__first_buffer(reader);

	if (pty__on_the_way(reader) || pty__first_buffer(reader) != first)
		return false;
	*got = pty__got(reader);
	return *got == pty__given(reader);
}

static __noinline void pty__enter_write(struct object *o)
{
	__u64 reader = pty__link(o->ptr);
	struct pty_lane fresh = {}, *lane = bpf_map_lookup_elem(&pty_lanes, &reader);
	__u32 got = pty__got(reader);

	o->addr = 0;
	o->was_waiting = 0;
	o->dev = 0; /* here: the stream was empty, and begins anew */
	if (!lane) {
		fresh.written = pty__got(reader) + pty__on_the_way(reader);
		bpf_map_update_elem(&pty_lanes, &reader, &fresh, BPF_ANY);
		lane = bpf_map_lookup_elem(&pty_lanes, &reader);
		if (!lane)
			return;
	}
	if (!lane->writers) {
		if (pty__is_idle(reader, &got)) {
			o->dev = 1;
			lane->written = got;
		} else if ((__s32)(got - lane->written) > 0) {
			lane->written = got; /* the kernel put in bytes of its own: echo */
		}
	}
	__sync_fetch_and_add(&lane->writers, 1);
	__sync_fetch_and_add(&lane->begun, 1);
	o->addr =
		(__u64)lane->begun << 32 | lane->written; /* its upper half tells whether others came later */
	if (lane->writers > 1)
		o->was_waiting = 1; /* here: others write at the same time */
}

static __always_inline void pty__enter(struct object *o, bool write)
{
	if (write) {
		pty__enter_write(o);
	} else {
		o->addr = pty__given(o->ptr);
		o->was_waiting = pty__got(o->ptr) == (__u32)o->addr;
	}
}

/* How many bytes of a word are newlines. */
static __always_inline __u32 newlines(__u64 w)
{
	const __u64 ones = 0x0101010101010101ull, low = 0x7f7f7f7f7f7f7f7full;
	__u64 x = w ^ (ones * '\n');

	x = ~(((x & low) + low) | x | low); /* the top bit of each byte that is 0 */
	return ((x >> 7) * ones) >> 56;
}

/* Of a chunk at addr, at most PTY_COUNT_BYTES; negative: unreadable. Not static, like the next one: it is verified once. */
__noinline int pty__newlines_in(__u64 addr, __u32 len)
{
	__u32 zero = 0, sum = 0;
	struct pty_scratch *sc = bpf_map_lookup_elem(&pty_scratch, &zero);

	if (!sc || len > PTY_COUNT_BYTES)
		return -1;
	__builtin_memset(sc, 0, sizeof(*sc));
	if (len && bpf_probe_read_user(sc, len, (void *)addr))
		return -1;
	for (int i = 0; i < PTY_COUNT_BYTES / 8; i++)
		sum += newlines(sc->w[i]);
	return sum;
}

/* Newlines among the first len bytes at addr; negative: too many bytes, or unreadable. */
__noinline int pty__newlines(__u64 addr, __u32 len)
{
	int sum = 0, cnt;

	if (len > PTY_COUNT_BYTES * PTY_COUNT_CHUNKS)
		return -1;
	for (__u32 c = 0; c < PTY_COUNT_CHUNKS && len; c++) {
		__u32 n = len < PTY_COUNT_BYTES ? len : PTY_COUNT_BYTES;

		cnt = pty__newlines_in(addr, n);
		if (cnt < 0)
			return -1;
		sum += cnt;
		addr += n;
		len -= n;
	}
	return sum;
}

static __noinline void pty__emit(const struct task_op *op, bool write, __s64 ret, __u32 flags)
{
	const struct object *o = write ? &op->out : &op->in;
	struct ipct_tty_io *ev;

	ev = emit__reserve(IPCT_KIND_TTY_IO, sizeof(*ev), IPCT_MECH_PTY, write ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return;
	if (op->compat)
		flags |= IPCT_IO_COMPAT;
	ev->enter_ns = op->enter_ns;
	ev->tty = o->ptr;
	ev->link = pty__link(o->ptr);
	ev->s_pos = op->part.off;
	ev->e_pos = op->part.total;
	ev->bytes = op->part.len;
	ev->ret = flags & IPCT_IO_MORE ? 0 : ret;
	ev->flags = flags;
	ev->fd = write ? op->fd_out : op->fd_in;
	ev->index = o->ino;
	ev->devpts = o->f_flags;
	emit__submit(ev);
}

/* A writer goes to sleep: what the reader's side has got of it so far, it may have given out already. */
static __always_inline void pty__sleep(struct task_op *op)
{
	struct object *o = &op->out;
	__u64 reader = pty__link(o->ptr);
	struct pty_lane *lane = bpf_map_lookup_elem(&pty_lanes, &reader);
	__u32 got = pty__got(reader);

	if (!lane || o->was_waiting || lane->begun != o->addr >> 32 || (__s32)(got - (__u32)o->addr) <= 0)
		return;
	op->part.off = o->addr;
	op->part.total = got;
	op->part.len = got - (__u32)o->addr;
	pty__emit(op, true, 0, IPCT_IO_MORE | IPCT_IO_COOKED);
	op->part_bytes += op->part.len;
	o->addr = o->addr >> 32 << 32 | got;
}

static __always_inline void pty__exit_write(struct task_op *op, __s64 ret)
{
	struct object *o = &op->out;
	__u64 reader = pty__link(o->ptr);
	struct pty_lane *lane = bpf_map_lookup_elem(&pty_lanes, &reader);
	__u32 oflag = READ(o->ptr, struct tty_struct, termios.c_oflag), flags = 0;
	__u32 lflag = READ(reader, struct tty_struct, termios.c_lflag);
	__u32 bytes = ret > 0 ? ret : 0;
	int newline_cnt = -1;

	if (!lane) { /* there was no room for it */
		emit__count_full(IPCT_MECH_PTY);
		return;
	}
	if (bytes && (oflag & TTY_OPOST)) {
		flags |= IPCT_IO_COOKED;
		if (!(oflag & TTY_ONLCR))
			newline_cnt = 0;
		else if (!class__is_vectored(op->class) && !class__is_pages(op->class))
			newline_cnt = pty__newlines(op->buf, bytes);
		if (newline_cnt >= 0)
			bytes += newline_cnt;
		else
			bytes = pty__got(reader) + pty__on_the_way(reader) -
				((__u32)o->addr - (__u32)op->part_bytes);
	}
	if (lflag & TTY_ICANON)
		flags |= IPCT_IO_COOKED;
	__sync_fetch_and_add(&lane->written, bytes);
	bytes = bytes > op->part_bytes ? bytes - (__u32)op->part_bytes : 0;
	if (o->was_waiting || lane->begun != o->addr >> 32)
		flags |= IPCT_IO_BLOCKED;
	__sync_fetch_and_add(&lane->writers, -1);
	op->part.off = o->addr;
	op->part.total = (__u32)o->addr + bytes;
	if (flags & IPCT_IO_BLOCKED)
		op->part.total = lane->written;
	op->part.len = bytes;
	if (o->dev && !op->part_bytes)
		flags |= IPCT_IO_DRAINED;
	pty__emit(op, true, ret, flags);
}

static __always_inline void pty__exit_read(struct task_op *op, __s64 ret)
{
	struct object *o = &op->in;
	__u32 now = pty__given(o->ptr), got = now - (__u32)o->addr, flags = 0;
	__u64 link = pty__link(o->ptr);
	__u32 lflag = READ(o->ptr, struct tty_struct, termios.c_lflag);
	__u32 link_lflag = READ(link, struct tty_struct, termios.c_lflag);
	__u32 link_oflag = READ(link, struct tty_struct, termios.c_oflag);

	op->part.len = ret > 0 ? ret : 0;
	op->part.off = o->addr;
	op->part.total = now;
	if ((__s32)got < 0) /* flushed meanwhile, which begins anew */
		op->part.off = now - op->part.len;
	else if (got < op->part.len)
		op->part.len = got; /* packet mode: a byte more */
	if (lflag & TTY_ICANON || link_oflag & TTY_OPOST)
		flags |= IPCT_IO_COOKED;
	if (link_lflag & TTY_ECHO)
		flags |= IPCT_IO_ECHO;
	if (o->was_waiting)
		flags |= IPCT_IO_WAITED;
	if (pty__is_idle(o->ptr, &now))
		flags |= IPCT_IO_DRAINED;
	pty__emit(op, false, ret, flags);
}

static __noinline void pty__exit(struct task_op *op, bool write, __s64 ret)
{
	if (write)
		pty__exit_write(op, ret);
	else
		pty__exit_read(op, ret);
}

#endif
