/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel half is told before it is loaded: ipctrace/config.h, the classes of system calls, and how large its maps are. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "kern/kallsyms.h"
#include "kern/kern_impl.h"
#include "kern/probe.h"
#include "kern/skel.h"
#include "kern/syscalls.h"

#define TASKS_MAX 65536 /* in system calls of ours at once, on kernels without task storage */

static void ignore_file(struct ipct_config *cfg, size_t *cnt, const struct stat *st)
{
	bool is_fifo = S_ISFIFO(st->st_mode);

	if (*cnt == IPCT_IGNORE_MAX || (!is_fifo && !S_ISSOCK(st->st_mode)))
		return;
	cfg->ignore_ino[*cnt] = st->st_ino;
	cfg->ignore_dev[*cnt] = is_fifo ? kernel_dev(major(st->st_dev), minor(st->st_dev)) : 0;
	++*cnt;
}

/* The tracer's own output must not trace itself: `ipctrace | less` reads a pipe that only ipctrace writes. */
static void ignore_own_output(struct ipct_config *cfg, const struct kern_opts *opts)
{
	size_t cnt = 0;
	struct stat st;

	if (opts->output ? !stat(opts->output, &st) : !fstat(STDOUT_FILENO, &st))
		ignore_file(cfg, &cnt, &st);
	if (!fstat(STDERR_FILENO, &st))
		ignore_file(cfg, &cnt, &st);
	if (opts->ready_fd && !fstat(opts->ready_fd, &st))
		ignore_file(cfg, &cnt, &st);
}

/* Lines written to a terminal must not become lines about that terminal. */
static void name_own_terminal(struct ipct_config *cfg)
{
	struct stat st;

	if (!stat("/dev/pts", &st))
		cfg->devpts = kernel_dev(major(st.st_dev), minor(st.st_dev));
	if (!fstat(1, &st) && S_ISCHR(st.st_mode) && major(st.st_rdev) == 136)
		cfg->ignore_pts = minor(st.st_rdev) + 1;
}

/* Does that hook work here? */
static bool sees(const struct kern *k, const char *hook)
{
	for (size_t i = 0; i < k->choice_cnt; i++) {
		if (!strcmp(k->choices[i].hook->name, hook))
			return hook_choice__row(&k->choices[i]);
	}
	return false;
}

/* Both functions or none: half an identity is none. */
static void find_queue_code(struct ipct_config *cfg)
{
	struct ksym syms[] = { { .name = "load_msg" }, { .name = "alloc_msg" }, { .name = "free_msg" } };
	const struct ksym *alloc = &syms[0];

	if (kallsyms__find(syms, 3) || !syms[2].address)
		return;
	if (syms[1].address) /* where it was not inlined */
		alloc = &syms[1];
	if (!alloc->address)
		return;
	cfg->knows_msgs = true;
	cfg->msg_alloc = alloc->address;
	cfg->msg_alloc_bytes = alloc->bytes;
	cfg->msg_free = syms[2].address;
	cfg->msg_free_bytes = syms[2].bytes;
}

/* Is a program with this name among the chosen ones? */
static bool has_chosen(const struct kern *k, const char *prog)
{
	for (size_t i = 0; i < k->choice_cnt; i++)
		if (rung_row__has(hook_choice__row(&k->choices[i]), prog))
			return true;
	return false;
}

/* What happens when tables are full has to be tested with small ones: so many entries instead of theirs. 0: theirs. */
static uint32_t entries_of_tests(const char *variable)
{
	const char *entries = getenv(variable);

	return entries ? (uint32_t)strtoul(entries, NULL, 10) : 0;
}

