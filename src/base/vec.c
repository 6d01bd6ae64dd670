/* SPDX-License-Identifier: GPL-2.0 */
#include "base/vec.h"

#include <stdint.h>

#include "base/log.h"

#define FIRST_BYTES 64 /* most are small and stay so */

void *vec__grow(void *v, size_t *cap, size_t need, size_t elem_bytes)
{
	size_t cnt = *cap ? *cap * 2 : FIRST_BYTES / elem_bytes;

	if (cnt < need)
		cnt = need;
	if (cnt > SIZE_MAX / 2 / elem_bytes)
		log__out_of_memory();
	*cap = cnt;
	return xrealloc(v, cnt * elem_bytes);
}
