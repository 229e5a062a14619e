"""What a body means: a conflict, a rejection with a good status, a result with an error status, a
key that was used.
"""

import json
import pickle

import httpx
import pytest
from msgspec.structs import replace

from tests.cases import cases_beside
from tests.runtime.fakes import BEHAVIOUR, BOTH, KEY, Happens, Harness, OneRow
from victor_ext import (
    BadRequest,
    Outcome,
    Problem,
    errors,
)
from victor_ext._runtime.core.json_values import object_of
from victor_ext._runtime.loop.conflicts import Use, earlier_use
from victor_ext._runtime.loop.evidence import Members
from victor_ext._runtime.loop.idempotency_keys import BodyKey, HeaderKey, NoKeys
from victor_ext.errors import UnreadableResponse

NO = Happens(body=b'{"success": false, "message": "too much", "trace": "t-7"}')


def refused(answer):
    return "success is false" if answer.json().get("success") is False else None


def problems(answer):
    message = object_of(answer).get("message")
    return (Problem("", "", message),) if message else ()


SAYS_NO = replace(
    BEHAVIOUR,
    operations=OneRow(refuses=refused),
    problems=problems,
    request_id_in_body=lambda answer: object_of(answer).get("trace"),
)


@pytest.mark.parametrize("key", [KEY, None])
def test_a_200_whose_body_reports_a_rejection_is_a_refusal(key):
    words = (
        r"its body reports a rejection \(success is false\): too much\. The provider did not "
        r"execute it"
    )
    error = Harness([NO], behaviour=SAYS_NO).fails(BadRequest, "POST", key, match=words)
    assert (error.outcome, error.status_code, error.attempts) == (Outcome.REJECTED, 200, 1)
    assert [problem.message for problem in error.problems] == ["too much"]


@pytest.mark.parametrize(
    ("more", "outcome"), [({}, Outcome.ACCEPTED), ({"message": "too much"}, Outcome.UNKNOWN)]
)
def test_a_result_beside_a_problem_in_the_body_is_no_evidence_of_the_work(more, outcome):
    row = OneRow(evidence=Members(("receipt",), "its body has no receipt"))
    answer = Happens(body=json.dumps({"id": "p1", **more}).encode())
    harness = Harness([answer], behaviour=replace(SAYS_NO, operations=row))
    assert harness.fails(UnreadableResponse, "POST").outcome is outcome


def test_a_rejection_in_a_body_that_was_not_read_whole_is_no_refusal():
    cut = Happens(body=NO.body, headers={"Content-Encoding": "gzip"})
    raised = Harness([cut], behaviour=SAYS_NO).fails(UnreadableResponse, "POST")
    assert raised.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        (["id"], errors.NotFound),
        (["notes"], errors.BadRequest),
        (["id", "notes"], errors.BadRequest),
    ],
)
def test_a_400_about_the_id_alone_is_told_as_not_found(fields, error):
    behaviour = replace(
        BEHAVIOUR,
        operations=OneRow(unknown_id={"id"}),
        problems=lambda _answer: [Problem(field, "", "") for field in fields],
    )
    Harness([Happens(400)], behaviour=behaviour).fails(error)


USED = "0d8bb6ec-7a83-46ab-8fc5-1f27c0d37e9b"
PHRASES = cases_beside(__file__, "words_about_keys")
BESIDE = ({}, {"error": "Invalid request", "title": "Bad Request"}, {"code": "INVALID"})
"""What stands in a body beside a phrase, and says nothing of the key."""


@pytest.mark.parametrize(
    ("said", "names_key"),
    [
        ("", False),
        ("{}", False),
        ("<html>409 Conflict</html>", False),
        ('{"code": "CONFLICT", "status": 409}', False),
        ('{"code": "typeMismatch", "field": "startDatetime"}', False),
        ('{"__type": "ConflictException", "message": "The account is closed."}', False),
        ("A conflict with the current state of the target resource", False),
        ("Payee verification pending", False),
        ("The cutoff time has already passed", False),
        ("A payment with these details already exists", False),
        ("Duplicate request", False),
        ('{"isDuplicate": true}', False),
        ("Idempotency conflict", True),
        ("The idempotency key was used with another payload.", True),
    ],
)
def test_a_conflict_names_the_key_only_by_words_about_it(said, names_key):
    harness = Harness([Happens(409, said.encode(), {"retry-after": "900"})])
    raised = harness.fails(errors.Conflict, "POST", USED)
    assert raised.names_key is names_key
    assert pickle.loads(pickle.dumps(raised)).names_key is names_key


def refusal(status, said, place, **headers):
    name = getattr(place, "name", "")
    body, header = (
        ({name: USED}, {}) if isinstance(place, BodyKey) else (None, {name: USED} if name else {})
    )
    request = httpx.Request("POST", "https://pay.example/payments", json=body, headers=header)
    return httpx.Response(
        status, request=request, headers=headers, text=said.replace("<key>", USED.upper())
    )


def texts_with(said):
    """A phrase alone, and as JSON with other members, before it and behind it."""
    yield said
    body = json.loads(said) if said.startswith("{") else {"message": said}
    for beside in BESIDE:
        yield json.dumps({**beside, **body})
        yield json.dumps({**body, **beside, **body})


@pytest.mark.parametrize(("who", "status", "where", "use", "said"), PHRASES)
def test_a_refusal_of_a_used_key_is_told_from_any_other(who, status, where, use, said):
    name = where.removeprefix("body:")
    place = NoKeys() if where == "-" else BodyKey(name) if name != where else HeaderKey(name)
    status, *alone = str(status).split()
    expected = None if use == "-" else Use[use.upper().replace(" ", "_")]
    read = earlier_use(refusal(int(status), said, place), place)
    assert (read and read.use) is expected
    later = earlier_use(refusal(int(status), said, place, **{"retry-after": "1"}), place)
    assert (later and later.use) is (expected and Use.IN_PROGRESS)
    others = () if alone or expected is None else (400, 409, 422)
    for text in texts_with(said):
        for code in (int(status), *others):
            read = earlier_use(refusal(code, text, place), place)
            assert (read is None) is (expected is None), (code, text)


@pytest.mark.parametrize("mode", BOTH)
def test_words_of_an_earlier_use_refuse_no_write_and_are_nothing_to_a_read(mode):
    harness = Harness([Happens(400, b'{"detail": "Duplicate request"}')], mode=mode)
    harness.fails(errors.Conflict, "POST", USED, ends=(Outcome.UNKNOWN, 1))
    harness.fails(BadRequest, "GET", ends=(Outcome.REJECTED, 1))
