/* SPDX-License-Identifier: GPL-2.0 */
#include "record.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event/wire.h"

enum type { U8, U32, I32, U64, I64, NS, ADDR, MECH, WORD, FLAGS, COMM, TEXT };

struct field {
	const char *key;
	enum type type;
	size_t offset, len_offset; /* in struct record; len_offset: TEXT's length, a uint16_t or size_t */
	const char *const *words; /* WORD, FLAGS: by number, NULL-terminated */
	size_t len_bytes;
};

#define AT(member) .offset = offsetof(struct record, member)
#define TEXT_AT(member, length)                                    \
	AT(member), .len_offset = offsetof(struct record, length), \
		    .len_bytes = sizeof(((struct record *)NULL)->length)

static const char *const task_whats[] = { "?", "fork", "exec", "exit", "rename", "scan", NULL };
static const char *const rules[] = { "none",  "stream", "message", "signal", "queue",
				     "units", "direct", "lock",	   "share",  NULL };
static const char *const kinds[] = { "none",   "create", "open", "close",  "unlink",  "connect",
				     "accept", "send",	 "recv", "post",   "wait",    "wake",
				     "attach", "detach", "lock", "unlock", "control", "pass",
				     "fork",   "exec",	 "exit", NULL };
static const char *const flags[] = { "peek", "packet", "pages", "uring",   "waited", "blocked", "drained",
				     "more", "no-id",  "trunc", "noentry", "oob",    "fds",	NULL };
static const char *const results[] = { "delivered", "ignored", "already-pending", "overflow", "lost-info",
				       "continued", NULL };
static const char *const origins[] = { "timer", "tty", "child", "fault", "kernel", NULL };

static const struct field task_fields[] = {
	{ "ts", NS, AT(ts_ns) },
	{ "what", WORD, AT(task.what), .words = task_whats },
	{ "pid", U32, AT(task.pid) },
	{ "tid", U32, AT(task.tid) },
	{ "ppid", U32, AT(task.ppid) },
	{ "start", NS, AT(task.start_ns) },
	{ "uid", U32, AT(task.uid) },
	{ "cgroup", U64, AT(task.cgroup) },
	{ "pidns", U32, AT(task.pidns) },
	{ "ns_pid", U32, AT(task.ns_pid) },
	{ "exit_code", I32, AT(task.exit_code) },
	{ "comm", COMM, AT(task.comm) },
	{ "exe", TEXT, TEXT_AT(task.exe, task.exe_len) },
	{ "args", TEXT, TEXT_AT(task.args, task.args_len) },
	{ .key = NULL },
};

static const struct field object_fields[] = {
	{ "ts", NS, AT(ts_ns) },
	{ "mech", MECH, AT(object.mech) },
	{ "id", U64, AT(object.key.id) },
	{ "peer", U64, AT(object.peer.id) },
	{ "scanned", U8, AT(object.scanned) },
	{ "listener", U8, AT(object.listener) },
	{ "fill", U64, AT(object.fill_bytes) },
	{ "fill_msgs", U32, AT(object.fill_msgs) },
	{ "rd", ADDR, AT(object.rd_addr) },
	{ "wr", ADDR, AT(object.wr_addr) },
	{ "capacity", U64, AT(object.capacity_bytes) },
	{ "pid", U32, AT(object.pid) },
	{ "side", U8, AT(object.side) },
	{ "name", TEXT, TEXT_AT(object.name, object.name_len) },
	{ .key = NULL },
};

