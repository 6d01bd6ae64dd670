/* SPDX-License-Identifier: GPL-2.0 */
/* repack FILE: gives a recording's events to a writer of recordings, as `record` does. For tests/cost/run, which counts. */
#include <stdio.h>

#include "store/reader.h"
#include "store/writer.h"

static void ignore(void *ctx, const struct ipct_hdr *ev)
{
	(void)ctx;
	(void)ev;
}

static int repack(struct store_reader *r, struct store_writer *w)
{
	struct event_source *from = store_source__new(r), *tee = store_tee__new(from, w);
	uint64_t watermark_ns;
	int ret;

	store_writer__begin(w, store_reader__info(r));
	do
		ret = tee->poll(tee, 0, ignore, NULL, &watermark_ns);
	while (ret >= 0);
	printf("%llu\n", (unsigned long long)store_writer__sums(w)->events);
	tee->close(tee);
	from->close(from);
	return store_writer__error(w);
}

int main(int argc, char **argv)
{
	struct buf err = { 0 };
	struct store_reader *r = argc == 2 ? store_reader__open(argv[1], &err) : NULL;
	struct store_writer *w = r ? store_writer__new("/dev/null", false, &err) : NULL;
	int ret = w ? repack(r, w) : -1;

	if (ret)
		fprintf(stderr, "repack: %s\n", err.len ? buf__cstr(&err) : "usage: repack FILE");
	store_writer__free(w);
	if (r)
		store_reader__close(r);
	buf__free(&err);
	return ret ? 1 : 0;
}
