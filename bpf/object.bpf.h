/* SPDX-License-Identifier: GPL-2.0 */
/* Records that name an object: made, opened, connected, or found by the scan. */
#ifndef BPF_OBJECT_H
#define BPF_OBJECT_H

#include "eventfd.bpf.h"
#include "mq.bpf.h"
#include "pipe.bpf.h"
#include "pty.bpf.h"
#include "scratch.bpf.h"
#include "tcp.bpf.h"
#include "udp.bpf.h"
#include "unix.bpf.h"

#define TCP_LISTEN 10
#define PATH_COMPONENTS_MAX 24
#define PATH_COMPONENT_BYTES 64
#define FILL_SLOTS_MAX 64

struct object_scratch {
	struct ipct_object ev;
	char name[IPCT_PATH_LEN + 2 * PATH_COMPONENT_BYTES];
	struct object o; /* what ev is to tell of: see object__tell() */
	__s32 fd;
	__u32 pid;
	__u8 what;
	__u8 busy;
	__u8 pad0[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_CNT);
	__type(key, __u32);
	__type(value, struct object_scratch);
} object_scratch SEC(".maps");

static __always_inline __u64 pipe__fill_bytes(const struct pipe_state *s)
{
	__u32 used = s->head - s->tail;
	__u64 sum = 0;

	if (used > FILL_SLOTS_MAX)
		return IPCT_OBJECT_FILL_UNKNOWN;
	for (__u32 i = 0; i < FILL_SLOTS_MAX && i < used; i++) {
		struct pipe_buffer *buf = ELEMENT(s->bufs, struct pipe_buffer, (s->tail + i) & s->mask);

		sum += READ(buf, struct pipe_buffer, len);
	}
	return sum;
}

static __always_inline __u64 mount__of(__u64 vfsmount)
{
	return vfsmount - bpf_core_field_offset(struct mount, mnt);
}

/*
 * The path of an open file as the mounts stand, written from the end of the buffer's first IPCT_PATH_LEN bytes
 * towards its front, then moved by the reader's pointer: the result is name + *start. Chroots and bind mounts
 * of other namespaces show as that namespace's paths.
 */
static __always_inline __u32 path__write(char *name, __u64 file, __u32 *start)
{
	__u64 dentry = (__u64)READ(file, struct file, f_path.dentry);
	__u64 mnt = mount__of((__u64)READ(file, struct file, f_path.mnt));
	__u32 pos = IPCT_PATH_LEN;

	for (int i = 0; i < PATH_COMPONENTS_MAX; i++) {
		__u64 parent = (__u64)READ(dentry, struct dentry, d_parent);
		__u32 len;

		if (dentry == (__u64)READ(mnt, struct mount, mnt.mnt_root) || dentry == parent) {
			__u64 up = (__u64)READ(mnt, struct mount, mnt_parent);

			if (up == mnt)
				break;
			dentry = (__u64)READ(mnt, struct mount, mnt_mountpoint);
			mnt = up;
			continue;
		}
		len = READ(dentry, struct dentry, d_name.len);
		if (len >= PATH_COMPONENT_BYTES * 2 || len + 1 > pos)
			break;
		pos = (pos - len) & (IPCT_PATH_LEN - 1);
		barrier_var(pos); /* verifiers before 6.12 must see the mask */
		bpf_probe_read_kernel(name + pos, len & (PATH_COMPONENT_BYTES * 2 - 1),
				      READ(dentry, struct dentry, d_name.name));
		pos = (pos - 1) & (IPCT_PATH_LEN - 1);
		barrier_var(pos);
		name[pos] = '/';
		dentry = parent;
	}
	*start = pos;
	return IPCT_PATH_LEN - pos;
}

static __always_inline void object__fill_pipe(struct ipct_object *ev, const struct object *o)
{
	struct pipe_state s;

	pipe__read_state(o->ptr, &s);
	ev->rd_addr = pipe__read_addr(&s);
	ev->wr_addr = pipe__write_addr(&s);
	ev->fill_msgs = s.head - s.tail;
	ev->fill_bytes = pipe__fill_bytes(&s);
	ev->capacity = s.max_usage * PIPE_ATOMIC_BYTES;
}

/* The address a socket is bound to; returns its length. Abstract ones begin with NUL. */
static __always_inline __u32 unix__write_name(char *name, __u64 sk)
{
	struct unix_address *addr = READ(sk, struct unix_sock, addr);
	__u64 path;
	int len;

	if (!addr)
		return 0;
	len = READ(addr, struct unix_address, len) - 2;
	if (len <= 0 || len > 108)
		return 0;
	path = (__u64)addr + bpf_core_field_offset(struct unix_address, name) + 2;
	bpf_probe_read_kernel(name, len & 127, (void *)path);
	return len;
}

