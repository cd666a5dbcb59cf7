#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast wear` and `ballast rainflow` as their users call them.
set -u
ballast=${BALLAST:-./ballast}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
failed=0

ok()
{
    echo "ok - $1"
}

not_ok()
{
    echo "not ok - $1: $2"
    failed=1
}

# says NAME CODE TEXT COMMAND...: the exit code, and TEXT on stderr.
says()
{
    name=$1 code=$2 text=$3
    shift 3
    "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    if [ $got -ne "$code" ]; then
        not_ok "$name" "exit code $got, not $code: $(cat "$dir/err")"
    elif ! grep -qF -- "$text" "$dir/err"; then
        not_ok "$name" "no \"$text\" in: $(cat "$dir/err")"
    else
        ok "$name"
    fi
}

printf 'index,value\n0,-2\n1,1\n2,-3\n3,5\n4,-1\n5,3\n6,-4\n7,4\n8,-2\n' \
    >"$dir/astm.csv"
cat >"$dir/want" <<'END'
range,mean,count,i_start,i_end
3,-0.5,0.5,0,1
4,-1,0.5,1,2
4,1,1.0,4,5
8,1,0.5,2,3
9,0.5,0.5,3,6
8,0,0.5,6,7
6,1,0.5,7,8
END
if "$ballast" rainflow "$dir/astm.csv" | cmp -s - "$dir/want"; then
    ok "rainflow counts the example of ASTM E1049"
else
    not_ok "rainflow counts the example of ASTM E1049" \
        "$("$ballast" rainflow "$dir/astm.csv" | tr '\n' ' ')"
fi

# Bit for bit: 17 digits of a double name it.
exact()
{
    awk -F, 'NR == 1 { print; next }
        NF == 5 { printf "%.17g,%.17g,%.1f,%d,%d\n", $1, $2, $3, $4, $5 }' "$1"
}
vectors=../shared/vectors/rainflow
if [ ! -r $vectors/astm_fig6.series.csv ]; then
    echo "skip - rainflow counts the vectors bit for bit: no $vectors"
else
    n=0 differ=
    for series in $vectors/*.series.csv; do
        name=${series##*/}
        name=${name%.series.csv}
        # Their README's two exceptions; tests/models/test_rainflow has them.
        case $name in diverge_converge | two) continue ;; esac
        "$ballast" rainflow "$series" >"$dir/got.csv"
        exact "$dir/got.csv" >"$dir/got"
        exact "$vectors/$name.cycles.csv" >"$dir/want"
        cmp -s "$dir/got" "$dir/want" || differ="$differ $name"
        n=$((n + 1))
    done
    if [ -z "$differ" ] && [ $n -ge 14 ]; then
        ok "rainflow counts the vectors bit for bit"
    else
        not_ok "rainflow counts the vectors bit for bit" "$n,$differ"
    fi
fi

printf 'index,value\n0,1\n1,nan\n' >"$dir/bad.csv"
says "rainflow refuses what is no number" 2 \
    "$dir/bad.csv:3: value \"nan\": expected a finite number" \
    "$ballast" rainflow "$dir/bad.csv"
printf 'index,value\n0,1\n2,3\n' >"$dir/bad.csv"
says "rainflow refuses a gap in the index" 2 "$dir/bad.csv:3: index \"2\"" \
    "$ballast" rainflow "$dir/bad.csv"
printf 'index,value\n0,1\n1,1e301\n' >"$dir/bad.csv"
says "rainflow refuses what has no range" 2 "expected a number from -1e300" \
    "$ballast" rainflow "$dir/bad.csv"
printf 'index,value\n0.5,1\n' >"$dir/bad.csv"
says "rainflow wants whole indices" 2 "$dir/bad.csv:2: index \"0.5\"" \
    "$ballast" rainflow "$dir/bad.csv"
: >"$dir/bad.csv"
says "rainflow refuses an empty file" 2 "$dir/bad.csv:1: the file is empty" \
    "$ballast" rainflow "$dir/bad.csv"
printf 'index,value\n0,1\n1,\0\n' >"$dir/bad.csv"
says "rainflow refuses a NUL byte" 2 "$dir/bad.csv:3: a NUL byte" \
    "$ballast" rainflow "$dir/bad.csv"
printf 'i\033[2J,value\n0,1\n' >"$dir/bad.csv"
says "rainflow shows no control bytes" 2 "the file has i?[2J, value" \
    "$ballast" rainflow "$dir/bad.csv"
printf 'i,value\n0,1\n' >"$dir/bad.csv"
says "rainflow names a missing column" 2 "no column \"index\"" \
    "$ballast" rainflow "$dir/bad.csv"

{
    echo time_s,soc,temperature_C
    echo 0,0.2,25
    echo 14400,0.8,25
    echo 43200,0.8,5
    echo 57600,0.2,25
    echo 86400,0.2,25
} >"$dir/day.csv"
for method in rainflow daily; do
    for c in lfp lfp_naumann nca nmc nmc_schmalstieg; do
        "$ballast" wear --chemistry $c --profile "$dir/day.csv" --repeat 3 \
            --method $method --json >"$dir/out" 2>"$dir/err"
        name="wear ages $c by $method"
        if ! grep -q "^{\"chemistry\":\"$c\",.*\"days\":\[1,2,3\]" \
            "$dir/out"; then
            not_ok "$name" "$(cat "$dir/out" "$dir/err")"
        else
            ok "$name"
        fi
    done
done
"$ballast" wear --chemistry nmc --profile "$dir/day.csv" --repeat 3 --json \
    >"$dir/out"
