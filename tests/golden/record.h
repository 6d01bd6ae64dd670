/* SPDX-License-Identifier: GPL-2.0 */
/* One line of a golden test's input. */
#ifndef GOLDEN_RECORD_H
#define GOLDEN_RECORD_H

#include "model/op.h"

struct record {
	enum { RECORD_NOTHING, RECORD_TRACED, RECORD_TASK, RECORD_OBJECT, RECORD_OP, RECORD_LOST } what;
	uint64_t ts_ns; /* 0: none */
	struct task_info task;
	struct object_info object;
	struct op op;
	struct {
		uint8_t mech;
		uint64_t cnt;
		int32_t cpu;
		uint8_t skipped, full;
	} lost; /* RECORD_TRACED: mech */
};

/* Cuts line to pieces; the record's strings point into it. NULL, or the word that cannot be read. */
const char *record__parse(struct record *rec, char *line);

#endif
