#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast override` and `ballast alarms` beside a VTN (node): an operator opts
# out of a set-point, not out of a capacity limit; a limit set by hand holds
# where it is stricter, over a restart, until it ends; all of it is told to
# status, log, evidence and the VTN.
set -u
. tests/lib.sh
what="an operator overrides a VTN"
. tests/peers/vtn.sh

# of EXPRESSION: of the status 's'
of()
{
    "$BALLAST" status "$dir/t.db" --json >"$dir/status.json" 2>/dev/null
    /usr/bin/python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))
kw = s["grid"]["power_w"] / 1e3
print(eval(sys.argv[2]))' "$dir/status.json" "$1" 2>&1 | tail -1
}
# until_true SECONDS EXPRESSION: waits for it to be true; sets $why where not
until_true()
{
    local end=$(($(date +%s) + $1))
    while [ "$(date +%s)" -lt "$end" ]; do
        [ "$(of "$2")" = True ] && return
        sleep 0.2
    done
    why="$why not $2: $(of '[kw, s["utility"], s["why"]]')"
}
override()
{
    "$BALLAST" override "$dir/t.db" "$@" >"$dir/said" 2>&1
}
start_run()
{
    "$BALLAST" run "$dir/site.yaml" >>"$dir/run.log" 2>&1 &
    run=$!
}

run=
trap 'kill -9 $run 2>/dev/null; cleanup' EXIT
why=
"$BALLAST" override "$dir/site.yaml" --import-max '2 MW' --for '1 min' \
    >"$dir/said" 2>&1
[ $? = 1 ] || why="nobody answers: $(cat "$dir/said")"
touch "$dir/t.db"
override --import-max '2 MW'
[ $? = 2 ] || why="$why; without an end: $(cat "$dir/said")"
override --import-max 2 --for '1 min'
[ $? = 2 ] || why="$why; without a unit: $(cat "$dir/said")"
override --import-max '2 MW' --reserve '10 %' --for '1 min'
[ $? = 2 ] || why="$why; two at once: $(cat "$dir/said")"
rm "$dir/t.db"
verdict "what is not meant is refused" "$why"

mosquitto -c "$dir/m.conf" >"$dir/m.log" 2>&1 &
pids="$pids $!"
start_vtn "$dir/state.json"
program=$(bl POST /programs '{"programName":"dc-capacity"}' |
    sed 's/.*"id":"\([^"]*\)".*/\1/')
"$BALLAST" sim "$dir/site.yaml" --load "$dir/load.csv" >"$dir/sim.log" 2>&1 &
sim=$!
pids="$pids $sim"
sleep 1
start_run
why=
until_true 20 's["openadr"]["up"] and kw > 2800'

# A set-point is asked for, with a report of how it went.
start=$(($(date +%s) + 1))
bl POST /events "{\"programID\":\"$program\",\"eventName\":\"ask\",
\"intervalPeriod\":{\"start\":\"$(at $start)\",\"duration\":\"PT24S\"},
\"reportDescriptors\":[{\"payloadType\":\"OPERATING_STATE\"}],
\"intervals\":[{\"id\":0,\"payloads\":[{\"type\":\"DISPATCH_SETPOINT\",\"values\":[2500]}]}]}" \
    >"$dir/event.json"
ask=$(sed 's/.*"id":"\([^"]*\)","createdDateTime.*/\1/' "$dir/event.json")
until_true 15 'kw < 2600 and s["utility"][0]["kind"] == "setpoint"'
override --opt-out nothing --for '1 min'
[ $? = 1 ] || why="$why; of nothing: $(cat "$dir/said")"
override --opt-out ask --for '5 min' || why="$why; $(cat "$dir/said")"
grep -q "opted out of $ask" "$dir/said" || why="$why; said: $(cat "$dir/said")"
until_true 15 'kw > 2900 and s["utility"] == [] and s["openadr"]["asks"][0]["opted_out"] and not s["openadr"]["asks"][0]["stays"]'
verdict "a set-point that is opted out of is not followed" "$why"

