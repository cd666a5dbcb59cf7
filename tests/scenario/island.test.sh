#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A site that is cut off from the grid in a replay, and comes back both ways.
set -u
. tests/lib.sh
ten=replay/sites/ten_megablocks.yaml
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

printf 't_s,load_mw\n0,145\n1800,145\n' >"$dir/load.csv"
printf '{"v":1,"id":"breaker","kind":"island","start":"+300","end":"+600","value_w":0}\n' \
    >"$dir/island.jsonl"

# back WAY: replays it with that grid.return.
back()
{
    sed "s/^  ramp_max: .*/&\n  island_load: 60 MW\n  island_duration: 2 h\n  return: $1/" \
        $ten >"$dir/$1.yaml"
    "$BALLAST" replay "$dir/$1.yaml" --load "$dir/load.csv" --strict --json \
        --events "$dir/island.jsonl" --out "$dir/$1" >"$dir/$1.json" 2>"$dir/err"
}

# grid WAY FROM TO: lowest and highest grid and served power, in MW.
grid()
{
    awk -F, -v from="$2" -v to="$3" 'NR > 1 && $1 >= from && $1 < to {
        if (n++ == 0) { lo = hi = $7; low = high = $3 }
        if ($7 < lo) lo = $7; if ($7 > hi) hi = $7
        if ($3 < low) low = $3; if ($3 > high) high = $3
    } END { printf "%.1f %.1f %.1f %.1f", lo / 1e6, hi / 1e6, low / 1e6, high / 1e6 }' \
        "$dir/$1/ballast/series.csv"
}

for way in staged fast; do
    back $way
    code=$?
    verdict "$way: nothing is violated that was not forced" \
        "$([ $code = 0 ] || echo "exit $code; $(head -3 "$dir/err")")"
    read -r lo hi low high <<<"$(grid $way 310 600)"
    why=$(awk -v lo="$lo" -v hi="$hi" -v high="$high" 'BEGIN {
        if (lo < -0.1 || hi > 0.1) print "grid from " lo " to " hi " MW"
        if (high > 60.1) print "served " high " MW" }')
    verdict "$way: cut off, the priority load alone is served" "$why"
    grep -q '"kind":"exempt".*"rule":"ramp","cause":"island"' \
        "$dir/$way/ballast/evidence.log"
    verdict "$way: the ramp is exempt in the evidence log, with its cause" \
        "$([ $? = 0 ] || echo "no such line")"
    read -r lo hi low high <<<"$(grid $way 1500 1800)"
    verdict "$way: all of the load is back" \
        "$(awk -v low="$low" 'BEGIN { if (low < 144.9) print low " MW" }')"
done

read -r lo hi low high <<<"$(grid staged 600 660)"
verdict "staged: the grid follows inside the ramp" \
    "$(awk -v hi="$hi" 'BEGIN { if (hi > 11) print hi " MW after a minute" }')"
read -r lo hi low high <<<"$(grid fast 615 660)"
verdict "fast: the grid has the load at once" \
    "$(awk -v lo="$lo" 'BEGIN { if (lo < 60) print lo " MW" }')"

back sometimes
code=$?
verdict "refused: another word for the return" \
    "$([ $code = 2 ] && grep -q 'return' "$dir/err" || echo "exit $code")"

exit $failed
