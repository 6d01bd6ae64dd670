/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of the top command: what its two faces, batch and terminal, have in common. */
#ifndef CMD_TOP_H
#define CMD_TOP_H

#include "base/out.h"
#include "cmd/options.h"
#include "cmd/pipeline.h"
#include "model/meter_table.h"
#include "model/waits.h"
#include "view/top.h"

#define TOP_INTERVAL_MIN_NS 10000000ull

struct top_setup {
	struct top_choice choices[TOP_TABLE_CNT + 1];
	size_t choice_cnt;
	enum table_group group;
	enum { TOP_TO_TEXT, TOP_TO_CSV, TOP_TO_JSON } format;
	uint64_t interval_ns;
	bool terminal; /* interactive */
};

/* Everything that can be wrong with top's own options; 0, or -EINVAL with one sentence in err. */
int top_setup__make(struct top_setup *s, const struct options *o, struct buf *err);

struct top_screen; /* cmd/top_screen.h */
struct waits; /* cmd/waits.h */

struct top {
	const struct options *opts;
	struct top_setup setup;
	struct meter *meter;
	struct view_names names;
	struct top_ctx ctx;
	uint64_t next_tick_ns; /* 0: the first event has not come */
	int64_t boot_to_wall_ns; /* of the machine that is or was traced */
	uint64_t now_ns; /* how far the events' time has come */
	VEC(struct wait_line) waits; /* at the end of the last interval */
	struct waits *looker; /* NULL: nobody can tell who waits (a recording) */
	struct pipeline *pipeline;
	struct top_screen *screen; /* NULL: batch */
	uint32_t shown_cnt; /* intervals */
	/* batch */
	struct out out;
	struct meter_table table;
	struct buf events; /* lines since the last interval */
	const struct line_view *lines; /* of events; NULL: not wanted */
};

void top_batch__begin(struct top *t);
void top_batch__interval(struct top *t); /* after a tick of the meter */
void top_batch__end(struct top *t, const struct model_stats *stats);

#endif
