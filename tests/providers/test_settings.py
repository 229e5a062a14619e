"""Settings of every system: which host is called under which name, and the variables of the process
environment.

A live host is never called under the name of a test environment, nor the other way round.
"""

import httpx
import pytest

from tests.cases import cases_beside
from tests.frames import assert_hidden
from tests.providers.running import Script
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS
from victor_ext import ConfigurationError, Outcome

pytestmark = pytest.mark.usefixtures("clean_environment")
WITH_ENVIRONMENTS = [name for name in CLIENTS if hasattr(ADAPTERS[name], "HOSTS")]
OFFLINE = Script(httpx.Response(500)).transport
"""No connections are made ready for a client that calls nobody."""


@pytest.fixture(params=WITH_ENVIRONMENTS)
def system(request):
    return str(request.param)


@pytest.fixture
def hosts(system):
    """The name of the test environment, its host, the live one, and older live ones."""
    return ADAPTERS[system].HOSTS


AS_ARGUMENTS = {"arguments": {"environment", "base_url"}, "variables": set(), "both": {"base_url"}}


@pytest.fixture(params=AS_ARGUMENTS)
def make(request, system, monkeypatch):
    """Makes a client whose environment and base URL are given as arguments, as variables, or one
    each way.
    """
    kind, options = CLIENTS[system][0], {**ARGUMENTS[system], "transport": OFFLINE}

    def by(environment="", base_url=""):
        given = {"environment": environment, "base_url": base_url}
        for name in given.keys() - AS_ARGUMENTS[request.param]:  # empty counts as not set
            monkeypatch.setenv(f"{system}_{name}".upper(), given.pop(name))
        making = kind if request.param == "arguments" else kind.from_env
        return making(**options, **{name: value for name, value in given.items() if value})

    return by


def spellings(host):
    """The same host as a person, a template or an attacker may write it."""
    return [
        f"https://{host}",
        f"https://{host.upper()}/",
        f"https://{host}.",
        f"https://{host}:8443",
        f"HTTPS://{host}.:443",
        f"https://{host.replace('.', chr(0x3002))}",
        f"https://{host}/gateway",
    ]


class TestTheHostOfAnEnvironment:
    def test_the_host_of_one_environment_is_refused_under_the_name_of_the_other(
        self, system, make, hosts
    ):
        test, test_host, live_host, *older = hosts
        live = [(each, "production", test) for each in (live_host, *older)]
        for host, theirs, other in (*live, (test_host, test, "production")):
            for url in spellings(host):
                with pytest.raises(ConfigurationError) as raised:
                    make(other, url)
                said = str(raised.value)
                assert f"write environment='{theirs}', and leave" in said
                assert f"the environment is {other}" in said
                assert f"{system.upper()}_ENVIRONMENT={theirs}" in said
            assert make(theirs, f"https://{host}").environment == theirs

    def test_a_live_host_without_a_named_environment_is_refused(self, make, hosts):
        test, test_host, live_host, *_ = hosts
        for url in spellings(live_host):
            with pytest.raises(ConfigurationError, match="write environment='production', and"):
                make("", url)
        for url in spellings(test_host):
            assert make("", url).environment == test

    def test_without_a_url_the_test_host_is_the_default_and_production_must_be_named(
        self, make, hosts
    ):
        test, test_host, live_host, *_ = hosts
        for given in ("", test):
            made = make(given)
            assert (made.environment, httpx.URL(made.base_url).host) == (test, test_host)
        assert make("production").base_url.rstrip("/") == f"https://{live_host}"

    def test_a_percent_encoded_host_is_refused(self, make, hosts):
        with pytest.raises(ConfigurationError, match=r"base_url|BASE_URL"):
            make(hosts[0], f"https://{hosts[2].replace('.', '%2e')}")

    @pytest.mark.parametrize(
        "host", ["gateway.example", "10.0.0.7:8443", "eu.{live}", "{live}.example", "[::2]"]
    )
    def test_an_unknown_host_belongs_to_the_environment_that_is_named(self, make, hosts, host):
        url = f"https://{host.format(live=hosts[2])}"
        for given, environment in (("production",) * 2, (hosts[0],) * 2, ("", hosts[0])):
            assert make(given, url).environment == environment

    @pytest.mark.parametrize(
        "host", ["127.0.0.1:8900", "localhost", "[::1]:8900", "sandbox.localhost"]
    )
    def test_a_host_on_this_machine_is_a_sandbox_unless_production_is_named(
        self, make, hosts, host
    ):
        assert make("", f"http://{host}").environment == hosts[0]
        assert make("production", f"http://{host}").environment == "production"


each_system = pytest.mark.parametrize("system", CLIENTS)
URLS = cases_beside(__file__, "urls")
NO_HOSTS = URLS["no hosts"]
BAD_URLS = [
    *URLS["base urls that are bad"],
    ("is not a URL", [f"https://{host}" for host in NO_HOSTS]),
]


def refused(system, words, **options):
    """Both clients of a system are refused these options, with these words and without a secret."""
    for kind in CLIENTS[system]:
        with pytest.raises(ConfigurationError, match=words) as raised:
            kind(**{**ARGUMENTS[system], **options})
        assert isinstance(raised.value, ValueError)
        assert raised.value.outcome is Outcome.NOT_SENT
        assert_hidden(raised.value, ["s3cret-words", "hunter2"])


@each_system
@pytest.mark.parametrize(("words", "urls"), BAD_URLS)
def test_a_wrong_base_url_is_refused_and_no_password_is_shown(system, words, urls):
    for url in urls:
        refused(system, rf"^(?=.*base_url).*{words}", base_url=url)


@each_system
class TestVariables:
    @pytest.fixture
    def set_all(self, system, monkeypatch):
        """Sets all that a client needs but for changes. Returns what `from_env` makes of it."""

        def set_them(options=(), **changes):
            needed = {**ADAPTERS[system].SETTINGS, "base_url": "https://gateway.example", **changes}
            for name, value in needed.items():
                monkeypatch.setenv(f"{system}_{name}".upper(), value)
            made, _ = (kind.from_env(**dict(options)) for kind in CLIENTS[system])
            return made

        return set_them

    def test_each_needed_variable_is_named_when_it_is_empty(self, system, set_all):
        settings = ADAPTERS[system].SETTINGS
        for name in settings:
            with pytest.raises(ConfigurationError, match=f"^{system}_{name}".upper()) as raised:
                set_all(**{name: " "})
            assert " is not set" in str(raised.value)
        assert set_all(**{name: f" {value}\n" for name, value in settings.items()}).base_url

    def test_the_option_base_url_wins_over_its_variable(self, set_all):
        assert set_all(base_url=" https://a.example ").base_url == "https://a.example"
        other = {"base_url": "https://b.example"}
        assert set_all(other).base_url == other["base_url"]

    def test_a_wrong_base_url_in_a_variable_is_named_by_the_variable(self, set_all, system):
        words = rf"{system.upper()}_BASE_URL 'nowhere' must be"
        with pytest.raises(ConfigurationError, match=words):
            set_all(base_url="nowhere")

    def test_the_environment_is_taken_from_its_option_or_its_variable(self, system, set_all):
        if system not in WITH_ENVIRONMENTS:
            return
        test, *_ = ADAPTERS[system].HOSTS
        assert set_all(environment="production").environment == "production"
        assert set_all({"environment": test}, environment="production").environment == test
        words = rf"({system.upper()}_ENVIRONMENT is |environment=)'live'.*: .* '{test}' or 'prod"
        with pytest.raises(ConfigurationError, match=words):
            set_all(environment="live")
