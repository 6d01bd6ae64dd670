#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash disable=SC3045
# Runs in the guest, behind all else, for at its end the kernel is locked down. Signals have the fewest programs to load, which is what
# takes time here. One line per test:
#   right ok - NAME | right not ok - NAME: why | right skip - NAME: why

some="--reuid 65534 --regid 65534 --clear-groups"
both="+bpf,+perfmon"

# verdict NAME PATTERN FILE: whether the file has it
verdict()
{
	if grep -q "$2" "$3"; then
		echo "right ok - $1"
	else
		echo "right not ok - $1: $(tail -n 1 "$3" | cut -c 1-200)"
	fi
}

# before MAJOR MINOR: whether this kernel is older
before()
{
	IFS=.- read -r major minor _ </proc/sys/kernel/osrelease
	[ "$major" -lt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -lt "$2" ]; }
}

given_up()
{
	mkfifo /tmp/ready
	./ipctrace -m signal --attach tracepoint --ready-fd 3 -o /dev/null 3>/tmp/ready &
	read -r _ </tmp/ready
	grep Cap "/proc/$!/status" | tr -d '\t' | tr '\n' ' ' >/tmp/caps
	kill "$!"
	wait "$!"
	held=0000000000000000
	before 5 19 && held=0000008000000000 # CAP_BPF
	verdict "given up when all is attached" "CapPrm:$held CapEff:$held CapBnd:0000000000000000" /tmp/caps
}

# as CAPABILITIES WORDS...
as()
{
	caps=$1
	shift
	# shellcheck disable=SC2086 # lists of options
	./setpriv $some --inh-caps=-all,$caps --ambient-caps=$caps ./ipctrace "$@" >/tmp/as 2>&1
}

# A process that sends itself a signal, traced with both capabilities; what is said of it then.
traced()
{
	# shellcheck disable=SC2016 # for the other shell
	as $both graph -m signal --attach tracepoint -- sh -c 'trap : USR1; kill -USR1 $$'
}
seen="1 message (0 bytes) between 1 process "

users()
{
	if [ ! -x ./setpriv ]; then
		echo "right skip - other users: no setpriv for this architecture"
		return
	fi
	as +chown -D 0
	verdict "a user without rights is told what to do" "try sudo ipctrace" /tmp/as
	ulimit -l unlimited
	traced
	verdict "CAP_BPF and CAP_PERFMON are enough" "$seen" /tmp/as
	ulimit -l 64
	traced
	if before 5 11; then
		verdict "too small a limit of locked memory is named" "limit of locked memory (64 KiB).*ulimit -l" /tmp/as
	else
		verdict "a limit of locked memory does not matter" "$seen" /tmp/as
	fi
	ulimit -l unlimited
}

locked_down()
{
	mount -t securityfs none /sys/kernel/security 2>/dev/null
	if ! echo confidentiality 2>/dev/null >/sys/kernel/security/lockdown; then
		echo "right skip - lockdown is named: this kernel has none"
		return
	fi
	./ipctrace -D 0 >/tmp/as 2>&1
	verdict "lockdown is named" "lockdown (confidentiality).*lockdown=integrity" /tmp/as
}

given_up
users
locked_down
