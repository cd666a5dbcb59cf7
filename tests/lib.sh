#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the script tests share; sourced from the project root.  Sets $BALLAST
# (the program under test) and $failed (exit with it).
BALLAST=${BALLAST:-$PWD/ballast}
PATH=$PATH:/usr/sbin # where mosquitto lives
failed=0

# verdict WHAT WHY: ok where WHY is empty.
verdict()
{
    if [ -z "$2" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: $2"
        failed=1
    fi
}

# free_ports N: as many TCP ports of loopback as were free a moment ago, on
# one line.  Below those that the system gives to connections that go out: one
# of another test would take it before it is listened to.
free_ports()
{
    /usr/bin/python3 - "$1" <<'PYTHON'
import random, socket, sys
found = []
while len(found) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(20000, 32000)))
        found.append(s)
    except OSError:
        s.close()
print(*[s.getsockname()[1] for s in found])
PYTHON
}

# number JSON KEY: the first value of KEY.
number()
{
    sed -n "s/.*\"$2\":[[:space:]]*\\(-\\{0,1\\}[0-9.e+-]*\\).*/\\1/p" "$1" |
        head -1
}
