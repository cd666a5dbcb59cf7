#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast check` and `ballast help` as a user meets them: exit codes, places,
# every fault at once, and what the shipped sites cover.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# call ARGS...: leaves $rc, $dir/out and $dir/err.
call()
{
    timeout -k 2 60 "$BALLAST" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    rc=$?
}

# expect RC STREAM TEXT: why the last call was not so, or nothing.
expect()
{
    if [ "$rc" -ne "$1" ]; then
        echo "exit $rc, not $1: $(head -n 2 "$dir/err" | tr '\n' ' ')"
    elif ! grep -qF -- "$3" "$dir/$2"; then
        echo "no \"$3\" on std$2"
    fi
}

demo=replay/sites/demo.yaml
ten=replay/sites/ten_megablocks.yaml

call check "$demo"
verdict "the demo site has no fault" "$(expect 0 out "no fault")"
verdict "a good site says nothing on stderr" "$(head -c 200 "$dir/err")"
verdict "without contingencies the largest pod is judged" \
    "$(expect 0 out "pod01, drop of 1.20 MW")"
verdict "and the loss of the largest battery" \
    "$(expect 0 out "covered      megablock1, loss of up to 10.00 MW: the others carry up to 10.00 MW")"
call check "$ten"
verdict "the ten Megablocks have no fault" "$(expect 0 out "no fault")"
verdict "a count is expanded" "$(expect 0 out "pods       100")"

sed 's/^  ramp_max: .*/&\n  contingencies: [{name: all, drop: 94 MW}, {name: more, drop: 120 MW}, {name: one, battery: megablock07}]/' \
    "$ten" >"$dir/ten.yaml"
call check "$dir/ten.yaml"
verdict "94 MW are covered" "$(expect 0 out "  covered      all, drop of 94.00 MW")"
verdict "a battery that may trip is judged" \
    "$(expect 0 out "  covered      one, loss of up to 10.00 MW: the others carry up to 90.00 MW")"
verdict "120 MW are not, and it says what it takes" \
    "$(expect 0 out "not covered  more, drop of 120.0 MW: it would take 20.00 MW more battery power")"

half=replay/sites/half_megapack.yaml
sed 's/contingencies: \[\]/contingencies: [{name: s, stop: 30 MW}]/' "$half" \
    >"$dir/bare.yaml"
call check "$dir/bare.yaml"
verdict "a stop of more than the pods draw is said to be" \
    "$(expect 0 out "no more than 15.00 MW, which is what the pods draw")"
verdict "and that no floor holds it up" \
    "$(expect 0 out "no pod has a floor_max that would hold the load up")"
sed 's/cap_min: 0.5 MW,/& floor_max: 1.5 MW,/' "$dir/bare.yaml" \
    >"$dir/floors.yaml"
call check "$dir/floors.yaml"
verdict "a stop that the floors hold up whole is covered" \
    "$(expect 0 out "  covered      s, stop of 30.00 MW")"

cat - "$demo" >"$dir/later.yaml" <<'EOS'
http: {listen: "127.0.0.1:8080"}
utility:
  openadr: {base: "https://vtn.example.com", client: us,
            secret_file: /nonexistent/secret, program: p}
EOS
if grep -q '^http:\|^utility:' "$demo"; then
    sed -i '5,${/^http:/d;/^utility:/d}' "$dir/later.yaml"
fi
call check "$dir/later.yaml"
verdict "a dashboard that is not served is noted" \
    "$(expect 0 out "note: http: this version serves no dashboard yet")"
verdict "so is a secret file that is not there" \
    "$(expect 0 out "note: utility.openadr.secret_file: /nonexistent/secret: no such")"

sed -e 's/energy: 20 MWh/energy: 3.9 MW/' -e 's/^  ramp_max: .*/  ramp_max: fast/' \
    "$demo" >"$dir/bad.yaml"
call check "$dir/bad.yaml"
verdict "a wrong unit has its place and what was expected" \
    "$(expect 1 err "bad.yaml:31:13: battery.megablock1.energy: \"3.9 MW\": expected an energy (Wh, kWh, MWh)")"
verdict "all faults are told at once" "$(expect 1 err "bad.yaml: 3 faults")"
verdict "a faulty site says nothing on stdout" "$(head -c 200 "$dir/out")"

printf 'site: {name: x\n' >"$dir/syntax.yaml"
call check "$dir/syntax.yaml"
verdict "a syntax fault has its place" "$(expect 1 err "syntax.yaml:2:1: yaml:")"
: >"$dir/empty.yaml"
call check "$dir/empty.yaml"
verdict "an empty file is a fault" "$(expect 1 err "empty.yaml:1:1:")"
head -c 3000 /dev/urandom >"$dir/junk.yaml"
call check "$dir/junk.yaml"
verdict "binary junk is a fault" "$(expect 1 err "junk.yaml:")"
call check "$BALLAST"
verdict "a program is no site file" \
    "$([ "$rc" -eq 1 ] || [ "$rc" -eq 2 ] || echo "exit $rc")"

call check "$dir/none.yaml"
verdict "a missing file is unreadable input" "$(expect 2 err "No such file")"
call check "$dir"
verdict "a folder is unreadable input" "$(expect 2 err "directory")"
head -c 1048577 /dev/zero >"$dir/large.yaml"
call check "$dir/large.yaml"
verdict "more than 1 MiB is unreadable input" "$(expect 2 err "1 MiB")"
call check
verdict "no file is wrong usage" "$(expect 2 err "usage: ballast check")"

# The example of the contract as one file, as it stands.
contract=../shared/CONTRACT.md
if [ -r $contract ]; then
    awk '/^```yaml/ { inside = 1; next } /^```/ { inside = 0 } inside' \
        $contract >"$dir/contract.yaml"
    call check "$dir/contract.yaml"
    verdict "the contract's example has no fault" "$(expect 0 out "no fault")"
    verdict "its hall counts 100 pods beside the first" \
        "$(expect 0 out "pods       101")"
    verdict "its lot has 200 vehicles" "$(expect 0 out ": 200 vehicles")"
    printf 't_s,load_mw\n0,100\n5,101\n' >"$dir/load.csv"
    call replay "$dir/contract.yaml" --load "$dir/load.csv" --out "$dir"
    verdict "the contract's example replays" "$(expect 0 out "over $dir/load")"
    head -n 1 "$dir/ballast/series.csv" 2>/dev/null |
        grep -qxF "$(grep -o '`t_s,demand_w[^`]*`' $contract | tr -d '`')"
    verdict "series.csv has the contract's columns" \
        "$([ $? = 0 ] || head -n 1 "$dir/ballast/series.csv")"
else
    echo "skip - the contract's example loads: $contract is not here"
fi

call help
verdict "help alone lists what helps there are" \
    "$(expect 0 out "ballast help site")"
call help site
verdict "help site is the manual" \
    "$(expect 0 out "replacement_cost: a price (CUR/kWh, CUR/MWh)")"
# every key of the shipped sites is in the manual
missing=$(sed 's/#.*//' "$demo" "$ten" | grep -oE '[a-z_]+: ' | sort -u |
    while read -r key; do
        grep -q "^ *$key" "$dir/out" || printf '%s ' "$key"
    done)
verdict "help site knows every key of the shipped sites" "$missing"
call help nonsense
verdict "help on nonsense is wrong usage" "$(expect 2 err "nonsense")"

exit $failed
