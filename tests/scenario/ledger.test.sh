#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What owners lend and are owed, as users see it: the terms in the site file,
# the sums of a replay, the ledgers of a running controller, and the days in its
# history.
set -u
. tests/live.sh
python=/usr/bin/python3
needs ledgers $python

# site MQTT TERMS: a lot of forty cars and nothing else but a battery.
site()
{
    cat <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 8 MW, export_max: 0 MW, ramp_max: 1 MW/min}
batteries:
  - {name: b1, kind: megapack, energy: 4 MWh, charge_max: 2 MW,
     discharge_max: 2 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p1, profile: generic, power_max: 2 MW, cap_min: 0.3 MW, class: training}
fleets:
  - {name: lot, nodes: 40, profile: ai5, chemistry: nca, pack: 75 kWh,
     class: training$2}
prices: [{market: day_ahead, fallback: 45 USD/MWh}]
$1
history: {file: $dir/h.db}
EOS
}

# replayed NAME TERMS: a replay of four hours on them, in $dir/NAME.json.
printf 't_s,load_mw\n0,1\n7200,1\n' >"$dir/flat.csv"
replayed()
{
    site "" "$2" >"$dir/$1.yaml"
    "$BALLAST" replay "$dir/$1.yaml" --load "$dir/flat.csv" --json \
        >"$dir/$1.json" 2>"$dir/$1.log"
}
# fleet NAME EXPRESSION: empty where it holds of the replayed fleet 'f'.
fleet()
{
    $python - "$dir/$1.json" "$2" <<'EOF'
import json, sys
p = json.load(open(sys.argv[1]))["policies"][0]
f = p["fleets"][0]
if not eval("(" + sys.argv[2] + ")"):
    print(sys.argv[2], "does not hold:", f)
EOF
}

replayed usual ""
verdict "cars compute, at the plug, for some wear and money" "$(fleet usual '
    f["compute_wh"] > 5e3 and f["pack_wh"] == 0 and f["virtual_km"] == 0 and
    0 < f["loss_ppm_mean"] <= f["loss_ppm_max"] and f["owed_cur"] > 0')"
verdict "every car second has its answer" "$(fleet usual '
    abs(f["granted_node_s"] + sum(f["refused"].values())
        - f["nodes"] * p["duration_s"]) < 5 * f["nodes"]')"
verdict "awake for as long as granted, at 800 W" "$(fleet usual '
    abs(f["awake_h"] * 3600 - f["granted_node_s"]) < 0.01 * f["granted_node_s"]
    and abs(f["compute_wh"] - 800 * f["awake_h"]) < 1')"
verdict "what is owed is the loss, at the price of a pack" "$(fleet usual '
    abs(f["owed_cur"] - f["loss_ppm_mean"] * f["nodes"] * 1e-6 / 0.3 * 75 * 130)
    < 1e-6')"

replayed dear ", replacement_cost: 260 USD/kWh"
why=$($python - "$dir" <<'EOF'
import json, sys
a, b = [json.load(open("%s/%s.json" % (sys.argv[1], n)))["policies"][0]
        ["fleets"][0] for n in ("usual", "dear")]
if abs(b["owed_cur"] - 2 * a["owed_cur"]) > 1e-9 or \
        b["compute_wh"] != a["compute_wh"]:
    print(a["owed_cur"], b["owed_cur"])
EOF
)
verdict "a pack of twice the price is owed twice" "$why"

replayed none ", wear_budget: 0 ppm/d"
verdict "no budget, no compute" "$(fleet none '
    f["compute_wh"] == 0 and f["refused"]["node_budget"] > 0')"
replayed still ", warranty: {distance_share: 0 %}"
verdict "no virtual km, no compute" "$(fleet still '
    f["compute_wh"] == 0 and f["refused"]["node_km"] > 0')"
why=
"$BALLAST" check "$dir/still.yaml" >"$dir/check.log"
grep -q 'lot: no car will ever compute: distance_share' "$dir/check.log" ||
    why=$(cat "$dir/check.log")
grep -q 'lot: plugged in only; a day at most 5.82 ppm of wear, a year 0 virt' \
    "$dir/check.log" || why=$(cat "$dir/check.log")
verdict "check says the terms, and that nobody will compute on them" "$why"

