#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Evidence: what a controller writes while it runs, is killed, finds a torn
# line, a full disk and a foreign file; what export cuts out of it; what verify
# says; and the log of a replay.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
sim=
run=
cleanup()
{
    # shellcheck disable=SC2086
    kill $run $sim 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
python=/usr/bin/python3
if ! command -v $python >/dev/null; then
    echo "skip - evidence of a running controller: no $python"
    exit 0
fi
read -r meter b1 < <(free_ports 2)
site=$dir/site.yaml
db=$dir/h.db
log=$db.evidence
cat >"$site" <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid:
  import_max: 8 MW
  export_max: 0 MW
  ramp_max: 1 MW/min
  meter: {modbus: {host: 127.0.0.1, port: $meter, unit: 1, map: sunspec-meter}}
batteries:
  - {name: b1, kind: megapack, energy: 4 MWh, charge_max: 2 MW,
     discharge_max: 2 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp, sim: {soc_start: 50 %, response: 50 ms},
     modbus: {host: 127.0.0.1, port: $b1, unit: 1, map: sunspec}}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p1, profile: generic, power_max: 2 MW, cap_min: 0.3 MW, class: training}
history: {file: $db}
EOS

# words TEXT STATUS FILE PATTERN: "" where the exit code is STATUS and the text
# is there.
words()
{
    [ "$1" -eq "$2" ] || { echo "exit code $1, not $2: $(head -c 600 "$3")"; return; }
    grep -q -- "$4" "$3" || echo "no '$4' in: $(head -c 600 "$3")"
}

# verify FILE STATUS PATTERN [OPTION...]
verify()
{
    local file=$1 status=$2 pattern=$3
    shift 3
    "$BALLAST" verify "$file" "$@" >"$dir/said" 2>&1
    words $? "$status" "$dir/said" "$pattern"
}

# Until 'pattern' is in the log N times, at most 15 s.
until_logged()
{
    local end=$((SECONDS + 15))
    while [ "$(cat "$log" 2>/dev/null | grep -c "$1")" -lt "$2" ]; do
        [ $SECONDS -lt $end ] || { echo "not $2 times in 15 s: $1; $(tail -3 "$dir/run.log")"; return; }
        sleep 0.1
    done
}

"$BALLAST" sim "$site" >"$dir/sim.log" 2>&1 &
sim=$!
start()
{
    "$BALLAST" run "$site" --no-record "$@" >/dev/null 2>>"$dir/run.log" &
    run=$!
}
stop()
{
    kill "$@" "$run"
    wait "$run" 2>/dev/null
    run=
}

start
verdict "a run begins its evidence with a head" "$(until_logged '"kind":"head"' 1)"
sleep 2
why=
"$BALLAST" status "$site" --json >"$dir/status.json" 2>&1 || why="status: $(head -1 "$dir/status.json")"
[ -n "$why" ] || why=$($python - "$dir/status.json" 2>&1 <<'EOS'
import json, sys
s = json.load(open(sys.argv[1]))
c, e = s["compliance"], s["evidence"]
assert c["seen_s"] > 0, c["seen_s"]
assert sum(c["violations"].values()) == 0, c["violations"]
assert [b["nyquist_hz"] for b in c["bands"]] == [5, 5, 5], c["bands"]
assert e["n"] >= 1 and len(e["head"]) == 64 and not e["failing"], e
EOS
)
verdict "status shows the meter and the log" "$why"
stop -TERM
verdict "a stop is the last line" "$(tail -1 "$log" | grep -q '"kind":"stop"' || tail -1 "$log")"
verdict "the log of an orderly run is whole" "$(verify "$log" 0 'none changed')"
verdict "and has no open end" "$(grep -q 'no line of an orderly end' "$dir/said" && cat "$dir/said")"

start
until_logged '"because":"start"' 1
sleep 1
stop -KILL
verdict "the log of a killed run is whole" "$(verify "$log" 0 'no line of an orderly end')"
head=$(tail -1 "$log" | sed 's/.*"h":"\([0-9a-f]*\)".*/\1/')

