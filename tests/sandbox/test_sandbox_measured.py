"""The options for what a few calls to the provider show, each at its values; and a file of such measurements."""

from __future__ import annotations

import json
import re
import signal
import time

import pytest

from tests.cases import cases_beside
from tests.sandbox.sandbox_callers import KEY, LIST, RawConnection, SandboxProcess, a_body
from victor_ext.sandbox import SandboxSettings
from victor_ext.sandbox.__main__ import main
from victor_ext.sandbox.server.settings import options_of

pytestmark = [pytest.mark.slow, pytest.mark.hours]
CASES = cases_beside(__file__)
MEASURABLE = {name: each for name, each in options_of(SandboxSettings).items() if each.measurable}


@pytest.mark.parametrize(("options", "text", "kept"), CASES["texts"])
def test_what_is_kept_of_notes_and_references(start, options, text, kept):
    sandbox, caller = start(**options)
    made = [caller.create(body=a_body(notes=text)), caller.create(body={**a_body(), "client_reference_id": text})]
    answered = caller.respond(sandbox.create_inbound(), notes=text)
    if kept is None:
        assert [each.status_code for each in (*made, answered)] == [400] * 3
        assert [each.json()["error"]["field"] for each in made] == ["paymentDetails.notes", "clientReferenceId"]
        return
    assert made[0].json()["payment_request"]["payment_details"]["notes"] == kept
    assert made[1].json()["client_reference_id"] == kept
    assert answered.json()["notes"] == kept


def test_a_new_request_is_listed_and_read_after_a_while(start):
    sandbox, caller = start(list_lag=10, get_lag=5)
    made = caller.created()["victor_payment_request_id"]
    seen = []
    for _ in range(3):
        seen.append((caller.get(made).status_code, len(caller.listed()), len(caller.listed(victor_id=made))))
        sandbox.advance(6)
    assert seen == [(400, 0, 0), (200, 0, 0), (200, 1, 1)]


@pytest.mark.parametrize("option", MEASURABLE["key_repeat"].choices)
def test_a_repeated_create_gets_one_of_four_answers(start, option):
    sandbox, caller = start(key_repeat=option)
    first = caller.create(KEY)
    sandbox.advance(1)
    again = caller.create(KEY)
    expected = {"replay": (200, "created", 1), "current": (200, "pending", 1), "409": (409, None, 1)}
    assert (again.status_code, again.json().get("status") or None) == expected.get(option, (200, "created"))[:2]
    assert len(sandbox.requests()) == sandbox.work_done_by_key()[KEY] == (2 if option == "new" else 1)
    assert (again.content == first.content) is (option == "replay")


def test_a_refused_create_may_bind_its_key(start, tmp_path):
    sandbox, caller = start(refused_key="bound", strict_accounts=True, key_life=100, state=tmp_path / "state")
    first = caller.create(KEY)
    assert first.status_code == 400
    sandbox.add_account("043987673645")
    sandbox.add_counterparty("aHeq349838")
    sandbox.restart()
    assert caller.create(KEY).content == first.content, "also after what was wrong is right"
    assert caller.create(KEY, amount="1.00").status_code == 409
    assert caller.create(f"{KEY}-2").status_code == 200
    sandbox.advance(101)
    assert caller.create(KEY).status_code == 200


@pytest.mark.parametrize(("options", "created", "listed", "got"), CASES["errors"])
def test_errors_have_the_status_and_the_shape_that_are_set(start, options, created, listed, got):
    _, caller = start(**options, error_code=7)
    found = [caller.create(amount="0"), caller.list(page=-1), caller.get("NOBODY")]
    assert [[each.status_code, " ".join(each.json())] for each in found] == [created, listed, got]
    assert all(each.json()["error"]["code"] == 7 for each in found if "status" in each.json())


def test_the_words_of_bodies(start):
    options = {"directions": "upper", "times": "milliseconds", "nulls": True, "get_status": "listed"}
    for words, spelled in {"documented": "needs-review", "title": "Needs Review", "upper": "NEEDS_REVIEW"}.items():
        sandbox, caller = start(**options, status_words=words)
        made = caller.created()
        sandbox.move(made["victor_payment_request_id"], "needs-review")
        (item,) = caller.listed()
        assert item["status"] == caller.get(made["victor_payment_request_id"]).json()["status"] == spelled
        assert (item["direction"], item["error_message"]) == ("OUTBOUND", None)
        assert item["payment_request"]["created_at"] > 1e12


def test_tokens_twins_dates_and_idle_connections(start):
    sandbox, caller = start(
        token_limit=60, leeway=0, refused_token="403", twins=False, demo_data=True, date_header=False, keep_alive=0.2
    )
    found = [
        caller.call("GET", LIST, headers={"authorization": f"Token {caller.token(exp=int(time.time()) + life)}"})
        for life in (60, 61)
    ]
    assert [each.status_code for each in found] == [200, 403]
    assert "date" not in found[0].headers
    caller.token = lambda token=caller.token: token(exp=int(time.time()) + 30)
    assert "victor_payment_request_child_id" not in caller.created()
    with RawConnection(sandbox.url) as connection:
        connection.send(caller.raw("GET", LIST))
        connection.read_answer()
        assert connection.read_to_end() == (b"", "close")


# A file of measurements


def measured(path, **played):
    """A file as `victor conform` writes it."""
    head = {"format": 1, "system": "victor", "environment": "staging", "base_url": "https://api.example"}
    path.write_text(json.dumps({**head, "measured_at": "2026-11-24T00:00:00Z", "sandbox": played}))
    return path


def values_of(name, each):
    """The values at which an option is tested: its choices, or others than its default."""
    default = getattr(SandboxSettings(), name)
    return each.choices or (not default if isinstance(default, bool) else 2,)


@pytest.mark.parametrize("name", MEASURABLE)
def test_each_measurable_option_is_played_from_a_file(tmp_path, name):
    for value in values_of(name, MEASURABLE[name]):
        file = measured(tmp_path / "measured.json", **{name: value})
        assert SandboxSettings.like(file) == SandboxSettings(**{name: value})
        default = getattr(SandboxSettings(), name)
        assert SandboxSettings.like(file, **{name: default}) == SandboxSettings(), "an option goes before the file"


@pytest.mark.parametrize(("content", "reason"), CASES["files"].items())
def test_a_file_that_cannot_be_played_is_refused_with_its_name(tmp_path, capsys, content, reason):
    file = tmp_path / "measured.json"
    file.write_text(content.replace("<", '{"format": 1, "system": "victor",'))
    with pytest.raises(ValueError, match=f"^{re.escape(str(file))}.* ?{re.escape(reason)}"):
        SandboxSettings.like(file)
    with pytest.raises(SystemExit, match="2"):
        main(["--like", str(file)])
    assert reason in capsys.readouterr().err.splitlines()[0]


def test_the_command_plays_a_file_and_lists_what_was_not_measured(tmp_path):
    file = measured(tmp_path / "measured.json", key_conflict="422", order="oldest", twins=False, key_life=None)
    with SandboxProcess("--like", str(file), "--order", "newest", "--twins") as process:
        settings = process.commands.info()["settings"]
        log = process.end(signal.SIGTERM)
    assert [settings[name] for name in ("key_conflict", "order", "twins", "auto")] == ["422", "newest", True, 1]
    played, others = log.splitlines()[3:5]
    assert played == (
        f"Like {file} (staging, https://api.example, 2026-11-24T00:00:00Z): "
        "twins=True, key_conflict=422, key_life=None, order=newest"
    )
    assert others == f"Not measured, as by default: {', '.join(name for name in MEASURABLE if name not in played)}"
