/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The results as one SVG image: latency and throughput over the size, both logarithmic. No background and middle
 * tones only, so that it can be read on light and on dark.
 */
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/time.h"
#include "bench/show.h"

#define INK "#7a7a7a"
#define WIDTH 1140
#define HEIGHT 560
#define TOP 84.0
#define PLOT_H 400.0
#define PLOT_W 400.0
#define STRIP_W 40.0 /* left of the latencies: notices, which have no size */
#define LEGEND_X 990.0

enum marker { DISC, SQUARE, UP, DOWN, DIAMOND, MARKERS };

static const struct look {
	const char *name, *colour, *dash;
	enum marker marker;
} looks[] = {
	{ "pipe", "#1f77b4", "", DISC },
	{ "fifo", "#1f9fb4", "5 3", SQUARE },
	{ "unix-stream", "#2ca02c", "", DISC },
	{ "unix-dgram", "#6aa51f", "5 3", UP },
	{ "unix-seqpacket", "#4f9f6f", "2 2", DOWN },
	{ "tcp", "#8660c8", "", DISC },
	{ "udp", "#a878dc", "5 3", UP },
	{ "pty", "#8a8f98", "", SQUARE },
	{ "sysv-msg", "#c0569b", "", DIAMOND },
	{ "posix-mq", "#dd6fb5", "5 3", SQUARE },
	{ "sysv-shm", "#e07b20", "", DISC },
	{ "posix-shm", "#c49a1c", "5 3", SQUARE },
	{ "ptrace", "#d6453d", "", UP },
	{ "signal", "#b8860b", "", DIAMOND },
	{ "eventfd", "#3b9c9c", "", DISC },
	{ "sysv-sem", "#5f74c4", "", SQUARE },
	{ "posix-sem", "#8494e0", "", UP },
	{ "flock", "#a0785a", "", DOWN },
};

static const struct look *look_of(const struct row *r)
{
	static const struct look other = { "", INK, "", DISC };

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		if (strcmp(looks[i].name, r->kind->name) == 0)
			return &looks[i];
	return &other;
}

struct panel {
	const struct bench *b;
	double x, w; /* of the plot itself */
	double low, high; /* decades: 10^low .. 10^high */
	size_t series; /* offset in struct point */
	const char *title;
	void (*label)(struct buf *out, int decade);
};

static const struct series *series_of(const struct panel *n, const struct point *p)
{
	return (const struct series *)((const char *)p + n->series);
}

static void text(struct buf *out, double x, double y, const char *anchor, int px, const char *s)
{
	buf__printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">", x, y, anchor,
		    px);
	escape__xml(out, s, strlen(s));
	buf__puts(out, "</text>\n");
}

static void rule(struct buf *out, double x1, double y1, double x2, double y2, double opacity)
{
	buf__printf(out,
		    "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"" INK
		    "\" stroke-opacity=\"%.2f\"/>\n",
		    x1, y1, x2, y2, opacity);
}

static void mark(struct buf *out, const struct look *l, double x, double y)
{
	static const char *const polygons[MARKERS] = {
		[SQUARE] = "-3.2,-3.2 3.2,-3.2 3.2,3.2 -3.2,3.2",
		[UP] = "0,-4.2 4,3 -4,3",
		[DOWN] = "0,4.2 4,-3 -4,-3",
		[DIAMOND] = "0,-4.4 4.4,0 0,4.4 -4.4,0",
	};

	if (l->marker == DISC)
		buf__printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\" fill=\"%s\"/>\n", x, y,
			    l->colour);
	else
		buf__printf(out, "<polygon transform=\"translate(%.1f %.1f)\" points=\"%s\" fill=\"%s\"/>\n",
			    x, y, polygons[l->marker], l->colour);
}

static double x_of(const struct panel *n, uint64_t bytes)
{
	const struct bench_opts *o = &n->b->o;
	double low = log2((double)o->sizes[0]), high = log2((double)o->sizes[o->size_cnt - 1]);

	return high > low ? n->x + n->w * (log2((double)bytes) - low) / (high - low) : n->x + n->w / 2;
}

static double y_of(const struct panel *n, double v)
{
	return TOP + PLOT_H * (n->high - log10(v > 0 ? v : 1)) / (n->high - n->low);
}

/* Whole decades around all that is shown. false: there is nothing. */
static bool find_range(struct panel *n)
{
	bool any = false;

	for (size_t i = 0; i < n->b->cnt; i++) {
		for (size_t k = 0; k < n->b->rows[i].cnt; k++) {
			double v = series__median(series_of(n, &n->b->rows[i].points[k]));

			if (v <= 0)
				continue;
			n->low = any ? fmin(n->low, floor(log10(v))) : floor(log10(v));
			n->high = any ? fmax(n->high, ceil(log10(v))) : ceil(log10(v));
			any = true;
		}
	}
	if (any && n->high <= n->low)
		n->high = n->low + 1;
	return any;
}

static void put_axes(struct buf *out, const struct panel *n, double left)
{
	struct buf label = { 0 };
	double last = -1000;

	text(out, left, TOP - 14, "start", 14, n->title);
	for (int d = (int)n->low; d <= (int)n->high; d++) {
		double y = y_of(n, pow(10, d));

		rule(out, left, y, n->x + n->w, y, 0.25);
		buf__reset(&label);
		n->label(&label, d);
		text(out, left - 6, y + 4, "end", 11, buf__cstr(&label));
	}
	for (size_t i = 0; i < n->b->o.size_cnt; i++) {
		double x = x_of(n, n->b->o.sizes[i]);

		rule(out, x, TOP, x, TOP + PLOT_H, 0.12);
		if (x - last < 26)
			continue;
		last = x;
		buf__reset(&label);
		show__size(&label, n->b->o.sizes[i]);
		text(out, x, TOP + PLOT_H + 18, "middle", 11, buf__cstr(&label));
	}
	text(out, n->x + n->w / 2, TOP + PLOT_H + 38, "middle", 12, "bytes of a message");
	buf__free(&label);
}

