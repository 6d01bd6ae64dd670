/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which kinds of BPF programs does this kernel really run? For each: load, attach, write WRITES times, count.
 * Prints "ok - KIND", "not ok - KIND: why" (attached, but did not see every write) or "skip - KIND: why".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "smoke.h"
#include "smoke.skel.h"

#define WRITES 5

static const struct {
	const char *name, *prog;
} kinds[SMOKE_CNT] = {
	/* clang-format off */
	[SMOKE_FENTRY] = { "fentry", "on_fentry" },
	[SMOKE_FEXIT] = { "fexit", "on_fexit" },
	[SMOKE_KPROBE] = { "kprobe", "on_kprobe" },
	[SMOKE_KRETPROBE] = { "kretprobe", "on_kretprobe" },
	[SMOKE_TP_BTF] = { "tracepoint", "on_tp_btf" },
	[SMOKE_ITER] = { "iterator", "on_iter" },
	/* clang-format on */
};

static int on_record(void *ctx, void *data, size_t size)
{
	++*(unsigned long long *)ctx;
	return 0;
}

static int no_talk(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static int make_writes(void)
{
	int fd = open("/dev/null", O_WRONLY), i;

	for (i = 0; i < WRITES; i++) {
		if (write(fd, "x", 1) != 1)
			return -errno;
	}
	close(fd);
	return 0;
}

static int run_iterator(struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	char byte;

	if (fd < 0)
		return -errno;
	while (read(fd, &byte, 1) > 0)
		;
	close(fd);
	return 0;
}

/* Returns how many hits the program and its ring saw, or -errno with *step saying where. */
static long long try_kind(int kind, struct smoke_bpf *skel, const char **step, unsigned long long *from_ring)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, kinds[kind].prog);
	struct ring_buffer *ring;
	struct bpf_link *link;
	int err;

	*step = "load";
	bpf_program__set_autoload(prog, true);
	skel->rodata->target_tgid = getpid();
	err = smoke_bpf__load(skel);
	if (err)
		return err;
	*step = "attach";
	link = bpf_program__attach(prog);
	if (!link)
		return -errno;
	*step = "run";
	ring = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_record, from_ring, NULL);
	err = !ring ? -errno : kind == SMOKE_ITER ? run_iterator(link) : make_writes();
	bpf_link__destroy(link);
	if (ring)
		ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return err ? err : (long long)skel->bss->hits[kind];
}

static int report(int kind)
{
	unsigned long long from_ring = 0, expected = kind == SMOKE_ITER ? 1 : WRITES;
	struct smoke_bpf *skel = smoke_bpf__open();
	const char *step = "open", *name = kinds[kind].name;
	long long hits = skel ? try_kind(kind, skel, &step, &from_ring) : -errno;

	smoke_bpf__destroy(skel);
	if (hits < 0) {
		/* 524 is the kernel's own ENOTSUPP, which strerror() does not know. */
		printf("skip - %s: %s: %s (%lld)\n", name, step,
		       hits == -524 ? "not supported" : strerror(-hits), -hits);
		return 0;
	}
	if ((unsigned long long)hits != expected || (kind != SMOKE_ITER && from_ring != expected)) {
		printf("not ok - %s: %lld hits, %llu records, expected %llu\n", name, hits, from_ring,
		       expected);
		return 1;
	}
	printf("ok - %s\n", name);
	return 0;
}

int main(void)
{
	int kind, failed = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(no_talk);
	for (kind = 0; kind < SMOKE_CNT; kind++)
		failed |= report(kind);
	return failed;
}
