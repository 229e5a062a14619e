"""The options for what a few calls to the provider show, each at its values; and a file of such
measurements.
"""

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
    made = [
        caller.create(body=a_body(notes=text)),
        caller.create(body={**a_body(), "client_reference_id": text}),
    ]
    answered = caller.respond(sandbox.create_inbound(), notes=text)
    if kept is None:
        assert [each.status_code for each in (*made, answered)] == [400] * 3
        assert [each.json()["error"]["field"] for each in made] == [
            "paymentDetails.notes",
            "clientReferenceId",
        ]
        return
    assert made[0].json()["payment_request"]["payment_details"]["notes"] == kept
    assert made[1].json()["client_reference_id"] == kept
    assert answered.json()["notes"] == kept


def observed(sandbox, caller):
    """What the calls of one caller show of a sandbox."""
    long = f"Token {caller.token(exp=int(time.time()) + 3000)}"
    seen = {"long token": caller.call("GET", LIST, headers={"authorization": long}).status_code}
    first = caller.http.get(LIST)
    seen |= {
        "no token": first.status_code,
        "date": "date" in first.headers,
        "no key": caller.create().status_code,
    }
    seen["keys"] = [caller.create("k" * length).status_code for length in (19, 20, 128, 129)]
    made = caller.create(KEY)
    known = len(sandbox.requests())
    body = made.json()
    name = body["victor_payment_request_id"]
    seen |= {"twin": "victor_payment_request_child_id" in body, "direction": body["direction"]}
    seen |= {
        "null": "error_message" in body,
        "unit": len(str(int(body["payment_request"]["created_at"]))),
    }
    seen |= {"listed": len(caller.listed(victor_id=name)), "read": caller.get(name).status_code}
    seen["at once"] = caller.create(KEY).status_code
    sandbox.advance(20)
    sandbox.move(name, "needs-review")
    repeats = again, _ = caller.create(KEY), caller.create(KEY, amount="44.24")
    seen["again"], seen["other"] = (
        [each.status_code, each.json().get("status")] for each in repeats
    )
    seen |= {"same": again.content == made.content, "more": len(sandbox.requests()) - known}
    seen["words"] = [caller.listed(victor_id=name)[0]["status"], caller.get(name).json()["status"]]
    wrong = refused, *_ = (
        caller.create(f"{KEY}-2", amount="0"),
        caller.list(page=-1),
        caller.get("NOBODY"),
    )
    seen["refused"], seen["query"], seen["id"] = (
        [each.status_code, " ".join(each.json())] for each in wrong
    )
    seen["code"] = re.findall('"code":([0-9]+)', refused.text)
    seen["corrected"] = caller.create(f"{KEY}-2").status_code
    return seen


@pytest.mark.parametrize(("options", "changes"), CASES["options"])
def test_an_option_changes_what_it_names_and_nothing_else(start, options, changes):
    assert observed(*start(demo_data=True, **options)) == {**CASES["options"][0][1], **changes}


def test_a_refused_create_may_bind_its_key(start, tmp_path):
    sandbox, caller = start(
        refused_key="bound", strict_accounts=True, key_life=100, state=tmp_path / "state"
    )
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


def test_an_idle_connection_is_kept_for_a_while(start):
    sandbox, caller = start(keep_alive=0.2)
    with RawConnection(sandbox.url) as connection:
        connection.send(caller.raw("GET", LIST))
        connection.read_answer()
        assert connection.read_to_end() == (b"", "close")


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        ({"key_repeat": "409", "key_conflict": "replay"}, [409, 200]),
        ({"key_repeat": "409", "key_conflict": "422"}, [409, 422]),
        ({"key_repeat": "new", "key_conflict": "new", "key_in_progress": 5}, [409, 409]),
    ],
)
def test_the_sandbox_plays_the_rules_of_keys_together(start, options, statuses):
    _, caller = start(**options)
    assert caller.create(KEY).status_code == 200
    answers = [caller.create(KEY), caller.create(KEY, amount="44.24")]
    assert [answer.status_code for answer in answers] == statuses


def test_a_key_stays_bound_to_its_refusal_where_repeats_make_new_requests(start):
    _, caller = start(refused_key="bound", key_repeat="new", key_conflict="new")
    refused = caller.create(KEY, amount="0")
    assert [caller.create(KEY).status_code for _ in range(2)] == [400, 400]
    assert caller.create(KEY, amount="0").content == refused.content


@pytest.mark.parametrize("name", ["notes_limit", "reference_limit"])
def test_the_sandbox_keeps_nothing_of_a_text(start, name):
    _, caller = start(**{name: 0})
    assert caller.create(KEY, notes="a note").status_code == 200


# A file of measurements


def measured(path, **played):
    """A file as `victor conform` writes it."""
    head = {
        "format": 1,
        "system": "victor",
        "environment": "staging",
        "base_url": "https://api.example",
    }
    path.write_text(json.dumps({**head, "measured_at": "2026-11-24T00:00:00Z", "sandbox": played}))
    return path


def values_of(name):
    """The values at which an option is tested: its choices, or another than its default."""
    default = getattr(SandboxSettings(), name)
    other = 20 if name == "key_longest" else 2  # not below key_shortest
    return MEASURABLE[name].choices or (not default if isinstance(default, bool) else other,)


@pytest.mark.parametrize("name", MEASURABLE)
def test_each_measurable_option_is_played_from_a_file(tmp_path, name):
    for value in values_of(name):
        file = measured(tmp_path / "measured.json", **{name: value})
        assert SandboxSettings.like(file) == SandboxSettings(**{name: value})
        default = {name: getattr(SandboxSettings(), name)}
        assert SandboxSettings.like(file, **default) == SandboxSettings(), (
            "an option goes before the file"
        )


@pytest.mark.parametrize(("content", "reason"), CASES["files"].items())
def test_a_file_that_cannot_be_played_is_refused_with_its_name(tmp_path, capsys, content, reason):
    file = tmp_path / "measured.json"
    file.write_text(content.replace("<", '{"format": 1, "system": "victor",'))
    with pytest.raises(ValueError, match=f"^{re.escape(str(file))}.* ?{re.escape(reason)}"):
        SandboxSettings.like(file)
    assert main(["--like", str(file)]) == 2
    (mistake,) = capsys.readouterr().err.splitlines()
    assert reason in mistake


def test_the_command_plays_a_file_and_lists_what_was_not_measured(tmp_path):
    file = measured(
        tmp_path / "measured.json", key_conflict="422", order="oldest", twins=False, key_life=None
    )
    with SandboxProcess("--like", str(file), "--order", "newest", "--twins") as process:
        settings = process.commands.info()["settings"]
        log = process.end(signal.SIGTERM)
    assert [settings[name] for name in ("key_conflict", "order", "twins", "auto")] == [
        "422",
        "newest",
        True,
        1,
    ]
    played, others = log.splitlines()[2:4]
    assert played == (
        f"Like {file} (staging, https://api.example, 2026-11-24T00:00:00Z): "
        "twins=True, key_conflict=422, key_life=None, order=newest"
    )
    assert (
        others == "Not measured, as by default: "
        f"{', '.join(name for name in MEASURABLE if name not in played)}"
    )
