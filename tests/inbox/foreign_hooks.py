"""Webhooks of eight documents, posted to a receiver that is killed at any step of its work, again
and again.

A step is the begin or the end of a commit. Who posts repeats each request until it is answered, and
some of them after that, as providers do.
"""

import importlib
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import sqlalchemy as sa
import yaml
from sqlalchemy.orm import Session

from tests.inbox.inboxes import generated
from victor_ext import connect
from victor_ext.inbox import Inbox, InboxEvent

DOCUMENTS: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
)
HANDLED = sa.Table("handled", sa.MetaData(), sa.Column("what", sa.Text, nullable=False))
LEASE, PATIENCE, MOST_STEPS = 0.3, 60.0, 40


class Posted(NamedTuple):
    """A request: to the webhook of a document, and which of its events it is."""

    package: str
    number: int
    name: str | None
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def what(self) -> str:
        return what_of(self.package, self.event_name, self.body)

    @property
    def event_name(self) -> str:
        """The name of the event, where the name of the webhook gives it."""
        return (self.name or "").casefold()


class Plan(NamedTuple):
    """Where the packages are, where the inboxes are, and what is planted."""

    folder: str
    database: str
    answered: str
    """The file of what was answered: who posts knows it."""


def what_of(package: str, name: str, body: dict[str, Any]) -> str:
    return f"{package} {name} {json.dumps(body, sort_keys=True)}"


def package_of(title: str) -> str:
    return title.replace(" ", "_")


def generate_packages(folder: Path) -> None:
    for title, each in DOCUMENTS.items():
        name = package_of(title)
        whole = {"openapi": "3.1.0", "info": {"title": title, "version": "1"}, "paths": {}}
        document = folder / f"{name}.json"
        document.write_text(json.dumps(whole | each["document"]), encoding="utf-8")
        generated(document, folder)


def requests() -> list[Posted]:
    return [
        Posted(
            package_of(title), number, event.get("name"), event.get("headers", {}), event["body"]
        )
        for title, each in DOCUMENTS.items()
        for number, event in enumerate(each["events"])
    ]


def inboxes(engine: sa.Engine) -> dict[str, Inbox]:
    made: dict[str, Inbox] = {}
    for title in DOCUMENTS:
        package = importlib.import_module(f"{package_of(title)}_api")
        client = connect(package.Client, base_url="https://bank.example")
        inbox = Inbox(engine, client.webhook(verify=None))
        inbox._lease = LEASE
        made[package_of(title)] = inbox
    return made


def work(plan: Plan, seed: int, kill_at: int | None) -> None:
    """Post what was not answered, and some that was; handle all; and be killed at this step."""
    dice = Random(seed)
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    given = {(each.package, each.event_name) for each in requests()}

    def handler(package: str, session: Session, event: InboxEvent) -> None:
        name = event.name if (package, event.name) in given else ""
        what = what_of(package, name, event.notification.to_dict())
        session.execute(sa.insert(HANDLED).values(what=what))

    with _importing(plan.folder):
        engine = sa.create_engine(plan.database)
        boxes = inboxes(engine)
        for package, inbox in boxes.items():
            inbox.on()(partial(handler, package))
        sa.event.listen(engine, "commit", step)
        sa.event.listen(engine, "checkin", step)
        answered = {*Path(plan.answered).read_text(encoding="utf-8").splitlines()}
        posted = [
            each
            for each in requests()
            if f"{each.package} {each.number}" not in answered or dice.random() < 0.3
        ]
        for each in posted:
            _post(engine, boxes[each.package], each)
            with Path(plan.answered).open("a", encoding="utf-8") as file:
                file.write(f"{each.package} {each.number}\n")
            if dice.random() < 0.2:
                boxes[each.package].handle()
        for inbox in boxes.values():
            inbox.handle()


@contextmanager
def _importing(folder: str) -> Generator[None]:
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _post(engine: sa.Engine, inbox: Inbox, posted: Posted) -> None:
    body = json.dumps(posted.body).encode()
    with Session(engine) as session, session.begin():
        inbox.receive(session, body, posted.headers, name=posted.name)


def run(plan: Plan, rounds: int, seed: int) -> Counter[str]:
    """Kill the receiver in each of these rounds, and let the last one end.

    Returns how often each event was handled.
    """
    dice = Random(seed)
    engine = sa.create_engine(plan.database)
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload([__name__])
    with _importing(plan.folder):
        for inbox in inboxes(engine).values():
            inbox.create_table()
    HANDLED.create(engine)
    Path(plan.answered).touch()
    killed = 0
    for number in range(rounds + 1):
        kill_at = dice.randint(1, MOST_STEPS) if number < rounds else None
        receiver = start.Process(target=work, args=(plan, dice.randrange(2**32), kill_at))
        receiver.start()
        receiver.join(PATIENCE)
        assert receiver.exitcode in (0, -signal.SIGKILL), "the receiver has failed"
        killed += receiver.exitcode != 0
        with engine.begin() as connection:  # nobody waits for the lease of one that was killed
            connection.execute(sa.update(inbox.events).values(due_at=0.0))
    with engine.connect() as connection:
        handled = Counter(connection.scalars(sa.select(HANDLED.c.what)))
        left = connection.scalar(sa.select(sa.func.count()).select_from(inbox.events))
    engine.dispose()
    print(f"{killed} receivers killed, {left} events left")
    return handled
