"""The wrong environment: a live host is never called under the name of a test environment, nor the other way round."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from victor_ext import AsyncVictor, ConfigurationError, Victor, VictorOAuth
from victor_ext.providers.eastpay import EastPay
from victor_ext.providers.flexfactor import AsyncFlexFactor, FlexFactor, FlexFactorAuth
from victor_ext.providers.velo import AsyncVelo, Velo, VeloAuth
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"


@dataclass(frozen=True)
class System:
    """A payment system with two environments, and how its clients are made."""

    prefix: str
    test: str
    test_host: str
    live_host: str
    clients: tuple[Any, Any]
    options: dict[str, Any]
    also_live: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.prefix.lower()


SYSTEMS = (
    System(
        "VICTOR", "staging", "api.stage.victorfi.com", "api.victorfi.com",
        (Victor, AsyncVictor), {"auth": VictorOAuth("id-1", "not-a-secret")},
    ),
    System(
        "VELO", "sandbox", "api.sandbox.velopayments.com", "api.payouts.velopayments.com",
        (Velo, AsyncVelo), {"auth": VeloAuth("key-1", "not-a-secret")},
    ),
    System(
        "FLEXFACTOR", "sandbox", "api-sandbox.flex-charge.com", "api.flex-charge.com",
        (FlexFactor, AsyncFlexFactor), {"auth": FlexFactorAuth("key-1", "not-a-secret"), "mid": MID},
        also_live=("api.flexfactor.io",),
    ),
)  # fmt: skip

Make = Callable[..., Any]


@pytest.fixture(params=SYSTEMS, ids=str)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> System:
    chosen: System = request.param
    for name in os.environ:
        if name.startswith(f"{chosen.prefix}_"):
            monkeypatch.delenv(name)
    return chosen


@pytest.fixture(params=["arguments", "variables", "both"])
def make(request: pytest.FixtureRequest, system: System, awaited: bool, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a client whose environment and base URL are given as arguments, as variables, or one each way."""

    def by(environment: str | None = None, base_url: str | None = None) -> Any:
        kind = system.clients[awaited]
        given = {name: value for name, value in (("environment", environment), ("base_url", base_url)) if value}
        if request.param == "arguments":
            return kind(**system.options, **given)
        argument = {"base_url": given.pop("base_url")} if request.param == "both" and base_url else {}
        for name in ("environment", "base_url"):
            monkeypatch.setenv(f"{system.prefix}_{name.upper()}", given.get(name, ""))  # empty counts as not set
        return kind.from_env(**system.options, **argument)

    return by


@pytest.fixture(params=[False, True], ids=["blocking", "awaited"])
def awaited(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def spellings(host: str) -> list[str]:
    """The same host as a person, a template or an attacker may write it."""
    return [
        f"https://{host}", f"https://{host.upper()}/", f"https://{host}.", f"https://{host}:443/", f"https://{host}:8443",
        f"HTTPS://{host}.:443", f"https://{host.replace('.', chr(0x3002))}", f"https://{host}/gateway",
    ]  # fmt: skip


class TestTheHostOfAnEnvironment:
    def test_it_is_not_called_under_the_name_of_the_other(self, system: System, make: Make) -> None:
        hosts = {system.live_host: "production", system.test_host: system.test}
        for host, theirs in hosts.items():
            (other,) = set(hosts.values()) - {theirs}
            for url in spellings(host):
                with pytest.raises(ConfigurationError, match=rf"write environment='{theirs}', and leave") as raised:
                    make(other, url)
                assert f"the environment is {other}" in str(raised.value)
                assert f"{system.prefix}_ENVIRONMENT={theirs}" in str(raised.value)

    def test_older_names_count_as_well(self, system: System, make: Make) -> None:
        for host in system.also_live:
            with pytest.raises(ConfigurationError, match="write environment='production'"):
                make(system.test, f"https://{host}")
            assert make("production", f"https://{host}").environment == "production"

    def test_no_default_decides_for_the_host_of_the_other(self, system: System, make: Make) -> None:
        for url in spellings(system.live_host):
            with pytest.raises(ConfigurationError, match="write environment='production', and leave"):
                make(None, url)
        for url in spellings(system.test_host):
            assert make(None, url).environment == system.test

    def test_it_may_be_named_as_well(self, system: System, make: Make) -> None:
        assert make("production", f"https://{system.live_host}").environment == "production"
        assert make(system.test, f"https://{system.test_host}").environment == system.test

    def test_what_is_percent_encoded_is_no_host(self, make: Make, system: System) -> None:
        with pytest.raises(ConfigurationError, match=r"base_url|BASE_URL"):
            make(system.test, f"https://{system.live_host.replace('.', '%2e')}")


VERSIONS = {"VICTOR": ["v2"], "VELO": ["v1", "v2", "v3", "v4"], "FLEXFACTOR": ["v1"]}


def test_the_url_may_end_with_the_version_of_the_paths(system: System, make: Make) -> None:
    """FlexFactor: "Sandbox testing | https://api-sandbox.flex-charge.com/v1/". Every path begins with the version."""
    for version in VERSIONS[system.prefix]:
        for host in (system.test_host, "gateway.example:8443/proxied"):
            for end in ("", "/"):
                assert make(None, f"https://{host}/{version}{end}").base_url.rstrip("/") == f"https://{host}"
    for path in ("v9", "v1x", f"{VERSIONS[system.prefix][0]}/proxied"):
        assert make(None, f"https://gateway.example/{path}").base_url == f"https://gateway.example/{path}"
    with pytest.raises(ConfigurationError, match="write environment='production'"):
        make(None, f"https://{system.live_host}/{VERSIONS[system.prefix][0]}/")


def test_with_the_version_in_the_url_tokens_and_calls_go_to_the_same_paths() -> None:
    with FlexFactorSandbox() as sandbox:
        app_key, app_secret, mid = sandbox.add_client()
        auth = FlexFactorAuth(app_key, app_secret)
        with FlexFactor(auth, mid=mid, base_url=f"{sandbox.url}/v1/") as flexfactor:
            assert list(flexfactor.orders.list()) == []
        assert [seen.path for seen in sandbox.received()] == ["/v1/oauth2/token", "/v1/orders"]


class TestAnotherHost:
    @pytest.mark.parametrize("host", ["gateway.example", "10.0.0.7:8443", "eu.{live}", "{live}.example", "[::2]"])
    def test_it_belongs_to_the_environment_that_is_named(self, system: System, make: Make, host: str) -> None:
        url = f"https://{host.format(live=system.live_host)}"
        for environment in ("production", system.test):
            assert make(environment, url).environment == environment
        assert make(None, url).environment == system.test

    @pytest.mark.parametrize("host", ["127.0.0.1:8900", "localhost", "[::1]:8900", "sandbox.localhost"])
    def test_on_this_machine_it_is_a_sandbox_unless_production_is_named(
        self, system: System, make: Make, host: str
    ) -> None:
        assert make(None, f"http://{host}").environment == system.test
        assert make("production", f"http://{host}").environment == "production"

    def test_without_one_there_is_the_test_environment(self, system: System, make: Make) -> None:
        made = make()
        assert (made.environment, httpx.URL(made.base_url).host) == (system.test, system.test_host)


def test_a_gateway_of_eastpays_has_no_environments() -> None:
    assert EastPay("t" * 40, base_url="https://pay.bank.example", entity_id="EB000001").environment == ""
