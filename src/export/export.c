/* SPDX-License-Identifier: GPL-2.0 */
#include "export/export.h"

#include <string.h>

#include "export/formats.h"

static const struct export_format *const formats[] = { &export__perfetto, &export__pcapng,
						       &export__sqlite,	  &export__csv,
						       &export__jsonl,	  &export__folded,
						       &export__ctf,	  NULL };

const struct export_format *const *export_format__all(void)
{
	return formats;
}

const struct export_format *export_format__by_name(const char *name)
{
	for (size_t i = 0; formats[i]; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	return NULL;
}
