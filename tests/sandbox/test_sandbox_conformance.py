"""The sandbox against the document, by a tool that knows neither of us: schemathesis.

It makes calls that the document allows and calls that it forbids, and holds every answer against it. Not asked
is `positive_data_acceptance`: dates, due dates, Zulu times and the lone rule about ultimate creditors are prose in
the document, so a call may conform to the schemas and still be refused.
"""

from __future__ import annotations

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

from tests.sandbox.sandbox_callers import API_KEY, Caller, today
from victor_ext.sandbox import Sandbox, SandboxSettings
from victor_ext.sandbox.victor.document import document_path

schema = schemathesis.openapi.from_dict(yaml.safe_load(document_path().read_text(encoding="utf-8")))
CONFORMANCE = (content_type_conformance, response_schema_conformance, status_code_conformance)
bounded = settings(
    max_examples=120,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def running(key_pair, **options):
    # 400 for a used key: the examples repeat the document's key, and it documents no 409.
    with Sandbox(SandboxSettings(demo_data=True, seed=1, key_conflict="400", **options)) as sandbox:
        sandbox.add_api_key(key_pair[1], API_KEY)
        caller = Caller(sandbox.url, API_KEY, key_pair[0])
        caller.http.close()
        # One token for all calls: how tokens are judged is tested elsewhere.
        yield sandbox, {"authorization": f"Token {caller.token()}"}


@fixture(scope="module")
def plain(key_pair):
    yield from running(key_pair)


@fixture(scope="module")
def quirky(key_pair):
    yield from running(key_pair, quirks=True)


@schema.parametrize()
@bounded
def test_every_answer_conforms_to_the_document(case, plain):
    sandbox, headers = plain
    case.call_and_validate(
        base_url=sandbox.url, headers=headers, timeout=10, excluded_checks=[positive_data_acceptance]
    )


@fixture
def statuses():
    """What one operation answered over all its calls; some of it must have been success."""
    found = set()
    yield found
    assert 200 in found
    assert found <= {200, 400, 405}


@schema.parametrize()
@bounded
def test_calls_that_get_past_the_rules_conform_too(case, plain, statuses):
    """The same calls with what no schema can say: a due date of today, and the id of a request that waits."""
    sandbox, headers = plain
    if case.path_parameters and "victor_payment_request_id" in case.path_parameters:
        case.path_parameters["victor_payment_request_id"] = sandbox.create_inbound(amount_modification_allowed=True)
    if isinstance(case.body, dict) and isinstance(case.body.get("payment_details"), dict):
        case.body["payment_details"]["due_date"] = today()
        if isinstance(case.headers, dict):
            case.headers.pop("Idempotency-Key", None)
    response = case.call(base_url=sandbox.url, headers=headers, timeout=10)
    statuses.add(response.status_code)
    case.validate_response(response, checks=[not_a_server_error, *CONFORMANCE])


@schema.parametrize()
@settings(bounded, max_examples=15)
def test_with_quirks_nothing_falls_over(case, quirky):
    sandbox, headers = quirky
    response = case.call(base_url=sandbox.url, headers=headers, timeout=10)
    case.validate_response(response, checks=[not_a_server_error])
