"""What `inspect` and `help()` show of the clients of all four systems."""

import inspect
from typing import get_args, get_origin, get_type_hints

import httpx
import pytest

from tests.providers.running import unreachable
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext._runtime.client.config import ClientOptions
from victor_ext._runtime.client.resources import Resource

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


@pytest.mark.parametrize("kind", [kind for kinds in CLIENTS.values() for kind in kinds])
def test_from_env_takes_each_argument_of_the_constructor(kind):
    """With the same types, and none is required: what is left out has the constructor's default."""
    (packed,) = get_args(get_type_hints(kind.from_env)["options"])
    options = get_origin(packed)
    shared = ClientOptions.__annotations__.keys()
    declared = {name: hint for name, hint in get_type_hints(options).items() if name not in shared}
    constructor = get_type_hints(kind.__init__)
    parameters = [*inspect.signature(kind).parameters]
    assert declared == {name: constructor[name] for name in parameters if name not in shared}
    assert [*declared] == [name for name in parameters if name not in shared]
    assert options.__required_keys__ == frozenset()
