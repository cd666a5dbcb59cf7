#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The whole program: mosquitto, `ballast sim` as the devices, `ballast run` as
# their controller.  Control within seconds, faults of devices and broker, a
# controller that is killed, shadow, a clean stop, recordings that verify.
set -u
. tests/live.sh
python=/usr/bin/python3
needs "ballast run on real sockets" mosquitto mosquitto_sub mosquitto_pub \
    $python

# Ports that were free a moment ago.
read -r mqtt meter b1 b2 < <(free_ports 4)
db=$dir/h.db
cat >"$site" <<EOF
site: {name: t, time_zone: UTC, currency: USD}
grid:
  import_max: 8 MW
  export_max: 0 MW
  ramp_max: 1 MW/min
  meter: {modbus: {host: 127.0.0.1, port: $meter, unit: 1, map: sunspec-meter}}
batteries:
$(battery b1 "$b1")
$(battery b2 "$b2")
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p1, profile: generic, power_max: 2 MW, cap_min: 0.3 MW, class: training}
  - {name: p2, profile: generic, power_max: 2 MW, cap_min: 0.3 MW, class: training}
fleets:
  - {name: lot, nodes: 20, profile: hw4, chemistry: nca, pack: 75 kWh,
     class: training, behind_poi: true}
prices: [{market: day_ahead, topic: ballast/v1/t/price/day_ahead, fallback: 45 USD/MWh}]
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $db}
EOF
# setpoint PORT: WSet of a battery, and what is left of its reversion timer.
setpoint()
{
    $python - "$1" <<'EOF'
import socket, struct, sys
c = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
def read(addr, n):
    c.sendall(struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, addr, n))
    head = c.recv(9, socket.MSG_WAITALL)
    return struct.unpack(">%dH" % n, c.recv(2 * n, socket.MSG_WAITALL))
at = 40002
while True:
    model, n = read(at, 2)
    if model in (704, 0xFFFF): break
    at += 2 + n
r = read(at + 24, 11)
print(struct.unpack(">i", struct.pack(">2H", *r[0:2]))[0], r[10])
EOF
}

sed 's/import_max: 8 MW/import_max: 8 MWh/' "$site" >"$dir/bad.yaml"
"$BALLAST" run "$dir/bad.yaml" >/dev/null 2>"$dir/bad.log"
code=$?
why=
[ $code -eq 2 ] || why="exit code $code"
grep -q 'bad.yaml:3:' "$dir/bad.log" || why="no place: $(cat "$dir/bad.log")"
[ ! -e "$db" ] || why="history was opened"
verdict "a faulty site file starts nothing" "$why"

sed -e '/^mqtt:/d' -e '/^  meter:/d' -e 's/soc_start: 50 %, response: 50 ms},/soc_start: 50 %}}/' \
    -e '/^     modbus:/d' "$site" >"$dir/mute.yaml"
"$BALLAST" run "$dir/mute.yaml" --for 2s >/dev/null 2>"$dir/mute.log"
code=$?
why=
[ $code -eq 2 ] || why="exit code $code: $(cat "$dir/mute.log")"
grep -q 'reaches no device' "$dir/mute.log" || why=$(cat "$dir/mute.log")
verdict "a site without modbus and mqtt is not run" "$why"

"$BALLAST" status "$site" >/dev/null 2>"$dir/none.log"
code=$?
why=
[ $code -eq 1 ] || why="exit code $code"
grep -q 'ballast run' "$dir/none.log" || why="no advice"
verdict "status without a controller says what to do" "$why"

start_broker
start_sim --load gen:training
start_run
until_holds "the site is under control within seconds" 20 \
    'all(x["state"] == "ready" for x in s["batteries"]) and
     s["pods"]["online"] == 2 and s["grid"]["meter"] == "good" and
     s["fleets"][0]["online"] == 20 and s["mode"] == "run" and
     d["b1"]["writes"] > 0 and s["price"]["source"] == "feed" and
     abs(s["grid"]["power_w"]) < 8e6 and not s["alarms"]'

why=$("$BALLAST" run "$site" 2>&1 >/dev/null) && why="it started"
case $why in
*"already runs"*) why= ;;
esac
verdict "a second controller on one history is refused" "$why"

fault '{"battery":"b2","silent":true}'
until_holds "a silent battery is marked and alarmed, the other goes on" 12 \
    'b["b2"]["state"] in ("offline", "stale") and b["b1"]["state"] == "ready"
     and alarms & {("device_offline", "b2"), ("device_stale", "b2")}'
