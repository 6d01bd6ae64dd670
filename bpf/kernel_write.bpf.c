// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel itself writes into a pipe: a core dump for its handler, autofs's requests, 9p over a pipe. It comes by
 * __kernel_write_iter(), before 6.1 __kernel_write() (and kernel_write(), into which that may be inlined), which no program's own
 * write does: that costs as little as ever. The writer may be in the middle of a system call, or dying, or a kernel thread.
 */
#include "filter.bpf.h"
#include "ledger.bpf.h"
#include "object.bpf.h"
#include "pipe.bpf.h"

struct kernel_write {
	struct pipe_request r;
	__u64 file; /* struct file * */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* thread */
	__type(value, struct kernel_write);
} kernel_writes SEC(".maps");

static __always_inline bool kernel_write__object(struct object *o, __u64 file)
{
	return object__from_file(o, file) && (o->mech == IPCT_MECH_PIPE || o->mech == IPCT_MECH_FIFO);
}

/* A pipe that the kernel made has not been told of. */
static __always_inline void kernel_write__meet(const struct object *o)
{
	if (READ(o->ptr, struct pipe_inode_info, head))
		return;
	pipe__forget(o);
	object__emit(o, -1, IPCT_OBJECT_NEW, 0);
}

static __noinline int kernel_write__begins(__u64 file)
{
	struct kernel_write w = { .file = file }, *outer;
	struct object o = {};
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = (__u32)id;

	if (!active || task__is_tracer() || !kernel_write__object(&o, file) || !filter__wants(&o))
		return 0;
	outer = bpf_map_lookup_elem(&kernel_writes, &tid);
	if (outer && outer->file == file)
		return 0; /* one of the functions has called the other */
	kernel_write__meet(&o);
	pipe__enter(&o, true);
	pipe__note_writer(&o);
	w.r.enter_ns = clock__now();
	w.r.addr = o.addr;
	w.r.pid = id >> 32;
	w.r.tid = tid;
	w.r.write = w.r.known = 1;
	w.r.was_waiting = o.was_waiting;
	if (bpf_map_update_elem(&kernel_writes, &tid, &w, BPF_ANY))
		emit__count_full(o.mech);
	return 0;
}

static __noinline int kernel_write__ends(__s64 ret)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct kernel_write *w = active ? bpf_map_lookup_elem(&kernel_writes, &tid) : NULL;
	struct object o = {};

	if (!w)
		return 0;
	if (kernel_write__object(&o, w->file) && !ledger__request(&o, w->r.pid, true, ret))
		pipe__emit_request(&o, &w->r, ret, 0);
	bpf_map_delete_elem(&kernel_writes, &tid);
	return 0;
}

#define KERNEL_WRITE(function)                                     \
	SEC("?fentry/" #function)                                  \
	int BPF_PROG(function##_begins__fentry, struct file *file) \
	{                                                          \
		return kernel_write__begins((__u64)file);          \
	}                                                          \
	SEC("?kprobe/" #function)                                  \
	int function##_begins__kprobe(struct pt_regs *ctx)         \
	{                                                          \
		return kernel_write__begins(PT_REGS_PARM1(ctx));   \
	}                                                          \
	SEC("?kretprobe/" #function)                               \
	int function##_ends__kprobe(struct pt_regs *ctx)           \
	{                                                          \
		return kernel_write__ends(PT_REGS_RC(ctx));        \
	}

KERNEL_WRITE(__kernel_write_iter)
KERNEL_WRITE(__kernel_write)
KERNEL_WRITE(kernel_write)

SEC("?fexit/__kernel_write_iter")
int BPF_PROG(__kernel_write_iter_ends__fentry, void *file, void *from, void *pos, long ret)
{
	return kernel_write__ends(ret);
}

SEC("?fexit/__kernel_write")
int BPF_PROG(__kernel_write_ends__fentry, void *file, void *buf, size_t cnt, void *pos, long ret)
{
	return kernel_write__ends(ret);
}

SEC("?fexit/kernel_write")
int BPF_PROG(kernel_write_ends__fentry, void *file, void *buf, size_t cnt, void *pos, long ret)
{
	return kernel_write__ends(ret);
}
