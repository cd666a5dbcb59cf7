#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is known of batteries and cars outlives the controller: killed, started
# again, its lives go on; spoilt, it is refused with a reason.
set -u
. tests/lib.sh
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

if ! command -v mosquitto >/dev/null; then
    echo "skip - lives outlive the controller: no mosquitto"
    exit 0
fi
read -r mqtt meter b1 b2 < <(free_ports 4)

battery()
{
    echo "  - {name: $1, kind: megapack, energy: 4 MWh, charge_max: 2 MW,
     discharge_max: 2 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: $3, modbus: {host: 127.0.0.1, port: $2, unit: 1, map: sunspec}}"
}

# site_file FIRST SECOND: the batteries in that order.
site_file()
{
    cat <<END
site: {name: t, time_zone: UTC, currency: USD}
grid:
  import_max: 8 MW
  export_max: 8 MW
  ramp_max: 1 MW/min
  meter: {modbus: {host: 127.0.0.1, port: $meter, unit: 1, map: sunspec-meter}}
batteries:
$1
$2
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p1, profile: generic, power_max: 1 MW, cap_min: 0.3 MW, class: training}
fleets:
  - {name: lot, nodes: 40, profile: hw4, chemistry: nca, pack: 75 kWh,
     class: training, behind_poi: true}
prices: [{market: day_ahead, topic: ballast/v1/t/price/day_ahead, fallback: 45 USD/MWh}]
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $dir/ballast.db, keep: 1 d}
END
}

site_file "$(battery b1 "$b1" lfp)" "$(battery b2 "$b2" nmc)" >"$dir/site.yaml"
site_file "$(battery b2 "$b2" nmc)" "$(battery b1 "$b1" lfp)" >"$dir/turned.yaml"
site_file "$(battery b1 "$b1" nca)" "$(battery b2 "$b2" nmc)" >"$dir/other.yaml"

printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$mqtt" >"$dir/broker"
mosquitto -c "$dir/broker" >"$dir/broker.log" 2>&1 &
pids="$pids $!"
"$BALLAST" sim "$dir/site.yaml" --load gen:training,power="1 MW" --for 90s \
    >"$dir/sim.log" 2>&1 &
pids="$pids $!"

# life NAME FILE: lost with time by the model that says more, and its name.
life()
{
    /usr/bin/python3 - "$1" "$2" <<'PYTHON'
import json, sys
try:
    status = json.load(open(sys.argv[2]))
except ValueError:
    sys.exit("no status")
for b in status["batteries"]:
    if b["name"] == sys.argv[1] and b["life"]:
        print(b["life"]["loss_calendar_pu"], b["life"]["model"])
PYTHON
}

# carried SQL: the first value that it gives.
carried()
{
    /usr/bin/python3 - "$dir/ballast.db" "$1" <<'PYTHON'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], timeout=5)
r = c.execute(sys.argv[2]).fetchone()
c.commit()
print(r[0] if r else "")
PYTHON
}

# begin SITE LOG: a controller in the background; its id is in $run.
begin()
{
    "$BALLAST" run "$1" --for 60s >"$2" 2>&1 &
    run=$!
    pids="$pids $run"
}

# running SITE: its status once it has run for a second and both batteries have
# aged, or the last one after 20 s.
running()
{
    local json
    for _ in $(seq 100); do
        sleep 0.2
        json=$("$BALLAST" status "$1" --json 2>/dev/null) || continue
        if printf '%s' "$json" | /usr/bin/python3 -c '
import json, sys
s = json.load(sys.stdin)
sys.exit(not (s.get("uptime_s", 0) > 1 and s["forecast"] and
              all(b["life"] and b["life"]["loss_calendar_pu"] > 0
                  for b in s["batteries"])))' 2>/dev/null; then
            break
        fi
    done
    printf '%s' "$json"
}

# not_less A B: nothing where A >= B, else why.
not_less()
{
    awk -v a="${1:-x}" -v b="${2:-x}" 'BEGIN {
        if (a == "x" || b == "x" || a + 0 < b + 0 || b + 0 <= 0) {
            print a " after " b
        }
    }'
}

