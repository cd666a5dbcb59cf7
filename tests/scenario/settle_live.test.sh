#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A settlement of what was lived through: the controller against the simulated
# site, a limit of the utility by MQTT, then its settlement from the history,
# which agrees with the evidence log.
set -u
. tests/live.sh
needs "a live settlement" mosquitto mosquitto_pub
read -r mqtt bess < <(free_ports 2)

# site FILE BASELINE
site()
{
    cat >"$1" <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 6 MW, export_max: 0 MW, ramp_max: 12 MW/min}
batteries:
  - {name: b1, kind: megapack, energy: 3854 kWh, charge_max: 1927 kW, discharge_max: 1927 kW, efficiency: 92 %, soc_min: 10 %, soc_max: 90 %, chemistry: lfp, modbus: {host: 127.0.0.1, port: $bess, unit: 1, map: sunspec}}
pods:
  - {name: hall, profile: generic, count: 4, power_max: 1 MW, cap_min: 0.3 MW, class: training}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
mqtt: {host: 127.0.0.1, port: $mqtt}
$2
history: {file: $dir/t.db}
EOS
}
site "$dir/site.yaml" ""
site "$dir/one.yaml" \
    "utility: {baseline: {high: 1, of: 2, look_back: 9, adjust: none}}"
site "$dir/before.yaml" "utility: {baseline: {method: meter-before, before: 1 min}}"
printf 't_s,load_kw\n0,3000\n600,3000\n' >"$dir/load.csv"
start_broker
start_sim --load "$dir/load.csv"
sim_listens
start_run
for _ in $(seq 100); do
    "$BALLAST" status "$dir/t.db" --json >"$dir/s.json" 2>/dev/null &&
        [ -n "$(number "$dir/s.json" grid_w)" ] && break
    sleep 0.2
done

start=$(($(date +%s) + 10))
at()
{
    date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ
}
say -r -t ballast/v1/t/utility/limit -m \
    "{\"v\":1,\"id\":\"cap-9\",\"ts\":\"$(at $((start - 10)))\",\"kind\":\"import_max\",\"start\":\"$(at $start)\",\"end\":\"$(at $((start + 12)))\",\"value_w\":2400000}"
while [ "$(date +%s)" -lt $((start + 15)) ]; do sleep 0.2; done

# of FILE EXPRESSION: of the settlement 's'
of()
{
    /usr/bin/python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$@" 2>&1 | tail -1
}
# expect FILE EXPRESSION WHAT: sets $why
expect()
{
    local got
    got=$(of "$1" "$2")
    [ "$got" = True ] || why="$3: $got, $(of "$1" "$4")"
}
settle()
{
    "$BALLAST" export "$dir/$1.yaml" --settlement --event cap-9 \
        --interval '4 s' --out "$dir/$2.json" >"$dir/$2.log" 2>&1
}

# lived FROM TO W [BACK]: seconds before the event's start as if it had run
# then, of each of BACK days before (0: of the day itself).
lived()
{
    /usr/bin/python3 - "$dir/t.db" "$start" "$@" <<'PYTHON'
import sqlite3, sys
start, a, b, w = int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
with sqlite3.connect(sys.argv[1], timeout=20) as d:
    for day in map(int, sys.argv[6:]):
        d.executemany("INSERT OR IGNORE INTO second(at_ms,n_ticks,degraded,grid_mean_w) VALUES(?,10,0,?)",
                      [((start - day * 86400 + s) * 1000, w) for s in range(a, b)])
PYTHON
}
lived -900 0 3e6 0

# Beside the controller.
why=
settle site live || why=$(cat "$dir/live.log")
expect "$dir/live.json" "s['event'] == 'cap-9' and len(s['intervals']) == 3" \
    "its intervals" "s['intervals']"
expect "$dir/live.json" "s['accuracy']['above_s'] == 0 and s['accuracy']['reach_s'] == 0" \
    "held from its first second" "s['accuracy']"
expect "$dir/live.json" "2.0e6 < s['totals']['metered_wh'] * 300 <= 2.404e6" \
    "metered" "s['totals']"
expect "$dir/live.json" "0 < abs(s['accuracy']['ramp_max_w_per_s']) <= 0.2e6 * 1.01" \
    "ramp" "s['accuracy']"
expect "$dir/live.json" "s['evidence']['violations'] == {} and s['evidence']['gaps'] == 0" \
    "violations" "s['evidence']"
