/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of export/ only: one format each. */
#ifndef EXPORT_FORMATS_H
#define EXPORT_FORMATS_H

#include "export/export.h"

extern const struct export_format export__perfetto, export__pcapng, export__sqlite, export__csv,
	export__jsonl, export__folded, export__ctf;

#endif
