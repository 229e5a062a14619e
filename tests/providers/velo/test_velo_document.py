"""The limits and the filters of the document, and those of the methods, are the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.providers.velo.harness import pay
from tests.providers.velo.test_velo_checks import client, refused
from victor_ext import InvalidRequest
from victor_ext.providers.velo import Address, Company, NewPayee, Velo, VeloAuth

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).resolve().parents[3] / "openapi" / "velo.yaml").read_text(encoding="utf-8")
)
AMOUNTS = {
    "source_amount_from": 1, "source_amount_to": 2**31 - 1, "payment_amount_from": 0, "payment_amount_to": 9,
}  # fmt: skip
DAYS = {"submitted_from": "2026-03-04", "submitted_to": "2026-03-05"}
MORE = {"sensitive": True, "sort": "status:asc", "page_size": 7}
AUDITED = {
    "remote_id": "r",
    "status": "FUNDED",
    "transmission_type": "ACH",
    "rails_id": "x",
    "remote_system_id": "OB012",
}
LISTS: dict[str, Any] = {
    "/v4/paymentaudit/payments": lambda velo: velo.payments.list(
        "p-1", payee_id="p-2", source_account_name="a", source_currency="USD", payment_currency="EUR",
        payment_memo="m", payor_name="n", schedule_status="ANY", post_instruct_fx_status="COMPLETED",
        scheduled_from="2026-03-04", scheduled_to="2026-03-05", **AUDITED, **AMOUNTS, **DAYS, **MORE,
    ),
    "/v4/paymentaudit/payouts/{payoutId}": lambda velo: velo.payouts.audited_payments(
        "p-1", **AUDITED, **AMOUNTS, **DAYS, **MORE
    ),
    "/v3/sourceAccounts": lambda velo: velo.source_accounts.list(
        payor_id="p-1", physical_account_id="i", physical_account_name="n", funding_account_id="f", account_type="FBO",
        include_user_deleted=True, sort="name:asc", page_size=7,
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_each_filter_of_the_document_is_an_argument(path: str) -> None:
    sent: list[httpx.Request] = []

    def provider(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/authenticate":
            return httpx.Response(200, json={"access_token": "t", "token_type": "bearer", "expires_in": 1799})
        sent.append(request)
        return httpx.Response(200, json={"page": {"totalPages": 0, "totalElements": 0}, "content": []})

    with Velo(VeloAuth("k", "s"), transport=httpx.MockTransport(provider)) as velo:
        assert list(LISTS[path](velo)) == []
    declared = [
        part if "$ref" not in part else DOCUMENT["components"]["parameters"][part["$ref"].rpartition("/")[2]]
        for part in DOCUMENT["paths"][path]["get"]["parameters"]
    ]
    assert {*sent[0].url.params} == {part["name"] for part in declared if part["in"] == "query"}
    values = {**sent[0].url.params}
    assert values.get("sourceAmountTo", "2147483647") == "2147483647"
    assert values.get("includeUserDeleted", "true") == "true"


@pytest.mark.parametrize("amount", [-1, 2**31, True, "1", 1.0])
def test_what_is_no_amount_to_filter_by(amount: Any) -> None:
    for call in (lambda velo: velo.payments.list("p", source_amount_from=amount),
                 lambda velo: velo.payouts.audited_payments("p", source_amount_from=amount)):  # fmt: skip
        assert refused(call) == {"source_amount_from": "range"}


@pytest.mark.parametrize("system", ["", "x" * 101, 5])
def test_what_is_no_remote_system(system: Any) -> None:
    (problem,) = refused(lambda velo: velo.payouts.submit([pay(remote_system_id=system)]))
    assert problem == "payments[0].remote_system_id"


USUAL = {"line1": "1 Main Street", "city": "Springfield", "country": "US"}


def new_payee(velo: Velo, address: Address) -> None:
    velo.payees.create("p-1", [NewPayee(remote_id="r", email="a@b.c", address=address, company=Company(name="ABC"))])


def update(velo: Velo, address: Address) -> None:
    velo.payees.update("p-1", address=address)


@pytest.mark.parametrize(("schema", "call"), [("NewAddress", new_payee), ("PostalAddress", update)])
def test_an_address_has_the_limits_of_the_document(schema: str, call: Any) -> None:
    for name, limits in DOCUMENT["components"]["schemas"][schema]["properties"].items():
        field = re.sub("([A-Z])", r"_\1", name).lower()
        if "pattern" in limits:
            assert is_refused(call, field, "us") and is_refused(call, field, "USA")
            continue
        least, most = limits.get("minLength", 0), limits["maxLength"]
        assert not is_refused(call, field, "x" * most) and not is_refused(call, field, "x" * least), field
        assert is_refused(call, field, "x" * (most + 1)), field
        assert least == 0 or is_refused(call, field, "x" * (least - 1)), field


def is_refused(call: Any, field: str, value: str) -> bool:
    with client() as velo:
        try:
            call(velo, Address(**{**USUAL, field: value}))
        except InvalidRequest as error:
            return {problem.field.rpartition(".")[2] for problem in error.problems} == {field}
        except AssertionError:  # it was sent
            return False
    raise AssertionError(field)
