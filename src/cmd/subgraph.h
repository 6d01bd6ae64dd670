/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The graph of the messages that a filter selected. The model's own graph has everything it saw, because pairing
 * needs both sides of what is filtered; a filtered graph is made beside it from the messages that passed.
 */
#ifndef CMD_SUBGRAPH_H
#define CMD_SUBGRAPH_H

#include "model/graph.h"
#include "model/select.h"

struct subgraph;

/*
 * by_process: the filter looks at processes only, so all that a selected process did belongs to the graph;
 * else its ends count only what the selected messages moved.
 */
struct subgraph *subgraph__new(bool by_process);
void subgraph__message(struct subgraph *s, const struct message *m); /* one that was selected */
/* model_sink.moved */
void subgraph__follow(struct subgraph *s);
/* Takes from the whole graph what belongs to the selection: names, ends, shares, times, losses. */
void subgraph__finish(struct subgraph *s, const struct graph *whole, const struct select *select);
/* The same messages in one of its own, to be finished while this one goes on. */
struct subgraph *subgraph__copy(const struct subgraph *s);
struct graph *subgraph__graph(struct subgraph *s);
void subgraph__free(struct subgraph *s);

#endif