static const struct field op_fields[] = {
	{ "ts", NS, AT(ts_ns) },
	{ "enter", NS, AT(op.enter_ns) },
	{ "kind", WORD, AT(op.kind), .words = kinds },
	{ "mech", MECH, AT(op.mech) },
	{ "rule", WORD, AT(op.rule), .words = rules },
	{ "flags", FLAGS, AT(op.flags), .words = flags },
	{ "pid", U32, AT(op.pid) },
	{ "tid", U32, AT(op.tid) },
	{ "obj", U64, AT(op.obj.id) },
	{ "peer", U64, AT(op.peer.id) },
	{ "bytes", U64, AT(op.bytes) },
	{ "ret", I64, AT(op.ret) },
	{ "fd", I32, AT(op.fd) },
	{ "s", ADDR, AT(op.stream.addr_s) },
	{ "e", ADDR, AT(op.stream.addr_e) },
	{ "id", U64, AT(op.msg.id) },
	{ "off", U32, AT(op.msg.off) },
	{ "total", U32, AT(op.msg.total) },
	{ "sig", U32, AT(op.sig.sig) },
	{ "code", I32, AT(op.sig.code) },
	{ "dst", U32, AT(op.sig.dst_pid) },
	{ "dst_tid", U32, AT(op.sig.dst_tid) },
	{ "result", WORD, AT(op.sig.result), .words = results },
	{ "group", U8, AT(op.sig.group) },
	{ "how", U8, AT(op.sig.how) },
	{ "from_kernel", U8, AT(op.sig.from_kernel) },
	{ "origin", TEXT, AT(op.sig.origin), .words = origins },
	{ .key = NULL },
};

static const struct field lost_fields[] = {
	{ "ts", NS, AT(ts_ns) },
	{ "mech", MECH, AT(lost.mech) },
	{ "count", U64, AT(lost.cnt) },
	{ "cpu", I32, AT(lost.cpu) },
	{ "skipped", U8, AT(lost.skipped) },
	{ "full", U8, AT(lost.full) },
	{ .key = NULL },
};

static const struct {
	const char *name;
	int what;
	const struct field *fields;
} records[] = {
	{ "traced", RECORD_TRACED, lost_fields },   { "task", RECORD_TASK, task_fields },
	{ "object", RECORD_OBJECT, object_fields }, { "op", RECORD_OP, op_fields },
	{ "lost", RECORD_LOST, lost_fields },
};

/* \xHH and \\ become bytes, in place; returns the length. */
static size_t unescape(char *s)
{
	char *to = s, *from = s;

	while (*from) {
		char hex[3] = { 0 };

		if (from[0] == '\\' && from[1] == 'x' && isxdigit(from[2]) && isxdigit(from[3])) {
			memcpy(hex, from + 2, 2);
			*to++ = (char)strtoul(hex, NULL, 16);
			from += 4;
		} else {
			from += from[0] == '\\' && from[1] == '\\';
			*to++ = *from++;
		}
	}
	*to = 0;
	return (size_t)(to - s);
}

static int word_number(const char *const *words, const char *s)
{
	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], s))
			return i;
	}
	return -1;
}

static int mech_number(const char *s)
{
#define IPCT_X(sym, num, name) \
	if (!strcmp(s, name))  \
		return num;
	IPCT_MECH_LIST(IPCT_X)
#undef IPCT_X
	return -1;
}

