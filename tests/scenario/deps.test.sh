#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# .ci/deps with played dpkg-query, apt-get, sudo and id: nothing is installed
# here.  The played tools write what they were asked to $dir/log.
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
mkdir "$dir/bin"

play()
{
    printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"
    chmod +x "$dir/bin/$1"
}

# deps LEVEL: runs it with the played tools before all others.
deps()
{
    : >"$dir/log"
    LOG=$dir/log PATH=$dir/bin:$PATH .ci/deps "$@" \
        >"$dir/out" 2>"$dir/err" </dev/null
    rc=$?
}

verdict()
{
    if [ "$2" -eq 0 ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: exit $rc:" \
            "$(cat "$dir/out" "$dir/err" "$dir/log" | tr '\n' ' ')"
        failed=1
    fi
}

said()
{
    grep -qE -- "$2" "$dir/$1"
}

play dpkg-query 'echo "installed "'
play apt-get 'echo "apt-get $*" >>"$LOG"'
play sudo 'echo "sudo $*" >>"$LOG"; while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"'
play id 'echo 0'

deps check
[ "$rc" -eq 0 ] && ! [ -s "$dir/out" ] && ! [ -s "$dir/err" ] &&
    ! [ -s "$dir/log" ]
verdict "deps is silent where nothing is missing" $?

deps all
[ "$rc" -eq 2 ] && said err usage
verdict "deps refuses an unknown level" $?

play dpkg-query 'case "$*" in *libyaml-dev|*cppcheck) exit 1 ;; esac
echo "installed "'
deps run
[ "$rc" -eq 0 ] && said log 'apt-get .*update' &&
    said log 'install .*libyaml-dev$' && ! said log 'libgsl-dev|sudo'
verdict "deps installs only what is missing, as root without sudo" $?

deps lint
[ "$rc" -eq 0 ] && said log 'libyaml-dev cppcheck'
verdict "deps lint includes what building needs" $?

play id 'echo 1000'
deps run
[ "$rc" -eq 0 ] && said log '^sudo -n .*apt-get .*install'
verdict "deps uses sudo where not root, and asks nobody" $?

play sudo 'echo "sudo: a password is required" >&2; exit 1'
deps run
[ "$rc" -eq 2 ] && said err '^    apt-get update && apt-get install -y .*libyaml-dev' &&
    said err 'a password is required' && ! said log apt-get
verdict "deps prints the one line to run where it has no rights" $?

play id 'echo 0'
play apt-get 'echo "E: Could not resolve" >&2; exit 100'
deps run
[ "$rc" -eq 2 ] && said err 'apt-get install -y .*libyaml-dev' &&
    said err 'Could not resolve'
verdict "deps prints the one line to run where there is no network" $?

play dpkg-query 'echo "deinstalled "'
play apt-get 'echo "apt-get $*" >>"$LOG"'
deps run
[ "$rc" -eq 0 ] && said log 'install .*libmodbus-dev'
verdict "deps installs again what was removed" $?

exit $failed
