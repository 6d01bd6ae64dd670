/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the mechanisms' files and mech.c, which lists them: adding one means a row in each of mech.c's tables
 * and its declarations here.
 */
#ifndef MECH_TABLES_H
#define MECH_TABLES_H

#include <linux/types.h>

#include "ipctrace/config.h"
#include "mech/mech.h"

/*
 * The rungs of all system calls. kprobe is the last, not the second: the kernel keeps but a few dozen returns in flight for
 * each function, and programs that block in more calls than that would go unseen.
 */
#define CALLS_RUNGS(what)                                                      \
	{                                                                      \
		{ RUNG_FENTRY,                                                 \
		  "functions of system calls",                                 \
		  { "sys_enter__fentry", "sys_exit__fentry" },                 \
		  .calls = true,                                               \
		  .note = what },                                              \
			{ RUNG_TRACEPOINT,                                     \
			  "sys_enter",                                         \
			  { "sys_enter__tracepoint", "sys_exit__tracepoint" }, \
			  .note = what },                                      \
			{ RUNG_KPROBE,                                         \
			  "functions of system calls",                         \
			  { "sys_enter__kprobe", "sys_exit__kprobe" },         \
			  .calls = true,                                       \
			  .note = what },                                      \
	}

/* io_uring between a request's submission and its completion: reads and writes of files, which no system call shows. */
#define URING_SUBMIT_RUNGS                                                                             \
	{                                                                                              \
		{ RUNG_TRACEPOINT,                                                                     \
		  "io_uring_submit_req",                                                               \
		  { "io_uring_submit_req__tracepoint" },                                               \
		  .optional = true,                                                                    \
		  .note = "reads and writes by io_uring" },                                            \
		{                                                                                      \
			RUNG_TRACEPOINT, "io_uring_submit_sqe", { "io_uring_submit_sqe__tracepoint" }, \
				.arg_cnt = 2, .optional = true, .note = "before Linux 6.4"             \
		}                                                                                      \
	}
#define URING_COMPLETE_RUNGS                                                                              \
	{                                                                                                 \
		{ RUNG_TRACEPOINT, "io_uring_complete", { "io_uring_complete__tracepoint" },              \
		  .arg_cnt = 3,	   .optional = true,	.note = "reads and writes by io_uring" },         \
		{                                                                                         \
			RUNG_TRACEPOINT, "io_uring_complete", { "io_uring_complete_fields__tracepoint" }, \
				.arg_cnt = 7, .optional = true, .note = "before Linux 6.16"               \
		}                                                                                         \
	}

/* ---- shared by decoders (mech/decode.c) ---- */

struct flag_pair {
	uint32_t wire, model;
};
uint32_t flags__map(const struct flag_pair *pairs, uint32_t wire); /* pairs end with {0, 0} */

/* Begins an operation: kind, task, times and result from the event; the rest zeroed. */
struct op *decoded__op(struct decoded *out, const struct ipct_hdr *ev, uint64_t enter_ns, int64_t ret);
/* Begins an object's record; name_fmt writes into out->name_buf. */
struct object_info *decoded__object(struct decoded *out, const struct ipct_hdr *ev);
void decoded__set_name(struct decoded *out, const char *prefix, const char *bytes, size_t len);
/* Adds "@IPCNS" to a name outside of the initial namespace; 0: not known. */
void ipcns__add(char *buf, size_t size, uint32_t ipcns);

/* ---- one block per mechanism's file ---- */

extern const struct mech_desc mech_pipe, mech_fifo;
extern const struct hook hook_pipe_calls, hook_pipe_unlock, hook_pipe_sleep, hook_pipe_lock,
	hook_pipe_kernel_writes, hook_pipe_uring_submit, hook_pipe_uring_complete;
struct obj_key pipe__key(uint8_t mech, uint64_t ino, uint32_t dev);
void pipe__decode(const struct ipct_hdr *ev, struct decoded *out);
void pipe__decode_call(const struct ipct_call *call, struct op *op);
void pipe__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);
void pipe__decode_object(const struct ipct_object *ob, struct decoded *out);

extern const struct mech_desc mech_unix_stream, mech_unix_dgram, mech_unix_seqpacket;
extern const struct hook hook_unix_calls, hook_unix_sent, hook_unix_received, hook_unix_uring;
extern const struct hook hook_unix_made, hook_unix_spliced;
void unix__decode(const struct ipct_hdr *ev, struct decoded *out);
void unix__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);
void unix__decode_call(const struct ipct_call *call, struct op *op);
void unix__decode_object(const struct ipct_object *ob, struct decoded *out);
struct obj_key unix__key(uint64_t sk);
/* A socket without a name, by the inode numbers of both ends; 0: not known. */
void unix__name_unbound(uint32_t a, uint32_t b, char *buf, size_t size);

