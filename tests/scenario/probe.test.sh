#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `ballast check --probe` against the simulated devices, a closed port and a
# device that takes the connection and never answers.
set -u
. tests/lib.sh
dir=$(mktemp -d) || exit 1
pids=
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT
# probe FILE: leaves $rc, $dir/out and $dir/err.
probe()
{
    timeout -k 2 60 "$BALLAST" check --probe "$1" >"$dir/out" 2>"$dir/err"
    rc=$?
}

# expect RC PATTERN: why the last probe was not so, or nothing.
expect()
{
    if [ "$rc" -ne "$1" ]; then
        echo "exit $rc, not $1: $(tail -n 3 "$dir/out" | tr '\n' ' ')"
    elif ! grep -q -- "$2" "$dir/out"; then
        echo "no \"$2\": $(tail -n 3 "$dir/out" | tr '\n' ' ')"
    fi
}

if [ ! -x /usr/bin/python3 ]; then
    echo "skip - probe: no /usr/bin/python3 to find free ports with"
    exit 0
fi
# a listener that never answers, and four ports that are free
/usr/bin/python3 - >"$dir/ports" <<'PYTHON' &
import socket, time
socks = [socket.socket() for _ in range(5)]
for s in socks:
    s.bind(("127.0.0.1", 0))
socks[0].listen(5)
ports = [s.getsockname()[1] for s in socks]
for s in socks[1:]:
    s.close()
print(*ports, flush=True)
time.sleep(120)
PYTHON
pids=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -s "$dir/ports" ] && break
    sleep 0.2
done
read -r silent meter one two closed <"$dir/ports"

sed -e "s/port: 16011/port: $meter/; s/port: 16021/port: $one/" \
    -e "s/port: 16022/port: $two/; /^mqtt:/d" \
    replay/sites/demo.yaml >"$dir/site.yaml"
"$BALLAST" sim "$dir/site.yaml" --for 60s >"$dir/sim" 2>&1 &
pids="$pids $!"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    probe "$dir/site.yaml"
    [ "$rc" -eq 0 ] && break
done
verdict "devices that answer are a yes" "$(expect 0 'devices, read only')"
verdict "the meter shows its power" "$(expect 0 'meter .* answers, power .*W')"
verdict "the batteries show their state of charge" \
    "$(expect 0 'megablock2 .* state of charge 50.0 %')"

sed "s/port: $two/port: $closed/" "$dir/site.yaml" >"$dir/closed.yaml"
probe "$dir/closed.yaml"
verdict "a closed port is a no, with the reason" \
    "$(expect 1 'megablock2 .*FAILED: .*refused')"
verdict "the others are still asked" "$(expect 1 'megablock1 .*answers')"

sed "s/port: $two/port: $silent/" "$dir/site.yaml" >"$dir/silent.yaml"
probe "$dir/silent.yaml"
verdict "a device that never answers is a no" "$(expect 1 'megablock2 .*FAILED')"

sed "s/port: $two, unit: 1, map: sunspec/port: $two, unit: 1, map: nonsense/" \
    "$dir/site.yaml" >"$dir/map.yaml"
probe "$dir/map.yaml"
verdict "an unknown register map is a no" "$(expect 1 'megablock2 .*FAILED: .*nonsense')"

exit $failed
