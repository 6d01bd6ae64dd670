/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A duct is one object of a mechanism, or a pair of them, between two sides. What the sides do with it is the
 * same for all mechanisms; a kind is one way to do it. One process may play both sides.
 */
#ifndef BENCH_DUCT_H
#define BENCH_DUCT_H

#include <netinet/in.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#define SIDE_A 0
#define SIDE_B 1
#define HEADROOM 16 /* bytes before the data given to send() and recv() that they may write */

enum duct_class {
	DUCT_DATA, /* moves bytes of any size */
	DUCT_NOTICE, /* tells that something happened: units, perhaps with a word */
};

enum duct_flag {
	DUCT_NO_FLOOD = 1 << 0, /* needs both sides in turn: no throughput */
	DUCT_MEMORY = 1 << 1, /* memory: the channel in it is ours, the properties are those of the memory */
	DUCT_LOCK = 1 << 2, /* a lock: what is received is the lock, and there is one */
};

struct duct_shared { /* what both processes see */
	_Atomic pid_t pid[2];
	sem_t sem[2]; /* posix-sem: to side A, to side B */
};

struct ring;
struct duct_kind;

struct duct {
	const struct duct_kind *kind;
	size_t size_max; /* bytes of the largest message it will carry; set before open() */
	bool nonblock; /* set before open(), changed by duct__set_nonblock() */
	bool addressed; /* sockets: only side B, bound to an address, not connected; for outsiders */
	int fd[2]
	      [2]; /* [side][0: it receives from, 1: it sends to]; -1: none; the same one may stand twice */
	int lock_fd[2][3]; /* flock: each side's own descriptions of three files */
	int id[2]; /* System V: to side A, to side B; the semaphore set in [0]; the segment in [0] */
	uint64_t step[2][2]; /* flock: which hand-over is next */
	struct ring *ring[2]; /* memory: to side A, to side B */
	unsigned char *slots[2]; /* the rings' messages */
	unsigned char *area; /* the mapping of the mechanism that all this lies in */
	size_t area_bytes;
	struct duct_shared *shared;
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
	} addr; /* of side B, when addressed */
	socklen_t addr_len;
};

struct duct_kind {
	const char *name; /* of the mechanism */
	const char *groups; /* words by which it may be chosen, too */
	const char *how; /* what is measured, for people */
	const char *note; /* what else should be known about the result; or NULL */
	enum duct_class class;
	uint32_t flags;
	uint32_t word_bytes; /* DUCT_NOTICE: what a notice carries */
	/* In the parent. 0, or -errno with nothing left behind. */
	int (*open)(struct duct *d);
	/* NULL: nothing but the descriptors and the shared memory to close. */
	void (*close)(struct duct *d);
	/* In a process that will play this side, before the other side sends; NULL: nothing to do. */
	void (*enter)(struct duct *d, int side);
	/*
	 * Bytes taken, perhaps fewer than n, or -errno. A notice: what it took of its word, or 1 for none. data
	 * has HEADROOM writable bytes before it.
	 */
	ssize_t (*send)(struct duct *d, int side, unsigned char *data, size_t n);
	/* Bytes received, or -errno. A notice: how many units. cap is at least size_max + HEADROOM. */
	ssize_t (*recv)(struct duct *d, int side, unsigned char *data, size_t cap);

	/* For experiments. NULL: the usual one. */
	ssize_t (*outsider)(struct duct *d, unsigned char *data,
			    size_t n); /* to side B, having opened nothing */
	uint64_t (*nearly_fill)(
		struct duct *d); /* units put in at once, because one by one would take too long */
	/* DUCT_MEMORY: side A writes a word, side B looks at it. poke: 0 or -errno. */
	int (*poke)(struct duct *d, uint64_t value);
	uint64_t (*peek)(struct duct *d);
	int (*unqueued)(struct duct *d,
			int cnt); /* how many of cnt arrive that the mechanism does not queue */
	int (*priority)(struct duct *d, unsigned char *buf, size_t cap); /* enum priority, or -errno */
};

/* size_max: largest message. 0, or -errno. */
int duct__open(struct duct *d, const struct duct_kind *kind, size_t size_max, bool nonblock);
int duct__open_addressed(struct duct *d, const struct duct_kind *kind, size_t size_max);
void duct__close(struct duct *d);
void duct__enter(struct duct *d, int side);
void duct__set_nonblock(struct duct *d, bool nonblock);
/* All n bytes, however often it takes. 0 or -errno; -EAGAIN of a non-blocking one only if nothing went. */
int duct__send_all(struct duct *d, int side, unsigned char *data, size_t n);
int duct__recv_all(struct duct *d, int side, unsigned char *data, size_t n, size_t cap);
/* Buffer with HEADROOM before what is returned; freed by duct__free_buf(). */
unsigned char *duct__buf(size_t bytes);
void duct__free_buf(unsigned char *buf);

/* Every kind, in the order of output. */
const struct duct_kind *const *duct_kind__all(size_t *cnt);
const struct duct_kind *duct_kind__find(const char *name); /* NULL: none */

/* Of an outsider, to whom the memory at `at` is not mapped: the kernel's word for that. */
ssize_t duct__look_at_memory(void *at);

enum priority { PRIORITY_NONE, PRIORITY_SENDER, PRIORITY_RECEIVER, PRIORITY_NUMBER, PRIORITY_URGENT };

#endif
