#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Jobs end live, and the batteries cannot take it: pods are told by MQTT to hold
# their floors before, burn what is missing, and come down with the grid; when
# nobody speaks to them any more they come down by themselves.
set -u
. tests/live.sh
needs "floors, live" mosquitto mosquitto_sub mosquitto_pub /usr/bin/python3
read -r mqtt meter b1 < <(free_ports 3)
cat >"$site" <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid:
  import_max: 10 MW
  export_max: 0 MW
  ramp_max: 1.5 MW/min
  contingencies: [{name: jobs end, stop: 3 MW}]
  meter: {modbus: {host: 127.0.0.1, port: $meter, unit: 1, map: sunspec-meter}}
batteries:
  - {name: b1, kind: megapack, energy: 4 MWh, charge_max: 1 MW,
     discharge_max: 1 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp, sim: {soc_start: 50 %, response: 50 ms},
     modbus: {host: 127.0.0.1, port: $b1, unit: 1, map: sunspec}}
classes:
  - {name: training, value: 4 USD/kWh, firm: true}
pods:
  - {name: p, profile: generic, count: 4, power_max: 1 MW, cap_min: 200 kW,
     floor_max: 900 kW, class: training}
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $dir/h.db}
EOS

# heard TOPIC KEY: of the next message there.
heard()
{
    mosquitto_sub -p "$mqtt" -t "ballast/v1/t/$1" -C 1 -W 12 |
        sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p"
}

start_broker
start_sim --load gen:training
sim_listens
fault '{"load_w":3200000}'
start_run
until_holds "the load is served, and floors are out that burn nothing" 25 \
    '3.1e6 < load["served_w"] < 3.3e6 and load["shed_w"] < 1e3 and
     load["floor_w"] > 1.5e6 and load["burn_w"] == 0'
w=$(heard pod/p-001/cap/set floor_w)
verdict "a pod is told its floor with its cap" \
    "$(awk -v w="${w:-0}" 'BEGIN { if (w < 4e5 || w > 9e5) print w " W" }')"
sleep 8

fault '{"load_w":400000}'
until_holds "when jobs end the pods burn what the battery cannot take" 8 \
    'load["burn_w"] > 1e6 and s["grid"]["power_w"] > 2.6e6'
until_holds "the battery takes what it can" 4 'b["b1"]["power_w"] > 0.8e6'
until_holds "and it is told" 5 'any("pods burn" in x for x in s["why"])'
sleep 3 # every pod has said it by then
burnt=$(about 'load["burn_w"]')
# 1.5 MW/min: 375 kW less in 15 s
until_holds "what is burnt goes down with the grid" 30 \
    "load['burn_w'] < ${burnt:-0} - 2e5"
# The machine may hold sim or controller up for a moment.
verdict "the ramp is kept" "$(about '"" if
    s["compliance"]["ramp_max_w_per_s"] < 1.1 * 1.5e6 / 60 else s["compliance"]')"

# Without its controller a pod's floor ends by itself, slowly.
kill -KILL "$run"
wait "$run" 2>/dev/null
run=
before=$(heard pod/p-001/state floor_w)
sleep 34 # the lease is over then
after=$(heard pod/p-001/state floor_w)
verdict "a floor whose lease is over goes down, not away" \
    "$(awk -v a="${before:-0}" -v b="${after:-0}" 'BEGIN {
        if (a < 1e5 || b >= a || b <= 0) print a " W, then " b " W" }')"
exit $failed
