/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/now_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opts.h"
#include "base/procstat.h"
#include "cmd/cmd.h"
#include "cmd/resolve.h"

#define AT(member) offsetof(struct now_options, member)

/* clang-format off */
static const struct opt table[] = {
	{ 0, "json", NULL, "JSON, one object per line", opt_parse__flag, AT(json), 1 },
	{ 'o', "output", "FILE", "write there (-: standard output)", opt_parse__str, AT(output), 1 },
	{ 'h', "help", NULL, "show this help", opt_parse__flag, AT(help), 1 },
};
/* clang-format on */
#define TABLE_CNT (sizeof(table) / sizeof(table[0]))

static int print_help(const char *command, const char *word_name, const char *about)
{
	struct buf err = { 0 };
	struct out out;
	int ret;

	out__from_fd(&out, STDOUT_FILENO, "standard output");
	buf__printf(&out.buf, "Usage: ipctrace %s [OPTIONS] %s\n\n%s\nOptions:\n", command, word_name, about);
	opts__help(table, TABLE_CNT, 1, &out.buf);
	ret = out__finish(&out, &err);
	if (err.len)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return ret && ret != -EPIPE ? EXIT_FAILED : EXIT_OK;
}

static int usage(const char *command, const char *sentence)
{
	log__error("%s (see ipctrace %s --help)", sentence, command);
	return EXIT_USAGE;
}

int now_options__parse(struct now_options *o, const char *command, const char *word_name, const char *about,
		       int argc, char **argv)
{
	struct buf err = { 0 };
	int at = 0, first, status = -1;

	*o = (struct now_options){ 0 };
	/* Options may stand before and behind the word. */
	while (status < 0 && at < argc - 1) {
		first = opts__parse(table, TABLE_CNT, 1, argc - at, argv + at, o, &err);
		if (first < 0) {
			status = usage(command, buf__cstr(&err));
		} else {
			at += first;
			if (at < argc && o->word)
				status = usage(command, "one thing at a time, please");
			else if (at < argc)
				o->word = argv[at];
		}
	}
	if (status < 0 && o->help)
		status = print_help(command, word_name, about);
	if (status < 0 && !o->word) {
		buf__printf(&err, "%s wants %s", command, word_name);
		status = usage(command, buf__cstr(&err));
	}
	buf__free(&err);
	return status;
}

int now_options__pid(const char *word, uint32_t *pid)
{
	struct buf err = { 0 };
	int status;

	*pid = 0;
	if (!*word || strspn(word, "0123456789") != strlen(word))
		return 0;
	if (opt_parse__u32(word, pid) || !*pid || *pid > INT32_MAX) {
		log__error("'%s' is no pid", word);
		return EXIT_USAGE;
	}
	status = resolve__pid(*pid, &err);
	if (status)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return status;
}

void now__warn_rights(void)
{
	if (geteuid())
		log__warn("without root only your own processes are seen: try sudo ipctrace ...");
}

int now__open(struct out *out, const struct now_options *o)
{
	struct buf err = { 0 };
	int ret = out__open(out, o->output, &err);

	if (ret)
		log__error("%s", buf__cstr(&err));
	buf__free(&err);
	return ret;
}

int now__finish(struct out *out, int status)
{
	struct buf err = { 0 };

	if (out__finish(out, &err) && err.len) {
		log__error("%s", buf__cstr(&err));
		status = EXIT_FAILED;
	}
	buf__free(&err);
	return status;
}

void now__comm(uint32_t pid, char comm[16])
{
	char path[32], text[16];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	memset(comm, 0, 16);
	f = fopen(path, "re");
	if (!f)
		return;
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	if (len && text[len - 1] == '\n')
		len--;
	memcpy(comm, text, len < 15 ? len : 15);
}

uint64_t now__start_ns(uint32_t pid)
{
	char directory[32], ticks[24];

	snprintf(directory, sizeof(directory), "/proc/%u", pid);
	if (procstat__field(directory, PROCSTAT_START, ticks, sizeof(ticks)))
		return 0;
	return strtoull(ticks, NULL, 10) * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK));
}
