#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a utility asks of the 150 MW site, in replay over a measured trace: a
# quarter less for three hours, and 30 % at once.
set -u
. tests/lib.sh
trace=../shared/traces/gpt3_512xh100_train_2s.csv
[ -r $trace ] || { echo "skip - events: $trace is not here"; exit 0; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
load="--load $trace --where run=B --column ac_kw --scale 326.8"

# play NAME SITE EVENTS [OPTION...]
play()
{
    local name=$1 site=$2 events=$3
    shift 3
    # shellcheck disable=SC2086
    "$BALLAST" replay "$site" $load --events "$events" --json \
        --out "$dir/$name" --every 1s "$@" >"$dir/$name.json" \
        2>"$dir/$name.err" || head -3 "$dir/$name.err"
}

# ask NAME: python on stdin, with p (the policy's results) and rows (of its
# series: seconds, demand, served, grid); prints what is wrong.
ask()
{
    cat - >"$dir/ask.py"
    /usr/bin/python3 -c '
import csv, json, sys
at = sys.argv[1]
p = json.load(open(at + ".json"))["policies"][0]
rows = [[float(r[k]) for k in ("t_s", "demand_w", "served_w", "grid_w")]
        for r in csv.DictReader(open(at + "/ballast/series.csv"))]
exec(open(sys.argv[2]).read())' "$dir/$1" "$dir/ask.py" 2>&1 | head -3
}

sites=replay/sites
play quarter $sites/ten_megablocks.yaml $sites/curtail.jsonl --repeat 5
verdict "a quarter less for three hours: no second above it, no ramp broken" \
    "$(ask quarter <<'PYTHON'
g, e = p["grid"], p["events"]
if g["import_limit_violations"] or g["ramp_violations"] or g["exempt"]:
    print(g["import_limit_violations"], "over the limit,",
          g["ramp_violations"], "over the ramp,", g["exempt"], "exempt")
if not (e["peak_w"] <= 107.6e6 and abs(e["in_force_s"] - 10800) < 1):
    print(e)
PYTHON
)"
# With empty batteries a start waits for the ramp.
verdict "and then the compute comes back" "$(ask quarter <<'PYTHON'
late = [r for r in rows if r[0] > 15600]
part = sum(r[2] for r in late) / sum(r[1] for r in late)
if part < 0.997:
    print("%.2f %% of it, 20 min later" % (100 * part))
PYTHON
)"

play halls $sites/three_halls.yaml $sites/curtail.jsonl --repeat 5
verdict "what is worth least is held back first, and costs that" \
    "$(ask halls <<'PYTHON'
c = {x["name"]: x for x in p["load"]["classes"]}
e, cost = p["events"], p["cost"]
if p["grid"]["import_limit_violations"] or p["grid"]["ramp_violations"]:
    print(p["grid"])
if c["inference"]["shed_wh"] > 1e-3 * c["leased"]["shed_wh"]:
    print("inference gives", c["inference"]["shed_wh"], "Wh")
if not 0 < c["training"]["shed_wh"] < c["leased"]["shed_wh"]:
    print("training gives", c["training"]["shed_wh"], "Wh")
for name, value in (("training", 4), ("inference", 9), ("leased", 0.8)):
    if abs(c[name]["shed_cur"] - c[name]["shed_wh"] / 1e3 * value) > 1:
        print(name, c[name])
if abs(cost["events_cur"] - e["shed_cur"]) > 1e-6 or \
        cost["events_cur"] > cost["shed_cur"] or e["saved_cur"] <= 0:
    print(cost, e)
PYTHON
)"

sed 's/soc_start: 60 %/soc_start: 10.5 %/' $sites/three_halls.yaml \
    >"$dir/empty.yaml"
for site in $sites/three_halls.yaml "$dir/empty.yaml"; do
    case $site in
    */empty.yaml) what="with empty batteries too" ;;
    *) what="30 % less at once, unannounced" ;;
    esac
    play emergency "$site" $sites/emergency.jsonl
    verdict "$what: within 30 s, the ramp exempt and logged" \
        "$(ask emergency <<'PYTHON'
g = p["grid"]
for k in range(1830, 2640, 60):
    mean = sum(r[3] for r in rows[k:k + 60]) / 60
    if mean > 100.4e6:
        print("%.1f MW in the minute from %d s" % (mean / 1e6, k))
if g["ramp_violations"] or g["exempt_by"]["emergency instruction"] == 0:
    print(g["ramp_violations"], "over the ramp,", g["exempt_by"])
log = open(at + "/ballast/evidence.log").read()
if '"kind":"exempt"' not in log or "emergency instruction" not in log:
    print("no exempt line in the evidence log")
PYTHON
)"
    verdict "$what: and back inside the ramp" "$(ask emergency <<'PYTHON'
late = [r for r in rows if r[0] > 3100]
part = sum(r[2] for r in late) / sum(r[1] for r in late)
if part < 0.99:
    print("%.2f %% of the compute is back" % (100 * part))
if p["grid"]["ramp_violations"]:
    print(p["grid"]["ramp_violations"], "ticks over the ramp")
first = next(r for r in rows if r[0] >= 2701)
if first[3] > 104e6:
    print("%.1f MW a second after its end" % (first[3] / 1e6))
PYTHON
)"
done
exit $failed
