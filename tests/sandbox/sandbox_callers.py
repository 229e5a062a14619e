"""Ways to call a sandbox that share nothing with the client: plain httpx, bytes on a socket; and
one in a process.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from functools import lru_cache
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.payments import wire_body
from victor_ext.sandbox import RemoteSandbox

CREATE = "/v2/payment-requests/request-payment"
LIST = "/v2/payment-requests"
KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
API_KEY = "7d2c6a3e-3a64-4a0b-8f0e-5f0f4ad1b4c1"


@lru_cache
def parsed(pem):
    return load_pem_private_key(pem.encode(), None)


class Caller:
    """A signed-in caller over httpx."""

    def __init__(self, url, api_key, private_key):
        self.api_key = api_key
        self.private_key = private_key
        # No certificates: loading them takes longer than most tests here, and there is no TLS.
        self.http = httpx.Client(base_url=url, timeout=5, verify=False, trust_env=False)

    def token(self, *, headers=None, key=None, algorithm="RS512", drop=(), **claims):
        now = int(time.time())
        full = {"sub": self.api_key, "iss": "victor-api", "iat": now, "exp": now + 300} | claims
        full = {name: value for name, value in full.items() if name not in drop}
        return jwt.encode(
            full, key or parsed(self.private_key), algorithm=algorithm, headers=headers
        )

    def ask_token(self, client_id, client_secret):
        return self.http.post(
            "/v2/auth/token", json={"client_id": client_id, "client_secret": client_secret}
        )

    def authorization(self):
        return {"authorization": f"Token {self.token()}"}

    def call(self, method, path, *, headers=None, **options):
        return self.http.request(
            method, path, headers=self.authorization() | (headers or {}), **options
        )

    def create(self, key=None, body=None, **details):
        headers = {} if key is None else {"idempotency-key": key}
        return self.call(
            "POST", CREATE, headers=headers, json=wire_body(**details) if body is None else body
        )

    def created(self, **details):
        response = self.create(**details)
        assert response.status_code == 200, response.text
        return response.json()

    def get(self, request_id):
        return self.call("GET", f"{LIST}/{request_id}")

    def list(self, **filters):
        return self.call("GET", LIST, params=filters)

    def listed(self, **filters):
        response = self.list(**filters)
        assert response.status_code == 200, response.text
        return response.json()["results"]

    def respond(self, request_id, status="Accepted", notes="Fine.", **more):
        body = {"status": status, "notes": notes, **more}
        return self.call("POST", f"{LIST}/respond-to-request/{request_id}", json=body)

    def raw(self, method, path, body=b"", headers=None):
        """The bytes of a request, as they go over the socket."""
        fields = {"host": "sandbox", **self.authorization(), "content-type": "application/json"}
        fields |= {"content-length": str(len(body)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


class RawConnection:
    """One TCP connection. It records how the connection ended."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=5.0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read_answer(self):
        """One whole answer, of a connection that stays open."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.socket.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        return head + b"\r\n\r\n" + body

    def read_to_end(self, patience=5.0):
        """What comes, and how it ends: `close`, `reset`, or `silence` when nothing ends it."""
        received = b""
        self.socket.settimeout(patience)
        while True:
            try:
                part = self.socket.recv(65536)
            except TimeoutError:
                return received, "silence"
            except (ConnectionResetError, BrokenPipeError):
                return received, "reset"
            if not part:
                return received, "close"
            received += part


def exchange(url, data, patience=5.0):
    """Send bytes on a connection of their own and read what comes until it ends."""
    with RawConnection(url) as connection:
        try:
            connection.send(data)
        except (ConnectionResetError, BrokenPipeError):
            return b"", "reset"
        return connection.read_to_end(patience)


class SandboxProcess:
    """`python -m victor_ext.sandbox` on a free port, and the commands over HTTP."""

    def __init__(self, *options, program=("victor_ext.sandbox",)):
        command = [sys.executable, "-m", *program, "--json", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.communicate()[1])
        self.facts = json.loads(line)
        self.url = self.facts["url"]
        self.commands = RemoteSandbox(self.url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGTERM)

    def end(self, number):
        """Send a signal and return what the process wrote to stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.communicate(timeout=10)[1]
