/* SPDX-License-Identifier: GPL-2.0 */
/* BPF programs of a few instructions, written by hand. */
#ifndef KERN_INSN_H
#define KERN_INSN_H

#include <linux/bpf.h>

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_IMM(r, v) INSN(BPF_ALU64 | BPF_MOV | BPF_K, r, 0, 0, v)
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#endif
