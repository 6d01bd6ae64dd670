/* SPDX-License-Identifier: GPL-2.0 */
/* How each mechanism looks, one row each, for every view that has colours or shapes. */
#ifndef VIEW_STYLE_H
#define VIEW_STYLE_H

#include <stdint.h>

struct style {
	const char *ansi; /* SGR parameters: "36" */
	const char *colour; /* "#1f77b4"; red is kept for trouble */
	const char *shape; /* of a channel's node, in Graphviz's words */
};

const struct style *style__of(uint8_t mech); /* a neutral one for numbers without a row */

#endif