replayed away ", behind_poi: false, energy_paid: 0.5 USD/kWh"
verdict "cars elsewhere are paid for what their plug gives" "$(fleet away '
    abs(f["owed_cur"] - 0.5e-3 * f["compute_wh"]
        - f["loss_ppm_mean"] * f["nodes"] * 1e-6 / 0.3 * 75 * 130) < 1e-6
    and f["compute_wh"] > 5e3')"

replayed lent ", from_pack: true, energy_paid: 0.5 USD/kWh"
verdict "lent packs give energy, virtual km, and are paid for" "$(fleet lent '
    f["pack_wh"] > 100 and abs(f["virtual_km"] - f["pack_wh"] / 160) < 1e-6 and
    f["pack_wh"] < 1.15 * f["compute_wh"] and
    abs(f["owed_cur"] - 0.5e-3 * f["pack_wh"]
        - f["loss_ppm_mean"] * f["nodes"] * 1e-6 / 0.3 * 75 * 130) < 1e-6')"

needs "ledgers of a running controller" mosquitto
read -r mqtt < <(free_ports 1)
site "mqtt: {host: 127.0.0.1, port: $mqtt}" "" >"$dir/live.yaml"
site=$dir/live.yaml
start_broker
start_sim --load gen:training
start_run --for 60s

# some compute, seen by status
why="nothing computed"
end=$((SECONDS + 40))
while [ $SECONDS -le $end ] && [ -n "$why" ]; do
    sleep 0.3
    "$BALLAST" status "$dir/live.yaml" --json >"$dir/status.json" \
        2>/dev/null || continue
    why=$($python - "$dir/status.json" <<'EOF'
import json, sys
s = json.load(open(sys.argv[1]))
if "fleets" not in s:
    sys.exit(print(s))
f = s["fleets"][0]
n = f["granted"] + sum(f["refused"].values())
l = f["ledger"]
if not (l["compute_wh"] > 5 and f["granted"] > 0 and n == 40):
    print(f)
EOF
    )
done
verdict "status has the sums and all answers" "$why"

why=
"$BALLAST" status "$dir/live.yaml" >"$dir/words.log" 2>&1
grep -Eq '^ledger     lot: [0-9.]+ k?Wh computed, 0 Wh of it from packs, [0-9.]+ USD owed; ' \
    "$dir/words.log" || why=$(cat "$dir/words.log")
verdict "and says them in one line" "$why"

why=
"$BALLAST" status "$site" --fleet lot --from 31 >"$dir/cars.log" 2>&1
[ "$(wc -l <"$dir/cars.log")" -eq 11 ] || why=$(cat "$dir/cars.log")
grep -q '^lot-0031 ' "$dir/cars.log" || why=$(cat "$dir/cars.log")
"$BALLAST" status "$site" --fleet lot --cars 3 >"$dir/cars.log" 2>&1
grep -q '^37 more: --from 4$' "$dir/cars.log" || why=$(cat "$dir/cars.log")
verdict "single cars are told on request" "$why"

why=
"$BALLAST" status "$site" --fleet yard >/dev/null 2>"$dir/no.log"
[ $? -eq 1 ] || why="wrong exit code"
grep -q 'no fleet yard' "$dir/no.log" || why=$(cat "$dir/no.log")
verdict "of a fleet that is not there nothing" "$why"

why=
"$BALLAST" status "$site" --fleet lot --from 41 >/dev/null 2>"$dir/no.log"
[ $? -eq 1 ] || why="wrong exit code"
grep -q -- '--from 41: lot has 40 cars' "$dir/no.log" || why=$(cat "$dir/no.log")
"$BALLAST" status "$dir/live.yaml" --from 3 >/dev/null 2>"$dir/no.log"
[ $? -eq 2 ] || why="$why; --from without --fleet is taken"
verdict "nor beyond the last car, nor of no fleet" "$why"

stop_run
why=$($python - "$dir/h.db" "$dir/status.json" <<'EOF'
import json, sqlite3, sys
c = sqlite3.connect(sys.argv[1])
n, wh, owed = c.execute(
    "SELECT count(*), sum(compute_wh), sum(owed_cur) FROM car_day"
    " WHERE fleet='lot' AND car LIKE 'lot-00__' AND length(day)=10").fetchone()
seen = json.load(open(sys.argv[2]))["fleets"][0]["ledger"]
if not (n > 0 and wh > 0.999 * seen["compute_wh"]
        and owed > 0.999 * seen["owed_cur"] > 0):
    print(n, wh, owed, seen)
EOF
)
verdict "the days of the cars are in the history" "$why"
exit $failed