begin "$dir/site.yaml" "$dir/run1.log"
sleep 11
"$BALLAST" status "$dir/site.yaml" --json >"$dir/before.json"
"$BALLAST" status "$dir/site.yaml" >"$dir/before.txt"
kill -9 "$run"
wait "$run" 2>/dev/null
read -r before1 model1 < <(life b1 "$dir/before.json")
read -r before2 _ < <(life b2 "$dir/before.json")
why=$(not_less "$before1" 1e-9)
case $model1 in BLAST* | Naumann*) ;; *) why="model '$model1'" ;; esac
verdict "status says how old a battery is, and by which model" "$why"
why=
grep -q "  life .*of its capacity left: .* says " "$dir/before.txt" ||
    why=$(grep -c . "$dir/before.txt")" lines without it"
verdict "status says it in words, by both models" "$why"
why=
n=$(carried "SELECT count(*) FROM carried WHERE is_last=0 AND
    asset NOT LIKE '%.load' AND asset NOT LIKE 'outlook.%'")
[ "$n" = 5 ] || why="$n states"
verdict "the states of all assets are saved while it runs" "$why"

# The batteries have changed places meanwhile.
begin "$dir/turned.yaml" "$dir/run2.log"
sleep 9
"$BALLAST" status "$dir/turned.yaml" --json >"$dir/after.json"
kill -TERM "$run"
wait "$run"
read -r after1 _ < <(life b1 "$dir/after.json")
read -r after2 _ < <(life b2 "$dir/after.json")
verdict "after kill -9 a battery is as old as before" \
    "$(not_less "$after1" "$before1")"
verdict "it is found by its name, wherever it stands" \
    "$(not_less "$after2" "$before2")"
why=
grep -q "lives and ledgers of the last run go on" "$dir/run2.log" ||
    why=$(tail -n 1 "$dir/run2.log")
verdict "the log says that they go on" "$why"
why=$("$BALLAST" verify "$dir/ballast.db.rec" 2>&1) && why=
verdict "a recording that begins with them is verified" "$why"
why=
n=$(carried "SELECT count(*) FROM carried WHERE is_last=1")
[ "$n" = 10 ] || why="$n states"
verdict "an orderly end saves them all" "$why"

# heard FILE: for how long the forecaster knows the load, and the controller
# has been up.
heard()
{
    /usr/bin/python3 - "$1" <<'PYTHON'
import json, sys
status = json.load(open(sys.argv[1]))
f = status["forecast"]
print(f["heard_s"] if f else 0, status["uptime_s"])
PYTHON
}

# One byte of a battery, and the chemistry of the other.
carried "UPDATE carried SET state=substr(state,1,600)||x'5a'||substr(state,602)
    WHERE asset='battery.b2'" >/dev/null
begin "$dir/other.yaml" "$dir/run3.log"
running "$dir/other.yaml" >"$dir/spoilt.json"
kill -TERM "$run"
wait "$run"
rc=$?
why=
grep -q "battery.b2: .*its hash differs" "$dir/run3.log" ||
    why="no reason for b2: $(head -n 3 "$dir/run3.log")"
grep -q "battery.b1: .*another chemistry" "$dir/run3.log" ||
    why="no reason for b1: $(head -n 3 "$dir/run3.log")"
[ "$rc" -eq 0 ] || why="ended with $rc"
verdict "what is spoilt or of another battery is refused with its reason" "$why"
read -r learned up < <(heard "$dir/spoilt.json")
why=$(not_less "$learned" "$(awk -v n="$up" 'BEGIN { print n + 1 }')")
verdict "what the load taught is known after a restart, with the gap" "$why"
why=
n=$(carried "SELECT count(*) FROM carried_refused")
[ "$n" = 2 ] || why="$n are kept aside"
read -r spoilt2 _ < <(life b2 "$dir/spoilt.json")
[ -z "$(not_less "$before2" "${spoilt2:-1}")" ] || why="$spoilt2 is not new"
verdict "it begins new, and the old state is kept aside" "$why"
why=$("$BALLAST" verify "$dir/ballast.db.rec" 2>&1) && why=
verdict "that recording is verified as well" "$why"
exit "$failed"
