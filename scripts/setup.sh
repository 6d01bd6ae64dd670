#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what building and testing ipctrace needs and this machine lacks.
#
#   scripts/setup.sh [-n] [build|test|bench|kernels]     default: build
#
# test includes build, the others include both. -n only says what is missing (exit status 1 when something is).
# Says nothing when nothing is missing. On Debian 12 and its relatives; elsewhere use -n and install by hand.
set -eu

# group  package  how to see that it is there: cmd:A|B (a program), pc:MODULE (pkg-config), h:HEADER, py:MODULE, so:FILE
packages() {
	cat <<-'END'
	build    gcc                 cmd:gcc
	build    libc6-dev           h:stdio.h
	build    make                cmd:make
	build    pkg-config          cmd:pkg-config
	build    clang-14            cmd:clang-14|clang
	build    llvm-14             cmd:llvm-strip-14|llvm-strip
	build    bpftool             cmd:bpftool
	build    libbpf-dev          pc:libbpf
	build    libelf-dev          pc:libelf
	build    libdw-dev           pc:libdw
	build    zlib1g-dev          pc:zlib
	build    libzstd-dev         pc:libzstd
	build    libncurses-dev      pc:ncursesw
	build    libcap-ng-dev       pc:libcap-ng
	build    libsqlite3-dev      pc:sqlite3
	build    libmicrohttpd-dev   pc:libmicrohttpd
	test     check               pc:check
	test     python3             cmd:/usr/bin/python3
	test     python3-networkx    py:networkx
	test     python3-yaml        py:yaml
	test     prometheus          cmd:promtool
	test     python3-prometheus-client py:prometheus_client
	test     clang-format-14     cmd:clang-format-14|clang-format
	test     shellcheck          cmd:shellcheck
	test     mandoc              cmd:mandoc
	test     graphviz            cmd:dot
	test     libxml2-utils       cmd:xmllint
	test     jq                  cmd:jq
	test     chromium            cmd:chromium|google-chrome
	test     strace              cmd:strace
	test     tmux                cmd:tmux
	test     sqlite3             cmd:sqlite3
	test     protobuf-compiler   cmd:protoc
	test     babeltrace2         cmd:babeltrace2
	test     tshark              cmd:tshark
	test     redis-server        cmd:redis-server
	test     redis-tools         cmd:redis-cli
	test     iproute2            cmd:ip
	test     procps              cmd:ps
	test     valgrind            cmd:valgrind
	test     util-linux          cmd:unshare
	test     libclang-rt-14-dev  so:/usr/lib/llvm-14/lib/clang/14*/lib/linux/libclang_rt.fuzzer-*.a
	bench    bpftrace            cmd:bpftrace
	bench    linux-perf          cmd:perf
	bench    postgresql          so:/usr/lib/postgresql/*/bin/pgbench
	kernels  qemu-system-x86     cmd:qemu-system-x86_64
	kernels  qemu-system-arm     cmd:qemu-system-aarch64
	kernels  busybox-static      cmd:busybox
	kernels  gcc-aarch64-linux-gnu cmd:aarch64-linux-gnu-gcc
	END
}

there() {
	kind=${1%%:*}
	what=${1#*:}
	case $kind in
	cmd)
		for program in $(echo "$what" | tr '|' ' '); do
			if command -v "$program" >/dev/null 2>&1; then return 0; fi
		done
		return 1
		;;
	pc) pkg-config --exists "$what" 2>/dev/null ;;
	h) [ -e "/usr/include/$what" ] ;;
	py) /usr/bin/python3 -c "import $what" 2>/dev/null ;;
	so)
		for file in $what; do
			if [ -e "$file" ]; then return 0; fi
		done
		return 1
		;;
	esac
}

# The packages of the groups in $1 that are not there, one a line.
missing() {
	packages | while read -r group package probe; do
		case " $1 " in
		*" $group "*) ;;
		*) continue ;;
		esac
		if ! there "$probe"; then echo "$package"; fi
	done
}

install_packages() {
	command -v apt-get >/dev/null 2>&1 || {
		echo "setup: this is no Debian: install the equivalents of: $*" >&2
		return 1
	}
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null 2>&1 || {
			echo "setup: not root, and no sudo: as root, run apt-get install $*" >&2
			return 1
		}
		as_root=sudo
	fi
	# Some packages come with a service (redis, prometheus); only their programs are wanted. RUNLEVEL=1 keeps it from
	# starting where there is no systemd, a policy where there is.
	policy=/usr/sbin/policy-rc.d
	if [ -e $policy ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
		$as_root chmod 755 $policy
		trap '[ -z "$policy" ] || $as_root rm -f "$policy"' EXIT
		trap 'exit 1' HUP INT TERM
	fi
	set -- env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -y --no-install-recommends install "$@"
	# Without package lists, or with old ones, the first try fails.
	$as_root "$@" >"$log" 2>&1 && return 0
	$as_root apt-get -q update >"$log" 2>&1 || :
	$as_root "$@" >>"$log" 2>&1 && return 0
	cat "$log" >&2
	return 1
}

PATH=$PATH:/usr/sbin:/sbin
dry=0
if [ "${1:-}" = -n ]; then
	dry=1
	shift
fi
case ${1:-build} in
build) groups="build" ;;
test) groups="build test" ;;
bench) groups="build test bench" ;;
kernels) groups="build test kernels" ;;
*)
	echo "usage: scripts/setup.sh [-n] [build|test|bench|kernels]" >&2
	exit 2
	;;
esac

list=$(missing "$groups" | tr '\n' ' ')
if [ -z "$list" ]; then
	if [ $dry = 1 ]; then echo "nothing is missing ($groups)"; fi
	exit 0
fi
if [ $dry = 1 ]; then
	echo "missing ($groups): $list"
	echo "install with: scripts/setup.sh ${1:-build}   (or: apt-get install $list)"
	exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "setup: installing $list" >&2
# shellcheck disable=SC2086
install_packages $list
left=$(missing "$groups" | tr '\n' ' ')
if [ -n "$left" ]; then
	echo "setup: installed, but still not found: $left" >&2
	exit 1
fi
