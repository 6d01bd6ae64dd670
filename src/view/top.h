/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of `ipctrace top` as columns, for the terminal as for files: one row of a table here is one column there.
 * A row is what the table's columns take: struct line (model/meter_table.h), or struct wait_line.
 */
#ifndef VIEW_TOP_H
#define VIEW_TOP_H

#include "base/buf.h"
#include "model/meter_table.h"
#include "model/waits.h"
#include "view/view.h"

struct top_ctx {
	const struct view_names *names;
	const char *(*user)(uint32_t uid); /* NULL: number */
	const char *(*cgroup)(uint64_t id); /* NULL: number */
	enum table_group group;
	uint64_t from_ns, until_ns; /* the interval */
	uint32_t interval_nr;
	uint32_t host_pidns; /* what is no container; 0: not known */
	bool utf8;
};

enum top_unit {
	TOP_TEXT,
	TOP_NUMBER, /* exact */
	TOP_COUNT, /* in powers of 1,000 */
	TOP_BYTES, /* in powers of 1,024 */
	TOP_NS,
	TOP_PERCENT,
	TOP_SPARK, /* the last minute of a struct line, in as many columns as there is room for */
};

enum top_flag {
	TOP_SHOWN = 1 << 0, /* in texts, unless other columns are asked for */
	TOP_DATA = 1 << 1, /* in CSV and JSON */
	TOP_OF_SRC = 1 << 2, /* part of "src": null in JSON when that is no process */
	TOP_OF_DST = 1 << 3,
	TOP_GROW = 1 << 4, /* takes the room that is left */
	TOP_GROUPED = 1 << 5, /* only when processes are grouped */
	TOP_SINGLE = 1 << 6, /* only when they are not */
};

struct top_column {
	const char *name; /* "messages_per_s"; a dot makes an object in JSON: "latency_ns.p50" */
	const char *header; /* "MSG/S"; NULL: never in texts */
	uint8_t width;
	uint8_t unit; /* enum top_unit */
	uint8_t flags; /* enum top_flag */
	double (*value)(const void *row, const struct top_ctx *c); /* NAN: not known; TOP_TEXT: NULL */
	void (*text)(struct buf *out, const void *row,
		     const struct top_ctx *c); /* raw bytes; TOP_TEXT only */
};

struct top_table {
	const char *name; /* "flows" */
	const char *type; /* of its JSON objects: "flow" */
	const char *sort; /* column by which it is sorted unless told otherwise, largest first */
	const struct top_column *columns;
	size_t column_cnt;
};

enum top_table_nr { TOP_FLOWS, TOP_PROCESSES, TOP_CHANNELS, TOP_MECHANISMS, TOP_WAITS, TOP_TABLE_CNT };
extern const struct top_table top_tables[TOP_TABLE_CNT];

const struct top_table *top_table__by_name(const char *name, size_t len); /* NULL: none */
const struct top_column *top_table__column(const struct top_table *t, const char *name, size_t len);
/* Whether the column exists when processes are grouped this way. */
bool top_column__applies(const struct top_column *col, const struct top_ctx *c);

#define TOP_COLUMNS_MAX 64

/* One table that was asked for, and how. */
struct top_choice {
	const struct top_table *table; /* NULL: the events */
	const struct top_column *sort;
	bool ascending;
	const struct top_column *columns[TOP_COLUMNS_MAX];
	size_t column_cnt; /* 0: those that are shown unless others are asked for */
};

/* What stands in a cell of a text, escaped and cut to cols columns; numbers at the right. */
void top_column__put(struct buf *out, const struct top_column *col, const void *row, const struct top_ctx *c,
		     size_t cols);
/* Sorts pointers to rows. Equal ones stay in the order of their sides and names. */
void top_table__sort(const struct top_table *t, const struct top_column *by, bool ascending,
		     const void **rows, size_t cnt, const struct top_ctx *c);

/* ---- batch ---- */

struct top_print {
	const struct top_table *table;
	const struct top_column *const *columns; /* texts and CSV; NULL: those the format shows by itself */
	size_t column_cnt;
	const void *const *rows;
	size_t row_cnt;
	const struct top_ctx *ctx;
	size_t cols; /* texts: width to fill; 0: as wide as needed */
	/* After each row: thousands of them need not be in the buffer together. May be NULL. */
	void (*row_put)(void *ctx);
	void *row_ctx;
};
void top_text__print(struct buf *out, const struct top_print *p);
void top_csv__header(struct buf *out, const struct top_print *p);
void top_csv__print(struct buf *out, const struct top_print *p);
void top_json__print(struct buf *out, const struct top_print *p); /* one object per line */

/* "14488 python3"; groups: "php-fpm x40"; "kernel(timer)"; "?". Raw bytes. */
void top__put_side(struct buf *out, const struct side *side, const struct top_ctx *c);
/* The name of the group that a process belongs to. Raw bytes. */
void top__put_group(struct buf *out, const struct proc *p, const struct top_ctx *c);

#endif
