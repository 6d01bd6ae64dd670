/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors that are closed in passing: by close_range, dup2, exec, exit. Only where operations are shown or recorded. */
#ifndef BPF_ENDS_H
#define BPF_ENDS_H

#include "filter.bpf.h"
#include "object.bpf.h"

#define ENDS_WORDS_MAX 256 /* of 64 descriptors */
#define CLOSE_RANGE_UNSHARE 2

/* Processes whose end was told of: their last threads may end at the same time, and all see that none is left. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* struct signal_struct * */
	__type(value, __u64); /* start of the process: addresses are used again */
} ended SEC(".maps");

static __noinline bool ends__first_of(__u64 signal)
{
	struct task_struct *leader = READ(current_task(), struct task_struct, group_leader);
	__u64 start_ns = READ(leader, struct task_struct, start_boottime), *known;

	known = bpf_map_lookup_elem(&ended, &signal);
	if (known && *known != start_ns)
		bpf_map_delete_elem(&ended, &signal);
	return !bpf_map_update_elem(&ended, &signal, &start_ns, BPF_NOEXIST);
}

static __always_inline void end__emit(const struct object *o, __s32 fd, __u8 by)
{
	struct ipct_call *ev;
	__u64 peer = 0;

	if (o->mech == IPCT_MECH_UDP || (o->mech == IPCT_MECH_TCP && !tcp__is_local(o->ptr, &peer)))
		return;
	ev = emit__reserve(IPCT_KIND_CALL, sizeof(*ev), o->mech, IPCT_OP_CLOSE);
	if (!ev)
		return;
	ev->enter_ns = 0;
	ev->key = o->key;
	ev->peer_key = o->is_sock && !mech__is_inet(o->mech) ? unix__peer(o->ptr) : peer;
	ev->ret = 0;
	ev->dev = o->dev;
	ev->ino = o->ino;
	ev->peer_ino = sock__ino(ev->peer_key);
	ev->fd = fd;
	ev->fd2 = -1;
	ev->arg = 0;
	*(__u64 *)&ev->by = 0;
	ev->by = by;
	emit__submit(ev);
}

/* Descriptor fd of the running task. Not static, as the two below: the verifier looks at each once. */
__noinline int end__tell(__u32 fd, __u32 by)
{
	struct object o = {};

	if (object__from_fd(&o, fd) && filter__wants(&o))
		end__emit(&o, fd, by);
	return 0;
}

/* bits: of the descriptors from base on. */
__noinline int ends__word(__u64 bits, __u32 base, __u32 first, __u32 last, __u32 by)
{
	for (__u32 i = 0; i < 64 && bits; i++, bits >>= 1) {
		if (bits & 1 && base + i >= first && base + i <= last)
			end__tell(base + i, by);
	}
	return 0;
}

/* All from first to last that are open, or that an exec closes. */
__noinline int ends__close(__u32 first, __u32 last, __u32 by)
{
	struct files_struct *files = READ(current_task(), struct task_struct, files);
	__u64 fdt, bits;
	__u32 max_fds;

	if (!files)
		return 0;
	fdt = WORD(files, struct files_struct, fdt);
	max_fds = READ(fdt, struct fdtable, max_fds);
	bits = by == IPCT_CLOSE_EXEC ? WORD(fdt, struct fdtable, close_on_exec)
				     : WORD(fdt, struct fdtable, open_fds);
	for (__u32 i = 0; i < ENDS_WORDS_MAX; i++) {
		__u32 word = first / 64 + i;

		if (word * 64 >= max_fds || word * 64 > last)
			break;
		ends__word(read_word((void *)(bits + word * 8)), word * 64, first, last, by);
	}
	return 0;
}

/* It can fail no more, but for want of memory. */
static __always_inline void ends__close_range(const struct sysargs *args)
{
	__u32 first = args->a[0], last = args->a[1];

	if (cfg.closes && first <= last && !(args->a[2] & ~CLOSE_RANGE_UNSHARE))
		ends__close(first, last, IPCT_CLOSE_RANGE);
}

/* ---- dup, dup2, dup3: fd_in becomes arg, too ---- */

/* Does it close something of ours? */
static __always_inline bool dup__enter(struct task_op *op)
{
	if (!cfg.closes || op->class != IPCT_SC_DUP || op->arg == op->fd_in ||
	    !object__from_fd(&op->out, (__s32)op->arg))
		return false;
	if (!filter__wants(&op->out))
		op->out.mech = 0;
	return op->out.mech;
}

/* dup has one argument only: what stands for a second is of use if it is the result. */
static __always_inline void dup__exit(const struct task_op *op, __s64 ret)
{
	if (ret < 0)
		return;
	if (cfg.closes && op->out.mech && (__u32)ret == op->arg)
		end__emit(&op->out, ret, IPCT_CLOSE_DUP);
	if (op->in.mech)
		call__emit(op, IPCT_OP_OPEN, &op->in, ret, ret);
}

#endif
