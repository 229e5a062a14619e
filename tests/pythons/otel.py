"""Extra `otel`: the listener takes the events of a call with the API of OpenTelemetry alone, without its SDK."""

from __future__ import annotations

import os

import httpx
from victor_api.client import Client

from victor_ext import RetryPolicy, connect
from victor_ext.otel import OpenTelemetry

os.environ["VICTOR_LISTENER_ERRORS"] = "raise"
script = [httpx.Response(503), httpx.Response(200, json={})]
transport = httpx.MockTransport(lambda _request: script.pop(0))
options = {"transport": transport, "retry": RetryPolicy(base=0.0), "on_event": OpenTelemetry()}
with connect(Client, base_url="http://localhost", **options) as client:
    assert client.api.get_httpx_client().get("/").status_code == 200
    assert client.listener_failures == 0
assert script == []
