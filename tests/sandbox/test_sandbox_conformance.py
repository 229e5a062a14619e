"""The document is read as it is meant; and the sandbox conforms to it, by a tool that knows
neither: schemathesis.

Schemathesis makes calls that the document allows and calls that it forbids, and holds every
response against it. Left out is `positive_data_acceptance`: dates, due dates, Zulu times and the
rule about ultimate creditors are prose in the document, so a call may conform to the schemas and
still be refused.
"""

import os

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

from tests.sandbox.sandbox_callers import API_KEY, Caller, today
from victor_ext.sandbox import Sandbox, SandboxSettings
from victor_ext.sandbox.server.document import document_path

pytest_plugins = ("schemathesis.pytest.plugin",)
pytestmark = pytest.mark.pull_request
DOCUMENT = document_path("victor.yaml").read_text(encoding="utf-8")
schema = schemathesis.openapi.from_dict(yaml.safe_load(DOCUMENT))
CONFORMANCE = (content_type_conformance, response_schema_conformance, status_code_conformance)
bounded = settings(
    max_examples=120 if "VICTOR_SEARCH" in os.environ else 40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def running(victor_key_pair, **options):
    # 400 for a used key: the examples repeat the document's key, and it documents no 409.
    with Sandbox(SandboxSettings(demo_data=True, seed=1, key_conflict="400", **options)) as sandbox:
        sandbox.add_api_key(victor_key_pair[1], API_KEY)
        caller = Caller(sandbox.url, API_KEY, victor_key_pair[0])
        caller.http.close()
        # One token for all calls: how tokens are judged is tested elsewhere.
        yield sandbox, {"authorization": f"Token {caller.token()}"}


@fixture(scope="module")
def plain(victor_key_pair):
    yield from running(victor_key_pair)


@fixture(scope="module")
def quirky(victor_key_pair):
    yield from running(victor_key_pair, quirks=True)


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
        case.body["payment_details"]["due_date"] = today()
        if isinstance(case.headers, dict):
            case.headers.pop("Idempotency-Key", None)
    response = case.call(**options)
    statuses.add(response.status_code)
    case.validate_response(response, checks=[not_a_server_error, *CONFORMANCE])


@schema.parametrize()
@settings(bounded, max_examples=15)
def test_no_call_ends_in_a_server_error_while_quirks_are_on(case, quirky):
    sandbox, headers = quirky
    response = case.call(base_url=sandbox.url, headers=headers, timeout=10)
    case.validate_response(response, checks=[not_a_server_error])
