/* SPDX-License-Identifier: GPL-2.0 */
#include "bench/show.h"

#include <inttypes.h>

#include "base/time.h"

const char *show__answer(enum answer a)
{
	return a == ANSWER_YES ? "yes" : a == ANSWER_NO ? "no" : NULL;
}

const char *show__priority(const struct properties *p)
{
	static const char *const words[] = {
		[PRIORITY_NONE] = "none",	   [PRIORITY_SENDER] = "sender's",
		[PRIORITY_RECEIVER] = "by type",   [PRIORITY_NUMBER] = "by number",
		[PRIORITY_URGENT] = "urgent byte",
	};

	return p->priority < 0 ? NULL : words[p->priority];
}

const char *show__records(const struct properties *p)
{
	static const char *const words[] = {
		[RECORDS_BYTES] = "bytes",
		[RECORDS_KEPT] = "records",
		[RECORDS_SUM] = "sum",
		[RECORDS_UNITS] = "units",
	};

	return words[p->records];
}

const char *show__short_read(const struct properties *p)
{
	static const char *const words[] = {
		[SHORT_STAYS] = "stays",
		[SHORT_LOST] = "lost",
		[SHORT_REFUSED] = "refused",
	};

	return words[p->short_read];
}

const char *show__errno(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "?";
}

void show__size(struct buf *out, uint64_t bytes)
{
	if (bytes && bytes % (1u << 20) == 0)
		buf__printf(out, "%" PRIu64 "M", bytes >> 20);
	else if (bytes && bytes % 1024 == 0)
		buf__printf(out, "%" PRIu64 "K", bytes >> 10);
	else
		buf__u64(out, bytes);
}

void show__conditions(struct buf *out, const struct bench *b)
{
	buf__printf(out, "%u round%s of ", b->rounds, b->rounds == 1 ? "" : "s");
	time__put_duration(out, b->o.speed.time_ns);
	if (b->o.speed.pin)
		buf__printf(out, ", on CPUs %d and %d", b->o.speed.cpu[0], b->o.speed.cpu[1]);
	else
		buf__puts(out, ", not pinned");
}