static void put_curve(struct buf *out, const struct panel *n, const struct row *r)
{
	const struct look *l = look_of(r);
	const char *step = "M";

	buf__printf(out,
		    "<g><title>%s: %s</title>\n<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" "
		    "stroke-dasharray=\"%s\" d=\"",
		    r->kind->name, r->kind->how, l->colour, *l->dash ? l->dash : "none");
	for (size_t i = 0; i < r->cnt; i++) {
		double v = series__median(series_of(n, &r->points[i]));

		if (v <= 0) {
			step = "M"; /* a gap */
			continue;
		}
		buf__printf(out, "%s%.1f %.1f", step, x_of(n, r->points[i].bytes), y_of(n, v));
		step = "L";
	}
	buf__puts(out, "\"/>\n");
	for (size_t i = 0; i < r->cnt; i++) {
		double v = series__median(series_of(n, &r->points[i]));

		if (v > 0)
			mark(out, l, x_of(n, r->points[i].bytes), y_of(n, v));
	}
	buf__puts(out, "</g>\n");
}

static void put_panel(struct buf *out, struct panel *n, double left)
{
	if (!find_range(n)) {
		text(out, left, TOP + 20, "start", 12, "nothing was measured");
		return;
	}
	put_axes(out, n, left);
	for (size_t i = 0; i < n->b->cnt; i++)
		if (n->b->rows[i].kind->class == DUCT_DATA && n->b->rows[i].cnt)
			put_curve(out, n, &n->b->rows[i]);
}

/* In the strip: as many places side by side as there are notices. */
static void put_notices(struct buf *out, const struct panel *n, double left)
{
	size_t nr = 0;

	for (size_t i = 0; i < n->b->cnt; i++) {
		const struct row *r = &n->b->rows[i];
		double v = r->kind->class == DUCT_NOTICE && r->cnt ? series__median(&r->points[0].p50_ns) : 0;

		if (v <= 0)
			continue;
		buf__printf(out, "<g><title>%s: %s</title>\n", r->kind->name, r->kind->how);
		mark(out, look_of(r), left + 6 + (double)(nr++ % 5) * 7, y_of(n, v));
		buf__puts(out, "</g>\n");
	}
	if (nr)
		text(out, left + STRIP_W / 2, TOP + PLOT_H + 18, "middle", 11, "notices");
}

static void put_legend(struct buf *out, const struct bench *b)
{
	double y = TOP + 8;

	for (size_t i = 0; i < b->cnt; i++) {
		const struct look *l = look_of(&b->rows[i]);

		if (!b->rows[i].cnt)
			continue;
		if (b->rows[i].kind->class == DUCT_NOTICE && i && b->rows[i - 1].kind->class == DUCT_DATA)
			y += 10;
		if (b->rows[i].kind->class == DUCT_DATA)
			buf__printf(out,
				    "<path d=\"M%.1f %.1fh24\" stroke=\"%s\" stroke-width=\"1.8\" "
				    "stroke-dasharray=\"%s\"/>\n",
				    LEGEND_X, y, l->colour, *l->dash ? l->dash : "none");
		mark(out, l, LEGEND_X + 12, y);
		text(out, LEGEND_X + 32, y + 4, "start", 12, b->rows[i].kind->name);
		y += 21;
	}
}

static void label_time(struct buf *out, int decade)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };

	if (decade < 0 || decade > 11)
		buf__printf(out, "1e%d ns", decade);
	else
		buf__printf(out, "%.0f %s", pow(10, decade % 3), units[decade / 3]);
}

static void label_rate(struct buf *out, int decade)
{
	static const char *const units[] = { "B/s", "kB/s", "MB/s", "GB/s", "TB/s" };

	if (decade < 0 || decade > 14)
		buf__printf(out, "1e%d B/s", decade);
	else
		buf__printf(out, "%.0f %s", pow(10, decade % 3), units[decade / 3]);
}

void bench__put_svg(struct buf *out, const struct bench *b)
{
	struct panel latency = { b,
				 70 + STRIP_W + 12,
				 PLOT_W - STRIP_W - 12,
				 0,
				 1,
				 offsetof(struct point, p50_ns),
				 "Latency one way, p50",
				 label_time };
	struct panel rate = { b,
			      560,
			      PLOT_W,
			      0,
			      1,
			      offsetof(struct point, bytes_per_s),
			      "Throughput, bytes per second",
			      label_rate };
	struct buf line = { 0 };

	buf__printf(out,
		    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
		    "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" fill=\"" INK
		    "\" font-family=\"sans-serif\" role=\"img\">\n<title>Mechanisms of inter-process "
		    "communication: latency and throughput over size</title>\n",
		    WIDTH, HEIGHT, WIDTH, HEIGHT);
	text(out, 70, 28, "start", 17, "Inter-process communication between two processes");
	buf__printf(&line, "Linux %s %s, %u CPUs; medians of ", b->kernel, b->machine, b->cpus);
	show__conditions(&line, b);
	text(out, 70, 48, "start", 12, buf__cstr(&line));
	buf__free(&line);
	put_panel(out, &latency, 70);
	put_notices(out, &latency, 70);
	put_panel(out, &rate, 560);
	put_legend(out, b);
	buf__puts(out, "</svg>\n");
}
