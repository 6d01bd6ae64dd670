/* SPDX-License-Identifier: GPL-2.0 */
#include "view/elements.h"

#include <string.h>

#include "event/wire.h"
#include "view/attrs.h"
#include "view/style.h"

#define GROUP_PREFIX "group:" /* no process or channel has an id like that */

static void put_attrs(struct json *j, const struct attr_row *rows, const void *item)
{
	struct buf value = { 0 };

	for (; (rows = attrs__next(rows, item, &value)); rows++) {
		if (rows->type == VALUE_TEXT)
			json__strn(j, rows->name, value.data, value.len);
		else
			json__raw(j, rows->name, value.data, value.len);
	}
	buf__free(&value);
}

static void begin(struct json *j)
{
	buf__puts(j->out, j->comma ? ",\n" : "\n");
	j->comma = false;
	json__open(j, NULL, '{');
	json__open(j, "data", '{');
}

static void end(struct json *j)
{
	json__close(j, '}');
	json__close(j, '}');
}

static void put_group_id(struct json *j, const char *key, const char *group)
{
	struct buf id = { 0 };

	buf__printf(&id, GROUP_PREFIX "%s", group);
	json__strn(j, key, id.data, id.len);
	buf__free(&id);
}

static void put_group(struct json *j, const char *group)
{
	begin(j);
	put_group_id(j, "id", group);
	put_group_id(j, "value", group);
	json__str(j, "name", group);
	json__str(j, "label", group);
	json__str(j, "kind", "group");
	end(j);
}

/* "value" and "name" are what networkx's reader asks for. */
static void put_node(struct json *j, const struct node *n)
{
	struct buf label = { 0 };

	picture__put_label(&label, n);
	begin(j);
	json__str(j, "id", n->id);
	json__str(j, "value", n->id);
	json__strn(j, "name", label.data, label.len);
	if (n->group)
		put_group_id(j, "parent", n->group);
	put_attrs(j, node_attrs, n);
	if (!n->takes_part)
		json__bool(j, "bystander", true);
	end(j);
	buf__free(&label);
}

static void put_hist(struct json *j, const struct hist *h)
{
	uint64_t octaves[64];

	hist__octaves(h, octaves);
	json__open(j, "hist", '[');
	for (unsigned int i = 0; i < 64; i++) {
		if (!octaves[i])
			continue;
		json__open(j, NULL, '[');
		json__u64(j, NULL, i);
		json__u64(j, NULL, octaves[i]);
		json__close(j, ']');
	}
	json__close(j, ']');
}

static void put_link(struct json *j, const struct picture *p, const struct link *l, bool details)
{
	begin(j);
	json__str(j, "id", l->id);
	json__str(j, "key", l->id);
	json__str(j, "source", p->nodes.v[l->from].id);
	json__str(j, "target", p->nodes.v[l->to].id);
	json__str(j, "interaction", link_kind__name(l->kind));
	put_attrs(j, link_attrs, l);
	json__bool(j, "doubt", l->doubt);
	json__bool(j, "waits", l->waits);
	if (details && l->latency)
		put_hist(j, l->latency);
	end(j);
}

void elements__put(struct json *j, const struct picture *p, bool details)
{
	json__open(j, "nodes", '[');
	for (size_t i = 0; i < p->groups.cnt; i++)
		put_group(j, p->groups.v[i]);
	for (size_t i = 0; i < p->nodes.cnt; i++)
		put_node(j, &p->nodes.v[i]);
	json__close(j, ']');
	json__open(j, "edges", '[');
	for (size_t i = 0; i < p->links.cnt; i++)
		put_link(j, p, &p->links.v[i], details);
	json__close(j, ']');
}

/* Graphviz's shapes in the words of cytoscape.js, where they differ. */
static const char *page_shape(const char *shape)
{
	static const char *const words[][2] = {
		{ "cds", "tag" },
		{ "folder", "cut-rectangle" },
		{ "octagon", "octagon" },
		{ "cylinder", "barrel" },
		{ "house", "pentagon" },
		{ "tab", "bottom-round-rectangle" },
		{ "note", "round-hexagon" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i][0], shape))
			return words[i][1];
	return shape;
}

void elements__put_styles(struct json *j, const char *key, const struct picture *p)
{
	bool seen[IPCT_MECH_CNT] = { false };

	json__open(j, key, '{');
	for (size_t i = 0; i < p->links.cnt; i++) {
		const struct link *l = &p->links.v[i];
		const struct style *style;

		if (!l->channel || seen[l->channel->mech % IPCT_MECH_CNT])
			continue;
		seen[l->channel->mech % IPCT_MECH_CNT] = true;
		style = style__of(l->channel->mech);
		json__open(j, l->mech, '{');
		json__str(j, "colour", style->colour);
		json__str(j, "shape", page_shape(style->shape));
		json__close(j, '}');
	}
	json__close(j, '}');
}
