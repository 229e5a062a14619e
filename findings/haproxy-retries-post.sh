#!/usr/bin/env bash
# HAProxy sends a POST up to four times, with `retry-on empty-response`.
#
# Version:  haproxy 2.6.12-1+deb12u4 (Debian 12)
# Setting:  `retry-on empty-response`, with the default of three retries. Its manual warns of requests that are not
#           idempotent; nothing but `http-request disable-l7-retry` makes it look at the method.
# Seen:     A server reads each POST and closes the connection twice; the third one has a response. The caller gets
#           one 200, and the server has three requests. A server that always closes has four.
#           With `http-request disable-l7-retry if METH_POST`, it has one, and the caller a 502.
# Why:      A payment without an idempotency key is made again, and the response does not show it.
#
# Run it as `bash findings/haproxy-retries-post.sh` on Debian 12 with python3 and curl, after `apt-get update`. It ends with 0 if this is
# still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

mapfile -t packages < <(apt-get -s -qq --no-install-recommends --reinstall install haproxy=2.6.12-1+deb12u4 |
    sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p')
apt-get -qq -o APT::Sandbox::User="$(id -un)" download "${packages[@]}"
for package in *.deb; do dpkg -x "$package" .; done
export LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
usr/sbin/haproxy -v | sed -n 1p

# A server that writes down each request that it has read whole. It closes the connection without a response, but
# for each third request to /third.
cat > server.py <<'PYTHON'
import http.server

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        with open("requests", "a") as file:
            file.write(self.path + "\n")
        self.close_connection = True
        if self.path == "/third" and open("requests").read().count("/third") % 3 == 0:
            self.send_response(200)
            self.end_headers()
    log_message = print

http.server.ThreadingHTTPServer(("127.0.0.1", 18081), Server).serve_forever()
PYTHON
python3 server.py > server.log 2>&1 &

cat > haproxy.cfg <<'CONFIGURATION'
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
    retry-on empty-response
listen retries
    bind 127.0.0.1:18082
    server one 127.0.0.1:18081
listen retries_no_post
    bind 127.0.0.1:18083
    http-request disable-l7-retry if METH_POST
    server one 127.0.0.1:18081
CONFIGURATION
usr/sbin/haproxy -f haproxy.cfg > haproxy.log 2>&1 &
for port in 18081 18082 18083; do
    until (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
done

post() { # the status that the caller gets, and how many requests the server has read
    : > requests
    status=$(curl -s -o /dev/null -w '%{http_code}' -d '{"amount": "44.23"}' "http://127.0.0.1:$1$2")
    echo "$status, $(wc -l < requests) requests"
}
seen="retry-on, the third is answered: $(post 18082 /third)
retry-on, none is answered: $(post 18082 /none)
without POST, none is answered: $(post 18083 /none)"
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
retry-on, the third is answered: 200, 3 requests
retry-on, none is answered: 502, 4 requests
without POST, none is answered: 502, 1 requests
EXPECTED
