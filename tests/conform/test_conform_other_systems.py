"""The other systems, and an API of which only the document is known: each read once, and nothing else."""

from __future__ import annotations

from functools import partial

import pytest
import victor_api

from tests.conform.conftest import WHOLE
from victor_ext import BearerAuth, ConfigurationError, connect
from victor_ext.conform import Plan, measure
from victor_ext.sandbox.__main__ import provider_named
from victor_ext.sandbox.server import ServerInThread
from victor_ext.systems import entry_points_of

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", [name for name in entry_points_of() if name != "victor"])
def test_each_read_of_a_system_is_sent_once(name, tmp_path, monkeypatch):
    provider, system = provider_named(name), entry_points_of()[name].load()

    class Here(provider.commands_type, ServerInThread):
        provider_type = provider

    with Here() as sandbox:
        for line in sandbox._running().provider.client_settings(sandbox.url).splitlines():
            if not line.startswith("#"):
                monkeypatch.setenv(*line.split("=", 1))
        client = system.load("client").from_env
        with client() as known:
            reads = known.reads
        report = measure(tmp_path / "measured.json", Plan(), client)
        with pytest.raises(ConfigurationError, match="can only be read"):
            measure(tmp_path / "other.json", WHOLE, client)
        sent = [call for call in sandbox.received() if call.operation not in ("authenticate", "token")]
    assert report.document["system"] == name
    assert {call.method for call in sent} == {"GET"}
    assert len(sent) == len(reads) == sum(name.startswith("GET ") for name in report.document["findings"])
    assert "clock-skew: 0." in report.text()
    assert [(each["assumption"], each["note"]) for each in report.failures] == []
    assert ",  (" not in report.text()


def test_the_reads_of_a_document_are_sent(started, tmp_path):
    measured = started()
    auth = BearerAuth("secret-for-a-test")
    client = partial(connect, victor_api.Client, base_url=measured.sandbox.url, auth=auth, name="Acme")
    report = measure(tmp_path / "acme.json", Plan(), client)
    assert [call.method for call in measured.sandbox.received()] == ["GET", "GET"]
    assert {each["assumption"] for each in report.failures} == {
        "GET /v2/payment-requests",
        "GET /v2/payment-requests/{}",
    }, "both are answered with a 401"