extern const struct mech_desc mech_sysv_msg, mech_posix_mq;
extern const struct hook hook_queue_calls, hook_queue_messages, hook_queue_sleep;
struct obj_key queue__key(uint8_t mech, uint64_t id, uint32_t space);
void queue__decode(const struct ipct_hdr *ev, struct decoded *out);
void queue__decode_call(const struct ipct_call *call, struct op *op);
void queue__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);
void queue__decode_object(const struct ipct_object *ob, struct decoded *out);
extern const struct mech_desc mech_tcp;
extern const struct hook hook_tcp_calls, hook_tcp_connected, hook_tcp_received, hook_tcp_queued,
	hook_tcp_sleep, hook_tcp_uring;
struct obj_key tcp__key(uint64_t sk);
void tcp__decode(const struct ipct_hdr *ev, struct decoded *out);
void tcp__decode_call(const struct ipct_call *call, struct op *op);
void tcp__decode_object(const struct ipct_object *ob, struct decoded *out);
void tcp__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

extern const struct mech_desc mech_udp;
extern const struct hook hook_udp_calls, hook_udp_sent, hook_udp_arrived, hook_udp_dropped, hook_udp_freed,
	hook_udp_uring;
void udp__decode(const struct ipct_hdr *ev, struct decoded *out);
void udp__decode_object(const struct ipct_object *ob, struct decoded *out);
void udp__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

extern const struct mech_desc mech_pty;
extern const struct hook hook_pty_calls, hook_pty_sleep;
void pty__decode(const struct ipct_hdr *ev, struct decoded *out);
void pty__decode_call(const struct ipct_call *call, struct op *op);
void pty__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

extern const struct mech_desc mech_signal;
extern const struct hook hook_signal_generate, hook_signal_deliver, hook_signal_wait;
void signal__decode_generated(const struct ipct_hdr *ev, struct decoded *out);
void signal__decode_delivered(const struct ipct_hdr *ev, struct decoded *out);
void signal__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

extern const struct mech_desc mech_posix_sem;
extern const struct hook hook_posix_sem_calls, hook_posix_sem_wake;
void posix_sem__decode_futex(const struct ipct_hdr *ev, struct decoded *out);
void posix_sem__decode_object(const struct ipct_object *ob, struct decoded *out);
void posix_sem__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

extern const struct mech_desc mech_sysv_shm, mech_posix_shm;
extern const struct hook hook_shm_calls;
struct obj_key shm__key(uint8_t mech, uint64_t id, uint32_t dev);
void shm__decode(const struct ipct_hdr *ev, struct decoded *out);
void shm__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);
void shm__decode_object(const struct ipct_object *ob, struct decoded *out);

extern const struct mech_desc mech_flock;
extern const struct hook hook_flock, hook_flock_posix, hook_flock_calls;
void flock__decode(const struct ipct_hdr *ev, struct decoded *out);
void flock__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);
void flock__decode_object(const struct ipct_object *ob, struct decoded *out);

extern const struct mech_desc mech_ptrace;
extern const struct hook hook_ptrace;
void ptrace__decode(const struct ipct_hdr *ev, struct decoded *out);
void ptrace__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

void sum__decode(const struct ipct_hdr *ev, struct decoded *out);
void pass__decode(const struct ipct_hdr *ev, struct decoded *out);
/* units.c: what semaphores and eventfds have in common */
struct obj_key units__key(uint8_t mech, const struct ipct_counter *c);
struct op *units__decode(struct decoded *out, const struct ipct_hdr *ev, uint64_t enter_ns,
			 const struct ipct_waker *waker, int64_t ret);
void units__decode_wake(const struct ipct_hdr *ev, struct decoded *out);
void units__decode_sem_op(const struct ipct_hdr *ev, struct decoded *out);

extern const struct mech_desc mech_sysv_sem;
extern const struct hook hook_sysv_sem_calls, hook_sysv_sem_wake, hook_sysv_sem_undo;
void sysv_sem__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

extern const struct mech_desc mech_eventfd;
extern const struct hook hook_eventfd_calls, hook_eventfd_wake, hook_eventfd_uring_submit,
	hook_eventfd_uring_complete;
void eventfd__decode(const struct ipct_hdr *ev, struct decoded *out);
void eventfd__decode_call(const struct ipct_call *call, struct op *op);
void eventfd__decode_object(const struct ipct_object *ob, struct decoded *out);
void eventfd__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size);

extern const struct hook hook_task_fork, hook_task_exec, hook_task_exit, hook_task_rename,
	hook_task_prepare_exec;
void task__decode(const struct ipct_hdr *ev, struct decoded *out);

#endif
