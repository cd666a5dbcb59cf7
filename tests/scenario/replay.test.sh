#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast replay` as its users call it, in simulated time: the shipped sites,
# an events file, prices with a gap, the same run twice, a recording, and every
# kind of unreadable input.
set -u
. tests/lib.sh
demo=replay/sites/demo.yaml
ten=replay/sites/ten_megablocks.yaml
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# refused WHAT TEXT ARGS...: exit 2 and TEXT on stderr.
refused()
{
    local what=$1 text=$2 why=
    shift 2
    "$BALLAST" replay "$@" >"$dir/out" 2>"$dir/err"
    local code=$?
    [ $code = 2 ] || why="exit $code"
    grep -qF -- "$text" "$dir/err" || why="$why; said: $(head -3 "$dir/err")"
    verdict "refused: $what" "$why"
}

json()
{
    "$BALLAST" replay "$@" --json 2>/dev/null
}

# A load that stands at 100 MW and falls to 80 MW at 60 s.
printf 't_s,load_mw\n0,100\n60,80\n300,80\n' >"$dir/step.csv"
"$BALLAST" replay $ten --load "$dir/step.csv" --out "$dir/a" >/dev/null
"$BALLAST" replay $ten --load "$dir/step.csv" --out "$dir/b" >/dev/null
cmp -s "$dir/a/ballast/series.csv" "$dir/b/ballast/series.csv"
verdict "the same run writes the same series" "$([ $? = 0 ] || echo differs)"

