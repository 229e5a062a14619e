"""What a measurement finds where all is as assumed, how it is told, and what it sends to other
systems.
"""

import dataclasses
from email.utils import formatdate
from functools import partial
from types import SimpleNamespace

import httpx
import pytest
import victor_api

from tests.conform.conftest import WHOLE, Measured
from tests.conform.strict_server import Provider
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import BearerAuth, ConfigurationError, Victor, VictorError, VictorJwt, connect
from victor_ext.conform import ASSUMPTIONS, Phase, Plan, load, measure
from victor_ext.conform.plan import PROBES
from victor_ext.sandbox.command_line import provider_named
from victor_ext.sandbox.server import ServerInThread
from victor_ext.systems import entry_points_of


def test_what_behaves_as_assumed_has_no_difference(started):
    measured = started()
    report = measured()
    assert [*report.document["findings"]] == [*ASSUMPTIONS]
    assert (report.differences, report.failures) == ([], [])
    unknown = {each["assumption"] for each in report.findings if each["value"] is None}
    assert unknown == {"token-life", "long-texts", "other-characters", "key-life"} | {
        name for name, each in ASSUMPTIONS.items() if each.why_not
    }
    assert len(report.made) == measured.made() == WHOLE.makes
    assert load(measured.path / "measured.json") == report
    assert (measured.path / "measured.json").stat().st_mode & 0o777 == 0o600


def test_a_finished_file_is_measured_anew_and_keeps_the_date_of_what_is_not(started):
    old = started()
    first = old()
    new = started(refused_token="403", clock_skew=30, key_repeat="409")
    file = new.path / "measured.json"
    file.write_text(file.read_text().replace(old.sandbox.url, new.sandbox.url))
    again = new()
    created = ("key-repeat", "refused-key", "error-shape")
    found = again.document["findings"]
    before = first.document["findings"]
    values = {
        name: each["value"]
        for name, each in found.items()
        if each["value"] not in (None, before[name]["value"])
    }
    assert values == {"refused-token": "403", "clock-skew": "30"}
    assert (again.document["sandbox"]["refused_token"], new.made()) == ("403", 0)
    dates = [found[name]["measured_at"] for name in created]
    assert (
        max(*dates, again.document["measured_at"])
        < again.document["began_at"]
        <= found["first-page"]["measured_at"]
    )
    assert (
        "= key-repeat: replay: a repeat gets the first response again.\n  - measured at "
        f"{dates[0]}, not repe" in again.text()
    )


def test_every_assumption_has_a_probe_or_a_reason_and_whom_to_ask():
    for name, each in ASSUMPTIONS.items():
        if each.phase is Phase.NONE:
            assert " Ask: " in each.why_not, name
        else:
            assert any(name in probe.names for probe in PROBES), name
            assert each.means or not each.assumed, name


def test_without_a_payer_only_reads_are_sent(started):
    measured = started()
    report = measured(Plan())
    assert {call.method for call in measured.sandbox.received()} == {"GET"}
    assert report.made == []
    assert "it needs creates: payee= and payer=" in report.text()


def test_production_is_refused_but_for_reads(started):
    measured = started(lifetime=200, environment="production")
    measured.connect.keywords["environment"] = "production"
    with pytest.raises(ConfigurationError, match="only read_only is allowed there"):
        measured(Plan())
    assert measured.sandbox.received() == []
    assert measured(Plan(read_only=True)).differences == []


MONEY = Plan(payee="043987673645", payer="aHeq349838")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("gateway.example", "gateway.example is no host of the provider: name it"),
        ("api.victorfi.com.gateway.example", "looks like api.victorfi.com, the provider's prod"),
        ("api.victorfl.com", "looks like api.victorfi.com, the provider's production, and is not"),
        ("api.stage.victorfi.co", "looks like api.stage.victorfi.com, the provider's staging"),
    ],
)
def test_creates_need_a_host_whose_environment_somebody_has_named(host, words, victor_key_pair):
    auth = VictorJwt("key", victor_key_pair[0])
    with Victor(auth, base_url=f"https://{host}") as client:
        with pytest.raises(ConfigurationError, match="environment is not named, and ") as raised:
            MONEY.check(client)
        assert words in str(raised.value)
        dataclasses.replace(MONEY, environment="staging").check(client)
        Plan().check(client)
        with pytest.raises(ConfigurationError, match="environment is 'test', and the client's"):
            dataclasses.replace(MONEY, environment="test").check(client)


