"""What commands refuse: a wrong argument is named, with what to write, here and over HTTP."""

import pytest

from tests.cases import cases_beside
from tests.providers.systems import ADAPTERS
from victor_ext.sandbox.server import ServerOverHttp

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__, "command_arguments")
SYSTEMS = [name for name in CASES if name != "over http"]


@pytest.fixture(params=SYSTEMS)
def sandbox(request):
    with ADAPTERS[request.param].SANDBOX() as sandbox:
        if request.param == "velo":
            sandbox.add_source_account("USD account", "USD", 100)
            sandbox.add_payee("payee-7")
        if request.param == "flexfactor":
            sandbox.add_order("INV-1")
        yield sandbox


@pytest.mark.parametrize("way", ["here", "over http"])
def test_a_wrong_argument_is_named_with_what_to_write(way, sandbox):
    commands = sandbox
    if way == "over http":
        over_http = type("OverHttp", (ServerOverHttp, sandbox.provider_type.commands_type), {})
        commands = over_http(sandbox.url)
    for name, arguments, says in CASES[sandbox.provider_type.name]:
        with pytest.raises(ValueError) as refused:
            getattr(commands, name)(**arguments)
        assert says in str(refused.value), (name, arguments, str(refused.value))
