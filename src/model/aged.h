/* SPDX-License-Identifier: GPL-2.0 */
/* What may be forgotten, and who of it goes: the oldest. */
#ifndef MODEL_AGED_H
#define MODEL_AGED_H

#include <stdint.h>

#include "base/vec.h"

struct aged {
	uint64_t last_ns; /* of its last use, or its end */
	void *what; /* the caller's */
};

typedef VEC(struct aged) aged_list;

/*
 * Puts those first in list that must go for at most max of all_cnt to stay, and returns how many these are. all_cnt may be more than
 * list has: the others stay anyway, and count.
 */
size_t aged__first(aged_list *list, size_t all_cnt, size_t max);

#endif
