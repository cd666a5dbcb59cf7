#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What every subcommand owes its user: help with an example, exit codes,
# messages on stderr, and no crash on a wrong call.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# call ARGS...: leaves $rc, $dir/out and $dir/err.
call()
{
    timeout -k 2 20 "$BALLAST" "$@" >"$dir/out" 2>"$dir/err" </dev/null
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

call --help
verdict "--help exits 0 and lists commands" "$(expect 0 out commands:)"
commands=$(sed -n '/^commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' "$dir/out")
verdict "the table of subcommands is not empty" \
    "$([ -n "$commands" ] || echo "no commands listed")"

call
verdict "no command is wrong usage" "$(expect 2 err "usage: ballast")"
verdict "wrong usage leaves stdout empty" "$(head -c 80 "$dir/out")"
call frobnicate
verdict "an unknown command is named" "$(expect 2 err "'frobnicate'")"

call --version
verdict "--version names the program and its build" \
    "$(expect 0 out "ballast, program ")"
call help frobnicate
verdict "help on an unknown command is refused" "$(expect 2 err "'frobnicate'")"

for c in $commands; do
    call "$c" --help
    verdict "$c --help says how it is called" \
        "$(expect 0 out "usage: ballast $c")"
    verdict "$c --help has an example" "$(expect 0 out "example:")"
    verdict "the example of $c calls it" "$(
        sed -n '/^example:/,$p' "$dir/out" | grep -q "ballast $c" ||
            echo "no 'ballast $c' below example:"
    )"
    verdict "$c --help leaves stderr empty" "$(head -n 1 "$dir/err")"
    cp "$dir/out" "$dir/help"
    call help "$c"
    verdict "help $c is the same" "$(cmp "$dir/out" "$dir/help" 2>&1)"
    call "$c" --no-such-option
    verdict "$c refuses an unknown option" \
        "$(expect 2 err "--no-such-option")"
    verdict "$c names itself in messages" "$(expect 2 err "ballast $c")"
done

# The option that is wrong is named.
call override replay/sites/demo.yaml --import-max 9 --for 1h
verdict "a power without a unit is refused, with its option" \
    "$(expect 2 err "--import-max '9': expected a power")"
call replay replay/sites/demo.yaml --load gen:training --every 1min
verdict "rows that go nowhere are refused" "$(expect 2 err "--every")"

# A file that is not there, or is not what it should be: a clear refusal.
printf '\000\377 not a file of ours \n' >"$dir/garbage"
mkdir "$dir/folder"
for c in $commands; do
    case $c in
    check) no=1 ;;
    run | sim | replay | verify | plan | forecast | rainflow) no=2 ;;
    *) continue ;;
    esac
    more=
    case $c in
    replay) more='--load gen:training' ;;
    forecast) continue ;;
    esac
    for file in "$dir/absent" "$dir/garbage" "$dir/folder" /dev/null; do
        # shellcheck disable=SC2086
        call "$c" "$file" $more
        why=
        if [ "$rc" -ne "$no" ] && [ "$rc" -ne 2 ]; then
            why="exit $rc: $(head -n 1 "$dir/err")"
        elif ! [ -s "$dir/err" ] && ! [ -s "$dir/out" ]; then
            why="says nothing"
        fi
        verdict "$c refuses ${file#"$dir/"}" "$why"
    done
done

exit $failed
