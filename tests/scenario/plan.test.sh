#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast plan` as its users call it: the vectors' optima recomputed from the
# powers that it prints, the MPS file in clp's eyes, bad files.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# call ARGS...: leaves $rc, $dir/out and $dir/err.
call()
{
    timeout -k 2 60 "$BALLAST" plan "$@" >"$dir/out" 2>"$dir/err" </dev/null
    rc=$?
}

# expect RC STREAM TEXT: why the last call was not so, or nothing.
expect()
{
    if [ "$rc" -ne "$1" ]; then
        echo "exit $rc, not $1: $(head -n 2 "$dir/err" | tr '\n' ' ')"
    elif ! grep -qF -- "$3" "$dir/$2"; then
        echo "no \"$3\" on std$2: $(head -c 300 "$dir/$2")"
    fi
}

# Checks an answer against its problem with nothing of ours: feasible to 1 kW
# and 1 kWh, and what it costs from its powers alone (discharge takes from the
# cheapest segment, charge fills it first).  Prints why not, or the cost.
cat >"$dir/judge.py" <<'PYTHON'
import json, sys
p, a = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
n = len(p["load_w"])
def each(x): return x if isinstance(x, list) else [x] * n
h = [s / 3600 for s in each(p["step_s"])]
faults = []
def need(ok, what, t):
    if not ok: faults.append("%s at step %d" % (what, t))
keys = ("status gap_pu objective_cur grid_w batteries classes "
        "energy_value_per_kwh violations solve_s").split()
for k in keys:
    if k not in a: print("no key", k); sys.exit()
g = a["grid_w"]
cost = 0.0
imp, exp = each(p["import_max_w"]), each(p["export_max_w"])
pi, pe = each(p["price_import_per_kwh"]), each(p["price_export_per_kwh"])
for t in range(n):
    s = p["load_w"][t] + sum(c["served_w"][t] for c in a["classes"])
    s += sum(b["power_w"][t] for b in a["batteries"])
    need(abs(s - g[t]) < 1e3, "balance", t)
    need(-exp[t] - 1e3 < g[t] < imp[t] + 1e3, "grid limit", t)
    cost += h[t] * g[t] / 1e3 * (pi[t] if g[t] > 0 else pe[t])
ramp = p["ramp_max_w_per_s"]
before = p["grid_start_w"]
for t in range(n):
    if ramp is not None and before is not None:
        need(abs(g[t] - before) < ramp * h[t] * 3600 + 1e3, "ramp", t)
    before = g[t]
d = p["demand_charge"]
if d: cost += d["rate_per_kw"] * max(0, max(g) - d["incumbent_w"]) / 1e3
for b, x in zip(p["batteries"], a["batteries"]):
    size = b["energy_wh"]
    e = [w["start_pu"] * size for w in b["wear"]]
    most, least = each(b["charge_max_w"]), each(b["discharge_max_w"])
    for t in range(n):
        w = x["power_w"][t]
        need(-least[t] - 1e3 < w < most[t] + 1e3, b["name"] + " power", t)
        c = h[t] * (w * b["charge_eff_pu"] if w > 0
                    else w / b["discharge_eff_pu"])
        for i, seg in enumerate(b["wear"]):
            last = i + 1 == len(e)
            room = seg["width_pu"] * size - e[i]
            part = c if last else min(c, room) if c > 0 else max(c, -e[i])
            e[i] += part
            c -= part
            if part < 0:
                cost -= part * b["discharge_eff_pu"] / 1e3 * seg["per_kwh"]
        soc = b["soc_min_pu"] + sum(e) / size
        tol = 1e3 / size
        need(abs(soc - x["soc_pu"][t]) < tol, b["name"] + " soc", t)
        need(b["soc_min_pu"] - tol < soc < b["soc_max_pu"] + tol,
             b["name"] + " window", t)
        lo = b["soc_floor_pu"][t] if b["soc_floor_pu"] else 0
        hi = b["soc_ceiling_pu"][t] if b["soc_ceiling_pu"] else 1
        need(lo - tol < soc < hi + tol, b["name"] + " floor or ceiling", t)
    if b["soc_end_min_pu"] is not None:
        need(soc > b["soc_end_min_pu"] - tol, b["name"] + " end", n - 1)
    cost -= b["terminal_value_per_kwh"] * sum(e) / 1e3
