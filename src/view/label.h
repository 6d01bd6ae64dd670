/* SPDX-License-Identifier: GPL-2.0 */
/* Small pieces of text that several views write the same way: numbers for people, names, node ids. */
#ifndef VIEW_LABEL_H
#define VIEW_LABEL_H

#include "base/buf.h"
#include "model/message.h"
#include "model/proc.h"

/* Below this a wait is nothing a person needs to see. */
#define LABEL_WAIT_NS 1000000ull

/* s escaped for terminals and cut to max_cols columns, the last one then being "…". */
void label__text(struct buf *out, const char *s, size_t len, size_t max_cols);
/* Cuts what was written from offset `from` on, already escaped, to max_cols columns. */
void label__cut(struct buf *out, size_t from, size_t max_cols);
/* How many of the raw bytes s, len fit into max bytes without a UTF-8 sequence being cut: for escaping afterwards. */
size_t label__fitting(const char *s, size_t len, size_t max);
/* Spaces until what was written from offset `from` on takes cols columns. */
void label__pad(struct buf *out, size_t from, size_t cols);
/* Moves what was written from offset `from` on to the right end of cols columns. */
void label__right(struct buf *out, size_t from, size_t cols);

void label__bytes(struct buf *out, uint64_t bytes); /* exact below 10,000, then as time__put_bytes() */
void label__count(struct buf *out, uint64_t n, const char *noun); /* "1 message", "3 messages" */

/* " on HOST, Linux VERSION", escaped for terminals; NULL: not known. */
void label__host(struct buf *out, const char *host, const char *kernel);
/* "kernel(timer)", or "kernel" without an origin. Origins are static strings, never a program's bytes. */
void label__origin(struct buf *out, const char *origin);
/* "14488"; "3120 ended" where it stands for so many. */
void label__pid(struct buf *out, const struct proc *p);
/* "14488 python3", escaped for terminals. */
void label__proc(struct buf *out, const struct proc *p);

/* The mark before a source: "" exact, "~" inferred, "?" candidates, "??" unknown. */
const char *label__attr_mark(uint8_t attr);

uint64_t label__op_wait_ns(const struct op *op); /* how long an operation was blocked; 0: not */

/* A process's id in every graph format: PID.START_NS; "ended.N" where it stands for several that ended. */
#define LABEL_ID_BYTES 40
const char *label__proc_id(const struct proc *p, char buf[LABEL_ID_BYTES]);
/* The id of a flow's side: its process; without one "kernel" when an origin is known, else "unknown". */
const char *label__side_id(const struct proc *p, const char *origin, char buf[LABEL_ID_BYTES]);

/* Words of shared memory, locks, ptrace and passed descriptors. */
const char *label__fd_access(uint8_t side); /* "read", "write", "readwrite" */
const char *label__lock_kind(uint8_t kind); /* "flock", "posix", "ofd" */
const char *label__lock_type(uint8_t type); /* "read", "write", "none" */
const char *label__direct(const struct op *op); /* "attach", "peekdata", "process_vm_readv", ...; "?" */

#endif
