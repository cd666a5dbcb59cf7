#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Pods that can hold a floor: a site whose battery has half of the needed power
# need not hold compute back for a stop of its jobs.  The load is a measured
# trace; the stop is cut into it.
set -u
. tests/lib.sh
trace=../shared/traces/gpt3_512xh100_train_2s.csv
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

if [ ! -r "$trace" ]; then
    echo "skip - a stop is held by floors: $trace is not here"
    exit 0
fi

with_stop() { # which kind of contingency
    sed "s/contingencies: \[\]/contingencies: [{name: jobs end, $1: 10 MW}]/" \
        replay/sites/half_megapack.yaml
}
with_stop drop >"$dir/without.yaml"
with_stop stop | sed 's/cap_min: 0.5 MW,/& floor_max: 1.35 MW,/' \
    >"$dir/with.yaml"

# Run B at 32.68 times its power, in MW, stopped to 5 MW for ten minutes.
stopped() { # from when, in seconds
    awk -F, -v from="$1" 'BEGIN { print "t_s,load_mw" }
        $1 == "B" { t = $2; w = $5 * 0.03268
            if (t >= from && t < from + 600 && w > 5) w = 5
            print t "," w }' "$trace"
}

play() { # site, load file
    "$BALLAST" replay "$dir/$1.yaml" --load "$2" --json --out "$dir/$1" \
        >"$dir/out" 2>"$dir/err"
}
figure() { # key
    sed -n "s/^.*\"$1\":[[:space:]]*\([-0-9.e+]*\),*\$/\1/p" "$dir/out" |
        head -n 1 | grep . || echo "no $1: $(head -c 300 "$dir/err")"
}
# False where one is no number: a replay that failed has none.
less() {
    awk -v a="$1" -v b="$2" 'BEGIN {
        number = "^-?[0-9.]+(e[-+]?[0-9]+)?$"
        exit !(a ~ number && b ~ number && a + 0 < b + 0) }'
}

stopped 9999 >"$dir/run.csv"
play without "$dir/run.csv"
verdict "without floors 6 MWh and more are held back for the stop" \
    "$(less 6e6 "$(figure shed_wh)" || figure shed_wh)"
play with "$dir/run.csv"
verdict "with floors less than 0.1 MWh is" \
    "$(less "$(figure shed_wh)" 1e5 || figure shed_wh)"
verdict "and next to nothing is burnt while no job ends" \
    "$(less "$(figure burn_wh)" 2e4 || figure burn_wh)"

for from in 400 1501 2733; do
    stopped "$from" >"$dir/stop.csv"
    play with "$dir/stop.csv"
    verdict "a stop after $from s stays inside the ramp" \
        "$([ "$(figure ramp_violations)" = 0 ] || figure ramp_violations)"
    verdict "burning what the battery cannot take, below 0.9 MWh" \
        "$(less "$(figure burn_wh)" 9e5 || figure burn_wh)"
done

# At 50 USD/MWh.
printf 'time_utc,usd_per_mwh\n2026-01-01T00:00:00Z,50\n2026-01-01T02:00:00Z,50\n' \
    >"$dir/price.csv"
"$BALLAST" replay "$dir/with.yaml" --load "$dir/stop.csv" --json --out "$dir/with" \
    --price "$dir/price.csv" --price-column usd_per_mwh --price-known all \
    --start 2026-01-01T00:00:00Z >"$dir/out" 2>"$dir/err"
why=$(awk -v wh="$(figure burn_wh)" -v cur="$(figure burn_cur)" 'BEGIN {
    d = cur - wh * 50e-6
    if (cur + 0 <= 0 || wh + 0 <= 0 || d > 0.01 || d < -0.01) print cur " for " wh " Wh" }')
verdict "what is burnt is priced" "$why"

# Column 12 is what is burnt: the books must balance with it.
why=$(awk -F, 'NR == 1 && $12 != "burn_w" { print "no column"; exit }
    NR > 1 { d = $3 + $12 + $4 + $5 + $6 - $7
        if (d > 1 || d < -1) { print d " W at " $1; exit }
        if ($12 > most) most = $12 }
    END { if (most < 5e6) print "at most " most " W burnt" }' \
    "$dir/with/ballast/series.csv" 2>&1)
verdict "the grid carries what is served, burnt and stored" "$why"

exit $failed
