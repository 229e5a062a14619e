"""By which filters an item can leave a list while it is read: those over what changes of it. With
one of them, a list is read until no page is new.
"""

import importlib
import inspect
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from victor_ext.typed import BlockingMethods

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
LEFT = {
    "victor_api": {
        "list_payment_requests": {
            *("status", "approval_start_datetime", "approval_end_datetime", "extra_query"),
        },
    },
    "velo_api": {
        "get_payout_history": {"status", "source_amount_from", "source_amount_to", "rails_id"},
        "list_funding_accounts": set(),
        "list_funding_changes": set(),
        "list_fundings": set(),
        "list_payee_changes": set(),
        "list_payee_invitations": {"invitation_status"},
        "list_payees": {
            *("watchlist_status", "disabled", "onboarded_status", "email", "display_name"),
            "ofac_status",
        },
        "list_payment_changes": set(),
        "list_payments": {
            *("status", "source_amount_from", "source_amount_to", "rails_id"),
            *("scheduled_from", "scheduled_to", "schedule_status", "post_instruct_fx_status"),
        },
        "list_payout_payments": {"status"},
        "list_payouts": {"status", "scheduled_from", "scheduled_to", "schedule_status"},
        "list_source_accounts": set(),
        "list_webhooks": set(),
    },
    "flexfactor_api": {"list_orders": {"status"}},
}
LISTS = [(package, name) for package, lists in LEFT.items() for name in lists]
OF_TYPES = {
    "bool": True,
    "int": 1,
    "str": "2026-03-04",
    "date": date(2026, 3, 4),
    "datetime": datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
}
OF_NAMES = {
    "sort": "createdAt:asc",
    "extra_query": {"purpose": "RENT"},
    "account_type": "FBO",
    "payee_type": "Individual",
    "invitation_status": "PENDING",
    "schedule_status": "SCHEDULED",
    "post_instruct_fx_status": "INITIATED",
    "transmission_type": "ACH",
}
STATUSES = {"victor_api": "completed", "velo_api": "SUBMITTED", "flexfactor_api": 4}


def fitting(package, list_name, parameter):
    """A value of an argument of a list."""
    rows = importlib.import_module(f"{package}.typed.rows").CALLS[list_name]["query"]
    if words := rows.get(parameter.name, {}).get("words"):
        return words[0]
    if parameter.name == "status":
        return STATUSES[package]
    if package == "flexfactor_api" and parameter.name == "sort":
        return "asc"
    if parameter.name in OF_NAMES:
        return OF_NAMES[parameter.name]
    return OF_TYPES[parameter.annotation.partition(" | ")[0]]


def lists_of(package):
    """What checks the arguments of each list of a package, by the name of its operation."""
    lists = {}
    for kind in vars(importlib.import_module(f"{package}.typed.methods")).values():
        for name, method in vars(kind).items() if inspect.isclass(kind) else ():
            listed = issubclass(kind, BlockingMethods) and list_in(method)
            if listed:
                # In place of pages, the method returns its checked arguments.
                given = {
                    f"_{name}": lambda _self, query: query,
                    "_pages": lambda _self, query: query,
                }
                lists[listed] = getattr(type("Checking", (kind,), given)(None), name)
    return lists


def list_in(method):
    """The operation of a method that is a list; None for any other one."""
    source = inspect.getsource(inspect.unwrap(method)) if inspect.isfunction(method) else ""
    found = re.search(r"PACKAGE\.list\(\s*_(\w+),", source)
    return found and found[1]


@pytest.mark.parametrize("package", LEFT)
def test_each_list_of_a_package_is_among_these(package):
    assert {*lists_of(package)} == LEFT[package].keys()


@pytest.mark.parametrize(("package", "name"), LISTS)
def test_a_list_that_an_item_can_leave_is_known_by_its_filters(package, name):
    """Among them is each filter of a newer document that the settings do not name."""
    list_ = lists_of(package)[name]
    needed = {}
    others = {}
    for parameter in inspect.signature(list_).parameters.values():
        values = needed if parameter.default is parameter.empty else others
        values[parameter.name] = fitting(package, name, parameter)
    assert not list_(**needed).may_be_left
    left = {
        other for other, value in others.items() if list_(**needed, **{other: value}).may_be_left
    }
    assert left >= LEFT[package][name]
    system = package.removesuffix("_api")
    settings = (OPENAPI / f"{system}.settings.yaml").read_text(encoding="utf-8")
    decided = str(yaml.safe_load(settings)["lists"])
    assert [each for each in left - LEFT[package][name] if re.search(rf"\b{each}\b", decided)] == []
