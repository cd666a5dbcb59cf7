#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The breaker at the grid connection opens under a running controller and closes
# again: mosquitto, `ballast sim` as the devices and the relay, `ballast run`.
set -u
. tests/live.sh
needs "a site that is cut off live" mosquitto mosquitto_pub mosquitto_sub \
    /usr/bin/python3
read -r mqtt meter b1 b2 < <(free_ports 4)
cat >"$site" <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid:
  import_max: 8 MW
  export_max: 0 MW
  ramp_max: 6 MW/min
  island_load: 1.8 MW
  island_duration: 30 min
  meter: {modbus: {host: 127.0.0.1, port: $meter, unit: 1, map: sunspec-meter}}
batteries:
$(battery b1 "$b1")
$(battery b2 "$b2")
classes:
  - {name: batch, value: 1 USD/kWh, firm: true}
  - {name: inference, value: 9 USD/kWh, firm: true}
pods:
  - {name: p1, profile: generic, power_max: 2 MW, cap_min: 0.3 MW, class: batch}
  - {name: p2, profile: generic, power_max: 2 MW, cap_min: 0.3 MW, class: inference}
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $dir/h.db}
EOS
printf 't_s,load_w\n0,3000000\n3600,3000000\n' >"$dir/load.csv"

start_broker
start_sim --load "$dir/load.csv"
start_run --for 5min
until_holds "the load is served from the grid" 30 \
    's["grid"]["meter"] == "good" and abs(s["grid"]["power_w"] - 3e6) < 1e5 and
     s["pods"]["online"] == 2 and load["served_w"] > 2.9e6 and
     all(x["state"] == "ready" for x in b.values())'

for word in '{"v":1,"kind":"import_max"}' not-json '{}'; do
    say -t ballast/v1/t/utility/limit -m "$word"
    sleep 0.3
done
said=$(grep 'refused what the utility said' "$dir/run.log")
why="said: $said"
[ "$(echo "$said" | wc -l)" = 1 ] && case $said in
*'warn  refused what the utility said: ballast/v1/t/utility/limit: "'*) why= ;;
esac
verdict "what the utility says in vain is a warning, one a minute" "$why"

fault '{"island":true}'
until_holds "cut off, the relay's word is in force" 10 \
    'any(u["kind"] == "island" and u["now"] for u in s["utility"])'
until_holds "the grid carries nothing and the priority load is held" 15 \
    'abs(s["grid"]["power_w"]) < 2e4 and 1.2e6 < load["served_w"] < 1.81e6'
until_holds "the batteries give what it draws" 5 \
    'abs(sum(x["power_w"] for x in b.values()) + load["served_w"]) < 1e5'
until_holds "work of low value goes first, and why is told" 5 \
    'any("cut off from the grid" in x for x in s["why"]) and
     s["pods"]["capped"] >= 1'
verdict "a voltage of 0 behind the open breaker freezes nothing" \
    "$(about '"" if not any("voltage" in x for x in s["why"]) else s["why"]')"

fault '{"island":false}'
until_holds "closed again, the word is over" 10 \
    'not any(u["kind"] == "island" for u in s["utility"])'
sleep 6
# 6 MW/min: 0.6 MW in the first six seconds, and what a busy machine delays.
verdict "the load comes back in stages" \
    "$(about '"" if s["grid"]["power_w"] < 2.4e6 else s["grid"]')"
until_holds "and all of it comes back" 60 \
    'load["served_w"] > 2.9e6 and s["grid"]["power_w"] > 2.7e6'

# Said with another's feed, and refused where it is nonsense.
fault '{"island":true,"fed_w":1000000}'
until_holds "what others feed in is drawn" 20 \
    'abs(s["grid"]["power_w"] - 1e6) < 1e5'
fault '{"island":true,"fed_w":500000}'
until_holds "and no more than they still do" 20 \
    'abs(s["grid"]["power_w"] - 5e5) < 1e5'
fault '{"island":1}'
fault '{"island":true,"fed_w":-1}'
fault '{"island":true,"fed":1}'
for _ in $(seq 50); do
    [ "$(grep -c 'island.*refused' "$dir/sim.log")" -ge 3 ] && break
    sleep 0.1
done
verdict "a fault that is none is refused" \
    "$([ "$(grep -c 'island.*refused' "$dir/sim.log")" = 3 ] ||
        grep island "$dir/sim.log")"
stop_run
verdict "the controller ends with 0" "$([ "$code" = 0 ] || echo "exit $code")"
kill "$sim"
wait "$sim"
sim=
word=$(mosquitto_sub -p "$mqtt" -t ballast/v1/t/utility/limit -C 1 -W 5)
verdict "a relay that goes leaves no word of an island behind" \
    "$(case $word in *'"end"'*) ;; *) echo "retained: $word" ;; esac)"
exit $failed
