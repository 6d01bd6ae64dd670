/* SPDX-License-Identifier: GPL-2.0 */
/* The doctor command: what can be traced here, by which hook, and why not better. */
#include "cmd/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/user_sems.h"
#include "cmd/whole_file.h"

void doctor__rights(const struct findings *f, struct right rights[RIGHT_CNT])
{
	const struct kern_rights *r = &f->rights;

	rights[0] = (struct right){ "root", "the capabilities below decide", r->root };
	rights[1] = (struct right){ "cap_bpf", "nothing can be traced", r->cap_bpf };
	rights[2] = (struct right){ "cap_perfmon", "nothing can be traced", r->cap_perfmon };
	rights[3] = (struct right){ "cap_sys_admin", "kprobes may be refused", r->cap_sys_admin };
	rights[4] = (struct right){ "cap_sys_ptrace", "objects that exist before the trace stay nameless",
				    r->cap_sys_ptrace };
}

bool doctor__serves_all(const struct hook *h)
{
	return !(h->mechs & mech__built_mask());
}

static bool all_traceable(const struct findings *f)
{
	bool rights = f->rights.cap_sys_admin || (f->rights.cap_bpf && f->rights.cap_perfmon);

	for (size_t i = 0; i < f->cnt; i++)
		if (!hook_choice__row(&f->choices[i]) && !hook__is_optional(f->choices[i].hook))
			return false;
	return rights && f->cnt > 0;
}

/* -1: no such format. */
static int wants_json(const struct options *o, struct buf *err)
{
	bool named_json = o->format && strcmp(o->format, "json") == 0;

	if (o->format && !named_json && strcmp(o->format, "text") != 0) {
		buf__printf(err, "no format '%s': there are text, json", o->format);
		return -1;
	}
	return o->json || named_json;
}

static void examine_user_sems(struct findings *f)
{
	struct buf none = { 0 };

	f->uprobes = kern__has_uprobes();
	if (f->mechs & IPCT_MECH_BIT(IPCT_MECH_POSIX_SEM))
		free(user_sems__find(&f->user_sem_cnt, &none));
	buf__free(&none);
}

static int examine(const struct options *o, struct findings *f, struct buf *err)
{
	*f = (struct findings){ .mechs = o->mechs };
	uname(&f->host);
	kern__rights(&f->rights);
	examine_user_sems(f);
	f->choices = kern__probe(o->attach, o->mechs, &f->cnt, err);
	if (f->choices)
		return 0;
	if (!err->len)
		buf__puts(err, "cannot probe this kernel");
	return -EIO;
}

static int report(const struct options *o, bool json, struct buf *err)
{
	struct whole_file file;
	struct findings f;
	bool ok;
	int ret = whole_file__open(&file, o->output, err);

	if (ret)
		return EXIT_FAILED;
	if (examine(o, &f, err)) {
		whole_file__drop(&file);
		return EXIT_FAILED;
	}
	ok = all_traceable(&f);
	if (json)
		doctor__put_json(&file.out.buf, &f, ok);
	else
		doctor__put_text(&file.out.buf, &f, ok);
	free(f.choices);
	ret = whole_file__end(&file, true, err);
	return ok && !ret ? EXIT_OK : EXIT_FAILED;
}

int cmd_doctor(int argc, char **argv)
{
	struct buf err = { 0 };
	struct options o;
	int json, status = options__parse(&o, CMD_DOCTOR, "doctor", argc, argv);

	if (status >= 0)
		return status;
	json = wants_json(&o, &err);
	if (json < 0) {
		status = options__usage_error("doctor", &err);
	} else {
		status = report(&o, json, &err);
		if (err.len)
			log__error("%s", buf__cstr(&err));
	}
	buf__free(&err);
	return status;
}
