#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Two controllers of one site in different folders: the second is refused, may
# watch, may take over where it is told to, and both say so then.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
broker=
first=
second=
cleanup()
{
    # shellcheck disable=SC2086
    kill $first $second $broker 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
for tool in mosquitto mosquitto_sub; do
    if ! command -v $tool >/dev/null; then
        echo "skip - two controllers of one site: no $tool"
        exit 0
    fi
done
read -r mqtt < <(free_ports 1)
for name in a b; do
    cat >"$dir/$name.yaml" <<YAML
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 8 MW, export_max: 0 MW, ramp_max: 1 MW/min}
batteries: []
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p1, profile: generic, power_max: 2 MW, cap_min: 0.3 MW, class: training}
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $dir/$name.db}
YAML
done
cat >"$dir/broker.conf" <<CONF
listener $mqtt 127.0.0.1
allow_anonymous true
persistence false
CONF

# says FILE SECONDS PATTERN: empty once the file has it.
says()
{
    local end=$((SECONDS + $2))
    while [ $SECONDS -le $end ]; do
        grep -q "$3" "$1" && return
        sleep 0.1
    done
    echo "no '$3' in $2 s: $(tail -3 "$1")"
}

"$BALLAST" run "$dir/a.yaml" --for 1s >/dev/null 2>"$dir/none.log"
code=$?
why=
[ $code -eq 0 ] || why="exit code $code: $(cat "$dir/none.log")"
grep -q 'whether another controller' "$dir/none.log" || why="it is not said"
verdict "without the broker a controller starts and says what it cannot know" \
    "$why"

mosquitto -c "$dir/broker.conf" >"$dir/broker.log" 2>&1 &
broker=$!
sleep 0.3
"$BALLAST" run "$dir/a.yaml" >/dev/null 2>"$dir/a.log" &
first=$!
why=$(says "$dir/a.log" 5 'connected')
sleep 2.5
timeout 10 "$BALLAST" run "$dir/b.yaml" --for 3s >/dev/null 2>"$dir/b.log"
code=$?
[ $code -eq 2 ] || why="exit code $code: $(cat "$dir/b.log")"
grep -q 'another controller (instance [0-9a-f]\{16\}) steers it' "$dir/b.log" ||
    why=$(cat "$dir/b.log")
[ ! -e "$dir/b.db" ] || why="it has opened its history"
verdict "a second controller from another folder is refused" "$why"

timeout 10 "$BALLAST" run "$dir/b.yaml" --shadow --for 2s >/dev/null \
    2>"$dir/b.log"
code=$?
why=
[ $code -eq 0 ] || why="exit code $code: $(cat "$dir/b.log")"
kept=$(mosquitto_sub -p "$mqtt" -t ballast/v1/t/status -C 1 -W 3)
case $kept in
    *'"online":true'*) ;;
    *) why="the first one's word is gone: $kept" ;;
esac
verdict "in shadow it watches beside the first" "$why"

"$BALLAST" run "$dir/b.yaml" --take-over >/dev/null 2>"$dir/b.log" &
second=$!
why=$(says "$dir/b.log" 5 'taking over')
why=$why$(says "$dir/b.log" 8 'alarm raised: rival')
why=$why$(says "$dir/a.log" 8 'alarm raised: rival')
verdict "told to take over it does, and both say what is wrong" "$why"

kill $second
wait $second 2>/dev/null
second=
{
    kill -9 $first
    wait $first
} 2>/dev/null
first=
sleep 0.3
timeout 10 "$BALLAST" run "$dir/b.yaml" --for 1s >/dev/null 2>"$dir/b.log"
code=$?
why=
[ $code -eq 0 ] || why="exit code $code: $(cat "$dir/b.log")"
verdict "the last will of a killed one makes room at once" "$why"

# Neither hears the other at the broker yet: one of them is refused.
for name in a b; do
    timeout 20 "$BALLAST" run "$dir/$name.yaml" --for 3s >/dev/null \
        2>"$dir/$name.log" &
done
codes=
for job in $(jobs -p); do
    [ "$job" = "$broker" ] && continue
    wait "$job"
    codes="$codes $?"
done
why=
case $codes in
    " 0 2" | " 2 0") ;;
    *) why="exit codes$codes: $(cat "$dir/a.log" "$dir/b.log")" ;;
esac
grep -qE 'another controller (on this machine )?(\(instance|steers site t at)' \
    "$dir/a.log" "$dir/b.log" || why="$why, neither says why"
verdict "of two that start at once on one machine one is refused" "$why"

# Without a broker, and with another name: the battery is the same.
read -r bess < <(free_ports 1)
for name in a b; do
    cat >"$dir/$name.yaml" <<YAML
site: {name: $name, time_zone: UTC, currency: USD}
grid: {import_max: 8 MW, export_max: 0 MW, ramp_max: 1 MW/min}
batteries:
  - {name: b1, kind: megapack, energy: 4 MWh, charge_max: 2 MW,
     discharge_max: 2 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp,
     modbus: {host: 127.0.0.1, port: $bess, unit: 1, map: sunspec}}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods: []
history: {file: $dir/$name-2.db}
YAML
done
"$BALLAST" run "$dir/a.yaml" >/dev/null 2>"$dir/a.log" &
first=$!
why=$(says "$dir/a.log" 5 'history in')
timeout 10 "$BALLAST" run "$dir/b.yaml" --for 1s >/dev/null 2>"$dir/b.log"
code=$?
[ $code -eq 2 ] || why="exit code $code: $(cat "$dir/b.log")"
grep -q "on this machine steers the battery at 127.0.0.1, port $bess, unit 1" \
    "$dir/b.log" || why=$(cat "$dir/b.log")
[ ! -e "$dir/b-2.db" ] || why="it has opened its history"
kill -9 $first
{ wait $first; } 2>/dev/null
first=
timeout 10 "$BALLAST" run "$dir/b.yaml" --for 1s >/dev/null 2>"$dir/b.log"
code=$?
[ $code -eq 0 ] || why="$why; then exit code $code: $(cat "$dir/b.log")"
verdict "nor is a battery steered by two, until one is killed" "$why"
exit $failed
