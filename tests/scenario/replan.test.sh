#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Plans of a running controller: mosquitto, `ballast sim` as the devices and the
# market, `ballast run`.  A plan within a minute, and another one when prices
# are published, an instruction comes, a job starts, a battery is lost.
set -u
. tests/live.sh
python=/usr/bin/python3
needs "plans of a running controller" mosquitto mosquitto_sub mosquitto_pub \
    $python
read -r mqtt meter b1 b2 < <(free_ports 4)
topic=ballast/v1/t/price/day_ahead
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
  - {name: p1, profile: generic, power_max: 4 MW, cap_min: 0.6 MW, class: training}
prices: [{market: day_ahead, topic: $topic, fallback: 45 USD/MWh}]
mqtt: {host: 127.0.0.1, port: $mqtt}
history: {file: $dir/h.db}
EOF
# A load without jobs: nothing but what this script does calls for a plan.
printf 't_s,load_w\n0,2500000\n3600,2500000\n' >"$dir/load.csv"

start_broker
start_sim --load "$dir/load.csv"
start_run --for 5min

until_holds "a live run has an optimal plan within a minute" 60 \
    'p["status"] == "OPTIMAL" and s["price"]["source"] == "feed" and
     all(x["state"] == "ready" for x in s["batteries"])'
until_holds "the first plan was made at the start" 5 'c["start"] == 1'

# calls WHAT CAUSE COMMAND...: one more plan for CAUSE after COMMAND, which says
# what it was made for, in force when it was declared.  Where a busy machine's
# wall clock stopped the solver, another rung's plan is as good, if it says why.
calls()
{
    local what=$1 cause=$2 before
    shift 2
    sleep 5.2 # not more often
    before=$(about "c['$cause']")
    "$@"
    until_holds "$what is planned for" 20 \
        "c['$cause'] > $before and '$cause' in p['cause']
         and (p['status'] in ('OPTIMAL', 'FEASIBLE') and p['gap_pu'] < 1e-4
              or p['cut'] > 0 and ('time was up' in (p['why'] or '') or
                                   'within the budget' in (p['why'] or '')))"
    verdict "that plan entered at its declared tick" "$(about '"" if
        p["from_tick"] - p["built_tick"] == 10 or s["loop"]["late_plans"] > 0
        else p')"
}

publish_price()
{
    mosquitto_sub -p "$mqtt" -t "$topic" -C 1 -W 10 >"$dir/price.json"
    $python - "$dir/price.json" >"$dir/other.json" <<'PYTHON'
import json, sys
p = json.load(open(sys.argv[1]))
key = [k for k in p if isinstance(p[k], list)][0]
def dearer(x):
    if isinstance(x, dict):
        return {k: dearer(v) if k == "value" else v for k, v in x.items()}
    return 1.25 * x + 0.01 if isinstance(x, (int, float)) else x
p[key] = [dearer(x) for x in p[key]]
print(json.dumps(p))
PYTHON
    cmp -s "$dir/price.json" "$dir/other.json" && echo "# the same price"
    say -r -t "$topic" -f "$dir/other.json"
}
calls "a price update" price publish_price
utc()
{
    date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ
}
calls "a new limit" instruction \
    say -r -t ballast/v1/t/utility/limit -m "{\"v\":1,\"id\":\"dr1\",
\"ts\":\"$(utc now)\",\"kind\":\"import_max\",\"start\":\"$(utc '+20 min')\",
\"end\":\"$(utc '+50 min')\",\"value_w\":3e6,\"priority\":1}"
until_holds "the plan's slots are within it" 5 'p["slots"] > 70'
calls "a job's start" job \
    say -t ballast/v1/t/pod/p1/job -m "{\"v\":1,\"ts\":\"$(utc now)\",
\"job\":\"j1\",\"class\":\"training\",\"event\":\"start\",
\"at\":\"$(utc now)\",\"power_from_w\":2.5e6,\"power_to_w\":2.6e6,
\"period_s\":null}"
calls "a lost battery" battery \
    say -t ballast/v1/t/sim/set -m '{"battery":"b2","silent":true}'
until_holds "the changes of direction are told" 5 \
    'isinstance(p["turns"], int) and p["turns"] >= 0'
echo "# $(about '"%d plans, %d changes of direction, %d late" % (
    s["loop"]["plans"], p["turns"], s["loop"]["late_plans"])')"

stop_run
verdict "it stops cleanly" "$([ $code -eq 0 ] || echo "exit code $code")"
for cause in start price instruction job battery; do
    verdict "the log tells of a plan for $cause" "$(
        # any rung: on a busy machine the wall clock may have stopped the solver
        grep -Eq "plan for [a-z, ]*$cause[a-z, ]*: [A-Z]{4,}" "$dir/run.log" ||
            grep plan "$dir/run.log"
    )"
done
exit $failed
