"""Only the provider refuses: what a gateway, a firewall or a proxy writes leaves a write unknown,
whatever its status, its media type and its body, and tells no read that something is absent.
"""

import gzip
import importlib
import json
from contextlib import closing
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.cases import cases_beside
from tests.providers.connected.till import FOLDER, URL, client_class, generated, send
from tests.providers.running import (
    GUID,
    MODES,
    ONCE,
    QUICK,
    REFERENCE,
    TOKEN,
    Exchange,
    Running,
    is_for_token,
)
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS
from victor_ext import (
    ApiClient,
    AsyncApiClient,
    AuthenticationError,
    BadRequest,
    Conflict,
    HeaderKey,
    NotFound,
    Outcome,
    PermissionDenied,
    RateLimited,
    StatusError,
    VictorError,
)

CASES = cases_beside(__file__, "pages_of_others")
UNKNOWN, REJECTED = Outcome.UNKNOWN, Outcome.REJECTED
MAY_REFUSE = (400, 403, 404, 405, 406, 410, 413, 422, 451)
OF_GATEWAYS = (418, 421, 424, 444, 449, 460, 463, 464, 499)
"""Statuses that refuse nothing by any standard: most are written where somebody has hung up."""
OF_THEIR_OWN = {
    401: (AuthenticationError, REJECTED),  # about the credentials, whoever looked at them
    409: (Conflict, UNKNOWN),
    423: (Conflict, UNKNOWN),
    429: (RateLimited, UNKNOWN),
}
"""The class and the outcome of a write after a page with such a status."""
CLASSES = {400: BadRequest, 403: PermissionDenied, 404: NotFound, 422: BadRequest}


# What is written


class Page(NamedTuple):
    """A response of somebody.

    Attributes:
        documented: The systems whose own errors have this shape.
    """

    media_type: str
    content: bytes
    documented: tuple[str, ...] = ()
    coding: str = ""

    def response(self, status):
        named = {"content-type": self.media_type, "content-encoding": self.coding}
        headers = {name: value for name, value in named.items() if value}
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(self.content))


JSON = "application/json"


def page(media_type, body, documented=()):
    content = body if isinstance(body, str) else json.dumps(body)
    return Page(media_type, content.encode(), tuple(documented))


USUAL = ("HTML of nginx", "nothing", "AWS API Gateway", "Spring")
PAGES = {name: page(*row) for name, row in CASES["pages"].items()}


def encoded(sent):
    """The same page in other bytes."""
    text = sent.content.decode()
    return {
        "compressed": sent._replace(content=gzip.compress(sent.content), coding="gzip"),
        "after a byte-order mark": sent._replace(content=text.encode("utf-8-sig")),
        "in UTF-16": sent._replace(content=text.encode("utf-16")),
    }


