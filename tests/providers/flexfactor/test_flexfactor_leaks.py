"""No secret, token, card or payer in a message, a repr, a log line, a pickle, or a local of a frame of ours."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.frames import OURS
from tests.providers.flexfactor.harness import MID, PRICE, QUICK, declined
from victor_ext import ConfigurationError, VictorError
from victor_ext.providers.flexfactor import Address, AsyncFlexFactor, Card, FlexFactor, FlexFactorAuth, Payer, Webhook

APP_KEY, APP_SECRET, TOKEN = "app-key-0c1f7e55", "app-secret-9d1c44ab", "access-token-77aa01ff"
CARD, EMAIL, NAME = "411111111111xyzw", "ada.lovelace@example.com", "Lovelace-Byron"
ADDRESS, SENSE, ADDED, NUMBER, FIELD = "203.0.113.77", "sense-5d1e", 'added "q\u00e4"', 90125, "field-8c3b"
OF_PAYER = (CARD, NAME, ADDRESS, SENSE, ADDED, FIELD)
SECRETS = (APP_KEY, APP_SECRET, TOKEN, EMAIL, *OF_PAYER)
ORDER = "5b0c7a5e-3d1f-4f0a-9a43-0f9d2f1c8e77"
ALL = f"{EMAIL} {CARD} {NAME} {ADDRESS} {SENSE} {ADDED} {FIELD}"
ECHO = json.dumps({"email": EMAIL, "errors": {"Payer.Email": [f"{ALL} is not known"], ADDED: [NUMBER]}}).encode()


def evaluate(client: Any, **changes: Any) -> Any:
    person = {"payer": Payer(email=EMAIL), "card": Card(token=CARD), "billing": Address(last_name=NAME)}
    more = {"customer_ip": ADDRESS, "sense_key": SENSE, "fields": {"shop": FIELD}}
    extra = {"extra_body": {"device": {"owner": NAME, "pins": [ADDED, NUMBER]}, "CustomerSince": ADDED}}
    return client.evaluate(**declined(**{**person, **more, **extra, **changes}))


CALLS: dict[str, Callable[[Any], Any]] = {
    "evaluate": evaluate,
    "refund": lambda client: client.orders.refund(ORDER, PRICE),
    "get": lambda client: client.orders.get(ORDER),
    "refused here": lambda client: evaluate(client, order_id="", card=Card(token=CARD, bin=CARD)),
    "refused here, the last": lambda client: evaluate(client, extra_body={"payer": {"email": EMAIL}}),
}
SENDS_A_PAYER = tuple(name for name in CALLS if name not in ("refund", "get"))


def respond(status: int, body: bytes = ECHO, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(status, content=body, headers=headers)


def fail(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def handle(_request: httpx.Request) -> httpx.Response:
        raise error

    return handle


HANDLERS = {
    "400": respond(400),
    "400 of another shape": respond(400, json.dumps({"Email": [ALL], EMAIL: [CARD.upper()]}).encode()),
    "400 of no shape": respond(400, f"no {ALL}".encode()),
    "400 with the request in it": lambda request: httpx.Response(
        400, json={"title": f"bad: {request.content.decode()}", "errors": json.loads(request.content or b"{}")}
    ),
    "409 with the request": lambda request: httpx.Response(409, content=request.content),
    "401": respond(401),
    "409": respond(409),
    "500": respond(500),
    "200 that says no": respond(200, json.dumps({"success": False, "result": f"not {'x' * 190}{ALL}"}).encode()),
    "200 with HTML": respond(200, f"<html>{ALL}".encode()),
    "400 of an array": respond(400, json.dumps([ALL]).encode()),
    "500 with HTML": respond(500, f"<html>{ALL}".encode()),
    "200 of another type": respond(200, json.dumps([EMAIL]).encode()),
    "a redirect": respond(302, Location=f"https://elsewhere.example/{EMAIL}"),
    "no connection": fail(httpx.ConnectError("no")),
    "no answer": fail(httpx.ReadTimeout("no")),
}


def places(error: BaseException | None) -> Iterator[tuple[str, str]]:
    while error is not None:
        yield "str", str(error)
        yield "repr", repr(error)
        if isinstance(error, VictorError):
            yield "problems", repr(error.problems)
            yield "pickle of the request", pickle.dumps(error.request).decode("latin-1")
        yield "traceback", "".join(traceback.format_exception(error))
        frames = error.__traceback__
        while frames is not None:
            code = frames.tb_frame.f_code
            if code.co_filename.startswith(OURS):
                for name, value in frames.tb_frame.f_locals.items():
                    yield f"{name} in {code.co_qualname}", repr(value)
            frames = frames.tb_next
        error = error.__cause__ or error.__context__


def check(error: BaseException, secrets: tuple[str, ...] = SECRETS) -> None:
    for place, text in places(error):
        assert [secret for secret in secrets if secret in text] == [], f"{place}: {text[:2000]}"


def transport(handler: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"accessToken": TOKEN, "expires": 4_102_444_800_000})
        return handler(request)

    return httpx.MockTransport(handle)


def observe(kind: str, sent_with: httpx.MockTransport, call: Callable[[Any], Any]) -> BaseException:
    auth, settings = FlexFactorAuth(APP_KEY, APP_SECRET), {"mid": MID, "transport": sent_with, "retry": QUICK}

    async def awaited() -> None:
        async with AsyncFlexFactor(auth, **settings) as client:
            await call(client)

    def blocking() -> None:
        with FlexFactor(auth, **settings) as client:
            call(client)

    with pytest.raises(VictorError) as raised:
        asyncio.run(awaited()) if kind == "awaited" else blocking()
    return raised.value


@pytest.mark.parametrize("kind", ["blocking", "awaited"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("handler", HANDLERS)
def test_a_call_that_fails(kind: str, call: str, handler: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # A name or a token that the call did not send is a word like any other.
    secrets = SECRETS if call in SENDS_A_PAYER else tuple(set(SECRETS) - set(OF_PAYER))
    check(observe(kind, transport(HANDLERS[handler]), CALLS[call]), secrets)
    assert [secret for secret in secrets if secret in caplog.text] == []


@pytest.mark.parametrize("status", [200, 400, 409, 500])
def test_a_message_repeats_nothing_of_what_was_added(status: int) -> None:
    said = {"success": False, "errors": {"device": [f"{ADDED} or {NUMBER}", NUMBER, {"item1": ADDED, "item3": NUMBER}]}}
    error = observe("blocking", transport(respond(status, json.dumps(said).encode())), CALLS["evaluate"])
    assert isinstance(error, VictorError)
    shown = f"{error}{error.problems!r}"
    assert "[hidden]" in shown
    assert [each for each in (ADDED, json.dumps(ADDED)[1:-1], str(NUMBER)) if each in shown] == []


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
def test_a_token_endpoint_that_echoes(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = {"success": False, "errors": [f"{APP_KEY} with {APP_SECRET} is wrong"], "accessToken": 7}
    echoing = httpx.MockTransport(respond(status, json.dumps(echo).encode()))
    check(observe("blocking", echoing, CALLS["get"]))
    assert [secret for secret in SECRETS if secret in caplog.text] == []


def test_nothing_is_shown_of_what_works(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = {"id": ORDER, "orderId": ORDER, "status": "APPROVED", "email": EMAIL, "isLastPage": True}
    auth = FlexFactorAuth(APP_KEY, APP_SECRET)
    sent_with = transport(lambda _request: httpx.Response(200, json={**answer, "items": [answer]}))
    events: list[Any] = []
    with FlexFactor(auth, mid=MID, transport=sent_with, on_event=events.append) as client:
        made = [evaluate(client), client.orders.get(ORDER), *client.orders.list()]
        parts = [Payer(email=EMAIL), Card(token=CARD), Address(last_name=NAME), auth]
        shown = "".join(map(repr, [client, vars(auth), *made, *parts, *events])) + caplog.text
    assert [secret for secret in SECRETS if secret in shown] == []
    assert made[1].raw.additional_properties["email"] == EMAIL  # it is there for whoever asks


@pytest.mark.parametrize(
    "set_up",
    [
        lambda: FlexFactorAuth(APP_KEY, f"{APP_SECRET}\n{APP_SECRET}"),
        lambda: FlexFactorAuth(APP_KEY, APP_SECRET.encode()),  # type: ignore[arg-type]
        lambda: FlexFactor(FlexFactorAuth(APP_KEY, APP_SECRET), mid=APP_SECRET),
        lambda: FlexFactor(FlexFactorAuth(APP_KEY, APP_SECRET), mid=MID, base_url=f"https://u:{APP_SECRET}@h.example"),
        lambda: Webhook(APP_SECRET, host="h.example"),
        lambda: Webhook("c2VjcmV0" * 4, APP_SECRET, host="h.example"),
    ],
)
def test_a_set_up_that_fails(set_up: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        set_up()
    check(raised.value)


def test_credentials_are_not_pickled() -> None:
    for secret in (FlexFactorAuth(APP_KEY, APP_SECRET), Webhook("c2VjcmV0" * 4, host="h.example")):
        with pytest.raises(TypeError, match="holds a secret"):
            pickle.dumps(secret)
