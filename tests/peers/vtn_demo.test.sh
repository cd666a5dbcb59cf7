#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The demo site under a VTN (node), live: a series of prices moves the plan and
# the batteries, a limit 30 % under the load is reached ahead of its start, an
# emergency at once, a cancellation is ramped, a limit that comes too late for
# the ramp is reached as fast as the ramp lets it, and all of it is reported.
# What the grid did is read from the history.  The ramp is ten times that of the
# demo, so that a way of minutes takes seconds, and nothing is billed for the
# month's peak, which would be dearer than any price of an hour.  Nobody hears
# the prices of `ballast sim`: they are those of an hour of the day.
set -u
. tests/lib.sh
what="the demo site obeys a VTN"
. tests/peers/vtn.sh

read -r meter block < <(free_ports 2)
sed -e '/demand_charge/d; /swing_max/d; s#ramp_max: 2 MW/min#ramp_max: 20 MW/min#' \
    -e 's/plan_every: 5 min/plan_every: 10 s/' \
    -e "s/16011/$meter/; s/16021/$bess/; s/16022/$block/; s/18830/$mqtt/" \
    -e "s#ballast.db#$dir/t.db#" replay/sites/demo.yaml >"$dir/site.yaml"
cat >>"$dir/site.yaml" <<EOF
utility: {openadr: {base: "$base", client: ven_client, secret_file: secret, program: dc-capacity, poll: 1 s}}
EOF

sed 's#price/day_ahead#price/unheard#' "$dir/site.yaml" >"$dir/devices.yaml"
cmp -s "$dir/site.yaml" "$dir/devices.yaml" &&
    verdict "the devices' prices are not heard" "the demo has another topic"

