"""A receiver of notifications that shares nothing with the sandbox or the client."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Came(NamedTuple):
    path: str
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes

    @property
    def said(self):
        return json.loads(self.body)


class Receiver:
    """Keeps what is posted, and answers with the `statuses`, one after another; the last one stays.

    None: it does not answer until it is left.
    """

    def __init__(self, *statuses):
        self.came = []
        self.statuses = list(statuses) or [200]
        self._left = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["content-length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.came.append(Came(self.path, headers, self.rfile.read(length)))
                waiting = receiver.statuses
                status = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                if status is None:
                    receiver._left.wait(30)
                    return
                self.send_response(status)
                if status == 302:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks"

    @property
    def names(self):
        """The names of events that Velo's bodies have, or FlexFactor's."""
        return [each.said.get("eventName") or each.said["Event"] for each in self.came]

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._left.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
