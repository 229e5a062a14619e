"""What tests put into the tables of outboxes and inboxes, change behind their back, and read."""

import base64
import threading
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.payments import invoice
from tests.providers.velo.test_velo_notifications import HEADER, body_of
from victor_ext._event_queue.databases import DatabaseTime, database_time
from victor_ext.inbox import Inbox
from victor_ext.outbox._entries import free_values
from victor_ext.providers import velo

NOTES = sa.Table("notes", sa.MetaData(), sa.Column("text", sa.Text))
"""What handlers write."""
ANOTHER = 7
"""The number of another worker."""
AUTHORIZED = {"Authorization": HEADER}


def key_of(number=1):
    """The key of an invoice."""
    return invoice(number)["idempotency_key"]


def stored(outbox, *invoices):
    with Session(outbox._engine) as session, session.begin():
        for values in invoices:
            outbox.add(session, **values)


def inbox_of(engine, webhook=None, client=None, **options):
    """An inbox, of Velo's notifications unless another webhook is given."""
    inbox = Inbox(engine, webhook or velo.Webhook(HEADER), client=client, **options)
    inbox.create_table()
    return inbox


def received(inbox, body, headers=AUTHORIZED, source="payor-1", **named):
    with Session(inbox._engine) as session, session.begin():
        return inbox.receive(session, body, headers, source=source, **named)


def received_number(inbox, number, **about):
    """Receive the notification of Velo's with this number; whether it was new."""
    return received(inbox, body_of(number, f"e-{number}", **about)) is not None


def execute(box, statement):
    with box._engine.begin() as connection:
        connection.execute(statement)


def change(box, **values):
    """All rows of its table have these values."""
    execute(box, sa.update(box.table).values(values))


def change_events(box, **values):
    """All its events have these values."""
    execute(box, sa.update(box.events).values(values))


def end_claims(outbox, ahead=-1.0):
    """No worker has an entry any more, and they are due in `ahead` seconds."""
    change(outbox, **free_values() | {"due_at": DatabaseTime() + ahead})


def give_to_another(outbox, *references):
    """Another worker has taken up all entries, or those with these references."""
    columns = outbox.table.c
    are_taken = columns.reference.in_(references) if references else sa.true()
    taken = sa.update(outbox.table).where(are_taken)
    execute(outbox, taken.values(worker=ANOTHER, had_by=ANOTHER, due_at=DatabaseTime() + 60))


def leases_left(outbox):
    """The seconds for which each entry is not taken up."""
    columns = outbox.table.c
    with outbox._engine.begin() as connection:
        now = database_time(connection)
        return [end - now for end in connection.scalars(sa.select(columns.due_at))]


def waits_since(box, time):
    """The seconds from a Unix time until each event is due."""
    with box._engine.connect() as connection:
        return [due - time for due in connection.scalars(sa.select(box.events.c.due_at))]


@contextmanager
def before_the_first_change(engine, table, act):
    """Act before the first UPDATE of a table. The list has the result."""
    has_begun = threading.Event()
    results = []

    def meanwhile(_connection, _cursor, statement, *_):
        if statement.startswith(f"UPDATE {table} SET") and not has_begun.is_set():
            has_begun.set()
            results.append(act())

    sa.event.listen(engine, "before_cursor_execute", meanwhile)
    yield results
    sa.event.remove(engine, "before_cursor_execute", meanwhile)


def lengthen_waits(box):
    """Each event waits so long that no slow machine sees the end of it."""
    change_events(box, due_at=DatabaseTime() + 600)


def end_waits(box):
    """All waits before the next try of an event are over."""
    change_events(box, due_at=0.0)


def states(entries):
    return [entry.state.value for entry in entries]


def statuses(entries):
    return [entry.status for entry in entries]


def references(entries):
    return [entry.client_reference_id for entry in entries]


def write(connection, text):
    """What a handler does."""
    connection.execute(sa.insert(NOTES).values(text=text))


def notes(box):
    """What handlers have written."""
    with box._engine.connect() as connection:
        return [*connection.scalars(sa.select(NOTES.c.text))]


def text_of(engine, *tables):
    """All that is stored in these tables."""
    texts = []
    with engine.connect() as connection:
        for table in tables:
            rows = connection.execute(sa.text(f'SELECT * FROM "{table}"'))
            texts += [repr(tuple(row)) for row in rows]  # that of a row itself is cut
    return "\n".join(texts)


def shown_of(secret, content):
    """Whether bytes have a text, as it is or somewhere in base64."""
    forms = [secret.encode()]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + secret.encode())
        last = -4 if encoded.endswith(b"=") else None  # these also have bits of what comes next
        forms.append(encoded[(0, 2, 3)[shift] : last])
    return any(form in content for form in forms)
