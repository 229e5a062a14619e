"""`victor trigger` posts a notification of a connected API to a service, and says what the service
answered.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import Command
from tests.providers.connected.till import till_api
from tests.sandbox.receivers import Receiver
from victor_ext import AuthenticationError, HmacSignature

pytestmark = pytest.mark.slow
SECRET = {"VICTOR_WEBHOOK_SECRET": "the secret that Till shares with you"}
POST = ("trigger", "till_api", "paymentSettled", "--notify")
SIGNED = ("--header", "X-Till-Signature: {signature}")
CASES = cases_beside(__file__, "trigger")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    till_api()
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def two_webhooks(tmp_path: Path) -> str:
    """The folder of a package with two webhooks."""
    package = tmp_path / "clients" / "two_api"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    examples = "EXAMPLES = {'paymentSettled': {'x': {'a': 1}}, 'paymentFailed': {'y': {'b': 2}}}"
    (package / "webhook_examples.py").write_text(examples)
    return str(package)


def test_it_is_posted_and_signed(bare_command: Command, receiver: Receiver) -> None:
    ran = bare_command(*POST, receiver.url, *SIGNED, "--header", "X-Event:a: b", **SECRET)
    assert ran.status == 0
    assert ran.out.startswith(f"paymentSettled to {receiver.url}: 200  ")
    [came] = receiver.came
    assert came.said == {"payment_id": "text", "fee": 1.5}
    assert came.headers["x-event"] == "a: b"
    [secret] = SECRET.values()
    verify = HmacSignature(header="X-Till-Signature", secret=secret)
    verify(came.headers, came.body)
    with pytest.raises(AuthenticationError):
        verify(came.headers, came.body + b" ")


def test_a_header_has_the_id_and_the_time_without_a_secret(
    bare_command: Command, receiver: Receiver
) -> None:
    to = (*POST, receiver.url, "--header", "X-Id: {id} at {timestamp}")
    assert bare_command(*to, "--header", "content-type: application/cloudevents+json").status == 0
    [came] = receiver.came
    notification_id, _, timestamp = came.headers["x-id"].partition(" at ")
    assert (len(notification_id), timestamp.isdigit()) == (36, True)
    assert came.headers["content-type"] == "application/cloudevents+json"


@pytest.mark.parametrize("says", CASES["how it is signed"])
def test_the_signature_is_as_the_options_say(
    says: str, bare_command: Command, receiver: Receiver
) -> None:
    case: Any = CASES["how it is signed"][says]
    assert bare_command(*POST, receiver.url, *case["options"], **SECRET).status == 0
    [secret] = SECRET.values()
    [came] = receiver.came
    HmacSignature(secret=secret, **case["verify"])(came.headers, came.body)


def test_another_body_is_posted(bare_command: Command, receiver: Receiver, tmp_path: Path) -> None:
    shown = bare_command("trigger", "till_api", "paymentSettled").json
    file = tmp_path / "body.json"
    file.write_text(json.dumps(shown | {"payment_id": "p-é"}), encoding="utf-8")
    ran = bare_command(*POST, receiver.url, "--body", str(file), "--json")
    assert (ran.json["event"], ran.json["status"]) == ("paymentSettled", 200)
    assert receiver.came[0].said == {"payment_id": "p-é", "fee": 1.5}


def test_a_service_that_does_not_take_it_is_a_failure(
    bare_command: Command, receiver: Receiver
) -> None:
    receiver.statuses = [500]
    ran = bare_command(*POST, receiver.url)
    assert (ran.status, ran.out.split("  ")[0].endswith(": 500")) == (1, True)
    nobody = bare_command(*POST, "http://127.0.0.1:9/webhooks")
    assert (nobody.status, "Connection refused" in nobody.out) == (1, True)


def test_without_a_name_the_webhooks_are_listed(bare_command: Command, receiver: Receiver) -> None:
    assert bare_command("trigger", "till_api").out == "paymentSettled  (example)\n"
    assert bare_command("trigger", "till_api", "--json").json == {"paymentSettled": ["example"]}


def test_without_a_name_each_is_posted_and_one_that_is_not_taken_is_a_failure(
    bare_command: Command, receiver: Receiver, two_webhooks: str
) -> None:
    to = ("trigger", two_webhooks, "--notify", receiver.url, "--header", "X-Event: a")
    ran = bare_command(*to)
    assert (ran.status, [line.split(" ")[0] for line in ran.out.splitlines()]) == (
        0,
        ["paymentSettled", "paymentFailed"],
    )
    assert [came.said for came in receiver.came] == [{"a": 1}, {"b": 2}]
    assert [came.headers["x-event"] for came in receiver.came] == ["a", "a"]
    receiver.statuses = [500, 200]
    ran = bare_command(*to, "--json")
    shown = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.status, [each["status"] for each in shown]) == (1, [500, 200])


def test_a_folder_of_packages_is_told_from_a_package(
    bare_command: Command, two_webhooks: str
) -> None:
    folder = str(Path(two_webhooks).parent)
    ran = bare_command("trigger", folder)
    assert (ran.status, f"write one of {two_webhooks}." in ran.err) == (2, True), ran.err


@pytest.mark.parametrize("says", CASES["refused"])
def test_what_cannot_be_posted_is_named(
    says: str, bare_command: Command, receiver: Receiver, tmp_path: Path
) -> None:
    for name, text in {"text": "no JSON", "null": "null", "nan": '{"fee": NaN}'}.items():
        (tmp_path / name).write_text(text)
    case = CASES["refused"][says]
    words = [word.replace("URL", receiver.url).replace("FOLDER", str(tmp_path)) for word in case]
    ran = bare_command("trigger", *words, **({} if "not set" in says else SECRET))
    assert (ran.status, says in ran.err.replace(str(tmp_path), "FOLDER")) == (2, True), ran.err
    assert receiver.came == []
