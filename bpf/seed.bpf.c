// SPDX-License-Identifier: GPL-2.0
/* What existed before the trace: iterators over tasks and their files, run once after the probes are active. */
#include "demand.bpf.h"
#include "filter.bpf.h"
#include "idr.bpf.h"
#include "object.bpf.h"
#include "process.bpf.h"

/* How far queues are looked through: they may change meanwhile, and lead astray. */
#define SEED_QUEUE_MAX 256
#define SEED_FDS_MAX 253 /* of one message: SCM_MAX_FD in include/net/scm.h */

/* Output makes read() return every few hundred objects, so that the collector can empty the rings in between. */
static __always_inline void seed__print(struct bpf_iter_meta *meta)
{
	static const char line[16] = "...............";

	bpf_seq_write(meta->seq, line, sizeof(line));
}

/* What has begun before needs what the calls that begin it ask for. */
static __always_inline void seed__demand(struct task_struct *task)
{
	__u64 ns = ipc__namespace_of(task), uring;

	if (ns && READ(ipc__ids(ns, IPC_IDS_MSG), struct ipc_ids, in_use))
		demand__note(IPCT_DEMAND_MESSAGES);
	uring = bpf_core_field_exists(task->io_uring) ? (__u64)READ(task, struct task_struct, io_uring) : 0;
	if (uring && READ(uring, struct io_uring_task, xa.xa_head))
		demand__note(IPCT_DEMAND_LENGTHS);
}

SEC("?iter/task")
int seed__tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct process_scratch *sc;

	if (!task)
		return 0;
	seed__demand(task);
	sc = process__fill(task, IPCT_TASK_SCAN, 1);
	if (sc)
		process__output(sc, task, 0);
	seed__print(ctx->meta);
	return 0;
}

/* A socket that no descriptor leads to; pid: of who has one of its other end, or of the listener. */
__noinline int seed__sock(__u64 sk, __u32 pid)
{
	struct object o = { .ptr = sk, .key = sk, .is_sock = 1 };

	o.mech = sock__mech(sk);
	if (!o.mech || mech__is_inet(o.mech) || !wanted(o.mech))
		return 0;
	o.ino = sock__ino(sk);
	object__emit_for(&o, -1, IPCT_OBJECT_SCAN, 1, pid);
	return 0;
}

/* A file in a message that nobody has received: no descriptor leads to it, maybe. */
__noinline int seed__in_flight(__u64 file, __u32 pid)
{
	struct object o = {};

	if (!object__from_file(&o, file) || o.mech == IPCT_MECH_PTY || mech__is_inet(o.mech))
		return 0;
	object__emit_for(&o, -1, IPCT_OBJECT_SCAN, 1, pid);
	return 0;
}

static __always_inline __u64 seed__first(__u64 sk)
{
	return WORD(sk, struct sock, sk_receive_queue.next);
}

static __always_inline __u64 seed__end(__u64 sk)
{
	return sk + bpf_core_field_offset(struct sock, sk_receive_queue);
}

/* Not static, as its callers: the verifier looks at it once, not at each turn of their loops. */
__noinline int seed__message(__u64 skb, __u32 pid)
{
	__u64 fp = WORD(unix__cb(skb), struct unix_skb_parms, fp);
	__u64 files = fp + bpf_core_field_offset(struct scm_fp_list, fp);
	__u32 cnt = fp ? READ(fp, struct scm_fp_list, count) : 0;

	for (__u32 i = 0; i < SEED_FDS_MAX && i < cnt; i++)
		seed__in_flight(LOAD_WORD(files + i * 8), pid);
	return 0;
}

/* The descriptors on their way in sk's queue. */
__noinline int seed__messages(__u64 sk, __u32 pid)
{
	__u64 skb = seed__first(sk), end = seed__end(sk);

	for (int i = 0; i < SEED_QUEUE_MAX && skb && skb != end; i++) {
		seed__message(skb, pid);
		skb = WORD(skb, struct sk_buff, next);
	}
	return 0;
}

/* The connections that wait in a listener's queue: each is an skb that stands for its socket. */
__noinline int seed__embryos(__u64 listener, __u32 pid)
{
	__u64 skb = seed__first(listener), end = seed__end(listener);

	for (int i = 0; i < SEED_QUEUE_MAX && skb && skb != end; i++) {
		__u64 sk = WORD(skb, struct sk_buff, sk);

		seed__sock(sk, pid);
		seed__messages(sk, pid);
		skb = WORD(skb, struct sk_buff, next);
	}
	return 0;
}

/* Whatever is behind the socket that was told of last: scratch memory makes a number of its address. */
static __always_inline void seed__behind(__u32 pid)
{
	__u32 which = 1;
	const struct object_scratch *sc = bpf_map_lookup_elem(&object_scratch, &which);
	__u64 sk = sc ? sc->o.ptr : 0, peer;

	if (!sk)
		return;
	if (READ(sk, struct sock, __sk_common.skc_state) == TCP_LISTEN) {
		seed__embryos(sk, pid);
		return;
	}
	seed__messages(sk, pid);
	/* Where its listener is in another network namespace, or nobody has the listener any more. */
	peer = WORD(sk, struct unix_sock, peer);
	if (peer && !sock__ino(peer))
		seed__sock(peer, pid);
}

SEC("?iter/task_file")
int seed__files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct object o = {};
	__u32 pid;

	if (!file || !task)
		return 0;
	if (!object__from_file(&o, (__u64)file) && !mq__from_file(&o, (__u64)file))
		return 0;
	if (o.mech == IPCT_MECH_POSIX_MQ)
		demand__note(IPCT_DEMAND_MESSAGES);
	if (o.mech == IPCT_MECH_PTY)
		return 0; /* has its name with each operation */
	if (mech__is_inet(o.mech)) {
		inet__scan(&o);
		seed__print(ctx->meta);
		return 0;
	}
	if (cfg.filter && task__is_chosen(task))
		filter__mark(o.ptr, o.is_sock);
	pid = READ(task, struct task_struct, tgid);
	object__emit_for(&o, ctx->fd, IPCT_OBJECT_SCAN, 1, pid);
	if (o.is_sock)
		seed__behind(pid);
	seed__print(ctx->meta);
	return 0;
}
