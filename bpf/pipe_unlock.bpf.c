// SPDX-License-Identifier: GPL-2.0
/*
 * Where a read or write of a pipe ended, seen at the moment when it gives the pipe's lock back: nobody else moves the
 * stream then. So operations that overlap in time have ranges that do not. (The functions that copy the bytes, which
 * would say the same, cannot be probed: lib/ is compiled without tracing.)
 */
#include "pipe.bpf.h"

/* The one before ended where this one begins; unless splice or io_uring came in between. Remembers where this one ends. */
static __always_inline __u64 pipe__began(const struct object *o, bool write, __u64 end)
{
	struct pipe_held_key key = { .pipe = o->ptr, .write = write };
	__u64 *last = bpf_map_lookup_elem(&pipes_held, &key), began = o->addr;

	if (!last) {
		bpf_map_update_elem(&pipes_held, &key, &end, BPF_ANY);
		return began;
	}
	if ((__s64)(*last - began) > 0 && (__s64)(end - *last) >= 0)
		began = *last;
	*last = end;
	return began;
}

static __always_inline int pipe__unlocks(__u64 lock)
{
	struct pipe_state s;
	struct task_op *op;
	struct object *o;
	__u64 end;
	bool write;

	if (!active)
		return 0;
	op = task_op__current(false);
	o = sleeper__pipe(op, &write);
	if (!o || lock != pipe__lock(o->ptr))
		return 0;
	pipe__read_state(o->ptr, &s);
	end = pipe__side_addr(&s, write);
	o->addr = pipe__began(o, write, end);
	op->held_end = end;
	op->has_end = 1;
	return 0;
}

SEC("?fentry/mutex_unlock")
int BPF_PROG(mutex_unlock__fentry, struct mutex *lock)
{
	return pipe__unlocks((__u64)lock);
}

SEC("?kprobe/mutex_unlock")
int mutex_unlock__kprobe(struct pt_regs *ctx)
{
	return pipe__unlocks(PT_REGS_PARM1(ctx));
}
