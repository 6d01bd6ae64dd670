/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashes of the first bytes of what was moved, to tell overlapping operations
 * apart where the kernel shows no identity. Salted per run, 16 bits each: they
 * say "not the same" for certain and nothing about the contents.
 */
#ifndef BPF_FINGERPRINT_H
#define BPF_FINGERPRINT_H

#include "task.bpf.h"

struct iovec64 {
	__u64 base, len;
};

struct iovec32 {
	__u32 base, len;
};

static __always_inline __u16 fingerprint__hash(__u64 lo, __u64 hi, __u64 level)
{
	__u64 h = (lo ^ cfg.salt) * 0x9e3779b97f4a7c15ull;

	h = (h ^ (h >> 29) ^ hi ^ level) * 0xbf58476d1ce4e5b9ull;
	h >>= 48;
	return h ? h : 1; /* 0 means: not known */
}

/* fp[0..3] of the `len` bytes whose first 16 are in w. */
static __always_inline void fingerprint__fill(__u16 fp[4], const __u64 w[2], __u64 len)
{
	fp[0] = len >= 1 ? fingerprint__hash(w[0] & 0xff, 0, 1) : 0;
	fp[1] = len >= 4 ? fingerprint__hash(w[0] & 0xffffffff, 0, 4) : 0;
	fp[2] = len >= 8 ? fingerprint__hash(w[0], 0, 8) : 0;
	fp[3] = len >= 16 ? fingerprint__hash(w[0], w[1], 16) : 0;
}

/* Reads as many of the first 16 bytes as the next smaller level has; returns how many. */
static __always_inline __u64 fingerprint__load_user(__u64 w[2], __u64 addr, __u64 len)
{
	long err;

	if (len >= 16) {
		err = bpf_probe_read_user(w, 16, (void *)addr);
		len = 16;
	} else if (len >= 8) {
		err = bpf_probe_read_user(w, 8, (void *)addr);
		len = 8;
	} else if (len >= 4) {
		err = bpf_probe_read_user(w, 4, (void *)addr);
		len = 4;
	} else if (len) {
		err = bpf_probe_read_user(w, 1, (void *)addr);
		len = 1;
	} else {
		return 0;
	}
	return err ? 0 : len;
}

/* Of a user buffer, or of the first iovec with bytes in it (then only within that one). */
static __always_inline void fingerprint__user(__u16 fp[4], const struct task_op *op, bool iov, __u64 moved)
{
	__u64 w[2] = {}, addr = op->buf, len = moved;

	if (iov && op->compat) {
		struct iovec32 v = {};

		bpf_probe_read_user(&v, sizeof(v), (void *)addr);
		addr = v.base;
		len = v.len < len ? v.len : len;
	} else if (iov) {
		struct iovec64 v = {};

		bpf_probe_read_user(&v, sizeof(v), (void *)addr);
		addr = v.base;
		len = v.len < len ? v.len : len;
	}
	fingerprint__fill(fp, w, 0);
	len = fingerprint__load_user(w, addr, len);
	fingerprint__fill(fp, w, len);
}

/* The first iovec of a struct msghdr, as buf/cnt. */
static __always_inline void msghdr__load(struct task_op *op, __u64 msghdr)
{
	if (op->compat) {
		struct {
			__u32 name, namelen, iov, iovlen;
		} m = {};

		bpf_probe_read_user(&m, sizeof(m), (void *)msghdr);
		op->buf = m.iov;
		op->cnt = m.iovlen;
	} else {
		struct {
			__u64 name, namelen, iov, iovlen;
		} m = {};

		bpf_probe_read_user(&m, sizeof(m), (void *)msghdr);
		op->buf = m.iov;
		op->cnt = m.iovlen;
	}
}

#endif
