#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast run` in control of a SunSpec battery that others wrote (pymodbus):
# WSet follows the load, the reversion timer is armed and renewed, and after
# kill -9 of the controller the battery comes to rest by itself.
set -u
. tests/lib.sh
peer=$PWD/../shared/peers/sunspec_sim_pymodbus.py
python=/usr/bin/python3
what="ballast run drives a pymodbus battery"
for tool in mosquitto mosquitto_sub; do
    command -v $tool >/dev/null || { echo "skip - $what: no $tool"; exit 0; }
done
[ -r "$peer" ] || { echo "skip - $what: $peer is not here"; exit 0; }
$python -c 'import pymodbus.server' 2>/dev/null ||
    { echo "skip - $what: no python3-pymodbus"; exit 0; }

dir=$(mktemp -d) || exit 1
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
read -r mqtt bess < <(free_ports 2)

# The simulator plays the pods alone; the battery is the peer's.  Without a
# meter the grid is the sum of the assets.
site()
{
    cat <<EOF
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 6 MW, export_max: 0 MW, ramp_max: 0.2 MW/min}
pods:
  - {name: hall, profile: generic, count: 4, power_max: 1 MW, cap_min: 0.3 MW, class: training}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $dir/t.db}
EOF
}
site >"$dir/sim.yaml"
{
    site
    cat <<EOF
batteries:
  - {name: peer, kind: megapack, energy: 3854 kWh, charge_max: 1927 kW, discharge_max: 1927 kW, efficiency: 92 %, soc_min: 10 %, soc_max: 90 %, chemistry: lfp, modbus: {host: 127.0.0.1, port: $bess, unit: 1, map: sunspec}}
EOF
} >"$dir/run.yaml"
printf 't_s,load_kw\n0,3000\n8,2000\n600,2000\n' >"$dir/load.csv"
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$mqtt" >"$dir/m.conf"

cat >"$dir/read.py" <<'EOF'
# Prints WSetEna WSet_kW RvrtTms RvrtRem W_kW of the peer.
import struct, sys
from pymodbus.client import ModbusTcpClient
c = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]))
c.connect()
def read(a, n):
    return c.read_holding_registers(a, n, slave=1).registers
a, m = 40002, {}
while True:
    ident, length = read(a, 1)[0], read(a + 1, 1)[0]
    if ident == 0xffff:
        break
    m[ident] = a
    a += 2 + length
r = read(m[704] + 22, 13)
i32 = lambda h, l: struct.unpack(">i", struct.pack(">2H", h, l))[0]
w = struct.unpack(">h", struct.pack(">H", read(m[701] + 10, 1)[0]))[0]
print(r[0], i32(r[2], r[3]), r[9] << 16 | r[10], r[11] << 16 | r[12], w)
EOF
look()
{
    read -r ena wset tms rem w < <($python "$dir/read.py" "$bess")
}

mosquitto -c "$dir/m.conf" >"$dir/m.log" 2>&1 &
pids="$pids $!"
$python "$peer" "$bess" >"$dir/peer.log" 2>&1 &
pids="$pids $!"
sleep 2
"$BALLAST" sim "$dir/sim.yaml" --load "$dir/load.csv" >"$dir/sim.log" 2>&1 &
pids="$pids $!"
"$BALLAST" run "$dir/run.yaml" >"$dir/run.log" 2>&1 &
run=$!
pids="$pids $run"
sleep 14

# 1 MW less load at 0.2 MW/min: the battery takes most of it.
look
why=
[ "$ena" = 1 ] || why="WSetEna is $ena"
[ "$wset" -le -600 ] && [ "$wset" -ge -1050 ] || why="WSet is $wset kW"
[ "$((w - wset))" -ge -40 ] && [ "$((w - wset))" -le 40 ] ||
    why="W is $w kW where WSet is $wset kW"
verdict "WSet follows a load that drops by 1 MW ($wset kW)" "$why"

why=
[ "$tms" -ge 10 ] && [ "$tms" -le 601 ] || why="RvrtTms is $tms"
least=$rem most=$rem
for _ in 1 2 3 4 5 6 7 8; do
    sleep 1
    look
    [ "$rem" -lt "$least" ] && least=$rem
    [ "$rem" -gt "$most" ] && most=$rem
done
[ "$least" -ge 1 ] || why="the timer ran down to $least s"
[ "$most" -ge 9 ] || why="the timer never rose above $most s"
verdict "the reversion timer is armed and renewed ($least to $most s)" "$why"

kill -9 $run
wait $run 2>/dev/null
sleep 1
look
why=
[ "$ena" = 1 ] || why="it let go at once"
verdict "the battery holds its set-point right after kill -9" "$why"
sleep "$((rem + 3))"
look
why=
[ "$ena" = 0 ] || why="WSetEna is still $ena"
[ "$w" = 0 ] || why="W is $w kW"
verdict "the battery comes to rest by its own timer" "$why"

[ $failed = 0 ] || { cat "$dir/run.log"; tail -5 "$dir/sim.log"; }
exit $failed
