/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernels and architectures that the kernel half knows,
 * each with the commit or version that made it. Nothing else tests versions.
 */
#ifndef BPF_COMPAT_H
#define BPF_COMPAT_H

#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/*
 * Typed loads through pointers that the verifier does not know: bpf_rdonly_cast() (6.2, a35b9af4ec2c
 * "bpf: Add a kfunc for generic type cast") makes them plain loads; before, each is a call of
 * bpf_probe_read_kernel(). READ(pointer, struct type, field).
 */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

#define READ(ptr, type, field)                                                               \
	({                                                                                   \
		/* Evaluated outside of what is relocated below. */                          \
		const void *___ptr = (const void *)(ptr);                                    \
		typeof(((type *)0)->field) ___v;                                             \
		if (cfg.has_rdonly_cast) {                                                   \
			type *___p = bpf_rdonly_cast(___ptr, bpf_core_type_id_kernel(type)); \
			___v = ___p->field;                                                  \
		} else {                                                                     \
			bpf_core_read(&___v, sizeof(___v), &((type *)___ptr)->field);        \
		}                                                                            \
		___v;                                                                        \
	})

/* So that what nearly always runs lies in one piece. */
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Element `index` of an array of kernel structs. */
#define ELEMENT(base, type, index) ((type *)((__u64)(base) + (__u64)(index)*bpf_core_type_size(type)))

/* A pointer-sized word at a kernel address. */
static __always_inline __u64 read_word(const void *addr)
{
	__u64 v = 0;

	bpf_probe_read_kernel(&v, sizeof(v), addr);
	return v;
}

/* The same as a plain load, where the kernel has those: of a struct that begins with a number of 64 bits. */
#define LOAD_WORD(addr) ((__u64)READ(addr, struct timespec64, tv_sec))

/* Two neighbours of 32 bits each as one load: a in the lower half, b in the upper. */
#define READ_TWO(ptr, type, a, b)                                                             \
	({                                                                                    \
		__u64 ___two;                                                                 \
		if (bpf_core_field_offset(type, b) == bpf_core_field_offset(type, a) + 4)     \
			___two = LOAD_WORD((__u64)(ptr) + bpf_core_field_offset(type, a));    \
		else                                                                          \
			___two = (__u64)READ(ptr, type, b) << 32 | (__u32)READ(ptr, type, a); \
		___two;                                                                       \
	})

/* Keeps the compiler from leaving out a check that it can prove and the verifier cannot. */
#define UNKNOWN(var) asm volatile("" : "+r"(var))

/* A pointer-sized field as a number, which the verifier lets one calculate with. */
#define WORD(ptr, type, field) read_word((const void *)((__u64)(ptr) + bpf_core_field_offset(type, field)))

/* bpf_get_current_task_btf() came with 5.11 (3ca1032ab7ab); READ() copes with either kind of pointer. */
static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

/* task_struct.state became __state in 5.14 (2f064a59a11f "sched: Change task_struct::state"). */
struct task_struct___v5_13 {
	volatile long state;
} __attribute__((preserve_access_index));

struct task_struct___v5_14 {
	unsigned int __state;
} __attribute__((preserve_access_index));

/* 0: runnable. */
#define TASK_DEAD 0x80

static __always_inline long task__state(const struct task_struct *task)
{
	const struct task_struct___v5_13 *old = (const void *)task;
	const struct task_struct___v5_14 *now = (const void *)task;

	if (bpf_core_field_exists(now->__state))
		return BPF_CORE_READ(now, __state);
	return BPF_CORE_READ(old, state);
}

/* file.f_count became f_ref in 6.13, which counts from 0 (90ee6ed776c0 "fs: port files to file_ref"). */
struct file___v6_12 {
	struct {
		long counter;
	} f_count;
} __attribute__((preserve_access_index));

struct file___v6_13 {
	struct {
		struct {
			long counter;
		} refcnt;
	} f_ref;
} __attribute__((preserve_access_index));

/* One reference: one descriptor in one table, and no call that works on it beside those of that table's threads. */
static __always_inline bool file__has_one_user(__u64 file)
{
	const struct file___v6_12 *old = (const void *)file;
	const struct file___v6_13 *now = (const void *)file;

	if (bpf_core_field_exists(now->f_ref))
		return !READ(now, struct file___v6_13, f_ref.refcnt.counter);
	return READ(old, struct file___v6_12, f_count.counter) == 1;
}

/* ---- system call arguments ---- */

struct sysargs {
	__u64 a[6];
};

#if defined(__TARGET_ARCH_x86)

#define TS_COMPAT 0x2

static __always_inline bool syscall_is_compat(struct task_struct *task)
{
	return READ(task, struct task_struct, thread_info.status) & TS_COMPAT;
}

static __always_inline void syscall_args(struct pt_regs *regs, bool compat, struct sysargs *args)
{
	if (compat) {
		args->a[0] = (__u32)regs->bx;
		args->a[1] = (__u32)regs->cx;
		args->a[2] = (__u32)regs->dx;
		args->a[3] = (__u32)regs->si;
		args->a[4] = (__u32)regs->di;
		args->a[5] = (__u32)regs->bp;
		return;
	}
	args->a[0] = regs->di;
	args->a[1] = regs->si;
	args->a[2] = regs->dx;
	args->a[3] = regs->r10;
	args->a[4] = regs->r8;
	args->a[5] = regs->r9;
}

