/* SPDX-License-Identifier: GPL-2.0 */
/* A meter's rows, summed up for one table: by flow, process, channel or mechanism, processes by groups if wanted. */
#ifndef MODEL_METER_TABLE_H
#define MODEL_METER_TABLE_H

#include "model/meter.h"

enum table_kind { TABLE_FLOWS, TABLE_PROCESSES, TABLE_CHANNELS, TABLE_MECHANISMS, TABLE_KIND_CNT };

enum table_group { GROUP_NONE, GROUP_COMMAND, GROUP_USER, GROUP_CGROUP, GROUP_CONTAINER, GROUP_CNT };
const char *table_group__name(enum table_group group); /* "command", ... */

/* One side of a line: a process, several that belong together, or none. */
struct side {
	uint32_t id; /* the same for the same side, while the table lives; 0: not used by this table */
	struct proc *proc; /* the first of them; NULL: the kernel or unknown */
	const char *origin; /* static; NULL: a process, or unknown */
	uint32_t proc_cnt; /* seen so far; 1 without groups */
};

struct line_sum {
	uint64_t messages, bytes; /* taken by dst; processes: what they sent */
	uint64_t in_messages, in_bytes; /* processes: what they took */
	uint64_t errors;
	uint64_t full_ns, empty_ns;
};

struct line {
	struct side src, dst; /* processes: src only */
	struct channel *channel; /* NULL: several, or none; then channel_cnt says how many */
	uint8_t mech; /* 0: several */
	uint8_t attr;
	uint32_t channel_cnt, flow_cnt;
	uint32_t writer_cnt, reader_cnt; /* processes */
	struct line_sum last, total;
	const struct hist *latency, *latency_total; /* of the last interval; of all. NULL: nothing is known */
	bool own_latency, own_latency_total; /* inside */
	uint64_t lost; /* events of its mechanism; channels: that may have touched it */
	struct fill fill;
	bool fill_known;
	const struct spark *spark; /* of the flow, or of all that are in it; NULL: none. line__minute() */
	bool own_spark; /* inside */
};

/* Messages of each second before until_ns, the oldest first. */
void line__minute(const struct line *l, uint64_t until_ns, uint32_t slot[METER_SPARK_CNT]);

struct table_opts {
	enum table_kind kind;
	enum table_group group;
	/* Drilled down: only what has to do with this; NULL or 0: everything. */
	const struct proc *proc; /* with group: its group */
	const struct channel *channel;
	uint8_t mech;
	bool with_idle; /* also lines without anything in the last interval */
};

struct meter_table {
	struct table_opts opts;
	VEC(struct line) lines; /* in no order */
	uint64_t from_ns, until_ns; /* the interval */
	/* inside */
	struct map by_key, seen;
	struct map groups;
	VEC(struct side_group *) all_groups;
	VEC(struct hist *) merged;
	VEC(struct spark *) merged_sparks;
	VEC(const char *) origins;
	uint32_t last_side; /* the last id given */
};

void meter_table__fill(struct meter_table *t, const struct meter *m, const struct table_opts *opts);
/* The meter will go on while this is shown: what it shows of the last minute is copied. */
void meter_table__hold(struct meter_table *t);
/* model_sink.moved. What it shows stays valid only as far as it was kept. */
void meter_table__follow(struct meter_table *t);
void meter_table__free(struct meter_table *t);

/* Whether a process belongs to the same group as another. */
bool table_group__same(enum table_group group, const struct proc *a, const struct proc *b);

/* Between meter_group.c and meter_table.c: the side that a process (NULL: an origin, or nobody known) belongs to. */
struct side meter_table__side(struct meter_table *t, struct proc *proc, const char *origin);
void meter_table__update_side(struct meter_table *t, struct side *side); /* it may have grown since */
void meter_table__forget_groups(struct meter_table *t);

#endif
