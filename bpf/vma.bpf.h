/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lies at an address of the running process. No lock is taken: bpf_find_vma() (5.17) gives up while another
 * thread maps something, and would need a program of its own on older kernels; a torn view is told by vma->vm_mm.
 */
#ifndef BPF_VMA_H
#define BPF_VMA_H

#include "compat.bpf.h"

#define VM_WRITE 0x2
#define VM_EXEC 0x4
#define VM_MAYSHARE 0x80 /* MAP_SHARED; VM_SHARED is missing when the file is open for reading only */

#define MAPLE_DEPTH_MAX 8
#define MAPLE_PIVOTS_MAX 15
#define RB_DEPTH_MAX 40

/* A range of addresses: of one mapping, or of none (vma 0). */
struct range {
	__u64 vma;
	__u64 start, end;
};

/* A node's address ends in its type: lib/maple_tree.c, mte_to_node() and mte_node_type(). */
static __always_inline __u64 maple__find(__u64 mm, __u64 addr, __u64 *end)
{
	__u64 entry = WORD(mm, struct mm_struct___maple, mm_mt.ma_root);
	__u64 last = ~0ull;

	if ((entry & 3) != 2 || entry <= 4096) /* only the root is marked so */
		return 0;
	for (int depth = 0; depth < MAPLE_DEPTH_MAX; depth++) {
		__u64 node = entry & ~0xffull, pivots, slots, i;
		__u32 type = entry >> 3 & 0xf, cnt;

		if (!node)
			return 0;
		if (type == 3) {
			pivots = node + bpf_core_field_offset(struct maple_arange_64, pivot);
			slots = node + bpf_core_field_offset(struct maple_arange_64, slot);
			cnt = bpf_core_field_size(struct maple_arange_64, pivot) / 8;
		} else {
			pivots = node + bpf_core_field_offset(struct maple_range_64, pivot);
			slots = node + bpf_core_field_offset(struct maple_range_64, slot);
			cnt = bpf_core_field_size(struct maple_range_64, pivot) / 8;
		}
		for (i = 0; i < MAPLE_PIVOTS_MAX && i < cnt; i++) {
			__u64 pivot = read_word((void *)(pivots + i * 8));

			if (i && !pivot)
				break;
			if (pivot >= addr) {
				last = pivot;
				break;
			}
		}
		entry = read_word((void *)(slots + i * 8));
		if (type < 2) {
			*end = last + 1;
			return entry & 3 ? 0 : entry;
		}
	}
	return 0;
}

/* The first mapping that ends behind addr. */
static __always_inline __u64 rb__find(__u64 mm, __u64 addr)
{
	__u64 node = WORD(mm, struct mm_struct___rb, mm_rb.rb_node), best = 0;

	for (int i = 0; i < RB_DEPTH_MAX && node; i++) {
		__u64 vma = node - bpf_core_field_offset(struct vm_area_struct___rb, vm_rb);

		if (READ(vma, struct vm_area_struct, vm_end) > addr) {
			best = vma;
			if (READ(vma, struct vm_area_struct, vm_start) <= addr)
				break;
			node = WORD(node, struct rb_node, rb_left);
		} else {
			node = WORD(node, struct rb_node, rb_right);
		}
	}
	return best;
}

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct range);
} range_found SEC(".maps");

/* Not static: so the verifier looks at it once, not at each call. The result is in range_found; 0: cannot tell. */
__noinline int range__find(__u64 addr)
{
	__u64 mm = WORD(current_task(), struct task_struct, mm);
	__u32 zero = 0;
	struct range *r = bpf_map_lookup_elem(&range_found, &zero);

	if (!r || !mm)
		return 0;
	r->start = addr;
	r->end = 0;
	if (bpf_core_field_exists(struct mm_struct___maple, mm_mt))
		r->vma = maple__find(mm, addr, &r->end);
	else
		r->vma = rb__find(mm, addr);
	if (!r->vma)
		return r->end > addr;
	if (WORD(r->vma, struct vm_area_struct, vm_mm) != mm)
		return 0;
	r->start = READ(r->vma, struct vm_area_struct, vm_start);
	r->end = READ(r->vma, struct vm_area_struct, vm_end);
	if (r->start > addr) { /* the tree had nothing at addr, and gave what follows */
		r->end = r->start;
		r->start = addr;
		r->vma = 0;
	}
	return r->end > addr;
}

/* The range that holds addr. False: cannot tell. */
static __always_inline bool range__at(struct range *r, __u64 addr)
{
	__u32 zero = 0;
	struct range *found;

	if (!range__find(addr))
		return false;
	found = bpf_map_lookup_elem(&range_found, &zero);
	if (!found)
		return false;
	*r = *found;
	return true;
}

#endif