static __always_inline void object__fill_unix(struct ipct_object *ev, __u64 sk)
{
	ev->peer_key = unix__peer(sk);
	ev->peer_ino = sock__ino(ev->peer_key);
	ev->listener = READ(sk, struct sock, __sk_common.skc_state) == TCP_LISTEN;
	ev->capacity = READ(sk, struct sock, sk_rcvbuf);
	ev->fill_msgs = READ(sk, struct sock, sk_receive_queue.qlen);
	ev->fill_bytes = ev->fill_msgs ? IPCT_OBJECT_FILL_UNKNOWN : 0;
	if (ev->listener)
		ev->fill_msgs = 0; /* connections that wait, no data */
}

/*
 * Tells of the object in scratch memory `which`. Not static, so the verifier looks at it once and not at each call; and
 * what comes out of scratch memory is a number to it, whatever pointer went in.
 */
__noinline int object__tell(__u32 which)
{
	struct object_scratch *sc = bpf_map_lookup_elem(&object_scratch, &which);
	const struct object *o;
	__u32 size = sizeof(struct ipct_object), start = 0, len = 0;
	struct ipct_object *ev;

	if (!sc)
		return 0;
	o = &sc->o;
	ev = &sc->ev;
	__builtin_memset(ev, 0, sizeof(*ev));
	ev->key = o->key;
	ev->dev = o->dev;
	ev->ino = o->ino;
	ev->fd = sc->fd;
	ev->what = sc->what;
	if (o->file) {
		__u32 mode = READ(o->file, struct file, f_mode);

		ev->side = (mode & FMODE_READ ? 1 : 0) | (mode & FMODE_WRITE ? 2 : 0);
	}
	if (o->is_sock) {
		object__fill_unix(ev, o->ptr);
		len = unix__write_name(sc->name, o->ptr);
		/* A client has the name of what it is connected to. */
		if (!len && o->mech != IPCT_MECH_UNIX_DGRAM && ev->peer_key)
			len = unix__write_name(sc->name, ev->peer_key);
	} else if (o->mech == IPCT_MECH_POSIX_MQ) {
		mq__fill_object(ev, o);
		len = mq__write_name(sc->name, o);
	} else if (o->mech == IPCT_MECH_EVENTFD) {
		ev->fill_bytes = eventfd__count(o->ptr);
	} else {
		object__fill_pipe(ev, o);
		if (o->mech == IPCT_MECH_FIFO && o->file)
			len = path__write(sc->name, o->file, &start);
	}
	if (len > IPCT_PATH_LEN)
		len = 0;
	ev->name_len = len;
	ev->name_start = start;
	size += start ? IPCT_PATH_LEN : len;
	if (size > offsetof(struct object_scratch, o))
		return 0;
	emit__header(&ev->h, IPCT_KIND_OBJECT, size, o->mech, 0);
	if (sc->pid)
		ev->h.pid = ev->h.tid = sc->pid;
	emit__output(ev, size, o->mech);
	return 0;
}

/* o as seen through descriptor fd (-1: none) of process pid (0: the running one). which: 0 in programs, 1 in iterators. */
static __always_inline void object__emit_for(const struct object *o, __s32 fd, __u8 what, __u32 which,
					     __u32 pid)
{
	struct object_scratch *sc = SCRATCH_TAKE(object_scratch, &which);

	if (!sc) {
		emit__count_lost(o->mech);
		return;
	}
	sc->o = *o;
	sc->fd = fd;
	sc->what = what;
	sc->pid = pid;
	object__tell(which);
	sc->busy = 0;
}

/* TCP and UDP have records of their own. */
static __always_inline void inet__scan(const struct object *o)
{
	if (o->mech == IPCT_MECH_TCP)
		tcp__scan(o->ptr);
}

static __always_inline void object__emit(const struct object *o, __s32 fd, __u8 what, __u32 which)
{
	if (!mech__is_inet(o->mech) && o->mech != IPCT_MECH_PTY)
		object__emit_for(o, fd, what, which, 0);
}

/* An operation on o that moves no data; fd: the descriptor that was made, closed or used. */
static __noinline void call__emit(const struct task_op *op, __u8 kind, const struct object *o, __s64 ret,
				  __s32 fd)
{
	__u64 peer = 0;
	struct ipct_call *ev;

	if (o->mech == IPCT_MECH_UDP || (o->mech == IPCT_MECH_TCP && !tcp__is_local(o->ptr, &peer)))
		return;
	if (o->is_sock && !mech__is_inet(o->mech))
		peer = unix__peer(o->ptr);
	ev = emit__reserve(IPCT_KIND_CALL, sizeof(*ev), o->mech, kind);
	if (!ev)
		return;
	ev->enter_ns = op->enter_ns;
	ev->key = o->key;
	ev->peer_key = peer;
	ev->ret = ret;
	ev->dev = o->dev;
	ev->ino = o->ino;
	ev->peer_ino = sock__ino(ev->peer_key);
	ev->fd = fd;
	ev->fd2 = op->fd_out;
	ev->arg = op->arg;
	*(__u64 *)&ev->by = 0;
	emit__submit(ev);
}

#endif
