/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does the allocator's tracepoint show the sk_buffs that sockets send? From 6.19 on __alloc_skb() takes them from a cache per CPU, which is
 * refilled without it. No type and no symbol says so for sure: some are sent, and counted.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kern/insn.h"
#include "kern/probe.h"

#define SENT_CNT 32

/* Of struct kmem_cache; negative: there is none. */
static int object_size_offset(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "kmem_cache", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), "object_size"))
			return (int)btf_member_bit_offset(t, (__u32)i) / 8;
	return -ENOENT;
}

/* Counts in the map's one element; arguments as in bpf/skb.bpf.c. */
static int attach_counter(const struct btf *btf, int map_fd)
{
	int offset = object_size_offset(btf), link, fd;
	int skb_bytes =
		(int)btf__resolve_size(btf, (__u32)btf__find_by_name_kind(btf, "sk_buff", BTF_KIND_STRUCT));
	const struct bpf_insn insns[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_1, 16, 0),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_2, 0, 7, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_3, BPF_REG_2, offset, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_3, 0, 5, skb_bytes),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, map_fd),
		INSN(0, 0, 0, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_1, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, 1),
		INSN(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_1, BPF_REG_2, 0, 0),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};

	if (offset < 0 || skb_bytes <= 0)
		return -ENOENT;
	fd = probe__load_tracing("kmem_cache_alloc", BPF_TRACE_RAW_TP, insns,
				 sizeof(insns) / sizeof(insns[0]));
	if (fd < 0)
		return fd;
	link = bpf_raw_tracepoint_open(NULL, fd);
	link = link < 0 ? -errno : link;
	close(fd);
	return link;
}

static void send_some(void)
{
	int pair[2];
	char c = 0;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return;
	for (int i = 0; i < SENT_CNT; i++)
		if (send(pair[0], &c, 1, MSG_DONTWAIT) != 1 || recv(pair[1], &c, 1, MSG_DONTWAIT) != 1)
			break;
	close(pair[0]);
	close(pair[1]);
}

bool probe__shows_skbs(const struct btf *btf)
{
	uint64_t cnt = 0;
	uint32_t zero = 0;
	int map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ipct_probe", sizeof(zero), sizeof(cnt), 1, NULL);
	int link = map_fd < 0 ? -errno : attach_counter(btf, map_fd);

	if (link >= 0) {
		send_some();
		bpf_map_lookup_elem(map_fd, &zero, &cnt);
		close(link);
	}
	if (map_fd >= 0)
		close(map_fd);
	/* Interrupts of the same CPU may hide one; others that allocate add some. */
	return cnt >= SENT_CNT / 2;
}
