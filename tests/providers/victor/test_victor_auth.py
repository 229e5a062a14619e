"""The two kinds of credentials: what they send, for how long it is good, and what cannot be one."""

import math
from contextlib import suppress

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.fakes import BOTH, OK, FakeClock, Happens, Harness
from victor_ext import (
    AuthenticationError,
    ConfigurationError,
    Victor,
    VictorJwt,
)
from victor_ext.runtime.auth.tokens import SignedToken
from victor_ext.runtime.loop.flow import Driver

API_KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
URL = httpx.URL("https://api.victorfi.com")


@pytest.fixture
def clock() -> FakeClock:
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
    def test_the_header_and_the_claims_are_the_documented_ones_and_no_more(self, signed, clock):
        header, parts, claims = signed()
        assert header.startswith("Token ey")
        assert parts == {"alg": "RS512", "typ": "JWT"}
        now = clock.local()
        assert claims == {"sub": API_KEY, "iss": "victor-api", "iat": now - 5, "exp": now - 5 + 240}
        assert type(claims["iat"]) is int

    @pytest.mark.parametrize("lifetime", [1, 1.9, 2, 9, 300, 299.5])
    def test_a_lifetime_of_the_callers(self, signed, clock, lifetime):
        claims = signed(lifetime=lifetime)[2]
        assert claims["exp"] - claims["iat"] == int(lifetime)
        assert claims["iat"] <= clock.local() < claims["exp"]

    def test_a_prefix_of_the_callers(self, signed):
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
    def test_options_that_cannot_be(self, victor_key_pair, options, words):
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


KEYS = [rsa.generate_private_key(65537, 2048) for _ in range(2)]
EACH_CALL = st.tuples(
    st.sampled_from([0.0, 0.2, 0.5, 300.0]),  # seconds since the call before
    st.sampled_from([0.0, -900.0]),  # by which the provider's clock is ahead
    st.sampled_from(KEYS),
    st.lists(st.sampled_from([401, 503]), max_size=2),  # the statuses before a good one
)
LIVES = [
    ("staging", None, 3540),
    ("production", None, 240),
    ("production", 90.5, 90),
    ("staging", 1, 1),
]


@pytest.mark.parametrize("mode", BOTH)
@settings(max_examples=60)
@given(st.lists(EACH_CALL, min_size=2, max_size=8), st.sampled_from(LIVES))
def test_the_wire_is_that_of_a_token_signed_for_each_attempt(mode, called, life):
    (environment, lifetime, lives), key = life, KEYS[0]

    def as_it_comes(clock, lock):
        auth = VictorJwt(API_KEY, lambda: key, lifetime=lifetime)
        # Another client of these credentials signs for another environment.
        auth.authenticator("staging", URL, clock, lock).authorize(
            httpx.Request("GET", URL), None, None
        )
        return auth.authenticator(environment, URL, clock, lock)

    def signed(now):
        issued = math.floor(now) - min(5, lives // 2)
        claims = {"sub": API_KEY, "iss": "victor-api", "iat": issued, "exp": issued + lives}
        return f"Token {jwt.encode(claims, key, algorithm='RS512')}"

    wires = []
    for auth in (as_it_comes, lambda clock, _: SignedToken(signed, clock)):
        harness = Harness(mode=mode, auth=auth)
        for seconds, drift, current, statuses in called:
            key = current
            harness.clock.passed += seconds
            harness.network.drift = drift
            harness.network.script = [*map(Happens, statuses), OK]
            with suppress(AuthenticationError):
                harness.call()
        wires.append([one.token for one in harness.received])
    assert wires[0] == wires[1]
