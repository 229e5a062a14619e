"""A request finds its row by method and path template, whoever made it; and what is not in the
table.
"""

from types import SimpleNamespace
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from victor_api.types import Operation as Declared

from tests.providers.systems import of_every_system
from victor_ext._runtime.loop.evidence import READER
from victor_ext._runtime.loop.idempotency_keys import (
    MADE,
    NO_KEY,
    TAKEN,
    BodyKey,
    HeaderKey,
    NoKeys,
)
from victor_ext._runtime.loop.operations import Effect, Operation, Operations
from victor_ext.providers._connected.operations import DocumentOperations
from victor_ext.providers.eastpay._operations import OPERATIONS as EASTPAY
from victor_ext.providers.flexfactor._operations import OPERATIONS as FLEXFACTOR
from victor_ext.providers.velo._operations import ELSEWHERE as ELSEWHERE_OF_VELO
from victor_ext.providers.velo._operations import OPERATIONS as VELO
from victor_ext.providers.victor._operations import ELSEWHERE, OPERATIONS

TEMPLATES = (
    "GET /v4/payees",
    "POST /v4/payees /v3/payees",
    "GET /v4/payees/{}",
    "DELETE /v4/payees/{}",
    "GET /v4/payees/batch/{}",
    "GET /v4/payees/deltas",
    "GET /v4/payees/payors/{}/invitationStatus",
    "POST /v3/payouts/{}",
    "POST /v3/payouts/{}/quote",
    "POST /v1/payments/{}:cancel",
    "GET /v1/files/caf\u00e9/{}",
)
TABLES = of_every_system(
    __name__,
    {
        "victor": {**OPERATIONS, **ELSEWHERE},
        "velo": {**VELO, **ELSEWHERE_OF_VELO},
        "flexfactor": FLEXFACTOR,
        "eastpay": EASTPAY,
        "others": {name: Operation(effect=Effect.READS) for name in TEMPLATES},
    },
)
CASES = [
    (table, f"{method} {template}", row)
    for table, rows in TABLES.items()
    for name, row in rows.items()
    for method, *templates in [name.split(" /")]
    for template in (f"/{each}" for each in templates)
]
WORDS = {word for _, name, _ in CASES for word in name.split("/")}
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text not in {".", "..", *WORDS} and not text.endswith(":cancel")
)


def table(rows, base_url="https://pay.example", place=None):
    return Operations((), httpx.URL(base_url), place or HeaderKey(), elsewhere=rows)


def generated(method, path, **declared):
    """A request of a generated function, whose own URL is not looked at."""
    nothing = {"name": "some", "headers": (), "members": ()}
    facts = Declared(method=method, path=path, **{**nothing, **declared})
    reader = SimpleNamespace(declared=facts, document=(facts,), members={})
    return httpx.Request(method, "https://pay.example/anywhere", extensions={READER: reader})


@given(
    case=st.sampled_from(CASES),
    ids=st.lists(IDS, min_size=2, max_size=2),
    base=st.sampled_from(["", "/", "/api", "/api/v2/", "/a%2Fb/%C3%A9"]),
    end=st.sampled_from(["", "/", "?page=1", "/?page=/v4/payees/deltas"]),
)
def test_a_request_by_hand_finds_the_row_of_the_generated_one(case, ids, base, end):
    name, row = case[1:]
    method, _, template = name.partition(" ")
    operations = table(TABLES[case[0]], f"https://pay.example{base}")
    assert operations.of(generated(method, template.replace("{}", "{its_id}"))) is row
    path = quote(template, safe="/{}:")
    for id_ in ids:
        path = path.replace("{}", quote(id_, safe=""), 1)
    # loading certificates takes longer than the test
    client = httpx.Client(base_url=f"https://pay.example{base}", verify=False)
    assert operations.of(client.build_request(method, path + end)) is row


@pytest.mark.parametrize(
    "path",
    [
        "/api/v4",
        "/v4/payees",
        "/apiv4/payees",
        "/api//v4/payees",
        "/api/v4//payees",
        "/api/v4/payees//",
        "/api/v9/payees",
        "/api/v4/payees%2Fdeltas",
        "/api/v4/payees/a/b",
        "/api/v4/payees/batch/",
    ],
)
def test_a_path_that_differs_from_the_template_has_no_row(path):
    operations = table(
        {"GET /v4/payees": READS, "GET /v4/payees/batch/{}": READS}, "https://pay.example/api"
    )
    row = operations.of(httpx.Request("GET", f"https://pay.example{path}"))
    assert (row is READS, row.effect) == (False, Effect.READS)


READS = Operation(effect=Effect.READS)


def test_a_path_that_fits_two_templates_equally_well_has_no_row():
    operations = table({"POST /a/{}/c": READS, "POST /a/b/{}": READS})
    assert (
        operations.of(httpx.Request("POST", "https://pay.example/a/b/c")).effect
        is Effect.MOVES_MONEY
    )


@pytest.mark.parametrize(
    ("place", "declared", "key"),
    [
        (HeaderKey(), {"headers": ("idempotency-KEY",)}, MADE),
        (HeaderKey(), {"members": ("Idempotency-Key",)}, NO_KEY),
        (BodyKey("key"), {"members": ("key",)}, TAKEN),
        (BodyKey("key"), {"headers": ("key",)}, NO_KEY),
    ],
)
def test_an_operation_without_a_row_takes_the_key_that_the_document_declares(place, declared, key):
    assert table({}, place=place).of(generated("POST", "/new", **declared)).key == key
    assert table({}, place=place).of(httpx.Request("POST", "https://pay.example/new")).key is NO_KEY


@pytest.mark.parametrize("status", [204, 200, 202])
def test_an_empty_body_of_an_unknown_write_is_a_success_only_under_204(status):
    response = httpx.Response(
        status, request=httpx.Request("POST", "https://pay.example/v2/users/u/unlock")
    )
    assert (table({}).of(response.request).evidence(response, lambda _: ()) is None) is (
        status == 204
    )


OBJECTS = [
    ("list_payments", "GET", "/payments"),
    ("pay", "POST", "/payments"),
    ("get_payment", "GET", "/payments/{id}"),
    ("cancel", "POST", "/payments/{payment_id}/cancel"),
    ("note", "POST", "/notes/{id}/text"),
]


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        (
            "POST",
            "/payments/p%2F1/cancel",
            "with get_payment, if that shows it, or at the provider",
        ),
        ("POST", "/payments", "at the provider"),
        ("POST", "/notes/1/text", "at the provider"),
        ("POST", "/new", "at the provider"),
    ],
)
def test_the_hint_after_an_action_on_an_object_names_the_read_of_that_object(method, path, hint):
    document = [
        Declared(name=name, method=m, path=at, headers=(), members=()) for name, m, at in OBJECTS
    ]
    operations = DocumentOperations(document, httpx.URL("https://pay.example/api"), NoKeys())
    request = httpx.Request(method, f"https://pay.example/api{path}")
    assert operations.of(request).hint(request) == hint