verdict "an event that was lived through is settled" "$why"

why=
"$BALLAST" explain "$dir/site.yaml" --at "$(at $((start + 6)))" >"$dir/words" 2>&1
grep -q 'asked by the utility: import_max 2.40 MW, since .* (cap-9)$' "$dir/words" ||
    why="in force: $(cat "$dir/words")"
"$BALLAST" explain "$dir/site.yaml" --at "$(at $((start - 2)))" >"$dir/words" 2>&1
grep -q 'asked by the utility' "$dir/words" && why="before: $(cat "$dir/words")"
grep -q '  coming: import_max 2.40 MW, from .* (cap-9)$' "$dir/words" ||
    why="before: $(cat "$dir/words")"
"$BALLAST" explain "$dir/site.yaml" --at "$(at $((start - 2)))" --json >"$dir/ahead.json" 2>&1
expect "$dir/ahead.json" "[u['state'] for u in s['utility']] == ['coming']" \
    "in JSON" "s['utility']"
verdict "explain names the event that held then, and what was to come" "$why"

why=
echo kept >"$dir/kept.json"
"$BALLAST" export "$dir/site.yaml" --settlement --event none \
    --out "$dir/kept.json" >"$dir/v" 2>&1
[ $? = 2 ] || why="$(cat "$dir/v")"
[ "$(cat "$dir/kept.json")" = kept ] || why="the file is touched"
verdict "a settlement that cannot be made leaves the file as it was" "$why"

why=
expect "$dir/live.json" "s['baseline']['method'] == 'meter before' and s['baseline']['too_few_days'] and s['baseline']['eligible_days'] == 0" \
    "method" "s['baseline']"
grep -q 'too few days are like it (0 of 5)' "$dir/live.log" ||
    why="not said: $(cat "$dir/live.log")"
settle before before || why=$(cat "$dir/before.log")
expect "$dir/before.json" "s['baseline']['method'] == 'meter before' and not s['baseline']['too_few_days'] and s['baseline']['meter_before_s'] == 60" \
    "as the site file asks" "s['baseline']"
verdict "too few days are said, the site file's own method is none of that" \
    "$why"

lived -60 90 3.3e6 7
why=
settle one one || why=$(cat "$dir/one.log")
expect "$dir/one.json" "s['baseline']['method'] == 'high days' and len(s['baseline']['days']) == 1" \
    "method" "s['baseline']"
expect "$dir/one.json" "abs(s['totals']['baseline_wh'] - 3.3e6 * 12 / 3600) < 1" \
    "baseline" "s['totals']"
expect "$dir/one.json" "0.85e6 < s['totals']['delivered_wh'] * 300 < 1.4e6" \
    "delivered" "s['totals']"
settle site five
expect "$dir/five.json" "s['baseline']['too_few_days']" "five of ten" \
    "s['baseline']['eligible_days']"
verdict "the site file says how many days make a baseline" "$why"

# Once it has stopped the evidence of the end is there.
stop_run
why=
settle one last || why=$(cat "$dir/last.log")
"$BALLAST" verify "$dir/last.json" >"$dir/v" 2>&1 || why=$(cat "$dir/v")
[ "$(of "$dir/last.json" "len(s['evidence']['head']['h']) == 64 and len(s['evidence']['tail']['h']) == 64")" = True ] ||
    why="no hashes: $(of "$dir/last.json" "s['evidence']")"
verdict "its hashes are those of the evidence log" "$why"

why=
log=$(of "$dir/last.json" "s['evidence']['file']")
/usr/bin/python3 - "$log" "$dir/bad.log" <<'PYTHON'
import sys
lines = open(sys.argv[1]).readlines()
del lines[len(lines) // 2]
open(sys.argv[2], "w").writelines(lines)
PYTHON
"$BALLAST" verify "$dir/last.json" --evidence "$dir/bad.log" >"$dir/v" 2>&1 &&
    why="a log that lacks a line is believed"
sed 's/"delivered_wh":	[0-9.]*/"delivered_wh":	9/' "$dir/last.json" \
    >"$dir/bad.json"
"$BALLAST" verify "$dir/bad.json" --evidence "$log" >"$dir/v" 2>&1 &&
    why="another figure is believed"
verdict "neither log nor settlement can be changed unseen" "$why"

[ $failed = 0 ] || tail -20 "$dir/run.log"
exit $failed
