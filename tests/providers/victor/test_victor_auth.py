"""The two kinds of credentials: what they send, for how long it is good, and what cannot be one."""

import httpx
import jwt
import pytest

from tests.runtime.fakes import FakeClock
from victor_ext import ConfigurationError, Victor, VictorJwt
from victor_ext._runtime.loop.flow import Driver

API_KEY = "1145f601-b8b0-4de7-9210-4ccb74a68ef5"
URL = httpx.URL("https://api.victorfi.com")


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

    def test_a_reuse_longer_than_the_token_lives_is_refused(self, victor_key_pair):
        with pytest.raises(
            ConfigurationError, match=r"reuse=231 is too long for .* 240 s: write at most 230"
        ):
            Victor(VictorJwt(API_KEY, victor_key_pair[0], reuse=231), environment="production")
        Victor(VictorJwt(API_KEY, victor_key_pair[0], reuse=230), environment="production")
