/* SPDX-License-Identifier: GPL-2.0 */
/* Between meter.c, meter_merge.c and meter_fill.c. */
#ifndef MODEL_METER_IMPL_H
#define MODEL_METER_IMPL_H

#include "model/meter.h"
#include "model/proc.h"

#define METER_MECHS_MAX 32

struct fill_object; /* one kernel object */

struct fill_table {
	struct map by_key; /* obj_key -> struct fill_object * */
	struct map by_channel; /* channel -> its objects, linked; made by fill_table__index() */
	VEC(struct fill_object *) all;
};

void fill_table__object(struct fill_table *t, const struct object_info *info);
void fill_table__op(struct fill_table *t, const struct op *op, struct channel *ch);
void fill_table__lost(struct fill_table *t, uint8_t mech);
/* Before fill_table__sum(), after operations: channels may have been merged meanwhile. */
void fill_table__index(struct fill_table *t);
bool fill_table__sum(const struct fill_table *t, const struct channel *ch, struct fill *sum);
void fill_table__free(struct fill_table *t);

struct meter {
	VEC(struct flow_meter *) flows;
	VEC(struct end_meter *) ends;
	struct map flow_by_key, end_by_key;
	VEC(const char *) origins; /* static strings */
	struct fill_table fill;
	uint64_t begin_ns, from_ns, until_ns;
	uint64_t tick_ns; /* begin of the running interval */
	uint64_t sums_since_ns; /* meter_view */
	uint32_t interval_nr;
	struct meter_totals now, last, total;
	uint64_t table_full; /* meter_view */
	uint64_t lost_now[METER_MECHS_MAX], lost_last[METER_MECHS_MAX], lost_total[METER_MECHS_MAX];
};

/* With the channel's address, a flow's key: its sides, or what the source is when it is no process. */
uint64_t meter__sides_key(struct meter *m, const struct proc *src, const char *origin,
			  const struct proc *dst);
void flow_sum__clear(struct flow_sum *sum);
/* Objects that nobody has seen for a while and whose channels were folded are forgotten. */
void fill_table__follow(struct fill_table *t);
/* Rows whose processes or channels became one are added up. */
void meter__follow_merged(struct meter *m);

#endif
