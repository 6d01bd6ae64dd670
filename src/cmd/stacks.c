/* SPDX-License-Identifier: GPL-2.0 */
#include "cmd/stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/map.h"
#include "base/time.h"
#include "ipctrace/mech.h"
#include "symbol/binary.h"
#include "symbol/kernel.h"

#define FRAMES_MAX (1u << 20) /* named in one trace; those beyond are frame 0, which is not known */
#define TEXT_MAX 1024
#define KEY_KERNEL 1 /* second halves of keys that are no file's */
#define KEY_NO_FILE 2

/* A file with code that was met. */
struct code_file {
	char *path;
	uint64_t ino;
	struct binary *binary; /* NULL: not opened, or it cannot be */
	bool tried;
};

struct stacks {
	struct event_source source;
	struct event_source *inner;
	event_fn fn; /* of the poll that runs; NULL: nobody listens */
	void *ctx;
	struct map files; /* inode number, device: struct code_file */
	struct map frames; /* what it is, file or KEY_: its number, as a pointer */
	uint32_t last_number;
	uint64_t since_ns; /* nothing earlier comes any more */
	struct buf held; /* stacks whose files may not be known yet, each at a multiple of 8 bytes */
	struct kernel_symbols *kernel; /* NULL: not wanted, or hidden */
};

static void give(struct stacks *s, const struct ipct_hdr *ev)
{
	if (s->fn)
		s->fn(s->ctx, ev);
}

/* ---- files ---- */

static void learn_file(struct stacks *s, const struct ipct_object *o)
{
	struct code_file *f = map__get(&s->files, o->key, o->dev);
	const char *name = (const char *)(o + 1) + o->name_start;

	if (!f) {
		f = xalloc(sizeof(*f));
		map__set(&s->files, o->key, o->dev, f);
	}
	free(f->path);
	f->path = xstrndup(name, o->name_len);
	f->ino = o->key;
	f->tried = f->binary != NULL;
}

static struct binary *open_same(const char *path, uint64_t ino)
{
	struct binary *b = binary__open(path);

	if (!b || binary__ino(b) == ino)
		return b;
	binary__close(b);
	return NULL;
}

/* By its path here; or, where its process lives in another mount namespace, through that process. */
static struct binary *binary_of(struct code_file *f, uint32_t pid)
{
	char path[IPCT_PATH_LEN + 64];

	if (f->tried || !f->path || f->path[0] != '/')
		return f->binary;
	f->tried = true;
	f->binary = open_same(f->path, f->ino);
	if (!f->binary) {
		snprintf(path, sizeof(path), "/proc/%u/root%s", pid, f->path);
		f->binary = open_same(path, f->ino);
	}
	return f->binary;
}

/* ---- frames ---- */

struct naming {
	const struct ipct_hdr *because; /* whose place it is */
	const char *function, *binary, *source;
	uint32_t line;
	uint64_t offset;
	const uint8_t *build_id;
	size_t build_id_len;
};

static uint16_t put_text(char *to, size_t *at, const char *text)
{
	size_t len = text ? strnlen(text, TEXT_MAX) : 0;

	memcpy(to + *at, text ? text : "", len);
	*at += len;
	return (uint16_t)len;
}

static void give_frame(struct stacks *s, uint32_t number, const struct naming *n)
{
	struct {
		struct ipct_frame ev;
		char text[3 * TEXT_MAX];
	} out = { .ev = { .h = *n->because } };
	size_t at = 0;

	out.ev.number = number;
	out.ev.offset = n->offset;
	out.ev.line = n->line;
	out.ev.function_len = put_text(out.text, &at, n->function);
	out.ev.binary_len = put_text(out.text, &at, n->binary);
	out.ev.source_len = put_text(out.text, &at, n->source);
	if (n->build_id_len <= IPCT_BUILD_ID_MAX) {
		out.ev.build_id_len = (uint8_t)n->build_id_len;
		memcpy(out.ev.build_id, n->build_id ? n->build_id : (const uint8_t *)"", n->build_id_len);
	}
	out.ev.h.ts_ns = s->since_ns; /* another CPU's stack may have the same frame, and be earlier */
	out.ev.h.kind = IPCT_KIND_FRAME;
	out.ev.h.mech = IPCT_MECH_NONE;
	out.ev.h.size = (uint16_t)(sizeof(out.ev) + at);
	give(s, &out.ev.h);
}

static void name_kernel(struct stacks *s, const struct ipct_place *p, struct naming *n)
{
	if (s->kernel)
		n->function = kernel_symbols__at(s->kernel, p->ip);
	n->offset = n->function ? 0 : p->ip; /* where the kernel lies is nobody's business */
	n->binary = "[kernel]";
}

static void name_user(struct code_file *f, const struct ipct_place *p, bool innermost, struct naming *n)
{
	struct binary *b = f ? binary_of(f, n->because->pid) : NULL;
	struct binary_place at;

	n->offset = f ? p->offset : p->ip;
	n->binary = f ? f->path : NULL;
	if (!b)
		return;
	n->build_id = binary__build_id(b, &n->build_id_len);
	/* A return address may be behind the function that called: the call is what is meant. */
	if (!binary__at(b, innermost ? p->offset : p->offset - 1, &at))
		return;
	n->function = at.function;
	n->source = at.source;
	n->line = at.line;
}

