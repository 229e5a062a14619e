"""What a reporter of errors shows of our frames: account numbers, keys and passwords are of types
that hide themselves.
"""

import pytest

from tests.bulk.bulk_runs import ACCOUNT, row
from tests.frames import assert_hidden
from victor_ext.bulk import InvalidRows

pytestmark = pytest.mark.slow
KEY = "a-storage-key-of-some-length"
WRONG = [row(1), row(2, amount="-1"), row(3, payee_account_number=ACCOUNT + "x")]


def fail(*_):
    raise LookupError


FAILURES = {
    "rows that are wrong": (InvalidRows, lambda sender: sender.send(WRONG)),
    "a generator that raises": (LookupError, lambda sender: sender.send(map(fail, [row(1)]))),
    "a listener that raises": (
        LookupError,
        lambda sender: sender.send([row(1)], on_progress=fail),
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_error_shows_no_account_number_and_no_key(sender, failure):
    error, act = FAILURES[failure]
    with pytest.raises(error) as raised:
        act(sender(storage_key=KEY))
    assert_hidden(raised.value, (ACCOUNT, KEY))
