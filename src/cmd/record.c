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
#include "mech/mech.h"
#include "model/expr.h"

static void say(struct session *s, const struct options *o)
{
	const struct store_writer *w = saver__writer(session__saver(s));
	const struct store_sums *sums = store_writer__sums(w);
	const struct model_stats stats = { .lost = sums->lost,
					   .skipped = sums->skipped,
					   .table_full = sums->table_full };
	struct buf b = { 0 };

	summary__put_grouped(&b, sums->events);
	buf__printf(&b, " event%s in %.1f s, ", sums->events == 1 ? "" : "s",
		    (double)(time__boot_ns() - session__clock(s)->begin_ns) / 1e9);
	if (!o->keep_ns) {
		time__put_bytes(&b, store_writer__bytes(w));
		buf__printf(&b, "B in %s", strcmp(o->record, "-") ? o->record : "standard output");
	} else {
		buf__puts(&b, "most of them forgotten");
	}
	if (store_writer__files(w) > 1)
		buf__printf(&b, " and %u file%s before it", store_writer__files(w) - 1,
			    store_writer__files(w) == 2 ? "" : "s");
	buf__puts(&b, "; ");
	summary__put_lost(&b, &stats);
	log__error("%s", buf__cstr(&b));
	buf__free(&b);
}

/* --trigger: every message is looked at. */
struct watch {
	struct expr *condition;
	struct session *session;
};

static void on_message(void *ctx, const struct message *m)
{
	struct watch *w = ctx;

	if (expr__holds(w->condition, m))
		saver__trigger(session__saver(w->session), m->ts_ns);
}

/* NULL: the option makes no sense, and that was said. */
static const struct pipeline_sink *watch(struct watch *w, const struct options *o, struct pipeline_sink *sink)
{
	struct buf err = { 0 }, sentence = { 0 };

	w->condition = expr__parse(o->trigger, mech__name, &err);
	if (!w->condition) {
		buf__printf(&sentence, "--trigger: %s", buf__cstr(&err));
		options__usage_error("record", &sentence);
	}
	buf__free(&err);
	buf__free(&sentence);
	*sink = (struct pipeline_sink){ .ctx = w, .message = on_message };
	return w->condition ? sink : NULL;
}

static int record(const struct options *o, const struct pipeline_sink *sink, struct watch *w)
{
	struct session *s = session__new(o, sink, false);
	int status;

	if (!s)
		return EXIT_FAILED;
	w->session = s;
	if (!o->command && o->duration_ns == OPTION_NOT_GIVEN)
		log__info("recording to %s; Ctrl-C ends it", o->record);
	status = session__run(s, NULL, NULL) ? EXIT_FAILED : session__exit_status(s);
	if (!saver__failed(session__saver(s)))
		say(s, o);
	session__free(s);
	return status;
}

int cmd_record(int argc, char **argv)
{
	const struct pipeline_sink *sink = NULL;
	struct pipeline_sink messages;
	struct watch w = { 0 };
	struct options o;
	int status = options__parse(&o, CMD_RECORD, "record", argc, argv);

	if (status >= 0)
		return status;
	if (strcmp(o.record, "-") == 0 && isatty(STDOUT_FILENO)) {
		log__error("a recording is not for a terminal: give --output a file, or pipe it somewhere");
		return EXIT_USAGE;
	}
	if (o.trigger)
		sink = watch(&w, &o, &messages);
	status = o.trigger && !sink ? EXIT_USAGE : record(&o, sink, &w);
	expr__free(w.condition);
	return status;
}
