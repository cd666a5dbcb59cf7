#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What `ballast replay --json` says against a plain computation from the
# series.csv that it wrote: the meter of compliance, the energy and the money,
# at several periods, with and without batteries, and over a repeated trace.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# Every figure from its definition in models/compliance.h and the contract.
cat >"$dir/direct.awk" <<'AWK'
function mean_into(to, ticks, i, k, sum) {
    for (i = 0; i < n; i++) {
        sum = 0
        for (k = i - ticks + 1; k <= i; k++) {
            sum += k < 0 ? g[0] : g[k]
        }
        to[i] = sum / ticks
    }
    for (i = 1; i <= 6000; i++) {
        to[-i] = g[0]
    }
}
function ticks_of(seconds, t) {
    t = int(seconds / dt + 0.5)
    return t < 1 ? 1 : t
}
function fabs(x) { return x < 0 ? -x : x }
BEGIN { FS = ","; n = 0 }
NR > 1 {
    g[n] = $7; grid_ws += $7 > 0 ? $7 * dt : 0
    demand_ws += $2 * dt; served_ws += $3 * dt
    cost += ($7 > 0 ? $7 : 0) * dt / 3.6e6 * $10
    price += $10
    if ($9 < low || n == 0) low = $9
    if ($9 > high || n == 0) high = $9
    last_soc = $9
    if (n > 0 && fabs($7 - g[n - 1]) > edge) edge = fabs($7 - g[n - 1])
    n++
}
END {
    mean_into(m, ticks_of(10))
    first = ticks_of(10); longest = ticks_of(60)
    for (i = 0; i < n; i++) {
        steep = 0
        for (k = first; k <= longest; k++) {
            s = fabs(m[i] - m[i - k]) / (k * dt)
            if (s > steep) steep = s
        }
        if (steep > ramp) ramp = steep
        if (steep > ramp_max * 1.01) broken++
    }
    mean_into(m, ticks_of(2))
    for (i = 0; i < n; i++) {
        least = most = m[i]
        for (k = 1; k <= longest; k++) {
            if (m[i - k] < least) least = m[i - k]
            if (m[i - k] > most) most = m[i - k]
        }
        if (most - least > pp) pp = most - least
    }
    for (i = 0; i < n; i++) {
        number = int((i * dt + 1e-6) / 900)
        if (number != interval) {
            if (sum / held > peak) peak = sum / held
            interval = number; sum = held = 0
        }
        sum += g[i]; held++
    }
    whole = held * dt > 899.9 || interval == 0
    if (whole && sum / held > peak) peak = sum / held
    stored_kwh = (last_soc - soc_start) * energy_wh / 1e3
    printf "steps %d\nimport_wh %.9g\ndemand_wh %.9g\nserved_wh %.9g\n",
        n, grid_ws / 3600, demand_ws / 3600, served_ws / 3600
    printf "ramp_violations %d\nramp_max_w_per_s %.9g\npp60_max_w %.9g\n",
        broken, ramp, pp
    printf "edge_max_w %.9g\npeak_w %.9g\n", edge, peak
    printf "energy_swing_wh %.9g\n", (high - low) * energy_wh
    printf "energy_cur %.9g\n", cost - stored_kwh * price / n
    printf "demand_cur %.9g\n", (peak > 60e6 ? peak - 60e6 : 0) / 1e3 * 12
}
AWK

# site PERIOD ENERGY_MWH: one battery, or none for 0.
site()
{
    cat <<EOF
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 160 MW, export_max: 0 MW, ramp_max: 10 MW/min,
       demand_charge: 12 USD/kW, billing_peak: 60 MW}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
pods:
  - {name: p, profile: generic, count: 20, power_max: 6 MW, cap_min: 1 MW,
     class: training}
prices: [{market: day_ahead, fallback: 45 USD/MWh}]
control: {period: $1}
EOF
    [ "$2" = 0 ] || cat <<EOF
batteries:
  - {name: b, kind: generic, energy: $2 MWh, charge_max: 40 MW,
     discharge_max: 40 MW, efficiency: 91 %, soc_min: 10 %, soc_max: 90 %,
     chemistry: lfp, sim: {soc_start: 50 %}}
