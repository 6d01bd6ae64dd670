/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call stacks: of the program where it makes a call, of the kernel where the call sleeps. A stack that was told before
 * travels as its hash; a new one with the file and offset of each frame, which outlive the process.
 *
 * Frames are found by frame pointers, as that is all the kernel does. The C library's system call wrappers have none, so
 * whoever called the wrapper would be missing: its return address is taken from the top of the stack.
 */
#ifndef BPF_STACK_H
#define BPF_STACK_H

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "named.bpf.h"
#include "task.bpf.h"
#include "vma.bpf.h"

#define STACK_SEEN_MAX 16384
#define WRAPPER_WORDS 6 /* of the stack that a wrapper may have pushed */
#define PAGE_SHIFT_MIN 12
#define BPF_F_USER_STACK (1ull << 8) /* of the kernel's API: include/uapi/linux/bpf.h */

struct stack_scratch {
	struct ipct_stack ev;
	struct ipct_place places[IPCT_STACK_FRAMES_MAX];
	/* [0]: room for the innermost frame, when a caller is put between it and the rest */
	__u64 ips[IPCT_STACK_FRAMES_MAX + 1];
	__u32 first, cnt;
};

/* One per CPU; too large for a map of that kind. The collector sets the size. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_scratch);
} stack_scratch SEC(".maps");

/* Stacks that were told with their frames, by hash. What is forgotten is told again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STACK_SEEN_MAX);
	__type(key, __u64);
	__type(value, __u8);
} stacks_seen SEC(".maps");

static __always_inline struct stack_scratch *stack__scratch(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&stack_scratch, &cpu);
}

/* An address with a call instruction before it. */
static __always_inline bool is_return_address(__u64 addr)
{
#if defined(__TARGET_ARCH_x86)
	__u8 b[8] = {};

	if (addr < 4096 || bpf_probe_read_user(b, 7, (void *)(addr - 7)))
		return false;
	return b[2] == 0xe8 || (b[5] == 0xff && (b[6] & 0x38) == 0x10) ||
	       (b[4] == 0xff && (b[5] & 0x38) == 0x10) || (b[1] == 0xff && (b[2] & 0x38) == 0x10) ||
	       (b[0] == 0xff && (b[1] & 0x38) == 0x10);
#else
	return addr >= 4096;
#endif
}

/* Who called the function that makes the system call; 0: not known, or next in the chain anyway. */
static __always_inline __u64 stack__caller(__u64 sp, __u64 link, __u64 next)
{
	__u64 word = link;

	if (link)
		return link != next && is_return_address(link) ? link : 0;
	for (int i = 0; i < WRAPPER_WORDS; i++) {
		if (bpf_probe_read_user(&word, sizeof(word), (void *)(sp + i * 8)))
			return 0;
		if (word == next)
			return 0;
		if (is_return_address(word))
			return word;
	}
	return 0;
}

/* Not static: so that the verifier looks at it once, not for each frame. Returns 0 when there is no more to do. */
__noinline int stack__place(__u32 i)
{
	struct stack_scratch *s = stack__scratch();
	struct ipct_place *p;
	struct super_block *sb;
	struct inode *inode;
	struct range r;
	__u64 file;
	__u32 at;

	if (!s || i >= s->cnt || i >= IPCT_STACK_FRAMES_MAX)
		return 0;
	at = s->first + i;
	if (at > IPCT_STACK_FRAMES_MAX)
		return 0;
	p = &s->places[i];
	__builtin_memset(p, 0, sizeof(*p));
	p->ip = s->ips[at];
	if (s->ev.what != IPCT_STACK_USER || !range__at(&r, p->ip) || !r.vma)
		return 1;
	p->is_code = !!(READ(r.vma, struct vm_area_struct, vm_flags) & VM_EXEC);
	file = p->is_code ? WORD(r.vma, struct vm_area_struct, vm_file) : 0;
	if (!file)
		return 1;
	inode = READ(file, struct file, f_inode);
	sb = READ(inode, struct inode, i_sb);
	p->ino = READ(inode, struct inode, i_ino);
	p->dev = READ(sb, struct super_block, s_dev);
	p->offset = p->ip - r.start + (READ(r.vma, struct vm_area_struct, vm_pgoff) << PAGE_SHIFT_MIN);
	named__tell(file, IPCT_MECH_NONE, p->ino, p->dev);
	return 1;
}

