"""Calls over real sockets, at debug level: no key, token, secret or account number is in a log, a
repr, an exception, a pickle, or a local of our frames.
"""

import logging
import pickle
import traceback

import pytest
from victor_api.api.payment_requests import get_payment_request

from tests.faults.adapters import each_mode
from tests.faults.raw_provider import RawProvider, answer, bare
from tests.security.callers import Caller, asked, new_payment
from tests.security.secrets import ACCOUNT, of_error, of_frames, of_logs, of_value
from victor_ext import VictorError, VictorJwt, VictorOAuth

pytestmark = pytest.mark.pull_request
CREDENTIALS = {
    "signed": lambda secrets: VictorJwt(secrets.api_key, secrets.private_key, reuse=600),
    "issued": lambda secrets: VictorOAuth(secrets.client_id, secrets.client_secret),
}
each_kind = pytest.mark.parametrize("kind", CREDENTIALS)
each_client = pytest.mark.parametrize(("mode", "kind"), [("sync", "signed"), ("async", "issued")])


@pytest.fixture(autouse=True)
def _debug(caplog):
    caplog.set_level(logging.DEBUG)


@each_client
def test_calls_leave_no_secret_in_logs_events_and_errors(mode, kind, known, secrets, caplog):
    auth = CREDENTIALS[kind](secrets)
    client = Caller(mode, auth, base_url=known.url)
    secrets.tokens.append(client.authorization())
    made = client("create", **new_payment())
    accepted = client("accept", id=asked(known), notes="Thanks.")
    listed = client("list")
    errors = [client("get", id="no-such-id"), client("wait", id=asked(known), timeout=0)]
    received = known.received()
    client.close()
    known.stop()
    assert [record.id for record in listed if record.id in (made.id, accepted.id)]
    for value in (made, accepted, listed, client.client, auth, client.events, received):
        secrets.check(of_value(type(value).__name__, value))
    for error in errors:
        secrets.check(of_error(error))
        assert secrets.found_in_bytes(pickle.dumps(error), accounts=False) == []
    secrets.check(of_logs(caplog.records))


REPEATED = {
    "as it came": lambda request: (
        b"POST / HTTP/1.1\r\nauthorization: " + token_of(request) + b"\r\n\r\n" + request.body
    ),
    "in a header without a colon": lambda request: bare(
        ["HTTP/1.1 200 OK", f"{token_of(request).decode()} {ACCOUNT}"]
    ),
    "in the size of a chunk": lambda request: bare(
        ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"],
        token_of(request) + request.body + b"\r\n",
    ),
    "as the reason": lambda request: bare(
        [
            f"HTTP/1.1 400 {token_of(request).decode()} {ACCOUNT}" + " no" * 20_000,
            "Content-Length: 0",
        ]
    ),
    "in a body": lambda request: answer(
        b"no, " + token_of(request) + b" may not use " + ACCOUNT.encode(), "400 No"
    ),
}


def token_of(request):
    return request.headers["authorization"].encode()


@each_client
@pytest.mark.parametrize("way", REPEATED)
def test_a_server_that_repeats_what_it_was_sent_is_not_quoted(
    mode, kind, way, background, secrets, closed, caplog
):
    provider = closed(RawProvider(background))
    provider.state.token["access_token"] = "opaque-token-of-a-caller-77aa01ff"
    provider.instead = lambda exchange: exchange.send(REPEATED[way](exchange.request))
    client = closed(Caller(mode, CREDENTIALS[kind](secrets), base_url=provider.url(), deadline=5.0))
    secrets.tokens.append(client.authorization())
    observed = client("create", **new_payment())
    assert isinstance(observed, VictorError)
    assert len(str(observed)) < 1_000
    secrets.check(of_error(observed))
    secrets.check(of_logs(caplog.records))


@each_mode
def test_an_id_with_a_line_break_makes_no_new_line_in_a_log(mode, known, secrets, closed, caplog):
    """The wrapper refuses such an id; the generated layer sends what it is given, encoded."""
    client = closed(Caller(mode, CREDENTIALS["issued"](secrets), base_url=known.url))
    call = get_payment_request.sync if mode == "sync" else get_payment_request.asyncio
    observed = client.run(call, "a\nERROR nobody was paid", client=client.client.api)
    assert isinstance(observed, VictorError)
    assert "a ERROR" in str(observed)
    lines = [text for place, text in of_logs(caplog.records) if "arguments" not in place]
    assert [
        text for text in [str(observed), *lines, *map(str, client.events)] if "\n" in text
    ] == []


@each_kind
def test_our_objects_in_a_users_own_frame_show_no_secret(kind, known, secrets):
    """What a reporter of errors shows of the user's frames: everything of ours that can be held
    there.
    """

    def of_the_user():
        auth = CREDENTIALS[kind](secrets)
        client = Caller("sync", auth, base_url=known.url)
        victor = client.client
        requests = victor.payment_requests
        token = victor.authorization()
        secrets.tokens.append(str(token))
        record = client("create", **new_payment())
        pages = requests.list()
        page = next(pages.pages())
        parts = [record.payee, record.payer, record.response, *client.events]
        error = client("get", id="x" * 9)
        client.close()
        del client
        raise LookupError(f"a mistake with {[auth, page, parts, error]}")

    with pytest.raises(LookupError) as raised:
        of_the_user()
    seen = [
        (place, text)
        for place, text in of_frames(raised.value, (__file__,))
        if " in of_the_user" in place and not place.startswith("secrets")
    ]
    names = {place.partition(" in ")[0] for place, _ in seen}
    assert {"auth", "victor", "requests", "token", "record", "pages", "page", "error"} <= names
    secrets.check([("the error", str(raised.value)), *seen])
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    theirs = [frame.locals or {} for frame in shown.stack if frame.name == "of_the_user"]
    secrets.check(
        (name, text) for names in theirs for name, text in names.items() if name != "secrets"
    )


class TestTheSearch:
    """A search that finds nothing proves nothing: let it find something, in every place."""

    def test_the_search_for_secrets_finds_a_secret_in_a_frame_of_ours(self, secrets, monkeypatch):
        import victor_ext.providers.victor._auth

        monkeypatch.setattr(victor_ext.providers.victor._auth, "concealed", lambda value: value)
        with pytest.raises(VictorError) as raised:
            VictorJwt(f"{secrets.api_key}\n", "")
        found = {place for place, text in of_error(raised.value) if secrets.found(text)}
        assert {place.rpartition(", by ")[2] for place in found} == {"rich", "repr", "Sentry"}
