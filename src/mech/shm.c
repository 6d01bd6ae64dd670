/* SPDX-License-Identifier: GPL-2.0 */
/* Shared memory: System V segments; shm_open, memfd_create, and what else is mapped MAP_SHARED. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mech/tables.h"

#define BITS (IPCT_MECH_BIT(IPCT_MECH_SYSV_SHM) | IPCT_MECH_BIT(IPCT_MECH_POSIX_SHM))

const struct hook hook_shm_calls = {
	.name = "shm_map",
	.mechs = BITS,
	.rungs = CALLS_RUNGS("system calls"),
};

static const char *const blind[] = {
	"what is written to shared memory and who reads it cannot be seen, only who has it, and how",
	"memory that MADV_DONTFORK keeps from a child counts as inherited by it",
	NULL,
};

const struct mech_desc mech_sysv_shm = { IPCT_MECH_SYSV_SHM, "sysv-shm", "System V shared memory segments",
					 blind };
const struct mech_desc mech_posix_shm = {
	IPCT_MECH_POSIX_SHM, "posix-shm",
	"shm_open, memfd_create, files and anonymous memory mapped MAP_SHARED", blind
};

static const struct flag_pair flags[] = {
	{ IPCT_MAP_WRITE, MAP_F_WRITE },
	{ IPCT_MAP_FILE, MAP_F_FILE },
	{ IPCT_MAP_SCAN, MAP_F_SCAN },
	{ IPCT_MAP_ONE_OBJECT, MAP_F_ONE_OBJECT },
	{ 0, 0 },
};

struct obj_key shm__key(uint8_t mech, uint64_t id, uint32_t dev)
{
	return (struct obj_key){ .id = id, .space = (uint64_t)mech << 56 | dev };
}

void shm__decode(const struct ipct_hdr *ev, struct decoded *out)
{
	const struct ipct_map *map = (const struct ipct_map *)ev;
	struct op *op = decoded__op(out, ev, map->enter_ns, map->ret < 0 ? map->ret : 0);

	op->rule = PAIR_SHARE;
	op->obj = shm__key(ev->mech, map->key, map->dev);
	op->fd = map->fd;
	op->map.addr = map->addr;
	op->map.len = map->len;
	op->map.size_bytes = map->size;
	op->map.detached_s = map->detached_s;
	op->map.creator = map->creator;
	op->map.flags = flags__map(flags, map->flags);
	if (ev->mech == IPCT_MECH_SYSV_SHM)
		op->map.flags |= MAP_F_SEGMENT;
}

void shm__object_name(uint8_t mech, struct obj_key key, char *buf, size_t size)
{
	if (mech == IPCT_MECH_POSIX_SHM) {
		snprintf(buf, size, "map:[%" PRIu64 "]", key.id);
		return;
	}
	snprintf(buf, size, "shm:%" PRIu64, key.id);
	ipcns__add(buf, size, (uint32_t)key.space);
}

static bool has_prefix(const char *name, size_t len, const char *prefix)
{
	return len > strlen(prefix) && !memcmp(name, prefix, strlen(prefix));
}

void shm__decode_object(const struct ipct_object *ob, struct decoded *out)
{
	static const char dir[] = "/dev/shm", memfd[] = "memfd:";
	struct object_info *info = decoded__object(out, &ob->h);
	const char *name = (const char *)(ob + 1) + ob->name_start;
	size_t len = ob->name_len;

	info->key = shm__key(ob->h.mech, ob->key, ob->dev);
	if (has_prefix(name, len, "/dev/shm/")) {
		decoded__set_name(out, "pshm:", name + strlen(dir), len - strlen(dir));
	} else if (len && name[0] == '/') {
		decoded__set_name(out, "map:", name, len);
	} else if (len >= strlen(memfd) && !memcmp(name, memfd, strlen(memfd))) {
		snprintf(out->name_buf, sizeof(out->name_buf), "%.*s[%" PRIu64 "]", (int)len, name,
			 info->key.id);
		decoded__set_name(out, NULL, NULL, 0);
	} else {
		shm__object_name(ob->h.mech, info->key, out->name_buf, sizeof(out->name_buf));
		decoded__set_name(out, NULL, NULL, 0);
	}
}
