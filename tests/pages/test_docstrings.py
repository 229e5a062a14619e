"""The example in the docstring of each operation runs against the sandbox, in the order of the
reference.
"""

import csv
import dataclasses
import doctest
import inspect
import io
import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from victor_ext import idempotency_key_for
from victor_ext.providers import Money

pytestmark = [
    pytest.mark.slow,
    pytest.mark.victor_sandbox(demo_data=True, auto=0.01),
]


LAST = {"withdraw"}
"""Of these, the example comes after those of the other operations, which do not expect it."""


def operations_of(resource):
    """The operations of a resource as they are written: first those that are generated."""
    written = {}
    for kind in resource.__mro__:
        written |= {name: each for name, each in vars(kind).items() if name not in written}
    return dict(sorted(written.items(), key=lambda item: item[0] in LAST))


def run_examples(client, *order, own=None, **given):
    """Run the examples of a client's resources as one session, with these names; each operation has
    one.
    """
    now = datetime.now(UTC)
    names = {
        "Decimal": Decimal,
        "Money": Money,
        "csv": csv,
        "dataclasses": dataclasses,
        "io": io,
        "secrets": secrets,
        "idempotency_key_for": idempotency_key_for,
        "today": now.date(),
        "since": now - timedelta(minutes=5),
        **given,
    }
    without = []
    failures = []
    assert set(order) == set(client._resources)
    groups = {each: operations_of(client._resources[each]) for each in order}
    for group, operations in {**groups, "client": own or {}}.items():
        for name, operation in operations.items():
            if name.startswith("_") or not callable(operation):
                continue
            text = inspect.getdoc(operation) or ""
            case = doctest.DocTestParser().get_doctest(text, {}, f"{group}.{name}", None, None)
            case.globs = names
            without += [] if case.examples else [case.name]
            doctest.DocTestRunner(verbose=False).run(case, out=failures.append, clear_globs=False)
    if failures or without:
        pytest.fail(f"{''.join(failures)}\nwithout an example: {without}", pytrace=False)


def test_each_example_of_victor_runs_and_no_operation_lacks_one(victor):
    run_examples(victor, "payment_requests", victor=victor)
