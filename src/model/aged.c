/* SPDX-License-Identifier: GPL-2.0 */
#include "model/aged.h"

#include <stdlib.h>

static int by_age(const void *x, const void *y)
{
	const struct aged *a = x, *b = y;

	return (a->last_ns > b->last_ns) - (a->last_ns < b->last_ns);
}

size_t aged__first(aged_list *list, size_t all_cnt, size_t max)
{
	size_t cnt = all_cnt > max ? all_cnt - max : 0;

	if (cnt > list->cnt)
		cnt = list->cnt;
	if (cnt)
		qsort(list->v, list->cnt, sizeof(*list->v), by_age);
	return cnt;
}
