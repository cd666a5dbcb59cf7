#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The control thread allocates nothing, from its first tick on: counted in a
# live run with devices, broker, pods and vehicles, by a preloaded library.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
what="the control thread allocates nothing"
pids=
cleanup()
{
    # shellcheck disable=SC2086
    kill $pids 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

if grep -qa __asan_init "$BALLAST"; then
    echo "skip - $what: the address sanitizer has its own malloc"
    exit 0
fi
if ! command -v mosquitto >/dev/null; then
    echo "skip - $what: no mosquitto"
    exit 0
fi
if ! ${CC:-cc} -std=c11 -O2 -shared -fPIC -o "$dir/count.so" \
    tests/scenario/alloc/count_alloc.c -ldl 2>"$dir/cc"; then
    echo "not ok - $what: $(head -n 1 "$dir/cc")"
    exit 1
fi

# Ports that were free a moment ago.
read -r mqtt meter b1 < <(free_ports 3)

cat >"$dir/site.yaml" <<EOF
site: {name: t, time_zone: UTC, currency: USD}
grid:
  import_max: 8 MW
  export_max: 8 MW
  ramp_max: 1 MW/min
  meter: {modbus: {host: 127.0.0.1, port: $meter, unit: 1, map: sunspec-meter}}
batteries:
  - {name: b1, kind: megapack, energy: 4 MWh, charge_max: 2 MW,
     discharge_max: 2 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp, modbus: {host: 127.0.0.1, port: $b1, unit: 1, map: sunspec}}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p1, profile: generic, power_max: 1 MW, cap_min: 0.3 MW, class: training}
fleets:
  - {name: lot, nodes: 20, profile: hw4, chemistry: nca, pack: 75 kWh,
     class: training, behind_poi: true}
prices: [{market: day_ahead, topic: ballast/v1/t/price/day_ahead, fallback: 45 USD/MWh}]
mqtt: {host: 127.0.0.1, port: $mqtt}
control: {period: 20 ms}
history: {file: $dir/ballast.db, keep: 1 d}
EOF
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$mqtt" >"$dir/broker"

mosquitto -c "$dir/broker" >"$dir/broker.log" 2>&1 &
pids="$pids $!"
"$BALLAST" sim "$dir/site.yaml" --load gen:training,power="1 MW" --for 15s \
    >"$dir/sim.log" 2>&1 &
pids="$pids $!"
timeout -k 5 60 env COUNT_ALLOC="$dir/count" LD_PRELOAD="$dir/count.so" \
    "$BALLAST" run "$dir/site.yaml" --for 10s >"$dir/run.log" 2>&1
rc=$?

read -r _ threads _ ticks _ allocations < <(cat "$dir/count" 2>/dev/null)
if [ "$rc" -ne 0 ] || [ -z "${ticks:-}" ]; then
    echo "not ok - $what: run ended with $rc: $(tail -n 2 "$dir/run.log")"
    exit 1
elif [ "$threads" -ne 1 ] || [ "$ticks" -lt 250 ]; then
    echo "not ok - $what: $threads threads ticked, $ticks ticks in 10 s"
    exit 1
elif [ "$allocations" -ne 0 ]; then
    echo "not ok - $what: $allocations allocations in $ticks ticks"
    exit 1
fi
echo "ok - $what: none in $ticks ticks"
