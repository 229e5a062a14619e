"""Reading everything that a record or an error has to offer: none of it may raise."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date, datetime
from decimal import Decimal

from victor_ext import PaymentRequest, VictorError

_RECORD = [name for name in dir(PaymentRequest) if not name.startswith("_")]
_ERROR = [
    *("message", "outcome", "idempotency_key", "status_code", "request", "response", "body", "attempts"),
    *("request_id", "retry_after", "problems"),
]
LONGEST_MESSAGE = 6000


def read_everything(record: PaymentRequest) -> int:
    """Read all of a record, and check that it is what it says it is; 1, for counting."""
    for name in _RECORD:
        value = getattr(record, name)
        assert not isinstance(value, Decimal) or value.is_finite()
        assert not isinstance(value, datetime) or value.utcoffset() is not None
        if name not in ("raw", "to_dict"):
            repr(value)
    assert record.id is None or isinstance(record.id, str)
    assert record.due_date is None or type(record.due_date) is date
    assert repr(record).startswith("PaymentRequest(")
    assert repr(record).isprintable()
    plain = record.to_dict()
    json.loads(json.dumps(plain, allow_nan=False))
    hash(record)
    assert copy.copy(record).to_dict() == plain
    try:
        again = pickle.loads(pickle.dumps(record))
    except RecursionError:
        return 1  # what is nested so deeply cannot be pickled, whatever holds it
    assert again.to_dict() == plain
    return 1


def read_all_of_error(error: VictorError) -> None:
    """Read all of an error, and check that it can be shown, logged, kept and sent to another process."""
    for name in _ERROR:
        getattr(error, name)
    for text in (str(error), repr(error), *getattr(error, "__notes__", ())):
        text.encode()  # no half surrogates: they cannot be written to any log
        assert text.isprintable(), ascii(text)
        assert len(text) < LONGEST_MESSAGE
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(other), str(other), other.outcome) == (type(error), str(error), error.outcome)
        assert (other.status_code, other.body, other.problems) == (error.status_code, error.body, error.problems)
