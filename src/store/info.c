/* SPDX-License-Identifier: GPL-2.0 */
#include "store/info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/format.h"

enum type { TEXT, NUMBER, PIDS, FLAG };

struct row {
	uint16_t tag; /* on disk: append only */
	uint8_t type;
	uint8_t bytes; /* NUMBER */
	size_t offset;
};

#define AT(type, member) offsetof(struct type, member)
#define NUMBER_AT(type, member) NUMBER, sizeof(((struct type *)NULL)->member), AT(type, member)

static const struct row info_rows[] = {
	{ 1, TEXT, 0, AT(store_info, tool) },
	{ 2, TEXT, 0, AT(store_info, host) },
	{ 3, TEXT, 0, AT(store_info, kernel) },
	{ 4, TEXT, 0, AT(store_info, machine) },
	{ 5, TEXT, 0, AT(store_info, command_line) },
	{ 6, TEXT, 0, AT(store_info, attach) },
	{ 7, TEXT, 0, AT(store_info, hooks) },
	{ 8, NUMBER_AT(store_info, start_ns) },
	{ 9, NUMBER_AT(store_info, boot_to_wall_ns) },
	{ 10, NUMBER_AT(store_info, mechs) },
	{ 11, NUMBER_AT(store_info, recorder_pid) },
	{ 12, NUMBER_AT(store_info, cpus) },
	{ 13, NUMBER_AT(store_info, page_bytes) },
	{ 14, NUMBER_AT(store_info, ring_bytes) },
	{ 15, NUMBER_AT(store_info, payload_bytes) },
	{ 16, PIDS, 0, AT(store_info, pids) },
	{ 17, FLAG, 0, AT(store_info, follow) },
	{ 18, FLAG, 0, AT(store_info, have_uid) },
	{ 19, NUMBER_AT(store_info, uid) },
	{ 20, FLAG, 0, AT(store_info, have_cgroup) },
	{ 21, NUMBER_AT(store_info, cgroup) },
	{ 22, TEXT, 0, AT(store_info, src) },
	{ 23, TEXT, 0, AT(store_info, dst) },
	{ 24, NUMBER_AT(store_info, min_latency_ns) },
	{ 25, NUMBER_AT(store_info, min_bytes) },
	{ 26, NUMBER_AT(store_info, set) },
	{ 27, NUMBER_AT(store_info, file) },
	{ 0 },
};

static const struct row sums_rows[] = {
	{ 1, NUMBER_AT(store_sums, events) },
	{ 2, NUMBER_AT(store_sums, lost) },
	{ 3, NUMBER_AT(store_sums, end_ns) },
	{ 4, FLAG, 0, AT(store_sums, goes_on) },
	{ 0 },
};

static void put_tag(struct buf *out, uint16_t tag, const void *data, size_t bytes)
{
	struct store_tag head = { .tag = tag, .bytes = (uint32_t)bytes };

	buf__put(out, &head, sizeof(head));
	buf__put(out, data, bytes);
}

static void put_row(const struct row *row, const void *from, struct buf *out)
{
	const char *at = (const char *)from + row->offset;
	const struct store_info *info = from;

	switch ((enum type)row->type) {
	case TEXT:
		if (*(char *const *)at)
			put_tag(out, row->tag, *(char *const *)at, strlen(*(char *const *)at));
		break;
	case NUMBER:
		put_tag(out, row->tag, at, row->bytes);
		break;
	case PIDS:
		put_tag(out, row->tag, at, info->pid_cnt * sizeof(info->pids[0]));
		break;
	case FLAG:
		put_tag(out, row->tag, at, 1);
		break;
	}
}

static void put_rows(const struct row *row, const void *from, struct buf *out)
{
	for (; row->tag; row++)
		put_row(row, from, out);
}

/* Numbers may be written shorter or longer by other versions: what is missing is 0. */
static void get_row(const struct row *row, void *to, const char *data, size_t bytes)
{
	char *at = (char *)to + row->offset;
	struct store_info *info = to;

	switch ((enum type)row->type) {
	case TEXT:
		free(*(char **)at);
		*(char **)at = xstrndup(data, bytes);
		break;
	case NUMBER:
		memset(at, 0, row->bytes);
		memcpy(at, data, bytes < row->bytes ? bytes : row->bytes);
		break;
	case PIDS:
		info->pid_cnt = bytes / sizeof(info->pids[0]);
		if (info->pid_cnt > STORE_PIDS_MAX)
			info->pid_cnt = STORE_PIDS_MAX;
		memcpy(at, data, info->pid_cnt * sizeof(info->pids[0]));
		break;
	case FLAG:
		*(bool *)at = bytes && *data;
		break;
	}
}

static int get_rows(const struct row *rows, void *to, const char *data, size_t bytes)
{
	while (bytes) {
		const struct row *row = rows;
		struct store_tag head;

		if (bytes < sizeof(head))
			return -EBADMSG;
		memcpy(&head, data, sizeof(head));
		data += sizeof(head);
		bytes -= sizeof(head);
		if (head.bytes > bytes)
			return -EBADMSG;
		while (row->tag && row->tag != head.tag)
			row++;
		if (row->tag)
			get_row(row, to, data, head.bytes);
		data += head.bytes;
		bytes -= head.bytes;
	}
	return 0;
}

void store_info__put(const struct store_info *info, struct buf *out)
{
	put_rows(info_rows, info, out);
}

void store_sums__put(const struct store_sums *sums, struct buf *out)
{
	put_rows(sums_rows, sums, out);
}

int store_info__get(struct store_info *info, const void *data, size_t bytes)
{
	return get_rows(info_rows, info, data, bytes);
}

int store_sums__get(struct store_sums *sums, const void *data, size_t bytes)
{
	return get_rows(sums_rows, sums, data, bytes);
}

void store_info__free(struct store_info *info)
{
	for (const struct row *row = info_rows; row->tag; row++)
		if (row->type == TEXT)
			free(*(char **)((char *)info + row->offset));
	*info = (struct store_info){ 0 };
}