# killed in the middle of a line
printf '{"n":%d,"kind":"minute","at":"2026-' "$(($(wc -l <"$log") + 1))" >>"$log"
verdict "a torn line is told" "$(verify "$log" 1 "line $(($(wc -l <"$log") + 1)): it has no end")"
cp "$log" "$dir/torn"
start
verdict "the next run marks it" "$(until_logged '"kind":"torn"' 1)"
sleep 1
stop -TERM
verdict "and the log is whole again" "$(verify "$log" 0 '1 line torn by a kill and marked')"
verdict "what was there is still there" "$(cmp -n "$(stat -c %s "$dir/torn")" "$dir/torn" "$log" 2>&1)"
verdict "a hash noted before is in it" "$(verify "$log" 0 'the hash asked for is in it' --head "$head")"
verdict "another hash is not" \
    "$(verify "$log" 1 'no line has the hash' --head "$(printf %064d 7)")"
verdict "a hash must be one" "$(verify "$log" 2 'expected the 64 digits' --head 12)"

# tampering
sed '2s/"import_wh":/"import_wh":9/' "$log" >"$dir/bent"
verdict "a changed line is named" "$(verify "$dir/bent" 1 'line 2: its content')"
sed 3d "$log" >"$dir/bent"
verdict "a missing line is named" "$(verify "$dir/bent" 1 'line 3: the line with n 3 is missing')"
awk 'NR == 3 {keep = $0; next} {print} NR == 4 {print keep}' "$log" >"$dir/bent"
verdict "a moved line is named" "$(verify "$dir/bent" 1 'lines were reordered')"
why=$("$BALLAST" verify "$dir/bent" --json | $python -c '
import json, sys
d = json.load(sys.stdin)
assert (d["result"], d["fault"], d["bad_line"]) == ("broken", "moved", 3), d' 2>&1)
verdict "and in JSON" "$why"

# export
"$BALLAST" export "$site" --evidence --out "$dir/all" 2>"$dir/said"
verdict "export writes the log as it is" "$(cmp "$dir/all" "$log" 2>&1)"
from=$(sed -n 3p "$log" | sed 's/.*"at":"\([^"]*\)".*/\1/')
"$BALLAST" export "$db" --evidence --from "$from" --out "$dir/part" 2>"$dir/said"
verdict "a part of it can be verified by itself" "$(verify "$dir/part" 0 'a part cut out')"
sed '3s/"kind"/"Kind"/' "$dir/part" >"$dir/bent"
verdict "and not changed" "$(verify "$dir/bent" 1 'line 3')"
sed 2d "$dir/part" >"$dir/bent"
verdict "nor shortened at its beginning" "$(verify "$dir/bent" 1 'line 2')"
"$BALLAST" export "$site" --history --every '5 s' >"$dir/csv" 2>"$dir/said"
why=$(words $? 0 "$dir/csv" '^time_utc,n_ticks,degraded,grid_mean_w')
[ -n "$why" ] || why=$(awk -F, 'NR > 1 {n += $2; if (NF != 21) bad = 1} END {if (bad || n < 20) print n " ticks, " NR " rows"}' "$dir/csv")
verdict "history is written as CSV" "$why"
"$BALLAST" export "$site" --history --from 2100-01-01T00:00:00Z >"$dir/csv" 2>"$dir/said"
verdict "nothing of that time is a no" "$(words $? 1 "$dir/said" 'nothing is kept')"
echo kept >"$dir/kept"
why=
for kind in --history --evidence; do
    "$BALLAST" export "$site" $kind --from 2100-01-01T00:00:00Z \
        --out "$dir/kept" 2>"$dir/said"
    [ $? = 1 ] && [ "$(cat "$dir/kept")" = kept ] || why="$kind"
done
verdict "and leaves the file as it was" "$why"
"$BALLAST" export "$db" --settlement --event x >"$dir/csv" 2>"$dir/said"
verdict "a settlement of a database asks for the site file" \
    "$(words $? 2 "$dir/said" 'needs the site file')"
"$BALLAST" export "$site" >"$dir/csv" 2>"$dir/said"
verdict "export must be told what" "$(words $? 2 "$dir/said" 'evidence, --history or --settlement')"

# from another folder the site's relative path leads nowhere
sed "s|$db|elsewhere.db|" "$site" >"$dir/elsewhere.yaml"
why=
for ask in explain 'export --history' 'export --evidence'; do
    # shellcheck disable=SC2086
    "$BALLAST" $ask "$dir/elsewhere.yaml" >"$dir/csv" 2>"$dir/said"
    why=$why$(words $? 2 "$dir/said" "there is no elsewhere.db[.a-z]* in $PWD: ask")
    why=$why$(words 2 2 "$dir/said" "or for its DATABASE")
done
verdict "a history sought in the wrong folder: where, and what to do" "$why"

# a full disk
ln -sf /dev/full "$dir/full.evidence"
sed "s|^history:.*|history: {file: $dir/x.db, evidence: $dir/full.evidence}|" "$site" >"$dir/full.yaml"
"$BALLAST" run "$dir/full.yaml" --no-record --for 3s >/dev/null 2>"$dir/said" &
full=$!
end=$((SECONDS + 8))
why="no alarm"
while [ $SECONDS -lt $end ] && [ -n "$why" ]; do
    "$BALLAST" status "$dir/full.yaml" --json 2>/dev/null | grep -q evidence_failing && why=
    sleep 0.2
done
wait $full
verdict "a log that cannot be written is an alarm, and the controller runs" "$why"

# not ours
echo hello >"$dir/foreign"
sed "s|^history:.*|history: {file: $dir/y.db, evidence: $dir/foreign}|" "$site" >"$dir/foreign.yaml"
"$BALLAST" run "$dir/foreign.yaml" --no-record --for 1s >/dev/null 2>"$dir/said"
verdict "a foreign file is refused" "$(words $? 2 "$dir/said" 'not an evidence log')"
verdict "and left as it is" "$([ "$(cat "$dir/foreign")" = hello ] || cat "$dir/foreign")"
sed "s|^history:.*|history: {file: $dir/z.db, evidence: none}|" "$site" >"$dir/none.yaml"
"$BALLAST" run "$dir/none.yaml" --no-record --for 1s >/dev/null 2>&1
verdict "none keeps none" "$(ls "$dir"/z.db.evidence 2>/dev/null)"

# replay
"$BALLAST" replay replay/sites/ten_megablocks.yaml --load gen:training,seed=3 --policy none,ballast \
    --scale 1 --out "$dir/out" --every 60s --json >"$dir/replay.json" 2>"$dir/said"
grep -q 'policy none over gen:training,seed=3 (synthetic)"' \
    "$dir/out/none/evidence.log"
verdict "and says once that its load is synthetic" \
    "$([ $? = 0 ] || head -c 900 "$dir/out/none/evidence.log")"
verdict "a replay's evidence is whole" "$(verify "$dir/out/none/evidence.log" 0 'none changed')"
why=$($python - "$dir/replay.json" "$dir/out" 2>&1 <<'EOS'
import json, sys
for p in json.load(open(sys.argv[1]))["policies"]:
    lines = [json.loads(x) for x in open(sys.argv[2] + "/" + p["policy"] + "/evidence.log")]
    g = p["grid"]
    minutes = [x for x in lines if x["kind"] == "minute"]
    wh = sum(x["import_wh"] for x in minutes)
    assert abs(wh - g["import_wh"]) < 1e-6 * g["import_wh"], (wh, g["import_wh"])
    ramp = sum(x["violations"].get("ramp", 0) for x in minutes)
    assert ramp == g["ramp_violations"], (ramp, g["ramp_violations"])
    ends = [x for x in lines if x["kind"] == "violation_end"]
    assert sum(x["ticks"] for x in ends if x["rule"] == "ramp") == ramp, ends
    assert sum(x["ticks"] for x in minutes) == round(p["duration_s"] / p["period_s"])
    assert all(x["why"] for x in ends)
EOS
)
verdict "and its sums are those of the report" "$why"
exit $failed
