#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast demo`: the whole site on this machine comes up, is controlled, and
# leaves nothing behind, whether it ends by itself, by Ctrl-C, by the death of
# a child or by its own.  On the shipped demo site, but on ports that are free.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
demo=
cleanup()
{
    [ -n "$demo" ] && kill -TERM "$demo" 2>/dev/null && wait "$demo"
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
# taken PORT: true where something listens there.
taken()
{
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The shipped files, the demo site with other ports.
mkdir -p "$dir/data/sites"
ln -s "$PWD/adapters/maps" "$dir/data/maps"
cp replay/sites/demo.yaml "$dir/data/sites/" || exit 1
export BALLAST_DATA=$dir/data
ports=
broker_port=
for shipped in 18830 16011 16021 16022; do
    port=$((20000 + RANDOM % 10000))
    while taken $port || [[ $ports == *$port* ]]; do
        port=$((20000 + RANDOM % 10000))
    done
    grep -q "port: $shipped\b" "$dir/data/sites/demo.yaml" ||
        { echo "not ok - the demo site has port $shipped: no"; exit 1; }
    sed -i "s/port: $shipped\b/port: $port/" "$dir/data/sites/demo.yaml"
    ports="$ports $port"
    broker_port=${broker_port:-$port}
done
if ! command -v mosquitto >/dev/null; then
    echo "skip - ballast demo: no mosquitto"
    exit 0
fi
cd "$dir" || exit 1

# children PID: the processes it started, "pid name" a line.
children()
{
    awk -v parent="$1" '{
        pid = $1
        name = $0
        sub(/^[^(]*\(/, "", name)
        rest = name
        sub(/\)[^)]*$/, "", name)
        sub(/.*\) /, "", rest)
        split(rest, f, " ")
        if (f[2] == parent) print pid, name
    }' /proc/[0-9]*/stat 2>/dev/null
}

# gone SECONDS PIDS: why not all of them have ended and all ports are free.
gone()
{
    local n=$(($1 * 10)) left
    while :; do
        left=
        for pid in $2; do
            kill -0 "$pid" 2>/dev/null && left="$left process $pid"
        done
        for port in $ports; do
            taken "$port" && left="$left port $port"
        done
        [ -z "$left" ] && return
        n=$((n - 1))
        [ $n -gt 0 ] || break
        sleep 0.1
    done
    echo "still there:$left"
}

# begin: a demo in the background, its children in $pids once all three run.
begin()
{
    "$BALLAST" demo --plain --for 60s >out 2>err &
    demo=$!
    for _ in $(seq 200); do
        pids=$(children $demo | awk '{printf "%s ", $1}')
        [ "$(wc -l <out)" -ge 2 ] && return 0
        kill -0 $demo 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

# finish: waits for it; its exit code in $rc.
finish()
{
    wait $demo 2>/dev/null
    rc=$?
    demo=
}

timeout 60 "$BALLAST" demo --for 16s >out 2>err </dev/null
rc=$?
verdict "a demo of 16 s ends with 0" \
    "$([ $rc -eq 0 ] || echo "exit $rc: $(tail -n 3 err | tr '\n' ' ')")"
verdict "it tells of the grid every 2 s" \
    "$([ "$(grep -c ' s  grid .* MW of ' out)" -ge 5 ] || tail -n 2 out)"
verdict "all pods are under control" \
    "$(grep -q 'pods 10 of 10' out || tail -n 2 out)"
verdict "the batteries are under control" "$(
    grep ' s  grid' out | tail -n 1 | grep -Eq 'batteries -?[1-9]' ||
        tail -n 4 out)"
verdict "the ramp stays inside its limit" "$(
    awk '/^stopped; .* ramp at most/ {
        for (i = 1; i < NF; i++) if ($i == "most") x = $(i + 1)
        limit = $NF
        seen = 1; if (!(limit > 0 && x <= 1.005 * limit)) print
    } END { if (!seen) print "no summary" }' out)"
verdict "it leaves no process and no port" "$(gone 3 "")"
verdict "it leaves no socket" \
    "$(find ballast-demo -type s 2>/dev/null | head -n 1)"

if begin; then
    kill -INT $demo
    finish
    verdict "Ctrl-C ends it with 0" \
        "$([ $rc -eq 0 ] || echo "exit $rc: $(tail -n 3 err | tr '\n' ' ')")"
    verdict "Ctrl-C leaves nothing" "$(gone 1 "$pids")"
else
    verdict "a second demo starts in the same folder" "$(tail -n 3 err)"
fi

if begin; then
    for pid in $pids; do
        tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q ' sim ' &&
            kill -KILL "$pid"
    done
    finish
    verdict "a child that dies ends it with 2" \
        "$([ $rc -eq 2 ] || echo "exit $rc")"
    verdict "it says which child and how" \
        "$(grep -Eq 'ballast sim ended by itself \(signal 9\)' \
            err || tail -n 3 err)"
    verdict "it takes the others along" "$(gone 1 "$pids")"
else
    verdict "a third demo starts" "$(tail -n 3 err)"
fi

if begin; then
    { kill -KILL $demo && finish; } 2>/dev/null
    verdict "the children end when the demo is killed" "$(gone 15 "$pids")"
else
    verdict "a fourth demo starts" "$(tail -n 3 err)"
fi

mosquitto -p $broker_port >/dev/null 2>&1 &
broker=$!
for _ in $(seq 50); do
    taken $broker_port && break
    sleep 0.1
done
"$BALLAST" demo --for 5s >out 2>err
rc=$?
verdict "a port that is taken is named, with what to do" \
    "$({ [ $rc -eq 2 ] && grep -q "port $broker_port .*stop it" err; } ||
        echo "exit $rc: $(head -n 2 err)")"
verdict "nothing is started then" "$(taken ${ports##* } && echo "a battery answers")"
kill $broker
wait $broker 2>/dev/null

exit $failed