def spoilt(refusal):
    """What only seems to be a refusal of the provider, or is not whole."""
    sent = page(JSON, refusal)
    packed = gzip.compress(sent.content)
    return {
        "without a media type": sent._replace(media_type=""),
        "called HTML": sent._replace(media_type="text/html"),
        "called text": sent._replace(media_type="text/plain; charset=utf-8"),
        "cut": sent._replace(content=sent.content[:-1]),
        "a cut gzip": Page(JSON, packed[: len(packed) // 2], coding="gzip"),
        "called gzip": sent._replace(coding="gzip"),
        "in an array": page(JSON, [refusal]),
        "as a text": page(JSON, json.dumps(json.dumps(refusal))),
        "inside of another object": page(JSON, {"upstream": refusal}),
        "its names with nulls": page(JSON, dict.fromkeys(refusal)),
        "its names with blanks": page(JSON, dict.fromkeys(refusal, " ")),
    }


# Systems


@cache
def package_of(name):
    """The package of a document."""
    file = Path(FOLDER.name) / f"{name}.yaml"
    text = CASES["document"].replace("NAME", name).replace("ERROR", CASES["errors"][name])
    file.write_text(text)
    return generated(file)


def make_transfer(name, client, reference):
    models = importlib.import_module(f"{package_of(name)}.models")
    body = models.NewTransfer(amount=4423, reference=reference)
    return send(client, "transfers.make", package=package_of(name), body=body)


def read_transfer(name, client, id):
    return send(client, "transfers.read", id, package=package_of(name))


class System(NamedTuple):
    """A system, and a client of it that needs no sandbox."""

    kinds: tuple
    arguments: object
    read: Exchange
    writes: tuple
    refusal: dict


def connected(package):
    return lambda: {"client": client_class(package()), "base_url": URL, "key": HeaderKey()}


def system_of(name, kinds, arguments):
    adapter = ADAPTERS[name]
    writes = [each for each in (adapter.WRITE, *adapter.MORE) if each.writes]
    return System(kinds, arguments, adapter.READ, writes, adapter.REFUSAL)


def document(name, refusal):
    write = Exchange(word="make", call=partial(make_transfer, name), writes=True, keyed=True)
    read = Exchange(word="read", call=partial(read_transfer, name))
    arguments = connected(partial(package_of, name))
    return System((ApiClient, AsyncApiClient), arguments, read, [write], refusal)


SYSTEMS = {
    **{name: system_of(name, CLIENTS[name], lambda name=name: ARGUMENTS[name]) for name in CLIENTS},
    "tiny": system_of(
        "tiny",
        ADAPTERS["tiny"].Harness.kinds,
        lambda: {"token": "t", "base_url": "https://api.tiny.example"},
    ),
    "connected": system_of(
        "connected",
        (ApiClient, AsyncApiClient),
        connected(lambda: ""),
    ),
    "connected coded": document("coded", {"error": {"code": "Limit", "message": "no"}}),
    "connected anyform": document("anyform", {"error": {"code": "E1", "message": "no"}}),
    "connected nocontent": document("nocontent", {"status": False, "message": "no"}),
}
SUBJECTS = {"eastpay": (REFERENCE, "8ac7a49f"), "velo": (REFERENCE, GUID), "flexfactor": REFERENCE}
"""What the writes of a system are about, but for its first one."""
WITH_A_URL = {"create_webhook": ("https://a.example/", GUID)}
READ_BEFORE = {"fund": {"id": REFERENCE, "currency": "USD"}}
"""What a write reads before it is sent."""


def each_write():
    """Each write of each system, and what it is about. `make quick` runs the first of each."""
    for name, system in SYSTEMS.items():
        for number, exchange in enumerate(system.writes):
            usual = SUBJECTS.get(name, GUID) if number else REFERENCE
            subject = WITH_A_URL.get(exchange.word, usual)
            marks = [pytest.mark.slow] if number else []
            named = f"{name}-{exchange.word}-{number}"
            yield pytest.param(name, exchange, subject, id=named, marks=marks)


class Calls:
    """A client of a system over somebody who gives out tokens, and answers all else alike."""

    def __init__(self, name, mode, **options):
        system = SYSTEMS[name]
        transport = httpx.MockTransport(self._respond)
        options = {**system.arguments(), "retry": ONCE, "transport": transport, **options}
        make = partial(system.kinds[MODES.index(mode)], **options)
        self._running = Running(make, awaited=mode == "awaited")
        self._pages = []
        self.sent = []
        self.read_before = None

    def _respond(self, request):
        if is_for_token(request):
            return httpx.Response(200, json=TOKEN)
        if self.read_before is not None and request.method == "GET":
            return httpx.Response(200, json=self.read_before)
        self.sent.append(request.method)
        sent, status = self._pages
        return sent.response(status)

    def failure(self, call, sent, status):
        """What a call raises that is answered with a page; None: it is a success."""
        self._pages = sent, status
        try:
            self._running.result(partial(call, self._running.client))
        except VictorError as error:
            return error
        return None

    def close(self):
        self._running.close()


of_each_write = pytest.mark.parametrize(("name", "exchange", "subject"), [*each_write()])
of_each_system = pytest.mark.parametrize("name", SYSTEMS)
BY_SHAPE = ("connected anyform", "connected nocontent")
WITHOUT_CONTENT = (400, 404, 422)
"""The statuses for which one of these documents declares no content."""


def is_documented(name, sent, status):
    """Whether the errors of a system have the shape of a page, so that nobody can tell."""
    if name in sent.documented or ("by shape" in sent.documented and name in BY_SHAPE):
        return True
    is_empty = name == "connected nocontent" and not sent.content
    return is_empty and status in WITHOUT_CONTENT


# Writes


STATUSES = (
    *(200, 202, 302, 400, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422, 423, 425),
    *(429, 451, 460, 499, 500, 502, 503, 504, 520),
)
"""All but 401, which is about the credentials, whoever writes it."""


@pytest.mark.parametrize("name", [*CLIENTS, "connected coded"])
def test_a_create_is_unknown_whatever_a_gateway_writes_after_the_work(name, mode):
    untrue = []
    with closing(Calls(name, mode)) as calls:
        for (kind, sent), status in product(PAGES.items(), STATUSES):
            error = calls.failure(call_of(name), sent, status)
            if error is None or error.outcome is not UNKNOWN:
                untrue.append(f"{kind}, {status}: {error}")
            elif status in MAY_REFUSE:
                assert type(error) is StatusError, (kind, status)
                assert error.intermediary is not None, (kind, status)
                assert not error.problems
    assert untrue == []


@of_each_write
def test_nothing_that_the_provider_did_not_write_refuses_a_write(name, exchange, subject, mode):
    usual = {kind: PAGES[kind] for kind in USUAL}
    pages = {**usual, **spoilt(SYSTEMS[name].refusal), **encoded(PAGES["AWS API Gateway"])}
    with closing(Calls(name, mode)) as calls:
        calls.read_before = READ_BEFORE.get(exchange.word)
        for (kind, sent), status in product(pages.items(), (404, *OF_THEIR_OWN)):
            if is_documented(name, sent, status):
                continue
            error = calls.failure(lambda client: exchange.call(client, subject), sent, status)
            wanted = OF_THEIR_OWN.get(status, (StatusError, UNKNOWN))
            assert (type(error), error.outcome) == wanted, (kind, status)
            assert error.intermediary is not None, (kind, status)


@of_each_system
def test_a_refusal_of_the_provider_is_rejected_with_its_class_and_its_problems(name, mode):
    wanted = {
        **{status: (CLASSES.get(status, StatusError), REJECTED) for status in MAY_REFUSE},
        **dict.fromkeys(OF_GATEWAYS, (StatusError, UNKNOWN)),
        **OF_THEIR_OWN,
        429: (RateLimited, REJECTED),
    }
    sent = page(JSON, SYSTEMS[name].refusal)
    with closing(Calls(name, mode)) as calls:
        for status, (error_class, outcome) in wanted.items():
            error = calls.failure(call_of(name), sent, status)
            assert (type(error), error.outcome) == (error_class, outcome), status
            assert error.intermediary is None, status
            assert error.problems


@of_each_system
def test_a_refusal_of_the_provider_may_have_any_spelling_of_its_media_type_and_any_encoding(
    name, mode
):
    own = page(JSON, SYSTEMS[name].refusal)
    spelled = [
        own._replace(media_type="Application/JSON; charset=utf-8"),
        own._replace(media_type="application/problem+json"),
        *encoded(own).values(),
    ]
    with closing(Calls(name, mode)) as calls:
        for sent in spelled:
            error = calls.failure(call_of(name), sent, 403)
            assert (type(error), error.outcome) == (PermissionDenied, REJECTED), sent


def call_of(name):
    """The first write of a system."""
    exchange = SYSTEMS[name].writes[0]
    return lambda client: exchange.call(client, REFERENCE)


SHARED = [
    pytest.param(name, kind, id=f"{name}-{kind}")
    for name in SYSTEMS
    for kind, sent in PAGES.items()
    if is_documented(name, sent, 400)
]


@pytest.mark.parametrize(("name", "kind"), SHARED)
def test_a_page_in_the_shape_of_a_documented_error_is_told_as_a_refusal(name, kind, mode):
    """Nobody can tell: this is what is left of pages that are taken for refusals."""
    sent = PAGES[kind]
    with closing(Calls(name, mode)) as calls:
        for status in MAY_REFUSE if sent.content else WITHOUT_CONTENT:
            error = calls.failure(call_of(name), sent, status)
            wanted = CLASSES.get(status, StatusError), REJECTED
            assert (type(error), error.outcome, error.intermediary) == (*wanted, None), status


@of_each_system
def test_a_429_of_somebody_else_frees_no_write_without_a_key(name, mode):
    system = SYSTEMS[name]
    for sent, is_own in ((PAGES["HTML of nginx"], False), (page(JSON, system.refusal), True)):
        with closing(Calls(name, mode, retry=QUICK)) as calls:
            error = calls.failure(call_of(name), sent, 429)
        times = QUICK.max_attempts if is_own or system.writes[0].keyed else 1
        assert len([method for method in calls.sent if method != "GET"]) == times
        assert error.outcome is (REJECTED if is_own else UNKNOWN)


def test_a_403_of_somebody_else_is_not_about_the_token():
    """EastPay's own 403 is."""
    with closing(Calls("eastpay", "blocking")) as calls:
        errors = [
            calls.failure(call_of("eastpay"), sent, 403)
            for sent in (PAGES["HTML of nginx"], page(JSON, SYSTEMS["eastpay"].refusal))
        ]
    assert ["The token is fixed" in str(error) for error in errors] == [False, True]


# Reads


@of_each_system
def test_a_page_tells_no_read_that_something_is_absent(name, mode):
    system = SYSTEMS[name]
    subject = (REFERENCE, GUID) if name == "velo" else GUID

    def read(client):
        return system.read.call(client, subject)

    with closing(Calls(name, mode)) as calls:
        for status, kind in product((400, 403, 404, 410), USUAL):
            if not is_documented(name, PAGES[kind], status):
                assert type(calls.failure(read, PAGES[kind], status)) is StatusError
        for status, error_class in CLASSES.items():
            error = calls.failure(read, page(JSON, system.refusal), status)
            assert type(error) is error_class
