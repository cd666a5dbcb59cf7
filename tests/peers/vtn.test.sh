#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast run` as a VEN of the VTN peer (node): a capacity limit is obeyed from
# its first second, holds while the VTN is dead and after its return with its
# events, and is cancelled by a return without them; an emergency is obeyed at
# once.
set -u
. tests/lib.sh
what="ballast run obeys a VTN"
. tests/peers/vtn.sh
grid()
{
    "$BALLAST" status "$dir/t.db" --json >"$dir/status.json" 2>/dev/null
    /usr/bin/python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))
print(round(s["grid"]["power_w"] / 1e3))' "$dir/status.json"
}
# most SECONDS: the largest grid power seen, kW
most()
{
    local until=$(($(date +%s) + $1)) top=0 kw
    while [ "$(date +%s)" -lt "$until" ]; do
        kw=$(grid)
        [ "${kw:-99999}" -gt "$top" ] && top=${kw:-99999}
        sleep 0.2
    done
    echo "$top"
}

mosquitto -c "$dir/m.conf" >"$dir/m.log" 2>&1 &
pids="$pids $!"
start_vtn "$dir/state.json"
program=$(bl POST /programs '{"programName":"dc-capacity"}' |
    sed 's/.*"id":"\([^"]*\)".*/\1/')
"$BALLAST" sim "$dir/site.yaml" --load "$dir/load.csv" >"$dir/sim.log" 2>&1 &
pids="$pids $!"
sleep 1
"$BALLAST" run "$dir/site.yaml" >"$dir/run.log" 2>&1 &
pids="$pids $!"
for _ in $(seq 50); do
    "$BALLAST" status "$dir/t.db" --json 2>/dev/null |
        grep -q '"openadr":{"up":true' && break
    sleep 0.2
done

why=
bl GET /vens | grep -q '"venName":"t"' || why="no ven t"
bl GET /resources | grep -q '"resourceName":"b1"' || why="no resource b1"
verdict "node and resources are registered" "$why"

start=$(($(date +%s) + 22))
event cap "$(at $start)" PT90S '{"type":"IMPORT_CAPACITY_LIMIT","values":[2100]}'
sleep 3
why=
"$BALLAST" status "$dir/t.db" >"$dir/words" 2>&1
grep -q '^utility    import_max 2.10 MW, from' "$dir/words" ||
    why="$(grep utility "$dir/words")"
verdict "status tells of the limit that comes" "$why"
while [ "$(date +%s)" -lt "$start" ]; do sleep 0.05; done
top=$(most 6)
why=
[ "$top" -le 2102 ] || why="$top kW"
verdict "30 % less from the first second on (at most $top kW)" "$why"

stop_vtn
top=$(most 5)
why=
[ "$top" -le 2102 ] || why="$top kW"
grep -q '"openadr":{"up":false' "$dir/status.json" || why="the link is not down"
verdict "the limit holds while the VTN is dead" "$why"
start_vtn "$dir/state.json"
top=$(most 10)
why=
[ "$top" -le 2102 ] || why="$top kW"
grep -q '"openadr":{"up":true' "$dir/status.json" || why="the link is not up"
verdict "and after its return with its events" "$why"

stop_vtn
start_vtn
bl POST /programs '{"programName":"dc-capacity"}' >/dev/null
program=$(bl GET /programs | sed 's/.*"id":"\([^"]*\)".*/\1/')
sleep 5
kw=$(grid)
top=$(most 8)
why=
[ "$kw" -lt 2900 ] || why="back at $kw kW after 5 s: no ramp"
[ "$top" -gt 2300 ] || why="still at $top kW: not cancelled"
verdict "a full list without the event cancels it, ramped ($kw, $top kW)" "$why"

sleep 6
before=$(grid)
event help "0001-01-01T00:00:00Z" PT1H \
    '{"type":"ALERT_GRID_EMERGENCY","values":["help"]}'
sleep 10
top=$(most 3)
why=
[ "$top" -le $((before * 3 / 4)) ] || why="$top kW, $before before"
grep -q '"kind":"emergency"' "$dir/status.json" || why="no emergency in status"
verdict "an emergency sheds 30 % at once ($before to $top kW)" "$why"

[ $failed = 0 ] || { tail -20 "$dir/run.log"; tail -3 "$dir/vtn.log"; }
exit $failed
