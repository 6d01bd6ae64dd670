/* SPDX-License-Identifier: GPL-2.0 */
/* The mechanisms and hooks of this build, and the words for them on the command line. */
#include "mech/mech.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mech/tables.h"

#define CNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct mech_desc *const mechs[] = {
	&mech_pipe,	   &mech_fifo,	     &mech_signal,	   &mech_sysv_msg, &mech_posix_mq,
	&mech_unix_stream, &mech_unix_dgram, &mech_unix_seqpacket, &mech_sysv_shm, &mech_posix_shm,
	&mech_ptrace,	   &mech_flock,	     &mech_sysv_sem,	   &mech_eventfd,  &mech_tcp,
	&mech_udp,	   &mech_pty,	     &mech_posix_sem,
};

/* clang-format off: one a line */
static const struct hook *const hooks[] = {
	&hook_task_fork,
	&hook_task_exec,
	&hook_task_exit,
	&hook_task_prepare_exec,
	&hook_task_rename,
	&hook_pipe_calls,
	&hook_pipe_unlock,
	&hook_pipe_sleep,
	&hook_pipe_lock,
	&hook_pipe_kernel_writes,
	&hook_pipe_uring_submit,
	&hook_pipe_uring_complete,
	&hook_unix_calls,
	&hook_unix_sent,
	&hook_unix_received,
	&hook_unix_made,
	&hook_unix_spliced,
	&hook_unix_uring,
	&hook_signal_generate,
	&hook_signal_deliver,
	&hook_signal_wait,
	&hook_queue_calls,
	&hook_queue_messages,
	&hook_queue_sleep,
	&hook_shm_calls,
	&hook_flock_calls,
	&hook_flock,
	&hook_flock_posix,
	&hook_ptrace,
	&hook_sysv_sem_calls,
	&hook_sysv_sem_wake,
	&hook_sysv_sem_undo,
	&hook_eventfd_calls,
	&hook_eventfd_wake,
	&hook_eventfd_uring_submit,
	&hook_eventfd_uring_complete,
	&hook_tcp_calls,
	&hook_tcp_connected,
	&hook_tcp_received,
	&hook_tcp_queued,
	&hook_tcp_sleep,
	&hook_tcp_uring,
	&hook_udp_calls,
	&hook_udp_sent,
	&hook_udp_arrived,
	&hook_udp_dropped,
	&hook_udp_freed,
	&hook_udp_uring,
	&hook_pty_calls,
	&hook_pty_sleep,
	&hook_posix_sem_calls,
	&hook_posix_sem_wake,
};
/* clang-format on */

static const struct {
	uint8_t mech;
	void (*name)(uint8_t mech, struct obj_key key, char *buf, size_t size);
} object_names[] = {
	{ IPCT_MECH_PIPE, pipe__object_name },	       { IPCT_MECH_FIFO, pipe__object_name },
	{ IPCT_MECH_SIGNAL, signal__object_name },     { IPCT_MECH_UNIX_STREAM, unix__object_name },
	{ IPCT_MECH_UNIX_DGRAM, unix__object_name },   { IPCT_MECH_UNIX_SEQPACKET, unix__object_name },
	{ IPCT_MECH_SYSV_MSG, queue__object_name },    { IPCT_MECH_POSIX_MQ, queue__object_name },
	{ IPCT_MECH_SYSV_SHM, shm__object_name },      { IPCT_MECH_POSIX_SHM, shm__object_name },
	{ IPCT_MECH_PTRACE, ptrace__object_name },     { IPCT_MECH_FLOCK, flock__object_name },
	{ IPCT_MECH_SYSV_SEM, sysv_sem__object_name }, { IPCT_MECH_EVENTFD, eventfd__object_name },
	{ IPCT_MECH_TCP, tcp__object_name },	       { IPCT_MECH_UDP, udp__object_name },
	{ IPCT_MECH_PTY, pty__object_name },	       { IPCT_MECH_POSIX_SEM, posix_sem__object_name },
};

#define M(sym) IPCT_MECH_BIT(IPCT_MECH_##sym)

