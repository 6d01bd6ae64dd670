#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Runs in the guest: the smoke test, then each mechanism's workload under each kind of hook. Judges nothing:
# it leaves doctor and RUNG.MECH.{graph,truth,log} in /out and prints one line per run for the host:
#   smoke LINE | run RUNG MECH STATUS START_S END_S | again RUNG MECH TRY WHY | signals RUNG STATUS |
#   dump RUNG STATUS WRITER READER PIPE BYTES | right LINE
# Environment: RUNGS, MECHS (empty: all at once), DUMPS (those of RUNGS that are to see a core dump), WORKLOAD (options of the
# workload), LIMIT_S (for one run).

now()
{
	cut -d' ' -f1 /proc/uptime
}

# trace RUNG MECH [OPTION]...; its exit status is the tracer's.
trace()
{
	rung=$1
	mech=$2
	shift 2
	# shellcheck disable=SC2086 # a list of options
	timeout "$LIMIT_S" ./ipctrace graph --attach "$rung" -m "$mech" "$@" -F json -o "/out/$rung.$mech.graph" -- \
		./ipctrace workload "$mech" --truth "/out/$rung.$mech.truth" $WORKLOAD >"/out/$rung.$mech.log" 2>&1
}

# runs MECH: whether it is one of those asked for
runs()
{
	for one in $MECHS; do
		case "$one" in
		all | "$1") return 0 ;;
		esac
	done
	return 1
}

# signals RUNG: every result and every way of taking one
signals()
{
	timeout "$LIMIT_S" ./ipctrace --attach "$1" -m signal --ops --json -o "/out/$1.signals.ops" -- \
		./signals >"/out/$1.signals.truth" 2>"/out/$1.signals.log"
	echo "signals $1 $?"
}

# dump RUNG: the kernel writes a core dump into a pipe, and nobody calls write().
dump()
{
	echo "|$PWD/core-handler" >/proc/sys/kernel/core_pattern
	echo 1 >/proc/sys/kernel/core_pipe_limit # who crashed waits until the handler has ended
	rm -f /tmp/dump.* /tmp/ready
	mkfifo /tmp/ready
	timeout "$LIMIT_S" ./ipctrace graph --attach "$1" -m pipe -F json -o "/out/$1.dump.graph" --ready-fd 3 \
		3>/tmp/ready >"/out/$1.dump.log" 2>&1 &
	tracer=$!
	read -r _ </tmp/ready
	sh -c 'kill -SEGV $$' 2>/dev/null &
	writer=$!
	wait "$writer" 2>/dev/null
	kill -INT "$tracer"
	wait "$tracer"
	echo "dump $1 $? $writer $(cat /tmp/dump.reader /tmp/dump.bytes | tr '\n' ' ')"
}

# An emulated machine may be too slow for it: then once more, with more room. Who loses events every time fails.
lost()
{
	[ "$2" -eq 0 ] && grep -q 'events\? lost' "$1"
}

./smoke 2>&1 | sed 's/^/smoke /'
[ -x ./ipctrace ] || exit 0

timeout "$LIMIT_S" ./ipctrace doctor --json >/out/doctor 2>/out/doctor.log
# All mechanisms together: loading the programs is what takes time here. Their names alone: each by itself.
[ -n "$MECHS" ] || MECHS=all
for rung in $RUNGS; do
	for mech in $MECHS; do
		log=/out/$rung.$mech.log
		start=$(now)
		trace "$rung" "$mech"
		status=$?
		for try in 1 2; do
			lost "$log" "$status" || break
			echo "again $rung $mech $try $(tail -n 1 "$log")"
			trace "$rung" "$mech" --ring-size 32M
			status=$?
		done
		echo "run $rung $mech $status $start $(now)"
	done
	! runs signal || signals "$rung"
	case " $DUMPS " in
	*" $rung "*) ! runs pipe || dump "$rung" ;;
	esac
done

# shellcheck disable=SC1091 # beside this one, in the guest
[ ! -e ./rights.sh ] || sh ./rights.sh
