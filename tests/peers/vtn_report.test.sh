#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast run` reports to the VTN peer, which checks every report against the
# Alliance's yaml: what the events ask for, when it is due, each once - also
# where the VTN is away when it is, and after a restart of the controller.
set -u
. tests/lib.sh
what="ballast run reports to a VTN"
. tests/peers/vtn.sh

# reports: all that the VTN has, into $dir/reports.json
reports()
{
    bl GET "/reports?limit=50" >"$dir/reports.json"
}
# of EXPRESSION: of the list of reports 'r', and 'by' name
of()
{
    /usr/bin/python3 -c '
import json, sys
r = json.load(open(sys.argv[1]))
by = {x["reportName"]: x for x in r}
def intervals(name, k=0): return by[name]["resources"][k]["intervals"]
def values(name): return [i["payloads"][0]["values"][0] for i in intervals(name)]
print(eval(sys.argv[2]))' "$dir/reports.json" "$1" 2>&1 | tail -1
}
# expect EXPRESSION WHAT: sets $why
expect()
{
    local got
    got=$(of "$1")
    [ "$got" = True ] || why="$2: $got"
}
start_run()
{
    "$BALLAST" run "$dir/site.yaml" >>"$dir/run.log" 2>&1 &
    run=$!
}

run=
trap 'kill -9 $run 2>/dev/null; cleanup' EXIT
mosquitto -c "$dir/m.conf" >"$dir/m.log" 2>&1 &
pids="$pids $!"
start_vtn "$dir/state.json"
program=$(bl POST /programs '{"programName":"dc-capacity"}' |
    sed 's/.*"id":"\([^"]*\)".*/\1/')
"$BALLAST" sim "$dir/site.yaml" --load "$dir/load.csv" >"$dir/sim.log" 2>&1 &
pids="$pids $!"
sleep 1
start_run
for _ in $(seq 50); do
    "$BALLAST" status "$dir/t.db" --json 2>/dev/null |
        grep -q '"openadr":{"up":true' && break
    sleep 0.2
done
sleep 8

