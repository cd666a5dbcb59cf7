#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What `make install` lays out finds its own files, from any folder.
set -u
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

verdict()
{
    if [ "$2" -eq 0 ]; then
        echo "ok - $1"
    else
        echo "not ok - $1:" "$(tail -n 3 "$dir/said" | tr '\n' ' ')"
        failed=1
    fi
}

if ! [ -x ballast ]; then
    echo "skip - install: ./ballast is not built (this is another build)"
    exit 0
fi

make -s -o ballast install DESTDIR="$dir/root" PREFIX=/usr >"$dir/said" 2>&1
verdict "make install succeeds" $?
ballast=$dir/root/usr/bin/ballast
cd / || exit 1

"$ballast" maps >"$dir/said" 2>&1 && grep -q sunspec-der "$dir/said"
verdict "the installed program finds the shipped maps" $?

for site in "$dir"/root/usr/share/ballast/sites/*.yaml; do
    "$ballast" check "$site" >"$dir/said" 2>&1
    verdict "the installed site ${site##*/} checks" $?
done

exit $failed