why=$(awk -F, '
    NR > 2 && $2 < last - 1e6 { if (($5 - b) ^ 2 > 1e10 ||
        ($7 - g - ($2 - last)) ^ 2 > 1e10) print "battery moved at " $1 }
    { last = $2; b = $5; g = $7 }' "$dir/a/ballast/series.csv")
verdict "in the tick of a load step the battery has not moved" "$why"

why=$(awk -F, 'NR > 1 { d = $3 + $4 + $5 + $6 - $7
    if (d > 1 || d < -1) { print "off by " d " at " $1; exit } }' \
    "$dir/a/ballast/series.csv")
verdict "every row of the series balances" "$why"

"$BALLAST" replay $ten --load "$dir/step.csv" --out "$dir/c" --every 10s \
    >/dev/null
rows=$(wc -l <"$dir/c/ballast/series.csv")
verdict "--every thins the series" "$([ "$rows" -le 56 ] || echo "$rows rows")"

# What could have been done, had the step been known.
json $ten --load "$dir/step.csv" --policy hindsight,ballast,none \
    --out "$dir/h" >"$dir/known.json"
why=$(/usr/bin/python3 - "$dir/known.json" <<'PYTHON'
import json, sys
known, ballast, none = json.load(open(sys.argv[1]))["policies"]
def swing(p): return sum(b["energy_swing_wh"] for b in p["batteries"])
def total(p): return p["cost"]["total_cur"]
shape = set(known) - {"bound"} == set(ballast) == set(none)
if [p["policy"] for p in (known, ballast, none)] != ["hindsight", "ballast", "none"]:
    print("not the order asked for")
elif not shape or "bound" in ballast:
    print("not the shape of the others")
elif known["grid"]["ramp_violations"] != 0:
    print("it breaks the ramp")
elif not 0 < known["bound"]["energy_swing_wh"] <= swing(ballast):
    print("ballast moves less energy than needed")
elif total(known) > total(ballast) + 0.01:
    print("ballast costs less")
PYTHON
)
verdict "hindsight bounds ballast" "$why"
why=$(awk -F, 'NR > 1 { d = $3 + $4 + $5 + $6 - $7
    if (d > 1 || d < -1) { print "off by " d " at " $1; exit } }
    END { if (NR != rows) print NR " rows" }' \
    rows="$(wc -l <"$dir/h/ballast/series.csv")" "$dir/h/hindsight/series.csv")
verdict "the series of hindsight balances" "$why"

# A limit of the utility, reached before it starts and held.
cat >"$dir/events.jsonl" <<EOF
{"v":1,"id":"cap","kind":"import_max","start":"+900","end":"+1800","value_w":95e6,"priority":1}
EOF
printf 't_s,load_mw\n0,100\n2400,100\n' >"$dir/flat.csv"
"$BALLAST" replay $ten --load "$dir/flat.csv" --events "$dir/events.jsonl" \
    --out "$dir/d" --strict >/dev/null 2>"$dir/err"
code=$?
why=$(awk -F, 'NR > 1 && $1 >= 900 && $1 < 1800 && $7 > 95e6 {
    print $7 " W at " $1; exit }' "$dir/d/ballast/series.csv")
[ $code = 0 ] || why="exit $code $why"
verdict "a coming import limit is reached beforehand and held" "$why"

# Money: a price file with a gap, billed with its own column.
cat >"$dir/price.csv" <<EOF
time_utc,da_per_mwh,rt_per_mwh
2026-03-01T00:00:00Z,40,60
2026-03-01T01:00:00Z,50,60
2026-03-01T03:00:00Z,50,60
2026-03-01T04:00:00Z,50,60
EOF
printf 't_s,load_mw\n0,10\n3600,10\n' >"$dir/hour.csv"
json $ten --load "$dir/hour.csv" --price "$dir/price.csv" \
    --price-column da_per_mwh --settle-column rt_per_mwh \
    --price-known all --policy none >"$dir/money.json"
cost=$(number "$dir/money.json" energy_cur)
why=$(awk -v c="$cost" 'BEGIN { if (c < 1199 || c > 1201) print c " USD" }')
verdict "20 MWh at 60 USD/MWh cost 1200 USD" "$why"
sed 's/^control:.*/control: {period: 10 s}/' $ten >"$dir/slow.yaml"
grep -q '^control' "$dir/slow.yaml" ||
    echo 'control: {period: 10 s}' >>"$dir/slow.yaml"
printf 't_s,load_mw\n0,10\n7200,10\n' >"$dir/hours.csv"
"$BALLAST" replay "$dir/slow.yaml" --load "$dir/hours.csv" \
    --price "$dir/price.csv" --price-known now --policy none \
    --start 2026-03-01T00:57:00Z --out "$dir/slow" >/dev/null 2>&1
why=$(awk -F, 'NR > 1 { want = $1 < 180 ? 0.04 : 0.05
    if ($1 < 3780 && $10 != want) { print $10 " at " $1; exit } }' \
    "$dir/slow/none/series.csv" 2>&1)
verdict "at a period of 10 s a new price is known when it begins" "$why"
"$BALLAST" replay $ten --load "$dir/hour.csv" --price "$dir/price.csv" \
    --price-column da_per_mwh >/dev/null 2>"$dir/err"
verdict "a gap in the prices is told" \
    "$(grep -q '1 gap of 1 price, 1.0 h from' "$dir/err" || cat "$dir/err")"

# --strict, and what the recording is worth.
"$BALLAST" replay $ten --load "$dir/step.csv" --policy none --strict \
    >/dev/null 2>"$dir/err"
code=$?
[ $code = 1 ] && grep -q 'none broke the ramp limit in' "$dir/err"
verdict "--strict says no, and which limit" \
    "$([ $? = 0 ] || echo "exit $code: $(cat "$dir/err")")"
sed 's/^  ramp_max: .*/&\n  swing_max: 1 MW/' $ten >"$dir/swing.yaml"
"$BALLAST" replay "$dir/swing.yaml" --load "$dir/step.csv" --strict \
    >/dev/null 2>"$dir/err"
code=$?
[ $code = 1 ] && grep -q 'broke the swing limit' "$dir/err"
verdict "--strict judges the swing as well" \
    "$([ $? = 0 ] || echo "exit $code: $(cat "$dir/err")")"

# An emergency excuses the fall that it forces, and only that.
printf 't_s,load_mw\n0,100\n600,100\n601,60\n1200,60\n' >"$dir/fall.csv"
cat >"$dir/emergency.jsonl" <<EOF
{"v":1,"id":"e","kind":"emergency","start":"+0","end":"+900","value_w":90e6,"priority":1}
EOF
json $ten --load "$dir/fall.csv" --events "$dir/emergency.jsonl" \
    --policy limiter >"$dir/forced.json"
json $ten --load "$dir/fall.csv" --events "$dir/emergency.jsonl" \
    --policy none >"$dir/deaf.json"
forced=$(number "$dir/forced.json" exempt)
deaf=$(number "$dir/deaf.json" exempt)
broken=$(number "$dir/deaf.json" ramp_violations)
why=
[ "$forced" -gt 0 ] || why="$forced exempt where it was obeyed"
[ "$deaf" = 0 ] && [ "$broken" -gt 0 ] ||
    why="$why $deaf exempt, $broken not, of who did not listen"
verdict "an emergency excuses what it forces" "$why"
"$BALLAST" replay $demo --load "gen:training" --record "$dir/x.rec" >/dev/null
"$BALLAST" verify "$dir/x.rec" >"$dir/out" 2>&1
code=$?
verdict "a recorded replay verifies" "$([ $code = 0 ] || cat "$dir/out")"
printf '\125' | dd of="$dir/x.rec" bs=1 seek=200000 conv=notrunc 2>/dev/null
"$BALLAST" verify "$dir/x.rec" >"$dir/out" 2>&1
code=$?
verdict "with one changed byte it does not" \
    "$([ $code = 1 ] || echo "exit $code")"

refused "no load" "--load is missing" $demo
refused "no such trace" "nothere.csv" $demo --load nothere.csv
refused "no such policy" '"best"' $demo --load gen:training --policy best
refused "a recording of hindsight, which decides nothing" "hindsight is none" \
    $demo --load gen:training --policy hindsight --record "$dir/h.rec"
# Two hours to the end of October in Chicago, two hours of November: the demand
# charge is paid for in each month, whoever steers.
sed 's/^  import_max:/  demand_charge: 10 USD\/kW\n  billing_peak: 95 MW\n  import_max:/' \
    $ten >"$dir/month.yaml"
echo 'control: {period: 1 s}' >>"$dir/month.yaml"
printf 't_s,load_mw\n0,100\n7200,80\n14400,80\n' >"$dir/month.csv"
json "$dir/month.yaml" --load "$dir/month.csv" --start 2024-11-01T03:00:00Z \
    --policy none,ballast,limiter,hindsight >"$dir/month.json"
verdict "each billing month has its own peak, for every policy alike" "$(
    /usr/bin/python3 - "$dir/month.json" <<'PYTHON'
import json, sys
for x in json.load(open(sys.argv[1]))["policies"]:
    c, name = x["cost"], x["policy"]
    m = c["months"]
    begins = [y["from"] for y in m]
    if begins != ["2024-10-01T05:00:00Z", "2024-11-01T05:00:00Z"]:
        print(name, "has the months", begins)
        continue
    paid = [10 * max(m[0]["peak_w"] / 1e3 - 95e3, 0), 10 * m[1]["peak_w"] / 1e3]
    for y, p in zip(m, paid):
        if abs(y["demand_cur"] - p) > 0.01:
            print(name, "pays", y["demand_cur"], "not", p)
    if abs(c["demand_cur"] - sum(paid)) > 0.01: print(name, "sum", c)
    if name == "none" and abs(paid[0] - 50e3) > 500: print("October", paid[0])
    if name == "none" and abs(paid[1] - 800e3) > 9e3: print("November", paid)
    if m[1]["peak_w"] > 95e6: print(name, "draws in November", m[1]["peak_w"])
PYTHON
)"
# The table's money adds up, and every limit has its row.
printf 't_s,load_mw\n0,10\n60,8\n1200,8\n' >"$dir/money.csv"
"$BALLAST" replay $demo --load "$dir/money.csv" --policy limiter,hindsight \
    >"$dir/money.txt"
