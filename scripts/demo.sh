#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what a build needs, builds, and traces a workload whose truth is known: live, then as a graph.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh build
make
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT

echo
echo '== live: two writers and two readers on one pipe (first lines)'
$as_root ./ipctrace -m pipe -o "$where/live" -- ./ipctrace workload pipe --writers 2 --readers 2 --messages 20 \
	--size 1..5000 --truth "$where/truth.live"
head -n 12 "$where/live"
echo
echo '== who talked to whom: the same on UNIX sockets, as a graph'
$as_root ./ipctrace graph -m unix-stream -- ./ipctrace workload unix-stream --writers 3 --messages 1000 \
	--truth "$where/truth"
echo
echo '== what the workload itself knows to be true'
cat "$where/truth"