# Not by the clock: a busy machine is slow for all.  Each pass of b2 waits a
# second for its reply; the loop and b1 must not.
pace()
{
    "$BALLAST" status "$site" --json | $python -c '
import json, sys
s = json.load(sys.stdin)
print(s["tick"], *[x["passes"] for x in s["devices"] if x["name"] == "b1"])'
}
read -r tick passes < <(pace)
sleep 3
read -r tick2 passes2 < <(pace)
why=
[ $((tick2 - tick)) -ge 8 ] || why="$tick to $tick2 ticks in 3 s"
[ $((10 * (passes2 - passes))) -ge $((8 * (tick2 - tick))) ] ||
    why="b1: $passes to $passes2 passes in $tick to $tick2 ticks"
verdict "loop and other devices keep their rate meanwhile" "$why"
fault '{"battery":"b2","silent":false}'
until_holds "it comes back when it speaks again" 15 \
    'b["b2"]["state"] == "ready" and
     not ids & {"device_offline", "device_stale"}'

kill -9 "$broker"
wait "$broker" 2>/dev/null
until_holds "a lost broker is alarmed" 15 '"broker_lost" in ids'
start_broker
until_holds "pods and nodes come back with the broker" 30 \
    's["pods"]["online"] == 2 and s["mqtt"]["up"] and
     not ids & {"broker_lost", "pod_silent"}'

fault '{"load_w":3.5e6}'
sleep 2
read -r set_w left_s < <(setpoint "$b1")
why=
[ "$set_w" -ne 0 ] || why="set-point 0"
[ "$left_s" -gt 0 ] || why="timer not running"
verdict "the battery carries the step of the load, its timer armed" "$why"

# Stopped for longer than b1's own timer runs: what it was told before is not
# told it again.
kill -STOP "$run"
old_w=$set_w
for _ in $(seq 80); do
    read -r set_w left_s < <(setpoint "$b1")
    [ "$left_s" -eq 0 ] && break
    sleep 0.25
done
kill -CONT "$run"
why=
[ "$left_s" -eq 0 ] || why="its timer does not end"
for _ in $(seq 8); do
    read -r set_w left_s < <(setpoint "$b1")
    if [ $((4 * ${set_w#-})) -gt $((3 * ${old_w#-})) ]; then
        why="$old_w W before, $set_w W after"
    fi
done
verdict "after a pause no set-point of before it is written" "$why"
until_holds "and the site is under control again" 10 \
    'all(x["state"] == "ready" for x in s["batteries"]) and
     s["grid"]["meter"] == "good"'
kill -9 "$run"
wait "$run" 2>/dev/null
why=
"$BALLAST" verify "$db.rec" >"$dir/verify.log" 2>&1 ||
    why=$(cat "$dir/verify.log")
verdict "the recording of a killed controller verifies" "$why"
why="still at $set_w W"
for _ in $(seq 60); do
    read -r set_w left_s < <(setpoint "$b1")
    if [ "$set_w" -eq 0 ] && [ "$left_s" -eq 0 ]; then
        why=
        break
    fi
    sleep 0.25
done
verdict "without its controller the battery reverts by itself" "$why"

mosquitto_sub -p "$mqtt" -t 'ballast/v1/t/+/+/set' \
    -t 'ballast/v1/t/+/+/cap/set' >"$dir/heard.log" &
pids=$!
start_run --shadow
until_holds "shadow starts over a killed run and computes" 10 \
    's["mode"] == "shadow" and b["b1"]["state"] in ("ready", "read_only") and
     s["tick"] > 30'
why=
holds 'd["b1"]["writes"] == 0 and d["b2"]["writes"] == 0' ||
    why="it wrote to a device"
[ ! -s "$dir/heard.log" ] || why="it sent: $(head -1 "$dir/heard.log")"
verdict "shadow writes nothing to devices" "$why"
stop_run
why=
[ $code -eq 0 ] || why="exit code $code: $(tail -3 "$dir/run.log")"
[ ! -e "$db.sock" ] || why="socket left behind"
verdict "SIGTERM stops it cleanly" "$why"

"$BALLAST" run "$site" --for 4s --record "$dir/other.rec" 2>>"$dir/run.log"
code=$?
why=
[ $code -eq 0 ] || why="exit code $code: $(tail -3 "$dir/run.log")"
"$BALLAST" verify "$dir/other.rec" >"$dir/verify.log" 2>&1 ||
    why=$(cat "$dir/verify.log")
verdict "--for stops it, --record verifies" "$why"

why=
grep -q 'controlling 2 batteries, 2 pods and 20 vehicles' "$dir/run.log" ||
    why="no opening line"
grep -q "over; the batteries' leases run out by their own timers, the pods" \
    "$dir/run.log" || why="no closing line: $(tail -3 "$dir/run.log")"
verdict "it says what it controls, and what the devices do after it" "$why"

why=
grep -q 'alarm raised: device_' "$dir/run.log" || why=$(cat "$dir/run.log")
grep -q 'alarm cleared: broker_lost' "$dir/run.log" ||
    why=$(cat "$dir/run.log")
verdict "alarms are logged when raised and cleared" "$why"
exit $failed
