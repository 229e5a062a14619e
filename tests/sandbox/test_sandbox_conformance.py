"""The document is read as it is meant; and the sandbox conforms to it, by a tool that knows
neither: schemathesis.

Schemathesis makes calls that the document allows and calls that it forbids, and holds every
response against it. What its schemas allow and its prose forbids is refused: of a document that has
the prose in its schemas, every call that is allowed is accepted.
"""

import os
from copy import deepcopy

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from pytest import fixture  # noqa: PT013 (schemathesis wants its decorator nearest to the test)
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.payments import today
from tests.sandbox.sandbox_callers import API_KEY, Caller
from victor_ext.sandbox import Sandbox, SandboxSettings
from victor_ext.sandbox.server._document import document_path

pytest_plugins = ("schemathesis.pytest.plugin",)
pytestmark = pytest.mark.pull_request
DOCUMENT = yaml.safe_load(document_path("victor.yaml").read_text(encoding="utf-8"))
schema = schemathesis.openapi.from_dict(DOCUMENT)
CONFORMANCE = (content_type_conformance, response_schema_conformance, status_code_conformance)
AMOUNT = r"^[1-9][0-9]{0,6}(\.[0-9]{1,2})?$"
bounded = settings(
    max_examples=120 if "VICTOR_SEARCH" in os.environ else 40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def with_prose():
    """The document, with its prose in its schemas as far as they can have it: the forms of times
    and dates, the due date; patterns that are of the whole text; objects that are objects.
    """
    document = deepcopy(DOCUMENT)
    for made in document["components"]["schemas"].values():
        made.setdefault("type", "object")
        for name, member in made.get("properties", {}).items():
            member.pop("example", None)
            if "pattern" in member:
                member["pattern"] = (
                    AMOUNT if "amount" in name else f"^{member['pattern'].strip('^$')}$"
                )
            if name.endswith("_datetime"):
                member["enum"] = ["1997-07-16T19:20:30.45Z"]
            elif name.endswith("_date"):
                member["enum"] = [str(today())]
    return schemathesis.openapi.from_dict(document)


prose = with_prose()


def running(**options):
    # No key is kept: the examples repeat the document's key, and it documents no 409.
    options = {"demo_data": True, "seed": 1, "key_life": 0, **options}
    with Sandbox(SandboxSettings(**options)) as sandbox:
        caller = Caller(sandbox.url, *sandbox.new_api_key(API_KEY))
        caller.http.close()
        # One token for all calls: how tokens are judged is tested elsewhere.
        yield sandbox, {"authorization": f"Token {caller.token()}"}


@fixture(scope="module")
def plain():
    yield from running()


@fixture(scope="module")
def open_minded():
    """A sandbox for which a key that was used is no reason to refuse."""
    yield from running()


@fixture
def statuses():
    """What one operation answered over all its calls; some of it must have been success."""
    found = set()
    yield found
    assert 200 in found
    assert found <= {200, 400, 405}


@schema.parametrize()
@bounded
def test_every_answer_conforms_to_the_document(case, plain, statuses):
    """Each call as it was made, and once more with what no schema can say: a due date of today, an
    id that waits.
    """
    sandbox, headers = plain
    options = {"base_url": sandbox.url, "headers": headers, "timeout": 10}
    case.call_and_validate(**options, excluded_checks=[positive_data_acceptance])
    if case.path_parameters and "victor_payment_request_id" in case.path_parameters:
        case.path_parameters["victor_payment_request_id"] = sandbox.create_inbound(
            amount_modification_allowed=True
        )
    if isinstance(case.body, dict) and isinstance(case.body.get("payment_details"), dict):
        case.body["payment_details"]["due_date"] = str(today())
        if isinstance(case.headers, dict):
            case.headers.pop("Idempotency-Key", None)
    response = case.call(**options)
    statuses.add(response.status_code)
    case.validate_response(response, checks=[not_a_server_error, *CONFORMANCE])


@prose.parametrize()
@bounded
def test_every_call_that_the_document_allows_with_its_prose_is_accepted(case, open_minded):
    """What two members together forbid is taken out here: an ultimate creditor of a consumer, the
    amount of a request that is declined.
    """
    sandbox, headers = open_minded
    if not case.meta.generation.mode.is_positive:
        return
    if case.path_parameters:
        case.path_parameters["victor_payment_request_id"] = sandbox.create_inbound(
            amount_modification_allowed=True
        )
    if isinstance(case.body, dict):
        if case.body.get("status") == "Declined":
            case.body.pop("modified_amount", None)
        if case.body.get("payment_details", {}).get("biller_type") == "CONSUMER":
            case.body["payee"].pop("ultimate_creditor", None)
    response = case.call(base_url=sandbox.url, headers=headers, timeout=10)
    assert response.status_code == 200, (response.text, case)
