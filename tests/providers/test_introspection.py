"""What `inspect` and `help()` show of the clients of all four systems."""

import inspect
import pydoc
import re
from functools import partial
from typing import get_args, get_origin, get_type_hints

import httpx
import pytest
from victor_api.client import Client

from tests.providers.running import unreachable
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS, called, of_every_system
from victor_ext import ConfigurationError, connect
from victor_ext._runtime.client.config import ClientOptions
from victor_ext._runtime.client.resources import Resource
from victor_ext._systems import entry_points_of

# One operation and one list of each system, with what they return.
each_system = pytest.mark.parametrize("system", CLIENTS)


def made(system, *, awaited):
    return CLIENTS[system][awaited](**ARGUMENTS[system], transport=httpx.MockTransport(unreachable))


def methods_of(client):
    """By name, the operations of a client's resources, and those that are methods of the client
    itself.
    """
    of_resources = {
        f"{attribute}.{name}": getattr(resource, name)
        for attribute, resource in vars(client).items()
        if isinstance(resource, Resource) and not attribute.startswith("_")
        for name in dir(resource)
        if not name.startswith("_")
        and not hasattr(Resource, name)
        and inspect.ismethod(getattr(resource, name))
    }
    of_client = {
        name: getattr(client, name)
        for attribute, resource in client._resources.items()
        for name in dir(resource)
        if attribute.startswith("_") and not name.startswith("_")
    }
    return {**of_resources, **of_client}


@each_system
@pytest.mark.parametrize("awaited", [False, True])
def test_both_clients_have_the_same_methods_with_the_same_arguments_and_results(system, awaited):
    named, twins = (methods_of(made(system, awaited=each)) for each in (awaited, not awaited))
    assert len(named) >= 4
    for name, method in named.items():
        signature, other = inspect.signature(method), inspect.signature(twins[name])
        result = signature.return_annotation
        plain = [each.return_annotation.removeprefix("Async") for each in (signature, other)]
        assert plain[0] == plain[1] not in ("", "Any"), method
        assert signature.parameters == other.parameters
        # A list is walked with `async for`, and not awaited; and a URL is made without a request.
        is_awaited = awaited and not result.startswith("Async") and name != "checkouts.widget_url"
        assert inspect.iscoroutinefunction(method) is is_awaited
        assert method.__doc__


@each_system
def test_both_clients_show_one_constructor(system):
    blocking, awaited = CLIENTS[system]
    signature = inspect.signature(blocking)
    assert signature == inspect.signature(awaited)
    shared = ["timeout", "deadline", "retry", "transport", "proxy", "verify"]
    shared += ["limits", "on_event", "user_agent", "max_response_bytes"]
    assert list(signature.parameters)[-len(shared) :] == shared
    for client in (blocking, awaited):
        shown = pydoc.plain(pydoc.render_doc(client))
        assert [name for name in signature.parameters if f"          {name}: " not in shown] == []
        assert "object object" not in shown
        assert "Client[" not in shown, "a base that no user names"


@pytest.fixture
def profile(system, write_profiles):
    """The profiles `mine`, which is whole, and `typo`."""
    settings = {**ADAPTERS[system].SETTINGS, "base_url": "https://own.example"}
    lines = [f'{name} = "{value}"' for name, value in settings.items()]
    write_profiles("\n".join(["[mine]", *lines, "[typo]", 'base_ulr = "https://own.example"', ""]))


@each_system
@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("name", ["from_env", "from_profile", "__init__", "with_options"])
def test_the_error_for_a_misspelt_option_says_the_right_name_before_a_missing_setting(
    system, awaited, name
):
    kind = CLIENTS[system][awaited]
    make = {
        "from_profile": partial(kind.from_profile, "mine"),
        "__init__": partial(kind, **ARGUMENTS[system]),
        "with_options": made(system, awaited=awaited).with_options,
    }.get(name, kind.from_env)
    said = re.escape(f"{kind.__name__}.{name}() got an unexpected keyword argument ")
    with pytest.raises(TypeError, match=rf"{said}'timout'\. Did you mean 'timeout'\?"):
        make(timout=5)
    with pytest.raises(TypeError, match=f"{said}'zzz'$"):
        make(zzz=5)


def test_a_connected_client_names_the_option_that_was_meant():
    connecting = partial(connect, Client, base_url="https://api.example")
    for make in (connecting, connecting().with_options):
        with pytest.raises(TypeError, match=r"'timout'\. Did you mean 'timeout'\?"):
            make(timout=5)


MISSPELT = of_every_system(
    __name__,
    {
        "victor": (lambda client: client.payment_requests.create(amout=1), "amout", "amount"),
        "velo": (lambda client: client.payouts.list(payor_idd="x"), "payor_idd", "payor_id"),
        "eastpay": (lambda client: client.payments.debit(card_=1), "card_", "card"),
    },
    without=("flexfactor",),
)
"""FlexFactor has no method with the arguments of a request object."""


@pytest.mark.parametrize("system", MISSPELT)
def test_the_error_for_a_misspelt_argument_of_a_method_says_the_right_name(system, mode):
    call, given, meant = MISSPELT[system]
    with pytest.raises(TypeError, match=rf"argument '{given}'\. Did you mean '{meant}'\?"):
        called(system, mode, call, unreachable)


@each_system
@pytest.mark.usefixtures("profile")
def test_a_profile_makes_the_client_and_no_variable_does(system, monkeypatch):
    for name in entry_points_of()[system].load().settings:
        monkeypatch.setenv(f"{system}_{name}".upper(), "a value that cannot be right")
    for kind in CLIENTS[system]:
        assert str(kind.from_profile("mine").base_url).startswith("https://own.example")
        other = kind.from_profile("mine", base_url="https://other.example")
        assert str(other.base_url).startswith("https://other")


@each_system
@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("yours", r"There is no profile 'yours' in .*, which has: mine, typo\."),
        ("typo", r"base_ulr, which is not a setting of .*: write one of .*base_url"),
    ],
)
def test_a_profile_that_is_not_there_or_has_another_setting_is_refused(system, name, words):
    for kind in CLIENTS[system]:
        with pytest.raises(ConfigurationError, match=words):
            kind.from_profile(name)


@pytest.mark.parametrize("maker", ["from_env", "from_profile"])
@pytest.mark.parametrize("kind", [kind for kinds in CLIENTS.values() for kind in kinds])
def test_from_env_and_from_profile_take_each_argument_of_the_constructor(kind, maker):
    """With the same types, and none is required: what is left out has the constructor's default."""
    (packed,) = get_args(get_type_hints(getattr(kind, maker))["options"])
    options = get_origin(packed)
    shared = ClientOptions.__annotations__.keys()
    declared = {name: hint for name, hint in get_type_hints(options).items() if name not in shared}
    constructor = get_type_hints(kind.__init__)
    parameters = [*inspect.signature(kind).parameters]
    assert declared == {name: constructor[name] for name in parameters if name not in shared}
    assert [*declared] == [name for name in parameters if name not in shared]
    assert options.__required_keys__ == frozenset()
