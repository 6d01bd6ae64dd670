/* SPDX-License-Identifier: GPL-2.0 */
/* Between meter.c and meter_fill.c. */
#ifndef MODEL_METER_IMPL_H
#define MODEL_METER_IMPL_H

#include "model/meter.h"

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

#endif
