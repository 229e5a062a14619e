"""What an inbox takes for an event of its own, what it calls one, and whose word ends one."""

import importlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.outbox.test_outbox_events import let_time_pass
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext import BadRequest, ConfigurationError, NotFound, Outcome, connect
from victor_ext.inbox import AsyncInbox, EventState, Inbox
from victor_ext.providers import eastpay, velo
from victor_spec.generate import generate


@pytest.fixture(scope="module")
def notes_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("shared_notes")
    assert generate(Path(__file__).with_name("shared_notes.yaml"), folder).left_out == []
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("shared_notes_api")


def inbox_of(webhook: Any, client: Any = None) -> Inbox:
    inbox = Inbox(sa.create_engine("sqlite://"), webhook, client=client)
    inbox.create_table()
    return inbox


def document_inbox(notes_api: Any, **given: Any) -> Inbox:
    with connect(notes_api.Client, base_url="https://pay.example") as client:
        return inbox_of(client.webhook(verify=None, **given))


def posted(inbox: Inbox, members: Any, headers: Any = None, **given: Any) -> Any:
    with Session(inbox._engine) as session, session.begin():
        return inbox.receive(session, json.dumps(members).encode(), headers or {}, **given)


PAGE = httpx.Response(404, html="<h1>404 Not Found</h1><hr>nginx")
PROXYS_JSON = httpx.Response(404, json={"message": "no Route matched"})
OWN = httpx.Response(404, json={"result": {"code": "700.400.580"}})
NOTE = {"event_id": "e-1", "payout_id": "p-1"}


class Unknowing:
    def __init__(self, error: type[NotFound | BadRequest], response: httpx.Response | None) -> None:
        self.payments, self._error, self._response = self, error, response

    def inquire(self, payment_id: str) -> Any:
        raise self._error(payment_id, outcome=Outcome.UNKNOWN, response=self._response)


@pytest.mark.parametrize("error", [NotFound, BadRequest])
@pytest.mark.parametrize(
    ("system", "response", "state"),
    [
        ("eastpay", PAGE, EventState.WAITING),
        ("eastpay", PROXYS_JSON, EventState.WAITING),
        ("eastpay", None, EventState.WAITING),
        ("eastpay", OWN, EventState.NOT_FOUND),
        ("connect", PAGE, EventState.WAITING),
        ("connect", None, EventState.WAITING),
        ("connect", PROXYS_JSON, EventState.NOT_FOUND),
    ],
)
def test_only_the_systems_own_response_says_that_an_id_is_unknown(
    notes_api: Any,
    caplog: pytest.LogCaptureFixture,
    error: type[NotFound | BadRequest],
    system: str,
    response: httpx.Response | None,
    state: EventState,
) -> None:
    caplog.set_level(logging.WARNING, "victor_ext.inbox")
    gateway = Unknowing(error, response)
    if system == "eastpay":
        inbox = inbox_of(eastpay.Webhook(), gateway)
        bodies = [{"id": f"8ac7a4a{number}"} for number in range(3)]
    else:
        inbox = document_inbox(notes_api, read=lambda client, _model: client.inquire("p-1"))
        inbox.client = gateway
        bodies = [{"type": "ping", "event_id": f"e-{number}"} for number in range(3)]
    inbox.on()(lambda _session, _event: None)
    for body in bodies:
        posted(inbox, body)
    for _ in range(3):
        assert inbox.handle() == []
        let_time_pass(inbox, inbox._engine)
    assert inbox.event_counts()[state] == len(bodies)
    warned = [each for each in caplog.records if "Events became not_found" in each.getMessage()]
    assert len(warned) == (state is EventState.NOT_FOUND), "one, however many ids are forged"


def test_a_kind_that_is_new_and_has_no_id_is_an_event_of_its_own(notes_api: Any) -> None:
    inbox = document_inbox(notes_api)
    inbox.on("refunded")(lambda _session, _event: None)
    for _ in range(2):
        assert posted(inbox, {"type": "refunded", "amount": 5}) is not None
    assert len(inbox.handle()) == 2
    with_id = {"type": "refunded", "id": "r-1"}
    assert [posted(inbox, with_id) is None for _ in range(2)] == [False, True]


