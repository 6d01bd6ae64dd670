/* SPDX-License-Identifier: GPL-2.0 */
/* The record command: everything into one file, at the cost of writing it. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/saver.h"
#include "cmd/session.h"
#include "cmd/summary.h"

static void say(struct session *s, const char *path)
{
	const struct store_writer *w = saver__writer(session__saver(s));
	const struct store_sums *sums = store_writer__sums(w);
	const struct model_stats stats = { .lost = sums->lost, .skipped = sums->skipped };
	struct buf b = { 0 };

	summary__put_grouped(&b, sums->events);
	buf__printf(&b, " event%s in %.1f s, ", sums->events == 1 ? "" : "s",
		    (double)(time__boot_ns() - session__clock(s)->begin_ns) / 1e9);
	time__put_bytes(&b, store_writer__bytes(w));
	buf__printf(&b, "B in %s; ", strcmp(path, "-") ? path : "standard output");
	summary__put_lost(&b, &stats);
	log__error("%s", buf__cstr(&b));
	buf__free(&b);
}

int cmd_record(int argc, char **argv)
{
	struct session *s;
	struct options o;
	int status = options__parse(&o, CMD_RECORD, "record", argc, argv);

	if (status >= 0)
		return status;
	if (strcmp(o.record, "-") == 0 && isatty(STDOUT_FILENO)) {
		log__error("a recording is not for a terminal: give --output a file, or pipe it somewhere");
		return EXIT_USAGE;
	}
	s = session__new(&o, NULL, false);
	if (!s)
		return EXIT_FAILED;
	if (!o.command && o.duration_ns == OPTION_NOT_GIVEN)
		log__info("recording to %s; Ctrl-C ends it", o.record);
	status = session__run(s, NULL, NULL) ? EXIT_FAILED : session__exit_status(s);
	if (!saver__failed(session__saver(s)))
		say(s, o.record);
	session__free(s);
	return status;
}
