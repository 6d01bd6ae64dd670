/* SPDX-License-Identifier: GPL-2.0 */
/* The inside of the rule for locks on files: for pair_lock.c and lock_file.c only. */
#ifndef MODEL_LOCK_IMPL_H
#define MODEL_LOCK_IMPL_H

#include "base/map.h"
#include "base/vec.h"
#include "model/pair.h"

struct claim { /* a lock that is held, or wanted */
	uint64_t owner;
	uint64_t start, end;
	uint8_t type; /* enum lock_type */
	uint8_t kind; /* enum lock_kind */
	uint32_t pid, tid;
	uint64_t enter_ns;
	uint64_t ts_ns;
	bool scanned; /* from before the trace: owner and tid are not known */
};

struct release {
	struct claim of;
	struct sender by;
};

struct grant { /* to one who waited, before the release was reported */
	struct claim to;
	struct receipt *receipt;
};

struct lockfile {
	struct obj_key key;
	uint8_t mech;
	VEC(struct claim) held, wanted;
	VEC(struct release) releases; /* oldest first */
	VEC(struct grant) grants;
};

struct pairing {
	struct model *m;
	struct map files; /* key -> struct lockfile * */
	size_t grant_cnt; /* of all files */
	uint64_t next_sweep_ns;
};

/*
 * lock_file.c: what is on record of one file. c is what op says, on all of these; op is at f.
 */
/* c's owner has nothing in c's range any more; what it had there and is not as strong as before counts as released. */
void lockfile__give_up(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op);
/* A lock that changes its kind may be given up first; no more than that. */
void lockfile__convert(struct pairing *p, struct lockfile *f, const struct claim *c, const struct op *op);
/* op's thread waits no more. Whether it did: true only if this call of it was known to. */
bool lockfile__end_wait(struct lockfile *f, const struct op *op);
/* `to` was granted after a wait: makes op a receipt, which is done at once or when the release is reported. */
void lockfile__grant(struct pairing *p, struct lockfile *f, const struct claim *to, const struct op *op);
/* Grants up to until_ns wait no longer for who let them have it. */
void lockfile__settle(struct pairing *p, struct lockfile *f, uint64_t until_ns);
/* Nothing of it need be remembered, if no release before until_ns has to be. */
bool lockfile__is_idle(const struct lockfile *f, uint64_t until_ns);
void lockfile__free(struct lockfile *f);

#endif
