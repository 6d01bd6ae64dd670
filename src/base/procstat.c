/* SPDX-License-Identifier: GPL-2.0 */
#include "base/procstat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int procstat__field(const char *directory, int field, char *word, size_t size)
{
	char path[80], text[1024];
	const char *p;
	size_t len;
	FILE *f;

	word[0] = 0;
	snprintf(path, sizeof(path), "%s/stat", directory);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = 0;
	p = strrchr(text, ')');
	for (int at = PROCSTAT_STATE; p && at <= field; at++)
		p = strchr(p + 1, ' ');
	if (!p)
		return -ENOENT;
	len = strcspn(p + 1, " \n");
	snprintf(word, size, "%.*s", (int)len, p + 1);
	return 0;
}