static const struct {
	const char *name;
	uint32_t mask;
} groups[] = {
	{ "sysv", M(SYSV_MSG) | M(SYSV_SEM) | M(SYSV_SHM) },
	{ "posix", M(POSIX_MQ) | M(POSIX_SEM) | M(POSIX_SHM) },
	{ "unix", M(UNIX_STREAM) | M(UNIX_DGRAM) | M(UNIX_SEQPACKET) },
	{ "inet", M(TCP) | M(UDP) },
	{ "msg", M(SYSV_MSG) | M(POSIX_MQ) },
	{ "sem", M(SYSV_SEM) | M(POSIX_SEM) },
	{ "shm", M(SYSV_SHM) | M(POSIX_SHM) },
	{ "all", ~1u },
};

const char *rung__name(enum rung rung)
{
	static const char *const names[RUNG_CNT] = {
		[RUNG_FENTRY] = "fentry", [RUNG_KPROBE] = "kprobe", [RUNG_TRACEPOINT] = "tracepoint"
	};

	return rung < RUNG_CNT ? names[rung] : "?";
}

bool rung_row__has(const struct rung_row *row, const char *prog)
{
	for (size_t p = 0; row && p < HOOK_PROGS_MAX && row->progs[p]; p++)
		if (!strcmp(row->progs[p], prog))
			return true;
	return false;
}

size_t hook__rung_cnt(const struct hook *h)
{
	size_t cnt = 0;

	while (cnt < CNT(h->rungs) && h->rungs[cnt].progs[0])
		cnt++;
	return cnt;
}

bool hook__is_optional(const struct hook *h)
{
	for (size_t i = 0; i < hook__rung_cnt(h); i++)
		if (!h->rungs[i].optional)
			return false;
	return true;
}

const struct mech_desc *const *mech__all(size_t *cnt)
{
	*cnt = CNT(mechs);
	return mechs;
}

const struct hook *const *mech__hooks(size_t *cnt)
{
	*cnt = CNT(hooks);
	return hooks;
}

const struct mech_desc *mech__by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < CNT(mechs); i++) {
		if (strlen(mechs[i]->name) == len && !memcmp(mechs[i]->name, name, len))
			return mechs[i];
	}
	return NULL;
}

const char *mech__name(uint8_t mech)
{
	static const char *const names[] = { [IPCT_MECH_NONE] = "task",
#define IPCT_X(sym, num, name) [num] = name,
					     IPCT_MECH_LIST(IPCT_X)
#undef IPCT_X
	};

	return mech < CNT(names) ? names[mech] : "?";
}

uint32_t mech__built_mask(void)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < CNT(mechs); i++)
		mask |= IPCT_MECH_BIT(mechs[i]->mech);
	return mask;
}

static uint32_t word_mask(const char *word, size_t len)
{
	const struct mech_desc *m = mech__by_name(word, len);

	if (m)
		return IPCT_MECH_BIT(m->mech);
	for (size_t i = 0; i < CNT(groups); i++) {
		if (strlen(groups[i].name) == len && !memcmp(groups[i].name, word, len))
			return groups[i].mask & mech__built_mask();
	}
	return 0;
}

static void say_known(struct buf *err)
{
	for (size_t i = 0; i < CNT(mechs); i++)
		buf__printf(err, "%s%s", i ? " " : "", mechs[i]->name);
	buf__puts(err, "; groups:");
	for (size_t i = 0; i < CNT(groups); i++) {
		if (groups[i].mask & mech__built_mask())
			buf__printf(err, " %s", groups[i].name);
	}
}

int mech__parse_list(const char *list, uint32_t *mask, struct buf *err)
{
	uint32_t take = 0, leave = 0, bits;
	bool any_take = false, more = true;

	while (more) {
		size_t len = strcspn(list, ",");
		bool without = *list == '^';

		bits = word_mask(list + without, len - without);
		if (!bits) {
			buf__printf(err, "no mechanism or group '%.*s'; there are: ", (int)(len - without),
				    list + without);
			say_known(err);
			return -EINVAL;
		}
		*(without ? &leave : &take) |= bits;
		any_take |= bits && !without;
		more = list[len] == ',';
		list += len + more;
	}
	*mask = (any_take ? take : mech__built_mask()) & ~leave;
	if (*mask)
		return 0;
	buf__puts(err, "this list leaves no mechanism to trace");
	return -EINVAL;
}

void mech__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	for (size_t i = 0; i < CNT(object_names); i++) {
		if (object_names[i].mech == mech) {
			object_names[i].name(mech, key, buf, size);
			return;
		}
	}
	snprintf(buf, size, "%s:[%llx]", mech__name(mech), (unsigned long long)key.id);
}
