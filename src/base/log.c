/* SPDX-License-Identifier: GPL-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_BYTES 2048 /* longer sentences are cut: nothing may be allocated when memory is out */

static int verbose;

static void disarm(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			text[i] = '?';
	}
}

static void say(const char *kind, const char *fmt, va_list args)
{
	char line[LOG_BYTES];
	int head = snprintf(line, sizeof(line), "ipctrace: %s", kind);
	int body = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, args);
	size_t len = body < 0 ? (size_t)head : (size_t)head + (size_t)body;

	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	disarm(line, len);
	if (line[len - 1] != '\n')
		line[len++] = '\n';
	fflush(stderr);
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nowhere left to say it */
}

void log__error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("", fmt, args);
	va_end(args);
}

void log__warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("warning: ", fmt, args);
	va_end(args);
}

void log__info(const char *fmt, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, fmt);
	say("", fmt, args);
	va_end(args);
}

void log__set_verbose(int on)
{
	verbose = on;
}

void log__out_of_memory(void)
{
	log__error("out of memory; trace less (-p, -m) or give it more");
	_exit(1);
}

void *xalloc(size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	if (!p)
		log__out_of_memory();
	return p;
}

void *xrealloc(void *p, size_t bytes)
{
	p = realloc(p, bytes ? bytes : 1);
	if (!p)
		log__out_of_memory();
	return p;
}

char *xstrndup(const char *s, size_t len)
{
	char *copy;

	len = strnlen(s, len);
	copy = xalloc(len + 1);
	memcpy(copy, s, len);
	return copy;
}
