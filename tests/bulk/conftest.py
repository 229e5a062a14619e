"""A sandbox, a folder and an environment for `victor bulk`, and a PostgreSQL server of our own."""

from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests.bulk.bulk_runs import Bulk, Senders
from tests.bulk.postgres import postgres_server
from tests.cli.victor_command import settings_of
from tests.outbox.backups import Backup
from tests.tiers import borders
from victor_ext import RetryPolicy, Victor, VictorOAuth

__all__ = ["postgres_server"]
STORAGE_KEY = "a-secret-for-tests-of-some-length"


@pytest.fixture
def oauth_client(victor_sandbox):
    """Credentials that all senders of a test share: a provider may keep the keys of each caller
    apart.
    """
    return victor_sandbox.add_oauth_client()


@pytest.fixture
def bulk(victor_sandbox, oauth_client, bare_environment, tmp_path):
    """The command, wired to the sandbox by its environment alone."""
    folder = tmp_path / "work"
    folder.mkdir()
    settings = settings_of(victor_sandbox, *oauth_client)
    return Bulk.of({**bare_environment, **settings, "VICTOR_BULK_KEY": STORAGE_KEY}, folder)


@pytest.fixture
def clients(victor_sandbox, oauth_client):
    """Makes clients of the sandbox that give up soon, so that a test sees what a person sees after
    a minute. They have the credentials of all senders, unless others are given.
    """
    retry = RetryPolicy(base=0.0, max_attempts=2)
    with ExitStack() as stack:

        def make(*credentials, **options):
            auth = VictorOAuth(*(credentials or oauth_client))
            settings = {"base_url": victor_sandbox.url, "retry": retry, **options}
            return stack.enter_context(Victor(auth, **settings))

        yield make


@pytest.fixture
def client(clients):
    """The client of all senders that name no other one."""
    return clients()


@pytest.fixture
def other_account(clients, victor_sandbox):
    """A client with another account."""
    return clients(*victor_sandbox.add_oauth_client())


@pytest.fixture(params=borders(["sqlite", "postgres"], "sqlite"))
def any_state(request, tmp_path):
    """The URL of a state of each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.sqlite"
    return request.getfixturevalue("postgres")


@pytest.fixture
def backup(tmp_path):
    """Of the state that the senders of a test share."""
    return Backup(f"sqlite:///{tmp_path}/state.sqlite")


@pytest.fixture
def sender_options():
    """Options of the senders of rows of this kind."""
    return {"key_column": "invoice_no"}


@pytest.fixture
def sender(client, sender_options, tmp_path):
    """Makes senders that share a state in the test's folder."""
    from victor_ext.bulk import BulkSender

    def make(**options):
        defaults = {
            "state": f"sqlite:///{tmp_path}/state.sqlite",
            "batch": "march",
            "patience": 0,
            "storage_key": STORAGE_KEY,
            **sender_options,
        }
        return BulkSender(options.pop("victor", client), **{**defaults, **options})

    return Senders(make)


@pytest.fixture
def postgres(postgres_server):
    """The URL of a database of the test's own."""
    return postgres_server.new_database(f"bulk_{uuid4().hex[:12]}")
