/* SPDX-License-Identifier: GPL-2.0 */
#include "kern/kallsyms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION_BYTES_MAX (1u << 16)

/* Symbols of the kernel itself come first and in the order of their addresses, but padding symbols share some. */
int kallsyms__find(struct ksym *syms, size_t cnt)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	size_t open_cnt = 0;
	char line[512];

	for (size_t i = 0; i < cnt; i++)
		syms[i].address = syms[i].bytes = 0;
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		char *at, *name;
		uint64_t address = strtoull(line, &at, 16);

		if (strlen(at) < 4 || strchr(line, '['))
			continue;
		name = at + 3;
		name[strcspn(name, "\t\n")] = '\0';
		for (size_t i = 0; open_cnt && i < cnt; i++) {
			if (!syms[i].address || syms[i].bytes || address <= syms[i].address)
				continue;
			if (address - syms[i].address < FUNCTION_BYTES_MAX)
				syms[i].bytes = (uint32_t)(address - syms[i].address);
			else
				syms[i].address = 0;
			open_cnt--;
		}
		for (size_t i = 0; address && i < cnt; i++) {
			if (syms[i].address || strcmp(syms[i].name, name))
				continue;
			syms[i].address = address;
			open_cnt++;
		}
	}
	fclose(f);
	for (size_t i = 0; i < cnt; i++) {
		if (!syms[i].bytes)
			syms[i].address = 0;
	}
	return 0;
}