# Three intervals of 4 s, whose ids are not a sequence.
start=$(($(date +%s) + 3))
interval()
{
    echo "{\"id\":$1,\"payloads\":[{\"type\":\"IMPORT_CAPACITY_LIMIT\",\"values\":[4000]}]}"
}
bl POST /events "{\"programID\":\"$program\",\"eventName\":\"cap\",
\"intervalPeriod\":{\"start\":\"$(at $start)\",\"duration\":\"PT4S\"},
\"reportDescriptors\":[{\"payloadType\":\"USAGE\"},
 {\"payloadType\":\"DEMAND\",\"readingType\":\"PEAK\",\"startInterval\":0,\"numIntervals\":1,\"repeat\":-1},
 {\"payloadType\":\"STORAGE_CHARGE_LEVEL\",\"numIntervals\":1},
 {\"payloadType\":\"OPERATING_STATE\",\"numIntervals\":1},
 {\"payloadType\":\"BASELINE\"},
 {\"payloadType\":\"X-VENDOR\"},
 {\"payloadType\":\"USAGE\",\"historical\":false}],
\"intervals\":[$(interval 30),$(interval 10),$(interval 20)]}" >"$dir/event.json"
cap=$(sed 's/.*"id":"\([^"]*\)","createdDateTime.*/\1/' "$dir/event.json")
bl POST /events "{\"programID\":\"$program\",\"eventName\":\"soc\",
\"intervalPeriod\":{\"start\":\"0001-01-01T00:00:00Z\",\"duration\":\"PT0H\"},
\"reportDescriptors\":[
 {\"payloadType\":\"STORAGE_USABLE_CAPACITY\",\"frequency\":0,\"reportIntervals\":\"OPEN_INTERVALS\"},
 {\"payloadType\":\"STORAGE_MAX_CHARGE_POWER\",\"frequency\":0,\"reportIntervals\":\"OPEN_INTERVALS\"},
 {\"payloadType\":\"STORAGE_MAX_DISCHARGE_POWER\",\"frequency\":0,\"aggregate\":true}]}" \
    >"$dir/event.json"
soc=$(sed 's/.*"id":"\([^"]*\)","createdDateTime.*/\1/' "$dir/event.json")

# No intervals: the descriptor implies hours since yesterday.
bl POST /events "{\"programID\":\"$program\",\"eventName\":\"ahead\",
\"intervalPeriod\":{\"start\":\"$(at $((start - 86400 - 1800)))\",\"duration\":\"PT1H\"},
\"reportDescriptors\":[{\"payloadType\":\"USAGE\",\"aggregate\":true,\"startInterval\":0,
 \"numIntervals\":6,\"historical\":false,\"frequency\":1,\"repeat\":-1},
 {\"payloadType\":\"BASELINE\",\"units\":\"KWH\",\"startInterval\":0,\"numIntervals\":2,
 \"historical\":false,\"frequency\":1,\"repeat\":-1}]}" >"$dir/event.json"
ahead=$(sed 's/.*"id":"\([^"]*\)","createdDateTime.*/\1/' "$dir/event.json")

while [ "$(date +%s)" -lt $((start + 9)) ]; do sleep 0.1; done
reports
why=
expect "set(n.split('/')[1] for n in by if n.startswith('$soc')) == {'0','1','2'}" \
    "reports that the VEN may time"
expect "by['$soc/0/0']['resources'][0]['resourceName'] == 'b1'" "resource"
expect "3000 < values('$soc/0/0')[0] <= 3854" "usable capacity, kWh"
expect "0 < values('$soc/1/0')[0] <= 1927" "charge power, kW"
expect "by['$soc/2/0']['resources'][0]['resourceName'] == 'AGGREGATED_REPORT'" \
    "the sum of all"
verdict "an event of reports only is answered at once" "$why"

why=
expect "'$cap/1/0' in by and '$cap/1/1' in by and '$cap/1/2' not in by" \
    "two of three intervals are over"
expect "[i['id'] for i in intervals('$cap/1/1')] == [10]" "its interval's id"
expect "2000 < values('$cap/1/0')[0] < 4500" "peak demand, kW"
expect "not any(n.startswith('$cap/0/') for n in by)" "usage before the end"
verdict "demand is reported after each interval, by its id" "$why"

why=
expect "'$ahead/0/24' in by and not any(n.startswith('$ahead/0/2') and n != '$ahead/0/24' for n in by)" \
    "the forecast of the hour that has begun"
expect "[i['id'] for i in intervals('$ahead/0/24')] == [24, 25, 26, 27, 28, 29]" \
    "six hours ahead"
expect "all(500 < v < 6000 for v in values('$ahead/0/24')[1:])" "planned, kWh"
expect "by['$ahead/0/24']['payloadDescriptors'][0]['readingType'] == 'FORECAST'" \
    "reading type"
expect "by['$ahead/0/24']['resources'][0]['resourceName'] == 'AGGREGATED_REPORT'" \
    "sum"
expect "by['$ahead/1/24']['payloadDescriptors'][0]['units'] == 'KWH' and len(values('$ahead/1/24')) == 2" \
    "baseline ahead"
verdict "what lies ahead is reported by the plan, in implied intervals" "$why"

# The VTN is away when the rest is due.
stop_vtn
while [ "$(date +%s)" -lt $((start + 13)) ]; do sleep 0.1; done
start_vtn "$dir/state.json"
for _ in $(seq 80); do
    reports
    [ "$(of "len(by)")" -ge 13 ] && break
    sleep 0.25
done
why=
expect "[i['id'] for i in intervals('$cap/0/0')] == [30, 10, 20]" "ids of usage"
expect "all(1 < v < 6 for v in values('$cap/0/0'))" "usage in 4 s, kWh"
expect "intervals('$cap/0/0')[0]['intervalPeriod']['duration'] == 'PT4S'" \
    "its time"
expect "0.1 < values('$cap/2/0')[0] < 0.9" "charge level"
expect "by['$cap/2/0']['payloadDescriptors'][0]['units'] == 'PERCENT'" "unit"
expect "values('$cap/3/0') == ['RUNNING_CURTAILED']" "operating state"
expect "len(values('$cap/4/0')) == 3 and 2000 < values('$cap/4/0')[0] < 4500" \
    "baseline, kW"
expect "all(i['payloads'][1]['values'] == ['ESTIMATED'] for i in intervals('$cap/4/0'))" \
    "it says that there are no days like it"
expect "len(values('$cap/6/0')) >= 1 and all(0 < v < 6 for v in values('$cap/6/0'))" \
    "forecast of usage, kWh"
expect "sorted(n for n in by if n.startswith('$cap/')) == sorted('$cap/' + x for x in ['0/0','1/0','1/1','1/2','2/0','3/0','4/0','6/0'])" \
    "nothing else"
verdict "what was due while the VTN was away comes afterwards" "$why"

# A restart sends nothing again, not even without its history.
kill -9 $run
wait $run 2>/dev/null
n=$(of "len(r)")
start_run
sleep 3
reports
why=
[ "$(of "len(r)")" = "$n" ] || why="$n before, $(of "len(r)") after"
expect "len(r) == len(by)" "one was sent twice"
kill -9 $run
wait $run 2>/dev/null
rm -f "$dir"/t.db*
start_run
sleep 4
reports
[ "$(of "len(r)")" = "$n" ] ||
    why="without its history $n before, $(of "len(r)") after"
verdict "no report is sent twice" "$why"

[ $failed = 0 ] || { tail -30 "$dir/run.log"; tail -3 "$dir/vtn.log"; }
exit $failed
