"""The two kinds of credentials: what they send, for how long it is good, and what cannot be one."""

import math
from functools import partial

import httpx
import jwt
import pytest

from tests.runtime.fakes import BOTH, OK, FakeClock, Happens, Harness
from victor_ext import ConfigurationError, Victor, VictorJwt
from victor_ext._runtime.loop.flow import Driver

API_KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
URL = httpx.URL("https://api.victorfi.com")
LEEWAY = 5
"""The seconds by which a token is issued before the moment of its attempt."""
LIFE, LIFE_IN_STAGING = 240, 3540
"""The seconds for which a token is good, where the caller says nothing else."""


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def signed(victor_key_pair, clock):
    """Make credentials, sign for an environment, and return the header and the verified parts of
    the token.
    """
    private, public = victor_key_pair

    def sign(environment="production", api_key=API_KEY, **options):
        auth = VictorJwt(api_key, private, **options)
        authenticator = auth.authenticator(environment, URL, clock, Driver.lock())
        request = httpx.Request("GET", URL)
        authenticator.authorize(request, None, None)
        header = request.headers["Authorization"]
        token = header.partition(" ")[2]
        checks = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(
            token, public, algorithms=["RS512"], issuer="victor-api", options=checks
        )
        return header, jwt.get_unverified_header(token), claims

    return sign


class TestSignedTokens:
    def test_a_signed_token_has_the_documented_header_and_claims_and_no_more(self, signed, clock):
        header, parts, claims = signed()
        assert header.startswith("Token ey")
        assert parts == {"alg": "RS512", "typ": "JWT"}
        issued = clock.local() - LEEWAY
        assert claims == {"sub": API_KEY, "iss": "victor-api", "iat": issued, "exp": issued + LIFE}
        assert type(claims["iat"]) is int

    @pytest.mark.parametrize("lifetime", [1, 1.9, 2, 9, 300, 299.5])
    def test_a_token_lives_as_long_as_the_caller_says(self, signed, clock, lifetime):
        claims = signed(lifetime=lifetime)[2]
        assert claims["exp"] - claims["iat"] == int(lifetime)
        assert claims["iat"] <= clock.local() < claims["exp"]

    def test_a_token_has_the_prefix_that_the_caller_says(self, signed):
        assert signed(prefix="Bearer")[0].startswith("Bearer ey")

    @pytest.mark.parametrize(
        ("environment", "lifetime"), [("production", 301), ("production", 3600), ("staging", 3601)]
    )
    def test_a_lifetime_above_the_limit_is_refused_when_the_environment_is_known(
        self, victor_key_pair, environment, lifetime
    ):
        with pytest.raises(
            ConfigurationError,
            match=f"lifetime={lifetime} is above the .* that {environment} permits",
        ):
            Victor(
                VictorJwt(API_KEY, victor_key_pair[0], lifetime=lifetime), environment=environment
            )

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"lifetime": 0}, "lifetime=0 must be a number of seconds, 1 or more"),
            ({"reuse": 10**5000}, "reuse=something of type int must be a number of seconds"),
            ({"lifetime": math.nan}, "lifetime=nan must be a number of seconds, 1 or more"),
            ({"lifetime": True}, "lifetime=True must be a number of seconds, 1 or more"),
            ({"reuse": -1}, "reuse=-1 must be a number of seconds, 0 or more"),
            ({"reuse": "x"}, "reuse='x' must be a number"),
            *(
                ({"prefix": word}, "prefix=.* must be a word")
                for word in ("", "To ken", "Token\r\nX: y", "T\u00f6ken", None)
            ),
        ],
    )
    def test_a_wrong_lifetime_reuse_or_prefix_of_a_token_is_refused(
        self, victor_key_pair, options, words
    ):
        with pytest.raises(ConfigurationError, match=words):
            VictorJwt(API_KEY, victor_key_pair[0], **options)

    def test_a_reuse_longer_than_the_token_lives_is_refused(self, victor_key_pair):
        with pytest.raises(
            ConfigurationError, match=r"reuse=231 is too long for .* 240 s: write at most 230"
        ):
            Victor(VictorJwt(API_KEY, victor_key_pair[0], reuse=231), environment="production")
        Victor(VictorJwt(API_KEY, victor_key_pair[0], reuse=230), environment="production")

    def test_white_space_around_an_api_key_is_not_part_of_it(self, signed):
        assert signed(api_key=f" {API_KEY}\n")[2]["sub"] == API_KEY


@pytest.fixture
def issued(victor_key_pair, mode):
    """Makes calls so many seconds apart. Of each token, how many seconds after the beginning it was
    issued, and for how many it is good.
    """

    def call(*pauses, environment="production", drift=None, script=(OK,)):
        auth = VictorJwt(API_KEY, victor_key_pair[0])
        # Another client of these credentials signs for another environment.
        other = httpx.Request("GET", URL)
        auth.authenticator("staging", URL, FakeClock(), Driver.lock()).authorize(other, None, None)
        authenticator = partial(auth.authenticator, environment, URL)
        harness = Harness([*script], mode, drift=drift, auth=authenticator)
        for seconds in pauses:
            harness.clock.passed += seconds
            harness.call()
        began = harness.clock.local() - harness.clock.passed
        tokens = [one.token.partition(" ")[2] for one in harness.received]
        claims = [jwt.decode(each, options={"verify_signature": False}) for each in tokens]
        return [(each["iat"] - began, each["exp"] - each["iat"]) for each in claims]

    return call


@pytest.mark.parametrize("mode", BOTH)
class TestEachAttempt:
    def test_a_token_is_issued_for_the_second_of_its_attempt(self, issued):
        tokens = issued(0.0, 0.2, 0.9, 300.0)  # at 0.0, 0.2, 1.1 and 301.1
        assert tokens == [(second - LEEWAY, LIFE) for second in (0, 0, 1, 301)]

    def test_the_life_of_a_token_is_that_of_its_own_environment(self, issued):
        assert issued(0.0, environment="staging") == [(-LEEWAY, LIFE_IN_STAGING)]

    def test_after_a_refusal_a_token_is_issued_by_the_providers_clock(self, issued):
        tokens = issued(0.0, drift=-900.0, script=(Happens(401), OK))
        assert tokens == [(-LEEWAY, LIFE), (-900 - LEEWAY, LIFE)]