@pytest.mark.parametrize(
    "base_url", [None, "https://api.stage.victorfi.com", "http://127.0.0.1:1", "http://localhost:1"]
)
def test_the_providers_staging_and_this_machine_need_no_name(base_url, victor_key_pair):
    with Victor(VictorJwt("key", victor_key_pair[0]), base_url=base_url) as client:
        MONEY.check(client)


@pytest.mark.parametrize("status", [400, 403, 404, 416, 422])
def test_a_provider_that_refuses_page_0_is_measured(status, victor_key_pair, tmp_path):
    provider = Provider(1)
    provider.does |= {"first-page": "1"}

    def answer(request):
        if request.url.params.get("page") == "0":
            headers = {"date": formatdate(usegmt=True)}
            return httpx.Response(status, json={"error": "no page"}, headers=headers)
        return provider.answer(request)

    place = SimpleNamespace(url="https://provider.example", advance=provider.skip)
    measured = Measured(place, VictorJwt(API_KEY, victor_key_pair[0]), tmp_path)
    transport = httpx.MockTransport(answer)
    report = measured(transport=transport)
    assert report.document["findings"]["first-page"]["value"] == "1"
    assert report.failures == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 503])
def test_a_provider_that_refuses_every_list_is_not_measured(status, victor_key_pair, tmp_path):
    sent = []

    def answer(request):
        sent.append(request.method)
        return httpx.Response(status, json={"error": "wrong"})

    place = SimpleNamespace(url="https://provider.example", advance=lambda _: None)
    measured = Measured(place, VictorJwt(API_KEY, victor_key_pair[0]), tmp_path)
    with pytest.raises(VictorError):
        measured(transport=httpx.MockTransport(answer))
    assert {*sent} == {"GET"}


def test_arguments_of_other_types_are_named():
    with pytest.raises(ConfigurationError, match="payee must be text, not int"):
        Plan(payee=43987673645, payer="aHeq349838")
    with pytest.raises(ConfigurationError, match="key_life is '26h', and must be a time"):
        Plan(payee="043987673645", payer="aHeq349838", key_life="26h")


def test_no_account_and_no_credential_is_in_the_file(started):
    measured = started()
    measured()
    text = (measured.path / "measured.json").read_text()
    assert not [
        each
        for each in ("043987673645", "000123456789", "eyJ", "Victor Doe", "City Power")
        if each in text
    ]


# The other systems, and an API of which only the document is known: each read once, and nothing
# else.


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in entry_points_of() if name != "victor"])
def test_each_read_of_a_system_is_sent_once(name, tmp_path, monkeypatch):
    provider = provider_named(name)
    system = entry_points_of()[name].load()

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
        sent = [
            call for call in sandbox.received() if call.operation not in ("authenticate", "token")
        ]
    assert report.document["system"] == name
    assert {call.method for call in sent} == {"GET"}
    assert (
        len(sent)
        == len(reads)
        == sum(name.startswith("GET ") for name in report.document["findings"])
    )
    assert "clock-skew: 0: the clocks agree" in report.text()
    assert [(each["assumption"], each["note"]) for each in report.failures] == []
    assert ",  (" not in report.text()


@pytest.mark.slow
def test_the_reads_of_a_document_are_sent(started, tmp_path):
    measured = started()
    auth = BearerAuth("secret-for-a-test")
    client = partial(
        connect, victor_api.Client, base_url=measured.sandbox.url, auth=auth, name="Acme"
    )
    report = measure(tmp_path / "acme.json", Plan(), client)
    assert [call.method for call in measured.sandbox.received()] == ["GET", "GET"]
    assert {each["assumption"] for each in report.failures} == {
        "GET /v2/payment-requests",
        "GET /v2/payment-requests/{}",
    }, "both are answered with a 401"