for c, x in zip(p["classes"], a["classes"]):
    q = 0.0
    for t in range(n):
        asked, got = c["demand_w"][t], x["served_w"][t]
        if c["deferrable"]:
            q += h[t] * (asked - got)
            need(-1e3 < got < c["max_w"] + 1e3 and q > -1e3, c["name"], t)
            cost += c["delay_per_kwh_h"] * q / 1e3 * h[t]
        else:
            need(c["min_pu"] * asked - 1e3 < got < asked + 1e3, c["name"], t)
            cost += c["value_per_kwh"] * h[t] * (asked - got) / 1e3
    if c["deferrable"]: cost += c["value_per_kwh"] * q / 1e3
if len(a["energy_value_per_kwh"]) != len(p["batteries"]):
    faults.append("energy values")
if faults: print("; ".join(faults[:3])); sys.exit()
if len(sys.argv) > 3:
    best = json.load(open(sys.argv[3]))["objective_cur"]
    tol = 1e-6 * max(1, abs(best))
    if a["status"] != "OPTIMAL": print("status", a["status"])
    elif abs(cost - best) > tol: print("costs %.9g, not %.9g" % (cost, best))
    elif abs(cost - a["objective_cur"]) > tol: print("told another cost")
    elif a["gap_pu"] > 1e-6: print("gap", a["gap_pu"])
    elif a["violations"]: print("violations", a["violations"][:1])
PYTHON

vectors=../shared/vectors/plan
n=0
for problem in "$vectors"/*.problem.json; do
    [ -r "$problem" ] || continue
    name=$(basename "$problem" .problem.json)
    call "$problem" --mps "$dir/p.mps"
    why=$(expect 0 out '"status"')
    if [ -z "$why" ]; then
        why=$(/usr/bin/python3 "$dir/judge.py" "$problem" "$dir/out" \
            "$vectors/$name.expected.json" 2>&1)
    fi
    verdict "$name is answered within 1e-6 of its optimum" "$why"
    n=$((n + 1))
    if command -v clp >/dev/null; then
        ours=$(number "$dir/out" objective_cur)
        theirs=$(clp "$dir/p.mps" -dualsimplex </dev/null 2>/dev/null |
            sed -n 's/^Optimal objective \([-0-9.e+]*\) .*/\1/p')
        verdict "$name: clp finds the same optimum in the MPS file" "$(
            awk -v a="$ours" -v b="${theirs:-nan}" 'BEGIN {
                d = a > b ? a - b : b - a; m = b < 0 ? -b : b
                if (b !~ /^[-0-9]/ || d > 1e-6 * (m > 1 ? m : 1)) {
                    print "clp has " b ", we " a } }'
        )"
    fi
done
if [ $n -eq 0 ]; then
    echo "skip - the vectors' optima: no $vectors"
elif [ $n -ne 8 ]; then
    verdict "there are eight vectors" "$n"
fi
command -v clp >/dev/null ||
    echo "skip - clp reads the MPS file: clp is not installed (coinor-clp)"

sample=replay/plans/synthetic.json
call --sample
verdict "--sample makes the shipped problem" \
    "$(cmp "$dir/out" $sample 2>&1)"
verdict "the shipped problem says that it is synthetic" \
    "$(head -n 1 $sample | grep -q synthetic || head -n 1 $sample)"
call $sample --text
verdict "--text is a summary" "$(expect 0 out "OPTIMAL: cost")"
call $sample --mps -
verdict "--mps - writes the programme alone" "$(expect 0 out ENDATA)"
verdict "its columns have names for people" \
    "$(grep -qF "dis[megablock1.0,12]" "$dir/out" || echo "no such column")"
call - <$sample
verdict "there is no file called -" "$(expect 2 err "-: No such file")"
call $sample --iterations 3
verdict "three iterations still give a plan" "$(expect 0 out '"status": "')"
verdict "which is not called optimal" \
    "$(grep -q OPTIMAL "$dir/out" && echo "it is")"
