"""Who is let in. The provider documents the claims; every sentence of that is a row here."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.cases import cases_beside
from tests.sandbox.sandbox_callers import LIST, parsed
from victor_ext.sandbox.victor.authentication import new_key_pair

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)


def now():
    return int(time.time())


def refused(caller, authorization):
    headers = {} if authorization is None else {"authorization": authorization}
    response = caller.http.get(LIST, headers=headers)
    assert response.status_code == 401, response.text
    return response.json()["error"]


@pytest.mark.parametrize(("options", "code"), CASES["tokens that break one rule"])
def test_a_token_that_breaks_one_rule_is_refused(caller, options, code):
    times = {
        name: now() + options[name]
        for name in ("iat", "exp")
        if type(options.get(name)) in (int, float)
    }
    assert refused(caller, f"Token {caller.token(**{**options, **times})}") == code


def test_a_token_that_another_key_has_signed_is_refused(caller):
    assert refused(caller, f"Token {caller.token(key=new_key_pair()[0])}") == "bad_signature"


@pytest.mark.parametrize(("authorization", "code"), CASES["authorizations"])
def test_the_header_must_be_exactly_that(caller, authorization, code):
    given = authorization and authorization.replace("{token}", caller.token())
    assert refused(caller, given) == code


def test_an_unsigned_token_is_refused(caller):
    claims = jwt.decode(caller.token(), options={"verify_signature": False})
    assert refused(caller, f"Token {jwt.encode(claims, None, 'none')}") == "wrong_algorithm"


def test_the_alphabet_of_a_token_is_that_of_urls(caller):
    token = next(each for each in iter(caller.token, None) if "-" in each or "_" in each)
    assert (
        refused(caller, f"Token {token.replace('-', '+').replace('_', '/')}") == "malformed_token"
    )


@pytest.mark.parametrize(
    "extra", [{"b64": False}, {"b64": False, "crit": ["b64"]}, {"crit": None}], ids=str
)
def test_a_header_that_changes_what_is_signed_is_refused(caller, extra):
    """RFC 7797, whose `b64` no JWT may use; and whatever else must be understood.

    The signature itself is good.
    """
    header = jwt.utils.base64url_encode(
        json.dumps({"alg": "RS512", "typ": "JWT", **extra}).encode()
    ).decode()
    claims = caller.token().split(".")[1]
    raw = jwt.utils.base64url_decode(claims).decode()
    for signed in (claims, raw):
        mark = parsed(caller.private_key).sign(f"{header}.{signed}".encode(), PKCS1v15(), SHA512())
        token = f"{header}.{claims}.{jwt.utils.base64url_encode(mark).decode()}"
        assert refused(caller, f"Token {token}") == "malformed_token"


def test_production_allows_300_seconds_and_staging_3600(start):
    _, production = start(environment="production")
    _, staging = start(environment="staging")
    long = {"iat": now(), "exp": now() + 301}
    assert refused(production, f"Token {production.token(**long)}") == "lifetime_too_long"
    assert (
        production.http.get(
            LIST, headers={"authorization": f"Token {production.token()}"}
        ).status_code
        == 200
    )
    assert (
        staging.http.get(
            LIST, headers={"authorization": f"Token {staging.token(**long)}"}
        ).status_code
        == 200
    )


def test_clocks_may_differ_by_the_leeway_and_no_more(start):
    sandbox, caller = start()
    sandbox.set_clock_skew(3)
    early = caller.token(iat=now(), exp=int(time.time()) + 1)
    assert caller.http.get(LIST, headers={"authorization": f"Token {early}"}).status_code == 200
    sandbox.set_clock_skew(100)
    assert refused(caller, f"Token {caller.token(exp=int(time.time()) + 50)}") == "expired_token"
    sandbox.set_clock_skew(-100)
    assert refused(caller, f"Token {caller.token()}") == "issued_in_the_future"


def test_the_date_header_tells_the_skewed_clock(start):
    from email.utils import parsedate_to_datetime

    _, caller = start(clock_skew=-7200)
    response = caller.list()
    assert response.status_code == 401
    assert (
        abs(parsedate_to_datetime(response.headers["date"]).timestamp() - (time.time() - 7200)) < 5
    )


class TestIssuedTokens:
    def test_a_client_gets_a_token_with_an_absolute_expiry_in_milliseconds(self, start):
        sandbox, caller = start()
        answer = caller.ask_token(*sandbox.add_oauth_client("client", "a secret")).json()
        assert answer["token_type"] == "Bearer"
        assert abs(answer["expires"] / 1000 - (time.time() + 3600)) < 5
        headers = {"authorization": f"Bearer {answer['access_token']}"}
        assert caller.http.get(LIST, headers=headers).status_code == 200
        assert refused(caller, f"Token {answer['access_token']}") == "malformed_token"
        sandbox.advance(3660)
        assert caller.http.get(LIST, headers=headers).status_code == 200, (
            "tokens end by the wall clock"
        )
        sandbox.set_clock_skew(3660)
        assert refused(caller, headers["authorization"]) == "invalid_token"

    def test_a_wrong_pair_is_refused(self, sandbox, caller):
        sandbox.add_oauth_client("client", "a secret")
        for pair in (("client", "another"), ("other", "a secret")):
            response = caller.ask_token(*pair)
            assert (response.status_code, response.json()["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"{}", b'{"client_id": 1, "client_secret": "x"}', b"{"]
    )
    def test_a_body_without_both_is_misuse(self, caller, body):
        response = caller.http.post(
            "/v2/auth/token", content=body, headers={"content-type": "application/json"}
        )
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_only_rsa_keys_of_2048_bits_are_taken(sandbox):
    keys = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)
    elliptic, short = (
        k.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        for k in keys
    )
    wrong = {
        "nonsense": "not a PEM public key",
        "": "not a PEM public key",
        elliptic: "must be an RSA key",
    }
    for key, reason in {**wrong, short: "1024 bits"}.items():
        with pytest.raises(ValueError, match=reason):
            sandbox.add_api_key(key)
