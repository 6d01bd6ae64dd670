/* SPDX-License-Identifier: GPL-2.0 */
/* Maps and globals that all parts of the kernel half share. */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "ipctrace/config.h"
#include "ipctrace/event.h"
#include "ipctrace/mech.h"

const volatile struct ipct_config cfg = {};
const volatile __u8 sysclass[IPCT_SYSCALL_MAX] = {};
const volatile __u8 sysclass32[IPCT_SYSCALL_MAX] = {};

/* Opens all programs at once after the last has been attached. */
volatile bool active = false;

/* CLOCK_BOOTTIME - CLOCK_MONOTONIC; changes when the machine slept. */
volatile __u64 boot_offset_ns = 0;

/*
 * Now, in CLOCK_BOOTTIME. bpf_ktime_get_boot_ns() costs half as much again as bpf_ktime_get_ns(), and reading the clock
 * is the largest part of what a record costs.
 */
static __always_inline __u64 clock__now(void)
{
	return bpf_ktime_get_ns() + boot_offset_ns;
}

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* One ring per CPU; the collector makes them (src/kern/ring.c) and sets the size of this map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct ring);
} rings SEC(".maps");

/* Events that found no room, by mechanism: in a ring, then those in tables (LOST_TABLES on). */
#define LOST_TABLES IPCT_MECH_CNT

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * IPCT_MECH_CNT);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

#endif
