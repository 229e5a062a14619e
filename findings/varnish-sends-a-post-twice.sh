#!/usr/bin/env bash
# Varnish sends a POST a second time, without any `retry` in its configuration.
#
# Version:  varnish 7.1.1-2+deb12u1 (Debian 12)
# Setting:  none, for a POST without a body; `std.cache_req_body` alone, for one with a body. There is no
#           `return(retry)` in the VCL.
# Seen:     A server answers a first POST, reads a second one on the same connection, and closes that without a
#           response. Varnish sends the second one again on a new connection: the server has read it twice, and the
#           caller gets one 503. With `std.cache_req_body` and `return(retry)` in `vcl_backend_error`, the server
#           reads it six times.
#           A POST with a body that is not cached is sent once, also with `return(retry)`.
# Guessed:  That only a GET is sent again on a new connection, as RFC 9110 (9.2.2) has it.
# Why:      A payment without an idempotency key is made again. A condition on `bereq.method` in the VCL does not
#           prevent it. Its maintainers know of the first case (varnish-cache #4413), and newer versions have a setting.
#
# Run it as `bash findings/varnish-sends-a-post-twice.sh` on Debian 12 with gcc and python3, after `apt-get update`.
# It ends with 0 if this is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; sleep 1; rm -rf "$folder"' EXIT
cd "$folder"

mapfile -t packages < <(apt-get -s -qq --no-install-recommends --reinstall install varnish=7.1.1-2+deb12u1 |
    sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p')
apt-get -qq -o APT::Sandbox::User="$(id -un)" download "${packages[@]}"
for package in *.deb; do dpkg -x "$package" .; done
libraries=$(echo usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH="$folder/$libraries:$folder/$libraries/varnish"
usr/sbin/varnishd -V 2>&1 | sed -n 1p

# A server that writes down each request that it has read whole. It answers /first, and then closes the connection
# after whatever comes.
cat > server.py <<'PYTHON'
import http.server

class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open("requests", "a") as file:
            file.write(self.path + "\n")
        if self.path == "/first":
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.close_connection = True
    log_message = print

http.server.ThreadingHTTPServer(("127.0.0.1", 18091), Server).serve_forever()
PYTHON
python3 server.py > server.log 2>&1 &

backend='backend provider { .host = "127.0.0.1"; .port = "18091"; }'
echo "vcl 4.1; $backend" > 18092.vcl
echo "vcl 4.1; import std; $backend sub vcl_recv { std.cache_req_body(64KB); }" > 18093.vcl
echo "vcl 4.1; import std; $backend sub vcl_recv { std.cache_req_body(64KB); }
    sub vcl_backend_error { return (retry); }" > 18094.vcl
for port in 18092 18093 18094; do
    usr/sbin/varnishd -F -j none -n "$folder/$port" -a "127.0.0.1:$port" -f "$folder/$port.vcl" -s malloc,16M \
        -p vmod_path="$folder/$libraries/varnish/vmods" > $port.log 2>&1 &
done
for port in 18091 18092 18093 18094; do
    until (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
done

cat > post.py <<'PYTHON'
import http.client, sys, time

port, body = sys.argv[1:]
connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
open("requests", "w").close()
for path in ("/first", "/second"):
    connection.request("POST", path, body)
    response = connection.getresponse()
    response.read()
    time.sleep(0.2)
print(f"{response.status}, {open('requests').read().count('/second')} requests")
PYTHON
seen="no body: $(python3 post.py 18092 '')
a body: $(python3 post.py 18092 '{"amount": "44.23"}')
a body that is cached: $(python3 post.py 18093 '{"amount": "44.23"}')
a body that is cached, and return(retry): $(python3 post.py 18094 '{"amount": "44.23"}')"
echo "$seen"
diff <(echo "$seen") - <<'EXPECTED' && echo "As when this was written."
no body: 503, 2 requests
a body: 503, 1 requests
a body that is cached: 503, 2 requests
a body that is cached, and return(retry): 503, 6 requests
EXPECTED
