/* SPDX-License-Identifier: GPL-2.0 */
/* System V objects: from an id to the kernel's object, and 32-bit x86's one system call for all of them. */
#ifndef BPF_SYSV_H
#define BPF_SYSV_H

#include "task.bpf.h"

/* Index of ipc_namespace.ids (IPC_SEM_IDS, ... in ipc/util.h). */
enum sysv_kind { SYSV_SEM, SYSV_MSG, SYSV_SHM };

#define SYSV_INDEX_MASK 0x7fff /* ipc/util.h: an id's lower bits are its index, the upper a sequence number */
#define SYSV_INDEX_MASK_EXTENDED 0xffffff /* boot option ipcmni_extend */
#define XA_LEVELS_MAX 4

static __always_inline struct ipc_namespace *sysv__namespace(void)
{
	struct nsproxy *ns = READ(current_task(), struct task_struct, nsproxy);

	return ns ? READ(ns, struct nsproxy, ipc_ns) : NULL;
}

/* xa_load(): inner nodes carry 2 in their lowest bits. */
static __always_inline __u64 xarray__load(__u64 entry, __u32 index)
{
	for (int i = 0; i < XA_LEVELS_MAX && (entry & 3) == 2; i++) {
		__u64 node = entry - 2;
		__u32 slot = (index >> READ(node, struct xa_node, shift)) & 63;

		entry = read_word((void *)(node + bpf_core_field_offset(struct xa_node, slots) + slot * 8));
	}
	return entry & 3 ? 0 : entry;
}

/* The struct kern_ipc_perm of an id in the running task's namespace, which its object begins with; 0: none. */
static __noinline __u64 sysv__find(__u32 kind, __s32 id)
{
	struct ipc_namespace *ns = sysv__namespace();
	struct ipc_ids *ids;
	__u64 root, perm;

	if (!ns || id < 0)
		return 0;
	ids = ELEMENT((__u64)ns + bpf_core_field_offset(struct ipc_namespace, ids), struct ipc_ids, kind);
	root = (__u64)READ(ids, struct ipc_ids, ipcs_idr.idr_rt.xa_head);
	perm = xarray__load(root, id & SYSV_INDEX_MASK);
	if (perm && READ(perm, struct kern_ipc_perm, id) == id)
		return perm;
	perm = xarray__load(root, id & SYSV_INDEX_MASK_EXTENDED);
	return perm && READ(perm, struct kern_ipc_perm, id) == id ? perm : 0;
}

/* ipc(call | version << 16, first, second, third, ptr, fifth): args become those of the call itself. */
static __always_inline __u8 ipc__decode(struct sysargs *args)
{
	const struct sysargs raw = *args;
	__u32 kludge[2] = {};

	switch (raw.a[0] & 0xffff) {
	case 11:
		args->a[0] = raw.a[1];
		args->a[1] = raw.a[4];
		return IPCT_SC_MSGSND; /* a[2], a[3]: length and flags already */
	case 12:
		args->a[0] = raw.a[1];
		args->a[1] = raw.a[4];
		args->a[3] = raw.a[5];
		args->a[4] = raw.a[3];
		if (raw.a[0] >> 16)
			return IPCT_SC_MSGRCV;
		bpf_probe_read_user(kludge, sizeof(kludge), (void *)raw.a[4]);
		args->a[1] = kludge[0];
		args->a[3] = kludge[1];
		return IPCT_SC_MSGRCV;
	case 13:
		args->a[0] = raw.a[1];
		args->a[1] = raw.a[2];
		return IPCT_SC_MSGGET;
	case 14:
		args->a[0] = raw.a[1];
		args->a[1] = raw.a[2];
		return IPCT_SC_MSGCTL;
	}
	return IPCT_SC_NONE;
}

#endif
