"""Settings of every system: which host is called under which name, and the variables of the process
environment.

A live host is never called under the name of a test environment, nor the other way round.
"""

import inspect
import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.frames import assert_hidden
from tests.providers.running import Script
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS
from victor_ext import ConfigurationError
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

Make = Callable[..., Any]
WITH_ENVIRONMENTS = [name for name in CLIENTS if hasattr(ADAPTERS[name], "HOSTS")]
OFFLINE = Script(httpx.Response(500)).transport
"""No connections are made ready for a client that calls nobody."""


@pytest.fixture(params=WITH_ENVIRONMENTS)
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.partition("_")[0].lower() in CLIENTS:
            monkeypatch.delenv(name)


@pytest.fixture
def hosts(system: str) -> tuple[str, str, str]:
    """The name of the test environment, its host, and the live one."""
    return ADAPTERS[system].HOSTS[:3]


@pytest.fixture(params=["arguments", "variables", "both"])
def make(request: pytest.FixtureRequest, system: str, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a client whose environment and base URL are given as arguments, as variables, or one
    each way.
    """

    def by(environment: str | None = None, base_url: str | None = None) -> Any:
        kind, options = CLIENTS[system][0], {**ARGUMENTS[system], "transport": OFFLINE}
        given = {
            name: value
            for name, value in (("environment", environment), ("base_url", base_url))
            if value
        }
        if request.param == "arguments":
            return kind(**options, **given)
        argument = (
            {"base_url": given.pop("base_url")} if request.param == "both" and base_url else {}
        )
        for name in ("environment", "base_url"):
            # empty counts as not set
            monkeypatch.setenv(f"{system.upper()}_{name.upper()}", given.get(name, ""))
        return kind.from_env(**options, **argument)

    return by


def spellings(host: str) -> list[str]:
    """The same host as a person, a template or an attacker may write it."""
    return [
        f"https://{host}",
        f"https://{host.upper()}/",
        f"https://{host}.",
        f"https://{host}:443/",
        f"https://{host}:8443",
        f"HTTPS://{host}.:443",
        f"https://{host.replace('.', chr(0x3002))}",
        f"https://{host}/gateway",
    ]


class TestTheHostOfAnEnvironment:
    def test_it_is_not_called_under_the_name_of_the_other(
        self, system: str, make: Make, hosts: Any
    ) -> None:
        test, test_host, live_host = hosts
        for host, theirs, other in (
            (live_host, "production", test),
            (test_host, test, "production"),
        ):
            for url in spellings(host):
                with pytest.raises(
                    ConfigurationError, match=rf"write environment='{theirs}', and leave"
                ) as raised:
                    make(other, url)
                assert f"the environment is {other}" in str(raised.value)
                assert f"{system.upper()}_ENVIRONMENT={theirs}" in str(raised.value)
            assert make(theirs, f"https://{host}").environment == theirs

    def test_older_names_count_as_well(self, system: str, make: Make, hosts: Any) -> None:
        for host in ADAPTERS[system].HOSTS[3:]:
            with pytest.raises(ConfigurationError, match="write environment='production'"):
                make(hosts[0], f"https://{host}")
            assert make("production", f"https://{host}").environment == "production"

    def test_no_default_decides_for_the_host_of_the_other(self, make: Make, hosts: Any) -> None:
        test, test_host, live_host = hosts
        for url in spellings(live_host):
            with pytest.raises(
                ConfigurationError, match="write environment='production', and leave"
            ):
                make(None, url)
        for url in spellings(test_host):
            assert make(None, url).environment == test

    def test_without_a_url_it_is_that_of_the_environment_and_nothing_live_is_the_default(
        self, make: Make, hosts: Any
    ) -> None:
        test, test_host, live_host = hosts
        for given, name, host in ((None, test, test_host), (test, test, test_host)):
            made = make(given)
            assert (made.environment, httpx.URL(made.base_url).host) == (name, host)
        assert make("production").base_url.rstrip("/") == f"https://{live_host}"

    def test_what_is_percent_encoded_is_no_host(self, make: Make, hosts: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"base_url|BASE_URL"):
            make(hosts[0], f"https://{hosts[2].replace('.', '%2e')}")

    @pytest.mark.parametrize(
        "host", ["gateway.example", "10.0.0.7:8443", "eu.{live}", "{live}.example", "[::2]"]
    )
    def test_any_other_belongs_to_the_environment_that_is_named(
        self, make: Make, hosts: Any, host: str
    ) -> None:
        url = f"https://{host.format(live=hosts[2])}"
        for environment in ("production", hosts[0]):
            assert make(environment, url).environment == environment
        assert make(None, url).environment == hosts[0]

    @pytest.mark.parametrize(
        "host", ["127.0.0.1:8900", "localhost", "[::1]:8900", "sandbox.localhost"]
    )
    def test_on_this_machine_it_is_a_sandbox_unless_production_is_named(
        self, make: Make, hosts: Any, host: str
    ) -> None:
        assert make(None, f"http://{host}").environment == hosts[0]
        assert make("production", f"http://{host}").environment == "production"


def test_the_url_may_end_with_the_version_of_the_paths(system: str, make: Make, hosts: Any) -> None:
    """FlexFactor: "Sandbox testing | https://api-sandbox.flex-charge.com/v1/".

    Every path begins with the version.
    """
    versions = ADAPTERS[system].VERSIONS
    for version in versions:
        for host in (hosts[1], "gateway.example:8443/proxied"):
            for end in ("", "/"):
                assert (
                    make(None, f"https://{host}/{version}{end}").base_url.rstrip("/")
                    == f"https://{host}"
                )
    for path in ("v9", "v1x", f"{versions[0]}/proxied"):
        assert (
            make(None, f"https://gateway.example/{path}").base_url
            == f"https://gateway.example/{path}"
        )
    with pytest.raises(ConfigurationError, match="write environment='production'"):
        make(None, f"https://{hosts[2]}/{versions[0]}/")


def test_with_the_version_in_the_url_tokens_and_calls_go_to_the_same_paths() -> None:
    with FlexFactorSandbox() as sandbox:
        app_key, app_secret, mid = sandbox.add_client()
        auth = FlexFactorAuth(app_key, app_secret)
        with FlexFactor(auth, mid=mid, base_url=f"{sandbox.url}/v1/") as flexfactor:
            assert list(flexfactor.orders.list()) == []
        assert [seen.path for seen in sandbox.received()] == ["/v1/oauth2/token", "/v1/orders"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown environment": (
        {"environment": "live"},
        r"environment='live' is unknown: write '\w+' or 'production'",
    ),
    "one of another type": ({"environment": ["staging"]}, r"environment=.* is unknown"),
    "a URL without a scheme": (
        {"base_url": "pay.example"},
        "base_url 'pay.example' must be absolute: write https://",
    ),
    "a URL that is not encrypted": (
        {"base_url": "http://pay.example"},
        "base_url .* unencrypted: write https://",
    ),
    "a URL with a query": ({"base_url": "https://pay.example?x=1"}, "no user, query or fragment"),
    "a URL with a password": ({"base_url": "https://u:s3cret-words@pay.example"}, "base_url"),
    "no deadline": ({"deadline": -1}, "deadline=-1 must be seconds above zero"),
    "credentials of another kind": (
        {"auth": ("k", "s3cret-words")},
        r"auth must be \w+\(.*\).*, not tuple",
    ),
    "and in bytes": ({"auth": ("k", b"s3cret-words")}, r"auth must be \w+\(.*\).*, not tuple"),
    "a key for credentials": ({"auth": "s3cret-words"}, r"auth must be \w+\(.*\).*, not str"),
    "a class for credentials": ({"auth": FlexFactorAuth}, "auth must be"),
}


@pytest.mark.parametrize(
    ("system", "name"),
    [
        (system, name)
        for system in CLIENTS
        for name, (options, _) in WRONG.items()
        if {*options} <= {*inspect.signature(CLIENTS[system][0]).parameters}
    ],
)
def test_settings_that_cannot_be(system: str, name: str) -> None:
    options, words = WRONG[name]
    for kind in CLIENTS[system]:
        with pytest.raises(ConfigurationError, match=words) as raised:
            kind(**{**ARGUMENTS[system], **options})
        assert_hidden(raised.value, ["s3cret-words"])


class TestVariables:
    @pytest.fixture
    def set_all(self, system: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
        """Sets all that a client needs but for changes. Returns what `from_env` makes of it."""

        def set_them(_options: Any = (), **changes: str) -> Any:
            needed = {**ADAPTERS[system].SETTINGS, "base_url": "https://gateway.example", **changes}
            for name, value in needed.items():
                monkeypatch.setenv(f"{system.upper()}_{name.upper()}", value)
            made = [
                kind.from_env(**{"transport": None, **dict(_options)}) for kind in CLIENTS[system]
            ]
            return made[0]

        return set_them

    @pytest.mark.parametrize("system", CLIENTS, indirect=True)
    def test_each_that_is_needed_is_named_when_it_is_empty(
        self, system: str, set_all: Callable[..., Any]
    ) -> None:
        for name in ADAPTERS[system].SETTINGS:
            with pytest.raises(
                ConfigurationError, match=f"^{system.upper()}_{name.upper()} is not set"
            ):
                set_all(**{name: " "})
        assert set_all(
            **{name: f" {value}\n" for name, value in ADAPTERS[system].SETTINGS.items()}
        ).base_url

    @pytest.mark.parametrize("system", CLIENTS, indirect=True)
    def test_options_win_one_by_one(self, set_all: Callable[..., Any], system: str) -> None:
        assert set_all(base_url=" https://a.example ").base_url == "https://a.example"
        assert set_all({"base_url": "https://b.example"}).base_url == "https://b.example"
        with pytest.raises(
            ConfigurationError, match=rf"({system.upper()}_BASE_URL|base_url) 'nowhere' must be"
        ):
            set_all(base_url="nowhere")
        given = set_all({**ARGUMENTS[system], "base_url": "https://b.example"}, **dict.fromkeys(
            ADAPTERS[system].SETTINGS, ""
        ))  # fmt: skip
        assert given.base_url == "https://b.example"

    @pytest.mark.parametrize("system", CLIENTS, indirect=True)
    def test_a_password_in_the_url_is_shown_by_no_message_and_no_traceback(
        self, set_all: Callable[..., Any]
    ) -> None:
        password = "s3cret-words"
        for scheme in ("https", "ftp"):
            with pytest.raises(ConfigurationError) as raised:
                set_all(base_url=f"{scheme}://u:{password}@gateway.example")
            assert_hidden(raised.value, [password])

    def test_the_environment(self, system: str, set_all: Callable[..., Any], hosts: Any) -> None:
        assert set_all(environment="production").environment == "production"
        assert set_all({"environment": hosts[0]}, environment="production").environment == hosts[0]
        words = (
            rf"({system.upper()}_ENVIRONMENT is |environment=)'live'.*: .* '{hosts[0]}' or "
            r"'production'"
        )
        with pytest.raises(ConfigurationError, match=words):
            set_all(environment="live")


def test_a_gateway_of_eastpays_has_no_environments() -> None:
    assert CLIENTS["eastpay"][0](**ARGUMENTS["eastpay"]).environment == ""
