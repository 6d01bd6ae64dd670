#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest: the smoke test, then each mechanism's workload under each kind of hook. Judges nothing:
# it leaves RUNG.MECH.{graph,truth,log} and RUNG.doctor in /out and prints one line per run for the host:
#   smoke LINE | run RUNG MECH STATUS START_S END_S | right LINE
# Environment: RUNGS, MECHS (empty: all at once), WORKLOAD (options of the workload), LIMIT_S (for one run).

now()
{
	cut -d' ' -f1 /proc/uptime
}

./smoke 2>&1 | sed 's/^/smoke /'
[ -x ./ipctrace ] || exit 0

for rung in $RUNGS; do
	# All mechanisms together: loading the programs is what takes time here. Their names alone: each by itself.
	[ -n "$MECHS" ] || MECHS=all
	timeout "$LIMIT_S" ./ipctrace doctor --json --attach "$rung" >"/out/$rung.doctor" 2>"/out/$rung.doctor.log"
	for mech in $MECHS; do
		out=/out/$rung.$mech
		start=$(now)
		# shellcheck disable=SC2086 # a list of options
		timeout "$LIMIT_S" ./ipctrace graph --attach "$rung" -m "$mech" -F json -o "$out.graph" -- \
			./ipctrace workload "$mech" --truth "$out.truth" $WORKLOAD >"$out.log" 2>&1
		echo "run $rung $mech $? $start $(now)"
	done
done

# shellcheck disable=SC1091 # beside this one, in the guest
[ ! -e ./rights.sh ] || sh ./rights.sh
