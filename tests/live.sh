#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What script tests of a running controller share: a broker, `ballast sim`,
# `ballast run`, and waiting for what its status says.  Sourced from the project
# root; it sources tests/lib.sh.  Sets $dir, a folder of the test's own that
# goes with it, as does every process started here; further ones are ended
# where their ids are in $pids.  The test sets $mqtt (the broker's port) and
# may set $site (default $dir/site.yaml) and $logs (default $dir).
. tests/lib.sh
dir=$(mktemp -d) || exit 1
site=$dir/site.yaml
logs=$dir
mqtt=
broker=
sim=
run=
pids=
live_cleanup()
{
    # shellcheck disable=SC2086
    kill $run $sim $pids $broker 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap live_cleanup EXIT
trap 'exit 1' INT TERM

# needs WHAT TOOL...: ends the test as skipped where a tool is not there.
needs()
{
    local what=$1 tool
    shift
    for tool in "$@"; do
        if ! command -v "$tool" >/dev/null; then
            echo "skip - $what: no $tool"
            exit "$failed"
        fi
    done
}

# battery NAME PORT: the line of a site file.
battery()
{
    cat <<EOS
  - {name: $1, kind: megapack, energy: 4 MWh, charge_max: 2 MW,
     discharge_max: 2 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp, sim: {soc_start: 50 %, response: 50 ms},
     modbus: {host: 127.0.0.1, port: $2, unit: 1, map: sunspec}}
EOS
}

# start_broker [CONF]: on $mqtt, for anybody unless CONF says otherwise; back
# once it listens.
start_broker()
{
    local conf=${1:-$dir/broker.conf}
    if [ $# -eq 0 ]; then
        printf 'listener %s 127.0.0.1\n' "$mqtt" >"$conf"
        printf '%s\n' 'allow_anonymous true' 'persistence false' \
            'log_type error' 'log_type warning' 'log_type subscribe' >>"$conf"
    fi
    mosquitto -c "$conf" >"$dir/broker.log" 2>&1 &
    broker=$!
    for _ in $(seq 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$mqtt") 2>/dev/null && return
        sleep 0.1
    done
}

start_sim()
{
    "$BALLAST" sim "$site" "$@" >"$logs/sim.log" 2>&1 &
    sim=$!
}

# sim_listens: back once the simulator would hear a fault, of start_broker's own
# broker.  What is said before is lost.
sim_listens()
{
    for _ in $(seq 150); do
        grep -q ' ballast/v1/t/sim/set$' "$dir/broker.log" && return
        sleep 0.1
    done
}

start_run()
{
    "$BALLAST" run "$site" "$@" >"$logs/run.out" 2>>"$logs/run.log" &
    run=$!
}

# stop_run: as its user would; its exit code is in $code.
stop_run()
{
    kill -TERM "$run"
    wait "$run"
    # shellcheck disable=SC2034
    code=$?
    run=
}

# say ARGUMENTS: a message.
say()
{
    mosquitto_pub -p "$mqtt" -q 1 "$@"
}

# fault JSON: told to the simulator of site t.
fault()
{
    say -t ballast/v1/t/sim/set -m "$1"
}

# about EXPRESSION: its value, or that there is none, of the status 's', its
# batteries 'b' and devices 'd' by name, the pairs 'alarms' and their 'ids', its
# 'load', its plan 'p', and 'c', how many plans were made for what.
about()
{
    "$BALLAST" status "$site" --json 2>/dev/null | /usr/bin/python3 -c '
import json, sys
s = json.load(sys.stdin)
b = {x["name"]: x for x in s.get("batteries", [])}
d = {x["name"]: x for x in s.get("devices", [])}
alarms = {(x["id"], x["asset"]) for x in s.get("alarms", [])}
ids = {x["id"] for x in s.get("alarms", [])}
load = s.get("load")
p = s.get("plan") or {}
c = p.get("causes")
print(eval("(" + sys.argv[1] + ")"))' "$1" 2>/dev/null ||
        echo "no status, or not with what was asked for"
}

holds()
{
    [ "$(about "bool($1)")" = True ]
}

# until_holds WHAT SECONDS EXPRESSION: ok where it comes to hold in that time.
until_holds()
{
    local end=$((SECONDS + $2))
    while [ $SECONDS -le $end ]; do
        if holds "$3"; then
            verdict "$1" ""
            return
        fi
        sleep 0.2
    done
    verdict "$1" "not within $2 s: $3; $("$BALLAST" status "$site" --json \
        2>&1 | head -c 2500)"
}
