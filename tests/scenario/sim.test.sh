#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast sim` against outside peers: mosquitto and its clients, and a Modbus
# client of another make (pymodbus).  Telemetry, caps and their acks, refusals,
# leases that run out, the battery's own reversion, faults, a clean stop.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
sim=
broker=
listener=
cleanup()
{
    # shellcheck disable=SC2086
    kill $sim $listener $broker 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
for tool in mosquitto mosquitto_sub mosquitto_pub; do
    if ! command -v $tool >/dev/null; then
        echo "skip - ballast sim on real sockets: no $tool"
        exit 0
    fi
done
python=/usr/bin/python3
if ! $python -c 'import pymodbus.client' 2>/dev/null; then
    echo "skip - ballast sim on real sockets: no python3-pymodbus"
    exit 0
fi

# Ports that were free a moment ago.
read -r mqtt meter b1 b2 < <(free_ports 4)

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
     chemistry: lfp, sim: {soc_start: 50 %, response: 50 ms},
     modbus: {host: 127.0.0.1, port: $b1, unit: 3, map: sunspec}}
  - {name: b2, kind: megapack, energy: 4 MWh, charge_max: 2 MW,
     discharge_max: 2 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp,
     modbus: {host: 127.0.0.1, port: $b2, unit: 1, map: sunspec}}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p1, profile: generic, power_max: 1 MW, cap_min: 0.3 MW, class: training}
  - {name: p2, profile: generic, power_max: 1 MW, cap_min: 0.3 MW, class: training}
fleets:
  - {name: lot, nodes: 20, profile: hw4, chemistry: nca, pack: 75 kWh,
     class: training, behind_poi: true}
prices: [{market: day_ahead, topic: ballast/v1/t/price/day_ahead, fallback: 45 USD/MWh}]
mqtt: {host: 127.0.0.1, port: $mqtt}
EOF

# client COMMAND...: a SunSpec client by pymodbus.
cat >"$dir/client.py" <<'EOF'
import struct, sys, time
from pymodbus.client import ModbusTcpClient
def connect(port):
    c = ModbusTcpClient("127.0.0.1", port=int(port), timeout=2)
    assert c.connect()
    return c
def read(c, addr, n, unit):
    r = c.read_holding_registers(addr, n, slave=unit)
    if r.isError(): raise SystemExit("refused: %s" % r)
    return r.registers
def find(c, unit):
    assert read(c, 40000, 2, unit) == [0x5375, 0x6E53]
    at, models = 40002, {}
    while True:
        i, n = read(c, at, 2, unit)
        if i == 0xFFFF: return models
        models[i] = at
        at += 2 + n
def power_w(c, m, unit):
    w, sf = read(c, m[701] + 10, 1, unit)[0], read(c, m[701] + 116, 1, unit)[0]
    s = lambda x: x - 65536 if x > 32767 else x
    return s(w) * 10.0 ** s(sf)
def command(c, m, unit, w, seconds):
    v = [1, 1] + list(struct.unpack(">2H", struct.pack(">i", w))) + \
        [0, 0, 0, 0, 0, 0, seconds]
    r = c.write_registers(m[704] + 22, v, slave=unit)
    if r.isError(): raise SystemExit("refused: %s" % r)
what, port, unit = sys.argv[1], sys.argv[2], int(sys.argv[3])
c = connect(port)
if what == "models":
    print(*sorted(find(c, unit)))
elif what == "meter":
    r = read(c, find(c, unit)[213] + 28, 2, unit)
    print(round(struct.unpack(">f", struct.pack(">2H", *r))[0]))
elif what == "reversion":
    m = find(c, unit)
    command(c, m, unit, 1500000, 3)
    time.sleep(1.0)
    first = power_w(c, m, unit)
    command(c, m, unit, 1500000, 4)      # renewed
    time.sleep(2.5)
    second = power_w(c, m, unit)
    rem = read(c, m[704] + 33, 2, unit)[1]
    time.sleep(2.2)                      # and left alone
    print(first, second, rem, power_w(c, m, unit),
          read(c, m[704] + 22, 1, unit)[0])
elif what == "state":
    m = find(c, unit)
    print(read(c, m[701] + 4, 1, unit)[0], read(c, m[802] + 22, 1, unit)[0])
