#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast run` as a VEN of the VTN peer (node): a capacity limit is obeyed from
# its first second, holds while the VTN is dead and after its return with its
# events, and is cancelled by a return without them; an emergency is obeyed at
# once.
set -u
. tests/lib.sh
what="ballast run obeys a VTN"
peer=$PWD/../shared/peers/vtn
yaml=$PWD/../shared/reference/openadr/openadr3-3.1.0.yaml
for tool in node npm mosquitto; do
    command -v $tool >/dev/null || { echo "skip - $what: no $tool"; exit 0; }
done
[ -r "$peer/vtn.js" ] || { echo "skip - $what: $peer is not here"; exit 0; }
cache=build/vtn-peer
if [ ! -d $cache/node_modules ]; then
    mkdir -p $cache && cp "$peer"/* $cache/ &&
        (cd $cache && timeout 120 npm install --no-audit --no-fund \
            >npm.log 2>&1) || rm -rf $cache/node_modules
fi
[ -d $cache/node_modules ] ||
    { echo "skip - $what: npm cannot install express (no network?)"; exit 0; }

dir=$(mktemp -d) || exit 1
pids=
vtn=
cleanup()
{
    # shellcheck disable=SC2086
    kill $pids $vtn 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
read -r mqtt bess door < <(free_ports 3)
base=http://127.0.0.1:$door/openadr3/3.1.0

cat >"$dir/site.yaml" <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 6 MW, export_max: 0 MW, ramp_max: 6 MW/min}
batteries:
  - {name: b1, kind: megapack, energy: 3854 kWh, charge_max: 1927 kW, discharge_max: 1927 kW, efficiency: 92 %, soc_min: 10 %, soc_max: 90 %, chemistry: lfp, modbus: {host: 127.0.0.1, port: $bess, unit: 1, map: sunspec}}
pods:
  - {name: hall, profile: generic, count: 4, power_max: 1 MW, cap_min: 0.3 MW, class: training}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
mqtt: {host: 127.0.0.1, port: $mqtt}
utility: {openadr: {base: "$base", client: ven_client, secret_file: secret, program: dc-capacity, poll: 1 s}}
history: {file: $dir/t.db}
EOS
echo 999 >"$dir/secret"
chmod 600 "$dir/secret"
printf 't_s,load_kw\n0,3000\n600,3000\n' >"$dir/load.csv"
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$mqtt" >"$dir/m.conf"

# The utility's side: bl.py METHOD PATH [JSON]
cat >"$dir/bl.py" <<'EOS'
import json, sys, urllib.request as u, urllib.parse as p
base, method, path = sys.argv[1:4]
form = p.urlencode({"grant_type": "client_credentials", "client_id": "bl_client", "client_secret": "1001"})
token = json.load(u.urlopen(base + "/auth/token", form.encode()))["access_token"]
body = sys.argv[4].encode() if len(sys.argv) > 4 else None
r = u.Request(base + path, body, {"Authorization": "Bearer " + token, "Content-Type": "application/json"}, method=method)
print(u.urlopen(r).read().decode())
EOS
bl()
{
    /usr/bin/python3 "$dir/bl.py" "$base" "$@"
}
# start_vtn [STATE]
start_vtn()
{
    (cd $cache && STATE=${1:-} exec node vtn.js "$yaml" "$door") \
        >>"$dir/vtn.log" 2>&1 &
    vtn=$!
    for _ in $(seq 50); do
        bl GET /programs >/dev/null 2>&1 && return
        sleep 0.1
    done
}
stop_vtn()
{
    kill $vtn
    wait $vtn 2>/dev/null
}
# event NAME START DURATION PAYLOAD
event()
{
    bl POST /events "{\"programID\":\"$program\",\"eventName\":\"$1\",\"priority\":0,\"intervalPeriod\":{\"start\":\"$2\",\"duration\":\"$3\"},\"intervals\":[{\"id\":0,\"payloads\":[$4]}]}" >"$dir/event.json"
}
at()
{
    date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ
}
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
