// SPDX-License-Identifier: GPL-2.0
/*
 * libc's sem_post, sem_wait, sem_trywait, sem_timedwait and sem_clockwait: uprobes, for operations that never enter
 * the kernel. The collector finds the functions (src/symbol) and attaches (src/kern/uprobes.c).
 */
#include "posix_sem.bpf.h"

/* glibc on 64 bits keeps the value in the low half of a word, musl in 31 bits of it. */
#define SEM_VALUE_MASK 0x7fffffff

/* Sleepable programs may wait for the page; others see only what this process touched before. */
static __always_inline bool usem__value(__u32 *value, __u64 sem)
{
	long err;

	if (cfg.uprobes_sleep)
		err = bpf_copy_from_user(value, sizeof(*value), (void *)sem);
	else
		err = bpf_probe_read_user(value, sizeof(*value), (void *)sem);
	*value &= SEM_VALUE_MASK;
	return !err;
}

/* Before the first operation that the trace shows: what there is, and what it is called. */
static __always_inline void usem__meet(const struct ipct_counter *c, __u64 file, __u64 sem)
{
	__u32 value = 0;

	if (unit__is_met(c, IPCT_MECH_POSIX_SEM))
		return;
	usem__value(&value, sem);
	psem__emit_object(c, file, value);
	unit__meet(c, IPCT_MECH_POSIX_SEM);
}

static __always_inline int usem__enter(__u64 sem, bool post, __u32 flags)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct usem_op op = {};
	__u64 file;

	if (!active || task__is_tracer())
		return 0;
	file = psem__at(&op.c, sem);
	if (!file)
		return 0;
	usem__meet(&op.c, file, sem);
	op.sem = sem;
	op.post = post;
	op.flags = flags;
	op.enter_ns = clock__now();
	bpf_map_update_elem(&usem_ops, &tid, &op, BPF_ANY);
	return 0;
}

SEC("?uprobe")
int BPF_KPROBE(usem_post__uprobe, void *sem)
{
	return usem__enter((__u64)sem, true, 0);
}

SEC("?uprobe")
int BPF_KPROBE(usem_wait__uprobe, void *sem)
{
	return usem__enter((__u64)sem, false, 0);
}

SEC("?uprobe")
int BPF_KPROBE(usem_trywait__uprobe, void *sem)
{
	return usem__enter((__u64)sem, false, IPCT_UNIT_NOWAIT);
}

SEC("?uretprobe")
int BPF_KRETPROBE(usem_return__uprobe, int ret)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid(), value = 0;
	struct usem_op *op = bpf_map_lookup_elem(&usem_ops, &tid);
	struct ipct_sem_op *ev;

	if (!op)
		return 0;
	if (!active)
		goto out;
	ev = emit__reserve(IPCT_KIND_SEM_OP, sizeof(*ev), IPCT_MECH_POSIX_SEM,
			   op->post ? IPCT_OP_POST : IPCT_OP_WAIT);
	if (!ev)
		goto out;
	sem_op__clear(ev);
	ev->enter_ns = op->enter_ns;
	ev->c = op->c;
	ev->waker = op->waker;
	ev->commit_ns = op->commit_ns;
	ev->op = op->post ? 1 : -1;
	ev->ret = ret;
	ev->flags = op->flags;
	if (!bpf_probe_read_user(&value, sizeof(value), (void *)op->sem))
		ev->value = value & SEM_VALUE_MASK;
	emit__submit(ev);
out:
	bpf_map_delete_elem(&usem_ops, &tid);
	return 0;
}
