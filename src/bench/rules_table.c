/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/rules_impl.h"

static const struct rule {
	const char *sentence;
	enum verdict (*check)(const struct bench *b, struct buf *evidence);
} rules[] = {
	{ "Shared memory is the fastest for large messages.", rule__memory_fastest },
	{ "For small messages the mechanism hardly matters: the slowest takes at most three times as long.",
	  rule__waking_dominates },
	{ "Up to 4 KiB a message costs by number, not by size: at most twice as much as a byte.",
	  rule__cost_by_number },
	{ "A UNIX socket answers sooner than TCP over loopback.", rule__unix_before_tcp },
	{ "A UNIX socket moves more than TCP over loopback.", rule__unix_over_tcp },
	{ "A pipe moves more than a UNIX stream socket.", rule__pipe_over_unix },
	{ "One copy instead of two: process_vm_writev moves more than a pipe.", rule__one_copy },
	{ "A signal is the slowest notice.", rule__signal_slowest },
	{ "A POSIX semaphore is faster than one of System V.", rule__posix_sem_first },
	{ "UDP has no flow control: what the receiver does not take in time is lost.", rule__udp_loses },
	{ "UNIX datagrams have no flow control.", rule__unix_dgram_loses },
	{ "Shared memory does not synchronise: nothing stops a writer that is too fast.",
	  rule__memory_overwrites },
	{ "Message queues are limited by the system.", rule__queues_limited },
	{ "A message queue must be opened before anything can be sent.", rule__queues_are_opened },
	{ "Only POSIX message queues have priorities.", rule__only_mq_priorities },
	{ "Pipes and streams keep no record boundaries; datagrams, packets and queues do.",
	  rule__boundaries },
	{ "A pipe holds 64 KiB.", rule__pipe_holds_64k },
	{ "Standard signals merge, real-time signals queue.", rule__signals_merge },
};

size_t rule__cnt(void)
{
	return sizeof(rules) / sizeof(rules[0]);
}

const char *rule__sentence(size_t i)
{
	return rules[i].sentence;
}

enum verdict rule__check(size_t i, const struct bench *b, struct buf *evidence)
{
	return rules[i].check(b, evidence);
}
