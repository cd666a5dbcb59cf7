#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The checks check: .ci/lint, .ci/pure and tests/run.sh on small trees of
# their own, first clean, then with one fault each.
set -u
top=$PWD
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
spdx='/* SPDX-License-Identifier: GPL-3.0-or-later */'
floors='models policies adapters controller/step controller replay'

verdict()
{
    if [ "$2" -eq 0 ]; then
        echo "ok - $1"
    else
        echo "not ok - $1:" "$(tr '\n' ' ' <"$dir/said")"
        failed=1
    fi
}

# tree: a clean small tree in $dir/tree, made anew.
tree()
{
    rm -rf "$dir/tree"
    mkdir -p "$dir/tree"
    cd "$dir/tree" || exit 1
    # shellcheck disable=SC2086
    mkdir -p .ci tests/models $floors
    cp "$top/.ci/lint" "$top/.ci/pure" .ci/
    cp "$top/.clang-format" .
    local f
    for f in models/a policies/b adapters/c controller/step/d controller/e; do
        printf '%s\nint %s(void);\n' "$spdx" "${f##*/}" >$f.h
        printf '%s\n#include "%s.h"\n' "$spdx" "$f" >$f.c
        printf '\nint %s(void)\n{\n    return 1;\n}\n' "${f##*/}" >>$f.c
    done
    printf '%s\n#include "controller/e.h"\n' "$spdx" >replay/f.c
    printf '%s\n#include "controller/e.h"\n' "$spdx" >tests/models/test_a.c
    printf '%s\n#include "replay/f.h"\n' "$spdx" >ballast.c
}

lint()
{
    # shellcheck disable=SC2086
    .ci/lint $floors >"$dir/said" 2>&1
}

# fault WHAT SAYS: lint fails and says SAYS.
fault()
{
    ! lint && grep -qE -- "$2" "$dir/said"
    verdict "lint refuses $1" $?
}

include()
{
    sed -i "2i#include \"$2\"" "$1"
}

if command -v clang-format >/dev/null && command -v cppcheck >/dev/null; then
    tree
    lint
    verdict "lint passes a clean tree" $?

    while read -r from to; do
        tree
        include "$from" "$to"
        fault "$from including $to" "^$from:2: \"$to\""
    done <<'END'
models/a.c policies/b.h
models/a.h controller/e.h
policies/b.c adapters/c.h
adapters/c.c policies/b.h
controller/step/d.c adapters/c.h
controller/step/d.c controller/e.h
controller/e.c replay/f.h
models/a.c tests/a.h
models/a.c b.h
END
    tree
    include controller/step/d.c policies/b.h
    include controller/e.c controller/step/d.h
    include controller/e.c adapters/c.h
    lint
    verdict "lint lets a folder include the floors below" $?

    tree
    sed -i 's/    return/  return/' policies/b.c
    fault "a file out of format" "policies/b.c:.*clang-format"

    tree
    printf '\nint z(void)\n{\n    int x[2] = {0, 1};\n    return x[2];\n}\n' \
        >>models/a.c
    fault "an index out of bounds" "models/a.c:.*arrayIndexOutOfBounds"

    tree
    sed -i 1d adapters/c.c
    fault "a file without a licence line" "adapters/c.c:1: no SPDX"

    tree
    printf '#!/bin/sh\nif\n' >tests/x.sh
    fault "a broken script" "shell scripts: FAILED"

    tree
    echo 'See `models/a.c`, `ballast/v1/x` and `models/gone.c`.' >README.md
    fault "a README that names what is not there" "no models/gone.c"

    tree
    mkdir adapters/maps
    echo '{}' >adapters/maps/x.json
    BALLAST=false fault "a register map that does not check" \
        "register maps: FAILED"
else
    echo "skip - lint on bad trees: clang-format or cppcheck is not installed"
fi

# pure OBJECT CODE: compiles models/a.c with CODE appended and checks it.
pure()
{
    tree
    echo "$1" >>models/a.c
    ${CC:-cc} -O2 -I. -c models/a.c -o a.o &&
        ${CC:-cc} -O2 -I. -c policies/b.c -o b.o &&
        .ci/pure a.o b.o >"$dir/said" 2>&1
}

pure 'double g(double x); double g(double x) { return __builtin_exp(x); }'
verdict "pure lets mathematics pass" $?
pure 'int b(void); int h(void); int h(void) { return b(); }'
verdict "pure lets a call into another pure object pass" $?
for name in malloc time clock_gettime getenv printf open rand errno qsort; do
    ! pure "extern int $name(int); int h(void); int h(void) { return $name(1); }" \
        2>/dev/null && grep -q "a.o: $name\$" "$dir/said"
    verdict "pure refuses $name" $?
done
! pure 'extern int elsewhere; int h(void); int h(void) { return elsewhere; }' &&
    grep -q 'a.o: elsewhere$' "$dir/said"
verdict "pure refuses state that lies elsewhere" $?

# The runner, on scripts and a program that play every way to fail.
mkdir -p "$dir/runner/tests" && cd "$dir/runner" || exit 1
cp "$top/tests/run.sh" tests/

# runner WHAT RC LAST SCRIPT: what the script named a.test.sh comes to.
runner()
{
    printf '%s\n' "$4" >a.test.sh
    LIMIT_S=2 tests/run.sh ./a.test.sh >"$dir/said" 2>&1
    [ $? -eq "$2" ] && [ "$(tail -n 1 "$dir/said")" = "$3" ]
    verdict "the runner counts $1" $?
}

runner "a pass" 0 "1 passed, 0 failed, 0 skipped" 'echo "ok - a"'
runner "a failure" 1 "1 passed, 1 failed, 0 skipped" \
    'echo "ok - a"; echo "not ok - b: why"; exit 1'
runner "a skip" 0 "1 passed, 0 failed, 1 skipped" \
    'echo "ok - a"; echo "skip - b: no data"'
grep -q 'skipped: b: no data' "$dir/said"
verdict "the runner prints why a test was skipped" $?
runner "only skips as nothing ran" 1 "0 passed, 0 failed, 1 skipped" \
    'echo "skip - b: no data"'
runner "a bad exit without a failure" 1 "1 passed, 1 failed, 0 skipped" \
    'echo "ok - a"; exit 3'
runner "silence" 1 "0 passed, 1 failed, 0 skipped" 'true'
runner "a crash" 1 "1 passed, 1 failed, 0 skipped" \
    'echo "ok - a"; kill -SEGV $$'
runner "a hang" 1 "1 passed, 1 failed, 0 skipped" 'echo "ok - a"; sleep 60'
runner "cmocka's skips" 0 "1 passed, 0 failed, 1 skipped" \
    'echo 1..2; echo "not ok 1 # SKIP x"; echo "ok 2 - y"'
runner "tests that cmocka never reached" 1 "1 passed, 2 failed, 0 skipped" \
    'echo 1..3; echo "ok 1 - x"'
tests/run.sh >"$dir/said" 2>&1
[ $? -eq 1 ] && [ "$(tail -n 1 "$dir/said")" = "0 passed, 0 failed, 0 skipped" ]
verdict "the runner fails where nothing ran" $?

exit $failed