json $demo --load "$dir/money.csv" --policy limiter,hindsight >"$dir/money.json"
verdict "the total of the table is the sum of its rows" "$(
    /usr/bin/python3 - "$dir/money.txt" "$dir/money.json" <<'PYTHON'
import json, re, sys
rows = {l[:25].strip(): l[25:] for l in open(sys.argv[1]) if len(l) > 25}
def cells(name): return [float(x) for x in re.findall(r"-?[0-9.]+", rows[name])]
parts = ["energy", "demand charge", "value held back", "battery wear"]
known = json.load(open(sys.argv[2]))["policies"]
for need in parts[:2]:
    if need not in rows: print("no row", need)
for i, p in enumerate(known):
    total = sum(cells(x)[i] for x in parts if x in rows)
    if abs(total - cells("total cost")[i]) > 0.021: print(i, total, rows)
    for name, key in ("import", "import_limit"), ("export", "export_limit"):
        if cells(f"over the {name} limit")[i] != p["grid"][key + "_violations"]:
            print(name, rows)
    if not cells("energy")[i] > 0 < cells("demand charge")[i]: print(i, rows)
PYTHON
)"
grep -q '^edges within a step are not seen$' "$dir/money.txt"
verdict "the bound says what it does not see" \
    "$([ $? = 0 ] || tail -3 "$dir/money.txt")"
refused "hindsight over more than 120 days" "replay a part of it" \
    "$dir/slow.yaml" --load gen:training,days=121 --policy hindsight
refused "a policy named twice" '"none"' $demo --load gen:training \
    --policy none,none
refused "no policy at all" '""' $demo --load gen:training --policy ''
refused "no such generator" "gen:" $demo --load gen:nothing
refused "no such column" "nope" $demo --load "$dir/step.csv" --column nope
refused "an empty selection" "run" $demo --load "$dir/step.csv" --where run=Z
refused "a scale of zero" "--scale" $demo --load gen:training --scale 0
refused "a bad start" "--start" $demo --load gen:training --start yesterday
printf 't_s,load_w\n0,5\n1,nan\n' >"$dir/nan.csv"
refused "NaN in a trace" "nan.csv:3" $demo --load "$dir/nan.csv"
printf 't_s,load_w\n0,5\n2,5\n1,5\n' >"$dir/back.csv"
refused "a time that goes back" "back.csv:4" $demo --load "$dir/back.csv"
printf '{"kind":"import_max","value_w":"x"}\n' >"$dir/bad.jsonl"
refused "a price option without prices" "--settle-column needs --price" \
    $demo --load gen:training --settle-column x
refused "a recording with prices that its site file does not know" \
    "add a market" $ten --load "$dir/step.csv" \
    --price "$dir/price.csv" --record "$dir/no.rec"
refused "a bad event" "bad.jsonl:1" $demo --load gen:training \
    --events "$dir/bad.jsonl"
printf 'time_utc,x_per_mwh\nnow,5\n' >"$dir/bad.csv"
refused "a bad price" "bad.csv:2" $demo --load gen:training \
    --price "$dir/bad.csv"
printf 'site: {}\n' >"$dir/bad.yaml"
refused "a bad site" "bad.yaml:1" "$dir/bad.yaml" --load gen:training
refused "an output that cannot be" "$dir/step.csv" $demo --load gen:training \
    --out "$dir/step.csv"
exit $failed