static uint32_t frame_of(struct stacks *s, const struct ipct_stack *ev, const struct ipct_place *p,
			 bool innermost)
{
	bool kernel = ev->what == IPCT_STACK_KERNEL;
	struct code_file *f = !kernel && p->ino ? map__get(&s->files, p->ino, p->dev) : NULL;
	uint64_t lo = f ? p->offset << 1 | innermost : p->ip;
	uint64_t hi = f ? (uintptr_t)f : kernel ? KEY_KERNEL : KEY_NO_FILE;
	void *known = map__get(&s->frames, lo, hi);
	struct naming n = { .because = &ev->h };

	if (known)
		return (uint32_t)(uintptr_t)known;
	if (s->last_number == FRAMES_MAX)
		return 0;
	if (kernel)
		name_kernel(s, p, &n);
	else
		name_user(f, p, innermost, &n);
	map__set(&s->frames, lo, hi, (void *)(uintptr_t)++s->last_number);
	give_frame(s, s->last_number, &n);
	return s->last_number;
}

/* The program that looks, and what called it, are no part of what slept. */
static bool is_tracer(struct stacks *s, const struct ipct_place *p)
{
	static const char *const begins[] = { "bpf_", "__bpf_", "__traceiter_" };
	const char *name = s->kernel ? kernel_symbols__at(s->kernel, p->ip) : NULL;

	for (size_t i = 0; name && i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static void give_named(struct stacks *s, const struct ipct_stack *ev)
{
	const struct ipct_place *places = (const void *)(ev + 1);
	size_t cnt = ev->len / sizeof(*places), from = 0, to = 0;
	struct {
		struct ipct_stack ev;
		uint32_t numbers[IPCT_STACK_FRAMES_MAX];
	} out = { .ev = *ev };

	if (cnt > IPCT_STACK_FRAMES_MAX)
		cnt = IPCT_STACK_FRAMES_MAX;
	while (ev->what == IPCT_STACK_KERNEL && from < cnt && is_tracer(s, &places[from]))
		from++;
	for (size_t i = from; i < cnt; i++) {
		if (ev->what == IPCT_STACK_USER && !places[i].is_code) {
			out.ev.flags |= IPCT_STACK_CUT; /* code without frame pointers had led astray */
			break;
		}
		out.numbers[to++] = frame_of(s, ev, &places[i], i == 0);
	}
	out.ev.flags |= IPCT_STACK_NAMED;
	out.ev.len = (uint16_t)(to * sizeof(out.numbers[0]));
	out.ev.h.size = (uint16_t)(sizeof(out.ev) + out.ev.len);
	give(s, &out.ev.h);
}

static void hold(struct stacks *s, const struct ipct_hdr *ev)
{
	size_t bytes = (ev->size + 7u) & ~7u;

	memcpy(buf__reserve(&s->held, bytes), ev, ev->size);
	s->held.len += bytes;
}

/*
 * A file is told once, maybe by another CPU, whose ring was not read yet. When all is there up to a stack's time, its
 * files are known; and whatever it belongs to is later than the stack.
 */
static int give_held(struct stacks *s, uint64_t until_ns)
{
	struct buf held = s->held;
	int cnt = 0;

	s->held = (struct buf){ 0 };
	for (size_t at = 0; at < held.len;) {
		const struct ipct_hdr *ev = (const void *)(held.data + at);

		at += (ev->size + 7u) & ~7u;
		if (ev->ts_ns > until_ns) {
			hold(s, ev);
			continue;
		}
		give_named(s, (const struct ipct_stack *)ev);
		cnt++;
	}
	buf__free(&held);
	return cnt;
}

static void on_event(void *ctx, const struct ipct_hdr *ev)
{
	const struct ipct_stack *stack = (const struct ipct_stack *)ev;
	struct stacks *s = ctx;

	if (ev->kind == IPCT_KIND_OBJECT && ev->mech == IPCT_MECH_NONE)
		learn_file(s, (const struct ipct_object *)ev);
	else if (ev->kind == IPCT_KIND_STACK && stack->len)
		hold(s, ev);
	else
		give(s, ev);
}

/* ---- the source ---- */

static int stacks_poll(struct event_source *source, int timeout_ms, event_fn fn, void *ctx,
		       uint64_t *watermark_ns)
{
	struct stacks *s = (struct stacks *)((char *)source - offsetof(struct stacks, source));

	int ret;

	s->fn = fn;
	s->ctx = ctx;
	ret = s->inner->poll(s->inner, timeout_ms, on_event, s, watermark_ns);
	if (ret < 0)
		return ret;
	ret += give_held(s, *watermark_ns);
	if (*watermark_ns > s->since_ns)
		s->since_ns = *watermark_ns;
	return ret;
}

static void stacks_close(struct event_source *source)
{
	struct stacks *s = (struct stacks *)((char *)source - offsetof(struct stacks, source));

	map__for_each(&s->files, slot) {
		struct code_file *f = slot->val;

		binary__close(f->binary);
		free(f->path);
		free(f);
	}
	buf__free(&s->held);
	map__free(&s->files);
	map__free(&s->frames);
	kernel_symbols__free(s->kernel);
	free(s);
}

struct event_source *stacks__new(struct event_source *inner, bool kernel)
{
	struct stacks *s = xalloc(sizeof(*s));

	s->source = (struct event_source){ .poll = stacks_poll, .close = stacks_close };
	s->inner = inner;
	s->since_ns = time__boot_ns();
	s->kernel = kernel ? kernel_symbols__load() : NULL; /* while it may be read */
	return &s->source;
}