/* Mappings of one process change, and different ones have different code at one address. */
static __always_inline __u64 stack__hash(const struct stack_scratch *s)
{
	struct task_struct *task = current_task();
	__u64 h = s->ev.what;

	if (s->ev.what == IPCT_STACK_USER)
		h ^= WORD(task, struct task_struct, mm) ^
		     READ(READ(task, struct task_struct, group_leader), struct task_struct, start_boottime);
	for (__u32 i = 0; i < IPCT_STACK_FRAMES_MAX; i++) {
		if (i >= s->cnt || s->first > 1)
			break;
		h = (h ^ s->ips[s->first + i]) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	return h;
}

/* Tells the stack in the scratch memory. Not static: verified once. */
__noinline int stack__tell(__u64 enter_ns, __u32 mech)
{
	struct stack_scratch *s = stack__scratch();
	__u32 bytes = 0, size;
	__u8 one = 1;

	if (!s || !s->cnt)
		return 0;
	s->ev.enter_ns = enter_ns;
	s->ev.id = stack__hash(s);
	s->ev.pad0 = 0;
	if (!bpf_map_lookup_elem(&stacks_seen, &s->ev.id)) {
		for (__u32 i = 0; i < IPCT_STACK_FRAMES_MAX; i++)
			if (!stack__place(i))
				break;
		bytes = s->cnt * sizeof(s->places[0]);
	}
	size = sizeof(s->ev) + bytes;
	UNKNOWN(size);
	if (size > sizeof(s->ev) + sizeof(s->places))
		return 0;
	s->ev.len = bytes;
	emit__header(&s->ev.h, IPCT_KIND_STACK, size, mech, 0);
	if (emit__try_output(&s->ev, size, mech) && bytes)
		bpf_map_update_elem(&stacks_seen, &s->ev.id, &one, BPF_ANY);
	return 0;
}

/* sp 0: the caller of the innermost function need not be looked for. */
static __always_inline void stack__take(void *ctx, __u8 what, __u64 sp, __u64 link, __u64 enter_ns, __u8 mech)
{
	struct stack_scratch *s = stack__scratch();
	__u64 caller;
	long bytes;

	if (!s)
		return;
	bytes = bpf_get_stack(ctx, s->ips + 1, IPCT_STACK_FRAMES_MAX * 8,
			      what == IPCT_STACK_USER ? BPF_F_USER_STACK : 0);
	if (bytes < 8)
		return;
	s->ev.what = what;
	s->ev.flags = bytes == IPCT_STACK_FRAMES_MAX * 8 ? IPCT_STACK_CUT : 0;
	s->first = 1;
	s->cnt = (__u32)bytes / 8;
	caller = sp && s->cnt < IPCT_STACK_FRAMES_MAX ? stack__caller(sp, link, s->cnt > 1 ? s->ips[2] : 0)
						      : 0;
	if (caller) {
		s->ips[0] = s->ips[1];
		s->ips[1] = caller;
		s->first = 0;
		s->cnt++;
	}
	stack__tell(enter_ns, mech);
}

/* What shows as an operation: not each open() and mmap() of a file. */
static __always_inline __u8 stack__mech_of(const struct task_op *op)
{
	if (!op || !op->class || op->class == IPCT_SC_CLOSE || op->class == IPCT_SC_OPEN)
		return IPCT_MECH_NONE;
	if (op->class >= IPCT_SC_MMAP && op->class <= IPCT_SC_MPROTECT)
		return IPCT_MECH_NONE;
	if (op->in.mech || op->out.mech)
		return op->out.mech ? op->out.mech : op->in.mech;
	if (op->class >= IPCT_SC_MSGGET && op->class <= IPCT_SC_MQ_NOTIFY)
		return IPCT_MECH_SYSV_MSG;
	if (op->class >= IPCT_SC_SHMGET && op->class <= IPCT_SC_SHMCTL)
		return IPCT_MECH_SYSV_SHM;
	if (op->class >= IPCT_SC_SEMOP && op->class <= IPCT_SC_SEMGET)
		return IPCT_MECH_SYSV_SEM;
	if (op->class >= IPCT_SC_FUTEX && op->class <= IPCT_SC_FUTEX_WAIT)
		return IPCT_MECH_POSIX_SEM;
	if (op->class == IPCT_SC_PTRACE || op->class == IPCT_SC_VM_READ || op->class == IPCT_SC_VM_WRITE)
		return IPCT_MECH_PTRACE;
	if (op->class == IPCT_SC_FLOCK || op->class == IPCT_SC_FCNTL)
		return IPCT_MECH_FLOCK;
	return IPCT_MECH_NONE;
}

#endif
