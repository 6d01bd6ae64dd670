/* SPDX-License-Identifier: GPL-2.0 */
/* Descriptors that go from process to process. No mechanism: it shows with what it went over, and with its object. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mech/tables.h"

static struct obj_key key_of(uint8_t mech, uint64_t key, uint32_t dev)
{
	switch (mech) {
	case IPCT_MECH_PIPE:
	case IPCT_MECH_FIFO:
		return pipe__key(mech, key, dev);
	case IPCT_MECH_UNIX_STREAM:
	case IPCT_MECH_UNIX_DGRAM:
	case IPCT_MECH_UNIX_SEQPACKET:
		return unix__key(key);
	case IPCT_MECH_POSIX_SHM:
		return shm__key(mech, key, dev);
	}
	return (struct obj_key){ 0 };
}

/* As in /proc/PID/fd. */
static void name_it(const struct ipct_pass *pass, struct decoded *out)
{
	const char *name = (const char *)(pass + 1) + pass->name_start;
	int len = pass->name_len;
	size_t size = sizeof(out->name_buf);

	if (S_ISFIFO(pass->mode) && !len)
		snprintf(out->name_buf, size, "pipe:[%u]", pass->ino);
	else if (S_ISSOCK(pass->mode))
		snprintf(out->name_buf, size, "socket:[%u]", pass->ino);
	else if (len && name[0] == '[')
		snprintf(out->name_buf, size, "anon_inode:%.*s", len, name);
	else if (len > 6 && !memcmp(name, "memfd:", 6))
		snprintf(out->name_buf, size, "%.*s[%u]", len, name, pass->ino);
	else
		snprintf(out->name_buf, size, "%.*s", len, name);
	out->pass.name = out->name_buf;
	out->pass.name_len = strlen(out->name_buf);
}

void pass__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_pass *pass = (const struct ipct_pass *)ev;

	out->what = DECODED_PASS;
	out->pass = (struct pass_info){
		.ts_ns = ev->ts_ns,
		.enter_ns = pass->enter_ns,
		.pid = ev->pid,
		.tid = ev->tid,
		.file = pass->file,
		.sock = unix__key(pass->sk),
		.peer_sock = unix__key(pass->peer_sk),
		.obj = key_of(pass->obj_mech, pass->key, pass->dev),
		.fd = pass->fd,
		.from_pid = pass->from_pid,
		.from_fd = pass->from_fd,
		.what = pass->what, /* enum pass_what and enum ipct_pass_what are the same list */
		.mech = ev->mech,
		.obj_mech = pass->obj_mech,
		.side = pass->side,
		.peek = pass->peek,
	};
	name_it(pass, out);
	if (!out->pass.obj.space)
		out->pass.obj_mech = 0;
}

_Static_assert((int)IPCT_PASS_SENT == (int)PASS_SENT && (int)IPCT_PASS_TAKEN == (int)PASS_TAKEN,
	       "wire and model agree");
_Static_assert((int)IPCT_LOCK_OFD == (int)LOCK_KIND_OFD && (int)IPCT_LOCK_NONE == (int)LOCK_TYPE_NONE,
	       "wire and model agree");
