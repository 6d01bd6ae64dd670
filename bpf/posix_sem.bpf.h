/* SPDX-License-Identifier: GPL-2.0 */
/*
 * POSIX semaphores and whatever else lies in shared memory and is waited for by futex: mutexes, conditions,
 * barriers. The kernel sees contended operations only; libc's own functions are watched where that is asked for (usem.bpf.c).
 */
#ifndef BPF_POSIX_SEM_H
#define BPF_POSIX_SEM_H

#include "object.bpf.h"
#include "unit.bpf.h"
#include "vma.bpf.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_REQUEUE 3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP 5
#define FUTEX_LOCK_PI 6
#define FUTEX_UNLOCK_PI 7
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_LOCK_PI2 13
#define FUTEX_PRIVATE_FLAG 128
#define FUTEX_CMD_MASK 127
#define FUTEX2_PRIVATE 128

#define SEM_FILE_PREFIX "sem."
#define SEM_PREFIX_BYTES 4
#define SEM_TEMPORARY_BYTES 10 /* libc makes a semaphore as sem.XXXXXX and gives it its name by link(2) */
#define ALIASES_MAX 4
#define DENTRY_NAME_MAX 255

/* A process in the middle of sem_post, sem_wait, ... (usem.bpf.c); by thread. */
struct usem_op {
	struct ipct_counter c;
	struct ipct_waker waker;
	__u64 enter_ns;
	__u64 commit_ns; /* sem_post has added its unit: it is in the kernel to wake somebody */
	__u64 sem; /* user address */
	__u32 flags; /* enum ipct_unit_flag */
	__u8 post;
	__u8 pad0[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct usem_op);
} usem_ops SEC(".maps");

static __always_inline struct usem_op *usem__of(__u32 tid)
{
	return cfg.user_sems ? bpf_map_lookup_elem(&usem_ops, &tid) : NULL;
}

/* The mapping of the running process that holds addr, if it is shared and of a file; 0: no. Not static: verified once. */
__noinline __u64 psem__mapping(__u64 addr)
{
	__u64 mm = WORD(current_task(), struct task_struct, mm), vma, end = 0;

	if (!mm)
		return 0;
	if (bpf_core_field_exists(struct mm_struct___maple, mm_mt))
		vma = maple__find(mm, addr, &end);
	else
		vma = rb__find(mm, addr);
	if (!vma || WORD(vma, struct vm_area_struct, vm_mm) != mm)
		return 0;
	if (READ(vma, struct vm_area_struct, vm_start) > addr ||
	    READ(vma, struct vm_area_struct, vm_end) <= addr)
		return 0;
	if (!(READ(vma, struct vm_area_struct, vm_flags) & VM_MAYSHARE))
		return 0; /* of this process alone */
	return WORD(vma, struct vm_area_struct, vm_file) ? vma : 0;
}

static __always_inline void psem__of_file(struct ipct_counter *c, __u64 file)
{
	__u64 inode = WORD(file, struct file, f_inode);
	__u64 sb = WORD(inode, struct inode, i_sb);

	c->key = READ(inode, struct inode, i_ino);
	c->dev = READ(sb, struct super_block, s_dev);
	c->off = 0;
	c->num = 0;
}

/* Which counter lies at addr, and the file that it is in; 0: none that processes share. */
static __noinline __u64 psem__at(struct ipct_counter *c, __u64 addr)
{
	__u64 vma = psem__mapping(addr), file;

	if (!vma)
		return 0;
	file = WORD(vma, struct vm_area_struct, vm_file);
	psem__of_file(c, file);
	c->off = READ(vma, struct vm_area_struct, vm_pgoff) * cfg.page_bytes + addr -
		 READ(vma, struct vm_area_struct, vm_start);
	return file;
}

static __always_inline bool dentry__is_sem(__u64 dentry)
{
	const char want[] = SEM_FILE_PREFIX;
	char name[SEM_PREFIX_BYTES] = {};

	bpf_probe_read_kernel(name, sizeof(name), (void *)WORD(dentry, struct dentry, d_name.name));
	for (int i = 0; i < SEM_PREFIX_BYTES; i++) {
		if (name[i] != want[i])
			return false;
	}
	return true;
}

static __always_inline bool dentry__is_linked(__u64 dentry)
{
	return WORD(dentry, struct dentry, d_hash.pprev) != 0;
}

/*
 * The directory entry that names a semaphore's file. The one through which its maker opened it has been removed, and
 * another one of the same file has the name; 0: its name cannot be told (any more).
 */
static __noinline __u64 psem__dentry(__u64 file)
{
	__u64 own = WORD(file, struct file, f_path.dentry), inode = WORD(file, struct file, f_inode), at;

	if (!dentry__is_sem(own))
		return 0;
	if (dentry__is_linked(own))
		return own;
	at = WORD(inode, struct inode, i_dentry.first);
	for (int i = 0; i < ALIASES_MAX && at; i++) {
		__u64 dentry = dentry__of_alias(at);

		if (dentry__is_linked(dentry) && dentry__is_sem(dentry))
			return dentry;
		at = read_word((void *)at);
	}
	return READ(own, struct dentry, d_name.len) == SEM_TEMPORARY_BYTES ? 0 : own;
}

