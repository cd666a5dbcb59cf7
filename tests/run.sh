#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the tests given: cmocka programs, and scripts named *.test.sh that print
# `ok - what`, `not ok - what: why` or `skip - what: why`.  Each runs from the
# project root with LIMIT_S seconds, JOBS at a time.  The last line is
# `N passed, N failed, N skipped`; exit 1 where any failed or none ran.
set -u

LIMIT_S=${LIMIT_S:-420}
export LIMIT_S

# Counts of one program from its output: "passed failed skipped", then one
# line per skip with its reason.  A program that ends early or badly without
# saying which test failed counts as one more failure.
count()
{
    awk -v rc="$1" -v limit="$LIMIT_S" '
        function result() { n_seen++; said = "" }
        /^1\.\.[0-9]+/ { planned += substr($0, 4); next }
        /^(not )?ok [0-9]+ # SKIP/ {
            skipped++
            what = $0
            sub(/^(not )?ok [0-9]+ # SKIP */, "", what)
            why[skipped] = what (said == "" ? "" : ": " said)
            result(); next
        }
        /^skip - / {
            skipped++
            why[skipped] = substr($0, 8)
            result(); next
        }
        /^ok [0-9]+ - / || /^ok - / { passed++; result(); next }
        /^not ok [0-9]+ - / || /^not ok - / { failed++; result(); next }
        /^#/ { next }
        NF { said = $0; sub(/^skip(ped)?: */, "", said) }
        END {
            if (n_seen < planned) {
                failed += planned - n_seen
                note = (planned - n_seen) " did not finish"
            }
            if (rc == 124 || rc == 137) {
                note = "stopped after " limit " s"
            } else if (rc >= 128) {
                note = "killed by signal " (rc - 128)
            } else if (n_seen == 0) {
                note = "said nothing, exit " rc
            } else if (rc != 0 && failed == 0) {
                note = "exit " rc " though no test failed"
            }
            if (note != "" && failed == 0) {
                failed = 1
            }
            print passed + 0, failed + 0, skipped + 0, note
            for (i = 1; i <= skipped; i++) {
                print "    skipped: " why[i]
            }
        }'
}

# Runs one test, prints its line, and leaves its counts in $RESULTS.
run_one()
{
    name=test%$(echo "$1" | tr '/' '%')
    out=$RESULTS/$name.out
    from=$(date +%s)
    case $1 in
    *.test.sh) timeout -k 5 "$LIMIT_S" bash "$1" ;;
    *) timeout -k 5 "$LIMIT_S" "$1" ;;
    esac </dev/null >"$out" 2>&1
    rc=$?
    seconds=$(($(date +%s) - from))
    # A NUL or another odd byte in the output must not hide a result.
    tr -d '\000' <"$out" | LC_ALL=C count "$rc" >"$RESULTS/$name.count"
    read -r passed failed skipped note <"$RESULTS/$name.count"
    {
        printf '%-6s %-44s %4d passed, %d failed, %d skipped  %d s%s\n' \
            "$([ "$failed" -eq 0 ] && echo ok || echo FAILED)" \
            "$1" "$passed" "$failed" "$skipped" \
            "$seconds" "${note:+  ($note)}"
        sed 1d "$RESULTS/$name.count"
        if [ "$failed" -ne 0 ]; then
            sed 's/^/    | /' "$out"
        fi
    } >"$RESULTS/$name.text"
    flock "$RESULTS/lock" cat "$RESULTS/$name.text"
}

if [ "${1:-}" = --one ]; then
    run_one "$2"
    exit 0
fi

cd "$(dirname "$0")/.." || exit 1
BALLAST=${BALLAST:-$PWD/ballast}
CMOCKA_MESSAGE_OUTPUT=TAP
RESULTS=$(mktemp -d) || exit 1
export BALLAST CMOCKA_MESSAGE_OUTPUT RESULTS
trap 'rm -rf "$RESULTS"' EXIT
trap 'exit 130' INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL # of the make that called us

ulimit -c 0
if [ $# -gt 0 ]; then
    printf '%s\0' "$@" | xargs -0 -n 1 -P "${JOBS:-2}" tests/run.sh --one
fi
cat "$RESULTS"/*.count 2>/dev/null |
    awk -v want=$# '
        /^[0-9]/ { passed += $1; failed += $2; skipped += $3; n++ }
        END {
            if (n < want) { failed += want - n }
            printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
            exit failed > 0 || passed == 0
        }'