elif what == "local":
    m = find(c, unit)
    command(c, m, unit, 1000000, 60)
    time.sleep(0.5)
    print(read(c, m[715] + 2, 1, unit)[0], power_w(c, m, unit))
elif what == "unit":
    r = c.read_holding_registers(40000, 2, slave=unit)
    print(getattr(r, "exception_code", "no exception"))
elif what == "garbage":
    import os, socket
    for i in range(40):
        s = socket.create_connection(("127.0.0.1", int(port)), 2)
        s.sendall(os.urandom(1 + 37 * i))
        s.close()
c.close()
EOF
client()
{
    timeout 20 $python "$dir/client.py" "$@" 2>&1
}

pub()
{
    mosquitto_pub -h 127.0.0.1 -p "$mqtt" "$@"
}

# until SECONDS COMMAND...: true as soon as COMMAND is.
until_true()
{
    local n=$(($1 * 10))
    shift
    while [ $n -gt 0 ]; do
        "$@" && return 0
        sleep 0.1
        n=$((n - 1))
    done
    return 1
}

# heard SECONDS PATTERN: why no line of all that was published matches.
heard()
{
    until_true "$1" grep -qE -- "$2" "$dir/heard" ||
        echo "nothing like $2; sim: $(tail -n 1 "$dir/sim.log")"
}

printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n' \
    "$mqtt" >"$dir/mosquitto.conf"
mosquitto -c "$dir/mosquitto.conf" >"$dir/mosquitto.log" 2>&1 &
broker=$!
until_true 5 pub -t x -m x 2>/dev/null ||
    { echo "not ok - mosquitto starts: $(tail -n 1 "$dir/mosquitto.log")"; exit 1; }
mosquitto_sub -h 127.0.0.1 -p "$mqtt" -v -t 'ballast/#' >>"$dir/heard" 2>/dev/null &
listener=$!

"$BALLAST" sim "$dir/site.yaml" --from 120s >"$dir/sim.log" 2>&1 &
sim=$!
verdict "every device is announced at the start" \
    "$(until_true 10 grep -q '^load' "$dir/sim.log" || tail -n 2 "$dir/sim.log")"

topic=ballast/v1/t
verdict "a pod says it is online" \
    "$(heard 10 "^$topic/pod/p1/online .*\"online\":true")"
verdict "a pod publishes its state" \
    "$(heard 5 "^$topic/pod/p2/state .*\"power_w\":[0-9]+,\"cap_w\":1000000")"
verdict "a car publishes its state" \
    "$(heard 15 "^$topic/node/lot-0020/state .*\"soc_pu\":0")"
verdict "prices come labelled synthetic" \
    "$(heard 5 "^$topic/price/day_ahead .*\"synthetic\":true.*\"unit\":\"MWh\"")"

# cap ID AGE_S TTL_S CAP_W [OPTION]: one command for p1.
cap()
{
    local ts
    ts=$(date -u -d "@$(($(date +%s) - $2))" +%Y-%m-%dT%H:%M:%SZ)
    pub -q 1 -t "$topic/pod/p1/cap/set" ${5:+"$5"} -m \
        "{\"v\":1,\"id\":\"$1\",\"ts\":\"$ts\",\"cap_w\":$4,\"ramp_s\":0,\"ttl_s\":$3}"
}
acked()
{
    heard 5 "^$topic/pod/p1/cap/ack .*\"id\":\"$1\",\"status\":\"$2\""
}
cap one 0 4 500000
verdict "a cap is acknowledged" "$(acked one applied)"
verdict "a cap is obeyed" \
    "$(heard 5 "pod/p1/state .*\"power_w\":[1-5]?[0-9]{5},\"cap_w\":500000,")"