/* The same where the verifier knows nothing about regs. */
static __always_inline void syscall_args_far(struct pt_regs *regs, bool compat, struct sysargs *args)
{
	args->a[0] = compat ? (__u32)READ(regs, struct pt_regs, bx) : READ(regs, struct pt_regs, di);
	args->a[1] = compat ? (__u32)READ(regs, struct pt_regs, cx) : READ(regs, struct pt_regs, si);
	args->a[2] = compat ? (__u32)READ(regs, struct pt_regs, dx) : READ(regs, struct pt_regs, dx);
	args->a[3] = compat ? (__u32)READ(regs, struct pt_regs, si) : READ(regs, struct pt_regs, r10);
	args->a[4] = compat ? (__u32)READ(regs, struct pt_regs, di) : READ(regs, struct pt_regs, r8);
	args->a[5] = compat ? (__u32)READ(regs, struct pt_regs, bp) : READ(regs, struct pt_regs, r9);
}

/* The first arguments of a native call. */
#define SYSARG0(regs) ((regs)->di)
#define SYSARG1(regs) ((regs)->si)
#define SYSARG2(regs) ((regs)->dx)
#define SYSARG3(regs) ((regs)->r10)
#define STACK_POINTER(regs) ((regs)->sp)
#define LINK_REGISTER(regs) 0ull /* return addresses are on the stack */

static __always_inline long syscall_nr_at_exit(struct pt_regs *regs)
{
	return (long)regs->orig_ax;
}

static __always_inline long syscall_nr_far(struct pt_regs *regs)
{
	return (long)READ(regs, struct pt_regs, orig_ax);
}

#elif defined(__TARGET_ARCH_arm64)

#define TIF_32BIT_MASK (1ul << 22)

static __always_inline bool syscall_is_compat(struct task_struct *task)
{
	return READ(task, struct task_struct, thread_info.flags) & TIF_32BIT_MASK;
}

static __always_inline void syscall_args(struct pt_regs *regs, bool compat, struct sysargs *args)
{
	args->a[0] = regs->orig_x0;
	args->a[1] = regs->regs[1];
	args->a[2] = regs->regs[2];
	args->a[3] = regs->regs[3];
	args->a[4] = regs->regs[4];
	args->a[5] = regs->regs[5];
	if (compat) {
		for (int i = 0; i < 6; i++)
			args->a[i] = (__u32)args->a[i];
	}
}

static __always_inline void syscall_args_far(struct pt_regs *regs, bool compat, struct sysargs *args)
{
	args->a[0] = READ(regs, struct pt_regs, orig_x0);
	args->a[1] = READ(regs, struct pt_regs, regs[1]);
	args->a[2] = READ(regs, struct pt_regs, regs[2]);
	args->a[3] = READ(regs, struct pt_regs, regs[3]);
	args->a[4] = READ(regs, struct pt_regs, regs[4]);
	args->a[5] = READ(regs, struct pt_regs, regs[5]);
	if (compat) {
		for (int i = 0; i < 6; i++)
			args->a[i] = (__u32)args->a[i];
	}
}

#define SYSARG0(regs) ((regs)->orig_x0)
#define SYSARG1(regs) ((regs)->regs[1])
#define SYSARG2(regs) ((regs)->regs[2])
#define SYSARG3(regs) ((regs)->regs[3])
#define STACK_POINTER(regs) ((regs)->sp)
#define LINK_REGISTER(regs) ((regs)->regs[30])

static __always_inline long syscall_nr_at_exit(struct pt_regs *regs)
{
	return regs->syscallno;
}

/* Without its sign, which the verifier of 6.1 loses sight of: -1 is none of ours either way. */
static __always_inline long syscall_nr_far(struct pt_regs *regs)
{
	return (__u32)READ(regs, struct pt_regs, syscallno);
}

#endif

/* bpf_task_pt_regs() came with 5.15 (dd6e10fbd9fb "bpf: Add bpf_task_pt_regs() helper"). */
enum bpf_func_id___v5_15 {
	BPF_FUNC_task_pt_regs___v5_15 = 175,
};

/* What the running task had when it entered the kernel; NULL: cannot tell. */
static __always_inline struct pt_regs *user_regs(void)
{
	if (!bpf_core_enum_value_exists(enum bpf_func_id___v5_15, BPF_FUNC_task_pt_regs___v5_15))
		return NULL;
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* The links of a file's names are members of an anonymous union since 7.1 (2420067cecac), and of dentry.d_u before. */
struct dentry___v7_1 {
	struct hlist_node d_alias;
} __attribute__((preserve_access_index));

static __always_inline __u64 dentry__of_alias(__u64 alias)
{
	if (bpf_core_field_exists(struct dentry, d_u.d_alias))
		return alias - bpf_core_field_offset(struct dentry, d_u.d_alias);
	return alias - bpf_core_field_offset(struct dentry___v7_1, d_alias);
}

/* sock.sk_type was a bit field before 5.6 (bf9765145b85); all kernels with a ring buffer have the u16. */

/* d_name became const in a union in 6.18 and f_path likewise; CO-RE matches them by name all the same. */

#endif
