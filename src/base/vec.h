/* SPDX-License-Identifier: GPL-2.0 */
/* Growable arrays: struct { T *v; size_t cnt, cap; }, made with VEC(T). Out of memory ends the program. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

#define VEC(type)                \
	struct {                 \
		type *v;         \
		size_t cnt, cap; \
	}

void *vec__grow(void *v, size_t *cap, size_t need, size_t elem_bytes);

#define vec__push(vec, value)                                                                           \
	do {                                                                                            \
		if ((vec)->cnt == (vec)->cap)                                                           \
			(vec)->v = vec__grow((vec)->v, &(vec)->cap, (vec)->cnt + 1, sizeof(*(vec)->v)); \
		(vec)->v[(vec)->cnt++] = (value);                                                       \
	} while (0)

#define vec__free(vec)                       \
	do {                                 \
		free((vec)->v);              \
		(vec)->v = NULL;             \
		(vec)->cnt = (vec)->cap = 0; \
	} while (0)

#endif