# of EXPRESSION: of the status 's'
of()
{
    "$BALLAST" status "$dir/t.db" --json >"$dir/status.json" 2>/dev/null
    /usr/bin/python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$dir/status.json" "$1" 2>&1 | tail -1
}
grid()
{
    of 'round(s["grid"]["power_w"] / 1e3)'
}
# until SECONDS EXPRESSION: waits for it to be true; false where it never is
until_true()
{
    local end=$(($(date +%s) + $1))
    while [ "$(date +%s)" -lt "$end" ]; do
        [ "$(of "$2")" = True ] && return
        sleep 0.2
    done
    return 1
}
# history FROM TO EXPRESSION: of the seconds between two instants, 'r'
history()
{
    "$BALLAST" export "$dir/t.db" --history --from "$(at "$1")" \
        --to "$(at "$2")" >"$dir/history.csv" 2>/dev/null
    /usr/bin/python3 -c '
import csv, sys
r = [{k: float(v) if k != "time_utc" and v else v for k, v in x.items()}
     for x in csv.DictReader(open(sys.argv[1]))]
print(eval(sys.argv[2]))' "$dir/history.csv" "$3" 2>&1 | tail -1
}
till()
{
    while [ "$(date +%s)" -lt "$1" ]; do sleep 0.1; done
}
# id: of the event that was made last
id()
{
    sed 's/.*"id":"\([^"]*\)","createdDateTime.*/\1/' "$dir/event.json"
}
# prices METHOD PATH NOW LATER: ten minutes at one price, an hour at another
prices()
{
    bl "$1" "$2" "{\"programID\":\"$program\",\"eventName\":\"price\",
\"intervalPeriod\":{\"start\":\"$(at $(($(date +%s) / 300 * 300)))\",\"duration\":\"PT1H\"},
\"payloadDescriptors\":[{\"objectType\":\"EVENT_PAYLOAD_DESCRIPTOR\",\"payloadType\":\"PRICE\",\"units\":\"KWH\",\"currency\":\"USD\"}],
\"intervals\":[{\"id\":0,\"intervalPeriod\":{\"start\":\"$(at $(($(date +%s) / 300 * 300)))\",\"duration\":\"PT10M\"},\"payloads\":[{\"type\":\"PRICE\",\"values\":[$3]}]},
{\"id\":1,\"payloads\":[{\"type\":\"PRICE\",\"values\":[$4]}]}]}" \
        >"$dir/event.json"
}

mosquitto -c "$dir/m.conf" >"$dir/m.log" 2>&1 &
pids="$pids $!"
start_vtn "$dir/state.json"
program=$(bl POST /programs '{"programName":"dc-capacity"}' |
    sed 's/.*"id":"\([^"]*\)".*/\1/')
"$BALLAST" sim "$dir/devices.yaml" --from 70s >"$dir/sim.log" 2>&1 &
pids="$pids $!"
sleep 1
"$BALLAST" run "$dir/site.yaml" >"$dir/run.log" 2>&1 &
pids="$pids $!"
why=
until_true 20 's["openadr"]["up"] and s["grid"]["power_w"] > 10e6' ||
    why="$(tail -1 "$dir/run.log")"
verdict "the demo site is in control and knows its VTN" "$why"

# A limit that lies ahead: 30 % less than what is drawn, for 20 s.
before=$(grid)
limit=$((before * 7 / 10))
start=$(($(date +%s) + 75))
# Beside an end of the plan's slots it would begin with the slot before.
while [ $((start % 300)) -lt 40 ] || [ $((start % 300)) -gt 230 ]; do
    start=$((start + 10))
done
bl POST /events "{\"programID\":\"$program\",\"eventName\":\"cap\",\"priority\":0,
\"intervalPeriod\":{\"start\":\"$(at $start)\",\"duration\":\"PT20S\"},
\"payloadDescriptors\":[{\"objectType\":\"EVENT_PAYLOAD_DESCRIPTOR\",\"payloadType\":\"IMPORT_CAPACITY_LIMIT\",\"units\":\"KW\"}],
\"reportDescriptors\":[{\"payloadType\":\"USAGE\"},{\"payloadType\":\"DEMAND\",\"readingType\":\"PEAK\"},{\"payloadType\":\"OPERATING_STATE\"}],
\"intervals\":[{\"id\":0,\"payloads\":[{\"type\":\"IMPORT_CAPACITY_LIMIT\",\"values\":[$limit]}]}]}" \
    >"$dir/event.json"
cap=$(id)

# Meanwhile prices: cheap now and dear later, then the other way round.
prices POST /events 0.01 9
price=$(id)
why=
until_true 30 'abs(s["price"]["per_kwh"] - 0.01) < 1e-9 and s["plan"]["battery_w"] > 1e5' ||
    why="$(of '[s["price"], s["plan"]["battery_w"], s["plan"]["status"]]')"
verdict "a cheap hour of the utility's series is planned for charging" "$why"
sleep 6
cheap=$(history $(($(date +%s) - 4)) "$(date +%s)" 'round(sum(x["battery_w"] for x in r) / len(r) / 1e3)')
prices PUT "/events/$price" 9 0.01
why=
until_true 30 'abs(s["price"]["per_kwh"] - 9) < 1e-9 and s["plan"]["battery_w"] < -1e5' ||
    why="$(of '[s["price"], s["plan"]["battery_w"], s["plan"]["status"]]')"
# the grid gives way no faster than its ramp
dear=$cheap
while [ "$dear" -ge $((cheap - 200)) ] && [ "$(date +%s)" -lt $((start - 4)) ]; do
    sleep 2
    dear=$(history $(($(date +%s) - 4)) "$(date +%s)" 'round(sum(x["battery_w"] for x in r) / len(r) / 1e3)')
done
[ "$dear" -lt $((cheap - 200)) ] || why="$why batteries at $cheap kW, then $dear kW"
verdict "what it revises is planned anew: discharged while it is dear ($cheap, then $dear kW)" "$why"
bl DELETE "/events/$price" >"$dir/event.json"

till $((start + 21))
sleep 2
# the limit holds on means: of these 20 s, and of the first 10 as well
top=$(history $start $((start + 20)) 'round(max(sum(x["grid_mean_w"] for x in r[:n]) / n for n in (10, len(r))) / 1e3)')
ramp=$(history $((start - 70)) $((start + 20)) 'round(max(abs(x["ramp_max_w_per_s"]) for x in r) * 60 / 1e6, 1)')
why=
[ "$top" -le "$limit" ] || why="$top kW in force, $limit kW allowed"
[ "${ramp%.*}" -le 20 ] || why="ramped at $ramp MW/min"
grep -q '"kind":"violation".*"rule":"import"' "$dir/t.db.evidence" &&
    why="the evidence has a violation"
grep -q "\"kind\":\"limit\".*\"import_max_w\":${limit}000," "$dir/t.db.evidence" ||
    why="the limit is not in the evidence"
verdict "30 % less from the first second on ($before to $top kW, at most $ramp MW/min)" "$why"

# One that comes too late: it holds in 3 s, and the ramp needs more.
sleep 8
before=$(grid)
limit=$((before / 2))
start=$(($(date +%s) + 3))
event late "$(at $start)" PT60S \
    "{\"type\":\"IMPORT_CAPACITY_LIMIT\",\"values\":[$limit]}"
late=$(id)
why=
until_true 8 'any("too late for the ramp" in x for x in s["why"]) and any(a["id"] == "event_late" for a in s["alarms"])' ||
    why="$(of 's["why"]')"
grep -q 'alarm raised: event_late' "$dir/run.log" || why="no line in the log"
sleep 1
"$BALLAST" explain "$dir/t.db" --at "$(at $(($(date +%s) - 1)))" >"$dir/words" 2>&1
grep -q "came too late for the ramp" "$dir/words" || why="$(cat "$dir/words")"
verdict "a limit that comes too late for the ramp is said to" "$why"
need=$((start + (before - limit) * 60 / 20000 + 12)) # and some for the load
till $need
sleep 1
top=$(history $((need - 8)) $need 'round(sum(x["grid_mean_w"] for x in r) / len(r) / 1e3)')
ramp=$(history $((start - 2)) $need 'round(max(abs(x["ramp_max_w_per_s"]) for x in r) * 60 / 1e6, 1)')
why=
[ "$top" -le "$limit" ] || why="$top kW, $limit kW allowed"
[ "${ramp%.*}" -le 20 ] || why="ramped at $ramp MW/min"
[ "${ramp%.*}" -ge 15 ] || why="only ramped at $ramp MW/min"
verdict "and is reached as fast as the ramp permits ($before to $top kW, $ramp MW/min)" "$why"

# Cancelled: back, inside the ramp.
bl DELETE "/events/$late" >"$dir/event.json"
gone=$(date +%s)
why=
until_true 20 "s['grid']['power_w'] > 1.3e3 * $limit and s['utility'] == []" ||
    why="still at $(grid) kW"
ramp=$(history $gone "$(date +%s)" 'round(max(abs(x["ramp_max_w_per_s"]) for x in r) * 60 / 1e6, 1)')
[ "${ramp%.*}" -le 20 ] || why="returns at $ramp MW/min"
verdict "a cancelled event lets the grid return, at most $ramp MW/min" "$why"

# 30 % less than the load, at once: the grid may not be back at it
# yet, and would come back in ten seconds more.
sleep 5
before=$(grid)
event help "0001-01-01T00:00:00Z" PT1H \
    '{"type":"ALERT_GRID_EMERGENCY","values":["help"]}'
obeyed='any(u["kind"] == "emergency" and u["now"] and
    s["grid"]["power_w"] < 1.02 * u["value_w"] and
    u["value_w"] < 0.8 * (s["load"]["demand_w"] + s["load"]["other_w"])
    for u in s["utility"])'
why=
until_true 30 "$obeyed" && sleep 10 && until_true 5 "$obeyed" ||
    why="$(grid) kW, $before before: $(of 's["utility"]') $(of 's["load"]')"
verdict "an emergency is obeyed at once ($before to $(grid) kW)" "$why"

bl GET "/reports?limit=50" >"$dir/reports.json"
why=
for type in USAGE DEMAND OPERATING_STATE; do
    /usr/bin/python3 -c '
import json, sys
r = [x for x in json.load(open(sys.argv[1])) if x["eventID"] == sys.argv[2]]
p = [p for x in r for y in x["resources"] for i in y["intervals"] for p in i["payloads"]]
sys.exit(not any(x["type"] == sys.argv[3] for x in p))' \
        "$dir/reports.json" "$cap" $type || why="$why no $type"
done
verdict "what the limit asked to be told is reported" "$why"

[ $failed = 0 ] || { tail -20 "$dir/run.log"; tail -3 "$dir/vtn.log"; }
exit $failed
