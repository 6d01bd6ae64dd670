/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stage on which every workload plays: processes or threads, one start
 * signal, what each receiver took from each sender, and an end in bounded time.
 *
 * Workers meet and report through one anonymous shared mapping made before the fork, never
 * through pipes or sockets, so that the mechanism under test carries only its own traffic. (That
 * mapping is itself shared memory of these processes, and a tracer rightly shows it as map:.)
 */
#ifndef WORKLOAD_ENGINE_H
#define WORKLOAD_ENGINE_H

#include <stdatomic.h>

#include "workload/workload.h"

enum role { ROLE_WRITER, ROLE_READER, ROLE_MIDDLE, ROLE_CNT };

/* A byte of payload is writer << 1 | last byte of this write; this many writers fit, and one for prefill. */
#define WRITERS_MAX 127
#define READERS_MAX 128
#define PREFILL_WRITER 127

struct cell { /* what one reader took from one writer; written by one worker only */
	_Atomic uint64_t messages, bytes;
};

#define NOTE_LEN 120

struct seat { /* one per worker, in shared memory */
	pid_t pid, tid;
	_Atomic uint64_t progress; /* free for the mechanism */
	_Atomic uint32_t turn; /* spin lock, or free for the mechanism */
	_Atomic uint64_t unmarked; /* writes that ended without the mark, because they went out in parts */
	char note[NOTE_LEN]; /* words to the parent, such as an address */
};

struct shared;

struct run {
	const struct workload *wl;
	const struct workload_opts *o;
	struct truth *truth;
	struct buf *err;
	struct shared *shared;
	size_t shared_bytes;
	uint32_t cnt[ROLE_CNT];
	void *priv; /* the mechanism's */
	_Atomic uint32_t live[ROLE_CNT]; /* workers of this process that still run */
	pid_t *children;
	size_t children_cnt;
};

struct worker {
	struct run *run;
	enum role role;
	uint32_t index; /* within its role */
	uint64_t prng;
	uint64_t next_ns; /* when --rate lets the next message go */
	struct seat *seat;
	unsigned char *buf; /* for messages: large enough for size.max and read_size.max */
	size_t buf_bytes;
	int fd; /* the mechanism's; -1 */
	struct uring *uring; /* --uring: made by the first use */
	void *priv;
};

/* How a mechanism uses the stage. All but work[] may be NULL. */
struct parts {
	/* Once in each new process, in the parent with roles = 0: closes what no role in the set (1 << role) needs */
	void (*keep)(struct run *r, unsigned roles);
	int (*open[ROLE_CNT])(struct worker *w); /* before the start signal; 0 or -1 after worker__fail() */
	int (*work[ROLE_CNT])(struct worker *w); /* after it */
	void (*last)(struct run *r,
		     enum role role); /* the last worker of this role in this process has ended */
	int (*parent)(struct run *r); /* in the parent, after the start; 0 or -errno */
	/* Object name of what this reader took from this writer, asked in the parent at the end. */
	void (*name)(struct run *r, uint32_t reader, uint32_t writer, char *name);
};

/* Counts of workers for this run, before run__go(); WRITER and READER come from the options. */
void run__set_cnt(struct run *r, enum role role, uint32_t cnt);
/* Plays: forks, starts, waits, adds the cells to the truth. 0, or -errno with the sentence in r->err. */
int run__go(struct run *r, const struct parts *parts);
/* One sentence; the first one stays. Returns code. */
int run__fail(struct run *r, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Waits for a byte or the end of file on the hold descriptor. 0 or -errno. */
int run__hold(struct run *r);
bool run__stop_asked(void);

struct seat *run__seat(struct run *r, enum role role, uint32_t index);
struct cell *run__cell(struct run *r, uint32_t reader, uint32_t writer);
struct cell *run__back_cell(struct run *r, uint32_t reader, uint32_t writer); /* answers: reader -> writer */
_Atomic uint64_t *run__prefill_taken(struct run *r);
uint64_t run__total(const struct run *r); /* messages of all writers */

int worker__fail(struct worker *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))); /* returns -1 */
bool worker__aborted(const struct worker *w); /* somebody failed: stop spinning */
uint64_t worker__random(struct worker *w);
size_t worker__size(struct worker *w); /* of the next message */
size_t worker__read_size(struct worker *w); /* of the next receive's buffer */
void worker__pace(struct worker *w); /* waits as --rate wants */
uint64_t worker__quota(const struct worker *w,
		       uint64_t total); /* this worker's part of total, among its role */
/* Waits politely, without any IPC: call in a loop with a counter that starts at 0. -1: aborted. */
int worker__relax(struct worker *w, unsigned *spins);
/* Waits until reader has taken all but `window` of the `sent` messages of this writer. */
int worker__await_taken(struct worker *w, uint32_t reader, uint64_t sent, uint64_t window);
/* The same for all readers of one object together: waits while `window` of `sent` are not taken. */
int worker__await_room(struct worker *w, uint64_t sent, uint64_t window);
/* Until each writer has said something (seat.progress). */
int worker__await_writers(struct worker *w);
/* Where there is no end of file, several readers look now and then: 1: fd can be read, 0: all is taken. */
int worker__await_input(struct worker *w, int fd);
/* Message k of writer w goes to reader (w + k) % readers: how many of `writer` come to this reader. */
uint64_t worker__turns(const struct worker *w, uint32_t writer);
uint64_t worker__all_turns(const struct worker *w); /* of all writers */
bool run__all_taken(struct run *r); /* the readers have every message */
/* All workers of all roles arrive before any goes on; step counts meetings, from 1. Uses seat.progress. */
int worker__barrier(struct worker *w, uint64_t step);

/* payload.c */
void payload__fill(struct worker *w, size_t bytes);
int payload__count_stream(struct worker *w, size_t bytes); /* w->buf holds bytes of any writers */
int payload__count_message(struct worker *w, size_t bytes); /* w->buf holds one message, perhaps truncated */
void cell__add(struct cell *c, uint64_t messages, uint64_t bytes);

/* io.c: plain read/write, or with --vary any call that does the same. is_socket: also send, recv, ... */
ssize_t io__send(struct worker *w, int fd, const void *data, size_t bytes, bool is_socket);
ssize_t io__recv(struct worker *w, int fd, void *data, size_t bytes, bool is_socket);
/* Fills and sends one message. With --nonblock or --uring it may go out in parts, which count as messages. */
int io__send_whole(struct worker *w, int fd, size_t bytes, bool is_socket);
int io__prepare(struct worker *w, int fd); /* before the first send: --nonblock */
/* messages x (pace, size, send). */
int io__send_messages(struct worker *w, int fd, bool is_socket);
int io__recv_stream(struct worker *w, int fd, bool is_socket); /* until end of file */

#define NSEC_PER_SEC 1000000000ull
uint64_t now_ns(void); /* CLOCK_MONOTONIC */

#endif
