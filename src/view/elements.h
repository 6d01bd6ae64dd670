/* SPDX-License-Identifier: GPL-2.0 */
/* A picture in the JSON of cytoscape.js: what the format of that name and the page are made of. */
#ifndef VIEW_ELEMENTS_H
#define VIEW_ELEMENTS_H

#include "base/json.h"
#include "view/picture.h"

/*
 * The members "nodes" and "edges" of the object that is open. With details also what the page shows of a link when
 * it is chosen: a histogram of latencies ("hist": [[floor(log2(ns)), count], ...]).
 */
void elements__put(struct json *j, const struct picture *p, bool details);
/* Colour and shape of each mechanism that occurs, by name. */
void elements__put_styles(struct json *j, const char *key, const struct picture *p);

#endif
