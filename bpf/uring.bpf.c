// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes of pipes through io_uring, which no system call shows: submission and completion have
 * tracepoints. Sockets need nothing here: their own tracepoints see io_uring too (socket.bpf.c).
 */
#include "demand.bpf.h"
#include "ledger.bpf.h"
#include "pipe.bpf.h"

enum {
	IORING_OP_READV = 1,
	IORING_OP_WRITEV = 2,
	IORING_OP_READ_FIXED = 4,
	IORING_OP_WRITE_FIXED = 5,
	IORING_OP_RECVMSG = 10,
	IORING_OP_READ = 22,
	IORING_OP_WRITE = 23,
	IORING_OP_RECV = 27,
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* struct io_kiocb * */
	__type(value, struct pipe_request);
} uring_requests SEC(".maps");

static __always_inline bool uring__moves_data(__u8 opcode, bool *write)
{
	*write = opcode == IORING_OP_WRITEV || opcode == IORING_OP_WRITE_FIXED || opcode == IORING_OP_WRITE;
	return *write || opcode == IORING_OP_READV || opcode == IORING_OP_READ_FIXED ||
	       opcode == IORING_OP_READ;
}

/* What no skb announces, while nothing shows how such a receive ends. */
static __always_inline void uring__missed(__s32 fd, __u8 opcode)
{
	struct object o = {};

	if (!demand__is_open(IPCT_DEMAND_LENGTHS) ||
	    (opcode != IORING_OP_RECV && opcode != IORING_OP_RECVMSG && opcode != IORING_OP_READ))
		return;
	if (object__from_fd(&o, fd) && o.mech == IPCT_MECH_UDP && filter__wants(&o))
		demand__missed(IPCT_DEMAND_LENGTHS, IPCT_MECH_UDP);
}

/* req->file is not set yet; the descriptor is, unless it is one of the ring's own (fixed) files. */
static __always_inline void uring__submit(__u64 req, __s32 fd, __u8 opcode)
{
	struct pipe_request r = {};
	struct object o = {};
	__u64 id = bpf_get_current_pid_tgid();
	bool write;

	uring__missed(fd, opcode);
	if (!uring__moves_data(opcode, &write) || task__is_tracer())
		return;
	r.enter_ns = clock__now();
	r.write = write;
	r.many = opcode == IORING_OP_READV || opcode == IORING_OP_WRITEV;
	r.pid = id >> 32;
	r.tid = (__u32)id;
	if (object__from_fd(&o, fd) && !o.is_sock && o.mech != IPCT_MECH_EVENTFD) {
		pipe__enter(&o, write);
		if (write)
			pipe__note_writer(&o);
		r.known = 1;
		r.addr = o.addr;
		r.was_waiting = o.was_waiting;
	}
	bpf_map_update_elem(&uring_requests, &req, &r, BPF_ANY);
}

struct io_rw {
	__u64 addr;
} __attribute__((preserve_access_index));

/* A request begins with its command: struct io_rw of plain reads and writes. Lists of buffers are not followed. */
static __noinline int uring__complete_eventfd(__u64 req, const struct pipe_request *r, const struct object *o,
					      __s32 res)
{
	struct ipct_eventfd_io *ev;
	__u64 addr = 0, value = 0;
	__u32 flags = IPCT_UNIT_NO_VALUE;

	if (bpf_core_field_exists(((struct io_rw *)0)->addr))
		bpf_probe_read_kernel(&addr, sizeof(addr),
				      (void *)(req + bpf_core_field_offset(struct io_rw, addr)));
	if (addr && !r->many && !bpf_probe_read_user(&value, sizeof(value), (void *)addr))
		flags = 0;
	ev = emit__reserve(IPCT_KIND_EVENTFD_IO, sizeof(*ev), IPCT_MECH_EVENTFD,
			   r->write ? IPCT_OP_SEND : IPCT_OP_RECV);
	if (!ev)
		return 0;
	ev->h.pid = r->pid;
	ev->h.tid = r->tid;
	ev->enter_ns = r->enter_ns;
	eventfd__counter(&ev->c, o);
	ev->waker = (struct ipct_waker){ 0 };
	ev->value = value;
	ev->count = eventfd__count(o->ptr);
	ev->ret = res;
	ev->fd = -1;
	ev->flags = flags | IPCT_UNIT_URING;
	ev->pad0 = 0;
	if (READ(o->ptr, struct eventfd_ctx, flags) & EFD_SEMAPHORE)
		ev->flags |= IPCT_UNIT_ONE;
	emit__submit(ev);
	return 0;
}

/*
 * Whoever completes, the submitter is the actor. Where the descriptor was a fixed file, nothing is known of
 * where the stream stood at submission.
 */
static __always_inline void uring__complete(__u64 req, __s32 res)
{
	struct pipe_request *r = bpf_map_lookup_elem(&uring_requests, &req);
	struct object o = {};

	if (!r)
		return;
	if (!object__from_file(&o, (__u64)READ(req, struct io_kiocb, file)) || o.is_sock)
		goto out;
	if (o.mech == IPCT_MECH_EVENTFD) {
		uring__complete_eventfd(req, r, &o, res);
		goto out;
	}
	if (ledger__request(&o, r->pid, r->write, res))
		goto out;
	pipe__emit_request(&o, r, res, IPCT_IO_URING);
out:
	bpf_map_delete_elem(&uring_requests, &req);
}

/* Since 6.4; before, io_uring_submit_sqe with one more argument. */
SEC("?tp_btf/io_uring_submit_req")
int BPF_PROG(io_uring_submit_req__tracepoint, struct io_kiocb *req)
{
	if (active)
		uring__submit((__u64)req, READ(req, struct io_kiocb, cqe.fd),
			      READ(req, struct io_kiocb, opcode));
	return 0;
}

SEC("?tp_btf/io_uring_submit_sqe")
int BPF_PROG(io_uring_submit_sqe__tracepoint, struct io_kiocb *req)
{
	if (active)
		uring__submit((__u64)req, READ(req, struct io_kiocb, cqe.fd),
			      READ(req, struct io_kiocb, opcode));
	return 0;
}

/* Since 6.16 with the completion as a struct. */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(io_uring_complete__tracepoint, void *ring, void *req, struct io_uring_cqe *cqe)
{
	if (active && req)
		uring__complete((__u64)req, READ(cqe, struct io_uring_cqe, res));
	return 0;
}

/* 5.19 to 6.15: with the completion's fields. */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(io_uring_complete_fields__tracepoint, void *ring, void *req, __u64 user_data, int res)
{
	if (active && req)
		uring__complete((__u64)req, res);
	return 0;
}
