/* SPDX-License-Identifier: GPL-2.0 */
#include "view/sigword.h"

#include <inttypes.h>
#include <stdio.h>

#include "event/wire.h"

#define ANY 0 /* numbers that mean the same for every signal */

/* From include/uapi/asm-generic/siginfo.h; first row that fits wins. */
static const struct {
	uint32_t sig;
	int32_t code;
	const char *word;
} codes[] = {
	{ ANY, 0, "user" },	 { ANY, 0x80, "kernel" }, { ANY, -1, "queue" }, { ANY, -2, "timer" },
	{ ANY, -3, "mesgq" },	 { ANY, -4, "asyncio" },  { ANY, -5, "sigio" }, { ANY, -6, "tkill" },
	{ ANY, -7, "dethread" }, { ANY, -60, "asyncnl" }, { 17, 1, "exited" },	{ 17, 2, "killed" },
	{ 17, 3, "dumped" },	 { 17, 4, "trapped" },	  { 17, 5, "stopped" }, { 17, 6, "continued" },
	{ 11, 1, "maperr" },	 { 11, 2, "accerr" },	  { 11, 3, "bnderr" },	{ 11, 4, "pkuerr" },
	{ 7, 1, "adraln" },	 { 7, 2, "adrerr" },	  { 7, 3, "objerr" },	{ 8, 1, "intdiv" },
	{ 8, 2, "intovf" },	 { 8, 3, "fltdiv" },	  { 5, 1, "brkpt" },	{ 5, 2, "trace" },
	{ 4, 1, "illopc" },	 { 4, 2, "illopn" },	  { 31, 1, "seccomp" }, { 29, 1, "in" },
	{ 29, 2, "out" },	 { 29, 3, "msg" },	  { 29, 4, "err" },	{ 29, 6, "hup" },
};

const char *sigword__code(uint32_t sig, int32_t code, char buf[SIGWORD_BYTES])
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].code == code && (codes[i].sig == ANY || codes[i].sig == sig))
			return codes[i].word;
	}
	snprintf(buf, SIGWORD_BYTES, "code %" PRId32, code);
	return buf;
}

const char *sigword__result(uint8_t result)
{
	static const char *const words[] = {
		[IPCT_SIG_DELIVERED] = "delivered",
		[IPCT_SIG_IGNORED] = "ignored",
		[IPCT_SIG_ALREADY_PENDING] = "already-pending",
		[IPCT_SIG_OVERFLOW_FAIL] = "overflow",
		[IPCT_SIG_LOSE_INFO] = "lost-info",
		[IPCT_SIG_CONTINUED] = "continued",
	};

	return result < sizeof(words) / sizeof(*words) ? words[result] : "?";
}
