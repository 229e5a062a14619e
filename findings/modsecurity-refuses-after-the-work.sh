#!/usr/bin/env bash
# ModSecurity answers 403 after the server has done its work, and a rule on the body of a request does not see JSON.
#
# Version:  libapache2-mod-security2 2.9.7-1+deb12u2, apache2-bin 2.4.71-1~deb12u1 (Debian 12)
# Setting:  `SecResponseBodyAccess On` for `application/json`, and `deny,status:403` in a rule of phase 4;
#           `SecRule REQUEST_BODY` in one of phase 2.
# Seen:     1. The server has read the POST and answered it with 200. The caller gets Apache's HTML page with 403,
#              whose bytes are those of a request that was blocked before the server saw it.
#           2. A rule of phase 2 on REQUEST_BODY lets the same text pass in a body of JSON, and blocks it in a form,
#              until `ctl:forceRequestBodyVariable=On`.
# Guessed:  2. That REQUEST_BODY is the body of each request, of any type.
# Why:      A status from 400 to 499 does not say that nothing was done, and nothing in the page tells the two apart.
#
# Run it as `bash findings/modsecurity-refuses-after-the-work.sh` on Debian 12 with python3 and curl, after `apt-get
# update`. It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; sleep 1; rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"

mapfile -t packages < <(apt-get -s -qq --no-install-recommends --reinstall install \
    apache2-bin=2.4.71-1~deb12u1 libapache2-mod-security2=2.9.7-1+deb12u2 |
    sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p')
apt-get -qq -o APT::Sandbox::User="$(id -un)" download "${packages[@]}"
for package in *.deb; do dpkg -x "$package" .; done
export LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
usr/sbin/apache2 -v | sed -n 1p

# A server that writes down each request that it has answered.
cat > server.py <<'PYTHON'
import http.server

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"id": "1042", "status": "created"}')
        with open("requests", "a") as file:
            file.write(self.path + "\n")
    log_message = print

http.server.ThreadingHTTPServer(("127.0.0.1", 18101), Server).serve_forever()
PYTHON
python3 server.py > server.log 2>&1 &

cat > apache.conf <<CONFIGURATION
ServerRoot $folder/usr/lib/apache2
ServerName localhost
PidFile $folder/pid
DefaultRuntimeDir $folder
ErrorLog $folder/error.log
User nobody
Group nogroup
Listen 127.0.0.1:18102
Listen 127.0.0.1:18103
Listen 127.0.0.1:18104
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
LoadModule unique_id_module modules/mod_unique_id.so
LoadModule security2_module modules/mod_security2.so
ProxyPass / http://127.0.0.1:18101/
SecRuleEngine On
SecRequestBodyAccess On
SecAuditEngine Off
<VirtualHost 127.0.0.1:18102>
    SecResponseBodyAccess On
    SecResponseBodyMimeType application/json
    SecRule RESPONSE_STATUS "@streq 200" "id:1,phase:4,deny,status:403"
</VirtualHost>
<VirtualHost 127.0.0.1:18103>
    SecRule REQUEST_BODY "@contains orchid" "id:2,phase:2,deny,status:403"
</VirtualHost>
<VirtualHost 127.0.0.1:18104>
    SecAction "id:3,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
    SecRule REQUEST_BODY "@contains orchid" "id:4,phase:2,deny,status:403"
</VirtualHost>
CONFIGURATION
usr/sbin/apache2 -f "$folder/apache.conf" -D FOREGROUND > apache.log 2>&1 &
for port in 18101 18102 18103 18104; do
    until (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
done

post() { # the status that the caller gets, and how many requests the server has answered
    : > requests
    status=$(curl -s -o "page-$1" -w '%{http_code} %{content_type}' -H "Content-Type: $2" -d "$3" "http://127.0.0.1:$1/payments")
    sleep 0.2
    echo "$status, $(wc -l < requests) answered"
}
json='{"notes": "orchid"}'
seen="phase 4: $(post 18102 application/json "$json")
phase 2, a form: $(post 18103 application/x-www-form-urlencoded notes=orchid)
phase 2, JSON: $(post 18103 application/json "$json")
phase 2, JSON, forced: $(post 18104 application/json "$json")
the pages of phase 4 and 2: $(cmp -s page-18102 page-18104 && echo the same || echo different)"
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
phase 4: 403 text/html; charset=iso-8859-1, 1 answered
phase 2, a form: 403 text/html; charset=iso-8859-1, 0 answered
phase 2, JSON: 200 application/json, 1 answered
phase 2, JSON, forced: 403 text/html; charset=iso-8859-1, 0 answered
the pages of phase 4 and 2: the same
EXPECTED
