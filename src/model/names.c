/* SPDX-License-Identifier: GPL-2.0 */
#include "model/message.h"
#include "model/op.h"

static const char *const op_kind_names[OP_KIND_CNT] = {
	[OP_NONE] = "none",	  [OP_CREATE] = "create",   [OP_OPEN] = "open",	    [OP_CLOSE] = "close",
	[OP_UNLINK] = "unlink",	  [OP_CONNECT] = "connect", [OP_ACCEPT] = "accept", [OP_SEND] = "send",
	[OP_RECV] = "recv",	  [OP_POST] = "post",	    [OP_WAIT] = "wait",	    [OP_WAKE] = "wake",
	[OP_ATTACH] = "attach",	  [OP_DETACH] = "detach",   [OP_LOCK] = "lock",	    [OP_UNLOCK] = "unlock",
	[OP_CONTROL] = "control", [OP_PASS] = "pass",	    [OP_FORK] = "fork",	    [OP_EXEC] = "exec",
	[OP_EXIT] = "exit",
};

static const char *const close_by_names[CLOSE_BY_CNT] = {
	[CLOSE_BY_RANGE] = "close_range",
	[CLOSE_BY_DUP] = "dup",
	[CLOSE_BY_EXEC] = "exec",
	[CLOSE_BY_EXIT] = "exit",
};

static const char *const attr_names[ATTR_CNT] = {
	[ATTR_EXACT] = "exact",
	[ATTR_INFERRED] = "inferred",
	[ATTR_CANDIDATES] = "candidates",
	[ATTR_UNKNOWN] = "unknown",
};

const char *op_kind__name(enum op_kind kind)
{
	return (unsigned int)kind < OP_KIND_CNT ? op_kind_names[kind] : "?";
}

const char *close_by__name(uint32_t by)
{
	return by < CLOSE_BY_CNT ? close_by_names[by] : NULL;
}

const char *attr__name(enum attr attr)
{
	return (unsigned int)attr < ATTR_CNT ? attr_names[attr] : "?";
}
