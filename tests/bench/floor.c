// SPDX-License-Identifier: GPL-2.0
/*
 * The floor under every BPF tracer: programs that do nothing, on the tracepoints named as arguments. Says "ready" and
 * stays until it is killed.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

static int attach(const char *tracepoint)
{
	const struct bpf_insn empty[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int fd;

	opts.attach_btf_id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP);
	if ((int)opts.attach_btf_id < 0)
		return -1;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "bench_floor", "GPL", empty, 2, &opts);
	return fd < 0 ? fd : bpf_raw_tracepoint_open(NULL, fd);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (attach(argv[i]) < 0) {
			fprintf(stderr, "floor: cannot attach to %s\n", argv[i]);
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
