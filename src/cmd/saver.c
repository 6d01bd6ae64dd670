/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/saver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/cmd.h"
#include "cmd/names.h"

#define MEMORY_BYTES_DEFAULT (64ull << 20) /* of --keep */

struct saver {
	const struct options *opts;
	struct store_writer *writer;
	struct event_source *tee;
	/* --keep */
	uint32_t dump_cnt;
	bool triggered;
	uint64_t deaf_until_ns; /* what a trigger would write again has been written */
};

struct saver *saver__new(const struct options *o, struct buf *err)
{
	struct saver *s = xalloc(sizeof(*s));

	s->opts = o;
	s->writer = store_writer__new(o->record, o->payload_bytes && !o->redact, err);
	if (s->writer) {
		const struct store_limits limits = {
			.file_bytes = o->keep_ns && !o->file_bytes ? MEMORY_BYTES_DEFAULT : o->file_bytes,
			.files = o->files,
			.keep_ns = o->keep_ns,
		};

		store_writer__limit(s->writer, &limits);
		return s;
	}
	free(s);
	return NULL;
}

static char *copy(const char *s)
{
	return s ? xstrndup(s, strlen(s)) : NULL;
}

static char *command_line(char **argv)
{
	struct buf line = { 0 };
	char *s;

	for (size_t i = 0; argv[i]; i++)
		buf__printf(&line, "%s%s", i ? " " : "", argv[i]);
	s = copy(buf__cstr(&line));
	buf__free(&line);
	return s;
}

static void put_lines(struct store_info *info, const struct kern *kern)
{
	struct buf attach = { 0 }, hooks = { 0 };
	size_t cnt;
	const struct hook_choice *c = kern__choices(kern, &cnt);

	names__put_attach(&attach, info->mechs, kern);
	for (size_t i = 0; i < cnt; i++) {
		const char *rung = hook_choice__rung(&c[i]);

		buf__printf(&hooks, "%s %s\n", c[i].hook->name, rung ? rung : "none");
	}
	info->attach = copy(buf__cstr(&attach));
	info->hooks = copy(buf__cstr(&hooks));
	buf__free(&attach);
	buf__free(&hooks);
}

static void fill_scope(struct store_info *info, const struct select_opts *s)
{
	info->pid_cnt = s->pid_cnt;
	memcpy(info->pids, s->pids, s->pid_cnt * sizeof(info->pids[0]));
	info->follow = s->follow;
	info->have_uid = s->have_uid;
	info->uid = s->uid;
	info->have_cgroup = s->have_cgroup;
	info->cgroup = s->cgroup;
	info->src = copy(s->src);
	info->dst = copy(s->dst);
	info->min_latency_ns = s->min_latency_ns;
	info->min_bytes = s->min_bytes;
}

struct event_source *saver__begin(struct saver *s, struct event_source *inner, const struct saver_begin *b)
{
	struct store_info info = {
		.tool = copy("ipctrace " IPCTRACE_VERSION),
		.command_line = command_line(s->opts->argv),
		.start_ns = b->start_ns,
		.boot_to_wall_ns = b->boot_to_wall_ns,
		.mechs = s->opts->mechs,
		.recorder_pid = (uint32_t)getpid(),
		.cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
		.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
		.ring_bytes = s->opts->ring_bytes,
		.payload_bytes = s->opts->payload_bytes,
	};
	struct utsname host;

	if (!uname(&host)) {
		info.host = copy(host.nodename);
		info.kernel = copy(host.release);
		info.machine = copy(host.machine);
	}
	if (b->select)
		fill_scope(&info, b->select);
	put_lines(&info, b->kern);
	store_writer__begin(s->writer, &info);
	store_info__free(&info);
	s->tee = store_tee__new(inner, s->writer);
	return s->tee;
}

bool saver__failed(const struct saver *s)
{
	return store_writer__error(s->writer) != 0;
}

const struct store_writer *saver__writer(const struct saver *s)
{
	return s->writer;
}

/* ---- the flight recorder ---- */

/* The first one has the name that was asked for; others are not to replace it. */
static int dump(struct saver *s, const char *why, struct buf *err)
{
	const uint64_t now_ns = store_writer__sums(s->writer)->end_ns;
	char path[STORE_PATH_BYTES], size[32];
	struct buf bytes = { 0 };
	int ret;

	if (s->dump_cnt++)
		snprintf(path, sizeof(path), "%s.%u", s->opts->record, s->dump_cnt);
	else
		snprintf(path, sizeof(path), "%s", s->opts->record);
	ret = store_writer__dump(s->writer, path, err);
	s->triggered = false;
	s->deaf_until_ns = now_ns + s->opts->keep_ns;
	if (ret)
		return ret;
	time__put_bytes(&bytes, store_writer__bytes(s->writer));
	snprintf(size, sizeof(size), "%s", buf__cstr(&bytes));
	buf__free(&bytes);
	log__error("%s: the last %.1f s (%sB) are in %s", why, store_writer__kept_s(s->writer), size, path);
	return 0;
}

void saver__trigger(struct saver *s, uint64_t at_ns)
{
	if (at_ns >= s->deaf_until_ns)
		s->triggered = true;
}

int saver__look(struct saver *s, bool asked, struct buf *err)
{
	const char *why = asked ? "asked by SIGUSR1" : "the trigger's condition held";
	int ret;

	if (!s->opts->keep_ns || (!asked && !s->triggered))
		return 0;
	ret = dump(s, why, err);
	if (ret)
		return ret;
	return s->opts->files && s->dump_cnt >= s->opts->files ? 1 : 0;
}

static int finish_keeping(struct saver *s, struct buf *err)
{
	bool full = s->opts->files && s->dump_cnt >= s->opts->files;

	if (full)
		return 0;
	if (s->triggered)
		return dump(s, "the trigger's condition held", err);
	if (!s->opts->trigger)
		return dump(s, "the recording ends", err);
	if (!s->dump_cnt)
		log__error("the trigger's condition never held: nothing was written");
	return 0;
}

int saver__finish(struct saver *s, struct buf *err)
{
	int ret = s->tee && s->opts->keep_ns ? finish_keeping(s, err) : 0;

	return ret ? ret : store_writer__finish(s->writer, err);
}

void saver__free(struct saver *s)
{
	if (!s)
		return;
	if (s->tee)
		s->tee->close(s->tee);
	store_writer__free(s->writer);
	free(s);
}