static void tell_scope(struct ipct_config *cfg, const struct kern_opts *opts)
{
	struct stat netns;

	cfg->mechs = opts->mechs;
	cfg->self_pid = getpid();
	cfg->extra_self = opts->extra_self;
	if (!stat("/proc/self/ns/net", &netns))
		cfg->netns = netns.st_ino;
	name_own_terminal(cfg);
	ignore_own_output(cfg, opts);
	cfg->filter = opts->pid_cnt || opts->have_uid || opts->have_cgroup;
	cfg->follow = opts->follow;
	cfg->have_uid = opts->have_uid;
	cfg->uid = opts->uid;
	cfg->have_cgroup = opts->have_cgroup;
	cfg->cgroup = opts->cgroup;
	cfg->closes = opts->closes;
	cfg->user_sems = opts->uprobe_cnt > 0;
}

/* What programs may rely on because others, which are loaded too, see to it. */
static void tell_hooks(struct ipct_config *cfg, struct kern *k)
{
	k->calls_again = (has_chosen(k, "sys_enter__fentry") && again__is_needed_at_functions()) ||
			 (has_chosen(k, "sys_enter__tracepoint") && again__is_needed());
	cfg->has_running = k->calls_again || has_chosen(k, "sched_switch__tracepoint");
	/* Its writer must be one program that the kernel runs once at a time on each CPU. */
	if (cfg->has_running && lane__is_possible() && has_chosen(k, "sys_exit__tracepoint"))
		cfg->lane_slots = lane__slots(k->opts.ring_bytes);
	cfg->preempted = again__is_needed() || has_chosen(k, "sys_exit__fentry");
	cfg->sees_udp_ready = has_chosen(k, "udp_data_ready__tracepoint");
	cfg->sees_dequeued =
		has_chosen(k, "collect_signal__fentry") || has_chosen(k, "collect_signal__kprobe");
	cfg->sees_made = sees(k, "unix_made");
	cfg->sees_queued = sees(k, "unix_sent");
	if (has_chosen(k, "kmalloc__tracepoint"))
		find_queue_code(cfg);
	else
		cfg->knows_msgs = sees(k, "queue_messages");
	cfg->on_demand = demand__bits(k);
}

/* tables: see entries_of_tests(). */
static void size_maps(struct kern *k, const struct ipct_config *cfg, uint32_t tables)
{
	if (!cfg->has_task_storage) {
		bpf_map__set_autocreate(k->skel->maps.task_ops, false);
		bpf_map__set_max_entries(k->skel->maps.task_ops_by_tid, tables ? tables : TASKS_MAX);
	}
	if (!cfg->knows_msgs || tables)
		bpf_map__set_max_entries(k->skel->maps.sent_msgs, tables ? tables : 1);
	bpf_map__set_max_entries(k->skel->maps.rings, k->ring_cnt);
	if (cfg->lane_slots) {
		bpf_map__set_max_entries(k->skel->maps.lane_heads, k->ring_cnt);
		bpf_map__set_max_entries(k->skel->maps.lane_slots, k->ring_cnt * cfg->lane_slots);
	}
}

void settings__fill(struct kern *k)
{
	struct ipctrace_bpf__rodata *ro = k->skel->rodata;
	struct ipct_config cfg = { .cpu_cnt = k->ring_cnt, .page_bytes = sysconf(_SC_PAGESIZE) };
	uint32_t tables = entries_of_tests("IPCTRACE_TEST_TABLES");
	struct probe_features has;

	probe__features(&has);
	cfg.has_rdonly_cast = has.rdonly_cast;
	cfg.has_task_storage = has.task_storage && !tables;
	if (getrandom(&cfg.salt, sizeof(cfg.salt), 0) != sizeof(cfg.salt))
		cfg.salt = getpid() * 0x9e3779b97f4a7c15ull;
	tell_scope(&cfg, &k->opts);
	cfg.uprobes_sleep = cfg.user_sems && has.sleepable_uprobes;
	tell_hooks(&cfg, k);
	captures__configure(k, &cfg);
	tally__configure(k, &cfg, entries_of_tests("IPCTRACE_TEST_LEDGER"));
	memcpy((void *)&ro->cfg, &cfg, sizeof(cfg));
	syscalls__fill(k->opts.mechs, (uint8_t *)ro->sysclass, (uint8_t *)ro->sysclass32);
	size_maps(k, &cfg, tables);
}