verdict "and is what it says" "$(/usr/bin/python3 - "$dir/out" <<'PYTHON'
import json, sys
a = json.load(open(sys.argv[1]))
if a["violations"] and not a["violations"][0]["what"]: print("no what")
PYTHON
)"
call $sample --deadline 0.000001ms
verdict "no time at all gives the rule, and says why" \
    "$(expect 0 out '"status": "RULE"')$(expect 0 err "FEASIBLE is not taken")"
call --sample $sample
verdict "--sample takes no problem" "$(expect 2 err "--sample without one")"
call
verdict "without a problem it is wrong usage" "$(expect 2 err "expected one")"
call --random 100
verdict "100 random problems pass the check" \
    "$(expect 0 out "100 random problems")"
call --random 2 --seed 7006
verdict "and from any seed on" "$(expect 0 out "seeds 7006 to 7007")"
call $sample --iterations 20001
verdict "--iterations has a most" "$(expect 2 err "at most 20000")"
call $sample --text --json
verdict "--text and --json exclude each other" "$(expect 2 err "not both")"
if [ -w /dev/full ]; then
    "$BALLAST" plan $sample >/dev/full 2>"$dir/err"
    rc=$?
    verdict "a full disk is told" "$(expect 2 err "No space left")"
fi
call $sample --mps /none/p.mps
verdict "a file that cannot be written is told" "$(expect 2 err "/none/p.mps")"

# change SED-EXPRESSION: the shipped problem, changed, in $dir/bad.json.
change()
{
    sed "$1" $sample >"$dir/bad.json"
    cmp -s $sample "$dir/bad.json" && echo "the change $1 does nothing"
    call "$dir/bad.json"
}

# refused WHAT SED-EXPRESSION PATH-AND-REASON
refused()
{
    changed=$(change "$2")
    call "$dir/bad.json"
    verdict "$1" "$changed$(expect 2 err "bad.json: $3")"
}

refused "a negative width is told with its path" \
    's/"width_pu": 0.4/"width_pu": -1/' \
    "batteries[0].wear[0].width_pu: -1: expected a fraction from 0 to 1"
refused "a number that is none is told with its place" \
    's/"load_w": \[[0-9.]*,/"load_w": [NaN,/' "line 61, column"
refused "an unknown key is told with those that are known" \
    's/"soc_end_min_pu"/"soc_end_pu"/' "batteries[0].soc_end_pu: no such key"
refused "what the segments do not add up to is told" \
    's/"soc_start_pu": 0.45/"soc_start_pu": 0.5/' \
    "batteries[0].soc_start_pu: 0.5: expected soc_min_pu plus the sum of"
refused "a text for a number is told" \
    's/"energy_wh": 80000000/"energy_wh": "80 MWh"/' \
    "batteries[0].energy_wh: \"80 MWh\": expected an energy in Wh"
refused "a cut-off file is told" '$d' "line 60, column 2, in classes: is not JSON"
printf '%s' "$(cat $sample) x" >"$dir/bad.json"
call "$dir/bad.json"
verdict "what follows the object is told" "$(expect 2 err "is not JSON")"
head -c 200000 /dev/zero | tr '\0' '[' >"$dir/bad.json"
call "$dir/bad.json"
verdict "brackets without end are told" "$(expect 2 err "nested too deep")"
truncate -s 300M "$dir/bad.json"
call "$dir/bad.json"
verdict "300 MB are not read" "$(expect 2 err "at most 32 MiB")"
call "$dir/none.json"
verdict "a missing file is told" "$(expect 2 err "none.json: No such file")"
verdict "a refused file leaves stdout empty" "$(head -c 80 "$dir/out")"

# What cannot be met is answered all the same.
change 's/"import_max_w": \[[^]]*\]/"import_max_w": 20e6/'
verdict "an impossible limit is answered with what is violated" \
    "$(expect 0 out '"tier": "import", "what": "grid", "step": ')"
verdict "and people are told" "$(expect 0 err "cannot be met")"
call "$dir/bad.json" --strict
verdict "--strict makes it exit 1" "$(expect 1 out '"violations": [{')"
exit $failed
