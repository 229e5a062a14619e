"""The reference (docs/api/) describes each argument and field. Its names: `test_doors.py`."""

import dataclasses
import enum
import importlib
import inspect
import re
from typing import is_typeddict

import pytest

import victor_ext
from victor_ext._runtime.client.resources import Resource
from victor_ext.providers.flexfactor._records import FlexFactorRecord
from victor_ext.sandbox.server._commands import ServerCommands
from victor_ext.sandbox.server._provider import SandboxProvider

pytestmark = pytest.mark.slow

DESCRIBED = (
    "victor_ext",
    "victor_ext.errors",
    "victor_ext.money",
    "victor_ext.zulu",
    "victor_ext._response_info",
    "victor_ext.otel",
    "victor_ext.asgi",
    "victor_ext.outbox",
    "victor_ext.reconciliation",
    "victor_ext.bulk",
    "victor_ext.outbox.django",
    "victor_ext.inbox",
    "victor_ext.inbox.django",
    "victor_ext.testing",
    "victor_ext.testing.plugin",
    "victor_ext.prometheus",
)
PROVIDERS = tuple(
    f"victor_ext.providers{name}" for name in ("", ".velo", ".eastpay", ".flexfactor")
)
SANDBOXES = tuple(f"victor_ext.sandbox{name}" for name in ("", ".velo", ".eastpay", ".flexfactor"))

OF_THE_MACHINERY = {
    "authenticator",
    "check",
    "token_url",
    "hint",
    "after",
    "completed_by",
    "of_list",
    "delivery",
    "notification",
    "reading",
    "state_of",
    "pytest_configure",
    "pytest_runtest_makereport",
    "Reconciliation",
    "trace_id",
    "ErrorCode",
}
"""Public for other modules of this package, or called by pytest: no user gives their arguments."""
OURS = (
    "victor_ext",
    "victor_api.typed.dictionaries",
    "velo_api.typed.parts",
    "flexfactor_api.typed.parts",
)
MADE_BY_US = (victor_ext.PaymentRequest, FlexFactorRecord, ServerCommands, Resource)
"""What no user makes: records, the commands of a running sandbox, a client's operations."""
ELSEWHERE = re.compile(
    r"(?<!such )\b[Aa]s (for )?`|\b(those|arguments) (are those )?of `|documents them|filters "
    r"have Velo's names"
)
"""A docstring that says where the arguments are described."""


def test_each_argument_and_field_of_the_public_api_is_named_in_its_docstring():
    missing = {
        where: names
        for where, made, text in sorted(
            {each[0]: each for each in described()}.values(), key=lambda each: each[0]
        )
        if (names := undescribed(made, text))
    }
    assert missing == {}


def described():
    """Each public function, class and method: its name, itself, and the docstrings that describe
    its arguments.
    """
    for module in [*DESCRIBED, *PROVIDERS, *SANDBOXES]:
        names = importlib.import_module(module)
        for name in names.__all__:
            made = getattr(names, name)
            if inspect.isfunction(made) and name not in OF_THE_MACHINERY:
                yield name, made, inspect.getdoc(made) or ""
            elif inspect.isclass(made) and not issubclass(made, enum.Enum | SandboxProvider):
                yield from of_class(made)


def of_class(made):
    ours = [kind for kind in made.__mro__ if kind.__module__.startswith(OURS)]
    texts = [
        text
        for kind in ours
        for text in (kind.__doc__, vars(kind).get("__init__", kind).__doc__)
        if text
    ]
    if made.__name__ not in OF_THE_MACHINERY and not issubclass(made, MADE_BY_US):
        yield made.__name__, made, "\n".join(texts)
    for kind in ours:
        for name, member in vars(kind).items():
            method = getattr(member, "__func__", member)
            if (
                not name.startswith("_")
                and name not in OF_THE_MACHINERY
                and callable(method)
                and not inspect.isclass(method)
                and "validation"
                not in inspect.signature(method).parameters  # how an argument checks itself
            ):
                yield f"{kind.__name__}.{name}", method, f"{kind.__doc__}\n{inspect.getdoc(method)}"
        for resource in getattr(kind, "_resources", {}).values():
            yield from list(of_class(resource))[1:]


def undescribed(made, text):
    if is_typeddict(made):
        names = list(made.__annotations__)
    elif dataclasses.is_dataclass(made):
        source = inspect.getsource(made)
        names = [
            each.name
            for each in dataclasses.fields(made)
            if "help" not in each.metadata
            and not re.search(
                rf'(?m)^    {each.name}: .*\n(?:(?:     |    [)\]]).*\n)*    """', source
            )
        ]
    else:
        names = [name for name in inspect.signature(made).parameters if name not in ("self", "cls")]
    text = " ".join(text.split())  # a sentence may go on in the next line
    return [
        name
        for name in names
        if not name.startswith("_")
        and not ELSEWHERE.search(text)
        # Of an id it suffices to say what has it: "Read a payout" for `payout_id`.
        and not re.search(
            rf"\b{name}\b|\b{name.removesuffix('_id').replace('_', '[ -]')}s?\b",
            text,
            re.IGNORECASE,
        )
    ]
