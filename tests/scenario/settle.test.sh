#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Settlements: of a replay's events, checked against the run's evidence log;
# twelve days of it make a baseline; what is changed afterwards is found.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# of FILE EXPRESSION: of the settlement 's'
of()
{
    /usr/bin/python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$@"
}

site=replay/sites/ten_megablocks.yaml
printf 't_s,load_mw\n0,60\n3600,60\n' >"$dir/flat.csv"
cat >"$dir/cap.jsonl" <<EOS
{"id":"cap-7","kind":"import_max","start":"+1800","end":"+3000","value_w":40e6}
EOS
"$BALLAST" replay $site --load "$dir/flat.csv" --events "$dir/cap.jsonl" \
    --policy ballast,none --start 2026-11-18T00:00:00Z --every '1 min' \
    --out "$dir/o" >"$dir/log" 2>&1
s=$dir/o/ballast/settlement.json
why=
"$BALLAST" verify "$s" >"$dir/v" 2>&1 || why=$(cat "$dir/v")
[ "$(of "$s" 's["accuracy"]["above_s"]')" = 0 ] || why="above the limit"
[ "$(of "$s" 's["evidence"]["minutes"]')" = 20 ] || why="not 20 minutes"
[ "$(of "$s" 's["baseline"]["method"], s["baseline"]["too_few_days"]')" = \
    "('meter before', True)" ] || why="$(of "$s" 's["baseline"]')"
[ "$(of "$s" '5.5e6 < s["totals"]["delivered_wh"] < 6.8e6')" = True ] ||
    why="$(of "$s" 's["totals"]')"
verdict "an event of a replay is settled and agrees with its evidence" "$why"

why=
n=$dir/o/none/settlement.json
"$BALLAST" verify "$n" >"$dir/v" 2>&1 || why=$(cat "$dir/v")
[ "$(of "$n" 's["accuracy"]["above_s"], s["accuracy"]["reach_s"]')" = \
    "(1200, None)" ] || why="$(of "$n" 's["accuracy"]')"
[ "$(of "$n" 'abs(s["totals"]["delivered_wh"]) < 1')" = True ] ||
    why="$(of "$n" 's["totals"]')"
verdict "who does nothing delivers nothing, and is above all the time" "$why"

why=
for i in $(seq 40); do
    /usr/bin/python3 - "$s" "$dir/bad.json" "$i" <<'PYTHON'
import random, sys
b = bytearray(open(sys.argv[1], "rb").read())
random.seed(int(sys.argv[3]))
k = random.randrange(len(b))
b[k] ^= 1 << random.randrange(7)
open(sys.argv[2], "wb").write(b)
PYTHON
    "$BALLAST" verify "$dir/bad.json" --evidence "$dir/o/ballast/evidence.log" \
        >"$dir/v" 2>&1 && why="bit $i is not found"
done
verdict "no bit of it can be changed unseen" "$why"

# A new seal over other figures: the evidence says otherwise.
reseal()
{
    /usr/bin/python3 - "$s" "$dir/forged.json" "$@" <<'PYTHON'
import hashlib, sys
t = open(sys.argv[1]).read()
body = t[:t.rindex(',\n\t"sha256"')]
assert sys.argv[3] in body
body = body.replace(sys.argv[3], sys.argv[4], 1)
h = hashlib.sha256(body.encode()).hexdigest()
open(sys.argv[2], "w").write(body + ',\n\t"sha256":\t"%s"\n}\n' % h)
PYTHON
    "$BALLAST" verify "$dir/forged.json" \
        --evidence "$dir/o/ballast/evidence.log" >"$dir/v" 2>&1
}
why=
reseal cap-7 cap-8 || why="a good one is refused: $(cat "$dir/v")"
reseal "\"settled_wh\":	$(of "$s" 's["evidence"]["settled_wh"]')" \
    '"settled_wh":	9000000' && why="less energy is believed"
grep -q 'energy in the evidence' "$dir/v" || why=$(cat "$dir/v")
reseal '"minutes":	20' '"minutes":	19' && why="a minute less is believed"
reseal "$(of "$s" 's["evidence"]["tail"]["h"]')" \
    "$(printf '0%.0s' $(seq 64))" && why="another chain is believed"
reseal '"from":	"2026-11-18T00:30:00Z"' '"from":	"2026-11-18T00:31:00Z"' &&
    why="another span is believed"
verdict "new seals over other figures are contradicted by the evidence" "$why"

why=
sed 's/"import_wh":6/"import_wh":5/' "$dir/o/ballast/evidence.log" \
    >"$dir/evidence.log"
"$BALLAST" verify "$s" --evidence "$dir/evidence.log" >"$dir/v" 2>&1 &&
    why="a changed log is believed"
"$BALLAST" verify "$s" --evidence "$dir/none" >"$dir/v" 2>&1 &&
    why="a missing log is believed"
rm -f "$dir/evidence.log"
"$BALLAST" verify "$s" --head 00 >"$dir/v" 2>&1
[ $? = 2 ] || why="--head of a settlement is not refused"
"$BALLAST" verify "$dir/o/ballast/evidence.log" --evidence x >"$dir/v" 2>&1
[ $? = 2 ] || why="--evidence of a log is not refused"
verdict "its evidence must be whole and there" "$why"

# Two events, each with a file of its own.
cat >"$dir/two.jsonl" <<EOS
{"id":"a","kind":"import_max","start":"+600","end":"+900","value_w":55e6}
{"id":"b","kind":"import_max","start":"+1800","end":"+2100","value_w":55e6}
{"id":"late","kind":"import_max","start":"+99999","value_w":55e6}
EOS
"$BALLAST" replay $site --load "$dir/flat.csv" --events "$dir/two.jsonl" \
    --policy none --out "$dir/two" --every '1 min' >"$dir/log" 2>&1
why=
[ "$(of "$dir/two/none/settlement-1.json" 's["event"]')" = a ] || why="no a"
[ "$(of "$dir/two/none/settlement-2.json" 's["event"]')" = b ] || why="no b"
[ ! -e "$dir/two/none/settlement-3.json" ] || why="one that never began"
verdict "each event has a settlement" "$why"

why=
cat >"$dir/site.yaml" <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 6 MW, export_max: 0 MW, ramp_max: 6 MW/min}
pods:
  - {name: hall, profile: generic, count: 4, power_max: 1 MW, cap_min: 0.3 MW, class: training}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
history: {file: $dir/none.db}
EOS
for bad in "--settlement --event x" "--settlement --days 6/5" \
    "--settlement --limit 5" "--settlement --cap 5" "--event x --history" \
    "--settlement --holidays 2026-13-01" "--settlement --window 2h" \
    "--settlement --baseline low" "--settlement --adjust up"; do
    # shellcheck disable=SC2086
    "$BALLAST" export "$dir/site.yaml" $bad >"$dir/v" 2>&1
    [ $? = 2 ] && [ -s "$dir/v" ] || why="$bad is taken"
done
verdict "wrong options of a settlement are refused" "$why"
exit $failed
