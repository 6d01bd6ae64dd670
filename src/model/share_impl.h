/* SPDX-License-Identifier: GPL-2.0 */
/* The inside of the rule for shared memory: for pair_share.c, share_object.c and share_space.c only. */
#ifndef MODEL_SHARE_IMPL_H
#define MODEL_SHARE_IMPL_H

#include "base/map.h"
#include "base/vec.h"
#include "model/pair.h"

struct segment {
	uint64_t addr, end;
	struct shared *object;
	bool writable;
};

struct space { /* one process's memory */
	struct proc *proc;
	VEC(struct segment) segs; /* by address, not overlapping */
};

struct attached {
	struct proc *proc;
	uint32_t seg_cnt;
	bool writable; /* at some time */
	bool scanned; /* from before the trace */
	bool has_end; /* in the graph */
	uint64_t since_ns;
};

struct shared { /* an object */
	struct obj_key key;
	struct channel *channel; /* of the name that it had when first used; may be merged: resolve */
	uint8_t mech;
	bool is_file; /* an ordinary one */
	bool is_segment; /* System V: lives on alone */
	bool written; /* somebody has or had it writable */
	bool removed;
	uint64_t size_bytes, detached_s, detached_ns;
	struct proc *creator; /* NULL: not known */
	uint32_t creator_pid;
	VEC(struct attached) who;
};

struct pairing {
	struct model *m;
	struct map spaces; /* pid -> struct space * */
	struct map objects; /* key -> struct shared * */
	struct map shares; /* pair of processes, channel -> struct share * */
};

/* share_object.c: an object, and who has it */
struct shared *shared__of(struct pairing *p, const struct op *op); /* makes it when there is none */
/* What op tells of it; what it does not tell stays. */
void shared__learn(struct pairing *p, struct shared *o, const struct op *op);
struct channel *shared__channel(struct pairing *p, struct shared *o);
/* One more segment of o in proc: shares begin. scanned: from before the trace. */
void shared__add(struct pairing *p, struct shared *o, struct proc *proc, bool writable, bool scanned,
		 uint64_t ts_ns);
/* One less; with the last one shares end, and o may be freed. */
void shared__drop(struct pairing *p, struct shared *o, struct proc *proc, uint64_t ts_ns);
void shared__add_part(struct shared *o, const struct proc *proc); /* a segment of it became two */
void shared__set_writable(struct pairing *p, struct shared *o, const struct proc *proc, uint64_t ts_ns);
void shared__set_removed(struct pairing *p, struct shared *o); /* may free it */
/* Where it is memory between processes: what the graph says of it now. */
void shared__tell_state(struct pairing *p, struct shared *o);
void shared__free(struct shared *o);

/* share_space.c: a process's memory */
struct space *space__of(struct pairing *p, uint32_t pid); /* makes it when there is none */
/* seg is there now, in place of what was. */
void space__map(struct pairing *p, struct space *s, struct segment seg, bool scanned, uint64_t ts_ns);
/* only: of this object; NULL for whatever lies there. */
void space__unmap(struct pairing *p, struct space *s, uint64_t addr, uint64_t end, const struct shared *only,
		  uint64_t ts_ns);
void space__set_writable(struct pairing *p, struct space *s, uint64_t addr, uint64_t end, uint64_t ts_ns);
void space__copy(struct pairing *p, struct space *to, const struct space *from, uint64_t ts_ns);
void space__drop(struct pairing *p, uint32_t pid, uint64_t ts_ns); /* if that process has one */
void space__free(struct space *s);

#endif