keys=$(grep -o '"[a-z_]*":' "$dir/out" | tr -d '":' | tr '\n' ' ')
want="chemistry model days capacity_pu loss_calendar_pu loss_cycle_pu"
want="$want out_of_range "
rows=$(grep -o '"[a-z_]*_pu":\[[^],]*,[^],]*,[^],]*\]' "$dir/out" | wc -l)
if [ "$keys" = "$want" ] && [ "$rows" -eq 3 ]; then
    ok "wear --json has the keys of the contract, an entry per day"
else
    not_ok "wear --json has the keys of the contract, an entry per day" \
        "$keys, $rows arrays of 3"
fi
"$ballast" wear --chemistry lfp --profile "$dir/day.csv" >"$dir/out"
if grep -q "temperature below 10 C" "$dir/out"; then
    ok "wear names the range that was left"
else
    not_ok "wear names the range that was left" "$(cat "$dir/out")"
fi

"$ballast" wear --chemistry nca --profile gen:commuter >"$dir/out" &&
    "$ballast" wear --chemistry nca --profile gen:commuter --json >"$dir/json"
if grep -qx "profile: synthetic" "$dir/out" &&
    grep -q '"synthetic":true' "$dir/json"; then
    ok "wear labels what it made up"
else
    not_ok "wear labels what it made up" "$(head -3 "$dir/out")"
fi
says "wear refuses a week it cannot make" 2 \
    'gen: "draw=1": expected draw=0 to 1 MW, as 1.15 kW' \
    "$ballast" wear --chemistry nca --profile gen:commuter,draw=1

printf 'time_s,soc,temperature_C\n0,0.5,25\n900,1.5,25\n' >"$dir/bad.csv"
says "wear refuses a state of charge above 1" 2 \
    "$dir/bad.csv:3: soc \"1.5\": expected a state of charge from 0 to 1" \
    "$ballast" wear --chemistry lfp --profile "$dir/bad.csv"
printf 'time_s,soc,temperature_C\n0,0.5,25\n900,0.5,25\n800,0.5,25\n' \
    >"$dir/bad.csv"
says "wear refuses time that goes back" 2 \
    "$dir/bad.csv:4: time_s \"800\": expected a later time" \
    "$ballast" wear --chemistry lfp --profile "$dir/bad.csv"
says "wear names the chemistries" 2 "expected one of lfp, lfp_naumann" \
    "$ballast" wear --chemistry lead --profile "$dir/day.csv"
says "wear needs a profile" 2 "--profile is missing" \
    "$ballast" wear --chemistry lfp
says "wear names the methods" 2 "expected rainflow or daily" \
    "$ballast" wear --chemistry lfp --profile "$dir/day.csv" --method weekly
says "wear refuses centuries" 2 "expected at most 200000" \
    "$ballast" wear --chemistry lfp --profile "$dir/day.csv" --repeat 999999999
says "wear says which file it cannot read" 2 "$dir/none.csv" \
    "$ballast" wear --chemistry lfp --profile "$dir/none.csv"
# Segments of 1 MWh at 100 per kWh: 8 of them, the mean of all is what a full
# cycle costs in the reference (12.6 per MWh, at 25 C; 13 % more without a
# reward for heat).
"$ballast" wear --chemistry lfp --prices --replacement 100 --json >"$dir/json"
got=$(tr '{' '\n' <"$dir/json" | awk -F'"per_kwh":' '/width_pu/ && n < 8 {
    n++; sum += $2 } END { printf "%d %.1f", n, 1000 * sum / n }')
if [ "$got" = "8 14.6" ]; then
    ok "wear --prices gives the cost of a full cycle"
else
    not_ok "wear --prices gives the cost of a full cycle" "$got"
fi
for c in lfp lfp_naumann nca nmc nmc_schmalstieg; do
    "$ballast" wear --chemistry $c --prices >"$dir/out" 2>"$dir/err"
    if grep -q "prices by .*, guards by " "$dir/out" &&
        ! grep -qi "nan\|inf" "$dir/out"; then
        ok "wear --prices tells both models of $c"
    else
        not_ok "wear --prices tells both models of $c" "$(cat "$dir/err")"
    fi
done
says "wear --prices takes no profile" 2 "--prices takes no --profile" \
    "$ballast" wear --chemistry lfp --prices --profile "$dir/day.csv"
says "wear --prices names the chemistries" 2 "--chemistry is missing" \
    "$ballast" wear --prices
says "wear --prices refuses a negative replacement" 2 \
    "--replacement: -1: expected 0 to 1e+06" \
    "$ballast" wear --chemistry lfp --prices --replacement -1
says "wear --prices refuses no rate" 2 "--rate: 0: expected 0.01 to 10" \
    "$ballast" wear --chemistry lfp --prices --rate 0

says "wear of a profile takes no temperature" 2 \
    "--replacement, --temperature and --rate are for --prices" \
    "$ballast" wear --chemistry lfp --profile "$dir/day.csv" --temperature 30

printf 'index,value\n0,0\n1,1\n2,0\n' >"$dir/pipe.csv"
# shellcheck disable=SC2002
if [ "$(cat "$dir/pipe.csv" | "$ballast" rainflow /dev/stdin 2>&1)" = \
    "$("$ballast" rainflow "$dir/pipe.csv")" ]; then
    ok "a pipe is read as a file is"
else
    not_ok "a pipe is read as a file is" \
        "$(cat "$dir/pipe.csv" | "$ballast" rainflow /dev/stdin 2>&1)"
fi

for c in wear rainflow; do
    if "$ballast" $c --help | grep -q "^  ballast $c "; then
        ok "$c --help shows an example"
    else
        not_ok "$c --help shows an example" "none"
    fi
done
exit $failed
