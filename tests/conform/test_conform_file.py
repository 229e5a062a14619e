"""What stands in the file, and what a failure says: nothing that others wrote or owe."""

import json
from types import SimpleNamespace

import httpx
import pytest

from tests.conform.conftest import made, run_over
from victor_ext import AuthenticationError, ConnectionFailed
from victor_ext.conform import Report, creates, measuring, reads
from victor_ext.conform.exchanges import Unmeasured

OWED = {"amount": "888.84", "due_date": "2031-07-09"}


def request_of(id: str, at: float = 1_700_000_123.456) -> dict:
    payment = {"created_at": at, "payment_details": OWED}
    return {"victor_payment_request_id": id, "status": "created", "payment_request": payment}


def test_of_requests_of_others_neither_amount_nor_time_is_in_the_file():
    others = [request_of("THEIRS"), request_of("THEIRS2", 1_700_000_999.5)]

    def answer(request):
        if request.url.path.endswith("requests"):
            return httpx.Response(200, json={"results": others})
        return httpx.Response(200, json=request_of("THEIRS"))

    run = run_over(answer)
    for probe in (reads._window, reads._order, reads._get_status, reads._forms):
        run.measure(probe)
    text = json.dumps(run.document["calls"])
    for secret in ("888.84", "2031-07-09", "1700000", "2023-11-14"):
        assert secret not in text
    assert "created" in text, "words of the document are shown"
    assert '"a time of ' in text


def test_requests_of_the_run_are_in_the_file_as_they_are():
    def answer(request):
        return httpx.Response(200, json={"results": [request_of("OURS"), request_of("THEIRS")]})

    run = run_over(lambda request: made("OURS") if request.method == "POST" else answer(request))
    run.made("one")
    run.page()
    ours, theirs = run.document["calls"][-1]["response"]["body"]["results"]
    assert ours == request_of("OURS")
    assert theirs["payment_request"]["payment_details"]["amount"] == "a text of 6 characters"
    sent = run.document["calls"][0]["request"]["body"]
    assert sent["payment_details"]["amount"] == "0.01"


def test_a_repeat_that_made_nothing_more_does_not_count_as_made():
    run = run_over(lambda _: made("OURS"))
    run.made("one")
    run.create("one repeated", like="one")
    run.measure(creates._two_at_once)
    states = [call["state"] for call in run.writes.values()]
    assert states == ["made", "repeated", "repeated", "repeated"]


def test_a_response_is_answered_and_not_made():
    run = run_over(lambda _: made("CHILD"))
    run.respond("accept", "CHILD", status="Accepted")
    assert [call["state"] for call in run.writes.values()] == ["answered"]


def test_a_token_that_was_not_issued_ends_one_call_and_not_the_run():
    outcomes = [ConnectionFailed("The token endpoint dropped the connection.")]

    def authorization() -> str:
        if outcomes:
            raise outcomes.pop()
        return "Token t"

    run = run_over(
        lambda _: httpx.Response(200, json={"results": []}), client={"authorization": authorization}
    )
    assert run.page().is_good
    outcomes.append(ConnectionFailed("Dropped again."))
    with pytest.raises(Unmeasured) as raised:
        run.create("one")
    assert raised.value.is_unsent
    assert run.writes == {}, "it has not left this machine"


def refusal(status: int, body: object) -> AuthenticationError:
    request = httpx.Request("POST", "https://provider.example/v2/auth/token")
    response = httpx.Response(status, json=body, request=request)
    return AuthenticationError(
        "refused: Jane Roe may not", request=request, response=response, hint="Check the key."
    )


@pytest.mark.parametrize("failures", [1, 3])
def test_the_first_read_is_tried_again_as_others_are(failures):
    left = [ConnectionFailed("Dropped.")] * failures
    waited: list[float] = []

    def ping() -> None:
        if left:
            raise left.pop()

    assert measuring._first_read(SimpleNamespace(ping=ping), waited.append) is None
    assert waited == [1, 2, 4][:failures]


def test_the_first_read_is_not_tried_for_ever():
    def ping() -> None:
        raise ConnectionFailed("Dropped.")

    with pytest.raises(ConnectionFailed):
        measuring._first_read(SimpleNamespace(ping=ping), lambda _: None)


def test_a_failure_of_the_first_read_quotes_nobody():
    def ping() -> None:
        raise refusal(401, {"error": "Jane Roe may not"})

    with pytest.raises(AuthenticationError) as raised:
        measuring._first_read(SimpleNamespace(ping=ping), lambda _: None)
    assert str(raised.value) == (
        "POST /v2/auth/token was answered with 401: a text of 16 characters. Check the key."
    )
    assert raised.value.__cause__ is None
    assert raised.value.status_code == 401


def dated(headers: dict[str, str]):
    run = run_over(lambda _: httpx.Response(200, json={"results": []}, headers=headers))
    for _ in range(6):
        run.page()
    run.measure(reads.connection)
    return run


def test_what_all_calls_show_names_the_reads():
    run = dated({"date": "Wed, 01 Jan 2020 00:00:00 GMT"})
    assert run.finding("clock-skew")["evidence"] == [1, 2, 3, 4, 5, 6]
    assert run.finding("date-header")["evidence"] == [1, 2, 3, 4, 5, 6]
    assert not run.is_by_creates("clock-skew")


def test_a_clock_without_a_date_says_so():
    run = dated({})
    assert run.finding("clock-skew")["note"] == "no response has a Date, which would show it"
    assert run.finding("date-header")["evidence"] == [1, 2, 3, 4, 5, 6]


def test_the_life_of_a_token_says_why_no_call_shows_it():
    run = run_over(lambda _: httpx.Response(200, json={}))
    run.token_life = 900
    run.measure(reads._token_life)
    text = Report(run.document | PLACE).text()
    assert "- ~ token-life: 900: " in text
    assert "  - shown by: the answer with the token, which is not kept in the file" in text


PLACE = {
    "environment": "staging",
    "base_url": "https://provider.example",
    "measured_at": "2031-01-01T00:00:00.000Z",
}


def test_a_read_of_another_system_is_told_in_words():
    run = run_over(lambda _: httpx.Response(200, json={}), payer=None)
    run.find("GET /v1/webhooks", "400, other")
    text = Report(run.document | PLACE).text()
    line = (
        "- GET /v1/webhooks: it is refused with 400, and the body has a form of the system's own."
    )
    assert line in text
    assert "Only reads were sent: nothing was created or changed." in text
    assert text.endswith(
        "1 read was measured of which nothing is assumed. 0 assumptions measured: 0 differ."
    )


def test_a_set_of_characters_is_told_in_words():
    run = run_over(lambda _: httpx.Response(200, json={}))
    run.find("notes-characters", "basic")
    assert run.finding("notes-characters")["found"] == (
        "notes keep letters, digits and spaces, and no & _ # /, é, € or emoji"
    )
