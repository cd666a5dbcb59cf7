#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Secrets stay secret: a live run against a server of ours that knows them,
# hands out tokens, and repeats both in its refusals; none of it may stand in
# anything that the run wrote, nor on its command line.
set -u
. tests/live.sh
what="no secret is written"
needs "$what" mosquitto mosquitto_passwd
read -r mqtt bess door < <(free_ports 3)
mkdir "$dir/keys" "$dir/ours"
logs=$dir/ours
secret=S3cretOfTheUtility/+
password=PasswordOfTheBroker
echo "$secret" >"$dir/keys/secret"
echo "$password" >"$dir/keys/password"
chmod 600 "$dir/keys"/*

# A small VTN: refuses at first, repeating what it was sent.
cat >"$dir/keys/vtn.py" <<'EOS'
import http.server, json, sys, time, urllib.parse
port, mqtt, secret, seen = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
tokens, refused, wrote = [], set(), []
class Door(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a): pass
    def say(self, status, o):
        b = json.dumps(o).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(b)))
        self.end_headers()
        self.wfile.write(b)
    def once(self, key):
        if key in refused: return False
        refused.add(key)
        return True
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path = self.path.split("?")[0]
        if path == "/auth/server":
            return self.say(200, {"tokenURL": f"http://127.0.0.1:{port}/auth/token"})
        if path == "/auth/token":
            said = urllib.parse.parse_qs(body).get("client_secret", [""])[0]
            if said != secret or self.once("token"):
                return self.say(400, {"title": "bad", "detail": "no: " + said})
            tokens.append("TokenOfTheServer%d" % len(tokens))
            return self.say(200, {"access_token": tokens[-1], "token_type": "Bearer", "expires_in": 3600})
        bearer = self.headers.get("Authorization", "")
        if not tokens or bearer != "Bearer " + tokens[-1] or self.once("401"):
            return self.say(401, {"title": "who is " + bearer})
        if self.once(self.command + path):
            return self.say(500, {"detail": "with " + bearer})
        open(seen, "a").write(self.command + " " + path + "\n")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        if self.command == "POST":
            o = json.loads(body)
            o.update(id="made%d" % len(seen), createdDateTime=now)
            return self.say(201, o)
        if path == "/programs":
            return self.say(200, [{"id": "p1", "programName": "dc-capacity"}])
        if path == "/events":
            wrote.append(now)
            return self.say(200, [
                {"id": "e1", "programID": "p1", "eventName": "cap", "createdDateTime": wrote[0],
                 "modificationDateTime": wrote[0], "intervalPeriod": {"start": wrote[0], "duration": "PT1H"},
                 "intervals": [{"id": 0, "payloads": [{"type": "IMPORT_CAPACITY_LIMIT", "values": [4000]}]}]},
                {"id": "e2", "programID": "p1", "createdDateTime": wrote[0], "modificationDateTime": wrote[0],
                 "intervalPeriod": {"start": "0001-01-01T00:00:00Z", "duration": "PT0H"},
                 "reportDescriptors": [{"payloadType": "STORAGE_USABLE_CAPACITY", "frequency": 0}]}])
        if path == "/notifiers":
            return self.say(200, {"WEBHOOK": False, "MQTT": {"URIS": ["mqtt://127.0.0.1:" + mqtt],
                "serialization": "JSON", "authentication": {"method": "OAUTH2_BEARER_TOKEN", "username": "{clientID}"}}})
        if path.startswith("/notifiers/mqtt/topics"):
            return self.say(200, {"topics": {"ALL": "events/+", "UPDATE": "u", "DELETE": "d"}})
        return self.say(200, [])
    do_GET = do_POST = do_DELETE = answer
http.server.ThreadingHTTPServer(("127.0.0.1", port), Door).serve_forever()
EOS
cat >"$dir/site.yaml" <<EOS
site: {name: t, time_zone: UTC, currency: USD}
grid: {import_max: 6 MW, export_max: 0 MW, ramp_max: 6 MW/min}
batteries:
  - {name: b1, kind: megapack, energy: 3854 kWh, charge_max: 1927 kW, discharge_max: 1927 kW, efficiency: 92 %, soc_min: 10 %, soc_max: 90 %, chemistry: lfp, modbus: {host: 127.0.0.1, port: $bess, unit: 1, map: sunspec}}
pods:
  - {name: hall, profile: generic, count: 4, power_max: 1 MW, cap_min: 0.3 MW, class: training}
classes: [{name: training, value: 4 USD/kWh, firm: true}]
mqtt: {host: 127.0.0.1, port: $mqtt, user: us, password_file: keys/password}
utility: {openadr: {base: "http://127.0.0.1:$door", client: ven, secret_file: keys/secret, program: dc-capacity, poll: 1 s, notifier: true, notifier_user: us, notifier_password_file: keys/password}}
history: {file: $dir/ours/t.db}
EOS
printf 't_s,load_kw\n0,3000\n600,3000\n' >"$dir/load.csv"
mosquitto_passwd -c -b "$dir/keys/users" us $password 2>/dev/null
for i in 0 1 2 3; do
    mosquitto_passwd -b "$dir/keys/users" ven TokenOfTheServer$i 2>/dev/null
done
chmod 644 "$dir/keys/users"
printf 'listener %s 127.0.0.1\nallow_anonymous false\npassword_file %s\n' \
    "$mqtt" "$dir/keys/users" >"$dir/keys/m.conf"
[ "$(id -u)" = 0 ] && echo 'user root' >>"$dir/keys/m.conf"
start_broker "$dir/keys/m.conf"
/usr/bin/python3 "$dir/keys/vtn.py" "$door" "$mqtt" "$secret" \
    "$dir/keys/seen" >"$dir/keys/vtn.log" 2>&1 &
pids="$pids $!"
start_sim --load "$dir/load.csv"
sleep 1
start_run
for _ in $(seq 60); do
    sleep 0.5
    grep -q 'POST /reports' "$dir/keys/seen" 2>/dev/null && break
done
tr '\0' ' ' <"/proc/$run/cmdline" >"$dir/ours/cmdline"
tr '\0' '\n' <"/proc/$run/environ" >"$dir/ours/environ"
for command in "status --json" "status" "explain" "alarms"; do
    # shellcheck disable=SC2086
    "$BALLAST" ${command%% *} "$dir/ours/t.db" ${command#"${command%% *}"} \
        >>"$dir/ours/asked" 2>&1
done
"$BALLAST" check "$dir/site.yaml" >>"$dir/ours/asked" 2>&1
"$BALLAST" export "$dir/site.yaml" --settlement --event e1 \
    >>"$dir/ours/asked" 2>&1
stop_run

why=
grep -q 'GET /events' "$dir/keys/seen" || why="no events were listed"
grep -q 'POST /reports' "$dir/keys/seen" || why="no report was sent"
grep -q 'status 500' "$dir/ours/run.log" || why="no refusal is in the log"
grep -q 'repeats our secret' "$dir/ours/run.log" ||
    why="nothing is said of what is left out"
for file in t.db t.db.evidence t.db.rec asked; do
    [ -s "$dir/ours/$file" ] || why="$file is not there"
done
verdict "a run with secrets, refused and let in" "$why"

why=
for word in "$secret" S3cretOfTheUtility TokenOfTheServer "$password" \
    Authorization client_secret "Bearer "; do
    found=$(grep -rlaF -- "$word" "$dir/ours")
    [ -z "$found" ] || why="\"$word\" is in $found"
done
verdict "$what: $(find "$dir/ours" -type f | wc -l) files, what it was asked, its command line" "$why"

[ $failed = 0 ] || tail -20 "$dir/ours/run.log"
exit $failed