def test_webhooks_of_one_body_that_says_of_neither_which_it_is_need_a_name(notes_api: Any) -> None:
    inbox = document_inbox(notes_api)
    webhook: Any = inbox._webhook
    assert webhook.needs_name == ("payoutPaid", "payoutFailed")
    with pytest.raises(ConfigurationError, match="payoutPaid, payoutFailed"):
        posted(inbox, NOTE)
    told: list[str] = []
    for name in ("payoutPaid", "PAYOUTFAILED"):
        inbox.on(name)(lambda _session, event: told.append(event.name))
    for name in ("payoutPaid", "payoutFailed"):
        for is_repeat in (False, True):
            event = posted(inbox, NOTE, name=name)
            assert (event is None) is is_repeat, "one id, and two webhooks"
            assert event is None or event.name == name
    assert [event.name for event in inbox.handle()] == ["payoutPaid", "payoutFailed"]
    assert told == ["payoutPaid", "payoutFailed"]


def test_webhooks_that_all_have_one_body_need_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = yaml.safe_load(Path(__file__).with_name("shared_notes.yaml").read_text("utf-8"))
    whole["info"]["title"] = "Two notes"
    del whole["webhooks"]["ping"]
    document = tmp_path / "two_notes.json"
    document.write_text(json.dumps(whole), encoding="utf-8")
    assert generate(document, tmp_path).left_out == []
    monkeypatch.syspath_prepend(tmp_path)
    inbox = document_inbox(importlib.import_module("two_notes_api"))
    webhook: Any = inbox._webhook
    assert webhook.needs_name == ("payoutPaid", "payoutFailed")
    with pytest.raises(ConfigurationError, match="payoutPaid, payoutFailed"):
        posted(inbox, NOTE)
    said = posted(inbox, {**NOTE, "type": "payoutPaid"})
    assert said.name == "payoutPaid"


def test_the_awaited_inbox_keeps_the_spelling_of_a_name(tmp_path: Path, notes_api: Any) -> None:
    async def work(webhook: Any) -> list[str]:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}")
        inbox = AsyncInbox(engine, webhook)
        await inbox.create_table()
        inbox.on("payoutpaid")(lambda _session, _event: None)
        async with AsyncSession(engine) as session, session.begin():
            body = json.dumps(NOTE).encode()
            await inbox.receive(session, body, {}, name="payoutPaid")
            with pytest.raises(ConfigurationError, match="write source="):
                await inbox.receive(session, body, {}, name="payoutPaid", source=" ")
        names = [event.name for event in await inbox.handle()]
        await engine.dispose()
        return names

    with connect(notes_api.Client, base_url="https://pay.example") as client:
        assert anyio.run(work, client.webhook(verify=None)) == ["payoutPaid"]


@pytest.mark.parametrize("name", ["payoutPayd", "payout_paid", "pign", "", " ", "status:paid"])
def test_a_name_like_one_of_the_document_is_refused(notes_api: Any, name: str) -> None:
    inbox = document_inbox(notes_api)
    with pytest.raises(ConfigurationError, match=r"did you mean|names no event|is for an outbox"):
        inbox.on(name)
    inbox.on("brand.new")(lambda _session, _event: None)


def test_a_caller_who_names_the_events_may_give_any_name(notes_api: Any) -> None:
    document_inbox(notes_api, name=lambda _model: "payout_paid").on("payout_paid")


@pytest.mark.parametrize("source", [None, " ", 7])
def test_a_source_that_names_nobody_is_refused(source: Any) -> None:
    inbox = inbox_of(velo.Webhook(HEADER))
    with (
        Session(inbox._engine) as session,
        pytest.raises(ConfigurationError, match="names nobody: write source="),
    ):
        inbox.receive(session, body_of(), {"Authorization": HEADER}, source=source)


def test_a_handler_of_no_source_leaves_those_of_others() -> None:
    inbox = inbox_of(velo.Webhook(HEADER))
    inbox.on(source="")(lambda _session, _event: None)
    with Session(inbox._engine) as session, session.begin():
        inbox.receive(session, body_of(), {"Authorization": HEADER}, source="payor-1")
    assert inbox.handle() == []
    assert inbox.event_counts()[EventState.WAITING] == 1
