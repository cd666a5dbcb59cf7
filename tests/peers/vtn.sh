#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests against the VTN peer share; sourced after tests/lib.sh with
# $what set.  Skips where the peer cannot be had.  Sets $dir, $pids, $base, the
# ports, and writes a site of one battery and one hall into $dir/site.yaml.
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