/* 1500, 15us, 2ms, 3s; SLOT:OFFSET with addr. */
static bool parse_number(const char *s, bool addr, uint64_t *v)
{
	static const struct {
		const char *suffix;
		uint64_t scale;
	} suffixes[] = { { "", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	char *end;

	*v = strtoull(s, &end, 0);
	if (end == s)
		return false;
	if (addr && *end == ':') {
		*v = *v << 32 | strtoul(end + 1, &end, 0);
		return !*end;
	}
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		if (!strcmp(end, suffixes[i].suffix)) {
			*v *= suffixes[i].scale;
			return true;
		}
	}
	return false;
}

static bool parse_flags(char *s, const char *const *words, uint32_t *v)
{
	char *save, *word;

	for (word = strtok_r(s, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		int bit = word_number(words, word);

		if (bit < 0)
			return false;
		*v |= 1u << bit;
	}
	return true;
}

static bool set_text(const struct field *f, char *base, char *s)
{
	size_t len = unescape(s);
	const char *text = s;
	uint16_t short_len = (uint16_t)len;

	if (f->words) { /* the model wants a static string */
		int i = word_number(f->words, s);

		if (i < 0)
			return false;
		text = f->words[i];
	}
	memcpy(base + f->offset, &text, sizeof(text));
	if (f->len_bytes == sizeof(uint16_t))
		memcpy(base + f->len_offset, &short_len, sizeof(short_len));
	else if (f->len_bytes)
		memcpy(base + f->len_offset, &len, sizeof(len));
	return true;
}

static bool set_word(const struct field *f, char *base, const char *s)
{
	int n = f->type == MECH ? mech_number(s) : word_number(f->words, s);

	*(uint8_t *)(base + f->offset) = (uint8_t)n;
	return n >= 0;
}

static bool set(const struct field *f, struct record *rec, char *s)
{
	static const size_t bytes[] = {
		[U8] = 1, [U32] = 4, [I32] = 4, [U64] = 8, [I64] = 8, [NS] = 8, [ADDR] = 8
	};
	char *base = (char *)rec;
	uint64_t v;

	switch (f->type) {
	case MECH:
	case WORD:
		return set_word(f, base, s);
	case FLAGS:
		return parse_flags(s, f->words, (uint32_t *)(base + f->offset));
	case COMM:
		memcpy(base + f->offset, s, unescape(s) > 15 ? 15 : strlen(s));
		return true;
	case TEXT:
		return set_text(f, base, s);
	default:
		if (!parse_number(s, f->type == ADDR, &v))
			return false;
		memcpy(base + f->offset, &v, bytes[f->type]); /* little-endian machines only, as the tracer */
		return true;
	}
}

/* The next word of *at; a value in double quotes may contain spaces. */
static char *next_word(char **at)
{
	char *s = *at + strspn(*at, " \t\n"), *end = s, *to = s;
	bool quoted = false;

	if (!*s)
		return NULL;
	while (*end && (quoted || !isspace((unsigned char)*end))) {
		if (*end == '"')
			quoted = !quoted;
		else
			*to++ = *end;
		end++;
	}
	*at = *end ? end + 1 : end;
	*to = 0;
	return s;
}

static const char *parse_members(struct record *rec, const struct field *fields, char *at)
{
	char *word;

	while ((word = next_word(&at))) {
		char *value = strchr(word, '=');
		const struct field *f = fields;

		if (!value)
			return word;
		*value++ = 0;
		while (f->key && strcmp(f->key, word))
			f++;
		if (!f->key || !set(f, rec, value))
			return word;
	}
	return NULL;
}

/* What every line would repeat: times in the parts, tid = pid, bytes as the call's result. */
static void complete(struct record *rec)
{
	rec->task.ts_ns = rec->object.ts_ns = rec->op.ts_ns = rec->ts_ns;
	if (!rec->task.tid)
		rec->task.tid = rec->task.pid;
	if (rec->task.what == TASK_EXIT)
		rec->task.group_dead = true;
	if (!rec->op.tid)
		rec->op.tid = rec->op.pid;
	if (!rec->op.ret)
		rec->op.ret = (int64_t)rec->op.bytes;
	rec->op.obj.space = (uint64_t)rec->op.mech << 56;
	rec->op.peer.space = rec->op.peer.id ? rec->op.obj.space : 0;
	rec->object.key.space = (uint64_t)rec->object.mech << 56;
	rec->object.peer.space = rec->object.peer.id ? rec->object.key.space : 0;
}

const char *record__parse(struct record *rec, char *line)
{
	char *word;

	memset(rec, 0, sizeof(*rec));
	rec->op.fd = rec->op.fd2 = -1;
	rec->lost.cpu = -1;
	rec->object.fill_bytes = UINT64_MAX;
	if (line[0] == '#')
		return NULL;
	word = next_word(&line);
	if (!word)
		return NULL;
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		const char *bad;

		if (strcmp(records[i].name, word))
			continue;
		rec->what = records[i].what;
		bad = parse_members(rec, records[i].fields, line);
		complete(rec);
		return bad;
	}
	return word;
}
