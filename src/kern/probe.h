/* SPDX-License-Identifier: GPL-2.0 */
/* What this kernel can do, found by trying: a lookup says what exists, only a load says what is allowed. */
#ifndef KERN_PROBE_H
#define KERN_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>

#include "mech/mech.h"

struct btf;

struct probe_features {
	bool task_storage; /* in tracing programs */
	bool sleepable_uprobes;
	bool rdonly_cast;
};

void probe__features(struct probe_features *f);
/*
 * Can programs of this rung be loaded and attached to this target here? Writes "ok", "refused: EPERM",
 * "unavailable: no such tracepoint" or the like to why. The general part is tried once and remembered.
 */
bool probe__rung(const struct rung_row *row, char *why, size_t why_bytes);
/* Whether the allocator's tracepoint shows the skbs that UNIX sockets send, found by sending some. */
bool probe__shows_skbs(const struct btf *vmlinux);
/* Loads insns as a tracing program on a function or (BPF_TRACE_RAW_TP) a tracepoint; a descriptor or -errno. */
int probe__load_tracing(const char *target, enum bpf_attach_type type, const struct bpf_insn *insns,
			size_t cnt);
/* The kernel function's number in its BTF; negative: it has no such function that is known by name. */
int probe__function_id(const char *name);
/* The number of that function's type: the same for all with the same result and arguments. */
int probe__type_of(int function_id);
/* Whether its first argument points to a struct that the kernel's BTF describes: only then can a program look at it. */
bool probe__takes_struct(int function_id);
/* Whether bpf(2) failed with this error because the kernel counts BPF's memory as locked memory: then why is the sentence. */
bool probe__blames_memlock(int err, char *why, size_t why_bytes);
/* Gives back the memory of the kernel's types; what needs them again reads them again. */
void probe__forget(void);
/* Remedy for a kernel that refuses even the first load: one sentence; NULL: nothing wrong. */
const char *probe__obstacle(void);

#endif