struct psem_object {
	struct ipct_object ev;
	char name[DENTRY_NAME_MAX + 1];
};

/* Tells the name of counter c, which is in this file, and what it holds (or ..._FILL_UNKNOWN). */
static __noinline int psem__emit_object(const struct ipct_counter *c, __u64 file, __u64 fill)
{
	__u64 dentry = c->off ? 0 : psem__dentry(file);
	struct psem_object *o;
	__u32 len = 0;

	o = emit__reserve(IPCT_KIND_OBJECT, sizeof(*o), IPCT_MECH_POSIX_SEM, 0);
	if (!o)
		return 0;
	__builtin_memset(&o->ev.key, 0, sizeof(o->ev) - sizeof(o->ev.h));
	if (dentry) {
		len = READ(dentry, struct dentry, d_name.len);
		if (len > DENTRY_NAME_MAX)
			len = DENTRY_NAME_MAX;
		bpf_probe_read_kernel(o->name, len & DENTRY_NAME_MAX,
				      (void *)WORD(dentry, struct dentry, d_name.name));
	}
	o->ev.key = c->key;
	o->ev.dev = c->dev;
	o->ev.rd_addr = c->off;
	o->ev.fill_bytes = fill;
	o->ev.fd = -1;
	o->ev.what = fill == IPCT_OBJECT_FILL_UNKNOWN ? IPCT_OBJECT_SCAN : IPCT_OBJECT_BASE;
	o->ev.name_len = len;
	emit__submit(o);
	return 0;
}

/* libc closes the descriptor of a new semaphore when it has its name, and before anybody can remove that. */
static __noinline int psem__closes(__s32 fd)
{
	__u64 file = file__by_fd(fd);
	struct ipct_counter c;

	if (!file || !dentry__is_sem(WORD(file, struct file, f_path.dentry)))
		return 0;
	psem__of_file(&c, file);
	psem__emit_object(&c, file, IPCT_OBJECT_FILL_UNKNOWN);
	return 0;
}

static __always_inline bool futex__waits(__u32 cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2;
}

static __always_inline bool futex__wakes(__u32 cmd)
{
	return cmd == FUTEX_WAKE || cmd == FUTEX_WAKE_BITSET || cmd == FUTEX_WAKE_OP ||
	       cmd == FUTEX_UNLOCK_PI || cmd == FUTEX_REQUEUE || cmd == FUTEX_CMP_REQUEUE;
}

/* A named counter for a mapping that the trace meets for the first time; with usem.bpf.c, that one tells more. */
static __noinline int futex__meet(const struct ipct_counter *c, __u64 file)
{
	if (!unit__is_met(c, IPCT_MECH_POSIX_SEM) && unit__meet(c, IPCT_MECH_POSIX_SEM))
		psem__emit_object(c, file, IPCT_OBJECT_FILL_UNKNOWN);
	return 0;
}

static __always_inline bool futex__decode(struct unit_op *u, __u8 class, const struct sysargs *args)
{
	if (class != IPCT_SC_FUTEX) {
		u->cmd = class == IPCT_SC_FUTEX_WAKE ? FUTEX_WAKE : FUTEX_WAIT;
		return !(args->a[3] & FUTEX2_PRIVATE);
	}
	u->cmd = args->a[1] & FUTEX_CMD_MASK;
	return !(args->a[1] & FUTEX_PRIVATE_FLAG) && (futex__waits(u->cmd) || futex__wakes(u->cmd));
}

static __noinline bool futex__enter(struct task_op *op, const struct sysargs *args)
{
	struct ipct_counter c = {};
	struct usem_op *usem;
	__u64 file;

	if (!wanted(IPCT_MECH_POSIX_SEM))
		return false;
	unit__begin(&op->unit);
	if (!futex__decode(&op->unit, op->class, args))
		return false;
	file = psem__at(&c, args->a[0]);
	if (!file)
		return false;
	op->unit.c = c;
	op->unit.waits = futex__waits(op->unit.cmd);
	usem = usem__of((__u32)bpf_get_current_pid_tgid());
	if (usem) {
		op->unit.flags = IPCT_UNIT_IN_LIBC;
		if (usem->post && !usem->commit_ns)
			usem->commit_ns = clock__now();
	} else {
		futex__meet(&op->unit.c, file);
	}
	return true;
}

/* A wait that found the value changed, or a wake that found nobody, was no communication. */
static __noinline int futex__exit(const struct task_op *op, __s64 ret)
{
	bool waits = op->unit.waits;
	struct ipct_futex *ev;

	if (waits ? ret == -11 : ret <= 0)
		return 0;
	ev = emit__reserve(IPCT_KIND_FUTEX, sizeof(*ev), IPCT_MECH_POSIX_SEM,
			   waits ? IPCT_OP_WAIT : IPCT_OP_WAKE);
	if (!ev)
		return 0;
	ev->enter_ns = op->enter_ns;
	ev->c = op->unit.c;
	ev->waker = op->unit.waker;
	ev->ret = ret;
	ev->cmd = op->unit.cmd;
	ev->flags = op->unit.flags | (op->compat ? IPCT_UNIT_COMPAT : 0);
	ev->pad0 = 0;
	emit__submit(ev);
	return 0;
}

#endif
