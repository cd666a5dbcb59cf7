#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Compute that must give, live: a small battery, a job that starts, a pod that
# takes its cap and does not obey, one that runs hot; `ballast sim` plays them.
set -u
. tests/live.sh
needs "pods that disobey" mosquitto mosquitto_sub mosquitto_pub /usr/bin/python3
read -r mqtt meter b1 < <(free_ports 3)
cat >"$site" <<EOF
site: {name: t, time_zone: UTC, currency: USD}
grid:
  import_max: 10 MW
  export_max: 0 MW
  ramp_max: 300 kW/min
  contingencies: []
  meter: {modbus: {host: 127.0.0.1, port: $meter, unit: 1, map: sunspec-meter}}
batteries:
  - {name: b1, kind: megapack, energy: 1 MWh, charge_max: 300 kW,
     discharge_max: 300 kW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp, sim: {soc_start: 60 %, response: 50 ms},
     modbus: {host: 127.0.0.1, port: $b1, unit: 1, map: sunspec}}
classes:
  - {name: training, value: 4 USD/kWh, firm: true}
  - {name: batch, value: 1 USD/kWh, firm: true}
pods:
  - {name: p1, profile: generic, power_max: 1 MW, cap_min: 200 kW, class: batch}
  - {name: p2, profile: generic, power_max: 1 MW, cap_min: 200 kW, class: batch}
  - {name: p3, profile: generic, power_max: 1 MW, cap_min: 200 kW, class: batch}
  - {name: p4, profile: generic, power_max: 1 MW, cap_min: 200 kW, class: training}
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $dir/h.db}
EOF

start_broker
start_sim --load gen:training
sim_listens
fault '{"load_w":1600000}'
start_run
until_holds "the load is seen, nothing is held back" 20 \
    '1.55e6 < load["served_w"] < 1.65e6 and load["shed_w"] < 1e3'
sleep 6 # alarms are told from then on

fault '{"load_w":3200000}'
until_holds "a start that the battery cannot carry is held back" 6 \
    'load["shed_w"] > 1e6 and s["grid"]["power_w"] < 1.9e6'
sleep 3
verdict "the work of the higher value goes on" "$(
    w=$(mosquitto_sub -p "$mqtt" -t ballast/v1/t/pod/p4/state -C 1 -W 5 |
        sed -n 's/.*"power_w":\([0-9]*\).*/\1/p')
    [ "${w:-0}" -gt 750000 ] || echo "p4 draws $w W")"

fault '{"pod":"p1","disobeys":true}'
until_holds "a pod that does not obey is named within 5 s" 7 \
    '("pod_disobeys", "p1") in alarms'
until_holds "others give in its place" 5 's["grid"]["power_w"] < 2.0e6'
verdict "the log says why" "$(
    grep -q 'pod_disobeys: p1 does not come under its cap' "$dir/run.log" ||
        tail -n 3 "$dir/run.log")"
fault '{"pod":"p1","disobeys":false}'
fault '{"pod":"p2","hot":true}'
until_holds "a pod that runs hot is named" 8 '("pod_hot", "p2") in alarms'

stop_run
verdict "it stops cleanly" "$([ $code -eq 0 ] || echo "exit $code")"
exit $failed