cap one 0 4 900000
verdict "the same id again is a duplicate" "$(acked one duplicate)"
cap old 60 30 900000
verdict "a cap older than its ttl has expired" "$(acked old expired)"
cap ahead -60 30 900000
verdict "a cap from the future is refused" "$(acked ahead rejected)"
cap low 0 4 1000
verdict "a cap below the pod's range is partly applied" "$(acked low partial)"
pub -t "$topic/pod/p1/cap/set" -m '{"id":"bad","ts":'
pub -t "$topic/pod/p1/cap/set" -m "$(head -c 5000 /dev/zero | tr '\0' x)"
pub -t "$topic/pod/nobody/cap/set" -m '{}'
pub -t "$topic/sim/set" -m '{"battery":"nobody","trip":true}'
pub -t "$topic/sim/set" -m '{"battery":"b1","explode":true,"trip":true}'
pub -t "$topic/sim/set" -m '{"oad_w":1}'
pub -t "$topic/node/lot-0001/set" -m "{\"v\":1,\"id\":\"car\",\"ts\":\"$(
    date -u +%Y-%m-%dT%H:%M:%SZ)\",\"charge_w\":3600,\"compute_w\":0,\"ttl_s\":60}"
verdict "a car acknowledges its setting" \
    "$(heard 5 "node/lot-0001/ack .*\"status\":\"applied\"")"

verdict "another client's stack discovers the models" "$(
    got=$(client models "$b1" 3)
    [ "$got" = "1 701 702 704 713 715 802" ] || echo "$got")"
verdict "the meter reads a power" "$(
    got=$(client meter "$meter" 1)
    [ "$got" -gt 500000 ] 2>/dev/null || echo "$got")"
verdict "a unit nobody has gets exception 11" "$(
    got=$(client unit "$b1" 9)
    [ "$got" = 11 ] || echo "$got")"
verdict "a set-point holds while renewed and reverts when left alone" "$(
    got=$(client reversion "$b1" 3)
    case $got in
    "1500000.0 1500000.0 "[12]" 0.0 0" | "1500000.0 1500000.0 "[12]" -0.0 0") ;;
    *) echo "$got" ;;
    esac)"

pub -t "$topic/sim/set" -m '{"battery":"b2","trip":true}'
pub -t "$topic/sim/set" -m '{"battery":"b1","local":true}'
sleep 0.3
verdict "a fault with an unknown key or name is refused with those it takes" "$(
    for bad in nobody explode oad_w; do
        grep -q "^fault .*$bad.*: refused" "$dir/sim.log" || echo "$bad"
    done
    grep -q '^  {"battery":NAME, "trip"|"local"' "$dir/sim.log" ||
        echo "no list: $(grep '^fault' "$dir/sim.log")")"
verdict "a tripped battery shows a fault" "$(
    got=$(client state "$b2" 1)
    [ "$got" = "6 99" ] || echo "$got")"
verdict "a battery in LOCAL does not follow" "$(
    got=$(client local "$b1" 3)
    case $got in "1 0.0" | "1 -0.0") ;; *) echo "$got" ;; esac)"
pub -t "$topic/sim/set" -m '{"load_w":123456}'
verdict "the load can be set" \
    "$(heard 5 "pod/p2/state .*\"power_w\":61728,")"
client garbage "$b1" 3 >/dev/null
verdict "garbage on a Modbus port does no harm" "$(
    got=$(client models "$b1" 3)
    [ "$got" = "1 701 702 704 713 715 802" ] || echo "$got")"
: >"$dir/heard"
verdict "a pod left alone goes to its safe power" \
    "$(heard 20 "pod/p1/state .*\"cap_w\":500000,.*\"safe_w\":500000,")"

"$BALLAST" sim "$dir/site.yaml" --for 1s >"$dir/second.log" 2>&1
rc=$?
verdict "a port that is taken is named" "$(
    [ $rc -eq 2 ] && grep -q "port [0-9]*: .*another program has" \
        "$dir/second.log" || echo "exit $rc: $(tail -n 1 "$dir/second.log")")"

kill -TERM $sim
wait $sim
rc=$?
sim=
verdict "SIGTERM ends it with 0" "$([ $rc -eq 0 ] || echo "exit $rc")"
verdict "a pod says goodbye" \
    "$(heard 3 "^$topic/pod/p1/online .*\"online\":false")"

# The retained command must be on the broker before the pod subscribes.
cap kept 0 3600 400000 -r
"$BALLAST" sim "$dir/site.yaml" >"$dir/sim.log" 2>&1 &
sim=$!
verdict "a retained cap is refused" "$(acked kept rejected)"
: >"$dir/heard"
{ kill -KILL $sim; wait $sim; } 2>/dev/null
sim=
verdict "the broker tells of a pod that was killed" \
    "$(heard 5 "^$topic/pod/p2/online .*\"online\":false")"

exit $failed