EOF
}

# agree WHAT PERIOD_S PERIOD ENERGY_MWH ARGS...: all policies of one site.
agree()
{
    local what=$1 dt=$2 energy=$4 policy why key want got
    site "$3" "$energy" >"$dir/site.yaml"
    shift 4
    for policy in ballast none limiter; do
        if ! "$BALLAST" replay "$dir/site.yaml" --policy $policy --json \
            --out "$dir" "$@" >"$dir/json" 2>"$dir/err"; then
            verdict "$what, $policy" "$(head -n 3 "$dir/err")"
            continue
        fi
        why=
        while read -r key want; do
            [ "$key" = energy_swing_wh ] && [ "$energy" = 0 ] && continue
            got=$(number "$dir/json" "$key")
            why=$why$(awk -v a="$got" -v b="$want" -v k="$key" 'BEGIN {
                d = a - b; d = d < 0 ? -d : d; size = b < 0 ? -b : b
                if (a == "" || d > 1e-6 * size + 0.05) {
                    printf "%s %s, not %s; ", k, a, b } }')
        done < <(awk -v dt="$dt" -v ramp_max=166666.6667 -v soc_start=0.5 \
            -v energy_wh="$energy"e6 -f "$dir/direct.awk" \
            "$dir/$policy/series.csv")
        verdict "$what, $policy" "$why"
    done
}

# Seeded noise on steps of tens of megawatts.
load()
{
    awk -v to="$1" -v every="$2" 'BEGIN {
        srand(3)
        print "t_s,load_mw"
        for (t = 0; t < to; t += every) {
            printf "%g,%.3f\n", t, 60 + 6 * rand() + (t > 100 && t < 240) * 30
        }
    }'
}
load 280 2 >"$dir/short.csv"
load 2400 2 >"$dir/long.csv"
agree "100 ms" 0.1 "100 ms" 20 --load "$dir/short.csv"
agree "300 ms, ticks between samples" 0.3 "300 ms" 20 --load "$dir/short.csv"
agree "1 s, over two demand intervals" 1 "1 s" 20 --load "$dir/long.csv"
agree "10 s" 10 "10 s" 20 --load "$dir/long.csv"
agree "a trace three times" 1 "1 s" 20 --load "$dir/short.csv" --repeat 3
agree "no battery" 1 "1 s" 0 --load "$dir/short.csv"
head -n 12 "$dir/short.csv" >"$dir/tiny.csv"
agree "20 ms" 0.02 "20 ms" 20 --load "$dir/tiny.csv"

# A trace that ends within a tick is played to the nearest whole tick, and the
# second pass begins with its first sample again.
printf 't_s,load_mw\n0,10\n1,20\n2.3,30\n' >"$dir/odd.csv"
site "1 s" 20 >"$dir/site.yaml"
"$BALLAST" replay "$dir/site.yaml" --load "$dir/odd.csv" --repeat 2 \
    --policy none --out "$dir" >/dev/null
got=$(awk -F, 'NR > 1 { printf "%d ", $2 / 1e6 }' "$dir/none/series.csv")
verdict "a trace of 3.3 s twice at a period of 1 s" \
    "$([ "$got" = "10 20 20 30 10 20 30 " ] || echo "$got")"

# Dead time: in the tick after the step and the next two nothing has moved.
printf 't_s,load_mw\n0,60\n30,80\n60,80\n' >"$dir/step.csv"
site "100 ms" 20 | sed 's/soc_start: 50 %/&, delay: 200 ms/' >"$dir/late.yaml"
site "100 ms" 20 >"$dir/site.yaml"
for name in site late; do
    "$BALLAST" replay "$dir/$name.yaml" --load "$dir/step.csv" \
        --policy limiter --out "$dir/$name" >/dev/null
done
moved()
{
    awk -F, 'NR > 1 && $1 >= 30 && $5 < -1e6 { print $1; exit }' \
        "$dir/$1/limiter/series.csv"
}
soon=$(moved site)
late=$(moved late)
verdict "a delay of 200 ms is two ticks" \
    "$([ "$soon $late" = "30.100 30.300" ] || echo "$soon, then $late")"
exit $failed