why=
"$BALLAST" status "$dir/t.db" >"$dir/words"
grep -q "^operator   opted out of $ask until" "$dir/words" ||
    why="status: $(cat "$dir/words")"
grep -q "override: opted out of $ask" "$dir/run.log" || why="$why no log"
sleep 1
grep -q "\"kind\":\"override\".*\"what\":\"$ask\",\"text\":\"opted out" \
    "$dir/t.db.evidence" || why="$why no evidence"
"$BALLAST" verify "$dir/t.db.evidence" >"$dir/words" 2>&1 ||
    why="$why $(cat "$dir/words")"
for _ in $(seq 100); do
    bl GET "/reports?limit=50" >"$dir/reports.json"
    grep -q "\"eventID\":\"$ask\"" "$dir/reports.json" && break
    sleep 0.3
done
grep -q RUNNING_OPTED_OUT "$dir/reports.json" ||
    why="$why reports: $(cat "$dir/reports.json")"
verdict "it is told to status, log, evidence and the VTN" "$why"

# A capacity limit stays, and a tighter one of the operator goes before it.
why=
event cap "0001-01-01T00:00:00Z" PT1H \
    '{"type":"IMPORT_CAPACITY_LIMIT","values":[2600]}'
until_true 15 'kw < 2610'
override --opt-out cap --for '5 min' || why="$why; $(cat "$dir/said")"
grep -q "its limits and emergencies stay" "$dir/said" ||
    why="$why; said: $(cat "$dir/said")"
sleep 3
until_true 1 'kw < 2610 and any(u["kind"] == "import_max" for u in s["utility"]) and any(a["opted_out"] and a["stays"] for a in s["openadr"]["asks"])'
verdict "a capacity limit is not opted out of" "$why"

why=
ends=$(($(date +%s) + 40))
override --import-max '2.3 MW' --for '30 s' || why="$(cat "$dir/said")"
until_true 15 'kw < 2310 and any(u["by"] == "operator" and u["now"] for u in s["utility"])'
override
grep -q "import at most 2.30 MW until" "$dir/said" ||
    why="$why; listed: $(cat "$dir/said")"
override --import-max '2.9 MW' --for '30 s' --json || why="$why; $(cat "$dir/said")"
sleep 4
until_true 1 'kw < 2610'
override --import-max '2.3 MW' --for "$((ends - $(date +%s))) s" ||
    why="$why; $(cat "$dir/said")"
verdict "of the operator's limit and the utility's the tighter holds" "$why"

why=
kill -9 $run
wait $run 2>/dev/null
start_run
until_true 15 'kw < 2310 and len(s["overrides"]) == 3'
while [ "$(date +%s)" -le "$ends" ]; do sleep 0.2; done
until_true 10 '2310 < kw < 2610 and len(s["overrides"]) == 2'
grep -q "override: import_max has ended" "$dir/run.log" || why="$why no log"
override --clear all || why="$why; $(cat "$dir/said")"
until_true 3 's["overrides"] == []'
verdict "it outlives a restart, ends by itself, and can be taken back" "$why"

why=
"$BALLAST" alarms "$dir/t.db" >"$dir/words" 2>&1 || why="$(cat "$dir/words")"
grep -q "^no alarms\|^warning " "$dir/words" || why="said: $(cat "$dir/words")"
kill $sim
for _ in $(seq 60); do
    "$BALLAST" alarms "$dir/t.db" >"$dir/words" 2>&1
    code=$?
    grep -q "^critical .* device_offline .*check power and network" \
        "$dir/words" && break
    sleep 0.3
done
[ $code = 1 ] || why="$why; code $code: $(cat "$dir/words")"
head -1 "$dir/words" | grep -q "^critical  for " ||
    why="$why; first: $(head -1 "$dir/words")"
"$BALLAST" alarms "$dir/t.db" --json | grep -q '^\[{"id":' ||
    why="$why; no JSON list"
verdict "alarms come with why and what to do, the worst first" "$why"

[ $failed = 0 ] || { tail -20 "$dir/run.log"; tail -3 "$dir/vtn.log"; }
exit $failed
