/* SPDX-License-Identifier: GPL-2.0 */
/* What one process did to one channel, whether or not it is ever paired. */
#include <errno.h>

#include "model/model_impl.h"

#define ANY_RULE PAIR_RULE_CNT

struct role_row {
	uint8_t rule; /* enum pair_rule, or ANY_RULE */
	uint8_t kind; /* enum op_kind */
	bool to_channel;
	const char *role;
};

/* The first row that fits. Operations without a row make no end. */
static const struct role_row role_rows[] = {
	{ PAIR_UNITS, OP_WAKE, true, "wake" }, { PAIR_UNITS, OP_CONTROL, true, "post" },
	{ ANY_RULE, OP_SEND, true, "write" },  { ANY_RULE, OP_RECV, false, "read" },
	{ ANY_RULE, OP_POST, true, "post" },   { ANY_RULE, OP_WAIT, false, "wait" },
};

static const struct role_row *role_of(const struct op *op)
{
	size_t i;

	for (i = 0; i < sizeof(role_rows) / sizeof(role_rows[0]); i++)
		if (role_rows[i].kind == op->kind &&
		    (role_rows[i].rule == op->rule || role_rows[i].rule == ANY_RULE))
			return &role_rows[i];
	return NULL;
}

/* Would block, was interrupted, or will be restarted (-512 to -516): nothing went wrong. */
static bool is_error(int64_t ret)
{
	return ret < 0 && ret != -EAGAIN && ret != -EINTR && !(ret <= -512 && ret >= -516);
}

/* What is taken counts when its owners are known: ends__took(). */
static uint64_t units_posted(const struct op *op)
{
	if (op->kind == OP_WAKE)
		return op->ret > 0 ? (uint64_t)op->ret : 0;
	if (op->units.act != UNITS_POST && op->units.act != UNITS_SET)
		return 0;
	return op->units.whole ? op->units.amount > 0 : op->units.amount;
}

static uint64_t count_messages(const struct op *op)
{
	bool last = !(op->flags & OP_F_MORE);
	bool moved = op->bytes || op->ret > 0;

	if (op->flags & OP_F_PEEK)
		return 0;
	if (op->rule == PAIR_QUEUE) /* empty messages are messages */
		return op->ret >= 0;
	if (op->rule == PAIR_MESSAGE) {
		/* Empty datagrams are messages; a packet socket's parts are one message each. */
		moved |= op->ret == 0 && !(op->flags & OP_F_NO_ID);
		return moved && !(op->flags & OP_F_END) && (last || op->flags & (OP_F_PACKET | OP_F_LAST));
	}
	if (op->rule == PAIR_UNITS)
		return units_posted(op);
	if (op->rule == PAIR_DGRAM)
		return op->ret >= 0;
	if (op->kind == OP_SEND || op->kind == OP_RECV)
		return moved && last;
	return last && op->ret >= 0;
}

void ends__seen(struct end *end, uint64_t ts_ns)
{
	if (!end->first_ns)
		end->first_ns = ts_ns;
	end->last_ns = ts_ns;
}

static struct end *touch(struct model *m, struct proc *proc, struct channel *ch, const struct op *op,
			 const struct role_row *row)
{
	struct end *end = graph__end(&m->graph, proc, ch, row->role, row->to_channel);

	ends__seen(end, op->ts_ns);
	return end;
}

/* A signal is a message once it is queued, or had its effect at once; merged into a pending one or lost for want of memory, it is the sender's error. */
static void account_signal(struct model *m, const struct op *op, struct channel *ch, struct proc *proc)
{
	static const struct role_row send = { PAIR_SIGNAL, OP_POST, true, "send" };
	static const struct role_row receive = { PAIR_SIGNAL, OP_WAIT, false, "receive" };
	bool arrived = sig_result__arrived(op->sig.result);
	struct proc *target = proc_table__get(&m->procs, op->sig.dst_pid);
	struct end *end;

	if (op->sig.result == SIG_RESULT_IGNORED)
		return;
	if (proc && !op->sig.from_kernel) {
		end = touch(m, proc, ch, op, &send);
		end->messages += arrived;
		end->errors += !arrived;
	}
	if (target && arrived)
		touch(m, target, ch, op, &receive)->messages++;
}

void ends__account(struct model *m, const struct op *op, struct channel *ch, struct proc *proc)
{
	const struct role_row *row = role_of(op);
	struct end *end;

	if (op->rule == PAIR_UNITS && op->units.woken_pid)
		return; /* part of the waker's operation, which has its own record */
	if (op->rule == PAIR_DIRECT || op->rule == PAIR_LOCK || op->rule == PAIR_SHARE)
		return; /* these rules account for themselves */
	if (ch && op->rule == PAIR_SIGNAL && op->kind == OP_POST)
		account_signal(m, op, ch, proc);
	/* The delivery of a signal adds nothing to what its generation counted. */
	if (!row || !ch || !proc || op->rule == PAIR_SIGNAL || (op->flags & OP_F_BLOCKED))
		return;
	end = touch(m, proc, ch, op, row);
	end->messages += count_messages(op);
	if (!(op->flags & OP_F_PEEK) && (op->rule != PAIR_UNITS || row->to_channel))
		end->bytes += op->bytes;
	if (op->flags & OP_F_MORE)
		return;
	end->errors += is_error(op->ret);
	if ((op->flags & OP_F_WAITED) && op->enter_ns && op->ts_ns > op->enter_ns)
		end->wait_ns += op->ts_ns - op->enter_ns;
}

struct end *ends__of_sum(struct model *m, const struct sum_info *info, struct channel *ch, struct proc *proc)
{
	const struct op op = { .kind = info->kind, .rule = PAIR_NONE };
	const struct role_row *row = role_of(&op);

	return row ? graph__end(&m->graph, proc, ch, row->role, row->to_channel) : NULL;
}

void ends__add_sum(struct model *m, const struct sum_info *info, struct channel *ch, struct proc *proc)
{
	struct end *end = ends__of_sum(m, info, ch, proc);

	if (!end)
		return;
	ends__seen(end, info->ts_ns);
	end->messages += info->messages;
	end->bytes += info->bytes;
	end->errors += info->errors;
	end->wait_ns += info->wait_ns;
}

void ends__took(struct model *m, const struct message *msg)
{
	const struct role_row *row = role_of(msg->op);
	struct end *end;

	if (!row || !msg->channel || !msg->dst.proc)
		return;
	end = touch(m, msg->dst.proc, msg->channel, msg->op, row);
	end->messages += msg->messages;
	end->bytes += msg->bytes;
}
